"""The model that judges whether two articles report one event: how rare each term is, and the weight of each feature.

`event_model.json` holds it; `tests/benchmarks/events.py --learn` makes it from labelled days.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final, Self, cast

from pipelines.deduplicate.event_profiles import LETTER_OF_KIND, Term, TermKind, split_term

UNSEEN: Final = 0.5
"""Articles that a term counts as having beyond its number: of a term that no article has, half a one."""


_MOST_NUMBERS: Final = 200_000
"""Rarities that are kept, some 30 MB: many articles of a day have the same terms."""


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """How rare a term is in articles of other days, as a logarithm.

    Args:
        articles: number of articles that were counted.
        counts: number of articles that have a term; a term without a number is in none of them.
    """

    articles: int
    counts: Mapping[Term, float] = field(repr=False)
    _numbers: dict[Term, float] = field(default_factory=dict, init=False, repr=False)

    def of(self, term: Term) -> float:
        """The logarithm of articles to articles with the term.

        >>> rarity = Rarity(1000, {Term("wopenai"): 99})
        >>> [round(rarity.of(Term(word)), 1) for word in ("wopenai", "wjalapeno")]
        [2.3, 7.6]
        """
        number = self._numbers.get(term)
        if number is None:
            if len(self._numbers) >= _MOST_NUMBERS:
                self._numbers.clear()
            number = self._numbers[term] = math.log((self.articles + 1) / (self.counts.get(term, 0) + UNSEEN))
        return number

    def of_all(self, terms: Collection[Term]) -> dict[Term, float]:
        """The logarithm of each term, by the term."""
        numbers = list(map(self._numbers.get, terms))
        return dict(zip(terms, map(self.of, terms) if None in numbers else numbers, strict=True))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class EventModel:
    """Weights and rarity.

    Args:
        intercept: log-odds of a pair without any feature.
        weights: by the name of the feature.
        rarity: of terms.
        join: smallest probability at which two groups become one.
        suggest: smallest probability at which two groups are offered as one.
    """

    intercept: float
    weights: Mapping[str, float]
    rarity: Rarity
    join: float
    suggest: float

    def find_log_odds(self, features: Mapping[str, float]) -> float:
        """The log-odds that a pair of articles with these features reports one event."""
        return self.intercept + math.fsum(self.weights[name] * amount for name, amount in features.items())

    def find_probability(self, features: Mapping[str, float]) -> float:
        """The probability that a pair of articles with these features reports one event."""
        return as_probability(self.find_log_odds(features))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a model as `to_json` writes it."""
        values = json.loads(text)
        return cls(
            values["intercept"],
            values["weights"],
            Rarity(values["articles"], unpack_counts(values["terms"])),
            values["join"],
            values["suggest"],
        )

    def to_json(self) -> str:
        """Write a model."""
        values = {
            "intercept": round(self.intercept, 4),
            "weights": {name: round(weight, 4) for name, weight in self.weights.items()},
            "join": self.join,
            "suggest": self.suggest,
            "articles": self.rarity.articles,
            "terms": pack_counts(self.rarity.counts),
        }
        return json.dumps(values, ensure_ascii=False, indent=0) + "\n"


def as_probability(log_odds: float) -> float:
    """The probability of log-odds; beyond 30 it is so near to certainty that more would only overflow."""
    return 1 / (1 + math.exp(-max(min(log_odds, 30.0), -30.0)))


def pack_counts(counts: Mapping[Term, float]) -> dict[str, dict[int, str]]:
    """Make the number of articles of each term small for JSON: the terms of a kind by their number."""
    terms: dict[str, dict[int, list[str]]] = {}
    for term, count in sorted(counts.items()):
        kind, text = split_term(term)
        terms.setdefault(kind, {}).setdefault(round(count), []).append(text)
    return {
        kind: {count: "|".join(texts) for count, texts in sorted(by_count.items())} for kind, by_count in terms.items()
    }


def unpack_counts(packed: Mapping[str, Mapping[str, str]]) -> dict[Term, int]:
    """Read what `pack_counts` made, from JSON."""
    counts = {
        letter + text: number
        for kind, texts_by_count in packed.items()
        for letter in [LETTER_OF_KIND[cast("TermKind", kind)]]
        for count, texts in texts_by_count.items()
        for number in [int(count)]
        for text in texts.split("|")
    }
    return cast("dict[Term, int]", counts)  # a call for each of some hundred thousand terms takes half the time


def count_terms(terms_of_articles: Iterable[Iterable[Term]], at_least: int = 2) -> Rarity:
    """Count in how many articles each term is.

    Args:
        terms_of_articles: the terms of each article, each term once.
        at_least: terms in fewer articles are left out; they count as unseen.
    """
    counts: dict[Term, int] = {}
    articles = 0
    for terms in terms_of_articles:
        articles += 1
        for term in terms:
            counts[term] = counts.get(term, 0) + 1
    return Rarity(articles, {term: count for term, count in counts.items() if count >= at_least})


@cache
def load_event_model() -> EventModel:
    """The model that jianbao installs."""
    return EventModel.from_json(files(__package__).joinpath("event_model.json").read_text(encoding="utf-8"))
