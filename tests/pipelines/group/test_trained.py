"""What is learned from past issues, and what a model says of an article."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.group.categories import CategoryRules
from pipelines.group.features import Account, Seen, Vocabulary, account_of, shapes
from pipelines.group.relevance import TopicTerms
from pipelines.group.trained import Learned, NotAModel, categorise_learned, relevance_reasons, score
from pipelines.group.training import LEAST_OF_A_CATEGORY, LEAST_PASSED_OVER, Example, issue_examples, learn
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Category, Newsletter, Topic

NEWSLETTER = Newsletter(
    title="试刊",
    editor="e",
    categories=(
        Category(name="新闻", words={"发布": 1.0}, hints=("芯片",)),
        Category(name="教程", words={"入门": 1.0}),
        Category(name="项目", kinds={"github": 3.0}),
    ),
    topics=(Topic(name="量化", weight=1.2, terms=("量化", "int8")),),
)
CATEGORIES, TOPICS = CategoryRules.of(NEWSLETTER), TopicTerms.of(NEWSLETTER)
ABOUT = ("低比特量化", "端侧推理", "模型剪枝", "算子优化")
ELSEWHERE = ("今晚吃什么", "楼市观察", "足球转会", "周末穿搭")


def seen(title: str, source: str = "", url: str = "https://mp.weixin.qq.com/s/x", summary: str = "") -> Seen:
    return Seen.of(title, url, source=source, summary=summary)


def examples(picked: int = 60, passed_over: int = LEAST_PASSED_OVER) -> list[Example]:
    """Picks of two sections about `ABOUT`, and what was passed over, about something else."""
    chance = random.Random(1)
    found = []
    for n in range(picked):
        category = ("新闻", "教程")[n % 2]
        words = f"{chance.choice(ABOUT)}{('芯片发布', '入门笔记')[n % 2]}第{n}"
        found.append(Example(seen(words, f"号{n % 7}"), f"2026-01-{n % 9 + 1:02}", picked=True, category=category))
    found += [Example(seen(f"{chance.choice(ELSEWHERE)}{n}", f"生活{n % 9}"), picked=False) for n in range(passed_over)]
    return found


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learn(examples(), CATEGORIES, TOPICS)


def test_what_is_like_the_picks_ranks_before_what_is_not(learned: Learned) -> None:
    assert score(seen("端侧推理的一次优化"), learned, TOPICS) > score(seen("楼市的一次观察"), learned, TOPICS)


def test_an_account_whose_articles_were_picked_speaks_for_the_next(learned: Learned) -> None:
    title = "一篇新文章"
    values = [score(seen(title, source), learned, TOPICS) for source in ("号1", "没见过的号", "生活1")]
    assert values == sorted(values, reverse=True)
    assert "来源 号1" in {reason.text for reason in relevance_reasons(seen(title, "号1"), learned, TOPICS)}


def test_a_section_is_told_by_its_words_and_the_chances_add_up_to_one(learned: Learned) -> None:
    found = categorise_learned(seen("剪枝入门笔记"), learned, CATEGORIES, TOPICS)
    assert found.category == "教程"
    assert math.isclose(math.fsum(found.scores.values()), 1.0)


def test_a_section_that_hardly_any_issue_had_is_not_learned(learned: Learned) -> None:
    assert set(learned.categories) == {"新闻", "教程"}
    more = [Example(seen(f"a/b{n}", url="https://github.com/a/b"), category="项目") for n in range(LEAST_OF_A_CATEGORY)]
    assert "项目" in learn([*examples(), *more], CATEGORIES, TOPICS).categories


def test_a_source_known_for_a_section_counts_until_issues_have_told(learned: Learned) -> None:
    def chance(source: str, known_for: str | None) -> float:
        one = seen("某个题目", source)
        return categorise_learned(one, learned, CATEGORIES, TOPICS, source_category=known_for).scores["教程"]

    assert chance("没见过的号", "教程") > chance("没见过的号", None)
    assert chance("号1", "教程") == chance("号1", None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*"量化端侧推理今晚吃什么发布入门 a1:：！?", "int8", "MNN 2.0"]), max_size=40).map(
        "".join
    ),
    st.sampled_from(["", "号1", "生活1", "谁"]),
)
def test_the_reasons_add_up_to_the_score(learned: Learned, title: str, source: str) -> None:
    one = seen(title, source)
    reasons = relevance_reasons(one, learned, TOPICS)
    assert math.fsum(reason.weight for reason in reasons) == pytest.approx(score(one, learned, TOPICS), abs=0.04)


def test_topics_words_and_the_source_are_told_by_name(learned: Learned) -> None:
    told = {reason.text for reason in relevance_reasons(seen("int8 端侧推理", "号1"), learned, TOPICS)}
    assert {"量化", "端侧推理", "来源 号1"} <= told


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_same_examples_in_any_order_give_the_same_model(learned: Learned, order: random.Random) -> None:
    shuffled = examples()
    order.shuffle(shuffled)
    assert learn(shuffled, CATEGORIES, TOPICS).to_json() == learned.to_json()


def test_a_model_survives_as_json(learned: Learned) -> None:
    again = Learned.from_json(learned.to_json())
    assert again == learned
    assert again.to_json() == learned.to_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 1}',
        json.dumps({"version": 2, "idf": {"a": "x"}, "accounts": {}, "relevance": {}, "categories": {}}),
        json.dumps({"version": 2, "idf": {}, "accounts": {"a": [1]}, "relevance": {}, "categories": {}}),
        '{"version": 2, "idf": {"a": NaN}, "accounts": {}, "relevance": {}, "categories": {}}',
    ],
)
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(NotAModel):
        Learned.from_json(text)


@pytest.mark.parametrize(("picked", "passed_over"), [(60, LEAST_PASSED_OVER - 1), (29, LEAST_PASSED_OVER)])
def test_relevance_is_not_learned_from_too_little(picked: int, passed_over: int) -> None:
    assert not learn(examples(picked, passed_over), CATEGORIES, TOPICS).relevance


def test_nothing_is_learned_from_nothing() -> None:
    empty = learn([], CATEGORIES, TOPICS)
    assert not empty.relevance
    assert not empty.categories


def test_a_kind_of_page_that_nobody_ever_passed_over_says_nothing() -> None:
    papers = [
        Example(seen(f"Pruning {n}", url=f"https://arxiv.org/abs/2601.{n:05}"), "2026-01-01", picked=True)
        for n in range(20)
    ]
    refused = [Example(seen(f"Cooking {n}", url=f"https://arxiv.org/abs/2602.{n:05}"), picked=False) for n in range(20)]
    assert ":arxiv" not in learn([*examples(), *papers], CATEGORIES, TOPICS).relevance
    assert ":arxiv" in learn([*examples(), *papers, *refused], CATEGORIES, TOPICS).relevance


# ---- What is seen


def test_a_repository_is_seen_by_its_name_and_its_description() -> None:
    assert seen("a/b", "GitHub", "https://github.com/a/b", "快速推理") == Seen(
        "a/b 快速推理", "", "github.com", "github"
    )


def test_only_the_title_of_an_article_is_seen() -> None:
    assert seen("题目", "号", summary="摘要").text == "题目"


def test_an_address_that_is_none_is_seen_without_a_host() -> None:
    assert Seen.of("题目", "http://[").host == ""


@pytest.mark.parametrize(
    ("title", "shape"),
    [
        ("某推理引擎 1.0.2 发布", "版本号"),
        ("TinyNet：更小的网络", "名称加冒号"),
        ("如何在单片机上跑模型", "疑问"),
        ("融资 3 亿美元", "金额"),
        ("Faster inference on phones", "全英文"),
        ("全球首款 5nm 处理器", "制程"),
    ],
)
def test_how_a_title_is_built_is_seen(title: str, shape: str) -> None:
    assert f"%{shape}" in shapes(seen(title))


@pytest.mark.parametrize("title", ["提速 2.5 倍", "精度高 0.5%", "7.5nm"])
def test_a_number_with_a_unit_is_no_version(title: str) -> None:
    assert "%版本号" not in shapes(seen(title))


def test_an_example_does_not_know_its_own_outcome() -> None:
    told = Account(passed_over=2, picked=3, placed={"新闻": 2, "教程": 1})
    assert told.without(picked=True, category="新闻") == Account(2, 2, {"新闻": 1, "教程": 1})
    assert told.without(picked=False, category=None) == Account(1, 3, {"新闻": 2, "教程": 1})


def test_an_account_is_one_however_it_is_spaced() -> None:
    assert account_of("Some Lab") == account_of("somelab") == account_of("ＳｏｍｅＬａｂ")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_has_features_of_length_one(texts: Sequence[str]) -> None:
    vocabulary = Vocabulary.of(texts, least=1)
    for text in texts:
        words = [value for name, value in vocabulary.vector(Seen(text)).items() if not name.startswith("~")]
        assert not words or math.isclose(math.fsum(value * value for value in words), 1.0)


# ---- What an issue teaches


def test_an_item_is_learned_as_a_crawler_would_have_seen_it() -> None:
    entries = (
        Entry("[CVPR2020][2006.00001] [更小的网络 | 某号](https://mp.weixin.qq.com/s/a)\n摘要：编者写的话。"),
        Entry("[tiny/quant：手机上的量化库](https://github.com/tiny/quant)"),
    )
    issue = Issue(title="试刊", date=date(2026, 1, 1), state="published", sections=(Section("新闻", entries),))
    one, other = issue_examples(issue, NEWSLETTER)
    assert one.seen == Seen("更小的网络", "某号", "mp.weixin.qq.com", "wechat")
    assert one.written == "编者写的话。"
    assert (other.seen.text, other.seen.kind) == ("tiny/quant 手机上的量化库", "github")
    assert {example.category for example in (one, other)} == {"新闻"}


def test_an_item_of_an_unknown_section_teaches_relevance_only() -> None:
    issue = Issue(
        title="试刊", date=date(2026, 1, 1), sections=(Section("广告", (Entry("[题目](https://a.example/1)"),)),)
    )
    (one,) = issue_examples(issue, NEWSLETTER)
    assert one.picked
    assert one.category is None
