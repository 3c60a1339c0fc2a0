"""When a source is due, and the process that sees to it."""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import ROOT, newsroom, source
from waiting import wait_until

from crawler.errors import Detail, Failure
from crawler.home import Home
from crawler.items import Batch, SourceState
from crawler.sources.schema import Source
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.processes import DIED
from pipelines.newsroom.crawling.schedule import due_sources
from pipelines.newsroom.locks import Busy, only_one
from pipelines.newsroom.stages.run import begin_runs, end_run, ingest
from pipelines.newsroom.watching.due import FIRST_RETRY, LONGEST_SPREAD, due_at, next_due
from pipelines.store.sources import SourceRecord

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
MOMENTS = st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("schedule", "last", "due"),
    [
        ("every 6h", NOW - hours(1), NOW + hours(5)),
        ("every 6h", NOW - hours(6), NOW),
        ("every 30m", NOW, NOW + hours(0.5)),
        ("every 2d", NOW, NOW + hours(48)),
        ("every 1w", NOW, NOW + hours(168)),
        ("0 12 * * *", NOW, datetime(2026, 11, 3, 4, 0, tzinfo=UTC)),  # 16:00 in Shanghai: noon is past
        ("0 18 * * *", NOW, datetime(2026, 11, 2, 10, 0, tzinfo=UTC)),
        ("0 9 * * 1", NOW, datetime(2026, 11, 9, 1, 0, tzinfo=UTC)),  # Monday is 1
        ("0 9 * * 0", NOW, datetime(2026, 11, 8, 1, 0, tzinfo=UTC)),  # Sunday is 0, and 7
        ("0 9 * * 7", NOW, datetime(2026, 11, 8, 1, 0, tzinfo=UTC)),
        ("0 9 13 * 5", NOW, datetime(2026, 11, 6, 1, 0, tzinfo=UTC)),  # the 13th or a Friday
    ],
)
def test_a_source_is_due_by_its_schedule_in_the_newsletters_zone(schedule: str, last: datetime, due: datetime) -> None:
    assert next_due(schedule, last, NOW, SHANGHAI) == due


def test_a_source_that_never_ran_is_due_now() -> None:
    assert next_due("0 12 * * *", None, NOW, SHANGHAI) == NOW


@pytest.mark.fault("T5")
def test_a_machine_that_slept_through_three_runs_makes_one() -> None:
    slept = next_due("every 6h", NOW - hours(20), NOW, SHANGHAI)
    assert slept <= NOW
    assert next_due("every 6h", NOW, NOW, SHANGHAI) > NOW


def test_a_clock_that_was_wrong_does_not_silence_a_source() -> None:
    assert next_due("every 6h", NOW + timedelta(days=900), NOW, SHANGHAI) == NOW


@pytest.mark.fault("T5")
def test_an_hour_that_the_clock_skips_or_repeats_is_one_run() -> None:
    spring = datetime(2025, 3, 9, 0, 30, tzinfo=NEW_YORK)
    assert next_due("30 2 * * *", spring, spring, NEW_YORK).isoformat() == "2025-03-09T03:00:00-04:00"
    autumn = datetime(2025, 11, 2, 12, 0, tzinfo=NEW_YORK)
    assert next_due("30 1 * * *", autumn, autumn, NEW_YORK).isoformat() == "2025-11-03T01:30:00-05:00"


@given(MOMENTS, st.sampled_from(["every 1h", "every 45m", "0 */6 * * *", "15 3 1 * *", "*/7 8-20 * * 1-5"]))
@settings(max_examples=60, deadline=None)
def test_the_next_run_is_after_the_last_one_and_does_not_depend_on_when_one_asks(last: datetime, schedule: str) -> None:
    due = next_due(schedule, last, last, SHANGHAI)
    assert due > last
    assert next_due(schedule, last, last + timedelta(days=400), SHANGHAI) == due


# ---- failures count in


def row(schedule: str = "every 6h") -> Source:
    return Source(id="a", kind="feed", name="A", url="https://a.example/", schedule=schedule)


UNREACHABLE = Failure("FetchFailed", Detail.of("timed-out"))
GONE = Failure("FetchFailed", Detail.of("http-status", status=410))


def record(
    *,
    started: datetime,
    succeeded: datetime | None = None,
    failed: datetime | None = None,
    failures: int = 0,
    not_before: datetime | None = None,
    failure: Failure = UNREACHABLE,
) -> SourceRecord:
    return SourceRecord(
        id="a",
        kind="feed",
        name="A",
        state=SourceState(),
        not_before=not_before,
        last_started_at=started,
        last_success_at=succeeded,
        last_failure_at=failed,
        failure=failure if failures else None,
        failures_in_row=failures,
    )


@pytest.mark.fault("N5")
def test_a_failed_run_is_repeated_soon_and_then_less_and_less_soon() -> None:
    waits = [
        due_at(row("every 1d"), record(started=NOW, failed=NOW, failures=number), NOW, SHANGHAI) - NOW
        for number in (1, 2, 3, 20)
    ]
    assert waits == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY, timedelta(days=1)]


def test_a_failure_never_makes_a_source_wait_longer_than_its_schedule() -> None:
    assert due_at(row("every 5m"), record(started=NOW, failed=NOW, failures=1), NOW, SHANGHAI) == NOW + hours(1 / 12)


def test_a_run_that_never_ended_is_repeated_like_a_failed_one() -> None:
    killed = record(started=NOW, succeeded=NOW - hours(6))
    assert due_at(row(), killed, NOW, SHANGHAI) == NOW + FIRST_RETRY


def test_a_run_that_ended_well_waits_for_its_schedule() -> None:
    assert due_at(row(), record(started=NOW, succeeded=NOW), NOW, SHANGHAI) == NOW + hours(6)


def test_hosts_are_asked_at_different_moments_and_all_sources_of_one_host_at_the_same() -> None:
    rows = [
        row().model_copy(update={"id": str(number), "url": f"https://h{number % 40}.example/"}) for number in range(80)
    ]
    well = record(started=NOW, succeeded=NOW)
    delays = [due_at(source, well, NOW, SHANGHAI, "/srv/news") - NOW - hours(6) for source in rows]
    assert delays[:40] == delays[40:]
    assert len(set(delays[:40])) == 40
    assert timedelta() <= min(delays) < max(delays) < LONGEST_SPREAD
    assert [due_at(source, well, NOW, SHANGHAI, "/srv/other") - NOW - hours(6) for source in rows] != delays
    often = due_at(row("every 5m"), well, NOW, SHANGHAI, "/srv/news") - NOW
    assert timedelta(minutes=5) <= often <= timedelta(minutes=5.25)


def test_a_failed_run_is_repeated_without_a_further_delay() -> None:
    failed = record(started=NOW, failed=NOW, failures=1)
    assert due_at(row(), failed, NOW, SHANGHAI, "/srv/news") == NOW + FIRST_RETRY


def test_a_site_that_wants_to_be_left_alone_is_asked_when_it_allows() -> None:
    limited = record(started=NOW, failed=NOW, failures=1, not_before=NOW + hours(30))
    assert due_at(row(), limited, NOW, SHANGHAI) == NOW + hours(30)


@pytest.mark.fault("H9")
def test_an_address_that_is_gone_is_asked_for_less_and_less_often_up_to_once_a_week() -> None:
    waits = [
        due_at(row("every 6h"), record(started=NOW, failed=NOW, failures=number, failure=GONE), NOW, SHANGHAI) - NOW
        for number in (1, 3, 4, 5, 9, 30)
    ]
    assert waits == [hours(6), hours(6), hours(12), hours(24), hours(24 * 7), hours(24 * 7)]
    monthly = record(started=NOW, failed=NOW, failures=30, failure=GONE)
    assert due_at(row("every 4w"), monthly, NOW, SHANGHAI) == NOW + timedelta(weeks=4)


@settings(deadline=None)
@given(st.timedeltas(timedelta(days=2), timedelta(days=40_000)), st.integers(0, 9))
@pytest.mark.fault("T5")
def test_no_time_of_a_clock_that_was_ahead_outlives_its_correction(ahead: timedelta, failures: int) -> None:
    wrong = NOW + ahead
    stored = record(started=wrong, failed=wrong, failures=failures, not_before=wrong + hours(30))
    assert due_at(row(), stored, NOW, SHANGHAI) == NOW
    assert not stored.is_waiting(NOW)


def test_a_source_that_kills_its_process_is_crawled_alone_and_last(tmp_path: Path) -> None:
    texts = [source(name, "feed", url=f"https://{name}.example/") for name in ("deadly", "good", "worse")]
    room = Newsroom(Home(newsroom(tmp_path, "".join(texts))))
    deadly, good, worse = room.registry.sources
    for number in range(2):
        begin_runs(room.store, [deadly, worse], NOW + hours(number))
    later = NOW + hours(24)
    assert due_sources(room, room.registry.sources, later) == [good]
    ingest(room.store, Batch("good", finished=True), good, room.rules, later)
    assert due_sources(room, room.registry.sources, later) == [deadly]
    ingest(room.store, Batch("deadly", finished=True), deadly, room.rules, later)
    assert due_sources(room, room.registry.sources, later) == [worse]
    assert due_sources(room, room.registry.sources, later + hours(7)) == [deadly, good]
    room.store.close()


def test_a_source_whose_crawl_died_alone_is_crawled_alone_from_then_on(tmp_path: Path) -> None:
    texts = [source(name, "feed", url=f"https://{name}.example/") for name in ("deadly", "good")]
    room = Newsroom(Home(newsroom(tmp_path, "".join(texts))))
    deadly, good = room.registry.sources
    begin_runs(room.store, [deadly], NOW)
    with room.store.reading() as tx:
        (dead_run,) = tx.runs.list_since(NOW)
    end_run(room.store, dead_run, DIED, NOW)
    later = NOW + hours(24)
    assert due_sources(room, room.registry.sources, later) == [good]
    ingest(room.store, Batch("good", finished=True), good, room.rules, later)
    assert due_sources(room, room.registry.sources, later) == [deadly]
    ingest(room.store, Batch("deadly", finished=True), deadly, room.rules, later)
    assert due_sources(room, room.registry.sources, later + hours(7)) == [deadly, good]
    room.store.close()


def test_a_source_without_a_past_is_due() -> None:
    assert due_at(row(), None, NOW, SHANGHAI) == NOW


# ---- the process

SCRIPT = """
import sys
from pathlib import Path
from crawler.errors import CrawlError
from crawler.home import Home
from pipelines.newsroom.crawling.schedule import Scheduler
home, log = Path(sys.argv[1]), sys.argv[2]
command = [sys.executable, "-c", sys.argv[3], log]
try:
    Scheduler(Home(home), interval=0.1, command=command, longest=float(sys.argv[4])).run()
except CrawlError as error:
    sys.exit(f"{error}")
"""
TOUCH = "import sys; open(sys.argv[1], 'a').write('ran ')"
GREEDY = (
    "import sys, time\ntime.sleep(0.5)\n"
    "try: bytearray(4 * 1024**3)\n"
    "except MemoryError: open(sys.argv[1], 'a').write('limited ')"
)
SLOW = (
    "import signal, sys, time\n"
    "def stop(*_): open(sys.argv[1], 'a').write('stopped '); sys.exit(0)\n"
    "signal.signal(signal.SIGINT, stop); open(sys.argv[1], 'a').write('began '); time.sleep(30)"
)


@contextmanager
def scheduler(folder: Path, log: Path, child: str, longest: float = 1000) -> Iterator[subprocess.Popen[str]]:
    """A scheduler in a process of its own, which does not outlive a test that fails."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(log), child, str(longest)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(log: Path, words: str) -> None:
    wait_until(lambda: log.is_file() and words in log.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.fault("K2")
def test_what_is_due_is_run_again_and_again_by_one_scheduler_until_it_is_told_to_stop(tmp_path: Path) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/"))
    log = tmp_path / "log"
    with scheduler(tmp_path / "home", log, TOUCH) as leader:
        wait_for(log, "ran ran")
        with scheduler(tmp_path / "home", log, TOUCH) as second:
            assert second.wait(20) == 1
            assert f"process {leader.pid}" in (second.stderr.read() if second.stderr else "")
        leader.send_signal(signal.SIGTERM)
        assert leader.wait(20) == 0


PRINT_SOURCES = (
    "import sys; from crawler.home import Home; from crawler.sources.file import load_sources\n"
    "names = ','.join(row.id for row in load_sources(Home.current()).sources)\n"
    "open(sys.argv[1], 'a').write(f'<{names}> ')"
)


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["[[source", '[[source]]\nid = "a"\n'])
def test_a_registry_that_is_of_no_use_is_reported_once_and_the_last_one_serves(tmp_path: Path, broken: str) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/"))
    log = tmp_path / "log"
    with scheduler(tmp_path / "home", log, PRINT_SOURCES) as process:
        wait_for(log, "<a> ")
        (tmp_path / "home" / "sources.toml").write_text(broken, encoding="utf-8")
        former_count = log.read_text(encoding="utf-8").count("<a>")
        wait_until(lambda: log.read_text(encoding="utf-8").count("<a>") > former_count + 2)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert "<>" not in log.read_text(encoding="utf-8")
    assert errors.count("照旧按上一份抓") == 1


def test_a_registry_that_never_worked_is_reported_at_once(tmp_path: Path) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/"))
    (tmp_path / "home" / "sources.toml").write_text("[[source", encoding="utf-8")
    with scheduler(tmp_path / "home", tmp_path / "log", TOUCH) as process:
        assert process.stderr is not None
        assert "改好之前什么也不抓" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not (tmp_path / "log").exists()


@pytest.mark.slow
def test_a_crawl_without_end_is_stopped_and_the_scheduler_goes_on(tmp_path: Path) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/"))
    log = tmp_path / "log"
    with scheduler(tmp_path / "home", log, SLOW, longest=0.5) as process:
        wait_for(log, "began stopped began stopped")
        process.send_signal(signal.SIGTERM)
        _, printed = process.communicate(timeout=20)
        assert process.returncode == 0
    assert "停下它" in printed


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux limits the memory of another process")
def test_a_crawl_that_wants_all_memory_gets_an_error_instead(tmp_path: Path) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/"))
    log = tmp_path / "log"
    with scheduler(tmp_path / "home", log, GREEDY) as process:
        wait_for(log, "limited")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.slow
def test_systemd_is_told_that_the_schedule_is_ready_lives_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/", enabled=False))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, TemporaryDirectory() as short:
        address = f"{short}/notify"
        manager.bind(address)
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        with scheduler(tmp_path / "home", tmp_path / "log", TOUCH) as process:
            assert [manager.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
            process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert process.wait(60) == 0


UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_mistake_in_the_units(unit: Path, tmp_path: Path) -> None:
    for each in UNITS:  # the program is installed elsewhere than on the machine of the test
        text = each.read_text(encoding="utf-8").replace("/opt/jianbao/bin/jianbao", sys.executable)
        (tmp_path / each.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in checked.stderr.splitlines() if "jianbao" in line]
    assert complaints == [], checked.stderr


@pytest.mark.slow
def test_nothing_is_run_while_nothing_is_due(tmp_path: Path) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/", enabled=False))
    log = tmp_path / "log"
    with scheduler(tmp_path / "home", log, TOUCH) as process:
        for _ in range(600):
            if (tmp_path / "home" / "var" / "jianbao.db").is_file():
                break
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert not log.exists()


@pytest.mark.slow
def test_a_crawl_under_way_is_stopped_cleanly_before_the_scheduler_ends(tmp_path: Path) -> None:
    newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/"))
    log = tmp_path / "log"
    with scheduler(tmp_path / "home", log, SLOW) as process:
        wait_for(log, "began")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert log.read_text(encoding="utf-8") == "began stopped "


@pytest.mark.fault("K3")
def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "var" / "crawl.lock"
    with only_one(path, "crawling", NOW), pytest.raises(Busy, match="crawling"), only_one(path, "crawling", NOW):
        pytest.fail("both hold it")
    with only_one(path, "crawling", NOW):
        assert path.is_file()
