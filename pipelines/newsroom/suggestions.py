"""Finds the stories that may report the same event as a candidate: not certain enough to join, and offered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.events import EventLink, make_link_evidence
from pipelines.model import Candidate, Suggestion
from pipelines.store import Transaction

MOST: Final = 4
"""Largest number of stories that are offered with one candidate."""


def add_suggestions(tx: Transaction, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Add to each candidate the other stories that may report its event.

    A story from which an editor has set an article of the candidate apart is not offered again.

    Args:
        tx: open for reading.
        candidates: in any order; the order is kept.
    """
    links = tx.events.find_links(member for candidate in candidates for member in candidate.story.members)
    if not links:
        return list(candidates)
    linked_stories = tx.stories.find_by_articles({article_id for pair in links for article_id in pair})
    members = {story.id: story.members for story in linked_stories.values()}
    days = tx.events.find_days(member for ids in members.values() for member in ids)
    sizes = {story_id: sum(member in days for member in ids) for story_id, ids in members.items()}
    set_apart = {
        frozenset(linked_stories[article_id].id for article_id in pair)
        for pair, decision in tx.decisions.find_pairs_by_hand(linked_stories).items()
        if decision.action == "split" and linked_stories.keys() >= set(pair)
    }
    between: dict[frozenset[int], list[EventLink]] = defaultdict(list)
    for pair, link in links.items():
        story_ids = frozenset(linked_stories[article_id].id for article_id in pair if article_id in linked_stories)
        if len(story_ids) == 2 and story_ids not in set_apart:
            between[story_ids].append(link)
    suggest = load_event_model().suggest
    leads = {story.id: story.lead for story in linked_stories.values()}
    offered: dict[int, list[tuple[float, int, EventLink]]] = defaultdict(list)
    for story_ids, links_between in between.items():
        first_id, second_id = sorted(story_ids)
        mean = sum(link.probability for link in links_between) / (sizes[first_id] * sizes[second_id])
        strongest = max(links_between, key=lambda link: (link.probability, link.articles))
        if mean >= suggest:
            offered[first_id].append((mean, second_id, strongest))
            offered[second_id].append((mean, first_id, strongest))
    chosen = {
        candidate.story.id: sorted(offered[candidate.story.id], key=lambda offer: (-offer[0], offer[1]))[:MOST]
        for candidate in candidates
    }
    titles = tx.articles.get({leads[story_id] for offers in chosen.values() for _, story_id, _ in offers})
    return [
        replace(
            candidate,
            suggested=tuple(
                Suggestion(
                    story_id,
                    titles[leads[story_id]].article.title,
                    mean,
                    make_link_evidence(link),
                )
                for mean, story_id, link in chosen[candidate.story.id]
            ),
        )
        for candidate in candidates
    ]
