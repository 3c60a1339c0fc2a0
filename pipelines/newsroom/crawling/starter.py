"""Ends a process with the one that started it, however that one ended: no orphan crawls on and holds the lock."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

STARTER_VARIABLE: Final = "JIANBAO_STARTER"
"""Names the file descriptor that becomes readable at the end of the process that started this one."""


@contextmanager
def ending_with_us() -> Iterator[int]:
    """Make a file descriptor for a process that should end with this one, at the latest at the end of the context.

    Yields:
        The descriptor that the process has to inherit. Only this process has the other end of the pipe, and the system
        closes it whatever this process dies of.
    """
    reader, writer = os.pipe()
    try:
        yield reader
    finally:
        os.close(writer)
        os.close(reader)


def end_with_starter() -> None:
    """End this process at once when the process that started it ends, if that one asked for it."""
    starter = os.environ.pop(STARTER_VARIABLE, "")
    if not starter:
        return

    def watch() -> NoReturn:
        select.select([int(starter)], [], [])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
