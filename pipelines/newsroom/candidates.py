"""Lists candidates as they stand today, best first: the one lister, of the desk and of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappush, heappushpop

from pipelines.group.candidates import as_of
from pipelines.group.relevance import FRESH, freshness
from pipelines.model import Candidate
from pipelines.store import Transaction
from pipelines.store.listing import CandidateQuery, Ranked


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """A page of candidates.

    Args:
        candidates: as of today, best first.
        total: number of candidates that the query fits, on all pages.
        counts: number of candidates by category, for the query without its category.
    """

    candidates: Sequence[Candidate]
    total: int
    counts: Mapping[str, int]


def page_candidates(
    tx: Transaction, query: CandidateQuery, now: datetime, *, offset: int = 0, limit: int | None = 50
) -> CandidatePage:
    """Read one page of candidates; only candidates on the page are read wholly.

    Args:
        tx: open for reading.
        query: which candidates.
        now: aware; freshness is measured against it.
        offset: number of candidates before the page.
        limit: most candidates on the page; None for all.
    """
    counts, ranking = tx.stories.list_ranked(query)
    story_ids = _best_ids(ranking, now, None if limit is None else offset + limit)[offset:]
    candidates = {candidate.story.id: as_of(candidate, now) for candidate in tx.stories.get(story_ids)}
    total = sum(counts.values()) if query.category is None else counts.get(query.category, 0)
    page = [candidates[story_id] for story_id in story_ids if story_id in candidates]
    return CandidatePage(page, total, counts)


def list_candidates(
    tx: Transaction, query: CandidateQuery, now: datetime, *, limit_per_category: int | None = None
) -> list[Candidate]:
    """List candidates of one category or of all, best first.

    Args:
        tx: open for reading.
        query: which candidates.
        now: aware; freshness is measured against it.
        limit_per_category: most candidates of each category; None for all.
    """
    if limit_per_category is None:
        return list(page_candidates(tx, query, now, limit=None).candidates)
    categories = [query.category] if query.category is not None else list(tx.stories.list_ranked(query)[0])
    candidates = [
        candidate
        for category in categories
        for candidate in page_candidates(
            tx, replace(query, category=category), now, limit=limit_per_category
        ).candidates
    ]
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.story.id))


def _best_ids(ranking: Iterable[Ranked], now: datetime, limit: int | None) -> list[int]:
    """Order stories by their score with freshness, best first.

    Freshness adds at most `FRESH`, so a reader stops where no later story can come among the best.

    Args:
        ranking: highest score without freshness first.
        now: aware.
        limit: most ids to return; None for all.
    """
    best: list[tuple[float, int]] = []
    for story in ranking:
        if limit is not None and len(best) >= limit and (not best or round(story.score + FRESH, 2) < best[0][0]):
            break
        scored = round(story.score + freshness(story.newest_at, now).weight, 2), -story.id
        if limit is None or len(best) < limit:
            heappush(best, scored)
        else:
            heappushpop(best, scored)
    return [-negative_id for _, negative_id in sorted(best, reverse=True)]
