"""Chooses the stories that an editor looks at first: the best of all sections, and not sixty of a kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipelines.group.features import account_of, find_words
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
"""Stories, best first, that are compared for each place."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A story that may be chosen.

    Args:
        story: its id.
        score: as of today.
        section: the category of the story.
        title, source: of the lead; the source is the account, or the site.
    """

    story: int
    score: float
    section: str
    title: str
    source: str


def choose_varied(contenders: Sequence[Contender], quotas: Mapping[str, int], number: int) -> list[int]:
    """Choose the stories to look at first, one after the other, by maximal marginal relevance.

    Each place goes to the story of the highest score less what it has in common with the chosen ones (Carbonell and
    Goldstein 1998, "The use of MMR"). Of stories whose titles announce one event, the best alone is chosen.

    Args:
        contenders: of all sections, in any order.
        quotas: entries of an issue by section; the places are shared out likewise.
        number: of stories to choose.

    Returns:
        Ids in the order of the choice, best first; fewer where there are not enough.
    """
    ranked = sorted(contenders, key=lambda each: (-each.score, each.story))[: READ_FOR_ONE * number]
    title_words = [find_title_words(each.title) for each in ranked]
    indexes_of_word, indexes_of_account, indexes_of_section = (defaultdict[str, list[int]](list) for _ in range(3))
    for index, contender in enumerate(ranked):
        indexes_of_account[account_of(contender.source)].append(index)
        indexes_of_section[contender.section].append(index)
        for word in title_words[index]:
            indexes_of_word[word].append(index)
    places = {name: MOST_OF_A_SECTION * number * quota / max(sum(quotas.values()), 1) for name, quota in quotas.items()}
    weights = [each.score for each in ranked]
    likeness = [0.0] * len(ranked)
    open_indexes = dict.fromkeys(range(len(ranked)))
    chosen: list[int] = []
    by_section: Counter[str] = Counter()

    def take_from(indexes: Sequence[int], weight: float) -> None:
        for index in indexes:
            weights[index] -= weight

    def fill(section: str) -> None:
        """Lower the other stories of a section when its places have just been taken."""
        limit = places.get(section, number)
        if by_section[section] >= limit > by_section[section] - 1:
            take_from(indexes_of_section[section], SECTION_WEIGHT)

    for section in indexes_of_section:
        if places.get(section, number) <= 0:
            take_from(indexes_of_section[section], SECTION_WEIGHT)
    while open_indexes and len(chosen) < number:
        best = max(open_indexes, key=weights.__getitem__)
        del open_indexes[best]
        chosen.append(ranked[best].story)
        take_from(indexes_of_account[account_of(ranked[best].source)], ACCOUNT_WEIGHT)
        by_section[ranked[best].section] += 1
        fill(ranked[best].section)
        shared = Counter(index for word in title_words[best] for index in indexes_of_word[word])
        for index, count in shared.items():
            alike = count / (len(title_words[best]) + len(title_words[index]) - count)
            if alike > likeness[index]:
                weights[index] -= LIKENESS_WEIGHT * (alike - likeness[index])
                likeness[index] = alike
            if alike >= SAME_TITLE:
                open_indexes.pop(index, None)
    return chosen


@lru_cache(maxsize=4096)
def find_title_words(title: str) -> frozenset[str]:
    """The words of a title that are longer than one character, folded."""
    folded = fold(title)
    return frozenset(folded[start:end] for start, end, _ in find_words(folded) if end - start > 1)
