"""How often the editor picks from an account: a rate, shrunk towards the mean by how little is known, and bounded.

An account's picks are compared with the number of picks that an account of its size has on average. The ratio is a
Gamma-Poisson estimate (empirical Bayes; Efron and Morris 1975, "Data analysis using Stein's estimator"): the prior has
mean 1, and its strength is the one under which the counts of all accounts together are most probable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

MOST_FOR: Final = 1.0
"""The largest weight of an account, in log-odds: less than one topic of the title."""

MOST_AGAINST: Final = -0.5
"""The smallest weight. It is nearer to 0: the editor may never have read an account that no issue printed."""

_STRENGTHS: Final = (0.5, 1.0, 2.0, 4.0)


class Rate(NamedTuple):
    """How many of a hundred articles the editor picks, and what that adds to the score of each, in log-odds."""

    per_hundred: float = 0.0
    weight: float = 0.0


def shrink_rates(picked: Mapping[str, float], published: Mapping[str, float], mean: float) -> dict[str, Rate]:
    """Estimate the rate of each account.

    Args:
        picked: number of picks by account; an account without any may be left out.
        published: number of articles by account, over the same time for all accounts; positive.
        mean: the share of all articles that is picked, 0 to 1.

    Returns:
        A rate for each account of `published`. An account of which nothing is known has weight 0.

    >>> rates = shrink_rates({"a": 8.0}, {"a": 10.0, "b": 10.0, "c": 980.0}, 0.01)
    >>> rates["a"].weight, rates["b"].weight > rates["c"].weight
    (1.0, True)
    """
    total_picked, total_published = math.fsum(picked.values()), math.fsum(published.values())
    if not total_picked or not total_published:
        return {name: Rate(100.0 * mean) for name in published}
    counts = {
        name: (picked.get(name, 0.0), total_picked * number / total_published) for name, number in published.items()
    }
    strength = max(_STRENGTHS, key=lambda each: math.fsum(_log_chance(*count, each) for count in counts.values()))
    rates = {}
    for name, (number, expected) in counts.items():
        ratio = (number + strength) / (expected + strength)
        weight = min(max(math.log(ratio), MOST_AGAINST), MOST_FOR)
        rates[name] = Rate(min(100.0 * mean * ratio, 100.0), weight)
    return rates


def _log_chance(number: float, expected: float, strength: float) -> float:
    """Logarithm of the negative binomial probability of a count, without the terms that no strength changes."""
    return (
        math.lgamma(number + strength)
        - math.lgamma(strength)
        + strength * math.log(strength / (strength + expected))
        + number * math.log(1.0 / (strength + expected))
    )
