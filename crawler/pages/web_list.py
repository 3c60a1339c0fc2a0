"""Lists without a feed: pages that repeat title, link and date, and sitemaps.

Sources: www.sitemaps.org/protocol.html; developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap;
pages of news sites, laboratories and blogs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement

from crawler.characters import mend_document
from crawler.errors import PageChanged, detail_of
from crawler.items import Ask, Page, RawItem, Reply
from crawler.markup.challenge import refuse_challenge
from crawler.markup.date_forms import find_written_date
from crawler.markup.encoding import decode_reply, unpack
from crawler.markup.html import collapse, parse, plain_text
from crawler.markup.text import absolute
from crawler.pages.site_feed import site_feed

FEWEST: Final = 3
"""Entries of a repetition; two links alike are a coincidence."""

_MOST_ENTRIES: Final = 200
_MOST_SITEMAPS: Final = 3
_DEPTH: Final = 5  # elements above a link that make its shape
_SHORTEST_TITLE: Final = 6  # characters; a Chinese title has more, and a menu's word fewer
_FAR: Final = 300  # characters of an entry beside its title; a longer one holds a whole article

# Seen 2026-11: <?xml version="1.0" encoding="UTF-8"?><rss version="2.0">
_FEED: Final = re.compile(r"\s*(?:<\?xml[^>]{0,300}>\s*)?(?:<!--.{0,2000}?-->\s*)?(?:<(?:rss|feed|rdf:RDF)\b|\{)", re.S)
# Seen 2026-11: <?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
_SITEMAP: Final = re.compile(rb"\s*(?:<\?xml[^>]{0,999}>\s*)*(?:<!--.{0,2000}?-->\s*)?<(?:urlset|sitemapindex)\b", re.S)
_BESIDE: Final = frozenset({"nav", "header", "footer", "aside", "form"})
_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5")
# Seen 2026-11: 3小时前, 昨天 08:31, 11月7日, 11-07 08:31
_SHORT_DATE: Final = re.compile(
    r"(?:\d{1,3}|[一二三四五六七八九十半几]{1,3}) ?(?:分钟|小时|天|周)之?前|(?:今天|昨天|前天)(?: ?\d{1,2}:\d\d)?"
    r"|(?<![\d-])\d{1,2}月\d{1,2}日(?: ?\d{1,2}:\d\d)?|(?<![\d.-])[01]\d-[0-3]\d(?: \d{1,2}:\d\d)?(?![\d-])"
    r"|\d{1,3} (?:minute|hour|day|week)s? ago"
)


def entries(reply: Reply) -> Page:
    """The entries of a list: of a page by its own repetition, of a sitemap, or of a feed that stands at the address.

    Returns:
        Items of kind `web`, with title, address and, where the list has it, a date. An entry of a sitemap without a
        title has an empty one: its page has to be asked for. Asks for the newest parts of a sitemap of sitemaps.

    Raises:
        PageChanged: nothing on the page repeats, so that it is no list, or no longer one.
        Blocked: a challenge stands where the list should be.
    """
    body = unpack(reply)
    if _SITEMAP.match(body):
        return _read_sitemap(body, reply)
    text = decode_reply(reply)
    if _FEED.match(text):
        return site_feed(reply)
    refuse_challenge(text, reply)
    shapes: dict[tuple[str, ...], dict[str, HtmlElement]] = defaultdict(dict)
    for link, address in _list_links(parse(text), reply.url):
        shapes[_shape_of(link)].setdefault(address, link)
    lists = [_read_list(links, reply) for links in shapes.values() if len(links) >= FEWEST]
    if not lists:
        raise PageChanged("no-list-on-page", url=reply.url, count=FEWEST)
    return Page(max(lists, key=_rate)[:_MOST_ENTRIES])


def _list_links(document: HtmlElement, base: str) -> Iterator[tuple[HtmlElement, str]]:
    """Links that may be entries, with their addresses."""
    page = base.partition("#")[0]
    for link in document.iter("a"):
        address = absolute(link.get("href") or "", base)
        if (
            address
            and address.partition("#")[0] != page
            and not any(node.tag in _BESIDE for node in link.iterancestors())
        ):
            yield link, address.partition("#")[0]


def _shape_of(link: HtmlElement) -> tuple[str, ...]:
    """The elements above a link, with the first of their classes: entries of one list have the same."""
    chain = [link, *link.iterancestors()][:_DEPTH]
    return tuple(f"{node.tag}.{next(iter((node.get('class') or '').split()), '')}" for node in chain)


def _read_list(links: dict[str, HtmlElement], reply: Reply) -> tuple[RawItem, ...]:
    """The entries of links of one shape that have a title."""
    items = []
    all_links = set(links.values())
    for address, link in links.items():
        entry = _entry_of(link, all_links)
        title = _title_of(link, entry)
        if len(title) >= _SHORTEST_TITLE:
            items.append(RawItem("web", address, title, reply.fetched_at, published=_date_of(entry, title)))
    return tuple(items)


def _entry_of(link: HtmlElement, links: set[HtmlElement]) -> HtmlElement:
    """The largest element that holds this link of the list and no other."""
    entry = link
    for node in link.iterancestors():
        if node.tag in ("body", "html") or any(inner is not link and inner in links for inner in node.iter("a")):
            break
        entry = node
    return entry


def _title_of(link: HtmlElement, entry: HtmlElement) -> str:
    """The entry's heading, else the link's text; its `title` where the text is cut."""
    text = collapse(plain_text(link))
    heading = next((node for node in entry.iter(*_HEADINGS) if plain_text(node)), None)
    title = collapse(plain_text(heading)) if heading is not None else text
    whole = collapse(link.get("title") or "")
    return whole if title.endswith(("…", "...")) and whole.startswith(title.rstrip(".…")) else title


def _date_of(entry: HtmlElement, title: str) -> str | None:
    for node in entry.iter("time"):
        if written := collapse(node.get("datetime") or plain_text(node)):
            return written
    text = collapse(plain_text(entry)).replace(title, " ", 1)
    if len(text) > _FAR:
        return None
    short = _SHORT_DATE.search(text)
    return find_written_date(text) or (short[0] if short else None)


def _rate(items: tuple[RawItem, ...]) -> float:
    """How much a repetition looks like the page's list: many long titles with dates."""
    length = sum(min(len(title), 60) for title in {item.title for item in items})
    return length * (1 + 2 * sum(item.published is not None for item in items) / max(len(items), 1))


def _read_sitemap(body: bytes, reply: Reply) -> Page:
    """The newest entries of a sitemap, or asks for the newest parts of one that is divided."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(mend_document(body).strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PageChanged("not-well-formed", url=reply.url, reason=detail_of(error)) from error
    records = [record for record in root if isinstance(record.tag, str) and _field(record, "loc")]
    if not records:
        raise PageChanged("empty-sitemap", url=reply.url)
    dated = sorted(records, key=_changed, reverse=True)
    if etree.QName(root).localname == "sitemapindex":
        host = urlsplit(reply.url).netloc
        parts = (absolute(_field(record, "loc"), reply.url) for record in dated)
        own_parts = [part for part in parts if part and urlsplit(part).netloc == host]
        return Page(asks=tuple(Ask(part, "web.list") for part in own_parts[:_MOST_SITEMAPS]))
    items = []
    for record in dated[:_MOST_ENTRIES]:
        address, title = absolute(_field(record, "loc"), reply.url), _field(record, "news/title")
        if address:
            published = _field(record, "news/publication_date") or None
            changed = _field(record, "lastmod") or None
            items.append(RawItem("web", address, title, reply.fetched_at, published=published, updated=changed))
    return Page(tuple(items))


def _changed(record: etree._Element) -> str:
    return _field(record, "news/publication_date") or _field(record, "lastmod")


def _field(record: etree._Element, path: str) -> str:
    """The text of a field, in whatever namespace."""
    return collapse(record.findtext("/".join(f"{{*}}{name}" for name in path.split("/")), ""))
