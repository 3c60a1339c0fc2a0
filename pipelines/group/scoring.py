"""Scores many stories at once, to find the stories that an editor will see first under a new model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from crawler.kinds import Kind
from pipelines.group.features import Description, Feature
from pipelines.group.relevance import LINK_WEIGHT, SEVERAL_SOURCES, TopicTerms
from pipelines.group.token_tables import TokenWeights
from pipelines.group.trained import BIAS, FOLDS, PRIOR, TrainedModel, topic_prior

ROUNDING: Final = 0.05
"""The largest difference between the estimate of a score and the score, whose reasons are rounded one by one."""


class Report(NamedTuple):
    """An article of a story.

    Args:
        description: of the article.
        fold: the model that was not trained on the story.
    """

    description: Description
    fold: int


class Scorer:
    """A model of relevance that scores many reports at once.

    Args:
        model: with relevance.
        terms: the topics that the model was trained with.
    """

    def __init__(self, model: TrainedModel, terms: TopicTerms) -> None:
        self._model = model
        self._terms = terms
        self._tokens = TokenWeights(model.vocabulary, model.relevance)
        self._rates: dict[str, float] = {}

    def score(self, reports: Sequence[Report]) -> list[float]:
        """The score of each report, as `trained.score` gives it for one.

        Args:
            reports: in any order.
        """
        sums = self._tokens.sum_up([report.description.text for report in reports]).tolist()
        kinds = {
            (kind, fold): self._weigh_kind(kind, fold)
            for kind in {report.description.kind for report in reports}
            for fold in range(FOLDS)
        }
        return [
            by_fold[fold]
            + kinds[description.kind, fold]
            + self._weigh_topics(description, fold)
            + self._get_rate(description)
            for by_fold, (description, fold) in zip(sums, reports, strict=True)
        ]

    def _weigh_kind(self, kind: Kind, fold: int) -> float:
        weights = self._model.relevance[fold]
        return weights.get(Feature("kind", kind), 0.0) + weights.get(BIAS, 0.0)

    def _weigh_topics(self, description: Description, fold: int) -> float:
        topics = topic_prior(description, self._terms, self._model.rarity)
        if not topics:
            return 0.0
        weights = self._model.relevance[fold]
        of_topics = math.fsum(weights.get(Feature("topic", topic), 0.0) for topic in topics)
        return of_topics + math.fsum(topics.values()) * weights.get(PRIOR, 0.0)

    def _get_rate(self, description: Description) -> float:
        if description.source not in self._rates:
            self._rates[description.source] = self._model.account(description).rate.weight
        return self._rates[description.source]


def weigh_company(accounts: int, *, has_links: bool, trust: float) -> float:
    """The part of a story's score that no model gives; see `relevance`.

    Args:
        accounts: how many accounts report the story independently.
        has_links: whether it brings its paper or its code.
        trust: of the lead's source; 1 is neutral.
    """
    of_accounts = SEVERAL_SOURCES * math.log2(accounts) if accounts > 1 else 0.0
    return of_accounts + LINK_WEIGHT * has_links + trust - 1.0


def choose_first(new_scores: Mapping[int, float], former_scores: Mapping[int, float], number: int) -> list[int]:
    """Choose the stories whose grades decide which stories are the best ones.

    These are the best by the new scores, and the stories that would stand among them by the scores of before.

    Args:
        new_scores: the estimated score of each story, by id.
        former_scores: its score of before, by id.
        number: of the best stories.

    Returns:
        Ids, the best by the new scores first.

    >>> choose_first({1: 3.0, 2: 2.0, 3: 1.0, 4: 0.0}, {1: 0.0, 2: 0.0, 3: 0.5, 4: 2.5}, 2)
    [1, 2, 4]
    """
    best_first = sorted(new_scores, key=lambda story_id: (-new_scores[story_id], story_id))
    least = new_scores[best_first[min(number, len(best_first)) - 1]] if best_first else 0.0
    return [
        story_id
        for position, story_id in enumerate(best_first)
        if position < number or former_scores[story_id] >= least - ROUNDING
    ]
