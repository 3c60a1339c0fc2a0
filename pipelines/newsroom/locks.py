"""Lets one process at a time act: an advisory lock on a file, which ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from crawler.errors import CrawlError


class Busy(CrawlError):
    """Another process does the same already; the error names it, and since when. Raised by `only_one`."""


@contextmanager
def only_one(path: Path, code: str, now: datetime) -> Iterator[None]:
    """Lock a file for this process, while the context lasts.

    Args:
        path: of the lock file; a missing file is made, and it stays afterwards.
        code: of the activity: `crawling` or `scheduling`.
        now: aware.

    Raises:
        Busy: another process holds the lock.
    """
    with _open(path) as file:
        _lock(file, fcntl.LOCK_EX, code)
        _name_holder(file, now)
        yield


@contextmanager
def one_of_many(path: Path, code: str, now: datetime) -> Iterator[None]:
    """Lock a file for this process and others that do so with this function, while the context lasts.

    Args:
        path: of the lock file; a missing file is made, and it stays afterwards.
        code: of the activity: `crawling`.
        now: aware.

    Raises:
        Busy: a process holds the lock by `only_one`.
    """
    with _open(path) as file:
        _lock(file, fcntl.LOCK_SH, code)
        _name_holder(file, now)
        yield


@contextmanager
def take_turn(path: Path) -> Iterator[None]:
    """Lock a file for this process while the context lasts, as soon as no other process holds the lock.

    Args:
        path: of the lock file; a missing file is made, and it stays afterwards.
    """
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(file: IO[str], mode: int, code: str) -> None:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read(200).strip().partition(" ")
        raise Busy(code, process=holder[0] or "?", since=holder[2] or "?") from None


def _name_holder(file: IO[str], now: datetime) -> None:
    file.truncate(0)
    file.write(f"{os.getpid()} {now.astimezone():%Y-%m-%d %H:%M:%S}\n")
    file.flush()


def _open(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+", encoding="utf-8")
