"""Issue -> HTML to paste into the editor of a WeChat official account.

WeChat takes no links but to its own articles, no style sheets, classes or ids, and no pictures from elsewhere. So other
links become numbered references at the end, all style stands in `style` attributes, and a picture becomes a mark where
it is to be put in, and is listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from css_inline import CSSInliner
from jinja2 import Environment, StrictUndefined
from lxml import html
from markupsafe import Markup

from pipelines.issue import inline
from pipelines.issue.entry import label_line
from pipelines.issue.formats.html import inner_html, rendered
from pipelines.issue.markdown import accepted, item
from pipelines.issue.reading import code_lines
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter

_OWN: Final = re.compile(r"https?://mp\.weixin\.qq\.com/(?:s/[\w-]|s\?__biz=|mp/appmsgalbum)", re.IGNORECASE)
"""Addresses that an article in WeChat may link to; what dies within hours (`signature=`) is none of them."""
_DECLARATION: Final = re.compile(r"(?:[^;\"']|\"[^\"]*\"|'[^']*')+")
_FUNCTIONS: Final = frozenset(
    [
        "rgb",
        "rgba",
        "hsl",
        "hsla",
        "calc",
        "min",
        "max",
        "clamp",
        "linear-gradient",
        "radial-gradient",
        "translate",
        "scale",
        "rotate",
    ]
)
"""The functions of CSS that load nothing, as far as an article needs them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A link that became a number: the words that were linked, and where they led."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to upload: its number in the article, what it shows, where it lies (as the issue says)."""

    number: int
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class WeChatArticle:
    """What is pasted, and what has to be done by hand.

    Args:
        html: one `section`, self-contained.
        pictures: to be uploaded and put in place of their marks, in order.
        references: what the article's numbers stand for.
    """

    html: str
    pictures: tuple[Picture, ...]
    references: tuple[Reference, ...]


def to_wechat(issue: Issue, newsletter: Newsletter, template: str, css: str) -> WeChatArticle:
    """Write an issue as a WeChat article.

    Args:
        template: Jinja source: the text of `templates/wechat.html.j2`.
        css: the text of `templates/wechat.css`; what it would load from elsewhere is left out.
    """
    issue = accepted(issue, newsletter)
    notes = _Notes()
    parts = {
        "title": issue.title,
        "headline": issue.headline and Markup(_line(issue.headline, notes)),  # noqa: S704 - built from allowed elements
        "tagline": issue.tagline,
        "notice": _block(issue.notice, notes),
        "guide": issue.guide and Markup(_line(issue.guide, notes)),  # noqa: S704 - likewise
        "preamble": _block(issue.preamble, notes),
        "sections": [_section(section, newsletter, notes) for section in issue.sections if _says(section)],
        "footer": _block(issue.footer, notes),
        "references": list(notes.references.values()),
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string(template).render(issue=parts, labels=newsletter.labels, publish=newsletter.publish)
    return WeChatArticle(_inlined(text, css), tuple(notes.pictures), tuple(notes.references.values()))


def page(article: WeChatArticle, issue: Issue) -> str:
    """The file: the article, and above it, outside of what is copied, how to paste it and which pictures to upload."""
    title = Markup.escape(f"{issue.title} ({issue.date})")
    pictures = "".join(
        Markup("<li>图 {}：{}（{}）</li>").format(one.number, one.words or "无说明", one.url)
        for one in article.pictures
    )
    wanted = f"<p>粘贴之后，在有「图 n」的地方插入这些图片：</p><ol>{pictures}</ol>" if pictures else ""
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="zh"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        '<body style="margin: 0 auto; max-width: 677px; padding: 16px">\n'
        '<section style="font-size: 13px; color: #666666; border-bottom: 1px solid #cccccc; margin-bottom: 16px">'
        f"<p>横线以下的全部内容，选中、复制，粘贴进公众号编辑器。</p>{wanted}</section>\n"
        f"{article.html}\n</body></html>\n"
    )


# ---- Parts


@dataclass
class _Notes:
    """What the parts before this one referred to."""

    references: dict[str, Reference] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)

    def number(self, words: str, url: str) -> int:
        """The number of an address; the same each time that it is linked."""
        self.references.setdefault(url, Reference(words, url))
        return list(self.references).index(url) + 1


def _says(section: Section) -> bool:
    return bool(section.notes or section.closing or any(entry.markdown.strip() for entry in section.entries))


def _section(section: Section, newsletter: Newsletter, notes: _Notes) -> dict[str, Any]:
    return {
        "name": section.name,
        "notes": _block(section.notes, notes),
        "entries": [_entry(entry, newsletter, notes) for entry in section.entries if entry.markdown.strip()],
        "closing": _block(section.closing, notes),
    }


def _entry(entry: Entry, newsletter: Newsletter, notes: _Notes) -> dict[str, Any]:
    first, *others = entry.markdown.split("\n")
    code = code_lines(others)
    parts: list[tuple[str, list[str]]] = []
    for at, line in enumerate(others):
        kind = "label" if at not in code and label_line(line, newsletter) else "summary"
        if kind == "summary" and parts and parts[-1][0] == "summary":
            parts[-1][1].append(line)
        else:
            parts.append((kind, [line]))
    return {
        "title": Markup(_line(first, notes)),  # noqa: S704 - built from allowed elements, as are all parts
        "parts": [
            {"kind": kind, "html": _part(kind, lines, newsletter, notes)}
            for kind, lines in parts
            if "".join(lines).strip()
        ],
    }


def _part(kind: str, lines: list[str], newsletter: Newsletter, notes: _Notes) -> Markup:
    if kind == "label":
        return Markup(_line(lines[0], notes))  # noqa: S704
    said = str(_block(item(Entry("\n".join(lines))).removeprefix("- "), notes) or "")
    word = re.escape(newsletter.labels.summary)
    return Markup(  # noqa: S704
        re.sub(rf"^\s*<p>(?:<strong>)?({word}[:：])(?:</strong>)?", r'<p><span class="word">\1</span>', said, count=1)
    )


def _line(markdown: str, notes: _Notes) -> str:
    """One line of Markdown, without a paragraph around it."""
    tree = _without_links(rendered(markdown, _NOWHERE), notes)
    if len(tree) == 1 and tree[0].tag == "p" and not (tree.text or "").strip():
        return inner_html(tree[0])
    return inner_html(tree)


def _block(markdown: str | None, notes: _Notes) -> Markup | None:
    if not markdown or not markdown.strip():
        return None
    return Markup(inner_html(_without_links(rendered(markdown, _NOWHERE), notes)).strip())  # noqa: S704


_SITE: Final = "https://issue.invalid/"
_NOWHERE: Final = f"{_SITE}here/"
"""What relative addresses are read against, so that a picture beside the issue is listed."""


def _without_links(tree: html.HtmlElement, notes: _Notes) -> html.HtmlElement:
    for element in list(tree.iter("a", "img")):
        if element.tag == "img":
            _mark(element, notes)
        else:
            _note(element, notes)
    return tree


def _mark(image: html.HtmlElement, notes: _Notes) -> None:
    url = str(image.attrib.pop("src", "")).removeprefix(_NOWHERE).replace(_SITE, "../")
    picture = Picture(len(notes.pictures) + 1, str(image.attrib.pop("alt", "")), url)
    notes.pictures.append(picture)
    image.tag = "span"
    image.set("class", "image")
    image.text = f"图 {picture.number}" + (f"：{picture.words}" if picture.words else "")


def _note(anchor: html.HtmlElement, notes: _Notes) -> None:
    url = str(anchor.get("href") or "")
    if _OWN.match(url):
        return
    del anchor.attrib["href"]
    anchor.tag = "span"
    pictures = " ".join(str(image.get("alt") or "图") for image in anchor.iter("img"))
    words = inline.plain("".join(anchor.itertext())) or pictures
    if url.startswith(_SITE) or not words or words.rstrip("/") == url.rstrip("/"):
        return  # it says its address already, or leads to nothing outside of the site
    mark = html.Element("sup")
    mark.set("class", "reference")
    mark.text = f"[{notes.number(words, url)}]"
    mark.tail, anchor.tail = anchor.tail, None
    anchor.addnext(mark)


# ---- Style


def _inlined(text: str, css: str) -> str:
    """The HTML with each rule of the style sheet in the attributes of what it is about, and no class left."""
    styled = _inliner().inline_fragment(text, css)
    tree = html.fragment_fromstring(styled, create_parent="div")
    for element in tree.iter():
        if isinstance(element.tag, str):
            element.attrib.pop("class", None)
            if style := element.attrib.pop("style", None):
                element.set("style", _harmless(str(style)))
    return inner_html(tree).strip()


def _harmless(style: str) -> str:
    """The declarations that load nothing.

    >>> _harmless("color: red;background: url(//e.org/x);width: calc(1px + 2px)")
    'color: red;width: calc(1px + 2px)'
    """
    return ";".join(one for one in _DECLARATION.findall(style) if one.strip() and _loads_nothing(one))


def _loads_nothing(declaration: str) -> bool:
    return "\\" not in declaration and all(
        name.casefold() in _FUNCTIONS for name in re.findall(r"([\w-]*)\s*\(", declaration)
    )


def _inliner() -> CSSInliner:
    """Never loads what a page names: by default it would."""
    return CSSInliner(load_remote_stylesheets=False, inline_style_tags=False)
