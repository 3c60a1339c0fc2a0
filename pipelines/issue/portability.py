"""What the pages of an issue show in different ways: the site (Jekyll), GitHub, the feed, WeChat, the file read back.

An issue is one Markdown text that several programs read. Each finding names a text that one of them reads otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt

from pipelines.issue import inline
from pipelines.issue.formats.wechat import WeChatArticle
from pipelines.issue.lines import DELIMITER_ROW, find_code_lines
from pipelines.issue.lint import Finding
from pipelines.issue.parser import make_parser
from pipelines.issue.shapes import ROW
from pipelines.model import Issue, Section

MOST_TITLE_CHARACTERS: Final = 64
MOST_DIGEST_CHARACTERS: Final = 120
MOST_HTML_CHARACTERS: Final = 20_000
MOST_HTML_BYTES: Final = 2 * 10**6
"""The limits of an article in a WeChat official account: developers.weixin.qq.com, draft/add, errors 45002 to 45004."""

# "a | b", not "a \| b"
_PIPE: Final = re.compile(r"(?<!\\)\|")
# "`a | b`"
_CODE_SPAN: Final = re.compile(r"`[^`\n]*`")
# "<div align=center>", "</details>": CommonMark 0.31 §4.6, type 6, as far as editors write them
_HTML_BLOCK: Final = re.compile(
    r" {0,3}</?(?:address|article|aside|blockquote|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|h[1-6]"
    r"|header|hr|li|main|nav|ol|p|section|summary|table|tbody|td|tfoot|th|thead|tr|ul)(?:[\s>]|/>|$)",
    re.IGNORECASE,
)
_FRAME: Final = ("notice", "guide", "preamble", "back_issues", "footer")


def find_differences(issue: Issue) -> list[Finding]:
    """Find texts of an issue that the site, GitHub and the feed show in different ways.

    - A paragraph whose lines all hold a bare `|`, and that is no row, is a table for kramdown (kramdown/parser-gfm#35).
    - HTML that begins a block swallows all lines up to the next blank one.
    - Emphasis between CJK punctuation and a letter shows its asterisks on GitHub (commonmark/commonmark-spec#650).
    - An HTML comment inside an entry is text for kramdown.
    """
    findings: list[Finding] = []
    for name in _FRAME:
        findings += _check_text(name, 0, getattr(issue, name) or "")
    entry_index = 0
    for section_index, section in enumerate(issue.sections):
        for text in (section.notes, section.closing):
            findings += _check_text("section", section_index, text or "")
        for entry in section.entries:
            in_entry = _check_text("entry", entry_index, entry.markdown)
            is_row = section.marker == ROW  # a table is what it is meant to be
            findings += (finding for finding in in_entry if not (is_row and finding.code == "markup/table"))
            entry_index += 1
    return findings


def _check_text(part: str, position: int, markdown: str) -> Iterator[Finding]:
    lines = markdown.split("\n")
    code = find_code_lines(lines)
    for number in _find_tables(lines, code):
        yield Finding(part, position, number, "markup/table")
    for number, line in enumerate(lines):
        if number in code:
            continue
        if part == "entry" and _HTML_BLOCK.match(line):
            yield Finding(part, position, number, "markup/html-block")
        if part == "entry" and "<!--" in _CODE_SPAN.sub("", line):
            yield Finding(part, position, number, "markup/comment")
        if _differs_on_github(line):
            yield Finding(part, position, number, "markup/emphasis")


@lru_cache(maxsize=1024)  # the desk asks for the same lines with each action
def _differs_on_github(line: str) -> bool:
    """Whether the emphasis of a line needs the amendment of `pipelines.issue.parser`, which GitHub does not have."""
    return ("*" in line or "~" in line) and make_parser(html=True).renderInline(
        line
    ) != _make_plain_parser().renderInline(line)


@lru_cache(maxsize=1)
def _make_plain_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _find_tables(lines: Sequence[str], code: frozenset[int]) -> Iterator[int]:
    """Find the first line of each paragraph of which every line holds a bare `|`, and that is not meant as a table."""
    start = 0
    while start < len(lines):
        if _ends_paragraph(lines, start, code):
            start += 1
            continue
        end = start
        while end < len(lines) and not _ends_paragraph(lines, end, code):
            end += 1
        paragraph = [_CODE_SPAN.sub("", line) for line in lines[start:end]]
        meant = any(DELIMITER_ROW.fullmatch(line) for line in paragraph)
        if not meant and all(_PIPE.search(line) for line in paragraph):
            yield start
        start = end


def _ends_paragraph(lines: Sequence[str], number: int, code: frozenset[int]) -> bool:
    """Whether a line ends a paragraph: it is blank, or code."""
    return number in code or not lines[number].strip()


def find_unreturned(issue: Issue, read_back: Issue | None) -> list[Finding]:
    """Find parts of an issue that are not read back as they are from its own file.

    Args:
        issue: as it was written.
        read_back: the issue that its file gives; None if the file gives none.

    Returns:
        A finding for each part, section or entry that comes back changed, moved, or not at all.
    """
    if read_back is None:
        return [Finding("headline", 0, 0, "markup/unreadable")]
    findings = [Finding(part, 0, 0, "markup/returns-changed") for part in _find_changed_parts(issue, read_back)]
    first_position = 0
    returned_sections = list(read_back.sections)
    for section_index, section in enumerate(issue.sections):
        returned = returned_sections[0] if returned_sections else Section("")
        is_empty = not (section.entries or section.notes or section.closing)
        if (section.is_briefs and not section.entries) or (is_empty and returned.name != section.name):
            continue  # not printed
        findings += _compare_sections(section_index, section, returned, first_position)
        first_position += len(section.entries)
        returned_sections = returned_sections[1:]
    if returned_sections:
        findings.append(Finding("section", max(len(issue.sections) - 1, 0), 0, "markup/returns-changed"))
    return findings


_NAMES: Final = frozenset(("date", "title", "title_in", "dateline", "number", "slug", "headline"))
"""The fields that the heading and the file name print; a finding about any of them is one about the headline."""


def _find_changed_parts(issue: Issue, read_back: Issue) -> list[str]:
    """Find the parts beside the sections that differ; a part that the issue does not have may be the template's own."""
    parts = []
    for field in fields(Issue):
        written, returned = getattr(issue, field.name), getattr(read_back, field.name)
        if field.name in ("sections", "state") or not field.compare or not written:
            continue
        if _normalise(str(written)) != _normalise(str(returned or "")):
            parts.append("headline" if field.name in _NAMES else field.name)
    return list(dict.fromkeys(parts))


def _compare_sections(
    section_index: int, section: Section, returned: Section, first_position: int
) -> Iterator[Finding]:
    written = [(first_position + index, entry) for index, entry in enumerate(section.entries) if entry.markdown.strip()]
    framed = [(each.name, _normalise(each.notes), _normalise(each.closing)) for each in (section, returned)]
    if framed[0] != framed[1] or len(written) != len(returned.entries):
        yield Finding("section", section_index, 0, "markup/returns-changed")
    for index, (position, entry) in enumerate(written):
        came_back = returned.entries[index].markdown if index < len(returned.entries) else None
        if _normalise(entry.markdown) != _normalise(came_back):
            yield Finding("entry", position, 0, "markup/returns-changed")


def _normalise(text: str | None) -> str:
    """Bring a text into the form that the file keeps: an absent part is empty, and no line ends with blanks."""
    return "\n".join(map(str.rstrip, (text or "").replace("\r\n", "\n").split("\n")))


def find_limits(issue: Issue) -> list[Finding]:
    """Find a title or a guide that is too long for an article in a WeChat official account."""
    title = "：".join(filter(None, (issue.title, inline.strip_marks(issue.headline or ""))))
    digest = inline.strip_marks(issue.guide or "")
    sizes = (
        ("headline", "wechat/title", len(title), MOST_TITLE_CHARACTERS),
        ("guide", "wechat/digest", len(digest), MOST_DIGEST_CHARACTERS),
    )
    return _find_excess(sizes)


def find_article_limits(article: WeChatArticle) -> list[Finding]:
    """Find an article that is too long for a WeChat official account, or that shows pictures of other hosts."""
    sizes = (
        ("footer", "wechat/characters", len(article.html), MOST_HTML_CHARACTERS),
        ("footer", "wechat/bytes", len(article.html.encode()), MOST_HTML_BYTES),
    )
    count = len(article.pictures)
    pictures = [Finding("footer", 0, 0, "wechat/pictures", {"count": count})] if count else []
    return [*_find_excess(sizes), *pictures]


def _find_excess(sizes: Sequence[tuple[str, str, int, int]]) -> list[Finding]:
    return [
        Finding(part, 0, 0, code, {"count": count, "most": most}) for part, code, count, most in sizes if count > most
    ]
