"""Markdown of an issue -> HTML that any page can contain: no script, no frame, no style of its own.

An editor's Markdown may hold HTML, as a footer with a licence does. So the whole HTML is sanitized.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final
from urllib.parse import urljoin

from lxml import etree, html

from pipelines.issue.escape import make_printable_url
from pipelines.issue.formats.sanitizer import EXPORTED, sanitize_html
from pipelines.issue.parser import make_parser

_DEEPEST: Final = 40
"""Elements inside elements; a deeper element is written as its text."""

_NOT_XML: Final = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""


def render_tree(markdown: str, base: str | None = None) -> html.HtmlElement:
    """Render Markdown as the content of one `div`.

    Args:
        markdown: of an editor; it may hold HTML.
        base: the address that relative addresses are relative to; without it, a relative link is written as its text.

    Returns:
        The `div`. Every link and every picture in it has an address.
    """
    rendered = _NOT_XML.sub("", make_parser(html=True).render(markdown))
    sanitized = sanitize_html(rendered, EXPORTED, partial(make_absolute_url, base=base))
    root = html.fragment_fromstring(sanitized, create_parent="div")
    for link in list(root.iter("a")):
        if not link.get("href"):
            link.drop_tag()
    for paragraph in list(root.iter("p")):
        if not len(paragraph) and not paragraph.text:  # HTML 5 ends a paragraph before a block and begins one after it
            paragraph.drop_tree()
    for picture in root.iter("img"):
        _set_picture(picture)
    _limit_depth(root, 0)
    return root


def render_inner_html(element: html.HtmlElement) -> str:
    """Write the content of an element as HTML."""
    text = _escape_html(element.text or "")
    return text + "".join(etree.tostring(child, encoding="unicode", method="html") for child in element)


def _escape_html(text: str) -> str:
    holder = etree.Element("x")
    holder.text = text
    return etree.tostring(holder, encoding="unicode")[len("<x>") : -len("</x>")] if text else ""


def _set_picture(picture: html.HtmlElement) -> None:
    """Write `src` before `alt`, for the same picture always the same HTML."""
    address, alt = str(picture.get("src") or ""), str(picture.get("alt") or "")
    picture.attrib.clear()
    picture.set("src", address)
    picture.set("alt", alt)


def _limit_depth(element: html.HtmlElement, depth: int) -> None:
    for child in list(element):
        if depth < _DEEPEST:
            _limit_depth(child, depth + 1)
        else:
            child.tail = " ".join(map(str, child.itertext())) + (child.tail or "")
            child.drop_tree()


def make_absolute_url(address: str, base: str | None) -> str | None:
    """Make an address absolute and printable.

    Returns:
        The address; None if an issue must not print it.

    >>> make_absolute_url("../a.jpg", "https://e.org/issues/1.html")
    'https://e.org/a.jpg'
    >>> make_absolute_url("a.jpg", None), make_absolute_url("javascript:x", None)
    (None, None)
    """
    try:
        return make_printable_url(urljoin(base, address) if base else address)
    except ValueError:
        return None
