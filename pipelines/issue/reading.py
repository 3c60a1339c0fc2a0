"""Reads past issues: Markdown -> `Issue`.

An issue is: front matter, a heading with title, date and headline, a tagline with a notice, a guide, any other text
before the first section (the preamble), sections with their entries, the list of back issues, and after the next
thematic break a footer. Text of any other form is kept unchanged, so that an export prints it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

from crawler.errors import Detail
from pipelines.issue import inline
from pipelines.issue.decoding import decode_issue
from pipelines.issue.definitions import resolve_links
from pipelines.issue.entry import is_label_or_summary_line
from pipelines.issue.heading import find_date, is_field, read_fields, read_name
from pipelines.issue.lines import MarkdownLines, join_block, read_heading
from pipelines.issue.loose_links import find_loose_links, join_lines
from pipelines.issue.shapes import HARD_KINDS, LINKED, ROW, UNMARKED, Mark, choose_kind, find_marks, normalise_kinds
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import BOLD_LEVEL, Newsletter

# "**关注模型压缩、低比特量化与移动端推理**"
_TAGLINE: Final = re.compile(r"\*\*(?P<text>[^*]+)\*\*\s*")

# "![](cover.png)", "<img src='cover.png'>"
_PICTURE_OR_HTML: Final = re.compile(r"\s*(?:!\[|<)")

# "……更快。", "[项目](https://e.org)", "> 注：完\n"
_ENDS_WHOLE: Final = re.compile(r"(?:\n|[。！？!?.…”」』）)\]|>*~])[ \t]*\Z")
"""The end of a file that is not cut off: a line end, or the end of a sentence, of a link, of a table row."""


def read_issue(data: bytes, *, name: str, newsletter: Newsletter, is_ours: bool = False) -> Issue:
    """Read one past issue.

    Args:
        data: the file, in an encoding that `decode_issue` reads.
        name: the file's name, for messages, and for the date if the heading has none.
        newsletter: whose issue it is: its words and its sections.
        is_ours: whether it is known to be an issue of the newsletter, though no word of it may say so.

    Returns:
        A published issue. Its warnings are facts about the parts that are cut off, unreadable or unknown.

    Raises:
        NotAnIssue: no text, no date, or nothing that belongs to the newsletter.
    """
    text, damage = decode_issue(data, name)
    page = MarkdownLines.split(text)
    outline = _Outline.find(page, newsletter)
    sections = tuple(_read_section(page, span, newsletter) for span in outline.sections)
    above_heading = join_block(page.lines[slice(*outline.above_heading)])
    fields = read_fields(outline.front_matter or above_heading)
    belongs = _names_newsletter(page, outline, sections, newsletter)
    section_names = [section.name for section in sections]
    heading, doubts = read_name(
        outline.heading, fields, section_names, name, newsletter, belongs=belongs, is_ours=is_ours
    )
    opening = _read_opening(page.lines[slice(*outline.opening)], newsletter)
    preamble, briefs = _split_briefs(opening.preamble, newsletter)
    footer = join_block(page.lines[outline.footer :])
    doubts += _find_unread_sections(outline, sections, page, newsletter)
    doubts += _find_loose_lines(outline, (*briefs, *sections), page, newsletter)
    doubts += _find_doubts(sections, footer, text, len(data), newsletter)
    return Issue(
        date=heading.date,
        title=heading.title,
        sections=(*briefs, *sections),
        front_matter=outline.front_matter,
        above_heading=above_heading,
        dateline=heading.dateline,
        headline=heading.headline,
        tagline=opening.tagline,
        notice=opening.notice,
        guide=opening.guide,
        preamble=preamble,
        back_issues=join_block(page.lines[outline.back_issues : outline.footer]),
        footer=footer,
        number=heading.number,
        slug=heading.slug,
        title_in=heading.title_in,
        warnings=(*damage, *doubts),
    )


# ---- The position of each part


@dataclass(frozen=True, slots=True)
class SectionSpan:
    """A section: the line of its heading, the line after its last, and the level of the heading."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class _Outline:
    """Where the parts of an issue are, in line numbers; a pair is (first line, line after the last).

    Args:
        front_matter: its text.
        above_heading: the lines between the front matter and the heading; fields without `---` lines stand there too.
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
    sections: tuple[SectionSpan, ...]
    back_issues: int
    footer: int

    @classmethod
    def find(cls, page: MarkdownLines, newsletter: Newsletter) -> _Outline:
        lines = page.lines
        front_matter, start = _read_front_matter(lines)
        text_start = _find_end_of_fields(lines, _find_end_of_toml(lines, start))
        title_line = _find_title_line(page, text_start, newsletter, front_matter)
        first = text_start if title_line is None else title_line + 1
        headings = _find_section_headings(page, first, newsletter)
        footer = page.find_thematic_break(max(headings)) if headings else len(lines)
        list_heading = newsletter.back_issues.heading
        list_headings = (
            number for number in headings if list_heading and list_heading in inline.strip_marks(lines[number])
        )
        back_issues = next(list_headings, footer)
        section_starts = [number for number in headings if number < back_issues]
        opening_end = (*section_starts, back_issues)[0]
        return cls(
            front_matter=front_matter,
            above_heading=(start, text_start if title_line is None else title_line),
            heading=read_heading(lines[title_line], "#") if title_line is not None else "",
            opening=(first, opening_end),
            sections=tuple(
                SectionSpan(first_line, end, headings[first_line])
                for first_line, end in pairwise((*section_starts, back_issues))
            ),
            back_issues=back_issues,
            footer=footer,
        )


def _names_newsletter(
    page: MarkdownLines, outline: _Outline, sections: Sequence[Section], newsletter: Newsletter
) -> bool:
    """Whether the words before the first entry name the newsletter, as those of an issue without any heading do."""
    start = next((span.start for span, section in zip(outline.sections, sections, strict=True) if section.entries), 0)
    return newsletter.title.casefold() in "\n".join(page.lines[outline.opening[0] : start]).casefold()


def find_title(page: MarkdownLines, newsletter: Newsletter) -> tuple[str, str | None]:
    """Find the text of an issue's heading, empty without one; and its front matter, also without `---` lines."""
    outline = _Outline.find(page, newsletter)
    return outline.heading, outline.front_matter or join_block(page.lines[slice(*outline.above_heading)])


def find_opening_line(page: MarkdownLines, newsletter: Newsletter) -> int | None:
    """Find the first line of text between the issue's heading and its first section; None without one."""
    start, end = _Outline.find(page, newsletter).opening
    return next((number for number in range(start, end) if page.lines[number].strip()), None)


def read_section_heading(page: MarkdownLines, span: SectionSpan) -> str:
    """Read the heading of a section, without its marks."""
    line = page.lines[span.start]
    return (
        line.strip().removeprefix("**").removesuffix("**")
        if span.level == BOLD_LEVEL
        else read_heading(line, "#" * span.level)
    )


def find_sections(page: MarkdownLines, newsletter: Newsletter) -> tuple[SectionSpan, ...]:
    """Find the lines of an issue's sections, in the order of print."""
    return _Outline.find(page, newsletter).sections


def _find_title_line(page: MarkdownLines, start: int, newsletter: Newsletter, front_matter: str | None) -> int | None:
    """Find the line of the issue's heading: the first `#` before any `##`, if the title is not in the front matter."""
    where = newsletter.reading.title
    has_title_field = "title" in read_fields(front_matter or "\n".join(page.lines[:start]))
    if where == "front-matter" and has_title_field:
        return None
    second = next(page.find_headings("##", start), len(page.lines))
    title_line = next((number for number in page.find_headings("#", start) if number < second), None)
    if title_line is None or where == "heading" or not has_title_field:
        return title_line
    heading = read_heading(page.lines[title_line], "#")
    return title_line if find_date(heading) or newsletter.title.casefold() in heading.casefold() else None


def _find_section_headings(page: MarkdownLines, start: int, newsletter: Newsletter) -> dict[int, int]:
    """Find the headings that begin sections: the level by line number, in the order of the file."""
    numbers_by_level = {level: list(page.find_headings("#" * level, start)) for level in range(1, 7)}
    levels = newsletter.reading.sections
    if not levels:
        highest = next((level for level in range(1, 7) if numbers_by_level[level]), 2)
        levels = (2,) if numbers_by_level[2] else (highest,)
    item_kinds = normalise_kinds(newsletter.reading.items)
    level_by_line = {
        number: level
        for level in levels
        for number in numbers_by_level.get(level, ())
        if "#" * level + " " not in item_kinds
        or not inline.find_urls(resolve_links(page.lines[number], page.definitions))
    }
    if BOLD_LEVEL in levels and not level_by_line:
        level_by_line = dict.fromkeys(page.find_bold_paragraphs(start), BOLD_LEVEL)
    return dict(sorted(level_by_line.items()))


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


def _find_end_of_fields(lines: Sequence[str], start: int) -> int:
    """Find the line after fields at the head of a file without `---` lines, as Pelican writes them."""
    if start >= len(lines) or not re.match(r"title[ \t]*:", lines[start], re.IGNORECASE):
        return start
    return next((number for number in range(start, len(lines)) if not is_field(lines[number])), len(lines))


# ---- Opening


@dataclass(frozen=True, slots=True)
class _Opening:
    """The text between the heading and the first section. The notice follows the tagline at once."""

    tagline: str | None
    notice: str | None
    guide: str | None
    preamble: str | None


def _read_opening(lines: Sequence[str], newsletter: Newsletter) -> _Opening:
    # "> 导读：本期共 18 条"
    guide_label = re.escape(newsletter.labels.guide)
    guide_start = re.compile(rf"\s*>\s*{guide_label}\s*[:：]\s*" if guide_label else r"\s*>\s*")
    # "<b>注：", "注："
    notice_label = re.escape(newsletter.labels.notice)
    notice_start = re.compile(rf"(?:<\w[^<>]*>)?{notice_label}\s*[:：]" if notice_label else r"(?!)")
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


# "- 华为：新机将首发天玑700"
_BRIEF: Final = re.compile(r"-(?: +(?=\S)|(?=\[))")

_LEAST_BRIEFS: Final = 2
"""A single bullet in an opening is no list of one-liners."""


def _split_briefs(opening: str | None, newsletter: Newsletter) -> tuple[str | None, tuple[Section, ...]]:
    """Split the text before the first section into the text before the one-liners, and the one-liners.

    The paragraph before the first bullet is their opening, the text after the last one their closing.
    """
    lines = (opening or "").split("\n")
    starts = [number for number, line in enumerate(lines) if _BRIEF.match(line)]
    if newsletter.briefs is None or len(starts) < _LEAST_BRIEFS:
        return opening, ()
    end = starts[-1] + 1
    while end < len(lines) and lines[end].strip():
        end += 1
    opening_end = next((number for number in range(starts[0], 0, -1) if lines[number - 1].strip()), 0)
    opening_start = opening_end
    while opening_start and lines[opening_start - 1].strip():
        opening_start -= 1
    entries = tuple(
        Entry(
            join_block([_BRIEF.sub("", lines[start], count=1).rstrip(), *map(str.rstrip, lines[start + 1 : stop])])
            or ""
        )
        for start, stop in pairwise((*starts, end))
    )
    section = Section(
        newsletter.briefs.name,
        entries=entries,
        notes=join_block(lines[opening_start : starts[0]]),
        closing=join_block(lines[end:]),
        level=0,
    )
    return join_block(lines[:opening_start]), (section,)


# ---- Sections


def _read_section(page: MarkdownLines, span: SectionSpan, newsletter: Newsletter) -> Section:
    name = read_section_heading(page, span)
    marks = find_entry_marks(page, span, newsletter)
    starts, end = list(marks), span.end
    first = marks[starts[0]] if starts else None
    closing = end
    stands_alone = first is not None and _stand_alone(page, marks)
    if first is not None and (first.kind in (*HARD_KINDS, LINKED) or span.level == BOLD_LEVEL):
        closing = _find_closing(page, starts, end, newsletter, is_linked=first.kind == LINKED)
    elif first is not None and first.kind == ROW:
        closing = starts[-1] + 1
    entries = [
        _read_entry(page, marks[entry_start], entry_start, entry_end)
        for entry_start, entry_end in pairwise((*starts, closing))
    ]
    marker = first.written if first else newsletter.frame.marker
    if stands_alone:
        entries = [Entry(entry.markdown.lstrip("\n")) for entry in entries]
        marker = marker.rstrip() + "\n" * (1 + _count_blanks_below(page, starts[0]))
    return Section(
        name=name,
        entries=tuple(entries),
        notes=join_block(page.lines[span.start + 1 : (*starts, end)[0]]),
        closing=join_block(page.lines[closing:end]),
        level=span.level,
        marker=marker,
        continues_numbers=first is not None and (first.number or 1) > 1,
    )


def _stand_alone(page: MarkdownLines, marks: Mapping[int, Mark]) -> bool:
    """Whether each mark is a line of its own, above the text of its entry: `1、`."""
    return all(
        mark.kind not in (*UNMARKED, ROW, *HARD_KINDS) and not page.lines[number][mark.end :].strip()
        for number, mark in marks.items()
    )


def _count_blanks_below(page: MarkdownLines, number: int) -> int:
    lines = page.lines[number + 1 :]
    return next((count for count, line in enumerate(lines) if line.strip()), 0)


def find_entry_marks(page: MarkdownLines, span: SectionSpan, newsletter: Newsletter) -> dict[int, Mark]:
    """Find the marks that begin the entries of a section, by line number. Other marks are text of an entry.

    In a section of the newsletter, the first bullet begins entries also where no entry holds a link; and where nothing
    but lines of a link stand, these are its entries, though those of other sections are bullets.
    """
    heading = read_section_heading(page, span)
    if newsletter.is_frame(heading):
        return {}
    marks = find_marks(page, span.start + 1, span.end, newsletter.labels.lines)
    marks = {number: mark for number, mark in marks.items() if not 0 < mark.heading_level <= span.level}
    kinds = normalise_kinds(newsletter.reading.items)
    kind = choose_kind(page, marks, span.end, kinds)
    if kind is None and not kinds and newsletter.category(heading):
        kind = next((mark.kind for mark in marks.values() if mark.kind in HARD_KINDS), None)
    if kind is None and kinds and newsletter.category(heading) and _holds_linked_lines(page, span, marks):
        kind = LINKED
    return {number: mark for number, mark in marks.items() if mark.kind == kind}


def _holds_linked_lines(page: MarkdownLines, span: SectionSpan, marks: Mapping[int, Mark]) -> bool:
    """Whether each line of a section, but pictures and HTML, is a link from its start to its end."""
    lines = [number for number in range(span.start + 1, span.end) if page.lines[number].strip()]
    texts = [number for number in lines if number not in page.opaque and not _PICTURE_OR_HTML.match(page.lines[number])]
    return bool(texts) and all(
        number in marks
        and marks[number].kind == LINKED
        and resolve_links(page.lines[number], page.definitions).rstrip().endswith(")")
        for number in texts
    )


def _find_closing(
    page: MarkdownLines, starts: Sequence[int], end: int, newsletter: Newsletter, *, is_linked: bool
) -> int:
    """Find the end of a section's last entry: a paragraph after a blank line that is neither code nor a label line.

    Where every entry before it has such paragraphs, the last one may have as many. Where lines led by links have some,
    all belong to the entries.
    """
    *earlier_spans, last_span = pairwise((*starts, end))
    counts = [len(list(_find_paragraphs_apart(page, span, newsletter))) for span in earlier_spans]
    if is_linked and (any(counts) or not counts):
        return end
    own_count = max(counts, default=0) if all(counts) else 0
    return next(islice(_find_paragraphs_apart(page, last_span, newsletter), own_count, None), end)


def _find_paragraphs_apart(page: MarkdownLines, span: tuple[int, int], newsletter: Newsletter) -> Iterator[int]:
    """Find the unindented lines after a blank line that are neither code nor label lines."""
    for number in range(span[0] + 1, span[1]):
        line, previous_line = page.lines[number], page.lines[number - 1]
        set_apart = line.strip() and not previous_line.strip() and not line[0].isspace()
        if set_apart and number not in page.opaque and not is_label_or_summary_line(line, newsletter):
            yield number


def _read_entry(page: MarkdownLines, mark: Mark, start: int, end: int) -> Entry:
    lines = [page.lines[start][mark.end :].rstrip()]
    for number in range(start + 1, end):
        line = page.lines[number].rstrip()
        if line or lines[-1] or number in page.opaque:
            lines.append(line)
    return Entry(resolve_links("\n".join(lines).rstrip(), page.definitions))


# ---- Doubts: what the editor has to look at


def _find_unread_sections(
    outline: _Outline, sections: Sequence[Section], page: MarkdownLines, newsletter: Newsletter
) -> list[Detail]:
    """Find sections of text without an entry that holds a link; a heading above other sections needs no entry."""
    doubts = []
    for index, (span, section) in enumerate(zip(outline.sections, sections, strict=True)):
        contains = index + 1 < len(sections) and sections[index + 1].level > section.level
        text = any(line.strip() for line in page.lines[span.start + 1 : span.end])
        linked = any(inline.find_urls(entry.markdown) for entry in section.entries)
        if text and not linked and not contains and not newsletter.is_frame(section.name):
            count = len(section.entries)
            fact = Detail.of("archive/no-linked-entry", line=span.start + 1, section=section.name, count=count)
            doubts.append(fact)
    return doubts


def _find_loose_lines(
    outline: _Outline,
    sections: Sequence[Section],
    page: MarkdownLines,
    newsletter: Newsletter,
) -> list[Detail]:
    """Find the lines with links in no entry, but those of headings, frame, list of back issues and footer."""
    frame = {span.start for span in outline.sections}
    for span in outline.sections:
        if newsletter.is_frame(read_section_heading(page, span)):
            frame.update(range(span.start, span.end))
    lines = [
        link.line
        for link in find_loose_links(page, sections)
        if link.line - 1 not in frame and link.line <= outline.back_issues
    ]
    return [Detail.of("archive/loose-links", lines=tuple(join_lines(lines)))] if lines else []


def _find_doubts(
    sections: Sequence[Section], footer: str | None, text: str, size: int, newsletter: Newsletter
) -> list[Detail]:
    """Find sections that the newsletter does not know, and signs that the file is cut off.

    Args:
        sections: of the issue.
        footer: of the issue.
        text: of the whole file.
        size: of the file, in bytes.
        newsletter: its sections and its footer.

    Returns:
        A fact for each doubt.
    """
    doubts = [
        Detail.of("archive/unknown-section", section=section.name)
        for section in sections
        if newsletter.category(section.name) is None and not newsletter.is_frame(section.name)
    ]
    if footer is None and newsletter.footer and not _ENDS_WHOLE.search(text):
        present = {category.name for section in sections if (category := newsletter.category(section.name))}
        missing = tuple(name for name in newsletter.category_names if name not in present)
        fact = Detail.of("archive/no-footer", byte=size)
        doubts.append(Detail.of("archive/no-footer-no-sections", byte=size, names=missing) if missing else fact)
    return doubts
