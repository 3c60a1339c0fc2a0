"""Features of an article for the model: its words, the shape of its title, its account, its host.

Training and grading build features in the same way, so they read only fields that a crawler has for nearly every
article: the title, and the summary where the title is only a name. Length, dates and the presence of a summary are
left out: they tell one source from another, and nothing about the editor's taste.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from crawler.kinds import KINDS, PLATFORMS, REPOSITORIES, Kind
from pipelines.group.rates import Rate
from pipelines.group.segmentation import find_cuts
from pipelines.model import Article
from pipelines.text import HAN_RANGE, UNSPACED, fold

TEXT_CHARACTERS: Final = 400
"""Characters of a text that are read."""

PIECES: Final = (3, 4)
"""Lengths of the pieces of other words: `<mobilebert>` has `bert` in common with `<tinybert>`."""

FeatureKind = Literal[
    "word", "piece", "opening", "work", "shape", "source", "account", "host", "kind", "topic", "hint", "prior", "bias"
]
"""What a feature counts:

- word: a word; piece: a part of a word that blanks separate
- opening: a word of the summary or of the first part of the text
- work: a sort of work that the text points at, a key of `WORK_SORTS`
- shape: a pattern that the title matches, a key of `SHAPES`
- source: the name of the account, or a part of it; account: in which sections the issues printed the account
- host: the host of the URL; kind: the kind of the page
- topic: a topic of the newsletter; hint: how many hints at a category the text has
- prior: the weight that the newsletter's rules give, as one number
- bias: every article has it
"""


class Feature(NamedTuple):
    """A feature's kind, and its name within the kind; `prior` of relevance and `bias` have an empty name."""

    kind: FeatureKind
    name: str = ""


SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "version": re.compile(rf"(?i)(?:\bv|[a-z{HAN_RANGE}.+ ])\d+\.(?:\d+|x)(?:\.\d+)*(?!\s*[a-zμ%倍亿万年寸]|\d)"),
    "name-colon": re.compile(r"^[A-Za-z][\w.+-]*(?:\s[A-Za-z][\w.+-]*){0,2}\s*[：:]"),
    "colon": re.compile(r"[：:]"),
    "question": re.compile(r"(?:[?？]|如何|为什么|怎么|怎样|为何|[吗呢]$)"),
    "factor": re.compile(r"(?i)(?:\d倍|\dx\b|\d%|\d[kmg]b\b)"),
    "money": re.compile(r"(?:\d\s*[亿万]|美元|人民币)"),
    "ascii": re.compile(r"^[\x00-\x7f]+$"),
    "process-node": re.compile(r"(?i)(?:\dnm|纳米)"),
    "quotes": re.compile(r"[「」“”《》]"),
    "exclamation": re.compile(r"[!！]"),
    "year": re.compile(r".*20[12]\d"),
    "brackets": re.compile(r"[（(]"),
    "comma": re.compile(r"[，,]"),
    "bar": re.compile(r"[|｜]"),
}
"""Patterns of titles, by the name of their sentence in `pipelines.wording`.

A title that is a name, `owner/repository`, has no shape.
"""

WORK_SORTS: Final[Mapping[str, str]] = {"arxiv": "paper", "doi": "paper", "github": "code"}
"""What a reference points at, by the first part of its key."""

_HOST_KINDS: Final[Mapping[str, Kind]] = {host: name for name, row in KINDS.items() for host in row.hosts}

_LETTER: Final = rf"[^\W_{UNSPACED}]"
_RUN: Final = re.compile(rf"(?P<unspaced>[{UNSPACED}]+)|{_LETTER}+(?:[.+\-]+{_LETTER}+)*\+*")
_PART: Final = re.compile(rf"{_LETTER}+")

Vector = Mapping[Feature, float]
"""The values of an article's features, or the weights of a model's."""


@dataclass(frozen=True, slots=True)
class Description:
    """The parts of an article that the model reads.

    Args:
        text: the title; where the title is only a name, title and summary.
        source: account or site; empty where it says no more than the host.
        host: without `www.`.
        kind: that of the host where the host has one, so that a page is of one kind whatever source gave it.
        opening: the summary, or the first part of the text; empty where a crawler knows only the title. A repository's
            summary is in `text`.
        path: of the address, from the first `/`.
        works: sorts of the works that its text points at: `code`, `paper`.
    """

    text: str
    source: str = ""
    host: str = ""
    kind: Kind = "web"
    opening: str = ""
    path: str = ""
    works: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        title: str,
        url: str,
        *,
        summary: str = "",
        source: str | None = None,
        kind: Kind = "web",
        references: Iterable[str] = (),
    ) -> Self:
        """Describe an article by the fields that a crawler has.

        Args:
            title: of the article.
            url: its address; gives host and path.
            summary: of the article, or the first part of its text.
            source: account or site.
            kind: used where the host has no kind of its own.
            references: keys of works that its text is about.

        >>> Description.of("a/b", "https://github.com/a/b", summary="快速推理", source="GitHub").text
        'a/b 快速推理'
        """
        host, path = split_host_and_path(url)
        kind = _HOST_KINDS.get(host, kind)
        name_only = kind in REPOSITORIES
        return cls(
            (f"{title} {summary}".strip() if name_only else title)[:TEXT_CHARACTERS],
            "" if kind in PLATFORMS else source or "",
            host,
            kind,
            "" if name_only else summary[:TEXT_CHARACTERS],
            path,
            frozenset(sort for key in references if (sort := WORK_SORTS.get(key.partition(":")[0]))),
        )

    @classmethod
    def of_article(cls, article: Article) -> Self:
        """Describe an article of the store."""
        return cls.of(
            article.title,
            article.url,
            summary=article.summary or article.text[:TEXT_CHARACTERS],
            source=article.source_name,
            kind=article.kind,
            references=(
                reference.key
                for reference in article.references
                if reference.primary and reference.key not in article.keys
            ),
        )


@lru_cache(maxsize=1 << 18)
def _make_feature(kind: FeatureKind, name: str) -> Feature:
    """A word or a piece; titles have most of theirs in common, and to look one up is quicker than to make it."""
    return Feature(kind, name)


@lru_cache(maxsize=64)
def count_tokens(folded: str) -> Mapping[Feature, int]:
    """Count the words and pieces of a folded text, without their places.

    >>> counts = count_tokens("mnn 与 mnn")
    >>> counts[Feature("word", "mnn")], counts[Feature("piece", "<mn")], counts[Feature("word", "与")]
    (2, 2, 1)
    """
    parts: list[str] = []
    pieces: list[str] = []
    for start, end, spaced in find_words(folded):
        word = folded[start:end]
        parts.append(word)
        if spaced:
            parts += list_word_parts(word)
            pieces += _cut_pieces(word)
    counts = {_make_feature("word", word): number for word, number in Counter(parts).items()}
    counts |= {_make_feature("piece", piece): number for piece, number in Counter(pieces).items()}
    return counts


def list_word_parts(word: str) -> list[str]:
    """The parts of a word that signs join; none of a word without signs."""
    parts = [] if word.isalnum() else _PART.findall(word)
    return parts if len(parts) > 1 else []


def _cut_pieces(word: str) -> list[str]:
    marked = f"<{word}>"
    return [marked[first : first + size] for size in PIECES for first in range(len(marked) - size + 1)]


class Word(NamedTuple):
    """A word of a folded text: its characters, whether blanks separate it, and its features, parts and pieces too."""

    start: int
    end: int
    spaced: bool
    features: tuple[Feature, ...]


@lru_cache(maxsize=64)
def read_words(folded: str) -> tuple[Word, ...]:
    """The words of a folded text with their features, in the order of the text.

    >>> [feature.name for feature in read_words("比特 x-y")[1].features]
    ['x-y', 'x', 'y', '<x-', 'x-y', '-y>', '<x-y', 'x-y>']
    """
    read: list[Word] = []
    for start, end, spaced in find_words(folded):
        word = folded[start:end]
        features = [_make_feature("word", word)]
        if spaced:
            features += [_make_feature("word", part) for part in list_word_parts(word)]
            features += [_make_feature("piece", piece) for piece in _cut_pieces(word)]
        read.append(Word(start, end, spaced, tuple(features)))
    return tuple(read)


def find_words(folded: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each word of a folded text, and whether blanks separate it from the next one.

    >>> [("边缘计算 on mnn"[start:end], spaced) for start, end, spaced in find_words("边缘计算 on mnn")]
    [('边缘', False), ('计算', False), ('on', True), ('mnn', True)]
    """
    cuts: Sequence[int] | None = None
    for run in _RUN.finditer(folded):
        start, end = run.span()
        if not run["unspaced"]:
            yield start, end, True
            continue
        if cuts is None:
            cuts = find_cuts(folded)
        first = start
        for last in (*cuts[bisect_right(cuts, start) : bisect_left(cuts, end)], end):
            yield first, last, False
            first = last


def source_features(source: str) -> Iterator[Feature]:
    """Features of a source: its whole name, and the parts of it, since a person's name may precede the account's.

    >>> [feature.name for feature in source_features("某人 Some Lab")]
    ['某人somelab', '某人', 'some', 'lab']
    """
    parts = fold(source).split()
    if parts:
        yield Feature("source", "".join(parts))
    if len(parts) > 1:
        yield from (Feature("source", part) for part in parts)


def site_vector(description: Description) -> dict[Feature, float]:
    """1 for each feature of the source, and for the host."""
    vector = dict.fromkeys(source_features(description.source), 1.0)
    if description.host:
        vector[Feature("host", description.host)] = 1.0
    return vector


def account_of(source: str) -> str:
    """The account's name without blanks, in lower case; empty for no account.

    >>> account_of("Some Lab")
    'somelab'
    """
    return "".join(fold(source).split())


def shapes(description: Description) -> Vector:
    """The shapes that the title has.

    >>> sorted(feature.name for feature in shapes(Description("MNN 1.0.2 发布，提速 3 倍！")))
    ['comma', 'exclamation', 'version']
    """
    if description.kind in REPOSITORIES:
        return {}
    return {Feature("shape", name): 1.0 for name, shape in SHAPES.items() if shape.search(description.text)}


NO_RATE: Final = Rate()
"""Of an account of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Account:
    """How the editor treated the articles of an account.

    Args:
        passed_over, picked: how many articles; an article that lies open counts as passed over.
        placed: picked articles by category.
        rate: how often the editor picks from it.
    """

    passed_over: int = 0
    picked: int = 0
    placed: Mapping[str, int] = field(default_factory=dict)
    rate: Rate = NO_RATE

    def without(self, picked: bool | None, category: str | None) -> Account:
        """The account without one article: the features of an example must not contain its own outcome.

        Args:
            picked: of that article: whether it was picked; None counts nowhere.
            category: of that article; None counts nowhere.
        """
        placed = {name: number - (name == category) for name, number in self.placed.items()}
        return Account(self.passed_over - (picked is False), self.picked - (picked is True), placed, self.rate)

    def habits(self, categories: Sequence[str]) -> Vector:
        """Features for categories: the log-odds of each against equal shares.

        The counts are smoothed by half an article of each category.
        """
        total = sum(self.placed.values())
        if not total:
            return {Feature("account", "unknown"): 1.0}
        least = 0.5 * len(categories)
        return {
            Feature("account", name): math.log((self.placed.get(name, 0) + 0.5) / (total + least) * len(categories))
            for name in categories
        }


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words and pieces that a model uses, and their rarity.

    Args:
        idf: inverse document frequency of each.
    """

    idf: Mapping[Feature, float]

    def text_vector(self, text: str) -> dict[Feature, float]:
        """Features of a title's words and pieces: all words of length 1 together, all pieces too."""
        return self.weigh(count_tokens(fold(text)))

    def opening_vector(self, text: str) -> Vector:
        """Features of the words of a summary or of the first part of a text; they have Euclidean length 1."""
        folded = fold(text)
        counts = Counter(
            _make_feature("word", part)
            for start, end, spaced in find_words(folded)
            for word in [folded[start:end]]
            for part in (word, *(list_word_parts(word) if spaced else ()))
        )
        return {Feature("opening", feature.name): number for feature, number in self.weigh(counts).items()}

    def weigh(self, counts: Mapping[Feature, int]) -> dict[Feature, float]:
        """Values of words and pieces by their counts in one text; words have Euclidean length 1, pieces too."""
        idf, log = self.idf, math.log
        weighed = {feature: (1.0 + log(number)) * idf[feature] for feature, number in counts.items() if feature in idf}
        squares: dict[FeatureKind, float] = {"word": 0.0, "piece": 0.0}
        for feature, weight in weighed.items():
            squares[feature.kind] += weight * weight
        lengths = {kind: math.sqrt(square) for kind, square in squares.items()}
        return {feature: weight / lengths[feature.kind] for feature, weight in weighed.items()}


def split_host_and_path(url: str) -> tuple[str, str]:
    """Host, without `www.`, and path of an address; both empty where it cannot be parsed."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www."), parts.path
    except ValueError:  # brackets that do not pair
        return "", ""


def find_sort(url: str) -> str:
    """The first part of the key of the work at an address, a key of `WORK_SORTS`; empty for none.

    >>> find_sort("https://arxiv.org/abs/2001.04246"), find_sort("https://example.com/")
    ('arxiv', '')
    """
    host, _ = split_host_and_path(url)
    return {"github.com": "github", "arxiv.org": "arxiv", "doi.org": "doi"}.get(host, "")
