"""One at a time, across processes: an advisory lock on a file, which ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from crawler.errors import CrawlError


class Busy(CrawlError):
    """Another process does this already; the message says which, and since when. Raised by `only_one`."""


@contextmanager
def only_one(path: Path, what: str, now: datetime) -> Iterator[None]:
    """Be the only process that holds this file, while the context lasts.

    Args:
        path: made if it is not there, and left there afterwards.
        what: what is done, for the other process's message: `抓取`.
        now: aware.

    Raises:
        Busy: another process holds it.
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
