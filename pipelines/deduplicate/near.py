"""Finds near-duplicate texts: character shingles, one-permutation MinHash, bands that SQL compares for equality. Pure.

One-permutation hashing (Li, Owen, Zhang, NIPS 2012) in numpy takes 115 µs for 3,000 characters; datasketch takes 3,550
and rensa 405, mostly for the handling of strings, so this module implements it. A band is the same in every process and
on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC

from pipelines.deduplicate.bands import Pair, Use, drop_popular, find_pairs, hash_text
from pipelines.deduplicate.contradictions import find_contradiction, read_identifiers
from pipelines.model import Evidence, StoredArticle
from pipelines.text import make_account_key

VERSION: Final = 1
"""Version of the keys; raise it with every change that changes a key. Keys of two versions are never equal."""

WINDOW: Final = 30
"""Days between two near-duplicates; a later one is a repeat, not the same news."""

REACH: Final = WINDOW + 1
"""Largest difference in calendar days between two articles within `WINDOW`."""

SAME: Final = 0.5
"""Smallest similarity of near-duplicates: 0.6 is left after a change of 10 % of the characters. The same share of each
text's middle must be in the other text, because headers and footers are at the ends."""

SAME_DIGEST: Final = 0.8
"""Smallest similarity of short near-duplicates, which have no middle."""

PROMISING: Final = 0.3
"""Smallest similarity of two sketches whose texts are compared in full: `SAME` is three standard errors away."""

DIGEST: Final = 250
"""A text with fewer shingles is short."""

SHORTEST: Final = 60
"""A text with fewer shingles is not compared."""

UNRELATED: Final = 0.1
"""Share of the shorter text's shingles that two unrelated texts may have in common."""

LONG: Final = 400
"""Shingles of a text that is long enough to show that an equal title is a coincidence."""

LONGEST: Final = 50_000
"""Characters of a text that are read."""

Hashes = NDArray[np.uint64]

_ODD: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
"""Multipliers that make the hash of a shingle depend on the order of its units."""

_NOTHING: Final = np.uint64(0)
_BANDS: Final = 20
_ROWS: Final = 3
_BINS: Final = _BANDS * _ROWS
_EMPTY: Final = np.uint64(2**64 - 1)
_HAN: Final = range(0x3400, 0xA000)
_FIRST_ALONE: Final = 0x2E80
"""First code point of the characters that are units by themselves."""

_BEYOND: Final = 0xFFFF
"""Replaces every higher code point: emoji and rare characters."""


def make_text_keys(text: str) -> tuple[int, ...]:
    """The keys of a text's bands. Two texts share a key with probability 0.99 at similarity 0.6, 0.001 at 0.04.

    Returns:
        Signed 64-bit integers; none for a text too short to be compared.
    """
    shingles = make_shingles(text)
    return make_band_keys(_make_sketch(shingles), _ROWS, seed=VERSION) if len(shingles) >= SHORTEST else ()


def find_near_evidence(
    articles: Sequence[StoredArticle], pairs: Collection[Pair] | None = None
) -> tuple[Evidence, ...]:
    """Find pairs of articles of different accounts with nearly the same text.

    Texts of one account are not compared: its footers are alike, and a text that it prints twice is a column.

    Args:
        articles: in any order.
        pairs: pairs of the articles that share a text key; None to find them among the articles.

    Returns:
        Evidence by ascending pair; the same for any order of the articles.
    """
    by_id = {first.id: first for first in articles}
    texts: dict[int, _Text] = {}
    evidence: list[Evidence] = []
    for pair in sorted(_find_pairs(articles) if pairs is None else pairs):
        first, second = (by_id[member].article for member in pair)
        apart = abs(first.published.at - second.published.at)
        if make_account_key(first) == make_account_key(second) or apart > timedelta(days=WINDOW):
            continue
        for member in pair:
            if member not in texts:
                texts[member] = _Text.of(by_id[member].article.text)
        similarity = _measure_similarity(*(texts[member] for member in pair))
        if similarity and find_contradiction(read_identifiers(first.title), read_identifiers(second.title)) is None:
            evidence.append(Evidence("near-text", "evidence/near-text", pair, {"similarity": f"{similarity:.2f}"}))
    return tuple(evidence)


# ---- Hashes; titles use them too


def make_shingles(text: str) -> Hashes:
    """Hashes of a text's runs of three units; a unit is a Chinese character or a Latin word.

    Punctuation, width, case and the Chinese script (simplified, traditional) make no difference.

    >>> measure_resemblance(make_shingles("ＴＮＮ：移動端「推理」框架！"), make_shingles("tnn 移动端推理框架"))
    1.0
    """
    units = _read_units(text[:LONGEST])
    if len(units) < 3:
        return np.empty(0, dtype=np.uint64)
    return mix_bits(units[:-2] + units[1:-1] * _ODD[0] + units[2:] * _ODD[1])


def measure_resemblance(first: Hashes, second: Hashes) -> float:
    """Jaccard similarity of the shingles of two texts."""
    first_hashes, second_hashes = np.unique(first), np.unique(second)
    common = _count_common(first_hashes, second_hashes)
    return common / (len(first_hashes) + len(second_hashes) - common) if common else 0.0


def texts_differ(first: str, second: str) -> bool:
    """Whether two long texts have almost nothing in common: then an equal title is a coincidence."""
    if min(len(first), len(second)) < LONG:
        return False
    first_hashes, second_hashes = np.unique(make_shingles(first)), np.unique(make_shingles(second))
    smaller = min(len(first_hashes), len(second_hashes))
    return smaller >= LONG and _count_common(first_hashes, second_hashes) < UNRELATED * smaller


def mix_bits(hashes: Hashes) -> Hashes:
    """Mix 64-bit hashes by the finalizer of splitmix64: every bit of the result depends on every bit."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def make_band_keys(sketch: Hashes, rows: int, *, seed: int) -> tuple[int, ...]:
    """Make a key of each band of a sketch.

    Args:
        sketch: MinHash values; their number is a multiple of `rows`.
        rows: values in a band.
        seed: makes keys of different sorts differ.

    Returns:
        Signed 64-bit integers; a key depends on the position of its band.
    """
    table = sketch.reshape(-1, rows)
    keys = mix_bits(np.arange(len(table), dtype=np.uint64) + np.uint64(seed << 32))
    for row in range(rows):
        keys = mix_bits(keys ^ table[:, row])
    return tuple(keys.view(np.int64).tolist())


def _read_units(text: str) -> Hashes:
    """A number for each Chinese character, and for each word or number between them."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    folded: Hashes = _make_fold_table()[np.minimum(codes, _BEYOND)]
    is_letter = folded != 0
    previous = np.append(_NOTHING, folded[:-1])
    previous[(folded >= _FIRST_ALONE) | (previous >= _FIRST_ALONE)] = 0
    begins = np.flatnonzero(is_letter & (previous == 0))
    if len(begins) == 0:
        return np.empty(0, dtype=np.uint64)
    pairs = mix_bits(folded | previous << np.uint64(21)) * is_letter
    return np.add.reduceat(pairs, begins)  # a word is the sum over its letters, each hashed with the letter before it


@cache
def _make_fold_table() -> NDArray[np.uint64]:
    """The folded code point of each code point; 0 for one that is no letter or digit.

    A table takes 20 µs for 3 KB; NFKC and a regular expression take 1,000. Making the table takes 60 ms, at first use.
    """
    table = np.zeros(_BEYOND + 1, dtype=np.uint64)
    for code in range(_BEYOND):
        folded = unicodedata.normalize("NFKC", chr(code)).casefold()
        if len(folded) == 1 and folded.isalnum():
            table[code] = ord(folded)
    simplified: str = OpenCC("t2s").convert("\n".join(map(chr, _HAN)))
    table[_HAN.start : _HAN.stop] = np.frombuffer(simplified.replace("\n", "").encode("utf-32-le"), dtype="<u4")
    return table


def _count_common(first: Hashes, second: Hashes) -> int:
    return len(np.intersect1d(first, second, assume_unique=True))


def _make_sketch(shingles: Hashes) -> Hashes:
    """MinHash by one permutation: the least hash of each bin; an empty bin takes the next bin's (densification by
    rotation, Shrivastava and Li, ICML 2014). A text without shingles has a constant sketch."""
    if len(shingles) == 0:
        return np.full(_BINS, _EMPTY)
    least = np.full(_BINS, _EMPTY)
    np.minimum.at(least, (shingles % np.uint64(_BINS)).astype(np.intp), shingles)
    filled = np.flatnonzero(least != _EMPTY)
    source = filled[np.searchsorted(filled, np.arange(_BINS)) % len(filled)]
    distance = (source - np.arange(_BINS)) % _BINS
    return mix_bits(least[source] + distance.astype(np.uint64))


# ---- Comparing


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it is compared."""

    shingles: Hashes
    sketch: Hashes

    @classmethod
    def of(cls, text: str) -> Self:
        text_shingles = make_shingles(text)
        return cls(text_shingles, _make_sketch(text_shingles))


def _measure_similarity(first: _Text, second: _Text) -> float | None:
    """The similarity of two texts if it makes them near-duplicates, else None."""
    if min(len(first.shingles), len(second.shingles)) < SHORTEST or np.mean(first.sketch == second.sketch) < PROMISING:
        return None
    similarity = measure_resemblance(first.shingles, second.shingles)
    return similarity if _is_enough(similarity, first.shingles, second.shingles) else None


def _is_enough(similarity: float, first: Hashes, second: Hashes) -> bool:
    if min(len(first), len(second)) < DIGEST:
        return similarity >= SAME_DIGEST
    return similarity >= SAME and min(_share_of_middle(first, second), _share_of_middle(second, first)) >= SAME


def _share_of_middle(first: Hashes, second: Hashes) -> float:
    """Share of the first text's middle half that the second text has."""
    return float(np.isin(first[len(first) // 4 : -(len(first) // 4)], second).mean())


def _find_pairs(articles: Sequence[StoredArticle]) -> set[Pair]:
    """Pairs of the articles that share a text key."""
    uses = [
        Use(key, article.article.published.at.toordinal(), hash_text(make_account_key(article.article)), article.id)
        for article in articles
        for key in make_text_keys(article.article.text)
    ]
    return find_pairs(drop_popular(uses), REACH)
