"""Lists of feeds, as other readers keep them: OPML in, rows of sources.toml out, and the other way round."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import unescape
from html.entities import html5
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from crawler.characters import clean, mend_document
from crawler.errors import Detail, SourceMisconfigured, detail_of
from crawler.home import Home
from crawler.sites import find_route
from crawler.sources.file import load_mirrors, load_sources, row_of, toml_row, with_address
from crawler.sources.schema import Source

_OPML_ROW: Final = "{urn:jianbao}source"
"""Attribute of an outline that holds our whole row as JSON; other readers pass over it (OPML 2.0, extending)."""

# fmt: off
_IMPORTED_FIELDS: Final = frozenset({
    "id", "kind", "name", "url", "schedule", "expect_per_week", "category", "trust", "enabled", "max_pages", "mirror",
    "account", "full_text", "column", "author", "query", "mode", "repos", "points", "guids",
    "ways", "list",
})
# fmt: on
"""Fields that a row inside a list may have. The other fields (`base_url`, `page_mirror`) lead requests to other hosts;
only the newsletter's own sources.toml may set them."""

Warn = Callable[[Detail], None]
"""Takes the fact of a part of a list that is left out."""


def _ignore(warning: Detail) -> None: ...


_WECHAT_MIRRORS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"/(?:feeds?|rss)/MP_WXS_\d+",  # wewe-rss, we-mp-rss
        r"//[^/]*wechat2?-?rss[^/]*/feed/",  # wechat2rss, by host
        r"/feed/(?:[0-9a-f]{40}|\d{8,12})\.(?:xml|json)$",  # wechat2rss, by path
        r"//[^/]+/wechat/(?!announce|miniprogram)",  # RSSHub
        r"//plink\.anyfeeder\.com/weixin/",
        r"//[^/]*(?:we-?mp-?rss|wewe-?rss|werss|feeddd)[^/]*/",
    )
)
"""Feed addresses that carry a WeChat account, as public mirrors and their software write them."""


def read_opml(document: bytes, warn: Warn = _ignore, drop: Warn = _ignore) -> tuple[Source, ...]:
    """Read a list of feeds, as other readers export it. Each address counts once, however deep its outline lies.

    A list that is not well-formed (a bare `&`, an entity of HTML, a quote inside a title) is read as far as it can be.

    Args:
        document: the file.
        warn: called for each field of a row that is left out, and for each row that is read otherwise than its list
            says: a feed of arXiv as kind `arxiv`.
        drop: called for each row that is left out, with its line and its address.

    Returns:
        `wechat` sources where the address is a known mirror's, `arxiv` and `github` where it is one of theirs, else
        `feed`; ids are made of titles or addresses. What `write_opml` wrote comes back as it was, without `base_url`
        and `page_mirror`.

    Raises:
        SourceMisconfigured: not OPML, or a document that declares a type, which may hold entities.
    """
    text = mend_document(document).lstrip(_BEFORE_DECLARATION)
    root = _parse_opml(text)
    sources: dict[str, Source] = {}
    ids: set[str] = set()
    read: set[str] = set()
    for outline in root.iter("outline", "OUTLINE", "Outline"):
        address = _attribute(outline, "xmlurl")
        read.add(_folded_address(address))
        source = _own_row(outline, warn) or _foreign_feed(outline, warn)
        if source and (key := source.url or source.id) not in sources:
            sources[key] = source.model_copy(update={"id": _unused(source.id, ids)})
        elif source is None and address:
            drop(Detail.of("opml-row-without-feed", name=_label(outline), address=address[:200]))
    for line, outline in _written_rows(text):
        address = _attribute(outline, "xmlurl")
        if _folded_address(address) in read:
            continue
        source = _foreign_feed(outline, warn)
        if source is None:
            drop(Detail.of("opml-row-lost", line=line, address=address[:200]))
        elif (key := source.url or source.id) not in sources:
            sources[key] = source.model_copy(update={"id": _unused(source.id, ids)})
            warn(Detail.of("opml-row-broken", line=line, address=address[:200]))
    return tuple(sources.values())


_BEFORE_DECLARATION: Final = b"\xef\xbb\xbf \t\r\n"
_AMPERSAND: Final = re.compile(rb"&(?!(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|amp|lt|gt|quot|apos);)(?:([A-Za-z]\w{1,30});)?")
_WRITTEN_ADDRESS: Final = re.compile(rb"""\bxmlurl\s*=\s*(["'])(.{1,2000}?)\1""", re.IGNORECASE)
_WRITTEN_TITLE: Final = re.compile(
    rb"""\b(?:title|text)\s*=\s*(["'])(.{1,300}?)\1(?=\s+[\w:-]+\s*=|\s*/?>)""", re.IGNORECASE
)
_LONGEST_ROW: Final = 2_000
_SCHEMELESS: Final = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?/\S*", re.IGNORECASE)


def _parse_opml(text: bytes) -> etree._Element:
    """The list's root element; of a list that is not well-formed, what can be read of it.

    Raises:
        SourceMisconfigured: not OPML, nothing in it, or a document that declares a type.
    """
    try:
        root = etree.fromstring(text, _parser(recover=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        try:
            root = etree.fromstring(_AMPERSAND.sub(_mend_ampersand, text), _parser(recover=True))
        except (etree.XMLSyntaxError, ValueError):
            root = None
        rows = () if root is None else root.iter("outline", "OUTLINE", "Outline")
        if not any(_attribute(outline, "xmlurl") for outline in rows):
            raise SourceMisconfigured("not-opml", remedy="export-again", reason=detail_of(error)) from error
    if root is None or str(root.tag).lower() != "opml":
        tag = "" if root is None else str(root.tag)
        raise SourceMisconfigured("not-opml", remedy="export-again", reason=Detail.of("xml", root=tag))
    if root.getroottree().docinfo.internalDTD is not None:
        raise SourceMisconfigured("opml-with-document-type", remedy="without-document-type")
    return root


def _parser(*, recover: bool) -> etree.XMLParser:
    """A parser that expands and fetches nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover)


def _mend_ampersand(match: re.Match[bytes]) -> bytes:
    """A reference to the character of an HTML entity; an escaped ampersand where there is no such entity."""
    character = html5.get(f"{(match[1] or b'').decode('ascii', 'ignore')};", "")
    reference = "".join(f"&#{ord(part)};" for part in character)
    return reference.encode() if reference else b"&amp;" + match[0][1:]


def _written_rows(text: bytes) -> Iterator[tuple[int, etree._Element]]:
    """Each row's address and title as the list's bytes have them, with its line: for rows that no parser reads."""
    for match in _WRITTEN_ADDRESS.finditer(text):
        start = text.rfind(b"<outline", 0, match.start())
        tag = text[max(start, 0) : match.end() + _LONGEST_ROW].partition(b"<outline")[2].partition(b"<outline")[0]
        title = _WRITTEN_TITLE.search(tag)
        outline = etree.Element("outline")
        for name, written in (("xmlUrl", match[2]), ("title", title[2] if title else b"")):
            outline.set(name, clean(unescape(written.decode("utf-8", "replace"))))
        yield text.count(b"\n", 0, match.start()) + 1, outline


def _folded_address(address: str) -> str:
    """An address for comparing what was written with what was read."""
    return unescape(address).strip()


def _attribute(outline: etree._Element, name: str) -> str:
    """An attribute, in whatever case its name is written (`xmlUrl`, `XMLURL`)."""
    texts = (text for key, text in outline.attrib.items() if str(key).lower() == name)
    return str(next(texts, "")).strip()


def _label(outline: etree._Element) -> str:
    """The title by which a message names a row."""
    return " ".join((_attribute(outline, "title") or _attribute(outline, "text") or "outline").split())[:100]


def _web_address(written: str) -> str:
    """The address of a feed, as lists write it: with `feed:` for its scheme, or without one.

    >>> [_web_address(url) for url in ("feed://a.example/rss", "feed:https://a.example/rss", "a.example/rss")]
    ['http://a.example/rss', 'https://a.example/rss', 'https://a.example/rss']
    """
    url = re.sub(r"^(?:feed|pcast|itpc|rss):(?://)?(?=https?:)", "", written, flags=re.IGNORECASE)
    url = re.sub(r"^(?:feed|pcast|itpc|rss):(?://)?", "http://", url, flags=re.IGNORECASE)
    if url.startswith("//"):
        return f"https:{url}"
    return f"https://{url}" if _SCHEMELESS.fullmatch(url) else url


def write_opml(sources: Iterable[Source]) -> bytes:
    """Write sources as OPML 2.0, for any feed reader; `read_opml` gives the same sources back."""
    root = etree.Element("opml", version="2.0", nsmap={"jianbao": "urn:jianbao"})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "jianbao"
    body = etree.SubElement(root, "body")
    for source in sources:
        outline = etree.SubElement(body, "outline", text=source.name, title=source.name)
        if source.url:
            outline.set("type", "rss")
            outline.set("xmlUrl", source.url)
        outline.set(_OPML_ROW, json.dumps(row_of(source), ensure_ascii=False, sort_keys=True))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _own_row(outline: etree._Element, warn: Warn) -> Source | None:
    """The row that an outline holds, as far as a list may say it; it may come from anybody."""
    written = outline.get(_OPML_ROW)
    if written is None:
        return None
    label = _label(outline)
    try:
        row = json.loads(written)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        warn(Detail.of("opml-row-unreadable", name=label))
        return None
    left_out = sorted(row.keys() - _IMPORTED_FIELDS)
    if left_out:
        warn(Detail.of("opml-fields-left-out", name=label, fields=left_out[:10]))
    row = {name: field for name, field in row.items() if name in _IMPORTED_FIELDS}
    if row.get("full_text") == "page" and "page_mirror" in left_out:
        del row["full_text"]  # it asked the mirror for pages, and WeChat itself was never meant
    if row.get("mirror"):
        row["url"] = _attribute(outline, "xmlurl")
    try:
        return Source.model_validate(row)
    except ValueError:
        warn(Detail.of("opml-row-unusable", name=label))
        return None


def _foreign_feed(outline: etree._Element, warn: Warn) -> Source | None:
    """The source of a row that another program wrote; None where it has no address that works."""
    url = _web_address(_attribute(outline, "xmlurl"))
    title = " ".join((_attribute(outline, "title") or _attribute(outline, "text")).split())
    name = title[:100] or _host(url) or "feed"
    row: dict[str, object] = {"id": _identifier(title, url), "kind": "feed", "name": name, "url": url}
    if any(pattern.search(url) for pattern in _WECHAT_MIRRORS):
        row["kind"] = "wechat"
    elif (route := find_route(url)) and route.row:
        del row["url"]
        row |= route.row
        warn(_tell_kind(_label(outline), route.row))
    try:
        return Source.model_validate(row)
    except ValueError:
        return None


def _tell_kind(label: str, row: Mapping[str, object]) -> Detail:
    """The fact that a row is read with the knowledge of its site."""
    if row["kind"] == "arxiv":
        return Detail.of("opml-kind-arxiv", name=label)
    if row.get("mode") == "releases":
        return Detail.of("opml-kind-releases", name=label, repository=row["repos"])
    return Detail.of("opml-kind", name=label, kind=row["kind"])


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _identifier(title: str, url: str) -> str:
    """An id out of a title, or where that has no Latin letters, out of the address.

    >>> _identifier("Hugging Face Blog", "https://huggingface.example/blog/feed.xml")
    'hugging-face-blog'
    >>> _identifier("机器之心", "https://mirror.example/feeds/MP_WXS_3073282833.json")
    'mp-wxs-3073282833'
    >>> _identifier("宝玉的分享", "https://www.blog.example/feed.xml")
    'blog-example'
    """
    if len(slug := _ascii_words(title)) >= 3:
        return slug
    try:
        parts = urlsplit(url)
    except ValueError:
        return slug or "feed"
    last = _ascii_words(parts.path.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    host = _ascii_words((parts.hostname or "feed").removeprefix("www."))
    return last if re.search(r"\d", last) else host


def _ascii_words(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:48].strip("-")


def _unused(identifier: str, used_ids: set[str]) -> str:
    """The id, with a number where it is taken; taken from now on."""
    number, candidate = 1, identifier
    while candidate in used_ids:
        number += 1
        candidate = f"{identifier}-{number}"
    used_ids.add(candidate)
    return candidate


def append_sources(home: Home, sources: Iterable[Source], warn: Warn = _ignore) -> tuple[Source, ...]:
    """Add rows at the end of sources.toml, after what stands there. A place that it has already is passed over.

    Args:
        sources: as `read_opml` gives them.
        warn: called for each row that names a mirror which leads elsewhere here; the row keeps its address instead.

    Returns:
        The sources added, under the ids that they got.

    Raises:
        SourceMisconfigured: sources.toml cannot be read; nothing is written.
    """
    registry = load_sources(home)
    wrong = [mistake for mistake in registry.mistakes if mistake.file == home.sources.name]
    if home.sources.is_file() and (unreadable := [mistake for mistake in wrong if not mistake.source]):
        raise SourceMisconfigured("unusable-file", path=home.sources.name, reason=unreadable[0].detail)
    ids = {source.id for source in registry.sources} | {mistake.source for mistake in wrong}
    locations = set(map(_locate, registry.sources))
    mirrors = load_mirrors(home)
    added: list[Source] = []
    for source in sources:
        location = _locate(source)
        if location not in locations:
            locations.add(location)
            row = _by_address(source, mirrors, warn)
            added.append(row.model_copy(update={"id": _unused(source.id, ids)}))
    if added:
        home.path.mkdir(parents=True, exist_ok=True)
        with home.sources.open("a", encoding="utf-8") as file:
            file.write("".join(f"\n{toml_row(row_of(source))}" for source in added))
    return tuple(added)


def _locate(source: Source) -> tuple[object, ...]:
    """What two rows of one place have in common: the address, or what a site is asked for, wherever it is asked."""
    if source.url or source.ways:
        return source.url, source.account if source.ways else None
    return source.kind, source.column, source.author, source.mode, source.query, source.repos


def _by_address(source: Source, mirrors: Mapping[str, str], warn: Warn) -> Source:
    """The source with its mirror, if this newsletter's mirror of that name leads to the same address; else without."""
    if source.mirror is None or with_address(source, mirrors).url == source.url:
        return source
    warn(Detail.of("opml-mirror-left-out", name=source.name, mirror=source.mirror))
    return source.model_copy(update={"mirror": None, "account": None})
