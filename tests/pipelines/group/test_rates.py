"""How often the editor picks from an account."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.rates import MOST_AGAINST, MOST_FOR, shrink_rates

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 200), max_size=6)
PUBLISHED = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 2000), min_size=1, max_size=6)


@given(COUNTS, PUBLISHED, st.floats(0, 1))
def test_no_rate_leaves_its_bounds(picked: Mapping[str, int], published: Mapping[str, int], mean: float) -> None:
    picked = {name: number for name, number in picked.items() if name in published}
    for rate in shrink_rates(picked, published, mean).values():
        assert 0 <= rate.per_hundred <= 100
        assert MOST_AGAINST <= rate.weight <= MOST_FOR


def test_the_more_is_known_of_an_account_the_farther_its_rate_is_from_the_mean() -> None:
    picked = {"long known": 20.0, "once": 1.0}
    published = {"long known": 400.0, "once": 20.0, "others": 9000.0}
    rates = shrink_rates(picked, published, 0.01)
    assert rates["long known"].per_hundred > rates["once"].per_hundred > 1.0 > rates["others"].per_hundred


def test_an_account_that_publishes_much_and_is_picked_as_often_weighs_less() -> None:
    rates = shrink_rates({"busy": 5.0, "rare": 5.0}, {"busy": 3000.0, "rare": 30.0, "others": 3000.0}, 0.01)
    assert rates["rare"].weight > rates["busy"].weight


def test_without_any_pick_no_account_weighs_anything() -> None:
    assert shrink_rates({}, {"a": 10.0}, 0.0)["a"].weight == 0
