"""Many stories scored at once have the scores that they have one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.categories import CategoryRules
from pipelines.group.features import Description
from pipelines.group.relevance import TopicTerms
from pipelines.group.scoring import ROUNDING, Report, Scorer, choose_first, weigh_company
from pipelines.group.trained import FOLDS, score
from pipelines.group.training import LEAST_PASSED_OVER, LEAST_PICKED, Example, train
from pipelines.newsletter import Category, Newsletter, Topic

NEWSLETTER = Newsletter(
    title="试刊",
    editor="e",
    categories=(Category(name="新闻"), Category(name="教程")),
    topics=(Topic(name="量化", weight=1.0, terms=("量化", "int8")), Topic(name="推理", weight=2.0, terms=("推理",))),
)
TOPICS = TopicTerms.of(NEWSLETTER)
SCORES = st.dictionaries(st.integers(0, 30), st.floats(-5, 5), max_size=15)


def describe(title: str, number: int) -> Description:
    kinds = ("https://github.com/a/b", "https://arxiv.org/abs/2001.04246", "https://example.org/1")
    return Description.of(
        title, kinds[number % 3], summary="int8 推理" if number % 2 else "", source=f"号 {number % 7}"
    )


def test_scores_by_matrix_equal_scores_one_by_one() -> None:
    picked = [
        Example(
            describe(f"端侧推理 mobilebert 第{number}种量化", number), "2020-01-01", picked=True, written="推理 mnn"
        )
        for number in range(LEAST_PICKED)
    ]
    lying_open = [
        Example(describe(f"家常菜 recipe{number % 9} 的做法", number), picked=False, fold=number % FOLDS)
        for number in range(LEAST_PASSED_OVER)
    ]
    model = train([*picked, *lying_open], CategoryRules.of(NEWSLETTER), TOPICS)
    assert model.relevance
    titles = ("推理", "int8 量化与推理", "mobilebert recipe3", "", "从没见过 unseen+x", "家常菜", "ＭＮＮ 發布")
    reports = [Report(describe(title, number), number % FOLDS) for number, title in enumerate(titles * 3)]
    by_matrix = Scorer(model, TOPICS).score(reports)
    one_by_one = [score(report.description, model, TOPICS, report.fold) for report in reports]
    assert all(math.isclose(*pair, abs_tol=1e-9) for pair in zip(by_matrix, one_by_one, strict=True))
    assert len({round(each, 6) for each in by_matrix}) > len(titles)


def test_company_weighs_as_in_a_grading() -> None:
    assert weigh_company(1, has_links=False, trust=1.0) == 0
    assert weigh_company(4, has_links=True, trust=1.5) == 0.8 + 0.3 + 0.5


@given(SCORES, SCORES, st.integers(1, 20))
def test_what_ranks_first_after_the_grading_of_the_chosen_is_all_graded(
    now: Mapping[int, float], former: Mapping[int, float], number: int
) -> None:
    before = {story_id: former.get(story_id, 0.0) for story_id in now}
    chosen = choose_first(now, before, number)
    scores = {story_id: now[story_id] if story_id in chosen else before[story_id] for story_id in now}
    ranked = sorted(now, key=lambda story_id: (-scores[story_id], -now[story_id]))
    least = sorted(now.values(), reverse=True)[:number][-1] if now else 0.0
    for story_id in ranked[:number]:
        assert story_id in chosen or scores[story_id] < least - ROUNDING
    assert set(sorted(now, key=lambda each: (-now[each], each))[:number]) <= set(chosen)
