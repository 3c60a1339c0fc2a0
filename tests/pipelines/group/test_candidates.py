"""Categories, scores and their reasons."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON, about, article, stored
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.group.candidates import GroupRules, as_of, grade
from pipelines.group.categories import CategoryRules, categorise
from pipelines.group.features import Description
from pipelines.group.relevance import freshness, total
from pipelines.group.training import Example, train
from pipelines.group.words import WordList
from pipelines.model import Candidate, StoredArticle, Story
from pipelines.newsletter import Category, Newsletter, Topic
from pipelines.rules import Rules

NEWSLETTER = Newsletter(
    title="试刊",
    editor="e",
    categories=(
        Category(name="新闻", kinds={"wechat": 0.5}, words={"发布": 1.0}),
        Category(name="论文", kinds={"arxiv": 4.0}, words={"提出": 1.5}),
        Category(name="项目", aliases=("开源",), kinds={"github": 4.0}),
    ),
    topics=(
        Topic(name="量化", weight=1.2, terms=("量化", "int8")),
        Topic(name="部署", weight=0.8, terms=("部署", "NAS")),
    ),
)
RULES = GroupRules.of(NEWSLETTER, trust={"lab": 1.6}, source_category={"lab": "开源"})


def graded(*articles: StoredArticle) -> Candidate:
    members = tuple(sorted(one.id for one in articles))
    return grade(Story(members[0], members, articles[0].id), articles, RULES)


@pytest.mark.parametrize(
    ("kind", "title", "category"),
    [
        ("wechat", "某厂发布新品", "新闻"),
        ("wechat", "某校提出新方法", "论文"),
        ("arxiv", "发布", "论文"),
        ("github", "a/b", "项目"),
    ],
)
def test_a_story_is_put_in_a_section_by_its_kind_and_its_words(kind: str, title: str, category: str) -> None:
    assert graded(stored(1, kind=kind, title=title)).category == category


def test_a_source_known_for_a_section_by_any_of_its_names_moves_its_articles_there() -> None:
    candidate = graded(stored(1, source="lab"))
    assert candidate.category == "项目"
    assert candidate.category_reasons[0].text("zh") == "来源常供本栏"


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="发布提出量化部署int8 NAS", max_size=30), st.sampled_from(["wechat", "arxiv", "github", "web"]))
def test_probabilities_sum_to_one_and_reasons_to_the_score(title: str, kind: str) -> None:
    candidate = as_of(graded(stored(1, kind=kind, title=title)), NOON)
    assert math.isclose(sum(candidate.category_scores.values()), 1.0)
    assert candidate.score == total(candidate.reasons)
    assert candidate.category_scores[candidate.category] == max(candidate.category_scores.values())


def test_a_topic_in_the_title_weighs_more_than_one_in_the_summary() -> None:
    in_title, in_summary = graded(stored(1, title="INT8 来了")), graded(stored(1, summary="谈谈 int8"))
    assert in_title.score == 1.2
    assert in_summary.score == 0.6
    assert in_title.reasons[0].text("zh") == "量化"


def test_latin_terms_match_whole_words_and_chinese_ones_anywhere() -> None:
    words = WordList.of(["NAS", "量化"])
    assert words.found_in("NASA 的低比特量化") == {"量化"}
    assert words.found_in("用nas搜索") == {"NAS"}
    assert WordList.of([]).found_in("NAS") == set()


def test_several_accounts_and_links_to_paper_and_code_speak_for_a_story() -> None:
    post = stored(2, title="量化", publisher="甲", references=about("github:a/b"))
    paper = stored(1, kind="arxiv", keys=("arxiv:2511.00001",), publisher="arXiv")
    story = Story(1, (1, 2), 2, accounts=2)
    candidate = grade(story, (post, paper), RULES)
    assert [(link.label, link.url) for link in candidate.links] == [
        ("代码", "https://example.org/github:a/b"),
        ("论文", "https://example.org/1"),
    ]
    assert {reason.text("zh"): reason.weight for reason in candidate.reasons} == {
        "量化": 1.2,
        "2 家同题": 0.4,
        "附代码、论文": 0.3,
    }


def test_a_trusted_source_is_a_reason() -> None:
    candidate = graded(stored(1, source="lab", publisher="实验室"))
    assert [reason.text("zh") for reason in candidate.reasons] == ["来源 实验室"]
    assert [reason.text("en") for reason in candidate.reasons] == ["Source 实验室"]


def test_freshness_halves_in_a_week_and_never_grows_for_a_date_in_the_future() -> None:
    assert freshness(NOON, NOON).weight == 1.5
    assert freshness(NOON - timedelta(days=7), NOON).weight == 0.75
    assert freshness(NOON + timedelta(days=3), NOON).weight == 1.5


def test_the_lead_comes_first_among_a_candidates_articles() -> None:
    late, early = stored(2, days=1), stored(1)
    candidate = graded(late, early)
    assert [one.id for one in candidate.articles] == [2, 1]
    assert candidate.lead == late
    assert replace(candidate, state="picked").lead == late


@pytest.mark.parametrize(
    ("title", "sort"),
    [
        ("【招聘】端侧推理工程师，速来", "招聘"),
        ("免费课报名 | 三周学会模型部署", "课程"),
        ("五一赠书 | 边缘计算的九本书", "抽奖送礼"),
        ("直播预告：量化训练的十个坑", "活动"),
        ("PyCharm 限时优惠开启！", "购物"),
    ],
)
def test_a_promotion_sinks_and_says_why_but_stays(rules: Rules, title: str, sort: str) -> None:
    told = GroupRules.of(NEWSLETTER, {}, {}, promotion=rules.promotion)
    one = stored(1, title=title)
    candidate = grade(Story(1, (1,), 1), [one], told)
    assert f"推广：{sort}" in {reason.text("zh") for reason in candidate.reasons}
    assert candidate.promotion == sort
    assert candidate.score == rules.promotion.weight < -2


@pytest.mark.parametrize(
    "title",
    [
        "网红直播时的瘦脸、磨皮等美颜功能是如何实现的",
        "CS217课程解析：剖析QNNPACK的矩阵运算优化思路",
        "MNN两次直播",
        "用 CSS 实现优惠券的技巧",
        "聊聊京东因为优惠券被薅羊毛",
        "一招教你把模型压到 1 MB",
        "红包墙背后的渲染优化",
        "新旗舰跑分出炉，秒杀上一代",
    ],
)
def test_what_is_written_about_lessons_streams_and_coupons_is_no_promotion(rules: Rules, title: str) -> None:
    assert rules.promotion.find_sort(title) is None


def test_a_paper_of_a_conference_site_stands_with_the_papers(rules: Rules) -> None:
    newsletter = NEWSLETTER.model_copy(
        update={"categories": (Category(name="新闻", kinds={"web": 1.0}), Category(name="论文", kinds={"arxiv": 4.0}))}
    )
    url = "https://openaccess.thecvf.com/content/CVPR2026/html/Some_Paper.html"
    page = article(1, url=url, title="Faster Networks", kind="web")
    categories = [categorise(page, CategoryRules.of(newsletter, papers)).category for papers in (None, rules.papers)]
    assert categories == ["新闻", "论文"]


def test_hints_choose_a_section_where_nothing_was_learned() -> None:
    newsletter = NEWSLETTER.model_copy(
        update={"categories": (Category(name="新闻"), Category(name="博文", hints=("手把手", "踩坑")))}
    )
    assert categorise(article(1, title="手把手部署模型"), CategoryRules.of(newsletter)).category == "博文"


@pytest.mark.slow
def test_a_story_is_as_good_as_its_best_report_whoever_leads_it() -> None:
    examples = [
        *(Example(Description(f"端侧推理{n}"), "2026-01-01", picked=True) for n in range(40)),
        *(Example(Description(f"家常菜{n}"), picked=False, fold=n % 3) for n in range(300)),
    ]
    rules = replace(RULES, model=train(examples, RULES.categories, RULES.topics))
    reposter, report = stored(1, title="家常菜"), stored(2, title="端侧推理")
    alone, together = (
        grade(Story(1, (1, 2)[:size], 1), members, rules)
        for size, members in (
            (1, [reposter]),
            (2, [reposter, report]),
        )
    )
    assert together.lead.id == 1
    assert together.score > alone.score + 1


def test_a_story_is_put_in_a_section_by_all_its_reports_whoever_leads_it() -> None:
    reposter = stored(1, kind="wechat", title="周末转载")
    reports = [stored(number, kind="wechat", title="某校提出新方法") for number in (2, 3)]
    assert graded(reposter).category == "新闻"
    together = graded(reposter, *reports)
    assert (together.lead.id, together.category) == (1, "论文")
    assert math.isclose(math.fsum(together.category_scores.values()), 1.0)
    assert "提出" in {reason.text("zh") for reason in together.category_reasons}


def test_a_repository_among_the_members_leaves_the_section_to_the_reports() -> None:
    post, repository = stored(1, kind="wechat", title="某厂发布新品"), stored(2, kind="github", title="a/b")
    assert graded(post, repository).category == "新闻"


def test_a_withdrawn_paper_sinks_and_says_why_but_stays() -> None:
    reason = "This paper has been withdrawn due to an error in Lemma 3"
    candidate = graded(stored(1, kind="arxiv", title="量化与部署", facts={"withdrawn": reason}))
    assert candidate.score < -2
    assert f"撤稿：{reason}" in [spoken.text("zh") for spoken in candidate.reasons]
