"""Computes when a source is due: from its schedule, its failures and the wait that its site demands."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from croniter import croniter

from crawler.errors import Failure
from crawler.urls import host_of
from pipelines.store.sources import SourceRecord

if TYPE_CHECKING:
    from crawler.sources.schema import Source

FIRST_RETRY: Final = timedelta(minutes=15)
"""The wait after a failed run; each further failure doubles it, until the source's own schedule is sooner."""

PATIENT_FAILURES: Final = 3
"""An address that is gone is asked for at its usual times so often; then each failure doubles the wait."""

LONGEST_INTERVAL: Final = timedelta(weeks=1)
"""The longest wait for an address that is gone, unless its own schedule has a longer one."""

LONGEST_SPREAD: Final = timedelta(minutes=10)
"""The longest delay of a source by `spread`; a twentieth of its interval, if this is shorter."""

_GONE_STATUSES: Final = frozenset({401, 403, 404, 410})
_MOST_DOUBLINGS: Final = 10
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def next_due(schedule: str, last_started: datetime | None, now: datetime, zone: ZoneInfo) -> datetime:
    """Compute when a source is due next. Runs that were missed while the machine slept become one run.

    Args:
        schedule: `every 6h`, or five cron fields, read in `zone`.
        last_started: aware; None for a source that never ran.
        now: aware.

    Returns:
        The time; not after `now` if the source is due.

    >>> from datetime import UTC
    >>> utc, last = ZoneInfo("UTC"), datetime(2026, 1, 1, 7, 30, tzinfo=UTC)
    >>> next_due("every 6h", last, last, utc).isoformat()
    '2026-01-01T13:30:00+00:00'
    >>> next_due("0 */6 * * *", last, last, utc).isoformat()
    '2026-01-01T12:00:00+00:00'
    """
    if last_started is None or last_started > now:  # no run yet, or the clock was wrong during the run
        return now
    if match := re.fullmatch(r"every (\d+)([mhdw])", schedule):
        return last_started + timedelta(**{_UNITS[match[2]]: int(match[1])})
    following: datetime = croniter(schedule, last_started.astimezone(zone)).get_next(datetime)
    return following


def spread(source: Source, interval: timedelta, newsletter: str) -> timedelta:
    """The delay of a source, so that not all hosts, and not all newsrooms, are asked at the same moment.

    It is the same at each run, and the same for all sources of a host, which one crawl asks one after another.

    Args:
        source: of the registry.
        interval: between two of its runs.
        newsletter: that crawls it; another one has other delays.

    >>> from crawler.sources.schema import Source
    >>> source = Source(id="a", kind="feed", name="A", url="https://a.example/")
    >>> spread(source, timedelta(hours=6), "x") < timedelta(minutes=10) > spread(source, timedelta(hours=6), "y")
    True
    """
    host = host_of(source.url or "") or source.mirror or source.kind
    share = crc32(f"{newsletter}\n{host}".encode()) / 2**32
    return min(max(interval, timedelta()) / 20, LONGEST_SPREAD) * share


def due_at(
    source: Source, record: SourceRecord | None, now: datetime, zone: ZoneInfo, newsletter: str = ""
) -> datetime:
    """Compute when a source is due next, from its schedule, its failures and the wait that its site demands.

    A failed run is repeated soon, and after each further failure later: a network that was down for a while does not
    cost a whole interval of the schedule. An address that is gone is asked for less and less often instead. A wait
    that was stored under a clock ahead of the present counts for nothing.

    Args:
        source: of the registry.
        record: of the store; None for a source that never ran.
        now: aware.
        zone: of cron fields.
        newsletter: that crawls it, for `spread`; empty spreads nothing.
    """
    if record is None:
        return now
    due = next_due(source.schedule, record.last_started_at, now, zone)
    if record.last_started_at is None or record.last_started_at > now:
        return due
    if record.failure is not None or record.is_unfinished:
        if _is_gone(record.failure):
            interval = max(due - record.last_started_at, FIRST_RETRY)
            longer = interval * 2 ** min(max(record.failures_in_row - PATIENT_FAILURES, 0), _MOST_DOUBLINGS)
            due = max(due, record.last_started_at + min(longer, LONGEST_INTERVAL))
        else:
            doublings = min(max(record.failures_in_row - 1, 0), _MOST_DOUBLINGS)
            due = min(due, record.last_started_at + FIRST_RETRY * 2**doublings)
    elif newsletter:
        due += spread(source, due - record.last_started_at, newsletter)
    return max(due, record.not_before or due)


def _is_gone(failure: Failure | None) -> bool:
    """Whether the failure says that the address is gone, or closed to us: asking again soon helps nobody."""
    return failure is not None and (failure.error == "Gone" or failure.detail.values.get("status") in _GONE_STATUSES)
