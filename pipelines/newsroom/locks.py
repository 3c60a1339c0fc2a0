"""Lets one process at a time do a thing: an advisory lock on a file, which ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from crawler.errors import CrawlError


class Busy(CrawlError):
    """Another process does the same already; the message names it, and since when. Raised by `only_one`."""


@contextmanager
def only_one(path: Path, what: str, now: datetime) -> Iterator[None]:
    """Lock a file for this process, while the context lasts.

    Args:
        path: of the lock file; a missing file is made, and it stays afterwards.
        what: the activity, for the message of another process: `抓取`.
        now: aware.

    Raises:
        Busy: another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(f"已有一个进程在{what}：{file.read(200).strip() or '不知是哪一个'}") from None
        file.truncate(0)
        file.write(f"进程 {os.getpid()}，{now.astimezone():%Y-%m-%d %H:%M:%S} 起\n")
        file.flush()
        yield
