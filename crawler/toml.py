"""The one reader of TOML files, and the facts that it and pydantic tell of a mistake in one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from crawler.errors import Detail

# Seen 2026-11: Expected '=' after a key in a key/value pair (at line 3, column 5)
_POSITION: Final = re.compile(r"\(at line (\d+), column (\d+)\)$")
# Seen 2026-11: Cannot declare ('network',) twice (at line 3, column 9); Cannot overwrite a value (at end of document)
_TWICE: Final = ("Cannot declare ", "Cannot overwrite ")
# Seen 2026-11: Unterminated string (at end of document)
_AT_END: Final = "(at end of document)"
# Seen 2026-11: 'wechat', 'zhihu' or 'feed'
_CHOICE: Final = re.compile(r"'([^']*)'")

_KNOWN: Final = frozenset({
    "bool_type", "date_parsing", "dict_type", "extra_forbidden", "finite_number", "float_type", "greater_than",
    "greater_than_equal", "int_from_float", "int_type", "less_than", "less_than_equal", "literal_error", "missing",
    "model_type", "string_pattern_mismatch", "string_too_long", "string_too_short", "string_type", "too_long",
    "too_short", "tuple_type",
})  # fmt: skip
"""pydantic's mistakes that have a sentence of ours (docs.pydantic.dev, errors/validation_errors)."""


class TomlUnreadable(Exception):
    """A file cannot be read, or is not TOML.

    Args:
        detail: the reason, without the path.
    """

    def __init__(self, detail: Detail) -> None:
        super().__init__(str(detail))
        self.detail = detail


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
    except OSError as error:
        raise TomlUnreadable(Detail.of("unreadable-file", reason=error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        raise TomlUnreadable(Detail.of("not-utf-8", byte=error.start)) from error
    except tomllib.TOMLDecodeError as error:
        raise TomlUnreadable(describe_syntax(error)) from error


def describe_syntax(error: Exception) -> Detail:
    """The fact of an error in TOML's syntax, with the line where the parser names it.

    >>> str(describe_syntax(ValueError("Expected '=' after a key in a key/value pair (at line 3, column 5)")))
    'not-toml/line: line 3, column 5'
    >>> str(describe_syntax(ValueError("Cannot declare ('network',) twice (at line 3, column 9)")))
    'not-toml/twice/line: line 3'
    """
    message = str(error)
    match = _POSITION.search(message)
    if message.startswith(_TWICE):
        return Detail.of("not-toml/twice/line", line=match[1]) if match else Detail.of("not-toml/twice")
    if match:
        return Detail.of("not-toml/line", line=match[1], column=match[2])
    return Detail.of("not-toml/unfinished" if message.endswith(_AT_END) else "not-toml")


def describe_setting(mistake: Mapping[str, Any]) -> Detail:
    """The fact of a field that pydantic refused.

    Args:
        mistake: a row of `ValidationError.errors()`.

    Returns:
        The fact that our own check of the field tells, else pydantic's by its type.
    """
    context = mistake.get("ctx", {})
    own = getattr(context.get("error"), "detail", None)
    if isinstance(own, Detail):
        return own
    name = mistake["type"]
    if name == "literal_error":
        return Detail.of("setting/literal_error", names=_CHOICE.findall(context["expected"]))
    if name in _KNOWN:
        numbers_and_texts = {key: member for key, member in context.items() if isinstance(member, str | int | float)}
        return Detail.of(f"setting/{name}", **numbers_and_texts)
    return Detail.of("setting/other", text=mistake["msg"].removeprefix("Value error, "))
