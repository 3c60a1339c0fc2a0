"""Lists candidates by a query, best first; reads only the columns that the order needs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge, nlargest
from itertools import islice
from operator import itemgetter
from typing import Any, Final, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Text,
    TextClause,
    case,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from crawler.kinds import Kind
from pipelines.model import CandidateState
from pipelines.store.bulk import is_one_of, leave_index
from pipelines.store.counts import read_counts
from pipelines.store.search import list_newest_matches, make_account_condition, make_condition, split_terms
from pipelines.store.tables import articles, stories, story_members

READ_BESIDE: Final = 100
"""Candidates that a narrowed list reads beside those that are asked for; seldom does the order of today need more."""

READ_AT_ONCE: Final = 200
"""Candidates that a list takes from the database at once: a page seldom needs more than twice as many."""

MOST_MATCHES: Final = 5000
"""Articles, newest first, in which a search of stories of every state looks for a frequent word."""

LONG_LIST: Final = 20_000
"""Stories among which a frequent word is looked for in all; among more, only the newest matches are looked at."""

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
        matches: ids of articles, of which the story has one; None for any article.
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
    matches: Sequence[int] | None = None
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
        most: the highest score that the story may have with freshness.
    """

    id: int
    category: str
    score: float
    newest_at: datetime
    most: float


@dataclass(frozen=True, slots=True)
class FreshnessBounds:
    """What freshness adds to a score at most.

    Args:
        until: moments, aware and ascending, each with the most that a story gains whose newest article is older, which
            is the least that any younger story gains: nothing before the first of them.
        most: what any other story gains at most.
    """

    until: Sequence[tuple[datetime, float]]
    most: float

    def find_least(self, newest_at: datetime) -> float:
        """Find what a story gains at least.

        Args:
            newest_at: when its newest article was published, aware.
        """
        index = bisect_right(self.until, newest_at, key=itemgetter(0))
        return self.until[index - 1][1] if index else 0.0


@dataclass(frozen=True, slots=True)
class Lead:
    """Title and source of the article that stands for a story; the source is the account, or the site."""

    title: str
    source: str


def list_best(
    connection: Connection, query: CandidateQuery, bounds: FreshnessBounds, limit: int
) -> tuple[dict[str, int], Iterator[Ranked]]:
    """Count candidates by category, and list those that may be the best of today.

    Args:
        connection: open for reading.
        query: which candidates.
        bounds: of freshness.
        limit: so many are asked for.

    Returns:
        The counts, for the query without its category; and candidates by the highest score that they may have, with at
        least the best `limit` among them.
    """
    if _is_in_columns(query):
        return count_by_category(connection, query), iterate_best(connection, query, bounds, limit)
    # to find the candidates takes longer than everything else, so one statement finds them for both results
    hits = _select(connection, replace(query, category=None), bounds).cte("hits").prefix_with("MATERIALIZED")
    counts = select(null(), hits.c.category, func.count(), null(), null()).group_by(hits.c.category)
    best_first = _best_first(select(hits), hits, query.category)
    first = best_first.limit(limit + READ_BESIDE).subquery()
    both = union_all(select(first), counts).subquery()
    rows = connection.execute(select(both).order_by(both.c.id.is_not(None), both.c.most.desc(), both.c.id)).all()
    counts_by_category = {row.category: int(row.score) for row in rows if row.id is None}
    first_ranked = [Ranked(*row) for row in rows if row.id is not None]
    return counts_by_category, _iterate_further(connection, query, bounds, first_ranked, limit + READ_BESIDE)


def _iterate_further(
    connection: Connection, query: CandidateQuery, bounds: FreshnessBounds, first: Sequence[Ranked], number: int
) -> Iterator[Ranked]:
    """Iterate the first candidates of a narrowed list, then read the others: few readers go that far.

    Args:
        connection: open for reading.
        query: which candidates.
        bounds: of freshness.
        first: the first of them.
        number: of candidates that were asked for; fewer are all.
    """
    yield from first
    if len(first) == number:
        hits = _select(connection, query, bounds).subquery()
        yield from islice(_read_ranked(connection, _best_first(select(hits), hits)), number, None)


def iterate_best(
    connection: Connection, query: CandidateQuery, bounds: FreshnessBounds, limit: int
) -> Iterator[Ranked]:
    """List the candidates that may be the best of today, by the highest score that they may have, and count none.

    Args:
        connection: open for reading.
        query: which candidates.
        bounds: of freshness.
        limit: so many are asked for; the best of them are in the list.
    """
    if not _is_in_columns(query):
        hits = _select(connection, query, bounds).subquery()
        return _read_ranked(connection, _best_first(select(hits), hits))
    # an index has the order of scores in one state and category
    states: Collection[CandidateState] = query.states or get_args(CandidateState)
    rankings = (_iterate_state(connection, replace(query, states=(state,)), bounds, limit) for state in states)
    return merge(*rankings, key=_rank)


def _iterate_state(
    connection: Connection, query: CandidateQuery, bounds: FreshnessBounds, limit: int
) -> Iterator[Ranked]:
    """Iterate the candidates of one state that may be the best of today: no more than the index of its lists is read.

    A story that gains no freshness is among the best only if its score without freshness is. So these are read by
    their score. Of those that are young enough to gain some, only what may come before one of them is read: by age
    where few are young, by score where most are.
    """
    number = 2 * limit  # old stories among the highest, up to half of them, do not lower what `limit` have at least
    best = _best_by_score(_select(connection, query, bounds)).limit(number)
    highest = [Ranked(*row) for row in connection.execute(best)]
    if len(highest) < number:
        return iter(sorted(highest, key=_rank))
    lowest = nlargest(limit, (ranked.score + bounds.find_least(ranked.newest_at) for ranked in highest))[-1]
    young_since = bounds.until[0][0]
    are_young = 2 * sum(ranked.newest_at >= young_since for ranked in highest) > len(highest)
    newest_at: ColumnElement[datetime] = stories.c.newest_at
    if are_young and connection.dialect.name == "sqlite":
        newest_at = leave_index(stories.c.newest_at)
    young = _select(connection, query, bounds).where(
        newest_at >= young_since, stories.c.score >= lowest - bounds.most - _A_HUNDREDTH
    )
    highest_ids = {ranked.id for ranked in highest}
    gaining = (each for each in _read_ranked(connection, _best_first(young, stories)) if each.id not in highest_ids)
    return merge(sorted(highest, key=_rank), gaining, key=_rank)


def look_up_search(connection: Connection, query: CandidateQuery) -> tuple[CandidateQuery, bool]:
    """Look up the articles that a search finds among very many stories, before anything is asked of the stories.

    If it finds very many, only the newest of them count: to rank the stories of all takes too long. A search that a
    source, a date or another filter narrows stays as it is, and so does one among few stories.

    Args:
        connection: open for reading.
        query: which candidates.

    Returns:
        The query, with the matches in the place of the search; and whether there are more of them.
    """
    plain = CandidateQuery(query.states)
    if replace(query, category=None, search="", upto=None, after=None) != plain or not split_terms(query.search):
        return query, False
    if not _is_long(connection, query.states):
        return query, False
    ranges = [(query.after, query.upto)]
    if query.upto is not None:
        ranges.append((query.upto, None))  # an early story may have a late article; and late ones shift no page
    matches = [
        list_newest_matches(connection, query.search, MOST_MATCHES + 1, after=after, upto=upto)
        for after, upto in ranges
    ]
    newest = tuple(article_id for ids in matches for article_id in ids[:MOST_MATCHES])
    return replace(query, search="", matches=newest), len(matches[0]) > MOST_MATCHES


def count_by_category(connection: Connection, query: CandidateQuery) -> dict[str, int]:
    """Count candidates by category, for the query without its category.

    Args:
        connection: open for reading.
        query: which candidates.
    """
    query = replace(query, category=None)
    if not _is_in_columns(query):
        return _count_rows(connection, query)
    counts = read_counts(connection, query.states, query.promotion)
    if query.upto is None:
        return counts
    later = _count_rows(connection, replace(query, upto=None, after=query.upto))  # few: what came since the page
    remaining = {category: number - later.get(category, 0) for category, number in counts.items()}
    return {category: number for category, number in remaining.items() if number}


def _count_rows(connection: Connection, query: CandidateQuery) -> dict[str, int]:
    """Count the candidates of a query one by one."""
    statement = select(stories.c.category, func.count()).group_by(stories.c.category)
    rows = connection.execute(_add_conditions(connection, statement, query))
    return {category: number for category, number in rows}  # noqa: C416 - a row is a pair only by its kind


def list_leads(connection: Connection, story_ids: Iterable[int]) -> dict[int, Lead]:
    """List the leads of stories, by the id of the story."""
    source = func.coalesce(articles.c.publisher, articles.c.source).label("source")
    query = select(stories.c.id, articles.c.title, source).join(articles, articles.c.id == stories.c.lead)
    is_asked_for = is_one_of(stories.c.id, list(story_ids), connection.dialect.name)
    return {row.id: Lead(row.title, row.source) for row in connection.execute(query.where(is_asked_for))}


def list_best_leads(connection: Connection, limit: int) -> list[tuple[float, Lead]]:
    """List the leads of the open stories of the highest scores, best first, with the scores."""
    source = func.coalesce(articles.c.publisher, articles.c.source).label("source")
    query = select(stories.c.score, articles.c.title, source).join(articles, articles.c.id == stories.c.lead)
    query = query.where(stories.c.state == "new").order_by(stories.c.score.desc(), stories.c.id).limit(limit)
    return [(row.score, Lead(row.title, row.source)) for row in connection.execute(query)]


_RANKED: Final = (stories.c.id, stories.c.category, stories.c.score, stories.c.newest_at)

_A_HUNDREDTH: Final = 0.01
"""Scores have two decimals, and a sum of two of them as a fraction of two may be a trifle off."""


def iterate_ranked(connection: Connection, query: CandidateQuery) -> Iterator[Ranked]:
    """List candidates, highest score without freshness first, and count none.

    Args:
        connection: open for reading.
        query: which candidates.
    """
    ranking = select(*_RANKED, stories.c.score.label("most"))
    return _read_ranked(connection, _best_by_score(_add_conditions(connection, ranking, query)))


def _select(connection: Connection, query: CandidateQuery, bounds: FreshnessBounds) -> Select[Any]:
    """Select the values of candidates from which their rank follows."""
    gains = [(stories.c.newest_at < until, literal(most)) for until, most in bounds.until]
    most = stories.c.score + case(*gains, else_=literal(bounds.most))
    return _add_conditions(connection, select(*_RANKED, most.label("most")), query)


def _best_by_score(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(stories.c.score.desc(), stories.c.id)


def _best_first(statement: Select[Any], rows: FromClause, category: str | None = None) -> Select[Any]:
    """Order selected candidates by the highest score that they may have.

    Args:
        statement: selects them.
        rows: with a column `category`.
        category: of the candidates to keep; None for all.
    """
    if category is not None:
        statement = statement.where(rows.c.category == category)
    return statement.order_by(statement.selected_columns.most.desc(), statement.selected_columns.id)


def _rank(ranked: Ranked) -> tuple[float, int]:
    return (-ranked.most, ranked.id)


def _read_ranked(connection: Connection, statement: Select[Any]) -> Iterator[Ranked]:
    statement = statement.execution_options(stream_results=True, yield_per=READ_AT_ONCE)
    with connection.execute(statement) as rows:  # many readers stop early, and no list of all rows is made
        for row in rows:
            yield Ranked(*row)


def _is_in_columns(query: CandidateQuery) -> bool:
    """Whether a list needs no more than state, category, promotion and the highest id: the columns of an index."""
    plain = CandidateQuery(query.states, query.category, promotion=query.promotion, upto=query.upto)
    return replace(query, search=query.search.strip()) == plain


def _add_conditions(connection: Connection, statement: Select[Any], query: CandidateQuery) -> Select[Any]:
    columns, dialect = stories.c, connection.dialect.name
    if dialect == "sqlite":  # PostgreSQL estimates what is few
        query = _look_up_few(connection, query)
    statement = statement.where(*_list_column_conditions(connection, query))
    if query.source is not None or query.kind is not None or query.kinds:
        if query.since is not None:  # few stories
            statement = statement.where(_select_fitting_articles(query, dialect).exists())
        else:  # read once; a look at the articles of each story takes five times as long where few have one, or all
            members = select(story_members.c.story_id).join(articles, articles.c.id == story_members.c.article_id)
            conditions = _list_article_conditions(query, articles.c.kind, articles.c.source)
            statement = statement.where(columns.id.in_(members.where(*conditions)))
    if query.accounts:
        statement = statement.where(columns.id.in_(_find_stories_of_accounts(query.accounts, dialect)))
    # the id of a story is the lowest of its articles, so `after` holds for all of them
    contains_words = make_condition(query.search, story_members.c.article_id, dialect, query.after)
    if contains_words is not None:
        statement = statement.where(columns.id.in_(select(story_members.c.story_id).where(contains_words)))
    if query.matches is not None:
        statement = statement.where(columns.id.in_(_find_stories_of(query.matches, dialect)))
    return statement


def _find_stories_of(article_ids: Sequence[int], dialect: str) -> Select[int]:
    """Find the stories of many articles; PostgreSQL looks each one up, it would read all members by several processes.

    Args:
        article_ids: as many as wanted.
        dialect: of the database: `sqlite` or `postgresql`.
    """
    if dialect == "sqlite":
        return select(story_members.c.story_id).where(is_one_of(story_members.c.article_id, article_ids, dialect))
    listed = func.unnest(literal(article_ids, ARRAY(Integer))).table_valued("id").render_derived(name="listed")
    story_id = select(story_members.c.story_id).where(story_members.c.article_id == listed.c.id).scalar_subquery()
    return select(story_id).select_from(listed).offset(0)  # looked up once for each: not again where it is compared


def _list_column_conditions(connection: Connection, query: CandidateQuery) -> Iterator[ColumnElement[bool]]:
    """List the conditions on the columns of a story."""
    columns = stories.c
    if query.states and connection.dialect.name == "sqlite" and _is_found_by_id(connection, query):
        yield leave_index(columns.state).in_(query.states)  # which has most stories
    elif query.states:
        yield columns.state.in_(query.states)
    if query.category is not None:
        yield columns.category == query.category
    if query.since is not None:
        yield columns.newest_at >= query.since
    if query.promotion is not None:
        yield columns.promotion == query.promotion
    if query.upto is not None:
        yield columns.id <= query.upto
    if query.after is not None:
        yield columns.id > query.after
    if query.until is not None:
        yield columns.newest_at <= query.until


def _is_found_by_id(connection: Connection, query: CandidateQuery) -> bool:
    """Whether the ids of the candidates are few beside all stories of their states: ids of late stories, or of matches.

    SQLite keeps no statistics from which it could tell.
    """
    if query.matches is not None:
        return True
    return query.after is not None and query.since is None and _is_long(connection, query.states)


def _look_up_few(connection: Connection, query: CandidateQuery) -> CandidateQuery:
    """Look up the articles of a source and a kind, if they are few beside the stories that would be looked at.

    Args:
        connection: to SQLite, open for reading.
        query: which candidates.

    Returns:
        The query, with the articles in the place of source and kind.
    """
    if query.source is None and query.kind is None and not query.kinds:
        return query
    if not (_is_long(connection, query.states) if query.since is None else _is_long_since(connection, query)):
        return query
    identifier, rows, kind, source = _name_given_articles()
    found = select(identifier).select_from(rows).where(*_list_article_conditions(query, kind, source))
    ids = tuple(connection.execute(found.limit(MOST_MATCHES + 1)).scalars())
    return query if len(ids) > MOST_MATCHES else replace(query, source=None, kind=None, kinds=(), matches=ids)


def _is_long_since(connection: Connection, query: CandidateQuery) -> bool:
    rows = select(literal(1)).where(stories.c.newest_at >= query.since)
    if query.states:
        rows = rows.where(stories.c.state.in_(query.states))
    counted = select(func.count()).select_from(rows.limit(LONG_LIST + 1).subquery())
    return connection.execute(counted).scalar_one() > LONG_LIST


def _is_long(connection: Connection, states: Collection[CandidateState]) -> bool:
    return sum(read_counts(connection, states).values()) > LONG_LIST


def _select_fitting_articles(query: CandidateQuery, dialect: str) -> Select[Any]:
    """Select the articles of a story that are of the source and the kind of a query."""
    rows: FromClause | TextClause = articles
    identifier: ColumnElement[int] = articles.c.id
    kind: ColumnElement[str] = articles.c.kind
    source: ColumnElement[str] = articles.c.source
    if dialect == "sqlite":
        identifier, rows, kind, source = _name_given_articles()
    of_story = (story_members.c.story_id == stories.c.id, identifier == story_members.c.article_id)
    statement = select(identifier).select_from(rows).where(*of_story)
    return statement.where(*_list_article_conditions(query, kind, source)).correlate(stories)


def _name_given_articles() -> tuple[ColumnElement[int], TextClause, ColumnElement[str], ColumnElement[str]]:
    """Name the articles in the index of what the registry says of them: id, rows, kind and source.

    SQLite is told the index: by itself it would read each article, with its text.
    """
    rows = text("articles AS given INDEXED BY ix_articles_given")
    kind, source = (literal_column(f"given.{name}", Text) for name in ("kind", "source"))
    return literal_column("given.id", Integer), rows, kind, source


def _list_article_conditions(
    query: CandidateQuery, kind: ColumnElement[str], source: ColumnElement[str]
) -> Iterator[ColumnElement[bool]]:
    """List the conditions that one article of a story fulfils, all of them.

    Args:
        query: which candidates.
        kind: the column of the article's kind.
        source: the column of its source.
    """
    if query.source is not None:
        yield source == query.source
    if query.kind is not None:
        yield kind == query.kind
    if query.kinds:
        yield kind.in_(query.kinds)


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
