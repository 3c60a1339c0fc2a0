"""Finds the round-ups that mention an event: 早报, 周报, titles with three pieces of news. Pure.

A round-up reports several events and belongs to none. Its parts, the pieces of news of its title and its digest, are
each compared with the articles of an event.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from crawler.characters import keep_letters
from pipelines.deduplicate.event_model import EventModel, Rarity
from pipelines.deduplicate.event_profiles import EventProfile, Term, is_round_up, read_event_profile
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

    def pack_terms(self) -> bytes:
        """Pack the terms of the parts for `RoundUpTerms`: 32 bits for each term, and 32 zeros after each part."""
        numbers = [number for _, part in self.parts for number in (*map(_number_term, part.in_all), _END_OF_PART)]
        return np.array(numbers, _NUMBERS).tobytes()


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


_END_OF_PART: Final = 0
_NUMBERS: Final = np.dtype("<u4")


def _number_term(term: Term) -> int:
    return crc32(term.encode(errors="replace")) or 1


class RoundUpTerms:
    """The terms of many round-ups as numbers: finds the few round-ups that are worth comparing with an event.

    Two terms may have one number, so a round-up that is found may share too little; none is missed.

    Args:
        rows: of each round-up the id, the ordinal of its day, and its terms, as `RoundUp.pack_terms` packs them.
    """

    def __init__(self, rows: Iterable[tuple[int, int, bytes]]) -> None:
        ordered = sorted(rows, key=lambda row: row[1])
        self._ids = [article_id for article_id, _, _ in ordered]
        self._days = [day for _, day, _ in ordered]
        self._numbers = np.frombuffer(b"".join(packed for _, _, packed in ordered), _NUMBERS)
        lengths = [len(packed) // _NUMBERS.itemsize for _, _, packed in ordered]
        self._starts = np.cumsum([0, *lengths])

    def find_alike(
        self, event: Collection[EventProfile], first_day: int, last_day: int, rarity: Rarity
    ) -> Sequence[int]:
        """Find the round-ups of which a part may share enough with an article of an event to be compared.

        Args:
            event: profiles of its articles.
            first_day, last_day: ordinals of the days of the round-ups.
            rarity: of terms.

        Returns:
            Article ids.
        """
        first, end = bisect_left(self._days, first_day), bisect_right(self._days, last_day)
        start = self._starts[first]
        numbers = self._numbers[start : self._starts[end]]
        ends_of_parts = np.flatnonzero(numbers == _END_OF_PART)
        if not ends_of_parts.size:
            return ()
        sums = np.cumsum(_weigh_numbers(numbers, event, rarity))[ends_of_parts]
        alike = ends_of_parts[np.diff(sums, prepend=0.0) >= _LEAST_SHARED - _ROUNDING]
        indexes = np.searchsorted(self._starts, alike + start, side="right") - 1
        return [self._ids[index] for index in dict.fromkeys(indexes.tolist())]


_ROUNDING: Final = 1e-6
"""A difference of two long sums may be off by less."""


def _weigh_numbers(numbers: NDArray[np.uint32], event: Collection[EventProfile], rarity: Rarity) -> NDArray[np.float64]:
    """Weigh each number: the rarity of the terms of an event that have it, 0 where none has."""
    weight_of: dict[int, float] = {}
    for term in frozenset().union(*(profile.in_all for profile in event)):
        number = _number_term(term)
        weight_of[number] = weight_of.get(number, 0.0) + max(rarity.of(term), 0.0)
    event_numbers = np.array(sorted(weight_of), _NUMBERS)
    weights = np.array([weight_of[number] for number in event_numbers.tolist()])
    places = np.searchsorted(event_numbers, numbers)
    places[places == event_numbers.size] = 0
    return np.where(event_numbers[places] == numbers, weights[places], 0.0)


def _split(text: str) -> Iterator[str]:
    parts = (part.strip() for part in _SEPARATOR.split(text))
    return islice((part for part in dict.fromkeys(parts) if len(keep_letters(fold(part))) >= _PART), MOST_PARTS)
