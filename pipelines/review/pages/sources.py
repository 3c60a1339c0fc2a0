"""来源: the sources, with the new articles of eight weeks beside the expected number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from starlette.responses import Response

from crawler.sources.schema import Source
from pipelines.errors import describe_failure, describe_mistake
from pipelines.newsroom import Newsroom
from pipelines.review.rendering import render_page
from pipelines.review.visit import Visit
from pipelines.store.runs import Run
from pipelines.store.sources import SourceRecord
from pipelines.wording import Language

WEEKS: Final = 8
"""Weeks of the chart."""

Health = Literal["off", "never", "failing", "few", "many", "well"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One week of the chart: the number of new articles, and the position of its bar in pixels."""

    count: int
    x: int
    y: int
    height: int
    failed: bool


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source, ready for a template.

    Args:
        week: number of new articles in the last seven days.
        weeks: the last eight weeks, the oldest first.
        health: the most serious state that applies.
        failure: why the last run failed, in the reader's language; empty where it did not.
        failures: number of failed runs in a row.
        last_success: aware; None before the first.
    """

    source: Source
    week: int
    weeks: Sequence[Bar]
    health: Health
    failure: str
    failures: int
    last_success: datetime | None


@dataclass(frozen=True, slots=True)
class SourcesView:
    """The registry as its file is now: the sources, and the mistakes of rows that cannot work, in the
    reader's language."""

    sources: Sequence[SourceView]
    mistakes: Sequence[str]


def view_sources(visit: Visit) -> SourcesView:
    """View the registry; sources in trouble come first."""
    newsroom = Newsroom(visit.newsroom.home)  # reads sources.toml again; visit.newsroom keeps the registry of the start
    with visit.newsroom.store.reading() as tx:
        records = tx.sources.list_all()
        runs = tx.runs.list_since(visit.now - timedelta(weeks=WEEKS))
    by_source: dict[str, list[Run]] = {}
    for run in runs:
        by_source.setdefault(run.source, []).append(run)
    views = [
        _view_source(source, records.get(source.id), by_source.get(source.id, []), visit.now, visit.language)
        for source in newsroom.sources.values()
    ]
    order: tuple[Health, ...] = ("failing", "few", "many", "never", "well", "off")
    return SourcesView(
        sorted(views, key=lambda view: (order.index(view.health), view.source.kind, view.source.id)),
        [describe_mistake(mistake, visit.language) for mistake in newsroom.registry.mistakes],
    )


def _view_source(
    source: Source, record: SourceRecord | None, runs: Sequence[Run], now: datetime, language: Language
) -> SourceView:
    counts, failed = [0] * WEEKS, [False] * WEEKS
    for run in runs:
        week = WEEKS - 1 - (now - run.started_at) // timedelta(weeks=1)
        if 0 <= week < WEEKS:
            counts[week] += run.new
            failed[week] = failed[week] or run.failure is not None
    highest = max(*counts, 1)
    bars = []
    for week, count in enumerate(counts):
        height = max(round(28 * count / highest), 2 if count else 1)
        bars.append(Bar(count, week * 9, 30 - height, height, failed[week]))
    failure = record.failure if record else None
    return SourceView(
        source=source,
        week=counts[-1],
        weeks=bars,
        health=_judge_health(source, record, counts[-1]),
        failure=describe_failure(failure, language) if failure else "",
        failures=record.failures_in_row if record and failure else 0,
        last_success=record.last_success_at if record else None,
    )


def _judge_health(source: Source, record: SourceRecord | None, week: int) -> Health:
    if not source.enabled:
        return "off"
    if record is None or record.last_started_at is None:
        return "never"
    if record.failure:
        return "failing"
    fewest, most = source.expect_per_week or (0, week)
    return "few" if week < fewest else "many" if week > most else "well"


def show_sources(visit: Visit) -> Response:
    """Show the page of sources."""
    progress = visit.desk.crawls.read_progress(visit.newsroom.store)
    return render_page(
        visit,
        "sources.html",
        title=visit.translate("desk/sources"),
        sources_view=view_sources(visit),
        progress=progress,
    )
