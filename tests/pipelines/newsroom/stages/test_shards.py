"""Work divided among processes comes to the same as one process does, whoever dies meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from builders import NOON, article
from databases import Databases, opened_store, read_tables
from places import ROOT
from shard_work import count_articles, die, die_once, name_process
from waiting import wait_until

from crawler.home import Home, bundled
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.group.candidates import GroupRules
from pipelines.newsletter import Category, Newsletter
from pipelines.newsroom.stages.run import group, ingest, rebuild
from pipelines.newsroom.stages.shards import ShardDied, open_shards
from pipelines.rules import load_rules
from pipelines.store import Store
from pipelines.store.errors import StoreRefused

MANY = 1_000_000
SOURCES = {name: Source(id=name, kind="feed", name=name, url="https://e.example/") for name in ("a", "b")}


def test_results_come_in_the_order_of_the_shards_from_the_store_and_the_rules(store: Store) -> None:
    with store.transaction() as tx:
        tx.articles.save([article(1), article(2)])
    with open_shards(store, "规则", 2, MANY) as shards:
        found = list(shards.map(count_articles, [(number,) for number in range(9)]))
    assert found == [("规则", number, 2) for number in range(9)]


def test_few_items_are_read_by_the_process_itself(store: Store) -> None:
    with open_shards(store, "", 2, 10) as shards:
        assert set(shards.map(name_process, [(1,), (2,)])) == {os.getpid()}
    with open_shards(store, "", 2, MANY) as shards:
        assert os.getpid() not in set(shards.map(name_process, [(1,), (2,)]))


def test_a_process_that_is_killed_is_replaced_and_its_shards_are_done_again(store: Store, tmp_path: Path) -> None:
    with open_shards(store, str(tmp_path), 2, MANY) as shards:
        assert list(shards.map(die_once, [(number,) for number in range(6)])) == list(range(6))
    assert (tmp_path / "died").exists()


def test_processes_that_died_before_the_next_shard_is_handed_out_are_replaced(store: Store) -> None:
    with open_shards(store, "规则", 2, MANY) as shards:

        def end_processes_between() -> Iterator[tuple[int]]:
            yield (0,)
            for process in multiprocessing.active_children():
                process.kill()
            wait_until(lambda: shards._pool is not None and bool(shards._pool._broken))
            yield from ((number,) for number in range(1, 6))

        found = list(shards.map(count_articles, end_processes_between()))
    assert found == [("规则", number, 0) for number in range(6)]


def test_a_shard_that_kills_whoever_does_it_ends_the_work(store: Store) -> None:
    with open_shards(store, "", 2, MANY) as shards, pytest.raises(ShardDied, match="shard-died"):
        list(shards.map(die, [(1,)]))


def test_a_database_that_the_processes_cannot_open_is_said_to_be_the_reason(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text.db"
    file.write_text("no database")
    monkeypatch.setattr(Store, "url", f"sqlite:///{file}")
    with open_shards(store, "", 2, MANY) as shards, pytest.raises(StoreRefused):
        list(shards.map(count_articles, [(1,)]))
    assert "Traceback" not in capfd.readouterr().err


def test_the_processes_end_with_the_one_that_started_them_however_it_ends(store: Store) -> None:
    code = f"import shard_work; shard_work.hang_after_start({store.url!r})"
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as caller:
        assert caller.stdout is not None
        processes = [int(number) for number in caller.stdout.readline().split()]
        caller.kill()
    assert processes
    wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))


def test_a_rebuild_by_several_processes_makes_what_one_process_makes(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replies that reach over several shards, items without an article, and items that make one article of two."""
    monkeypatch.setattr("pipelines.newsroom.stages.run.READ_AT_ONCE", 7)
    monkeypatch.setattr("pipelines.newsroom.stages.shards.FEWEST", 1)
    rules = load_rules(Home(bundled()))
    contents = []
    for processes in (1, 2):
        with opened_store(databases) as store:
            for source, first in (("a", 0), ("b", 20), ("a", 40)):
                items = tuple(make_item(number, NOON) for number in range(first, first + 30))
                ingest(store, Batch(source, items), SOURCES[source], rules, NOON)
            contents.append((rebuild(store, SOURCES, rules, processes=processes), read_tables(store)))
    assert contents[0] == contents[1]
    assert contents[0][0].problems, "some items have no article"
    assert contents[0][0].articles < contents[0][0].items, "some items have no article of their own"


def test_a_grouping_by_several_processes_makes_what_one_process_makes(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links reach over several shards; a second grouping makes all of it again."""
    for name in ("KEYED_AT_ONCE", "LINKED_AT_ONCE", "GROUPED_AT_ONCE"):
        monkeypatch.setattr(f"pipelines.newsroom.stages.run.{name}", 3)
    monkeypatch.setattr("pipelines.newsroom.stages.shards.FEWEST", 1)
    rules = GroupRules.of(
        Newsletter(title="t", editor="e", categories=(Category(name="新闻"),)),
        {},
        {},
        events=load_rules(Home(bundled())).events,
    )
    titles = ("云雀半导体发布星澜 N9 芯片，端侧推理提速 85%", "星澜 N9 来了！云雀半导体要和手机芯片掰手腕", "分享图片")
    contents = []
    for processes in (1, 2):
        with opened_store(databases) as store:
            with store.transaction() as tx:
                tx.articles.save(
                    [
                        article(number, title=titles[number % 3], publisher=f"账号{number}", days=number / 9)
                        for number in range(1, 25)
                    ]
                )
            grouped = [group(store, rules, processes=processes)]
            with store.transaction() as tx:
                tx.articles.mark_fresh(range(1, 25))
            grouped.append(group(store, rules, processes=processes))
            contents.append((grouped, read_tables(store)))
    assert contents[0] == contents[1]
    assert contents[0][1]["event_links"]


def make_item(number: int, at: datetime) -> RawItem:
    """Entries with texts; three have one identifier, one in ten is a bad address."""
    url = f"https://e.example/{number}" if number % 10 else f"mailto:{number}@e.example"
    html = f"<p>端侧推理第 {number} 篇，量化与部署。</p>" * 9
    return RawItem("feed", url, f"第 {number} 篇", at, guid=f"g{number // 3}", html=html, metrics={"votes": number})
