"""Writes files so that a reader never sees half of one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE


def write(path: Path, text: str) -> bool:
    """Replace a file's content in one step: a reader sees the old text or the new text, never a part.

    Follows a symbolic link, keeps the file's permissions, creates missing folders.

    Returns:
        Whether the file changed; a file that already holds this text is not touched.

    Raises:
        OSError: the file cannot be written; the old file is unchanged.
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
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    """Flush the folder's directory to the disk, so that a power cut does not undo the rename."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
