"""归档: past issues, and where a story appeared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from pipelines.issue.entry import EntryView, read_entry, read_summary, read_title
from pipelines.issue.escape import make_printable_url
from pipelines.issue.keys import find_entry_keys
from pipelines.model import Entry, Issue
from pipelines.newsroom.issues import all_issues
from pipelines.review.pages.issue import day_of, view_issue
from pipelines.review.rendering import page
from pipelines.review.visit import NothingHere, Visit
from pipelines.store import Transaction
from pipelines.store.search import folded

MOST_HITS: Final = 100


class Query(BaseModel):
    """What past issues are searched for: words that all stand in an entry; taken literally."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    q: str = Field("", max_length=200)


@dataclass(frozen=True, slots=True)
class Printed:
    """An entry of a past issue.

    Args:
        also: the other issues that printed one of its links.
    """

    issue: date
    title: str
    url: str
    summary: str
    view: EntryView
    also: Sequence[date]


def archive_page(visit: Visit) -> Response:
    """All past issues, or the entries that have the words searched for."""
    asked = visit.asked(Query)
    store = visit.newsroom.store
    hits: list[Printed] = []
    if terms := folded(asked.q).split():
        with store.reading() as tx:
            found = [(day, entry) for day, entry in tx.issues.list_printed_entries() if _has(entry, terms)]
            hits = [_printed(visit, tx, day, entry) for day, entry in found[:MOST_HITS]]
        return page(
            visit,
            "archive.html",
            title="归档",
            asked=asked,
            hits=hits,
            issues=(),
            total=len(found),
            first_titles=_first_titles(visit),
        )
    issues = [one for one in all_issues(store) if one.state == "published"]
    return page(
        visit,
        "archive.html",
        title="归档",
        asked=asked,
        hits=(),
        issues=issues,
        total=0,
        first_titles=_first_titles(visit),
    )


def archived_issue(visit: Visit) -> Response:
    """One past issue: how it was printed, and where else its stories appeared."""
    day = day_of(visit.place("day"))
    shown = view_issue(visit, day)
    if shown.issue.state != "published":
        raise NothingHere
    with visit.newsroom.store.reading() as tx:
        sections = [
            (section.name, [_printed(visit, tx, day, entry) for entry in section.entries])
            for section in shown.issue.sections
        ]
    return page(visit, "archived.html", title="归档", shown=shown, sections=sections)


def _first_titles(visit: Visit) -> Callable[[Issue], str]:
    """What an issue is known by that has no headline."""

    def said(issue: Issue) -> str:
        entries = [entry for section in issue.sections for entry in section.entries]
        return " / ".join(read_title(entry.markdown, visit.newsroom.newsletter) for entry in entries[:3])

    return said


def _has(entry: Entry, terms: Sequence[str]) -> bool:
    text = folded(entry.markdown)
    return all(term in text for term in terms)


def _printed(visit: Visit, tx: Transaction, day: date, entry: Entry) -> Printed:
    newsletter = visit.newsroom.newsletter
    keys = find_entry_keys(entry, newsletter, visit.newsroom.rules)
    days = {other.day for printed in tx.issues.find_printed(keys).values() for other in printed}
    view = read_entry(entry.markdown, newsletter)
    return Printed(
        issue=day,
        title=read_title(entry.markdown, newsletter),
        url=make_printable_url(view.url or "") or "",
        summary=read_summary(entry.markdown, newsletter),
        view=view,
        also=sorted(days - {day}, reverse=True),
    )
