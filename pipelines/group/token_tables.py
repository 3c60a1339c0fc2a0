"""Words and pieces of many texts at once, as sparse matrices.

A training reads six thousand texts, and a new model scores every open story: `Vocabulary.text_vector` gives the same
values for one text, at ten times the cost. Words are found by Python, pieces by arithmetic on the characters of all
texts together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.group.features import Feature, Vector, Vocabulary, find_words, list_word_parts
from pipelines.text import fold

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]
Rows = Any
"""A sparse matrix; scipy has no types."""

_END: Final = ord(">")
_CHARACTER_BITS: Final = 21
"""Bits of a code point: three of them fit in one integer of 64 bits."""


class _Cells(NamedTuple):
    """Rows and columns of a matrix: each pair is one occurrence."""

    rows: Indices
    columns: Indices


@dataclass(frozen=True, slots=True)
class _Read:
    """The words of some texts, and their pieces as positions in `marked`.

    Args:
        word_names: of all texts, in their order.
        word_rows: the text of each word.
        marked: `<word><word>` of all words that blanks separate.
        codes: the code points of `marked`.
        code_rows: the text of each character of `marked`.
    """

    word_names: Sequence[str]
    word_rows: Indices
    marked: str
    codes: Indices
    code_rows: Indices

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        word_names: list[str] = []
        word_numbers: list[int] = []
        marked: list[str] = []
        lengths: list[int] = []
        for text in texts:
            folded = fold(text)
            number_before, spaced_words = len(word_names), []
            for start, end, spaced in find_words(folded):
                word = folded[start:end]
                word_names.append(word)
                if spaced:
                    word_names += list_word_parts(word)
                    spaced_words.append(word)
            word_numbers.append(len(word_names) - number_before)
            of_text = f"<{'><'.join(spaced_words)}>" if spaced_words else ""
            marked.append(of_text)
            lengths.append(len(of_text))
        joined = "".join(marked)
        rows = np.arange(len(texts))
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
        return cls(word_names, np.repeat(rows, word_numbers), joined, codes, np.repeat(rows, lengths))

    def find_pieces(self) -> tuple[Indices, Indices]:
        """The positions at which a piece of three characters begins, and of four; no piece leaves its word."""
        is_end = self.codes == _END
        inside = ~(is_end[:-2] | is_end[1:-1])
        return np.flatnonzero(inside), np.flatnonzero(inside[:-1] & ~is_end[2:-1])

    def pack_three(self, starts: Indices) -> Indices:
        """The three characters from each position on, as one number."""
        first, second, third = (self.codes[starts + offset] for offset in range(3))
        return (first << 2 * _CHARACTER_BITS) | (second << _CHARACTER_BITS) | third


@dataclass(frozen=True, slots=True)
class TokenTable:
    """How often each word and each piece occurs in each text.

    Args:
        counts: one row a text, one column a feature.
        features: of the columns.
    """

    counts: Rows
    features: Sequence[Feature]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Count all words and pieces.

        Args:
            texts: not folded.
        """
        read = _Read.of(texts)
        column_of: dict[str, int] = {}
        word_columns = np.array(
            [column_of.setdefault(word, len(column_of)) for word in read.word_names], dtype=np.int64
        )
        features = [Feature("word", word) for word in column_of]
        cells = [_Cells(read.word_rows, word_columns)]
        threes, fours = read.find_pieces()
        _, prefixes = np.unique(read.pack_three(fours), return_inverse=True)
        keys_of_four = (prefixes << _CHARACTER_BITS) | read.codes[fours + 3]
        for size, starts, keys in ((3, threes, read.pack_three(threes)), (4, fours, keys_of_four)):
            _, first, columns = np.unique(keys, return_index=True, return_inverse=True)
            cells.append(_Cells(read.code_rows[starts], columns + len(features)))
            features += [Feature("piece", read.marked[start : start + size]) for start in starts[first]]
        return cls(_count(cells, (len(texts), len(features))), features)

    def make_vocabulary(self, digits: int, *, least: int = 2) -> Vocabulary:
        """The words and pieces that at least a few texts have, with their rarity.

        A word of a single text says nothing about the next text.

        Args:
            digits: decimals of a rarity.
            least: the number of texts that a word must occur in.
        """
        total = self.counts.shape[0]
        numbers = np.bincount(self.counts.indices, minlength=len(self.features)).tolist()
        rarity = {number: round(1.0 + math.log((1 + total) / (1 + number)), digits) for number in set(numbers)}
        counted = sorted(zip(self.features, numbers, strict=True))
        return Vocabulary({feature: rarity[number] for feature, number in counted if number >= least})

    def weigh(self, vocabulary: Vocabulary) -> tuple[Rows, list[Feature]]:
        """The values of `Vocabulary.text_vector` for each text, and the features of the columns."""
        columns = [column for column, feature in enumerate(self.features) if feature in vocabulary.idf]
        features = [self.features[column] for column in columns]
        counts = self.counts[:, columns]
        rarity = np.array([vocabulary.idf[feature] for feature in features])
        is_piece = np.array([feature.kind == "piece" for feature in features], dtype=bool)
        return _weigh(counts, rarity, is_piece), features


class TokenWeights:
    """Weights of words and pieces, ready to be summed over many texts.

    Args:
        vocabulary: of the model.
        models: weights by feature; each has a column of the result.
    """

    def __init__(self, vocabulary: Vocabulary, models: Sequence[Vector]) -> None:
        self._models = len(models)
        features = sorted(vocabulary.idf)
        word_features = [feature for feature in features if feature.kind == "word"]
        pieces = [feature for feature in features if feature.kind == "piece"]
        threes = [piece for piece in pieces if len(piece.name) == 3]
        fours = [piece for piece in pieces if len(piece.name) == 4]
        ordered = [*word_features, *threes, *fours]
        self._column_of_word = {feature.name: column for column, feature in enumerate(word_features)}
        self._threes = _Keys.of([_pack_three(feature.name) for feature in threes], len(word_features))
        prefixes = sorted({_pack_three(feature.name) for feature in fours})
        self._prefixes = _Keys.of(prefixes, 0)
        number_of = {prefix: number for number, prefix in enumerate(prefixes)}
        keys = [(number_of[_pack_three(each.name)] << _CHARACTER_BITS) | ord(each.name[3]) for each in fours]
        self._fours = _Keys.of(keys, len(word_features) + len(threes))
        self._rarity = np.array([vocabulary.idf[feature] for feature in ordered])
        self._is_piece = np.arange(len(ordered)) >= len(word_features)
        self._weights = np.array([[weights.get(feature, 0.0) for weights in models] for feature in ordered])

    def sum_up(self, texts: Sequence[str]) -> Numbers:
        """The weighted sum of each text's words and pieces: one row a text, one column a model.

        Args:
            texts: not folded.
        """
        if not texts or not len(self._rarity):
            return np.zeros((len(texts), self._models))
        read = _Read.of(texts)
        find = self._column_of_word.get
        columns = np.array([find(word, -1) for word in read.word_names], dtype=np.int64)
        cells = [_choose(read.word_rows, columns)]
        threes, fours = read.find_pieces()
        cells.append(_choose(read.code_rows[threes], self._threes.find(read.pack_three(threes))))
        prefixes = self._prefixes.find(read.pack_three(fours))
        keys = np.where(prefixes < 0, -1, (prefixes << _CHARACTER_BITS) | read.codes[fours + 3])
        cells.append(_choose(read.code_rows[fours], self._fours.find(keys)))
        counts = _count(cells, (len(texts), len(self._rarity)))
        sums: Numbers = _weigh(counts, self._rarity, self._is_piece) @ self._weights
        return sums


@dataclass(frozen=True, slots=True)
class _Keys:
    """Keys in ascending order, with the column of each."""

    keys: Indices
    columns: Indices

    @classmethod
    def of(cls, keys: Sequence[int], first_column: int) -> Self:
        """Number keys from a column on, in their order."""
        array = np.array(keys, dtype=np.int64)
        order = np.argsort(array)
        return cls(array[order], order + first_column)

    def find(self, keys: Indices) -> Indices:
        """The column of each key; -1 for a key that is not there."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        positions = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[positions] == keys, self.columns[positions], -1)


def _pack_three(piece: str) -> int:
    first, second, third = (ord(character) for character in piece[:3])
    return (first << 2 * _CHARACTER_BITS) | (second << _CHARACTER_BITS) | third


def _choose(rows: Indices, columns: Indices) -> _Cells:
    """The cells whose column exists."""
    exists = columns >= 0
    return _Cells(rows[exists], columns[exists])


def _count(cells: Sequence[_Cells], shape: tuple[int, int]) -> Rows:
    from scipy.sparse import csr_array  # noqa: PLC0415  commands that train nothing start sooner

    rows = np.concatenate([each.rows for each in cells])
    columns = np.concatenate([each.columns for each in cells])
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)  # equal cells are added up


def _weigh(counts: Rows, rarity: Numbers, is_piece: NDArray[np.bool_]) -> Rows:
    """Values of words and pieces by their counts; the words of a text have Euclidean length 1, its pieces too.

    Args:
        counts: one row a text, one column a feature.
        rarity: of the features.
        is_piece: whether each feature is a piece.
    """
    from scipy.sparse import csr_array  # noqa: PLC0415

    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    cells = (1.0 + np.log(counts.data)) * rarity[counts.indices]
    for chosen in (is_piece[counts.indices], ~is_piece[counts.indices]):
        squares = np.bincount(rows[chosen], weights=cells[chosen] ** 2, minlength=counts.shape[0])
        cells[chosen] /= np.sqrt(squares)[rows[chosen]]
    return csr_array((cells, counts.indices, counts.indptr), shape=counts.shape)
