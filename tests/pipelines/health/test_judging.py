"""The state of a source, by its runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.health.history import FailureKind, History, RunOutcome, Trace
from pipelines.health.incidents import Incident, compare_incidents
from pipelines.health.judging import FAMILY_OF, STATE_OF, Judgement, find_bad_series, judge_source
from pipelines.health.workdays import Workdays

START = datetime(2026, 3, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
WORKDAYS = Workdays(ZoneInfo("Asia/Shanghai"))
TEXT = "一篇有正文的文章，" * 20


def trace(day: float, *, dated: bool = True, text: str | None = None) -> Trace:
    return Trace.of(
        f"https://example.org/{day}", START + DAY * day if dated else None, TEXT + str(day) if text is None else text
    )


def run(
    day: float, *traces: Trace, failure: FailureKind | None = None, host: str = "a.example", items: int = 20
) -> RunOutcome:
    answered_by = "" if failure else host
    return RunOutcome(START + DAY * day, failure, len(traces), 0 if failure else items, answered_by, traces)


DAILY = tuple(run(day, trace(day - 0.1)) for day in range(30))
"""A source that posts every day, as thirty runs saw it."""


def judge(*runs: RunOutcome, **fields: object) -> Judgement:
    return judge_source(replace(History("a", host="a.example", runs=runs), **fields), WORKDAYS)  # type: ignore[arg-type]


def test_a_source_whose_last_runs_failed_is_retried_and_not_well() -> None:
    judged = judge(*DAILY, run(30, failure="failed"), run(30.1, failure="failed"))
    assert (judged.state, judged.since, judged.findings, judged.failures) == ("retrying", START + DAY * 30, (), 2)
    assert judge(*DAILY, run(30, failure="failed"), run(30.1, trace(30))).state == "well"


def test_a_source_without_runs_or_switched_off_is_neither_late_nor_well() -> None:
    assert judge().state == "never"
    assert judge(*DAILY, enabled=False).state == "off"


def test_a_new_source_is_not_late_in_its_first_minutes_even_if_its_last_article_is_old() -> None:
    backlog = tuple(trace(day) for day in range(-60, -40))
    assert judge(run(0, *backlog)).state == "well"
    assert judge(run(0, *backlog), *(run(day) for day in range(1, 6))).state == "silent"


def test_a_source_is_late_and_then_silent_and_tells_since_when() -> None:
    assert judge(*DAILY, run(30.1)).state == "well"
    late = judge(*DAILY, run(30.4))
    assert (late.state, late.since, late.findings) == ("late", START + DAY * 28.9, ())
    silent = judge(*DAILY, run(30.4), run(34))
    assert silent.state == "silent"
    assert silent.findings[0].values == {"days": 5.1, "usual": 1.0, "day": "2026-03-31"}


def test_no_time_passes_while_nobody_asks() -> None:
    assert judge(*DAILY, run(60, trace(59))).state == "well"
    failing = judge(*DAILY, *(run(30 + hour / 8, failure="failed") for hour in range(80)))
    assert [finding.kind for finding in failing.findings] == ["failed"]


def test_old_articles_in_the_place_of_new_ones_are_raised_before_a_silence_is() -> None:
    archive = (trace(-day) for day in range(100, 104))
    assert judge(*DAILY, run(30.3)).state == "late"
    assert judge(*DAILY, run(30.3, *archive)).findings[0].kind == "old-items"


def test_items_that_a_late_source_changed_are_no_old_articles() -> None:
    monthly = tuple(run(day, trace(day - 0.1)) for day in range(0, 300, 30))
    changed = tuple(trace(day - 0.1, text=f"{TEXT}改过{day}") for day in range(0, 300, 30))
    assert judge(*monthly, run(309, *changed)).findings == ()
    assert judge(*monthly, run(309.5), run(310, *changed)).state == "late"


def test_old_articles_that_turn_up_end_no_silence() -> None:
    judgement = judge(*DAILY, run(33, *(trace(-day) for day in range(100, 104))), run(34))
    assert judgement.findings[0].kind == "old-items"


@pytest.mark.parametrize(("hours", "is_raised"), [((0, 1, 2), False), ((0, 6, 13), True), ((0, 13), False)])
@pytest.mark.fault("N5")
def test_a_failure_is_raised_when_it_has_lasted(hours: tuple[int, ...], is_raised: bool) -> None:
    failures = (run(30 + hour / 24, failure="failed") for hour in hours)
    assert (judge(*DAILY, *failures).state == "failing") is is_raised


@pytest.mark.parametrize(("kind", "state"), [("login", "login"), ("gone", "retired"), ("misconfigured", "failing")])
def test_what_no_later_run_mends_is_raised_at_its_second_run(kind: FailureKind, state: str) -> None:
    assert judge(*DAILY, run(30, failure=kind)).state == "retrying"
    assert judge(*DAILY, run(30, failure=kind), run(30.1, failure=kind)).state == state


@pytest.mark.fault("H9")
def test_a_forbidden_address_fails_first_and_is_retired_after_three_weeks() -> None:
    refusals = [run(30 + day, failure="forbidden") for day in range(23)]
    assert judge(*DAILY, *refusals[:10]).state == "failing"
    assert judge(*DAILY, *refusals).state == "retired"


def test_a_feed_that_turned_into_a_page_is_failing_and_a_challenge_is_blocked() -> None:
    for kind, state in (("changed", "failing"), ("blocked", "blocked")):
        runs = (run(30 + day, failure=kind) for day in range(3))  # type: ignore[arg-type]
        judgement = judge(*DAILY, *runs)
        assert (judgement.state, judgement.findings[0].kind) == (state, kind)


@pytest.mark.fault("C9")
def test_a_list_that_is_empty_and_never_was_is_silence_and_one_that_often_is_empty_is_not() -> None:
    empty = tuple(run(30 + day / 2, items=0) for day in range(3))
    assert judge(*DAILY, *empty).findings[0].kind == "empty"
    assert judge(run(-1, items=0), *DAILY, *empty).findings[0].kind == "silent"


def test_a_source_that_gives_nothing_is_not_told_of_twice_as_one_that_gives_too_few() -> None:
    empty = tuple(run(30 + day / 2, items=0) for day in range(3))
    assert [finding.kind for finding in judge(*DAILY, expect_per_week=(30, 60)).findings] == ["few"]
    assert [finding.kind for finding in judge(*DAILY, *empty, expect_per_week=(30, 60)).findings] == ["empty"]


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("no-dates", [trace(30 + day, dated=False) for day in range(3)]),
        ("no-text", [trace(30 + day, text="") for day in range(3)]),
        ("same-text", [trace(30 + day, text="请在客户端打开。" * 20) for day in range(3)]),
    ],
)
def test_a_field_that_is_gone_is_raised_and_recovers_with_two_good_articles(kind: str, bad: list[Trace]) -> None:
    spoilt = (*DAILY, run(30, bad[0]), run(31, bad[1]), run(32, bad[2]))
    assert [finding.kind for finding in judge(*spoilt).findings] == [kind]
    assert judge(*spoilt, run(33, trace(33))).state == "fields"
    assert judge(*spoilt, run(33, trace(33)), run(34, trace(34))).state == "well"


def test_a_list_that_is_spoilt_as_a_whole_is_judged_by_what_its_articles_were_like() -> None:
    month = [trace(day) for day in range(10)]
    placeholders = [trace(day, text="请在客户端打开。" * 20) for day in range(10)]
    assert judge(run(10, *month), run(11, *placeholders)).findings[0].kind == "same-text"
    assert judge(run(10), run(11, *placeholders)).findings == ()


def test_two_articles_without_a_date_are_no_incident_however_long_all_had_one() -> None:
    year = tuple(run(day, trace(day)) for day in range(-300, 30))
    undated = [run(30 + day, trace(30 + day, dated=False)) for day in range(3)]
    assert judge(*year, *undated[:2]).findings == ()
    assert judge(*year, *undated).findings[0].kind == "no-dates"


def test_an_article_that_changes_is_not_a_second_article_of_the_same_text() -> None:
    assert judge(*DAILY, run(30, trace(29), trace(28), trace(27)), run(30.1, trace(30))).state == "well"


def test_a_source_that_often_has_no_text_needs_a_longer_series() -> None:
    assert find_bad_series([False, True] * 20 + [True] * 3) is None
    assert find_bad_series([False, False, False, True] * 20 + [True] * 8) is not None


def test_more_articles_than_the_registry_expects_are_an_odd_volume() -> None:
    flood = run(30, *(trace(30 + number / 100) for number in range(40)))
    assert judge(*DAILY, flood, expect_per_week=(2, 20)).state == "volume"
    assert judge(*DAILY, flood, expect_per_week=(2, 60)).state == "well"
    few = judge(*DAILY, expect_per_week=(30, 60))
    assert (few.state, few.findings[0].kind) == ("volume", "few")


def test_the_backlog_of_a_sleep_is_no_flood() -> None:
    backlog = run(60, *(trace(31 + day) for day in range(29)))
    assert judge(*DAILY, backlog, expect_per_week=(2, 14)).state == "well"


def test_another_host_that_answers_is_named_until_the_registry_names_it() -> None:
    moved = (*DAILY, *(run(30 + day, trace(30 + day), host="parked.example") for day in range(3)))
    judgement = judge(*moved)
    assert judgement.state == "moved"
    assert judgement.findings[0].values == {"host": "parked.example", "former": "a.example"}
    assert judge(*moved, host="parked.example").state == "well"


def test_every_kind_has_a_state_and_a_family() -> None:
    assert set(STATE_OF) == set(FAMILY_OF)


def test_an_incident_is_raised_once_and_recovers_once_and_a_person_can_acknowledge_it() -> None:
    silent = judge(*DAILY, run(34))
    raised = compare_incidents([], {"a": silent}, START).raised
    assert [incident.kind for incident in raised] == ["silent"]
    incident = replace(raised[0], id=1)
    again = compare_incidents([incident], {"a": silent}, START + DAY)
    assert (again.raised, again.updated, again.recovered) == ((), (), ())
    over = compare_incidents([incident], {"a": judge(*DAILY)}, START + DAY)
    assert [row.recovered_at for row in over.recovered] == [START + DAY]
    acknowledged = replace(incident, acknowledged_until=START + DAY)
    assert [acknowledged.needs_person(START + DAY * day) for day in (0, 1)] == [False, True]
    assert not over.recovered[0].needs_person(START)


def test_an_incident_whose_source_left_the_registry_is_over() -> None:
    incident = Incident(1, "b", "silent", START, START)
    assert [row.id for row in compare_incidents([incident], {}, START).recovered] == [1]
