"""How well the terms of the newsletter's topics tell the editor's picks from everything else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from pipelines.group.features import count_tokens
from pipelines.group.relevance import TopicTerms
from pipelines.text import fold

LEAST_HITS: Final = 3
"""Texts with a term from which something can be said of it."""

TELLING: Final = 8.0
"""The lift of a term that means the newsletter's subject by itself."""

USEFUL: Final = 2.0
"""The lift below which a term is not worth keeping, even in company."""

MOST_PROPOSED: Final = 30

Advice = Literal["keep", "ambiguous", "drop", "add"]
"""keep: as it is; ambiguous: let it count in company only; drop: take it out; add: a word that the topics lack."""


class TermLift(NamedTuple):
    """A term among the picks and in the store.

    Args:
        term, topic: of the newsletter; a proposed word has an empty topic.
        picks: number of picked texts with the term.
        hits: number of the store's texts with it.
        lift: its share among the picks over its share in the store.
        advice: what to do with it.
    """

    term: str
    topic: str
    picks: int
    hits: int
    lift: float
    advice: Advice


def measure_terms(picked: Sequence[str], store: Sequence[str], terms: TopicTerms) -> tuple[TermLift, ...]:
    """Measure each term of the topics, as it counts: an ambiguous word only where it has company.

    Args:
        picked: texts of the picks.
        store: texts of articles that nobody picked.
        terms: of the newsletter.

    Returns:
        The terms that occur, the commonest in the store first.
    """
    in_picks, in_store = _count_terms(picked, terms), _count_terms(store, terms)
    rows = []
    for term in sorted(in_picks.keys() | in_store.keys()):
        picks, hits = in_picks[term], in_store[term]
        lift = measure_lift(picks, len(picked), hits, len(store))
        most = measure_lift(picks + 1 + 1.5 * math.sqrt(picks + 1), len(picked), hits, len(store))
        advice = _advise(picks + hits, most, is_ambiguous=term in terms.ambiguous)
        rows.append(TermLift(term, terms.topic_of[term].name, picks, hits, lift, advice))
    return tuple(sorted(rows, key=lambda row: (-row.hits, -row.picks, row.term)))


def propose_terms(picked: Sequence[str], store: Sequence[str], terms: TopicTerms) -> tuple[TermLift, ...]:
    """Words of at least two letters that are common among the picks, rare in the store, and in no term.

    Args:
        picked: texts of the picks.
        store: texts of articles that nobody picked.
        terms: of the newsletter.
    """
    in_picks, in_store = _count_words(picked), _count_words(store)
    covered = " ".join(fold(term) for term in terms.topic_of)
    rows = [
        TermLift(word, "", picks, in_store[word], lift, "add")
        for word, picks in sorted(in_picks.items())
        if picks >= 2 * LEAST_HITS
        and len(word) > 1
        and word not in covered
        and (lift := measure_lift(picks, len(picked), in_store[word], len(store))) >= TELLING
    ]
    return tuple(sorted(rows, key=lambda row: (-row.picks, row.term))[:MOST_PROPOSED])


def measure_lift(picks: float, picked: int, hits: int, stored: int) -> float:
    """Share among the picks over share in the store; half a hit more, so that a word that is not there has a lift.

    >>> measure_lift(3, 30, 10, 1049)
    10.0
    """
    return round(picks / max(picked, 1) * (stored + 1) / (hits + 0.5), 1)


def _advise(texts: int, most: float, *, is_ambiguous: bool) -> Advice:
    """Advise only what chance does not explain: `most` is the lift that the term has at most, with 90 % certainty."""
    if texts < LEAST_HITS or most >= TELLING:
        return "keep"
    if most < USEFUL:
        return "drop"
    return "keep" if is_ambiguous else "ambiguous"


def _count_terms(texts: Sequence[str], terms: TopicTerms) -> Counter[str]:
    return Counter(term for text in texts for term in terms.find_terms(text))


def _count_words(texts: Sequence[str]) -> Mapping[str, int]:
    return Counter(
        word
        for text in texts
        for word in {feature.name for feature in count_tokens(fold(text)) if feature.kind == "word"}
    )
