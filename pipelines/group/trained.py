"""A learned model at work: section and relevance of what a crawler saw, and why, in the editor's words.

Linear models over the features of `pipelines.group.features`, as plain numbers: to use one takes no library. What the
rules say of an article is one more feature, so that a newsletter's own words go on counting, as much as its past issues
bear them out.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

from pipelines.group.categories import SOURCE_PRIOR, Categorised, CategoryRules, of_source, softmax
from pipelines.group.features import (
    ACCOUNT,
    HINT,
    HOST,
    KIND,
    PRIOR,
    SHAPE,
    SOURCE,
    TOPIC,
    Account,
    Seen,
    Vector,
    Vocabulary,
    account_of,
    runs,
    shapes,
    tokens,
)
from pipelines.group.relevance import REPEATED_TOPIC_SHARE, TopicTerms
from pipelines.model import Reason
from pipelines.names import KIND_NAMES
from pipelines.text import fold

VERSION: Final = 2
"""Of features and weights together: a model of another version is not read, but learned again."""

BIAS: Final = ""
"""The name of the feature that everything has."""

MOST_HINTS: Final = 3
"""Hints at one category that count in one title."""

TOLD: Final = 5
"""Reasons that are told one by one; the rest is told as one."""

DIGITS: Final = 4
"""Decimals of a weight; finer than what so few past issues can tell."""


class NotAModel(ValueError):
    """The JSON holds no model of this version."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from past issues and decisions.

    Args:
        vocabulary: of all texts that were learned from.
        accounts: what became of the articles that were learned from, by account.
        relevance: a weight for each feature; empty where there was nothing that nobody picked.
        categories: by category, a weight for each feature; empty where too few items had one.
    """

    vocabulary: Vocabulary
    accounts: Mapping[str, Account]
    relevance: Vector
    categories: Mapping[str, Vector]

    def account(self, seen: Seen) -> Account:
        """What is known of the account that published it."""
        return self.accounts.get(account_of(seen.source), Account())

    def to_json(self) -> str:
        """The model as one JSON object, keys sorted; the same model is the same text."""
        values = {
            "version": VERSION,
            "idf": self.vocabulary.idf,
            "accounts": {name: [one.passed_over, one.picked, one.placed] for name, one in self.accounts.items()},
            "relevance": self.relevance,
            "categories": self.categories,
        }
        return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            NotAModel: something else, or a model of another version.
        """
        try:
            values = json.loads(text)
            if (version := values["version"]) != VERSION:
                raise ValueError(f"version {version}, not {VERSION}")
            categories = {name: _weights(weights) for name, weights in values["categories"].items()}
            accounts = {name: _account(*counts) for name, counts in values["accounts"].items()}
            return cls(Vocabulary(_weights(values["idf"])), accounts, _weights(values["relevance"]), categories)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotAModel(f"no model: {type(error).__name__}: {error}") from error


def _weights(values: Mapping[str, object]) -> Vector:
    return {str(name): _finite(value) for name, value in values.items()}


def _finite(value: object) -> float:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise ValueError(f"no number: {value!r}")


def _account(passed_over: int, picked: int, placed: Mapping[str, int]) -> Account:
    return Account(int(passed_over), int(picked), {str(name): int(number) for name, number in placed.items()})


# What the rules say, as features


def topic_prior(seen: Seen, terms: TopicTerms) -> tuple[Reason, ...]:
    """The topics that the text is about, as the rules weigh them, heaviest first."""
    topics = {terms.topic_of[term].name: terms.topic_of[term].weight for term in terms.words.found_in(seen.text)}
    ranked = sorted(topics.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Reason(name, weight * REPEATED_TOPIC_SHARE**place) for place, (name, weight) in enumerate(ranked))


def category_prior(seen: Seen, rules: CategoryRules) -> Mapping[str, tuple[Reason, ...]]:
    """By category what the rules' words and kinds say; a reason without words is the kind."""
    found = sorted(rules.words.found_in(seen.text))
    return {
        one.name: (
            *(Reason("", one.kinds[kind]) for kind in (seen.kind,) if kind in one.kinds),
            *(Reason(word, one.words[word]) for word in found if word in one.words),
        )
        for one in rules.categories
    }


def relevance_vector(seen: Seen, vocabulary: Vocabulary, account: Account, terms: TopicTerms) -> Vector:
    """Features that relevance is learned from.

    Not the host: that issues took all that is known of one tells that nothing else of it was kept, not that it is good.

    Args:
        account: what is known of the one that published it, without this very article.
    """
    found = {name: value for name, value in vocabulary.vector(seen).items() if not name.startswith(HOST)}
    topics = topic_prior(seen, terms)
    found |= dict.fromkeys((TOPIC + topic.text for topic in topics), 1.0)
    if seen.source:
        found |= account.chances()
    return {**found, KIND + seen.kind: 1.0, PRIOR: math.fsum(topic.weight for topic in topics)}


def category_vector(
    seen: Seen, vocabulary: Vocabulary, account: Account, rules: CategoryRules, terms: TopicTerms
) -> Vector:
    """Features that categories are learned from; `account` as in `relevance_vector`."""
    found = {**vocabulary.vector(seen), **shapes(seen)}
    found |= dict.fromkeys((TOPIC + topic.text for topic in topic_prior(seen, terms)), 1.0)
    if seen.source:
        found |= account.habits([one.name for one in rules.categories])
    for name, words in rules.hints_in(seen.text).items():
        found[HINT + name] = hint(len(words))
    for name, reasons in category_prior(seen, rules).items():
        found[PRIOR + name] = math.fsum(reason.weight for reason in reasons)
    return found


def hint(words: int) -> float:
    """What so many hints at one category are worth; many more are worth no more.

    >>> hint(1), hint(3), hint(9)
    (0.5, 1.5, 1.5)
    """
    return min(words, MOST_HINTS) / 2


# At work


def score(seen: Seen, learned: Learned, terms: TopicTerms) -> float:
    """How much it looks like what was picked: log-odds against something of which nothing is known."""
    return _sum(relevance_vector(seen, learned.vocabulary, learned.account(seen), terms), learned.relevance)


def relevance_reasons(seen: Seen, learned: Learned, terms: TopicTerms) -> tuple[Reason, ...]:
    """The score taken apart: topics, words of the title, the source; weights add up to it, rounded.

    Returns:
        Heaviest first; the smallest are one reason together.
    """
    weights = learned.relevance
    vector = relevance_vector(seen, learned.vocabulary, learned.account(seen), terms)
    belief = weights.get(PRIOR, 0.0)
    topics = (
        Reason(one.text, one.weight * belief + weights.get(TOPIC + one.text, 0.0)) for one in topic_prior(seen, terms)
    )
    kind = Reason(KIND_NAMES[seen.kind], weights.get(KIND + seen.kind, 0.0))
    return _told([*topics, kind, *_words(seen, vector, weights), *_source(seen, vector, weights)])


def categorise_learned(
    seen: Seen, learned: Learned, rules: CategoryRules, terms: TopicTerms, *, source_category: str | None = None
) -> Categorised:
    """Put what was seen in a category; probabilities are calibrated on past issues that the model had not learned from.

    Args:
        learned: with categories.
        rules, terms: those that it was learned with.
        source_category: the category that the article's source is known for; counts until issues have told.
    """
    account = learned.account(seen)
    vector = category_vector(seen, learned.vocabulary, account, rules, terms)
    named = () if account.placed else of_source(source_category, rules)
    odds = {
        name: weights.get(BIAS, 0.0) + _sum(vector, weights) + SOURCE_PRIOR * (name in named)
        for name, weights in learned.categories.items()
    }
    scores = softmax(odds)
    best = max(scores, key=lambda name: scores[name])
    weights = learned.categories[best]
    prior = [
        Reason(reason.text or KIND_NAMES[seen.kind], reason.weight * weights.get(PRIOR + name, 0.0))
        for name, reasons in category_prior(seen, rules).items()
        for reason in reasons
    ]
    hints = [
        Reason(word, hint(len(words)) / len(words) * weights.get(HINT + name, 0.0))
        for name, words in rules.hints_in(seen.text).items()
        for word in words
    ]
    topics = [Reason(one.text, weights.get(TOPIC + one.text, 0.0)) for one in topic_prior(seen, terms)]
    built = [Reason(name.removeprefix(SHAPE), weights.get(name, 0.0)) for name in shapes(seen)]
    host = Reason(seen.host, weights.get(HOST + seen.host, 0.0))
    known_for = Reason("来源常供本栏", SOURCE_PRIOR * (best in named))
    told = [*prior, *hints, *topics, *built, host, known_for]
    return Categorised(best, scores, _told([*told, *_words(seen, vector, weights), *_source(seen, vector, weights)]))


def _sum(vector: Vector, weights: Vector) -> float:
    return math.fsum(value * weights.get(name, 0.0) for name, value in vector.items())


# Reasons


def _told(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Reasons of one name together, heaviest first, those that hardly count as one; rounded to what is shown."""
    sums: dict[str, float] = {}
    for reason in reasons:
        sums[reason.text] = sums.get(reason.text, 0.0) + reason.weight
    ranked = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    rest = math.fsum(weight for _, weight in ranked[TOLD:])
    named = [Reason(text, round(weight, 2)) for text, weight in (*ranked[:TOLD], ("其他用词", rest))]
    return tuple(sorted((one for one in named if one.weight), key=lambda one: (-one.weight, one.text)))


def _source(seen: Seen, vector: Vector, weights: Vector) -> Iterator[Reason]:
    said = [value * weights.get(name, 0.0) for name, value in vector.items() if name.startswith((SOURCE, ACCOUNT))]
    if said:
        yield Reason(f"来源 {seen.source}", math.fsum(said))


def _words(seen: Seen, vector: Vector, weights: Vector) -> Iterator[Reason]:
    """What each word of the text adds: the weight of an n-gram is shared out among its characters.

    Scripts without blanks are cut where characters that speak for it meet such that speak against it.
    """
    folded = fold(seen.text)
    shown = seen.text if len(seen.text) == len(folded) else folded
    at: list[float] = [0.0] * len(folded)
    found = [token for token in tokens(folded) if token.name in vector and token.name in weights]
    times = Counter(token.name for token in found)
    for token in found:
        share = vector[token.name] * weights[token.name] / times[token.name] / (token.end - token.start)
        for place in range(token.start, token.end):
            at[place] += share
    for start, end, spaced in runs(folded):
        if spaced:
            yield Reason(shown[start:end], math.fsum(at[start:end]))
            continue
        for _, group in groupby(range(start, end), key=lambda place: at[place] > 0.0):
            places = list(group)
            yield Reason(shown[places[0] : places[-1] + 1], math.fsum(at[place] for place in places))
