"""The rhythm of a source: how long it is usually quiet, learned from its own pauses or from the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pipelines.health.workdays import Workdays

ONE_POSTING: Final = timedelta(hours=2)
"""Articles that follow each other sooner are one posting: an account sends several at once."""

MEMORY: Final = timedelta(days=400)
"""Older postings say nothing about the rhythm of today."""

FEWEST_PAUSES: Final = 5
"""With fewer, a rhythm is a guess."""

_MOST_PAUSES: Final = 120
_LONE: Final = 3.0
"""A pause that is so many times as long as the next longest is an accident, and not part of the rhythm."""

_FEWEST_BESIDE_AN_ACCIDENT: Final = 40
"""Among fewer pauses, a long one may well be of the source's nature, and come again."""

_LEAST_MARGIN: Final = 1.4
_UNSURE_PAUSES: Final = 20
"""With so many pauses the margin is 1 wider than the least one. Both numbers come from simulated quarters of 72 real
feeds: among rules of this kind they give few false alarms and late ones together. In ten other quarters, a rule with a
fifth of the late ones has three times the false ones; limits by the distances of the longest pauses do no better."""

_SHORTEST_LIMIT: Final = 1.5
"""Days; nobody has to know of a shorter silence."""

_TWO_WEEKENDS: Final = timedelta(days=14)
_A_WEEKEND: Final = 3.5
"""Days; a source of which no two weekends are known may rest on the next one."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How long a source may be quiet, in days of working time.

    Args:
        weekend: the weight of Saturdays and Sundays in these days.
        usual: the longest usual pause.
        late_after, silent_after: the pauses after which the source is late, and silent.
        pauses: number of pauses from which the rhythm was learned; 0 where the registry gave it.
    """

    weekend: float
    usual: float
    late_after: float
    silent_after: float
    pauses: int


def list_postings(moments: Sequence[datetime]) -> tuple[datetime, ...]:
    """List the postings among times of articles: the last time of each group, oldest first."""
    postings: list[datetime] = []
    for moment in sorted(moments):
        if postings and moment - postings[-1] <= ONE_POSTING:
            postings[-1] = moment
        else:
            postings.append(moment)
    return tuple(posting for posting in postings if postings[-1] - posting <= MEMORY)


@lru_cache(maxsize=4096)  # a source runs more often than it posts
def learn_rhythm(postings: tuple[datetime, ...], workdays: Workdays) -> Rhythm | None:
    """Learn the rhythm of a source from its postings.

    The limit of silence is a margin above the longest pause, since irregular sources pause long by nature. The margin
    is wide while few pauses are known, since then the next record may be far above the last one: the chance of a new
    record falls with the number of pauses, and so does its height. One pause that is far longer than all of many others
    is left out: it is an outage. A silence that the source itself ended counts as a pause, so that an alarm without
    cause does not come again.

    Args:
        postings: oldest first.
        workdays: the holidays of all sources.

    Returns:
        The rhythm; None for a source with fewer than `FEWEST_PAUSES` pauses.
    """
    weekend = weigh_weekend(postings, workdays)
    own_days = workdays.with_weekend(weekend)
    pairs = list(pairwise(postings))[-_MOST_PAUSES:]
    pauses = drop_accident(sorted(own_days.count(start, end) for start, end in pairs), len(pairs))
    if len(pauses) < FEWEST_PAUSES:
        return None
    high = _quantile(pauses, 0.9)
    margin = _LEAST_MARGIN + (_UNSURE_PAUSES / len(pauses)) ** 2
    knows_weekends = postings[-1] - postings[0] >= _TWO_WEEKENDS
    shortest = _SHORTEST_LIMIT if knows_weekends else _A_WEEKEND
    silent_after = max(1.5 * high, margin * pauses[-1], shortest)
    return Rhythm(weekend, pauses[-1], min(max(1.25 * high, 1.0), silent_after), silent_after, len(pauses))


def expect_rhythm(fewest: int) -> Rhythm | None:
    """Make the rhythm that the registry expects.

    Args:
        fewest: new articles of a week.

    Returns:
        The rhythm; None where less than an article a week is expected, which says nothing about pauses.
    """
    if fewest < 1:
        return None
    usual = max(7 / fewest, 2.5)  # a source may rest at the weekend
    return Rhythm(1.0, usual, 1.25 * usual, max(1.5 * usual, 4.0), 0)


def combine_rhythms(learned: Rhythm | None, expected: Rhythm | None) -> Rhythm | None:
    """Choose the rhythm to judge by: the learned one, except where it allows a pause that the registry rules out.

    A learned limit of three weeks is of no use where the editor expects articles every week.
    """
    if learned is None or expected is None:
        return learned or expected
    week = max(7.0, expected.silent_after)
    return learned if learned.silent_after <= week else Rhythm(1.0, expected.usual, expected.late_after, week, 0)


def drop_accident(pauses: Sequence[float], count: int) -> list[float]:
    """Leave out a pause that is far longer than all others, where many are known: it was an outage.

    Args:
        pauses: the longest ones at least, ascending.
        count: number of all pauses.

    >>> drop_accident([1, 1, 2, 9], 100), drop_accident([1, 1, 2, 9], 4)
    ([1, 1, 2], [1, 1, 2, 9])
    """
    is_lone = count > _FEWEST_BESIDE_AN_ACCIDENT and len(pauses) > 1 and pauses[-1] > _LONE * pauses[-2]
    return list(pauses[:-1] if is_lone else pauses)


def weigh_weekend(postings: Sequence[datetime], workdays: Workdays) -> float:
    """The postings of a day of the weekend over those of another day; 1 while too few are known."""
    if len(postings) < 10 or postings[-1] - postings[0] < _TWO_WEEKENDS:
        return 1.0
    weekend_count = sum(posting.astimezone(workdays.zone).weekday() >= 5 for posting in postings)
    per_workday = (len(postings) - weekend_count) / 5
    weight = weekend_count / 2 / per_workday if per_workday else 1.0
    return 0.0 if weight < 0.1 else min(weight, 1.0)


def _quantile(ascending: Sequence[float], share: float) -> float:
    position = share * (len(ascending) - 1)
    index = int(position)
    following = ascending[min(index + 1, len(ascending) - 1)]
    return ascending[index] + (position - index) * (following - ascending[index])
