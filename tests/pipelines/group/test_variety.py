"""The first candidates: the best, of many kinds, no event twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from builders import stored
from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.variety import choose_varied
from pipelines.model import Candidate, Story

QUOTAS = {"新闻": 4, "教程": 4}
TITLES = ("低比特量化方法", "编译器优化指南", "芯片发布消息", "端侧推理引擎", "神经网络剪枝", "移动设备部署")


def candidate(
    story_id: int, title: str, score: float = 1.0, section: str = "新闻", publisher: str | None = None
) -> Candidate:
    lead = stored(story_id, title=title)
    lead = replace(lead, article=replace(lead.article, publisher=publisher or f"号{story_id}"))
    return Candidate(
        story=Story(story_id, (story_id,), story_id),
        articles=(lead,),
        category=section,
        category_scores={section: 1.0},
        category_reasons=(),
        score=score,
        reasons=(),
        links=(),
    )


def ids_of(candidates: Sequence[Candidate]) -> list[int]:
    return [each.story.id for each in candidates]


def test_of_two_titles_that_announce_one_event_the_better_stands_alone() -> None:
    rows = [
        candidate(1, "某厂发布低比特量化引擎", 2.0),
        candidate(2, "某厂发布低比特量化引擎！", 3.0),
        candidate(3, TITLES[1]),
    ]
    assert ids_of(choose_varied(rows, QUOTAS, 3)) == [2, 3]


def test_an_account_that_has_the_best_places_leaves_the_next_one_to_another() -> None:
    rows = [
        candidate(1, TITLES[0], 2.0, publisher="甲"),
        candidate(2, TITLES[1], 1.9, publisher="甲"),
        candidate(3, TITLES[2], 1.8, publisher="乙"),
    ]
    assert ids_of(choose_varied(rows, QUOTAS, 2)) == [1, 3]


def test_a_section_that_has_its_share_leaves_places_to_the_others() -> None:
    news = [candidate(number, title, 3.0 - number / 10) for number, title in enumerate(TITLES)]
    lessons = [candidate(10, "手把手入门", 2.0, "教程"), candidate(11, "源码笔记", 1.9, "教程")]
    sections = Counter(each.category for each in choose_varied([*news, *lessons], QUOTAS, 4))
    assert sections == {"新闻": 3, "教程": 1}


def test_a_much_better_story_is_not_given_up_for_variety() -> None:
    rows = [
        candidate(1, TITLES[0], 9.0, publisher="甲"),
        candidate(2, TITLES[1], 8.0, publisher="甲"),
        candidate(3, TITLES[2]),
    ]
    assert ids_of(choose_varied(rows, QUOTAS, 2)) == [1, 2]


@given(st.lists(st.tuples(st.sampled_from(TITLES), st.floats(-5, 5), st.sampled_from(["新闻", "教程"])), max_size=30))
def test_the_order_of_reading_makes_no_difference_and_nobody_stands_twice(rows: list[tuple[str, float, str]]) -> None:
    candidates = [candidate(number, title, score, section) for number, (title, score, section) in enumerate(rows, 1)]
    chosen = choose_varied(candidates, QUOTAS, 5)
    assert len(set(ids_of(chosen))) == len(chosen) == min(5, len({title for title, _, _ in rows}))
    assert choose_varied(candidates[::-1], QUOTAS, 5) == chosen
