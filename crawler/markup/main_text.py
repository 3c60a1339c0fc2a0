"""The main text of an article's page, as the page's own markup.

trafilatura finds the text and leaves out the frame of the page; but it also leaves out lines that are only links (an
article's paper and code), formulas and the lines of code. So its text says which blocks of the page are the article's,
and their own markup is taken.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final
from unicodedata import normalize
from urllib.parse import urlsplit

import trafilatura
from lxml import etree
from lxml.html import HtmlElement
from trafilatura.settings import Document

from crawler.characters import keep_letters
from crawler.markup.html import collapse, inner_html, parse, plain_text, text_of
from crawler.markup.metadata import PageMetadata, site_of

_NO_TEXT: Final = ("button", "iframe", "nav", "noscript", "script", "style", "template")
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section",
    "summary", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_LINES: Final = ("p", "li", "h2", "h3", "blockquote", "pre", "td", "div", "section", "span")
"""Elements by which the extracted lines are found again in the page."""
_HTML_TAGS: Final = {
    "cell": "td", "code": "pre", "head": "h2", "item": "li", "lb": "br", "list": "ul", "quote": "blockquote",
    "row": "tr",
}  # fmt: skip
"""Names that trafilatura gives to blocks, and names that HTML gives to them."""
_RUN: Final = "data-run"
"""Marks an element that stands for a run of text between blocks."""
_MAIN: Final = (
    "//*[@itemprop='articleBody']",
    "//article",
    "//main | //*[@role='main']",
    "//*[@id='content' or @id='article' or @id='main' or contains(@class, 'article') or contains(@class, 'post')]",
    "//body",
)
# Seen 2026-11: https://twitter.com/intent/tweet?url=…, https://service.weibo.com/share/share.php?url=…
_SHARING: Final = re.compile(
    r"//(?:[\w-]+\.)*(?:facebook|twitter|x|linkedin|pinterest|reddit|tumblr|whatsapp|telegram|t|instagram|youtube|xing|vk|weibo"
    r"|douban|renren|mastodon|threads|bsky)\.(?:com|net|me|social|app)/|/(?:share|sharer|intent)[./?]",
    re.IGNORECASE,
)
# Seen 2026-11: <div class="related-posts">, <ul class="share-buttons">
_BESIDE: Final = re.compile(
    r"comment|related|recommend|sidebar|widget|share|social|newsletter|subscribe|promo|advert|sponsor|breadcrumb|author-?(?:box|bio)",
    re.IGNORECASE,
)

_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "header"})
_BESIDE_TAGS: Final = frozenset({"aside", "figcaption", "footer", "form", "nav"})
# Seen 2026-11: 论文地址：https://… / Code: https://…
_REFERENCE_LABEL: Final = re.compile(r"\W{0,3}[\w ]{2,24}[:：]")
_PLAIN_ADDRESS: Final = re.compile(r"https?://|www\.|\w\.(?:com|org|net|io|cn|ai|edu)/", re.IGNORECASE)
_REFERENCE_HOST: Final = re.compile(
    r"//(?:[\w-]+\.)*(?:arxiv\.org|github\.com|gitlab\.com|gitee\.com|huggingface\.co|doi\.org|openreview\.net)/|\.pdf$",
    re.IGNORECASE,
)

SHORT_TEXT: Final = 600
"""Characters; a challenge or an error page may say as much, an article says more."""

_LONG_LINE: Final = 12  # characters; shorter lines stand in menus, too
_LONGEST_LINK_LINE: Final = 300  # characters of a block that is kept for its link
_MOST_AFTER: Final = 4  # blocks with links after the last extracted one


def find_main_html(page: PageMetadata, title: str) -> tuple[str, str]:
    """Find the main text of a page.

    Args:
        page: the page.
        title: of the article; a heading that repeats it is no part of the text.

    Returns:
        Markup and its plain text; both are empty where the page has no text.
    """
    document = page.document
    if page.is_heavy:
        return _with_text(_largest_element(document))
    extracted = _extract(document)
    text = normalize("NFC", plain_text(extracted))
    around = _element_around(document, text)
    if around is not None:
        own = _take_own(around, text, title, _site_name(page.address))
        own_text = plain_text(own)
        if 10 * len(keep_letters(own_text)) >= 9 * len(keep_letters(text).removeprefix(keep_letters(title))):
            return inner_html(own), own_text
    return _without_title(inner_html(extracted), title), text


def _with_text(markup: str) -> tuple[str, str]:
    return markup, plain_text(parse(f"<div>{markup}</div>"))


def _extract(document: HtmlElement) -> etree._Element:
    """The main text by trafilatura, without links, for which it would take more of a page's frame for text."""
    extracted = trafilatura.bare_extraction(document, include_comments=False)
    if not isinstance(extracted, Document) or extracted.body is None:
        return etree.Element("body")
    for element in extracted.body.iter(*_HTML_TAGS):
        element.tag = _HTML_TAGS[element.tag]
    return extracted.body


def _largest_element(document: HtmlElement) -> str:
    """The markup of the largest element that calls itself the main one."""
    for path in _MAIN:
        largest = max(document.xpath(path)[:10], key=lambda node: len(node.text_content()), default=None)
        if largest is not None and len(largest.text_content()) >= SHORT_TEXT:
            return inner_html(_copy(largest))
    return ""


def _element_around(document: HtmlElement, text: str) -> HtmlElement | None:
    """The smallest element that holds all extracted lines that the page has as blocks of its own."""
    lines = {keep_letters(line) for line in text.split("\n") if len(line) >= _LONG_LINE}
    whole = keep_letters(text)
    around: list[HtmlElement] = []
    matched = 0
    former_parent: HtmlElement | None = None
    for node in document.iter(*_LINES) if lines else ():
        if any(child.tag in _BLOCKS for child in node):
            continue
        content = text_of(node)
        line = keep_letters(content) if len(content) >= _LONG_LINE else ""
        if len(line) >= _LONG_LINE and (line in lines or line in whole):
            lines.discard(line)
            matched += len(line)
            parent = node.getparent()
            if parent is former_parent:
                continue
            former_parent = parent
            ancestors = dict.fromkeys(node.iterancestors())
            around = [ancestor for ancestor in around if ancestor in ancestors] if around else list(ancestors)
    if not around or around[0].tag == "html" or 2 * matched < len(whole):
        return None
    return around[0]


def _take_own(around: HtmlElement, text: str, title: str, site: str) -> HtmlElement:
    """A copy of an element, less the parts that were not extracted and hold nothing that extraction loses."""
    copy = _copy(around)
    whole, lines = keep_letters(text), {keep_letters(line) for line in text.split("\n")}
    containers = _containers(copy)
    for container in containers:
        _wrap_runs(container, containers)
    leaves = [node for node in copy.iter() if (node.tag in _BLOCKS or node.get(_RUN)) and node not in containers]
    frame = _Frame()
    extracted_flags = [_is_extracted(node, whole, lines) for node in leaves]
    last = max((position for position, is_kept in enumerate(extracted_flags) if is_kept), default=-1)
    first = extracted_flags.index(True) if last >= 0 else 0
    after = 0
    for position, node in enumerate(leaves):
        is_title = node.tag in {"h1", "h2"} and keep_letters(node.text_content()) == keep_letters(title)
        stays = extracted_flags[position] or (first < position and _holds_more(node, site, frame))
        if stays and position > last and node.text_content().strip():
            after += 1
            stays = after <= _MOST_AFTER and (node.tag == "pre" or _is_reference(node))
        if (is_title or not stays) and node.getparent() is not None:
            node.drop_tree()
    for run in copy.xpath(f".//span[@{_RUN}]"):
        run.drop_tag()
    return copy


def _containers(copy: HtmlElement) -> dict[HtmlElement, None]:
    """The elements that hold blocks."""
    containers: dict[HtmlElement, None] = {copy: None}
    for node in copy.iter(*_BLOCKS):
        for around in node.iterancestors():
            if around in containers:
                break
            containers[around] = None
    return containers


def _wrap_runs(container: HtmlElement, containers: dict[HtmlElement, None]) -> None:
    """Put each run of text and inline elements between a container's blocks into an element of its own."""
    run: HtmlElement | None = None
    if (container.text or "").strip():
        run = container.makeelement("span", {_RUN: "1"})
        run.text, container.text = container.text, None
        container.insert(0, run)
    for child in list(container):
        if child is run:
            continue
        if child.tag in _BLOCKS or child in containers:
            run = None
        else:
            if run is None:
                run = container.makeelement("span", {_RUN: "1"})
                container.insert(container.index(child), run)
            tail, child.tail = child.tail, None
            run.append(child)
            child.tail = tail
            continue
        if (child.tail or "").strip():
            run = container.makeelement("span", {_RUN: "1"})
            run.text, child.tail = child.tail, None
            container.insert(container.index(child) + 1, run)


def _is_extracted(block: HtmlElement, whole: str, lines: set[str]) -> bool:
    """Whether the text of a block is in the extracted text; of a block without text, its pictures."""
    line = keep_letters(text_of(block))
    return line in lines if len(line) < _LONG_LINE else line in whole or _parts_in(block, whole)


def _parts_in(block: HtmlElement, whole: str) -> bool:
    """Whether most lines of a block that breaks them itself are in the extracted text."""
    parts = [keep_letters(line) for line in plain_text(block).split("\n")]
    return 2 * sum(len(part) for part in parts if part in whole) > sum(map(len, parts))


def _holds_more(block: HtmlElement, site: str, frame: _Frame) -> bool:
    """Whether a block holds what extraction loses: code, a formula, a picture, or a link to another site."""
    text = text_of(block)
    has_formula = next(block.iter("math", "pre"), None) is not None
    if text.strip() and not has_formula:
        if len(text) > _LONGEST_LINK_LINE:
            return False
        targets = [link.get("href") or "" for link in block.iter("a")]
        if not any(_leads_elsewhere(target, site) for target in targets) or frame.is_heading(block):
            return False  # a heading with a link is that of another article
    return not frame.is_beside(block)


def _leads_elsewhere(target: str, site: str) -> bool:
    try:
        is_web = urlsplit(target).scheme in {"http", "https"}
        return is_web and _site_name(target) != site and not _SHARING.search(target)
    except ValueError:
        return False


def _site_name(address: str) -> str:
    """The name in an address by which one site is known under several domains.

    >>> _site_name("https://www.tiny-notes.example.com"), _site_name("https://a.tinynotes.org/b")
    ('example', 'tinynotes')
    """
    return site_of(address).partition(".")[0].replace("-", "")


def _is_reference(block: HtmlElement) -> bool:
    """Whether a line behind the text is one of the article's references: a label, or a link that shows its address."""
    text = collapse(block.text_content())
    return bool(_REFERENCE_LABEL.match(text)) or any(
        _PLAIN_ADDRESS.search(link.text_content()) or _REFERENCE_HOST.search(link.get("href") or "")
        for link in block.iter("a")
    )


@dataclass(slots=True)
class _Frame:
    """Which elements are the frame of a page, or headings; each is looked at once, and its children by its answer."""

    _beside: dict[HtmlElement, bool] = field(default_factory=dict)
    _headings: dict[HtmlElement, bool] = field(default_factory=dict)

    def is_beside(self, element: HtmlElement | None) -> bool:
        """Whether an element stands beside the article's text: in a form, a list of other articles, a caption."""
        if element is None:
            return False
        if element not in self._beside:
            marks = f"{element.get('class') or ''} {element.get('id') or ''}"
            is_own = element.tag in _BESIDE_TAGS or bool(marks.strip() and _BESIDE.search(marks))
            self._beside[element] = is_own or self.is_beside(element.getparent())
        return self._beside[element]

    def is_heading(self, element: HtmlElement | None) -> bool:
        """Whether an element is a heading, or stands in one."""
        if element is None:
            return False
        if element not in self._headings:
            self._headings[element] = element.tag in _HEADINGS or self.is_heading(element.getparent())
        return self._headings[element]


def _copy(element: HtmlElement) -> HtmlElement:
    """A copy without scripts and the like; a drawing stays where it holds text (HTML in `foreignObject`)."""
    copy = deepcopy(element)
    copy.tail = None
    etree.strip_elements(copy, *_NO_TEXT, with_tail=False)
    for drawing in list(copy.iter("svg")):
        if drawing.find(".//foreignobject") is None:
            drawing.drop_tree()
    return copy


def _without_title(html: str, title: str) -> str:
    heading = re.match(r"\s*<h1[^>]{0,500}>([^<]{0,500})</h1>\s*", html)
    return html[heading.end() :] if heading and collapse(heading[1]) == title else html
