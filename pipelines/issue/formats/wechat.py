"""Issue -> HTML to paste into the editor of a WeChat official account.

WeChat accepts links to its own articles only, no style sheets, classes or ids, and no pictures of other hosts. So all
other links become numbered references at the end, all style is in `style` attributes, and a picture becomes a mark at
its position and a line in the list of pictures to upload.
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
from pipelines.issue.entry import read_label_line, split_first_line
from pipelines.issue.formats.html import render_inner_html, render_tree
from pipelines.issue.lines import find_code_lines, remove_comments
from pipelines.issue.markdown import remove_unprinted_parts, render_item
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter

# "https://mp.weixin.qq.com/s/GFEGaI2RxGHP0hQm2OXzzA", "https://mp.weixin.qq.com/s?__biz=MzA4"
_LASTING_ADDRESS: Final = re.compile(
    r"https?://mp\.weixin\.qq\.com/(?:s/[\w-]|s\?__biz=|mp/appmsgalbum)", re.IGNORECASE
)
"""Addresses that an article in WeChat may link to; an address that expires in hours (`signature=`) does not match."""

# 'color: red', "background: url('a;b')": one declaration of CSS
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
"""The functions of CSS that an article may use: none of them loads anything."""

# "calc(", "url ("
_FUNCTION: Final = re.compile(r"([\w-]*)\s*\(")


@dataclass(frozen=True, slots=True)
class Reference:
    """A link that became a number: its words and its address. Templates read both."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to upload: its number in the article, its description, its address as the issue has it."""

    number: int
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class WeChatArticle:
    """An article to paste, and the lists for the work by hand.

    Args:
        html: one `section`, self-contained.
        pictures: the pictures to upload, in the order of their marks.
        references: the links behind the article's numbers.
    """

    html: str
    pictures: tuple[Picture, ...]
    references: tuple[Reference, ...]


def render_wechat(issue: Issue, newsletter: Newsletter, template: str, css: str) -> WeChatArticle:
    """Write an issue as a WeChat article.

    Args:
        issue: its machine lines are not written.
        newsletter: its label words.
        template: Jinja source: the text of `templates/wechat.html.j2`.
        css: the text of `templates/wechat.css`; declarations that load anything are left out.

    Returns:
        The article, and its pictures and references.
    """
    issue = remove_unprinted_parts(issue, newsletter)
    notes = _Notes()
    parts = {
        "title": issue.title or newsletter.title,
        "headline": issue.headline and Markup(_render_line(issue.headline, notes)),  # noqa: S704 - built from allowed elements
        "tagline": issue.tagline,
        "notice": _render_block(issue.notice, notes),
        "guide": issue.guide and Markup(_render_line(issue.guide, notes)),  # noqa: S704 - likewise
        "preamble": _render_block(issue.preamble, notes),
        "sections": [_lay_out_section(section, newsletter, notes) for section in issue.sections if _has_text(section)],
        "footer": _render_block(issue.footer, notes),
        "references": list(notes.references.values()),
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string(template).render(issue=parts, labels=newsletter.labels, publish=newsletter.publish)
    return WeChatArticle(_inline_style(text, css), tuple(notes.pictures), tuple(notes.references.values()))


def render_wechat_page(article: WeChatArticle, issue: Issue, newsletter: Newsletter) -> str:
    """Write the file: the article, and above it the instructions for pasting and the pictures to upload."""
    title = Markup.escape(f"{issue.title or newsletter.title} ({issue.date})")
    pictures = "".join(
        Markup("<li>图 {}：{}（{}）</li>").format(picture.number, picture.words or "无说明", picture.url)
        for picture in article.pictures
    )
    uploads = f"<p>粘贴之后，在有「图 n」的地方插入这些图片：</p><ol>{pictures}</ol>" if pictures else ""
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="{newsletter.language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        '<body style="margin: 0 auto; max-width: 677px; padding: 16px">\n'
        '<section style="font-size: 13px; color: #666666; border-bottom: 1px solid #cccccc; margin-bottom: 16px">'
        f"<p>横线以下的全部内容，选中、复制，粘贴进公众号编辑器。</p>{uploads}</section>\n"
        f"{article.html}\n</body></html>\n"
    )


# ---- Parts


@dataclass
class _Notes:
    """The references and pictures of all parts so far, in order."""

    references: dict[str, Reference] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)

    def add_reference(self, text: str, url: str) -> int:
        """Add a reference and return its number: all links to one address have one number."""
        self.references.setdefault(url, Reference(text, url))
        return list(self.references).index(url) + 1


def _has_text(section: Section) -> bool:
    has_entries = any(entry.markdown.strip() for entry in section.entries)
    return has_entries or bool(not section.is_briefs and (section.notes or section.closing))


def _lay_out_section(section: Section, newsletter: Newsletter, notes: _Notes) -> dict[str, Any]:
    return {
        "name": section.name,
        "has_heading": not section.is_briefs,
        "notes": _render_block(section.notes, notes),
        "entries": [_lay_out_entry(entry, newsletter, notes) for entry in section.entries if entry.markdown.strip()],
        "closing": _render_block(section.closing, notes),
    }


def _lay_out_entry(entry: Entry, newsletter: Newsletter, notes: _Notes) -> dict[str, Any]:
    first_line, lines = split_first_line(remove_comments(entry.markdown))
    code = find_code_lines(lines)
    parts: list[tuple[str, list[str]]] = []
    for number, line in enumerate(lines):
        kind = "label" if number not in code and read_label_line(line, newsletter) else "summary"
        if kind == "summary" and parts and parts[-1][0] == "summary":
            parts[-1][1].append(line)
        else:
            parts.append((kind, [line]))
    return {
        "title": Markup(_render_line(first_line, notes)),  # noqa: S704 - built from allowed elements, as are all parts
        "parts": [
            {"kind": kind, "html": _render_part(kind, part_lines, newsletter, notes)}
            for kind, part_lines in parts
            if "".join(part_lines).strip()
        ],
    }


def _render_part(kind: str, lines: list[str], newsletter: Newsletter, notes: _Notes) -> Markup:
    if kind == "label":
        return Markup(_render_line(lines[0], notes))  # noqa: S704
    tree = render_tree(render_item(Entry("\n".join(lines))), _ISSUE_FOLDER)
    _unwrap_item(tree)
    text = render_inner_html(_adapt(tree, notes)).strip()
    if not newsletter.labels.summary:
        return Markup(text)  # noqa: S704
    word = re.escape(newsletter.labels.summary)
    return Markup(  # noqa: S704
        re.sub(rf"^\s*<p>(?:<strong>)?({word}[:：])(?:</strong>)?", r'<p><span class="word">\1</span>', text, count=1)
    )


def _render_line(markdown: str, notes: _Notes) -> str:
    """Render one line of Markdown, without a paragraph around it."""
    tree = _adapt(render_tree(markdown, _ISSUE_FOLDER), notes)
    if len(tree) == 1 and tree[0].tag == "p" and not (tree.text or "").strip():
        return render_inner_html(tree[0])
    return render_inner_html(tree)


def _render_block(markdown: str | None, notes: _Notes) -> Markup | None:
    if not markdown or not markdown.strip():
        return None
    return Markup(render_inner_html(_adapt(render_tree(markdown, _ISSUE_FOLDER), notes)).strip())  # noqa: S704


def _unwrap_item(tree: html.HtmlElement) -> None:
    """Put the content of the first item of a list in the place of the list; text without a paragraph gets one."""
    if not len(tree) or tree[0].tag != "ul" or not len(tree[0]):
        return
    item = tree[0][0]
    paragraph = html.Element("p")
    paragraph.text, item.text = item.text, None
    while len(item) and item[0].tag not in _BLOCKS:
        paragraph.append(item[0])
    if len(paragraph) or (paragraph.text or "").strip():
        item.insert(0, paragraph)
    tree[0].drop_tag()
    item.drop_tag()


_BLOCKS: Final = frozenset(("p", "ul", "ol", "pre", "blockquote", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"))


_SITE: Final = "https://issue.invalid/"
_ISSUE_FOLDER: Final = f"{_SITE}here/"
"""The base of relative addresses: it makes a picture beside the issue absolute, so that the picture is listed."""


def _adapt(tree: html.HtmlElement, notes: _Notes) -> html.HtmlElement:
    """Adapt a part to the editor of an official account: its links, pictures, code and nested lists."""
    _replace_links(tree, notes)
    for code in tree.iter("pre"):
        _keep_lines(code)
    for outer_list in [each for each in tree.iter("ul", "ol") if not _is_inside_list(each)]:
        if any(inner is not outer_list for inner in outer_list.iter("ul", "ol")):
            _lay_out_list(outer_list)
    return tree


def _keep_lines(code: html.HtmlElement) -> None:
    """Write the line ends of code as `<br>` and its blanks as no-break spaces: the editor folds both (doocs/md#894)."""
    for element in list(code.iter()):
        for side in ("text", "tail"):
            text = getattr(element, side)
            if not text or (side == "tail" and element is code):
                continue
            first, *lines = text.rstrip("\n").replace("\t", "    ").replace(" ", "\xa0").split("\n")
            setattr(element, side, first)
            breaks = []
            for line in lines:
                line_break = html.Element("br")
                line_break.tail = line
                breaks.append(line_break)
            if side == "text":
                element[:0] = breaks
            else:
                parent = element.getparent()
                position = parent.index(element) + 1
                parent[position:position] = breaks


def _is_inside_list(element: html.HtmlElement) -> bool:
    return any(ancestor.tag in ("ul", "ol") for ancestor in element.iterancestors())


def _lay_out_list(outer_list: html.HtmlElement) -> None:
    """Lay a list that holds lists out as paragraphs with marks, indented by level: the editor flattens inner lists.

    See mdnice/markdown-nice#39.
    """
    section = html.Element("section")
    section.tail, outer_list.tail = outer_list.tail, None
    outer_list.addprevious(section)
    _lay_out_items(outer_list, 0, section)
    outer_list.getparent().remove(outer_list)


def _lay_out_items(source: html.HtmlElement, level: int, section: html.HtmlElement) -> None:
    first_number = int(source.get("start") or 1)
    for index, item in enumerate(source.findall("li")):
        mark = f"{first_number + index}. " if source.tag == "ol" else f"{_MARKS[min(level, len(_MARKS) - 1)]} "
        paragraph = _start_paragraph(section, level)
        paragraph.text = mark + (item.text or "").lstrip()
        for child in list(item):
            tail, child.tail = child.tail, None
            if child.tag in ("ul", "ol"):
                _lay_out_items(child, level + 1, section)
                paragraph = None
            elif child.tag in _BLOCKS:
                if child.tag == "p" and paragraph is not None and not len(paragraph) and paragraph.text == mark:
                    paragraph.text = mark + (child.text or "")
                    paragraph.extend(list(child))
                else:
                    child.set("style", _indent(level + 1))
                    section.append(child)
                    paragraph = None
            else:
                paragraph = paragraph if paragraph is not None else _start_paragraph(section, level + 1)
                paragraph.append(child)
                child.tail = tail
                tail = None
            if tail and tail.strip():
                paragraph = _start_paragraph(section, level + 1)
                paragraph.text = tail.strip()


def _start_paragraph(section: html.HtmlElement, level: int) -> html.HtmlElement:
    paragraph = html.Element("p")
    paragraph.set("style", _indent(level))
    section.append(paragraph)
    return paragraph


def _indent(level: int) -> str:
    return f"padding-left: {1.5 * level:g}em"


_MARKS: Final = "•◦▪"
"""The mark of an item by the level of its list."""


def _replace_links(tree: html.HtmlElement, notes: _Notes) -> html.HtmlElement:
    for element in list(tree.iter("a", "img")):
        if element.tag == "img":
            _replace_picture(element, notes)
        else:
            _replace_link(element, notes)
    return tree


def _replace_picture(image: html.HtmlElement, notes: _Notes) -> None:
    url = str(image.attrib.pop("src", "")).removeprefix(_ISSUE_FOLDER).replace(_SITE, "../")
    picture = Picture(len(notes.pictures) + 1, str(image.attrib.pop("alt", "")), url)
    notes.pictures.append(picture)
    image.tag = "span"
    image.set("class", "image")
    image.text = f"图 {picture.number}" + (f"：{picture.words}" if picture.words else "")


def _replace_link(anchor: html.HtmlElement, notes: _Notes) -> None:
    url = str(anchor.get("href") or "")
    if _LASTING_ADDRESS.match(url):
        return
    del anchor.attrib["href"]
    anchor.tag = "span"
    descriptions = " ".join(str(image.get("alt") or "图") for image in anchor.iter("img"))
    text = inline.strip_marks("".join(anchor.itertext())) or descriptions
    if url.startswith(_SITE) or not text or text.rstrip("/") == url.rstrip("/"):
        return  # its text is its address, or it links a file beside the issue
    mark = html.Element("sup")
    mark.set("class", "reference")
    mark.text = f"[{notes.add_reference(text, url)}]"
    mark.tail, anchor.tail = anchor.tail, None
    anchor.addnext(mark)


# ---- Style


def _inline_style(text: str, css: str) -> str:
    """Write the rules of the style sheet into the `style` of the elements, and remove all classes."""
    styled = _make_inliner().inline_fragment(text, css)
    tree = html.fragment_fromstring(styled, create_parent="div")
    for element in tree.iter():
        if isinstance(element.tag, str):
            element.attrib.pop("class", None)
            if style := element.attrib.pop("style", None):
                element.set("style", _remove_loading_declarations(str(style)))
    return render_inner_html(tree).strip()


def _remove_loading_declarations(style: str) -> str:
    """Remove the declarations that can load anything.

    >>> _remove_loading_declarations("color: red;background: url(//e.org/x);width: calc(1px + 2px)")
    'color: red;width: calc(1px + 2px)'
    """
    declarations = _DECLARATION.findall(style)
    return ";".join(text for text in declarations if text.strip() and _loads_nothing(text))


def _loads_nothing(declaration: str) -> bool:
    return "\\" not in declaration and all(name.casefold() in _FUNCTIONS for name in _FUNCTION.findall(declaration))


def _make_inliner() -> CSSInliner:
    """Make an inliner that loads nothing: by default it loads the style sheets that a page links."""
    return CSSInliner(load_remote_stylesheets=False, inline_style_tags=False)
