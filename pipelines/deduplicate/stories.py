"""Same news: articles joined into stories by evidence that can be shown, unless something keeps them apart. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from itertools import combinations
from typing import Final

from crawler.kinds import PAPERS, POSTS, REPOSITORIES
from pipelines.deduplicate import near, titles
from pipelines.deduplicate.bands import Band, Bands, Pair, Use, find_pairs, hashed, unpopular
from pipelines.deduplicate.clusters import unite
from pipelines.model import Evidence, Reference, StoredArticle, Story
from pipelines.text import make_account_key

WORK_PREFIXES: Final = ("arxiv:", "github:", "doi:")
"""Keys of a paper or a repository: what a story can be about."""

RARE: Final = 12
"""A work that more articles than this are about is a household name, and joins nothing."""

ROUND_UP: Final = 3
"""An article that is about more works than this is a round-up, and joins nothing through them."""

WINDOW: Final = timedelta(days=180)
"""A post and the paper or repository that it names are one story within this time."""

SHARED_WINDOW: Final = timedelta(days=30)
"""Two posts on the same work are one story within this time."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What articles share that their titles or texts may join.

    Args:
        titles: pairs that share a key of their titles.
        texts: pairs that share a key of their texts.
        uses: of the forms of these titles, within `titles.HORIZON`.
    """

    titles: Collection[Pair]
    texts: Collection[Pair]
    uses: Collection[Use]


def find_evidence(
    articles: Sequence[StoredArticle],
    reference_counts: Mapping[str, int],
    zone: tzinfo = UTC,
    shared: Shared | None = None,
) -> tuple[Evidence, ...]:
    """What joins these articles: references, nearly the same text, the same title.

    Args:
        articles: those that may belong together, in any order.
        reference_counts: how many articles of the whole store refer to each key.
        zone: in which days begin.
        shared: by the articles; found here when left out, as if there were no others.

    Returns:
        Evidence of each sort by ascending pair; the same for any order of the articles.
    """
    shared = shared or _share({one.id: joining_bands(one, zone) for one in articles})
    return (
        *reference_evidence(articles, reference_counts),
        *near.near_evidence(articles, shared.texts),
        *titles.title_evidence(articles, zone, shared.titles, shared.uses),
    )


def joining_bands(one: StoredArticle, zone: tzinfo) -> Bands:
    """What the store finds other articles by whose title or text may be this one's."""
    texts = (Band(key, near.REACH) for key in near.text_keys(one.article.text))
    day = one.article.published.at.astimezone(zone).toordinal()
    return Bands(day, hashed(make_account_key(one.article)), frozenset((*titles.title_bands(one.article), *texts)))


def _share(bands: Mapping[int, Bands]) -> Shared:
    uses: dict[int, list[Use]] = defaultdict(list)
    for one, held in bands.items():
        for key, reach in held.bands:
            uses[reach].append(Use(key, held.day, held.account, one))
    rare = {reach: unpopular(some) for reach, some in uses.items()}
    alike = {reach: find_pairs(rare.get(reach, ()), reach) for reach in (titles.WINDOW, near.REACH)}
    return Shared(alike[titles.WINDOW], alike[near.REACH], rare.get(titles.HORIZON, ()))


def reference_evidence(articles: Sequence[StoredArticle], reference_counts: Mapping[str, int]) -> tuple[Evidence, ...]:
    """What joins articles through what they are about: one is about the other, or both about the same."""
    owners = {key: one for one in articles for key in one.article.keys}
    about: dict[str, list[StoredArticle]] = defaultdict(list)
    found: dict[tuple[int, int], Evidence] = {}
    for one in sorted(articles, key=lambda one: one.id):
        for reference in subjects(one):
            if reference_counts.get(reference.key, 0) > RARE:
                continue
            if reference.key.startswith(WORK_PREFIXES):
                about[reference.key].append(one)
            owner = owners.get(reference.key)
            if owner is not None and owner.id != one.id and _within(one, owner, WINDOW):
                kind = "reprint" if owner.article.kind in POSTS else "names"
                _note(found, kind, reference.key, one, owner)
    for key, sharers in about.items():
        for one, other in combinations(sharers, 2):
            if _may_share(one, other):
                _note(found, "shared-reference", key, one, other)
    return tuple(found[pair] for pair in sorted(found))


def joining_keys(one: StoredArticle) -> frozenset[str]:
    """Keys through which an article can be joined to another: its own, and those of what it is about."""
    return frozenset((*one.article.keys, *(reference.key for reference in subjects(one))))


def make_stories(
    articles: Sequence[StoredArticle],
    evidence: Iterable[Evidence],
    trust: Mapping[str, float],
    apart: Collection[tuple[int, int]] = (),
) -> tuple[Story, ...]:
    """Put each article in exactly one story.

    Args:
        articles: as given to `find_evidence`.
        evidence: between two of them each; what a person joined is evidence too.
        trust: of each source id; 1 where it is not listed.
        apart: pairs, smaller id first, that a person has set apart.

    Returns:
        Stories by ascending id; together their members are the articles, each once.
    """
    by_id = {one.id: one for one in articles}
    return tuple(
        Story(
            id=cluster.members[0],
            members=cluster.members,
            lead=_lead([by_id[one] for one in cluster.members], cluster.evidence, trust).id,
            evidence=cluster.evidence,
        )
        for cluster in unite(articles, evidence, apart)
    )


def subjects(one: StoredArticle) -> Iterator[Reference]:
    """What an article is about: its primary references, unless they are too many of a sort to be a subject.

    A release is about itself, not about its repository, or all releases of a repository would be one story.
    """
    own = {key.partition("@")[0] for key in one.article.keys}
    by_sort: dict[str, list[Reference]] = defaultdict(list)
    for reference in one.article.references:
        if reference.primary and reference.key not in own:
            by_sort[reference.key.partition(":")[0]].append(reference)
    for references in by_sort.values():
        if len({reference.key for reference in references}) <= ROUND_UP:
            yield from references


def _may_share(one: StoredArticle, other: StoredArticle) -> bool:
    """Two releases of one repository are two pieces of news; so are two posts of different months on one paper."""
    both_code = {one.article.kind, other.article.kind} <= REPOSITORIES
    return not both_code and _within(one, other, SHARED_WINDOW)


def _within(one: StoredArticle, other: StoredArticle, window: timedelta) -> bool:
    return abs(one.article.published.at - other.article.published.at) <= window


def _note(
    found: dict[tuple[int, int], Evidence], kind: str, detail: str, one: StoredArticle, other: StoredArticle
) -> None:
    """Keep the first evidence of a pair: one is enough to join, and the strongest sort is looked for first."""
    low, high = sorted((one.id, other.id))
    if low != high:
        found.setdefault((low, high), Evidence(kind, detail, (low, high)))


def _lead(articles: Sequence[StoredArticle], evidence: Iterable[Evidence], trust: Mapping[str, float]) -> StoredArticle:
    """The best article to link: a post before the bare repository or paper, an original before reprints, trust."""
    reprints = _reprints(articles, evidence)

    def rank(one: StoredArticle) -> tuple[object, ...]:
        return (
            one.article.temporary,
            one.article.kind not in POSTS,
            one.article.kind in PAPERS,
            one.id in reprints,
            -trust.get(one.article.source, 1.0),
            one.article.published.at,
            one.id,
        )

    return min(articles, key=rank)


def _reprints(articles: Sequence[StoredArticle], evidence: Iterable[Evidence]) -> set[int]:
    """Those that name another article of the story as the one they were taken from."""
    by_id = {one.id: one for one in articles}
    taken: set[int] = set()
    for edge in evidence:
        if edge.kind == "reprint":
            low, high = (by_id[one] for one in edge.articles)
            taken.add(high.id if edge.detail in low.article.keys else low.id)
    return taken
