"""Runs: when each crawl of a source began and ended, its numbers, and what health needs of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from crawler.errors import Detail, Failure
from crawler.items import Traffic
from pipelines.health.history import Trace, keep_newest
from pipelines.store.bulk import chunks
from pipelines.store.tables import FailureText, runs

MOST_WARNINGS: Final = 20
"""Warnings of a run that are stored."""

INTERRUPTED: Final = Failure("Interrupted", Detail.of("never-ended"))
"""The failure of a run whose process was stopped or killed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a source.

    Args:
        id: the store assigned it, ascending.
        source: id of the source.
        started_at: aware.
        finished_at: aware; None while it runs.
        new, updated, seen: numbers of items whose article was new, changed or the same.
        lost: number of items and pages without an article.
        failure: why the run failed; None for a success.
        answered_by: the host that answered with a list, after redirects; empty for 304 and for a failure.
        traces: of items that were new to the source, oldest first.
        warnings: what the run could not read wholly, each once; at most `MOST_WARNINGS`.
        requests, replies, bytes: how often it asked, how many replies it got and their size; None where a former
            version kept no count.
        problems: the number of its problems by the name of their error.
    """

    id: int
    source: str
    started_at: datetime
    finished_at: datetime | None
    new: int
    updated: int
    seen: int
    lost: int
    failure: Failure | None
    answered_by: str = ""
    traces: tuple[Trace, ...] = ()
    warnings: tuple[Failure, ...] = ()
    requests: int | None = None
    replies: int | None = None
    bytes: int | None = None
    problems: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunPart:
    """What a batch adds to a run.

    Args:
        run: id of the run.
        new, updated, seen: numbers of items whose article was new, changed or the same.
        lost: number of items and pages without an article.
        failure: why the batch fails the run; None if it does not.
        answered_by: the host that answered with a list; empty where none did.
        traces: of the batch's items that are new to the source.
        warnings: what could not be read wholly.
        traffic: how often the source was asked, and what it sent; None where nobody counted.
        problems: the number of problems by the name of their error.
    """

    run: int
    new: int = 0
    updated: int = 0
    seen: int = 0
    lost: int = 0
    failure: Failure | None = None
    answered_by: str = ""
    traces: tuple[Trace, ...] = ()
    warnings: tuple[Failure, ...] = ()
    traffic: Traffic | None = None
    problems: Mapping[str, int] = field(default_factory=dict)


class Runs:
    """The runs of all sources."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, source: str, started_at: datetime) -> int:
        """Begin a run of a source. An earlier run of the source that never ended is closed as interrupted.

        Returns:
            The run's id.
        """
        unfinished = update(runs).where(runs.c.source == source, runs.c.finished_at.is_(None))
        failure = func.coalesce(runs.c.failure, bindparam("why", INTERRUPTED, type_=FailureText))
        self._connection.execute(unfinished.values(finished_at=started_at, failure=failure))
        begun = insert(runs).values(source=source, started_at=started_at).returning(runs.c.id)
        number: int = self._connection.execute(begun).scalar_one()
        return number

    def add(self, parts: Sequence[RunPart]) -> dict[int, Failure | None]:
        """Add parts to their runs.

        Args:
            parts: of different runs.

        Returns:
            The first failure of each run so far, by id; None without one.
        """
        rows: dict[int, Row[Any]] = {}
        for chunk in chunks(part.run for part in parts):
            rows |= {row.id: row for row in self._connection.execute(select(runs).where(runs.c.id.in_(chunk)))}
        values = [_add_part(rows[part.run], part) for part in parts]
        if values:
            self._connection.execute(update(runs).where(runs.c.id == bindparam("of")), values)
        return {row["of"]: row["failure"] for row in values}

    def finish(self, run: int, finished_at: datetime) -> None:
        """End a run."""
        self._connection.execute(update(runs).where(runs.c.id == run).values(finished_at=finished_at))

    def list_since(self, since: datetime, source: str | None = None) -> list[Run]:
        """List the runs that began at a time or later, of one source or of all, oldest first."""
        query = select(runs).where(runs.c.started_at >= since).order_by(runs.c.id)
        if source is not None:
            query = query.where(runs.c.source == source)
        return [_run(row) for row in self._connection.execute(query)]

    def get(self, number: int) -> Run | None:
        """Get a run by its id; None without one."""
        row = self._connection.execute(select(runs).where(runs.c.id == number)).one_or_none()
        return None if row is None else _run(row)

    def find_last_start(self, *, is_ended: bool) -> datetime | None:
        """Find when the last run began; None without one.

        Args:
            is_ended: of the runs that ended; else of all.
        """
        query = select(runs.c.started_at).order_by(runs.c.id.desc()).limit(1)
        if is_ended:
            query = query.where(runs.c.finished_at.is_not(None))
        start: datetime | None = self._connection.execute(query).scalar()
        return start

    def list_starts(self, since: datetime) -> list[datetime]:
        """List the times at which crawls began, from a time on, ascending; sources of one crawl share theirs."""
        query = select(runs.c.started_at).where(runs.c.started_at >= since).distinct().order_by(runs.c.started_at)
        return list(self._connection.execute(query).scalars())

    def list_evidence(self, since: datetime, all_since: datetime, source: str | None = None) -> list[Run]:
        """List the runs that ended, oldest first: those that brought something since a time, all since a later time.

        Args:
            since: of the runs with new items.
            all_since: of the runs without news.
            source: the id of a source; None for all.
        """
        has_news = runs.c.traces.is_not(None) | (runs.c.new > 0)
        query = select(runs).where(
            runs.c.finished_at.is_not(None),
            runs.c.started_at >= since,
            has_news | (runs.c.started_at >= all_since),
        )
        if source is not None:
            query = query.where(runs.c.source == source)
        return [_run(row) for row in self._connection.execute(query.order_by(runs.c.id))]


def _add_part(row: Row[Any], part: RunPart) -> dict[str, Any]:
    """The new values of a run's row, with its id as `of`."""
    values: dict[str, Any] = {
        "of": row.id,
        "new": row.new + part.new,
        "updated": row.updated + part.updated,
        "seen": row.seen + part.seen,
        "lost": row.lost + part.lost,
        "failure": row.failure or part.failure,
        "answered_by": part.answered_by or row.answered_by,
        "traces": row.traces,
        "warnings": row.warnings,
        "requests": row.requests,
        "replies": row.replies,
        "bytes": row.bytes,
        "problems": dict(Counter(row.problems or {}) + Counter(part.problems)) or None,
    }
    if part.traces:
        values["traces"] = keep_newest([*(row.traces or ()), *(trace.as_json() for trace in part.traces)])
    if part.warnings:
        warnings = [*(row.warnings or ()), *(warning.to_json() for warning in part.warnings)]
        values["warnings"] = list(dict.fromkeys(warnings))[:MOST_WARNINGS]
    if part.traffic:
        values["requests"] = (row.requests or 0) + part.traffic.requests
        values["replies"] = (row.replies or 0) + part.traffic.replies
        values["bytes"] = (row.bytes or 0) + part.traffic.size
    return values


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    traces = tuple(map(Trace.from_json, values.pop("traces") or ()))
    warnings = tuple(map(Failure.from_json, values.pop("warnings") or ()))
    values |= {"answered_by": values["answered_by"] or "", "problems": values["problems"] or {}}
    return Run(**values | {"traces": traces, "warnings": warnings})
