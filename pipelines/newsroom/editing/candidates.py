"""Lists candidates as they stand today, best first: the one lister, of the desk and of the command line."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappush, heappushpop
from itertools import chain, islice
from typing import Final, NamedTuple, Self

import numpy as np

from pipelines.group.candidates import GroupRules, as_of
from pipelines.group.enough import DEEPEST
from pipelines.group.nudges import Nudges
from pipelines.group.relevance import FRESH, weigh_freshness
from pipelines.group.variety import READ_FOR_ONE, Contender, choose_varied
from pipelines.model import Candidate
from pipelines.newsroom.editing.enough import Workload, count_decided, read_workload
from pipelines.newsroom.editing.suggestions import add_suggestions
from pipelines.newsroom.stages.memory import add_recalled_entries
from pipelines.newsroom.stages.nudges import read_nudges
from pipelines.store import Transaction
from pipelines.store.bulk import chunks
from pipelines.store.listing import CandidateQuery, FreshnessBounds, Ranked

NUDGED: Final = 300
"""Candidates, best first, whose order the decisions since the last training change."""

_BOUNDED_DAYS: Final = (58, 30, 21, 15, 11, 8, 6, 4, 3, 2, 1)
"""Ages between which freshness is bounded; a story that is older than the first gains nothing in two decimals."""

READ_AT_ONCE: Final = 200
"""Candidates of a long list that are in memory at once, each with the texts of its articles."""


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """A page of candidates.

    Args:
        candidates: as of today, best first.
        total: number of candidates that the query fits, on all pages.
        counts: number of candidates by category, for the query without its category.
        is_bounded: whether the search has more matches, and only the stories of the newest ones were looked at.
    """

    candidates: Sequence[Candidate]
    total: int
    counts: Mapping[str, int]
    is_bounded: bool = False


@dataclass(frozen=True, slots=True)
class CategoryList:
    """The candidates of a category.

    Args:
        category: its name.
        count: number of its candidates.
        candidates: best first; they may be read as they are asked for, while the transaction is open.
    """

    category: str
    count: int
    candidates: Iterable[Candidate]


@dataclass(frozen=True, slots=True)
class Enough:
    """Where a list may end for an editor.

    Args:
        workload: of the issue in work.
        above: by category, the number of its first candidates that are usually enough.
        above_in_all: the same number in the list of all categories.
    """

    workload: Workload
    above: Mapping[str, int]
    above_in_all: int = 0

    def count_above(self, category: str | None) -> int:
        """The number of candidates that are usually enough in the list of a category; None for all categories."""
        return self.above_in_all if category is None else self.above.get(category, 0)


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
    query, is_bounded = tx.stories.look_up_search(query)
    order = _TodaysOrder.read(tx, now)
    number = order.count_read(offset + limit)
    counts, ranking = tx.stories.list_best(query, order.bounds, number)
    ranked = islice(order.take_best(ranking, offset + limit), offset, None)
    page = _read_candidates(tx, {story.id: story.nudge for story in ranked}, now)
    total = sum(counts.values()) if query.category is None else counts.get(query.category, 0)
    return CandidatePage(page, total, counts, is_bounded=is_bounded)


def list_categories(
    tx: Transaction,
    query: CandidateQuery,
    now: datetime,
    categories: Iterable[str],
    *,
    limit_per_category: int | None = None,
) -> list[CategoryList]:
    """List candidates by category; only their order is computed now, and a few of them are in memory at once.

    Args:
        tx: open for reading, until the last candidate is read.
        query: which candidates.
        now: aware; freshness is measured against it.
        categories: in the order of the lists; a category without candidates has an empty list, and further ones follow.
        limit_per_category: most candidates of each category; None for all.
    """
    ids_by_category: dict[str, array[int]] = {name: array("q") for name in categories}
    nudges: dict[int, float] = {}
    for story in _TodaysOrder.read(tx, now).sort(query):
        ids = ids_by_category.setdefault(story.category, array("q"))
        if limit_per_category is None or len(ids) < limit_per_category:
            ids.append(story.id)
            if story.nudge:
                nudges[story.id] = story.nudge
    return [
        CategoryList(name, len(ids), _iterate_candidates(tx, ids, nudges, now)) for name, ids in ids_by_category.items()
    ]


def iterate_candidates(tx: Transaction, query: CandidateQuery, now: datetime) -> Iterator[Candidate]:
    """Iterate the candidates of all categories, best first.

    Args:
        tx: open for reading, until the last candidate is read.
        query: which candidates.
        now: aware; freshness is measured against it.
    """
    for stories in chunks(_TodaysOrder.read(tx, now).sort(query), READ_AT_ONCE):
        yield from _read_candidates(tx, {story.id: story.nudge for story in stories}, now)


def _iterate_candidates(
    tx: Transaction, story_ids: Iterable[int], nudges: Mapping[int, float], now: datetime
) -> Iterator[Candidate]:
    for ids in chunks(story_ids, READ_AT_ONCE):
        yield from _read_candidates(tx, {story_id: nudges.get(story_id, 0.0) for story_id in ids}, now)


def rank_candidates(tx: Transaction, query: CandidateQuery, now: datetime, limit: int) -> list[tuple[int, float]]:
    """The ids and scores of the first candidates, best first, without reading the candidates.

    Args:
        tx: open for reading.
        query: which candidates.
        now: aware; freshness is measured against it.
        limit: most candidates, at least 1.
    """
    query, _ = tx.stories.look_up_search(query)
    best = _TodaysOrder.read(tx, now).list_best(query, limit)
    return [(story.id, story.score) for story in best]


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
    ranked, chosen_ids = _choose_first(tx, query, now, quotas, number)
    nudges = {story.id: story.nudge for story in ranked}
    return _read_candidates(tx, {story_id: nudges[story_id] for story_id in chosen_ids}, now)


def find_enough(tx: Transaction, now: datetime, quotas: Mapping[str, int]) -> Enough:
    """Find how many of the open candidates of each category are usually enough.

    The candidates that are chosen first (`list_first`) lie among them, as many as are left of those that are usually
    enough for an issue; and so does each candidate that ranks above one of them.

    Args:
        tx: open for reading.
        now: aware; freshness is measured against it.
        quotas: entries of an issue by section.
    """
    minute = now.replace(second=0, microsecond=0)  # freshness takes days
    return tx.cache.get(("enough", minute, *quotas.items()), lambda: _find_enough(tx, minute, quotas))


def _find_enough(tx: Transaction, now: datetime, quotas: Mapping[str, int]) -> Enough:
    workload = read_workload(tx, now)
    if not workload.remaining:
        return Enough(workload, {})
    ranked, chosen_ids = _choose_first(tx, CandidateQuery(), now, quotas, workload.remaining)
    ranks = {story.id: rank for rank, story in enumerate(ranked, 1)}
    above_in_all = max((ranks[story_id] for story_id in chosen_ids), default=0)
    return Enough(workload, _count_above(ranked, set(chosen_ids)), above_in_all)


def measure_depth(tx: Transaction, story_id: int, now: datetime) -> int:
    """Measure how many candidates an editor has read with a story who reads the list of all categories from its top.

    The stories count that the editor decided on for the issue in work, and the open ones down to this story.

    Args:
        tx: open for reading.
        story_id: of an open candidate; any other story counts as `DEEPEST`.
        now: aware; freshness is measured against it.
    """
    decided = count_decided(tx, now)
    best = _TodaysOrder.read(tx, now).list_best(CandidateQuery(), max(DEEPEST - decided, 1))
    best_ids = [story.id for story in best]
    return min(decided + best_ids.index(story_id) + 1, DEEPEST) if story_id in best_ids else DEEPEST


def _count_above(ranked: Sequence[_RankedToday], chosen_ids: Collection[int]) -> dict[str, int]:
    """Count the stories of each category down to its last chosen one.

    Args:
        ranked: of all categories, best first.
        chosen_ids: of some of them.
    """
    above: dict[str, int] = {}
    listed: Counter[str] = Counter()
    for story in ranked:
        listed[story.category] += 1
        if story.id in chosen_ids:
            above[story.category] = listed[story.category]
    return above


def _choose_first(
    tx: Transaction, query: CandidateQuery, now: datetime, quotas: Mapping[str, int], number: int
) -> tuple[list[_RankedToday], list[int]]:
    """Choose the stories to look at first.

    Args:
        tx: open for reading.
        query: which candidates.
        now: aware.
        quotas: entries of an issue by section.
        number: most stories, at least 1.

    Returns:
        The stories that were compared, best first; and the ids of the chosen ones.
    """
    best = _TodaysOrder.read(tx, now).list_best(query, READ_FOR_ONE * number)
    leads = tx.stories.list_leads(story.id for story in best)
    contenders = [
        Contender(story.id, story.score, story.category, leads[story.id].title, leads[story.id].source)
        for story in best
    ]
    return best, choose_varied(contenders, quotas, number)


def split_list(candidates: Iterable[Candidate], categories: Iterable[str]) -> list[CategoryList]:
    """Split a short list by category.

    Args:
        candidates: best first; each category keeps their order.
        categories: in the order of the lists; further ones follow.
    """
    by_category: dict[str, list[Candidate]] = {name: [] for name in categories}
    for candidate in candidates:
        by_category.setdefault(candidate.category, []).append(candidate)
    return [CategoryList(name, len(listed), listed) for name, listed in by_category.items()]


def look_up_candidates(tx: Transaction, candidates: Iterable[Candidate], rules: GroupRules) -> Iterator[Candidate]:
    """Add to candidates what is only looked up for an editor: suggestions, and the entries of past issues.

    Args:
        tx: open for reading, until the last candidate is read.
        candidates: the ones that are shown, in any order; the order is kept.
        rules: of the newsletter.
    """
    for batch in chunks(candidates, READ_AT_ONCE):
        yield from add_recalled_entries(tx, add_suggestions(tx, batch), rules)


class _RankedToday(NamedTuple):
    """A story with its score of today. `nudge`: what the decisions since the last training add to it."""

    id: int
    category: str
    score: float
    nudge: float = 0.0


def _read_candidates(tx: Transaction, nudges: Mapping[int, float], now: datetime) -> list[Candidate]:
    """Read candidates as of now, in the order of the given ids, each with its nudge."""
    stored = {candidate.story.id: candidate for candidate in tx.stories.get(list(nudges))}
    return [as_of(stored[story_id], now, nudge) for story_id, nudge in nudges.items() if story_id in stored]


@dataclass(frozen=True, slots=True)
class _TodaysOrder:
    """The order of stories by their score of today, best first.

    The decisions since the last training move the best `NUDGED` stories among themselves; the next training moves the
    others.

    Args:
        tx: open for reading.
        now: aware.
        nudges: what the decisions add to scores.
        bounds: of freshness.
    """

    tx: Transaction
    now: datetime
    nudges: Nudges
    bounds: FreshnessBounds

    @classmethod
    def read(cls, tx: Transaction, now: datetime) -> Self:
        """Read what the order follows from beside the stories."""
        return cls(tx, now, read_nudges(tx), _make_bounds(now))

    def count_read(self, limit: int) -> int:
        """The number of the best stories without nudges that are read for so many of the best with nudges."""
        return max(limit, NUDGED) if self.nudges.weights else limit

    def list_best(self, query: CandidateQuery, limit: int) -> list[_RankedToday]:
        """List the best stories of a query, at most so many and at least 1."""
        ranking = self.tx.stories.iterate_best(query, self.bounds, self.count_read(limit))
        return self.take_best(ranking, limit)

    def take_best(self, ranking: Iterable[Ranked], limit: int) -> list[_RankedToday]:
        """Take the best stories of a ranking.

        Args:
            ranking: by the highest score that a story may have, with the best `count_read(limit)` in it.
            limit: most stories to return, at least 1.
        """
        best = _find_best(ranking, self.now, self.count_read(limit))
        return list(islice(self._move(best), limit))

    def sort(self, query: CandidateQuery) -> Iterator[_RankedToday]:
        """Sort all stories of a query."""
        return self._move(_sort_all(self.tx.stories.iterate_ranked(query), self.now))

    def _move(self, ordered: Iterable[_RankedToday]) -> Iterator[_RankedToday]:
        """Order the first stories by their scores with nudges."""
        remaining = iter(ordered)
        if not self.nudges.weights:
            return remaining
        stories = list(islice(remaining, NUDGED))
        leads = self.tx.stories.list_leads(story.id for story in stories)
        nudged = [
            _nudge(story, self.nudges.weigh(lead.title, lead.source))
            for story in stories
            if (lead := leads.get(story.id))
        ]
        return chain(sorted(nudged, key=lambda story: (-story.score, story.id)), remaining)


def _make_bounds(now: datetime) -> FreshnessBounds:
    """Bound what freshness adds to the scores of stories of each age.

    Args:
        now: aware.
    """
    until = (now - timedelta(days=days) for days in _BOUNDED_DAYS)
    return FreshnessBounds(tuple((moment, weigh_freshness(moment, now)) for moment in until), FRESH)


def _nudge(story: _RankedToday, nudge: float) -> _RankedToday:
    return _RankedToday(story.id, story.category, round(story.score + nudge, 2), nudge)


def _score(story: Ranked, now: datetime) -> float:
    """The score of a story with freshness; of equal ones, the older id is first."""
    return round(story.score + weigh_freshness(story.newest_at, now), 2)


def _find_best(ranking: Iterable[Ranked], now: datetime, limit: int) -> list[_RankedToday]:
    """Find the stories with the best scores with freshness, best first; none is read that cannot be among them.

    Args:
        ranking: by the highest score that a story may have with freshness.
        now: aware.
        limit: most stories to return, at least 1.
    """
    best: list[tuple[float, int, str]] = []
    for story in ranking:
        if len(best) == limit and round(story.most, 2) < best[0][0]:
            break
        if len(best) < limit:
            heappush(best, (_score(story, now), -story.id, story.category))
        else:
            heappushpop(best, (_score(story, now), -story.id, story.category))
    return [_RankedToday(-negative_id, category, score) for score, negative_id, category in sorted(best, reverse=True)]


def _sort_all(ranking: Iterable[Ranked], now: datetime) -> Iterator[_RankedToday]:
    """Sort all stories by their scores with freshness, best first; a story takes twenty bytes of memory."""
    scores, ids, categories = array("d"), array("q"), array("i")
    numbers: dict[str, int] = {}
    for story in ranking:
        scores.append(_score(story, now))
        ids.append(story.id)
        categories.append(numbers.setdefault(story.category, len(numbers)))
    names = list(numbers)
    for index in np.lexsort((np.asarray(ids), -np.asarray(scores))):
        yield _RankedToday(ids[index], names[categories[index]], scores[index])
