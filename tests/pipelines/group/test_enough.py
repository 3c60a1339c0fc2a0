"""How many candidates are usually enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.enough import DEEPEST, LATE_ISSUES, LEAST, USUAL, estimate_enough

SHALLOW, DEEP = [5] * 10, [100] * 10


def test_without_an_issue_the_usual_number_is_enough() -> None:
    assert estimate_enough([]) == estimate_enough([[]]) == USUAL


def test_an_editor_who_picks_near_the_top_needs_fewer_and_one_who_picks_further_down_more() -> None:
    assert estimate_enough([SHALLOW] * LATE_ISSUES) < USUAL < estimate_enough([DEEP] * LATE_ISSUES)


def test_one_issue_moves_the_number_less_than_ten() -> None:
    assert USUAL < estimate_enough([DEEP]) < estimate_enough([DEEP] * LATE_ISSUES)


def test_the_newest_issues_count_and_older_ones_do_not() -> None:
    assert estimate_enough([DEEP] * LATE_ISSUES + [SHALLOW] * 50) == estimate_enough([DEEP] * LATE_ISSUES)


def test_a_single_pick_from_far_below_does_not_move_the_line() -> None:
    assert estimate_enough([[*SHALLOW, DEEPEST]]) == estimate_enough([SHALLOW])


def test_the_line_lies_below_the_picks_so_that_it_can_move_down_again() -> None:
    assert estimate_enough([DEEP] * LATE_ISSUES) > 100


@given(st.lists(st.lists(st.integers(1, 5000), max_size=30), max_size=20))
def test_the_number_stays_within_its_bounds(depths: list[list[int]]) -> None:
    assert LEAST <= estimate_enough(depths) <= DEEPEST
