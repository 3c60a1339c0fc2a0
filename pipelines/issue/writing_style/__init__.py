"""Learns from printed issues how a newsletter writes: what newsletter.toml says of its heading, sections and entries.

What most issues share is the newsletter's style: texts with the date and the number of the issue taken out, sections
in their order, the form of entries, blank lines. What each issue has anew is the editor's, and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from pipelines.issue.house_style import LATE_ISSUES
from pipelines.issue.writing_style.entries import has_hard_breaks, learn_form, learn_labels
from pipelines.issue.writing_style.printed import PrintedIssue, escape_braces, find_usual, list_filled
from pipelines.issue.writing_style.sections import learn_category, learn_sections, run_on
from pipelines.issue.writing_style.spacing import choose_spacing, measure_spacings
from pipelines.issue.writing_style.texts import learn_file_name, learn_texts
from pipelines.issue.writing_style.titles import find_common_beginning, read_heading, split_heading
from pipelines.model import Issue, sets_apart
from pipelines.newsletter import Newsletter


def learn_writing(printed: Sequence[PrintedIssue], newsletter: Newsletter) -> dict[str, Any]:
    """Learn how a newsletter writes. Where issues disagree, the late ones decide; of a section, the last that have it.

    Args:
        printed: past issues.
        newsletter: with their reading; its other settings hold where the issues tell nothing.

    Returns:
        The settings that the issues show, as newsletter.toml has them.
    """
    printed = sorted(printed, key=lambda each: each.issue.date)
    late = printed[-LATE_ISSUES:]
    issues, late_issues = ([each.issue for each in examples] for examples in (printed, late))
    beginning = find_common_beginning([each.take_out(read_heading(each.issue, newsletter)) for each in late])
    title, dateline = split_heading(beginning)
    printed_title = {"title": ""} if dateline and not title else {}
    title = title or newsletter.title
    spacings = list(measure_spacings(printed, newsletter))
    sections = learn_sections(printed, spacings)
    entries, late_entries = (
        [entry for issue in examples for section in issue.main_sections for entry in section.entries]
        for examples in (issues, late_issues)
    )
    frame = {
        **printed_title,
        "dateline": escape_braces(dateline),
        "marker": find_usual(section.marker for section in list_filled(late_issues)) or newsletter.frame.marker,
        "level": find_usual(section.level for section in list_filled(late_issues)) or newsletter.frame.level,
        **learn_form(late_entries, newsletter),
        "numbers_run_on": run_on(late_issues),
        "empty_sections": _prints_empty_sections(late_issues, sections.filled),
        "hard_breaks": has_hard_breaks(late),
        "blank_lines": choose_spacing(spacings),
        "sections": sections.fixed,
        **_learn_overview(late_issues),
    }
    fields = learn_texts(late, title)
    categories = [learn_category(name, issues, spacings, frame, newsletter) for name in sections.filled]
    frame["blank_lines"] = _leave_out_usual(frame["blank_lines"], frame["marker"], newsletter)
    settings: dict[str, Any] = {
        "title": title,
        "per_issue": max(round(median(issue.item_count for issue in issues)), 1),
        **fields,
        "categories": categories,
        "labels": learn_labels(entries, newsletter),
        "frame": frame,
    }
    if not any(issue.back_issues for issue in late_issues):
        settings["back_issues"] = {"heading": ""}
    if file := learn_file_name(late):
        settings["publish"] = {"file": file}
    return settings


def _prints_empty_sections(issues: Sequence[Issue], filled: Sequence[str]) -> bool:
    """Whether each issue has the headings of all sections that any of them fills."""
    names = {section.name for section in list_filled(issues)}.intersection(filled)
    return all(names <= {section.name for section in issue.main_sections} for issue in issues)


def _leave_out_usual(blank_lines: Mapping[str, int], marker: str, newsletter: Newsletter) -> dict[str, int]:
    """Leave out the numbers of blank lines that the newsletter prints without being told."""
    usual = newsletter.style_section("").blank_lines.model_dump()
    if usual["between"] is None:
        usual["between"] = int(sets_apart(marker))
    return {part: count for part, count in blank_lines.items() if usual[part] != count}


def _learn_overview(issues: Sequence[Issue]) -> dict[str, Any]:
    """Learn that issues have no headline, or no 导读; how long a headline is, they do not tell."""
    without_headline = {} if any(issue.headline for issue in issues) else {"headline_items": 0}
    return without_headline | {"guide": any(issue.guide for issue in issues)}
