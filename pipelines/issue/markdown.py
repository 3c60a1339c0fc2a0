"""Issue -> Markdown in the house style; dates -> the list of back issues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache, partial
from itertools import groupby
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Template

from pipelines.issue.blank_lines import set_blank_lines
from pipelines.issue.changes import arrange_entries
from pipelines.issue.entry import read_entry, remove_unprinted_lines
from pipelines.issue.escape import make_link
from pipelines.issue.heading import set_title_field
from pipelines.issue.lines import find_code_lines
from pipelines.issue.shapes import HARD_KINDS, write_mark
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import BOLD_LEVEL, Newsletter

HARD_BREAK: Final = "  "
"""The end of each line of an entry: Markdown then begins the next line on a line of its own."""


def render_issue(issue: Issue, newsletter: Newsletter, template: str) -> str:
    """Write an issue as Markdown.

    The text of the issue stays unchanged; the house style sets only the ends of entries' lines, and blank lines where
    the file of a past issue had no others.

    Args:
        issue: its machine lines and its empty summaries are not written.
        newsletter: its label words.
        template: Jinja source: the text of `templates/issue.md.j2`.

    Returns:
        The whole file.
    """
    printed = _strip_ends(remove_unprinted_parts(issue, newsletter))
    items = render_items(printed, hard_breaks=newsletter.frame.hard_breaks)
    dateline = newsletter.fill_template(newsletter.frame.dateline, issue.date, number=issue.number, slug=issue.slug)
    text = _compile_template(template).render(
        issue=printed if printed.dateline is not None else replace(printed, dateline=dateline),
        labels=newsletter.labels,
        br=HARD_BREAK,
        items=items.__getitem__,
        blank_lines=partial(_count_blank_lines, newsletter=newsletter),
        parts=partial(read_entry, newsletter=newsletter),
    )
    text = text.replace("\r\n", "\n")  # a browser's text field sends the longer one
    return set_blank_lines(text, issue.blank_lines)


def remove_unprinted_parts(issue: Issue, newsletter: Newsletter) -> Issue:
    """Remove from every entry of an issue the lines that no page shows."""
    return arrange_entries(
        issue,
        (
            [replace(entry, markdown=remove_unprinted_lines(entry.markdown, newsletter)) for entry in section.entries]
            for section in issue.sections
        ),
    )


_STRIPPED_PARTS: Final = (
    *("front_matter", "above_heading", "headline", "tagline", "notice", "guide", "preamble", "back_issues", "footer"),
)


def _strip_ends(issue: Issue) -> Issue:
    """Strip the blanks at the end of each text around the entries; the file read back does not have them."""
    sections = tuple(
        replace(section, notes=_strip_end(section.notes), closing=_strip_end(section.closing))
        for section in issue.sections
    )
    parts: dict[str, Any] = {name: _strip_end(getattr(issue, name)) for name in _STRIPPED_PARTS}
    return replace(issue, sections=sections, **parts)


def _strip_end(text: str | None) -> str | None:
    return text.rstrip() if text else text


def _print_nothing(part: object) -> object:
    """Print a part that the issue does not have, such as its footer, as nothing, and not as `None`."""
    return "" if part is None else part


@lru_cache(maxsize=8)
def _compile_template(template: str) -> Template:
    environment = Environment(  # noqa: S701 - it writes Markdown; `propose_entry` escapes text from the web
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_print_nothing,
    )
    environment.filters["item"] = render_item
    environment.filters["heading_line"] = write_section_heading
    environment.filters["heading"] = render_heading
    environment.filters["titled"] = _set_title
    return environment.from_string(template)


def render_heading(issue: Issue) -> str:
    """Write the text of an issue's heading: title, dateline, headline.

    >>> render_heading(Issue(date(2020, 11, 30), "简报", dateline=" (2020-11-30)：", headline="甲/乙"))
    '简报 (2020-11-30)：甲/乙'
    """
    return f"{issue.title}{issue.dateline or ''}{issue.headline or ''}".strip()


def _set_title(text: str, title_line: str, issue: Issue) -> str:
    """Give the title's field of a front matter the text of the issue's heading, if it is printed there alone."""
    return set_title_field(text, title_line) if issue.title_in == "front-matter" else text


def write_section_heading(section: Section) -> str:
    """Write the heading of a section.

    >>> write_section_heading(Section("论文", level=3)), write_section_heading(Section("论文", level=7))
    ('### 论文', '**论文**')
    """
    return f"**{section.name}**" if section.level == BOLD_LEVEL else f"{'#' * section.level} {section.name}"


def _count_blank_lines(part: str, section: Section | None = None, *, newsletter: Newsletter) -> str:
    """Write the blank lines before a part of an issue: `opening`, `footer`, or a part of a section."""
    counts = newsletter.style_section(section.name if section else "").blank_lines
    count: int | None = getattr(counts, part)
    if count is None:
        count = int(section is not None and section.is_set_apart)
    return "\n" * count


def render_items(issue: Issue, *, hard_breaks: bool = True) -> list[list[str]]:
    """Write the entries of each section with their marks: bullets, numbers, headings, as the section has them.

    Args:
        issue: whose sections are written.
        hard_breaks: whether lines end with a hard break.
    """
    items_by_section: list[list[str]] = []
    last_number = 0
    for section in issue.sections:
        number = last_number if section.continues_numbers else 0
        items = []
        for entry in section.entries:
            if entry.markdown.strip():
                number += 1
                item = render_item(entry, section.marker, number)
                items.append(item if hard_breaks else re.sub(r"[ \t]+$", "", item, flags=re.MULTILINE))
        items_by_section.append(items)
        last_number = number if "{" in section.marker else last_number
    return items_by_section


def render_item(entry: Entry, marker: str = "- ", number: int = 1) -> str:
    r"""Write an entry with its mark. A line outside of code ends with a hard break, where Markdown would join it.

    Args:
        entry: of an issue.
        marker: of the section.
        number: of the entry in the section, from 1.

    >>> render_item(Entry("[标题](u)\n摘要：x")), render_item(Entry("[标题](u)\n\n说了。"), "{n}、", 2)
    ('- [标题](u)  \n摘要：x  ', '2、[标题](u)\n\n说了。')
    """
    lines = [line.rstrip() for line in entry.markdown.split("\n")]
    code = find_code_lines(lines)
    in_list = marker in HARD_KINDS
    broken = [
        line + HARD_BREAK
        if line and index not in code and (in_list or (lines[index + 1 : index + 2] or [""])[0])
        else line
        for index, line in enumerate(lines)
    ]
    return write_mark(marker, number) + "\n".join(broken)


# ---- Back issues


def render_back_issues(past: Iterable[date], newsletter: Newsletter) -> str:
    """Write the list of back issues with its heading, newest first.

    Args:
        past: dates of the issues to list.
        newsletter: `[back_issues]` sets the style: a list, or a table with a year's newest issue at the upper right.
    """
    style = newsletter.back_issues
    heading = make_link(style.heading, style.url) if style.url else style.heading
    dates = sorted(set(past), reverse=True)
    addresses = {day: f"[{day}]({newsletter.fill_template(style.link, day)})" for day in dates}
    if style.style == "list":
        lines = [f"- {addresses[day]}{HARD_BREAK}" for day in dates]
    else:
        rows = [
            row
            for year, days in groupby(dates, key=lambda day: day.year)
            for row in _lay_out_year(year, [addresses[day] for day in days], style.columns)
        ]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines[1:1] = ["|" + ":---:|" * style.columns] if rows else []
    return "\n".join([f"## {heading}", "", *lines]).rstrip()


def _lay_out_year(year: int, cells: Sequence[str], columns: int) -> Iterator[Sequence[str]]:
    """Lay out the rows of a year: its number, one digit a column if they fit, then its issues; blanks come first."""
    digits = str(year) if len(str(year)) == columns else [str(year)]
    yield [*digits, *[""] * (columns - len(digits))]
    padded = [*[""] * (-len(cells) % columns), *cells]
    for start in range(0, len(padded), columns):
        yield padded[start : start + columns]
