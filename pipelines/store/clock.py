"""Puts times right that were stored while the machine's clock was wrong, unless it is the present that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from pipelines.store.tables import articles, raw_items, runs, sightings, sources

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time is wrong: a machine without a battery begins at 1970. A list that somebody adds
may have been read years ago, so this is no later."""

LATEST: Final = timedelta(days=1)
"""A stored time so far after the present is of a clock that was ahead."""


_FEWEST_DATES: Final = 3
_LEAST_SHARE: Final = 0.1
"""Of the dates of articles that were fetched after the present. A page seldom gives a date in the future by mistake."""

_LONGEST_PAUSE: Final = timedelta(days=30)
"""Between two runs; where the times of runs jump farther, the clock jumped."""

_TIMES: Final = (
    (articles, ("first_seen", "fetched_at")),
    (sightings, ("first_seen",)),
    (raw_items, ("fetched_at",)),
    (sources, ("last_started_at", "last_success_at", "last_failure_at")),
    (runs, ("started_at", "finished_at")),
)
"""The columns that hold the time at which something was stored."""


class Clock:
    """The times that the machine's clock gave."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_later_present(self, now: datetime) -> datetime | None:
        """Find the time of a run that shows that the clock is behind now, where it was right before.

        Of a clock that is behind and a clock that was ahead, the dates of pages tell: pages that were fetched after the
        present and that are dated after it show that the present is wrong. Without such dates, the runs tell: from
        one before the present they go on day by day up to the last one, or they jump into a time that has not come.

        Args:
            now: aware.

        Returns:
            The latest time of a run; None for a clock that may be right.
        """
        is_later = runs.c.started_at > now + LATEST
        of_source = exists().where(runs.c.source == sources.c.id, is_later)  # the desk asks: a look into the index
        if not self._connection.execute(select(exists().where(of_source).select_from(sources))).scalar():
            return None
        first = self._connection.execute(select(runs).where(is_later).order_by(runs.c.id).limit(1)).one()
        dated = [articles.c.fetched_at > now + LATEST, articles.c.published_precision != "first-seen"]
        count = select(func.count()).select_from(articles)
        total = self._connection.execute(count.where(*dated)).scalar_one()
        later = self._connection.execute(count.where(*dated, articles.c.published_at > now + LATEST)).scalar_one()
        if total >= _FEWEST_DATES:
            is_behind = later >= max(_FEWEST_DATES, _LEAST_SHARE * total)
        else:
            earlier = select(runs.c.started_at).where(runs.c.id < first.id).order_by(runs.c.id.desc()).limit(1)
            former = self._connection.execute(earlier).scalar()
            is_behind = former is not None and first.started_at - former <= _LONGEST_PAUSE
        if not is_behind:
            return None
        latest: datetime = self._connection.execute(select(func.max(runs.c.started_at))).scalar_one()
        return latest

    def mend(self, now: datetime) -> bool:
        """Replace impossible times by the present; articles that got their date from such a clock are grouped again.

        The runs show whether the clock was ever wrong, so that a sound store costs one look. Where they show that it is
        the present that is wrong, no time is touched.

        Args:
            now: aware.

        Returns:
            Whether there was such a time.
        """
        if not self._connection.execute(select(exists().where(_is_impossible(runs.c.started_at, now)))).scalar():
            return False
        if self.find_later_present(now) is not None:
            return False
        # a date such as 昨天 is reckoned from the clock, too
        by_clock = or_(articles.c.published_precision == "first-seen", _is_impossible(articles.c.fetched_at, now))
        impossible = and_(by_clock, _is_impossible(articles.c.published_at, now))
        dated = {"published_at": now, "published_precision": "first-seen", "fresh": True}
        self._connection.execute(update(articles).where(impossible).values(dated))
        for table, names in _TIMES:
            for name in names:
                wrong = update(table).where(_is_impossible(table.c[name], now))
                self._connection.execute(wrong.values({name: now}))
        return True


def _is_impossible(column: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    return or_(column < EARLIEST, column > now + LATEST)
