"""Learns sections and relevance from past issues and decisions, with scikit-learn; what comes out is plain numbers.

The same examples, in whatever order, give the same model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crawler.kinds import REPOSITORIES
from pipelines.group.categories import CategoryRules
from pipelines.group.features import (
    ACCOUNT,
    HINT,
    HOST,
    KIND,
    PIECE,
    PRIOR,
    SHAPE,
    SOURCE,
    TOPIC,
    Account,
    Seen,
    Vector,
    Vocabulary,
    account_of,
)
from pipelines.group.relevance import TopicTerms
from pipelines.group.trained import BIAS, DIGITS, Learned, category_vector, relevance_vector
from pipelines.issue.entry import EntryView, read_entry
from pipelines.model import Issue
from pipelines.names import KIND_NAMES
from pipelines.newsletter import Newsletter

LEAST_PICKED: Final = 30
LEAST_PASSED_OVER: Final = 200
"""Examples below which the rules alone know better what is relevant."""

LEAST_OF_A_CATEGORY: Final = 8
"""Examples that a category must have to be learned."""

WRITTEN_CHARACTERS: Final = 1200
"""How much is read of what the editor wrote of an item."""

WRITTEN_WEIGHT: Final = 0.5
"""What it weighs as a lesson in a category's words, against the item itself."""

STRENGTH: Final = 8.0
"""Inverse of the L2 penalty; 4 to 30 do as well."""

LEAST_OF_A_KIND: Final = 10
"""Picked and passed over ones that a kind of page must have each: where nothing was passed over, nothing was chosen."""

_RELEVANCE_SCALE: Final = {PIECE: 0.5, SOURCE: 0.7, ACCOUNT: 0.5, TOPIC: 0.2, KIND: 0.3, PRIOR: 0.25}
_CATEGORY_SCALE: Final = {
    PIECE: 0.5,
    SHAPE: 0.5,
    SOURCE: 0.3,
    ACCOUNT: 0.3,
    HOST: 0.5,
    TOPIC: 0.3,
    HINT: 0.6,
    PRIOR: 0.3,
}
"""How freely features of a sort may be used, where a word's scale is 1: the smaller, the more shrunk."""

_FOLDS: Final = 5
_TEMPERATURES: Final = tuple(0.5 * 2 ** (step / 8) for step in range(25))
"""From 0.5, sharper than learned, to 4."""

Matrix = NDArray[np.float64]
Rows = Any
"""A sparse matrix; scipy has no types."""


@dataclass(frozen=True, slots=True)
class Example:
    """Something to learn from.

    Args:
        seen: as a crawler would have seen it.
        group: the issue's date: what is kept together when a model is tried on what it has not learned from.
        picked: whether the editor took it; None teaches nothing of relevance.
        category: where it was put; None teaches nothing of categories.
        written: what the editor wrote of it; teaches a category's words, and is never asked for again.
        weight: 1 is an item of an issue.
    """

    seen: Seen
    group: str = ""
    picked: bool | None = None
    category: str | None = None
    written: str = ""
    weight: float = 1.0


def seen_entry(view: EntryView) -> Seen:
    """An item of a past issue as a crawler would have seen it, before the editor wrote it up.

    The editor's prefixes are gone. Where the item leads to a repository, the title is its name, as it is for a crawler,
    and what the editor put after it stands for the description.
    """
    url = view.url or ""
    found = Seen.of(view.title, url, source=view.source)
    if found.kind not in REPOSITORIES:
        return found
    name = view.repository or "/".join(url.split("/")[3:5])
    return Seen.of(name, url, summary="" if view.title == name else view.title)


def issue_examples(issue: Issue, newsletter: Newsletter) -> tuple[Example, ...]:
    """What an issue teaches: all in it was picked; what stands in a section of the newsletter's belongs there."""
    return tuple(
        Example(
            seen_entry(view),
            issue.date.isoformat(),
            picked=True,
            category=category.name if (category := newsletter.category(section.name)) else None,
            written=" ".join(view.summary)[:WRITTEN_CHARACTERS],
        )
        for section in issue.sections
        for view in (read_entry(entry.markdown, newsletter) for entry in section.entries)
    )


def learn(examples: Iterable[Example], categories: CategoryRules, topics: TopicTerms) -> Learned:
    """Learn a model.

    Args:
        examples: of what was picked, and of what was not.
        categories, topics: what the rules say of an example is learned from too.

    Returns:
        A model without relevance, or without categories, where there is too little to learn them from.
    """
    ordered = sorted(examples, key=_order)
    texts = [text for one in ordered for text in (one.seen.text, one.written) if text]
    vocabulary = Vocabulary({name: _kept(idf) for name, idf in Vocabulary.of(texts).idf.items()})
    known = _Known(vocabulary, _accounts(ordered), categories, topics)
    return Learned(
        vocabulary,
        known.accounts,
        _relevance([one for one in ordered if one.picked is not None], known),
        _categories([one for one in ordered if one.category is not None], known),
    )


def _order(one: Example) -> tuple[object, ...]:
    return one.group, one.seen.text, one.seen.host, one.seen.source, one.picked is True, one.category or "", one.written


def _kept(value: float) -> float:
    return round(float(value), DIGITS)


def _accounts(examples: Iterable[Example]) -> dict[str, Account]:
    passed_over: Counter[str] = Counter()
    picked: Counter[str] = Counter()
    placed: dict[str, Counter[str]] = {}
    for one in examples:
        name = account_of(one.seen.source)
        passed_over[name] += one.picked is False
        picked[name] += one.picked is True
        placed.setdefault(name, Counter())[one.category or ""] += one.category is not None
    return {
        name: Account(passed_over[name], picked[name], {category: n for category, n in sorted(counts.items()) if n})
        for name, counts in sorted(placed.items())
        if name
    }


@dataclass(frozen=True, slots=True)
class _Known:
    """What examples are seen with."""

    vocabulary: Vocabulary
    accounts: Mapping[str, Account]
    categories: CategoryRules
    topics: TopicTerms

    def relevance(self, one: Example) -> Vector:
        return relevance_vector(one.seen, self.vocabulary, self._besides(one), self.topics)

    def category(self, one: Example) -> Vector:
        return category_vector(one.seen, self.vocabulary, self._besides(one), self.categories, self.topics)

    def _besides(self, one: Example) -> Account:
        return self.accounts.get(account_of(one.seen.source), Account()).without(one.picked, one.category)


@dataclass(frozen=True, slots=True)
class _Table:
    """Vectors as a matrix, its columns named and scaled."""

    rows: Rows
    names: Sequence[str]
    scales: Matrix

    @classmethod
    def of(cls, vectors: Sequence[Vector], scales: Mapping[str, float]) -> Self:
        from scipy.sparse import csr_array  # noqa: PLC0415  commands that learn nothing start sooner

        names = sorted({name for vector in vectors for name in vector})
        place = {name: at for at, name in enumerate(names)}
        scale = np.array([scales.get(name[0], 1.0) for name in names])
        columns = np.array([place[name] for vector in vectors for name in vector], dtype=np.int32)
        values = np.array([value for vector in vectors for value in vector.values()]) * scale[columns]
        starts = np.cumsum([0, *(len(vector) for vector in vectors)], dtype=np.int32)  # liblinear takes no longer ones
        return cls(csr_array((values, columns, starts), shape=(len(vectors), len(names))), names, scale)

    def weights(self, coefficients: Matrix) -> dict[str, float]:
        """Weights of plain features, those that are nothing left out."""
        found = zip(self.names, coefficients * self.scales, strict=True)
        return {name: kept for name, weight in found if (kept := _kept(weight))}


def _in_one_thread(model: Any, rows: Rows, truth: Sequence[int], weights: Sequence[float]) -> None:
    """Fit. So little work is slower when it is shared out, and its last digits would follow the number of cores."""
    with threadpool_limits(limits=1):
        model.fit(rows, truth, sample_weight=weights)


# Relevance


def _relevance(examples: Sequence[Example], known: _Known) -> Vector:
    picked = [one.picked is True for one in examples]
    if sum(picked) < LEAST_PICKED or len(picked) - sum(picked) < LEAST_PASSED_OVER:
        return {}
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    kinds = {KIND + kind for kind in _known_kinds(examples)}
    vectors = [
        {name: value for name, value in known.relevance(one).items() if not name.startswith(KIND) or name in kinds}
        for one in examples
    ]
    table = _Table.of(vectors, _RELEVANCE_SCALE)
    model = LogisticRegression(C=STRENGTH, solver="liblinear", dual=True, max_iter=5000, random_state=0)
    _in_one_thread(model, table.rows, picked, [one.weight for one in examples])
    return table.weights(model.coef_[0])


def _known_kinds(examples: Iterable[Example]) -> list[str]:
    count = Counter((str(one.seen.kind), one.picked) for one in examples)
    return [kind for kind in KIND_NAMES if min(count[kind, True], count[kind, False]) >= LEAST_OF_A_KIND]


# Categories


@dataclass(frozen=True, slots=True)
class _Lesson:
    """A vector and the category that it belongs to; `asked` unless it is what the editor wrote."""

    vector: Vector
    category: str
    group: str
    weight: float
    asked: bool


def _categories(examples: Sequence[Example], known: _Known) -> dict[str, Vector]:
    counts = Counter(one.category for one in examples)
    names = [category.name for category in known.categories.categories if counts[category.name] >= LEAST_OF_A_CATEGORY]
    if len(names) < 2:
        return {}
    lessons = [lesson for one in examples if one.category in names for lesson in _lessons(one, known)]
    table = _Table.of([one.vector for one in lessons], _CATEGORY_SCALE)
    coefficients, biases = _fit(table.rows, lessons, names)
    temperature = _temperature(table.rows, lessons, names)
    return {
        name: {**table.weights(coefficients[at] / temperature), BIAS: _kept(biases[at] / temperature)}
        for at, name in enumerate(names)
    }


def _lessons(one: Example, known: _Known) -> Iterator[_Lesson]:
    category = one.category or ""
    yield _Lesson(known.category(one), category, one.group, one.weight, asked=True)
    if one.written:
        yield _Lesson(
            known.vocabulary.vector(Seen(one.written)), category, one.group, one.weight * WRITTEN_WEIGHT, asked=False
        )


def _fit(rows: Rows, lessons: Sequence[_Lesson], names: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Coefficients, categories x features, and biases; each category must have a lesson."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    place = {name: at for at, name in enumerate(names)}
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    _in_one_thread(model, rows, [place[one.category] for one in lessons], [one.weight for one in lessons])
    if len(names) == 2:  # scikit-learn has one row then: the second against the first
        return np.vstack([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2
    return model.coef_, model.intercept_


def _temperature(rows: Rows, lessons: Sequence[_Lesson], names: Sequence[str]) -> float:
    """What log-odds have to be divided by so that probabilities hold for issues that were not learned from."""
    groups = sorted({one.group for one in lessons})
    fold_of = {group: at * _FOLDS // len(groups) for at, group in enumerate(groups)}
    odds: list[Matrix] = []
    truth: list[int] = []
    for fold in sorted(set(fold_of.values())):
        rest = [at for at, one in enumerate(lessons) if fold_of[one.group] != fold]
        asked = [at for at, one in enumerate(lessons) if fold_of[one.group] == fold and one.asked]
        if {lessons[at].category for at in rest} != set(names):
            continue
        coefficients, biases = _fit(rows[rest], [lessons[at] for at in rest], names)
        odds.append(rows[asked] @ coefficients.T + biases)
        truth += [names.index(lessons[at].category) for at in asked]
    if not truth:
        return 1.0
    return min(_TEMPERATURES, key=lambda temperature: _surprise(np.vstack(odds) / temperature, truth))


def _surprise(odds: Matrix, truth: Sequence[int]) -> float:
    """Mean negative log-likelihood of the truth."""
    highest = odds.max(axis=1)
    total = highest + np.log(np.exp(odds - highest[:, None]).sum(axis=1))
    return float((total - odds[np.arange(len(truth)), truth]).mean())
