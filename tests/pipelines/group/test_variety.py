"""The first candidates: the best, of many kinds, no event twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.variety import Contender, choose_varied

QUOTAS = {"新闻": 4, "教程": 4}
TITLES = ("低比特量化方法", "编译器优化指南", "芯片发布消息", "端侧推理引擎", "神经网络剪枝", "移动设备部署")


def contender(
    story_id: int, title: str, score: float = 1.0, section: str = "新闻", source: str | None = None
) -> Contender:
    return Contender(story_id, score, section, title, source or f"号{story_id}")


def test_of_two_titles_that_announce_one_event_the_better_stands_alone() -> None:
    rows = [
        contender(1, "某厂发布低比特量化引擎", 2.0),
        contender(2, "某厂发布低比特量化引擎！", 3.0),
        contender(3, TITLES[1]),
    ]
    assert choose_varied(rows, QUOTAS, 3) == [2, 3]


def test_an_account_that_has_the_best_places_leaves_the_next_one_to_another() -> None:
    rows = [
        contender(1, TITLES[0], 2.0, source="甲"),
        contender(2, TITLES[1], 1.9, source="甲"),
        contender(3, TITLES[2], 1.8, source="乙"),
    ]
    assert choose_varied(rows, QUOTAS, 2) == [1, 3]


def test_a_section_that_has_its_share_leaves_places_to_the_others() -> None:
    news = [contender(number, title, 3.0 - number / 10) for number, title in enumerate(TITLES)]
    lessons = [contender(10, "手把手入门", 2.0, "教程"), contender(11, "源码笔记", 1.9, "教程")]
    section_of = {each.story: each.section for each in [*news, *lessons]}
    sections = Counter(section_of[story_id] for story_id in choose_varied([*news, *lessons], QUOTAS, 4))
    assert sections == {"新闻": 3, "教程": 1}


def test_a_much_better_story_is_not_given_up_for_variety() -> None:
    rows = [
        contender(1, TITLES[0], 9.0, source="甲"),
        contender(2, TITLES[1], 8.0, source="甲"),
        contender(3, TITLES[2]),
    ]
    assert choose_varied(rows, QUOTAS, 2) == [1, 2]


def test_a_section_without_a_quota_comes_after_the_others() -> None:
    rows = [contender(1, TITLES[0], 2.0, "别的"), contender(2, TITLES[1], 1.5), contender(3, TITLES[2], 0.5)]
    assert choose_varied(rows, QUOTAS | {"别的": 0}, 2) == [2, 1]


@given(st.lists(st.tuples(st.sampled_from(TITLES), st.floats(-5, 5), st.sampled_from(["新闻", "教程"])), max_size=30))
def test_the_order_of_reading_makes_no_difference_and_nobody_stands_twice(rows: list[tuple[str, float, str]]) -> None:
    contenders = [contender(number, title, score, section) for number, (title, score, section) in enumerate(rows, 1)]
    chosen = choose_varied(contenders, QUOTAS, 5)
    assert len(set(chosen)) == len(chosen) == min(5, len({title for title, _, _ in rows}))
    assert choose_varied(contenders[::-1], QUOTAS, 5) == chosen
