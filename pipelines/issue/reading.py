"""Reads past issues: Markdown -> `Issue`.

An issue is: front matter, a heading with title, date and headline, a tagline with a notice, a guide, whatever else the
editor wrote before the first section, sections with their entries, the list of back issues, and from the next thematic
break on a footer. What is not understood is kept as it stands, so that an export prints it again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from pipelines.issue import inline
from pipelines.issue.entry import EntryView, Labelled, is_labelled, read_entry
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter

__all__ = ["EntryView", "Labelled", "NotAnIssue", "code_lines", "read_entry", "read_issue"]

MAX_BYTES: Final = 4 * 2**20
MAX_BAD_PLACES: Final = 20
"""Places that are not UTF-8; a file with more of them is something else."""

_DATE: Final = re.compile(r"[（(]?\s{0,9}((?:19|20)\d\d)[-./年](\d{1,2})[-./月](\d{1,2})日?\s{0,9}[)）]?")
_RULE: Final = re.compile(r" {0,3}([-*_])(?: *\1){2,} *")
_ITEM: Final = re.compile(r" ?(?:(?P<mark>[-*+])[ \t]+|-(?=\[))(?=\S)")
_FENCE: Final = re.compile(r"\s*(?P<fence>`{3,}|~{3,})[^`]*")
_TAGLINE: Final = re.compile(r"\*\*(?P<words>[^*]+)\*\*\s*")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class NotAnIssue(Exception):
    """The file is no past issue; the message names it and says what was expected."""


def read_issue(data: bytes, *, name: str, newsletter: Newsletter) -> Issue:
    """Read one past issue.

    Args:
        data: the file: UTF-8, with or without a byte order mark, any line ends.
        name: the file's name, for messages, and for the date where the heading has none.
        newsletter: whose issue it is: its words and its sections.

    Returns:
        A published issue. What was cut off, not readable or not known is said in its warnings, a line each.

    Raises:
        NotAnIssue: no text, or neither a heading with a date nor a section that the newsletter knows.
    """
    text, damage = _decoded(data, name)
    page = _Page.of(text)
    plan = _Plan.of(page, newsletter)
    sections = tuple(_section(page, at, until, newsletter) for at, until in plan.sections)
    heading, doubts = _read_heading(plan.heading, sections, name, newsletter)
    tagline, notice, guide, preamble = _read_opening(page.lines[slice(*plan.opening)], newsletter)
    back_issues = _block(page.lines[plan.back_issues : plan.footer])
    footer = _block(page.lines[plan.footer :])
    doubts += _doubts(sections, footer, len(data), newsletter)
    return Issue(
        date=heading.date,
        title=heading.title,
        sections=sections,
        front_matter=plan.front_matter,
        headline=heading.headline,
        tagline=tagline,
        notice=notice,
        guide=guide,
        preamble=preamble,
        back_issues=back_issues,
        footer=footer,
        warnings=tuple(f"{name}：{what}" for what in (*damage, *doubts)),
    )


# The file


def _decoded(data: bytes, name: str) -> tuple[str, list[str]]:
    """The text with plain line ends, and what of it was damaged."""
    if len(data) > MAX_BYTES:
        raise NotAnIssue(f"{name}：有 {len(data)} 字节，超过 {MAX_BYTES} 字节，不像一期简报")
    pieces: list[str] = []
    damage: list[str] = []
    at = 0
    while at < len(data):
        try:
            pieces.append(data[at:].decode())
            break
        except UnicodeDecodeError as error:
            bad, end = at + error.start, at + error.end
            pieces.append(data[at:bad].decode())
            if error.reason == "unexpected end of data":
                damage.append(f"文件在第 {bad} 字节处断在一个字的中间，之后的内容已丢失")
                break
            damage.append(f"第 {bad} 字节不是 UTF-8，换成了 \ufffd")
            pieces.append("\ufffd")
            at = end
        if len(damage) > MAX_BAD_PLACES:
            raise NotAnIssue(f"{name}：不是 UTF-8 文本；请先转换编码")
    text = "".join(pieces).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text, controls = _CONTROLS.subn("", text)
    if controls:
        damage.append(f"去掉了 {controls} 个控制字符")
    whole, torn = _without_torn_line(text)
    return whole, [*damage, *torn]


def _without_torn_line(text: str) -> tuple[str, list[str]]:
    """The text without a last line that is an item cut off inside its link: nobody can say where it led."""
    before, _, last = text.rpartition("\n")
    if not _ITEM.match(last) or inline.links(last) or not re.search(r"\[[^\]]*$|\]\([^)]*$", last):
        return text, []
    return before, [f"末行的条目不完整，没有读入：{last[:60]}"]


@dataclass(frozen=True, slots=True)
class _Page:
    """A file's lines.

    Args:
        lines: without line ends.
        code: numbers of those inside fenced code, fences included; a fence that never closes is none.
    """

    lines: Sequence[str]
    code: frozenset[int]

    @classmethod
    def of(cls, text: str) -> _Page:
        lines = text.split("\n")
        return cls(lines, code_lines(lines))

    def headings(self, marks: str, start: int = 0) -> Iterator[int]:
        """Numbers of the lines that are headings of this level."""
        for at in range(start, len(self.lines)):
            if at not in self.code and _heading_text(self.lines[at], marks):
                yield at


def code_lines(lines: Sequence[str]) -> frozenset[int]:
    """Numbers of the lines inside fenced code, fences included.

    >>> sorted(code_lines(["a", "```sh", "# b", "```", "~~~"]))
    [1, 2, 3]
    """
    closing: dict[str, list[int]] = {"`": [], "~": []}
    for at, line in enumerate(lines):
        bare = line.strip()
        if len(bare) >= 3 and bare[0] in closing and not bare.strip(bare[0]):
            closing[bare[0]].append(at)
    code: set[int] = set()
    for at, line in enumerate(lines):
        opening = _FENCE.fullmatch(line) if at not in code else None
        ends = closing[opening["fence"][0]] if opening else []
        place = bisect_right(ends, at)
        if place < len(ends):
            code.update(range(at, ends[place] + 1))
    return frozenset(code)


def _heading_text(line: str, marks: str) -> str:
    """What a heading of this level says; empty for any other line.

    >>> _heading_text("## 论文  ", "##"), _heading_text("### 小节", "##")
    ('论文', '')
    """
    said = line[len(marks) :] if line.startswith(marks) else "#"
    return "" if said.startswith("#") else said.strip()


# Where the parts are


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where an issue's parts stand: line numbers, `(first, behind the last)`.

    Args:
        front_matter: the text itself.
        heading: likewise, without its mark; empty where there is none.
        opening: from the heading to the first section.
        sections: each with its heading.
        back_issues, footer: where they begin.
    """

    front_matter: str | None
    heading: str
    opening: tuple[int, int]
    sections: tuple[tuple[int, int], ...]
    back_issues: int
    footer: int

    @classmethod
    def of(cls, page: _Page, newsletter: Newsletter) -> _Plan:
        lines = page.lines
        front_matter, start = _front_matter(lines)
        headings = list(page.headings("##", start))
        footer = _first_rule(page, headings[-1]) if headings else len(lines)
        words = newsletter.back_issues.heading
        back_issues = next((at for at in headings if words and words in inline.plain(lines[at])), footer)
        starts = [at for at in headings if at < back_issues]
        first = (*starts, back_issues)[0]
        top = next((at for at in page.headings("#", start) if at < first), None)
        return cls(
            front_matter=front_matter,
            heading=_heading_text(lines[top], "#") if top is not None else "",
            opening=(start if top is None else top + 1, first),
            sections=tuple(pairwise((*starts, back_issues))),
            back_issues=back_issues,
            footer=footer,
        )


def _front_matter(lines: Sequence[str]) -> tuple[str | None, int]:
    """YAML between the first two `---` lines, and the number of the line after it."""
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != "---":
        return None, start
    end = next((at for at in range(start + 1, len(lines)) if lines[at].rstrip() == "---"), None)
    return (_block(lines[start + 1 : end]), end + 1) if end is not None else (None, start)


def _first_rule(page: _Page, start: int) -> int:
    rules = (at for at in range(start, len(page.lines)) if at not in page.code and _RULE.fullmatch(page.lines[at]))
    return next(rules, len(page.lines))


def _block(lines: Iterable[str]) -> str | None:
    """Lines as they stand, without the blank ones around them; None where nothing is left."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join(lines)).rstrip() or None


# Heading and opening


@dataclass(frozen=True, slots=True)
class _Heading:
    date: date
    title: str
    headline: str | None


def _read_heading(
    heading: str, sections: Sequence[Section], name: str, newsletter: Newsletter
) -> tuple[_Heading, list[str]]:
    found = _first_date(heading)
    if found:
        issued, start, end = found
        named = _Heading(issued, heading[:start].strip() or newsletter.title, heading[end:].strip() or None)
        other = _first_date(name)
        return named, [f"标题的日期是 {issued}，文件名的是 {other[0]}"] if other and other[0] != issued else []
    found = _first_date(name)
    if found is None or not any(newsletter.category(section.name) for section in sections):
        raise NotAnIssue(
            f"{name}：不是一期简报：应有一行标题，如「# {newsletter.title} (2020-11-30)」，"
            f"和「## {newsletter.category_names[0]}」这样的栏目"
        )
    return _Heading(found[0], heading or newsletter.title, None), [f"标题里没有日期，按文件名算作 {found[0]}"]


def _first_date(text: str) -> tuple[date, int, int] | None:
    """The first date that exists, and where it stands, its parentheses included.

    >>> _first_date("简报 (2020-11-30) 要目")
    (datetime.date(2020, 11, 30), 3, 15)
    """
    for match in _DATE.finditer(text):
        try:
            return date(*map(int, match.groups())), match.start(), match.end()
        except ValueError:
            continue
    return None


def _read_opening(
    lines: Sequence[str], newsletter: Newsletter
) -> tuple[str | None, str | None, str | None, str | None]:
    """Tagline, the notice that follows it at once, the guide, and all the rest."""
    guide_start = re.compile(rf"\s*>\s*{re.escape(newsletter.labels.guide)}\s*[:：]\s*")
    notice_start = re.compile(rf"(?:<\w[^<>]*>)?{re.escape(newsletter.labels.notice)}\s*[:：]")
    start = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    tagline = _TAGLINE.fullmatch(lines[start]) if start < len(lines) else None
    start += tagline is not None
    notice: list[str] = []
    if tagline or any(notice_start.match(line) for line in lines[start : start + 1]):
        while start < len(lines) and lines[start].strip() and not guide_start.match(lines[start]):
            notice.append(lines[start])
            start += 1
    lines = lines[start:]
    guide_at = next((at for at, line in enumerate(lines) if guide_start.match(line)), len(lines))
    guide_end = next((at for at in range(guide_at, len(lines)) if not lines[at].strip()), len(lines))
    guide = guide_start.sub("", "\n".join(lines[guide_at:guide_end]), count=1)
    return (
        tagline["words"] if tagline else None,
        _block(notice),
        _block([guide]),
        _block([*lines[:guide_at], *lines[guide_end:]]),
    )


# Sections


def _section(page: _Page, at: int, until: int, newsletter: Newsletter) -> Section:
    starts = list(_entry_starts(page, at + 1, until))
    closing = _closing(page, starts[-1], until, newsletter) if starts else until
    return Section(
        name=_heading_text(page.lines[at], "##"),
        entries=tuple(_entry(page, first, end) for first, end in pairwise((*starts, closing))),
        notes=_block(page.lines[at + 1 : (*starts, until)[0]]),
        closing=_block(page.lines[closing:until]),
    )


def _entry_starts(page: _Page, start: int, until: int) -> Iterator[int]:
    """Where entries begin: at each bullet like the section's first one; other bullets belong to what an entry says."""
    bullet = None
    for at in range(start, until):
        item = _ITEM.match(page.lines[at]) if at not in page.code and not _RULE.fullmatch(page.lines[at]) else None
        mark = (item["mark"] or "-") if item else None
        bullet = bullet or mark
        if mark and mark == bullet:
            yield at


def _closing(page: _Page, start: int, until: int, newsletter: Newsletter) -> int:
    """Where a section's last entry ends: before a paragraph set apart that is neither code nor led by a label."""
    for at in range(start + 1, until):
        line, before = page.lines[at], page.lines[at - 1]
        apart = line.strip() and not before.strip() and not line[0].isspace()
        if apart and at not in page.code and not is_labelled(line, newsletter):
            return at
    return until


def _entry(page: _Page, first: int, end: int) -> Entry:
    item = _ITEM.match(page.lines[first])
    lines = [page.lines[first][item.end() if item else 0 :].rstrip()]
    for at in range(first + 1, end):
        line = page.lines[at].rstrip()
        if line or lines[-1] or at in page.code:
            lines.append(line)
    return Entry("\n".join(lines).rstrip())


# What the editor should look at


def _doubts(sections: Sequence[Section], footer: str | None, size: int, newsletter: Newsletter) -> list[str]:
    doubts = [
        f"栏目「{section.name}」不在简报的栏目里" for section in sections if newsletter.category(section.name) is None
    ]
    if footer is None and newsletter.footer:
        known = {category.name for section in sections if (category := newsletter.category(section.name))}
        missing = "、".join(name for name in newsletter.category_names if name not in known)
        doubts.append(f"到第 {size} 字节为止没有页脚，可能被截断" + (f"；缺少栏目：{missing}" if missing else ""))
    return doubts
