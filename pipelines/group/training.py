"""Trains a model of sections and relevance on past issues and decisions, with scikit-learn.

The model is plain numbers, and using it needs no library. The same examples give the same model in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crawler.kinds import KINDS, REPOSITORIES
from pipelines.group.categories import CategoryRules
from pipelines.group.features import (
    NO_RATE,
    TEXT_CHARACTERS,
    Account,
    Description,
    Feature,
    FeatureKind,
    Vector,
    Vocabulary,
    account_of,
    find_sort,
)
from pipelines.group.rates import Rate, shrink_rates
from pipelines.group.relevance import TopicTerms, measure_rarity
from pipelines.group.token_tables import TokenTable
from pipelines.group.trained import (
    BIAS,
    DIGITS,
    FOLDS,
    OPENING_BIAS,
    TrainedModel,
    read_category_clues,
    read_relevance_clues,
)
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
"""Weight of the editor's text as an example of its category; the entry itself weighs 1. As a pick both weigh 1."""

STRENGTH: Final = 8.0
"""Inverse of the L2 penalty; 4 to 30 do as well."""

RELEVANCE_STRENGTH: Final = 4.0
"""Inverse of the L2 penalty of relevance; 1 to 4 do as well."""

OPEN_WEIGHT: Final = 0.3
"""Weight of an open article as passed over: nobody said that it is not wanted. A drop weighs 1."""

OPENING_STRENGTH: Final = 4.0
"""Inverse of the L2 penalty of the model of openings."""

MOST_OF_A_KIND: Final = 0.3
"""The largest weight of a kind of page, for or against, in log-odds."""

LEAST_OF_A_KIND: Final = 10
"""The least numbers of picked and of passed-over examples of a kind, for the kind to be a feature of relevance.

If every stored page of a kind was picked, the kind tells how the examples were collected and not what the editor chose.
"""

_RELEVANCE_SCALE: Final[Mapping[FeatureKind, float]] = {
    "piece": 0.5,
    "topic": 0.2,
    "kind": 0.3,
    "prior": 0.5,
}
_CATEGORY_SCALE: Final[Mapping[FeatureKind, float]] = {
    "piece": 0.5,
    "shape": 0.5,
    "source": 0.3,
    "account": 0.3,
    "host": 0.5,
    "topic": 0.3,
    "hint": 0.6,
    "prior": 0.6,
}
"""The scale of each kind of feature; other kinds have 1. A smaller scale means a stronger penalty on the weights."""

_FOLDS: Final = 5
_TEMPERATURES: Final = tuple(0.5 * 2 ** (step / 8) for step in range(25))
"""From 0.5, which makes the probabilities sharper, to 4."""

_OPENING_SHARES: Final = (0.25, 0.5, 0.75, 1.0)
"""Weights of what the opening says of a section, where the title weighs 1."""

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
        fold: of an article that lies open: it counts as passed over, but for the model of its fold, which scores it.
            None for an article whose outcome is known.
        day: when an open article was published; None where nobody knows.
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
    fold: int | None = None
    day: date | None = None


def describe_entry(view: EntryView) -> Description:
    """Describe an entry of a past issue as a crawler would have seen its article, without the editor's prefixes.

    Where the entry links a repository, the title is the repository's name, as it is for a crawler, and the editor's
    title takes the place of the summary.
    """
    url = view.url or ""
    references = [find_sort(address) for address in view.urls if address != url]
    description = Description.of(view.title, url, source=view.source, references=references)
    if description.kind not in REPOSITORIES:
        return description
    name = view.repository or "/".join(url.split("/")[3:5])
    return Description.of(name, url, summary="" if view.title == name else view.title, references=references)


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


def train(
    examples: Iterable[Example],
    categories: CategoryRules,
    topics: TopicTerms,
    expected: Mapping[str, float] = MappingProxyType({}),
) -> TrainedModel:
    """Train a model.

    Args:
        examples: picked, dropped and open articles, in any order.
        categories: the newsletter's rules for categories; their weights are features.
        topics: the newsletter's topics; they are features.
        expected: articles a week by account, for accounts of which the store has none.

    Returns:
        A model without relevance, or without categories, where there are too few examples of either.
    """
    ordered = sorted(examples, key=_sort_key)
    texts = [text for example in ordered for text in (example.description.text, example.written) if text]
    tokens = TokenTable.of(texts)
    vocabulary = tokens.make_vocabulary(DIGITS)
    passed_over = [example.description.text for example in ordered if example.picked is False]
    rarity = measure_rarity(passed_over, topics) if len(passed_over) >= LEAST_PASSED_OVER else {}
    accounts = _count_accounts(ordered)
    vectoriser = _Vectoriser(_TextRows.of(texts, tokens, vocabulary), vocabulary, accounts, categories, topics, rarity)
    relevance = _train_relevance([example for example in ordered if example.picked is not None], vectoriser)
    rates = _estimate_rates(ordered, accounts, expected) if relevance else {}
    category_weights, sharpness = _train_categories(
        [example for example in ordered if example.category is not None], vectoriser
    )
    return TrainedModel(
        vocabulary,
        {name: replace(account, rate=rates.get(name, NO_RATE)) for name, account in accounts.items()},
        relevance,
        category_weights,
        rarity,
        sharpness,
    )


def _sort_key(example: Example) -> tuple[object, ...]:
    description = example.description
    return (
        example.group,
        description.text,
        description.host,
        description.source,
        example.picked is True,
        -1 if example.fold is None else example.fold,
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


def _estimate_rates(
    examples: Sequence[Example], accounts: Mapping[str, Account], expected: Mapping[str, float]
) -> dict[str, Rate]:
    """Estimate how often the editor picks from each account.

    An account's articles are counted where the store has any, since it watched the account; else they are as many as
    expected, else as many as the mean account of the store has.

    Args:
        examples: all of the training.
        accounts: their counts by account.
        expected: articles a week by account.
    """
    in_accounts = [
        example for example in examples if example.picked is False and account_of(example.description.source)
    ]
    if not in_accounts:
        return {}
    issues = {example.group for example in examples if example.picked and example.group[:1].isdigit()}
    gap = _median_gap(issues)
    days = sorted(example.day for example in in_accounts if example.day)
    weeks = max((days[-1 - len(days) // 10] - days[len(days) // 10]).days / 7, gap) if days else gap
    usual = len(in_accounts) / len({account_of(example.description.source) for example in in_accounts})
    picks = sum(account.picked for account in accounts.values())
    mean = min(picks / max(len(issues), 1) / (len(in_accounts) / weeks * gap), 1.0)
    published = {
        name: float(account.passed_over or expected.get(name, 0.0) * weeks or usual)
        for name, account in accounts.items()
    }
    return shrink_rates({name: float(account.picked) for name, account in accounts.items()}, published, mean)


def _median_gap(days: Iterable[str]) -> float:
    """The median number of weeks between issues; two where fewer than two issues are there."""
    ordered = sorted(date.fromisoformat(day) for day in days)
    gaps = sorted((later - earlier).days / 7 for earlier, later in pairwise(ordered))
    return max(gaps[len(gaps) // 2], 0.1) if gaps else 2.0


@dataclass(frozen=True, slots=True)
class _TextRows:
    """The values of the words and pieces of all texts of a training: a row a text, a column a feature.

    The last row is empty: that of an example without a text.
    """

    table: Rows
    features: Sequence[Feature]
    row_of: Mapping[str, int]

    @classmethod
    def of(cls, texts: Sequence[str], tokens: TokenTable, vocabulary: Vocabulary) -> Self:
        """Weigh the texts.

        Args:
            texts: none is empty.
            tokens: of the texts.
            vocabulary: of the model.
        """
        from scipy.sparse import csr_array, vstack  # noqa: PLC0415  commands that train nothing start sooner

        table, features = tokens.weigh(vocabulary)
        table = vstack([table, csr_array((1, len(features)))], format="csr")
        return cls(table, features, {text: row for row, text in enumerate(texts)})

    def find_rows(self, texts: Iterable[str]) -> list[int]:
        """The rows of texts."""
        return [self.row_of.get(text, self.table.shape[0] - 1) for text in texts]


@dataclass(frozen=True, slots=True)
class _Vectoriser:
    """Makes vectors of examples; the account of an example is counted without the example itself."""

    text_rows: _TextRows
    vocabulary: Vocabulary
    accounts: Mapping[str, Account]
    categories: CategoryRules
    topics: TopicTerms
    rarity: Mapping[str, float]

    def read_relevance_clues(self, example: Example) -> Vector:
        return read_relevance_clues(example.description, self.topics, self.rarity)

    def read_category_clues(self, example: Example) -> Vector:
        return read_category_clues(example.description, self._account_without(example), self.categories, self.topics)

    def make_table(self, texts: Sequence[str], clues: Sequence[Vector], scales: Mapping[FeatureKind, float]) -> _Table:
        """Put the words of texts and further features side by side.

        Args:
            texts: one a row.
            clues: further features; one a row.
            scales: of the kinds of features.
        """
        word_rows = self.text_rows.table[self.text_rows.find_rows(texts)]
        return _Table.of(clues, scales).join(word_rows, self.text_rows.features, scales)

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
        from scipy.sparse import csr_array  # noqa: PLC0415

        features = sorted({feature for vector in vectors for feature in vector})
        column_of = {feature: column for column, feature in enumerate(features)}
        scale = _list_scales(features, scales)
        columns = np.array([column_of[feature] for vector in vectors for feature in vector], dtype=np.int32)
        cells = np.array([number for vector in vectors for number in vector.values()]) * scale[columns]
        starts = np.cumsum([0, *(len(vector) for vector in vectors)], dtype=np.int32)  # liblinear takes only int32
        return cls(csr_array((cells, columns, starts), shape=(len(vectors), len(features))), features, scale)

    def join(self, rows: Rows, features: Sequence[Feature], scales: Mapping[FeatureKind, float]) -> _Table:
        """This table with further columns, in the order of their features; empty columns are left out.

        Args:
            rows: as many as this table has, one column a feature.
            features: of the further columns; none is in this table.
            scales: of the kinds of features.
        """
        from scipy.sparse import csr_array, hstack  # noqa: PLC0415

        numbers = np.bincount(rows.indices, minlength=len(features))
        every = [*self.features, *features]
        order = [*range(len(self.features)), *(np.flatnonzero(numbers) + len(self.features)).tolist()]
        order.sort(key=every.__getitem__)
        columns = [every[column] for column in order]
        scale = _list_scales(features, scales)
        joined = hstack([self.rows, rows * scale[None, :]], format="csr")[:, order]
        indices, starts = joined.indices.astype(np.int32), joined.indptr.astype(np.int32)
        return _Table(
            csr_array((joined.data, indices, starts), shape=joined.shape), columns, _list_scales(columns, scales)
        )

    def weights(self, coefficients: Matrix) -> dict[Feature, float]:
        """Weights of the unscaled features, without the zeros."""
        pairs = zip(self.features, coefficients * self.scales, strict=True)
        return {feature: rounded for feature, weight in pairs if (rounded := _rounded(weight))}


def _list_scales(features: Sequence[Feature], scales: Mapping[FeatureKind, float]) -> Matrix:
    return np.array([scales.get(feature.kind, 1.0) for feature in features])


def _fit_in_one_thread(model: Any, rows: Rows, truth: Any, weights: Any) -> None:
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


def _train_relevance(examples: Sequence[Example], vectoriser: _Vectoriser) -> tuple[Vector, ...]:
    """Train a model for each fold, without the open articles of the fold.

    An open article is unlabelled: nobody said that it is not wanted. The model that scores it was never told so.
    """
    picked = [example.picked is True for example in examples]
    if sum(picked) < LEAST_PICKED or len(picked) - sum(picked) < LEAST_PASSED_OVER:
        return ()
    kinds = _informative_kinds(examples)
    clues: list[Vector] = [
        {
            feature: number
            for feature, number in vectoriser.read_relevance_clues(example).items()
            if feature != BIAS and (feature.kind != "kind" or feature.name in kinds)
        }
        for example in examples
    ]
    written = [example for example in examples if example.picked and example.written]
    texts = [*(example.description.text for example in examples), *(example.written for example in written)]
    table = vectoriser.make_table(texts, [*clues, *({} for _ in written)], _RELEVANCE_SCALE)
    truth = np.array([*picked, *(True for _ in written)])
    weights = np.array(
        [
            *(example.weight * (1.0 if example.fold is None else OPEN_WEIGHT) for example in examples),
            *(example.weight for example in written),
        ]
    )
    folds = np.array([-1 if example.fold is None else example.fold for example in examples] + [-1] * len(written))
    fitted = [_fit_relevance(table.rows, truth, weights, folds != fold) for fold in range(FOLDS)]
    shares = Counter(str(example.description.kind) for example in examples)
    bounded = [
        _bound_kinds(table.weights(coefficients) | {BIAS: intercept}, shares) for coefficients, intercept in fitted
    ]
    usual = sum(weights_of_fold[BIAS] for weights_of_fold in bounded) / FOLDS
    return tuple({**weights_of_fold, BIAS: _rounded(weights_of_fold[BIAS] - usual)} for weights_of_fold in bounded)


def _fit_relevance(rows: Rows, truth: Any, weights: Matrix, chosen: Any) -> tuple[Matrix, float]:
    """Fit one model.

    Args:
        rows: one an example.
        truth: whether each was picked.
        weights: of the rows.
        chosen: whether each row is trained on.

    Returns:
        Coefficients and intercept.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    model = LogisticRegression(C=RELEVANCE_STRENGTH, solver="liblinear", dual=True, max_iter=5000, random_state=0)
    _fit_in_one_thread(model, rows[chosen], truth[chosen], weights[chosen])
    return model.coef_[0], float(model.intercept_[0])


def _bound_kinds(weights: Vector, shares: Mapping[str, int]) -> Vector:
    """Keep the weight of a kind of page within the bounds: a kind must not outweigh what an article is about.

    Args:
        weights: of a fold. The bias takes the mean of the kinds, so that a kind counts against the others only.
        shares: number of examples by kind.
    """
    kinds = {feature: weight for feature, weight in weights.items() if feature.kind == "kind"}
    number = sum(shares.values())
    mean = sum(weight * shares[feature.name] for feature, weight in kinds.items()) / number
    bounded = {
        feature: _rounded(min(max(weight - mean, -MOST_OF_A_KIND), MOST_OF_A_KIND)) for feature, weight in kinds.items()
    }
    return {**weights, **bounded, BIAS: weights.get(BIAS, 0.0) + mean}


def _informative_kinds(examples: Iterable[Example]) -> set[str]:
    counts = Counter((str(example.description.kind), example.picked) for example in examples)
    return {kind for kind in KINDS if min(counts[kind, True], counts[kind, False]) >= LEAST_OF_A_KIND}


# Categories


@dataclass(frozen=True, slots=True)
class _LabelledVector:
    """A text with further features, and its category, and the index of its example.

    `is_written`: it is the editor's text, a further example beside the article's title.
    """

    text: str
    clues: Vector
    category: str
    group: str
    weight: float
    example: int
    is_written: bool


def _train_categories(examples: Sequence[Example], vectoriser: _Vectoriser) -> tuple[dict[str, Vector], float]:
    """Train the weights of each category, and the sharpness of title and opening together."""
    counts = Counter(example.category for example in examples)
    rules = vectoriser.categories.categories
    names = [category.name for category in rules if counts[category.name] >= LEAST_OF_A_CATEGORY]
    if len(names) < 2:
        return {}, 1.0
    chosen = [example for example in examples if example.category in names]
    labelled = [row for index, example in enumerate(chosen) for row in _label(index, example, vectoriser)]
    truth = [names.index(example.category or "") for example in chosen]
    table = vectoriser.make_table([row.text for row in labelled], [row.clues for row in labelled], _CATEGORY_SCALE)
    coefficients, biases = _fit_categories(table.rows, labelled, names)
    unseen_odds = _predict_unseen(table.rows, labelled, names, (coefficients, biases))
    temperature = _choose_temperature(unseen_odds, truth)
    weights: dict[str, Vector] = {
        name: {**table.weights(row / temperature), BIAS: _rounded(bias / temperature)}
        for name, row, bias in zip(names, coefficients, biases, strict=True)
    }
    openings = _label_openings(chosen)
    opening_table = _make_opening_table(openings, vectoriser.vocabulary)
    if {row.category for row in openings} != set(names) or not opening_table.features:
        return weights, 1.0
    coefficients, biases = _fit_categories(opening_table.rows, openings, names, OPENING_STRENGTH)
    by_opening = _predict_unseen(opening_table.rows, openings, names, (coefficients, biases), OPENING_STRENGTH)
    both = {
        share: {
            index: unseen_odds[index] / temperature + share * odds
            for index, odds in by_opening.items()
            if index in unseen_odds
        }
        for share in _OPENING_SHARES
    }
    temperatures = {share: _choose_temperature(odds, truth) for share, odds in both.items()}
    share = min(_OPENING_SHARES, key=lambda share: _surprise(both[share], truth, temperatures[share]))
    for name, row, bias in zip(names, coefficients, biases, strict=True):
        of_opening = {**opening_table.weights(share * row), OPENING_BIAS: _rounded(share * bias)}
        weights[name] = {**weights[name], **of_opening}
    return weights, _rounded(1.0 / temperatures[share])


def _label_openings(examples: Sequence[Example]) -> list[_LabelledVector]:
    """The openings, of which a model of its own is trained: the editor's text of an entry is mostly in the words of the
    article.

    An article of which only the title is known is judged by the title as before.
    """
    return [
        _LabelledVector(
            opening[:TEXT_CHARACTERS],
            dict.fromkeys((Feature("work", sort) for sort in example.description.works), 1.0),
            example.category or "",
            example.group,
            example.weight,
            index,
            is_written=False,
        )
        for index, example in enumerate(examples)
        if (opening := example.written or example.description.opening)
    ]


def _make_opening_table(openings: Sequence[_LabelledVector], vocabulary: Vocabulary) -> _Table:
    """The words of openings, without their pieces, and the works that their articles point at."""
    rows, features = TokenTable.of([row.text for row in openings]).weigh(vocabulary)
    is_word = [column for column, feature in enumerate(features) if feature.kind == "word"]
    opening_words = [Feature("opening", features[column].name) for column in is_word]
    return _Table.of([row.clues for row in openings], {}).join(rows[:, is_word], opening_words, {})


def _label(index: int, example: Example, vectoriser: _Vectoriser) -> Iterator[_LabelledVector]:
    category, group, weight = example.category or "", example.group, example.weight
    title_only = replace(example, description=replace(example.description, opening="", works=frozenset()))
    clues = vectoriser.read_category_clues(title_only)
    yield _LabelledVector(example.description.text, clues, category, group, weight, index, is_written=False)
    if example.written:
        weight *= WRITTEN_WEIGHT
        yield _LabelledVector(example.written, {}, category, group, weight, index, is_written=True)


def _fit_categories(
    rows: Rows,
    labelled: Sequence[_LabelledVector],
    names: Sequence[str],
    strength: float = STRENGTH,
    start: tuple[Matrix, Matrix] | None = None,
) -> tuple[Matrix, Matrix]:
    """Fit one linear model for each category.

    Args:
        rows: one a labelled vector.
        labelled: in the order of the rows; at least one for each category.
        names: of the categories.
        strength: inverse of the L2 penalty.
        start: coefficients and biases of a similar model, from which fewer steps lead to this one; None for zeros.

    Returns:
        Coefficients, categories x features; biases, one a category.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    class_of = {name: index for index, name in enumerate(names)}
    model = LogisticRegression(C=strength, max_iter=2000, warm_start=start is not None and len(names) > 2)
    if start and len(names) > 2:
        model.coef_, model.intercept_ = start[0].copy(), start[1].copy()
    _fit_in_one_thread(model, rows, [class_of[row.category] for row in labelled], [row.weight for row in labelled])
    if len(names) == 2:  # scikit-learn has one row then: the second against the first
        return np.vstack([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2
    return model.coef_, model.intercept_


def _predict_unseen(
    rows: Rows,
    labelled: Sequence[_LabelledVector],
    names: Sequence[str],
    whole: tuple[Matrix, Matrix],
    strength: float = STRENGTH,
) -> dict[int, Matrix]:
    """Log-odds of each example by a model that was trained without its group and its neighbours.

    Args:
        rows: one a labelled vector.
        labelled: in the order of the rows.
        names: of the categories.
        whole: coefficients and biases of the model of all rows: each fold's training begins with them.
        strength: inverse of the L2 penalty.

    Returns:
        By the index of the example; the editor's texts are left out, and a fold that cannot be trained.
    """
    groups = sorted({row.group for row in labelled})
    fold_of = {group: index * _FOLDS // len(groups) for index, group in enumerate(groups)}
    odds: dict[int, Matrix] = {}
    for fold in sorted(set(fold_of.values())):
        training = [index for index, row in enumerate(labelled) if fold_of[row.group] != fold]
        testing = [index for index, row in enumerate(labelled) if fold_of[row.group] == fold and not row.is_written]
        if not testing or {labelled[index].category for index in training} != set(names):
            continue
        coefficients, biases = _fit_categories(
            rows[training], [labelled[index] for index in training], names, strength, whole
        )
        predicted = rows[testing] @ coefficients.T + biases
        odds |= {labelled[index].example: row for index, row in zip(testing, predicted, strict=True)}
    return odds


def _choose_temperature(odds: Mapping[int, Matrix], truth: Sequence[int]) -> float:
    """Choose the number that divides log-odds so that probabilities hold for issues outside the training.

    Args:
        odds: of some examples, by index.
        truth: index of the category of each example.

    Returns:
        One of `_TEMPERATURES`; 1 without any odds.
    """
    if not odds:
        return 1.0
    return min(_TEMPERATURES, key=lambda temperature: _surprise(odds, truth, temperature))


def _surprise(odds: Mapping[int, Matrix], truth: Sequence[int], temperature: float) -> float:
    """Mean negative log-likelihood of the true categories.

    Args:
        odds: of some examples, by index.
        truth: index of the category of each example.
        temperature: divides the odds.
    """
    if not odds:
        return 0.0
    table = np.vstack(list(odds.values())) / temperature
    highest = table.max(axis=1)
    total = highest + np.log(np.exp(table - highest[:, None]).sum(axis=1))
    return float((total - table[np.arange(len(odds)), [truth[index] for index in odds]]).mean())
