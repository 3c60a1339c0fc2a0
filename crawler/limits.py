"""A limit of processor time for code that reads documents of strangers."""

from __future__ import annotations

import signal
import threading
from functools import cache
from types import FrameType, TracebackType
from typing import Final

from crawler.errors import TooLarge

DEADLY: Final = 6
"""So many times the limit, the process ends: a call into another library has not let the signal through."""

_limits: Final[list[float]] = []
"""Seconds of the limits that hold, the outermost first."""


class limit_processor_time:  # noqa: N801 (used like a function)
    """Stop the code of a context after so many seconds of processor time.

    The signal interrupts Python code and regular expressions; a call into another library ends first. A call that
    lasts `DEADLY` times as long ends the process (SIGPROF, which no code of ours handles), since nothing else stops it
    and no other document would be read. Only the main thread gets signals, so other threads have no limit.

    Each entry of a feed has its own limit, so it has to be quick: the handler of SIGVTALRM stays when the context ends.

    Args:
        seconds: of this process's own time; waiting does not count.

    Raises:
        TooLarge: the time is over.
    """

    __slots__ = ("_former_end", "_former_timer", "_has_limit", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._has_limit = threading.current_thread() is threading.main_thread()
        if self._has_limit:
            _handle_signal()
            _limits.append(self._seconds)
            self._former_timer = signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds, self._seconds)
            self._former_end, _ = signal.setitimer(signal.ITIMER_PROF, DEADLY * self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._has_limit:
            signal.setitimer(signal.ITIMER_PROF, self._former_end)
            signal.setitimer(signal.ITIMER_VIRTUAL, *self._former_timer)
            _limits.pop()


@cache
def _handle_signal() -> None:
    signal.signal(signal.SIGVTALRM, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    if _limits:
        raise TooLarge("too-slow-to-read", remedy="report-page", seconds=round(_limits[-1]))
