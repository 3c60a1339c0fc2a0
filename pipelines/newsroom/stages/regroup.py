"""Makes stories again: the stories that new, changed or decided articles can belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import NamedTuple

from pipelines.deduplicate import near as texts
from pipelines.deduplicate import titles
from pipelines.deduplicate.bands import Bands, Pair
from pipelines.deduplicate.event_groups import LEAST
from pipelines.deduplicate.event_profiles import read_event_profile
from pipelines.deduplicate.events import EventLink, find_event_links, make_event_keys
from pipelines.deduplicate.round_ups import RoundUp, read_round_up
from pipelines.deduplicate.stories import RARE, EventLinks, Shared, find_evidence, make_bands, make_stories
from pipelines.group.candidates import GroupRules, grade
from pipelines.model import Decision, Evidence, StoredArticle, Story
from pipelines.newsroom.stages.memory import read_memory
from pipelines.newsroom.stages.relearning import with_model
from pipelines.store import Transaction
from pipelines.store.events import IndexedProfile


@dataclass(frozen=True, slots=True)
class Features:
    """What the store finds an article by.

    Args:
        bands: of its title and text.
        profile: of its event, with the keys; None if it reports no single event.
        round_up: the ordinal of its day, and its parts; None if it is no round-up.
        references: keys that it refers to.
        version: of the article.
    """

    bands: Bands
    profile: IndexedProfile | None
    round_up: tuple[int, RoundUp] | None
    references: frozenset[str]
    version: int


class Indexed(NamedTuple):
    """What depends on the articles that were indexed.

    Args:
        changed_ids: of these articles, and of those whose evidence may differ now: their stories have to be made again.
        unlinked_ids: of the changed articles whose links have to be found again.
    """

    changed_ids: set[int]
    unlinked_ids: set[int]


def find_version(stored: StoredArticle) -> int:
    """A number of an article, the same in each process, that differs when any part of the article has changed."""
    return int.from_bytes(blake2b(repr(stored).encode(errors="surrogatepass"), digest_size=8).digest())


def read_features(articles: Mapping[int, StoredArticle], rules: GroupRules) -> dict[int, Features]:
    """Read what the store finds articles by.

    Args:
        articles: by id.
        rules: how titles and texts are read.
    """
    features = {}
    for article_id, stored in articles.items():
        day = stored.article.published.at.astimezone(rules.zone).toordinal()
        round_up = read_round_up(stored.article, rules.events)
        profile = read_event_profile(stored.article, rules.events)
        features[article_id] = Features(
            make_bands(stored, rules.zone),
            IndexedProfile.of(profile, day, make_event_keys(profile, rules.event_model.rarity)) if profile else None,
            (day, round_up) if round_up else None,
            frozenset(reference.key for reference in stored.article.references),
            find_version(stored),
        )
    return features


def regroup(tx: Transaction, article_ids: Collection[int], rules: GroupRules) -> None:
    """Run the final stage on a few articles, in the caller's transaction.

    Args:
        tx: open for writing.
        article_ids: of articles whose stories have to be made again.
        rules: of the newsletter and its sources; the stored models are added to them.
    """
    rules = with_model(tx, rules)
    indexed = index_articles(tx, read_features(tx.articles.get(article_ids), rules))
    links = find_links(tx, indexed.unlinked_ids, indexed.unlinked_ids, rules)
    changed_ids = indexed.changed_ids | replace_links(tx, indexed.unlinked_ids, links, indexed.unlinked_ids)
    remake_stories(tx, changed_ids, changed_ids, rules)
    tx.articles.mark_grouped(article_ids)


def index_articles(tx: Transaction, features: Mapping[int, Features]) -> Indexed:
    """Store what new or changed articles are found by.

    Args:
        tx: open for writing.
        features: of the articles, by id.
    """
    dependent_ids = _index(tx, features)
    unlinked_ids = _index_events(tx, features)
    return Indexed(dependent_ids | unlinked_ids, unlinked_ids)


def find_links(
    tx: Transaction, article_ids: Collection[int], unlinked_ids: Collection[int], rules: GroupRules
) -> tuple[EventLink, ...]:
    """Find the links of unlinked articles; of two unlinked articles, the smaller id has their link.

    Args:
        tx: open for reading; all unlinked articles are indexed.
        article_ids: of some unlinked articles.
        unlinked_ids: of all.
        rules: with the model of events.
    """
    own_ids = set(article_ids)
    pairs = {
        (smaller, larger)
        for smaller, larger in tx.events.find_pairs(article_ids)
        if smaller in own_ids or smaller not in unlinked_ids
    }
    profiles = tx.events.get_profiles({article_id for pair in pairs for article_id in pair})
    return find_event_links(profiles, pairs, rules.event_model)


def replace_links(
    tx: Transaction, article_ids: Collection[int], links: Iterable[EventLink], unlinked_ids: Collection[int]
) -> set[int]:
    """Replace the links of unlinked articles.

    Args:
        tx: open for writing.
        article_ids, unlinked_ids: as `find_links` had them.
        links: that it found.

    Returns:
        Ids of the articles that were linked to these before, these included.
    """
    former_pairs = tx.events.find_linked_pairs(article_ids, LEAST)
    tx.events.replace_links(article_ids, links, unlinked_ids)
    return {article_id for pair in former_pairs for article_id in pair}


def remake_stories(
    tx: Transaction, article_ids: Collection[int], changed_ids: Set[int], rules: GroupRules
) -> dict[int, StoredArticle]:
    """Make the stories again that indexed articles can belong to, and grade them.

    An article changes its own story, and every story that evidence or a person links to it, over any number of steps.
    All of them are made again, so the outcome equals that of grouping the whole store at once. A story that comes out
    as it was, and that has no changed article, keeps its grade.

    Args:
        tx: open for writing.
        article_ids: of articles whose stories are made again; an id without an article is ignored.
        changed_ids: of all articles that have changed, or whose evidence has.
        rules: with the model to grade by.

    Returns:
        All articles whose stories are made, by id.
    """
    articles: dict[int, StoredArticle] = {}
    pending = set(article_ids)
    target_ids: set[int] = set()
    former_stories: dict[int, Story] = {}
    evidence: set[Evidence] = set()
    links: dict[Pair, EventLink] = {}
    by_hand: dict[tuple[int, int], Decision] = {}
    while pending:
        stories = {story.id: story for story in tx.stories.find_by_articles(pending).values()}
        pending |= {member for story in stories.values() for member in story.members} - target_ids
        former_stories |= stories
        target_ids |= pending
        articles |= tx.articles.get(pending - articles.keys())
        decisions = tx.decisions.find_pairs_by_hand(pending)
        by_hand |= decisions
        edges = _find_evidence(tx, pending, articles, rules)
        edges |= {
            Evidence("by-hand", "evidence/by-hand", pair, {"who": decision.who})
            for pair, decision in decisions.items()
            if decision.action == "merge"
        }
        evidence |= edges
        new_links = tx.events.find_links(pending, LEAST)
        links |= new_links
        likely_pairs = [pair for pair, link in new_links.items() if link.probability]
        linked_pairs = (*(edge.articles for edge in edges), *likely_pairs)
        pending = {article_id for pair in linked_pairs for article_id in pair} - target_ids
    targets = [articles[article_id] for article_id in sorted(target_ids & articles.keys())]
    split_pairs = {pair for pair, decision in by_hand.items() if decision.action == "split"}
    events = EventLinks(links.values(), tx.events.find_days(target_ids), rules.event_model.join)
    memory = read_memory(tx, targets, rules)
    joining = memory.keep_news_apart(evidence, targets, rules)
    stories_now = make_stories(targets, joining, rules.trust, split_pairs, events)
    kept_ids = {
        story.id
        for story in stories_now
        if former_stories.get(story.id) == story and changed_ids.isdisjoint(story.members)
    }
    candidates = []
    for story in stories_now:
        if story.id in kept_ids:
            continue
        members = [articles[member] for member in story.members]
        recalled = memory.recall(members)
        candidate = grade(story, members, rules)
        candidates.append(replace(candidate, published_in=recalled.published_in, follows=recalled.follows))
    tx.stories.replace(former_stories.keys() - kept_ids, candidates)
    return {target.id: target for target in targets}


def _index(tx: Transaction, features: Mapping[int, Features]) -> set[int]:
    """Store the bands by which these articles are found.

    A title used once more becomes a column's name, a repository named once more becomes a household name, a band
    shared once more becomes popular: then it joins nothing any longer. The reverse happens when an article changes.

    Args:
        features: of new or changed articles, by article id.

    Returns:
        Ids of further articles, neither new nor changed, whose evidence may differ now.
    """
    new_bands = {article_id: of_article.bands for article_id, of_article in features.items()}
    changed_ids = tx.bands.find_changed(new_bands)
    dependents = _find_dependents(tx, changed_ids)
    tx.bands.save({article_id: new_bands[article_id] for article_id in changed_ids})
    uses = Counter(key for of_article in features.values() for key in of_article.references)
    counts = tx.articles.count_references(features, RARE + len(features))
    turned_household = [key for key, new_uses in uses.items() if RARE < counts[key] <= RARE + new_uses]
    holders = tx.articles.find_holders(turned_household).values()
    primaries = {article_id for roles in holders for article_id, role in roles if role == "primary"}
    return (dependents | _find_dependents(tx, changed_ids) | primaries).difference(features)


def _index_events(tx: Transaction, features: Mapping[int, Features]) -> set[int]:
    """Store what articles say of their events.

    A key that one more article of a day has may belong to a crowd: then it links nothing on that day any longer.

    Args:
        features: of new or changed articles, by article id.

    Returns:
        Ids of these articles, and of those whose links may differ now.
    """
    profiles = {article_id: of_article.profile for article_id, of_article in features.items()}
    rekeyed_ids = tx.events.find_changed(profiles)
    unlinked_ids = set(features) | tx.events.find_tipping_holders(rekeyed_ids)
    tx.events.save({article_id: profiles[article_id] for article_id in rekeyed_ids})
    tx.events.save_round_ups({article_id: of_article.round_up for article_id, of_article in features.items()})
    return unlinked_ids | tx.events.find_tipping_holders(rekeyed_ids)


def save_features(tx: Transaction, features: Mapping[int, Features]) -> None:
    """Store what articles are found by, and look for no others that may depend on it.

    Args:
        tx: open for writing.
        features: by article id.
    """
    tx.bands.save({article_id: of_article.bands for article_id, of_article in features.items()})
    tx.events.save({article_id: of_article.profile for article_id, of_article in features.items()})
    tx.events.save_round_ups({article_id: of_article.round_up for article_id, of_article in features.items()})


def _find_dependents(tx: Transaction, article_ids: Collection[int]) -> set[int]:
    """Find the articles whose evidence depends on these: through a popular band, or a title that is a column's name."""
    uses = tx.bands.find_uses(article_ids, titles.HORIZON)
    uses_of_others = {use for use in uses if use.article not in article_ids}
    in_columns = {article_id for _, article_id in titles.find_news_uses(uses) ^ titles.find_news_uses(uses_of_others)}
    return (tx.bands.find_tipping_holders(article_ids) | in_columns).difference(article_ids)


def _find_evidence(
    tx: Transaction, article_ids: Set[int], articles: dict[int, StoredArticle], rules: GroupRules
) -> set[Evidence]:
    """Find the evidence that joins these articles to any other.

    Args:
        tx: open for reading.
        article_ids: the articles in question.
        articles: loaded so far, by id; the articles that are loaded here are added.
        rules: for the time zone of issue dates in titles.
    """
    title_pairs, text_pairs = (
        tx.bands.find_pairs(article_ids, titles.WINDOW),
        tx.bands.find_pairs(article_ids, texts.REACH),
    )
    uses = tx.bands.find_uses({article_id for pair in title_pairs for article_id in pair}, titles.HORIZON)
    counts = tx.articles.count_references(article_ids, RARE)
    holders = tx.articles.find_holders(key for key, count in counts.items() if count <= RARE).values()
    partner_ids = {article_id for roles in holders for article_id, role in roles if role != "mention"}
    partner_ids = partner_ids.union(article_ids, *title_pairs, *text_pairs)
    articles |= tx.articles.get(partner_ids - articles.keys())
    shared = Shared(title_pairs, text_pairs, uses)
    evidence = find_evidence([articles[article_id] for article_id in partner_ids], counts, rules.zone, shared)
    return {edge for edge in evidence if not article_ids.isdisjoint(edge.articles)}
