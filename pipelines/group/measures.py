"""Measures of a ranking and of a choice among sections: plain numbers in, plain numbers out."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

BINS: Final = 10
"""Bins of equal width in which probabilities are compared with outcomes."""

DRAWS: Final = 1000
"""Samples of a bootstrap interval."""

_T = TypeVar("_T")


class Interval(NamedTuple):
    """The middle 90 % of a figure over bootstrap samples."""

    low: float
    high: float


def mean(values: Iterable[float]) -> float:
    """Mean of numbers; 0 without any."""
    numbers = list(values)
    return math.fsum(numbers) / len(numbers) if numbers else 0.0


def ranks_among(picks: Sequence[float], drawn: Sequence[float]) -> list[int]:
    """The rank of each pick among all picks and drawn stories, from 0; of equal scores, the drawn story ranks first.

    Args:
        picks: scores of an issue's stories.
        drawn: scores of the stories that are mixed with them.

    Returns:
        Ranks in the order of the picks.

    >>> ranks_among([1.0, 3.0], [2.0, 1.0])
    [3, 0]
    """
    ascending = sorted(drawn)
    best_first = sorted(range(len(picks)), key=lambda index: -picks[index])
    ranks = [0] * len(picks)
    for better_picks, index in enumerate(best_first):
        ranks[index] = len(ascending) - bisect_left(ascending, picks[index]) + better_picks
    return ranks


def bootstrap(samples: Sequence[_T], figure: Callable[[Sequence[_T]], float], seed: int) -> Interval:
    """The middle 90 % of a figure when the samples are drawn anew, with replacement.

    Args:
        samples: issues, since the picks of one issue are not independent; at least one.
        figure: of a list of samples.
        seed: of the draws.
    """
    chance = random.Random(seed)  # noqa: S311  nobody gains from guessing it
    figures = sorted(figure(chance.choices(samples, k=len(samples))) for _ in range(DRAWS))
    return Interval(figures[DRAWS // 20], figures[-DRAWS // 20])


def calibration_error(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float:
    """Mean difference of probability and share of outcomes, over `BINS` bins weighted by their size.

    Expected calibration error: Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using
    Bayesian binning".

    Args:
        probabilities: from 0 to 1.
        outcomes: whether each came true, in the same order.

    >>> round(calibration_error([0.25, 0.25, 0.95, 0.95], [False, True, True, True]), 2)
    0.15
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for probability, outcome in zip(probabilities, outcomes, strict=True):
        bins.setdefault(min(int(probability * BINS), BINS - 1), []).append((probability, outcome))
    gaps = (abs(math.fsum(p for p, _ in pairs) - sum(outcome for _, outcome in pairs)) for pairs in bins.values())
    return math.fsum(gaps) / len(probabilities) if probabilities else 0.0


def calibration_floor(probabilities: Sequence[float], seed: int) -> float:
    """The calibration error that right probabilities show on average: outcomes are drawn by the probabilities.

    Of few items, the share of outcomes in a bin differs from the probability by chance alone: of 130 items by some .06.

    Args:
        probabilities: from 0 to 1.
        seed: of the draws.

    >>> calibration_floor([0.0, 1.0], 0)
    0.0
    """
    chance = random.Random(seed)  # noqa: S311  nobody gains from guessing it
    return mean(
        calibration_error(probabilities, [chance.random() < probability for probability in probabilities])
        for _ in range(DRAWS // 5)
    )


def probabilities_of(scores: Sequence[float], expected: float) -> list[float]:
    """Turn log-odds into probabilities whose sum is the number of picks that is expected.

    Args:
        scores: of all stories from which an issue is chosen.
        expected: entries of an issue.
    """
    if not scores or expected >= len(scores):
        return [1.0 for _ in scores]
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        if math.fsum(_logistic(score + middle) for score in scores) < expected:
            low = middle
        else:
            high = middle
    return [_logistic(score + high) for score in scores]


def f1(confusion: Mapping[str, Mapping[str, int]], name: str) -> float:
    """Harmonic mean of precision and recall.

    >>> f1({"a": {"a": 1, "b": 1}, "b": {"a": 0, "b": 2}}, "b")
    0.8
    """
    right = confusion[name][name]
    predicted = sum(row[name] for row in confusion.values())
    return 2 * right / (sum(confusion[name].values()) + predicted) if right else 0.0


def _logistic(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(odds, 500.0), -500.0)))
