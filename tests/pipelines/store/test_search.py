"""Search: two characters are enough, and no character means anything but itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import stored
from databases import open_new_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from crawler.home import Home, bundled
from pipelines.group.candidates import GroupRules
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.run import group
from pipelines.store import Store, Transaction
from pipelines.store.listing import CandidateQuery
from pipelines.store.search import fold_text

TITLES = {
    1: "高通骁龙 690 发布",
    2: "MNN Kit：移动端推理工具包",
    3: 'a" OR * 100%_x',
    4: "Quantization of tiny networks",
    5: "芯片的尽头是端",
    6: "INT8量化之后cafés里的骁龙865",
    7: "臺積電談蘋果",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    one = open_new_store(tmp_path_factory.mktemp("search") / "jianbao.db")
    with one.transaction() as tx:
        tx.articles.save([stored(number, title=title, publisher="账号甲").article for number, title in TITLES.items()])
    group(one, GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {}))
    yield one
    one.close()


def find_story_ids(tx: Transaction, words: str) -> set[int]:
    return {one.id for one in tx.stories.list_ranked(CandidateQuery(search=words))[1]}


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("高通", {1}),
        ("骁龙690", {1}),
        ("高通 690", {1}),
        ("驍龍", {1, 6}),
        ("骁龙 865", {6}),
        ("台积电", {7}),
        ("臺積電", {7}),
        ("苹果", {7}),
        ("骁龙", {1, 6}),
        ("8量化", {6}),
        ("龙8", {6}),
        ("cafes", set()),
        ("cafés", {6}),
        ("移动端", {2}),
        ("端", {2, 5}),
        ("是端", {5}),
        ("龙 690", {1}),
        ("mnn kit", {2}),
        ("ＭＮＮ", {2}),
        ("quant", {4}),
        ("通高", set()),
        ("账号甲 芯片", {5}),
        ('a" OR *', {3}),
        ("100%_", {3}),
        ("*", {3}),
        ("NEAR(", set()),
        ("", set(TITLES)),
        ("   ", set(TITLES)),
    ],
)
def test_words_are_found_where_they_stand(store: Store, words: str, numbers: set[int]) -> None:
    with store.reading() as tx:
        assert find_story_ids(tx, words) == numbers


@given(st.sampled_from(["端", "骁龙", "账号甲", "没有"]), st.sampled_from([None, "业界新闻", "博文", "没有这个栏目"]))
def test_a_search_counts_and_orders_as_the_list_does(store: Store, words: str, category: str | None) -> None:
    with store.reading() as tx:
        hits = find_story_ids(tx, words)
        counts, ranked = tx.stories.list_ranked(CandidateQuery(search=words, category=category))
        _, everything = tx.stories.list_ranked(CandidateQuery(category=category))
        assert list(ranked) == [one for one in everything if one.id in hits]
        assert counts == tx.stories.count_by_category(CandidateQuery(search=words, category=category))
        assert sum(counts.values()) == len(hits)


@given(st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.fault("W9")
def test_whatever_is_typed_is_taken_literally(store: Store, words: str) -> None:
    terms = fold_text(words).replace("\0", "").split()
    with store.reading() as tx:
        for number in find_story_ids(tx, words):
            assert all(term in fold_text(TITLES[number] + " 账号甲") for term in terms)


@given(st.sampled_from(sorted(TITLES)), st.data())
@settings(deadline=None)
def test_every_part_of_a_chinese_title_finds_it(store: Store, number: int, data: st.DataObject) -> None:
    title = fold_text(TITLES[number])
    start = data.draw(st.integers(0, len(title) - 1))
    part = title[start : data.draw(st.integers(start + 1, len(title)))]
    inside_a_latin_word = start > 0 and all(one.isalnum() and one < "\u3000" for one in title[start - 1 : start + 1])
    if not inside_a_latin_word:  # those are found by their beginnings
        with store.reading() as tx:
            assert number in find_story_ids(tx, part)


def test_an_article_that_joins_another_leaves_nothing_behind(tmp_path: Path) -> None:
    one = open_new_store(tmp_path / "jianbao.db")
    rules = GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {})
    with one.transaction() as tx:
        tx.articles.save([stored(1, keys=("wechat:a",)).article, stored(2, keys=("wechat:b",)).article])
    group(one, rules)
    with one.transaction() as tx:
        tx.articles.save([stored(3, keys=("wechat:a", "wechat:b")).article])
    group(one, rules)
    with one.reading() as tx:
        assert len(find_story_ids(tx, "题目")) == 1
        connection = tx.stories._connection
        texts = connection.execute(select(func.count()).select_from(text("search_texts"))).scalar()
        hits = connection.execute(text("SELECT count(*) FROM search_words WHERE search_words MATCH '题目'")).scalar()
        assert (texts, hits) == (1, 1)
    one.close()
