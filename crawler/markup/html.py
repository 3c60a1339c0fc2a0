"""HTML as text and trees. It is hostile: sizes are capped, and nothing is fetched or opened."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from bs4 import BeautifulSoup
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring, tostring

from crawler.characters import mend_html
from crawler.errors import PageChanged

_MOST_CHARACTERS: Final = 8_000_000
_MOST_ATTRIBUTES: Final = 10_000  # of one tag; libxml2 compares each with each: 10,000 take 0.1 s, 100,000 take 10 s
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")

# fmt: off
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
    "ol", "p", "pre", "section", "summary", "table", "tr", "ul",
})
_CELLS: Final = frozenset({"td", "th"})
_UNREAD: Final = frozenset({
    "head", "iframe", "noscript", "object", "script", "style", "svg", "template", "textarea",
})
# fmt: on


def collapse(text: str) -> str:
    """The text in one line: each run of white space, also a full-width one, becomes one space.

    >>> collapse("  端侧\\u3000模型\\n ")
    '端侧 模型'
    """
    return " ".join(text.split())


class _Parser(HTMLParser):
    """lxml's parser of HTML, whose elements are all of one class.

    lxml asks a Python function for the class of each element, and again for each element of a copy. Forms and their
    fields, which alone have classes of their own, are no part of an article.
    """

    def __init__(self) -> None:
        super().__init__(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
        self.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))


def parse(text: str) -> HtmlElement:
    """A page or a fragment as the root of a tree, without comments. The parser stops at 256 nested tags.

    Args:
        text: decoded HTML; its own declaration of an encoding is ignored.

    Raises:
        PageChanged: nothing to read, or more of it than a page for people has.
    """
    _refuse_flood(text)
    try:
        return document_fromstring(mend_html(text).encode("utf-8", "replace"), parser=_Parser())
    except etree.ParserError:
        raise PageChanged("empty-page") from None


def soup(text: str) -> BeautifulSoup:
    """The same page for pages whose few rows CSS selectors find best; some five times the cost of `parse`.

    Raises:
        PageChanged: more of it than a page for people has.
    """
    _refuse_flood(text)
    return BeautifulSoup(mend_html(text).encode("utf-8", "replace"), "lxml", from_encoding="utf-8")


def text_of(element: HtmlElement) -> str:
    """All text in an element, as `text_content`, which costs ten times as much where nothing is nested."""
    return element.text_content() if len(element) else element.text or ""


def plain_text(element: HtmlElement) -> str:
    """The visible text of an element: a line for each paragraph, no empty lines; scripts and styles left out.

    >>> plain_text(parse("<p>one<br>two</p> <ul><li>three <b>four</b></ul><script>five</script>"))
    'one\\ntwo\\nthree four'
    """
    pieces: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        if node.tag in _UNREAD and not _holds_html(node):
            if event == "start":
                walk.skip_subtree()
        elif node.tag in _BLOCKS:
            pieces.append("\n")
        elif node.tag in _CELLS:
            pieces.append(" ")
        if event == "start" and (node.tag not in _UNREAD or node.tag == "svg"):
            pieces.append((node.text or "").replace("\n", " "))
        elif event == "end" and node is not element:
            pieces.append((node.tail or "").replace("\n", " "))
    return "\n".join(filter(None, map(collapse, "".join(pieces).split("\n"))))


def _holds_html(node: HtmlElement) -> bool:
    """Whether an element that is no text holds some: paragraphs in the `foreignObject` of a drawing."""
    return node.tag == "svg" and node.find(".//foreignobject") is not None


def inner_html(element: HtmlElement) -> str:
    """An element's content as HTML, without its own tag and its tail."""
    return (
        escape(element.text or "", quote=False) + "".join(tostring(child, encoding="unicode") for child in element)
    ).strip()


def metas(document: HtmlElement) -> dict[str, str]:
    """The page's `<meta>` contents by property, name or itemprop in lower case; the first that is not empty stands.

    >>> metas(parse('<meta property="og:title" content=" A "><meta name="Author" content="">'))
    {'og:title': 'A'}
    """
    contents: dict[str, str] = {}
    for node in document.iter("meta"):
        content = (node.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop"):
            if content and (name := node.get(attribute)):
                contents.setdefault(name.strip().lower(), content)
    return contents


def _refuse_flood(text: str) -> None:
    """Refuse a document that would keep the parser busy for minutes; the parser cannot be interrupted."""
    if len(text) > _MOST_CHARACTERS:
        raise PageChanged("flood-of-text", count=len(text), limit=_MOST_CHARACTERS)
    for piece in text.split("<"):
        if len(piece) > 2 * _MOST_ATTRIBUTES:
            attributes = len(_QUOTED.sub("", piece.partition(">")[0]).split())
            if attributes > _MOST_ATTRIBUTES:
                raise PageChanged("flood-of-attributes", count=attributes)
