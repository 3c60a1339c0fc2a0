"""Writes files so that a reader never sees half of one."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE
from typing import Final

# A file that a process died writing: .0123456789abcdef.part, .jianbao.db.k3j_x9ab.part
_LEFTOVER: Final = re.compile(r"\.(?:[0-9a-f]{16}|.{1,200}\.[a-z0-9_]{8})\.part")

_LONGEST_WRITE: Final = 3600.0
"""Seconds; nobody writes a file for so long, so an older one was left behind."""


def write(path: Path, text: str) -> bool:
    """Replace a file's content in one step: a reader sees the old text or the new text, never a part.

    Follows a symbolic link, keeps the file's permissions, creates missing folders.

    Returns:
        Whether the file changed; a file that already holds this text is not touched.

    Raises:
        OSError: the file cannot be written; it is named, and the old file is unchanged.
    """
    path, data = path.resolve(), text.encode()
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # a write to an open file, on a full disk, names no file
            error.filename = str(path)
        raise
    _sync_folder(path.parent)
    remove_leftovers(path.parent)
    return True


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove files that killed processes began and never finished.

    Args:
        folder: in which jianbao writes files; a missing folder has none.

    Returns:
        The removed files.
    """
    removed = []
    oldest = time.time() - _LONGEST_WRITE
    with suppress(OSError):  # a folder that cannot be read or changed is no reason to stop
        for path in folder.iterdir():
            if _LEFTOVER.fullmatch(path.name) and path.is_file() and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
                removed.append(path)
    return removed


def _sync_folder(folder: Path) -> None:
    """Flush the folder's directory to the disk, so that a power cut does not undo the rename."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def find_free_path(path: Path) -> Path:
    """Find a path that no file has: the given one, else the first with a number behind it."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in count(1))
    return next(free for free in chain([path], numbered) if not free.exists())
