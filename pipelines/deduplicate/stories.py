"""Joins articles into stories by evidence, unless a contradiction keeps them apart. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from itertools import combinations, repeat
from typing import Final

from crawler.kinds import PAPERS, POSTS, REPOSITORIES
from pipelines.deduplicate import near, titles
from pipelines.deduplicate.accounts import count_independent_accounts
from pipelines.deduplicate.bands import Bands, Pair, Use, drop_popular, find_pairs, hash_text
from pipelines.deduplicate.clusters import Cluster, make_clusters
from pipelines.deduplicate.event_groups import EventMember, join_events
from pipelines.deduplicate.event_model import EventModel
from pipelines.deduplicate.event_profiles import read_event_profile
from pipelines.deduplicate.events import (
    EventKey,
    EventLink,
    find_event_links,
    find_event_pairs,
    make_event_keys,
    make_link_evidence,
)
from pipelines.model import WORK_PREFIXES, Evidence, Reference, StoredArticle, Story
from pipelines.rules.events import EventRules
from pipelines.text import make_account_key

RARE: Final = 12
"""A work that is the subject of more articles than this is common knowledge and joins nothing."""

ROUND_UP: Final = 3
"""An article about more works than this is a round-up; its works join it to nothing."""

WINDOW: Final = timedelta(days=180)
"""Largest time between a post and the work that it names in one story."""

SHARED_WINDOW: Final = timedelta(days=30)
"""Largest time between two posts about the same work in one story."""

FULL_SHARE: Final = 0.4
"""Share of the longest text of a story from which a report is not a mere notice of it."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The keys that articles share by title or text.

    Args:
        titles: pairs that share a key of their titles.
        texts: pairs that share a key of their texts.
        uses: uses of the forms of the titles in `titles`, within `titles.HORIZON`.
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
    """Find the evidence that joins articles: references, nearly the same text, the same title.

    Args:
        articles: in any order.
        reference_counts: how many articles of the whole store refer to each key.
        zone: time zone of the calendar days.
        shared: keys that the articles share; None to find them as if the store had no further articles.

    Returns:
        Evidence of each kind by ascending pair; the same for any order of the articles.
    """
    shared = shared or _find_shared({article.id: make_bands(article, zone) for article in articles})
    return (
        *find_reference_evidence(articles, reference_counts),
        *near.find_near_evidence(articles, shared.texts),
        *titles.find_title_evidence(articles, zone, shared.titles, shared.uses),
    )


def make_bands(article: StoredArticle, zone: tzinfo) -> Bands:
    """The bands of an article's title and text, by which the store finds articles with a similar title or text."""
    texts = zip(near.make_text_keys(article.article.text), repeat(near.REACH))
    day = article.article.published.at.astimezone(zone).toordinal()
    return Bands(
        day,
        hash_text(make_account_key(article.article)),
        frozenset((*titles.make_title_bands(article.article), *texts)),
    )


def _find_shared(bands: Mapping[int, Bands]) -> Shared:
    uses: dict[int, list[Use]] = defaultdict(list)
    for article_id, article_bands in bands.items():
        for key, reach in article_bands.bands:
            uses[reach].append(Use(key, article_bands.day, article_bands.account, article_id))
    rare = {reach: drop_popular(uses_of_reach) for reach, uses_of_reach in uses.items()}
    alike = {reach: find_pairs(rare.get(reach, ()), reach) for reach in (titles.WINDOW, near.REACH)}
    return Shared(alike[titles.WINDOW], alike[near.REACH], rare.get(titles.HORIZON, ()))


def find_reference_evidence(
    articles: Sequence[StoredArticle], reference_counts: Mapping[str, int]
) -> tuple[Evidence, ...]:
    """Find the evidence of references: one article is about the other, or both are about the same work.

    Args:
        articles: in any order.
        reference_counts: how many articles of the whole store refer to each key.

    Returns:
        Evidence by ascending pair, one piece a pair.
    """
    owners = {key: article for article in articles for key in article.article.keys}
    about: dict[str, list[StoredArticle]] = defaultdict(list)
    evidence: dict[tuple[int, int], Evidence] = {}
    for article in sorted(articles, key=lambda article: article.id):
        for reference in find_subjects(article):
            if reference_counts.get(reference.key, 0) > RARE:
                continue
            if reference.key.startswith(WORK_PREFIXES):
                about[reference.key].append(article)
            owner = owners.get(reference.key)
            if owner is not None and owner.id != article.id and _are_near_in_time(article, owner, WINDOW):
                kind = "reprint" if owner.article.kind in POSTS else "names"
                _add_evidence(evidence, kind, reference.key, article, owner)
    for key, sharers in about.items():
        for first, second in combinations(sharers, 2):
            if _may_share(first, second):
                _add_evidence(evidence, "shared-reference", key, first, second)
    return tuple(evidence[pair] for pair in sorted(evidence))


@dataclass(frozen=True, slots=True)
class EventLinks:
    """What is known of the events of articles.

    Args:
        links: between articles.
        days: ordinal of the day of publication of each article that reports an event, by article id.
        join: smallest combined probability at which two clusters are one event.
    """

    links: Collection[EventLink] = ()
    days: Mapping[int, int] = field(default_factory=dict)
    join: float = 1.0


def find_event_links_among(
    articles: Sequence[StoredArticle], rules: EventRules, model: EventModel, zone: tzinfo
) -> EventLinks:
    """Find the links between articles as if the store had no further articles.

    Args:
        articles: in any order.
        rules: events.toml.
        model: to judge by.
        zone: time zone of the calendar days.
    """
    read_profiles = ((article.id, read_event_profile(article.article, rules)) for article in articles)
    profiles = {article_id: profile for article_id, profile in read_profiles if profile is not None}
    days = {
        article.id: article.article.published.at.astimezone(zone).toordinal()
        for article in articles
        if article.id in profiles
    }
    keys = [
        EventKey(key, days[article_id], article_id)
        for article_id, profile in profiles.items()
        for key in make_event_keys(profile, model.rarity)
    ]
    return EventLinks(find_event_links(profiles, find_event_pairs(keys), model), days, model.join)


def make_stories(
    articles: Sequence[StoredArticle],
    evidence: Iterable[Evidence],
    trust: Mapping[str, float],
    apart: Collection[tuple[int, int]] = (),
    events: EventLinks | None = None,
) -> tuple[Story, ...]:
    """Make stories, so that each article is in exactly one: clusters by evidence, then events of clusters by links.

    Args:
        articles: in any order.
        evidence: of pairs of the articles, with the evidence `by-hand` of pairs that an editor joined.
        trust: by source id; 1 for a source that is not listed.
        apart: pairs of article ids, smaller id first, that an editor has set apart.
        events: links between articles on one event; none by default.

    Returns:
        Stories by ascending id.
    """
    by_id = {article.id: article for article in articles}
    return tuple(
        Story(
            id=cluster.members[0],
            members=cluster.members,
            lead=_choose_lead(articles_of_cluster, cluster.evidence, trust).id,
            evidence=cluster.evidence,
            accounts=count_independent_accounts(articles_of_cluster, cluster.evidence),
        )
        for cluster in _join_clusters(make_clusters(articles, evidence, apart), by_id, events or EventLinks(), apart)
        for articles_of_cluster in [[by_id[member] for member in cluster.members]]
    )


def _join_clusters(
    clusters: Sequence[Cluster],
    articles: Mapping[int, StoredArticle],
    events: EventLinks,
    apart: Collection[tuple[int, int]],
) -> list[Cluster]:
    """Join the clusters that report one event; the evidence of a join is the strongest link between the two."""
    members = {
        article_id: EventMember(day, (article.published.at.timestamp(), article.url), make_account_key(article))
        for article_id, day in events.days.items()
        if article_id in articles
        for article in [articles[article_id].article]
    }
    joined = join_events([cluster.members for cluster in clusters], members, events.links, events.join, apart)
    in_events = {index for event in joined for index in event.clusters}
    joined_clusters = [cluster for index, cluster in enumerate(clusters) if index not in in_events]
    for event in joined:
        parts = [clusters[index] for index in event.clusters]
        links = sorted(event.links, key=lambda link: (-link.probability, link.articles))
        joined_clusters.append(
            Cluster(
                tuple(sorted(member for part in parts for member in part.members)),
                (
                    *(piece for part in parts for piece in part.evidence),
                    *map(make_link_evidence, links),
                ),
            )
        )
    return sorted(joined_clusters, key=lambda cluster: cluster.members[0])


def find_subjects(article: StoredArticle) -> Iterator[Reference]:
    """The subjects of an article: its primary references, unless it has more than `ROUND_UP` of one sort.

    A release has not its repository as a subject; otherwise all releases of a repository would be one story.
    """
    own = {key.partition("@")[0] for key in article.article.keys}
    by_sort: dict[str, list[Reference]] = defaultdict(list)
    for reference in article.article.references:
        if reference.primary and reference.key not in own:
            by_sort[reference.key.partition(":")[0]].append(reference)
    for references in by_sort.values():
        if len({reference.key for reference in references}) <= ROUND_UP:
            yield from references


def _may_share(first: StoredArticle, second: StoredArticle) -> bool:
    """Whether a shared work joins two articles: not two releases of one repository, nor posts of different months."""
    both_code = {first.article.kind, second.article.kind} <= REPOSITORIES
    return not both_code and _are_near_in_time(first, second, SHARED_WINDOW)


def _are_near_in_time(first: StoredArticle, second: StoredArticle, window: timedelta) -> bool:
    return abs(first.article.published.at - second.article.published.at) <= window


def _add_evidence(
    evidence: dict[tuple[int, int], Evidence], kind: str, key: str, first: StoredArticle, second: StoredArticle
) -> None:
    """Add the evidence unless the pair has some already: the caller adds stronger kinds first."""
    low, high = sorted((first.id, second.id))
    if low != high:
        evidence.setdefault((low, high), Evidence(kind, "evidence/key", (low, high), {"key": key}))


def _choose_lead(
    articles: Sequence[StoredArticle], evidence: Iterable[Evidence], trust: Mapping[str, float]
) -> StoredArticle:
    """Choose the article to link: a post before a repository or a paper, an original before a reprint, by trust.

    Of equally trusted sources, a notice of less than `FULL_SHARE` of the longest text comes after full reports. An
    article whose text is not stored may be a full report.
    """
    reprints = _find_reprints(articles, evidence)
    longest = max(len(article.article.text) for article in articles)

    def rank(article: StoredArticle) -> tuple[object, ...]:
        return (
            article.article.temporary,
            article.article.kind not in POSTS,
            article.article.kind in PAPERS,
            article.id in reprints,
            -trust.get(article.article.source, 1.0),
            0 < len(article.article.text) < FULL_SHARE * longest,
            article.article.published.at,
            article.id,
        )

    return min(articles, key=rank)


def _find_reprints(articles: Sequence[StoredArticle], evidence: Iterable[Evidence]) -> set[int]:
    """Ids of the articles that name another article of the story as their original."""
    by_id = {article.id: article for article in articles}
    reprints: set[int] = set()
    for edge in evidence:
        if edge.kind == "reprint":
            low, high = (by_id[article_id] for article_id in edge.articles)
            reprints.add(high.id if edge.values["key"] in low.article.keys else low.id)
    return reprints
