"""Code that reads documents of strangers ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from places import ROOT

from crawler.errors import TooLarge
from crawler.items import Page, Reply
from crawler.limits import limit_processor_time
from crawler.spiders import read_page


def loop_for_ever() -> None:
    while True:
        pass


def match_for_ever() -> None:
    re.fullmatch(r"(a+)+b", "a" * 60)


def swallow_errors() -> None:
    while True:
        with suppress(ValueError):
            loop_for_ever()


@pytest.mark.parametrize("work", [loop_for_ever, match_for_ever, swallow_errors])
@pytest.mark.fault("C5")
def test_work_without_end_is_stopped_by_name(work: Callable[[], None]) -> None:
    with pytest.raises(TooLarge), limit_processor_time(0.05):
        work()


def test_waiting_does_not_count_and_nothing_is_left_behind() -> None:
    with limit_processor_time(0.2):
        time.sleep(0.4)
    for timer in (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        assert signal.getitimer(timer) == (0.0, 0.0)


@pytest.mark.slow
@pytest.mark.fault("C5")
def test_a_call_into_a_library_that_never_ends_ends_its_process() -> None:
    work = "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"  # hours in C, where no Python code handles a signal
    code = f"import hashlib; from crawler.limits import *\nwith limit_processor_time(0.1): {work}"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False)
    assert ended.returncode == -signal.SIGPROF


def test_a_thread_without_signals_works_without_a_limit() -> None:
    finished: list[bool] = []

    def work() -> None:
        with limit_processor_time(0.01):
            finished.append(sum(range(2_000_000)) > 0)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert finished == [True]


@pytest.mark.fault("C5")
def test_a_page_function_that_never_ends_is_one_replys_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Reply) -> Page:
        loop_for_ever()
        return Page()

    monkeypatch.setattr("crawler.spiders.read_page.PAGES", {"feed": never})
    monkeypatch.setattr(read_page, "LONGEST_READING", 0.05)
    with pytest.raises(TooLarge, match="too-slow-to-read"):
        read_page.read_page("feed", Reply("https://a.example/", 200, {}, b"", datetime(2026, 1, 1, tzinfo=UTC)))
