"""Makes stored raw items smaller, so that the same article is made of them. Pure.

A page has far more styles and attributes than text. An old item is not read by new page functions any more; what is
left of it is what today's rules read, and the pictures of its preview.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from lxml import etree

from crawler.items import RawItem
from pipelines.model import Article
from pipelines.normalise.html import MAX_HTML

Reader = Callable[[RawItem], Article]
"""Makes the article of an item, as it was made when the item was stored."""

_KEPT_ATTRIBUTES: Final = frozenset(
    [
        "href",
        "src",
        "data-src",
        "alt",
        "hidden",
        "encoding",
        "eeimg",
        "data-formula",
        "data-tex",
        "data-latex",
        "data-math",
        "alttext",
        "colspan",
        "rowspan",
        "title",
        "width",
        "height",
    ]
)
# class="katex", class="line-numbers", class="MathJax_Preview"
_TELLING_CLASS: Final = re.compile(r"katex|math|tex|formula|equation|line|gutter|lineno|lnum|ln-", re.IGNORECASE)
_HIDING_STYLE: Final = re.compile(r"display:\s*none", re.IGNORECASE)


def reduce_item(item: RawItem, later_items: Iterable[RawItem], read: Reader) -> RawItem:
    """Leave out of an old item what no article needs.

    Of an item that a later one of the same address replaced, with a text as long or longer, only title, dates and
    identifiers are kept: an article has the newest and the longest text of an address. Of the last item of an address
    the HTML is reduced to what is read of it.

    Args:
        item: as stored.
        later_items: of the same source and article, with a later fetch; whole ones.
        read: an error of it leaves the item as it is.

    Returns:
        The smaller item, or the same one where another article would be made of a smaller one.
    """
    article = read(item)
    for later in later_items:
        if later.url == item.url and later.guid == item.guid and later.fetched_at > item.fetched_at:
            later_article = read(later)
            if later_article.url == article.url and len(later_article.text) >= len(article.text):
                bare = replace(item, html=None, text=None, summary=None, image=None, links=(), tags=())
                return bare if _identify(read(bare)) == _identify(article) else item
    if not item.html:
        return item
    reduced = replace(item, html=reduce_html(item.html))
    return reduced if len(reduced.html or "") < len(item.html) and read(reduced) == article else item


def _identify(article: Article) -> tuple[object, ...]:
    """What an item that another replaced still says of its article."""
    return article.url, article.title, set(article.keys), article.entry_keys, article.published, article.updated


def reduce_html(html: str) -> str:
    """Remove comments, scripts, styles and attributes that nobody reads; the same text if it cannot be parsed.

    >>> reduce_html('<p style="color:red" data-x="1">甲<a href="https://e.org" class="b">乙</a></p><!-- 丙 -->')
    '<html><body><p>甲<a href="https://e.org">乙</a></p></body></html>'
    """
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(html[:MAX_HTML].encode("utf-8", "ignore"), parser)
        if root is None:
            return html
        for element in list(root.iter("script", "style")):
            if not (element.get("type") or "").startswith("math/tex"):
                tail = element.tail
                element.clear()
                element.tail = tail
        for element in root.iter():
            for name in list(element.attrib):
                if not _is_read(str(name), str(element.attrib[name]), str(element.tag)):
                    del element.attrib[name]
        return etree.tostring(root, encoding="unicode", method="html")
    except (etree.LxmlError, ValueError):  # control characters, nesting without end
        return html


def _is_read(name: str, content: str, tag: str) -> bool:
    if name == "style":
        return _HIDING_STYLE.search(content) is not None
    if name in ("class", "id"):
        return _TELLING_CLASS.search(content) is not None
    return name in _KEPT_ATTRIBUTES or (name == "type" and tag == "script")
