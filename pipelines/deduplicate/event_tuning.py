"""Fits the event model to a newsroom: how rare terms are in its own stream, and what its editors answered. Pure.

A name that everybody writes about this year no longer identifies an event, and the counts that ship with the model do
not know it. The counts are taken at a fixed moment, together with the answers, and hold until they are taken again: so
the same articles in any order give the same stories.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from pipelines.deduplicate.event_model import EventModel, Rarity, as_probability, pack_counts, unpack_counts
from pipelines.deduplicate.event_profiles import Term

MOST_A_DAY: Final = 2
"""Articles of one day in which a term counts: the name of an event is in twenty reports of a day, and stays a name."""

LEAST_ARTICLES: Final = 3
"""Articles that a term is in, at least; rarer ones count as unseen."""

LEAST_ANSWERS: Final = 20
"""Answers of an editor that are needed before the model follows them."""

LEAST_OF_A_KIND: Final = 5
"""Answers of each kind, yes and no, that are needed, too."""

_STRENGTH: Final = 10.0
"""Answers that it takes to outweigh the model as it ships."""

_SLOPES: Final = (0.5, 2.0)
_SHIFTS: Final = (-2.0, 2.0)
"""Bounds: answers are about pairs that were offered or joined, so they say little about all others."""

_STEPS: Final = 25


@dataclass(frozen=True, slots=True)
class Answer:
    """What an editor said of two articles.

    Args:
        log_odds: that they report one event, by the model that ships, with the rarity of the newsroom.
        same: whether the editor calls them one story.
    """

    log_odds: float
    same: bool


@dataclass(frozen=True, slots=True)
class EventTuning:
    """What a newsroom knows beside the model that ships.

    Args:
        articles: number of articles that were counted.
        counts: number of articles that have a term.
        slope, shift: log-odds of the model that ships, multiplied and moved.
        answers: number of answers behind slope and shift.
    """

    articles: int = 0
    counts: Mapping[Term, int] = field(default_factory=dict, repr=False, hash=False)
    slope: float = 1.0
    shift: float = 0.0
    answers: int = 0

    def apply(self, model: EventModel) -> EventModel:
        """Fit a model to the newsroom.

        The counts of both are scaled to the number of articles of the model: its weights were learned with the rarity
        that a term without any article has at that number.
        """
        share = model.rarity.articles / (model.rarity.articles + self.articles)
        counts = _SharedCounts(model.rarity.counts, self.counts, share)
        return replace(
            model,
            intercept=self.slope * model.intercept + self.shift,
            weights={name: self.slope * weight for name, weight in model.weights.items()},
            rarity=Rarity(model.rarity.articles, counts) if self.articles else model.rarity,
        )

    def follow(self, answers: Sequence[Answer]) -> Self:
        """Fit slope and shift to answers: logistic calibration (Platt 1999), drawn towards the model that ships.

        Returns:
            With the slope 1 and the shift 0 if there are too few answers.
        """
        slope, shift = 1.0, 0.0
        kinds = Counter(answer.same for answer in answers)
        if len(answers) >= LEAST_ANSWERS and min(kinds[True], kinds[False]) >= LEAST_OF_A_KIND:
            for _ in range(_STEPS):
                slope, shift = _step(answers, slope, shift)
        return replace(self, slope=round(slope, 4), shift=round(shift, 4), answers=len(answers))

    def to_json(self) -> str:
        """Write the tuning for the store."""
        values = {
            "articles": self.articles,
            "slope": self.slope,
            "shift": self.shift,
            "answers": self.answers,
            "terms": pack_counts(self.counts),
        }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a tuning as `to_json` writes it."""
        values = json.loads(text)
        return cls(
            values["articles"], unpack_counts(values["terms"]), values["slope"], values["shift"], values["answers"]
        )


@dataclass(frozen=True, slots=True, eq=False)
class _SharedCounts(Mapping[Term, float]):
    """A share of the sum of two counts of each term: each is added up when it is asked for, and few ever are.

    Args:
        first, second: numbers of articles by term.
        share: of their sum.
    """

    first: Mapping[Term, float]
    second: Mapping[Term, float]
    share: float

    def __getitem__(self, term: Term) -> float:
        if term not in self.first and term not in self.second:
            raise KeyError(term)
        return self.share * (self.first.get(term, 0) + self.second.get(term, 0))

    def __iter__(self) -> Iterator[Term]:
        return iter(self.first.keys() | self.second.keys())

    def __len__(self) -> int:
        return len(self.first.keys() | self.second.keys())


def count_stream(terms_of_articles: Iterable[tuple[int, Collection[Term]]]) -> EventTuning:
    """Count in how many articles of a newsroom each term is, at most `MOST_A_DAY` of a day.

    Args:
        terms_of_articles: the ordinal of the day and the terms of each article.
    """
    articles = 0
    of_days: Counter[tuple[int, Term]] = Counter()
    for day, terms in terms_of_articles:
        articles += 1
        of_days.update((day, term) for term in set(terms))
    counts: Counter[Term] = Counter()
    for (_, term), count in of_days.items():
        counts[term] += min(count, MOST_A_DAY)
    return EventTuning(articles, {term: count for term, count in counts.items() if count >= LEAST_ARTICLES})


def _step(answers: Sequence[Answer], slope: float, shift: float) -> tuple[float, float]:
    """One step of Newton's method."""
    share = _STRENGTH / len(answers)
    gradient = [share * (slope - 1.0), share * shift]
    curvature = [share, 0.0, share]
    for answer in answers:
        chance = as_probability(slope * answer.log_odds + shift)
        error, width = chance - answer.same, chance * (1 - chance)
        gradient[0] += error * answer.log_odds / len(answers)
        gradient[1] += error / len(answers)
        curvature[0] += width * answer.log_odds**2 / len(answers)
        curvature[1] += width * answer.log_odds / len(answers)
        curvature[2] += width / len(answers)
    determinant = curvature[0] * curvature[2] - curvature[1] ** 2
    slope -= (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant
    shift -= (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant
    return min(max(slope, _SLOPES[0]), _SLOPES[1]), min(max(shift, _SHIFTS[0]), _SHIFTS[1])
