"""Calls page functions: any error becomes an error of the crawler, and the text of an item can always be stored."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from crawler.characters import clean
from crawler.errors import CrawlError, Detail, PageChanged, TooLarge, detail_of
from crawler.items import Link, Page, RawItem, Reply
from crawler.limits import limit_processor_time
from crawler.pages import PAGES

_FIELDS: Final = tuple(field.name for field in fields(RawItem))

LONGEST_READING: Final = 30.0
"""Seconds of processor time for one reply; 16 MB of a feed take three."""


def read_page(name: str, reply: Reply) -> Page:
    """Read a reply with a page function.

    Characters that no store and no terminal accepts (control characters, and lone surrogates, which JSON can hold) are
    removed, with a warning for each item that had any.

    Args:
        name: of the page function in `PAGES`.
        reply: of a site.

    Returns:
        The page that the function read, without these characters.

    Raises:
        CrawlError: the reply is not the page, or is not read in `LONGEST_READING`. An error that the function does not
            expect becomes a PageChanged, which names the error and its line.
    """
    try:
        with limit_processor_time(LONGEST_READING):
            page = PAGES[name](reply)
    except CrawlError:
        raise
    except MemoryError as error:
        raise TooLarge("too-much-memory", url=reply.url, remedy="report-page") from error
    except Exception as error:
        reason = detail_of(error)
        raise PageChanged("not-as-expected", url=reply.url, reason=reason, position=_line_of(error)) from error
    return _clean_page(page)


def is_mistake(cause: BaseException | None) -> bool:
    """Whether an error's cause is a mistake in our own code, and not a document that cannot be read."""
    return isinstance(cause, ArithmeticError | AssertionError | AttributeError | LookupError | RuntimeError | TypeError)


def _line_of(error: Exception) -> str:
    """Name the file and the line where an error was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _clean_page(page: Page) -> Page:
    items = tuple(map(_clean_item, page.items))
    cleaned = [item for item, raw_item in zip(items, page.items, strict=True) if item is not raw_item]
    warnings = [Detail.of("characters-left-out", title=item.title[:60]) for item in cleaned]
    asks = tuple(ask if clean(ask.url) == ask.url else replace(ask, url=clean(ask.url)) for ask in page.asks)
    return replace(page, items=items, asks=asks, warnings=(*page.warnings, *warnings))


def _clean_item(item: RawItem) -> RawItem:
    """Remove characters that cannot be stored; the item itself if it has none."""
    contents = {name: getattr(item, name) for name in _FIELDS}
    cleaned = {name: _clean_field(content) for name, content in contents.items() if content}
    changed = {name: content for name, content in cleaned.items() if content != contents[name]}
    return replace(item, **changed) if changed else item


def _clean_field(content: Any) -> Any:
    if isinstance(content, str):
        return clean(content)
    if isinstance(content, tuple):
        return tuple(map(_clean_field, content))
    if isinstance(content, Link):
        return replace(content, url=clean(content.url), label=clean(content.label))
    if isinstance(content, Mapping):
        return {_clean_field(name): _clean_field(inner) for name, inner in content.items()}
    return content
