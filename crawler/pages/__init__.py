"""Page functions: a `Reply` in, a `Page` out. Pure: no clock, no network, no database.

A page function is the only place that knows a site. It raises `PageChanged`, `Blocked`, `Gone`
or `RateLimited` when the reply is not the page, and never returns half an item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from crawler.items import Page, Reply
from crawler.kinds import KINDS

PageFunction = Callable[[Reply], Page]


def _load(path: str) -> PageFunction:
    module, _, name = path.partition(":")
    function: PageFunction = getattr(import_module(module), name)
    return function


PAGES: Final[Mapping[str, PageFunction]] = {
    name: _load(path) for row in KINDS.values() for name, path in row.pages.items()
}
"""By the name that an `Ask` and a recording give."""
