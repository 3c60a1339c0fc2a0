"""Runs: when each crawl of a source began and ended, its numbers, and what health needs of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from crawler.errors import Detail, Failure
from crawler.items import Traffic
from pipelines.health.history import Trace, keep_newest
from pipelines.store.tables import FailureText, runs

_ADD: Final = (
    update(runs)
    .where(runs.c.id == bindparam("of"))
    .values(
        new=runs.c.new + bindparam("more_new"),
        updated=runs.c.updated + bindparam("more_updated"),
        seen=runs.c.seen + bindparam("more_seen"),
        lost=runs.c.lost + bindparam("more_lost"),
        failure=func.coalesce(runs.c.failure, bindparam("why", type_=FailureText)),
    )
    .returning(runs.c.failure)
)

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

    def add(self, run: int, *, new: int, updated: int, seen: int, lost: int, failure: Failure | None) -> Failure | None:
        """Add the numbers of a batch to a run.

        Args:
            run: id of the run.
            new, updated, seen: numbers of items whose article was new, changed or the same.
            lost: number of items and pages without an article.
            failure: why the batch fails the run; None if it does not.

        Returns:
            The first failure of the run so far; None without one.
        """
        numbers = {"of": run, "more_new": new, "more_updated": updated, "more_seen": seen, "more_lost": lost}
        first: Failure | None = self._connection.execute(_ADD, numbers | {"why": failure}).scalar_one()
        return first

    def add_evidence(self, run: int, answered_by: str, traces: Sequence[Trace]) -> None:
        """Add what health needs of a batch to a run.

        Args:
            run: id of the run.
            answered_by: the host that answered with a list; empty where none did.
            traces: of the batch's items that are new to the source.
        """
        values: dict[str, Any] = {"answered_by": answered_by} if answered_by else {}
        if traces:
            stored = self._connection.execute(select(runs.c.traces).where(runs.c.id == run)).scalar_one()
            newest = keep_newest([*map(Trace.from_json, stored or ()), *traces])
            values["traces"] = [trace.as_json() for trace in newest]
        if values:
            self._connection.execute(update(runs).where(runs.c.id == run).values(values))

    def add_traffic(self, run: int, traffic: Traffic, problems: Mapping[str, int]) -> None:
        """Add to a run how often it asked, what it got, and its problems.

        Args:
            run: id of the run.
            traffic: of a batch.
            problems: of the batch: their number by the name of their error.
        """
        stored = self._connection.execute(
            select(runs.c.requests, runs.c.replies, runs.c.bytes, runs.c.problems).where(runs.c.id == run)
        ).one()
        values = {
            "requests": (stored.requests or 0) + traffic.requests,
            "replies": (stored.replies or 0) + traffic.replies,
            "bytes": (stored.bytes or 0) + traffic.size,
            "problems": dict(Counter(stored.problems or {}) + Counter(problems)) or None,
        }
        self._connection.execute(update(runs).where(runs.c.id == run).values(values))

    def add_warnings(self, run: int, warnings: Iterable[Failure]) -> None:
        """Add the warnings of a batch to a run."""
        texts = [warning.to_json() for warning in warnings]
        if texts:
            stored = self._connection.execute(select(runs.c.warnings).where(runs.c.id == run)).scalar_one()
            all_texts = list(dict.fromkeys([*(stored or ()), *texts]))[:MOST_WARNINGS]
            self._connection.execute(update(runs).where(runs.c.id == run).values(warnings=all_texts))

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


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    traces = tuple(map(Trace.from_json, values.pop("traces") or ()))
    warnings = tuple(map(Failure.from_json, values.pop("warnings") or ()))
    values |= {"answered_by": values["answered_by"] or "", "problems": values["problems"] or {}}
    return Run(**values | {"traces": traces, "warnings": warnings})
