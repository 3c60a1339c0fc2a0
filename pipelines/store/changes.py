"""Changes: what somebody changed of an issue that is no story's own. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, fields

from sqlalchemy import Connection, Row, insert, select

from pipelines.model import Change
from pipelines.store.tables import changes

_NAMES = tuple(field.name for field in fields(Change) if field.name != "id")


class Changes:
    """Changes, oldest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, change: Change) -> None:
        """Note a change; its `id` is given here."""
        self._connection.execute(insert(changes), dict(zip(_NAMES, astuple(change)[1:], strict=True)))

    def iterate_newest_first(self, who: str) -> Iterator[Change]:
        """A person's changes, the newest first."""
        query = select(changes).where(changes.c.who == who).order_by(changes.c.id.desc())
        for row in self._connection.execute(query):
            yield _change(row)


def _change(row: Row[tuple[object, ...]]) -> Change:
    return Change(**row._mapping)
