"""Lists candidates as they stand today, best first: the one lister, of the desk and of the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappush, heappushpop

from pipelines.group.candidates import GroupRules, as_of
from pipelines.group.relevance import FRESH, freshness
from pipelines.group.variety import READ_FOR_ONE, choose_varied
from pipelines.model import Candidate
from pipelines.newsroom.memory import add_recalled_entries
from pipelines.newsroom.suggestions import add_suggestions
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
    tx: Transaction, query: CandidateQuery, now: datetime, *, offset: int = 0, limit: int = 50
) -> CandidatePage:
    """Read one page of candidates; only candidates on the page are read wholly.

    Args:
        tx: open for reading.
        query: which candidates.
        now: aware; freshness is measured against it.
        offset: number of candidates before the page.
        limit: most candidates on the page, at least 1.
    """
    counts, ranking = tx.stories.list_ranked(query)
    page = _read_candidates(tx, _best_ids(ranking, now, offset + limit)[offset:], now)
    total = sum(counts.values()) if query.category is None else counts.get(query.category, 0)
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
    _, ranking = tx.stories.list_ranked(query)
    story_ids = []
    listed: Counter[str] = Counter()
    for story in sorted(ranking, key=lambda story: _rank(story, now), reverse=True):
        listed[story.category] += 1
        if limit_per_category is None or listed[story.category] <= limit_per_category:
            story_ids.append(story.id)
    return _read_candidates(tx, story_ids, now)


def list_first(
    tx: Transaction, query: CandidateQuery, now: datetime, quotas: Mapping[str, int], number: int
) -> list[Candidate]:
    """List the candidates that an editor looks at first: the best of all sections, of many kinds, no event twice.

    Args:
        tx: open for reading.
        query: which candidates.
        now: aware; freshness is measured against it.
        quotas: entries of an issue by section.
        number: most candidates, at least 1.
    """
    _, ranking = tx.stories.list_ranked(query)
    best = _read_candidates(tx, _best_ids(ranking, now, READ_FOR_ONE * number), now)
    return choose_varied(best, quotas, number)


def look_up_candidates(tx: Transaction, candidates: Sequence[Candidate], rules: GroupRules) -> list[Candidate]:
    """Add to candidates what is only looked up for an editor: suggestions, and the entries of past issues.

    Args:
        tx: open for reading.
        candidates: the ones that are shown, in any order; the order is kept.
        rules: of the newsletter.
    """
    return add_recalled_entries(tx, add_suggestions(tx, candidates), rules)


def _read_candidates(tx: Transaction, story_ids: Sequence[int], now: datetime) -> list[Candidate]:
    """Read candidates as of now, in the order of the ids."""
    candidates = {candidate.story.id: as_of(candidate, now) for candidate in tx.stories.get(story_ids)}
    return [candidates[story_id] for story_id in story_ids if story_id in candidates]


def _rank(story: Ranked, now: datetime) -> tuple[float, int]:
    """The sort key of a story: its score with freshness, then the older id; the highest is the best."""
    return round(story.score + freshness(story.newest_at, now).weight, 2), -story.id


def _best_ids(ranking: Iterable[Ranked], now: datetime, limit: int) -> list[int]:
    """Order stories by their score with freshness, best first.

    Freshness adds at most `FRESH`, so a reader stops where no later story can come among the best.

    Args:
        ranking: highest score without freshness first.
        now: aware.
        limit: most ids to return, at least 1.
    """
    best: list[tuple[float, int]] = []
    for story in ranking:
        if len(best) == limit and round(story.score + FRESH, 2) < best[0][0]:
            break
        if len(best) < limit:
            heappush(best, _rank(story, now))
        else:
            heappushpop(best, _rank(story, now))
    return [-negative_id for _, negative_id in sorted(best, reverse=True)]
