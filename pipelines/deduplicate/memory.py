"""Issue memory: whether a past issue printed a story already, or printed the work that the story reports on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipelines.deduplicate.contradictions import find_versions, read_identifiers
from pipelines.deduplicate.stories import RARE, find_subjects
from pipelines.model import WORK_PREFIXES, StoredArticle

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
class Recalled:
    """What the issues printed of a story; at most one field is set.

    Args:
        published_in: the first issue that printed the story.
        follows: the last issue that printed the work whose new release or version the story reports.
    """

    published_in: date | None = None
    follows: date | None = None


def make_memory_keys(article: StoredArticle) -> frozenset[str]:
    """Keys under which an issue may have printed an article, or a work that the article is about."""
    works = {*_list_own_works(article), *_list_named_works(article)}
    return frozenset((*article.article.keys, *works, *map(_strip_release, works)))


def recall_story(
    articles: Sequence[StoredArticle], printed: Mapping[str, Sequence[Printed]], reference_counts: Mapping[str, int]
) -> Recalled:
    """Find the issue that printed a story, or the issue that the story follows up.

    A story is printed if an issue printed one of its articles, or a work (paper, repository) that it is or is about. It
    follows up the issue if it has a release that no issue printed, or a title with a version that no entry has.

    Args:
        articles: of the story.
        printed: the entries of published issues by key, for at least the memory keys of the articles.
        reference_counts: how many articles of the store refer to each of these keys.
    """
    posts = [article for article in articles if not _is_work(article)]
    days_printed = _list_days(printed, (key for post in posts for key in post.article.keys))
    if days_printed:
        return Recalled(published_in=min(days_printed))
    works = {key for article in articles for key in _list_own_works(article)}
    named_works = {key for article in articles for key in _list_named_works(article)}
    works |= {key for key in named_works if reference_counts.get(key, 0) <= RARE}
    entries = [entry for key in {*works, *map(_strip_release, works)} for entry in printed.get(key, ())]
    if not entries:
        return Recalled()
    releases = {key for key in works if _RELEASE in key}
    if not releases <= printed.keys() or _has_new_version(articles, works, entries):
        return Recalled(follows=max(entry.day for entry in entries))
    return Recalled(published_in=min(_list_days(printed, releases) or [entry.day for entry in entries]))


def _has_new_version(articles: Sequence[StoredArticle], works: Iterable[str], entries: Iterable[Printed]) -> bool:
    """Whether a title of a post has a version that neither the printed entries nor the names of the works have."""
    work_titles = [article.article.title for article in articles if _is_work(article)]
    post_titles = [article.article.title for article in articles if not _is_work(article)]
    repositories = [_strip_release(key).rpartition("/")[2] for key in works if key.startswith("github:")]
    names = {
        name for identifiers in map(read_identifiers, repositories) for name in (*identifiers.marks, *identifiers.names)
    }
    heads, bodies = zip(*(entry.text.partition("\n")[::2] for entry in entries), strict=True)
    printed_versions = _collect_versions((*repositories, *work_titles, *heads), names)
    printed_versions |= _collect_versions(bodies, names, prose=True)
    return any(
        version not in printed_versions and not any(printed.startswith(f"{version}.") for printed in printed_versions)
        for version in _collect_versions(post_titles, names)
    )


def _collect_versions(texts: Iterable[str], names: Collection[str], *, prose: bool = False) -> frozenset[str]:
    return frozenset().union(*(find_versions(text, names, prose=prose) for text in texts))


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


def _list_days(printed: Mapping[str, Sequence[Printed]], keys: Iterable[str]) -> list[date]:
    return [entry.day for key in keys for entry in printed.get(key, ())]
