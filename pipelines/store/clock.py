"""Puts times right that were stored while the machine's clock was wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, or_, select, update

from pipelines.store.tables import articles, raw_items, runs, sources

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time is wrong: a machine without a battery begins at 1970. A list that somebody adds
may have been read years ago, so this is no later."""

LATEST: Final = timedelta(days=1)
"""A stored time so far after the present is of a clock that was ahead."""


_TIMES: Final = (
    (articles, ("first_seen", "fetched_at")),
    (raw_items, ("fetched_at",)),
    (sources, ("last_started_at", "last_success_at", "last_failure_at")),
    (runs, ("started_at", "finished_at")),
)
"""The columns that hold the time at which something was stored."""


class Clock:
    """The times that the machine's clock gave."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mend(self, now: datetime) -> bool:
        """Replace impossible times by the present; articles that got their date from such a clock are grouped again.

        The runs show whether the clock was ever wrong, so that a sound store costs one look.

        Args:
            now: aware.

        Returns:
            Whether there was such a time.
        """
        if not self._connection.execute(select(exists().where(_is_impossible(runs.c.started_at, now)))).scalar():
            return False
        dated_by_clock = articles.c.published_precision == "first-seen"
        impossible = dated_by_clock & _is_impossible(articles.c.published_at, now)
        self._connection.execute(update(articles).where(impossible).values(published_at=now, fresh=True))
        for table, names in _TIMES:
            for name in names:
                wrong = update(table).where(_is_impossible(table.c[name], now))
                self._connection.execute(wrong.values({name: now}))
        return True


def _is_impossible(column: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    return or_(column < EARLIEST, column > now + LATEST)
