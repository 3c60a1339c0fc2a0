"""The ratio that tests of costs assert tells linear from quadratic time."""

from __future__ import annotations

import pytest
from costs import assert_twice_costs_at_most_three_times


def count_triples(text: str) -> int:
    return sum(text.count(second) for _ in text[::50] for second in text)


def test_what_reads_its_input_once_passes() -> None:
    assert_twice_costs_at_most_three_times(lambda text: sum(map(ord, text)), "x" * 2_000, "x" * 4_000)


@pytest.mark.slow
def test_what_reads_its_input_again_and_again_fails() -> None:
    with pytest.raises(AssertionError, match="times the CPU time"):
        assert_twice_costs_at_most_three_times(count_triples, "x" * 600, "x" * 1_200)
