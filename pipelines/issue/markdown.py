"""Issue -> Markdown in the house style; Candidate -> Entry; dates -> the list of back issues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Final

from jinja2 import Environment, StrictUndefined, Template

from pipelines.issue.entry import without_machine_line
from pipelines.issue.escape import link
from pipelines.issue.reading import code_lines
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter

HARD_BREAK: Final = "  "
"""What ends a line of an entry, so that the next begins on a line of its own."""


def render(issue: Issue, newsletter: Newsletter, template: str) -> str:
    """Write an issue.

    What the issue holds is written as it stands; only blank lines and the ends of entries' lines are the house style's.
    What a machine drafted and nobody accepted is not written.

    Args:
        newsletter: its words.
        template: Jinja source: the text of `templates/issue.md.j2`.
    """
    text = _compiled(template).render(issue=accepted(issue, newsletter), labels=newsletter.labels, br=HARD_BREAK)
    return text.replace("\r\n", "\n")  # what a browser's text field sends


def accepted(issue: Issue, newsletter: Newsletter) -> Issue:
    """The issue without what a machine drafted and nobody accepted."""

    def clean(section: Section) -> Section:
        entries = (replace(one, markdown=without_machine_line(one.markdown, newsletter)) for one in section.entries)
        return replace(section, entries=tuple(entries))

    return replace(issue, sections=tuple(map(clean, issue.sections)))


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    environment = Environment(  # noqa: S701 - what it writes is Markdown; text from the web is escaped when drafted
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["item"] = item
    return environment.from_string(template)


def item(entry: Entry) -> str:
    r"""An entry as an item of a list, each line ended by a hard break.

    >>> item(Entry("[标题](u)\n摘要：x"))
    '- [标题](u)  \n摘要：x  '
    """
    lines = entry.markdown.split("\n")
    code = code_lines(lines)
    ended = (line + HARD_BREAK if line and at not in code else line for at, line in enumerate(map(str.rstrip, lines)))
    return "- " + "\n".join(ended)


# Back issues


def back_issues(past: Iterable[date], newsletter: Newsletter) -> str:
    """The list of back issues with its heading, newest first.

    Args:
        past: dates of the issues to list.
        newsletter: `[back_issues]` says how: a list, or a table whose newest issue stands at a year's upper right.
    """
    style = newsletter.back_issues
    heading = link(style.heading, style.url) if style.url else style.heading
    dates = sorted(set(past), reverse=True)
    addresses = {day: f"[{day}]({style.link.format(date=day)})" for day in dates}
    if style.style == "list":
        lines = [f"- {addresses[day]}{HARD_BREAK}" for day in dates]
    else:
        rows = [
            row
            for year, days in groupby(dates, key=lambda day: day.year)
            for row in _year(year, [addresses[day] for day in days], style.columns)
        ]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines[1:1] = ["|" + ":---:|" * style.columns] if rows else []
    return "\n".join([f"## {heading}", "", *lines]).rstrip()


def _year(year: int, cells: Sequence[str], columns: int) -> Iterator[Sequence[str]]:
    """A row with the year, a digit a column where that fits, and rows of issues, the newest filled up on the left."""
    digits = str(year) if len(str(year)) == columns else [str(year)]
    yield [*digits, *[""] * (columns - len(digits))]
    padded = [*[""] * (-len(cells) % columns), *cells]
    for start in range(0, len(padded), columns):
        yield padded[start : start + columns]


# Drafts
