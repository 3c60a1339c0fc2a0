"""Sources: what their next run needs to know of the last one, and how they fare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from crawler.items import SourceState
from crawler.kinds import Kind
from pipelines.store.engine import chunks, upsert
from pipelines.store.tables import sources


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source as the store knows it.

    Args:
        id, kind, name: as the registry had it when it was last crawled.
        state: as its last complete run left it.
        not_before: when the site allows it again, if it said so.
        failure: what the last run failed of; None when it did not.
        failures_in_row: failed runs since the last good one.
    """

    id: str
    kind: Kind
    name: str
    state: SourceState
    not_before: datetime | None
    last_started_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    failure: str | None
    failures_in_row: int


class Sources:
    """Sources by id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_all(self) -> dict[str, SourceRecord]:
        """Every source that was ever crawled, by id."""
        return {row.id: _record(row) for row in self._connection.execute(select(sources).order_by(sources.c.id))}

    def get_states(self, ids: Iterable[str]) -> dict[str, SourceState]:
        """What each of these sources' next run needs to know; the empty state for one never crawled."""
        states = {source_id: SourceState() for source_id in ids}
        for chunk in chunks(states):
            for row in self._connection.execute(select(sources).where(sources.c.id.in_(chunk))):
                states[row.id] = _state(row)
        return states

    def record_start(self, source_id: str, kind: Kind, name: str, started_at: datetime) -> None:
        """Note that a run of the source began, and how the registry describes it."""
        row = {
            "id": source_id,
            "kind": kind,
            "name": name,
            "last_started_at": started_at,
            "not_before": None,
            "failures_in_row": 0,
        }
        upsert(self._connection, sources, [row], keep=frozenset({"failures_in_row"}))

    def record_end(self, source_id: str, finished_at: datetime, failure: str | None, state: SourceState | None) -> None:
        """Note how a run ended. Without a state the former one stays, so that the next run asks for the same again."""
        values: dict[str, Any] = {"failure": failure}
        if failure is None:
            values |= {"last_success_at": finished_at, "failures_in_row": 0}
        else:
            values |= {"last_failure_at": finished_at, "failures_in_row": sources.c.failures_in_row + 1}
        if state is not None:
            values |= {"etag": state.etag, "last_modified": state.last_modified, "cursor": dict(state.cursor)}
        self._connection.execute(update(sources).where(sources.c.id == source_id).values(values))

    def set_not_before(self, source_id: str, until: datetime) -> None:
        """Note that the site does not want to be asked before a time. The next run that begins forgets it."""
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
    )


def _state(row: Row[Any]) -> SourceState:
    return SourceState(row.etag, row.last_modified, row.cursor or {})
