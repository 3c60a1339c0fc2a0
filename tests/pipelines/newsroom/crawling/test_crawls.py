"""Crawls and additions, from the network to the store; each in a process of its own, as in real life."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import start_crawl
from servers import ROOT, Seen, Site, http, newsroom, serving, source
from waiting import MOST_SECONDS, wait_until

from crawler.home import Home
from crawler.items import Batch, RawItem
from crawler.network.gate import CLOSES_AFTER
from crawler.sources.file import load_sources
from crawler.sources.schema import Source
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling import crawls
from pipelines.newsroom.crawling.processes import DIED
from pipelines.newsroom.stages.run import begin_runs, ingest
from pipelines.newsroom.watching.health import check_sources

SCRIPT = """
import json, sys
from pathlib import Path
from crawler.errors import CrawlError
from crawler.home import Home
from pipelines.newsroom.crawling import crawls
from pipelines.newsroom import Newsroom
room = Newsroom(Home(Path(sys.argv[1])))
progress = []
try:
    if sys.argv[2] == "crawl":
        tell = lambda done, total: progress.append([done, total])
        reports = crawls.crawl(room, list(room.sources.values()), on_progress=tell)
    else:
        reports = crawls.add(room, sys.argv[3:], url=None)
except CrawlError as error:
    sys.exit(str(error))
rows = [report.as_json() | {"warnings": [str(warning) for warning in report.warnings]} for report in reports]
print(json.dumps({"rows": rows, "progress": progress}))
"""


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(home), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(home: Path, *arguments: str) -> dict[str, Any]:
    process = start(home, *arguments)
    out, err = process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


def rows(told: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {row["id"]: (row["new"], row["seen"], row["updated"]) for row in told["rows"]}


def feed(*numbers: int, **headers: str) -> bytes:
    items = "".join(
        f"<item><title>第 {number} 篇</title><link>https://t.example/{number}</link></item>" for number in numbers
    )
    document = f'<rss version="2.0"><channel><title>T</title><link>https://t.example/</link>{items}</channel></rss>'
    return http(200, document, content_type="application/rss+xml; charset=utf-8", **headers)


def known_articles(home: Path) -> int:
    room = Newsroom(Home(home))
    with room.store.reading() as tx:
        count: int = tx.raw.count()
    room.store.close()
    return count


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({}) as one:
        yield one


@pytest.mark.slow
@pytest.mark.fault("H7")
def test_a_crawl_stores_what_it_reads_and_the_next_asks_only_for_what_is_new(tmp_path: Path, site: Site) -> None:
    def unless_known(seen: Seen) -> bytes:
        return http(304) if seen.headers.get("if-none-match") == '"1"' else feed(1, 2, etag='"1"')

    site.answers |= {"/known": unless_known, "/grows": [feed(3), feed(4, 3)], "/broken": http(404, "no")}
    texts = [source(name, "feed", url=f"{site.base}/{name}") for name in ("known", "grows", "broken")]
    home = newsroom(tmp_path, "".join(texts), site.place)
    first = run(home, "crawl")
    assert rows(first) == {"known": (2, 0, 0), "grows": (1, 0, 0), "broken": (0, 0, 0)}
    assert [row["failed"] is None for row in first["rows"]] == [True, True, False]
    assert first["progress"] == [[1, 3], [2, 3], [3, 3]]
    second = run(home, "crawl")
    assert rows(second) == {"known": (0, 0, 0), "grows": (1, 1, 0), "broken": (0, 0, 0)}


@pytest.mark.slow
@pytest.mark.fault("H1")
def test_a_site_that_asked_for_patience_is_not_asked_by_hand_either(tmp_path: Path, site: Site) -> None:
    site.answers["/a"] = http(429, "slowly", retry_after="7200")
    home = newsroom(tmp_path, source("a", "feed", url=f"{site.base}/a"), site.place)
    run(home, "crawl")
    assert site.paths().count("/a") == 1
    (row,) = run(home, "crawl")["rows"]
    assert site.paths().count("/a") == 1
    assert row["failed"].startswith("RateLimited: ")


@pytest.mark.slow
@pytest.mark.fault("H1")
def test_a_mirror_that_refuses_is_asked_for_none_of_its_sources_until_it_allows(tmp_path: Path, site: Site) -> None:
    answers = {f"/{number}": http(429, "slowly", retry_after="7200") for number in range(5)}
    site.answers |= answers
    texts = [source(f"s{number}", "feed", url=f"{site.base}/{number}") for number in range(4)]
    home = newsroom(tmp_path, "".join(texts), site.place)
    run(home, "crawl")
    asked = [path for path in site.paths() if path in answers]
    assert len(asked) <= CLOSES_AFTER + 1
    newsroom(tmp_path, "".join(texts) + source("s4", "feed", url=f"{site.base}/4"), site.place)
    row = run(home, "crawl")["rows"][4]
    assert row["failed"].startswith("RateLimited: ")
    assert "/4" not in site.paths()
    room = Newsroom(Home(home))
    with room.store.reading() as tx:
        assert list(tx.hosts.list_waits(datetime.now(UTC))) == [site.place]
        assert tx.hosts.list_waits(datetime.now(UTC) + timedelta(hours=3)) == {}
        assert tx.hosts.list_waits(datetime.now(UTC) - timedelta(hours=3)) == {}, "stored by a clock that was ahead"
    room.store.close()


@pytest.mark.fault("T5")
def test_nothing_is_crawled_while_the_clock_shows_an_impossible_time(tmp_path: Path) -> None:
    room = Newsroom(Home(newsroom(tmp_path, source("a", "feed", url="https://a.example/"))))
    with pytest.raises(crawls.ClockBehind, match="1990-01-01"):
        crawls.crawl(room, list(room.sources.values()), now=datetime(1990, 1, 1, tzinfo=UTC))
    with pytest.raises(crawls.ClockBehind):
        crawls.add(room, ["https://a.example/"], now=datetime(1990, 1, 1, tzinfo=UTC))
    with room.store.reading() as tx:
        assert tx.sources.list_all() == {}
    room.store.close()


@pytest.mark.parametrize("wrong", [datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)])
@pytest.mark.fault("T5")
def test_articles_dated_by_a_wrong_clock_get_a_possible_date_at_the_next_crawl(tmp_path: Path, wrong: datetime) -> None:
    room = Newsroom(Home(newsroom(tmp_path, source("a", "feed", url="https://a.example/"))))
    (row,) = room.registry.sources
    undated = RawItem("feed", "https://a.example/1", "没有日期", wrong)
    dated = RawItem("feed", "https://a.example/2", "有日期", wrong, published="2026-11-01")
    runs = begin_runs(room.store, [row], wrong)
    ingest(room.store, Batch("a", (undated, dated), finished=True), row, room.rules, wrong, run=runs["a"])
    now = datetime(2026, 11, 28, tzinfo=UTC)
    begin_runs(room.store, [row], now)
    with room.store.reading() as tx:
        dates = {
            article.article.title: article.article.published.at.date() for article in tx.articles.get([1, 2]).values()
        }
        times = {raw.item.fetched_at for chunk in tx.raw.iterate() for raw in chunk}
        assert [run.started_at for run in tx.runs.list_since(datetime(1980, 1, 1, tzinfo=UTC))] == [now, now]
    assert dates["没有日期"] == now.date()
    assert dates["有日期"].month in (10, 11)
    assert times == {now}
    room.store.close()


def store_crawls(room: Newsroom, times: Sequence[datetime], *, is_dated: bool) -> None:
    """One crawl at each time, which brings an article; with a date of the page, of the hour before."""
    (row,) = room.registry.sources
    for number, at in enumerate(times):
        published = (at - timedelta(hours=1)).isoformat() if is_dated else None
        item = RawItem("feed", f"https://a.example/{at:%j}-{number}", f"第 {number} 篇", at, published=published)
        runs = begin_runs(room.store, [row], at)
        ingest(room.store, Batch("a", (item,), finished=True), row, room.rules, at, run=runs["a"])


def read_times(room: Newsroom) -> list[tuple[datetime, ...]]:
    """The times of each article and of each run."""
    with room.store.reading() as tx:
        stored = tx.articles.get(range(1, 40)).values()
        articles = [(each.article.published.at, each.article.fetched_at) for each in stored]
        runs = [(run.started_at,) for run in tx.runs.list_since(datetime(1980, 1, 1, tzinfo=UTC))]
    return [*articles, *runs]


@pytest.mark.parametrize("is_dated", [True, False])
@pytest.mark.fault("T5")
def test_a_clock_that_falls_back_spoils_no_time_and_stops_the_crawl(tmp_path: Path, *, is_dated: bool) -> None:
    room = Newsroom(Home(newsroom(tmp_path, source("a", "feed", url="https://a.example/"))))
    store_crawls(room, [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 20)], is_dated=is_dated)
    stored = read_times(room)
    before_all_runs, amid_the_runs = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
    for wrong in (before_all_runs, amid_the_runs) if is_dated else (amid_the_runs,):
        with pytest.raises(crawls.ClockBehind, match="2026-11-19"):
            crawls.crawl(room, list(room.sources.values()), now=wrong)
        with pytest.raises(crawls.ClockBehind):
            crawls.add(room, ["https://a.example/"], now=wrong)
        begin_runs(room.store, [], wrong)
        assert read_times(room) == stored
        (incident,) = check_sources(room, wrong).raised
        assert incident.kind == "clock-behind"
        assert [row.id for row in check_sources(room, datetime(2026, 11, 19, 1, tzinfo=UTC)).recovered] == [incident.id]
    room.store.close()


@pytest.mark.parametrize("is_dated", [True, False])
@pytest.mark.fault("T5")
def test_the_times_of_a_clock_that_was_ahead_are_mended_and_no_other(tmp_path: Path, *, is_dated: bool) -> None:
    room = Newsroom(Home(newsroom(tmp_path, source("a", "feed", url="https://a.example/"))))
    store_crawls(room, [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 11)], is_dated=is_dated)
    right = read_times(room)
    store_crawls(room, [datetime(2090, 1, day, tzinfo=UTC) for day in range(1, 3)], is_dated=False)
    (row,) = room.registry.sources
    ahead = datetime(2090, 1, 4, tzinfo=UTC)
    yesterday = RawItem("feed", "https://a.example/r", "昨天的", ahead, published="昨天")
    (run,) = begin_runs(room.store, [row], ahead).values()
    ingest(room.store, Batch("a", (yesterday,), finished=True), row, room.rules, ahead, run=run)
    now = datetime(2026, 11, 12, tzinfo=UTC)
    begin_runs(room.store, [], now)
    mended = read_times(room)
    assert [times for times in mended if times in right] == right
    assert {moment for times in mended if times not in right for moment in times} == {now}
    assert check_sources(room, now).raised == ()
    room.store.close()


@pytest.mark.fault("T5")
def test_a_clock_that_was_behind_and_then_ahead_leaves_only_possible_times(tmp_path: Path) -> None:
    room = Newsroom(Home(newsroom(tmp_path, source("a", "feed", url="https://a.example/"))))
    for wrong in (datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)):
        store_crawls(room, [wrong], is_dated=False)
    now = datetime(2026, 11, 12, tzinfo=UTC)
    begin_runs(room.store, [], now)
    assert {moment for times in read_times(room) for moment in times} == {now}
    room.store.close()


def test_a_crawl_by_hand_reads_sources_that_it_died_of_in_processes_of_their_own(tmp_path: Path, site: Site) -> None:
    site.answers |= {"/a": feed(1), "/b": feed(2)}
    rows = "".join(source(name, "feed", url=f"{site.base}/{name}") for name in ("a", "b"))
    home = newsroom(tmp_path, rows, site.place)
    with closing(Newsroom(Home(home)).store) as store:
        for hours in (2, 1):
            begin_runs(store, load_sources(Home(home)).sources[:1], datetime.now(UTC) - timedelta(hours=hours))
    out, errors, _ = start_crawl(home, "--json")
    reports = {row["id"]: row["failed"] for row in json.loads(out)["sources"]}
    assert reports == {"a": None, "b": None}
    assert "单独用一个进程抓" in errors
    _, errors, _ = start_crawl(home, "--json")
    assert "单独用一个进程抓" not in errors


DEADLY = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from crawler.home import Home
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import begin_runs
room = Newsroom(Home(Path(sys.argv[1])))
begin_runs(room.store, room.registry.sources, datetime.now(UTC))
os.kill(os.getpid(), 9)
"""


def test_a_source_that_dies_in_a_process_of_its_own_is_a_failure_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Newsroom(Home(newsroom(tmp_path, source("a", "feed", url="https://a.example/"))))
    (row,) = room.registry.sources
    deadly = [sys.executable, "-c", DEADLY, str(tmp_path)]
    monkeypatch.setattr(
        crawls, "begin_crawl", lambda *_, **__: subprocess.Popen(deadly, cwd=ROOT, stdout=subprocess.PIPE)
    )
    assert crawls.crawl_alone(room, row, "zh").failed == DIED
    with room.store.reading() as tx:
        (run,) = tx.runs.list_since(datetime(2026, 1, 1, tzinfo=UTC))
    assert (run.finished_at is not None, run.failure) == (True, DIED)
    room.store.close()


@pytest.mark.slow
@pytest.mark.fault("K3")
def test_two_crawls_of_one_newsroom_never_run_at_once(tmp_path: Path, site: Site) -> None:
    home = newsroom(tmp_path, source("a", "feed", url=f"{site.base}/a"), site.place)
    (home / "var").mkdir()
    with (home / "var" / "crawl.lock").open("w", encoding="utf-8") as file:
        file.write("4711 2026-11-02 08:00:00")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        process = start(home, "crawl")
        _, err = process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == 1
    assert "process 4711, since 2026-11-02 08:00:00" in err
    assert site.seen == []


@pytest.mark.slow
def test_an_interrupted_crawl_stops_soon_keeps_what_it_has_and_says_what_it_has_not(tmp_path: Path, site: Site) -> None:
    interrupted = threading.Event()

    def answer_once_interrupted(seen: Seen) -> bytes:
        interrupted.wait(MOST_SECONDS)
        return feed(int(seen.path[1:]))

    site.answers |= {f"/{number}": feed(number) for number in range(2)}
    site.answers |= {f"/{number}": answer_once_interrupted for number in range(2, 10)}
    texts = [source(f"s{number}", "feed", url=f"{site.base}/{number}") for number in range(10)]
    home = newsroom(tmp_path, "".join(texts), site.place, delay=0.2)
    process = start(home, "crawl")
    wait_until(lambda: "/2" in site.paths())
    process.send_signal(signal.SIGINT)
    interrupted.set()
    out, err = process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == 0, err
    assert len(site.paths()) <= len({"/robots.txt", "/0", "/1", "/2", "/3"}), "it asks for at most one more"
    told = json.loads(out)
    kept = [row for row in told["rows"] if row["failed"] is None]
    assert 1 <= len(kept) <= 5
    assert {row["new"] for row in kept} == {1}
    assert known_articles(home) == len(kept)


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.3, *(pytest.param(one, marks=pytest.mark.slow) for one in (0.0, 0.1, 0.2, 0.6))])
@pytest.mark.fault("S1")
def test_a_crawl_that_is_killed_loses_nothing_and_repeats_nothing(tmp_path: Path, site: Site, after: float) -> None:
    site.answers |= {
        f"/{number}": feed(*range(number * 10, number * 10 + 5), etag=f'"{number}"') for number in range(12)
    }
    texts = [source(f"s{number}", "feed", url=f"{site.base}/{number}") for number in range(12)]
    home = newsroom(tmp_path, "".join(texts), site.place, delay=0.05)
    process = start(home, "crawl")
    wait_until(lambda: "/0" in site.paths())
    time.sleep(after)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=MOST_SECONDS)
    told = run(home, "crawl")
    assert all(row["failed"] is None for row in told["rows"])
    assert known_articles(home) == 60


@pytest.mark.slow
def test_what_is_added_is_reported_target_by_target(tmp_path: Path, site: Site) -> None:
    page = (
        "<html><head><title>一个网页</title></head><body><article><p>" + "正文。" * 200 + "</p></article></body></html>"
    )
    site.answers |= {"/page": http(200, page, content_type="text/html; charset=utf-8"), "/gone": http(404, "no")}
    home = newsroom(tmp_path / "home", "", site.place)
    saved = tmp_path / "saved.html"
    saved.write_text('<link rel="canonical" href="https://blog.example/1">' + page, encoding="utf-8")
    listed = tmp_path / "list.jsonl"
    lines = [json.dumps({"url": f"https://a.example/{number}", "title": f"t{number}"}) for number in range(700)]
    listed.write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    with serving({"/": http(200, page)}) as inside:
        files = [str(saved), str(listed), str(tmp_path / "missing")]
        targets = [f"{site.base}/page", f"{site.base}/gone", *files, "http://[::1", f"{inside.base}/"]
        told = run(home, "add", *targets)
    assert [row["id"] for row in told["rows"]] == targets
    assert list(rows(told).values()) == [(1, 0, 0), (0, 0, 0), (1, 0, 0), (700, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
    assert [row["failed"] is None for row in told["rows"]] == [True, False, True, False, False, False, False]
    assert "701" in told["rows"][3]["failed"]
    assert told["rows"][6]["failed"].startswith("Refused")
    assert inside.seen == []


def test_a_process_crawls_once() -> None:
    sources = [Source(id="a", kind="feed", name="A", url="https://a.example/")]
    with crawls._once, pytest.raises(RuntimeError, match="once"):
        crawls._run_spiders(Home(Path("nowhere")), sources, {}, datetime.now(UTC), print)


def test_a_source_that_cannot_work_is_reported_with_all_its_mistakes(tmp_path: Path) -> None:
    bad = source("bad", "feed", url="nowhere", trust="high")
    registry = load_sources(Home(newsroom(tmp_path, bad + source("good", "feed", url="https://a.example/"))))
    (report,) = crawls.misconfigured(registry)
    assert report.id == "bad"
    assert report.failed
    mistakes = report.failed.detail.values["mistakes"]
    assert {mistake.values["name"] for mistake in mistakes} == {"url", "trust"}


def nested(depth: int) -> bytes:
    """A web archive of parts inside parts."""
    heads = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    return f"{heads}Content-Type: text/html\n\n<p>x</p>\n".encode()


@pytest.mark.slow
def test_a_broken_character_loses_no_feed_and_a_broken_file_no_other_target(tmp_path: Path, site: Site) -> None:
    emoji = feed(1, 2).replace("第 1 篇".encode(), b"A &#55357;&#56832; &#0;")
    body = emoji.partition(b"\r\n\r\n")[2]
    half = {"id": "\ud83d", "url": "https://t.example/3", "title": "半\ud83d", "content_text": "\0正文"}
    halves = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [half]})
    site.answers |= {"/emoji": http(200, body), "/half": http(200, halves)}
    home = newsroom(tmp_path / "home", source("emoji", "feed", url=f"{site.base}/emoji"), site.place)
    archive, listed = tmp_path / "deep.mhtml", tmp_path / "list.jsonl"
    archive.write_bytes(nested(2000))
    listed.write_text('{"url": "https://a.example/1", "title": "好"}', encoding="utf-8")
    told = run(home, "add", str(archive), f"{site.base}/emoji", f"{site.base}/half", str(listed))
    failed = {row["id"]: row["failed"] for row in told["rows"]}
    assert failed.pop(str(archive)).startswith("PageChanged")
    assert set(failed.values()) == {None}
    assert [row["new"] for row in told["rows"]] == [0, 2, 1, 1]
    crawled = run(home, "crawl")
    assert crawled["rows"][0]["failed"] is None
    assert (crawled["rows"][0]["new"], crawled["rows"][0]["seen"]) == (0, 2)
    assert any("references-left-out: count 1" in warning for warning in crawled["rows"][0]["warnings"])
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "add", "--json", str(archive), str(listed)]
    typed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert typed.returncode == 1
    assert [row["failed"] is None for row in json.loads(typed.stdout)["sources"]] == [False, True]
    assert "Traceback" not in typed.stderr
