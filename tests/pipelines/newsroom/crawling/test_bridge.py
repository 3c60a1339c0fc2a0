"""Batches from the crawler reach the store in order; what cannot be stored fails its source and no other."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from places import ROOT
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler
from twisted.internet.task import Clock

from crawler.errors import Detail, Failure
from crawler.home import DATABASE_VARIABLE, Home, bundled
from crawler.items import Batch, Problem, RawItem, SourceState
from crawler.sources.schema import Source
from pipelines.newsroom.crawling import bridge as module
from pipelines.newsroom.crawling.bridge import Bridge
from pipelines.newsroom.stages.arrivals import Ingested
from pipelines.rules import Rules, load_rules
from pipelines.store import Store
from pipelines.store.errors import LeaseLost, StoreBusy, StoreFull, StoreRefused

SOURCES = {
    name: Source(id=name, kind="feed", name=name.upper(), url="https://e.example/feed") for name in ("one", "two")
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(Home(bundled()))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    shutil.copy(bundled() / "newsletter.toml", tmp_path)
    rows = (
        f'[[source]]\nid = "{name}"\nkind = "feed"\nname = "{name}"\nurl = "https://e.example/"' for name in SOURCES
    )
    (tmp_path / "sources.toml").write_text("\n".join(rows), "utf-8")
    return Home(tmp_path)


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    opened = Store.open(home.database_url)
    yield opened
    opened.close()


@pytest.fixture
def bridge(store: Store, rules: Rules) -> Bridge:
    return Bridge(store, SOURCES, rules, kind="feed", stats=MemoryStatsCollector(get_crawler()))


def batch(source: str, number: int, *problems: Problem, last: bool = False) -> Batch:
    item = RawItem("feed", f"https://e.example/{number}", f"第 {number} 篇", NOON)
    return Batch(source, (item,), problems, SourceState(f"{number}") if last else None, finished=last)


def etags(store: Store) -> dict[str, str | None]:
    with store.reading() as tx:
        return {one: state.etag for one, state in tx.sources.get_states(SOURCES).items()}


def test_a_runs_batches_are_one_run_and_add_up(bridge: Bridge, store: Store) -> None:
    lost = Problem("https://e.example/9", "Gone", Detail.of("notice", notice="已删除"), fails_source=False)
    assert bridge.process_item(batch("one", 1)) == batch("one", 1)
    bridge.process_item(batch("two", 1))
    assert not bridge.results["one"].finished
    bridge.process_item(batch("one", 2, lost, last=True))
    result = bridge.results["one"]
    assert (result.new, result.seen, result.problems, result.failure) == (2, 0, (lost,), None)
    assert result.finished
    assert bridge.results["two"].seen == 1
    assert etags(store) == {"one": "2", "two": None}
    with store.reading() as tx:
        assert [(run.id, run.source, run.new) for run in tx.runs.list_since(NOON.replace(year=2000))] == [
            (result.run, "one", 2),
            (bridge.results["two"].run, "two", 0),
        ]


def test_the_counts_are_in_scrapys_stats_too(store: Store, rules: Rules) -> None:
    stats = MemoryStatsCollector(get_crawler())
    bridge = Bridge(store, SOURCES, rules, kind="feed", stats=stats)
    bridge.process_item(batch("one", 1))
    bridge.process_item(batch("one", 1))
    assert (stats.get_value("jianbao/one/new"), stats.get_value("jianbao/one/seen")) == (1, 1)


def test_what_cannot_be_stored_fails_its_source_whose_state_stays(
    bridge: Bridge, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            module, "ingest_together", lambda *_, **__: (_ for _ in ()).throw(StoreBusy("database-says", text="locked"))
        )
        bridge.process_item(batch("one", 1))
    assert [record.levelno for record in caplog.records if record.name == module.__name__] == [logging.ERROR]
    bridge.process_item(batch("one", 2, last=True))
    bridge.process_item(batch("two", 3, last=True))
    failed, good = bridge.results["one"], bridge.results["two"]
    locked = Detail.of("database-says", text="locked")
    assert failed.failure == Failure("StoreBusy", Detail.of("not-stored", reason=locked))
    assert (failed.new, failed.finished) == (1, True), "what came later is stored all the same"
    assert (good.new, good.failure) == (1, None)
    assert etags(store) == {"one": None, "two": "3"}
    with store.reading() as tx:
        assert tx.sources.list_all()["one"].failure == failed.failure
        assert tx.sources.list_all()["two"].failure is None


def test_a_worker_that_lost_its_job_says_so_in_a_line(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lost = LeaseLost("job-is-gone", job=7, worker=3)
    monkeypatch.setattr(module, "ingest_together", lambda *_, **__: (_ for _ in ()).throw(lost))
    bridge.process_item(batch("one", 1))
    (record,) = (record for record in caplog.records if record.name == module.__name__)
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)
    assert "job 7 is no longer that of worker 3" in record.getMessage()


def test_a_mistake_of_ours_stops_no_other_source(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "ingest_together", lambda *_, **__: 1 / 0)
        bridge.process_item(batch("one", 1, last=True))
    bridge.process_item(batch("two", 1, last=True))
    assert str(bridge.results["one"].failure) == (
        "ZeroDivisionError: not-stored: reason (exception: name ZeroDivisionError, text division by zero)"
    )
    assert bridge.results["two"].failure is None


def test_a_spider_that_is_stopped_ends_the_runs_that_were_under_way(bridge: Bridge, home: Home) -> None:
    bridge.process_item(batch("one", 1))
    bridge.process_item(batch("two", 2, last=True))
    bridge.close_spider()
    again = Store.open(home.database_url)
    with again.reading() as tx:
        one, two = tx.runs.list_since(NOON.replace(year=2000))
        assert one.failure is not None
        assert one.failure.error == "Interrupted"
        assert (one.finished_at is None, one.new) == (False, 1)
        assert two.failure is None
    assert etags(again) == {"one": None, "two": "2"}
    again.close()


def test_batches_wait_for_each_other_and_are_stored_together_in_time(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[list[str]] = []
    ingest = module.ingest_together

    def ingest_together(*arguments: Any) -> list[Ingested]:
        together.append([delivery.batch.source for delivery in arguments[1]])
        return ingest(*arguments)

    monkeypatch.setattr(module, "ingest_together", ingest_together)
    clock = Clock()
    stats = MemoryStatsCollector(get_crawler())
    bridge = Bridge(store, SOURCES, rules, kind="feed", stats=stats, call_later=clock.callLater)
    for number in range(3):
        bridge.process_item(batch("one", number))
    bridge.process_item(batch("two", 3, last=True))
    assert bridge.results == {}
    clock.advance(module.LONGEST_WAIT)
    assert {source: (result.new, result.finished) for source, result in bridge.results.items()} == {
        "one": (3, False),
        "two": (1, True),
    }
    assert together == [["one", "two"]]
    assert not clock.getDelayedCalls()


def test_a_batch_that_cannot_be_stored_with_others_costs_them_nothing(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = module.ingest_together

    def ingest_together(*arguments: Any) -> list[Ingested]:
        if any(delivery.batch.source == "one" for delivery in arguments[1]):
            raise StoreFull("database-says", text="full")
        return ingest(*arguments)

    monkeypatch.setattr(module, "ingest_together", ingest_together)
    clock = Clock()
    stats = MemoryStatsCollector(get_crawler())
    bridge = Bridge(store, SOURCES, rules, kind="feed", stats=stats, call_later=clock.callLater)
    bridge.process_item(batch("one", 1, last=True))
    bridge.process_item(batch("two", 2, last=True))
    clock.advance(module.LONGEST_WAIT)
    failed, good = bridge.results["one"], bridge.results["two"]
    assert failed.failure is not None
    assert failed.failure.error == "StoreFull"
    assert (good.new, good.failure) == (1, None)
    assert etags(store) == {"one": None, "two": "2"}


def test_many_or_large_waiting_batches_are_stored_at_once(store: Store, rules: Rules) -> None:
    clock = Clock()
    stats = MemoryStatsCollector(get_crawler())
    bridge = Bridge(store, SOURCES, rules, kind="feed", stats=stats, call_later=clock.callLater)
    many = tuple(RawItem("feed", f"https://e.example/{number}", "标题", NOON) for number in range(module.MOST_WAITING))
    bridge.process_item(Batch("one", many))
    assert bridge.results["one"].new == module.MOST_WAITING
    for _ in range(module.MOST_WAITING):  # a batch without items is written, too
        assert not bridge.results["one"].finished
        bridge.process_item(Batch("one", finished=True))
    assert bridge.results["one"].finished
    large = RawItem("feed", "https://e.example/large", "长文", NOON, html="字" * module.MOST_CHARACTERS)
    bridge.process_item(Batch("two", (large,)))
    assert bridge.results["two"].new == 1


def test_what_waits_when_a_spider_is_stopped_is_stored(store: Store, rules: Rules) -> None:
    stats = MemoryStatsCollector(get_crawler())
    bridge = Bridge(store, SOURCES, rules, kind="feed", stats=stats, call_later=Clock().callLater)
    bridge.process_item(batch("one", 1))
    bridge.close_spider()
    assert bridge.results["one"].new == 1
    assert bridge.results["one"].failure is not None


def test_a_source_that_the_registry_does_not_have_is_stored_under_its_id(bridge: Bridge, store: Store) -> None:
    bridge.process_item(batch("elsewhere", 1, last=True))
    with store.reading() as tx:
        assert tx.articles.get([1])[1].sources == ("elsewhere",)
        assert tx.sources.list_all()["elsewhere"].kind == "feed"


def test_scrapy_gives_the_bridge_its_newsroom(home: Home) -> None:
    bridge = Bridge.from_crawler(get_crawler(settings_dict={"JIANBAO_HOME": str(home.path)}))
    bridge.process_item(batch("one", 1, last=True))
    bridge.close_spider()
    store = Store.open(home.database_url)
    assert etags(store) == {"one": "1", "two": None}
    store.close()


def test_without_a_database_nothing_is_fetched(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("not a database")
    monkeypatch.setenv(DATABASE_VARIABLE, f"sqlite:///{tmp_path / 'notes.md'}")
    with pytest.raises(StoreRefused):
        Bridge.from_crawler(get_crawler(settings_dict={"JIANBAO_HOME": str(home.path)}))


CRAWL = """
    import json, sys
    from datetime import UTC, datetime
    from scrapy import Spider
    from scrapy.crawler import AsyncCrawlerProcess
    from crawler.items import Batch, RawItem, SourceState
    from pipelines.newsroom.crawling.bridge import Bridge

    class Batches(Spider):
        name = kind = "feed"

        async def start(self):
            for number in range(5):
                for source in ("one", "two"):
                    items = (RawItem("feed", f"https://e.example/{source}/{number}", "题", datetime.now(UTC)),)
                    last = number == 4
                    yield Batch(source, items, state=SourceState("e") if last else None, finished=last)

    process = AsyncCrawlerProcess({
        "JIANBAO_HOME": sys.argv[1], "ITEM_PIPELINES": {Bridge: 1}, "LOG_LEVEL": "ERROR", "CONCURRENT_ITEMS": 1,
        "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False,
    })
    crawler = process.create_crawler(Batches)
    process.crawl(crawler)
    process.start()
    results = crawler.get_item_pipeline(Bridge).results
    print(json.dumps({source: [one.new, one.finished, one.failure] for source, one in results.items()}))
"""


@pytest.mark.slow
def test_a_crawl_is_stored_and_its_results_are_at_hand_afterwards(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CRAWL), str(home.path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == "", "not even a deprecation"
    assert json.loads(done.stdout) == {"one": [5, True, None], "two": [5, True, None]}
