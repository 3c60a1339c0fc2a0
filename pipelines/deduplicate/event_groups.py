"""Joins clusters into events by average linkage over the links of their articles. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import product
from typing import Final

from pipelines.deduplicate.bands import Pair
from pipelines.deduplicate.events import EventLink

SPAN: Final = 7
"""Largest number of days between the first and the last article of an event; later news is a new event."""

LEAST: Final = 0.2
"""Links of a smaller probability count as none: what an event may consist of stays a matter of few articles."""

_SCALE: Final = 10_000
"""Probabilities are summed as integers, so that a sum does not depend on the order."""


@dataclass(frozen=True, slots=True)
class EventMember:
    """An article that may join an event.

    Args:
        day: ordinal of the day of publication.
        rank: what the order of articles with equal links depends on: time and URL, never the id.
    """

    day: int
    rank: tuple[float, str]


@dataclass(frozen=True, slots=True)
class JoinedEvent:
    """Clusters that report one event.

    Args:
        clusters: indexes of the clusters, ascending.
        links: the strongest link of each join; one fewer than the clusters.
    """

    clusters: tuple[int, ...]
    links: tuple[EventLink, ...]


def join_events(
    clusters: Sequence[Collection[int]],
    members: Mapping[int, EventMember],
    links: Iterable[EventLink],
    join: float,
    apart: Collection[Pair] = (),
) -> tuple[JoinedEvent, ...]:
    """Join the two clusters with the highest mean probability, again and again, until none reaches `join`.

    A pair of articles without a link has the probability 0, so a chain of links does not make one event of two.

    Args:
        clusters: article ids of each cluster; every article is in exactly one.
        members: the articles that report an event; other members of a cluster count nothing.
        links: between articles of different clusters; further ones are ignored.
        join: smallest mean probability.
        apart: pairs of article ids, smaller id first, that an editor has set apart.

    Returns:
        Events of two or more clusters, in the order of their first cluster.
    """
    groups = _Groups(clusters, members, join, frozenset(apart))
    for link in links:
        groups.add(link)
    return groups.join_all()


class _Groups:
    """Groups of clusters that grow. A group is identified by its smallest cluster in the order of ranks."""

    def __init__(
        self,
        clusters: Sequence[Collection[int]],
        members: Mapping[int, EventMember],
        join: float,
        apart: frozenset[Pair],
    ) -> None:
        self._join = join * _SCALE
        self._apart = apart
        self._set_apart = {article_id for pair in apart for article_id in pair}
        self._clusters = clusters
        eventful = [
            (min(members[article_id].rank for article_id in cluster if article_id in members), index)
            for index, cluster in enumerate(clusters)
            if any(article_id in members for article_id in cluster)
        ]
        self._order = {index: position for position, (_, index) in enumerate(sorted(eventful))}
        self._index = {position: index for index, position in self._order.items()}
        self._group_of: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._days: dict[int, tuple[int, int]] = {}
        self._parts: dict[int, list[int]] = {}
        self._articles: dict[int, list[int]] = {}
        self._sums: dict[int, dict[int, int]] = {}
        self._best: dict[int, dict[int, tuple[tuple[object, ...], EventLink]]] = {}
        self._joins: dict[int, list[EventLink]] = {}
        self._members = members
        for index, group in self._order.items():
            days = [members[article_id].day for article_id in clusters[index] if article_id in members]
            self._group_of.update(dict.fromkeys(clusters[index], group))
            self._size[group] = len(days)
            self._days[group] = min(days), max(days)
            self._parts[group] = [group]
            self._articles[group] = list(clusters[index])
            self._sums[group] = {}
            self._best[group] = {}
            self._joins[group] = []

    def add(self, link: EventLink) -> None:
        """Count the link between the groups of its articles."""
        if link.probability < LEAST or not self._members.keys() >= set(link.articles):
            return
        first, second = (self._group_of[article_id] for article_id in link.articles)
        if first == second:
            return
        weight = round(link.probability * _SCALE)
        ranks = sorted(self._members[article_id].rank for article_id in link.articles)
        entry = ((-weight, *ranks), link)
        for group, neighbour in ((first, second), (second, first)):
            self._sums[group][neighbour] = self._sums[group].get(neighbour, 0) + weight
            self._best[group][neighbour] = min(self._best[group].get(neighbour, entry), entry, key=lambda pair: pair[0])

    def join_all(self) -> tuple[JoinedEvent, ...]:
        """Join until no two groups are alike enough."""
        waiting = [
            entry for group, neighbours in self._sums.items() for neighbour in neighbours if group < neighbour
            for entry in self._rate(group, neighbour)
        ]  # fmt: skip
        heapify(waiting)
        while waiting:
            negative_mean, group, neighbour, size, neighbour_size = heappop(waiting)
            if self._size.get(group) != size or self._size.get(neighbour) != neighbour_size:
                continue  # one of them has grown since
            if not self._may_join(group, neighbour):
                continue
            del negative_mean
            self._join_two(group, neighbour)
            for third in self._sums[group]:
                for entry in self._rate(*sorted((group, third))):
                    heappush(waiting, entry)
        return tuple(
            JoinedEvent(tuple(sorted(self._index[part] for part in parts)), tuple(self._joins[group]))
            for group, parts in sorted(self._parts.items(), key=lambda item: min(self._index[part] for part in item[1]))
            if len(parts) > 1
        )

    def _rate(self, group: int, neighbour: int) -> list[tuple[float, int, int, int, int]]:
        """The entry of two groups in the queue, if they are alike enough."""
        size, neighbour_size = self._size[group], self._size[neighbour]
        mean = self._sums[group][neighbour] / (size * neighbour_size)
        return [(-mean, group, neighbour, size, neighbour_size)] if mean >= self._join else []

    def _may_join(self, group: int, neighbour: int) -> bool:
        first, last = zip(self._days[group], self._days[neighbour], strict=True)
        if max(last) - min(first) > SPAN:
            return False
        if not self._set_apart:
            return True
        ours, theirs = (self._set_apart.intersection(self._articles[group_id]) for group_id in (group, neighbour))
        return not any((min(pair), max(pair)) in self._apart for pair in product(ours, theirs))

    def _join_two(self, group: int, neighbour: int) -> None:
        """Make one group of two, under the smaller number."""
        self._joins[group] += [*self._joins.pop(neighbour), self._best[group][neighbour][1]]
        self._parts[group] += self._parts.pop(neighbour)
        self._articles[group] += self._articles.pop(neighbour)
        self._size[group] += self._size.pop(neighbour)
        days, neighbour_days = self._days[group], self._days.pop(neighbour)
        self._days[group] = min(days[0], neighbour_days[0]), max(days[1], neighbour_days[1])
        for third, weight in self._sums.pop(neighbour).items():
            entry = self._best[neighbour][third]
            del self._sums[third][neighbour], self._best[third][neighbour]
            if third == group:
                continue
            total = self._sums[group].get(third, 0) + weight
            best = min(self._best[group].get(third, entry), entry, key=lambda pair: pair[0])
            self._sums[group][third] = self._sums[third][group] = total
            self._best[group][third] = self._best[third][group] = best
        del self._best[neighbour]
