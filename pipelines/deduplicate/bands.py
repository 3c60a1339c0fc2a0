"""What finds articles by what they share: keys that are compared for equality, in SQL or in memory. Pure.

A key counts within its reach in days only, and where it is not popular in its period. So what an article can be joined
to depends on what is near it in time, not on all that was ever stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Final, NamedTuple

POPULAR: Final = 100
"""A key that more articles have in a period is a stock phrase or a footer: there it joins nothing, so that the cost
stays flat."""

PERIOD: Final = 30
"""Days in which a key's articles are counted. Periods do not slide: an article more changes one count."""

Pair = tuple[int, int]
"""Two article ids, the smaller one first."""


class Band(NamedTuple):
    """A key, and for how many days before and after the article it counts."""

    key: int
    reach: int


@dataclass(frozen=True, slots=True)
class Bands:
    """What an article is found by.

    Args:
        day: of publication, as a number.
        account: who published it, as a number.
        bands: its keys, each with its reach.
    """

    day: int
    account: int
    bands: frozenset[Band]


class Use(NamedTuple):
    """That an article has a key."""

    key: int
    day: int
    account: int
    article: int


def hashed(text: str) -> int:
    """A signed 64-bit number, the same in every process and on every machine."""
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), signed=True)


def unpopular(uses: Collection[Use]) -> list[Use]:
    """Without those of a key that is popular in their period."""
    counts = Counter((use.key, use.day // PERIOD) for use in uses)
    return [use for use in uses if counts[use.key, use.day // PERIOD] <= POPULAR]


def find_pairs(uses: Iterable[Use], reach: int) -> set[Pair]:
    """Articles that share a key within its reach; those of one account on one day only."""
    sharers: dict[int, list[Use]] = defaultdict(list)
    for use in uses:
        sharers[use.key].append(use)
    found: set[Pair] = set()
    for some in sharers.values():
        some.sort()
        for place, one in enumerate(some):
            for other in islice(some, place + 1, None):
                if other.day - one.day > reach:
                    break
                if one.account != other.account or one.day == other.day:
                    found.add((min(one.article, other.article), max(one.article, other.article)))
    return found
