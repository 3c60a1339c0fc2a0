"""The rhythm of a source: learned from its own pauses, or expected by the registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pipelines.health.rhythm import combine_rhythms, expect_rhythm, learn_rhythm, list_postings
from pipelines.health.workdays import Workdays, list_days

MONDAY = datetime(2026, 3, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
WORKDAYS = Workdays(ZoneInfo("Asia/Shanghai"))


def days_after(*numbers: float) -> tuple[datetime, ...]:
    return tuple(MONDAY + DAY * number for number in numbers)


def test_articles_of_one_hour_are_one_posting() -> None:
    assert list_postings(days_after(1, 0, 0.05, 0.02)) == days_after(0.05, 1)


def test_a_source_that_rests_at_weekends_is_not_quiet_on_a_monday() -> None:
    postings = days_after(*(week * 7 + day for week in range(4) for day in range(5)))
    rhythm = learn_rhythm(postings, WORKDAYS)
    assert rhythm is not None
    assert (rhythm.weekend, rhythm.usual) == (0.0, 1.0)
    assert WORKDAYS.with_weekend(rhythm.weekend).count(postings[-1], MONDAY + DAY * 28) == 1.0


def test_a_holiday_is_no_pause() -> None:
    holidays = list_days([(datetime(2026, 3, 6, tzinfo=UTC).date(), datetime(2026, 3, 20, tzinfo=UTC).date())])
    rhythm = learn_rhythm(days_after(0, 1, 2, 3, 20, 21, 22, 23), Workdays(WORKDAYS.zone, holidays))
    assert rhythm is not None
    assert rhythm.usual < 3


def test_one_pause_that_is_far_longer_than_all_of_many_others_is_left_out() -> None:
    rhythm = learn_rhythm(days_after(*range(32), 80, *range(81, 100)), WORKDAYS)
    assert rhythm is not None
    assert rhythm.silent_after < 6


def test_a_long_pause_among_few_is_of_the_sources_nature() -> None:
    rhythm = learn_rhythm(days_after(*range(12), 60, *range(61, 70)), WORKDAYS)
    assert rhythm is not None
    assert rhythm.silent_after > 48


def test_the_limit_of_silence_comes_nearer_the_longest_pause_the_more_pauses_are_known() -> None:
    rhythms = [learn_rhythm(days_after(*range(0, 3 * count, 3)), WORKDAYS) for count in (8, 16, 32, 64, 120)]
    margins = [rhythm.silent_after / rhythm.usual for rhythm in rhythms if rhythm]
    assert len(margins) == 5
    assert margins == sorted(margins, reverse=True)
    assert margins[0] > 3
    assert margins[-1] == 1.5  # of a source that is always as regular


def test_a_pause_that_a_source_ended_by_itself_is_learned() -> None:
    before, after = (
        learn_rhythm(days_after(*range(0, 20, 2)), WORKDAYS),
        learn_rhythm(days_after(*range(0, 20, 2), 23), WORKDAYS),
    )
    assert before is not None
    assert after is not None
    assert after.silent_after > before.silent_after


def test_few_pauses_teach_no_rhythm_and_the_registry_serves() -> None:
    learned, expected = learn_rhythm(days_after(0, 1, 2), WORKDAYS), expect_rhythm(7)
    assert learned is None
    assert combine_rhythms(learned, expected) == expected
    assert expect_rhythm(0) is None


def test_the_registry_rules_out_a_pause_that_was_usual() -> None:
    learned = learn_rhythm(days_after(0, 20, 40, 60, 80, 100, 120), WORKDAYS)
    assert learned is not None
    combined = combine_rhythms(learned, expect_rhythm(5))
    assert combined is not None
    assert combined.silent_after == 7.0 < learned.silent_after


@given(st.lists(st.floats(0.2, 30), min_size=6, max_size=40))
def test_no_pause_that_a_source_has_made_is_a_silence_but_one_that_is_an_accident(pauses: list[float]) -> None:
    moments = [MONDAY]
    for pause in pauses:
        moments.append(moments[-1] + DAY * pause)
    rhythm = learn_rhythm(list_postings(moments), WORKDAYS)
    assert rhythm is not None
    assert rhythm.late_after <= rhythm.silent_after
    own_days = WORKDAYS.with_weekend(rhythm.weekend)
    quiet = sorted(own_days.count(first, second) for first, second in pairwise(moments))
    assert sum(pause > rhythm.silent_after for pause in quiet) <= 1
