"""Runs: when each crawl of a source began and ended, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from crawler.errors import Detail, Failure
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

    def finish(self, run: int, finished_at: datetime) -> None:
        """End a run."""
        self._connection.execute(update(runs).where(runs.c.id == run).values(finished_at=finished_at))

    def list_since(self, since: datetime, source: str | None = None) -> list[Run]:
        """List the runs that began at a time or later, of one source or of all, oldest first."""
        query = select(runs).where(runs.c.started_at >= since).order_by(runs.c.id)
        if source is not None:
            query = query.where(runs.c.source == source)
        return [_run(row) for row in self._connection.execute(query)]


def _run(row: Row[Any]) -> Run:
    return Run(**row._mapping)
