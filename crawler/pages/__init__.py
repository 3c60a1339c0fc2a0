"""Page functions: a `Reply` in, a `Page` out. Pure: no clock, no network, no database.

A page function is the only place that knows a site. It raises `PageChanged`, `Blocked`, `Gone`
or `RateLimited` when the reply is not the page, and never returns half an item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Final

from crawler.items import Page, Reply
from crawler.kinds import KINDS

PageFunction = Callable[[Reply], Page]


class _Pages(Mapping[str, PageFunction]):
    """The page functions of the table of kinds; a module is imported when one of its functions is first used.

    A crawl of feeds needs none of the libraries that find the text of a web page, and they take long to import.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = paths
        self._functions: dict[str, PageFunction] = {}

    def __getitem__(self, name: str) -> PageFunction:
        if name not in self._functions:
            module, _, function = self._paths[name].partition(":")
            self._functions[name] = getattr(import_module(module), function)
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


PAGES: Final[Mapping[str, PageFunction]] = _Pages(
    {name: path for row in KINDS.values() for name, path in row.pages.items()}
)
"""By the name that an `Ask` and a recording give."""
