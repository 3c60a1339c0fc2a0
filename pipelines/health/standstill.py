"""Finds that the crawling itself stands still: no source was asked for long, although some are due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from pipelines.health.judging import Finding
from pipelines.health.rhythm import drop_accident, weigh_weekend
from pipelines.health.workdays import Workdays

PATIENCE: Final = timedelta(hours=4)
"""A crawl may last three hours, in which no other source is asked."""

MEMORY: Final = timedelta(days=60)
"""Older crawls say nothing about how often somebody crawls today."""

QUEUE_PATIENCE: Final = timedelta(minutes=30)
"""Machines with workers are started again, and brought up to date, in less."""

_SHORTEST_PAST: Final = timedelta(days=2)
"""With less between the first and the last crawl, the newsroom is new, and its usual pause is not known."""

_MARGIN: Final = 1.5
_BY_MACHINE: Final = 0.5
"""Where so much is crawled on Saturdays and Sundays, holidays are days like others."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the queue that divides crawls among workers holds, at least one job.

    Args:
        jobs: number of jobs that are not done.
        since: when the oldest of them was put there or begun, aware.
        last_heartbeat: of the worker that was heard last, aware; None where no worker is left.
    """

    jobs: int
    since: datetime
    last_heartbeat: datetime | None


def find_standstill(
    starts: Sequence[datetime],
    due_times: Iterable[datetime],
    workdays: Workdays,
    now: datetime,
    backlog: Backlog | None = None,
) -> Finding | None:
    """Find that nobody crawls: a schedule that died, a timer that was lost, a queue without workers.

    A newsroom without a schedule is crawled whenever somebody, or cron, does it: the longest pause between its crawls
    is its usual one, and a half more is a standstill. A source that is due is not enough for it, nor is a long pause in
    which none is.

    Args:
        starts: the times at which crawls began, ascending; at most `MEMORY` old.
        due_times: when each source that was crawled before is due next.
        workdays: the holidays.
        now: aware.
        backlog: of the queue; None without a queue and without a job.
    """
    past = [start for start in starts if start <= now]
    if backlog is not None and (finding := _find_lack_of_workers(backlog, past, workdays, now)):
        return finding
    overdue = sum(due <= now - PATIENCE for due in due_times)
    if not past or not overdue or past[-1] - past[0] < _SHORTEST_PAST or now - past[-1] <= PATIENCE:
        return None
    weekend = weigh_weekend(past, workdays)
    holidays = frozenset[date]() if weekend >= _BY_MACHINE else workdays.holidays
    own_days = replace(workdays, weekend=weekend, holidays=holidays)
    if own_days.count(past[-1], now) <= _MARGIN * _find_longest_pause(past, own_days):
        return None
    return Finding("standstill", past[-1], {"time": _format(past[-1], workdays), "count": overdue})


def _find_lack_of_workers(
    backlog: Backlog, past: Sequence[datetime], workdays: Workdays, now: datetime
) -> Finding | None:
    """Find that jobs wait and that no worker is left to do them."""
    since = max([backlog.since, *past[-1:]])
    if now - since < QUEUE_PATIENCE or (backlog.last_heartbeat and now - backlog.last_heartbeat < QUEUE_PATIENCE):
        return None
    return Finding("no-worker", since, {"time": _format(since, workdays), "count": backlog.jobs})


def _find_longest_pause(starts: Sequence[datetime], own_days: Workdays) -> float:
    """The longest usual pause between two crawls, in days of working time; one that is far longer was an outage."""
    shortest = PATIENCE / _MARGIN
    pauses = [own_days.count(start, end) for start, end in pairwise(starts) if end - start > shortest]
    return drop_accident(sorted([shortest / timedelta(days=1), *pauses]), len(starts))[-1]


def _format(moment: datetime, workdays: Workdays) -> str:
    return f"{moment.astimezone(workdays.zone):%Y-%m-%d %H:%M}"
