"""Lists candidates by a query, best first; reads only the columns that the order needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, false, func, null, or_, select, union_all

from crawler.kinds import Kind
from pipelines.model import CandidateState
from pipelines.store.engine import chunks
from pipelines.store.search import find_match, make_account_condition, make_condition
from pipelines.store.tables import articles, stories, story_members

FIRST_RANKED: Final = 1000
"""Candidates that a search reads at once; sorting all that contain a frequent word takes several times as long."""

MOST_MATCHES: Final = 5000
"""Articles, newest first, in which a search of stories of every state looks for a frequent word."""

UNDECIDED: Final[tuple[CandidateState, ...]] = ("new",)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """An account as an editor names it.

    Args:
        name: the beginning of the name of an account or an author.
        sources: ids of sources that have such a name.
    """

    name: str
    sources: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """The candidates to list: all conditions hold together, and an absent condition holds for every candidate.

    Args:
        states: the candidate has one of them; empty for every state.
        category: of the newsletter.
        since: an article of the story was published at this time or later, aware.
        until: every article of the story was published at this time or earlier, aware.
        source: id of the source of an article of the story.
        accounts: an article of the story is of one of them; empty for every account.
        kind: of the source of an article of the story.
        kinds: an article of the story is of a source of one of them; empty for every kind.
        promotion: whether the candidate is a promotion.
        search: words; what the card shows of an article, with the article's text, contains all of them, literally.
        upto: the highest story id; a newer story has a higher id.
        after: every story id is higher.
    """

    states: Collection[CandidateState] = UNDECIDED
    category: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    source: str | None = None
    accounts: Collection[AccountFilter] = ()
    kind: Kind | None = None
    kinds: Collection[Kind] = ()
    promotion: bool | None = None
    search: str = ""
    upto: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The values of a candidate from which its rank follows.

    Args:
        id: of the story.
        category: of the story.
        score: without freshness.
        newest_at: when the newest article of the story was published, aware.
    """

    id: int
    category: str
    score: float
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Lead:
    """Title and source of the article that stands for a story; the source is the account, or the site."""

    title: str
    source: str


def list_ranked(connection: Connection, query: CandidateQuery) -> tuple[dict[str, int], Iterator[Ranked]]:
    """Count candidates by category, and list them.

    A search takes longer than everything else, so one statement searches once for both results.

    Args:
        connection: open for reading.
        query: which candidates.

    Returns:
        The counts, for the query without its category; and the candidates, highest score first.
    """
    if not query.search and not query.accounts:
        return count_by_category(connection, query), iterate_ranked(connection, query)
    any_category = replace(query, category=None)
    hits = (
        _add_conditions(select(*_RANKED), any_category, connection.dialect.name).cte("hits").prefix_with("MATERIALIZED")
    )
    counts = select(null(), hits.c.category, func.count(), null()).group_by(hits.c.category)
    ranking = select(hits.c.id, hits.c.category, hits.c.score, hits.c.newest_at)
    if query.category is not None:
        ranking = ranking.where(hits.c.category == query.category)
    best_first = (ranking.selected_columns.score.desc(), ranking.selected_columns.id)
    first = ranking.order_by(*best_first).limit(FIRST_RANKED).subquery()
    both = union_all(select(first), counts).subquery()
    rows = connection.execute(select(both).order_by(both.c.id.is_not(None), both.c.score.desc(), both.c.id)).all()
    counts_by_category = {row.category: int(row.score) for row in rows if row.id is None}
    return counts_by_category, _iterate_further(connection, query, [Ranked(*row) for row in rows if row.id is not None])


def _iterate_further(connection: Connection, query: CandidateQuery, first: Sequence[Ranked]) -> Iterator[Ranked]:
    """Iterate the first candidates of a search, then read the others: few readers go that far."""
    yield from first
    if len(first) == FIRST_RANKED:
        yield from islice(iterate_ranked(connection, query), FIRST_RANKED, None)


def bound_search(connection: Connection, query: CandidateQuery) -> CandidateQuery:
    """Narrow a search to the stories of the newest matches, if it has very many: to rank all of them takes too long.

    A search that a state, a source or a date narrows already stays as it is, and so does a list without a search.

    Args:
        connection: open for reading.
        query: which candidates.
    """
    if query.states or replace(query, category=None, search="", upto=None, after=None) != CandidateQuery(query.states):
        return query
    last_id = find_match(connection, query.search, MOST_MATCHES, after=query.after, upto=query.upto)
    return query if last_id is None else replace(query, after=last_id)


def count_by_category(connection: Connection, query: CandidateQuery) -> dict[str, int]:
    """Count candidates by category, for the query without its category.

    Args:
        connection: open for reading.
        query: which candidates.
    """
    statement = select(stories.c.category, func.count()).group_by(stories.c.category)
    rows = connection.execute(_add_conditions(statement, replace(query, category=None), connection.dialect.name))
    return {category: number for category, number in rows}  # noqa: C416 - a row is a pair only by its kind


def list_leads(connection: Connection, story_ids: Iterable[int]) -> dict[int, Lead]:
    """List the leads of stories, by the id of the story."""
    source = func.coalesce(articles.c.publisher, articles.c.source).label("source")
    query = select(stories.c.id, articles.c.title, source).join(articles, articles.c.id == stories.c.lead)
    return {
        row.id: Lead(row.title, row.source)
        for chunk in chunks(story_ids)
        for row in connection.execute(query.where(stories.c.id.in_(chunk)))
    }


def list_best_leads(connection: Connection, limit: int) -> list[tuple[float, Lead]]:
    """List the leads of the open stories of the highest scores, best first, with the scores."""
    source = func.coalesce(articles.c.publisher, articles.c.source).label("source")
    query = select(stories.c.score, articles.c.title, source).join(articles, articles.c.id == stories.c.lead)
    query = query.where(stories.c.state == "new").order_by(stories.c.score.desc(), stories.c.id).limit(limit)
    return [(row.score, Lead(row.title, row.source)) for row in connection.execute(query)]


_RANKED: Final = (stories.c.id, stories.c.category, stories.c.score, stories.c.newest_at)


def iterate_ranked(connection: Connection, query: CandidateQuery) -> Iterator[Ranked]:
    """List candidates, highest score first, and count none.

    Args:
        connection: open for reading.
        query: which candidates.
    """
    statement = _add_conditions(select(*_RANKED), query, connection.dialect.name)
    statement = statement.order_by(stories.c.score.desc(), stories.c.id).execution_options(stream_results=True)
    with connection.execute(statement) as rows:  # many readers stop early, and no list of all rows is made
        for row in rows:
            yield Ranked(*row)


def _add_conditions(statement: Select[Any], query: CandidateQuery, dialect: str) -> Select[Any]:
    columns = stories.c
    if query.states:
        statement = statement.where(columns.state.in_(query.states))
    if query.category is not None:
        statement = statement.where(columns.category == query.category)
    if query.since is not None:
        statement = statement.where(columns.newest_at >= query.since)
    if query.promotion is not None:
        statement = statement.where(columns.promotion == query.promotion)
    if query.upto is not None:
        statement = statement.where(columns.id <= query.upto)
    if query.after is not None:
        statement = statement.where(columns.id > query.after)
    if query.until is not None:
        statement = statement.where(columns.newest_at <= query.until)
    if conditions := list(_list_article_conditions(query)):
        # read once; a look at the articles of each story takes five times as long where few have one, or all
        members = select(story_members.c.story_id).join(articles, articles.c.id == story_members.c.article_id)
        statement = statement.where(columns.id.in_(members.where(*conditions)))
    if query.accounts:
        statement = statement.where(columns.id.in_(_find_stories_of_accounts(query.accounts, dialect)))
    # the id of a story is the lowest of its articles, so `after` holds for all of them
    contains_words = make_condition(query.search, story_members.c.article_id, dialect, query.after)
    if contains_words is not None:
        statement = statement.where(columns.id.in_(select(story_members.c.story_id).where(contains_words)))
    return statement


def _list_article_conditions(query: CandidateQuery) -> Iterator[ColumnElement[bool]]:
    """List the conditions that one article of a story fulfils, all of them."""
    if query.source is not None:
        yield articles.c.source == query.source
    if query.kind is not None:
        yield articles.c.kind == query.kind
    if query.kinds:
        yield articles.c.kind.in_(query.kinds)


def _find_stories_of_accounts(accounts: Collection[AccountFilter], dialect: str) -> Select[int]:
    """Find the stories with an article of one of several accounts."""
    article = story_members.c.article_id
    source_ids = [source for account in accounts for source in account.sources]
    conditions: list[ColumnElement[bool]] = []
    if source_ids:
        conditions.append(article.in_(select(articles.c.id).where(articles.c.source.in_(source_ids))))
    is_named = make_account_condition((account.name for account in accounts), article, dialect)
    if is_named is not None:
        conditions.append(is_named)
    return select(story_members.c.story_id).where(or_(false(), *conditions))
