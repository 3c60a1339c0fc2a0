"""What the decisions since the last training add to scores at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.group.nudges import MOST, Nudges, Verdict

OPEN = ("训练营 报名 开始", "低比特量化 方法", "芯片 发布 消息", "训练营 第二期", "移动端 部署 笔记")


def learn(*verdicts: Verdict, threshold: float = 1.0) -> Nudges:
    return Nudges.learn(verdicts, OPEN, threshold)


def test_without_a_decision_nothing_moves() -> None:
    assert learn().weigh("训练营 报名", "甲") == 0.0


def test_a_pick_lifts_what_is_alike_and_a_drop_sinks_it() -> None:
    assert learn(Verdict("训练营 报名", "甲", 0.0, picked=True)).weigh("训练营 第二期", "乙") > 0
    assert learn(Verdict("训练营 报名", "甲", 2.0, picked=False)).weigh("训练营 第二期", "乙") < 0
    assert learn(Verdict("训练营 报名", "甲", 2.0, picked=False)).weigh("低比特量化", "乙") == 0


def test_the_account_counts_less_than_the_words() -> None:
    nudges = learn(Verdict("训练营 报名", "甲", 0.0, picked=True))
    assert 0 < nudges.weigh("低比特量化 方法", "甲") < nudges.weigh("训练营 报名", "乙")


def test_a_decision_that_was_to_be_expected_moves_less_than_a_surprise() -> None:
    expected = learn(Verdict("训练营 报名", "甲", 5.0, picked=True))
    surprise = learn(Verdict("训练营 报名", "甲", -3.0, picked=True))
    assert 0 < expected.weigh("训练营 第二期", "乙") < surprise.weigh("训练营 第二期", "乙")


def test_what_many_open_titles_have_in_common_counts_less_than_a_rare_word() -> None:
    nudges = learn(Verdict("训练营 部署", "甲", 0.0, picked=True))
    assert nudges.weigh("训练营", "乙") < nudges.weigh("部署", "乙")


def test_a_drop_moves_less_than_a_pick() -> None:
    picked = learn(Verdict("训练营 报名", "甲", 1.0, picked=True)).weigh("训练营 报名", "乙")
    dropped = learn(Verdict("训练营 报名", "甲", 1.0, picked=False)).weigh("训练营 报名", "乙")
    assert picked > -2 * dropped > 0


verdicts = st.builds(Verdict, st.sampled_from(OPEN), st.sampled_from(["甲", "乙", ""]), st.floats(-9, 9), st.booleans())


@given(st.lists(verdicts, max_size=60), st.sampled_from(OPEN), st.floats(-5, 5))
def test_no_number_of_decisions_outweighs_what_a_story_is_about(
    decisions: list[Verdict], title: str, threshold: float
) -> None:
    assert -MOST <= Nudges.learn(decisions, OPEN, threshold).weigh(title, "甲") <= MOST
