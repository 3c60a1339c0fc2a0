"""Code that reads documents of strangers ends."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

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
    former = signal.getsignal(signal.SIGVTALRM)
    with limit_processor_time(0.2):
        time.sleep(0.4)
    assert signal.getsignal(signal.SIGVTALRM) is former
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


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
