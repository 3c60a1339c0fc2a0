"""来源: the sources, with the new articles of eight weeks beside the expected number, and the queue of the workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from crawler.sources.schema import Source
from pipelines.errors import describe_failure, describe_mistake
from pipelines.health.judging import Finding, Judgement, State
from pipelines.newsroom import Newsroom
from pipelines.newsroom.watching.health import describe_incident, describe_remedy, judge_crawling, judge_sources
from pipelines.review.rendering import render_page
from pipelines.review.visit import Visit
from pipelines.store.queue import Job
from pipelines.store.raw import StoredRaw
from pipelines.store.runs import Run
from pipelines.store.sources import SourceRecord

WEEKS: Final = 8
"""Weeks of the chart."""

MOST_LOST: Final = 20
"""Items without an article that the page shows of a source; `jianbao runs lost` lists all."""


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
        health: the state of the source.
        since: when the state began; None for a state without a beginning.
        evidence: what speaks for the state, and what to do, in the reader's language.
        failure: why the last run failed, in the reader's language; empty where it did not.
        failures: number of failed runs in a row.
        last_success: aware; None before the first.
        warnings: what the last run with warnings of the week could not read wholly, in the reader's language.
        lost_items: items of the last week of which no article could be made, newest first; at most `MOST_LOST`.
        lost_count: number of all of them.
    """

    source: Source
    week: int
    weeks: Sequence[Bar]
    health: State
    since: datetime | None
    evidence: Sequence[str]
    failure: str
    failures: int
    last_success: datetime | None
    warnings: Sequence[str] = ()
    lost_items: Sequence[StoredRaw] = ()
    lost_count: int = 0


@dataclass(frozen=True, slots=True)
class SourcesView:
    """The registry as its file is now.

    Args:
        sources: those in trouble first.
        mistakes: of rows that cannot work, in the reader's language.
        standstill: that nobody crawls, and what to do, in the reader's language; empty while somebody does.
    """

    sources: Sequence[SourceView]
    mistakes: Sequence[str]
    standstill: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class JobView:
    """A job of the queue, ready for a template.

    Args:
        title: what it does, with the name of its source.
        since: aware; since when it waits or is being done, or when it failed.
    """

    title: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker, ready for a template.

    Args:
        number: of the worker.
        seconds: since its last sign of life.
        is_silent: whether its job goes to another worker.
        job: that it does; None for none.
    """

    number: int
    seconds: int
    is_silent: bool
    job: JobView | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue of a newsroom that workers crawl, ready for a template."""

    running: int
    waiting: Sequence[JobView]
    failed: Sequence[JobView]
    workers: Sequence[WorkerView]


def view_queue(visit: Visit) -> QueueView | None:
    """View the queue; None where the newsroom has none."""
    with visit.newsroom.store.reading() as tx:
        state = tx.jobs.read()
        names = {source_id: record.name for source_id, record in tx.sources.list_all().items()}
    if state is None:
        return None
    names |= {source.id: source.name for source in visit.newsroom.sources.values()}

    def view(job: Job) -> JobView:
        title = visit.translate(f"job/{job.name}")
        return JobView(f"{title} {names.get(job.source, job.source)}" if job.source else title, job.changed_at)

    jobs_of = {job.worker: view(job) for job in state.jobs if job.state == "running"}
    return QueueView(
        running=state.count("running"),
        waiting=[view(job) for job in state.jobs if job.state == "waiting"],
        failed=[view(job) for job in state.jobs if job.state == "failed"],
        workers=[
            WorkerView(
                number=worker.number,
                seconds=max(round((visit.now - worker.last_heartbeat).total_seconds()), 0),
                is_silent=worker.is_silent(visit.now),
                job=jobs_of.get(worker.number),
            )
            for worker in state.workers
        ],
    )


def view_sources(visit: Visit, only: str | None = None) -> SourcesView:
    """View the registry, or one source of it; sources in trouble come first."""
    newsroom = Newsroom(visit.newsroom.home)  # reads sources.toml again; visit.newsroom keeps the registry of the start
    with visit.newsroom.store.reading() as tx:
        records = tx.sources.list_all()
        runs = tx.runs.list_since(visit.now - timedelta(weeks=WEEKS), only)
        judgements = judge_sources(tx, newsroom, visit.now, only)
        standing = judge_crawling(tx, newsroom, visit.now)
        lost_items = tx.raw.list_lost(visit.now - timedelta(weeks=1), only)
    lost_of: dict[str, list[StoredRaw]] = {}
    for item in lost_items:
        lost_of.setdefault(item.source, []).append(item)
    by_source: dict[str, list[Run]] = {}
    for run in runs:
        by_source.setdefault(run.source, []).append(run)
    views = [
        replace(
            _view_source(source, records.get(source.id), by_source.get(source.id, []), judgements[source.id], visit),
            lost_items=lost_of.get(source.id, [])[:MOST_LOST],
            lost_count=len(lost_of.get(source.id, [])),
        )
        for source in newsroom.sources.values()
        if source.id in judgements
    ]
    return SourcesView(
        sorted(views, key=_trouble_of),
        [describe_mistake(mistake, visit.language) for mistake in newsroom.registry.mistakes],
        _describe_findings([standing] if standing else [], "", visit),
    )


def _view_source(
    source: Source, record: SourceRecord | None, runs: Sequence[Run], judgement: Judgement, visit: Visit
) -> SourceView:
    counts, failed = [0] * WEEKS, [False] * WEEKS
    for run in runs:
        week = WEEKS - 1 - (visit.now - run.started_at) // timedelta(weeks=1)
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
        health=judgement.state,
        since=judgement.since,
        evidence=_describe_findings(judgement.findings, source.id, visit),
        failure=describe_failure(failure, visit.language) if failure else "",
        failures=record.failures_in_row if record and failure else 0,
        last_success=record.last_success_at if record else None,
        warnings=_list_warnings(runs, visit),
    )


def _describe_findings(findings: Iterable[Finding], source: str, visit: Visit) -> list[str]:
    """The evidence of each finding, and what to do, in the reader's language.

    Args:
        findings: of one source.
        source: its id; empty for the newsroom.
        visit: with the reader's language.
    """
    return [
        text
        for finding in findings
        for text in (
            describe_incident(finding.kind, finding.values, visit.language),
            describe_remedy(finding.kind, source, visit.language),
        )
    ]


def _list_warnings(runs: Sequence[Run], visit: Visit) -> list[str]:
    """The warnings of the last run that had any, if it ran within a week."""
    recent = (run for run in reversed(runs) if visit.now - run.started_at < timedelta(weeks=1))
    warned = next((run for run in recent if run.warnings), None)
    return [describe_failure(warning, visit.language) for warning in warned.warnings] if warned else []


_ORDER: Final[tuple[State, ...]] = (
    *("failing", "blocked", "login", "retired", "silent", "fields", "moved", "volume", "retrying", "late"),
    *("never", "well", "off"),
)


def _trouble_of(view: SourceView) -> tuple[int, str, str]:
    """The order of the page: by state, where a failed run stands with what is retried."""
    rank = _ORDER.index(view.health)
    return (min(rank, _ORDER.index("retrying")) if view.failure else rank, view.source.kind, view.source.id)


def show_sources(visit: Visit) -> Response:
    """Show the page of sources."""
    progress = visit.desk.crawls.read_progress(visit.newsroom.store)
    return render_page(
        visit,
        "sources.html",
        title=visit.translate("desk/sources"),
        sources_view=view_sources(visit),
        queue_view=view_queue(visit),
        progress=progress,
    )
