"""A limit of processor time for code that reads documents of strangers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from crawler.errors import TooLarge


@contextmanager
def limit_processor_time(seconds: float) -> Iterator[None]:
    """Stop the code of the context after so many seconds of processor time.

    The signal interrupts Python code and regular expressions; a call into another library ends first. Only the main
    thread gets signals, so other threads have no limit.

    Args:
        seconds: of this process's own time; waiting does not count.

    Raises:
        TooLarge: the time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooLarge("too-slow-to-read", remedy="report-page", seconds=round(seconds))

    former_handler = signal.signal(signal.SIGVTALRM, stop)
    former_delay, former_interval = signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, former_delay, former_interval)
        signal.signal(signal.SIGVTALRM, former_handler)
