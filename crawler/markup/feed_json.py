"""JSON Feed 1 and 1.1 (jsonfeed.org/version/1.1) -> `Channel`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from crawler.characters import clean
from crawler.errors import Detail, PageChanged, detail_of
from crawler.markup.entry import Channel, Entry
from crawler.markup.html import collapse
from crawler.markup.text import absolute, has_markup, plain, plain_title, undo_escaping

_OWN_MEMBERS: Final = frozenset({"content_html", "content_text", "date_published", "date_modified", "external_url"})
"""Members of an entry that other JSON does not have."""


def read_json(text: str, url: str) -> Channel:
    """Read a JSON Feed; a member of the wrong type counts as missing.

    Args:
        text: the whole document.
        url: where it came from.

    Raises:
        PageChanged: not JSON, or JSON that is no JSON Feed.
    """
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PageChanged("neither-feed-nor-json", url=url, reason=detail_of(error)) from None
    if not isinstance(feed, dict) or not _is_json_feed(feed):
        raise PageChanged("no-json-feed", url=url, answer=describe_answer(feed))
    if not isinstance(feed.get("items"), list):
        raise PageChanged("json-feed-without-items", url=url)
    return Channel(
        title=collapse(_text(feed, "title")),
        generator=_text(feed, "generator"),
        author=_authors(feed),
        language=_text(feed, "language"),
        entries=tuple(_entry(item if isinstance(item, dict) else {}, url) for item in feed["items"]),
    )


def _is_json_feed(feed: Mapping[str, Any]) -> bool:
    """Whether it says so, or leaves its version out and has entries that only a JSON Feed has."""
    if "jsonfeed.org/version/" in str(feed.get("version"))[:100]:
        return True
    items = feed.get("items")
    first = items[0] if isinstance(items, list) and items else None
    return not feed.get("version") and isinstance(first, dict) and "id" in first and not _OWN_MEMBERS.isdisjoint(first)


def _entry(item: Mapping[str, Any], url: str) -> Entry:
    html, text, summary = (_text(item, name) for name in ("content_html", "content_text", "summary"))
    attachments = [
        _text(attachment, "url") for attachment in _list(item, "attachments") if isinstance(attachment, dict)
    ]
    return Entry(
        links=tuple(filter(None, (_text(item, "url"), _address(_text(item, "id")), _text(item, "external_url")))),
        base=url,
        guid=_text(item, "id"),
        title=plain_title(_text(item, "title")),
        published=_text(item, "date_published"),
        updated=_text(item, "date_modified"),
        author=_authors(item),
        html=undo_escaping(html),
        text="" if html else text,
        summary=plain(summary) if has_markup(summary) else collapse(summary),
        image=_text(item, "image") or _text(item, "banner_image"),
        enclosures=tuple(filter(None, attachments)),
        related=tuple(filter(None, [_text(item, "external_url") if _text(item, "url") else ""])),
        tags=tuple(collapse(tag) for tag in _list(item, "tags") if isinstance(tag, str)),
        language=_text(item, "language"),
    )


def _address(identifier: str) -> str:
    """An id that is an address: the entry's own, where it has no `url` (JSON Feed 1.1, `id`)."""
    return identifier if absolute(identifier, "") else ""


def _authors(holder: Mapping[str, Any]) -> str:
    """Names of `authors` (1.1), else of `author` (1.0)."""
    authors = _list(holder, "authors") or [holder.get("author")]
    return ", ".join(filter(None, (collapse(_text(author, "name")) for author in authors if isinstance(author, dict))))


def _text(holder: Mapping[str, Any], name: str) -> str:
    """A string, or an integer as one (ids, epochs); else empty."""
    member = holder.get(name)
    return clean(str(member)) if isinstance(member, str | int) and not isinstance(member, bool) else ""


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    member = holder.get(name)
    return member if isinstance(member, list) else []


def describe_answer(answer: Any) -> Detail:
    """The error message in an API's JSON, else the names of its members, for a message to the editor.

    >>> str(describe_answer({"statusCode": 400, "message": "no such feed"}))
    'answer-says: message no such feed'
    """
    if not isinstance(answer, dict):
        return Detail.of("answer-is", type=type(answer).__name__)
    for name in ("message", "error", "err", "msg", "detail"):
        message = answer.get(name)
        if isinstance(message, dict):
            return describe_answer(message)
        if isinstance(message, str) and message:
            return Detail.of("answer-says", message=collapse(clean(message))[:200])
    return Detail.of("answer-has", names=tuple(map(str, answer))[:6]) if answer else Detail.of("answer-empty")
