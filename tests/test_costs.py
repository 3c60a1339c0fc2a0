"""The ratio that tests of costs assert tells linear from quadratic time."""

from __future__ import annotations

import pytest
from costs import assert_twice_costs_at_most_three_times


def count_pairs(text: str) -> int:
    return sum(text.count(first) for first in text)


def test_what_reads_its_input_once_passes() -> None:
    assert_twice_costs_at_most_three_times(lambda text: sum(map(ord, text)), "x" * 2_000, "x" * 4_000)


def test_what_reads_its_input_once_for_each_of_its_characters_fails() -> None:
    with pytest.raises(AssertionError, match="times the CPU time"):
        assert_twice_costs_at_most_three_times(count_pairs, "x" * 6_000, "x" * 12_000)
