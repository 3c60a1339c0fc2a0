"""Finds pairs of articles that share a key; keys are compared for equality, in SQL or in memory. Pure.

A key counts only within its reach in days, and only if it is not popular in its period. So the possible pairs of an
article depend on the articles near it in time, not on the whole store.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Final, NamedTuple

POPULAR: Final = 100
"""A key that more articles have in a period belongs to a stock phrase or a footer: it joins nothing in that period,
which also keeps the cost flat."""

PERIOD: Final = 30
"""Days in which the articles of a key are counted. Periods do not overlap: one more article changes one count."""

Pair = tuple[int, int]
"""Two article ids, the smaller one first."""


Band = tuple[int, int]
"""A key of an article's title or text, a signed 64-bit integer; and its reach: the days before and after the article
within which the key counts. A plain tuple, since an article has some thirty."""


@dataclass(frozen=True, slots=True)
class Bands:
    """All bands of an article.

    Args:
        day: ordinal of the day of publication.
        account: hash of the account key.
        bands: keys, each with its reach.
    """

    day: int
    account: int
    bands: frozenset[Band]


class Use(NamedTuple):
    """A key in an article.

    Args:
        key: of a band.
        day, account: as in `Bands`.
        article: its id.
    """

    key: int
    day: int
    account: int
    article: int


def hash_text(text: str) -> int:
    """A signed 64-bit hash, the same in every process and on every machine."""
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), signed=True)


def drop_popular(uses: Collection[Use]) -> list[Use]:
    """Leave out the uses of each key in each period in which it is popular."""
    counts = Counter((use.key, use.day // PERIOD) for use in uses)
    return [use for use in uses if counts[use.key, use.day // PERIOD] <= POPULAR]


def find_pairs(uses: Iterable[Use], reach: int) -> set[Pair]:
    """Find pairs of articles that share a key.

    Args:
        uses: of keys of one reach.
        reach: days that the two articles may be apart; two articles of one account must be of one day.
    """
    sharers: dict[int, list[Use]] = defaultdict(list)
    for use in uses:
        sharers[use.key].append(use)
    pairs: set[Pair] = set()
    for uses_of_key in sharers.values():
        uses_of_key.sort()
        for index, use in enumerate(uses_of_key):
            for later_use in islice(uses_of_key, index + 1, None):
                if later_use.day - use.day > reach:
                    break
                if use.account != later_use.account or use.day == later_use.day:
                    pairs.add((min(use.article, later_use.article), max(use.article, later_use.article)))
    return pairs
