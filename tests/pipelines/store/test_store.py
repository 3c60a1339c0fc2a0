"""What the store keeps, noun by noun."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, about, all_decisions, article, quarantined, stored_candidates
from databases import Databases, open_new_store, opened_store
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, update

from crawler.errors import Detail, Failure
from crawler.items import RawItem, SourceState
from pipelines.deduplicate import near, titles
from pipelines.deduplicate.bands import PERIOD, POPULAR, Bands, Use, drop_popular, find_pairs
from pipelines.deduplicate.events import CROWD, WINDOW, EventKey, find_event_pairs
from pipelines.deduplicate.memory import Printed
from pipelines.model import (
    Article,
    Candidate,
    Decision,
    DecisionAction,
    Entry,
    Evidence,
    Instant,
    Issue,
    Reason,
    Reference,
    Section,
    StoredArticle,
    Story,
    StoryLink,
)
from pipelines.store import Store, Transaction, tables
from pipelines.store.errors import NoSuchStory
from pipelines.store.events import PERIOD as EVENT_PERIOD
from pipelines.store.events import IndexedProfile
from pipelines.store.listing import CandidateQuery
from pipelines.store.packing import pack_article, unpack_article
from pipelines.store.raw import NewRaw, Packed
from pipelines.store.runs import INTERRUPTED, RunPart
from pipelines.store.state import state_after
from pipelines.wording import LANGUAGES

JANUARY, FEBRUARY = date(2026, 1, 15), date(2026, 2, 15)

EVERYTHING = Article(
    kind="wechat",
    source="watch",
    url="https://mp.weixin.qq.com/s/abc",
    seen_url="https://mp.weixin.qq.com/s/abc?scene=1",
    keys=("https://mp.weixin.qq.com/s/abc", "wechat:MzA=/1/1", "wechat:abc"),
    title="端侧推理框架发布",
    published=Instant(NOON, "minute", "published", "2026-11-01 20:00"),
    fetched_at=NOON + timedelta(hours=1),
    temporary=True,
    title_lead="重磅",
    title_tail="机器之心",
    publisher="账号",
    author="作者",
    updated=Instant(NOON + timedelta(minutes=5), "second", "updated", "1762475508"),
    language="zh",
    text="第一段\n第二段",
    summary="摘要",
    image="https://img.example/1.png",
    references=(
        Reference("arxiv:2001.04246", "https://arxiv.org/abs/2001.04246", "论文", primary=True, position=0),
        Reference("github:a/b", "https://github.com/a/b", None, primary=False, position=1),
    ),
    tags=("AI", "端侧"),
    metrics={"votes": 7},
    facts={"comment": "8 页"},
)


@pytest.fixture
def tx(store: Store) -> Iterator[Transaction]:
    """One transaction on a new store."""
    with store.transaction() as one:
        yield one


def told(tx: Transaction, *members: int, score: float = 1.0, **values: object) -> Candidate:
    """Store a story of these articles, in the place of those that had one of them."""
    stored = tx.articles.get(members)
    candidate = Candidate(
        story=Story(members[0], members, members[0], values.pop("evidence", ())),  # type: ignore[arg-type]
        articles=tuple(stored[one] for one in members),
        category=str(values.pop("category", "新闻")),
        category_scores={"新闻": 0.75, "论文": 0.25},
        category_reasons=(Reason("reason/source", 1.5, {"source": "甲"}),),
        score=score,
        reasons=values.pop("reasons", (Reason("reason/links", score, {"labels": ("论文", "代码")}),)),  # type: ignore[arg-type]
        links=(StoryLink("论文", "https://arxiv.org/abs/2001.04246"),),
        **values,  # type: ignore[arg-type]
    )
    tx.stories.replace({story.id for story in tx.stories.find_by_articles(members).values()}, [candidate])
    return candidate


def same_title(*pair: int) -> Evidence:
    return Evidence("same-title", "evidence/same-title", (pair[0], pair[1]))


def near_text(*pair: int) -> Evidence:
    return Evidence("near-text", "evidence/near-text", (pair[0], pair[1]), {"similarity": "0.90"})


def decide(tx: Transaction, story: int, action: DecisionAction) -> None:
    tx.decisions.add(Decision(story, action, "编辑", NOON))


def state(tx: Transaction, story: int) -> tuple[str, date | None]:
    found = tx.stories.find_by_article(story)
    assert found is not None
    return found.state, found.published_in


def issue(day: date, *entries: Entry, published: bool = True) -> Issue:
    return Issue(day, "试刊", (Section("新闻", entries),), state="published" if published else "draft")


# ---- articles


def test_an_article_comes_back_as_it_was_saved(tx: Transaction) -> None:
    tx.articles.save([EVERYTHING])
    assert tx.articles.get([1, 2]) == {
        1: StoredArticle(
            id=1,
            article=EVERYTHING,
            urls=(EVERYTHING.url, EVERYTHING.seen_url),
            sources=("watch",),
            first_seen=EVERYTHING.fetched_at,
        )
    }


def test_an_article_packs_without_its_keys_and_numbers() -> None:
    for one in (article(1), EVERYTHING):
        assert unpack_article(pack_article(one)) == replace(one, keys=(), metrics={})


def test_an_article_knows_all_its_addresses_and_sources(tx: Transaction) -> None:
    long = replace(
        EVERYTHING, url="https://mp.weixin.qq.com/s?mid=1", source="other", fetched_at=NOON + timedelta(hours=2)
    )
    assert tx.articles.save([EVERYTHING]).outcomes == ("new",)
    assert tx.articles.save([replace(long, temporary=False)]).outcomes == ("seen",)
    stored = tx.articles.get([1])[1]
    assert stored.article.url == long.url
    assert stored.urls == (long.url, EVERYTHING.url, EVERYTHING.seen_url)
    assert stored.sources == ("other", "watch")
    assert stored.first_seen == EVERYTHING.fetched_at


def test_an_edit_keeps_the_version_that_it_replaced(tx: Transaction) -> None:
    tx.articles.save([article(1, text="旧文")])
    edit = replace(article(1, text="新文", title="新题"), fetched_at=NOON + timedelta(days=1))
    assert tx.articles.save([edit]).outcomes == ("updated",)
    assert tx.articles.get([1])[1].revision == 2
    (replaced,) = tx.articles.list_revisions(1)
    assert (replaced.number, replaced.title, replaced.text) == (1, article(1).title, "旧文")
    assert replaced.replaced_at == NOON + timedelta(days=1)


def test_what_changed_since_it_was_grouped_is_fresh(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    assert tx.articles.list_fresh() == [1, 2]
    assert tx.articles.list_fresh(limit=1) == [1]
    tx.articles.mark_grouped([1, 2])
    assert tx.articles.list_fresh() == []
    tx.articles.save([replace(article(2, text="新"), fetched_at=NOON + timedelta(days=1))])
    assert tx.articles.list_fresh() == [2]


def test_what_is_fresh_is_found_by_an_index(tx: Transaction) -> None:
    connection = tx.articles._connection
    tx.articles.save([article(number) for number in range(1, 301)])
    tx.articles.mark_grouped(range(1, 300))
    connection.exec_driver_sql("ANALYZE")  # PostgreSQL chooses by what it knows of the rows
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(connection, "before_cursor_execute", lambda _, __, query, values, *___: asked.append((query, values)))
    tx.articles.list_fresh(limit=5)
    plan = read_plan(connection, *asked[0])
    assert any("ix_articles_fresh" in step for step in plan), plan


def read_plan(connection: Connection, query: str, values: tuple[object, ...]) -> list[str]:
    """How the database would find the rows of a query: the accesses to its tables, with their conditions.

    PostgreSQL reads a table as small as a test's from end to end unless that is forbidden.
    """
    if connection.dialect.name == "sqlite":
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    lines = [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {query}", values)]
    return [f"{line} {next_line}" for line, next_line in pairwise([*lines, ""]) if re.search(r"(?<!CTE) Scan ", line)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda tx: tx.articles.count_references([1, 2], most=3),
        lambda tx: tx.bands.find_pairs([1, 2], reach=10),
        lambda tx: tx.bands.find_uses([1, 2], reach=10),
        lambda tx: tx.bands.find_tipping_holders([1, 2]),
        lambda tx: tx.events.find_pairs([1, 2]),
        lambda tx: tx.events.find_tipping_holders([1, 2]),
        lambda tx: tx.events.find_holders([1, 2], 100, 200),
    ],
)
def test_what_may_belong_together_is_found_without_reading_a_whole_table(
    tx: Transaction, ask: Callable[[Transaction], object]
) -> None:
    connection = tx.articles._connection
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(connection, "before_cursor_execute", lambda _, __, query, values, *___: asked.append((query, values)))
    ask(tx)
    plan = read_plan(connection, *asked[0])
    if connection.dialect.name == "sqlite":
        assert any("SEARCH" in step for step in plan)
        tables_and_aliases = "bands|event_keys|article|mine|theirs|holder\\b|reference\\b"
        assert not [step for step in plan if re.match(f"SCAN ({tables_and_aliases})", step)]
    else:
        assert [step for step in plan if re.search(r" on (bands|event_keys|article_)", step)]
        of_tables = [step for step in plan if not re.search("(Subquery|WorkTable|Values) Scan", step)]
        assert not [step for step in of_tables if " Cond: " not in step]


def test_what_shares_a_band_is_told_within_its_reach_and_of_one_account_on_one_day(tx: Transaction) -> None:
    tx.articles.save([article(n) for n in range(1, 6)])
    days_and_accounts = [(100, 1), (110, 2), (111, 2), (105, 1), (100, 1)]
    tx.bands.save(
        {n: Bands(day, account, frozenset({(7, 10)})) for n, (day, account) in enumerate(days_and_accounts, 1)}
    )
    assert tx.bands.find_pairs([1], reach=10) == {(1, 2), (1, 5)}
    assert tx.bands.find_pairs([3], reach=10) == {(3, 4)}
    assert tx.bands.find_pairs([3], reach=30) == set()
    assert {use.article for use in tx.bands.find_uses([1], reach=10)} == {1, 2, 4, 5}


@pytest.mark.parametrize("reach", [titles.WINDOW, near.REACH, titles.HORIZON])
def test_what_shares_a_band_is_told_from_each_day_of_a_period_as_far_as_its_reach(tx: Transaction, reach: int) -> None:
    tx.articles.save([article(number) for number in range(1, 5 * PERIOD + 1)])
    first = 24_000 * PERIOD
    for day in range(PERIOD):  # each with a key of its own
        for number, shift in enumerate((0, -reach, reach, -reach - 1, reach + 1), 5 * day + 1):
            tx.bands.save({number: Bands(first + day + shift, number, frozenset({(day, reach)}))})
    asked = range(1, 5 * PERIOD, 5)
    assert tx.bands.find_pairs(asked, reach) == {(number, number + shift) for number in asked for shift in (1, 2)}
    found = {use.article for use in tx.bands.find_uses(asked, reach)}
    assert found == {number + shift for number in asked for shift in range(3)}


def test_a_band_that_tips_over_is_told_and_joins_nothing_in_that_period(tx: Transaction) -> None:
    tx.articles.save([article(n) for n in range(1, POPULAR + 3)])
    first = 10 * PERIOD
    crowd = {n: Bands(first, n, frozenset({(7, 5)})) for n in range(1, POPULAR + 1)}
    tx.bands.save(crowd)
    assert len(tx.bands.find_pairs([1], reach=5)) == POPULAR - 1
    assert tx.bands.find_tipping_holders([1]) == set()
    tx.bands.save({POPULAR + 1: Bands(first + 1, 0, frozenset({(7, 5)}))})
    tx.bands.save({POPULAR + 2: Bands(first - 1, 0, frozenset({(7, 5)}))})
    assert tx.bands.find_tipping_holders([POPULAR + 1]) == set(range(1, POPULAR + 3))
    assert tx.bands.find_tipping_holders([POPULAR + 2]) == set()
    assert tx.bands.find_pairs([1, POPULAR + 2], reach=5) == set()
    assert {use.article for use in tx.bands.find_uses([1, POPULAR + 2], reach=5)} == {POPULAR + 2}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4 * PERIOD), st.integers(1, 2)), min_size=2, max_size=12),
    st.none() | st.tuples(st.integers(PERIOD, 3 * PERIOD), st.integers(POPULAR - 3, POPULAR + 1)),
    st.sampled_from([titles.WINDOW, near.REACH, titles.HORIZON]),
)
def test_the_store_finds_the_pairs_by_bands_that_are_found_in_memory(
    databases: Databases, uses: list[tuple[int, int, int]], crowd: tuple[int, int] | None, reach: int
) -> None:
    asked = range(1, len(uses) // 2 + 2)
    if crowd:
        day, size = crowd
        uses = [*uses, *((0, day, 3 + number) for number in range(size))]
    all_uses = [Use(key, 24_000 * PERIOD + day, account, number) for number, (key, day, account) in enumerate(uses, 1)]
    with opened_store(databases) as store, store.transaction() as tx:
        tx.articles.save([article(use.article) for use in all_uses])
        tx.bands.save({use.article: Bands(use.day, use.account, frozenset({(use.key, reach)})) for use in all_uses})
        rare = drop_popular(all_uses)
        expected = {pair for pair in find_pairs(rare, reach) if not set(asked).isdisjoint(pair)}
        assert tx.bands.find_pairs(asked, reach) == expected
        of_asked = [use for use in all_uses if use.article in asked]
        assert tx.bands.find_uses(asked, reach) == {
            use for use in rare if any(use.key == one.key and abs(use.day - one.day) <= reach for one in of_asked)
        }


def test_a_crowd_that_shares_its_bands_is_looked_at_once_for_each_member_and_not_for_each_pair(tmp_path: Path) -> None:
    """A feed of 1,500 nearly equal titles took a minute to group. The steps of SQLite's machine are counted."""

    def count_steps(size: int) -> int:
        tens_of_steps = count()
        with closing(open_new_store(tmp_path / f"{size}.db")) as store, store.transaction() as tx:
            keys = frozenset({*((key, 10) for key in range(10)), *((key, 40) for key in range(10, 12))})
            tx.articles.save([article(number) for number in range(1, size + 1)])
            tx.bands.save({number: Bands(730_000, 0, keys) for number in range(1, size + 1)})
            driver: Any = tx.bands._connection.connection.driver_connection
            driver.set_progress_handler(lambda: next(tens_of_steps) < 0, 10)
            for first in range(1, size + 1, 100):
                batch = range(first, first + 100)
                assert tx.bands.find_pairs(batch, reach=10) == set()
                assert tx.bands.find_uses(batch, reach=40) == set()
            driver.set_progress_handler(None, 0)
        return 10 * next(tens_of_steps)

    steps = count_steps(400)
    assert count_steps(800) < 2.5 * steps
    assert steps < 400 * 12 * POPULAR * 20


# ---- events

BORDER = 23_100 * EVENT_PERIOD
"""A day with which a period of the keys of events begins."""


def index_events(tx: Transaction, uses: Collection[EventKey]) -> None:
    """Store articles with keys; each has its keys on one day."""
    keys: dict[int, set[int]] = defaultdict(set)
    for use in uses:
        keys[use.article].add(use.key)
    days = {use.article: use.day for use in uses}
    tx.articles.save([article(number) for number in range(1, max(keys, default=0) + 1)])
    tx.events.save({number: IndexedProfile(days[number], frozenset(keys[number]), "{}") for number in keys})


@pytest.mark.parametrize("apart", range(WINDOW + 2))
def test_two_articles_that_share_a_key_are_found_on_both_sides_of_a_border_of_periods(
    tx: Transaction, apart: int
) -> None:
    index_events(tx, [EventKey(7, BORDER - 1, 1), EventKey(7, BORDER - 1 + apart, 2), EventKey(8, BORDER, 3)])
    pairs = {(1, 2)} if apart <= WINDOW else set()
    assert tx.events.find_pairs([1]) == tx.events.find_pairs([2]) == pairs


def test_who_has_a_key_is_told_from_day_to_day_over_several_periods(tx: Transaction) -> None:
    days = [BORDER - 1, BORDER, BORDER + EVENT_PERIOD, BORDER + 3 * EVENT_PERIOD]
    index_events(tx, [EventKey(7, day, number) for number, day in enumerate(days, 1)])
    assert tx.events.find_holders([7], days[1], days[2]) == {2, 3}
    assert tx.events.find_holders([7], days[0], days[3]) == {1, 2, 3, 4}
    assert tx.events.find_holders([8], days[0], days[3]) == set()


def test_who_depends_on_a_crowd_is_told_on_both_sides_of_a_border_of_periods(tx: Transaction) -> None:
    crowd = [EventKey(7, BORDER, number) for number in range(1, CROWD + 2)]
    nearby = [EventKey(7, BORDER - WINDOW, CROWD + 2), EventKey(7, BORDER + WINDOW, CROWD + 3)]
    index_events(tx, [*crowd, *nearby, EventKey(7, BORDER - WINDOW - 1, CROWD + 4)])
    assert tx.events.find_tipping_holders([1]) == {use.article for use in (*crowd, *nearby)}
    assert tx.events.find_tipping_holders([CROWD + 2]) == set()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(BORDER - 6, BORDER + 6)), min_size=1, max_size=12),
    st.none() | st.tuples(st.integers(BORDER - 4, BORDER + 4), st.integers(CROWD - 3, CROWD + 1)),
)
def test_the_store_finds_the_pairs_that_are_found_in_memory(
    databases: Databases, keys_and_days: list[tuple[int, int]], crowd: tuple[int, int] | None
) -> None:
    uses = [EventKey(key, day, number) for number, (key, day) in enumerate(keys_and_days, 1)]
    uses += [EventKey(key + 1, day, number) for key, day, number in uses if number % 3 == 0]
    if crowd:
        day, size = crowd
        uses += [EventKey(0, day, len(keys_and_days) + number) for number in range(1, size + 1)]
    with opened_store(databases) as store, store.transaction() as tx:
        index_events(tx, uses)
        asked = range(1, len(keys_and_days) // 2 + 2)
        expected = {pair for pair in find_event_pairs(uses) if not set(asked).isdisjoint(pair)}
        assert tx.events.find_pairs(asked) == expected


# ---- references


def test_who_has_a_key_is_told_with_the_role(tx: Transaction) -> None:
    mention = Reference("arxiv:1", "https://arxiv.org/abs/1")
    tx.articles.save(
        [article(1, keys=("arxiv:1",)), article(2, references=about("arxiv:1")), article(3, references=(mention,))]
    )
    assert tx.articles.find_holders(["arxiv:1", "arxiv:2"]) == {"arxiv:1": [(1, "own"), (2, "primary"), (3, "mention")]}


def test_who_refers_to_what_an_article_is_or_names_is_counted_but_not_too_far(tx: Transaction) -> None:
    tx.articles.save([article(1, keys=("arxiv:1",)), *(article(n, references=about("arxiv:1")) for n in range(2, 7))])
    own = "https://example.org/{}".format
    assert tx.articles.count_references([1], most=9) == {"arxiv:1": 5, own(1): 0}
    assert tx.articles.count_references([2], most=3) == {"arxiv:1": 4, own(2): 0}


def test_references_that_an_edit_removed_are_gone(tx: Transaction) -> None:
    tx.articles.save([article(1, text="旧" * 20, references=about("arxiv:1"))])
    tx.articles.save([replace(article(1, text="新" * 20), fetched_at=NOON + timedelta(days=1))])
    assert tx.articles.find_holders(["arxiv:1"]) == {}


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(tx: Transaction) -> None:
    counted = []
    event.listen(tx.articles._connection, "before_cursor_execute", lambda *_: counted.append(1))

    def statements(numbers: range) -> int:
        counted.clear()
        tx.articles.save([article(number, references=about(f"arxiv:{number}")) for number in numbers])
        return len(counted)

    assert statements(range(10)) == statements(range(10, 210)) < 15


def test_numbers_are_noted_and_never_go_back_in_time(tx: Transaction) -> None:
    tx.articles.save([article(1, metrics={"stars": 5})])
    later = NOON.timestamp() + 60
    tx.articles.set_metrics({1: {"stars": (9, later), "forks": (1, later)}})
    tx.articles.set_metrics({1: {"stars": (7, later - 30)}})
    assert tx.articles.get([1])[1].article.metrics == {"stars": 9, "forks": 1}


# ---- two articles turn out to be one


def test_when_articles_join_whatever_named_the_one_names_the_other(tx: Transaction) -> None:
    tx.articles.save([article(1, keys=("a",)), article(2, keys=("b",), references=about("arxiv:1"), metrics={"x": 1})])
    tx.articles.save([replace(article(2, keys=("b",), text="改"), fetched_at=NOON + timedelta(hours=1))])
    tx.articles.save([replace(article(2, keys=("b",), text="再改"), fetched_at=NOON + timedelta(hours=2))])
    told(tx, 1)
    told(tx, 2)
    decide(tx, 2, "later")
    tx.issues.save(issue(JANUARY, Entry("条目", story=2), published=False), [()])
    saved = tx.articles.save([replace(article(3, keys=("a", "b")), fetched_at=NOON + timedelta(hours=3))])
    assert (saved.ids, saved.outcomes, saved.joined) == ((1,), ("updated",), frozenset({2}))
    (stored,) = tx.articles.get([1, 2]).values()
    assert stored.id == 1
    assert set(stored.article.keys) >= {"a", "b"}
    assert set(stored.urls) == {f"https://example.org/{number}" for number in (1, 2, 3)}
    assert stored.article.text == "再改"
    assert stored.article.metrics == {"x": 1}
    assert [one.text for one in tx.articles.list_revisions(1)] == ["改"]
    assert tx.articles.find_holders(["a", "b", "arxiv:1"]) == {"a": [(1, "own")], "b": [(1, "own")]}
    assert [one.story for one in all_decisions(tx)] == [1]
    assert state(tx, 1)[0] == "later"
    kept = tx.issues.get(JANUARY)
    assert kept is not None
    assert kept.sections[0].entries[0].story == 1


def test_an_id_that_was_given_out_finds_its_article_for_ever(tx: Transaction) -> None:
    tx.articles.save([article(1, keys=("a",)), article(2, keys=("b",)), article(3, keys=("c",))])
    told(tx, 1)
    tx.articles.save([article(4, keys=("b", "c"))])
    tx.articles.save([article(5, keys=("a", "b"))])
    for one in (1, 2, 3):
        found = tx.stories.find_by_article(one)
        assert found is not None
        assert found.story.id == 1
        decide(tx, one, "pick")
    assert tx.articles.save([article(6)]).ids == (4,), "an id that is gone is not given out again"


def test_stories_join_with_their_articles_and_keep_their_evidence(tx: Transaction) -> None:
    tx.articles.save([article(number, keys=(f"k{number}",)) for number in (1, 2, 3, 4)])
    told(tx, 1, 3, evidence=(same_title(1, 3),))
    told(tx, 2, 4, evidence=(near_text(2, 4),))
    tx.articles.save([article(5, keys=("k3", "k4"))])
    story = tx.stories.find_by_articles([1])[1]
    assert story == Story(
        1,
        (1, 2, 3),
        1,
        (
            same_title(1, 3),
            near_text(2, 3),
        ),
    )
    assert tx.stories.find_by_articles([1, 2, 3, 4]) == {1: story, 2: story, 3: story}


def test_a_story_lives_on_when_its_first_article_joins_one_without_a_story(tx: Transaction) -> None:
    tx.articles.save([article(number, keys=(f"k{number}",)) for number in (1, 2, 3)])
    told(tx, 2, 3, evidence=(same_title(2, 3),))
    tx.articles.save([article(4, keys=("k1", "k2"))])
    assert tx.stories.find_by_articles([1, 3])[3] == Story(1, (1, 3), 1, (same_title(1, 3),))


def test_a_decision_moves_with_an_article_that_had_no_story(tx: Transaction) -> None:
    tx.articles.save([article(1, keys=("a",)), article(2, keys=("b",))])
    told(tx, 1)
    decide(tx, 2, "drop")
    tx.articles.save([article(3, keys=("a", "b"))])
    assert state(tx, 1) == ("dropped", None)


# ---- stories


def test_a_candidate_comes_back_as_it_was_stored(tx: Transaction) -> None:
    tx.articles.save([EVERYTHING, article(2)])
    stored = told(tx, 1, 2, evidence=(Evidence("shared-reference", "evidence/key", (1, 2), {"key": "arxiv:1"}),))
    assert tx.stories.find_by_article(2) == stored
    assert stored_candidates(tx) == [stored]
    assert tx.stories.find_by_article(3) is None


def test_sentences_of_an_older_store_are_shown_as_they_are(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    told(tx, 1, 2, evidence=(same_title(1, 2),))
    connection = tx.stories._connection
    reasons = [["量化", 1.2], ["推广：招聘", -4.2]]
    connection.execute(update(tables.stories).values(reasons=reasons, category_reasons=[["来源常供本栏", 2.0]]))
    connection.execute(update(tables.evidence).values(detail="标题相似 0.93"))
    candidate = tx.stories.find_by_article(1)
    assert candidate is not None
    for language in LANGUAGES:
        assert candidate.reasons[0].text(language) == "量化"
        assert [reason.text(language) for reason in candidate.category_reasons] == ["来源常供本栏"]
        assert [edge.text(language) for edge in candidate.story.evidence] == ["标题相似 0.93"]
    assert [reason.text("zh") for reason in candidate.reasons] == ["量化", "推广：招聘"]
    assert [reason.weight for reason in candidate.reasons] == [1.2, -4.2]
    assert candidate.promotion == "招聘"


def test_a_promotion_is_listed_as_one_by_its_field(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    told(tx, 1, reasons=(Reason("reason/promotion", -3.0, {"sort": "招聘"}),), promotion="招聘")
    told(tx, 2)
    promotions = tx.stories.iterate_ranked(CandidateQuery(promotion=True))
    assert [story.id for story in promotions] == [1]
    candidate = tx.stories.find_by_article(1)
    assert candidate is not None
    assert candidate.promotion == "招聘"


def test_candidates_are_filtered_and_come_best_first(tx: Transaction) -> None:
    tx.articles.save([article(number, days=-number) for number in (1, 2, 3, 4)])
    for number, score in ((1, 0.5), (2, 2.0), (3, 1.0)):
        told(tx, number, score=score)
    told(tx, 4, score=-1.0, category="论文")
    decide(tx, 4, "drop")

    def ids(**options: object) -> list[int]:
        return [one.story.id for one in stored_candidates(tx, **options)]

    assert ids() == [2, 3, 1]
    assert ids(since=NOON - timedelta(days=2)) == [2, 1]
    assert ids(states=("new", "dropped")) == [2, 3, 1, 4]
    assert ids(category="论文") == []
    assert ids(category="论文", states=("dropped",)) == [4]
    assert ids(category="新闻") == [2, 3, 1]


def test_open_stories_are_listed_newest_first_whatever_stands_between_them(tx: Transaction) -> None:
    tx.articles.save([article(number) for number in range(1, 41)])
    for number in range(1, 41):
        told(tx, number)
        if number % 5:
            decide(tx, number, "drop")
    decide(tx, 30, "later")
    assert tx.training.list_open_stories(0, 3) == [40, 35, 30]
    assert tx.training.list_open_stories(30, 3) == [25, 20, 15]
    assert tx.training.list_open_stories(15, 9) == [10, 5]
    assert tx.training.list_open_stories(5, 9) == []
    assert [report.story for report in tx.training.list_open_reports(40, 2)] == [35, 25]


def test_the_next_open_stories_are_found_without_a_look_at_all_the_others(tmp_path: Path) -> None:
    """Among a million open stories the next hundred took a sixth of a second. SQLite's steps are counted."""

    def count_steps(size: int) -> int:
        tens_of_steps = count()
        with closing(open_new_store(tmp_path / f"{size}.db")) as store, store.transaction() as tx:
            tx.articles.save([article(number) for number in range(1, size + 1)])
            for number in range(1, size + 1):
                told(tx, number)
            driver: Any = tx.training._connection.connection.driver_connection
            driver.set_progress_handler(lambda: next(tens_of_steps) < 0, 10)
            assert len(tx.training.list_open_stories(0, 20)) == 20
            assert len(tx.training.list_open_reports(0, 20)) == 20
            driver.set_progress_handler(None, 0)
        return 10 * next(tens_of_steps)

    assert count_steps(400) < 1.2 * count_steps(100)


def test_candidates_are_loaded_with_a_fixed_number_of_statements(tx: Transaction) -> None:
    tx.articles.save([article(number) for number in range(60)])
    for one in range(1, 60, 2):
        told(tx, one, one + 1)
    story_ids = [candidate.story.id for candidate in stored_candidates(tx)]
    counted = []
    event.listen(tx.articles._connection, "before_cursor_execute", lambda *_: counted.append(1))
    assert len(tx.stories.get(story_ids)) == 30
    assert len(counted) <= 8


# ---- decisions


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["pick", "drop", "later", "merge", "split"]), max_size=6))
def test_undo_takes_back_the_newest_decision_and_no_other(databases: Databases, said: list[DecisionAction]) -> None:
    with opened_store(databases) as store, store.transaction() as tx:
        tx.articles.save([article(1), article(2)])
        told(tx, 1)
        states, words = [state(tx, 1)], [tx.decisions.find_pairs_by_hand([1])]
        for minute, action in enumerate(said):
            other = 2 if action in ("merge", "split") else None
            tx.decisions.add(Decision(1, action, "编辑", NOON + timedelta(minutes=minute), other=other))
            states.append(state(tx, 1))
            words.append(tx.decisions.find_pairs_by_hand([1]))
        assert states[-1][0] == state_after(said)
        for _ in said:
            states.pop()
            words.pop()
            decide(tx, 1, "undo")
            assert state(tx, 1) == states[-1]
            assert tx.decisions.find_pairs_by_hand([1]) == words[-1]
        decide(tx, 1, "undo")
        assert state(tx, 1)[0] == "new"
        assert len(all_decisions(tx)) == 2 * len(said)


def pair(tx: Transaction, action: DecisionAction, *pairs: tuple[int, int], minute: int = 0) -> frozenset[int]:
    at = NOON + timedelta(minutes=minute)
    return tx.decisions.add(*(Decision(one, action, "编辑", at, other=other) for one, other in pairs))


def test_the_newest_word_on_a_pair_counts_and_has_its_articles_grouped_again(tx: Transaction) -> None:
    tx.articles.save([article(number) for number in (1, 2, 3)])
    tx.articles.mark_grouped([1, 2, 3])
    assert pair(tx, "merge", (2, 1)) == {1, 2}
    assert tx.articles.list_fresh() == [1, 2]
    assert pair(tx, "split", (1, 2), (1, 3), minute=1) == {1, 2, 3}
    assert {two: one.action for two, one in tx.decisions.find_pairs_by_hand([2, 3]).items()} == {
        (1, 2): "split",
        (1, 3): "split",
    }
    assert set(tx.decisions.find_pairs_by_hand([3])) == {(1, 3)}
    decide(tx, 3, "undo")
    assert {two: one.action for two, one in tx.decisions.find_pairs_by_hand([1, 2, 3]).items()} == {(1, 2): "merge"}


def test_an_undo_takes_back_what_it_did_whatever_is_one_story_since(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    told(tx, 1)
    told(tx, 2)
    decide(tx, 1, "pick")
    decide(tx, 2, "drop")
    decide(tx, 1, "undo")
    assert (state(tx, 1)[0], state(tx, 2)[0]) == ("new", "dropped")
    told(tx, 1, 2)
    assert state(tx, 1)[0] == "dropped"


def test_pairs_follow_articles_that_turn_out_to_be_one_and_are_moot_within_it(tx: Transaction) -> None:
    tx.articles.save([article(number, keys=(f"k{number}",)) for number in (1, 2, 3)])
    pair(tx, "split", (1, 3))
    pair(tx, "merge", (3, 2), minute=1)
    tx.articles.save([replace(article(4, keys=("k1", "k2")), fetched_at=NOON + timedelta(hours=1))])
    assert {two: one.action for two, one in tx.decisions.find_pairs_by_hand([1, 3]).items()} == {(1, 3): "merge"}
    tx.articles.save([replace(article(5, keys=("k1", "k3")), fetched_at=NOON + timedelta(hours=2))])
    assert tx.decisions.find_pairs_by_hand([1]) == {}


def test_a_pair_that_lost_an_article_waits_for_it(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    pair(tx, "merge", (1, 2))
    tx.articles.remove(2)
    assert tx.decisions.find_pairs_by_hand([1]) == {}
    with pytest.raises(NoSuchStory):
        pair(tx, "merge", (1, 2), minute=1)


def test_a_storys_state_is_what_was_decided_last(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    told(tx, 1, 2)
    for action, expected in (("later", "later"), ("pick", "picked"), ("undo", "later"), ("drop", "dropped")):
        decide(tx, 2, action)
        assert state(tx, 1) == (expected, None)
    assert [one.action for one in tx.decisions.find_by_stories([1])[1]] == ["later", "pick", "undo", "drop"]
    assert tx.decisions.find_by_stories([1])[1] == all_decisions(tx)


def test_decisions_survive_regrouping(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2), article(3)])
    told(tx, 2, 3)
    decide(tx, 2, "pick")
    tx.stories.replace([2], [])
    assert tx.stories.find_by_article(2) is None
    told(tx, 1, 2)
    told(tx, 3)
    assert state(tx, 1)[0] == "picked"
    assert state(tx, 3)[0] == "new"


def test_a_decision_on_nothing_is_refused(tx: Transaction) -> None:
    with pytest.raises(NoSuchStory, match="jianbao candidates"):
        decide(tx, 7, "pick")


def test_a_decision_comes_back_as_it_was_made(tx: Transaction) -> None:
    tx.articles.save([article(1)])
    decision = Decision(1, "pick", "编辑", NOON, "论文", JANUARY, {"title": "题", "score": "1.0"})
    tx.decisions.add(decision)
    assert all_decisions(tx) == [decision]


# ---- issues


def test_an_issue_comes_back_as_it_was_saved(tx: Transaction) -> None:
    whole = Issue(
        JANUARY,
        "试刊",
        (
            Section(
                "新闻",
                (Entry("[甲](https://a.example)"), Entry("乙\n  第二行", story=None)),
                notes="注",
                closing="再会",
            ),
            Section("论文"),
            Section("新闻", (Entry("丙"),)),
        ),
        front_matter="layout: default",
        headline="A/B",
        tagline="一句话",
        notice="注：…",
        guide="导读",
        preamble="",
        back_issues="## 往期回顾",
        footer=None,
        warnings=(Detail.of("archive/torn-line", text="第 3 行"),),
    )
    tx.issues.save(whole, [["https://a.example"], [], []])
    got = tx.issues.get(JANUARY)
    assert got == whole
    assert got is not None
    assert got.warnings == whole.warnings
    assert tx.issues.get(FEBRUARY) is None
    tx.issues.save(replace(whole, sections=(), state="draft"), [])
    assert tx.issues.list_drafts() == [replace(whole, sections=(), state="draft")]


def test_issue_memory_tells_when_a_key_was_printed_and_knows_no_draft(tx: Transaction) -> None:
    tx.issues.save(issue(FEBRUARY, Entry("甲"), Entry("乙")), [["arxiv:1", "arxiv:1"], ["arxiv:2"]])
    tx.issues.save(issue(JANUARY, Entry("丙")), [["arxiv:1"]])
    tx.issues.save(issue(date(2026, 3, 1), Entry("丁"), published=False), [["arxiv:3"]])
    assert tx.issues.find_printed(["arxiv:1", "arxiv:2", "arxiv:3"]) == {
        "arxiv:1": [Printed(JANUARY, "丙"), Printed(FEBRUARY, "甲")],
        "arxiv:2": [Printed(FEBRUARY, "乙")],
    }
    assert tx.issues.list_dates() == [JANUARY, FEBRUARY, date(2026, 3, 1)]
    assert tx.issues.list_dates("published") == [JANUARY, FEBRUARY]
    tx.issues.save(issue(FEBRUARY, Entry("甲")), [["arxiv:2"]])
    assert {
        key: [entry.day for entry in told] for key, told in tx.issues.find_printed(["arxiv:1", "arxiv:2"]).items()
    } == {
        "arxiv:1": [JANUARY],
        "arxiv:2": [FEBRUARY],
    }


def test_what_an_issue_printed_is_published_whatever_was_decided(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    told(tx, 1, 2)
    decide(tx, 1, "pick")
    draft = issue(JANUARY, Entry("甲", story=2), published=False)
    tx.issues.save(draft, [()])
    assert state(tx, 1) == ("picked", None)
    tx.issues.save(replace(draft, state="published"), [()])
    assert state(tx, 1) == ("published", JANUARY)
    decide(tx, 1, "drop")
    assert state(tx, 1) == ("published", JANUARY)
    told(tx, 1, 2)
    assert state(tx, 1) == ("published", JANUARY)
    tx.issues.save(draft, [()])
    assert state(tx, 1) == ("dropped", None)


def test_what_the_grading_found_in_an_issue_beats_what_is_decided(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2)])
    told(tx, 1, published_in=JANUARY)
    assert state(tx, 1) == ("published", JANUARY)
    decide(tx, 1, "later")
    assert state(tx, 1) == ("published", JANUARY)


def test_a_published_issue_has_what_it_links_to_graded_again(tx: Transaction) -> None:
    tx.articles.save([article(1), article(2, references=about("arxiv:1")), article(3), article(4)])
    told(tx, 3)
    tx.articles.mark_grouped([1, 2, 3, 4])
    keys = [["https://example.org/1"], ["arxiv:1"], []]
    entries = (Entry("甲"), Entry("乙"), Entry("丙", story=3))
    tx.issues.save(issue(JANUARY, *entries, published=False), keys)
    assert tx.articles.list_fresh() == []
    tx.issues.save(issue(JANUARY, *entries), keys)
    assert tx.articles.list_fresh() == [1, 2, 3]


# ---- sources and runs


def test_a_sources_state_moves_only_when_it_is_given(tx: Transaction) -> None:
    assert tx.sources.get_states(["a"]) == {"a": SourceState()}
    state = SourceState('W/"1"', "Sat, 01 Nov 2026 00:00:00 GMT", {"seen": ["甲"], "page": 2})
    tx.sources.record_start("a", "feed", "甲", NOON)
    tx.sources.record_end("a", NOON, None, state)
    assert tx.sources.get_states(["a", "b"]) == {"a": state, "b": SourceState()}
    tx.sources.record_end("a", NOON, Failure("Blocked", Detail.of("captcha")), None)
    assert tx.sources.get_states(["a"]) == {"a": state}
    tx.sources.record_end("a", NOON, None, SourceState())
    assert tx.sources.get_states(["a"]) == {"a": SourceState()}


def test_failures_are_counted_until_a_run_is_good(tx: Transaction) -> None:
    failure = Failure("FetchFailed", Detail.of("timed-out"))
    for hour in range(3):
        tx.sources.record_start("a", "feed", "甲", NOON + timedelta(hours=hour))
        tx.sources.record_end("a", NOON + timedelta(hours=hour), failure, None)
    record = tx.sources.list_all()["a"]
    assert (record.failures_in_row, record.failure, record.last_success_at) == (
        3,
        Failure("FetchFailed", Detail.of("timed-out")),
        None,
    )
    assert record.last_failure_at == record.last_started_at == NOON + timedelta(hours=2)
    tx.sources.record_end("a", NOON + timedelta(hours=3), None, None)
    record = tx.sources.list_all()["a"]
    assert (record.failures_in_row, record.failure) == (0, None)
    assert record.last_success_at == NOON + timedelta(hours=3)


def test_a_site_that_wants_to_be_left_alone_is_until_the_next_run_begins(tx: Transaction) -> None:
    tx.sources.record_start("a", "feed", "甲", NOON)
    tx.sources.set_not_before("a", NOON + timedelta(hours=2))
    tx.sources.record_end("a", NOON, Failure("RateLimited", Detail.of("left-alone")), None)
    assert tx.sources.list_all()["a"].not_before == NOON + timedelta(hours=2)
    tx.sources.record_start("a", "feed", "甲", NOON + timedelta(hours=3))
    assert tx.sources.list_all()["a"].not_before is None


def test_a_run_adds_up_and_one_that_never_ended_is_called_interrupted(tx: Transaction) -> None:
    first = tx.runs.start("a", NOON)
    assert tx.runs.add([RunPart(first, new=2, seen=1)]) == {first: None}
    second = tx.runs.start("a", NOON + timedelta(hours=1))
    nested = Detail.of("no-record-understood", count=2, first=Detail.of("no-paper", name="甲"))
    blocked = Failure("Blocked", nested, Detail.of("use-named-feed", addresses=("https://a.example/",)))
    assert tx.runs.add([RunPart(second, updated=1, seen=5, lost=1, failure=blocked)]) == {second: blocked}
    cut_short = Failure("FetchFailed", Detail.of("cut-short"))
    assert tx.runs.add([RunPart(second, new=1, failure=cut_short)]) == {second: blocked}
    tx.runs.finish(second, NOON + timedelta(hours=2))
    one, two = tx.runs.list_since(NOON)
    assert (one.new, one.seen, one.failure) == (2, 1, INTERRUPTED)
    assert (two.new, two.updated, two.seen, two.lost, two.failure) == (1, 1, 5, 1, blocked)
    assert two.finished_at == NOON + timedelta(hours=2)
    assert tx.runs.list_since(NOON + timedelta(minutes=1), "a") == [two]


# ---- raw items


def test_raw_items_come_back_in_order_whatever_they_hold(tx: Transaction) -> None:
    items = [
        RawItem("feed", f"https://e.example/{number}", "题\ud83d\0", NOON, html="<p>正文</p>" * number, ids=("a",))
        for number in range(5)
    ]
    tx.raw.add([NewRaw(Packed.of(item, "a"), problem="坏了" if item is items[3] else None) for item in items])
    assert [raw.item for chunk in tx.raw.iterate(size=2) for raw in chunk] == items
    assert [raw.problem for raw in quarantined(tx)] == ["坏了"]
    assert tx.raw.count() == 5


def test_more_items_than_one_query_takes_are_found_by_their_digests(tx: Transaction) -> None:
    items = [
        RawItem("feed", f"https://e.example/{number}", "题", NOON, metrics={"stars": number}) for number in range(501)
    ]
    packed = [Packed.of(item, "a") for item in items]
    tx.raw.add(list(map(NewRaw, packed[1:])))
    records = tx.raw.find_stored(item.digest for item in packed)
    assert records.keys() == {item.digest for item in packed[1:]}
    assert records[packed[7].digest].metrics == {"stars": (7, NOON.timestamp())}


def test_an_item_is_the_same_whenever_it_was_fetched_and_whatever_its_numbers() -> None:
    item = RawItem("feed", "https://e.example/", "题", NOON, metrics={"stars": 1})
    again = replace(item, fetched_at=NOON + timedelta(days=1), metrics={"stars": 2})
    assert Packed.of(item, "a").digest == Packed.of(again, "a").digest
    assert Packed.of(item, "a").digest != Packed.of(item, "b").digest
    assert Packed.of(item, "a").digest != Packed.of(replace(item, title="改题"), "a").digest
