"""Learns how many blank lines stand before each part of an issue."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipelines.issue.house_style import LATE_ISSUES
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.reading import (
    SectionSpan,
    find_entry_marks,
    find_opening_line,
    find_sections,
    read_section_heading,
)
from pipelines.issue.shapes import ROW
from pipelines.issue.writing_style.printed import PrintedIssue
from pipelines.newsletter import USUAL_BLANK_LINES, Newsletter


class Spacing(NamedTuple):
    """The blank lines before a part of an issue; issues are numbered from the oldest."""

    issue: int
    section: str
    part: str
    blank_lines: int


def measure_spacings(printed: Sequence[PrintedIssue], newsletter: Newsletter) -> Iterator[Spacing]:
    """Count the blank lines before each part of the issues.

    Args:
        printed: oldest first.
        newsletter: its reading.
    """
    for number, each in enumerate(printed):
        page = MarkdownLines.split(each.example.text)
        opening = find_opening_line(page, newsletter)
        if opening is not None:
            yield Spacing(number, "", "opening", _count_blanks(page, opening))
        spans = find_sections(page, newsletter)
        for span, section in zip(spans, each.issue.main_sections, strict=True):
            name = read_section_heading(page, span)
            yield Spacing(number, name, "heading", _count_blanks(page, span.start))
            for part, count in _measure_section(page, span, newsletter):
                yield Spacing(number, name, part, count)
            if section.closing:
                first_line = section.closing.split("\n", 1)[0].rstrip()
                lines = [line.rstrip() for line in page.lines[: span.end]]
                closing = len(lines) - 1 - lines[::-1].index(first_line)
                yield Spacing(number, name, "closing", _count_blanks(page, closing))


def _measure_section(page: MarkdownLines, span: SectionSpan, newsletter: Newsletter) -> Iterator[tuple[str, int]]:
    filled = [number for number in range(span.start + 1, span.end) if page.lines[number].strip()]
    starts = list(find_entry_marks(page, span, newsletter).items())
    if filled and (not starts or filled[0] < starts[0][0]):
        yield "notes", _count_blanks(page, filled[0])
    for index, (number, mark) in enumerate(starts):
        if mark.kind != ROW:
            yield "between" if index else "entries", _count_blanks(page, number)


def _count_blanks(page: MarkdownLines, number: int) -> int:
    count = 0
    while number > count and not page.lines[number - count - 1].strip():
        count += 1
    return count


def choose_spacing(
    spacings: Sequence[Spacing], name: str | None = None, wider: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Choose the number of blank lines that is the most frequent before each part, in the late issues that have it.

    Args:
        spacings: as `measure_spacings` counts them.
        name: of the section; None for all sections together.
        wider: what holds for all sections; equal numbers are left out.
    """
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    issues: dict[str, set[int]] = defaultdict(set)
    for spacing in reversed(spacings):  # of equally frequent numbers, the newest
        if name is None or spacing.section == name:
            issues[spacing.part].add(spacing.issue)
            if len(issues[spacing.part]) <= LATE_ISSUES:
                counts[spacing.part][spacing.blank_lines] += 1
    usual = {part: numbers.most_common(1)[0][0] for part, numbers in counts.items()}
    unset = USUAL_BLANK_LINES.model_dump()
    return {part: count for part, count in usual.items() if wider is None or wider.get(part, unset[part]) != count}
