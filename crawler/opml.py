"""Lists of feeds, as other readers keep them: OPML in, rows of sources.toml out, and the other way round."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from crawler.errors import SourceMisconfigured
from crawler.home import Home
from crawler.sources import Source, load_sources, row_of, toml_row

_OPML_ROW: Final = "{urn:jianbao}source"
"""Attribute of an outline that holds our whole row as JSON; other readers pass over it (OPML 2.0, extending)."""

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


def read_opml(document: bytes) -> tuple[Source, ...]:
    """Read a list of feeds, as other readers export it. Each address counts once, however deep its outline lies.

    Returns:
        `wechat` sources where the address is a known mirror's, else `feed`; ids are made of titles or addresses. What
        `write_opml` wrote comes back as it was.

    Raises:
        SourceMisconfigured: not OPML, or a document that declares a type, which may hold entities.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceMisconfigured(f"not OPML: {error}", remedy="export the list of feeds again") from error
    if root.tag.lower() != "opml":
        raise SourceMisconfigured(f"not OPML: <{root.tag}>", remedy="export the list of feeds again")
    if root.getroottree().docinfo.internalDTD is not None:
        raise SourceMisconfigured("OPML that declares a document type", remedy="take the <!DOCTYPE …> out of it")
    sources: dict[str, Source] = {}
    ids: set[str] = set()
    for outline in root.iter("outline"):
        source = _own_row(outline) or _foreign_feed(outline)
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


def _own_row(outline: etree._Element) -> Source | None:
    try:
        source = Source.model_validate(json.loads(outline.get(_OPML_ROW) or "null"))
    except ValueError:
        return None
    return source.model_copy(update={"url": outline.get("xmlUrl")}) if source.mirror else source


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
    if len(words := _ascii_words(title)) >= 3:
        return words
    try:
        parts = urlsplit(url)
    except ValueError:
        return words or "feed"
    last = _ascii_words(parts.path.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    host = _ascii_words((parts.hostname or "feed").removeprefix("www."))
    return last if re.search(r"\d", last) else host


def _ascii_words(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:48].strip("-")


def _unused(identifier: str, taken: set[str]) -> str:
    """The id, with a number where it is taken; taken from now on."""
    number, found = 1, identifier
    while found in taken:
        number += 1
        found = f"{identifier}-{number}"
    taken.add(found)
    return found


def append_sources(home: Home, sources: Iterable[Source]) -> tuple[Source, ...]:
    """Add rows at the end of sources.toml, after what stands there. An address that it has already is passed over.

    Returns:
        The sources added, under the ids that they got.

    Raises:
        SourceMisconfigured: sources.toml cannot be read; nothing is written.
    """
    registry = load_sources(home)
    wrong = [mistake for mistake in registry.mistakes if mistake.file == home.sources.name]
    if home.sources.is_file() and (unreadable := [mistake for mistake in wrong if not mistake.source]):
        raise SourceMisconfigured(str(unreadable[0]))
    ids = {source.id for source in registry.sources} | {mistake.source for mistake in wrong}
    addresses = {source.url for source in registry.sources}
    added: list[Source] = []
    for source in sources:
        if source.url is None or source.url not in addresses:
            addresses.add(source.url)
            added.append(source.model_copy(update={"id": _unused(source.id, ids)}))
    if added:
        home.path.mkdir(parents=True, exist_ok=True)
        with home.sources.open("a", encoding="utf-8") as file:
            file.write("".join(f"\n{toml_row(row_of(source))}" for source in added))
    return tuple(added)
