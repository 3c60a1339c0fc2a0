"""A feed, whatever its format: a channel and its entries. `crawler.pages.feed` makes items of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crawler.markup.html import collapse

_ADDRESS: Final = re.compile(r"[^\s()<>]+@[^\s()<>]+\.[a-z]{2,}", re.IGNORECASE)
_NAMED_ADDRESS: Final = re.compile(r"[^\s()<>]+@[^\s()<>]+ \(([^()]+)\)|([^<>]+) <[^\s<>]+@[^\s<>]+>")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Fields that the feed leaves out are empty.

    Args:
        links: addresses that the entry may have, best first, as written.
        base: absolute; the base of the entry's relative addresses.
        guid: the feed's own identifier of the entry.
        title, summary: plain text.
        further_dates: of publication, as other elements have them.
        html, text: the content, in one form or the other.
        enclosures: addresses of files that come with it, as written.
        related: addresses of the works that it is about, as written.
        comments: address of its discussion, as written.
        ids: strong keys; a guid is none, since only its own feed knows it.
    """

    links: tuple[str, ...] = ()
    base: str = ""
    guid: str = ""
    title: str = ""
    published: str = ""
    further_dates: tuple[str, ...] = ()
    updated: str = ""
    author: str = ""
    html: str = ""
    text: str = ""
    summary: str = ""
    image: str = ""
    enclosures: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    comments: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A whole feed. `author` and `language` hold for entries that do not say their own.

    Args:
        is_cut_short: whether its text breaks off; the entries are those before the break.
    """

    title: str = ""
    generator: str = ""
    author: str = ""
    language: str = ""
    entries: tuple[Entry, ...] = ()
    is_cut_short: bool = False


def person(written: str) -> str:
    """The name of an author, as a feed writes it; empty where it is a mail address alone.

    >>> person("ada@example.org (Ada)"), person("ada@example.org"), person(" Ada ")
    ('Ada', '', 'Ada')
    """
    name = _NAMED_ADDRESS.sub(r"\1\2", collapse(written[:200]))
    return "" if _ADDRESS.fullmatch(name) else name
