"""Candidates as an editor leafs through them: one category, best first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappush, heappushpop

from pipelines.group.candidates import as_of
from pipelines.group.relevance import FRESH, freshness
from pipelines.model import Candidate
from pipelines.store import Transaction
from pipelines.store.listing import Ranked, Wanted


@dataclass(frozen=True, slots=True)
class Shortlist:
    """A page of candidates.

    Args:
        candidates: as of today, best first.
        total: how many are wanted.
        counts: likewise, by category, whichever category is looked at.
    """

    candidates: Sequence[Candidate]
    total: int
    counts: Mapping[str, int]


def shortlist(tx: Transaction, wanted: Wanted, now: datetime, *, first: int = 0, most: int = 50) -> Shortlist:
    """A page of the candidates wanted; only those on it are read wholly.

    Args:
        now: what freshness is measured against; aware.
        first: how many to pass over.
        most: how many to show.
    """
    counts, ranked = tx.stories.listed(wanted)
    ids = _best(ranked, now, first + most)[first:]
    found = {one.story.id: as_of(one, now) for one in tx.stories.some(ids)}
    total = sum(counts.values()) if wanted.category is None else counts.get(wanted.category, 0)
    return Shortlist([found[one] for one in ids if one in found], total, counts)


def _best(ranked: Iterable[Ranked], now: datetime, most: int) -> list[int]:
    """The ids of the best, best first. What freshness adds is bounded, so that not all have to be looked at."""
    best: list[tuple[float, int]] = []
    for one in ranked:
        if len(best) == most and round(one.score + FRESH, 2) < best[0][0]:
            break
        scored = round(one.score + freshness(one.newest_at, now).weight, 2), -one.id
        if len(best) < most:
            heappush(best, scored)
        else:
            heappushpop(best, scored)
    return [-number for _, number in sorted(best, reverse=True)]
