"""Lists of feeds, as other readers keep them: OPML in, rows of sources.toml out, and the other way round."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from crawler.characters import mend_document
from crawler.errors import Detail, SourceMisconfigured, detail_of
from crawler.home import Home
from crawler.sources.file import load_mirrors, load_sources, row_of, toml_row, with_address
from crawler.sources.schema import Source

_OPML_ROW: Final = "{urn:jianbao}source"
"""Attribute of an outline that holds our whole row as JSON; other readers pass over it (OPML 2.0, extending)."""

# fmt: off
_IMPORTED_FIELDS: Final = frozenset({
    "id", "kind", "name", "url", "schedule", "expect_per_week", "category", "trust", "enabled", "max_pages", "mirror",
    "account", "full_text", "column", "author", "query", "mode", "repos", "points", "guids",
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


def read_opml(document: bytes, warn: Warn = _ignore) -> tuple[Source, ...]:
    """Read a list of feeds, as other readers export it. Each address counts once, however deep its outline lies.

    Args:
        warn: called for each field of a row that is left out, and for each row that cannot work.

    Returns:
        `wechat` sources where the address is a known mirror's, else `feed`; ids are made of titles or addresses. What
        `write_opml` wrote comes back as it was, without `base_url` and `page_mirror`.

    Raises:
        SourceMisconfigured: not OPML, or a document that declares a type, which may hold entities.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(mend_document(document).strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceMisconfigured("not-opml", remedy="export-again", reason=detail_of(error)) from error
    if root.tag.lower() != "opml":
        raise SourceMisconfigured("not-opml", remedy="export-again", reason=Detail.of("xml", root=str(root.tag)))
    if root.getroottree().docinfo.internalDTD is not None:
        raise SourceMisconfigured("opml-with-document-type", remedy="without-document-type")
    sources: dict[str, Source] = {}
    ids: set[str] = set()
    for outline in root.iter("outline"):
        source = _own_row(outline, warn) or _foreign_feed(outline)
        if source and (key := source.url or source.id) not in sources:
            sources[key] = source.model_copy(update={"id": _unused(source.id, ids)})
    return tuple(sources.values())


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
    label = " ".join((outline.get("title") or outline.get("text") or "outline").split())[:100]
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
        row["url"] = outline.get("xmlUrl")
    try:
        return Source.model_validate(row)
    except ValueError:
        warn(Detail.of("opml-row-unusable", name=label))
        return None


def _foreign_feed(outline: etree._Element) -> Source | None:
    url = (outline.get("xmlUrl") or outline.get("xmlurl") or "").strip()
    title = " ".join((outline.get("title") or outline.get("text") or "").split())
    wechat = any(pattern.search(url) for pattern in _WECHAT_MIRRORS)
    row = {
        "id": _identifier(title, url),
        "kind": "wechat" if wechat else "feed",
        "name": title[:100] or urlsplit(url).hostname or "feed",
        "url": url,
    }
    try:
        return Source.model_validate(row)
    except ValueError:
        return None


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
    """Add rows at the end of sources.toml, after what stands there. An address that it has already is passed over.

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
    addresses = {source.url for source in registry.sources}
    mirrors = load_mirrors(home)
    added: list[Source] = []
    for source in sources:
        if source.url is None or source.url not in addresses:
            addresses.add(source.url)
            row = _by_address(source, mirrors, warn)
            added.append(row.model_copy(update={"id": _unused(source.id, ids)}))
    if added:
        home.path.mkdir(parents=True, exist_ok=True)
        with home.sources.open("a", encoding="utf-8") as file:
            file.write("".join(f"\n{toml_row(row_of(source))}" for source in added))
    return tuple(added)


def _by_address(source: Source, mirrors: Mapping[str, str], warn: Warn) -> Source:
    """The source with its mirror, if this newsletter's mirror of that name leads to the same address; else without."""
    if source.mirror is None or with_address(source, mirrors).url == source.url:
        return source
    warn(Detail.of("opml-mirror-left-out", name=source.name, mirror=source.mirror))
    return source.model_copy(update={"mirror": None, "account": None})
