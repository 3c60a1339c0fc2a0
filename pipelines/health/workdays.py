"""The days on which sources rest: holidays for all, the weekend for a source that does not work on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Workdays:
    """Counts time, without the time in which a source rests.

    Args:
        zone: of the newsletter; days begin and end in it.
        holidays: days that count as nothing.
        weekend: the weight of Saturdays and Sundays, from 0 to 1.
    """

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    weekend: float = 1.0

    def with_weekend(self, weight: float) -> Workdays:
        """The same days, with another weight of Saturdays and Sundays."""
        return replace(self, weekend=weight)

    def weigh(self, day: date) -> float:
        """The weight of a day, from 0 to 1."""
        if day in self.holidays:
            return 0.0
        return self.weekend if day.weekday() >= 5 else 1.0

    def count(self, start: datetime, end: datetime) -> float:
        """Count the working time between two times, in days; 0 where the end is before the start.

        >>> from datetime import UTC
        >>> friday, monday = datetime(2026, 11, 6, 12, tzinfo=UTC), datetime(2026, 11, 9, 12, tzinfo=UTC)
        >>> Workdays(ZoneInfo("UTC")).count(friday, monday), Workdays(ZoneInfo("UTC"), weekend=0).count(friday, monday)
        (3.0, 1.0)
        """
        start, end = start.astimezone(self.zone), end.astimezone(self.zone)
        total, begun = 0.0, start
        while begun < end:
            midnight = datetime.combine(begun.date() + _DAY, time(), self.zone)
            stopped = min(midnight, end)
            total += (stopped - begun) / _DAY * self.weigh(begun.date())
            begun = stopped
        return total

    def has_holiday(self, start: datetime, end: datetime) -> bool:
        """Tell whether a holiday lies between two times."""
        first, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        return any(first <= day <= last for day in self.holidays)


def list_days(spans: Iterable[tuple[date, date]]) -> frozenset[date]:
    """List the days of spans, the first and the last day of each included."""
    return frozenset(first + _DAY * number for first, last in spans for number in range((last - first).days + 1))
