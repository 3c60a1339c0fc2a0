"""Training on past issues, and the model at work."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.group.categories import CategoryRules
from pipelines.group.features import (
    Account,
    Description,
    Feature,
    Vocabulary,
    account_of,
    count_tokens,
    read_words,
    shapes,
)
from pipelines.group.rates import MOST_FOR
from pipelines.group.relevance import TopicTerms
from pipelines.group.segmentation import find_cuts
from pipelines.group.token_tables import TokenTable
from pipelines.group.trained import (
    DIGITS,
    FOLDS,
    VERSION,
    NotAModel,
    TrainedModel,
    categorise_by_model,
    relevance_reasons,
    score,
)
from pipelines.group.training import LEAST_OF_A_CATEGORY, LEAST_PASSED_OVER, Example, examples_of_issue, train
from pipelines.model import Entry, Issue, Reason, Section
from pipelines.newsletter import Category, Newsletter, Topic
from pipelines.text import fold

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


def describe(title: str, source: str = "", url: str = "https://mp.weixin.qq.com/s/x", summary: str = "") -> Description:
    return Description.of(title, url, source=source, summary=summary)


def examples(picked: int = 60, passed_over: int = LEAST_PASSED_OVER) -> list[Example]:
    """Picks of two sections about `ABOUT`, and what was passed over, about something else."""
    chance = random.Random(1)
    examples = []
    for n in range(picked):
        category = ("新闻", "教程")[n % 2]
        title = f"{chance.choice(ABOUT)}{('芯片发布', '入门笔记')[n % 2]}第{n}"
        examples.append(
            Example(describe(title, f"号{n % 7}"), f"2026-01-{n % 9 + 1:02}", picked=True, category=category)
        )
    examples += [
        Example(describe(f"{chance.choice(ELSEWHERE)}{n}", f"生活{n % 9}"), picked=False) for n in range(passed_over)
    ]
    return examples


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return train(examples(), CATEGORIES, TOPICS)


def test_what_is_like_the_picks_ranks_before_what_is_not(model: TrainedModel) -> None:
    assert score(describe("端侧推理的一次优化"), model, TOPICS) > score(describe("楼市的一次观察"), model, TOPICS)


def test_an_account_whose_articles_were_picked_speaks_for_the_next(model: TrainedModel) -> None:
    title = "一篇新文章"
    scores = [score(describe(title, source), model, TOPICS) for source in ("号1", "没见过的号", "生活1")]
    assert scores == sorted(scores, reverse=True)
    texts = [reason.text("zh") for reason in relevance_reasons(describe(title, "号1"), model, TOPICS)]
    assert [text for text in texts if text.startswith("来源 号1：每百篇选 ")]


def test_the_words_of_a_title_choose_its_section_and_the_probabilities_add_up_to_one(model: TrainedModel) -> None:
    result = categorise_by_model(describe("剪枝入门笔记"), model, CATEGORIES, TOPICS)
    assert result.category == "教程"
    assert math.isclose(math.fsum(result.scores.values()), 1.0)


def test_a_section_with_few_examples_is_not_trained(model: TrainedModel) -> None:
    assert set(model.categories) == {"新闻", "教程"}
    more = [
        Example(describe(f"a/b{n}", url="https://github.com/a/b"), category="项目") for n in range(LEAST_OF_A_CATEGORY)
    ]
    assert "项目" in train([*examples(), *more], CATEGORIES, TOPICS).categories


def test_the_section_that_a_source_is_known_for_counts_until_issues_printed_the_source(model: TrainedModel) -> None:
    def chance(source: str, known_for: str | None) -> float:
        description = describe("某个题目", source)
        return categorise_by_model(description, model, CATEGORIES, TOPICS, source_category=known_for).scores["教程"]

    assert chance("没见过的号", "教程") > chance("没见过的号", None)
    assert chance("号1", "教程") == chance("号1", None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*"量化端侧推理今晚吃什么发布入门 a1:：！?", "int8", "MNN 2.0"]), max_size=40).map(
        "".join
    ),
    st.sampled_from(["", "号1", "生活1", "谁"]),
)
def test_the_reasons_add_up_to_the_score(model: TrainedModel, title: str, source: str) -> None:
    description = describe(title, source)
    reasons = relevance_reasons(description, model, TOPICS)
    assert math.fsum(reason.weight for reason in reasons) == pytest.approx(score(description, model, TOPICS), abs=0.04)


def test_reasons_name_topics_words_and_the_source(model: TrainedModel) -> None:
    texts = {reason.text("zh") for reason in relevance_reasons(describe("int8 端侧推理", "号1"), model, TOPICS)}
    assert {"量化", "端侧推理"} <= texts
    assert any(text.startswith("来源 号1：") for text in texts)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["量化", "端侧推理", "编译器", "深入浅出", "入门笔记", "int8", " ", "，"]), max_size=9))
def test_no_reason_is_cut_within_a_word(model: TrainedModel, parts: Sequence[str]) -> None:
    title = "".join(parts)
    ends = {0, *find_cuts(title)}
    description = describe(title)
    reasons = (*relevance_reasons(description, model, TOPICS), *hinted_reasons(description, model))
    for term in {str(reason.values["term"]) for reason in reasons if reason.code == "reason/term"} & words_of(title):
        starts = [match.start() for match in re.finditer(re.escape(term), title)]
        assert any({start, start + len(term)} <= ends for start in starts), (term, title)


def hinted_reasons(description: Description, model: TrainedModel) -> Sequence[Reason]:
    """Reasons for a section with hints that stand within longer words."""
    newsletter = NEWSLETTER.model_copy(
        update={
            "categories": tuple(c.model_copy(update={"hints": ("深入", "门", "译")}) for c in NEWSLETTER.categories)
        }
    )
    return categorise_by_model(description, model, CategoryRules.of(newsletter), TOPICS).reasons


def words_of(title: str) -> set[str]:
    """Every run of letters within a title."""
    return {title[start:end] for start in range(len(title)) for end in range(start + 1, len(title) + 1)}


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_same_examples_in_any_order_give_the_same_model(model: TrainedModel, order: random.Random) -> None:
    shuffled = examples()
    order.shuffle(shuffled)
    assert train(shuffled, CATEGORIES, TOPICS).to_json() == model.to_json()


def test_a_model_survives_as_json(model: TrainedModel) -> None:
    again = TrainedModel.from_json(model.to_json())
    assert again == model
    assert again.to_json() == model.to_json()


EMPTY_MODEL = {
    "version": VERSION,
    "idf": {},
    "accounts": {},
    "relevance": [],
    "categories": {},
    "rarity": {},
    "sharpness": 1.0,
}


def test_an_empty_model_is_read() -> None:
    assert TrainedModel.from_json(json.dumps(EMPTY_MODEL)).categories == {}


def test_a_work_that_the_text_points_at_speaks_for_the_section_whose_texts_point_at_such_works() -> None:
    def entry(number: int, category: str, reference: str) -> Example:
        description = Description.of(f"第{number}条", "https://a.example/", references=[reference])
        return Example(description, f"2026-01-{number % 9 + 1:02}", category=category, written="一段摘要")

    halves = [("新闻", "arxiv:2001.04246"), ("教程", "github:alibaba/mnn")]
    trained = train([entry(n, *halves[n % 2]) for n in range(60)], CATEGORIES, TOPICS)

    def choose(*references: str, summary: str = "一段摘要") -> Mapping[str, float]:
        description = Description.of("一条", "https://a.example/", summary=summary, references=references)
        return categorise_by_model(description, trained, CATEGORIES, TOPICS).scores

    assert choose("github:a/b")["教程"] > 0.8
    assert choose("doi:10.1000/182")["新闻"] > 0.8
    assert choose("github:a/b", summary="")["教程"] < choose("github:a/b")["教程"], "only the text counts"


def test_the_json_of_a_model_names_each_weight_by_kind_and_name(model: TrainedModel) -> None:
    document = json.loads(model.to_json())
    assert document["idf"]["word"]["量化"] == model.vocabulary.idf[Feature("word", "量化")]
    assert document["relevance"][2]["topic"]["量化"] == model.relevance[2][Feature("topic", "量化")]
    assert document["categories"]["新闻"]["hint"]["新闻"] == model.categories["新闻"][Feature("hint", "新闻")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 1}',
        json.dumps({**EMPTY_MODEL, "version": VERSION - 1}),
        json.dumps({**EMPTY_MODEL, "idf": {"word": {"a": "x"}}}),
        json.dumps({**EMPTY_MODEL, "idf": {"word": {"a": math.nan}}}),
        json.dumps({**EMPTY_MODEL, "idf": {"a": 1.0}}),
        json.dumps({**EMPTY_MODEL, "relevance": [{"smell": {"a": 1.0}}]}),
        json.dumps({**EMPTY_MODEL, "accounts": {"a": [1]}}),
    ],
)
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(NotAModel):
        TrainedModel.from_json(text)


@pytest.mark.parametrize(("picked", "passed_over"), [(60, LEAST_PASSED_OVER - 1), (29, LEAST_PASSED_OVER)])
def test_relevance_is_not_trained_on_few_examples(picked: int, passed_over: int) -> None:
    assert not train(examples(picked, passed_over), CATEGORIES, TOPICS).relevance


def test_a_model_without_examples_is_empty() -> None:
    empty = train([], CATEGORIES, TOPICS)
    assert not empty.relevance
    assert not empty.categories


def test_a_kind_of_page_without_passed_over_examples_is_no_feature() -> None:
    papers = [
        Example(describe(f"Pruning {n}", url=f"https://arxiv.org/abs/2601.{n:05}"), "2026-01-01", picked=True)
        for n in range(20)
    ]
    refused = [
        Example(describe(f"Cooking {n}", url=f"https://arxiv.org/abs/2602.{n:05}"), picked=False) for n in range(20)
    ]
    assert Feature("kind", "arxiv") not in train([*examples(), *papers], CATEGORIES, TOPICS).relevance[0]
    assert Feature("kind", "arxiv") in train([*examples(), *papers, *refused], CATEGORIES, TOPICS).relevance[0]


def lying_open(number: int = LEAST_PASSED_OVER) -> list[Example]:
    """Articles of the store that nobody decided on; one in three is like the picks."""
    return [
        Example(
            describe(f"{(ABOUT if n % 3 == 0 else ELSEWHERE)[n % 4]}{n}", f"生活{n % 9}"), picked=False, fold=n % FOLDS
        )
        for n in range(number)
    ]


def test_an_open_article_is_scored_by_a_model_that_was_not_told_that_it_was_passed_over() -> None:
    odd = describe("紫藤花开")
    twins = [Example(describe(f"紫藤花开{n}"), picked=False, fold=1) for n in range(4)]
    trained = train([*examples(passed_over=0), *lying_open(), *twins], CATEGORIES, TOPICS)
    scores = [score(odd, trained, TOPICS, fold) for fold in range(FOLDS)]
    assert max(scores) == scores[1]


def test_a_drop_speaks_more_against_a_word_than_an_open_article() -> None:
    odd = describe("紫藤花开")
    scores = [
        score(odd, train([*examples(passed_over=0), *lying_open(), *twins], CATEGORIES, TOPICS), TOPICS)
        for fold in (None, 1)
        for twins in [[Example(describe(f"紫藤花开{n}"), picked=False, fold=fold) for n in range(4)]]
    ]
    assert scores[0] < scores[1]


def test_open_articles_that_are_like_the_picks_still_rank_first() -> None:
    trained = train([*examples(passed_over=0), *lying_open()], CATEGORIES, TOPICS)
    scores = {n: score(example.description, trained, TOPICS, n % FOLDS) for n, example in enumerate(lying_open())}
    best = sorted(scores, key=lambda n: -scores[n])[:20]
    assert all(n % 3 == 0 for n in best)


def test_no_account_weighs_more_than_the_bound_however_often_it_was_picked() -> None:
    favourites = [Example(describe(f"{ABOUT[n % 4]}{n}", "常客"), "2026-01-01", picked=True) for n in range(300)]
    trained = train([*examples(), *favourites], CATEGORIES, TOPICS)
    with_account, without = (score(describe("今晚吃什么", name), trained, TOPICS) for name in ("常客", ""))
    assert with_account - without == MOST_FOR


def test_a_model_that_knows_only_accounts_does_no_better_than_their_rates() -> None:
    """Every account has picks and articles that were passed over, with titles that tell nothing."""
    chance = random.Random(4)

    def title() -> str:
        return "".join(chr(0x4E00 + chance.randrange(400)) for _ in range(12))

    names = [f"号{n}" for n in range(8)]
    past = [Example(describe(title(), chance.choice(names)), "2026-01-01", picked=True) for _ in range(400)]
    there = [
        Example(describe(title(), chance.choice(names)), picked=False, fold=n % FOLDS, day=date(2026, 2, 1))
        for n in range(800)
    ]
    trained = train([*past, *there], CATEGORIES, TOPICS)
    fresh = [score(describe(title(), chance.choice(names)), trained, TOPICS) for _ in range(300)]
    old = [score(example.description, trained, TOPICS, example.fold or 0) for example in there]
    won = sum(one > other for one in fresh for other in old[:300]) / (300 * 300)
    assert 0.4 < won < 0.6


def test_an_account_that_is_not_watched_is_as_busy_as_the_registry_expects() -> None:
    past = [Example(describe(f"{ABOUT[n % 4]}{n}", "常客"), f"2026-01-{n % 9 + 1:02}", picked=True) for n in range(40)]
    there = [*past, *lying_open()]
    busy, rare = (train(there, CATEGORIES, TOPICS, {"常客": weekly}).accounts["常客"].rate for weekly in (500.0, 1.0))
    assert busy.per_hundred < rare.per_hundred


# ---- Descriptions and features


def test_a_repository_is_described_by_its_name_and_its_summary() -> None:
    assert describe("a/b", "GitHub", "https://github.com/a/b", "快速推理") == Description(
        "a/b 快速推理", "", "github.com", "github", path="/a/b"
    )


def test_an_article_is_described_by_its_title_and_its_opening_stands_apart() -> None:
    description = describe("题目", "号", summary="摘要")
    assert (description.text, description.opening) == ("题目", "摘要")


def test_an_address_that_cannot_be_parsed_has_no_host() -> None:
    assert Description.of("题目", "http://[").host == ""


@pytest.mark.parametrize(
    ("title", "shape"),
    [
        ("某推理引擎 1.0.2 发布", "version"),
        ("TinyNet：更小的网络", "name-colon"),
        ("如何在单片机上跑模型", "question"),
        ("融资 3 亿美元", "money"),
        ("Faster inference on phones", "ascii"),
        ("全球首款 5nm 处理器", "process-node"),
    ],
)
def test_a_title_has_a_shape(title: str, shape: str) -> None:
    assert Feature("shape", shape) in shapes(describe(title))


@pytest.mark.parametrize("title", ["提速 2.5 倍", "精度高 0.5%", "7.5nm"])
def test_a_number_with_a_unit_is_no_version(title: str) -> None:
    assert Feature("shape", "version") not in shapes(describe(title))


def test_an_account_without_an_example_does_not_contain_its_outcome() -> None:
    account = Account(passed_over=2, picked=3, placed={"新闻": 2, "教程": 1})
    assert account.without(picked=True, category="新闻") == Account(2, 2, {"新闻": 1, "教程": 1})
    assert account.without(picked=False, category=None) == Account(1, 3, {"新闻": 2, "教程": 1})


def test_an_account_is_one_however_it_is_spaced() -> None:
    assert account_of("Some Lab") == account_of("somelab") == account_of("ＳｏｍｅＬａｂ")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_has_features_of_length_one(texts: Sequence[str]) -> None:
    vocabulary = TokenTable.of(texts).make_vocabulary(DIGITS, least=1)
    for text in texts:
        vector = vocabulary.text_vector(text)
        words = [number for feature, number in vector.items() if feature.kind == "word"]
        assert not words or math.isclose(math.fsum(number * number for number in words), 1.0)


# ---- Examples of an issue


@given(st.text(alphabet="低比特量化 mnn-x.+1A"))
def test_the_features_of_the_words_are_those_of_the_text(text: str) -> None:
    folded = fold(text)
    of_words = Counter(feature for word in read_words(folded) for feature in word.features)
    assert of_words == count_tokens(folded)
    vocabulary = Vocabulary(dict.fromkeys(of_words, 1.0))
    assert vocabulary.text_vector(text) == vocabulary.weigh(of_words)


def test_an_entry_is_described_as_a_crawler_would_have_seen_its_article() -> None:
    entries = (
        Entry("[CVPR2020][2006.00001] [更小的网络 | 某号](https://mp.weixin.qq.com/s/a)\n摘要：编者写的话。"),
        Entry("[tiny/quant：手机上的量化库](https://github.com/tiny/quant)"),
    )
    issue = Issue(title="试刊", date=date(2026, 1, 1), state="published", sections=(Section("新闻", entries),))
    article, repository = examples_of_issue(issue, NEWSLETTER)
    assert article.description == Description("更小的网络", "某号", "mp.weixin.qq.com", "wechat", path="/s/a")
    assert article.written == "编者写的话。"
    assert (repository.description.text, repository.description.kind) == ("tiny/quant 手机上的量化库", "github")
    assert {example.category for example in (article, repository)} == {"新闻"}


def test_an_entry_of_an_unknown_section_is_an_example_of_relevance_only() -> None:
    issue = Issue(
        title="试刊", date=date(2026, 1, 1), sections=(Section("广告", (Entry("[题目](https://a.example/1)"),)),)
    )
    (example,) = examples_of_issue(issue, NEWSLETTER)
    assert example.picked
    assert example.category is None
