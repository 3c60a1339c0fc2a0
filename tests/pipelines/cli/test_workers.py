"""Workers that divide the crawls of one newsroom in PostgreSQL, by the commands that people use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import psycopg
import pytest
from postgresql_server import PostgresqlServer
from processes import list_family
from rooms import A_WORKER_TAKES_THE_JOB, AN_HOUR_OF_SILENCE, Room
from servers import Seen, http, newsroom, serving, source
from waiting import wait_until

from crawler.home import DATABASE_VARIABLE, Home
from crawler.network.policy import Policy
from crawler.sources.file import load_sources
from crawler.sources.schema import HostRule, Source
from pipelines.newsroom.crawling.queue import Queue, longest_delay, name_locks
from pipelines.store import Store, Transaction
from pipelines.store.errors import LeaseLost, StoreUnreachable
from pipelines.store.queue import Lease, rescuing

NOW: Final = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)

DELAY: Final = 4.0
"""Seconds; longer than a process takes to start, which would keep two crawls apart by itself."""


def feed(name: str, count: int = 2, note: str = "") -> bytes:
    items = "".join(
        f"<item><title>{name} 的第 {number} 篇文章{note}</title><link>https://t.example/{name}/{number}</link></item>"
        for number in range(count)
    )
    document = f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'
    return http(200, document, etag=f'"{name} {len(note)}"')


ONE = source("one", "feed", url="https://one.example/feed")


A_PROCESS_WAITS_FOR_A_LOCK: Final = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def save_after(seconds: float, tx: Transaction) -> None:
    time.sleep(seconds)
    tx.hosts.save_waits({"b.example": LATER}, NOW)


class LateFeed:
    """A feed that answers, the first time, only when it may.

    Args:
        body: of its answers.
        later_body: of all answers but the first; by default the same.
    """

    def __init__(self, body: bytes, later_body: bytes = b"") -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()
        self._body = body
        self._later_body = later_body or body

    def answer(self, _: Seen) -> bytes:
        if self.asked.is_set():
            return self._later_body
        self.asked.set()
        self.let_go.wait(60)
        return self._body


@pytest.fixture
def urls(postgresql_server: PostgresqlServer) -> Iterator[list[str]]:
    """Two databases with the tables."""
    made = [postgresql_server.make_database() for _ in range(2)]
    for url in made:
        Store.open(url).close()
    yield made
    for url in made:
        postgresql_server.drop_database(url)


@pytest.mark.postgresql
def test_a_source_is_never_twice_in_the_queue(urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ONE + source("two", "feed", url="https://two.example/feed")
    room = Room(newsroom(tmp_path / "home", rows), urls[0])
    room.fill(monkeypatch, "one")
    room.fill(monkeypatch, "one", "two")
    assert [(job["source"], job["lock"]) for job in room.queue()["jobs"]] == [
        ("one", "host one.example"),
        ("two", "host two.example"),
    ]


@pytest.mark.postgresql
def test_the_job_of_a_dead_worker_is_dropped_where_its_source_is_in_the_queue_again(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.fill(monkeypatch, "one")
    room.execute(A_WORKER_TAKES_THE_JOB)
    room.fill(monkeypatch, "one")
    assert [job["worker"] is None for job in room.queue()["jobs"]] in ([True, False], [False, True])
    room.execute(AN_HOUR_OF_SILENCE)
    room.fill(monkeypatch)
    assert [(job["source"], job["worker"]) for job in room.queue()["jobs"]] == [("one", None)]


@pytest.mark.postgresql
def test_jobs_that_wait_without_a_living_worker_need_a_person(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.run("health")
    room.fill(monkeypatch, "one")
    room.run("health")
    room.execute("UPDATE procrastinate_events SET at = at - interval '1 hour'")
    assert "no-worker" in room.run("health", "--json", code=1)
    room.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert '"needs_person": false' in room.run("health", "--json")
    room.execute(AN_HOUR_OF_SILENCE)
    assert "no-worker" in room.run("health", "--json", code=1)


@pytest.mark.postgresql
def test_the_queue_is_no_foreign_table_and_goes_into_no_copy(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.fill(monkeypatch, "one")
    room.run("db", "upgrade")
    room.run("db", "check")
    room.run("db", "copy", room.url, str(tmp_path / "copy.db"))
    room.run("db", "backup", str(tmp_path / "backup.db"))
    room.run("db", "restore", str(tmp_path / "backup.db"))
    assert [job["source"] for job in room.queue()["jobs"]] == ["one"]


@pytest.mark.postgresql
def test_the_doctor_and_the_metrics_say_what_waits_and_who_works(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ONE + source("two", "feed", url="https://two.example/feed")
    room = Room(newsroom(tmp_path / "home", rows), urls[0])

    def ask_doctor() -> list[tuple[str, str]]:
        checks = json.loads(room.run("--lang", "en", "doctor", "--json"))["checks"]
        return [(check["verdict"], check["text"]) for check in checks if check["subject"] == "queue"]

    assert ask_doctor() == []
    assert "jianbao_jobs" not in room.run("health", "--metrics")
    room.fill(monkeypatch, "one", "two")
    assert ask_doctor()[0][0] == "doubtful"
    assert "no worker is there" in ask_doctor()[0][1]
    room.execute(f"{A_WORKER_TAKES_THE_JOB} WHERE lock = 'host one.example'")
    assert ask_doctor() == [("good", "jobs: 1 running, 1 waiting, 0 failed; workers: 1")]
    metrics = room.run("health", "--metrics").splitlines()
    assert {
        'jianbao_jobs{state="running"} 1',
        'jianbao_jobs{state="waiting"} 1',
        'jianbao_workers{state="alive"} 1',
    } < {*metrics}
    room.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE status = 'doing'")
    assert ask_doctor() == [("doubtful", "jobs: 0 running, 1 waiting, 1 failed; workers: 1")]
    room.execute(AN_HOUR_OF_SILENCE)
    assert 'jianbao_workers{state="silent"} 1' in room.run("health", "--metrics")


@pytest.mark.postgresql
@pytest.mark.slow
def test_a_grouping_that_failed_stays_in_the_queue_as_failed_until_the_next_one_and_at_most_for_three_days(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    monkeypatch.setenv(DATABASE_VARIABLE, room.url)
    (room.folder / "rules").mkdir()
    rules = room.folder / "rules" / "papers.toml"

    def group() -> list[tuple[str, str, int | None]]:
        Queue(Home(room.folder)).fill([], is_grouping_due=True)
        room.start("worker", "--until-empty").communicate(timeout=110)
        return [(job["task"], job["state"], job["worker"]) for job in room.queue()["jobs"]]

    for _ in range(2):
        rules.write_text("no TOML")
        assert group() == [("group", "failed", None)]
        room.fill(monkeypatch)
        assert len(room.queue()["jobs"]) == 1
    room.execute("UPDATE procrastinate_events SET at = at - interval '73 hours'")
    room.fill(monkeypatch)
    assert room.queue()["jobs"] == []
    assert group() == [("group", "failed", None)]
    rules.unlink()
    assert group() == []


def test_the_queue_needs_postgresql(tmp_path: Path) -> None:
    room = Room(newsroom(tmp_path / "home", ""), f"sqlite:///{tmp_path / 'jianbao.db'}")
    for words in (("queue",), ("worker",), ("schedule", "--queue")):
        process = room.start(*words)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "JIANBAO_DB" in log


@pytest.mark.postgresql
@pytest.mark.slow
def test_two_workers_ask_one_host_as_politely_as_one_process(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("a", "b")
    with serving({f"/{name}": feed(name) for name in names}, "127.0.8.1") as site:
        rows = "".join(source(name, "feed", url=f"{site.base}/{name}") for name in names)
        room = Room(newsroom(tmp_path / "home", rows, site.place, delay=DELAY), urls[0])
        room.fill(monkeypatch, *names)
        workers = [room.start("worker", "--until-empty") for _ in range(2)]
        for worker in workers:
            _, log = worker.communicate(timeout=110)
            assert worker.returncode == 0, log
        room.run("worker", "--until-empty")  # what a worker that found the host taken left
    asked = [seen.at for seen in site.seen]
    assert sorted(path for path in site.paths() if path != "/robots.txt") == [f"/{name}" for name in names]
    assert min(later - sooner for sooner, later in pairwise(asked)) > DELAY * 0.9
    assert len(room.contents()[1]) == 2 * len(names)
    assert room.queue()["jobs"] == []


@pytest.mark.postgresql
@pytest.mark.slow
def test_a_killed_worker_leaves_its_job_to_another_and_the_store_is_that_of_an_undisturbed_run(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = LateFeed(feed("second", 5))

    with (
        serving({"/feed": feed("first", 5)}, "127.0.8.2") as quick,
        serving({"/feed": late.answer}, "127.0.8.3") as slow,
    ):
        rows = source("first", "feed", url=f"{quick.base}/feed") + source("second", "feed", url=f"{slow.base}/feed")
        room = Room(newsroom(tmp_path / "home", rows, quick.place, slow.place), urls[0])
        room.fill(monkeypatch, "first", "second")
        killed = room.start("worker")
        wait_until(lambda: late.asked.is_set() or killed.poll() is not None)
        (doing,) = (job for job in room.queue()["jobs"] if job["worker"] is not None)
        assert doing["source"] == "second"
        assert [worker["number"] for worker in room.queue()["workers"]] == [doing["worker"]]
        killed.kill()
        killed.communicate(timeout=60)  # also the crawl has ended: it had the same stdout
        late.let_go.set()
        room.fill(monkeypatch)
        assert doing in room.queue()["jobs"]  # its worker is not silent for long enough
        room.execute(AN_HOUR_OF_SILENCE)
        room.fill(monkeypatch)
        room.run("worker", "--until-empty")
        assert room.queue() == {"jobs": [], "workers": []}
        runs = json.loads(room.run("runs", "list", "--source", "second", "--json"))["runs"]
        assert [bool(run["failure"]) for run in runs] == [False, True]  # the interrupted run is the older one
        undisturbed = Room(tmp_path / "home", urls[1])
        undisturbed.run("crawl")
    assert room.contents() == undisturbed.contents()
    assert len(room.contents()[0]) == 10


@pytest.mark.postgresql
def test_a_rebuild_is_in_the_queue_once_and_a_dead_worker_leaves_it_to_another(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    for _ in range(2):
        room.run("rebuild", "--queue")
    room.execute(A_WORKER_TAKES_THE_JOB)
    room.execute(AN_HOUR_OF_SILENCE)
    room.fill(monkeypatch)
    jobs = [(job["task"], job["lock"], job["state"], job["worker"]) for job in room.queue()["jobs"]]
    assert jobs == [("rebuild", "group", "waiting", None)]


@pytest.mark.postgresql
def test_a_living_worker_takes_the_job_of_a_dead_one_by_itself(urls: list[str], tmp_path: Path) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.run("rebuild", "--queue")
    room.execute(A_WORKER_TAKES_THE_JOB)
    room.execute(AN_HOUR_OF_SILENCE)
    worker = room.start("worker")
    try:
        wait_until(lambda: room.queue()["jobs"] == [] or worker.poll() is not None)
        assert worker.poll() is None
    finally:
        worker.terminate()
        _, log = worker.communicate(timeout=110)
    assert "Traceback" not in log


@pytest.mark.postgresql
def test_a_job_of_a_dead_worker_that_another_process_has_given_away_meanwhile_is_not_given_away_again(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.run("rebuild", "--queue")
    room.execute(A_WORKER_TAKES_THE_JOB)
    room.execute(AN_HOUR_OF_SILENCE)

    async def give_away_and_do() -> None:
        async with rescuing(room.url):
            other = asyncio.create_task(asyncio.to_thread(room.fill, monkeypatch))
            await asyncio.to_thread(wait_until, lambda: room.has_row(A_PROCESS_WAITS_FOR_A_LOCK))
            room.execute("DELETE FROM procrastinate_jobs")
        await other

    asyncio.run(give_away_and_do())
    assert room.queue()["jobs"] == []


@pytest.mark.postgresql
def test_a_worker_that_is_told_to_stop_in_a_rebuild_leaves_it_to_another(urls: list[str], tmp_path: Path) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.run("rebuild", "--queue")
    with closing(Store.open(room.url)) as store, store.transaction():  # so long it cannot end
        worker = room.start("worker")
        wait_until(lambda: [job["state"] for job in room.queue()["jobs"]] == ["running"] or worker.poll() is not None)
        worker.terminate()
        worker.communicate(timeout=110)
    assert [(job["task"], job["state"], job["lock"]) for job in room.queue()["jobs"]] == [
        ("rebuild", "waiting", "group")
    ]


@pytest.mark.postgresql
@pytest.mark.slow
def test_a_worker_rebuilds_and_groups_what_the_queue_asks_for_and_tries_again_what_failed(
    urls: list[str], tmp_path: Path
) -> None:
    with serving({"/feed": feed("only")}, "127.0.8.7") as site:
        room = Room(newsroom(tmp_path / "home", source("only", "feed", url=f"{site.base}/feed"), site.place), urls[0])
        room.run("crawl", "--no-group")
    with psycopg.connect(room.url) as connection:
        connection.execute("UPDATE articles SET title = 'no title that a rule makes'")
    (room.folder / "rules").mkdir()
    rules = room.folder / "rules" / "papers.toml"
    rules.write_text("no TOML")
    room.run("rebuild", "--queue")
    room.start("worker", "--until-empty").communicate(timeout=110)
    assert [(job["task"], job["state"], job["attempts"]) for job in room.queue()["jobs"]] == [("rebuild", "waiting", 1)]
    rules.unlink()
    room.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    room.start("worker", "--until-empty").communicate(timeout=110)
    assert room.queue()["jobs"] == []
    assert "only 的第 1 篇文章" in room.run("candidates", "--json")


@pytest.mark.postgresql
def test_a_rebuild_that_a_restart_of_the_server_ended_is_tried_again(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.run("rebuild", "--queue")
    monkeypatch.setenv(DATABASE_VARIABLE, room.url)

    def find_no_server(_lease: Lease, _url: str) -> bool:
        raise StoreUnreachable("database-says", text="connection refused")

    monkeypatch.setattr(Lease, "is_held", find_no_server)
    Queue(Home(room.folder)).work(start_failing_command, is_ending=True)
    assert [(job["state"], job["attempts"]) for job in room.queue()["jobs"]] == [("waiting", 1)]


@pytest.mark.postgresql
def test_a_job_that_fails_is_named_in_the_log_without_a_traceback(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    monkeypatch.setenv(DATABASE_VARIABLE, room.url)
    Queue(Home(room.folder)).fill((), is_grouping_due=True)
    Queue(Home(room.folder), "en").work(start_failing_command, is_ending=True)
    assert "group: the process ended with 1" in caplog.text
    assert "Job group" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.postgresql
def test_a_worker_that_cannot_help_says_so_once_and_not_each_time_it_is_asked(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    monkeypatch.setenv(DATABASE_VARIABLE, room.url)
    queue = Queue(Home(room.folder))
    started: list[Sequence[str]] = []

    def start(words: Sequence[str], _environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        started.append(words[words.index("shards") :])
        return subprocess.Popen((sys.executable, "-c", ""))

    for _ in range(2):
        queue.invite_helpers(1)
        queue.work(start, is_ending=True)
    assert started == [("shards",), ("shards", "--quiet")]


def start_failing_command(_words: Sequence[str], _environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen((sys.executable, "-c", "raise SystemExit(1)"))


@pytest.mark.postgresql
@pytest.mark.slow
def test_the_schedule_fills_the_queue_and_a_worker_groups_what_it_crawled(urls: list[str], tmp_path: Path) -> None:
    with serving({"/feed": feed("only")}, "127.0.8.4") as site:
        room = Room(newsroom(tmp_path / "home", source("only", "feed", url=f"{site.base}/feed"), site.place), urls[0])
        running = [room.start("schedule", "--queue"), room.start("worker")]
        try:
            wait_until(lambda: "only 的第 1 篇文章" in room.run("candidates", "--json"))
        finally:
            for process in running:
                process.terminate()
            logs = [process.communicate(timeout=110)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], logs
    assert site.paths().count("/feed") == 1


def test_sources_share_a_lock_where_they_share_a_host_directly_or_by_others(tmp_path: Path) -> None:
    home = newsroom(
        tmp_path / "home",
        ONE
        + source("same", "feed", url="https://one.example/other")
        + source("apart", "feed", url="https://two.example/feed")
        + source("papers", "arxiv", query="cat:cs.LG")
        + source("papers-feed", "feed", url="https://rss.arxiv.org/rss/cs.LG")
        + source("papers-web", "feed", url="https://arxiv.org/feed"),
    )
    rule = HostRule(delay=3.0, group="arxiv")
    policy = Policy(rules={"rss.arxiv.org": rule, "arxiv.org": rule})
    sources: tuple[Source, ...] = tuple(load_sources(Home(home)).sources)
    locks = name_locks(sources, policy)
    assert locks == {
        "one": "one.example",
        "same": "one.example",
        "apart": "two.example",
        "papers": "arxiv",
        "papers-feed": "arxiv",
        "papers-web": "arxiv",
    }
    assert [longest_delay(each, policy) for each in sources] == [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]


@pytest.mark.postgresql
@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_ends_its_crawl_cleanly_and_leaves_no_job_behind(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = LateFeed(feed("late"))

    with serving({"/feed": late.answer}, "127.0.8.5") as site:
        room = Room(newsroom(tmp_path / "home", source("late", "feed", url=f"{site.base}/feed"), site.place), urls[0])
        room.fill(monkeypatch, "late")
        worker = room.start("worker")
        wait_until(lambda: late.asked.is_set() or worker.poll() is not None)
        worker.terminate()
        late.let_go.set()
        _, log = worker.communicate(timeout=110)
    assert worker.returncode == 0, log
    assert room.queue() == {"jobs": [], "workers": []}
    (run,) = json.loads(room.run("runs", "list", "--json"))["runs"]
    assert run["finished_at"]


@pytest.mark.postgresql
@pytest.mark.slow
def test_a_worker_whose_server_was_restarted_in_the_middle_of_a_crawl_ends_it_and_goes_on(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_server: PostgresqlServer
) -> None:
    late = LateFeed(feed("late"))

    with serving({"/late": late.answer, "/next": feed("next")}, "127.0.8.6") as site:
        rows = "".join(source(name, "feed", url=f"{site.base}/{name}") for name in ("late", "next"))
        room = Room(newsroom(tmp_path / "home", rows, site.place), urls[0])
        room.fill(monkeypatch, "late", "next")
        worker = room.start("worker")
        try:
            wait_until(lambda: late.asked.is_set() or worker.poll() is not None)
            postgresql_server.end_connections(room.url)
            late.let_go.set()
            wait_until(lambda: worker.poll() is not None or room.queue()["jobs"] == [])
            assert worker.poll() is None
        finally:
            worker.terminate()
            _, log = worker.communicate(timeout=110)
    assert len(room.contents()[1]) == 4
    assert "Traceback" not in log


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.fault("K6")
@pytest.mark.parametrize("is_whole_machine", [False, True], ids=["the worker alone", "its crawl too"])
def test_a_worker_that_was_stopped_until_another_did_its_job_writes_nothing_over_it_and_works_on(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_whole_machine: bool
) -> None:
    late = LateFeed(feed("late", note="（旧）"), feed("late", note="（新）"))
    with serving({"/late": late.answer, "/next": feed("next")}, "127.0.8.7") as site:
        rows = "".join(source(name, "feed", url=f"{site.base}/{name}") for name in ("late", "next"))
        room = Room(newsroom(tmp_path / "home", rows, site.place), urls[0])
        room.fill(monkeypatch, "late")
        stopped = room.start("worker")
        wait_until(lambda: late.asked.is_set() or stopped.poll() is not None)
        family = list_family(stopped.pid)
        assert len(family) > 2, "the worker, what it copies, and the crawl"
        for process in family if is_whole_machine else family[:1]:
            os.kill(process, signal.SIGSTOP)
        room.execute(AN_HOUR_OF_SILENCE)
        room.fill(monkeypatch)
        room.run("worker", "--until-empty")
        successors = room.contents()
        late.let_go.set()
        for process in reversed(family):
            with suppress(ProcessLookupError):  # its crawl, stopped alone or not, may have noticed
                os.kill(process, signal.SIGCONT)
        room.fill(monkeypatch, "next")
        try:
            wait_until(lambda: room.queue()["jobs"] == [] or stopped.poll() is not None)
            assert stopped.poll() is None
        finally:
            stopped.terminate()
            _, log = stopped.communicate(timeout=110)
    assert stopped.returncode == 0, log
    assert "Traceback" not in log
    later = room.contents()
    assert [title for _, title in successors[1]] == ["late 的第 0 篇文章（新）", "late 的第 1 篇文章（新）"]
    assert successors[2] == [("late", '"late 3"')]
    assert [
        [row for row in after if row not in before] for before, after in zip(successors[1:], later[1:], strict=True)
    ] == [
        [(f"https://t.example/next/{number}", f"next 的第 {number} 篇文章") for number in range(2)],
        [("next", '"next 0"')],
    ]
    assert all(set(before) < set(after) for before, after in zip(successors, later, strict=True))
    runs = json.loads(room.run("runs", "list", "--source", "late", "--json"))["runs"]
    assert [bool(run["failure"]) for run in runs] == [False, True]  # the stopped one's is the older one


@pytest.mark.postgresql
def test_a_transaction_of_a_job_waits_for_no_process_that_is_silent_in_it_and_gives_way_to_no_other_worker(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(newsroom(tmp_path / "home", ONE), urls[0])
    room.fill(monkeypatch, "one")
    room.execute(A_WORKER_TAKES_THE_JOB)
    (job,) = room.queue()["jobs"]
    monkeypatch.setattr("pipelines.store.queue.SILENCE", 1.0)
    with closing(Store.open(room.url, lease=Lease(job["number"], job["worker"]))) as store:
        with store.transaction() as tx:
            tx.hosts.save_waits({"a.example": LATER}, NOW)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                room.execute("SET lock_timeout = 200; DELETE FROM procrastinate_jobs")
        with pytest.raises(StoreUnreachable), store.transaction() as tx:
            save_after(2, tx)
        room.execute(AN_HOUR_OF_SILENCE)
        room.fill(monkeypatch)
        with pytest.raises(LeaseLost), store.transaction() as tx:
            tx.hosts.save_waits({"c.example": LATER}, NOW)
        with store.reading() as tx:
            assert list(tx.hosts.list_waits(NOW)) == ["a.example"]
