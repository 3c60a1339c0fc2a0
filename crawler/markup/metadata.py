"""The facts that a page states about itself outside its text: JSON-LD, OpenGraph, `<meta>`, `<link>`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement

from crawler.markup.html import collapse, metas

_ARTICLE_TYPES: Final = frozenset({
    "AnalysisNewsArticle", "Article", "BackgroundNewsArticle", "BlogPosting", "DiscussionForumPosting",
    "LiveBlogPosting", "MedicalScholarlyArticle", "NewsArticle", "OpinionNewsArticle", "Report", "ReportageNewsArticle",
    "ReviewNewsArticle", "SatiricalArticle", "ScholarlyArticle", "SocialMediaPosting", "TechArticle",
})  # fmt: skip
"""schema.org's Article and the types derived from it."""
_PAGE_TYPES: Final = frozenset(
    {"CreativeWork", "HowTo", "ItemPage", "PodcastEpisode", "Recipe", "VideoObject", "WebPage"}
)
_SITE_TYPES: Final = frozenset({"WebSite", "NewsMediaOrganization"})

# Seen 2026-11: https://site.example/, //site.example, /, ../, /#top
_MAY_LEAD_HOME: Final = re.compile(r"\s*(?:(?:https?:)?//[^/?#]*)?[./\s]*\??\s*(?:#.*)?", re.IGNORECASE | re.DOTALL)

_MOST_JSON: Final = 500_000  # characters of one JSON-LD island
_MOST_FRONT_LINKS: Final = 30
_ITEMS: Final = frozenset({"dd", "dt", "li"})
_MOST_ELEMENTS: Final = 20_000
_MOST_DEPTHS: Final = 400_000  # summed over the elements
_DEEPEST: Final = 256  # the parser nests elements no deeper
_MOST_SIBLINGS: Final = 2_000  # a list of 2,000 takes trafilatura half a second, one of 50,000 three minutes


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """A parsed page with its metadata.

    Args:
        address: of the reply, after redirects.
        metas: the page's `<meta>` contents.
        described: the article of the page's JSON-LD, each value in a list; empty where it describes none.
        site_titles: the names of the site in the page's JSON-LD.
        published: when the JSON-LD says that the page or its recipe or film was published, where it has no article.
        own_breadcrumb: the page's own name in the breadcrumbs of its JSON-LD; empty where they do not name it.
        is_heavy: whether work that grows faster than the page would take seconds, or minutes; trafilatura's is
            quadratic in siblings, list items and depth.
    """

    address: str
    document: HtmlElement
    metas: Mapping[str, str]
    described: Mapping[str, list[Any]]
    site_titles: tuple[str, ...] = ()
    published: str = ""
    own_breadcrumb: str = ""
    is_heavy: bool = False

    @classmethod
    def of(cls, address: str, document: HtmlElement) -> Self:
        """The metadata of a parsed page."""
        nodes = list(_json_ld(document))
        sites = [as_text(node.get("name")) for node in nodes if not _SITE_TYPES.isdisjoint(_types(node))]
        return cls(
            address,
            document,
            metas(document),
            _described(nodes),
            tuple(filter(None, sites)),
            next(
                (as_text(node.get("datePublished")) for node in nodes if not _PAGE_TYPES.isdisjoint(_types(node))), ""
            ),
            _find_own_breadcrumb(nodes, address),
            _is_heavy(document),
        )

    def meta(self, names: Iterable[str]) -> str:
        """The first of these that the page has; empty where it has none."""
        return next((self.metas[name] for name in names if name in self.metas), "")

    def says(self, name: str) -> str:
        """A value of the JSON-LD as text, names joined where it is a list; empty where it is missing."""
        return as_text(self.described.get(name))

    def http(self, url: str) -> str | None:
        """An address on the page, made absolute; None where it is no web address."""
        try:
            absolute = urljoin(self.address, url.strip()) if url.strip() else ""
            return absolute if urlsplit(absolute).scheme in {"http", "https"} else None
        except ValueError:
            return None

    def leads_home(self, link: HtmlElement) -> bool:
        """Whether an `<a>` leads to the front page of the page's own site."""
        href = link.get("href") or ""
        if not _MAY_LEAD_HOME.fullmatch(href):  # a page has hundreds of links, and each address takes long to join
            return False
        url = self.http(href)
        return url is not None and is_front(url) and site_of(url) == site_of(self.address)

    def site_names(self) -> Iterator[str]:
        """The names by which the page calls its site: in its metadata, and in links to the site's front page."""
        yield from (collapse(self.meta((name,))) for name in ("og:site_name", "application-name"))
        yield collapse(self.says("publisher"))
        yield from self.site_titles
        home_links = [link for link in self.document.iter("a") if self.leads_home(link)]
        for link in home_links[:_MOST_FRONT_LINKS]:
            yield collapse(link.text_content())
            yield collapse(link.get("title") or "")
            yield from (collapse(image.get("alt") or "") for image in link.iter("img"))


def as_text(member: Any) -> str:
    """A value of JSON-LD as text: names where it holds objects, joined where it is a list."""
    texts = (part.get("name") or part.get("@value") if isinstance(part, dict) else part for part in as_list(member))
    return ", ".join(unescape(text).strip() for text in texts if isinstance(text, str) and text.strip())


def as_url(member: Any) -> str:
    """The first address in a value of JSON-LD; empty where there is none."""
    urls = (part.get("url") or part.get("@id") if isinstance(part, dict) else part for part in as_list(member))
    return next((url for url in urls if isinstance(url, str)), "")


def as_list(member: Any) -> list[Any]:
    """A value of JSON-LD as a list."""
    return list(member) if isinstance(member, list) else [] if member is None else [member]


def is_front(url: str) -> bool:
    """Whether an address is a site's front page."""
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query


def site_of(url: str) -> str:
    """The registrable part of a host, near enough: two labels, three below a country's `com`, `co`, `org` ...

    >>> site_of("https://m.news.example.com.cn/a"), site_of("https://www.example.org/")
    ('example.com.cn', 'example.org')
    """
    labels = (urlsplit(url).hostname or "").split(".")
    generic = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in {"ac", "co", "com", "edu", "gov", "net", "org"}
    return ".".join(labels[-3 if generic else -2 :])


def _described(nodes: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The first article that the page's JSON-LD describes, its references within the page resolved; else empty."""
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}
    article = next((node for node in nodes if not _ARTICLE_TYPES.isdisjoint(_types(node))), {})
    return {
        name: [by_id.get(part["@id"], part) if _is_reference(part) else part for part in as_list(member)]
        for name, member in article.items()
    }


def _find_own_breadcrumb(nodes: list[dict[str, Any]], address: str) -> str:
    """The name of the last breadcrumb that leads to the page itself, or nowhere."""
    for node in nodes:
        if "BreadcrumbList" in _types(node):
            crumbs = [crumb for crumb in as_list(node.get("itemListElement")) if isinstance(crumb, dict)]
            target = as_url(crumbs[-1].get("item")) if crumbs else ""
            if len(crumbs) > 1 and (not target or _path_of(target) == _path_of(address)):
                return as_text(crumbs[-1]) or as_text(crumbs[-1].get("item"))
    return ""


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def _json_ld(document: HtmlElement) -> Iterator[dict[str, Any]]:
    """Every object of the page's JSON-LD that stands at the top, in a list, in a `@graph`, or as a `mainEntity`."""
    for script in document.iter("script"):
        source = script.text or ""
        if "ld+json" not in (script.get("type") or "").lower() or len(source) > _MOST_JSON:
            continue
        try:
            waiting = as_list(json.loads(source.strip().rstrip(";"), strict=False))
        except (ValueError, RecursionError):
            continue
        for node in waiting:
            if isinstance(node, dict):
                yield node
                waiting += as_list(node.get("@graph")) + as_list(node.get("mainEntity"))


def _types(node: Mapping[str, Any]) -> Iterator[str]:
    return (kind.rpartition("/")[2] for kind in as_list(node.get("@type")) if isinstance(kind, str))


def _is_reference(member: Any) -> bool:
    return isinstance(member, dict) and isinstance(member.get("@id"), str) and "name" not in member


def _is_heavy(document: HtmlElement) -> bool:
    """Whether a page has more elements, siblings or depth than pages for people have."""
    count = int(document.xpath("count(//*)"))
    if count * _DEEPEST <= _MOST_DEPTHS:  # no tree of so few elements can be heavy
        return False
    depth = depths = elements = items = 0
    for event, element in etree.iterwalk(document, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        depths += depth
        elements += 1
        items += element.tag in _ITEMS
        if max(items, len(element)) > _MOST_SIBLINGS or elements > _MOST_ELEMENTS or depths > _MOST_DEPTHS:
            return True
    return False
