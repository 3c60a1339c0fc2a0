"""Joins articles by title: equal or similar without the parts around the title proper, near in time, no column. Pure.

The use of a title, not a list of words, tells the title of news from the title of a column:

- A short title (分享图片, 端午安康, 早报) is too common to join anything; one of six letters and more joins articles of
  the same days that have a digest or a text.
- A title that is used over more days than news lasts, or by one account day after day, is a column or a stock phrase.
- One account does not write two articles on one piece of news; a title that it uses again on another day is a column.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from difflib import SequenceMatcher
from itertools import pairwise, repeat
from types import MappingProxyType
from typing import Final, NamedTuple, Self

import numpy as np

from crawler.characters import keep_letters
from crawler.kinds import POSTS, REPOSITORIES
from pipelines.deduplicate.bands import Band, Pair, Use, drop_popular, find_pairs, hash_text
from pipelines.deduplicate.contradictions import differ_in_details, find_contradiction, read_identifiers
from pipelines.deduplicate.near import Hashes, make_band_keys, mix_bits, texts_differ
from pipelines.model import DAY_PRECISIONS, Article, Evidence, StoredArticle
from pipelines.text import HAN_RANGE, fold, make_account_key

VERSION: Final = 1
"""Version of the keys; raise it with every change that changes a key. Keys of two versions are never equal."""

WINDOW: Final = 10
"""Days between two uses of a title for one piece of news."""

PAUSE: Final = 30
"""Days without a use, after which a title may be used for another piece of news."""

HORIZON: Final = WINDOW + PAUSE
"""Days around an article from which the uses of its title are needed."""

TELLING: Final = 12
"""Letters of a title that is long enough to be evidence alone."""

SHORT: Final = 6
"""Letters of a title that is evidence where it is equal and both articles have a digest or a text: a stock title
(分享图片) is shorter, or stands alone."""

SHORT_WINDOW: Final = 2
"""Days between two uses of a short title for one piece of news."""

SENTENCE: Final = 14
"""Letters of a title that is long enough to be evidence where a longer title contains it."""

ALIKE: Final = 0.75
"""Smallest similarity of two titles that are evidence."""

COLUMN: Final = 3
"""Days on which one account uses the title of a column, at least."""

_ROWS: Final = 3
_SEED: Final = 0x7115 + VERSION
_PERMUTATIONS: Final = mix_bits(np.arange(1, 31, dtype=np.uint64))
_LONG_NAME: Final = 6
_HAN: Final = re.compile(f"[{HAN_RANGE}]")


def make_title_bands(article: Article) -> Iterator[Band]:
    """Make the bands of an article's title.

    Two articles share a band of reach `WINDOW` if their titles may join them: the account's own key, and ten MinHash
    keys. The bands of reach `HORIZON` are the keys of the title's forms: their uses show whether the title is a column.

    Returns:
        No bands if no title can join the article.
    """
    if _can_be_joined(article):
        title = _Title.of(article, UTC)
        yield from zip(title.keys(), repeat(WINDOW))
        yield from zip(title.forms(), repeat(HORIZON))


def find_title_evidence(
    articles: Sequence[StoredArticle],
    zone: tzinfo,
    pairs: Collection[Pair] | None = None,
    uses: Collection[Use] | None = None,
) -> tuple[Evidence, ...]:
    """Find pairs of articles that their titles join.

    Args:
        articles: in any order.
        zone: time zone of the calendar days.
        pairs: pairs of the articles that share a band of reach `WINDOW`; None to find them among the articles.
        uses: all uses within `HORIZON` of the forms of these titles, without popular ones; None to take the uses by
            the articles themselves.

    Returns:
        Evidence by ascending pair; the same for any order of the articles.
    """
    paired = None if pairs is None else {member for pair in pairs for member in pair}
    titles = {
        article.id: _Title.of(article.article, zone)
        for article in articles
        if (paired is None or article.id in paired) and _can_be_joined(article.article)
    }
    if pairs is None:
        pairs = find_pairs(_list_uses(titles, _Title.keys), WINDOW)
    news = find_news_uses(_list_uses(titles, _Title.forms) if uses is None else uses)
    evidence: list[Evidence] = []
    for pair in sorted(pairs):
        if not titles.keys() >= set(pair):
            continue
        first, second = (titles[member] for member in pair)
        equal = first.whole == second.whole
        if first.account == second.account:
            detail = _join_within_account(first, second)
        else:
            is_news = all(
                (form, member) in news for member in pair for form in titles[member].forms(with_core=not equal)
            )
            detail = _join_across_accounts(first, second) if is_news else None
        if detail:
            evidence.append(Evidence("same-title" if equal else "similar-title", detail.code, pair, detail.values))
    return tuple(evidence)


def find_news_uses(uses: Iterable[Use]) -> frozenset[tuple[int, int]]:
    """Find the uses of titles that may be news: not for too many days, and not by one account day after day.

    Returns:
        Pairs of a key and an article id.
    """
    by_key: dict[int, set[Use]] = defaultdict(set)
    for use in uses:
        by_key[use.key].add(use)
    news: set[tuple[int, int]] = set()
    for key, uses_of_key in by_key.items():
        for run in _split_at_pauses(sorted(uses_of_key)):
            days = Counter(account for account, _ in {(use.account, use.day) for use in run})
            if run[-1].day - run[0].day <= WINDOW and max(days.values()) < COLUMN:
                news.update((key, use.article) for use in run)
    return frozenset(news)


class _Detail(NamedTuple):
    """Code and values of a piece of evidence."""

    code: str
    values: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Title:
    """A title in the forms in which it is compared.

    Args:
        article: the title's article.
        account: the article's account key.
        day: ordinal of the day of publication.
        whole: the letters of the title.
        main: the longest part of the title, without tags and columns.
        core: the letters of `main`.
        terms: weight of each term of `main`: pairs of Chinese characters, Latin words, numbers. A Latin word in a
            Chinese title is nearly always a name; a longer word is rarer and weighs more.
    """

    article: Article
    account: str
    day: int
    whole: str
    main: str
    core: str
    terms: Mapping[str, float]

    @classmethod
    def of(cls, article: Article, zone: tzinfo) -> Self:
        day = article.published.at.astimezone(zone).toordinal()
        folded = fold(article.title)
        main = _find_main_part(folded)
        return cls(
            article,
            make_account_key(article),
            day,
            keep_letters(folded),
            main,
            keep_letters(main),
            _weigh_terms(main),
        )

    def keys(self) -> tuple[int, ...]:
        """Keys of the bands of reach `WINDOW`: the account's own, then the MinHash keys of a telling title."""
        own = hash_text(f"{VERSION} {self.account} {self.whole}")
        if self.telling:
            return (own, *make_band_keys(_make_sketch(self.terms), _ROWS, seed=_SEED))
        return (own, hash_text(f"{VERSION} short {self.whole}")) if self.speaking else (own,)

    def forms(self, *, with_core: bool = True) -> tuple[int, ...]:
        """Keys of the forms that are long enough to be evidence: of the whole title, and of its main part.

        Args:
            with_core: whether to include the key of the main part.
        """
        whole = [hash_text(f"{VERSION} whole {self.whole}")] if self.telling or self.speaking else []
        core = [hash_text(f"{VERSION} core {self.core}")] if with_core and len(self.core) >= TELLING else []
        return (*whole, *core)

    @property
    def telling(self) -> bool:
        """Whether the title is long enough to be evidence alone."""
        return len(self.whole) >= TELLING

    @property
    def speaking(self) -> bool:
        """Whether the title is evidence together with a digest or a text, which the article has."""
        return SHORT <= len(self.whole) < TELLING and bool(self.article.summary or self.article.text)


# ---- Reading

# … | 早读
_BAR: Final = re.compile(r"\s*[|丨│]\s*")

# 【框架】
_TAG: Final = re.compile(r"【[^】]{1,20}】|\[[^\]]{1,20}\]")
_TERM: Final = re.compile(rf"[a-z]+|\d+(?:\.\d+)*|[{HAN_RANGE}]+|[^\W_]")


def _can_be_joined(article: Article) -> bool:
    """Whether titles can join an article: not a repository, whose key identifies it, nor one without a day."""
    return (
        article.kind not in REPOSITORIES
        and article.published.precision in DAY_PRECISIONS
        and bool(keep_letters(article.title))
    )


def _find_main_part(folded: str) -> str:
    """The longest part of a title between bars, without the tags in brackets.

    >>> _find_main_part("【框架】984- 2021 年最佳 javascript 框架 | 早读")
    ' 984- 2021 年最佳 javascript 框架'
    """
    untagged = _TAG.sub(" ", folded)
    return max(_BAR.split(untagged if keep_letters(untagged) else folded), key=lambda part: len(keep_letters(part)))


def _weigh_terms(folded: str) -> Mapping[str, float]:
    weights: dict[str, float] = {}
    for term in _TERM.findall(folded):
        if term[0] > HAN_RANGE[0]:
            weights.update(dict.fromkeys(map("".join, pairwise(term)), 1.0) if len(term) > 1 else {term: 0.5})
        else:
            weights[term] = 1.0 if term[0].isdigit() else min(len(term), _LONG_NAME) / 2
    return weights


def _make_sketch(terms: Iterable[str]) -> Hashes:
    """MinHash by several permutations: a title has too few terms for one-permutation hashing."""
    hashes = np.array([zlib.crc32(term.encode()) for term in terms], dtype=np.uint64)
    least: Hashes = mix_bits(hashes[:, None] ^ _PERMUTATIONS).min(axis=0)
    return least


# ---- Comparing

_OPPOSITES: Final = frozenset(
    map(frozenset, ("涨跌", "升降", "增减", "买卖", "开关", "胜负", "输赢", "盈亏", "进出", "快慢", "高低", "强弱"))
)


def _list_uses(titles: Mapping[int, _Title], keys: Callable[[_Title], Iterable[int]]) -> list[Use]:
    """The uses of the keys of titles, without popular ones."""
    return drop_popular(
        [
            Use(key, title.day, hash_text(title.account), member)
            for member, title in titles.items()
            for key in keys(title)
        ]
    )


def _split_at_pauses(uses: Sequence[Use]) -> Iterator[list[Use]]:
    """Split the uses of one title, in the order of their days, at each pause."""
    run: list[Use] = []
    for use in uses:
        if run and use.day - run[-1].day > PAUSE:
            yield run
            run = []
        run.append(use)
    if run:
        yield run


def _join_within_account(first: _Title, second: _Title) -> _Detail | None:
    """The evidence that two articles of one account and one day are one: two addresses, or the same text sent twice."""
    if first.day != second.day:
        return None
    if first.whole == second.whole:
        joined = first.telling or _have_two_addresses(first.article, second.article)
        return _Detail("evidence/same-title-of-account") if joined else None
    joined = _have_two_addresses(first.article, second.article) and _describe_likeness(first, second) is not None
    return _Detail("evidence/similar-title-of-account") if joined else None


def _have_same_editions(first: _Title, second: _Title) -> bool:
    """Whether equal letters name one edition: 9300 and 9300+ have the same letters."""
    editions = [read_identifiers(title.article.title).editions for title in (first, second)]
    return editions[0] == editions[1]


def _have_two_addresses(first: Article, second: Article) -> bool:
    """Whether the keys of two articles can belong to one article: a site gives an article one key of each form."""
    first_forms, second_forms = (
        {(key.partition(":")[0], key.count("/")) for key in each.keys if "://" not in key} for each in (first, second)
    )
    return bool(first_forms or second_forms) and first_forms.isdisjoint(second_forms)


def _join_across_accounts(first: _Title, second: _Title) -> _Detail | None:
    """The evidence that two articles of two accounts are the same news, or None."""
    if first.whole == second.whole:
        is_evidence = first.telling or (
            first.speaking and second.speaking and abs(first.day - second.day) <= SHORT_WINDOW
        )
        joined = _Detail("evidence/same-title") if is_evidence and _have_same_editions(first, second) else None
    elif (
        first.article.kind in POSTS
        and second.article.kind in POSTS
        and min(len(first.core), len(second.core)) >= TELLING
    ):
        joined = _describe_likeness(first, second)
    else:
        joined = None
    return None if joined and texts_differ(first.article.text, second.article.text) else joined


def _describe_likeness(first: _Title, second: _Title) -> _Detail | None:
    """The evidence of two similar titles, or None if a number, a name or a replaced word differs.

    Weights are multiples of one half, so their sum is exact in any order.
    """
    common = sum(first.terms[term] for term in first.terms.keys() & second.terms.keys())
    similarity = 2 * common / (sum(first.terms.values()) + sum(second.terms.values()))
    short, long = sorted((first.core, second.core), key=len)
    within = len(short) >= SENTENCE and short in long
    if similarity < ALIKE and not within:
        return None
    if find_contradiction(read_identifiers(first.article.title), read_identifiers(second.article.title)) is not None:
        return None
    if differ_in_details(read_identifiers(first.main), read_identifiers(second.main)) or _one_word_replaced(
        first.core, second.core
    ):
        return None
    return _Detail("evidence/similar-title", {"similarity": f"{similarity:.2f}"})


def _one_word_replaced(first: str, second: str) -> bool:
    """Whether two titles differ in one word only, as a form filled in twice. A translated word does not count.

    One character counts if the other title has its opposite: 大涨, 大跌.

    >>> _one_word_replaced("上海有哪些公司", "成都有哪些公司"), _one_word_replaced("你写的ml代码", "你写的机器学习代码")
    (True, False)
    """
    steps = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    changes = [(first[a:b], second[c:d]) for step, a, b, c, d in steps if step != "equal"]
    return len(changes) == 1 and (
        all(len(_HAN.findall(word)) > 1 for word in changes[0]) or frozenset(changes[0]) in _OPPOSITES
    )
