"""Building blocks of the tables that pydantic reads from TOML."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from crawler.errors import Detail
from crawler.toml import describe_setting


def as_tuple(setting: Any) -> Any:
    """Make a TOML list a tuple; leave anything else for pydantic to refuse."""
    return tuple(setting) if isinstance(setting, list) else setting


Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
"""A list of words in TOML."""


class Table(BaseModel):
    """A TOML table that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def describe_mistakes(error: ValidationError) -> tuple[Detail, ...]:
    """Every field that pydantic refused, with the reason."""
    return tuple(
        Detail.of("field", name=".".join(map(str, mistake["loc"])), reason=describe_setting(mistake))
        for mistake in error.errors()
    )
