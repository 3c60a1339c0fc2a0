"""Sources as the desk shows them: what each gave, against what it should give, over eight weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from starlette.responses import Response

from crawler.sources import Mistake, Source
from pipelines.errors import describe_failure
from pipelines.newsroom import Newsroom
from pipelines.review.rendering import page
from pipelines.review.visit import Visit
from pipelines.store.runs import Run
from pipelines.store.sources import SourceRecord
from pipelines.wording import Language

WEEKS: Final = 8

Health = Literal["off", "never", "failing", "few", "many", "well"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A week of a chart: how much, and where it is drawn."""

    count: int
    x: int
    y: int
    height: int
    failed: bool


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source, ready to be put into a template.

    Args:
        week: articles that were new in the last seven days.
        weeks: likewise, the last eight weeks, the oldest first.
        health: the worst that is to be said of it.
        failure: what the last run failed of, and how many in a row.
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
    """The registry as it is now."""

    sources: Sequence[SourceView]
    mistakes: Sequence[Mistake]


def view_sources(visit: Visit) -> SourcesView:
    """Every source that can work, the ones in trouble first; and the rows that cannot."""
    newsroom = Newsroom(visit.newsroom.home)  # the registry as the file says now, not as it was when the desk opened
    with visit.newsroom.store.reading() as tx:
        records = tx.sources.list_all()
        runs = tx.runs.list_since(visit.now - timedelta(weeks=WEEKS))
    by_source: dict[str, list[Run]] = {}
    for run in runs:
        by_source.setdefault(run.source, []).append(run)
    shown = [
        _view(source, records.get(source.id), by_source.get(source.id, []), visit.now, visit.language)
        for source in newsroom.sources.values()
    ]
    order: tuple[Health, ...] = ("failing", "few", "many", "never", "well", "off")
    return SourcesView(
        sorted(shown, key=lambda one: (order.index(one.health), one.source.kind, one.source.id)),
        newsroom.registry.mistakes,
    )


def _view(
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
    for at, count in enumerate(counts):
        height = max(round(28 * count / highest), 2 if count else 1)
        bars.append(Bar(count, at * 9, 30 - height, height, failed[at]))
    failure = record.failure if record and record.failure else ""
    return SourceView(
        source=source,
        week=counts[-1],
        weeks=bars,
        health=_health(source, record, counts[-1]),
        failure=describe_failure(failure, language),
        failures=record.failures_in_row if record and failure else 0,
        last_success=record.last_success_at if record else None,
    )


def _health(source: Source, record: SourceRecord | None, week: int) -> Health:
    if not source.enabled:
        return "off"
    if record is None or record.last_started_at is None:
        return "never"
    if record.failure:
        return "failing"
    fewest, most = source.expect_per_week or (0, week)
    return "few" if week < fewest else "many" if week > most else "well"


def sources_page(visit: Visit) -> Response:
    """The whole page."""
    progress = visit.room.crawls.progress(visit.newsroom.store)
    return page(visit, "sources.html", title="来源", shown=view_sources(visit), progress=progress)
