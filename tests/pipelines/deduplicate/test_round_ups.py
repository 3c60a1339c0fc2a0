"""Round-ups belong to no event; their parts say which events they mention."""

from __future__ import annotations

import pytest
from builders import stored
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.event_profiles import EventProfile, is_round_up, read_event_profile
from pipelines.deduplicate.round_ups import MOST_PARTS, RoundUp, RoundUpTerms, find_round_ups, read_round_up
from pipelines.rules import load_rules

RULES = load_rules(Home(bundled())).events
MODEL = load_event_model()
LAUNCH = "云雀半导体发布星澜 N9 芯片，端侧推理提速 85%"


def read(title: str, **values: object) -> RoundUp:
    round_up = read_round_up(stored(1, title=title, **values).article, RULES)
    assert round_up is not None
    return round_up


def read_profile(title: str, **values: object) -> EventProfile:
    profile = read_event_profile(stored(2, title=title, **values).article, RULES)
    assert profile is not None
    return profile


@pytest.mark.parametrize(
    "title",
    [
        "8点1氪：苹果涨价",
        "极客早知道 | 英伟达下跌",
        "甲公司开源新模型/乙公司裁员三成/丙公司起诉丁公司",
        "本周十个仓库值得看",
        "AI 一周：三家公司发布新芯片",
    ],
)
def test_a_round_up_is_recognised_and_reports_no_event(title: str) -> None:
    assert is_round_up(title, RULES)
    assert read_event_profile(stored(1, title=title).article, RULES) is None


@pytest.mark.parametrize(
    "title",
    [
        "我用云雀的芯片工作了一周，再也回不去了",
        "云雀一周年：星澜卖了一万片",
        "云雀半导体完成数千万元融资丨早起看早期",
        "三张表格大盘点：云雀的星澜卖给了谁",
    ],
)
def test_a_week_of_work_and_a_column_of_one_company_are_no_round_up(title: str) -> None:
    assert not is_round_up(title, RULES)
    assert read_round_up(stored(1, title=title).article, RULES) is None


def test_the_parts_are_those_of_the_title_and_of_the_digest() -> None:
    round_up = read(
        "早报 | 云雀发布星澜 N9；面包车涨价 2.5 万元", summary="🚗雨季推迟到七月 🍏苹果园丰收了 1. 邮局换新招牌"
    )
    assert [text for text, _ in round_up.parts] == [
        "云雀发布星澜 N9",
        "面包车涨价 2.5 万元",
        "雨季推迟到七月",
        "苹果园丰收了",
        "邮局换新招牌",
    ]


def test_a_part_mentions_the_event_that_it_reports() -> None:
    event = [read_profile(LAUNCH), read_profile("实测云雀星澜 N9", summary="云雀半导体的星澜 N9 提速 85%。")]
    mentioning = read("早报 | 面包车涨价；云雀半导体发布星澜 N9，提速 85%；雨季推迟到七月", days=0.5)
    other = read("早报 | 面包车涨价；蓝鲸软件裁员三成；雨季推迟到七月", days=0.5)
    (mention,) = find_round_ups(event, {8: mentioning, 9: other}, MODEL)
    assert (mention.article, mention.part) == (8, "云雀半导体发布星澜 N9，提速 85%")


def test_a_part_that_is_the_title_of_a_report_mentions_it() -> None:
    (mention,) = find_round_ups([read_profile(LAUNCH)], {8: read(f"面包车涨价了/{LAUNCH}/雨季推迟到七月")}, MODEL)
    assert mention.probability == 1


def test_a_digest_of_many_parts_is_read_up_to_a_limit() -> None:
    digest = "；".join(f"云雀半导体发布星澜 {number} 号" for number in range(10 * MOST_PARTS))
    assert len(read("早报：芯片", summary=digest).parts) == MOST_PARTS


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200))
def test_a_round_up_survives_the_store(title: str, summary: str) -> None:
    round_up = read(f"早报：{title}", summary=summary)
    assert RoundUp.from_json(round_up.to_json()) == round_up


def test_the_terms_of_a_round_up_find_it_for_an_event_that_a_part_of_it_shares_enough_with() -> None:
    event = [read_profile(LAUNCH), read_profile("实测云雀星澜 N9", summary="云雀半导体的星澜 N9 提速 85%。")]
    mentioning = read("早报 | 面包车涨价；云雀半导体发布星澜 N9，提速 85%；雨季推迟到七月", days=0.5)
    other = read("早报 | 面包车涨价；蓝鲸软件裁员三成；雨季推迟到七月", days=0.5)
    terms = RoundUpTerms(
        (article_id, day, round_up.pack_terms())
        for article_id, day, round_up in ((6, 103, mentioning), (7, 100, other), (8, 101, mentioning), (9, 102, other))
    )
    assert list(terms.find_alike(event, 100, 103, MODEL.rarity)) == [8, 6]
    assert list(terms.find_alike(event, 100, 102, MODEL.rarity)) == [8]
    assert not terms.find_alike(event, 104, 110, MODEL.rarity)
    assert not RoundUpTerms([]).find_alike(event, 100, 103, MODEL.rarity)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["云雀", "半导体", "发布", "星澜", "N9", "芯片", "提速", "85%", "面包车", "涨价", "裁员"]),
        min_size=3,
    )
)
def test_the_terms_of_round_ups_hide_none_that_mentions_an_event(words: list[str]) -> None:
    event, round_up = [read_profile(LAUNCH)], read(f"早报：{LAUNCH[:9]}", summary="；".join([*words, "".join(words)]))
    found = RoundUpTerms([(8, 100, round_up.pack_terms())]).find_alike(event, 100, 100, MODEL.rarity)
    assert found or not find_round_ups(event, {8: round_up}, MODEL)
