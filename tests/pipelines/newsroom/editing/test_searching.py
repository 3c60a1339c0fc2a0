"""The search box: filters among the words, in the words of the desk, and nothing dropped in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from crawler.sources.schema import Source
from pipelines.newsroom.editing.searching import FILTER_NAMES, SearchText, add_search, read_search
from pipelines.store.listing import AccountFilter, CandidateQuery

ZONE = ZoneInfo("Asia/Shanghai")


def read(text: str) -> SearchText:
    return read_search(text, NOON, ZONE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("来源:量子位 论文 since:30d", SearchText("论文", ("量子位",), since=NOON - timedelta(days=30))),
        ("来源：量子位 SOURCE:机器", SearchText(accounts=("量子位", "机器"))),
        ('来源:"Open AI Lab" 端侧', SearchText("端侧", ("Open AI Lab",))),
        ("类型:公众号 kind:arxiv", SearchText(kinds=("wechat", "arxiv"))),
        ("kind:GitHub 状态:已选 state:later", SearchText(kinds=("github",), states=("picked", "later"))),
        ("状态:全部 骁龙", SearchText("骁龙", states=())),
        ("自:2周", SearchText(since=NOON - timedelta(days=14))),
        ("since:90d since:1d", SearchText(since=NOON - timedelta(days=1))),
        ("since:2026-10-01", SearchText(since=datetime(2026, 10, 1, tzinfo=ZONE))),
        ("至:2026-10-01", SearchText(until=datetime(2026, 10, 1, 23, 59, 59, 999999, tzinfo=ZONE))),
        ("http://e.org C++:标准 骁龙:690", SearchText("http://e.org C++:标准 骁龙:690")),
        ("来源 状态", SearchText("来源 状态")),
    ],
)
def test_filters_are_read_and_everything_else_is_words(text: str, expected: SearchText) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("part", ["since:昨天", "类型:电报", "state:x", "until:2026-13-01", "来源:", 'source:""'])
def test_a_filter_that_means_nothing_is_a_word_and_is_named(part: str) -> None:
    assert read(f"端 {part}") == SearchText(f"端 {part}", unread=(part,))


@given(st.lists(st.sampled_from([*FILTER_NAMES, ":", "：", '"', "30d", "已选", " ", "端"]), max_size=12).map("".join))
def test_no_part_of_a_search_is_dropped(text: str) -> None:
    search = read(text)
    filters = bool(search.accounts or search.kinds or search.states or search.since or search.until)
    assert not text.strip() or search.terms or filters
    assert all(part in search.terms for part in search.unread)


def test_a_search_adds_to_the_filters_of_the_list_and_its_state_goes_first() -> None:
    rows = [
        Source(id="qbitai", kind="feed", name="量子位", url="https://e.org/1"),
        Source(id="other", kind="feed", name="别处", url="https://e.org/2"),
    ]
    former = CandidateQuery(category="论文", since=NOON - timedelta(days=7), kind="feed")
    query = add_search(former, read("来源:量子 状态:已选 since:30d 词"), rows)
    assert query == CandidateQuery(
        ("picked",), "论文", former.since, kind="feed", accounts=(AccountFilter("量子", ("qbitai",)),), search="词"
    )
    assert add_search(former, read("词"), rows).states == ("new",)
    assert add_search(former, read("until:2026-11-01"), rows).until == datetime(2026, 11, 1, 15, 59, 59, 999999, UTC)
