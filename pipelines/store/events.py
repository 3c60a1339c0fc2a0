"""Events: profiles of articles, keys by which articles on one event find each other in SQL, links between articles."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from pipelines.deduplicate.bands import Pair
from pipelines.deduplicate.event_profiles import EventProfile
from pipelines.deduplicate.event_tuning import EventTuning
from pipelines.deduplicate.events import CROWD, WINDOW, EventLink
from pipelines.deduplicate.round_ups import RoundUp, RoundUpTerms
from pipelines.store.bulk import QueryWithIds, chunks, hand_over, insert_numbers, insert_rows, is_one_of, select_in
from pipelines.store.tables import event_keys, event_links, event_profiles, event_tunings, event_versions, round_ups

PERIOD: Final = 32
"""Days whose keys lie together in the table: new keys touch few of its pages. A window lies in one period or two."""

# Select each article of `ids` with every article that shares a key with it within `window` days, when no crowd has the
# key on either day. Most keys have so few holders in the whole window that none of its days has a crowd; for the others
# the days are enumerated, so that the holders of a key in a crowd are counted and never listed. PostgreSQL expects two
# holders in all of the spans: it would go through those of all for each key of `ids`, were these not joined first.
_PAIRS: Final = QueryWithIds(
    """
    WITH RECURSIVE offsets(days) AS (
        SELECT -:window UNION ALL SELECT days + 1 FROM offsets WHERE days < :window
    ), own AS (
        SELECT key, day, article_id FROM event_keys WHERE article_id IN :ids
    ), uses AS MATERIALIZED (
        SELECT key, day, (SELECT count(*) FROM (
                  SELECT 1 FROM event_keys AS holder
                  WHERE holder.period IN [(asked.day - :window) / :period, (asked.day + :window) / :period]
                    AND holder.key = asked.key AND holder.day BETWEEN asked.day - :window AND asked.day + :window
                  LIMIT :crowd + 1) AS holders) AS number
        FROM (SELECT DISTINCT key, day FROM own) AS asked
    ), quiet AS (
        SELECT key, day FROM uses
        WHERE number > :crowd AND (SELECT count(*) FROM (
                  SELECT 1 FROM event_keys AS holder
                  WHERE holder.period = uses.day / :period AND holder.key = uses.key AND holder.day = uses.day
                  LIMIT :crowd + 1) AS holders) <= :crowd
    ), near AS (
        SELECT quiet.key, quiet.day, quiet.day + offsets.days AS their_day
        FROM quiet CROSS JOIN offsets
        WHERE (SELECT count(*) FROM (
                  SELECT 1 FROM event_keys AS holder
                  WHERE holder.period = (quiet.day + offsets.days) / :period
                    AND holder.key = quiet.key AND holder.day = quiet.day + offsets.days
                  LIMIT :crowd + 1) AS holders) BETWEEN 1 AND :crowd
    ), spans AS (
        SELECT key, day, day - :window AS first_day, day + :window AS last_day FROM uses
        WHERE number BETWEEN 2 AND :crowd
        UNION ALL
        SELECT key, day, their_day, their_day FROM near
    ), asking AS MATERIALIZED (
        SELECT own.article_id, spans.key, spans.first_day, spans.last_day
        FROM spans
        JOIN own ON own.key = spans.key AND own.day = spans.day
    )
    SELECT DISTINCT asking.article_id, theirs.article_id
    FROM asking
    JOIN event_keys AS theirs ON theirs.period IN [asking.first_day / :period, asking.last_day / :period]
        AND theirs.key = asking.key AND theirs.day BETWEEN asking.first_day AND asking.last_day
    WHERE theirs.article_id <> asking.article_id
""",
    window=WINDOW,
    crowd=CROWD,
    period=PERIOD,
)

# Select every article within `window` days of a key and a day whose holders are a crowd only because of `ids`.
_TIPPING_HOLDERS: Final = QueryWithIds(
    """
    SELECT DISTINCT theirs.article_id
    FROM (
        SELECT period, key, day, count(*) AS number FROM event_keys WHERE article_id IN :ids GROUP BY period, key, day
    ) AS own
    JOIN event_keys AS theirs ON theirs.period IN [(own.day - :window) / :period, (own.day + :window) / :period]
        AND theirs.key = own.key AND theirs.day BETWEEN own.day - :window AND own.day + :window
    WHERE (SELECT count(*) FROM (
              SELECT 1 FROM event_keys AS holder
              WHERE holder.period = own.period AND holder.key = own.key AND holder.day = own.day
              LIMIT :limit) AS holders) BETWEEN :crowd + 1 AND :crowd + own.number
""",
    crowd=CROWD,
    window=WINDOW,
    period=PERIOD,
)


# Selects the links of `ids` of `least` probability, and the contradictions: two searches of an index each, where OR
# would be one slow search.
_LINKED: Final = """
    SELECT {columns} FROM event_links WHERE one IN :ids AND (probability >= :least OR probability = 0)
    UNION ALL
    SELECT {columns} FROM event_links
    WHERE other IN :ids AND one NOT IN :ids AND (probability >= :least OR probability = 0)
"""
_LINKS: Final = QueryWithIds(_LINKED.format(columns="one, other, probability, CAST(terms AS TEXT), action, hours"))
_LINKED_PAIRS: Final = QueryWithIds(_LINKED.format(columns="one, other"))


@dataclass(frozen=True, slots=True)
class IndexedProfile:
    """A profile with what the store finds it by.

    Args:
        day: ordinal of its day of publication.
        keys: its event keys.
        text: the profile as the store has it.
    """

    day: int
    keys: frozenset[int]
    text: str

    @classmethod
    def of(cls, profile: EventProfile, day: int, keys: frozenset[int]) -> Self:
        """A profile as text; this process keeps what it says, since it is compared soon."""
        text = profile.to_json()
        _keep_profile(text, profile)
        return cls(day, keys, text)


_MOST_PROFILES: Final = 4096
"""Profiles that are kept, some 20 MB: each batch compares its articles with the articles of a few days."""

_profiles: dict[str, EventProfile] = {}
"""Profiles by their texts, as the store has them."""


def _keep_profile(text: str, profile: EventProfile) -> EventProfile:
    if len(_profiles) >= _MOST_PROFILES:
        _profiles.clear()
    _profiles[text] = profile
    return profile


def _read_profile(text: str) -> EventProfile:
    """Read a profile that this process has neither written nor read lately."""
    profile = _profiles.get(text)
    return profile if profile is not None else _keep_profile(text, EventProfile.from_json(text))


@lru_cache(maxsize=6000)
def _read_round_up(text: str) -> RoundUp:
    """Read a round-up that this process has not read lately: the desk asks for the same ones with each page."""
    return RoundUp.from_json(text)


@lru_cache(maxsize=2)
def _read_tuning(text: str) -> EventTuning:
    """Read a stored tuning, once for all batches of a run."""
    return EventTuning.from_json(text)


class EventIndex:
    """Profiles, keys and links of all articles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_changed(self, profiles: Mapping[int, IndexedProfile | None]) -> set[int]:
        """Find the articles whose stored day, profile or keys are others than these, by article id."""
        columns = (event_profiles.c.article_id, event_profiles.c.day, event_profiles.c.profile)
        rows = select_in(self._connection, columns, event_profiles.c.article_id, profiles)
        stored = {article_id: (day, profile) for article_id, day, profile in rows}
        keys = self.get_keys(profiles)
        return {
            article_id
            for article_id, profile in profiles.items()
            if (stored.get(article_id), keys.get(article_id, set()))
            != ((profile.day, profile.text) if profile else None, profile.keys if profile else set())
        }

    def get_version(self) -> int:
        """A number that is another one as soon as any key or profile has changed."""
        return self._connection.execute(select(event_versions.c.version)).scalar() or 0

    def _count_change(self) -> None:
        raised = update(event_versions).values(version=event_versions.c.version + 1)
        if not self._connection.execute(raised).rowcount:
            self._connection.execute(insert(event_versions), {"id": 1, "version": 1})

    def save(self, profiles: Mapping[int, IndexedProfile | None]) -> None:
        """Store the profiles and keys of articles, by article id; None for an article that reports no event."""
        if profiles:
            self._count_change()
        for chunk in chunks(profiles):
            self._connection.execute(delete(event_keys).where(event_keys.c.article_id.in_(chunk)))
            self._connection.execute(delete(event_profiles).where(event_profiles.c.article_id.in_(chunk)))
        indexed = {article_id: profile for article_id, profile in profiles.items() if profile}
        if not indexed:
            return
        profile_rows = [
            {"article_id": article_id, "day": profile.day, "profile": profile.text}
            for article_id, profile in indexed.items()
        ]
        insert_rows(self._connection, event_profiles, profile_rows)
        rows = [
            (profile.day // PERIOD, key, profile.day, article_id)
            for article_id, profile in indexed.items()
            for key in profile.keys
        ]
        insert_numbers(self._connection, event_keys, sorted(rows))  # each page of the table is written once

    def save_round_ups(self, parts: Mapping[int, tuple[int, RoundUp] | None]) -> None:
        """Store round-ups, each with the ordinal of its day, by article id; None for an article that is no round-up."""
        for chunk in chunks(parts):
            self._connection.execute(delete(round_ups).where(round_ups.c.article_id.in_(chunk)))
        rows = [
            {
                "article_id": article_id,
                "day": dated[0],
                "parts": dated[1].to_json(),
                "terms": dated[1].pack_terms(),
            }
            for article_id, dated in parts.items()
            if dated
        ]
        if rows:
            self._connection.execute(insert(round_ups), rows)

    def read_round_up_terms(self, days: Collection[int]) -> RoundUpTerms:
        """Read the terms of the round-ups of days, by their ordinals."""
        query = select(round_ups.c.article_id, round_ups.c.day, round_ups.c.terms)
        is_of_days = is_one_of(round_ups.c.day, sorted(days), self._connection.dialect.name)
        rows = self._connection.execute(query.where(is_of_days))
        return RoundUpTerms((row.article_id, row.day, row.terms) for row in rows)

    def get_round_ups(self, article_ids: Iterable[int]) -> dict[int, RoundUp]:
        """The round-ups among articles, by article id."""
        columns = (round_ups.c.article_id, round_ups.c.parts)
        rows = select_in(self._connection, columns, round_ups.c.article_id, article_ids)
        return {article_id: _read_round_up(parts) for article_id, parts in rows}

    def get_profiles(self, article_ids: Iterable[int]) -> dict[int, EventProfile]:
        """The profiles of the articles that have one, by article id."""
        columns = (event_profiles.c.article_id, event_profiles.c.profile)
        rows = select_in(self._connection, columns, event_profiles.c.article_id, article_ids)
        return {article_id: _read_profile(profile) for article_id, profile in rows}

    def find_days(self, article_ids: Iterable[int]) -> dict[int, int]:
        """The days of publication of the articles that have a profile, by article id."""
        columns = (event_profiles.c.article_id, event_profiles.c.day)
        return dict(select_in(self._connection, columns, event_profiles.c.article_id, article_ids))

    def get_keys(self, article_ids: Iterable[int]) -> dict[int, set[int]]:
        """The event keys of articles, by article id; an article without keys is left out."""
        keys: dict[int, set[int]] = defaultdict(set)
        columns = (event_keys.c.article_id, event_keys.c.key)
        for article_id, key in select_in(self._connection, columns, event_keys.c.article_id, article_ids):
            keys[article_id].add(key)
        return dict(keys)

    def find_holders(self, keys: Iterable[int], first_day: int, last_day: int) -> set[int]:
        """Find the articles published from day to day that have one of these keys.

        Args:
            keys: of events.
            first_day, last_day: ordinals.
        """
        periods = range(first_day // PERIOD, last_day // PERIOD + 1)
        is_near = event_keys.c.period.in_(periods) & event_keys.c.day.between(first_day, last_day)
        query = select(event_keys.c.article_id).where(is_near)
        return {
            article_id
            for chunk in chunks(keys)
            for article_id in self._connection.execute(query.where(event_keys.c.key.in_(chunk))).scalars()
        }

    def find_newest_day(self) -> int | None:
        """Find the ordinal of the day of the newest article with a profile; None without one."""
        return self._connection.execute(select(func.max(event_profiles.c.day))).scalar()

    def list_since(self, first_day: int) -> list[int]:
        """List the articles with a profile that were published on a day, an ordinal, or later."""
        return list(
            self._connection.execute(
                select(event_profiles.c.article_id).where(event_profiles.c.day >= first_day)
            ).scalars()
        )

    def iterate_newest(self, limit: int) -> Iterator[tuple[int, EventProfile]]:
        """Iterate over the days, ordinals, and the profiles of the newest articles.

        Args:
            limit: most profiles.
        """
        query = (
            select(event_profiles.c.day, event_profiles.c.profile)
            .order_by(event_profiles.c.day.desc(), event_profiles.c.article_id.desc())
            .limit(limit)
        )
        for day, profile in self._connection.execute(query):
            yield day, EventProfile.from_json(profile)

    def get_tuning(self) -> EventTuning | None:
        """What the model of events learned from this newsroom last; None before it learned anything."""
        text = self._connection.execute(select(event_tunings.c.tuning)).scalar()
        return _read_tuning(text) if text else None

    def save_tuning(self, tuning: EventTuning) -> None:
        """Put a tuning in place of the last one."""
        self._connection.execute(delete(event_tunings))
        self._connection.execute(insert(event_tunings), {"id": 1, "tuning": tuning.to_json()})

    def find_pairs(self, article_ids: Iterable[int]) -> set[Pair]:
        """Find the pairs of articles that share a key, and of which one article is given.

        `pipelines.deduplicate.events.find_event_pairs` finds the same pairs among all articles, in memory.
        """
        return _PAIRS.read_pairs(self._connection, article_ids)

    def find_tipping_holders(self, article_ids: Collection[int]) -> set[int]:
        """Find the articles near a key whose holders are a crowd only because of these articles."""
        limit = CROWD + len(article_ids) + 1
        return {holder_id for (holder_id,) in _TIPPING_HOLDERS.read(self._connection, article_ids, limit=limit)}

    def find_links(self, article_ids: Iterable[int], at_least: float = 0.0) -> dict[Pair, EventLink]:
        """Find the links of these articles to any other, by pair.

        Args:
            article_ids: of the articles in question.
            at_least: smallest probability; contradictions, of the probability 0, are found too.
        """
        return {
            (low_id, high_id): EventLink((low_id, high_id), probability, tuple(json.loads(terms)), action, hours)
            for chunk in chunks(article_ids)
            for low_id, high_id, probability, terms, action, hours in _LINKS.read(
                self._connection, chunk, least=at_least
            )
        }

    def find_linked_pairs(self, article_ids: Iterable[int], at_least: float) -> set[Pair]:
        """Find the pairs of articles that `find_links` finds, without reading their links."""
        return _LINKED_PAIRS.read_pairs(self._connection, article_ids, least=at_least)

    def replace_links(
        self, article_ids: Collection[int], links: Iterable[EventLink], unlinked_ids: Collection[int]
    ) -> None:
        """Replace the links of these articles by new links; of two unlinked articles, the smaller id has their link.

        Args:
            article_ids: of unlinked articles.
            links: that they have now.
            unlinked_ids: of all articles whose links are replaced, some at a time.
        """
        columns = event_links.c
        pairs = []
        for chunk in chunks(article_ids):
            self._connection.execute(delete(event_links).where(columns.one.in_(chunk)))
            smaller = select(columns.one, columns.other).where(columns.other.in_(chunk))
            pairs += [
                {"low": low_id, "high": high_id}
                for low_id, high_id in self._connection.execute(smaller)
                if low_id not in unlinked_ids
            ]
        if pairs:
            of_pair = (columns.one == bindparam("low")) & (columns.other == bindparam("high"))
            self._connection.execute(delete(event_links).where(of_pair), pairs)
        self._insert_links(links)

    def _insert_links(self, links: Iterable[EventLink]) -> None:
        rows = [
            {
                "one": link.articles[0],
                "other": link.articles[1],
                "probability": link.probability,
                "terms": list(link.terms),
                "action": link.action,
                "hours": link.hours,
            }
            for link in links
        ]
        insert_rows(self._connection, event_links, rows)

    def join(self, gone_id: int, kept_id: int) -> set[int]:
        """Give the keys of an article that joined another to the other, until that one is grouped again.

        Returns:
            Ids of the articles that were linked to the one that is gone; they have to be grouped again.
        """
        hand_over(self._connection, event_keys, gone_id, kept_id)
        return self.remove(gone_id)

    def remove(self, gone_id: int) -> set[int]:
        """Remove an article.

        Returns:
            Ids of the articles that were linked to it; they have to be grouped again.
        """
        self._count_change()
        partners = {article_id for pair in self.find_links([gone_id]) for article_id in pair} - {gone_id}
        self.replace_links([gone_id], (), [gone_id])
        for table in (event_keys, event_profiles, round_ups):
            self._connection.execute(delete(table).where(table.c.article_id == gone_id))
        return partners
