"""Whether anybody crawls at all, by the times at which crawls began."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.health.judging import Finding
from pipelines.health.standstill import Backlog, find_standstill
from pipelines.health.workdays import Workdays

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""A Monday morning in Shanghai."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORKDAYS = Workdays(ZoneInfo("Asia/Shanghai"), frozenset({date(2026, 4, 6)}))


def find(days: Iterable[float], now: float, *, due: float | None = None, backlog: Backlog | None = None) -> str | None:
    """The kind of the finding, for crawls that began so many days after the start; what is due is so at once."""
    starts = [START + DAY * day for day in days]
    finding = look(starts, START + DAY * now, starts[-1] if due is None else START + DAY * due, backlog)
    return finding.kind if finding else None


def look(starts: list[datetime], now: datetime, due: datetime, backlog: Backlog | None = None) -> Finding | None:
    return find_standstill(starts, [due, now + DAY], WORKDAYS, now, backlog)


EVERY_SIX_HOURS = [number / 4 for number in range(60)]
EVERY_DAY = [float(day) for day in range(30)]
WORKING_DAYS = [day for day in EVERY_DAY if day % 7 < 5]
EVERY_FORTNIGHT = [0.0, 14.0, 28.0, 42.0]


@pytest.mark.parametrize(
    ("days", "still_well", "standing"),
    [
        (EVERY_SIX_HOURS, 0.35, 0.4),
        (EVERY_DAY, 1.4, 1.6),
        (EVERY_FORTNIGHT, 20, 22),
    ],
    ids=["schedule", "every day", "every fortnight"],
)
def test_nobody_crawls_when_the_longest_usual_pause_has_lasted_half_as_long_again(
    days: list[float], still_well: float, standing: float
) -> None:
    assert find(days, days[-1] + still_well) is None
    assert find(days, days[-1] + standing) == "standstill"


def test_the_finding_names_the_last_crawl_and_the_number_of_sources_that_are_due() -> None:
    starts = [START + DAY * day for day in EVERY_DAY]
    assert look(starts, starts[-1] + DAY * 2, starts[-1]) == Finding(
        "standstill", starts[-1], {"time": "2026-03-31 09:00", "count": 1}
    )


def test_a_pause_in_which_no_source_is_due_is_no_standstill() -> None:
    assert find(EVERY_SIX_HOURS, 20, due=20.1) is None
    assert find(EVERY_SIX_HOURS, 20, due=19.9) is None, "a crawl of three hours may be under way"
    assert find(EVERY_SIX_HOURS, 20, due=19) == "standstill"


def test_a_new_newsroom_is_not_late() -> None:
    assert find([0, 0.01, 0.02, 0.03, 0.04, 0.05], 30) is None, "sources that were tried one after another"
    assert find([0], 30) is None
    assert find_standstill([], [START], WORKDAYS, START + DAY * 30) is None


def test_who_crawls_on_working_days_may_rest_on_others() -> None:
    friday = WORKING_DAYS.index(25.0)
    assert find(WORKING_DAYS[: friday + 1], 28.4) is None
    assert find(WORKING_DAYS[: friday + 1], 29.6) == "standstill"
    thursday_before_a_holiday = [*WORKING_DAYS, 30.0, 31.0, 32.0]  # Friday 3 April, Monday 6 April is a holiday
    assert find(thursday_before_a_holiday, 36.4) is None
    assert find(thursday_before_a_holiday, 37.6) == "standstill"


def test_a_schedule_does_not_rest_on_holidays() -> None:
    days = [number / 4 for number in range(35 * 4)]  # up to Sunday 5 April
    assert find(days, days[-1] + 0.6) == "standstill"


def test_an_outage_does_not_make_the_next_one_usual() -> None:
    after_an_outage = [*EVERY_SIX_HOURS, *(day + 20 for day in EVERY_SIX_HOURS)]
    assert find(after_an_outage, after_an_outage[-1] + 0.5) == "standstill"


def test_a_clock_that_was_ahead_tells_nothing() -> None:
    assert find([*EVERY_DAY, 4000], 29.5, due=29) is None
    assert find([*EVERY_DAY, 4000], 31, due=29) == "standstill"


def test_jobs_that_wait_without_a_worker_are_a_standstill_of_the_queue() -> None:
    now = START + DAY * 29 + HOUR * 5
    for since, heartbeat, kind in (
        (now - HOUR, None, "no-worker"),
        (now - HOUR, now - HOUR, "no-worker"),
        (now - HOUR, now - timedelta(seconds=20), None),
        (now - timedelta(minutes=5), None, None),
    ):
        assert find(EVERY_DAY, 29 + 5 / 24, backlog=Backlog(3, since, heartbeat)) == kind
    assert find(EVERY_DAY, 29.01, backlog=Backlog(3, START, None)) is None, "a crawl began since"
    finding = look([START], now, now, Backlog(3, now - HOUR, None))
    assert finding == Finding("no-worker", now - HOUR, {"time": "2026-03-31 13:00", "count": 3})
