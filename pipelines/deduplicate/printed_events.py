"""Finds the printed entry that reports the event of an article in other words. Pure.

An entry has a title and a digest, and the day of its issue; nobody knows on which day before it the event was.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple, Self, cast

from pipelines.deduplicate.event_groups import combine_probabilities
from pipelines.deduplicate.event_model import EventModel, Rarity
from pipelines.deduplicate.event_profiles import EventProfile, Term
from pipelines.deduplicate.events import WINDOW, find_event_links, make_event_keys
from pipelines.deduplicate.memory import Printed

REACH: Final = 21
"""Days before its issue in which an entry's event may have been: the time between two issues, and a week."""

ASSUMED_HOURS: Final = 12.0
"""Hours assumed between an article and the event of an entry, where the issue's day does not say more."""

TELLING: Final = 12
"""Letters of a title that two articles do not share by chance."""


@dataclass(frozen=True, slots=True)
class PrintedEvent:
    """An entry that reports an event.

    Args:
        printed: the entry.
        profile: of its title and digest.
        keys: its event keys.
    """

    printed: Printed
    profile: EventProfile
    keys: frozenset[int]

    @classmethod
    def of(cls, printed: Printed, profile: EventProfile, model: EventModel) -> Self:
        """Make the event of an entry.

        Args:
            printed: the entry.
            profile: of its title and digest.
            model: says which terms are rare.
        """
        return cls(printed, profile, make_event_keys(profile, model.rarity))


NEWS_AND_REPEAT: Final = 2
"""Entries that may have a term of one event: the news, and a repeat of it. A term of more entries is common."""


def follow_newsletter(model: EventModel, profiles: Collection[EventProfile]) -> EventModel:
    """Make a model for which the terms of a newsletter are as common as they are in its own entries.

    The model's rarities come from news of all sorts. A newsletter on chips prints 麒麟 and 7nm in every issue, and two
    entries that share them report two events.

    Args:
        model: to judge by.
        profiles: of the newsletter's entries.
    """
    uses = Counter(term for profile in profiles for term in profile.in_all)
    counts, articles = model.rarity.counts, model.rarity.articles
    common = {
        term: max(counts.get(term, 0), round((number - NEWS_AND_REPEAT) / len(profiles) * articles))
        for term, number in uses.items()
        if number > NEWS_AND_REPEAT
    }
    return replace(model, rarity=Rarity(articles, ChainMap(common, cast("dict[Term, float]", counts))))


class DatedProfile(NamedTuple):
    """What an article says of its event.

    Args:
        day: of publication, as an ordinal.
        profile: of title and first text.
        keys: its event keys.
    """

    day: int
    profile: EventProfile
    keys: Collection[int]


def find_printed_event(
    profiles: Collection[DatedProfile], reporting: int, events: Iterable[PrintedEvent], model: EventModel
) -> Printed | None:
    """Find the entry that reports the event of a story: the combined probability reaches `model.join`.

    Args:
        profiles: of articles of the story; an entry that shares no key with an article is not compared with it.
        reporting: number of the story's articles that report an event, at least that of the profiles.
        events: of issues near the story in time; further ones are ignored.
        model: to judge by.

    Returns:
        The likeliest entry, of equal ones the earliest; None without one.
    """
    likely: list[tuple[float, date, Printed]] = []
    for event in events:
        probabilities = [
            _find_probability(each, event, model) for each in profiles if not event.keys.isdisjoint(each.keys)
        ]
        if probabilities and (probability := combine_probabilities(probabilities, reporting)) >= model.join:
            likely.append((-probability, event.printed.day, event.printed))
    return min(likely, key=lambda each: each[:2])[2] if likely else None


def _find_probability(article: DatedProfile, event: PrintedEvent, model: EventModel) -> float:
    """The probability that an article reports the event of an entry."""
    profile = article.profile
    late = article.day - event.printed.day.toordinal()
    if not -REACH <= late <= WINDOW:
        return 0.0
    if profile.letters == event.profile.letters:
        return 1.0 if len(profile.letters) >= TELLING else 0.0
    distance = max(ASSUMED_HOURS, 24.0 * late)
    pair = {0: replace(event.profile, hours=profile.hours - distance), 1: profile}
    return max((link.probability for link in find_event_links(pair, [(0, 1)], model)), default=0.0)
