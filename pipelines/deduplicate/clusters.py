"""Joins articles into clusters by evidence, unless members contradict each other or the cluster grows too wide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from pipelines.deduplicate.contradictions import find_contradiction, read_identifiers
from pipelines.model import Evidence, StoredArticle

STRENGTH: Final = (
    "by-hand",
    "reprint",
    "names",
    "shared-reference",
    "near-text",
    "same-title",
    "similar-title",
    "same-event",
)
"""Kinds of evidence, the strongest first. The strongest joins first; weaker evidence against it is refused."""


EXPLICIT: Final = frozenset({"reprint", "names"})
"""Kinds of evidence in which one article names the other; their titles may contradict each other."""


DIAMETER: Final = 4
"""Most pieces of evidence on the path between two members: a post, its paper, another post, its reprint."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Articles that evidence joined.

    Args:
        members: article ids, ascending.
        evidence: the pieces that joined the members, strongest first; one fewer than the members.
    """

    members: tuple[int, ...]
    evidence: tuple[Evidence, ...]


def make_clusters(
    articles: Sequence[StoredArticle], evidence: Iterable[Evidence], apart: Collection[tuple[int, int]] = ()
) -> tuple[Cluster, ...]:
    """Join articles by evidence, unless two members contradict each other or the diameter exceeds `DIAMETER`.

    An editor may join any two articles (evidence `by-hand`) and may set any two apart. Evidence `by-hand` joins two
    clusters as the other evidence makes them: contradictions and the diameter are checked as if it did not exist.

    The function takes evidence in an order that depends only on the articles, so the clusters do not depend on the
    order of the arguments. Articles without a path of evidence between them do not affect each other, so each connected
    component can be computed alone.

    Args:
        articles: in any order.
        evidence: of pairs of articles; a pair with an article that is not among `articles` is ignored.
        apart: pairs of article ids, smaller id first, that an editor has set apart.

    Returns:
        Clusters in the order of their smallest member; every article is in exactly one.
    """
    by_id = {article.id: article for article in articles}
    edges = [edge for edge in evidence if by_id.keys() >= set(edge.articles)]
    growing = _GrowingClusters(by_id, edges, frozenset(apart))
    for edge in sorted(edges, key=lambda edge: _rank_edge(edge, by_id)):
        growing.add(edge)
    return tuple(
        Cluster(tuple(sorted(members)), tuple(growing.evidence[root]))
        for root, members in sorted(growing.members.items())
    )


def _rank_edge(edge: Evidence, by_id: Mapping[int, StoredArticle]) -> tuple[object, ...]:
    first, second = (by_id[member].article for member in edge.articles)
    gap = abs(first.published.at - second.published.at)
    return STRENGTH.index(edge.kind), gap, sorted((first.url, second.url)), edge.subject


class _GrowingClusters:
    """Clusters that grow with each piece of evidence, and their parts.

    A part is a cluster without evidence `by-hand`; contradictions and the diameter are checked on parts. The smallest
    member identifies a cluster and a part.
    """

    def __init__(
        self, by_id: Mapping[int, StoredArticle], edges: Iterable[Evidence], apart: frozenset[tuple[int, int]]
    ) -> None:
        self.members = {article_id: [article_id] for article_id in by_id}
        self.evidence: dict[int, list[Evidence]] = {article_id: [] for article_id in by_id}
        self._root = {article_id: article_id for article_id in by_id}
        self._parts = {article_id: [article_id] for article_id in by_id}
        self._part = {article_id: article_id for article_id in by_id}
        self._diameter = dict.fromkeys(by_id, 0)
        self._apart = apart
        self._explicit: set[frozenset[int]] = set()
        self._neighbours: dict[int, set[int]] = defaultdict(set)
        for edge in (edge for edge in edges if edge.kind != "by-hand"):
            first, second = edge.articles
            self._neighbours[first].add(second)
            self._neighbours[second].add(first)
            if edge.kind in EXPLICIT:
                self._explicit.add(frozenset(edge.articles))
        self._identifiers = {
            article_id: read_identifiers(by_id[article_id].article.title) for article_id in self._neighbours
        }

    def add(self, edge: Evidence) -> None:
        """Join the clusters of the edge's two articles, if this is allowed."""
        low, high = sorted(self._root[article_id] for article_id in edge.articles)
        if self._set_apart(low, high) or (edge.kind != "by-hand" and not self._join_parts(edge)):
            return
        if low != high:
            for article_id in self.members[high]:
                self._root[article_id] = low
            self.members[low] += self.members.pop(high)
            self.evidence[low] = sorted([*self.evidence[low], *self.evidence.pop(high), edge], key=_rank_evidence)

    def _join_parts(self, edge: Evidence) -> bool:
        """Join the parts of the edge's two articles; False if the joined part would break a rule."""
        low, high = sorted(self._part[article_id] for article_id in edge.articles)
        if low == high:
            return True
        between = 1 + sum(self._eccentricity(article_id) for article_id in edge.articles)
        diameter = max(self._diameter[low], self._diameter[high], between)
        if diameter > DIAMETER or self._contradict(low, high):
            return False
        for article_id in self._parts[high]:
            self._part[article_id] = low
        self._parts[low] += self._parts.pop(high)
        self._diameter[low] = diameter
        return True

    def _eccentricity(self, start: int) -> int:
        """Pieces of evidence on the shortest path from a member to the farthest member of its part."""
        unreached = set(self._parts[self._part[start]]) - {start}
        reached, steps = {start}, 0
        while (
            reached := {neighbour for article_id in reached for neighbour in self._neighbours[article_id]} & unreached
        ):
            unreached -= reached
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
            find_contradiction(self._identifiers[first], self._identifiers[second]) is not None
            for first, second in product(self._parts[low], self._parts[high])
            if frozenset((first, second)) not in self._explicit
        )


def _rank_evidence(edge: Evidence) -> tuple[int, tuple[int, int]]:
    return STRENGTH.index(edge.kind), edge.articles
