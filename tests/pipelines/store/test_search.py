"""Search: two characters are enough, and no character means anything but itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from builders import NO_FRESHNESS, article, stored
from databases import Databases, PostgresqlDatabases, SqliteDatabases, opened_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgresql_server import PostgresqlServer
from sqlalchemy import func, select, text

from crawler.home import Home, bundled
from crawler.kinds import KINDS
from pipelines.group.candidates import GroupRules
from pipelines.model import Candidate, Entry, Issue, Section, Story
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.stages.run import group
from pipelines.store import Store, Transaction, listing, search
from pipelines.store.listing import AccountFilter, CandidateQuery
from pipelines.store.search import Search, fold_text, make_condition, split_terms
from pipelines.store.tables import search_texts

TITLES = {
    1: "高通骁龙 690 发布",
    2: "MNN Kit：移动端推理工具包",
    3: 'a" OR * 100%_x',
    4: "Quantization of tiny networks",
    5: "芯片的尽头是端",
    6: "INT8量化之后cafés里的骁龙865",
    7: "臺積電談蘋果",
    8: "MobileNetV4 与 GPT-4o 在 RK3588 上",
    9: "MobileNet V4 on a GPT 4o mini",
}


@pytest.fixture(scope="module")
def titles(databases: Databases) -> Iterator[Store]:
    """A store in which articles of `TITLES` are grouped."""
    with opened_store(databases) as store:
        with store.transaction() as tx:
            tx.articles.save(
                [stored(number, title=title, publisher="账号甲").article for number, title in TITLES.items()]
            )
        group(store, GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {}))
        yield store


def find_story_ids(tx: Transaction, words: str) -> set[int]:
    return {one.id for one in tx.stories.iterate_ranked(CandidateQuery(search=words))}


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
        ("8量化", set()),
        ("int8量化", {6}),
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
        ("mobilenet v4", {8, 9}),
        ("MobileNetV4", {8, 9}),
        ("mobilenet-v4", {8, 9}),
        ("v4 mobilenet", {9}),
        ("mobilenet v3", set()),
        ("gpt4o", {8, 9}),
        ("gpt-4o", {8, 9}),
        ("gpt 4o mini", {9}),
        ("RK 3588", {8}),
        ("rk-3588", {8}),
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
def test_words_are_found_where_they_stand(titles: Store, words: str, numbers: set[int]) -> None:
    with titles.reading() as tx:
        assert find_story_ids(tx, words) == numbers


@given(st.sampled_from(["端", "骁龙", "账号甲", "没有"]), st.sampled_from([None, "业界新闻", "博文", "没有这个栏目"]))
def test_a_search_counts_and_orders_as_the_list_does(titles: Store, words: str, category: str | None) -> None:
    with titles.reading() as tx:
        hits = find_story_ids(tx, words)
        counts, ranked = tx.stories.list_best(CandidateQuery(search=words, category=category), NO_FRESHNESS, 100)
        everything = tx.stories.iterate_ranked(CandidateQuery(category=category))
        assert list(ranked) == [one for one in everything if one.id in hits]
        assert counts == tx.stories.count_by_category(CandidateQuery(search=words, category=category))
        assert sum(counts.values()) == len(hits)


@pytest.mark.parametrize("at_once", [1, 2, 6, 7, 8])
def test_a_search_lists_every_hit_in_order_however_many_it_reads_at_once(
    titles: Store, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("pipelines.store.listing.READ_BESIDE", at_once - 1)
    with titles.reading() as tx:
        counts, ranked = tx.stories.list_best(CandidateQuery(search="账号甲"), NO_FRESHNESS, 1)
        assert list(ranked) == list(tx.stories.iterate_ranked(CandidateQuery()))
        assert sum(counts.values()) == len(TITLES)


def test_a_frequent_word_is_looked_for_in_the_newest_articles_and_a_narrowed_search_in_all(
    titles: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_MATCHES", 2)
    monkeypatch.setattr(listing, "LONG_LIST", 8)

    def find_bounded(**conditions: Any) -> tuple[set[int], bool]:
        with titles.reading() as tx:
            query, is_bounded = tx.stories.look_up_search(CandidateQuery(**conditions))
            counts, ranking = tx.stories.list_best(query, NO_FRESHNESS, len(TITLES))
            story_ids = {each.id for each in ranking}
            assert sum(counts.values()) == sum(tx.stories.count_by_category(query).values()) == len(story_ids)
            return story_ids, is_bounded

    everything = (set(TITLES), False)
    assert find_bounded(states=(), search="账号甲") == ({8, 9}, True)
    assert find_bounded(states=(), search="账号甲", upto=6) == ({5, 6}, True)  # later articles shift no page
    assert find_bounded(states=(), search="账号甲", after=8) == ({9}, False)
    assert find_bounded(states=(), search="骁龙") == ({1, 6}, False)
    assert find_bounded(search="账号甲") == ({8, 9}, True)
    assert find_bounded(search="账号甲", kinds=tuple(KINDS)) == everything
    assert find_bounded() == find_bounded(states=()) == find_bounded(states=(), search=" ") == everything
    monkeypatch.setattr(listing, "LONG_LIST", 9)
    assert find_bounded(search="账号甲") == find_bounded(states=(), search="账号甲") == everything


@pytest.mark.parametrize("first_span", [1, 2, 3, 5])
def test_the_newest_matches_are_the_same_however_many_ids_are_looked_at_first(
    titles: Store, monkeypatch: pytest.MonkeyPatch, first_span: int
) -> None:
    monkeypatch.setattr(search, "_FIRST_SPAN", first_span)
    monkeypatch.setattr(search, "_estimate_matches", lambda *_: 10_000)
    matching = {"账号甲": [9, 8, 7, 6, 5, 4, 3, 2, 1], "骁龙": [6, 1], "端": [5, 2], "没有这个词": []}
    with titles.reading() as tx:
        connection = tx.stories._connection
        for words, ids in matching.items():
            for limit in (1, 2, 20):
                assert search.list_newest_matches(connection, words, limit) == ids[:limit]
                late = [each for each in ids if 2 < each <= 6]
                assert search.list_newest_matches(connection, words, limit, after=2, upto=6) == late[:limit]
        if connection.dialect.name == "postgresql":  # whatever is asked next may be found in any way
            ways = [connection.execute(text(f"SHOW {name}")).scalar() for name in search._WAYS_BY_DOCUMENT]
            assert ways == ["on", "on"]


def test_a_match_in_a_late_article_of_an_early_story_is_found_on_every_page(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LONG_LIST", 0)
    with store.transaction() as tx:
        tx.articles.save([stored(1, title="量化").article, stored(2, title="剪枝").article, stored(3).article])
        made = tx.articles.get([1, 2, 3])
        grouped = [((1, 3), 0.0), ((2,), 1.0)]
        tx.stories.replace(
            [],
            [
                Candidate(Story(ids[0], ids, ids[0]), tuple(made[each] for each in ids), "论文", {}, (), score, ())
                for ids, score in grouped
            ],
        )
    with store.reading() as tx:
        for upto in (None, 1, 2, 3):
            query, _ = tx.stories.look_up_search(CandidateQuery(search=made[3].article.title, upto=upto))
            assert [each.id for each in tx.stories.iterate_ranked(query)] == [1]


@given(st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.fault("W9")
def test_whatever_is_typed_is_taken_literally(titles: Store, words: str) -> None:
    terms = fold_text(words).split()
    with titles.reading() as tx:
        for number in find_story_ids(tx, words):
            title = fold_text(TITLES[number] + " 账号甲")
            assert all(term in title or unjoin(term) in unjoin(title) for term in terms)


def unjoin(folded: str) -> str:
    """Leave out what may stand between the name of a model and its number."""
    return re.sub("[ -]", "", folded)


LETTERS = "端侧推驍骁ab1é"
MARKS = "+#%·，_-"
TEXTS = st.text(st.sampled_from(LETTERS + MARKS + " "), max_size=12)


def contains(text: str, term: str) -> bool:
    """Whether a folded text contains a term, at the beginning of a Latin word; blanks beside marks do not count."""
    squeezed = re.sub(rf"(?<=[{re.escape(fold_text(MARKS))}]) | (?=[{re.escape(fold_text(MARKS))}])", "", text)
    return re.search(rf"{'(?<![a-z0-9é])' if term[0] in 'ab1é' else ''}{re.escape(term)}", squeezed) is not None


@pytest.fixture(scope="module")
def empty(databases: Databases) -> Iterator[Store]:
    """A store without articles, for `indexed`."""
    with opened_store(databases) as store:
        yield store


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS)
@settings(deadline=None)
def test_a_search_finds_what_stands_in_the_stored_text_and_nothing_else(
    empty: Store, texts: list[str], words: str
) -> None:
    terms = split_terms(words)
    folded_texts = {number: fold_text(article_text) for number, article_text in enumerate(texts, 1)}
    literal = {number for number, folded in folded_texts.items() if all(contains(folded, term) for term in terms)}
    unjoined = {
        number for number, folded in folded_texts.items() if all(unjoin(term) in unjoin(folded) for term in terms)
    }
    with indexed(empty, dict(enumerate(texts, 1))) as find:
        found = find(words)
        assert (literal <= found <= literal | unjoined) if terms else not found
        if not any(any(map(str.isdigit, term)) for term in terms):
            assert found == (literal if terms else set())


@contextmanager
def indexed(store: Store, texts: dict[int, str], title: str = "") -> Iterator[Callable[[str], set[int]]]:
    """An index of articles of one title with these texts, and a search of it by words; the store stays empty."""
    with store._writing.connect() as connection:
        tx = Transaction(connection)
        tx.articles.save([article(number, title=title, text=text) for number, text in texts.items()])
        Search(connection).put(tx.articles.get(texts).values())

        def find(words: str) -> set[int]:
            condition = make_condition(words, search_texts.c.article_id, connection.dialect.name)
            if condition is None:
                return set()
            return set(connection.execute(select(search_texts.c.article_id).where(condition)).scalars())

        yield find
        connection.rollback()


def test_no_term_reaches_from_the_title_into_the_text(empty: Store) -> None:
    with indexed(empty, {1: "龙690"}, title="骁") as find:
        assert [find(words) for words in ("骁龙", "龙690", "骁")] == [set(), {1}, {1}]


def test_the_whole_text_is_searched_and_a_word_of_any_length_is_found(empty: Store) -> None:
    long_word = "x" * 300
    with indexed(empty, {1: "前文。" * 3000 + f"末尾的骁龙 {long_word}", 2: ""}) as find:
        assert find("骁龙") == find("末尾的骁龙") == find(long_word) == {1}


@pytest.fixture(scope="module")
def one_of_each(postgresql_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """An empty store in SQLite, and one in PostgreSQL."""
    sqlite, postgresql = SqliteDatabases(tmp_path_factory.mktemp("search")), PostgresqlDatabases(postgresql_server)
    with opened_store(sqlite) as in_sqlite, opened_store(postgresql) as in_postgresql:
        yield [in_sqlite, in_postgresql]


@pytest.mark.postgresql
@given(st.lists(st.text(max_size=30) | TEXTS, min_size=1, max_size=5), st.data())
@settings(deadline=None)
def test_both_databases_find_the_same_whatever_is_written_and_typed(
    one_of_each: list[Store], texts: list[str], data: st.DataObject
) -> None:
    written = data.draw(st.sampled_from(texts))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(written))] * 2)))
    typed = data.draw(st.sampled_from([written[start:end], written]) | st.text(max_size=6))
    in_sqlite, in_postgresql = one_of_each
    numbered = dict(enumerate(texts, 1))
    with indexed(in_sqlite, numbered) as find, indexed(in_postgresql, numbered) as find_too:
        assert find(typed) == find_too(typed)


def test_the_words_that_an_editor_wrote_are_found_and_no_longer_when_they_are_gone(store: Store) -> None:
    with store.transaction() as tx:
        tx.articles.save([stored(1, title="原题").article])
    group(store, GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {}))
    day = date(2026, 11, 1)

    def write(markdown: str) -> None:
        issue = Issue(day, "简报", (Section("博文", (Entry(markdown, story=1),)),), state="draft")
        with store.transaction() as tx:
            tx.issues.save(issue, [[]])

    def find(words: str) -> bool:
        with store.reading() as tx:
            return bool(find_story_ids(tx, words))

    write("[**改**过的题](https://e.org/)\n摘要：另写的话")
    assert [find(words) for words in ("改过的题", "另写的话", "原题")] == [True, True, True]
    write("[又改](https://e.org/)")
    assert [find(words) for words in ("改过的题", "又改", "原题")] == [False, True, True]
    with store.transaction() as tx:
        tx.issues.remove(day)
    assert [find(words) for words in ("又改", "原题")] == [False, True]


def test_an_account_is_found_by_the_beginning_of_its_name_or_of_its_author_or_by_its_source(store: Store) -> None:
    accounts = [
        {"publisher": "量子位"},
        {"publisher": "前沿", "author": "Open AI Lab"},
        {"publisher": "别处", "title": "量子位说"},
        {"source": "qbitai"},
    ]
    with store.transaction() as tx:
        tx.articles.save([stored(number, **values).article for number, values in enumerate(accounts, 1)])
    group(store, GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {}))
    with store.reading() as tx:

        def find(*filters: AccountFilter, **further: Any) -> set[int]:
            counts, ranked = tx.stories.list_best(CandidateQuery(accounts=filters, **further), NO_FRESHNESS, 1)
            found = {one.id for one in ranked}
            assert sum(counts.values()) == len(found)
            return found

        assert find(AccountFilter("量子位")) == find(AccountFilter("量")) == {1}
        assert find(AccountFilter("量子位", ("qbitai",))) == {1, 4}
        assert find(AccountFilter("子位")) == set()
        assert find(AccountFilter("open ai"), AccountFilter("前沿"), AccountFilter("别")) == {2, 3}
        assert find(AccountFilter("别处"), search="量子位") == {3}
        assert find(AccountFilter("")) == set()


@given(st.sampled_from(sorted(TITLES)), st.data())
@settings(deadline=None)
def test_every_part_of_a_chinese_title_finds_it(titles: Store, number: int, data: st.DataObject) -> None:
    title = fold_text(TITLES[number])
    start = data.draw(st.integers(0, len(title) - 1))
    part = title[start : data.draw(st.integers(start + 1, len(title)))]
    inside_a_latin_word = start > 0 and all(one.isalnum() and one < "\u3000" for one in title[start - 1 : start + 1])
    if not inside_a_latin_word:  # those are found by their beginnings
        with titles.reading() as tx:
            assert number in find_story_ids(tx, part)


def test_an_article_that_joins_another_leaves_nothing_behind(store: Store) -> None:
    rules = GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {})
    with store.transaction() as tx:
        tx.articles.save([stored(1, keys=("wechat:a",)).article, stored(2, keys=("wechat:b",)).article])
    group(store, rules)
    with store.transaction() as tx:
        tx.articles.save([stored(3, keys=("wechat:a", "wechat:b")).article])
    group(store, rules)
    with store.reading() as tx:
        assert len(find_story_ids(tx, "题目")) == 1
        connection = tx.stories._connection
        texts = connection.execute(select(func.count()).select_from(text("search_texts"))).scalar()
        asks_the_index_alone = (
            "search_words MATCH '题目'" if connection.dialect.name == "sqlite" else "words @@ '题目'::tsquery"
        )
        hits = connection.execute(text(f"SELECT count(*) FROM search_words WHERE {asks_the_index_alone}")).scalar()
        assert (texts, hits) == (1, 1)
