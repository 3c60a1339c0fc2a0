"""Which candidates somebody wants to see, as a query that reads no more than what their order takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Select, func, null, select, union_all

from crawler.kinds import Kind
from pipelines.model import CandidateState
from pipelines.store.search import found
from pipelines.store.tables import articles, stories, story_members

UNDECIDED: Final[tuple[CandidateState, ...]] = ("new",)


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """What candidates are asked for. What is left out does not matter.

    Args:
        states: empty for every state.
        category: one of the newsletter's.
        since: an article of the story was published then or later.
        source: an article of the story is this source's.
        kind: an article of the story came from such a page.
        promotion: whether it is one.
        words: all of them stand in an article's title, account or digest; taken literally.
        upto, after: story ids at most or above this one: what came later has a higher one.
    """

    states: Collection[CandidateState] = UNDECIDED
    category: str | None = None
    since: datetime | None = None
    source: str | None = None
    kind: Kind | None = None
    promotion: bool | None = None
    words: str = ""
    upto: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """What the order of candidates follows from; `score` is without freshness."""

    id: int
    category: str
    score: float
    newest_at: datetime


def listed(connection: Connection, query: CandidateQuery) -> tuple[dict[str, int], Iterator[Ranked]]:
    """How many candidates are wanted, by category, and the candidates: the highest score first, read as asked for.

    The wanted category does not count. Words are looked for once, which takes longer than all else.
    """
    if not query.words:
        return counts(connection, query), _ranked(connection, query)
    everywhere = _narrowed(select(*_RANKED), replace(query, category=None), connection.dialect.name)
    hits = everywhere.cte("hits").prefix_with("MATERIALIZED")
    numbers = select(null(), hits.c.category, func.count(), null()).group_by(hits.c.category)
    ranking = select(hits.c.id, hits.c.category, hits.c.score, hits.c.newest_at)
    if query.category is not None:
        ranking = ranking.where(hits.c.category == query.category)
    both = union_all(ranking, numbers).subquery()
    rows = connection.execute(select(both).order_by(both.c.id.is_not(None), both.c.score.desc(), both.c.id))
    numbers_by_category: dict[str, int] = {}
    for row in rows:
        if row.id is not None:
            return numbers_by_category, (Ranked(*ranked_row) for ranked_row in chain([row], rows))
        numbers_by_category[row.category] = int(row.score)
    return numbers_by_category, iter(())


def counts(connection: Connection, wanted: CandidateQuery) -> dict[str, int]:
    """How many candidates are wanted, by category; the wanted category does not count."""
    query = select(stories.c.category, func.count()).group_by(stories.c.category)
    rows = connection.execute(_narrowed(query, replace(wanted, category=None), connection.dialect.name))
    return {category: number for category, number in rows}  # noqa: C416 - a row is a pair only by its kind


_RANKED: Final = (stories.c.id, stories.c.category, stories.c.score, stories.c.newest_at)


def _ranked(connection: Connection, wanted: CandidateQuery) -> Iterator[Ranked]:
    query = _narrowed(select(*_RANKED), wanted, connection.dialect.name)
    with connection.execute(query.order_by(stories.c.score.desc(), stories.c.id)) as rows:
        for row in rows:
            yield Ranked(*row)


def _narrowed(query: Select[Any], wanted: CandidateQuery, dialect: str) -> Select[Any]:
    columns = stories.c
    if wanted.states:
        query = query.where(columns.state.in_(wanted.states))
    if wanted.category is not None:
        query = query.where(columns.category == wanted.category)
    if wanted.since is not None:
        query = query.where(columns.newest_at >= wanted.since)
    if wanted.promotion is not None:
        query = query.where(columns.promotion == wanted.promotion)
    if wanted.upto is not None:
        query = query.where(columns.id <= wanted.upto)
    if wanted.after is not None:
        query = query.where(columns.id > wanted.after)
    told = select(story_members.c.story_id).where(story_members.c.story_id == columns.id)
    if wanted.source is not None or wanted.kind is not None:
        given = told.join(articles, articles.c.id == story_members.c.article_id)
        if wanted.source is not None:
            given = given.where(articles.c.source == wanted.source)
        if wanted.kind is not None:
            given = given.where(articles.c.kind == wanted.kind)
        query = query.where(given.correlate(stories).exists())
    holds = found(wanted.words, story_members.c.article_id, dialect)
    if holds is not None:
        query = query.where(columns.id.in_(select(story_members.c.story_id).where(holds)))
    return query
