"""The title of a page, by agreement of its signs."""

from __future__ import annotations

import pytest

from crawler.markup.headline import find_headline
from tests.crawler.markup.pages_of_sites import PARAGRAPH, page_of

TITLE = "四比特推理在三块开发板上"


def title_of(body: str, head: str = "") -> str:
    return find_headline(page_of(body + PARAGRAPH, head)).text


@pytest.mark.parametrize(
    "body",
    [
        f'<h1><a href="/">端侧笔记</a></h1><h2>{TITLE}</h2>',
        f'<h1 class="logo">端侧笔记</h1><div class="art"><h1>{TITLE}</h1></div>',
        f'<h1 class="site-title">端侧笔记</h1><h1 class="entry-title">{TITLE}</h1>',
        f"<h1>端侧笔记</h1><h3>{TITLE}</h3>",
        f'<a href="https://news.example.org/"><img alt="端侧笔记"></a><h1>端侧笔记</h1><h2>{TITLE}</h2>',
    ],
    ids=["link home", "logo", "site title", "end of the title", "picture that leads home"],
)
def test_the_name_of_the_site_in_a_heading_is_not_the_title(body: str) -> None:
    assert title_of(body, f"<title>{TITLE} - 端侧笔记</title>") == TITLE


def test_the_name_of_the_site_is_not_the_title_where_no_heading_has_the_title() -> None:
    head = f'<title>{TITLE}_端侧笔记</title><meta property="og:site_name" content="端侧笔记">'
    assert title_of("<h1>端侧笔记</h1>", head) == TITLE


def test_a_tagline_in_json_ld_is_not_the_title() -> None:
    described = '<script type="application/ld+json">{"@type": "Article", "headline": "一种让模型变小的办法"}</script>'
    assert title_of(f"<h1>{TITLE}</h1>", f"<title>{TITLE} - 百科</title>{described}") == TITLE


def test_the_headline_of_json_ld_is_the_title_where_nothing_else_is() -> None:
    described = f'<script type="application/ld+json">{{"@type": "Article", "headline": "{TITLE}"}}</script>'
    assert title_of("", described) == TITLE


def test_a_cut_title_yields_to_the_whole_one() -> None:
    head = f'<title>{TITLE}：实测与命令 - 某站</title><meta property="og:title" content="{TITLE}…">'
    assert title_of("", head) == f"{TITLE}：实测与命令"
    assert title_of(f"<h1>{TITLE}：实测与命令</h1>", head) == f"{TITLE}：实测与命令"


def test_a_title_that_a_quote_cuts_short_in_its_attribute_yields_to_the_heading() -> None:
    head = f'<title>{TITLE}"快"在哪里_某网</title><meta property="og:title" content="{TITLE}"快"在哪里">'
    assert title_of(f'<h1>{TITLE}"快"在哪里</h1>', head) == f'{TITLE}"快"在哪里'


def test_a_kicker_without_punctuation_is_no_part_of_the_title() -> None:
    heading = f"<h1><span>部署专题</span> <span>{TITLE}</span></h1>"
    assert title_of(heading, f"<title>{TITLE}</title>") == TITLE


def test_headings_of_parts_comments_and_menus_are_not_the_title() -> None:
    others = "<nav><h1>导航</h1></nav><h2>为什么要快</h2><aside><h1>热门文章</h1></aside><h1 class='comment'>评论</h1>"
    assert title_of(f"{others}<h1>{TITLE}</h1>", f"<title>{TITLE}</title>") == TITLE
    assert title_of(others, f"<title>{TITLE}</title>") == TITLE


def test_the_part_of_the_title_that_the_page_shows_is_the_title() -> None:
    head = f"<title>{TITLE} 某区办事处 某市网</title>"
    assert title_of(f'<table><tr><td align="center">{TITLE}</td></tr></table>', head) == TITLE


def test_the_only_heading_is_the_title_of_a_page_that_says_nothing_else() -> None:
    assert title_of(f"<h1>{TITLE}</h1>") == TITLE
    assert title_of("") == ""
