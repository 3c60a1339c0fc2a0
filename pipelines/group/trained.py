"""A trained model at work: category and relevance of an article, with reasons in the editor's words.

Models are linear over the features of `pipelines.group.features` and stored as plain numbers: using a model needs no
library. The weight that the newsletter's rules give an article is one more feature, so the rules count as far as past
issues confirm them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Self, cast, get_args

from pipelines.group.categories import MOST_HINTS, SOURCE_PRIOR, Categorised, CategoryRules, categories_named, softmax
from pipelines.group.features import (
    Account,
    Description,
    Feature,
    FeatureKind,
    Vector,
    Vocabulary,
    account_of,
    count_tokens,
    read_words,
    shapes,
    site_vector,
)
from pipelines.group.rates import Rate
from pipelines.group.relevance import REPEATED_TOPIC_SHARE, TopicTerms, sum_by_subject
from pipelines.group.words import widen_to_words
from pipelines.model import Reason
from pipelines.text import fold

VERSION: Final = 5
"""Version of features and JSON together: a stored model of another version is not read; a new one is trained."""

BIAS: Final = Feature("bias")
OPENING_BIAS: Final = Feature("bias", "opening")
"""Every article whose opening is stored has it."""

PRIOR: Final = Feature("prior")
"""The sum of the weights that the rules give for relevance; a category's own prior has the category's name."""

FOLDS: Final = 3
"""Models of relevance: each is trained without a third of the articles that lie open."""

MOST_REASONS: Final = 5
"""Reasons that are listed one by one; the sum of all others is one reason more."""

DIGITS: Final = 4
"""Decimals of a weight; past issues are too few for finer ones."""


class NotAModel(ValueError):
    """The JSON holds no model of this version."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The result of training on past issues and decisions.

    Args:
        vocabulary: of all texts of the training.
        accounts: how the editor treated the articles of the training, by account.
        relevance: `FOLDS` models, each a weight for each feature; none where too few articles were picked or passed
            over. An article that lay open in the training is scored by the model that was not trained on it.
        categories: by category, a weight for each feature; empty where too few entries had a category.
        rarity: of the topics' terms in the store; a term that is left out has 1.
        sharpness: factor of the odds of a section where the opening counts, too: title and opening say in part the
            same, so both together would be too certain.
    """

    vocabulary: Vocabulary
    accounts: Mapping[str, Account]
    relevance: tuple[Vector, ...]
    categories: Mapping[str, Vector]
    rarity: Mapping[str, float]
    sharpness: float = 1.0
    _category_weights: dict[Feature, tuple[float, ...]] = field(default_factory=dict, repr=False, compare=False)

    def get_category_weights(self) -> Mapping[Feature, tuple[float, ...]]:
        """The weights of all categories by feature, in their order: a story looks each feature up once for all."""
        if not self._category_weights and self.categories:
            features = {feature for weights in self.categories.values() for feature in weights}
            by_category = list(self.categories.values())
            self._category_weights.update(
                {feature: tuple(weights.get(feature, 0.0) for weights in by_category) for feature in features}
            )
        return self._category_weights

    def account(self, description: Description) -> Account:
        """The account that published an article; an unknown account has no articles."""
        return self.accounts.get(account_of(description.source), Account())

    def to_json(self) -> str:
        """The model as one JSON object, weights by the kind and the name of their feature, keys sorted.

        Equal models give equal texts.
        """
        document = {
            "version": VERSION,
            "idf": _by_kind(self.vocabulary.idf),
            "accounts": {
                name: [account.passed_over, account.picked, account.placed, *account.rate]
                for name, account in self.accounts.items()
            },
            "relevance": [_by_kind(weights) for weights in self.relevance],
            "categories": {name: _by_kind(weights) for name, weights in self.categories.items()},
            "rarity": self.rarity,
            "sharpness": self.sharpness,
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a text that `to_json` wrote.

        Raises:
            NotAModel: the text holds something else, or a model of another version.
        """
        try:
            document = json.loads(text)
            if (version := document["version"]) != VERSION:
                raise ValueError(f"version {version}, not {VERSION}")
            categories = {name: _weights(weights) for name, weights in document["categories"].items()}
            accounts = {name: _account(*counts) for name, counts in document["accounts"].items()}
            relevance = tuple(_weights(weights) for weights in document["relevance"])
            rarity = {str(term): _finite(number) for term, number in document["rarity"].items()}
            sharpness = _finite(document["sharpness"])
            return cls(Vocabulary(_weights(document["idf"])), accounts, relevance, categories, rarity, sharpness)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotAModel(f"no model: {type(error).__name__}: {error}") from error


def _by_kind(weights: Vector) -> dict[str, dict[str, float]]:
    grouped: dict[str, dict[str, float]] = {}
    for feature, weight in weights.items():
        grouped.setdefault(feature.kind, {})[feature.name] = weight
    return grouped


def _weights(grouped: Mapping[str, Mapping[str, object]]) -> Vector:
    return {
        Feature(feature_kind, str(name)): _finite(number)
        for kind, weights in grouped.items()
        for feature_kind in [_feature_kind(kind)]
        for name, number in weights.items()
    }


def _feature_kind(kind: str) -> FeatureKind:
    if kind in get_args(FeatureKind):
        return cast("FeatureKind", kind)
    raise ValueError(f"no kind of feature: {kind!r}")


def _finite(number: object) -> float:
    if isinstance(number, int | float) and math.isfinite(number):
        return float(number)
    raise ValueError(f"no number: {number!r}")


def _account(passed_over: int, picked: int, placed: Mapping[str, int], per_hundred: float, weight: float) -> Account:
    categories = {str(name): int(number) for name, number in placed.items()}
    return Account(int(passed_over), int(picked), categories, Rate(_finite(per_hundred), _finite(weight)))


# The newsletter's rules, as features


def topic_prior(
    description: Description, terms: TopicTerms, rarity: Mapping[str, float] = MappingProxyType({})
) -> Mapping[str, float]:
    """The topics of the text with the weights of the rules, heaviest first.

    Args:
        description: of the article.
        terms: of the newsletter.
        rarity: of the terms in the store; a term that is left out has 1.
    """
    topics = terms.weigh_topics(description.text, rarity)
    ranked = sorted(topics.items(), key=lambda item: (-item[1], item[0]))
    return {name: weight * REPEATED_TOPIC_SHARE**rank for rank, (name, weight) in enumerate(ranked)}


def category_prior(description: Description, rules: CategoryRules) -> Mapping[str, tuple[Reason, ...]]:
    """By category, the words and the kind for which the rules give it a weight."""
    matches = sorted(rules.words.found_in(description.text))
    kind = description.kind
    return {
        category.name: (
            *((Reason(f"article/{kind}", category.kinds[kind]),) if kind in category.kinds else ()),
            *(
                _make_term_reason(widen_to_words(word, description.text), category.words[word])
                for word in matches
                if word in category.words
            ),
        )
        for category in rules.categories
    }


def relevance_vector(
    description: Description, vocabulary: Vocabulary, terms: TopicTerms, rarity: Mapping[str, float]
) -> Vector:
    """Features of relevance.

    Account and host are no features: the store may have only the articles of an account that an issue printed, and
    then a model learns that its name alone makes a pick. The account counts by its rate, which is bounded.

    Args:
        description: of the article.
        vocabulary: of the model.
        terms: the newsletter's topics.
        rarity: of the topics' terms in the store.
    """
    return {**vocabulary.text_vector(description.text), **read_relevance_clues(description, terms, rarity)}


def read_relevance_clues(description: Description, terms: TopicTerms, rarity: Mapping[str, float]) -> Vector:
    """Features of relevance beside the words: topics, the kind of the page, the weight of the rules.

    Args:
        description: of the article.
        terms: the newsletter's topics.
        rarity: of the topics' terms in the store.
    """
    topics = topic_prior(description, terms, rarity)
    vector = dict.fromkeys((Feature("topic", topic) for topic in topics), 1.0)
    return {**vector, Feature("kind", description.kind): 1.0, PRIOR: math.fsum(topics.values()), BIAS: 1.0}


@dataclass(frozen=True, slots=True)
class _Clues:
    """The parts of a description that the newsletter's rules name: each is a feature, and a reason.

    Args:
        shapes: of the title.
        topics: of the text.
        hints: by category.
        priors: words and kind by category.
    """

    shapes: Vector
    topics: Sequence[str]
    hints: Mapping[str, Sequence[str]]
    priors: Mapping[str, tuple[Reason, ...]]

    @classmethod
    def of(cls, description: Description, rules: CategoryRules, terms: TopicTerms) -> Self:
        return cls(
            shapes(description),
            tuple(topic_prior(description, terms)),
            rules.hints_in(description.text),
            category_prior(description, rules),
        )


def read_category_clues(description: Description, account: Account, rules: CategoryRules, terms: TopicTerms) -> Vector:
    """Features of categories beside the words of title and opening.

    Args:
        description: of the article.
        account: the account that published the article, counted without this article.
        rules: the newsletter's rules for categories.
        terms: the newsletter's topics.
    """
    names = [category.name for category in rules.categories]
    return _make_category_vector(description, None, account, names, _Clues.of(description, rules, terms))


def _make_category_vector(
    description: Description, vocabulary: Vocabulary | None, account: Account, names: Sequence[str], clues: _Clues
) -> Vector:
    """Features of categories.

    Args:
        description: of the article.
        vocabulary: of the model; None leaves out the words.
        account: the account that published the article, counted without this article.
        names: of the categories.
        clues: of the description.
    """
    vector = {**(vocabulary.text_vector(description.text) if vocabulary else {}), **site_vector(description)}
    vector |= clues.shapes
    if vocabulary and description.opening:
        vector |= vocabulary.opening_vector(description.opening)
        vector |= dict.fromkeys((Feature("work", sort) for sort in description.works), 1.0)
        vector[OPENING_BIAS] = 1.0
    vector |= dict.fromkeys((Feature("topic", topic) for topic in clues.topics), 1.0)
    if description.source:
        vector |= account.habits(names)
    for name, hints in clues.hints.items():
        vector[Feature("hint", name)] = weigh_hints(len(hints))
    for name, reasons in clues.priors.items():
        vector[Feature("prior", name)] = math.fsum(reason.weight for reason in reasons)
    return vector


def weigh_hints(number: int) -> float:
    """The value of a number of hints at one category; above `MOST_HINTS` it stays the same.

    >>> weigh_hints(1), weigh_hints(3), weigh_hints(9)
    (0.5, 1.5, 1.5)
    """
    return min(number, MOST_HINTS) / 2


# At work


def fold_of(article_id: int) -> int:
    """The model that scores a story, by the smallest id of its articles; the same in training and in grading."""
    return article_id % FOLDS


def score(description: Description, model: TrainedModel, terms: TopicTerms, fold: int = 0) -> float:
    """Likeness to the picked articles, as log-odds against an average article without any feature.

    Args:
        description: of the article.
        model: with relevance.
        terms: the topics that the model was trained with.
        fold: the model that was not trained on the article; any for an article that came later.
    """
    vector = relevance_vector(description, model.vocabulary, terms, model.rarity)
    return _weighted_sum(vector, model.relevance[fold]) + model.account(description).rate.weight


def relevance_reasons(
    description: Description, model: TrainedModel, terms: TopicTerms, fold: int = 0
) -> tuple[Reason, ...]:
    """The parts of the score: topics, words of the title, the source; their rounded weights add up to it.

    Args:
        description: of the article.
        model: with relevance.
        terms: the topics that the model was trained with.
        fold: the model that was not trained on the article; any for an article that came later.

    Returns:
        Heaviest first; the smallest are summed up in one reason.
    """
    weights = model.relevance[fold]
    vector = relevance_vector(description, model.vocabulary, terms, model.rarity)
    trust_in_rules = weights.get(PRIOR, 0.0)
    topics = (
        _make_term_reason(topic, weight * trust_in_rules + weights.get(Feature("topic", topic), 0.0))
        for topic, weight in topic_prior(description, terms, model.rarity).items()
    )
    kind = Reason(f"article/{description.kind}", weights.get(Feature("kind", description.kind), 0.0))
    further = Reason("reason/remainder", weights.get(BIAS, 0.0))
    text_reasons = _text_reasons(description, vector, weights)
    return _summarise([*topics, kind, further, *text_reasons, *_rate_reasons(description, model)])


def _rate_reasons(description: Description, model: TrainedModel) -> Iterator[Reason]:
    rate = model.account(description).rate
    if rate.weight:
        number = "<1" if rate.per_hundred < 1 else str(round(rate.per_hundred))
        yield Reason("reason/source-rate", rate.weight, {"source": description.source, "number": number})


def categorise_by_model(
    description: Description,
    model: TrainedModel,
    rules: CategoryRules,
    terms: TopicTerms,
    *,
    source_category: str | None = None,
) -> Categorised:
    """Put an article in a category; the probabilities are calibrated on issues outside the training.

    Args:
        description: of the article.
        model: with categories.
        rules: the rules for categories that the model was trained with.
        terms: the topics that the model was trained with.
        source_category: the category that the article's source is known for; counts until issues printed the account.
    """
    account = model.account(description)
    clues = _Clues.of(description, rules, terms)
    names = [category.name for category in rules.categories]
    vector = _make_category_vector(description, model.vocabulary, account, names, clues)
    source_categories = () if account.placed else categories_named(source_category, rules)
    sharpness = model.sharpness if description.opening else 1.0
    weights_by_feature = model.get_category_weights()
    weighed = {feature: weights_by_feature[feature] for feature in vector if feature in weights_by_feature}
    odds = {
        name: sharpness
        * (weights.get(BIAS, 0.0) + math.fsum([vector[each] * row[index] for each, row in weighed.items()]))
        + SOURCE_PRIOR * (name in source_categories)
        for index, (name, weights) in enumerate(model.categories.items())
    }
    papers = {
        category.name: paper
        for category in rules.categories
        if category.name in odds and (paper := rules.weigh_paper(category, description.host, description.path))
    }
    odds |= {name: odds[name] + paper.weight for name, paper in papers.items()}
    scores = softmax(odds)
    best = max(scores, key=lambda name: scores[name])
    best_index = list(model.categories).index(best)
    weights = {feature: sharpness * row[best_index] for feature, row in weighed.items()}
    prior = [
        replace(reason, weight=reason.weight * weights.get(Feature("prior", name), 0.0))
        for name, reasons in clues.priors.items()
        for reason in reasons
    ]
    hints = [
        _make_term_reason(
            widen_to_words(hint, description.text),
            weigh_hints(len(hints)) / len(hints) * weights.get(Feature("hint", name), 0.0),
        )
        for name, hints in clues.hints.items()
        for hint in hints
    ]
    topics = [_make_term_reason(topic, weights.get(Feature("topic", topic), 0.0)) for topic in clues.topics]
    title_shapes = [Reason(f"shape/{feature.name}", weights.get(feature, 0.0)) for feature in clues.shapes]
    host = Reason("reason/host", weights.get(Feature("host", description.host), 0.0), {"host": description.host})
    usual_category = Reason("reason/usual-category", SOURCE_PRIOR * (best in source_categories))
    text_reasons = _text_reasons(description, vector, weights)
    opening = Reason(
        "reason/opening",
        math.fsum(
            number * weights.get(feature, 0.0)
            for feature, number in vector.items()
            if feature.kind in ("opening", "work") or feature == OPENING_BIAS
        ),
    )
    source_reasons = _source_reasons(description, vector, weights)
    paper_reasons = [papers[best]] if best in papers else []
    listed = [*prior, *hints, *topics, *title_shapes, host, usual_category, opening, *paper_reasons]
    reasons = [*listed, *text_reasons, *source_reasons]
    return Categorised(best, scores, _summarise(reasons))


def _sum_in_order(numbers: Sequence[float]) -> float:
    """The sum from the left, whose last digits do not depend on the version of Python."""
    weight = 0.0
    for number in numbers:
        weight += number
    return weight


def _weighted_sum(vector: Vector, weights: Vector) -> float:
    return math.fsum([number * weights[feature] for feature, number in vector.items() if feature in weights])


# Reasons


def _summarise(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Sum up reasons of one subject, then all but the weightiest; weights are rounded as shown, heaviest first."""
    summed = sum_by_subject(reasons)
    small = math.fsum(reason.weight for reason in summed if reason.code == "reason/remainder")
    listed = (reason for reason in summed if reason.code != "reason/remainder")
    ranked = sorted(listed, key=lambda reason: (-abs(reason.weight), reason.subject))
    remainder = Reason("reason/remainder", math.fsum([small, *(reason.weight for reason in ranked[MOST_REASONS:])]))
    rounded = [
        Reason(reason.code, round(reason.weight, 2), reason.values) for reason in (*ranked[:MOST_REASONS], remainder)
    ]
    return tuple(
        sorted((reason for reason in rounded if reason.weight), key=lambda reason: (-reason.weight, reason.subject))
    )


def _make_term_reason(term: str, weight: float) -> Reason:
    """A reason that names a topic, a hint or words of the title; equal terms count as one reason."""
    return Reason("reason/term", weight, {"term": term})


def _source_reasons(description: Description, vector: Vector, weights: Vector) -> Iterator[Reason]:
    parts = [
        number * weights.get(feature, 0.0)
        for feature, number in vector.items()
        if feature.kind in ("source", "account")
    ]
    if parts:
        yield Reason("reason/source", math.fsum(parts), {"source": description.source})


def _text_reasons(description: Description, vector: Vector, weights: Vector) -> Iterator[Reason]:
    """The weight of each word of the text; neighbours of one sign, which no blank separates, are one reason.

    A reason begins and ends where a word does, so that it can be read. The weight of a word that occurs several times
    is divided equally among its places.
    """
    folded = fold(description.text)
    display_text = description.text if len(description.text) == len(folded) else folded
    counts = count_tokens(folded)
    share = {
        feature: vector[feature] * weights[feature] / number
        for feature, number in counts.items()
        if feature in vector and feature in weights
    }
    weighed = [
        (word.start, word.end, word.spaced, _sum_in_order([share[each] for each in word.features if each in share]))
        for word in read_words(folded)
    ]
    for start, end, weight in _join_words(weighed):
        yield _make_term_reason(display_text[start:end], weight)


def _join_words(weighed: Iterable[tuple[int, int, bool, float]]) -> Iterator[tuple[int, int, float]]:
    """Join neighbouring words without blanks whose weights have one sign.

    Args:
        weighed: start, end, whether blanks separate the word, and its weight.

    Returns:
        Start, end and weight of each.
    """
    pending: tuple[int, int, float] | None = None
    for start, end, spaced, weight in weighed:
        if spaced:
            yield start, end, weight
        elif pending and pending[1] == start and (pending[2] > 0.0) == (weight > 0.0):
            pending = (pending[0], end, pending[2] + weight)
        else:
            if pending:
                yield pending
            pending = (start, end, weight)
    if pending:
        yield pending
