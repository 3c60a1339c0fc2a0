"""The one reader of TOML files."""

from __future__ import annotations

import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any


class TomlUnreadable(Exception):
    """A file cannot be read, or is not TOML. The message is the reason, without the path."""


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """Read a TOML file, with or without a byte order mark.

    Raises:
        FileNotFoundError: there is no such file.
        TomlUnreadable: the file cannot be read, is not UTF-8 or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8").removeprefix("\ufeff"))
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TomlUnreadable(str(error)) from error
