"""What past issues printed, told of a story: it was in one already, or it is news of something that was. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipelines.deduplicate.contradictions import identifiers, versions
from pipelines.deduplicate.stories import RARE, WORK_PREFIXES, subjects
from pipelines.model import StoredArticle

_RELEASE: Final = "@"
"""Stands in the key of a release between its repository's and its tag."""


@dataclass(frozen=True, slots=True)
class Printed:
    """An entry of a published issue.

    Args:
        day: of the issue.
        text: what the entry says, its first line first.
    """

    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the issues say of a story; never both.

    Args:
        published_in: the first issue that printed it.
        follows: the last issue that printed what it brings news of: a release, a new version.
    """

    published_in: date | None = None
    follows: date | None = None


def memory_keys(one: StoredArticle) -> frozenset[str]:
    """Keys under which an issue may have printed an article or what it is about."""
    works = {*_own_works(one), *_works_named(one)}
    return frozenset((*one.article.keys, *works, *map(_of_release, works)))


def recall(
    articles: Sequence[StoredArticle], printed: Mapping[str, Sequence[Printed]], reference_counts: Mapping[str, int]
) -> Recalled:
    """Whether issues printed a story, or what it brings news of.

    A story was printed when an issue printed one of its articles, or a paper or a repository that the story is or is
    about. It is news where it has a release that no issue printed, or a title says a version that no entry did.

    Args:
        articles: the story's.
        printed: the entries of published issues by key, for at least the `memory_keys` of the articles.
        reference_counts: how many articles of the store refer to each of those keys.
    """
    posts = [one for one in articles if not _is_work(one)]
    if itself := _days(printed, (key for one in posts for key in one.article.keys)):
        return Recalled(published_in=min(itself))
    works = {key for one in articles for key in _own_works(one)}
    works |= {key for one in articles for key in _works_named(one) if reference_counts.get(key, 0) <= RARE}
    told = [entry for key in {*works, *map(_of_release, works)} for entry in printed.get(key, ())]
    if not told:
        return Recalled()
    releases = {key for key in works if _RELEASE in key}
    if not releases <= printed.keys() or _say_a_new_version(articles, works, told):
        return Recalled(follows=max(entry.day for entry in told))
    return Recalled(published_in=min(_days(printed, releases) or [entry.day for entry in told]))


def _say_a_new_version(articles: Iterable[StoredArticle], works: Iterable[str], told: Iterable[Printed]) -> bool:
    """Whether a title says a version that neither the entries do, nor the name of the work itself."""
    titles: dict[bool, list[str]] = {True: [], False: []}
    for one in articles:
        titles[_is_work(one)].append(one.article.title)
    called = [_of_release(key).rpartition("/")[2] for key in works if key.startswith("github:")]
    names = {name for said in map(identifiers, called) for name in (*said.marks, *said.names)}
    heads, bodies = zip(*(entry.text.partition("\n")[::2] for entry in told), strict=True)
    known = _versions_of((*called, *titles[True], *heads), names) | _versions_of(bodies, names, prose=True)
    said = _versions_of(titles[False], names)
    return any(version not in known and not any(one.startswith(f"{version}.") for one in known) for version in said)


def _versions_of(texts: Iterable[str], names: Collection[str], *, prose: bool = False) -> frozenset[str]:
    return frozenset().union(*(versions(text, names, prose=prose) for text in texts))


def _own_works(one: StoredArticle) -> Iterator[str]:
    return (key for key in one.article.keys if key.startswith(WORK_PREFIXES))


def _works_named(one: StoredArticle) -> Iterator[str]:
    """What an article is about: papers, repositories, and whatever a label line (项目地址：…) calls its own."""
    return (one.key for one in subjects(one) if one.label or one.key.startswith(WORK_PREFIXES))


def _is_work(one: StoredArticle) -> bool:
    """Whether an article is the paper or the repository itself, not a release or a post."""
    return any(_RELEASE not in key for key in _own_works(one))


def _of_release(key: str) -> str:
    """The key of a release's repository; any other key as it is.

    >>> _of_release("github:alibaba/mnn@1.1.0"), _of_release("arxiv:2001.04246")
    ('github:alibaba/mnn', 'arxiv:2001.04246')
    """
    return key.partition(_RELEASE)[0]


def _days(printed: Mapping[str, Sequence[Printed]], keys: Iterable[str]) -> list[date]:
    return [entry.day for key in keys for entry in printed.get(key, ())]
