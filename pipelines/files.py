"""Writes what was exported. The one module of this room that touches a disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE


def write(path: Path, text: str) -> bool:
    """Put the text into the file, wholly or not at all: whoever reads it finds the old text or the new one.

    A link is followed, a file's permissions are kept, missing folders are made.

    Returns:
        Whether the file changed: one that says this text already is not touched.

    Raises:
        OSError: the file cannot be written; the old one stands as it was.
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
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _keep_rename(path.parent)
    return True


def _keep_rename(folder: Path) -> None:
    """Have the folder's newest entry outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
