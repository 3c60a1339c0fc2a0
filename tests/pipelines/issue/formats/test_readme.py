"""A README whose list of back issues is kept up; not a word of the rest changes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.home import bundled
from pipelines.issue.formats.readme import update_back_issues
from pipelines.newsletter import load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
DAYS = [date(2021, 3, 5), date(2021, 3, 20)]
TABLE = (
    "| 2 | 0 | 2 | 1 |\n|:---:|:---:|:---:|:---:|\n|  |  | [2021-03-20](2021-03-20.md) | [2021-03-05](2021-03-05.md) |"
)


def test_the_table_replaces_what_stood_under_its_heading_and_nothing_else() -> None:
    page = "# 简报\n\n前言\n\n### [往期回顾](https://e.org)\n\n| 旧 |\n|---|\n\n## 许可\n\n正文\n"
    assert update_back_issues(page, DAYS, NEWSLETTER) == (
        f"# 简报\n\n前言\n\n### [往期回顾](https://e.org)\n\n{TABLE}\n\n## 许可\n\n正文\n"
    )


def test_a_page_without_the_heading_gets_it_at_its_end_and_an_empty_one_a_title() -> None:
    assert update_back_issues("# 简报\n", DAYS, NEWSLETTER) == f"# 简报\n\n## 往期回顾\n\n{TABLE}\n"
    assert update_back_issues("", DAYS, NEWSLETTER) == f"# 嵌入式AI简报\n\n## 往期回顾\n\n{TABLE}\n"


def test_a_heading_in_code_is_none_and_a_rule_ends_the_list() -> None:
    page = "```\n## 往期回顾\n```\n\n## 往期回顾\n\n旧\n\n----\n\n页脚\n"
    assert update_back_issues(page, DAYS, NEWSLETTER) == (
        f"```\n## 往期回顾\n```\n\n## 往期回顾\n\n{TABLE}\n\n----\n\n页脚\n"
    )


@pytest.mark.parametrize("line", ["====", "----", "="])
def test_a_heading_that_is_underlined_ends_the_list_too(line: str) -> None:
    page = f"# 简报\n\n## 往期回顾\n\n- 旧\n\n许可\n{line}\n\n正文\n"
    assert update_back_issues(page, DAYS, NEWSLETTER) == (f"# 简报\n\n## 往期回顾\n\n{TABLE}\n\n许可\n{line}\n\n正文\n")


def test_the_heading_that_says_just_that_is_meant_before_one_that_mentions_it() -> None:
    page = "# 简报\n\n## 如何查往期回顾\n\n见下。\n\n## [往期回顾](https://e.org) ##\n\n旧\n"
    assert update_back_issues(page, DAYS, NEWSLETTER) == (
        f"# 简报\n\n## 如何查往期回顾\n\n见下。\n\n## [往期回顾](https://e.org) ##\n\n{TABLE}\n"
    )


@given(
    st.lists(
        st.sampled_from(["# 标题", "## 往期回顾", "## 见往期回顾", "----", "===", "", "```", "正文", "- 项"]),
        max_size=10,
    ).map("\n".join)
)
def test_keeping_it_up_twice_is_keeping_it_up_once(page: str) -> None:
    once = update_back_issues(page, DAYS, NEWSLETTER)
    assert update_back_issues(once, DAYS, NEWSLETTER) == once
