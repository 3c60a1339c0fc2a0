"""How many candidates are usually enough for an issue: learned from how deep the picks of late issues lay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

USUAL: Final = 60
"""Candidates that are enough where no issue has been made at the desk yet."""

USUAL_WEIGHT: Final = 2
"""`USUAL` counts as much as so many issues."""

LATE_ISSUES: Final = 10
"""Issues from which the number is learned: an editor's habits change."""

COVERED: Final = 0.9
"""Share of an issue's picks that the first candidates have to contain; a search finds the others anyway."""

MARGIN: Final = 1.25
"""Candidates are shown so many times as deep as the picks lay. An editor who stops at the line picks nothing below it,
so without a margin the line would only ever move up."""

LEAST: Final = 20
DEEPEST: Final = 200
"""Bounds of the number. A pick that lay deeper, or that a search found, counts as `DEEPEST`."""


def estimate_enough(depths_of_issues: Sequence[Sequence[int]]) -> int:
    """Estimate how many candidates are usually enough for an issue.

    Args:
        depths_of_issues: one list an issue, newest issue first: for each pick, the number of candidates that an editor
            who reads the list from its top has read with the pick.

    Returns:
        A multiple of five from `LEAST` to `DEEPEST`.

    >>> estimate_enough([]), estimate_enough([[1, 3, 8, 10, 12, 15, 20, 21, 22, 24]] * 10)
    (60, 35)
    """
    covering = [_cover(depths) for depths in depths_of_issues if depths][:LATE_ISSUES]
    total = USUAL_WEIGHT * USUAL + sum(min(max(MARGIN * depth, LEAST), DEEPEST) for depth in covering)
    number = total / (USUAL_WEIGHT + len(covering))
    return min(5 * math.ceil(number / 5), DEEPEST)


def _cover(depths: Sequence[int]) -> int:
    """The depth above which `COVERED` of the picks lie."""
    return sorted(depths)[math.ceil(COVERED * len(depths)) - 1]
