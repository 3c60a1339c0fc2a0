"""Joins what evidence joins into clusters, unless members contradict each other or lie too far apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from pipelines.deduplicate.contradictions import contradiction, identifiers
from pipelines.model import Evidence, StoredArticle

STRENGTH: Final = ("by-hand", "reprint", "names", "shared-reference", "near-text", "same-title", "similar-title")
"""Kinds of evidence, the strongest first: what joins first stands, and what contradicts it stays out."""


EXPLICIT: Final = frozenset({"reprint", "names"})
"""Kinds in which one article says itself that it is about the other; their titles need not agree."""


DIAMETER: Final = 4
"""How many steps of evidence may lie between two articles of a story: a post, its paper, another post, its reprint."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Articles that evidence joined.

    Args:
        members: ids, ascending.
        evidence: what joined them, strongest first: one piece less than there are members.
    """

    members: tuple[int, ...]
    evidence: tuple[Evidence, ...]


def unite(
    articles: Sequence[StoredArticle], evidence: Iterable[Evidence], apart: Collection[tuple[int, int]] = ()
) -> tuple[Cluster, ...]:
    """Join what the evidence joins, unless two members would contradict each other or lie too far apart.

    A person may join what no evidence would, and set apart what it joins: by hand, clusters are joined as they are
    without, so that what a person joins neither draws in nor keeps out anything else.

    Evidence is taken in an order that depends on the articles only, so the clusters do not depend on theirs; and what
    no evidence links does not matter to each other, so a part can be done without the rest.

    Args:
        articles: in any order.
        evidence: of pairs of them; other pairs are left out.
        apart: pairs, smaller id first, that a person has set apart.

    Returns:
        Clusters by their first member; every article is in one.
    """
    by_id = {one.id: one for one in articles}
    edges = [edge for edge in evidence if by_id.keys() >= set(edge.articles)]
    union = _Union(by_id, edges, frozenset(apart))
    for edge in sorted(edges, key=lambda edge: _order(edge, by_id)):
        union.add(edge)
    return tuple(
        Cluster(tuple(sorted(members)), tuple(union.evidence[root])) for root, members in sorted(union.members.items())
    )


def _order(edge: Evidence, by_id: Mapping[int, StoredArticle]) -> tuple[object, ...]:
    one, other = (by_id[member].article for member in edge.articles)
    gap = abs(one.published.at - other.published.at)
    return STRENGTH.index(edge.kind), gap, sorted((one.url, other.url)), edge.detail


class _Union:
    """Clusters that grow, and the parts that they have without what a person joined: guards are about those.

    A cluster and a part go by their smallest members.
    """

    def __init__(
        self, by_id: Mapping[int, StoredArticle], edges: Iterable[Evidence], apart: frozenset[tuple[int, int]]
    ) -> None:
        self.members = {one: [one] for one in by_id}
        self.evidence: dict[int, list[Evidence]] = {one: [] for one in by_id}
        self._root = {one: one for one in by_id}
        self._parts = {one: [one] for one in by_id}
        self._part = {one: one for one in by_id}
        self._diameter = dict.fromkeys(by_id, 0)
        self._apart = apart
        self._explicit: set[frozenset[int]] = set()
        self._neighbours: dict[int, set[int]] = defaultdict(set)
        for edge in (edge for edge in edges if edge.kind != "by-hand"):
            one, other = edge.articles
            self._neighbours[one].add(other)
            self._neighbours[other].add(one)
            if edge.kind in EXPLICIT:
                self._explicit.add(frozenset(edge.articles))
        self._identifiers = {one: identifiers(by_id[one].article.title) for one in self._neighbours}

    def add(self, edge: Evidence) -> None:
        """Join the clusters of the edge's ends, if they may."""
        low, high = sorted(self._root[one] for one in edge.articles)
        if self._set_apart(low, high) or (edge.kind != "by-hand" and not self._join_parts(edge)):
            return
        if low != high:
            for one in self.members[high]:
                self._root[one] = low
            self.members[low] += self.members.pop(high)
            self.evidence[low] = sorted([*self.evidence[low], *self.evidence.pop(high), edge], key=_by_strength)

    def _join_parts(self, edge: Evidence) -> bool:
        """Join the parts of the edge's ends; False where they may not be one."""
        low, high = sorted(self._part[one] for one in edge.articles)
        if low == high:
            return True
        between = 1 + sum(self._eccentricity(one) for one in edge.articles)
        diameter = max(self._diameter[low], self._diameter[high], between)
        if diameter > DIAMETER or self._contradict(low, high):
            return False
        for one in self._parts[high]:
            self._part[one] = low
        self._parts[low] += self._parts.pop(high)
        self._diameter[low] = diameter
        return True

    def _eccentricity(self, start: int) -> int:
        """Steps from a member to the farthest of its part."""
        mine = set(self._parts[self._part[start]]) - {start}
        reached, steps = {start}, 0
        while reached := {other for one in reached for other in self._neighbours[one]} & mine:
            mine -= reached
            steps += 1
        return steps

    def _set_apart(self, low: int, high: int) -> bool:
        return (
            bool(self._apart)
            and low != high
            and any((min(pair), max(pair)) in self._apart for pair in product(self.members[low], self.members[high]))
        )

    def _contradict(self, low: int, high: int) -> bool:
        return any(
            contradiction(self._identifiers[one], self._identifiers[other]) is not None
            for one, other in product(self._parts[low], self._parts[high])
            if frozenset((one, other)) not in self._explicit
        )


def _by_strength(edge: Evidence) -> tuple[int, tuple[int, int]]:
    return STRENGTH.index(edge.kind), edge.articles
