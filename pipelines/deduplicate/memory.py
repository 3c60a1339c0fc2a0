"""Issue memory: whether a past issue printed a story already, or printed the work that the story reports on. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Final

from pipelines.deduplicate.stories import RARE, find_subjects
from pipelines.model import WORK_PREFIXES, Evidence, StoredArticle

_RELEASE: Final = "@"
"""Between the repository's key and the tag in the key of a release."""


@dataclass(frozen=True, slots=True)
class Printed:
    """An entry of a published issue.

    Args:
        day: of the issue.
        text: the entry's plain text; its first line is the title.
    """

    day: date
    text: str


@dataclass(frozen=True, slots=True)
class PrintedEntries:
    """The entries of published issues that concern some articles.

    Args:
        by_key: by strong key.
        by_article: by the id of the article whose story an entry was proposed for.
    """

    by_key: Mapping[str, Sequence[Printed]] = field(default_factory=dict)
    by_article: Mapping[int, Sequence[Printed]] = field(default_factory=dict)

    def find_of_article(self, article: StoredArticle) -> Iterator[Printed]:
        """Find the entries that printed an article itself: under one of its keys, or as the article of their story."""
        yield from self.by_article.get(article.id, ())
        for key in article.article.keys:
            yield from self.by_key.get(key, ())


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the issues printed of a story; at most one day is set.

    Args:
        published_in: the first issue that printed the story.
        follows: the last issue that printed a work that the story is about.
        entry: of that issue.
    """

    published_in: date | None = None
    follows: date | None = None
    entry: Printed | None = None


def make_memory_keys(article: StoredArticle) -> frozenset[str]:
    """Keys under which an issue may have printed an article, or a work that the article is about."""
    works = {*_list_own_works(article), *_list_named_works(article)}
    return frozenset((*article.article.keys, *works, *map(_strip_release, works)))


def recall_story(
    articles: Sequence[StoredArticle],
    printed: PrintedEntries,
    reference_counts: Mapping[str, int],
    printed_event: Printed | None = None,
) -> Recalled:
    """Find the entry that printed a story, or the entry that the story follows up.

    An issue printed a story if it printed one of its posts or releases, or its event in other words; or, of a story
    without a post, the paper or the repository itself. A post about a printed paper or repository is news of it: it
    follows the entry, whatever its title says.

    Args:
        articles: of the story.
        printed: for at least the ids and the memory keys of the articles.
        reference_counts: how many articles of the store refer to each of the keys.
        printed_event: the entry that reports the story's event in other words, if there is one.
    """
    posts = [article for article in articles if not _is_work(article)]
    entries = [entry for article in posts for entry in printed.find_of_article(article)]
    if printed_event is not None:
        entries.append(printed_event)
    if not posts:
        entries += [entry for article in articles for entry in printed.find_of_article(article)]
    if entries:
        entry = min(entries, key=lambda entry: entry.day)
        return Recalled(published_in=entry.day, entry=entry)
    works = {key for article in articles for key in _list_own_works(article)}
    named_works = {key for article in articles for key in _list_named_works(article)}
    works |= {key for key in named_works if reference_counts.get(key, 0) <= RARE}
    entries = [entry for key in sorted({*works, *map(_strip_release, works)}) for entry in printed.by_key.get(key, ())]
    if not entries:
        return Recalled()
    entry = max(entries, key=lambda entry: entry.day)
    return Recalled(follows=entry.day, entry=entry)


FOLLOWING: Final = frozenset({"names", "shared-reference"})
"""Kinds of evidence that say that two articles are about one work, and not that they report one event."""


def keep_news_apart(
    evidence: Iterable[Evidence], articles: Sequence[StoredArticle], printed: PrintedEntries, zone: tzinfo
) -> list[Evidence]:
    """Leave out the evidence by which news about a printed work would join the story that was printed.

    An issue divides the articles about a work that it printed: the work itself and all that is dated up to the issue's
    day on one side, later articles on the other. Evidence that the work alone gives joins no two sides.

    Args:
        evidence: of pairs of the articles.
        articles: in any order.
        printed: for at least the ids and the memory keys of the articles.
        zone: time zone of the issues' days.
    """
    by_id = {article.id: article for article in articles}
    days_by_work = _find_days_by_work(articles, printed)

    def find_side(article: StoredArticle, work: str) -> int:
        if work in article.article.keys:
            return 0
        days = {entry.day for entry in printed.find_of_article(article)}
        day = min({article.article.published.at.astimezone(zone).date(), *days})
        return sum(printed_day < day for printed_day in days_by_work[work])

    def may_join(piece: Evidence) -> bool:
        work = str(piece.values.get("key", ""))
        if piece.kind not in FOLLOWING or not days_by_work.get(work):
            return True
        first, second = (by_id[article_id] for article_id in piece.articles)
        return find_side(first, work) == find_side(second, work)

    return [piece for piece in evidence if may_join(piece)]


def _find_days_by_work(articles: Iterable[StoredArticle], printed: PrintedEntries) -> Mapping[str, set[date]]:
    """Find the days of the issues that printed a work, or an article that is about it."""
    days: dict[str, set[date]] = defaultdict(set)
    for article in articles:
        works = {*_list_own_works(article), *_list_named_works(article)}
        days_of_article = {entry.day for entry in printed.find_of_article(article)}
        for work in works:
            days[work] |= days_of_article.union(entry.day for entry in printed.by_key.get(work, ()))
    return days


def _list_own_works(article: StoredArticle) -> Iterator[str]:
    return (key for key in article.article.keys if key.startswith(WORK_PREFIXES))


def _list_named_works(article: StoredArticle) -> Iterator[str]:
    """Keys of the works that an article is about: papers, repositories, addresses on a label line (项目地址：…)."""
    return (
        reference.key
        for reference in find_subjects(article)
        if reference.label or reference.key.startswith(WORK_PREFIXES)
    )


def _is_work(article: StoredArticle) -> bool:
    """Whether an article is the paper or the repository itself, not a release or a post."""
    return any(_RELEASE not in key for key in _list_own_works(article))


def _strip_release(key: str) -> str:
    """The key of a release's repository; any other key unchanged.

    >>> _strip_release("github:alibaba/mnn@1.1.0"), _strip_release("arxiv:2001.04246")
    ('github:alibaba/mnn', 'arxiv:2001.04246')
    """
    return key.partition(_RELEASE)[0]
