"""Sources: the state that the next run starts from, and the outcome of the last runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from crawler.errors import Failure
from crawler.items import SourceState
from crawler.kinds import Kind
from pipelines.deduplicate.entries import GuidPolicy
from pipelines.store.bulk import chunks, upsert
from pipelines.store.tables import sources


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The record of a source.

    Args:
        id, kind, name: from the registry at the last crawl.
        state: at the end of the last complete run.
        not_before: the time before which the site refuses requests; None without one.
        last_started_at, last_success_at, last_failure_at: of the last run of each sort, aware; None without one.
        failure: why the last run failed; None if it succeeded.
        guids: the policy for its feed's identifiers, as found from what the feed does; None before it is known.
        failures_in_row: failed runs since the last success, and runs that never ended.
    """

    id: str
    kind: Kind
    name: str
    state: SourceState
    not_before: datetime | None
    last_started_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    failure: Failure | None
    failures_in_row: int
    guids: GuidPolicy | None = None

    @property
    def is_unfinished(self) -> bool:
        """Whether the last run goes on, or was killed."""
        ends = [end for end in (self.last_success_at, self.last_failure_at) if end is not None]
        return self.last_started_at is not None and (not ends or max(ends) < self.last_started_at)

    def is_waiting(self, now: datetime) -> bool:
        """Whether the site wants to be left alone still; a wait of a clock ahead of the present counts for nothing."""
        is_usable = self.last_started_at is None or self.last_started_at <= now
        return is_usable and self.not_before is not None and self.not_before > now


_COUNT_INTERRUPTED: Final = (
    update(sources)
    .where(
        sources.c.id == bindparam("source_id"),
        sources.c.last_success_at.is_(None) | (sources.c.last_success_at < sources.c.last_started_at),
        sources.c.last_failure_at.is_(None) | (sources.c.last_failure_at < sources.c.last_started_at),
    )
    .values(failures_in_row=sources.c.failures_in_row + 1)
)


class Sources:
    """The records of all sources."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_all(self) -> dict[str, SourceRecord]:
        """List the record of every source that was ever crawled, by id."""
        return {row.id: _record(row) for row in self._connection.execute(select(sources).order_by(sources.c.id))}

    def get_states(self, ids: Iterable[str]) -> dict[str, SourceState]:
        """Get the state from which the next run of each source starts; an empty state for a source never crawled."""
        states = {source_id: SourceState() for source_id in ids}
        for chunk in chunks(states):
            for row in self._connection.execute(select(sources).where(sources.c.id.in_(chunk))):
                states[row.id] = _state(row)
        return states

    def record_start(self, source_id: str, kind: Kind, name: str, started_at: datetime) -> None:
        """Store that a run of a source began. A run before it that never ended counts as failed.

        Args:
            source_id, kind, name: of the source, from the registry.
            started_at: aware.
        """
        self._connection.execute(_COUNT_INTERRUPTED, {"source_id": source_id})
        row = {
            "id": source_id,
            "kind": kind,
            "name": name,
            "last_started_at": started_at,
            "not_before": None,
            "failures_in_row": 0,
        }
        upsert(self._connection, sources, [row], keep=frozenset({"failures_in_row"}))

    def record_end(
        self, source_id: str, finished_at: datetime, failure: Failure | None, state: SourceState | None
    ) -> None:
        """Store the outcome of a run.

        Args:
            source_id: of the source.
            finished_at: aware.
            failure: why the run failed; None for a success.
            state: for the next run; None keeps the former state, so that the next run requests the same again.
        """
        values: dict[str, Any] = {"failure": failure}
        if failure is None:
            values |= {"last_success_at": finished_at, "failures_in_row": 0}
        else:
            values |= {"last_failure_at": finished_at, "failures_in_row": sources.c.failures_in_row + 1}
        if state is not None:
            values |= {"etag": state.etag, "last_modified": state.last_modified, "cursor": dict(state.cursor)}
        self._connection.execute(update(sources).where(sources.c.id == source_id).values(values))

    def find_guid_policies(self, ids: Iterable[str]) -> dict[str, GuidPolicy]:
        """Find the policies for the identifiers of sources' feeds; a source whose policy is not known is left out."""
        query = select(sources.c.id, sources.c.guids).where(sources.c.guids.is_not(None))
        return {
            source_id: policy
            for chunk in chunks(ids)
            for source_id, policy in self._connection.execute(query.where(sources.c.id.in_(chunk)))
        }

    def set_guid_policy(self, source_id: str, policy: GuidPolicy) -> None:
        """Store the policy for the identifiers of a source's feed."""
        self._connection.execute(update(sources).where(sources.c.id == source_id).values(guids=policy))

    def set_not_before(self, source_id: str, until: datetime) -> None:
        """Store the time before which the site refuses requests. The start of the next run removes it."""
        values = {"not_before": until}
        self._connection.execute(update(sources).where(sources.c.id == source_id).values(values))


def _record(row: Row[Any]) -> SourceRecord:
    return SourceRecord(
        id=row.id,
        kind=row.kind,
        name=row.name,
        state=_state(row),
        not_before=row.not_before,
        last_started_at=row.last_started_at,
        last_success_at=row.last_success_at,
        last_failure_at=row.last_failure_at,
        failure=row.failure,
        failures_in_row=row.failures_in_row,
        guids=row.guids,
    )


def _state(row: Row[Any]) -> SourceState:
    return SourceState(row.etag, row.last_modified, row.cursor or {})
