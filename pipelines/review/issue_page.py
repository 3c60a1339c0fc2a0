"""本期: the issue in the making, and how it will look."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from pipelines.review.issue_view import day_of, view_issue
from pipelines.review.rendering import page
from pipelines.review.visit import Visit


def issue_page(visit: Visit) -> Response:
    """The whole page: the issue named, else the newest draft."""
    with visit.newsroom.store.reading() as tx:
        drafts = sorted(tx.issues.dates("draft"), reverse=True)
    named = visit.request.query_params.get("date")
    day: date | None = day_of(named) if named else next(iter(drafts), None)
    shown = view_issue(visit, day) if day else None
    return page(visit, "issue.html", title="本期", shown=shown, drafts=drafts)
