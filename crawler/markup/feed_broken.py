"""A feed that is not well-formed, as feedparser reads it -> `Channel`. Slow, so only for feeds that lxml refuses."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import feedparser

from crawler.characters import clean
from crawler.errors import Detail, PageChanged, detail_of
from crawler.markup.entry import Channel, Entry, person
from crawler.markup.html import collapse
from crawler.markup.text import absolute, digest, has_markup, plain, plain_title

_MOST_CHARACTERS: Final = 4_000_000
"""feedparser takes up to 4 µs for a character of a hostile feed."""

_HEADERS: Final = {"content-type": "application/xml; charset=utf-8"}


def read_broken(text: str, url: str) -> Channel:
    """Read a feed that is not well-formed.

    Args:
        text: from its root element's tag on; it goes to feedparser as UTF-8 in a BytesIO, since feedparser opens what
            spells a path or an address, and guesses GBK as Big5.
        url: where it came from, the base of relative addresses.

    Raises:
        PageChanged: no entry and no channel is to be found in it, feedparser gives up, or it is too long to try.
    """
    if len(text) > _MOST_CHARACTERS:
        raise PageChanged("feed-too-long-to-mend", url=url, count=len(text))
    try:
        parsed = feedparser.parse(
            BytesIO(text.encode()), response_headers=_HEADERS, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # it raises whatever the parsers below it raise: UnicodeEncodeError, AssertionError
        raise PageChanged("feed-beyond-mending", url=url, reason=detail_of(error)) from error
    if not parsed.entries and not parsed.feed:
        reason = parsed.get("bozo_exception")
        raise PageChanged("not-a-feed", url=url, reason=detail_of(reason) if reason else Detail.of("no-entries"))
    home = absolute(_text(parsed.feed, "link"), url) or url
    return Channel(
        title=plain_title(_text(parsed.feed, "title")),
        generator=_text(parsed.feed, "generator"),
        author=person(_text(parsed.feed, "author")),
        language=_text(parsed.feed, "language"),
        entries=tuple(_entry(entry, home) for entry in parsed.entries),
    )


def _entry(entry: dict[str, Any], home: str) -> Entry:
    guid = _text(entry, "id")
    contents = [_text(content, "value") for content in _rows(entry, "content")]
    content = max(contents, key=len, default="").strip()
    description = _text(entry, "summary").strip()
    description = "" if description == content else description
    is_content = not content and has_markup(description)
    return Entry(
        links=tuple(_links(entry, guid)),
        base=home,
        guid=guid,
        title=plain_title(_text(entry, "title")),
        published=_text(entry, "published") or _text(entry, "created"),
        updated=_text(entry, "updated"),
        author=person(_text(entry, "author")),
        html=description if is_content else content if has_markup(content) else "",
        text="" if has_markup(content) else plain(content),
        summary=digest(description, is_content=is_content),
        image=next(filter(None, _images(entry)), ""),
        enclosures=tuple(_text(file, "href") for file in _rows(entry, "enclosures")),
        tags=tuple(dict.fromkeys(filter(None, (collapse(_text(tag, "term")) for tag in _rows(entry, "tags"))))),
        language=_text(entry, "language"),
    )


def _links(entry: dict[str, Any], guid: str) -> Iterator[str]:
    yield _text(entry, "feedburner_origlink")
    yield _text(entry, "link")
    if absolute(guid, ""):
        yield guid
    yield from (_text(link, "href") for link in _rows(entry, "links") if link.get("rel") != "enclosure")


def _images(entry: dict[str, Any]) -> Iterator[str]:
    for file in (*_rows(entry, "media_content"), *_rows(entry, "enclosures")):
        if (_text(file, "medium") or _text(file, "type")).startswith("image"):
            yield _text(file, "url") or _text(file, "href")
    yield from (_text(picture, "url") for picture in _rows(entry, "media_thumbnail"))
    image = dict.get(entry, "image")
    yield _text(image, "href") if isinstance(image, dict) else ""


def _rows(entry: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The rows of a list of feedparser's; an element of the feed's own may have its name, and is a text."""
    has_links = isinstance(dict.get(entry, "links"), list)
    rows = entry.get(name) if has_links else dict.get(entry, name)  # feedparser makes `enclosures` of links
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(holder: dict[str, Any], name: str) -> str:
    field = dict.get(holder, name)  # feedparser's own `get` gives `published` where there is no `updated`, and warns
    return clean(field) if isinstance(field, str) else ""
