"""Untrusted HTML -> HTML with allowed elements and attributes only. Each page's policy is in one table here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import nh3

from pipelines.issue.escape import clean_line, make_printable_url


@dataclass(frozen=True, slots=True)
class HtmlPolicy:
    """The elements and attributes that a page may have.

    Args:
        tags: allowed elements; of any other element only the content stays.
        attributes: of each element the allowed attributes.
        removed: elements that are removed together with their content.
        opens_new_tab: whether a link opens a new tab, which does not learn the address of this page.
    """

    tags: frozenset[str]
    attributes: Mapping[str, frozenset[str]]
    removed: frozenset[str] = frozenset(("script", "style"))
    opens_new_tab: bool = False


def _split(names: str) -> frozenset[str]:
    return frozenset(names.split())


_COMMON_TAGS: Final = _split(
    "b blockquote br code del em h1 h2 h3 h4 hr i li ol p pre s strong sub sup table tbody td th thead tr ul"
)
_TAB_ATTRIBUTES: Final = {"target": "_blank", "rel": "noopener noreferrer"}
_PICTURE: Final = _split("src alt")
_CELL: Final = _split("colspan rowspan")

EXPORTED: Final = HtmlPolicy(
    _COMMON_TAGS | _split("a h5 h6 img section span u"),
    {"a": _split("href"), "img": _PICTURE, "ol": _split("start")},
    removed=_split("script style iframe object embed noscript template textarea select title svg math form"),
)
"""For the HTML of an exported issue."""

ON_THE_DESK: Final = HtmlPolicy(_COMMON_TAGS | {"a"}, {"a": _split("href")}, opens_new_tab=True)
"""For the editor's Markdown as the desk shows it."""

CRAWLED: Final = HtmlPolicy(
    _COMMON_TAGS | _split("dd dl dt figcaption figure h5 h6 section u"), {"td": _CELL, "th": _CELL}
)
"""For the page of a crawled article, without links and pictures."""

CRAWLED_WITH_PICTURES: Final = replace(
    CRAWLED, tags=CRAWLED.tags | {"img"}, attributes={**CRAWLED.attributes, "img": _PICTURE}
)


# '<img alt="图">', '<img src="" alt="">' as the sanitizer writes it; not '<img src="https://e.org/a.png" alt="">'
_EMPTY_PICTURE: Final = re.compile(r'<img(?:\s+(?:src=""|(?!src=)[\w-]+="[^"]*"))*\s*/?>')


def sanitize_html(untrusted: str, policy: HtmlPolicy, resolve: Callable[[str], str | None] = make_printable_url) -> str:
    """Remove from HTML all elements and attributes that a policy does not allow, and all comments.

    Args:
        untrusted: a fragment of HTML.
        policy: the allowed elements and attributes.
        resolve: makes an address printable; None for an address that the page must not have.

    Returns:
        A fragment of HTML. A link without a printable address has no `href`; a picture without one is removed.

    >>> sanitize_html('<p onclick="x()">a<script>b</script><a href="javascript:c">d</a></p>', EXPORTED)
    '<p>a<a>d</a></p>'
    >>> sanitize_html('<img src="data:,"><img alt="x"><img src="https://e.org/a.png">', EXPORTED)
    '<img src="https://e.org/a.png">'
    """

    def clean_attribute(tag: str, name: str, text: str) -> str | None:
        if tag == "a" and name in _TAB_ATTRIBUTES and policy.opens_new_tab:
            return _TAB_ATTRIBUTES[name]
        if name not in policy.attributes.get(tag, ()):  # nh3 allows `title` and `lang` on every element
            return None
        if name == "href":
            return resolve(text)
        if name == "src":
            return resolve(text) or ""
        if name == "start" and not text.isdecimal():
            return None
        return clean_line(text) if name == "alt" else text

    sanitized = nh3.clean(
        untrusted,
        tags=policy.tags,
        clean_content_tags=policy.removed,
        attributes=policy.attributes,
        attribute_filter=clean_attribute,
        url_schemes={"http", "https"},
        link_rel=_TAB_ATTRIBUTES["rel"] if policy.opens_new_tab else None,  # nh3 sets several values in random order
        set_tag_attribute_values={"a": {"target": _TAB_ATTRIBUTES["target"]}} if policy.opens_new_tab else None,
    )
    return _EMPTY_PICTURE.sub("", sanitized)
