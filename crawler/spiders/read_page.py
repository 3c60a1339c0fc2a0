"""Calls page functions so that only the crawler's errors come out of them, and only text that can be stored."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from crawler.characters import clean
from crawler.errors import CrawlError, PageChanged
from crawler.items import Link, Page, RawItem, Reply
from crawler.pages import PAGES


def read_page(name: str, reply: Reply) -> Page:
    """What a page function makes of a reply.

    Characters that no store and no terminal takes (lone surrogates, as JSON can hold them, and controls) are left out,
    with a warning for each item that had any.

    Args:
        name: of the function, as `PAGES` has it.

    Raises:
        CrawlError: the reply is not the page. What the function did not expect at all is a PageChanged too, which
            names the error and the line.
    """
    try:
        page = PAGES[name](reply)
    except CrawlError as error:
        error.detail = clean(error.detail)
        raise
    except Exception as error:
        reason = clean(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
        raise PageChanged(f"not as its page function expects: {reason} ({_line_of(error)})", url=reply.url) from error
    return _storable(page)


def _line_of(error: Exception) -> str:
    """The file and the line where an error was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _storable(page: Page) -> Page:
    items = tuple(map(_storable_item, page.items))
    damaged = [item for item, before in zip(items, page.items, strict=True) if item is not before]
    warnings = [f"characters that no text may hold are left out of {item.title[:60]!r}" for item in damaged]
    asks = tuple(ask if clean(ask.url) == ask.url else replace(ask, url=clean(ask.url)) for ask in page.asks)
    return Page(items, asks, (*map(clean, page.warnings), *warnings))


def _storable_item(item: RawItem) -> RawItem:
    """The item itself, or where it holds what cannot be stored, one without."""
    before = {field.name: getattr(item, field.name) for field in fields(item)}
    changed = {name: after for name, value in before.items() if (after := _cleaned(value)) != value}
    return replace(item, **changed) if changed else item


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    if isinstance(value, Link):
        return replace(value, url=clean(value.url), label=clean(value.label))
    if isinstance(value, Mapping):
        return {_cleaned(name): _cleaned(inner) for name, inner in value.items()}
    return value
