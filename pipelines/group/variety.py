"""Chooses the stories that an editor looks at first: the best of all sections, and not sixty of a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.group.features import account_of, find_words
from pipelines.model import Candidate
from pipelines.text import fold

SAME_TITLE: Final = 0.6
"""Share of common words from which two titles announce one event."""

LIKENESS_WEIGHT: Final = 1.0
"""The score that a story loses beside a chosen one of the same words."""

ACCOUNT_WEIGHT: Final = 0.25
"""The score that a story loses for each chosen one of its account."""

MOST_OF_A_SECTION: Final = 1.5
"""A section may have so many times its share of the places before its stories lose `SECTION_WEIGHT`."""

SECTION_WEIGHT: Final = 1.0
"""The score that a story of a full section loses."""

READ_FOR_ONE: Final = 5
"""Candidates, best first, that are compared for each place."""


@dataclass(frozen=True, slots=True)
class _Traits:
    """What is compared of a candidate."""

    score: float
    section: str
    account: str
    title_words: frozenset[str]


def choose_varied(candidates: Sequence[Candidate], quotas: Mapping[str, int], number: int) -> list[Candidate]:
    """Choose the candidates to look at first, one after the other, by maximal marginal relevance.

    Each place goes to the candidate of the highest score less what it has in common with the chosen ones (Carbonell
    and Goldstein 1998, "The use of MMR"). Of candidates whose titles announce one event, the best alone is chosen.

    Args:
        candidates: of all sections, in any order.
        quotas: entries of an issue by section; the places are shared out likewise.
        number: of candidates to choose.

    Returns:
        In the order of the choice, best first; fewer where there are not enough.
    """
    ranked = sorted(candidates, key=lambda each: (-each.score, each.story.id))[: READ_FOR_ONE * number]
    traits = [_read_traits(candidate) for candidate in ranked]
    places = {name: MOST_OF_A_SECTION * number * quota / max(sum(quotas.values()), 1) for name, quota in quotas.items()}
    open_indexes = list(range(len(ranked)))
    likeness = [0.0] * len(ranked)
    by_account: Counter[str] = Counter()
    by_section: Counter[str] = Counter()
    chosen: list[Candidate] = []

    def weigh(index: int) -> float:
        own = traits[index]
        is_full = by_section[own.section] >= places.get(own.section, number)
        lost = LIKENESS_WEIGHT * likeness[index] + ACCOUNT_WEIGHT * by_account[own.account] + SECTION_WEIGHT * is_full
        return own.score - lost

    while open_indexes and len(chosen) < number:
        best = max(open_indexes, key=weigh)
        chosen.append(ranked[best])
        by_account[traits[best].account] += 1
        by_section[traits[best].section] += 1
        for index in open_indexes:
            likeness[index] = max(likeness[index], _measure_likeness(traits[best], traits[index]))
        open_indexes = [index for index in open_indexes if index != best and likeness[index] < SAME_TITLE]
    return chosen


def _read_traits(candidate: Candidate) -> _Traits:
    article = candidate.lead.article
    folded = fold(article.title)
    title_words = frozenset(folded[start:end] for start, end, _ in find_words(folded) if end - start > 1)
    return _Traits(candidate.score, candidate.category, account_of(article.publisher or article.source), title_words)


def _measure_likeness(first: _Traits, second: _Traits) -> float:
    """Share of all words of two titles that both have."""
    shared = first.title_words & second.title_words
    return len(shared) / len(first.title_words | second.title_words) if shared else 0.0
