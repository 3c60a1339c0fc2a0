"""HTML of an article -> its main text, and its links with the place in the text where each stands.

One pass of lxml, no Beautiful Soup: a WeChat post has thousands of spans, and only its blocks matter. Breaks and
links are written into the tree as characters that no text has, then the whole is read as one string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urljoin

from lxml import etree

from pipelines.model import ArticleLink
from pipelines.normalise.text import MAX_TEXT, clean, lines_of, without_boilerplate
from pipelines.rules import Rules

MAX_HTML: Final = 2_000_000
"""Characters of HTML that are read; the rest is not."""

MAX_LINKS: Final = 1_000
"""Links of one article that are kept."""

_MAX_ROW: Final = 400
"""Characters of a table row that stays one line; a longer one is layout, its cells are paragraphs."""

_BREAK: Final = "\u2029"
"""Paragraph separator: a break of ours; as a character of the page it means the same."""

_INDENT: Final = "\ufdd2"
"""A blank of program code, kept. A non-character: Unicode leaves those to programs, and pages' own are taken out."""

_BULLET: Final = "- "
_LONE_BULLET: Final = re.compile(r"^- *\n\s*", re.MULTILINE)
"""A list item whose words stand in a block of their own."""

_DROPPED: Final = (
    "script", "style", "noscript", "template", "head", "title", "meta", "link", "svg", "math", "iframe", "object",
    "embed", "audio", "video", "canvas", "button", "select", "textarea", "input", "map", "mp-style-type",
    "mp-common-profile", "mpprofile",
)  # fmt: skip
_BLOCKS: Final = (
    "p", "div", "section", "article", "header", "footer", "main", "aside", "address", "h1", "h2", "h3", "h4", "h5",
    "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "table", "tr", "td", "th", "caption", "figure",
    "figcaption", "details", "summary", "form", "hr", "center",
)  # fmt: skip
_NOT_TO_SEND: Final = "\0\ufdd0\ufdd1\ufdd2"
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]+")
_REFERENCE: Final = re.compile("&#(?:([0-9]{1,9})|[xX]([0-9A-Fa-f]{1,8}));?")
_WHITE_SPACE: Final = re.compile("[\t\r\n]+")
_HIDDEN: Final = etree.XPath("//*[@hidden or contains(@style, 'display:none') or contains(@style, 'display: none')]")
_STRING: Final = etree.XPath("string()", smart_strings=False)


@dataclass(frozen=True, slots=True)
class Content:
    """Main text, a paragraph a line, and its links in order."""

    text: str
    links: tuple[ArticleLink, ...] = ()


def read_html(html: str, base: str, rules: Rules) -> Content:
    """Main text and links of an article's HTML.

    Args:
        html: a fragment or a whole page, untrusted.
        base: address of the page, for relative links.

    Returns:
        Paragraphs, list items (`- `), table rows (`a | b`) and lines of code, each on a line; no picture, no script,
        nothing hidden, no boilerplate. Empty for HTML without text.
    """
    source = html[:MAX_HTML]
    try:
        return _read(source, base, rules)
    except ValueError:  # lxml reads control characters but does not write them; they are too rare to look for each time
        return _read(_CONTROLS.sub("", _REFERENCE.sub(_unless_control, source)), base, rules)


def _unless_control(reference: re.Match[str]) -> str:
    decimal, hexadecimal = reference.groups()
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return "" if code > 0x10FFFF or _CONTROLS.match(chr(code)) else reference[0]


def _read(source: str, base: str, rules: Rules) -> Content:
    root = _parse(source)
    if root is None:
        return Content("")
    for element in [*root.iter(*_DROPPED), *cast(list[etree._Element], _HIDDEN(root))]:
        _empty(element)
    links = _mark_links(root, base)
    _lay_out(root)
    text = clean(_WHITE_SPACE.sub(" ", _string(root)), marked=True)
    lines = without_boilerplate(lines_of(_LONE_BULLET.sub(_BULLET, text)), rules)
    return _collect("\n".join(lines)[: 2 * MAX_TEXT].replace(_INDENT, " "), links)


def _parse(source: str) -> etree._Element | None:
    for character in _NOT_TO_SEND:
        source = source.replace(character, "")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return etree.fromstring(source.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:  # empty, or nothing but a comment
        return None


def _string(element: etree._Element) -> str:
    """All text below an element."""
    return cast(str, _STRING(element))


def _empty(element: etree._Element) -> None:
    """Leave nothing of an element but its place, and what follows it."""
    tail = element.tail
    element.clear()
    element.tail = tail


# ---- Links: a mark with a number stands before the words of each

_MARK: Final = re.compile("\ufdd0(\\d+)\ufdd1")


def _mark_links(root: etree._Element, base: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for anchor in root.iter("a"):
        url = _absolute(anchor.get("href") or "", base)
        if url is None or len(found) >= MAX_LINKS:
            continue
        words = " ".join(_string(anchor)[:400].split())[:200]
        anchor.text = f"\ufdd0{len(found)}\ufdd1{anchor.text or ''}"
        found.append((url, words))
    return found


def _absolute(href: str, base: str) -> str | None:
    href = href.strip()
    if href[:8].lower().startswith(("http://", "https://")):
        return href
    if not href or href.startswith("#") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", href):
        return None
    try:
        return urljoin(base, href)
    except ValueError:
        return None


def _collect(text: str, links: list[tuple[str, str]]) -> Content:
    """Take the marks out and note where they stood."""
    parts: list[str] = []
    found: list[ArticleLink] = []
    length = at = 0
    for match in _MARK.finditer(text):
        parts.append(text[at : match.start()])
        length += match.start() - at
        at = match.end()
        number = int(match[1][:6])
        if number < len(links):
            url, words = links[number]
            found.append(ArticleLink(url, clean(words), length))
    parts.append(text[at:])
    return Content("".join(parts)[:MAX_TEXT], tuple(found))


# ---- Layout


def _lay_out(root: etree._Element) -> None:
    for row in root.iter("tr"):
        _flatten_row(row)
    for element in root.iter("pre"):
        _keep_lines(element)
    for element in root.iter("br"):
        element.tail = _BREAK + (element.tail or "")
    for element in root.iter("li"):
        element.text = f"{_BULLET}{element.text or ''}"
    for element in root.iter(*_BLOCKS):
        element.text = _BREAK + (element.text or "")
        element.tail = _BREAK + (element.tail or "")


def _flatten_row(row: etree._Element) -> None:
    cells = list(row.iterchildren("td", "th"))
    if len(cells) < 2 or row.find(".//table") is not None:
        return
    text = " | ".join(" ".join(_string(cell).split()) for cell in cells)
    if len(text) <= _MAX_ROW:
        _empty(row)
        row.text = text


def _keep_lines(element: etree._Element) -> None:
    """Program code: its line breaks and indents count. WeChat writes a `code` element for each line."""
    for end in element.iter("br"):
        end.tail = "\n" + (end.tail or "")
    lines = list(element.iter("code"))
    for line in lines if len(lines) > 1 else ():
        line.tail = "\n" + (line.tail or "")
    code = _string(element).expandtabs(4)
    _empty(element)
    element.text = _BREAK.join(map(_indented, code.split("\n")))


def _indented(line: str) -> str:
    code = line.lstrip(" ")
    return _INDENT * (len(line) - len(code)) + code
