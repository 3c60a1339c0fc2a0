"""The final stage over a store: its outcome does not depend on what came when."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from builders import NOON, about, article, stored_candidates
from databases import Databases, opened_store
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.deduplicate.bands import PERIOD, POPULAR
from pipelines.deduplicate.events import EventLink
from pipelines.deduplicate.stories import RARE, find_event_links_among, find_evidence, make_stories
from pipelines.group.candidates import GroupRules
from pipelines.model import Article, Decision, DecisionAction, Evidence, StoredArticle
from pipelines.newsletter import Category, Newsletter
from pipelines.newsroom.stages import run
from pipelines.newsroom.stages.regroup import Features, read_features, regroup
from pipelines.newsroom.stages.run import group
from pipelines.rules import load_rules
from pipelines.store import Transaction

NEWSLETTER = Newsletter(title="t", editor="e", categories=(Category(name="新闻"),))
RULES = GroupRules.of(NEWSLETTER, {}, {}, events=load_rules(Home(bundled())).events)

LAUNCH = "云雀半导体发布新一代端侧处理器星澜，稀疏算力翻倍"
PAPER = "arxiv:2511.00001"
TEXT = "".join(chr(0x4E00 + (7 * n) % 1200) for n in range(600))
NEWS = [
    article(1, title=LAUNCH, publisher="甲"),
    article(2, title=f"重磅｜{LAUNCH}！", publisher="乙", days=1),
    article(3, title="星澜来了：端侧算力的又一次翻倍", publisher="丙", days=1, text=TEXT),
    article(4, title="端侧处理器的稀疏算力到底有什么用", publisher="丁", days=2, text="转载。" + TEXT),
    article(5, title="骁龙690发布：中端也有第五代引擎", publisher="甲", references=about(PAPER)),
    article(6, title="骁龙865发布：旗舰也有第五代引擎", publisher="乙", references=about(PAPER)),
    article(7, title="一种新的量化方法", publisher="丙", kind="arxiv", keys=(PAPER,)),
    article(8, title="分享图片", publisher="甲"),
    article(9, title="分享图片", publisher="乙"),
    article(10, title="云雀半导体发布星澜 N9 芯片，端侧推理提速 85%", publisher="己", days=0.2),
    article(
        11,
        title="星澜 N9 来了！云雀半导体要和手机芯片掰手腕",
        publisher="庚",
        days=0.4,
        summary="云雀半导体今天发布星澜 N9，提速 85%。",
    ),
    article(
        12,
        title="提速 85%，售价 390 元：实测云雀星澜 N9",
        publisher="辛",
        days=0.9,
        summary="云雀半导体的星澜 N9 芯片。",
    ),
    article(13, title="早报：云雀半导体发布星澜 N9 / 面包车涨价了 / 雨季来了怎么办", publisher="壬", days=0.5),
    *(article(20 + n, title="每周招聘：端侧推理团队招人啦欢迎投递", publisher="丁", days=7 * n) for n in range(3)),
    article(30, title="每周招聘：端侧推理团队招人啦欢迎投递", publisher="戊", days=7),
]


Stories = Callable[..., set[frozenset[str]]]

Word = tuple[DecisionAction, int, int]
"""`merge` or `split`, and the numbers of two articles."""


def group_batches(
    databases: Databases, batches: Iterable[Sequence[Article]], said: Sequence[Word] = ()
) -> set[frozenset[str]]:
    """The URLs of each story, when the articles come and are grouped batch by batch.

    Args:
        said: by hand, as soon as both articles are there.
    """
    waiting = list(said)
    with opened_store(databases) as store:
        for batch in batches:
            with store.transaction() as tx:
                tx.articles.save(batch)
                waiting = [word for word in waiting if not heard(tx, word, said.index(word))]
            group(store, RULES)
        with store.reading() as tx:
            told = stored_candidates(tx, states=("new",))
            everything = list(tx.articles.get(range(tx.articles.next_id())).values())
            by_hand = tx.decisions.find_pairs_by_hand(one.id for one in everything)
    found = {frozenset(one.article.url for one in candidate.articles) for candidate in told}
    assert found == at_a_glance(everything, by_hand)
    return found


def at_a_glance(
    everything: Sequence[StoredArticle], by_hand: Mapping[tuple[int, int], Decision]
) -> set[frozenset[str]]:
    """The URLs of each story, when all articles are compared with each other, without a store."""
    counts = Counter(key for one in everything for key in {named.key for named in one.article.references})
    evidence = [
        *find_evidence(everything, counts, RULES.zone),
        *(
            Evidence("by-hand", "evidence/by-hand", pair, {"who": one.who})
            for pair, one in by_hand.items()
            if one.action == "merge"
        ),
    ]
    apart = [pair for pair, one in by_hand.items() if one.action == "split"]
    by_id = {one.id: one.article.url for one in everything}
    events = find_event_links_among(everything, RULES.events, RULES.event_model, RULES.zone)
    made = make_stories(everything, evidence, {}, apart, events)
    return {frozenset(by_id[one] for one in story.members) for story in made}


def in_batches(articles: Sequence[Article], order: random.Random, size: int) -> Iterable[Sequence[Article]]:
    """The articles in another order, so many at once."""
    shuffled = list(articles)
    order.shuffle(shuffled)
    return (shuffled[start : start + size] for start in range(0, len(shuffled), size))


def heard(tx: Transaction, word: Word, minute: int) -> bool:
    """Note a word, if its articles are there."""
    action, *pair = word
    found = tx.articles.find_holders(f"https://example.org/{number}" for number in pair)
    if len(found) < 2:
        return False
    one, other = (found[f"https://example.org/{number}"][0][0] for number in pair)
    tx.decisions.add(Decision(one, action, "编辑", NOON + timedelta(minutes=minute), other=other))
    return True


def urls(*numbers: int) -> frozenset[str]:
    return frozenset(f"https://example.org/{number}" for number in numbers)


@pytest.fixture(scope="module")
def stories(databases: Databases) -> Stories:
    """`group_batches` in the databases of one kind."""
    return partial(group_batches, databases)


@pytest.fixture(scope="module")
def at_once(stories: Stories) -> set[frozenset[str]]:
    return stories([NEWS])


def test_one_title_in_two_accounts_is_one_story(at_once: set[frozenset[str]]) -> None:
    assert any(urls(1, 2) <= story for story in at_once)


def test_one_text_under_two_titles_is_one_story(at_once: set[frozenset[str]]) -> None:
    assert any(urls(3, 4) <= story for story in at_once)


def test_two_models_are_never_one_story_though_they_share_a_paper(at_once: set[frozenset[str]]) -> None:
    assert not any(urls(5, 6) <= story for story in at_once)


def test_reports_on_one_event_in_words_of_their_own_are_one_story(at_once: set[frozenset[str]]) -> None:
    assert any(urls(10, 11, 12) <= story for story in at_once)


def test_a_round_up_belongs_to_no_event(at_once: set[frozenset[str]]) -> None:
    assert urls(13) in at_once


def test_stock_titles_and_columns_join_nothing(at_once: set[frozenset[str]]) -> None:
    for number in (8, 9, 20, 21, 22, 30):
        assert urls(number) in at_once


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_stories_are_the_same_in_whatever_order_and_batches_the_articles_come(
    stories: Stories, at_once: set[frozenset[str]], order: random.Random, size: int
) -> None:
    assert stories(in_batches(NEWS, order, size)) == at_once


numbers = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 30])
words = st.lists(
    st.tuples(st.sampled_from(["merge", "split"]), st.tuples(numbers, numbers))
    .filter(lambda word: word[1][0] != word[1][1])
    .map(lambda word: (word[0], min(word[1]), max(word[1]))),
    max_size=6,
    unique_by=lambda word: word[1:],
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(words, st.randoms(use_true_random=False), st.integers(1, 6))
def test_what_a_person_joined_and_set_apart_stays_so_in_whatever_order_the_articles_come(
    stories: Stories, said: list[Word], order: random.Random, size: int
) -> None:
    found = stories(in_batches(NEWS, order, size), said)
    assert found == stories([NEWS], said)
    for action, one, other in said:
        if action == "split":
            assert not any(urls(one, other) <= story for story in found)
    if all(action == "merge" for action, *_ in said):
        for _, one, other in said:
            assert any(urls(one, other) <= story for story in found)


def test_the_newest_word_of_many_counts_and_nothing_else_moves(stories: Stories, at_once: set[frozenset[str]]) -> None:
    said: list[Word] = [("split", 1, 2), ("merge", 5, 6), ("merge", 1, 2), ("split", 5, 6)]
    assert stories([NEWS], said) == at_once


def test_two_models_are_one_story_when_a_person_says_so(stories: Stories, at_once: set[frozenset[str]]) -> None:
    (joined,) = stories([NEWS], [("merge", 5, 6)]) - at_once
    assert urls(5, 6) <= joined


@pytest.mark.slow
def test_what_a_person_joined_is_one_story_though_it_is_not_grouped_at_once(
    stories: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.run.GROUPED_AT_ONCE", 1)
    monkeypatch.setattr("pipelines.newsroom.stages.run.KEYED_AT_ONCE", 1)
    assert any(urls(5, 9) <= story for story in stories([NEWS], [("merge", 5, 9)]))


def test_what_changes_while_it_is_read_is_grouped_as_it_is_now(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One article is edited, and two turn out to be one, after they were read and before their keys are stored."""
    later = NOON + timedelta(days=3)
    edited = replace(NEWS[3], title=LAUNCH, text="", fetched_at=later)
    both = replace(NEWS[10], keys=(*NEWS[10].keys, *NEWS[11].keys), fetched_at=later)
    expected = group_batches(databases, [NEWS, [edited, both]])
    changes = [edited, both]
    with opened_store(databases) as store:
        with store.transaction() as tx:
            tx.articles.save(NEWS)

        def read_then_change(articles: Mapping[int, StoredArticle], rules: GroupRules) -> dict[int, Features]:
            features = read_features(articles, rules)
            with store.transaction() as tx:
                tx.articles.save(changes)
            changes.clear()
            return features

        monkeypatch.setattr("pipelines.newsroom.stages.run.read_features", read_then_change)
        group(store, RULES)
        with store.reading() as tx:
            found = {
                frozenset(each.article.url for each in candidate.articles)
                for candidate in stored_candidates(tx, states=("new",))
            }
            assert tx.articles.list_fresh() == []
        assert store.check() == []
    assert found == expected


def test_a_report_that_another_process_groups_while_links_are_found_keeps_its_links(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor's action groups a new report after its event's links were found, and before they are stored."""
    new = replace(
        NEWS[10], title="云雀半导体星澜 N9：提速 85% 的芯片", url="https://e.example/14", keys=(), publisher="癸"
    )
    expected = group_batches(databases, [NEWS, [new]])
    find_links = run.find_links_of_fresh
    with opened_store(databases) as store:
        with store.transaction() as tx:
            tx.articles.save(NEWS)

        def find_then_group(*arguments: Any) -> tuple[int, Sequence[EventLink]]:
            found = find_links(*arguments)
            with store.transaction() as tx:
                regroup(tx, tx.articles.save([new]).ids, RULES)
            return found

        monkeypatch.setattr("pipelines.newsroom.stages.run.find_links_of_fresh", find_then_group)
        group(store, RULES)
        with store.reading() as tx:
            found = {
                frozenset(each.article.url for each in candidate.articles)
                for candidate in stored_candidates(tx, states=("new",))
            }
    assert any(new.url in story and len(story) > 1 for story in expected)
    assert found == expected


def test_what_is_set_apart_once_all_are_grouped_falls_apart(stories: Stories, at_once: set[frozenset[str]]) -> None:
    found = stories([NEWS, ()], [("split", 1, 2)])
    assert not any(urls(1, 2) <= story for story in found)
    assert any(urls(1, 2) <= story for story in at_once)


TITLES = [LAUNCH, f"重磅｜{LAUNCH}！", f"{LAUNCH}：架构详解", "端侧推理每两周一期的简报与精选", "分享图片"]
DAYS = [0, 0.4, 1, 2, 9, 10, 11, 12, 20, 29, 30, 31, 39, 40, 41, 42, 70]


@st.composite
def some_news(draw: st.DrawFn) -> list[Article]:
    """Articles that have much in common: titles, texts, accounts, days, what they are about."""
    number = draw(st.integers(2, 16))
    return [
        article(
            n,
            title=draw(st.sampled_from(TITLES)),
            publisher=draw(st.sampled_from("甲乙丙")),
            days=draw(st.sampled_from(DAYS)),
            text=draw(st.sampled_from(["", "", TEXT, f"转载。{TEXT}"])),
            references=about(*draw(st.sampled_from([(), (), (), (PAPER,)]))),
        )
        for n in range(1, number + 1)
    ]


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(some_news(), st.randoms(use_true_random=False), st.integers(1, 6))
def test_grouping_bit_by_bit_is_grouping_everything_at_once(
    stories: Stories, news: list[Article], order: random.Random, size: int
) -> None:
    stories(in_batches(news, order, size))  # which compares


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(some_news(), some_news(), st.randoms(use_true_random=False))
def test_an_edit_is_grouped_as_if_it_had_always_been_so(
    stories: Stories, news: list[Article], edited: list[Article], order: random.Random
) -> None:
    later = [replace(one, fetched_at=NOON + timedelta(days=1)) for one in edited[: len(news)]]
    stories([*in_batches(news, order, 4), *in_batches(later, order, 2)])


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(20, 60))
def test_a_title_that_is_everywhere_ends_what_it_joined_in_its_period_only(
    stories: Stories, order: random.Random, size: int
) -> None:
    begins = -(NOON.toordinal() % PERIOD)
    crowd = [article(n, title=LAUNCH, publisher=f"号{n}", days=begins + n % 8) for n in range(POPULAR + 1)]
    before = [article(200 + n, title=LAUNCH, publisher=f"号{n}", days=begins - 40 - n) for n in range(3)]
    found = stories(in_batches([*crowd, *before], order, size))
    assert urls(200, 201, 202) in found
    assert len(found) == 1 + len(crowd)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_a_work_that_is_everywhere_ends_what_it_joined(stories: Stories, order: random.Random, size: int) -> None:
    posts = [article(n, publisher=f"号{n}", references=about(PAPER)) for n in range(1, RARE + 2)]
    assert len(stories([posts[:RARE]])) == 1
    assert len(stories(in_batches(posts, order, size))) == len(posts)
