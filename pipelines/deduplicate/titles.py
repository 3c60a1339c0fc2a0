"""Same news by its title: equal or alike once what is around it is off, near in time, and no column. Pure.

What tells a story's title from a column's is how it is used, not a list of words:

- A short title (分享图片, 端午安康, 早报) says too little to join anything.
- A title that comes back over a longer time than news lives, or that one account uses day after day, is a column or
  a stock phrase.
- One account has no two articles on one piece of news; what it prints again on another day is its column.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, Self

import numpy as np

from crawler.kinds import POSTS, REPOSITORIES
from pipelines.deduplicate.bands import Band, Pair, Use, find_pairs, hashed, unpopular
from pipelines.deduplicate.contradictions import contradiction, identifiers, say_otherwise
from pipelines.deduplicate.near import Hashes, bands, differ, mixed
from pipelines.model import Article, Evidence, StoredArticle
from pipelines.text import fold, make_account_key

VERSION: Final = 1
"""Of the keys; to be raised with any change that changes one. Keys of two versions are never equal."""

WINDOW: Final = 10
"""Days that a title is one piece of news; a reprint comes sooner."""

PAUSE: Final = 30
"""Days after which a title begins anew."""

HORIZON: Final = WINDOW + PAUSE
"""Days around an article in which the uses of its title have to be known."""

TELLING: Final = 12
"""Letters of a title that says enough to be evidence alone."""

SENTENCE: Final = 14
"""Letters of a title that, standing whole in another, is that title without its trimmings."""

ALIKE: Final = 0.75
"""Similarity from which two titles are one."""

COLUMN: Final = 3
"""Days on which one account uses a title, from which it is a column."""

_ROWS: Final = 3
_SEED: Final = 0x7115 + VERSION
_PERMUTATIONS: Final = mixed(np.arange(1, 31, dtype=np.uint64))
_LONG_NAME: Final = 6
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_DAYS: Final = frozenset({"second", "minute", "hour", "day", "first-seen"})
"""Precisions of a date that can be held against a window of days."""


def title_keys(article: Article) -> tuple[int, ...]:
    """Keys of which two articles share one where their titles may join them: the account's own, and ten bands.

    Returns:
        Signed 64-bit integers; none where no title can join the article.
    """
    return _Title.of(article, UTC).keys() if _joinable(article) else ()


def title_bands(article: Article) -> Iterator[Band]:
    """The same, and the keys of its title's forms: what else is called so tells whether it is a column."""
    if _joinable(article):
        title = _Title.of(article, UTC)
        yield from (Band(key, WINDOW) for key in title.keys())  # noqa: SIM118
        yield from (Band(key, HORIZON) for key in title.forms())


def title_evidence(
    articles: Sequence[StoredArticle],
    zone: tzinfo,
    pairs: Collection[Pair] | None = None,
    uses: Collection[Use] | None = None,
) -> tuple[Evidence, ...]:
    """Pairs of articles that their titles join.

    Args:
        articles: in any order.
        zone: in which days begin.
        pairs: those of them that share a key of `title_keys`; found here when left out.
        uses: of the forms of the titles of these pairs, all within `HORIZON` where they are not popular; those by the
            articles themselves when left out.

    Returns:
        Evidence by ascending pair; the same for any order of the articles.
    """
    paired = None if pairs is None else {member for pair in pairs for member in pair}
    titles = {
        one.id: _Title.of(one.article, zone)
        for one in articles
        if (paired is None or one.id in paired) and _joinable(one.article)
    }
    if pairs is None:
        pairs = find_pairs(_uses(titles, _Title.keys), WINDOW)
    news = news_among(_uses(titles, _Title.forms) if uses is None else uses)
    found: list[Evidence] = []
    for pair in sorted(pairs):
        if not titles.keys() >= set(pair):
            continue
        one, other = (titles[member] for member in pair)
        equal = one.whole == other.whole
        if one.account == other.account:
            detail = _seen_twice(one, other)
        else:
            is_news = all(
                (form, member) in news for member in pair for form in titles[member].forms(with_core=not equal)
            )
            detail = _same_news(one, other) if is_news else None
        if detail:
            found.append(Evidence("same-title" if equal else "similar-title", detail, pair))
    return tuple(found)


def news_among(uses: Iterable[Use]) -> frozenset[tuple[int, int]]:
    """The uses of a title, (key, article), that may be news: not for too long, nor by one account day after day."""
    by_key: dict[int, set[Use]] = defaultdict(set)
    for use in uses:
        by_key[use.key].add(use)
    found: set[tuple[int, int]] = set()
    for key, some in by_key.items():
        for run in _runs(sorted(some)):
            days = Counter(account for account, _ in {(use.account, use.day) for use in run})
            if run[-1].day - run[0].day <= WINDOW and max(days.values()) < COLUMN:
                found.update((key, use.article) for use in run)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Title:
    """A title in the forms in which it is compared.

    Args:
        day: of publication, as a number.
        whole: its letters.
        main: its longest part, tags and columns aside.
        core: the letters of that.
        words: what it is made of, with what each weighs: pairs of Chinese characters, Latin words, numbers. A
            Latin word in a Chinese title is nearly always a name: it weighs more the longer, so rarer, it is.
    """

    article: Article
    account: str
    day: int
    whole: str
    main: str
    core: str
    words: Mapping[str, float]

    @classmethod
    def of(cls, article: Article, zone: tzinfo) -> Self:
        day = article.published.at.astimezone(zone).toordinal()
        folded = fold(article.title)
        main = _main(folded)
        return cls(article, make_account_key(article), day, _letters(folded), main, _letters(main), _words(main))

    def keys(self) -> tuple[int, ...]:
        """As `title_keys`."""
        own = hashed(f"{VERSION} {self.account} {self.whole}")
        return (own, *(bands(_sketch(self.words), _ROWS, seed=_SEED) if self.telling else ()))

    def forms(self, *, with_core: bool = True) -> tuple[int, ...]:
        """Keys of its forms that say enough to be evidence: its letters, and those of its main part."""
        whole = [hashed(f"{VERSION} whole {self.whole}")] if self.telling else []
        core = [hashed(f"{VERSION} core {self.core}")] if with_core and len(self.core) >= TELLING else []
        return (*whole, *core)

    @property
    def telling(self) -> bool:
        """Whether it is evidence alone."""
        return len(self.whole) >= TELLING


# ---- Reading

_NO_LETTERS: Final = re.compile(r"[\W_]+")
_BAR: Final = re.compile(r"\s*[|丨│]\s*")
_TAG: Final = re.compile(r"【[^】]{1,20}】|\[[^\]]{1,20}\]")
_WORD: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)*|[\u3400-\u9fff]+|[^\W_]")


def _joinable(article: Article) -> bool:
    """A repository's title is its name, which says it all; a date to the month says nothing of days."""
    return article.kind not in REPOSITORIES and article.published.precision in _DAYS and bool(_letters(article.title))


def _letters(folded: str) -> str:
    return _NO_LETTERS.sub("", folded)


def _main(folded: str) -> str:
    """The longest part of a title between bars, without the tags in brackets.

    >>> _main("【框架】984- 2021 年最佳 javascript 框架 | 早读")
    ' 984- 2021 年最佳 javascript 框架'
    """
    untagged = _TAG.sub(" ", folded)
    return max(_BAR.split(untagged if _letters(untagged) else folded), key=lambda part: len(_letters(part)))


def _words(folded: str) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for word in _WORD.findall(folded):
        if word[0] > "\u3400":
            found.update(dict.fromkeys(map("".join, pairwise(word)), 1.0) if len(word) > 1 else {word: 0.5})
        else:
            found[word] = 1.0 if word[0].isdigit() else min(len(word), _LONG_NAME) / 2
    return found


def _sketch(words: Iterable[str]) -> Hashes:
    """MinHash by so many permutations: a title has too few words for one."""
    hashes = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)
    least: Hashes = mixed(hashes[:, None] ^ _PERMUTATIONS).min(axis=0)
    return least


# ---- Comparing


def _uses(titles: Mapping[int, _Title], keys: Callable[[_Title], Iterable[int]]) -> list[Use]:
    """Who has which key, popular ones aside."""
    return unpopular(
        [Use(key, title.day, hashed(title.account), member) for member, title in titles.items() for key in keys(title)]
    )


def _runs(uses: Sequence[Use]) -> Iterator[list[Use]]:
    """Uses of one title by day, cut where it paused."""
    run: list[Use] = []
    for use in uses:
        if run and use.day - run[-1].day > PAUSE:
            yield run
            run = []
        run.append(use)
    if run:
        yield run


def _seen_twice(one: _Title, other: _Title) -> str | None:
    """One account's articles of one day: the same one by two addresses, or the same one sent twice."""
    if one.day != other.day:
        return None
    if one.whole == other.whole:
        return "同号同日同题" if one.telling or _two_forms(one.article, other.article) else None
    return "同号同日，标题相似" if _two_forms(one.article, other.article) and _likeness(one, other) else None


def _two_forms(one: Article, other: Article) -> bool:
    """Whether two addresses can be one article's: a site gives each but one of a form."""
    some, others = (
        {(key.partition(":")[0], key.count("/")) for key in each.keys if "://" not in key} for each in (one, other)
    )
    return bool(some or others) and some.isdisjoint(others)


def _same_news(one: _Title, other: _Title) -> str | None:
    """Articles of two accounts."""
    if one.whole == other.whole:
        joined = "标题相同" if one.telling else None
    elif one.article.kind in POSTS and other.article.kind in POSTS and min(len(one.core), len(other.core)) >= TELLING:
        joined = _likeness(one, other)
    else:
        joined = None
    return None if joined and differ(one.article.text, other.article.text) else joined


def _likeness(one: _Title, other: _Title) -> str | None:
    """How alike two titles are, if that is enough and no number, no name and no replaced word says otherwise.

    Weights are halves, so their sum is exact in any order.
    """
    common = sum(one.words[word] for word in one.words.keys() & other.words.keys())
    similarity = 2 * common / (sum(one.words.values()) + sum(other.words.values()))
    short, long = sorted((one.core, other.core), key=len)
    within = len(short) >= SENTENCE and short in long
    if similarity < ALIKE and not within:
        return None
    if contradiction(identifiers(one.article.title), identifiers(other.article.title)) is not None:
        return None
    if say_otherwise(identifiers(one.main), identifiers(other.main)) or _one_word_replaced(one.core, other.core):
        return None
    return f"标题相似 {similarity:.2f}"


def _one_word_replaced(one: str, other: str) -> bool:
    """Whether two titles are one form filled in twice. A translated word does not count.

    >>> _one_word_replaced("上海有哪些公司", "成都有哪些公司"), _one_word_replaced("你写的ml代码", "你写的机器学习代码")
    (True, False)
    """
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    changes = [(one[a:b], other[c:d]) for step, a, b, c, d in steps if step != "equal"]
    return len(changes) == 1 and all(len(_HAN.findall(word)) > 1 for word in changes[0])
