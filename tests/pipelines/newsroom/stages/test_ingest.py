"""A batch goes in whole or not at all, with its source's state; a bad item does not stop the others."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import NOON, quarantined
from databases import Databases
from places import ROOT

from crawler.errors import Detail
from crawler.home import Home, bundled
from crawler.items import Batch, Problem, RawItem, SourceState
from crawler.sources.schema import Source
from pipelines.newsroom.stages import arrivals
from pipelines.newsroom.stages.arrivals import Ingested
from pipelines.newsroom.stages.run import ingest
from pipelines.rules import Rules, load_rules
from pipelines.store import LONGEST_KEY, Store

LATER = NOON + timedelta(hours=6)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(Home(bundled()))


def source(name: str = "watch") -> Source:
    return Source(id=name, kind="feed", name=name, url=f"https://{name}.example/feed")


def item(number: int, **values: Any) -> RawItem:
    return RawItem(
        "feed",
        values.pop("url", f"https://blog.example/{number}"),
        values.pop("title", f"第 {number} 篇"),
        values.pop("fetched_at", NOON),
        **values,
    )


def titles(store: Store) -> list[str]:
    with store.reading() as tx:
        return sorted(one.article.title for one in tx.articles.get(tx.articles.list_fresh()).values())


def test_a_batch_becomes_articles_with_what_they_point_at(store: Store, rules: Rules) -> None:
    html = "<p>项目地址：https://github.com/Some/Thing</p>"
    given = ingest(store, Batch("watch", (item(1, html=html), item(2))), source(), rules, NOON)
    assert given == Ingested(run=1, new=2, updated=0, seen=0, problems=(), failure=None)
    with store.reading() as tx:
        assert tx.articles.find_holders(["github:some/thing"]) == {"github:some/thing": [(1, "primary")]}
        assert tx.articles.get([1])[1].first_seen == NOON


def test_the_same_items_again_are_seen_and_leave_no_trace(store: Store, rules: Rules) -> None:
    batch = Batch("watch", (item(1), item(2), item(2)))
    first = ingest(store, batch, source(), rules, NOON)
    assert (first.new, first.seen) == (2, 1)
    with store.transaction() as tx:
        tx.articles.mark_grouped([1, 2])
    again = replace(batch, items=tuple(replace(one, fetched_at=LATER) for one in batch.items))
    second = ingest(store, again, source(), rules, LATER)
    assert (second.new, second.updated, second.seen) == (0, 0, 3)
    with store.reading() as tx:
        assert tx.raw.count() == 2
        assert tx.articles.list_fresh() == []


def test_new_numbers_are_noted_and_make_no_revision(store: Store, rules: Rules) -> None:
    ingest(store, Batch("watch", (item(1, metrics={"stars": 5}),)), source(), rules, NOON)
    again = item(1, metrics={"stars": 8}, fetched_at=LATER)
    given = ingest(store, Batch("watch", (again,)), source(), rules, LATER)
    assert (given.updated, given.seen) == (0, 1)
    with store.reading() as tx:
        stored = tx.articles.get([1])[1]
        assert (stored.article.metrics, stored.revision) == ({"stars": 8}, 1)
        assert tx.raw.count() == 1


def test_an_edited_page_updates_its_article(store: Store, rules: Rules) -> None:
    ingest(store, Batch("watch", (item(1, text="原来的正文。"),)), source(), rules, NOON)
    edited = item(1, text="改过的正文。", fetched_at=LATER)
    given = ingest(store, Batch("watch", (edited,)), source(), rules, LATER)
    assert (given.new, given.updated, given.seen) == (0, 1, 0)
    with store.reading() as tx:
        assert [one.text for one in tx.articles.list_revisions(1)] == ["原来的正文。"]


def test_two_sources_that_give_one_article_are_both_remembered(store: Store, rules: Rules) -> None:
    for name in ("watch", "other"):
        ingest(store, Batch(name, (item(1),)), source(name), rules, NOON)
    with store.reading() as tx:
        assert tx.articles.get([1])[1].sources == ("other", "watch")


def test_an_item_of_which_no_article_can_be_made_is_kept_and_the_others_go_on(store: Store, rules: Rules) -> None:
    bad = item(2, url="javascript:alert(1)")
    long = item(3, url=f"https://blog.example/{'x' * LONGEST_KEY}")
    batch = Batch("watch", (item(1), bad, long, item(4)), state=SourceState("e"), finished=True)
    given = ingest(store, batch, source(), rules, NOON)
    assert (given.new, given.failure) == (2, None)
    assert [(one.url, one.fails_source) for one in given.problems] == [(bad.url, False), (long.url, False)]
    with store.reading() as tx:
        assert [raw.item.url for raw in quarantined(tx)] == [bad.url, long.url]
        assert [raw.problem for raw in quarantined(tx)] == [str(one.detail) for one in given.problems]
        assert tx.sources.get_states(["watch"]) == {"watch": SourceState("e")}
        assert tx.runs.list_since(NOON)[0].lost == 2
    again = ingest(store, batch, source(), rules, LATER)
    assert (again.seen, again.problems) == (4, ()), "it is said once"


@pytest.mark.fault("E2")
def test_text_that_no_database_takes_is_taken(store: Store, rules: Rules) -> None:
    hostile = item(1, title="题\0目\ud83d", text="正文\0\ud800", author="\ud83d", tags=("\0",), facts={"a": "\ud83d"})
    given = ingest(store, Batch("watch", (hostile,)), source(), rules, NOON)
    assert (given.new, given.problems) == (1, ())


def test_the_state_moves_with_the_last_batch_and_not_before(store: Store, rules: Rules) -> None:
    first = ingest(store, Batch("watch", (item(1),)), source(), rules, NOON)
    with store.reading() as tx:
        assert tx.sources.get_states(["watch"]) == {"watch": SourceState()}
        assert tx.sources.list_all()["watch"].last_success_at is None
    state = SourceState('"1"', None, {"seen": ["1", "2"]})
    last = Batch("watch", (item(2),), state=state, finished=True)
    assert ingest(store, last, source(), rules, LATER, run=first.run).run == first.run
    with store.reading() as tx:
        assert tx.sources.get_states(["watch"]) == {"watch": state}
        (row,) = tx.runs.list_since(NOON)
        assert (row.new, row.failure, row.started_at, row.finished_at) == (2, None, NOON, LATER)
        assert tx.sources.list_all()["watch"].last_success_at == LATER


def test_a_batch_that_cannot_be_stored_leaves_nothing_and_moves_no_state(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(store, Batch("watch", (item(1),), state=SourceState("old"), finished=True), source(), rules, NOON)
    monkeypatch.setattr("pipelines.store.sources.Sources.record_end", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ingest(store, Batch("watch", (item(2),), state=SourceState("new"), finished=True), source(), rules, LATER)
    assert titles(store) == ["第 1 篇"]
    with store.reading() as tx:
        assert tx.sources.get_states(["watch"]) == {"watch": SourceState("old")}
        assert tx.raw.count() == 1
        assert len(tx.runs.list_since(NOON)) == 1


def test_a_run_fails_by_its_first_failing_problem_and_keeps_what_came(store: Store, rules: Rules) -> None:
    gone = Problem("https://blog.example/9", "Gone", Detail.of("notice", notice="已删除"), fails_source=False)
    blocked = Problem("https://blog.example/", "RateLimited", Detail.of("left-alone"), retry_at=LATER)
    first = ingest(store, Batch("watch", (item(1),), (gone, blocked)), source(), rules, NOON)
    assert first.failure == blocked.failure
    last = ingest(store, Batch("watch", (item(2),), finished=True), source(), rules, NOON, run=first.run)
    assert (last.failure, last.problems) == (blocked.failure, ())
    assert titles(store) == ["第 1 篇", "第 2 篇"]
    with store.reading() as tx:
        record = tx.sources.list_all()["watch"]
        assert (record.failure, record.failures_in_row) == (blocked.failure, 1)
        assert record.not_before == LATER


def test_a_state_given_beside_a_failing_page_is_kept(store: Store, rules: Rules) -> None:
    batch = Batch(
        "watch", (), (Problem("u", "Blocked", Detail.of("captcha")),), SourceState(cursor={"pending": {"u": 1}}), True
    )
    ingest(store, batch, source(), rules, NOON)
    with store.reading() as tx:
        assert tx.sources.get_states(["watch"])["watch"].cursor == {"pending": {"u": 1}}


def test_normalising_holds_no_lock(store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    read = arrivals.read

    def read_while_another_writes(*given: Any) -> Any:
        with store.transaction() as tx:
            tx.sources.record_start("other", "feed", "other", NOON)
        return read(*given)

    monkeypatch.setattr(arrivals, "read", read_while_another_writes)
    assert ingest(store, Batch("watch", (item(1),)), source(), rules, NOON).new == 1


def test_two_processes_that_read_the_same_items_make_them_once(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = arrivals.read
    batch = Batch("watch", (item(1), item(2)))

    def read_while_another_ingests(*given: Any) -> Any:
        monkeypatch.setattr(arrivals, "read", read)
        assert ingest(store, batch, source(), rules, NOON).new == 2
        return read(*given)

    monkeypatch.setattr(arrivals, "read", read_while_another_ingests)
    given = ingest(store, batch, source(), rules, NOON)
    assert (given.new, given.seen) == (0, 2)


DRIVER = """
    import sys
    from datetime import UTC, datetime, timedelta
    from crawler.home import Home, bundled
    from crawler.items import Batch, RawItem, SourceState
    from crawler.sources.schema import Source
    from pipelines.rules import load_rules
    from pipelines.newsroom.stages.run import ingest
    from pipelines.store import Store

    NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
    store, rules = Store.open(sys.argv[1]), load_rules(Home(bundled()))
    print("ready", flush=True)
    for name in ("one", "two"):
        source = Source(id=name, kind="feed", name=name, url="https://e.example/")
        with store.reading() as tx:
            begin = tx.sources.get_states([name])[name].cursor.get("batch", 0)
        run = None
        for batch in range(begin, 20):
            at = NOON + timedelta(minutes=batch)
            items = [
                RawItem("feed", f"https://e.example/{n % 70}", f"{n % 70} {n // 35}", at, text=f"{name} {n} " * 90,
                        metrics={"votes": n})
                for n in range(batch * 7, batch * 7 + 10)
            ]
            state = SourceState(cursor={"batch": batch + 1}) if batch % 5 == 4 else None
            given = Batch(name, tuple(items), state=state, finished=bool(state))
            run = ingest(store, given, source, rules, at, run=run).run
            run = None if state else run
    print("done", flush=True)
"""


def everything(url: str) -> list[Any]:
    store = Store.open(url)
    with store.reading() as tx:
        stored = tx.articles.get(range(1, 1000))
        found = [
            *stored.values(),
            *(tx.articles.list_revisions(one) for one in stored),
            tx.sources.get_states(["one", "two"]),
        ]
        assert [raw.problem for chunk in tx.raw.iterate() for raw in chunk if raw.problem] == []
    store.close()
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)  # 22 processes
@pytest.mark.fault("S1")
def test_a_process_killed_at_any_point_loses_and_repeats_nothing(databases: Databases) -> None:
    calm, wild = databases.make(None), databases.make(None)

    def start(url: str) -> subprocess.Popen[str]:
        driver = [sys.executable, "-c", textwrap.dedent(DRIVER), url]
        return subprocess.Popen(driver, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    with start(calm) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        assert process.stdout.readline() == "done\n"
        whole = time.monotonic() - began
    dice = random.Random(7)
    killed = 0
    for _ in range(20):
        with start(wild) as process:
            assert process.stdout is not None
            if dice.random() < 0.8:
                assert process.stdout.readline() == "ready\n"
            time.sleep(dice.random() * whole / 4)
            process.kill()
            killed += process.wait() == -signal.SIGKILL
    assert killed >= 15
    with start(wild) as process:
        assert process.communicate()[0].endswith("done\n")
    assert everything(wild) == everything(calm)
    for url in (calm, wild):
        databases.drop(url)
