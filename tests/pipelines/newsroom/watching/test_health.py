"""Health at the edge: what a run leaves in the store, and what a look at all sources stores and says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import Databases
from desks import opened_newsroom

from crawler.errors import Detail, Failure
from crawler.items import Batch, Problem, RawItem, SourceState
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import begin_runs, ingest
from pipelines.newsroom.watching.health import (
    acknowledge,
    check_sources,
    classify_failure,
    list_for_editor,
    summarise_incidents,
)
from pipelines.store.runs import INTERRUPTED

START = datetime(2026, 11, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = "".join(
    f'[[source]]\nid = "{name}"\nkind = "feed"\nname = "{name.upper()}"\nurl = "https://{name}.example/feed"\n\n'
    for name in ("a", "b")
)


@pytest.fixture
def newsroom(databases: Databases, tmp_path: Path) -> Iterator[Newsroom]:
    with opened_newsroom(tmp_path / "newsletter", databases) as opened:
        opened.home.sources.write_text(ROWS, encoding="utf-8")
        yield opened


def crawl(newsroom: Newsroom, source: str, day: float, *dates: float, problem: Problem | None = None) -> None:
    """One run of a source, which brings an article of each date."""
    at = START + DAY * day
    items = tuple(
        RawItem(
            kind="feed",
            url=f"https://{source}.example/{date}",
            title=f"第 {date} 天的文章",
            fetched_at=at,
            published=(START + DAY * date).isoformat(),
            text=f"{date} " * 60,
        )
        for date in dates
    )
    row = newsroom.sources[source]
    problems = () if problem is None else (problem,)
    state = None if problem else SourceState()
    run_id = begin_runs(newsroom.store, [row], at)[source]
    batch = Batch(source, items, problems, state, True, f"{source}.example")
    ingest(newsroom.store, batch, row, newsroom.rules, at, run=run_id)


def test_a_run_keeps_the_host_and_the_dates_of_what_is_new_to_the_source(newsroom: Newsroom) -> None:
    crawl(newsroom, "a", 0, -2, -1)
    crawl(newsroom, "a", 1, -1, 0.5)
    with newsroom.store.reading() as tx:
        first, second = tx.runs.list_since(START)
    assert first.answered_by == "a.example"
    assert [trace.published_at for trace in first.traces] == [START - DAY * 2, START - DAY]
    assert [trace.published_at for trace in second.traces] == [START + DAY * 0.5]
    assert second.traces[0].length > 60


def test_an_article_that_another_source_brought_first_counts_for_both(newsroom: Newsroom) -> None:
    crawl(newsroom, "a", 0, -1)
    row = newsroom.sources["b"]
    item = RawItem(kind="feed", url="https://a.example/-1", title="第 -1 天的文章", fetched_at=START, text="甲" * 80)
    ingest(newsroom.store, Batch("b", (item,), (), None, True), row, newsroom.rules, START)
    with newsroom.store.reading() as tx:
        assert [len(run.traces) for run in tx.runs.list_since(START, "b")] == [1]


def test_a_silence_is_raised_once_acknowledged_and_recovers(newsroom: Newsroom) -> None:
    for day in range(20):
        crawl(newsroom, "a", day, day - 0.1)
    assert check_sources(newsroom, START + DAY * 20).open_incidents == []
    crawl(newsroom, "a", 26)
    raised = check_sources(newsroom, START + DAY * 26).raised
    assert [(incident.source, incident.kind) for incident in raised] == [("a", "silent")]
    assert check_sources(newsroom, START + DAY * 26.1).raised == ()
    assert summarise_incidents(raised, {"a": "甲"}, "zh") == "1 个来源沉默：甲"
    assert acknowledge(newsroom, raised[0].id, START + DAY * 30)
    assert not acknowledge(newsroom, 999, START)
    (incident,) = check_sources(newsroom, START + DAY * 27).open_incidents
    assert [incident.needs_person(START + DAY * day) for day in (27, 31)] == [False, True]
    crawl(newsroom, "a", 28, 27.9)
    checkup = check_sources(newsroom, START + DAY * 28)
    assert [row.id for row in checkup.recovered] == [incident.id]
    assert checkup.open_incidents == []
    assert check_sources(newsroom, START + DAY * 28).recovered == ()


def test_a_look_that_changes_nothing_does_not_wait_for_a_writer(newsroom: Newsroom) -> None:
    crawl(newsroom, "a", 0, -1)
    with newsroom.store.transaction():
        assert check_sources(newsroom, START).judgements.keys() == {"a", "b"}


def test_a_failure_is_raised_with_its_kind(newsroom: Newsroom) -> None:
    for hour in (0, 6, 13):
        crawl(newsroom, "b", hour / 24, problem=Problem("", "Blocked", Detail.of("verification")))
    checkup = check_sources(newsroom, START + DAY)
    assert [(row.source, row.kind) for row in checkup.raised] == [("b", "blocked")]
    assert checkup.judgements["a"].state == "never"


def test_incidents_stay_while_nothing_runs_for_months(newsroom: Newsroom) -> None:
    for day in range(20):
        crawl(newsroom, "a", day, day - 0.1)
    crawl(newsroom, "a", 26)
    for hour in (0, 6, 13):
        crawl(newsroom, "b", 26 + hour / 24, problem=Problem("", "Blocked", Detail.of("verification")))
    assert len(check_sources(newsroom, START + DAY * 27).raised) == 2
    checkup = check_sources(newsroom, START + DAY * 500)
    assert (len(checkup.open_incidents), len(checkup.recovered)) == (3, 0)
    assert [row.kind for row in checkup.raised] == ["standstill"]


def test_a_standstill_of_the_crawling_is_raised_once_acknowledged_and_recovers(newsroom: Newsroom) -> None:
    for day in range(10):
        crawl(newsroom, "a", day, day - 0.1)
    assert check_sources(newsroom, START + DAY * 10).raised == ()
    now = START + DAY * 11
    with newsroom.store.reading() as tx:
        (unseen,) = list_for_editor(tx, newsroom, now)
    assert summarise_incidents([unseen], {}, "zh") == "从 2026-11-11 12:00 起一个来源也没有抓过，该抓的有 1 个"
    (raised,) = check_sources(newsroom, now).raised
    assert (raised.source, raised.kind, raised.state) == ("", "standstill", "stalled")
    assert check_sources(newsroom, now + DAY).raised == ()
    with newsroom.store.reading() as tx:
        assert [row.id for row in list_for_editor(tx, newsroom, now)] == [raised.id]
    assert acknowledge(newsroom, raised.id, now + DAY * 3)
    with newsroom.store.reading() as tx:
        assert list_for_editor(tx, newsroom, now) == []
    crawl(newsroom, "a", 13, 12.9)
    with newsroom.store.reading() as tx:
        assert list_for_editor(tx, newsroom, START + DAY * 14) == [], "over, though nobody has looked since"
    assert [row.id for row in check_sources(newsroom, START + DAY * 13.1).recovered] == [raised.id]


def test_a_newsroom_whose_sources_are_switched_off_does_not_stand_still(newsroom: Newsroom) -> None:
    for day in range(10):
        crawl(newsroom, "a", day, day - 0.1)
    newsroom.home.sources.write_text(ROWS.replace('id = "a"', 'id = "a"\nenabled = false'), encoding="utf-8")
    with closing(Newsroom(newsroom.home)) as reread:
        assert check_sources(reread, START + DAY * 20).raised == ()


def test_incidents_stay_while_the_registry_cannot_be_read(newsroom: Newsroom) -> None:
    for hour in (0, 6, 13):
        crawl(newsroom, "b", hour / 24, problem=Problem("", "Blocked", Detail.of("verification")))
    check_sources(newsroom, START + DAY)
    newsroom.home.sources.write_text("[[source", encoding="utf-8")
    broken = Newsroom(newsroom.home)
    assert [row.source for row in check_sources(broken, START + DAY).open_incidents] == ["b"]
    newsroom.home.sources.write_text(ROWS.replace("https://b", "ftp://b"), encoding="utf-8")
    mistaken = Newsroom(newsroom.home)
    assert [row.source for row in check_sources(mistaken, START + DAY).open_incidents] == ["b"]
    for opened in (broken, mistaken):
        opened.store.close()


def test_a_run_that_was_stopped_is_no_failure_of_its_source(newsroom: Newsroom) -> None:
    for hour in range(5):
        begin_runs(newsroom.store, [newsroom.sources["a"]], START + DAY * hour)
    with newsroom.store.reading() as tx:
        assert [run.failure for run in tx.runs.list_since(START)] == [INTERRUPTED] * 4 + [None]
    assert check_sources(newsroom, START + DAY * 6).judgements["a"].state == "never"


@pytest.mark.parametrize(
    ("error", "detail", "kind"),
    [
        ("Blocked", Detail.of("zhihu-log-in"), "login"),
        ("Blocked", Detail.of("http-status", status=401), "login"),
        ("Blocked", Detail.of("http-status", status=403), "blocked"),
        ("FetchFailed", Detail.of("http-status", status=403), "forbidden"),
        ("FetchFailed", Detail.of("http-status", status=500), "failed"),
        ("PageChanged", Detail.of("not-a-feed"), "changed"),
        ("Refused", Detail.of("not-web"), "misconfigured"),
    ],
)
def test_a_failure_is_of_the_kind_that_tells_what_to_do(error: str, detail: Detail, kind: str) -> None:
    assert classify_failure(Failure(error, detail)) == kind
