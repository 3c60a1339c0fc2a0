"""Reads past issues: Markdown -> `Issue`.

An issue is: front matter, a heading with title, date and headline, a tagline with a notice, a guide, any other text
before the first section (the preamble), sections with their entries, the list of back issues, and after the next
thematic break a footer. Text of any other form is kept unchanged, so that an export prints it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from pipelines.issue import inline
from pipelines.issue.decoding import NotAnIssue, decode_issue
from pipelines.issue.entry import is_label_or_summary_line
from pipelines.issue.lines import ITEM, THEMATIC_BREAK, MarkdownLines, join_block, read_heading
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter

# "简报 (2020-11-30) 要目", "2020年11月30日"
_DATE: Final = re.compile(r"[（(]?\s{0,9}((?:19|20)\d\d)[-./年](\d{1,2})[-./月](\d{1,2})日?\s{0,9}[)）]?")

# "**关注模型压缩、低比特量化与移动端推理**"
_TAGLINE: Final = re.compile(r"\*\*(?P<text>[^*]+)\*\*\s*")

# "……更快。", "[项目](https://e.org)", "> 注：完\n"
_ENDS_WHOLE: Final = re.compile(r"(?:\n|[。！？!?.…”」』）)\]|>*~])[ \t]*\Z")
"""The end of a file that is not cut off: a line end, or the end of a sentence, of a link, of a table row."""


def read_issue(data: bytes, *, name: str, newsletter: Newsletter) -> Issue:
    """Read one past issue.

    Args:
        data: the file: UTF-8, with or without a byte order mark, any line ends.
        name: the file's name, for messages, and for the date if the heading has none.
        newsletter: whose issue it is: its words and its sections.

    Returns:
        A published issue. Its warnings name, a line each, the parts that are cut off, unreadable or unknown.

    Raises:
        NotAnIssue: no text, or neither a heading with a date nor a section that the newsletter knows.
    """
    text, damage = decode_issue(data, name)
    page = MarkdownLines.split(text)
    outline = _Outline.find(page, newsletter)
    sections = tuple(_read_section(page, start, end, newsletter) for start, end in outline.sections)
    heading, doubts = _read_heading(outline.heading, sections, name, newsletter)
    opening = _read_opening(page.lines[slice(*outline.opening)], newsletter)
    footer = join_block(page.lines[outline.footer :])
    doubts += _find_doubts(sections, footer, text, len(data), newsletter)
    return Issue(
        date=heading.date,
        title=heading.title,
        sections=sections,
        front_matter=outline.front_matter,
        above_heading=join_block(page.lines[slice(*outline.above_heading)]),
        dateline=heading.dateline,
        headline=heading.headline,
        tagline=opening.tagline,
        notice=opening.notice,
        guide=opening.guide,
        preamble=opening.preamble,
        back_issues=join_block(page.lines[outline.back_issues : outline.footer]),
        footer=footer,
        warnings=tuple(f"{name}：{warning}" for warning in (*damage, *doubts)),
    )


# ---- The position of each part


@dataclass(frozen=True, slots=True)
class _Outline:
    """Where the parts of an issue are, in line numbers; a pair is (first line, line after the last).

    Args:
        front_matter: its text.
        above_heading: the lines between the front matter and the heading.
        heading: its text, without the mark; empty for an issue without a heading.
        opening: the lines from the heading to the first section.
        sections: each with its heading.
        back_issues: the first line of the list of back issues.
        footer: the first line of the footer.
    """

    front_matter: str | None
    above_heading: tuple[int, int]
    heading: str
    opening: tuple[int, int]
    sections: tuple[tuple[int, int], ...]
    back_issues: int
    footer: int

    @classmethod
    def find(cls, page: MarkdownLines, newsletter: Newsletter) -> _Outline:
        lines = page.lines
        front_matter, start = _read_front_matter(lines)
        text_start = _find_end_of_toml(lines, start)
        headings = list(page.find_headings("##", text_start))
        footer = page.find_thematic_break(headings[-1]) if headings else len(lines)
        list_heading = newsletter.back_issues.heading
        list_headings = (
            number for number in headings if list_heading and list_heading in inline.strip_marks(lines[number])
        )
        back_issues = next(list_headings, footer)
        section_starts = [number for number in headings if number < back_issues]
        opening_end = (*section_starts, back_issues)[0]
        title_line = next((number for number in page.find_headings("#", text_start) if number < opening_end), None)
        return cls(
            front_matter=front_matter,
            above_heading=(start, start if title_line is None else title_line),
            heading=read_heading(lines[title_line], "#") if title_line is not None else "",
            opening=(start if title_line is None else title_line + 1, opening_end),
            sections=tuple(pairwise((*section_starts, back_issues))),
            back_issues=back_issues,
            footer=footer,
        )


def _read_front_matter(lines: Sequence[str]) -> tuple[str | None, int]:
    """Read the YAML between the first two `---` lines, and the number of the line after it."""
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != "---":
        return None, start
    end = next((number for number in range(start + 1, len(lines)) if lines[number].rstrip() == "---"), None)
    return (join_block(lines[start + 1 : end]), end + 1) if end is not None else (None, start)


def _find_end_of_toml(lines: Sequence[str], start: int) -> int:
    """Find the line after front matter in TOML, between two `+++` lines: a comment in it looks like a heading."""
    if start >= len(lines) or lines[start].rstrip() != "+++":
        return start
    ends = (number for number in range(start + 1, len(lines)) if lines[number].rstrip() == "+++")
    return next(ends, start - 1) + 1


# ---- Heading and opening


@dataclass(frozen=True, slots=True)
class _Heading:
    date: date
    title: str
    dateline: str | None
    headline: str | None


def _read_heading(
    heading: str, sections: Sequence[Section], name: str, newsletter: Newsletter
) -> tuple[_Heading, list[str]]:
    """Read the date, the title and the headline of an issue, and the doubts about its date."""
    in_heading, in_name = _find_date(heading), _find_date(name)
    if in_heading:
        issued, start, end = in_heading
        doubts = []
        if in_name and in_name[0] != issued:
            doubts.append(f"标题的日期是 {issued}，文件名的是 {in_name[0]}")
        title = heading[:start].rstrip()
        separator = re.match(r"\s*[:：]?\s*", heading[end:])
        headline = heading[end + (separator.end() if separator else 0) :].strip()
        dateline = heading[len(title) : len(heading) - len(headline)] if title else None
        if dateline is not None and dateline.rstrip() == newsletter.frame.dateline.format(date=issued).rstrip():
            dateline = None
        return _Heading(issued, title or newsletter.title, dateline, headline or None), doubts
    if in_name is None or not any(newsletter.category(section.name) for section in sections):
        raise NotAnIssue("no-issue", path=name, title=newsletter.title, category=newsletter.category_names[0])
    return _Heading(in_name[0], heading or newsletter.title, None, None), [f"标题里没有日期，按文件名算作 {in_name[0]}"]


def _find_date(text: str) -> tuple[date, int, int] | None:
    """Find the first date that the calendar has, with its start and end, parentheses included.

    >>> _find_date("简报 (2020-11-30) 要目")
    (datetime.date(2020, 11, 30), 3, 15)
    """
    for match in _DATE.finditer(text):
        try:
            return date(*map(int, match.groups())), match.start(), match.end()
        except ValueError:
            continue
    return None


@dataclass(frozen=True, slots=True)
class _Opening:
    """The text between the heading and the first section. The notice follows the tagline at once."""

    tagline: str | None
    notice: str | None
    guide: str | None
    preamble: str | None


def _read_opening(lines: Sequence[str], newsletter: Newsletter) -> _Opening:
    # "> 导读：本期共 18 条"
    guide_start = re.compile(rf"\s*>\s*{re.escape(newsletter.labels.guide)}\s*[:：]\s*")
    # "<b>注：", "注："
    notice_start = re.compile(rf"(?:<\w[^<>]*>)?{re.escape(newsletter.labels.notice)}\s*[:：]")
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    tagline = _TAGLINE.fullmatch(lines[start]) if start < len(lines) else None
    if tagline:
        start += 1
    notice: list[str] = []
    if tagline or (start < len(lines) and notice_start.match(lines[start])):
        while start < len(lines) and lines[start].strip() and not guide_start.match(lines[start]):
            notice.append(lines[start])
            start += 1
    lines = lines[start:]
    guide_line = next((number for number, line in enumerate(lines) if guide_start.match(line)), len(lines))
    guide_end = next((number for number in range(guide_line, len(lines)) if not lines[number].strip()), len(lines))
    guide = guide_start.sub("", "\n".join(lines[guide_line:guide_end]), count=1)
    return _Opening(
        tagline=tagline["text"] if tagline else None,
        notice=join_block(notice),
        guide=guide.strip() if guide_line < len(lines) else None,
        preamble=join_block([*lines[:guide_line], *lines[guide_end:]]),
    )


# ---- Sections


def _read_section(page: MarkdownLines, start: int, end: int, newsletter: Newsletter) -> Section:
    entry_starts = list(_find_entry_starts(page, start + 1, end))
    closing = _find_closing(page, entry_starts[-1], end, newsletter) if entry_starts else end
    return Section(
        name=read_heading(page.lines[start], "##"),
        entries=tuple(
            _read_entry(page, entry_start, entry_end) for entry_start, entry_end in pairwise((*entry_starts, closing))
        ),
        notes=join_block(page.lines[start + 1 : (*entry_starts, end)[0]]),
        closing=join_block(page.lines[closing:end]),
    )


def _find_entry_starts(page: MarkdownLines, start: int, end: int) -> Iterator[int]:
    """Find the lines where entries begin: each with the section's first bullet. Other bullets are text of an entry."""
    entry_bullet = None
    for number in range(start, end):
        line = page.lines[number]
        item = ITEM.match(line) if number not in page.opaque and not THEMATIC_BREAK.fullmatch(line) else None
        bullet = (item["mark"] or "-") if item else None
        entry_bullet = entry_bullet or bullet
        if bullet and bullet == entry_bullet:
            yield number


def _find_closing(page: MarkdownLines, start: int, end: int, newsletter: Newsletter) -> int:
    """Find the end of a section's last entry: a paragraph after a blank line that is neither code nor a label line."""
    for number in range(start + 1, end):
        line, previous_line = page.lines[number], page.lines[number - 1]
        set_apart = line.strip() and not previous_line.strip() and not line[0].isspace()
        if set_apart and number not in page.opaque and not is_label_or_summary_line(line, newsletter):
            return number
    return end


def _read_entry(page: MarkdownLines, start: int, end: int) -> Entry:
    item = ITEM.match(page.lines[start])
    lines = [page.lines[start][item.end() if item else 0 :].rstrip()]
    for number in range(start + 1, end):
        line = page.lines[number].rstrip()
        if line or lines[-1] or number in page.opaque:
            lines.append(line)
    return Entry("\n".join(lines).rstrip())


# ---- Doubts: what the editor has to look at


def _find_doubts(
    sections: Sequence[Section], footer: str | None, text: str, size: int, newsletter: Newsletter
) -> list[str]:
    """Find sections that the newsletter does not know, and signs that the file is cut off.

    Args:
        sections: of the issue.
        footer: of the issue.
        text: of the whole file.
        size: of the file, in bytes.
        newsletter: its sections and its footer.

    Returns:
        A message for each doubt.
    """
    doubts = [
        f"栏目「{section.name}」不在简报的栏目里" for section in sections if newsletter.category(section.name) is None
    ]
    if footer is None and newsletter.footer and not _ENDS_WHOLE.search(text):
        present = {category.name for section in sections if (category := newsletter.category(section.name))}
        missing = "、".join(name for name in newsletter.category_names if name not in present)
        doubts.append(f"到第 {size} 字节为止没有页脚，可能被截断" + (f"；缺少栏目：{missing}" if missing else ""))
    return doubts
