"""HTML of an article -> its main text, and its links with the position of each in the text.

One pass of lxml, no Beautiful Soup: a WeChat post has thousands of spans, and only its blocks matter. The module
writes line breaks and links into the tree as characters that no text has, then reads the tree as one string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urljoin

from lxml import etree

from pipelines.model import ArticleLink
from pipelines.normalise.text import MAX_TEXT, clean_text, split_lines, strip_boilerplate
from pipelines.rules import Rules

MAX_HTML: Final = 2_000_000
"""Characters of HTML that are read; the remainder is ignored."""

MAX_LINKS: Final = 1_000
"""Links of one article."""

_MAX_ROW: Final = 400
"""Characters of a table row that becomes one line; a longer row is layout, and its cells become paragraphs."""

_BREAK: Final = "\u2029"
"""Paragraph separator: a line break that this module sets; in a page it means the same."""

_INDENT: Final = "\ufdd2"
"""A blank that indents program code. Unicode reserves this non-character for programs; it is removed from pages."""

_BULLET: Final = "- "
_LONE_BULLET: Final = re.compile(r"^- *\n\s*", re.MULTILINE)
"""A bullet on a line of its own: the list item's text is in a block inside it."""

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
_CHARACTER_REFERENCE: Final = re.compile("&#(?:([0-9]{1,9})|[xX]([0-9A-Fa-f]{1,8}));?")
_WHITE_SPACE: Final = re.compile("[\t\r\n]+")
# class="line-numbers-rows", class="hljs-ln-numbers", class="gutter", class="lineno"
_LINE_NUMBERS: Final = re.compile(
    r"(?:^|[\s_-])(?:line-?numbers?-?(?:rows)?|ln-numbers?|gutter|linenos?|line-index|lnum)(?:$|[\s_-])", re.IGNORECASE
)
_HIDDEN: Final = etree.XPath("//*[@hidden or contains(@style, 'display:none') or contains(@style, 'display: none')]")
_HIDDEN_HINTS: Final = (b"hidden", b"display", b"&#")
_STRING: Final = etree.XPath("string()", smart_strings=False)


@dataclass(frozen=True, slots=True)
class Content:
    """The main text of a page.

    Args:
        text: one paragraph a line.
        links: of the text, in order.
    """

    text: str
    links: tuple[ArticleLink, ...] = ()


def read_html(html: str, base: str, rules: Rules) -> Content:
    """Read the main text and the links of an article's HTML.

    Args:
        html: a fragment or a whole page, untrusted.
        base: address of the page, for relative links.
        rules: the tables of data/rules, for boilerplate.

    Returns:
        Paragraphs, list items (`- `), table rows (`a | b`) and lines of code, each on a line; no pictures, no scripts,
        no hidden elements, no boilerplate. Empty for HTML without text.
    """
    source = html[:MAX_HTML]
    try:
        return _read_tree_text(source, base, rules)
    except ValueError:  # lxml reads control characters but does not write them; they are too rare to search each page
        return _read_tree_text(
            _CONTROLS.sub("", _CHARACTER_REFERENCE.sub(_drop_control_reference, source)), base, rules
        )


def _drop_control_reference(reference: re.Match[str]) -> str:
    decimal, hexadecimal = reference.groups()
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return "" if code > 0x10FFFF or _CONTROLS.match(chr(code)) else reference[0]


def _read_tree_text(source: str, base: str, rules: Rules) -> Content:
    root = _parse_html(source)
    if root is None:
        return Content("")
    written = source.encode("ascii", "ignore").lower()  # much shorter, and a hint is ASCII
    if any(hint in written for hint in _FORMULA_HINTS) or written.count(b"tex") > written.count(b"text"):
        write_formulas(root)
    unwrap_drawings(root)
    hidden = cast(list[etree._Element], _HIDDEN(root)) if any(hint in written for hint in _HIDDEN_HINTS) else []
    for element in [*root.iter(*_DROPPED), *hidden]:
        _clear_element(element)
    links = _mark_links(root, base)
    _lay_out(root)
    text = clean_text(_WHITE_SPACE.sub(" ", _read_string(root)), marked=True)
    lines = strip_boilerplate(split_lines(_LONE_BULLET.sub(_BULLET, text)), rules)
    return _collect_links("\n".join(lines)[: 2 * MAX_TEXT].replace(_INDENT, " "), links)


def _parse_html(source: str) -> etree._Element | None:
    for character in _NOT_TO_SEND:
        source = source.replace(character, "")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return etree.fromstring(source.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:  # the page is empty or a single comment
        return None


def _read_string(element: etree._Element) -> str:
    """The text of an element and of all elements in it."""
    return cast(str, _STRING(element))


def _clear_element(element: etree._Element) -> None:
    """Remove the content of an element; the element and the text behind it stay."""
    tail = element.tail
    element.clear()
    element.tail = tail


# ---- Formulas and drawings, whose text is in attributes or in elements that are dropped

_FORMULA_HINTS: Final = (b"math", b"formula", b"equation", b"alttext", b"eeimg", b"cht=", b"&#")
"""A page without any of them, and without the `tex` of other words than `text`, has no formula; a character reference
may write any of them."""

# alt="x" of a picture whose address is https://www.zhihu.com/equation?tex=x or …/svg.latex?x
_FORMULA_PICTURE: Final = re.compile(r"(?:/equation\?tex=|latex\?|/math/render/|/tex\?|chart\?cht=tx)", re.IGNORECASE)
_FORMULA_CLASS: Final = re.compile(
    r"(?:^|[\s_-])(?:tex|latex|math|formula|equation|katex|mathjax)(?:$|[\s_-])", re.IGNORECASE
)
_DOLLARS: Final = re.compile(r"^\s*(?:\${1,2}|\\\(|\\\[)|(?:\${1,2}|\\\)|\\\])\s*$")
_MAX_FORMULA: Final = 2_000
_TEX_SCRIPTS: Final = etree.XPath("//script[starts-with(@type, 'math/tex')]")
_TEX_ATTRIBUTES: Final = ("data-formula", "data-tex", "data-latex", "data-math", "alttext")
_WITH_TEX: Final = etree.XPath("//*[@data-formula or @data-tex or @data-latex or @data-math or @alttext]")
_KATEX: Final = etree.XPath("//*[contains(concat(' ', @class, ' '), ' katex ')]")
_ANNOTATED: Final = etree.XPath(".//annotation[contains(@encoding, 'tex') or contains(@encoding, 'TeX')]")
_MATHJAX_OUTPUT: Final = etree.XPath(
    "//*[contains(@class, 'MathJax_Preview') or contains(@class, 'MathJax_Display')"
    " or (contains(concat(' ', @class, ' '), ' MathJax ') and following-sibling::*[1][self::script])]"
)
_LONG_LABEL: Final = 8
"""Characters of a drawing's text that is a sentence or a heading; shorter ones label a chart."""


def write_formulas(root: etree._Element) -> None:
    """Write each formula as TeX between dollars in place of its picture, where the page has the TeX.

    Editors of WeChat keep it in `data-formula`, Zhihu in `data-tex` and in a picture's `alt`, MathJax in a script,
    KaTeX and MathML in an annotation.
    """
    for element in cast(list[etree._Element], _TEX_SCRIPTS(root)):
        _write_formula(element, element.text or "")
    for element in cast(list[etree._Element], _MATHJAX_OUTPUT(root)):
        _clear_element(element)
    for element in [*cast(list[etree._Element], _KATEX(root)), *root.iter("math")]:
        annotations = cast(list[etree._Element], _ANNOTATED(element))
        if annotations:
            _write_formula(element, annotations[0].text or "")
    for element in cast(list[etree._Element], _WITH_TEX(root)):
        _write_formula(element, next(filter(None, map(element.get, _TEX_ATTRIBUTES)), ""))
    for element in list(root.iter("math")):
        if not element.get(_WRITTEN):
            _write_formula(element, " ".join(_read_string(element).split()))
    for image in list(root.iter("img")):
        alt = image.get("alt") or ""
        is_formula = image.get("eeimg") or _FORMULA_PICTURE.search(image.get("src") or "")
        if alt and (is_formula or _FORMULA_CLASS.search(image.get("class") or "")):
            _write_formula(image, alt)


_WRITTEN: Final = "data-written"


def _write_formula(element: etree._Element, tex: str) -> None:
    """Put a formula in the place of an element."""
    tex = _DOLLARS.sub("", " ".join(tex.split()))
    if not tex or len(tex) > _MAX_FORMULA:
        return
    _clear_element(element)
    element.tag = "span"
    element.set(_WRITTEN, "formula")
    element.text = f"${tex}$"


def unwrap_drawings(root: etree._Element) -> None:
    """Take the text out of drawings: layouts of WeChat posts put paragraphs into the `foreignObject` of an `svg`."""
    for drawing in list(root.iter("svg")):
        inner = list(drawing.iter("foreignobject", "foreignObject"))
        labels = [node for node in drawing.iter("text") if len(" ".join(_read_string(node).split())) >= _LONG_LABEL]
        contents = [*(child for node in inner for child in node), *([] if inner else labels)]
        loose = " ".join(node.text.strip() for node in inner if node.text and node.text.strip())
        if not contents and not loose:
            continue
        for label in labels:
            label.tag = "p"
        tail = drawing.tail
        drawing.clear()
        drawing.tag, drawing.tail, drawing.text = "div", tail, loose or None
        drawing.extend(contents)


# ---- Links: a mark with a number stands before the label of each

_MARK: Final = re.compile("\ufdd0(\\d+)\ufdd1")


def _mark_links(root: etree._Element, base: str) -> list[tuple[str, str]]:
    links: list[tuple[str, str]] = []
    for anchor in root.iter("a"):
        url = _resolve_link(anchor.get("href") or "", base)
        if url is None or len(links) >= MAX_LINKS:
            continue
        label = " ".join(_read_string(anchor)[:400].split())[:200]
        anchor.text = f"\ufdd0{len(links)}\ufdd1{anchor.text or ''}"
        links.append((url, label))
    return links


def _resolve_link(href: str, base: str) -> str | None:
    href = href.strip()
    if href[:8].lower().startswith(("http://", "https://")):
        return href
    if not href or href.startswith("#") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", href):
        return None
    try:
        return urljoin(base, href)
    except ValueError:
        return None


def _collect_links(text: str, links: list[tuple[str, str]]) -> Content:
    """Remove the marks from the text and record the position of each."""
    parts: list[str] = []
    article_links: list[ArticleLink] = []
    length = end_of_mark = 0
    for match in _MARK.finditer(text):
        parts.append(text[end_of_mark : match.start()])
        length += match.start() - end_of_mark
        end_of_mark = match.end()
        number = int(match[1][:6])
        if number < len(links):
            url, label = links[number]
            article_links.append(ArticleLink(url, clean_text(label), length))
    parts.append(text[end_of_mark:])
    return Content("".join(parts)[:MAX_TEXT], tuple(article_links))


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
    text = " | ".join(" ".join(_read_string(cell).split()) for cell in cells)
    if len(text) <= _MAX_ROW:
        _clear_element(row)
        row.text = text


def _keep_lines(element: etree._Element) -> None:
    """Keep line breaks and indents of program code. WeChat writes a `code` element for each line."""
    for node in list(element.iter()):
        if isinstance(node.tag, str) and _LINE_NUMBERS.search(f"{node.get('class') or ''} {node.get('id') or ''}"):
            _clear_element(node)
    for end in element.iter("br"):
        end.tail = "\n" + (end.tail or "")
    for tags in (("code",), ("li", "div", "p", "tr", "section")):
        lines = list(element.iter(*tags))
        for line in lines if len(lines) > 1 else ():
            line.tail = "\n" + (line.tail or "").removeprefix("\n")
    code = _read_string(element).expandtabs(4)
    _clear_element(element)
    element.text = _BREAK.join(map(_mark_indent, code.split("\n")))


def _mark_indent(line: str) -> str:
    code = line.lstrip(" ")
    return _INDENT * (len(line) - len(code)) + code
