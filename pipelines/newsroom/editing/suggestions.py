"""Finds the stories that may report the same event as a candidate: not certain enough to join, and offered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final, NamedTuple

from pipelines.deduplicate.event_groups import OFFERING, combine_probabilities
from pipelines.deduplicate.events import EventLink, make_link_evidence
from pipelines.model import Candidate, Story, Suggestion
from pipelines.newsroom.stages.event_tuning import read_event_model
from pipelines.store import Transaction
from pipelines.store.bulk import chunks

MOST: Final = 4
"""Largest number of stories that are offered with one candidate."""


def add_suggestions(tx: Transaction, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Add to each candidate the other stories that may report its event.

    A story from which an editor has set an article of the candidate apart is not offered again, nor is a story of
    which a title contradicts one of the candidate.

    Args:
        tx: open for reading.
        candidates: in any order; the order is kept.
    """
    offers = _find_offers(tx, candidates)
    if not offers:
        return list(candidates)
    offered_ids = {offer.story.id for each in offers.values() for offer in each}
    states = tx.stories.get_states(offered_ids)
    leads = tx.articles.get({offer.story.lead for each in offers.values() for offer in each})
    return [
        replace(
            candidate,
            suggested=tuple(
                Suggestion(
                    offer.story.id,
                    leads[offer.story.lead],
                    states[offer.story.id],
                    offer.probability,
                    make_link_evidence(offer.strongest),
                )
                for offer in offers.get(candidate.story.id, ())
            ),
        )
        for candidate in candidates
    ]


def list_pairs(tx: Transaction, candidates: Iterable[Candidate]) -> list[tuple[Candidate, Suggestion]]:
    """List the pairs of stories that may report one event, the likeliest first, each pair once.

    Args:
        tx: open for reading.
        candidates: the first story of each pair is one of them.
    """
    pairs: dict[frozenset[int], tuple[Candidate, Suggestion]] = {}
    for batch in chunks(candidates):
        for candidate in add_suggestions(tx, batch):
            for suggestion in candidate.suggested:
                pairs.setdefault(frozenset((candidate.story.id, suggestion.story)), (candidate, suggestion))
    return sorted(pairs.values(), key=lambda pair: (-pair[1].probability, pair[0].story.id, pair[1].story))


class _Offer(NamedTuple):
    """A story that is offered with another.

    Args:
        story: the offered one.
        probability: that the two report one event.
        strongest: the link between an article of each.
    """

    story: Story
    probability: float
    strongest: EventLink


def _find_offers(tx: Transaction, candidates: Sequence[Candidate]) -> Mapping[int, Sequence[_Offer]]:
    """Find the stories to offer with each candidate, the likeliest first; a candidate without one is left out."""
    links = tx.events.find_links(member for candidate in candidates for member in candidate.story.members)
    if not links:
        return {}
    linked_ids = {article_id for pair in links for article_id in pair}
    stories = {story.id: story for story in tx.stories.find_by_articles(linked_ids).values()}
    story_of = {member: story_id for story_id, story in stories.items() for member in story.members}
    between: dict[tuple[int, int], list[EventLink]] = defaultdict(list)
    for pair, link in links.items():
        linked = sorted({story_of[article_id] for article_id in pair if article_id in story_of})
        if len(linked) == 2:
            between[linked[0], linked[1]].append(link)
    reporting = tx.events.find_days(story_of)
    sizes = Counter(story_of[article_id] for article_id in reporting)
    refused = _find_refused(tx, story_of)
    suggest = read_event_model(tx).suggest
    likely = {
        pair: probability
        for pair, links_between in between.items()
        if pair not in refused and all(link.probability for link in links_between)
        for probability in [
            combine_probabilities(
                (link.probability for link in links_between), sizes[pair[0]] * sizes[pair[1]], OFFERING
            )
        ]
        if probability >= suggest
    }
    accounts = _find_accounts(tx, story_of, {story_id for pair in likely for story_id in pair})
    offers: dict[int, list[_Offer]] = defaultdict(list)
    for (low, high), probability in likely.items():
        if len(accounts[low] | accounts[high]) == 1:
            continue  # a series of one account is no event
        strongest = max(between[low, high], key=lambda link: (link.probability, link.articles))
        offers[low].append(_Offer(stories[high], probability, strongest))
        offers[high].append(_Offer(stories[low], probability, strongest))
    return {
        candidate.story.id: sorted(offers[candidate.story.id], key=lambda offer: (-offer.probability, offer.story.id))[
            :MOST
        ]
        for candidate in candidates
        if candidate.story.id in offers
    }


def _find_accounts(tx: Transaction, story_of: Mapping[int, int], story_ids: Set[int]) -> Mapping[int, Set[str]]:
    """Find the accounts whose articles report the event of each story, by the id of the story."""
    profiles = tx.events.get_profiles(member for member, story_id in story_of.items() if story_id in story_ids)
    accounts: dict[int, set[str]] = defaultdict(set)
    for article_id, profile in profiles.items():
        accounts[story_of[article_id]].add(profile.account)
    return accounts


def _find_refused(tx: Transaction, story_of: Mapping[int, int]) -> set[tuple[int, int]]:
    """Find the pairs of stories, the smaller id first, of which an editor has set two articles apart.

    All articles of a story count, linked or not: an article that joins a story later brings no offer back.
    """
    apart = (pair for pair, decision in tx.decisions.find_pairs_by_hand(story_of).items() if decision.action == "split")
    pairs = (sorted(story_of[article_id] for article_id in pair) for pair in apart if story_of.keys() >= set(pair))
    return {(low, high) for low, high in pairs}
