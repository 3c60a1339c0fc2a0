"""Values that were computed from one state of the database, kept until anybody writes: this process, or another.

SQLite tells of each connection whether another one has committed (`PRAGMA data_version`,
https://www.sqlite.org/pragma.html#pragma_data_version), and how many rows its own statements have changed. PostgreSQL
names the snapshot that a transaction reads: two transactions with one name see the same rows
(https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from pipelines.store.engine import is_of_newsletter

_T = TypeVar("_T")

MOST_VALUES: Final = 200
"""Values that a connection keeps; one more, and all are forgotten."""

_NAME: Final = "jianbao_state_cache"


@dataclass(slots=True)
class _Memo:
    """The values of one state, by their keys."""

    state: Hashable = None
    values: dict[Hashable, Any] = field(default_factory=dict)


class StateCache:
    """The values of the state of the database that a transaction sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes_before = self._count_changes()
        self._snapshot: str | None = None

    def get(self, key: Hashable, compute: Callable[[], _T]) -> _T:
        """Get a value, computed once for each state of the database. All who get it share it: nobody may change it.

        Args:
            key: names the value, with everything that it depends on beside the database.
            compute: reads the database, and writes nothing.
        """
        state = self._read_state()
        if state is None:
            return compute()
        memo: _Memo = self._connection.info.setdefault(_NAME, _Memo())
        if memo.state != state or len(memo.values) >= MOST_VALUES:
            memo.state = state
            memo.values.clear()
        if key not in memo.values:
            memo.values[key] = compute()
        computed: _T = memo.values[key]
        return computed

    def _read_state(self) -> Hashable:
        """Read what names the state; None where nothing does: after a write of this transaction, which may be undone.

        On PostgreSQL a transaction that may write has no name either: a snapshot tells nothing of its own writes.
        """
        if self._connection.dialect.name == "sqlite":
            changes = self._count_changes()
            if changes != self._changes_before:
                return None
            return (*self._read_versions(), changes)
        if not self._connection.get_execution_options().get("read_only", False):
            return None
        if self._snapshot is None:  # one for the whole transaction
            self._snapshot = str(self._connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
        return self._snapshot

    def _read_versions(self) -> list[int]:
        """Read what SQLite counts of the commits of others: in this file, and for a newsletter in the house's."""
        schemas = ("main", "house") if is_of_newsletter(self._connection) else ("main",)
        return [
            int(self._connection.exec_driver_sql(f"PRAGMA {schema}.data_version").scalar_one()) for schema in schemas
        ]

    def _count_changes(self) -> int:
        """Count the rows that this connection has changed since it was opened; 0 on PostgreSQL."""
        driver: Any = self._connection.connection.driver_connection
        return int(driver.total_changes) if self._connection.dialect.name == "sqlite" else 0
