"""Finds the round-ups that mention an event: 早报, 周报, titles with three pieces of news. Pure.

A round-up reports several events and belongs to none. Its parts, the pieces of news of its title and its digest, are
each compared with the articles of an event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Self

from crawler.characters import keep_letters
from pipelines.deduplicate.event_model import EventModel, Rarity
from pipelines.deduplicate.event_profiles import EventProfile, is_round_up, read_event_profile
from pipelines.deduplicate.events import find_probability
from pipelines.model import Article
from pipelines.rules.events import EventRules
from pipelines.text import fold

MENTION: Final = 0.4
"""Smallest probability at which a part of a round-up mentions an event."""

MOST_PARTS: Final = 40
"""Parts of a round-up that are read."""

_PART: Final = 6
"""Letters of a part, at least."""

# 甲发布新模型/乙裁员；丙起诉丁 ｜ 早报 · 🚗蔚来回应 ⏎ 3. 己涨价
_SEPARATOR: Final = re.compile(
    r"[/;；|｜丨·•\n。]|(?<!\d)\d{1,2}[.、](?!\d)|[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\ufe0f\u20e3]+"
)


@dataclass(frozen=True, slots=True)
class RoundUp:
    """A round-up as its parts.

    Args:
        parts: the text of each, and its profile, read as if it were the title of an article; in the order of the text.
    """

    parts: tuple[tuple[str, EventProfile], ...]

    def to_json(self) -> str:
        """Write the round-up for the store."""
        return json.dumps([(text, profile.to_json()) for text, profile in self.parts], ensure_ascii=False)

    @classmethod
    def from_json(cls, written: str) -> Self:
        """Read a round-up as `to_json` writes it."""
        return cls(tuple((text, EventProfile.from_json(profile)) for text, profile in json.loads(written)))


@dataclass(frozen=True, slots=True)
class Mention:
    """A part of a round-up that mentions an event.

    Args:
        article: id of the round-up.
        part: its text.
        probability: that the part reports the event.
    """

    article: int
    part: str
    probability: float


def read_round_up(article: Article, rules: EventRules) -> RoundUp | None:
    """Read the parts of a round-up.

    Args:
        article: of any kind.
        rules: events.toml.

    Returns:
        None if the article is no round-up, or has no day.
    """
    if not is_round_up(article.title, rules):
        return None
    texts = _split(f"{article.title}\n{article.summary or article.text}")
    profiles = (
        (text, read_event_profile(replace(article, title=text, summary=text, text="", keys=()), rules))
        for text in texts
    )
    return RoundUp(tuple((text, profile) for text, profile in profiles if profile is not None))


def find_round_ups(
    event: Collection[EventProfile], round_ups: Mapping[int, RoundUp], model: EventModel
) -> tuple[Mention, ...]:
    """Find the round-ups of which a part mentions an event.

    Args:
        event: profiles of its articles.
        round_ups: of the days of the event, by article id.
        model: to judge by.

    Returns:
        One mention for each round-up that has one, its likeliest part; by ascending article id.
    """
    mentions = []
    for article_id, round_up in sorted(round_ups.items()):
        of_parts = [
            Mention(article_id, text, probability)
            for text, part in round_up.parts
            for alike in [[profile for profile in event if _share_enough(part, profile, model.rarity)]]
            for probability in [max((find_probability(part, profile, model) for profile in alike), default=0.0)]
            if probability >= MENTION
        ]
        if of_parts:
            mentions.append(max(of_parts, key=lambda mention: mention.probability))
    return tuple(mentions)


_LEAST_SHARED: Final = 5.0
"""Smallest sum of the rarity of the terms that a part and an article share; a pair that shares less is not compared."""


def _share_enough(part: EventProfile, profile: EventProfile, rarity: Rarity) -> bool:
    shared = part.in_all & profile.in_all
    return bool(shared) and sum(map(rarity.of, shared)) >= _LEAST_SHARED


def _split(text: str) -> Iterator[str]:
    parts = (part.strip() for part in _SEPARATOR.split(text))
    return islice((part for part in dict.fromkeys(parts) if len(keep_letters(fold(part))) >= _PART), MOST_PARTS)
