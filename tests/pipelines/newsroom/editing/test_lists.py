"""A list of candidates is what a plain look at every story gives, whatever of the store is read for it."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, get_args

import pytest
from builders import NOON, article, instant
from databases import Databases, SqliteDatabases, opened_store
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select

from crawler.kinds import Kind
from pipelines.group.relevance import weigh_freshness
from pipelines.model import Candidate, CandidateState, Decision, Reason, Story
from pipelines.newsroom.editing.candidates import _make_bounds, page_candidates, rank_candidates
from pipelines.store import Store, Transaction, counts, listing
from pipelines.store.counts import fold_counts, read_counts
from pipelines.store.listing import CandidateQuery, FreshnessBounds
from pipelines.store.tables import decisions, stories

CATEGORIES: Final = ("新闻", "论文", "教程")
KINDS: Final[tuple[Kind, ...]] = ("wechat", "zhihu", "arxiv")
STORIES: Final = 150
ACTIONS: Final = ("pick", "drop", "later")


def make_candidate(tx: Transaction, article_ids: Sequence[int], category: str, score: float, sort: str) -> Candidate:
    articles = tuple(tx.articles.get(article_ids).values())
    reasons = (Reason("reason/promotion", score, {"sort": sort}),) if sort else ()
    story = Story(article_ids[0], tuple(article_ids), article_ids[0])
    return Candidate(story, articles, category, {category: 1.0}, (), score, reasons, promotion=sort)


def fill(store: Store, chance: random.Random) -> None:
    """Stories of one to three articles, of every age, category, kind and state."""
    with store.transaction() as tx:
        members = [chance.choice((1, 1, 1, 2, 3)) for _ in range(STORIES)]
        made = [
            article(
                number + 1,
                title=chance.choice(("量化", "剪枝", "量化剪枝")) + chr(0x5000 + number),
                published=instant(-(70 * chance.random() ** 2)),
                kind=chance.choice(KINDS),
                source=chance.choice(("甲", "乙")),
            )
            for number in range(sum(members))
        ]
        tx.articles.save(made)
        for story_id in chance.sample(range(1, sum(members)), 40):
            tx.decisions.add(Decision(story_id, chance.choice(ACTIONS), "编辑", NOON - timedelta(days=100)))
        remaining = iter(range(1, sum(members) + 1))
        candidates = [
            make_candidate(
                tx,
                [next(remaining) for _ in range(number)],
                chance.choice(CATEGORIES),
                round(chance.gauss(0, 1), 1),
                "课程" if chance.random() < 0.1 else "",
            )
            for number in members
        ]
        tx.stories.replace([], candidates)
        tx.stories._connection.execute(delete(decisions))  # the states stay; no decision moves the order


@dataclass(frozen=True)
class Filled:
    """A filled store, and all its candidates."""

    store: Store
    candidates: Sequence[Candidate]


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[Filled]:
    with opened_store(databases) as store:
        fill(store, random.Random(5))
        with store.reading() as tx:
            candidates = tx.stories.get(range(1, 500))
        yield Filled(store, candidates)


def holds(candidate: Candidate, query: CandidateQuery) -> bool:
    """Whether a candidate fits a query without its category."""
    articles = [stored.article for stored in candidate.articles]
    newest = max(each.published.at for each in articles)
    return (
        (not query.states or candidate.state in query.states)
        and (query.since is None or newest >= query.since)
        and (query.promotion is None or bool(candidate.promotion) == query.promotion)
        and (query.upto is None or candidate.story.id <= query.upto)
        and (query.after is None or candidate.story.id > query.after)
        and (query.until is None or newest <= query.until)
        and any(query.source in {None, each.source} and query.kind in {None, each.kind} for each in articles)
        and any(query.search in each.title for each in articles)
    )


def score_today(candidate: Candidate, now: datetime) -> float:
    newest = max(stored.article.published.at for stored in candidate.articles)
    return round(candidate.score + weigh_freshness(newest, now), 2)


queries = st.builds(
    CandidateQuery,
    states=st.sampled_from([("new",), ("picked",), (), ("later", "dropped")]),
    category=st.none() | st.sampled_from(CATEGORIES),
    since=st.none() | st.integers(0, 70).map(lambda days: NOON - timedelta(days=days)),
    until=st.none() | st.integers(0, 70).map(lambda days: NOON - timedelta(days=days)),
    source=st.sampled_from([None, None, "甲", "丙"]),
    kind=st.sampled_from([None, None, *KINDS]),
    promotion=st.sampled_from([None, None, True, False]),
    search=st.sampled_from(["", "", "量化", "剪", "没有"]),
    upto=st.none() | st.integers(0, 300),
    after=st.none() | st.integers(0, 300),
)
plain_queries = st.builds(
    CandidateQuery,
    states=st.sampled_from([("new",), ()]),
    category=st.none() | st.sampled_from(CATEGORIES),
    upto=st.none() | st.integers(0, 300),
)


@pytest.mark.parametrize("long_list", [0, STORIES])
@given(
    query=queries | plain_queries,
    span=st.tuples(st.sampled_from([0, 0, 1, 7, 100]), st.integers(1, 40)),
    days=st.integers(-5, 80),
)
def test_a_page_is_cut_from_the_sorted_list_of_all_stories_that_fit(
    filled: Filled, long_list: int, query: CandidateQuery, span: tuple[int, int], days: int
) -> None:
    now, (offset, limit) = NOON + timedelta(days=days), span
    with pytest.MonkeyPatch.context() as patch, filled.store.reading() as tx:
        patch.setattr(listing, "LONG_LIST", long_list)
        patch.setattr(listing, "READ_BESIDE", limit % 3)
        page = page_candidates(tx, query, now, offset=offset, limit=limit)
        ranked = rank_candidates(tx, query, now, limit)
    everything = [each for each in filled.candidates if holds(each, query)]
    fitting = [each for each in everything if query.category in {None, each.category}]
    ordered = sorted(fitting, key=lambda each: (-score_today(each, now), each.story.id))
    assert [each.story.id for each in page.candidates] == [each.story.id for each in ordered[offset : offset + limit]]
    assert ranked == [(each.story.id, score_today(each, now)) for each in ordered[:limit]]
    assert page.counts == Counter(each.category for each in everything)
    assert page.total == len(fitting)


def explain_lists(store: Store, queries: Sequence[CandidateQuery], now: datetime) -> list[str]:
    """The steps by which SQLite finds the rows of lists, each of 20 candidates."""
    with store.reading() as tx:
        connection = tx.stories._connection
        statements: list[tuple[str, tuple[object, ...]]] = []
        event.listen(
            connection, "before_cursor_execute", lambda _, __, sql, values, *___: statements.append((sql, values))
        )
        for query in queries:
            list(tx.stories.list_best(query, _make_bounds(now), 20)[1])
        return [
            row.detail
            for sql, values in statements.copy()
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]


def test_a_list_on_sqlite_reads_indexes_alone(tmp_path: Path) -> None:
    lately = NOON - timedelta(days=30)
    listed = [
        CandidateQuery(),
        CandidateQuery(category="新闻"),
        CandidateQuery(category="新闻", promotion=False, upto=100),
        CandidateQuery(since=lately),
        CandidateQuery(since=lately, kind="zhihu", source="甲", promotion=False),
        CandidateQuery(kind="zhihu"),
    ]
    with opened_store(SqliteDatabases(tmp_path)) as store:
        fill(store, random.Random(3))
        steps = explain_lists(store, listed, NOON)
    readings = [step for step in steps if re.match(r"(SEARCH|SCAN) (stories|articles|given)\b", step)]
    assert len(readings) > len(listed)
    assert not [step for step in readings if "USING COVERING INDEX" not in step]


def test_stories_that_freshness_lifts_are_found_by_age_where_few_are_young_and_by_score_where_most_are(
    tmp_path: Path,
) -> None:
    with opened_store(SqliteDatabases(tmp_path)) as store:
        fill(store, random.Random(3))
        old, young = (
            {step.partition("ix_stories_")[2] for step in explain_lists(store, [CandidateQuery()], now)}
            for now in (NOON + timedelta(days=100), NOON - timedelta(days=100))
        )
    assert "state_newest_at (state=? AND newest_at>?)" in old - young
    assert "state_score (state=? AND score>?)" in young - old


def test_an_old_story_among_the_best_lets_a_list_read_no_young_ones_that_cannot_be_among_them(store: Store) -> None:
    ages, scores = [80, *[0] * 19], [5.0, *[4.9] * 7, *[4.0] * 12]
    with store.transaction() as tx:
        tx.articles.save(
            [article(number, published=instant(-age)) for number, age in enumerate(ages, 1)],
        )
        made = [make_candidate(tx, [number], "论文", score, "") for number, score in enumerate(scores, 1)]
        tx.stories.replace([], made)
    bounds = FreshnessBounds(((NOON - timedelta(days=58), 0.0), (NOON - timedelta(days=1), 1.4)), 1.5)
    with store.reading() as tx:
        ranked = tx.stories.iterate_best(CandidateQuery(), bounds, 3)
        assert [each.id for each in ranked] == [2, 3, 4, 5, 6, 7, 8, 1]


@pytest.mark.parametrize("since", [None, NOON - timedelta(days=70)])
def test_of_a_long_list_few_articles_of_a_kind_are_looked_up_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, since: datetime | None
) -> None:
    monkeypatch.setattr(listing, "LONG_LIST", 0)
    with opened_store(SqliteDatabases(tmp_path)) as store:
        fill(store, random.Random(3))
        few = explain_lists(store, [CandidateQuery(kind="zhihu", since=since)], NOON)
        monkeypatch.setattr(listing, "MOST_MATCHES", 1)
        many = explain_lists(store, [CandidateQuery(kind="zhihu", since=since)], NOON)
    by_id = "SEARCH stories USING INTEGER PRIMARY KEY (rowid=?)"
    assert by_id in few
    assert by_id not in many


def count_plainly(tx: Transaction, state: CandidateState) -> dict[str, int]:
    query = select(stories.c.category, func.count()).where(stories.c.state == state).group_by(stories.c.category)
    return {category: number for category, number in tx.stories._connection.execute(query)}  # noqa: C416


def test_stories_are_counted_whatever_happens_to_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    fill(store, chance)
    monkeypatch.setattr(counts, "MOST_ROWS", 20)
    for number in range(60):
        with store.transaction() as tx:
            story_ids = chance.sample([each.story.id for each in tx.stories.get(range(1, 500))], 5)
            candidates = tx.stories.get(story_ids)
            match number % 4:
                case 0:
                    tx.stories.replace(story_ids, [])
                case 1:
                    tx.stories.replace(story_ids, [*candidates[:2]])
                case 2:
                    tx.decisions.add(Decision(story_ids[0], chance.choice(ACTIONS), "编辑", NOON, category="论文"))
                case _:
                    tx.stories.regrade(candidates)
        with store.reading() as tx:
            for state in get_args(CandidateState):
                assert read_counts(tx.stories._connection, [state]) == count_plainly(tx, state)
    with store.transaction() as tx:
        former = read_counts(tx.stories._connection)
        fold_counts(tx.stories._connection, most=0)
        assert read_counts(tx.stories._connection) == former
