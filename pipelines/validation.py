"""Building blocks of the tables that pydantic reads from TOML."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError


def as_tuple(setting: Any) -> Any:
    """Make a TOML list a tuple; leave anything else for pydantic to refuse."""
    return tuple(setting) if isinstance(setting, list) else setting


Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
"""A list of words in TOML."""


class Table(BaseModel):
    """A TOML table that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def describe_mistakes(error: ValidationError) -> str:
    """Every field that pydantic refused, with the reason: `categories.0.quota: Input should be …; …`."""
    return "; ".join(f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors())
