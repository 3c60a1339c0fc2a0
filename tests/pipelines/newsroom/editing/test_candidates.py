"""A page of candidates: the best of all, however little of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from builders import NOON, article, instant, stored_candidates
from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.candidates import GroupRules, as_of
from pipelines.group.enough import DEEPEST, USUAL
from pipelines.group.relevance import FRESH, freshness
from pipelines.model import Decision, DecisionAction, Issue
from pipelines.newsletter import Category, Newsletter, Topic
from pipelines.newsroom.editing.candidates import (
    _find_best,
    _sort_all,
    find_enough,
    iterate_candidates,
    list_categories,
    list_first,
    measure_depth,
    page_candidates,
)
from pipelines.newsroom.editing.enough import read_workload
from pipelines.newsroom.stages.run import group
from pipelines.store import Store
from pipelines.store.listing import CandidateQuery, Ranked
from pipelines.store.stories import Stories

NEWSLETTER = Newsletter(
    title="试刊",
    editor="e",
    categories=(Category(name="新闻", words={"发布": 5.0}), Category(name="教程", words={"入门": 5.0})),
    topics=(Topic(name="量化", weight=1.0, terms=("量化",)), Topic(name="剪枝", weight=4.0, terms=("剪枝",))),
)
RULES = GroupRules.of(NEWSLETTER, {}, {})
LONG_AGO = -365.0


def ranked(story_id: int, score: float, days: float = LONG_AGO) -> Ranked:
    return Ranked(story_id, "新闻", score, NOON + timedelta(days=days), score + FRESH)


def as_listed(rows: list[Ranked]) -> list[Ranked]:
    """The order in which the store lists stories: the highest score that it may have first."""
    return sorted(rows, key=lambda row: (-row.most, row.id))


def ids_of_best(rows: Iterable[Ranked], now: datetime, limit: int) -> list[int]:
    return [story.id for story in _find_best(rows, now, limit)]


# ---- the order


def test_a_story_of_today_stands_before_older_ones_of_a_score_that_freshness_makes_up_for() -> None:
    rows = [ranked(1, 2.0), ranked(2, 2.0), ranked(3, 1.0, days=0)]
    assert ids_of_best(rows, NOON, 1) == [3]
    assert ids_of_best(rows, NOON, 2) == [3, 1]


def test_a_story_that_just_ties_stands_before_stories_of_a_higher_id() -> None:
    rows = [ranked(8, FRESH), ranked(9, FRESH), ranked(1, 0.0, days=0)]
    assert ids_of_best(rows, NOON, 1) == [1]


def test_no_more_is_read_than_what_freshness_can_lift_onto_the_page() -> None:
    rows = iter([ranked(1, 9.0), ranked(2, 8.0), ranked(3, 6.4), ranked(4, 6.3, days=0), ranked(5, 6.2)])
    assert ids_of_best(rows, NOON, 2) == [1, 2]
    assert [row.id for row in rows] == [4, 5]


def test_nothing_is_best_where_nothing_is_wanted_or_there() -> None:
    assert ids_of_best([], NOON, 3) == []
    assert ids_of_best([ranked(1, 1.0)], NOON, 3) == [1]


scores = st.integers(-300, 300).map(lambda hundredths: hundredths / 100)
days = st.integers(-30, 1).map(float)


@given(st.lists(st.tuples(scores, days), max_size=30), st.integers(1, 12))
def test_a_page_begins_like_the_whole_list_in_order(stories: list[tuple[float, float]], most: int) -> None:
    rows = as_listed([ranked(number, score, age) for number, (score, age) in enumerate(stories, 1)])
    whole = sorted(rows, key=lambda row: (-round(row.score + freshness(row.newest_at, NOON).weight, 2), row.id))
    assert ids_of_best(rows, NOON, most) == [row.id for row in whole[:most]]
    assert [story.id for story in _sort_all(rows, NOON)] == [row.id for row in whole]


# ---- from the store


def save_stories(store: Store, count: int = 12) -> None:
    """Stories of two categories and three scores, each a day older than the one before it."""
    titles = [
        f"{'发布' if number % 2 else '入门'}{('', '量化', '剪枝')[number % 3]}模型{chr(0x5000 + 97 * number)}"
        for number in range(count)
    ]
    made = [
        article(number + 1, title=title, publisher=f"号{number}", published=instant(-number))
        for number, title in enumerate(titles)
    ]
    with store.transaction() as tx:
        tx.articles.save(made)
    group(store, RULES)


@pytest.mark.parametrize("category", [None, "新闻", "教程"])
@pytest.mark.parametrize("words", ["", "模型", "量化"])
def test_pages_follow_each_other_without_a_gap_or_a_repeat(store: Store, category: str | None, words: str) -> None:
    save_stories(store)
    wanted = CandidateQuery(category=category, search=words)
    with store.reading() as tx:
        pages = [page_candidates(tx, wanted, NOON, offset=first, limit=2) for first in range(0, 14, 2)]
        everything = [
            candidate
            for candidate in (as_of(one, NOON) for one in stored_candidates(tx, category=category))
            if words in candidate.lead.article.title
        ]
    everything.sort(key=lambda candidate: (-candidate.score, candidate.story.id))
    assert everything
    assert [candidate for page in pages for candidate in page.candidates] == everything
    assert {page.total for page in pages} == {len(everything)}


@pytest.mark.parametrize("limit", [0, 1, 2, 100])
def test_a_list_has_the_best_of_each_category_up_to_its_limit(store: Store, limit: int) -> None:
    save_stories(store)
    with store.reading() as tx:
        everything = list(iterate_candidates(tx, CandidateQuery(), NOON))
        lists = list_categories(tx, CandidateQuery(), NOON, ["教程", "空"], limit_per_category=limit)
        limited = {each.category: list(each.candidates) for each in lists}
        pages = [page_candidates(tx, CandidateQuery(category=each), NOON, limit=100) for each in ("新闻", "教程")]
    assert everything == sorted(everything, key=lambda candidate: (-candidate.score, candidate.story.id))
    best = {name: page.candidates[:limit] for name, page in zip(("新闻", "教程"), pages, strict=True)}
    assert limited == {"教程": best["教程"], "空": [], "新闻": best["新闻"]}
    assert list(limited) == ["教程", "空", "新闻"]
    assert [each.count for each in lists] == [len(candidates) for candidates in limited.values()]
    assert len(everything) == sum(len(page.candidates) for page in pages)


def test_a_long_list_is_read_a_few_candidates_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save_stories(store)
    monkeypatch.setattr("pipelines.newsroom.editing.candidates.READ_AT_ONCE", 2)
    read_at_once: list[int] = []
    get = Stories.get
    monkeypatch.setattr(Stories, "get", lambda stories, ids: read_at_once.append(len(ids)) or get(stories, ids))
    with store.reading() as tx:
        (news, *_) = list_categories(tx, CandidateQuery(), NOON, ["新闻"])
        assert read_at_once == []
        assert [next(iter(news.candidates)).category, read_at_once] == ["新闻", [2]]
        list(iterate_candidates(tx, CandidateQuery(), NOON))
    assert set(read_at_once) == {2}


@pytest.mark.parametrize("category", [None, "新闻"])
@pytest.mark.parametrize("words", ["", "模型"])
def test_the_store_lists_the_highest_score_first_and_equal_scores_by_id(
    store: Store, category: str | None, words: str
) -> None:
    save_stories(store)
    with store.reading() as tx:
        rows = list(tx.stories.iterate_ranked(CandidateQuery(category=category, search=words)))
    assert len({row.score for row in rows}) == 3
    assert rows == as_listed(rows)


@pytest.mark.parametrize("words", ["", "量化"])
def test_every_category_is_counted_whichever_is_looked_at(store: Store, words: str) -> None:
    save_stories(store)
    with store.reading() as tx:
        news = page_candidates(tx, CandidateQuery(category="新闻", search=words), NOON)
        nothing = page_candidates(tx, CandidateQuery(category="无此栏", search=words), NOON)
    expected = {"新闻": 6, "教程": 6} if not words else {"新闻": 2, "教程": 2}
    assert news.counts == nothing.counts == expected
    assert (news.total, nothing.total) == (expected["新闻"], 0)
    assert nothing.candidates == []


def test_words_that_stand_nowhere_find_nothing(store: Store) -> None:
    save_stories(store)
    with store.reading() as tx:
        page = page_candidates(tx, CandidateQuery(search="无人写过"), NOON)
    assert (page.candidates, page.total, page.counts) == ([], 0, {})


def test_a_page_is_narrowed_by_day_source_kind_promotion_and_id(store: Store) -> None:
    save_stories(store, 4)

    def ids(**filters: object) -> set[int]:
        with store.reading() as tx:
            return {one.story.id for one in page_candidates(tx, CandidateQuery(**filters), NOON).candidates}  # type: ignore[arg-type]

    assert ids() == {1, 2, 3, 4}
    assert ids(since=NOON - timedelta(days=1)) == {1, 2}
    assert ids(upto=2) == {1, 2}
    assert ids(after=2) == {3, 4}
    assert ids(source="watch", kind="wechat") == {1, 2, 3, 4}
    assert ids(source="other") == ids(kind="github") == ids(promotion=True) == ids(states=("picked",)) == set()


# ---- the line under which a list usually need not be read

QUOTAS = {"新闻": 5, "教程": 5}
CROWD = 90


def save_crowd(store: Store) -> None:
    """More stories than are usually enough, of two categories, each of a title of its own."""
    titles = [f"{'发布' if n % 3 else '入门'} net{n} core{n} kit{n}" for n in range(CROWD)]
    made = [article(n + 1, title=title, publisher=f"号{n}", published=instant(-n)) for n, title in enumerate(titles)]
    with store.transaction() as tx:
        tx.articles.save(made)
    group(store, RULES)


def decide_on(store: Store, story_ids: Iterable[int], action: DecisionAction = "drop", days: float = 0.0) -> None:
    with store.transaction() as tx:
        for story_id in story_ids:
            tx.decisions.add(Decision(story_id, action, "编辑", NOON + timedelta(days=days)))


def test_the_line_stands_below_the_last_of_the_candidates_that_are_chosen_first(store: Store) -> None:
    save_crowd(store)
    with store.reading() as tx:
        enough = find_enough(tx, NOON, QUOTAS)
        first_ids = {each.story.id for each in list_first(tx, CandidateQuery(), NOON, QUOTAS, USUAL)}
        for category in (None, "新闻", "教程"):
            page = page_candidates(tx, CandidateQuery(category=category), NOON, limit=CROWD).candidates
            positions = [index for index, each in enumerate(page, 1) if each.story.id in first_ids]
            assert enough.count_above(category) == positions[-1]
    assert len(first_ids) == enough.workload.remaining == USUAL
    assert USUAL <= enough.count_above(None) < CROWD


def test_each_decision_for_the_issue_in_work_moves_the_line_up(store: Store) -> None:
    save_crowd(store)
    decide_on(store, range(1, 41))
    with store.reading() as tx:
        enough = find_enough(tx, NOON, QUOTAS)
    assert (enough.workload.decided, enough.workload.remaining) == (40, USUAL - 40)
    assert USUAL - 40 <= enough.count_above(None) < USUAL
    decide_on(store, range(41, 71))
    with store.reading() as tx:
        assert find_enough(tx, NOON, QUOTAS).count_above(None) == 0


def test_decisions_for_an_earlier_issue_or_taken_back_do_not_count(store: Store) -> None:
    save_crowd(store)
    decide_on(store, range(1, 11), days=-40)
    decide_on(store, range(11, 21), days=-3)
    decide_on(store, range(21, 24))
    decide_on(store, [23], "undo")
    with store.transaction() as tx:
        tx.issues.save(Issue(NOON.date(), "试刊", state="published"), [])
        assert read_workload(tx, NOON).decided == 12
        tx.issues.note_published(NOON.date(), NOON - timedelta(days=1))
        assert read_workload(tx, NOON).decided == 2


def test_how_many_are_enough_is_learned_from_how_deep_the_picks_of_published_issues_lay(store: Store) -> None:
    save_crowd(store)
    with store.transaction() as tx:
        for story_id in range(1, 31):
            day = NOON.date() - timedelta(days=story_id % 3)
            tx.issues.save(Issue(day, "试刊", state="published"), [])
            tx.decisions.add(Decision(story_id, "pick", "编辑", NOON, issue=day, shown={"depth": "8"}))
    with store.reading() as tx:
        assert read_workload(tx, NOON).number < USUAL
    with store.transaction() as tx:
        tx.issues.save(Issue(NOON.date(), "试刊", state="draft"), [])
        assert read_workload(tx, NOON).number < USUAL
        for days in (1, 2):
            tx.issues.save(Issue(NOON.date() - timedelta(days=days), "试刊", state="draft"), [])
        assert read_workload(tx, NOON).number == USUAL


def test_the_depth_of_a_story_counts_what_was_decided_and_what_ranks_above_it(store: Store) -> None:
    save_crowd(store)
    with store.reading() as tx:
        ids = [each.story.id for each in page_candidates(tx, CandidateQuery(), NOON, limit=CROWD).candidates]
        assert [measure_depth(tx, story_id, NOON) for story_id in (ids[0], ids[20])] == [1, 21]
    decide_on(store, ids[:5])
    with store.reading() as tx:
        assert [measure_depth(tx, story_id, NOON) for story_id in (ids[5], ids[20])] == [6, 21]
        assert measure_depth(tx, ids[0], NOON) == DEEPEST
