"""Markdown of an issue -> HTML that can be set into any page: no script, no frame, no style of its own.

An editor's Markdown may hold HTML, as a footer with a licence does; so what comes out of the Markdown is read as HTML
and built anew from the elements and attributes that are allowed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin

from lxml import etree, html
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference

from pipelines.issue.escape import cleaned, printable_url

_ELEMENTS: Final = (
    "a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s section span strong sub sup",
    "table tbody td th thead tr u ul",
)
ELEMENTS: Final = frozenset(" ".join(_ELEMENTS).split())
"""What may stand in it; of other elements only what is in them stays."""

_WITH_CONTENT: Final = "script style iframe object embed noscript template textarea select title svg math form"
_GONE: Final = frozenset(_WITH_CONTENT.split())
"""What goes with all that is in it."""

_DEEPEST: Final = 40
"""Elements within elements; what lies deeper is given as text."""


def rendered(markdown: str, base: str | None = None) -> html.HtmlElement:
    """The Markdown as one `div`, whose children are what it says.

    Args:
        base: what relative addresses are relative to; where none is given, relative links lead nowhere.
    """
    read = html.fragment_fromstring(_printable(_markdown().render(markdown)), create_parent="div")
    made = html.Element("div")
    _copy_into(made, read, base, 0)
    return made


def inner_html(element: html.HtmlElement) -> str:
    """What stands in an element, as HTML."""
    said = _escaped(element.text or "")
    return said + "".join(etree.tostring(child, encoding="unicode", method="html") for child in element)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.block.ruler.at("reference", _definition, {"alt": []})
    return markdown


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The definition of a link; a footnote is none, though CommonMark takes it for one: its text has to stay."""
    footnote = state.src.startswith("[^", state.bMarks[start] + state.tShift[start])
    return not footnote and reference(state, start, end, silent)


def _printable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


_NOT_XML: Final = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _escaped(text: str) -> str:
    holder = etree.Element("x")
    holder.text = text
    return etree.tostring(holder, encoding="unicode")[len("<x>") : -len("</x>")] if text else ""


def _copy_into(made: html.HtmlElement, read: html.HtmlElement, base: str | None, depth: int) -> None:
    _append_text(made, read.text)
    for child in read:
        if isinstance(child.tag, str) and child.tag not in _GONE:
            if depth >= _DEEPEST:
                _append_text(made, " ".join(child.itertext()))
            elif child.tag in ELEMENTS and (kept := _kept(child, base)) is not None:
                made.append(kept)
                _copy_into(kept, child, base, depth + 1)
            else:
                _copy_into(made, child, base, depth + 1)
        _append_text(made, child.tail)


def _kept(child: html.HtmlElement, base: str | None) -> html.HtmlElement | None:
    """The element again, without what it may not have; None for a link or a picture that leads nowhere."""
    kept = html.Element(child.tag)
    if child.tag in ("a", "img"):
        name = "href" if child.tag == "a" else "src"
        address = absolute(str(child.get(name) or ""), base)
        if address is None:
            return html.Element("span") if child.tag == "img" else None
        kept.set(name, address)
        if child.tag == "img":
            kept.set("alt", cleaned(str(child.get("alt") or "")))
    if child.tag == "ol" and str(child.get("start", "")).isdecimal():
        kept.set("start", str(child.get("start")))
    return kept


def absolute(address: str, base: str | None) -> str | None:
    """A web address as it may be printed, a relative one made absolute; None for what must not be.

    >>> absolute("../a.jpg", "https://e.org/issues/1.html"), absolute("a.jpg", None), absolute("javascript:x", None)
    ('https://e.org/a.jpg', None, None)
    """
    try:
        return printable_url(urljoin(base, address) if base else address)
    except ValueError:
        return None


def _append_text(made: html.HtmlElement, text: str | None) -> None:
    if not text:
        return
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text
