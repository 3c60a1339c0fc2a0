"""Trains a model of sections and relevance on past issues and decisions, with scikit-learn.

The model is plain numbers, and using it needs no library. The same examples give the same model in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crawler.kinds import KINDS, REPOSITORIES
from pipelines.group.categories import CategoryRules
from pipelines.group.features import Account, Description, Feature, FeatureKind, Vector, Vocabulary, account_of
from pipelines.group.relevance import TopicTerms
from pipelines.group.trained import BIAS, DIGITS, TrainedModel, category_vector, relevance_vector
from pipelines.issue.entry import EntryView, read_entry
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

LEAST_PICKED: Final = 30
LEAST_PASSED_OVER: Final = 200
"""The least numbers of examples from which relevance is trained; with fewer, the rules alone do better."""

LEAST_OF_A_CATEGORY: Final = 8
"""The least number of examples from which a category is trained."""

WRITTEN_CHARACTERS: Final = 1200
"""Characters that are read of the editor's text of an entry."""

WRITTEN_WEIGHT: Final = 0.5
"""Weight of the editor's text as an example of its category; the entry itself weighs 1."""

STRENGTH: Final = 8.0
"""Inverse of the L2 penalty; 4 to 30 do as well."""

LEAST_OF_A_KIND: Final = 10
"""The least numbers of picked and of passed-over examples of a kind, for the kind to be a feature of relevance.

If every stored page of a kind was picked, the kind tells how the examples were collected and not what the editor chose.
"""

_RELEVANCE_SCALE: Final[Mapping[FeatureKind, float]] = {
    "piece": 0.5,
    "source": 0.7,
    "account": 0.5,
    "topic": 0.2,
    "kind": 0.3,
    "prior": 0.25,
}
_CATEGORY_SCALE: Final[Mapping[FeatureKind, float]] = {
    "piece": 0.5,
    "shape": 0.5,
    "source": 0.3,
    "account": 0.3,
    "host": 0.5,
    "topic": 0.3,
    "hint": 0.6,
    "prior": 0.3,
}
"""The scale of each kind of feature; other kinds have 1. A smaller scale means a stronger penalty on the weights."""

_FOLDS: Final = 5
_TEMPERATURES: Final = tuple(0.5 * 2 ** (step / 8) for step in range(25))
"""From 0.5, which makes the probabilities sharper, to 4."""

Matrix = NDArray[np.float64]
Rows = Any
"""A sparse matrix; scipy has no types."""


@dataclass(frozen=True, slots=True)
class Example:
    """An article, or an entry of an issue, with its outcome.

    Args:
        description: the parts of it that the model reads.
        group: the issue's date; cross-validation never splits a group.
        picked: whether the editor took it; None is no example of relevance.
        category: the category of its section; None is no example of a category.
        written: the editor's text of it, a further example of the category; calibration leaves it out.
        weight: an entry of an issue weighs 1.
    """

    description: Description
    group: str = ""
    picked: bool | None = None
    category: str | None = None
    written: str = ""
    weight: float = 1.0


def describe_entry(view: EntryView) -> Description:
    """Describe an entry of a past issue as a crawler would have seen its article, without the editor's prefixes.

    Where the entry links a repository, the title is the repository's name, as it is for a crawler, and the editor's
    title takes the place of the summary.
    """
    url = view.url or ""
    description = Description.of(view.title, url, source=view.source)
    if description.kind not in REPOSITORIES:
        return description
    name = view.repository or "/".join(url.split("/")[3:5])
    return Description.of(name, url, summary="" if view.title == name else view.title)


def examples_of_issue(issue: Issue, newsletter: Newsletter) -> tuple[Example, ...]:
    """Make an example of each entry: picked, and of its section's category where the newsletter has the category."""
    return tuple(
        Example(
            describe_entry(view),
            issue.date.isoformat(),
            picked=True,
            category=category.name if (category := newsletter.category(section.name)) else None,
            written=" ".join(view.summary)[:WRITTEN_CHARACTERS],
        )
        for section in issue.sections
        for view in (read_entry(entry.markdown, newsletter) for entry in section.entries)
    )


def train(examples: Iterable[Example], categories: CategoryRules, topics: TopicTerms) -> TrainedModel:
    """Train a model.

    Args:
        examples: picked, dropped and passed-over articles, in any order.
        categories: the newsletter's rules for categories; their weights are features.
        topics: the newsletter's topics; they are features.

    Returns:
        A model without relevance, or without categories, where there are too few examples of either.
    """
    ordered = sorted(examples, key=_sort_key)
    texts = [text for example in ordered for text in (example.description.text, example.written) if text]
    vocabulary = Vocabulary({feature: _rounded(idf) for feature, idf in Vocabulary.of(texts).idf.items()})
    vectoriser = _Vectoriser(vocabulary, _count_accounts(ordered), categories, topics)
    return TrainedModel(
        vocabulary,
        vectoriser.accounts,
        _train_relevance([example for example in ordered if example.picked is not None], vectoriser),
        _train_categories([example for example in ordered if example.category is not None], vectoriser),
    )


def _sort_key(example: Example) -> tuple[object, ...]:
    description = example.description
    return (
        example.group,
        description.text,
        description.host,
        description.source,
        example.picked is True,
        example.category or "",
        example.written,
    )


def _rounded(weight: float) -> float:
    return round(float(weight), DIGITS)


def _count_accounts(examples: Iterable[Example]) -> dict[str, Account]:
    passed_over: Counter[str] = Counter()
    picked: Counter[str] = Counter()
    placed: dict[str, Counter[str]] = {}
    for example in examples:
        name = account_of(example.description.source)
        passed_over[name] += example.picked is False
        picked[name] += example.picked is True
        placed.setdefault(name, Counter())[example.category or ""] += example.category is not None
    return {
        name: Account(passed_over[name], picked[name], {category: n for category, n in sorted(counts.items()) if n})
        for name, counts in sorted(placed.items())
        if name
    }


@dataclass(frozen=True, slots=True)
class _Vectoriser:
    """Makes vectors of examples; the account of an example is counted without the example itself."""

    vocabulary: Vocabulary
    accounts: Mapping[str, Account]
    categories: CategoryRules
    topics: TopicTerms

    def for_relevance(self, example: Example) -> Vector:
        return relevance_vector(example.description, self.vocabulary, self._account_without(example), self.topics)

    def for_category(self, example: Example) -> Vector:
        return category_vector(
            example.description, self.vocabulary, self._account_without(example), self.categories, self.topics
        )

    def _account_without(self, example: Example) -> Account:
        account = self.accounts.get(account_of(example.description.source), Account())
        return account.without(example.picked, example.category)


@dataclass(frozen=True, slots=True)
class _Table:
    """Vectors as a matrix: one row a vector, one scaled column a feature."""

    rows: Rows
    features: Sequence[Feature]
    scales: Matrix

    @classmethod
    def of(cls, vectors: Sequence[Vector], scales: Mapping[FeatureKind, float]) -> Self:
        from scipy.sparse import csr_array  # noqa: PLC0415  commands that train nothing start sooner

        features = sorted({feature for vector in vectors for feature in vector})
        column_of = {feature: column for column, feature in enumerate(features)}
        scale = np.array([scales.get(feature.kind, 1.0) for feature in features])
        columns = np.array([column_of[feature] for vector in vectors for feature in vector], dtype=np.int32)
        cells = np.array([number for vector in vectors for number in vector.values()]) * scale[columns]
        starts = np.cumsum([0, *(len(vector) for vector in vectors)], dtype=np.int32)  # liblinear takes only int32
        return cls(csr_array((cells, columns, starts), shape=(len(vectors), len(features))), features, scale)

    def weights(self, coefficients: Matrix) -> dict[Feature, float]:
        """Weights of the unscaled features, without the zeros."""
        pairs = zip(self.features, coefficients * self.scales, strict=True)
        return {feature: rounded for feature, weight in pairs if (rounded := _rounded(weight))}


def _fit_in_one_thread(model: Any, rows: Rows, truth: Sequence[int], weights: Sequence[float]) -> None:
    """Fit a model. With several threads, so little work is slower, and the last digits depend on the number of cores.

    Args:
        model: of scikit-learn.
        rows: one a vector.
        truth: the class of each row.
        weights: of the rows.
    """
    with threadpool_limits(limits=1):
        model.fit(rows, truth, sample_weight=weights)


# Relevance


def _train_relevance(examples: Sequence[Example], vectoriser: _Vectoriser) -> Vector:
    picked = [example.picked is True for example in examples]
    if sum(picked) < LEAST_PICKED or len(picked) - sum(picked) < LEAST_PASSED_OVER:
        return {}
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    kinds = _informative_kinds(examples)
    vectors = [
        {
            feature: number
            for feature, number in vectoriser.for_relevance(example).items()
            if feature.kind != "kind" or feature.name in kinds
        }
        for example in examples
    ]
    table = _Table.of(vectors, _RELEVANCE_SCALE)
    model = LogisticRegression(C=STRENGTH, solver="liblinear", dual=True, max_iter=5000, random_state=0)
    _fit_in_one_thread(model, table.rows, picked, [example.weight for example in examples])
    return table.weights(model.coef_[0])


def _informative_kinds(examples: Iterable[Example]) -> set[str]:
    counts = Counter((str(example.description.kind), example.picked) for example in examples)
    return {kind for kind in KINDS if min(counts[kind, True], counts[kind, False]) >= LEAST_OF_A_KIND}


# Categories


@dataclass(frozen=True, slots=True)
class _LabelledVector:
    """A vector and its category; `is_written`: it was made of the editor's text, not of the article's title."""

    vector: Vector
    category: str
    group: str
    weight: float
    is_written: bool


def _train_categories(examples: Sequence[Example], vectoriser: _Vectoriser) -> dict[str, Vector]:
    counts = Counter(example.category for example in examples)
    rules = vectoriser.categories.categories
    names = [category.name for category in rules if counts[category.name] >= LEAST_OF_A_CATEGORY]
    if len(names) < 2:
        return {}
    labelled = [row for example in examples if example.category in names for row in _label(example, vectoriser)]
    table = _Table.of([row.vector for row in labelled], _CATEGORY_SCALE)
    coefficients, biases = _fit_categories(table.rows, labelled, names)
    temperature = _choose_temperature(table.rows, labelled, names)
    return {
        name: {**table.weights(row / temperature), BIAS: _rounded(bias / temperature)}
        for name, row, bias in zip(names, coefficients, biases, strict=True)
    }


def _label(example: Example, vectoriser: _Vectoriser) -> Iterator[_LabelledVector]:
    category, group, weight = example.category or "", example.group, example.weight
    yield _LabelledVector(vectoriser.for_category(example), category, group, weight, is_written=False)
    if example.written:
        vector = vectoriser.vocabulary.vector(Description(example.written))
        yield _LabelledVector(vector, category, group, weight * WRITTEN_WEIGHT, is_written=True)


def _fit_categories(rows: Rows, labelled: Sequence[_LabelledVector], names: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Fit one linear model for each category.

    Args:
        rows: one a labelled vector.
        labelled: in the order of the rows; at least one for each category.
        names: of the categories.

    Returns:
        Coefficients, categories x features; biases, one a category.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    class_of = {name: index for index, name in enumerate(names)}
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    _fit_in_one_thread(model, rows, [class_of[row.category] for row in labelled], [row.weight for row in labelled])
    if len(names) == 2:  # scikit-learn has one row then: the second against the first
        return np.vstack([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2
    return model.coef_, model.intercept_


def _choose_temperature(rows: Rows, labelled: Sequence[_LabelledVector], names: Sequence[str]) -> float:
    """Choose the number that divides log-odds so that probabilities hold for issues outside the training.

    Args:
        rows: one a labelled vector.
        labelled: in the order of the rows.
        names: of the categories.

    Returns:
        One of `_TEMPERATURES`, by cross-validation over groups; 1 where no fold can be trained.
    """
    groups = sorted({row.group for row in labelled})
    fold_of = {group: index * _FOLDS // len(groups) for index, group in enumerate(groups)}
    odds: list[Matrix] = []
    truth: list[int] = []
    for fold in sorted(set(fold_of.values())):
        training = [index for index, row in enumerate(labelled) if fold_of[row.group] != fold]
        testing = [index for index, row in enumerate(labelled) if fold_of[row.group] == fold and not row.is_written]
        if {labelled[index].category for index in training} != set(names):
            continue
        coefficients, biases = _fit_categories(rows[training], [labelled[index] for index in training], names)
        odds.append(rows[testing] @ coefficients.T + biases)
        truth += [names.index(labelled[index].category) for index in testing]
    if not truth:
        return 1.0
    return min(_TEMPERATURES, key=lambda temperature: _surprise(np.vstack(odds) / temperature, truth))


def _surprise(odds: Matrix, truth: Sequence[int]) -> float:
    """Mean negative log-likelihood of the true categories."""
    highest = odds.max(axis=1)
    total = highest + np.log(np.exp(odds - highest[:, None]).sum(axis=1))
    return float((total - odds[np.arange(len(truth)), truth]).mean())
