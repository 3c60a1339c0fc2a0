"""Words and pieces of many texts at once equal those of one text after the other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.features import Feature, Vector, Vocabulary, count_tokens
from pipelines.group.token_tables import TokenTable, TokenWeights
from pipelines.text import fold

TEXTS = st.lists(
    st.one_of(st.text(max_size=30), st.text(alphabet="低比特量化 mnn-x.+1Aé𠀀𝒜<>", max_size=30)), max_size=6
)


def rows_of(table: object, features: Sequence[Feature]) -> list[dict[Feature, float]]:
    return [
        {feature: number for feature, number in zip(features, row, strict=True) if number}
        for row in table.toarray().tolist()  # type: ignore[attr-defined]
    ]


@given(TEXTS)
def test_a_table_counts_what_each_text_has(texts: Sequence[str]) -> None:
    table = TokenTable.of(texts)
    assert rows_of(table.counts, table.features) == [dict(count_tokens(fold(text))) for text in texts]


@given(TEXTS)
def test_a_vocabulary_has_the_words_of_two_texts_with_their_rarity(texts: Sequence[str]) -> None:
    numbers = Counter(feature for text in texts for feature in count_tokens(fold(text)))
    expected = {
        feature: round(1 + math.log((1 + len(texts)) / (1 + number)), 4)
        for feature, number in numbers.items()
        if number >= 2
    }
    assert TokenTable.of(texts).make_vocabulary(4).idf == expected


@given(TEXTS, st.integers(min_value=1, max_value=2))
def test_values_of_many_texts_equal_those_of_one(texts: Sequence[str], least: int) -> None:
    table = TokenTable.of(texts)
    vocabulary = table.make_vocabulary(4, least=least)
    for row, text in zip(rows_of(*table.weigh(vocabulary)), texts, strict=True):
        vector = vocabulary.text_vector(text)
        assert row.keys() == vector.keys()
        assert all(math.isclose(row[feature], vector[feature]) for feature in row)


@given(TEXTS, TEXTS, st.randoms(use_true_random=False))
def test_weighted_sums_of_many_texts_equal_those_of_one(
    trained: Sequence[str], texts: Sequence[str], chance: object
) -> None:
    vocabulary = TokenTable.of(trained).make_vocabulary(4, least=1)
    models: list[Vector] = [{feature: chance.uniform(-2, 2) for feature in vocabulary.idf} for _ in range(3)]  # type: ignore[attr-defined]
    sums = TokenWeights(vocabulary, models).sum_up([*trained, *texts])
    for row, text in zip(sums, [*trained, *texts], strict=True):
        vector = vocabulary.text_vector(text)
        expected = [math.fsum(number * model[feature] for feature, number in vector.items()) for model in models]
        assert np.allclose(row, expected)


def test_without_a_vocabulary_nothing_weighs() -> None:
    assert TokenWeights(Vocabulary({}), [{}, {}, {}]).sum_up(["量化 mnn"]).tolist() == [[0.0, 0.0, 0.0]]
