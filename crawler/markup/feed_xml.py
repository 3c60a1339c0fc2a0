"""RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, well-formed -> `Channel`. Many times cheaper than feedparser."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from lxml import etree

from crawler.markup.entry import Channel, Entry, person
from crawler.markup.html import collapse
from crawler.markup.text import absolute, absolute_links, digest, has_markup, plain, plain_title, undo_escaping

_PREFIXES: Final[Mapping[str, str]] = {
    "http://purl.org/rss/1.0": "",
    "http://my.netscape.com/rdf/simple/0.9": "",
    "http://channel.netscape.com/rdf/simple/0.9": "",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "http://backend.userland.com/rss": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://cyber.law.harvard.edu/rss": "",
    "http://purl.org/net/rss1.1#": "",
    "http://www.w3.org/2005/atom": "atom:",
    "http://purl.org/atom/ns#": "atom:",
    "http://purl.org/rss/1.0/modules/content": "content:",
    "http://purl.org/dc/elements/1.0": "dc:",
    "http://purl.org/dc/elements/1.1": "dc:",
    "http://purl.org/dc/terms": "dcterms:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.rssboard.org/media-rss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner:",
    "http://prismstandard.org/namespaces/basic/2.0": "prism:",
    "http://prismstandard.org/namespaces/1.2/basic": "prism:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
}
"""Namespaces as feeds write them, in lower case and without a closing slash."""

_ITEMS: Final = frozenset({"item", "entry", "atom:entry"})
# fmt: off
_PUBLISHED: Final = (
    "pubdate", "atom:published", "published", "atom:issued", "dc:date", "dcterms:issued", "dcterms:created", "date",
)
_UPDATED: Final = ("atom:updated", "updated", "atom:modified", "dcterms:modified")
_DESCRIPTIONS: Final = (
    "description", "atom:summary", "summary", "dc:description", "itunes:summary", "media:description",
)
# fmt: on
_CONTENTS: Final = ("content:encoded", "atom:content", "content", "xhtml:body", "xhtml:div")
_PLAIN_TYPES: Final = frozenset({"text", "text/plain", "TEXT"})
_PAGE_TYPES: Final = ("text/html", "application/xhtml+xml", None)
_DOIS: Final = ("prism:doi", "dc:identifier")
_DOI: Final = re.compile(r"(?:info:doi/|doi:\s*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S{1,200})", re.IGNORECASE)
_IMAGE_NAME: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|$)", re.IGNORECASE)
_ABOUT: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"

_Fields = Mapping[str, list[etree._Element]]


def read_xml(text: str, url: str) -> Channel | None:
    """Read a feed that is well-formed.

    Args:
        text: from its root element's tag on: no document type, so no entity is declared.
        url: where it came from, the base of relative addresses.

    Returns:
        None where the text is not well-formed, or has entries in a namespace of its own.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode(), parser, base_url=url)
    except etree.XMLSyntaxError:
        return None
    nodes = [node for node in root.iter("{*}item", "{*}entry") if _name(node.tag) in _ITEMS]
    if not nodes and re.search(r"<(?:item|entry)[\s>]", text):
        return None
    head = _fields(next(root.iter("{*}channel", "{*}feed"), root))
    home = absolute(_words(head, "link"), url) or url
    based = "xml:base" in text
    return Channel(
        title=_title(head, "title", "atom:title", "dc:title"),
        generator=_words(head, "generator", "atom:generator"),
        author=_authors(head, "atom:author"),
        language=_words(head, "language", "dc:language") or root.get(_LANGUAGE, ""),
        entries=tuple(_entry(node, _base(node, url, home) if based else home, url) for node in nodes),
    )


def _base(node: etree._Element, url: str, home: str) -> str:
    """The entry's xml:base; without one, the channel's link, to which RSS is relative by custom."""
    base = node.base
    return home if base is None or base == url else base


def _entry(node: etree._Element, base: str, url: str) -> Entry:
    """Read an entry.

    Args:
        node: its element.
        base: of its relative addresses.
        url: of the feed; an element whose base is another one has an `xml:base`.
    """
    fields = _fields(node)
    guid = _words(fields, "guid", "atom:id", "id", "dc:identifier") or node.get(_ABOUT, "")
    html, text = _content(fields, url)
    description = undo_escaping(_markup(fields, *_DESCRIPTIONS))
    is_content = not html and not text and has_markup(description)
    published = [*dict.fromkeys(filter(None, (_words(fields, name) for name in _PUBLISHED)))] or [""]
    return Entry(
        links=tuple(_links(fields, guid)),
        base=base,
        guid=guid,
        title=_title(fields, "title", "atom:title", "dc:title", "itunes:title"),
        published=published[0],
        further_dates=tuple(published[1:]),
        updated=_words(fields, *_UPDATED),
        author=_authors(fields, "atom:author", "author", "dc:creator", "itunes:author"),
        html=description if is_content else html,
        text=text,
        summary=digest(description, is_content=is_content),
        image=next(_images(fields), ""),
        enclosures=(*(file.get("url", "") for file in fields["enclosure"]), *_related(fields, "enclosure")),
        related=_related(fields, "related", "via"),
        comments=_words(fields, "comments"),
        tags=tuple(dict.fromkeys(filter(None, _tags(fields)))),
        language=node.get(_LANGUAGE) or _words(fields, "dc:language"),
        ids=tuple(f"doi:{doi[1].lower()}" for name in _DOIS if (doi := _DOI.fullmatch(_words(fields, name))))[:1],
    )


@lru_cache(maxsize=1024)
def _name(tag: str) -> str:
    """A tag's name in lower case with the prefix of _PREFIXES, or the whole tag where its namespace is none of them.

    >>> _name("{http://www.w3.org/2005/Atom}Link"), _name("pubDate"), _name("{urn:x}title")
    ('atom:link', 'pubdate', '{urn:x}title')
    """
    if not tag.startswith("{"):
        return tag.lower()
    namespace, _, local = tag[1:].partition("}")
    prefix = _PREFIXES.get(namespace.lower().rstrip("/"))
    return tag if prefix is None else prefix + local.lower()


def _fields(node: etree._Element) -> _Fields:
    """The element's children by name, with the children of a media:group among them."""
    fields: defaultdict[str, list[etree._Element]] = defaultdict(list)
    for child in node:
        name = _name(child.tag)
        fields[name].append(child)
        if name == "media:group":
            for grandchild in child:
                fields[_name(grandchild.tag)].append(grandchild)
    return fields


def _markup(fields: _Fields, *names: str) -> str:
    """The content of the first of these elements that is not empty, as HTML."""
    for name in names:
        for node in fields[name]:
            if markup := _inner(node).strip():
                return markup
    return ""


def _words(fields: _Fields, *names: str) -> str:
    """The first of these that is not empty, on one line."""
    return collapse(_markup(fields, *names))


def _title(fields: _Fields, *names: str) -> str:
    for name in names:
        for node in fields[name]:
            markup = _inner(node)
            kind = node.get("type", "text")
            if "html" in kind:
                title = plain(markup)
            elif name.startswith("atom:") and kind in _PLAIN_TYPES:
                title = collapse(markup)  # RFC 4287, 3.1.1.1: its tags are words
            else:
                title = plain_title(markup)
            if title:
                return title
    return ""


def _inner(node: etree._Element) -> str:
    """An element's content: its text, or its HTML where that was not escaped, without namespaces."""
    if len(node) == 0:
        text = node.text or ""
        return _unwrapped(text) if "<![CDATA[" in text else text
    if len(node) == 1 and _name(node[0].tag) == "xhtml:div" and not (node.text or "").strip():
        node = node[0]  # Atom's wrapper, no part of the content (RFC 4287, 3.1.1.3)
    shell = etree.Element("div")
    shell.text = node.text
    shell.extend(list(node))
    for inner in shell.iter():
        inner.tag = etree.QName(inner).localname
    etree.cleanup_namespaces(shell)
    return etree.tostring(shell, encoding="unicode", method="html")[len("<div>") : -len("</div>")]


def _unwrapped(text: str) -> str:
    """Text without the CDATA marks that were escaped along with it (we-mp-rss with `rss.cdata`)."""
    wrapped = text.strip()
    return wrapped[9:-3] if wrapped.startswith("<![CDATA[") and wrapped.endswith("]]>") else text


def _content(fields: _Fields, url: str) -> tuple[str, str]:
    """The content as HTML, or as text where it is no HTML; the longest where there are several."""
    nodes = [node for name in _CONTENTS for node in fields[name] if _is_readable(node)]
    contents = [(undo_escaping(_inner(node).strip()), node.base or url) for node in nodes]
    content, base = max(contents, key=lambda pair: len(pair[0]), default=("", url))
    if not has_markup(content):
        return "", collapse(plain(content))
    return (absolute_links(content, base) if base != url else content), ""


def _is_readable(node: etree._Element) -> bool:
    kind = node.get("type", "text")
    return node.get("mode") != "base64" and ("/" not in kind or kind.startswith("text/") or "html" in kind)


def _links(fields: _Fields, guid: str) -> Iterator[str]:
    """Addresses that the entry may have, best first."""
    yield from (link.text or "" for link in fields["feedburner:origlink"])
    yield from (link.text or "" for link in fields["link"])
    alternates = [link for link in _atom_links(fields) if link.get("rel", "alternate") == "alternate"]
    for kind in _PAGE_TYPES:
        yield from (link.get("href", "") for link in alternates if link.get("type") == kind)
    if absolute(guid, ""):
        yield guid
    yield from (link.get("href", "") for link in alternates)
    yield from (content.get("src", "") for content in fields["atom:content"])
    yield from _related(fields, "via", "related", "self")


def _atom_links(fields: _Fields) -> list[etree._Element]:
    return [*fields["atom:link"], *(link for link in fields["link"] if link.get("href"))]


def _related(fields: _Fields, *relations: str) -> tuple[str, ...]:
    return tuple(link.get("href", "") for link in _atom_links(fields) if link.get("rel") in relations)


def _images(fields: _Fields) -> Iterator[str]:
    """Addresses of pictures that the entry shows of itself, best first."""
    for name, attribute in (("media:content", "url"), ("enclosure", "url"), ("atom:link", "href")):
        for file in fields[name]:
            url = file.get(attribute, "")
            kind = file.get("medium") or file.get("type") or ("image" if _IMAGE_NAME.search(url) else "")
            if kind.startswith("image"):
                yield url
    yield from (picture.get("url", "") for picture in fields["media:thumbnail"])
    yield from (picture.get("href", "") for picture in fields["itunes:image"])
    yield from (picture.text or picture.findtext("url") or "" for picture in fields["image"])


def _authors(fields: _Fields, *names: str) -> str:
    """Names of the first of these elements that has any; an address alone is no name."""
    for name in names:
        written = [node.findtext("{*}name") or node.text or "" for node in fields[name]]
        if people := list(filter(None, map(person, written))):
            return ", ".join(dict.fromkeys(people))
    return ""


def _tags(fields: _Fields) -> Iterator[str]:
    for name in ("category", "atom:category", "dc:subject"):
        for node in fields[name]:
            yield collapse(node.get("label") or node.get("term") or node.text or "")
