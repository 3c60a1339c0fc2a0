"""Near-duplicate text: character shingles, one-permutation MinHash, bands that SQL finds by equality. Pure.

One-permutation hashing (Li, Owen, Zhang, NIPS 2012) in numpy takes 115 µs for 3,000 characters where datasketch takes
3,550 and rensa 405, both for the most part on strings, so it is written out here. A band is the same in every process
and on every machine.
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

from pipelines.deduplicate.bands import Pair, Use, find_pairs, hashed, unpopular
from pipelines.deduplicate.contradictions import contradiction, identifiers
from pipelines.model import Evidence, StoredArticle
from pipelines.text import make_account_key

VERSION: Final = 1
"""Of the keys; to be raised with any change that changes one. Keys of two versions are never equal."""

WINDOW: Final = 30
"""Days: a text that comes back later is a repeat, not the same news."""

REACH: Final = WINDOW + 1
"""Days by the calendar that two articles within `WINDOW` may be apart: clocks change."""

SAME: Final = 0.5
"""Similarity from which two texts are one: 10 % of the characters changed leave 0.6. Half of what stands in the middle
of each has to be in the other too: headers and footers are at the ends."""

SAME_DIGEST: Final = 0.8
"""The same for short texts, which have no middle."""

PROMISING: Final = 0.3
"""Similarity by the sketches from which two texts are held side by side: 0.5 is three standard errors away."""

DIGEST: Final = 250
"""Shingles below which a text is short."""

SHORTEST: Final = 60
"""Shingles of a text that is compared at all."""

UNRELATED: Final = 0.1
"""Share of the shorter text's shingles that any two articles may have in common."""

LONG: Final = 400
"""Shingles from which a text can tell that an equal title is a coincidence."""

LONGEST: Final = 50_000
"""Characters of a text that are looked at."""

Hashes = NDArray[np.uint64]

_ODD: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
"""Multipliers that make a run's order count."""

_NOTHING: Final = np.uint64(0)
_BANDS: Final = 20
_ROWS: Final = 3
_BINS: Final = _BANDS * _ROWS
_EMPTY: Final = np.uint64(2**64 - 1)
_HAN: Final = range(0x3400, 0xA000)
_FIRST_ALONE: Final = 0x2E80
"""From here a character is a unit by itself."""

_BEYOND: Final = 0xFFFF
"""Stands for every code point from here: emoji, and characters too rare to matter."""


def text_keys(text: str) -> tuple[int, ...]:
    """The bands of a text. Two texts share one with a probability of 0.99 at similarity 0.6, 0.001 at 0.04.

    Returns:
        Signed 64-bit integers; none for a text too short to be compared.
    """
    found = shingles(text)
    return bands(_sketch(found), _ROWS, seed=VERSION) if len(found) >= SHORTEST else ()


def near_evidence(articles: Sequence[StoredArticle], pairs: Collection[Pair] | None = None) -> tuple[Evidence, ...]:
    """Pairs of articles of different accounts with nearly the same text.

    Texts of one account are not compared: its footers are alike, and what it prints twice is a column.

    Args:
        articles: in any order.
        pairs: those of them that share a key of `text_keys`; found here when left out.

    Returns:
        Evidence by ascending pair; the same for any order of the articles.
    """
    by_id = {one.id: one for one in articles}
    texts: dict[int, _Text] = {}
    found: list[Evidence] = []
    for pair in sorted(_candidates(articles) if pairs is None else pairs):
        one, other = (by_id[member].article for member in pair)
        apart = abs(one.published.at - other.published.at)
        if make_account_key(one) == make_account_key(other) or apart > timedelta(days=WINDOW):
            continue
        for member in pair:
            if member not in texts:
                texts[member] = _Text.of(by_id[member].article.text)
        similarity = _similarity(*(texts[member] for member in pair))
        if similarity and contradiction(identifiers(one.title), identifiers(other.title)) is None:
            found.append(Evidence("near-text", f"正文相似 {similarity:.2f}", pair))
    return tuple(found)


# ---- Hashes; titles use them too


def shingles(text: str) -> Hashes:
    """Hashes of a text's runs of three: of characters in Chinese, of words in Latin script, whose letters are few.

    Punctuation, width, case and script make no difference.

    >>> resemblance(shingles("ＴＮＮ：移動端「推理」框架！"), shingles("tnn 移动端推理框架"))
    1.0
    """
    units = _units(text[:LONGEST])
    if len(units) < 3:
        return np.empty(0, dtype=np.uint64)
    return mixed(units[:-2] + units[1:-1] * _ODD[0] + units[2:] * _ODD[1])


def resemblance(one: Hashes, other: Hashes) -> float:
    """Jaccard similarity of two texts' shingles."""
    some, others = np.unique(one), np.unique(other)
    common = _common(some, others)
    return common / (len(some) + len(others) - common) if common else 0.0


def differ(one: str, other: str) -> bool:
    """Whether two texts, both long, have next to nothing in common: then an equal title is a coincidence."""
    if min(len(one), len(other)) < LONG:
        return False
    some, others = np.unique(shingles(one)), np.unique(shingles(other))
    smaller = min(len(some), len(others))
    return smaller >= LONG and _common(some, others) < UNRELATED * smaller


def mixed(values: Hashes) -> Hashes:
    """The finalizer of splitmix64: every bit of the outcome depends on every bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def bands(sketch: Hashes, rows: int, *, seed: int) -> tuple[int, ...]:
    """A key for each band of so many rows of a sketch; the band's place is part of it."""
    table = sketch.reshape(-1, rows)
    keys = mixed(np.arange(len(table), dtype=np.uint64) + np.uint64(seed << 32))
    for row in range(rows):
        keys = mixed(keys ^ table[:, row])
    return tuple(keys.view(np.int64).tolist())


def _units(text: str) -> Hashes:
    """A number for each Chinese character, and for each word or number between them."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    folded: Hashes = _folds()[np.minimum(codes, _BEYOND)]
    is_letter = folded != 0
    before = np.append(_NOTHING, folded[:-1])
    before[(folded >= _FIRST_ALONE) | (before >= _FIRST_ALONE)] = 0
    begins = np.flatnonzero(is_letter & (before == 0))
    if len(begins) == 0:
        return np.empty(0, dtype=np.uint64)
    pairs = mixed(folded | before << np.uint64(21)) * is_letter
    return np.add.reduceat(pairs, begins)  # a word is the sum of its letters, each with the one before it


@cache
def _folds() -> NDArray[np.uint64]:
    """What each code point becomes; 0 for what is no letter or digit.

    A table takes 20 µs for 3 KB, NFKC and a regex 1,000. It is made in 60 ms, when it is first needed.
    """
    table = np.zeros(_BEYOND + 1, dtype=np.uint64)
    for code in range(_BEYOND):
        folded = unicodedata.normalize("NFKC", chr(code)).casefold()
        if len(folded) == 1 and folded.isalnum():
            table[code] = ord(folded)
    simplified: str = OpenCC("t2s").convert("\n".join(map(chr, _HAN)))
    table[_HAN.start : _HAN.stop] = np.frombuffer(simplified.replace("\n", "").encode("utf-32-le"), dtype="<u4")
    return table


def _common(some: Hashes, others: Hashes) -> int:
    return len(np.intersect1d(some, others, assume_unique=True))


def _sketch(found: Hashes) -> Hashes:
    """One permutation, cut into bins, the least of each; an empty bin takes the next one's (densification by rotation,
    Shrivastava and Li, ICML 2014). All alike for a text without shingles."""
    if len(found) == 0:
        return np.full(_BINS, _EMPTY)
    least = np.full(_BINS, _EMPTY)
    np.minimum.at(least, (found % np.uint64(_BINS)).astype(np.intp), found)
    filled = np.flatnonzero(least != _EMPTY)
    source = filled[np.searchsorted(filled, np.arange(_BINS)) % len(filled)]
    distance = (source - np.arange(_BINS)) % _BINS
    return mixed(least[source] + distance.astype(np.uint64))


# ---- Comparing


@dataclass(frozen=True, slots=True)
class _Text:
    """What is compared of a text."""

    shingles: Hashes
    sketch: Hashes

    @classmethod
    def of(cls, text: str) -> Self:
        found = shingles(text)
        return cls(found, _sketch(found))


def _similarity(one: _Text, other: _Text) -> float | None:
    """How alike two texts are, if that is enough."""
    if min(len(one.shingles), len(other.shingles)) < SHORTEST or np.mean(one.sketch == other.sketch) < PROMISING:
        return None
    similarity = resemblance(one.shingles, other.shingles)
    return similarity if _enough(similarity, one.shingles, other.shingles) else None


def _enough(similarity: float, one: Hashes, other: Hashes) -> bool:
    if min(len(one), len(other)) < DIGEST:
        return similarity >= SAME_DIGEST
    return similarity >= SAME and min(_middle_in(one, other), _middle_in(other, one)) >= SAME


def _middle_in(one: Hashes, other: Hashes) -> float:
    """Share of the middle half of a text that another text has."""
    return float(np.isin(one[len(one) // 4 : -(len(one) // 4)], other).mean())


def _candidates(articles: Sequence[StoredArticle]) -> set[Pair]:
    """Pairs that share a key."""
    uses = [
        Use(key, one.article.published.at.toordinal(), hashed(make_account_key(one.article)), one.id)
        for one in articles
        for key in text_keys(one.article.text)
    ]
    return find_pairs(unpopular(uses), REACH)
