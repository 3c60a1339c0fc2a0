"""Measures of a ranking and of probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.measures import (
    bootstrap,
    calibration_error,
    calibration_floor,
    mean,
    probabilities_of,
    ranks_among,
)

SCORES = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=30)


@given(SCORES, SCORES)
def test_each_pick_ranks_behind_all_that_score_as_much(picks: Sequence[float], drawn: Sequence[float]) -> None:
    ranks = ranks_among(picks, drawn)
    assert len(set(ranks)) == len(picks)
    for rank, pick in zip(ranks, picks, strict=True):
        assert rank >= sum(score >= pick for score in drawn) + sum(score > pick for score in picks)


@given(st.lists(st.floats(-30, 30), min_size=20, max_size=60), st.integers(1, 19))
def test_probabilities_sum_to_the_entries_of_an_issue_and_keep_the_order(scores: list[float], expected: int) -> None:
    probabilities = probabilities_of(scores, expected)
    assert math.fsum(probabilities) == pytest.approx(expected, abs=1e-6)
    assert sorted(scores) == [score for _, score in sorted(zip(probabilities, scores, strict=True))]


def test_probabilities_that_come_true_as_often_as_they_say_have_no_error() -> None:
    assert calibration_error([0.75] * 4 + [0.05] * 20, [True] * 3 + [False] + [True] + [False] * 19) == 0
    assert calibration_error([0.95] * 4, [False] * 4) == pytest.approx(0.95)


def test_right_probabilities_of_few_items_have_an_error_by_chance_that_many_items_have_not() -> None:
    few, many = calibration_floor([0.7] * 10, 0), calibration_floor([0.7] * 4000, 0)
    assert few > 0.05
    assert many < 0.02
    assert calibration_floor([], 0) == 0


def test_an_interval_holds_the_mean_and_is_a_point_where_all_are_equal() -> None:
    low, high = bootstrap([0.0, 0.2, 0.9, 0.4, 0.5, 0.6], mean, 1)
    assert low < 0.43 < high
    assert bootstrap([0.5] * 5, mean, 1) == (0.5, 0.5)
