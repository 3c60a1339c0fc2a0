"""A limit of processor time for code that reads documents of strangers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from crawler.errors import TooLarge

DEADLY: Final = 6
"""So many times the limit, the process ends: a call into another library has not let the signal through."""


@contextmanager
def limit_processor_time(seconds: float) -> Iterator[None]:
    """Stop the code of the context after so many seconds of processor time.

    The signal interrupts Python code and regular expressions; a call into another library ends first. A call that
    lasts `DEADLY` times as long ends the process (SIGPROF, which no code of ours handles), since nothing else stops it
    and no other document would be read. Only the main thread gets signals, so other threads have no limit.

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
    former_end, _ = signal.setitimer(signal.ITIMER_PROF, DEADLY * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, former_end)
        signal.setitimer(signal.ITIMER_VIRTUAL, former_delay, former_interval)
        signal.signal(signal.SIGVTALRM, former_handler)
