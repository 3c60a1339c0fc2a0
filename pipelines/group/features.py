"""What a learned model sees of an article: its words, how its title is built, the account and the host it comes from.

One vectorisation for all models. Training and use must see alike, so only that is read which a crawler is given for
nearly everything: a title, and a description where the title is but a name. How long a text is, how it is dated and
whether it has a summary at all is not seen: that tells one source from another, not what an editor wants.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

from crawler.kinds import KINDS, PLATFORMS, REPOSITORIES, Kind
from pipelines.model import Article
from pipelines.text import HAN_RANGE, UNSPACED, fold

TEXT_CHARACTERS: Final = 400
"""How much of a text is read."""

GRAMS: Final = (1, 2)
"""Lengths of the n-grams of scripts that are written without blanks."""

PIECES: Final = (3, 4)
"""Lengths of the pieces of other words: `<mobilebert>` has `bert` in common with `<tinybert>`."""

PIECE: Final = "~"
SHAPE: Final = "%"
SOURCE: Final = "@"
ACCOUNT: Final = "+"
HOST: Final = "/"
KIND: Final = ":"
TOPIC: Final = "#"
HINT: Final = "^"
PRIOR: Final = "="
"""What the name of a feature begins with that is no word: a piece, how a title is built; the name of an account, what
became of its articles, a host, a kind; a topic, hints at a category, what the rules say in sum."""

SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "版本号": re.compile(rf"(?i)(?:\bv|[a-z{HAN_RANGE}.+ ])\d+\.(?:\d+|x)(?:\.\d+)*(?!\s*[a-zμ%倍亿万年寸]|\d)"),
    "名称加冒号": re.compile(r"^[A-Za-z][\w.+-]*(?:\s[A-Za-z][\w.+-]*){0,2}\s*[：:]"),
    "冒号": re.compile(r"[：:]"),
    "疑问": re.compile(r"(?:[?？]|如何|为什么|怎么|怎样|为何|[吗呢]$)"),
    "倍数与百分比": re.compile(r"(?i)(?:\d倍|\dx\b|\d%|\d[kmg]b\b)"),
    "金额": re.compile(r"(?:\d\s*[亿万]|美元|人民币)"),
    "全英文": re.compile(r"^[\x00-\x7f]+$"),
    "制程": re.compile(r"(?i)(?:\dnm|纳米)"),
    "引号": re.compile(r"[「」“”《》]"),
    "感叹": re.compile(r"[!！]"),
    "年份": re.compile(r".*20[12]\d"),
    "括号": re.compile(r"[（(]"),
    "逗号": re.compile(r"[，,]"),
    "竖线": re.compile(r"[|｜]"),
}
"""How a title may be built, by what a reason calls it. A name that is a title, `owner/repository`, has no shape."""

_HOST_KINDS: Final[Mapping[str, Kind]] = {host: name for name, row in KINDS.items() for host in row.hosts}

_LETTER: Final = rf"[^\W_{UNSPACED}]"
_RUN: Final = re.compile(rf"(?P<unspaced>[{UNSPACED}]+)|{_LETTER}+(?:[.+\-]+{_LETTER}+)*\+*")
_PART: Final = re.compile(rf"{_LETTER}+")

Vector = Mapping[str, float]
"""Values or weights of features, by name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of an article.

    Args:
        text: its title; with its description where the title is a name.
        source: account or site; empty where it says no more than the host.
        host: without `www.`.
        kind: by the host where that tells it, so that one page is of one kind whoever gave it.
    """

    text: str
    source: str = ""
    host: str = ""
    kind: Kind = "web"

    @classmethod
    def of(cls, title: str, url: str, *, summary: str = "", source: str | None = None, kind: Kind = "web") -> Self:
        """See what a crawler was given.

        >>> Seen.of("a/b", "https://github.com/a/b", summary="快速推理", source="GitHub")
        Seen(text='a/b 快速推理', source='', host='github.com', kind='github')
        """
        host = _host(url)
        kind = _HOST_KINDS.get(host, kind)
        text = f"{title} {summary}".strip() if kind in REPOSITORIES else title
        return cls(text[:TEXT_CHARACTERS], "" if kind in PLATFORMS else source or "", host, kind)

    @classmethod
    def of_article(cls, article: Article) -> Self:
        """See an article of the store."""
        return cls.of(
            article.title,
            article.url,
            summary=article.summary,
            source=article.publisher or article.source,
            kind=article.kind,
        )


class Token(NamedTuple):
    """A word, an n-gram or a piece, and where in the folded text it stands."""

    name: str
    start: int
    end: int


def tokens(folded: str) -> Iterator[Token]:
    """Words, n-grams and pieces of a folded text.

    >>> [token.name for token in tokens("低比特 mnn-x")]
    ['低', '比', '特', '低比', '比特', 'mnn-x', 'mnn', 'x', '~<mn', '~mnn', '~nn-', '~n-x', '~-x>', \
'~<mnn', '~mnn-', '~nn-x', '~n-x>']
    """
    for run in _RUN.finditer(folded):
        start, end = run.span()
        if run["unspaced"]:
            for size in GRAMS:
                for at in range(start, end - size + 1):
                    yield Token(folded[at : at + size], at, at + size)
            continue
        word = run[0]
        yield Token(word, start, end)
        parts = [part.span() for part in _PART.finditer(word)]
        if len(parts) > 1:
            yield from (Token(word[at:until], start + at, start + until) for at, until in parts)
        marked = f"<{word}>"
        for size in PIECES:
            for at in range(len(marked) - size + 1):
                yield Token(PIECE + marked[at : at + size], start, end)


def runs(folded: str) -> Iterator[tuple[int, int, bool]]:
    """Where the words of a folded text stand, and whether blanks set them apart."""
    yield from ((*run.span(), not run["unspaced"]) for run in _RUN.finditer(folded))


def source_names(source: str) -> Iterator[str]:
    """Features of a source: the whole name, and its parts, since a person may stand before the account.

    >>> list(source_names("某人 Some Lab"))
    ['@某人somelab', '@某人', '@some', '@lab']
    """
    parts = fold(source).split()
    if parts:
        yield SOURCE + "".join(parts)
    if len(parts) > 1:
        yield from (SOURCE + part for part in parts)


def account_of(source: str) -> str:
    """An account by its name, however it is spaced and whatever the case; empty where there is none.

    >>> account_of("Some Lab")
    'somelab'
    """
    return "".join(fold(source).split())


def shapes(seen: Seen) -> Vector:
    """How its title is built.

    >>> sorted(shapes(Seen("MNN 1.0.2 发布，提速 3 倍！")))
    ['%感叹', '%版本号', '%逗号']
    """
    if seen.kind in REPOSITORIES:
        return {}
    return {SHAPE + name: 1.0 for name, shape in SHAPES.items() if shape.search(seen.text)}


@dataclass(frozen=True, slots=True)
class Account:
    """What became of an account's articles.

    Args:
        passed_over, picked: how many.
        placed: of the picked, how many in each category.
    """

    passed_over: int = 0
    picked: int = 0
    placed: Mapping[str, int] = field(default_factory=dict)

    def without(self, picked: bool | None, category: str | None) -> Account:
        """What is known of it besides one article: an example must not be told what it is to teach."""
        placed = {name: number - (name == category) for name, number in self.placed.items()}
        return Account(self.passed_over - (picked is False), self.picked - (picked is True), placed)

    def chances(self) -> Vector:
        """Features for relevance."""
        if not self.passed_over and not self.picked:
            return {f"{ACCOUNT}unknown": 1.0}
        return {f"{ACCOUNT}picked": math.log1p(self.picked), f"{ACCOUNT}passed over": math.log1p(self.passed_over)}

    def habits(self, categories: Sequence[str]) -> Vector:
        """Features for categories: how much likelier each is than if all were alike, in log-odds; one item weighs as
        much as having seen half of one of each."""
        total = sum(self.placed.values())
        if not total:
            return {f"{ACCOUNT}unknown": 1.0}
        least = 0.5 * len(categories)
        return {
            ACCOUNT + name: math.log((self.placed.get(name, 0) + 0.5) / (total + least) * len(categories))
            for name in categories
        }


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which words and pieces count, and how much a rare one counts more than a common one.

    Args:
        idf: inverse document frequency of each.
    """

    idf: Mapping[str, float]

    @classmethod
    def of(cls, texts: Iterable[str], *, least: int = 2) -> Self:
        """Of all texts that a model learns from.

        Args:
            least: texts that a word must stand in; one that stands in a single text teaches nothing of the next.
        """
        count: Counter[str] = Counter()
        total = 0
        for text in texts:
            total += 1
            count.update({token.name for token in tokens(fold(text))})
        return cls(
            {
                name: 1.0 + math.log((1 + total) / (1 + number))
                for name, number in sorted(count.items())
                if number >= least
            }
        )

    def vector(self, seen: Seen) -> Vector:
        """Features of what was seen: words and pieces of length 1 each, and 1 for the account and the host."""
        found = self.words(Counter(token.name for token in tokens(fold(seen.text))))
        found.update(dict.fromkeys(source_names(seen.source), 1.0))
        if seen.host:
            found[HOST + seen.host] = 1.0
        return found

    def words(self, count: Mapping[str, int]) -> dict[str, float]:
        """Words and pieces by how often they stand in a text, of Euclidean length 1 each."""
        valued = {name: (1.0 + math.log(count[name])) * self.idf[name] for name in count if name in self.idf}
        squares = {True: 0.0, False: 0.0}
        for name, value in valued.items():
            squares[name.startswith(PIECE)] += value * value
        lengths = {piece: math.sqrt(square) for piece, square in squares.items()}
        return {name: value / lengths[name.startswith(PIECE)] for name, value in valued.items()}


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # brackets that do not pair
        return ""
