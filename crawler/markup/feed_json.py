"""JSON Feed 1 and 1.1 (jsonfeed.org/version/1.1) -> `Channel`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crawler.characters import clean
from crawler.errors import Detail, PageChanged, detail_of
from crawler.markup.entry import Channel, Entry
from crawler.markup.html import collapse
from crawler.markup.text import has_markup, plain, plain_title


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
    if not isinstance(feed, dict) or "jsonfeed.org/version/" not in str(feed.get("version"))[:100]:
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


def _entry(item: Mapping[str, Any], url: str) -> Entry:
    html, text, summary = (_text(item, name) for name in ("content_html", "content_text", "summary"))
    attachments = [
        _text(attachment, "url") for attachment in _list(item, "attachments") if isinstance(attachment, dict)
    ]
    return Entry(
        links=tuple(filter(None, (_text(item, "url"), _text(item, "external_url")))),
        base=url,
        guid=_text(item, "id"),
        title=plain_title(_text(item, "title")),
        published=_text(item, "date_published"),
        updated=_text(item, "date_modified"),
        author=_authors(item),
        html=html,
        text="" if html else text,
        summary=plain(summary) if has_markup(summary) else collapse(summary),
        image=_text(item, "image") or _text(item, "banner_image"),
        enclosures=tuple(filter(None, attachments)),
        related=tuple(filter(None, [_text(item, "external_url") if _text(item, "url") else ""])),
        tags=tuple(collapse(tag) for tag in _list(item, "tags") if isinstance(tag, str)),
        language=_text(item, "language"),
    )


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
