"""Makes stories again: the stories that new, changed or decided articles can belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, replace

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
from pipelines.newsroom.memory import read_memory
from pipelines.newsroom.relearning import with_model
from pipelines.store import Transaction
from pipelines.store.events import IndexedProfile


@dataclass(frozen=True, slots=True)
class Features:
    """What the store finds an article by.

    Args:
        bands: of its title and text.
        profile: of its event, with the keys; None if it reports no single event.
        round_up: the ordinal of its day, and its parts; None if it is no round-up.
    """

    bands: Bands
    profile: IndexedProfile | None
    round_up: tuple[int, RoundUp] | None


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
    articles = tx.articles.get(article_ids)
    changed_ids = index_articles(tx, articles, read_features(articles, rules), rules)
    remake_stories(tx, changed_ids, changed_ids, rules)
    tx.articles.mark_grouped(article_ids)


def index_articles(
    tx: Transaction, articles: Mapping[int, StoredArticle], features: Mapping[int, Features], rules: GroupRules
) -> set[int]:
    """Store what these articles are found by, and their links.

    Args:
        tx: open for writing.
        articles: new or changed, by id.
        features: of each of them.
        rules: with the model of events.

    Returns:
        The ids of these articles, and of all articles whose evidence or links differ now: their stories have to be
        made again.
    """
    return _index(tx, articles, features) | _index_events(tx, features, rules) | articles.keys()


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


def _index(tx: Transaction, articles: Mapping[int, StoredArticle], features: Mapping[int, Features]) -> set[int]:
    """Store the bands by which these articles are found.

    A title used once more becomes a column's name, a repository named once more becomes a household name, a band
    shared once more becomes popular: then it joins nothing any longer. The reverse happens when an article changes.

    Args:
        articles: new or changed, by id.
        features: of each of them.

    Returns:
        Ids of further articles, neither new nor changed, whose evidence may differ now.
    """
    new_bands = {article_id: of_article.bands for article_id, of_article in features.items()}
    changed_ids = tx.bands.find_changed(new_bands)
    dependents = _find_dependents(tx, changed_ids)
    tx.bands.save({article_id: new_bands[article_id] for article_id in changed_ids})
    uses = Counter(
        key for stored in articles.values() for key in {reference.key for reference in stored.article.references}
    )
    counts = tx.articles.count_references(articles, RARE + len(articles))
    turned_household = [key for key, new_uses in uses.items() if RARE < counts[key] <= RARE + new_uses]
    holders = tx.articles.find_holders(turned_household).values()
    primaries = {article_id for roles in holders for article_id, role in roles if role == "primary"}
    return (dependents | _find_dependents(tx, changed_ids) | primaries).difference(articles)


def _index_events(tx: Transaction, features: Mapping[int, Features], rules: GroupRules) -> set[int]:
    """Store what articles say of their events, and the links between them and others.

    A key that one more article of a day has may belong to a crowd: then it links nothing on that day any longer.

    Args:
        features: of new or changed articles, by article id.

    Returns:
        Ids of articles whose links differ now, or differed before.
    """
    profiles = {article_id: of_article.profile for article_id, of_article in features.items()}
    rekeyed_ids = tx.events.find_changed(profiles)
    changed_ids = set(features) | tx.events.find_tipping_holders(rekeyed_ids)
    tx.events.save({article_id: profiles[article_id] for article_id in rekeyed_ids})
    tx.events.save_round_ups({article_id: of_article.round_up for article_id, of_article in features.items()})
    changed_ids |= tx.events.find_tipping_holders(rekeyed_ids)
    former_pairs = tx.events.find_linked_pairs(changed_ids, LEAST)
    pairs = tx.events.find_pairs(changed_ids)
    stored_profiles = tx.events.get_profiles({article_id for pair in pairs for article_id in pair})
    tx.events.replace_links(changed_ids, find_event_links(stored_profiles, pairs, rules.event_model))
    return changed_ids.union(article_id for pair in former_pairs for article_id in pair)


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
