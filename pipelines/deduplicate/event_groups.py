"""Joins clusters into events by the links of their articles: agglomerative, by quadratic mean. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from pipelines.deduplicate.bands import Pair
from pipelines.deduplicate.events import EventLink

SPAN: Final = 7
"""Largest number of days between the first and the last article of an event; later news is a new event."""

LEAST: Final = 0.2
"""Links of a smaller probability count as none: what an event may consist of stays a matter of few articles."""

JOINING: Final = 2
"""Power of the mean of links by which groups join: the quadratic mean."""

OFFERING: Final = 4
"""Power of the mean by which they are offered as one: an editor decides, so one report like one other is enough."""

_SCALE: Final = 10_000
"""Probabilities are summed as integers, so that a sum does not depend on the order."""


@dataclass(frozen=True, slots=True)
class EventMember:
    """An article that may join an event.

    Args:
        day: ordinal of the day of publication.
        rank: what the order of articles with equal links depends on: time and URL, never the id.
        account: key of the account.
    """

    day: int
    rank: tuple[float, str]
    account: str


@dataclass(frozen=True, slots=True)
class JoinedEvent:
    """Clusters that report one event.

    Args:
        clusters: indexes of the clusters, ascending.
        links: the strongest link of each join; one fewer than the clusters.
    """

    clusters: tuple[int, ...]
    links: tuple[EventLink, ...]


def combine_probabilities(probabilities: Iterable[float], pairs: int, power: int = JOINING) -> float:
    """The probability that two groups report one event: the power mean over their pairs of articles.

    A pair without a link counts as 0. The arithmetic mean would ask every report of a large event to resemble every
    other one; the maximum would make one event of a chain.

    >>> round(combine_probabilities([0.9, 0.8], 4), 2)
    0.6

    Args:
        probabilities: of the links between the groups.
        pairs: number of pairs with an article of each group.
        power: of the mean, `JOINING` or `OFFERING`; the larger it is, the more a single strong link counts.
    """
    return math.pow(math.fsum(probability**power for probability in probabilities) / pairs, 1 / power)


def join_events(
    clusters: Sequence[Collection[int]],
    members: Mapping[int, EventMember],
    links: Iterable[EventLink],
    join: float,
    apart: Collection[Pair] = (),
) -> tuple[JoinedEvent, ...]:
    """Join the two clusters with the highest combined probability, again and again, until none reaches `join`.

    Two clusters of one account alone do not join: what an account writes about its own subject, in a series or a
    column, looks like one event. They may both join the report of another account.

    Args:
        clusters: article ids of each cluster; every article is in exactly one.
        members: the articles that report an event; other members of a cluster count nothing.
        links: between articles of different clusters; further ones are ignored. Two groups with a link of the
            probability 0 between them do not join.
        join: smallest probability, as `combine_probabilities` computes it.
        apart: pairs of article ids, smaller id first, that an editor has set apart.

    Returns:
        Events of two or more clusters, in the order of their first cluster.
    """
    groups = _Groups(clusters, members, join)
    for pair in apart:
        groups.set_apart(pair)
    for link in links:
        groups.add(link)
    return groups.join_all()


@dataclass(slots=True)
class _Group:
    """Clusters that have joined.

    Args:
        clusters: their indexes.
        articles: ids of all their articles.
        size: number of the articles that report an event.
        days: ordinals of the first and the last day of publication.
        accounts: keys of the accounts of the articles that report an event.
        apart: groups that it may not join.
        squares: sum of the squared probabilities of the links to each neighbour.
        strongest: the strongest link to each neighbour, and its place in the order of links.
        links: that joined the clusters.
    """

    clusters: list[int]
    articles: list[int]
    size: int
    days: tuple[int, int]
    accounts: frozenset[str]
    apart: set[int] = field(default_factory=set)
    squares: dict[int, int] = field(default_factory=dict)
    strongest: dict[int, tuple[tuple[object, ...], EventLink]] = field(default_factory=dict)
    links: list[EventLink] = field(default_factory=list)

    def link(self, neighbour: int, square: int, strongest: tuple[tuple[object, ...], EventLink]) -> None:
        """Count links to a neighbour."""
        self.squares[neighbour] = self.squares.get(neighbour, 0) + square
        former = self.strongest.get(neighbour, strongest)
        self.strongest[neighbour] = min(former, strongest, key=lambda entry: entry[0])

    def unlink(self, neighbour: int) -> tuple[int, tuple[tuple[object, ...], EventLink]]:
        """Forget a neighbour; return what `link` had counted."""
        return self.squares.pop(neighbour), self.strongest.pop(neighbour)


class _Groups:
    """Groups that grow. A group is numbered by the place of its first cluster in the order of ranks."""

    def __init__(
        self,
        clusters: Sequence[Collection[int]],
        members: Mapping[int, EventMember],
        join: float,
    ) -> None:
        self._least = (join * _SCALE) ** 2
        self._members = members
        eventful = sorted(
            (min(members[article_id].rank for article_id in cluster if article_id in members), index)
            for index, cluster in enumerate(clusters)
            if any(article_id in members for article_id in cluster)
        )
        self._groups: dict[int, _Group] = {}
        self._number_of: dict[int, int] = {}
        for number, (_, index) in enumerate(eventful):
            reports = [members[article_id] for article_id in clusters[index] if article_id in members]
            days = [report.day for report in reports]
            accounts = frozenset(report.account for report in reports)
            self._groups[number] = _Group([index], list(clusters[index]), len(days), (min(days), max(days)), accounts)
            self._number_of.update(dict.fromkeys(clusters[index], number))

    def add(self, link: EventLink) -> None:
        """Count the link between the groups of its articles; a link of the probability 0 sets them apart."""
        if not link.probability:
            self.set_apart(link.articles)
        if link.probability < LEAST or not self._members.keys() >= set(link.articles):
            return
        first, second = (self._number_of[article_id] for article_id in link.articles)
        if first == second:
            return
        square = round(link.probability * _SCALE) ** 2
        ranks = sorted(self._members[article_id].rank for article_id in link.articles)
        entry = (-square, *ranks), link
        self._groups[first].link(second, square, entry)
        self._groups[second].link(first, square, entry)

    def set_apart(self, pair: Pair) -> None:
        """Keep the groups of two articles from joining."""
        if self._number_of.keys() >= set(pair):
            first, second = (self._number_of[article_id] for article_id in pair)
            if first != second:
                self._groups[first].apart.add(second)
                self._groups[second].apart.add(first)

    def join_all(self) -> tuple[JoinedEvent, ...]:
        """Join until no two groups are alike enough."""
        waiting = [
            entry
            for number, group in self._groups.items()
            for neighbour in group.squares
            if number < neighbour
            for entry in self._rate(number, neighbour)
        ]
        heapify(waiting)
        while waiting:
            _, number, neighbour, *sizes = heappop(waiting)
            if [self._size(number), self._size(neighbour)] != sizes:
                continue  # one of them has grown since
            if self._may_join(number, neighbour):
                self._join_two(number, neighbour)
                for third in self._groups[number].squares:
                    for entry in self._rate(*sorted((number, third))):
                        heappush(waiting, entry)
        joined = (group for group in self._groups.values() if len(group.clusters) > 1)
        events = (JoinedEvent(tuple(sorted(group.clusters)), tuple(group.links)) for group in joined)
        return tuple(sorted(events, key=lambda event: event.clusters))

    def _size(self, number: int) -> int:
        group = self._groups.get(number)
        return group.size if group else 0

    def _rate(self, number: int, neighbour: int) -> Iterator[tuple[float, int, int, int, int]]:
        """The entry of two groups in the queue, if they are alike enough."""
        group, absorbed = self._groups[number], self._groups[neighbour]
        mean = group.squares[neighbour] / (group.size * absorbed.size)
        if mean >= self._least:
            yield -mean, number, neighbour, group.size, absorbed.size

    def _may_join(self, number: int, neighbour: int) -> bool:
        group, absorbed = self._groups[number], self._groups[neighbour]
        first, last = zip(group.days, absorbed.days, strict=True)
        is_series = len(group.accounts | absorbed.accounts) == 1
        return max(last) - min(first) <= SPAN and not is_series and neighbour not in group.apart

    def _join_two(self, number: int, neighbour: int) -> None:
        """Make one group of two, under the smaller number."""
        group, absorbed = self._groups[number], self._groups.pop(neighbour)
        _, (_, link) = group.unlink(neighbour)
        absorbed.unlink(number)
        group.links += [*absorbed.links, link]
        group.clusters += absorbed.clusters
        group.articles += absorbed.articles
        group.size += absorbed.size
        group.accounts |= absorbed.accounts
        group.apart |= absorbed.apart
        for third in absorbed.apart:
            self._groups[third].apart.discard(neighbour)
            self._groups[third].apart.add(number)
        group.days = min(group.days[0], absorbed.days[0]), max(group.days[1], absorbed.days[1])
        for third in list(absorbed.squares):
            square, strongest = absorbed.unlink(third)
            self._groups[third].unlink(neighbour)
            group.link(third, square, strongest)
            self._groups[third].link(number, square, strongest)
