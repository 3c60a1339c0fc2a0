"""Learns the sections of a newsletter: which there are, in which order, and how each is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from pipelines.issue.house_style import LATE_ISSUES
from pipelines.issue.reading_style import Example
from pipelines.issue.writing_style.entries import learn_form
from pipelines.issue.writing_style.printed import MOST_ISSUES, PrintedIssue, find_usual, list_filled
from pipelines.issue.writing_style.spacing import Spacing, choose_spacing
from pipelines.issue.writing_style.texts import learn_text
from pipelines.model import Issue, Section
from pipelines.newsletter import Newsletter

_LEAST_FILLED: Final = 2
"""Issues that have entries under a heading that is a section of the newsletter."""


@dataclass(frozen=True, slots=True)
class FoundSections:
    """The sections of a newsletter.

    Args:
        filled: the headings of those with entries, in the order of print.
        fixed: rows of `[[frame.sections]]`.
    """

    filled: list[str]
    fixed: list[dict[str, Any]]


def learn_sections(printed: Sequence[PrintedIssue], spacings: Sequence[Spacing]) -> FoundSections:
    filled_counts: Counter[str] = Counter()
    for each in printed:
        filled_counts.update({section.name for section in list_filled([each.issue])})
    all_filled = list_filled([each.issue for each in printed])
    usual_form = find_usual((section.level, section.marker) for section in all_filled)
    in_usual_form = {section.name for section in all_filled if (section.level, section.marker) == usual_form}
    filled = {name for name, count in filled_counts.items() if count >= _LEAST_FILLED or name in in_usual_form}
    late = printed[-LATE_ISSUES:]
    counts = Counter(name for each in late for name in {section.name for section in each.issue.main_sections})
    fixed = {name for name, count in counts.items() if count >= len(late) * MOST_ISSUES and name not in filled}
    order = _merge_orders(
        [
            [name for section in each.issue.main_sections if (name := section.name) in filled | fixed]
            for each in reversed(printed)
        ]
    )
    rows = []
    usual = choose_spacing(spacings)
    for index, name in enumerate(order):
        if name in fixed:
            rows.append(
                {
                    "name": name,
                    "text": learn_text(_find_notes(name, printed)),
                    "above": next((later for later in order[index + 1 :] if later in filled), ""),
                    "level": find_usual(section.level for section in _find_all(name, printed)) or 2,
                    "blank_lines": choose_spacing(spacings, name, usual),
                }
            )
    return FoundSections([name for name in order if name in filled], rows)


def _find_all(name: str, printed: Iterable[PrintedIssue]) -> Iterator[Section]:
    for each in printed:
        yield from (section for section in each.issue.main_sections if section.name == name)


def _find_notes(name: str, printed: Iterable[PrintedIssue]) -> list[tuple[PrintedIssue, str | None]]:
    sections = [(each, section) for each in printed for section in _find_all(name, [each])]
    return [(each, _join_text(section)) for each, section in sections[-LATE_ISSUES:]]


def _join_text(section: Section) -> str:
    texts = (section.notes, *(entry.markdown for entry in section.entries if not section.marker), section.closing)
    return "\n\n".join(filter(None, texts))


def _merge_orders(orders: Sequence[Sequence[str]]) -> list[str]:
    """Merge the orders of sections, the newest first: a section that only older issues have follows its predecessor.

    >>> _merge_orders([["甲", "丁"], ["甲", "乙", "丁"], ["丙", "甲"]])
    ['丙', '甲', '乙', '丁']
    """
    merged: list[str] = []
    for order in orders:
        position = 0
        for name in order:
            if name not in merged:
                merged.insert(position, name)
            position = merged.index(name) + 1
    return merged


def run_on(issues: Sequence[Issue]) -> bool:
    """Whether the numbers of most sections go on from the section before."""
    later_sections = [section for issue in issues for section in list_filled([issue])[1:] if "{" in section.marker]
    return bool(later_sections) and sum(each.continues_numbers for each in later_sections) > len(later_sections) / 2


def learn_category(
    name: str,
    issues: Sequence[Issue],
    spacings: Sequence[Spacing],
    frame: Mapping[str, Any],
    newsletter: Newsletter,
) -> dict[str, Any]:
    """Learn a row of `[[categories]]`: its style holds what differs from the frame."""
    dated = [
        (PrintedIssue(Example("", ""), issue), section)
        for issue in issues
        for section in list_filled([issue])
        if section.name == name
    ]
    quota = round(median(len(section.entries) for _, section in dated))
    dated = dated[-LATE_ISSUES:]
    sections = [section for _, section in dated]
    style: dict[str, Any] = {
        "level": find_usual(section.level for section in sections),
        "marker": find_usual(section.marker for section in sections),
        **learn_form([entry for section in sections for entry in section.entries], newsletter),
    }
    style = {key: setting for key, setting in style.items() if setting is not None and setting != frame.get(key)}
    if blank_lines := choose_spacing(spacings, name, frame["blank_lines"]):
        style["blank_lines"] = blank_lines
    row: dict[str, Any] = {"name": name, "quota": quota}
    if notes := learn_text([(each, section.notes) for each, section in dated]):
        row["notes"] = notes
    if closing := learn_text([(each, section.closing) for each, section in dated]):
        row["closing"] = closing
    return row | ({"style": style} if style else {})
