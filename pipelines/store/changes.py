"""Changes of the parts of an issue that belong to no story. Rows are only added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, fields
from datetime import date

from sqlalchemy import Connection, Row, insert, select

from pipelines.model import Change
from pipelines.store.tables import changes

_NAMES = tuple(field.name for field in fields(Change) if field.name != "id")


class Changes:
    """The changes of all drafts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, change: Change) -> None:
        """Store a change; the store assigns its `id`."""
        self._connection.execute(insert(changes), dict(zip(_NAMES, astuple(change)[1:], strict=True)))

    def iterate_newest_first(self, who: str) -> Iterator[Change]:
        """Iterate over a person's changes, newest first."""
        query = select(changes).where(changes.c.who == who).order_by(changes.c.id.desc())
        for row in self._connection.execute(query):
            yield _change(row)

    def list_of_issue(self, day: date) -> list[Change]:
        """List the changes of an issue, oldest first, without the changes that were taken back."""
        query = select(changes).where(changes.c.issue == day).order_by(changes.c.id)
        rows = [_change(row) for row in self._connection.execute(query)]
        undone_ids = {change.undoes for change in rows}
        return [change for change in rows if change.undoes is None and change.id not in undone_ids]


def _change(row: Row[tuple[object, ...]]) -> Change:
    return Change(**row._mapping)
