"""What the decisions since the last training add to the scores of open stories at once.

Training reads thousands of titles; an editor who has just dropped three notices of courses does not want to wait for it
to see the fourth one sink. So each decision moves weights of the words of its title and of its account by one step of
logistic regression (stochastic gradient descent; Bottou 2012, "Stochastic gradient descent tricks"). The next training
learns from the same decisions, and the steps are forgotten.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from pipelines.group.features import Feature, Vector, account_of
from pipelines.group.variety import find_title_words

STEP: Final = 2.0
"""How far a pick moves the weights, where the probability was wrong by 1."""

DROPPED_SHARE: Final = 0.2
"""A drop moves them by this share. Most candidates are dropped, and a dropped one has many words in common with the
picks: with equal steps the ranking becomes worse by each drop."""

MOST: Final = 1.5
"""The largest nudge, up or down, in log-odds: about what a topic of the title weighs."""

ACCOUNT_SHARE: Final = 0.3
"""The value of the account, where all words of a title together have length 1."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision on a story since the last training.

    Args:
        title, source: of the lead; the source is the account, or the site.
        score: of the story, without freshness.
        picked: whether the editor took it, or dropped it.
    """

    title: str
    source: str
    score: float
    picked: bool


@dataclass(frozen=True, slots=True)
class Nudges:
    """The weights that the decisions since the last training have moved; without a decision there are none.

    Args:
        weights: of words and accounts.
        rarity: of the words of open stories, at least 1; a word that is left out is the rarest.
    """

    weights: Vector = field(default_factory=dict)
    rarity: Mapping[str, float] = field(default_factory=dict)
    _weighed: dict[tuple[str, str], float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def learn(cls, verdicts: Iterable[Verdict], titles: Iterable[str], threshold: float) -> Self:
        """Learn from decisions, one after the other.

        Args:
            verdicts: oldest first.
            titles: of open stories; what they have in common tells nothing.
            threshold: the score from which a story is more probably picked than not.
        """
        weights: defaultdict[Feature, float] = defaultdict(float)
        rarity = _measure_rarity(titles)
        for verdict in verdicts:
            vector = _read_vector(verdict.title, verdict.source, rarity)
            odds = verdict.score - threshold + _weighted_sum(vector, weights)
            surprise = verdict.picked - 1.0 / (1.0 + math.exp(-max(min(odds, 50.0), -50.0)))
            for feature, number in vector.items():
                weights[feature] += STEP * (1.0 if verdict.picked else DROPPED_SHARE) * surprise * number
        return cls(dict(weights), rarity if weights else {})

    def weigh(self, title: str, source: str) -> float:
        """What the decisions add to the score of an open story, with two decimals.

        Args:
            title: of its lead.
            source: of its lead.
        """
        if not self.weights:
            return 0.0
        if (title, source) not in self._weighed:  # the lists between two decisions ask for the same titles
            nudge = _weighted_sum(_read_vector(title, source, self.rarity), self.weights)
            self._weighed[title, source] = round(min(max(nudge, -MOST), MOST), 2)
        return self._weighed[title, source]


def _measure_rarity(titles: Iterable[str]) -> dict[str, float]:
    """The inverse document frequency of words; the key of words that no title has is the empty text."""
    counts: Counter[str] = Counter()
    total = 0
    for title in titles:
        total += 1
        counts.update(find_title_words(title))
    rarest = 1.0 + math.log(1 + total)
    return {"": rarest} | {word: rarest - math.log(1 + number) for word, number in counts.items()}


def _read_vector(title: str, source: str, rarity: Mapping[str, float]) -> dict[Feature, float]:
    """Words of a title, of Euclidean length 1, and the account."""
    weights = {word: rarity.get(word, rarity[""]) for word in find_title_words(title)}
    length = math.sqrt(math.fsum(weight * weight for weight in weights.values())) or 1.0
    vector = {Feature("word", word): weight / length for word, weight in weights.items()}
    if account := account_of(source):
        vector[Feature("source", account)] = ACCOUNT_SHARE
    return vector


def _weighted_sum(vector: Vector, weights: Mapping[Feature, float]) -> float:
    return math.fsum(number * weights.get(feature, 0.0) for feature, number in vector.items())
