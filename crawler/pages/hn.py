"""Hacker News through the search API of Algolia: stories, newest first, a slice of the list at a time.

A hit has `objectID title url author points num_comments created_at story_text _tags` and copies of them with the search
words marked, which are not read. A story without `url` is a post of its own, with `story_text`. Shape of 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from crawler.characters import clean
from crawler.errors import NotUnderstood, PageChanged, RateLimited, SourceMisconfigured
from crawler.items import Ask, Link, Page, RawItem, Reply
from crawler.markup.challenge import refuse_challenge
from crawler.markup.encoding import decode_reply
from crawler.markup.html import collapse
from crawler.markup.records import read_each
from crawler.markup.text import absolute, plain
from crawler.waiting import retry_after

_DISCUSSION: Final = "https://news.ycombinator.com/item?id="
_METRICS: Final = {"points": "points", "comments": "num_comments"}
_TAGS: Final = frozenset({"ask_hn", "show_hn"})

# Seen 2026-11: 45912345
_NUMBER: Final = re.compile(r"[0-9]{1,12}")
# Seen 2026-11: https://news.ycombinator.com/item?id=45912345
_DISCUSSED: Final = re.compile(r"https?://news\.ycombinator\.com/item\?id=[0-9]{1,12}")
# Seen 2026-11: Points: 123 # Comments: 45
_POINTS: Final = re.compile(r"Points: (\d{1,6})\s+# Comments: (\d{1,6})")


def search(reply: Reply) -> Page:
    """Read an answer of `/api/v1/search_by_date`.

    A link's item is the linked page, with the discussion as a related link and the submitter as a fact; a post without
    a link is its discussion page, and its submitter is its author.

    Returns:
        Items of kind `hn`, and the ask for the next slice of the same search.

    Raises:
        PageChanged: no list of stories.
        SourceMisconfigured: the API refuses the query.
        RateLimited: the API asks to come back later.
        Blocked: a challenge stands where the answer should be.
    """
    text = decode_reply(reply)
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        refuse_challenge(text, reply)
        raise PageChanged("not-json", url=reply.url, status=reply.status) from None
    hits = answer.get("hits") if isinstance(answer, dict) else None
    if not isinstance(hits, list):
        raise _refusal(answer, reply)
    items, warnings = read_each(hits, _story, reply)
    return Page(items, _next_slice(answer, reply), warnings)


def _story(hit: Any, reply: Reply) -> RawItem:
    """The item that a hit makes.

    Raises:
        ValueError: the hit is no story.
    """
    if not isinstance(hit, dict):
        raise NotUnderstood("odd-hit", type=type(hit).__name__)
    number, title = _line(hit, "objectID"), _line(hit, "title")
    if not _NUMBER.fullmatch(number) or not title:
        raise NotUnderstood("hit-without-title", number=number[:20])
    discussion = f"{_DISCUSSION}{number}"
    submitter = _line(hit, "author")
    linked = absolute(_line(hit, "url"), reply.url) if _line(hit, "url") else None
    tags = hit.get("_tags")
    return RawItem(
        kind="hn",
        url=linked or discussion,
        title=title,
        fetched_at=reply.fetched_at,
        published=_line(hit, "created_at") or None,
        author=None if linked else submitter or None,
        publisher="Hacker News",
        html=_text(hit, "story_text") or None,
        links=(Link("related", discussion, "Hacker News"),) if linked else (),
        ids=(f"hn:{number}",),
        tags=tuple(tag for tag in tags if tag in _TAGS) if isinstance(tags, list) else (),
        metrics={name: hit[field] for name, field in _METRICS.items() if _is_count(hit.get(field))},
        facts={"submitter": submitter} if linked and submitter else {},
    )


def story_of_entry(item: RawItem) -> RawItem | None:
    """The story that a feed's entry is, as the API would give it; None for any other entry.

    Hacker News' own feed names the discussion in `comments`, hnrss.org in `guid` too; their text is its numbers.
    """
    discussion = next(filter(_DISCUSSED.fullmatch, (item.facts.get("discussion", ""), item.guid or "", item.url)), "")
    if not discussion:
        return None
    number = discussion.rpartition("=")[2]
    is_linked = not _DISCUSSED.fullmatch(item.url)
    counts = _POINTS.search(plain(item.html or "") or item.text or item.summary or "")
    return replace(
        item,
        kind="hn",
        author=None if is_linked else item.author,
        publisher="Hacker News",
        html=None if is_linked else item.html,
        text=None if is_linked else item.text,
        summary=None if is_linked else item.summary,
        links=(Link("related", f"{_DISCUSSION}{number}", "Hacker News"),) if is_linked else (),
        guid=None,
        ids=(f"hn:{number}",),
        metrics={"points": int(counts[1]), "comments": int(counts[2])} if counts else {},
        facts={"submitter": item.author} if is_linked and item.author else {},
    )


def _next_slice(answer: Mapping[str, Any], reply: Reply) -> tuple[Ask, ...]:
    """The ask for the page after this one, as long as the answer counts more of them."""
    page, pages = answer.get("page"), answer.get("nbPages")
    if type(page) is not int or type(pages) is not int or not answer["hits"] or page + 1 >= pages:
        return ()
    parts = urlsplit(reply.url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "page"]
    return (Ask(parts._replace(query=urlencode([*query, ("page", page + 1)])).geturl(), "hn.search"),)


def _refusal(answer: Any, reply: Reply) -> Exception:
    """The error that an answer without hits stands for; Algolia says `{"message": "…", "status": 400}`."""
    message = _line(answer, "message")[:200] if isinstance(answer, dict) else ""
    code = "api-says" if message else "no-stories"
    values = {"message": message, "status": reply.status} if message else {"status": reply.status}
    if reply.status == 429:
        return RateLimited(code, retry_at=retry_after(reply.headers, reply.fetched_at), url=reply.url, **values)
    if reply.status == 400:
        return SourceMisconfigured(code, url=reply.url, remedy="correct-query", **values)
    return PageChanged(code, url=reply.url, **values)


def _text(hit: Mapping[str, Any], name: str) -> str:
    field = hit.get(name)
    return clean(field).strip() if isinstance(field, str) else ""


def _line(hit: Mapping[str, Any], name: str) -> str:
    return collapse(_text(hit, name))


def _is_count(field: Any) -> bool:
    return type(field) is int and 0 <= field < 2**53
