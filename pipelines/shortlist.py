"""Candidates as an editor leafs through them: one category, best first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.group.candidates import as_of
from pipelines.group.relevance import freshness
from pipelines.model import Candidate
from pipelines.store import Transaction
from pipelines.store.listing import Wanted


@dataclass(frozen=True, slots=True)
class Shortlist:
    """A page of candidates.

    Args:
        candidates: as of today, best first.
        ids: of all that are wanted, best first, this page's included.
        counts: how many are wanted, by category, whichever category is looked at.
    """

    candidates: Sequence[Candidate]
    ids: Sequence[int]
    counts: Mapping[str, int]


def shortlist(tx: Transaction, wanted: Wanted, now: datetime, *, first: int = 0, most: int = 50) -> Shortlist:
    """A page of the candidates wanted; only those on it are read wholly.

    Args:
        now: what freshness is measured against; aware.
        first: how many to pass over.
        most: how many to show.
    """
    ranked = tx.stories.ranked(wanted)
    scored = {one.id: round(one.score + freshness(one.newest_at, now).weight, 2) for one in ranked}
    ids = sorted(scored, key=lambda one: (-scored[one], one))
    found = {one.story.id: one for one in tx.stories.some(ids[first : first + most])}
    shown = [as_of(found[one], now) for one in ids[first : first + most] if one in found]
    return Shortlist(shown, ids, tx.stories.counts(wanted))
