"""What all tables of rules are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

NEVER: Final = re.compile(r"(?!)")
"""The pattern of an empty table."""


def as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


Patterns = Annotated[tuple[re.Pattern[str], ...], BeforeValidator(as_tuple)]


class RuleTable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def any_of(patterns: Iterable[re.Pattern[str]], *, flags: int = 0) -> re.Pattern[str]:
    """One pattern for all of a table's; each keeps its alternatives to itself."""
    sources = [f"(?:{pattern.pattern})" for pattern in patterns]
    return re.compile("|".join(sources), flags) if sources else NEVER
