"""Feeds: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, JSON Feed 1 and 1.1, and broken ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlsplit

from crawler.characters import clean, mend_references
from crawler.errors import Detail, FetchFailed, NotUnderstood, PageChanged
from crawler.items import Link, Page, RawItem, Reply
from crawler.markup.challenge import refuse_challenge
from crawler.markup.encoding import decode_reply
from crawler.markup.entry import Channel, Entry
from crawler.markup.feed_broken import read_broken
from crawler.markup.feed_json import read_json
from crawler.markup.feed_xml import read_xml
from crawler.markup.html import collapse
from crawler.markup.records import read_each
from crawler.markup.text import absolute, plain

_FEED_ROOTS: Final = frozenset({"rss", "rdf", "feed", "channel", "item", "entry"})
_PAGE_ROOTS: Final = frozenset({"html", "head", "body", "title", "meta", "script", "style", "div", "p", "center", "h1"})
# Seen 2026-11: rdf:RDF
_TAG_NAME: Final = re.compile(r"(?:[a-z_][\w.-]{0,50}:)?([a-z_][\w.-]{0,50})", re.IGNORECASE)
# Seen 2026-11: <!DOCTYPE rss [<!ENTITY a "b">]>
_RISKY_PROLOG: Final = re.compile(
    r"<!ENTITY|<!DOCTYPE[^<>]*(?:\[|\sSYSTEM\s+(?![\"'](?:https?://[\w./-]+/)?[\w.-]+\.dtd[\"']))", re.IGNORECASE
)
"""A document type with declarations, or one whose name is no DTD; RSS 0.91 names its own, which nobody fetches."""
# Seen 2026-11: <rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">
_FEED_TAG: Final = re.compile(r"<(?:rss|feed|rdf:RDF)\s[^<>]*(?:version|xmlns)[^<>]*>")
# Seen 2026-11: </rdf:RDF>
_END_OF_FEED: Final = re.compile(
    r"</(?:[\w.-]{1,50}:)?(?:rss|rdf|feed|channel)\s*>|<(?:rss|feed)[^<>]*/>", re.IGNORECASE
)
# Seen 2026-11: </atom:entry>
_END_OF_ENTRY: Final = re.compile(r"</(?:[\w.-]{1,50}:)?(?:item|entry)\s*>", re.IGNORECASE)
_GARBAGE: Final = 10_000  # characters of warnings or a page's frame that a server may print before its feed

# Seen 2026-11: <title>Log in - Example
_PAGE_TITLE: Final = re.compile(r"<title[^<>]*>([^<]{1,100})", re.IGNORECASE)
# Seen 2026-11: <link rel="alternate" type="application/rss+xml" href="/feed.xml">
_LINK_TAG: Final = re.compile(r"<link\s[^<>]{1,1000}>", re.IGNORECASE)
# Seen 2026-11: <link rel="alternate" type="application/rss+xml" href="/feed.xml">
_HREF: Final = re.compile(r"\shref\s*=\s*[\"']?([^\"'\s<>]{1,500})", re.IGNORECASE)
# Seen 2026-11: <link rel="alternate" type="application/atom+xml" href="/atom.xml">
_FEED_TYPE: Final = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json)", re.IGNORECASE)

_LONGEST_GUID: Final = 2_000  # characters
_TITLE_FROM_TEXT: Final = 60  # characters


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that was read, for page functions that know more of where it comes from.

    Args:
        title: the feed's own.
        generator: name of the program that made the feed.
        items: of kind `feed`.
        warnings: a fact for each entry that says nothing.
        is_cut_short: whether the feed breaks off; the items are those before the break.
    """

    title: str
    generator: str
    items: tuple[RawItem, ...]
    warnings: tuple[Detail, ...]
    is_cut_short: bool = False


def feed(reply: Reply) -> Page:
    """The entries of a feed.

    An entry's URL is its link, else a guid that is an address, else a file that comes with it, else the feed's own
    address with the guid as its query, which no other entry shares. Its title is its own, else the first words of
    its summary or content. An entry that says nothing at all is a warning. Entries alike in every word are given once.

    Returns:
        Items of kind `feed`; no asks. A feed without entries is an empty page.

    Raises:
        PageChanged: not a feed, or one with a document type of its own (XML bombs have one).
        FetchFailed: the feed breaks off before its first entry ends.
        Blocked: a challenge stands where the feed should be.
    """
    read = read_feed(reply)
    return Page(items=read.items, warnings=read.warnings, is_cut_short=read.is_cut_short)


def read_feed(reply: Reply) -> Feed:
    """As `feed`, with the feed's title and generator."""
    text, removed = mend_references(clean(decode_reply(reply)))
    whole_feed = feed_of(_channel(text.strip(), reply), reply)
    if not removed:
        return whole_feed
    warning = Detail.of("references-left-out", count=removed)
    return replace(whole_feed, warnings=(*whole_feed.warnings, warning))


def feed_of(channel: Channel, reply: Reply) -> Feed:
    """The items that a channel's entries make, as `feed` says."""
    items, warnings = read_each(enumerate(channel.entries, 1), partial(_item, channel), reply)
    return Feed(channel.title, channel.generator, tuple(_without_repeats(items)), warnings, channel.is_cut_short)


def _channel(text: str, reply: Reply) -> Channel:
    if not text:
        raise PageChanged("empty-feed", url=reply.url)
    if text[0] in "{[":
        return read_json(text, reply.url)
    start, name = _root(text, reply)
    if name not in _FEED_ROOTS:
        raise _no_feed(text, name, reply)
    body = text[start:]
    if channel := read_xml(body, reply.url):
        return channel
    if _END_OF_FEED.search(body) or name in ("item", "entry"):
        return read_broken(body, reply.url)
    return _read_cut_short(body, reply)


def _read_cut_short(body: str, reply: Reply) -> Channel:
    """Read the entries of a feed that are complete, where the feed breaks off.

    Raises:
        FetchFailed: no entry is complete.
    """
    ends = [match.end() for match in _END_OF_ENTRY.finditer(body)]
    if not ends:
        raise FetchFailed("cut-short", url=reply.url)
    return replace(read_broken(body[: ends[-1]], reply.url), is_cut_short=True)


def _root(text: str, reply: Reply) -> tuple[int, str]:
    """Where the root element begins, and its local name in lower case.

    Text that a server printed before its feed is passed over, and so is the prolog with its document type: parsers get
    nothing that they could expand or fetch.

    Raises:
        PageChanged: the document type has declarations of its own, or names something that is no DTD.
    """
    position, start, name = 0, 0, ""
    while not name and (start := text.find("<", position)) >= 0:
        if tag := _TAG_NAME.match(text, start + 1):
            name = tag[1].lower()
        else:
            close = "-->" if text.startswith("<!--", start) else ">"
            end = text.find(close, start)
            position = end + len(close) if end >= 0 else len(text)
    if name not in _FEED_ROOTS and (late := _FEED_TAG.search(text, 0, _GARBAGE)):
        start, name = late.start(), "feed"
    if name in _FEED_ROOTS and _RISKY_PROLOG.search(text, 0, start):
        raise PageChanged("feed-with-document-type", url=reply.url)
    return start, name


def _no_feed(text: str, root: str, reply: Reply) -> PageChanged:
    """The error for a reply that is no feed.

    Raises:
        Blocked: a challenge stands there.
    """
    refuse_challenge(text, reply)
    if root in _PAGE_ROOTS:
        feeds = list(dict.fromkeys(_advertised(text, reply.url)))[:3]
        remedy = Detail.of("use-named-feed", addresses=feeds) if feeds else ""
        title = _PAGE_TITLE.search(text)
        if title is None:
            return PageChanged("page-for-feed", url=reply.url, remedy=remedy, status=reply.status)
        name = collapse(title[1])
        return PageChanged("page-for-feed/titled", url=reply.url, remedy=remedy, status=reply.status, title=name)
    if root:
        return PageChanged("xml-for-feed", url=reply.url, root=root, status=reply.status)
    return PageChanged("text-for-feed", url=reply.url, status=reply.status, text=collapse(text[:200])[:60])


def _advertised(text: str, url: str) -> Iterator[str]:
    """Addresses of feeds that an HTML page names in its head."""
    for link in _LINK_TAG.findall(text[:200_000]):
        href = _HREF.search(link) if _FEED_TYPE.search(link) else None
        if href and (address := absolute(href[1], url)):
            yield address


def _item(channel: Channel, numbered: tuple[int, Entry], reply: Reply) -> RawItem:
    """The item that an entry makes.

    Raises:
        ValueError: the entry has neither link, title nor text.
    """
    number, entry = numbered
    title = entry.title or _first_words(entry.summary or entry.text or plain(entry.html[:2000])) or entry.guid
    url = _url(entry, title, reply)
    if not url:
        raise NotUnderstood("empty-entry", number=number)
    return RawItem(
        kind="feed",
        url=url,
        title=title or url,
        fetched_at=reply.fetched_at,
        published=entry.published or None,
        updated=entry.updated or None,
        further_dates=entry.further_dates,
        author=entry.author or channel.author or None,
        publisher=channel.title or None,
        html=_unless_title(entry.html, title),
        text=_unless_title(entry.text, title),
        summary=entry.summary if entry.summary not in {"", title} else None,
        image=absolute(entry.image, entry.base),
        links=tuple(Link("related", related) for related in _absolute_all(entry.related, entry.base) if related != url),
        guid=entry.guid[:_LONGEST_GUID] or None,
        ids=entry.ids,
        facts=_discussion(entry, url),
        tags=entry.tags,
        language=entry.language or channel.language or None,
    )


def _url(entry: Entry, title: str, reply: Reply) -> str:
    """The entry's address, as `feed` says; empty where nothing tells it from other entries."""
    if address := next(_absolute_all((*entry.links, *entry.enclosures), entry.base), ""):
        return address
    identity = entry.guid or (title and sha256(f"{title}\n{entry.published}".encode()).hexdigest()[:16])
    parts = urlsplit(reply.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}?guid={quote(identity[:200], safe='')}" if identity else ""


def _discussion(entry: Entry, url: str) -> dict[str, str]:
    """Where an entry is discussed, if on another site than its own: aggregators link both."""
    address = absolute(entry.comments, entry.base) if entry.comments else None
    return {"discussion": address} if address and urlsplit(address).netloc != urlsplit(url).netloc else {}


def _absolute_all(urls: tuple[str, ...], base: str) -> Iterator[str]:
    return filter(None, (absolute(url, base) for url in urls))


def _first_words(text: str) -> str:
    """The beginning of a text, for want of a title; cut at a space where there is one."""
    if len(text) <= _TITLE_FROM_TEXT:
        return text
    head, space, _ = text[:_TITLE_FROM_TEXT].rpartition(" ")
    return f"{head if space and len(head) > _TITLE_FROM_TEXT // 2 else text[:_TITLE_FROM_TEXT]}…"


def _unless_title(text: str, title: str) -> str | None:
    """The text, unless it only repeats the title: mirrors without a text do so."""
    if len(text) < 4 * len(title) + 100 and plain(text) == title:
        return None
    return text or None


def _without_repeats(items: tuple[RawItem, ...]) -> Iterator[RawItem]:
    contents = set()
    for item in items:
        content = (item.url, item.title, item.published, item.updated, item.html, item.text, item.summary)
        if content not in contents:
            contents.add(content)
            yield item
