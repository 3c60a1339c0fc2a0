"""Building blocks of the tables of rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import BeforeValidator

from pipelines.validation import as_tuple

NEVER: Final = re.compile(r"(?!)")
"""The pattern of an empty table: it matches nothing."""

Patterns = Annotated[tuple[re.Pattern[str], ...], BeforeValidator(as_tuple)]
"""A list of regular expressions in TOML."""


def join_patterns(patterns: Iterable[re.Pattern[str]], *, flags: int = 0) -> re.Pattern[str]:
    """One pattern that matches where any of the patterns matches."""
    sources = [f"(?:{pattern.pattern})" for pattern in patterns]
    return re.compile("|".join(sources), flags) if sources else NEVER
