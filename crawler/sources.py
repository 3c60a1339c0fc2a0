"""data/sources.toml -> `tuple[Source, ...]`; every mistake named with its source's id and field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from crawler.errors import SourceMisconfigured
from crawler.items import Kind

KINDS: Final[tuple[Kind, ...]] = ("wechat", "zhihu", "arxiv", "github", "feed", "web")
"""WeChat first: where two kinds share a host, the rarer one need not wait for a hundred feeds."""


def _http_url(url: str) -> str:
    if not re.match(r"https?://[^\s/]+", url):
        raise ValueError("must be an absolute http(s) URL")
    return url


def _schedule(text: str) -> str:
    if not re.fullmatch(r"every [1-9]\d*[mhdw]", text) and len(text.split()) != 5:
        raise ValueError('must be "every 6h" (m, h, d, w) or five cron fields like "0 */6 * * *"')
    return text


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class Source(BaseModel):
    """One row of sources.toml. What the fields mean stands in data/README.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Identifier
    kind: Kind
    name: str = Field(min_length=1, max_length=100)
    url: HttpUrl | None = None
    schedule: Annotated[str, AfterValidator(_schedule)] = "every 6h"
    expect_per_week: tuple[int, int] | None = None
    category: str | None = None
    trust: float = Field(default=1.0, ge=0, le=10)
    enabled: bool = True
    max_pages: int = Field(default=5, ge=1, le=100)
    # wechat
    mirror: str | None = None
    account: str | None = None
    full_text: Literal["mirror", "page"] = "mirror"
    page_mirror: str | None = None
    # zhihu
    column: str | None = None
    author: str | None = None
    # arxiv, github
    query: str | None = None
    base_url: HttpUrl | None = None
    # github
    mode: Literal["search", "releases", "trending"] | None = None
    repos: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, values: Any) -> Any:
        if isinstance(values, dict):
            return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return values
