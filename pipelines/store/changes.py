"""Changes of the parts of an issue that belong to no story. Rows are only added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, fields

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


def _change(row: Row[tuple[object, ...]]) -> Change:
    return Change(**row._mapping)
