"""Issue -> Markdown in the house style; Candidate -> Entry; dates -> the list of back issues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Final

from jinja2 import Environment, StrictUndefined, Template

from pipelines.export.archive import code_lines
from pipelines.export.entry import without_machine_line
from pipelines.export.escape import bare_url, cleaned, escape, link, printable_url
from pipelines.export.summary import summarise
from pipelines.model import Article, Candidate, Entry, Issue, Section
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


def draft(candidate: Candidate, newsletter: Newsletter) -> Entry:
    """The entry that an editor starts from: head line, label lines, and sentences of the article's own as summary.

    The summary line always stands, empty at worst: it is the editor's to fill, and kramdown takes an item of a single
    line with a `|` in it for a table.
    """
    lead, labels = candidate.lead.article, newsletter.labels
    url = None if lead.temporary else printable_url(lead.url)
    lines = [_head(lead, url, labels.source_separator)]
    addresses = {url}
    for one in candidate.links:
        address = printable_url(one.url)
        if address and address not in addresses:
            addresses.add(address)
            lines.append(f"{escape(one.label)}：{bare_url(address)}")
    return Entry(
        "\n".join([*lines, f"{labels.summary}：{escape(summarise(candidate, _said_in_head(lead)))}"]),
        candidate.story.id,
    )


def _head(article: Article, url: str | None, separator: str) -> str:
    prefix, title, source = "", cleaned(article.title) or article.url, article.publisher
    if article.kind == "arxiv":
        prefix, source = _venue(article) or _paper(article), None
    elif article.kind == "github":
        title, source = _project(article, url), None
    said = escape(title) + (separator + escape(source) if source and cleaned(source) else "")
    return (f"[{escape(prefix)}] " if prefix else "") + (link(said, url) if url else said)


def _paper(article: Article) -> str:
    """The arXiv id without version."""
    return next((key.removeprefix("arxiv:") for key in article.keys if key.startswith("arxiv:")), "")


_VENUE: Final = re.compile(r"\b([A-Z][A-Za-z]{0,8}[A-Z][A-Za-z]{0,8})[ -]?'?(20[0-4]\d)\b")


def _venue(article: Article) -> str:
    """The conference that a paper's comment says it was accepted at: `CVPR 2020`."""
    comment = article.facts.get("comment", "")
    accepted = re.search(r"accept|appear|publish|present|oral|poster|spotlight", comment, re.IGNORECASE)
    where = (
        _VENUE.search(comment) if accepted and not re.search(r"submi|review|reject", comment, re.IGNORECASE) else None
    )
    return f"{where[1]} {where[2]}" if where else ""


def _project(article: Article, url: str | None) -> str:
    """`owner/repo: what is new`, or what the repository is where the title says no more than its name."""
    name = "/".join((url or "").split("/")[3:5])
    said = article.title.removeprefix(name).lstrip(" :：")
    return f"{name}: {said}" if name and said else ": ".join(filter(None, (article.title, article.summary)))


def _said_in_head(lead: Article) -> str:
    """What the head line says, as a reader sees it."""
    return _project(lead, lead.url) if lead.kind == "github" else lead.title
