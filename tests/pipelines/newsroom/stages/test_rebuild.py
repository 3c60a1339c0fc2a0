"""A rebuild makes the same of the same raw items, and something else where a rule changed; nobody loses an article."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, quarantined
from databases import Databases, opened_store, read_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.model import Article, Candidate, Decision, Entry, Issue, Reason, Section, Story
from pipelines.newsroom.stages import arrivals
from pipelines.newsroom.stages.run import ingest, rebuild
from pipelines.rules import Rules, load_rules
from pipelines.store import Store, Transaction

SOURCES = {name: Source(id=name, kind="feed", name=name, url="https://e.example/") for name in ("a", "b")}
DERIVED = (
    "articles",
    "article_keys",
    "article_references",
    "sightings",
    "revisions",
    "joined_articles",
    "raw_items",
    "stories",
    "story_members",
    "evidence",
    "decisions",
    "entries",
)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(Home(bundled()))


def item(number: int, hour: int = 0, **values: Any) -> RawItem:
    url = values.pop("url", f"https://e.example/{number}")
    at = NOON + timedelta(hours=hour)
    return RawItem("feed", url, values.pop("title", f"第 {number} 篇"), at, **values)


def take(store: Store, rules: Rules, *batches: tuple[RawItem, ...], source: str = "a") -> None:
    for items in batches:
        ingest(store, Batch(source, items), SOURCES[source], rules, NOON)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of what is derived or points at it, but for what a rebuild leaves to be grouped."""
    return {name: rows for name, rows in read_tables(store, without=("fresh",)).items() if name in DERIVED}


def tell(tx: Transaction, *members: int) -> None:
    stored = tx.articles.get(members)
    candidate = Candidate(
        Story(members[0], members, members[-1]),
        tuple(stored.values()),
        "新闻",
        {"新闻": 1.0},
        (),
        1.0,
        (Reason("reason/term", 1.0, {"term": "量化"}),),
    )
    tx.stories.replace([], [candidate])


raw_items = st.builds(
    lambda number, hour, ids, text, votes, seen: item(
        number,
        hour,
        url=f"https://e.example/{number}?x={seen}",
        ids=tuple(sorted(ids)),
        text=text,
        metrics={"votes": votes} if votes else {},
    ),
    st.integers(1, 4),
    st.integers(0, 5),
    st.sets(st.sampled_from(["k:1", "k:2", "k:3"]), max_size=2),
    st.sampled_from(["", "正文一。" * 30, "正文二。" * 30, "正文"]),
    st.integers(0, 3),
    st.integers(0, 1),
)


@pytest.mark.slow
def test_a_rebuild_with_the_same_rules_changes_nothing(databases: Databases, rules: Rules) -> None:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.lists(raw_items, max_size=5)), max_size=5))
    def check(batches: list[tuple[str, list[RawItem]]]) -> None:
        with opened_store(databases) as store:
            for source, items in batches:
                take(store, rules, tuple(items), source=source)
            before = contents(store)
            rebuild(store, SOURCES, rules)
            assert contents(store) == before

    check()


def test_a_rebuild_goes_chunk_by_chunk_to_the_same_end(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items that one batch joined are far apart here."""
    take(store, rules, (item(1, ids=("k:1",)), item(2, ids=("k:2",)), item(3, ids=("k:1", "k:2")), item(4)), (item(5),))
    before = contents(store)
    monkeypatch.setattr("pipelines.newsroom.stages.run.READ_AT_ONCE", 1)
    monkeypatch.setattr("pipelines.store.rebuilding.WRITTEN_AT_ONCE", 1)
    told: list[tuple[int, int]] = []
    rebuilt = rebuild(store, SOURCES, rules, progress=lambda done, total: told.append((done, total)))
    assert contents(store) == before
    assert told[:5] == [(number, 5) for number in range(1, 6)]
    assert list(dict.fromkeys(told[5:])) == [(number, 8) for number in range(6, 9)]
    assert (rebuilt.items, rebuilt.articles, rebuilt.problems) == (5, 3, ())


def test_a_rebuild_leaves_decisions_and_has_everything_grouped_again(store: Store, rules: Rules) -> None:
    take(store, rules, (item(1), item(2)))
    with store.transaction() as tx:
        tell(tx, 1, 2)
        tx.decisions.add(Decision(2, "pick", "编辑", NOON))
        tx.articles.mark_grouped([1, 2])
    rebuild(store, SOURCES, rules)
    with store.reading() as tx:
        assert tx.articles.list_fresh() == [1, 2]
        found = tx.stories.find_by_article(1)
        assert found is not None
        assert (found.state, found.story.members) == ("picked", (1, 2))


def with_rule(change: Callable[[Article], Article]) -> Callable[[RawItem, Source, Rules], Article]:
    """The article stages as they would be after a rule changed."""
    read = arrivals.read
    return lambda raw, source, rules: change(read(raw, source, rules))


def test_a_rule_that_changed_takes_effect(store: Store, rules: Rules, tmp_path: Path) -> None:
    take(store, rules, (item(1, url="https://e.example/1?come=1"), item(2, url="https://e.example/1?come=2")))
    own = tmp_path / "home" / "rules" / "urls.toml"
    own.parent.mkdir(parents=True)
    shutil.copy(bundled() / "newsletter.toml", own.parent.parent)
    own.write_text('[query]\nnames = ["come"]\n', "utf-8")
    rebuilt = rebuild(store, SOURCES, load_rules(Home(own.parent.parent)))
    assert rebuilt.articles == 1
    with store.reading() as tx:
        assert tx.articles.get([1, 2])[1].article.url == "https://e.example/1"
    rebuild(store, SOURCES, rules)
    with store.reading() as tx:
        assert sorted(tx.articles.get([1, 2])) == [1, 2], "and back"


def test_an_article_that_is_one_no_more_keeps_its_id_for_the_first_and_gives_the_second_a_new_one(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, rules, (item(1, ids=("k:1",)),), (item(2, ids=("k:1",)),))
    monkeypatch.setattr(arrivals, "read", with_rule(lambda one: replace(one, keys=(one.url,))))
    assert rebuild(store, SOURCES, rules).articles == 2
    apart = contents(store)
    with store.reading() as tx:
        assert {number: one.article.url for number, one in tx.articles.get([1, 2]).items()} == {
            1: "https://e.example/1",
            2: "https://e.example/2",
        }
    assert rebuild(store, SOURCES, rules).articles == 2
    assert contents(store) == apart, "and keeps it"


def test_articles_that_became_one_are_found_by_both_ids(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, rules, (item(1), item(2), item(3)))
    with store.transaction() as tx:
        tell(tx, 1, 3)
        tell(tx, 2)
        tx.decisions.add(Decision(2, "drop", "编辑", NOON))
        tx.issues.save(Issue(NOON.date(), "试刊", (Section("新闻", (Entry("条目", 3),)),), state="draft"), [()])
    monkeypatch.setattr(arrivals, "read", with_rule(lambda one: replace(one, keys=("same",))))
    assert rebuild(store, SOURCES, rules).articles == 1
    with store.reading() as tx:
        for one in (1, 2, 3):
            found = tx.stories.find_by_article(one)
            assert found is not None
            assert (found.story.members, found.story.lead, found.state) == ((1,), 1, "dropped")
        issue = tx.issues.get(NOON.date())
        assert issue is not None
        assert issue.sections[0].entries[0].story == 1
    monkeypatch.undo()
    assert rebuild(store, SOURCES, rules).articles == 3
    with store.reading() as tx:
        assert sorted(tx.articles.get([1, 2, 3])) == [1, 2, 3]


def test_an_item_that_gives_no_article_any_more_is_quarantined_until_it_does(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, rules, (item(1), item(2)))
    with store.transaction() as tx:
        tell(tx, 1, 2)
        tx.decisions.add(Decision(1, "pick", "编辑", NOON))
    before = contents(store)

    def refuse(one: Article) -> Article:
        if one.url.endswith("/1"):
            raise ValueError("too short")
        return one

    monkeypatch.setattr(arrivals, "read", with_rule(refuse))
    rebuilt = rebuild(store, SOURCES, rules)
    assert [one.url for one in rebuilt.problems] == ["https://e.example/1"]
    with store.reading() as tx:
        assert sorted(tx.articles.get([1, 2])) == [2]
        assert tx.stories.find_by_articles([2])[2] == Story(2, (2,), 2)
        assert [raw.problem for raw in quarantined(tx)] == [str(rebuilt.problems[0].detail)]
    monkeypatch.undo()
    rebuild(store, SOURCES, rules)
    after = contents(store)
    for table in ("articles", "article_keys", "sightings", "raw_items", "decisions"):
        assert after[table] == before[table]


def test_the_id_of_an_article_that_was_quarantined_finds_what_its_item_became(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, rules, (item(1), item(2)))
    for change in (lambda one: one if one.url.endswith("/1") else 1 / 0, lambda one: replace(one, keys=("same",))):
        with monkeypatch.context() as patch:
            patch.setattr(arrivals, "read", with_rule(change))
            rebuild(store, SOURCES, rules)
    with store.reading() as tx:
        assert tx.articles.find_joined([2]) == {2: 1}


def test_a_quarantined_item_becomes_an_article_when_the_rules_allow_it(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "read", lambda *_: 1 / 0)
        take(store, rules, (item(1),))
    take(store, rules, (item(2),))
    assert rebuild(store, SOURCES, rules).articles == 2
    with store.reading() as tx:
        assert quarantined(tx) == []
        assert {number: one.article.url for number, one in tx.articles.get([1, 2]).items()} == {
            1: "https://e.example/2",
            2: "https://e.example/1",
        }
    settled = contents(store)
    rebuild(store, SOURCES, rules)
    assert contents(store) == settled


def test_a_source_that_the_registry_dropped_is_read_as_it_was(store: Store, rules: Rules) -> None:
    take(store, rules, (item(1, title="发布新框架 | 甲"),))
    before = contents(store)
    nobody: Mapping[str, Source] = {}
    rebuild(store, nobody, rules)
    assert contents(store) == before


def test_a_rebuild_that_is_stopped_leaves_everything_as_it_was(store: Store, rules: Rules) -> None:
    take(store, rules, (item(1), item(2)))
    before = contents(store)

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(store, SOURCES, rules, progress=stop)
    assert contents(store) == before


def rules_of_another_day(one: Article) -> Article:
    """The first article becomes two, the next two become one, the last one none."""
    number = int(one.url.rpartition("/")[2])
    if number == 5:
        raise ValueError("too short")
    return replace(one, keys=("same",)) if number in (3, 4) else replace(one, keys=(one.url,))


def take_five(store: Store, rules: Rules) -> None:
    take(store, rules, (item(1, ids=("k:1",)), item(2, ids=("k:1",)), item(3), item(4), item(5)))
    with store.transaction() as tx:
        tell(tx, 1)
        tell(tx, 2, 3, 4)
        tx.decisions.add(Decision(3, "pick", "编辑", NOON))


@pytest.mark.parametrize("step", range(1, 12))
def test_a_rebuild_that_was_cut_off_leaves_a_sound_store_and_the_next_one_comes_to_the_same_end(
    databases: Databases, rules: Rules, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.run.READ_AT_ONCE", 2)
    monkeypatch.setattr("pipelines.store.rebuilding.WRITTEN_AT_ONCE", 1)
    steps = iter(range(1, 100))

    def stop(_done: int, _total: int) -> None:
        if next(steps) == step:
            raise KeyboardInterrupt

    with opened_store(databases) as undisturbed, opened_store(databases) as store:
        for each in (undisturbed, store):
            take_five(each, rules)
        monkeypatch.setattr(arrivals, "read", with_rule(rules_of_another_day))
        rebuild(undisturbed, SOURCES, rules)
        with suppress(KeyboardInterrupt):
            rebuild(store, SOURCES, rules, progress=stop)
        assert store.check() == []
        with store.reading() as tx:
            urls = {url for stored in tx.articles.get(range(20)).values() for url in stored.urls}
        assert urls >= {f"https://e.example/{number}" for number in range(1, 5)}, "nothing is missing at any time"
        rebuild(store, SOURCES, rules)
        assert contents(store) == contents(undisturbed)


def test_others_write_while_a_rebuild_runs_and_what_they_write_is_made_again_too(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.run.READ_AT_ONCE", 2)
    monkeypatch.setattr("pipelines.store.rebuilding.WRITTEN_AT_ONCE", 1)
    take_five(store, rules)
    monkeypatch.setattr(arrivals, "read", with_rule(rules_of_another_day))
    numbers = iter(range(6, 100))

    def write(_done: int, _total: int) -> None:
        number = next(numbers)
        if number < 14:
            take(store, rules, (item(number), item(1, hour=number, metrics={"votes": number})))
            with store.transaction() as tx:
                tx.decisions.add(Decision(1, "later", "编辑", NOON))

    rebuilt = rebuild(store, SOURCES, rules, progress=write)
    with store.reading() as tx:
        titles = [stored.article.title for stored in tx.articles.get(range(50)).values()]
        assert sorted(titles) == sorted(f"第 {number} 篇" for number in (1, 2, 3, *range(6, 14)))
        assert tx.articles.get([1])[1].article.metrics == {"votes": 13}
        assert len(tx.decisions.find_by_stories([1])[1]) == 8
    assert rebuilt.articles == len(titles)
    assert store.check() == []
    settled = contents(store)
    rebuild(store, SOURCES, rules)
    assert contents(store) == settled


def test_a_source_whose_first_items_come_while_a_rebuild_reads_is_made_again_too(store: Store, rules: Rules) -> None:
    take(store, rules, (item(1),))

    def write(done: int, _total: int) -> None:
        if done == 1:
            take(store, rules, (item(2),), source="b")

    assert rebuild(store, SOURCES, rules, progress=write).articles == 2


def test_a_rebuild_writes_a_few_articles_in_a_transaction(
    store: Store, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.store.rebuilding.WRITTEN_AT_ONCE", 3)
    take(store, rules, tuple(map(item, range(10))))
    fresh_counts: list[int] = []

    def count_fresh(_done: int, _total: int) -> None:
        with store.reading() as tx:
            fresh_counts.append(len(tx.articles.list_fresh()))

    with store.transaction() as tx:
        tx.articles.mark_grouped(range(1, 11))
    rebuild(store, SOURCES, rules, progress=count_fresh)
    assert list(dict.fromkeys(fresh_counts)) == [0, 3, 6, 9, 10]
