"""What a command stored before it died is grouped by the next command, though that one finds nothing new."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from places import ROOT
from servers import Seen, http, newsroom, serving, source
from waiting import wait_until

from crawler.home import Home
from crawler.sources.file import load_sources
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.candidates import page_candidates
from pipelines.newsroom.stages.run import begin_runs
from pipelines.store.listing import CandidateQuery

pytestmark = pytest.mark.slow

FEED = (
    '<rss version="2.0"><channel><title>T</title>'
    "<item><title>低比特量化实战</title><link>https://t.example/1</link></item>"
    "<item><title>今晚吃什么</title><link>https://t.example/2</link></item></channel></rss>"
)
EMPTY = '<rss version="2.0"><channel><title>S</title></channel></rss>'
TITLES = ["今晚吃什么", "低比特量化实战"]


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """`jianbao` in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIANBAO_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "--home", str(home), *words],
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(home: Path, *words: str) -> str:
    process = start(home, *words)
    printed, log = process.communicate(timeout=110)
    assert process.returncode == 0, printed + log
    return printed


def titles(home: Path) -> list[str]:
    """Titles of the candidates, as `jianbao candidates` prints them."""
    sections: list[dict[str, Any]] = json.loads(run(home, "candidates", "--json"))["categories"]
    return sorted(candidate["title"] for section in sections for candidate in section["candidates"])


def search(home: Path, words: str) -> list[str]:
    """Titles of the candidates in which the desk's search finds the words."""
    room = Newsroom(Home(home))
    with room.store.reading() as tx:
        shown = page_candidates(tx, CandidateQuery(search=words), datetime.now(UTC))
    room.store.close()
    return [candidate.lead.article.title for candidate in shown.candidates]


@contextmanager
def counting_ungrouped(home: Path) -> Iterator[Callable[[], int]]:
    """A function that counts the articles of the store that wait to be grouped."""
    room = Newsroom(Home(home))

    def count() -> int:
        with room.store.reading() as tx:
            return len(tx.articles.list_fresh())

    with closing(room.store):
        yield count


def kill_when_stored(process: subprocess.Popen[str], home: Path) -> None:
    """Kill a command that has stored both articles and is kept from grouping them."""
    with counting_ungrouped(home) as ungrouped:
        wait_until(lambda: ungrouped() == len(TITLES) or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate(timeout=30)
        assert ungrouped() == len(TITLES)


@pytest.fixture
def interrupted(tmp_path: Path) -> Iterator[Path]:
    """A newsroom whose crawl was killed when one source was stored and another had not answered yet."""

    def once(seen: Seen) -> bytes:
        return http(304) if seen.headers.get("if-none-match") else http(200, FEED, etag='"1"')

    def never(_: Seen) -> bytes:
        time.sleep(25)
        return b""

    with serving({"/feed": once}, "127.0.7.1") as quick, serving({"/feed": never}, "127.0.7.2") as stuck:
        rows = source("quick", "feed", url=f"{quick.base}/feed") + source("stuck", "feed", url=f"{stuck.base}/feed")
        home = newsroom(tmp_path / "home", rows, quick.place, stuck.place)
        run(home, "db", "upgrade")
        kill_when_stored(start(home, "crawl"), home)
        stuck.answers["/feed"] = http(200, EMPTY)
        yield home


def test_candidates_are_there_before_the_slowest_source_has_answered(tmp_path: Path) -> None:
    answered = threading.Event()

    def late(_: Seen) -> bytes:
        answered.wait(60)
        return http(200, EMPTY)

    with serving({"/feed": http(200, FEED)}, "127.0.7.3") as quick, serving({"/feed": late}, "127.0.7.4") as stuck:
        rows = source("quick", "feed", url=f"{quick.base}/feed") + source("stuck", "feed", url=f"{stuck.base}/feed")
        home = newsroom(tmp_path / "home", rows, quick.place, stuck.place)
        run(home, "db", "upgrade")
        process = start(home, "crawl")
        try:
            with counting_ungrouped(home) as ungrouped:
                wait_until(lambda: ungrouped() == len(TITLES) or process.poll() is not None)
                wait_until(lambda: ungrouped() == 0 or process.poll() is not None)
            assert process.poll() is None, process.communicate()
            assert search(home, "量化") == ["低比特量化实战"]
        finally:
            answered.set()
            process.communicate(timeout=110)
    assert process.returncode == 0
    assert titles(home) == TITLES


@pytest.mark.fault("S1")
def test_the_next_crawl_groups_what_a_killed_crawl_stored_though_nothing_is_new(
    interrupted: Path,
) -> None:
    home = interrupted
    reports = json.loads(run(home, "crawl", "--json"))["sources"]
    assert {(report["new"], report["updated"]) for report in reports} == {(0, 0)}
    assert titles(home) == TITLES
    assert search(home, "量化") == ["低比特量化实战"]


def test_the_scheduler_groups_what_a_killed_crawl_stored_though_no_source_is_due(
    interrupted: Path,
) -> None:
    home = interrupted
    run(home, "crawl", "stuck", "--no-group")
    process = start(home, "schedule")
    try:
        with counting_ungrouped(home) as ungrouped:
            wait_until(lambda: ungrouped() == 0)
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert titles(home) == TITLES


def test_a_source_that_ends_its_process_costs_no_other_source_its_articles_and_gets_the_failure(tmp_path: Path) -> None:
    home = tmp_path / "home"
    deaths: list[str] = []

    def end_its_reader(_: Seen) -> bytes:
        """Kill the crawl that asks, as the system does where the memory is over."""
        process_id = (home / "var" / "crawl.lock").read_text(encoding="utf-8").split()[0]
        deaths.append(process_id)
        os.kill(int(process_id), signal.SIGKILL)
        return b""

    def late(_: Seen) -> bytes:
        wait_until(lambda: bool(deaths))  # not read yet when the process dies
        return http(200, FEED)

    with serving({"/feed": end_its_reader}, "127.0.7.5") as hostile, serving({"/feed": late}, "127.0.7.6") as good:
        rows = source("hostile", "feed", url=f"{hostile.base}/feed") + source("good", "feed", url=f"{good.base}/feed")
        newsroom(home, rows, hostile.place, good.place)
        run(home, "db", "upgrade")
        process = start(home, "schedule")
        try:
            wait_until(lambda: failure_of(home, "hostile") == "CrawlDied" and search(home, "量化") != [])
        finally:
            process.terminate()
            _, log = process.communicate(timeout=60)
    assert titles(home) == TITLES
    assert failure_of(home, "good") is None
    assert len(deaths) == 2
    assert "单独抓 hostile 时进程也死掉了" in log


def failure_of(home: Path, source_id: str) -> str | None:
    """The name of the failure by which the last run of a source ended; None without one."""
    room = Newsroom(Home(home))
    with closing(room.store), room.store.reading() as tx:
        record = tx.sources.list_all().get(source_id)
    return record.failure.error if record and record.failure else None


def test_no_group_leaves_articles_to_the_next_command_that_groups(interrupted: Path) -> None:
    home = interrupted
    run(home, "crawl", "--no-group")
    assert titles(home) == []
    run(home, "group")
    assert titles(home) == TITLES


def test_adding_again_groups_what_a_killed_add_stored(tmp_path: Path) -> None:
    home = newsroom(tmp_path / "home", "")
    listed = tmp_path / "list.jsonl"
    lines = ({"url": f"https://t.example/{number}", "title": title} for number, title in enumerate(TITLES))
    listed.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    pipe = tmp_path / "page.html"
    os.mkfifo(pipe)  # nobody writes: whoever reads it waits
    run(home, "db", "upgrade")
    kill_when_stored(start(home, "add", str(listed), str(pipe)), home)
    (report,) = json.loads(run(home, "add", str(listed), "--json"))["sources"]
    assert (report["new"], report["seen"]) == (0, len(TITLES))
    assert titles(home) == TITLES
    assert search(home, "量化") == ["低比特量化实战"]


def test_a_killed_crawl_takes_its_processes_of_single_sources_with_it_so_that_the_next_one_can_begin(
    tmp_path: Path,
) -> None:
    ended = threading.Event()

    def hang_once(_: Seen) -> bytes:
        if site.paths().count("/a") == 1:
            ended.wait()
        return http(200, FEED)

    with serving({"/a": hang_once, "/b": http(200, FEED)}) as site:
        rows = "".join(source(name, "feed", url=f"{site.base}/{name}") for name in ("a", "b"))
        home = newsroom(tmp_path, rows, site.place)
        with closing(Newsroom(Home(home)).store) as store:
            for hours in (2, 1):
                began_at = datetime.now(UTC) - timedelta(hours=hours)
                begin_runs(store, load_sources(Home(home)).sources, began_at)
        process = start(home, "crawl")
        wait_until(lambda: "/a" in site.paths())
        process.kill()
        process.communicate(timeout=60)
        try:
            reports = json.loads(run(home, "crawl", "--json"))["sources"]
        finally:
            ended.set()
    assert {report["id"]: report["failed"] for report in reports} == {"a": None, "b": None}
