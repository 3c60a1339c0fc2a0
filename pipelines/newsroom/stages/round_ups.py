"""Finds the round-ups that mention a candidate's event: 另见 8点1氪."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.deduplicate import round_ups
from pipelines.model import Candidate, StoredArticle
from pipelines.newsroom.stages.event_tuning import read_event_model
from pipelines.store import Transaction

BEFORE: Final = 1
"""Days before the first article of an event in which a round-up may mention it."""

AFTER: Final = 7
"""Days after the last article of an event in which a round-up may mention it; some come once a week."""


@dataclass(frozen=True, slots=True)
class RoundUpMention:
    """A round-up that mentions a candidate's event.

    Args:
        article: the round-up.
        part: its piece of news on the event.
        probability: that the piece of news reports the event.
    """

    article: StoredArticle
    part: str
    probability: float


def find_round_ups(tx: Transaction, candidates: Collection[Candidate]) -> Mapping[int, tuple[RoundUpMention, ...]]:
    """Find the round-ups that mention the events of candidates.

    Args:
        tx: open for reading.
        candidates: in any order.

    Returns:
        Mentions by story id, the earliest round-up first; a story that no round-up mentions is left out.
    """
    member_ids = [member for candidate in candidates for member in candidate.story.members]
    days = tx.events.find_days(member_ids)
    if not days:
        return {}
    near_days: set[int] = set()  # a page may have stories of this week and of ten years ago
    for candidate in candidates:
        if member_days := [days[member] for member in candidate.story.members if member in days]:
            near_days.update(range(min(member_days) - BEFORE, max(member_days) + AFTER + 1))
    terms = tx.events.read_round_up_terms(near_days)
    profiles = tx.events.get_profiles(days)
    model = read_event_model(tx)
    alike_of: dict[int, list[int]] = {}
    for candidate in candidates:
        members = [member for member in candidate.story.members if member in profiles]
        if members:
            first_day, last_day = min(days[member] for member in members), max(days[member] for member in members)
            event = [profiles[member] for member in members]
            alike_ids = terms.find_alike(event, first_day - BEFORE, last_day + AFTER, model.rarity)
            alike_of[candidate.story.id] = [each for each in alike_ids if each not in candidate.story.members]
    alike = tx.events.get_round_ups({article_id for alike_ids in alike_of.values() for article_id in alike_ids})
    mentions_of: dict[int, tuple[round_ups.Mention, ...]] = {}
    for candidate in candidates:
        near = {article_id: alike[article_id] for article_id in alike_of.get(candidate.story.id, ())}
        event = [profiles[member] for member in candidate.story.members if member in profiles]
        if mentions := round_ups.find_round_ups(event, near, model):
            mentions_of[candidate.story.id] = mentions
    articles = tx.articles.get({mention.article for mentions in mentions_of.values() for mention in mentions})
    return {
        story_id: tuple(
            sorted(
                (RoundUpMention(articles[mention.article], mention.part, mention.probability) for mention in mentions),
                key=lambda mention: (mention.article.article.published.at, mention.article.id),
            )
        )
        for story_id, mentions in mentions_of.items()
    }
