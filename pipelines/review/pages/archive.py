"""归档: back issues, their entries, and a search of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from pipelines.issue.changes import list_entries
from pipelines.issue.entry import EntryView, read_entry, read_summary, read_title
from pipelines.issue.escape import make_printable_url
from pipelines.issue.keys import find_entry_keys
from pipelines.model import Entry, Issue
from pipelines.newsroom.editing.exports import render_as_markdown
from pipelines.newsroom.editing.issues import list_issues, read_issues_to_export
from pipelines.review.pages.issue import read_day, remove_front_matter
from pipelines.review.rendering import render_markdown, render_page
from pipelines.review.visit import NothingHere, Visit
from pipelines.store import Transaction
from pipelines.store.search import fold_text, split_terms

MOST_HITS: Final = 100


class ArchiveQuery(BaseModel):
    """The query string of the archive.

    Args:
        q: search terms, separated by spaces; an entry matches where its Markdown contains all of them.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    q: str = Field("", max_length=200)


@dataclass(frozen=True, slots=True)
class PrintedEntry:
    """An entry of a published issue, ready for a template.

    Args:
        issue: the date of the issue.
        also: the dates of other issues that printed one of its links, newest first.
    """

    issue: date
    title: str
    url: str
    summary: str
    view: EntryView
    also: Sequence[date]


def show_archive(visit: Visit) -> Response:
    """Show all published issues, or the entries that match a search."""
    query = visit.read_query(ArchiveQuery)
    store = visit.newsroom.store
    hits: list[PrintedEntry] = []
    if terms := split_terms(query.q):
        with store.reading() as tx:
            matches = [(day, entry) for day, entry in tx.issues.list_printed_entries() if _matches(entry, terms)]
            hits = [_make_printed_entry(visit, tx, day, entry) for day, entry in matches[:MOST_HITS]]
        return render_page(
            visit,
            "archive.html",
            title=visit.translate("desk/archive"),
            query=query,
            hits=hits,
            issues=(),
            total=len(matches),
            read_first_titles=_make_titles_reader(visit),
        )
    issues = [issue for issue in list_issues(store) if issue.state == "published"]
    return render_page(
        visit,
        "archive.html",
        title=visit.translate("desk/archive"),
        query=query,
        hits=(),
        issues=issues,
        total=0,
        read_first_titles=_make_titles_reader(visit),
    )


def show_archived_issue(visit: Visit) -> Response:
    """Show one published issue, and the other issues that printed the same links."""
    day = read_day(visit.read_path("day"))
    newsroom = visit.newsroom
    (issue,) = read_issues_to_export(newsroom.store, newsroom.newsletter, [day])
    if issue.state != "published":
        raise NothingHere
    with newsroom.store.reading() as tx:
        sections = [
            (section.name, [_make_printed_entry(visit, tx, day, entry) for entry in section.entries])
            for section in issue.sections
        ]
    html = render_markdown(remove_front_matter(render_as_markdown(issue, newsroom)))
    return render_page(
        visit, "archived.html", title=visit.translate("desk/archive"), day=day, sections=sections, html=html
    )


def _make_titles_reader(visit: Visit) -> Callable[[Issue], str]:
    """Make the function with which the template names an issue without headline: by its first three titles."""

    def read_first_titles(issue: Issue) -> str:
        entries = list_entries(issue)[:3]
        return " / ".join(read_title(entry.markdown, visit.newsroom.newsletter) for entry in entries)

    return read_first_titles


def _matches(entry: Entry, terms: Sequence[str]) -> bool:
    text = fold_text(entry.markdown)
    return all(term in text for term in terms)


def _make_printed_entry(visit: Visit, tx: Transaction, day: date, entry: Entry) -> PrintedEntry:
    newsletter = visit.newsroom.newsletter
    keys = find_entry_keys(entry, newsletter, visit.newsroom.rules)
    days = {reference.day for printed in tx.issues.find_printed(keys).values() for reference in printed}
    view = read_entry(entry.markdown, newsletter)
    return PrintedEntry(
        issue=day,
        title=read_title(entry.markdown, newsletter),
        url=make_printable_url(view.url or "") or "",
        summary=read_summary(entry.markdown, newsletter),
        view=view,
        also=sorted(days - {day}, reverse=True),
    )
