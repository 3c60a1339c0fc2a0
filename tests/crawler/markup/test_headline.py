"""The title of a page, by agreement of its signs."""

from __future__ import annotations

import pytest

from crawler.markup.headline import find_headline
from tests.crawler.markup.pages_of_sites import ADDRESS, PARAGRAPH, page_of

TITLE = "四比特推理在三块开发板上"


def title_of(body: str, head: str = "", address: str = ADDRESS) -> str:
    return find_headline(page_of(body + PARAGRAPH, head, address)).text


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


@pytest.mark.parametrize(
    "heading",
    [
        f"<h1><span>好消息！</span>{TITLE}</h1>",
        f"<h1><span>某区办事处<i>：</i></span>{TITLE}</h1>",
        f"<h1><em>部署专题</em> – <span>{TITLE}</span></h1>",
        f"<h1><time>2026年11月7日</time><span>{TITLE}</span></h1>",
    ],
)
def test_a_kicker_in_an_element_of_its_own_is_no_part_of_the_title(heading: str) -> None:
    assert title_of(heading, f"<title>{TITLE} - 某办公室</title>") == TITLE
    assert title_of(heading, f'<meta property="og:title" content="{TITLE} - 某办公室">') == TITLE


def test_a_kicker_that_no_sign_leaves_out_is_a_part_of_the_title() -> None:
    heading = f"<h1><span>访谈：</span>{TITLE}</h1>"
    assert title_of(heading, f"<title>访谈：{TITLE}</title>") == f"访谈：{TITLE}"


@pytest.mark.parametrize("level", ["h1", "h2"])
def test_the_name_of_the_section_in_a_heading_is_not_the_title(level: str) -> None:
    body = f'<h1 class="page-headline">通知公告</h1><{level}>{TITLE}</{level}>'
    assert title_of(body, f"<title>某区政府 - 通知公告 - {TITLE}</title>") == TITLE


def test_the_heading_of_another_article_yields_to_the_one_that_the_signs_repeat() -> None:
    head = f'<title>{TITLE} - 某站</title><meta property="og:title" content="{TITLE}">'
    assert title_of(f"<h1>为什么冬天的电池更不耐用</h1><h2>{TITLE}</h2>", head) == TITLE


def test_a_heading_that_says_the_words_of_the_address_is_the_title() -> None:
    head = '<title>Winter Offers | Tiny Notes | Read now!</title><meta property="og:site_name" content="Tiny Notes">'
    body = "<h1>Four-bit inference on three boards</h1><div><h1>Love in your inbox: our letter</h1></div>"
    address = "https://notes.example.org/four-bit-inference-22/"
    assert title_of(body, head, address) == "Four-bit inference on three boards"
    assert title_of(body, head) != "Four-bit inference on three boards"


def test_the_page_in_its_own_breadcrumbs_is_a_sign_of_the_title() -> None:
    crumbs = (
        '<script type="application/ld+json">{"@type": "BreadcrumbList", "itemListElement": ['
        '{"name": "首页", "item": "https://news.example.org/"}, {"name": "%s", "item": "%s"}]}</script>'
    )
    body = f"<h1>本站公告</h1><h1>{TITLE}</h1>"
    assert title_of(body, "<title>本月优惠</title>" + crumbs % (TITLE, ADDRESS)) == TITLE
    assert title_of(body, "<title>本月优惠</title>" + crumbs % (TITLE, "https://news.example.org/b")) != TITLE


def test_an_ellipsis_that_the_author_writes_is_no_cut() -> None:
    body = "<h1>一月一月又一月……</h1>"
    assert title_of(body, "<title>一月一月又一月……_生活频道_某网</title>") == "一月一月又一月……"


def test_the_only_heading_is_the_title_where_the_signs_name_nothing_but_the_site() -> None:
    address = "https://tiny-notes.example/a"
    assert title_of("<h1>欢迎来到这里</h1>", "<title>Tiny Notes</title>", address) == "欢迎来到这里"


def test_a_whole_title_that_a_blog_states_as_its_own_name_is_still_the_title() -> None:
    whole = f"{TITLE} - 一个人的端侧笔记"
    head = f'<title>{whole}</title><meta property="og:title" content="{whole}">'
    head += f'<meta property="og:site_name" content="{whole}">'
    assert title_of(f"<h1>一个人的端侧笔记</h1><h3>{TITLE}</h3>", head) == TITLE


def test_the_last_part_of_the_title_is_no_site_where_it_is_the_longest() -> None:
    assert title_of(f"<h2>{TITLE}</h2><h2>导读</h2>", f"<title>通知 » {TITLE}</title>") == TITLE


def test_a_hyphen_before_and_joins_words() -> None:
    title = "Model- and data-parallel inference on three boards"
    assert title_of(f"<h1><span>Notes</span> {title}</h1>", f"<title>{title} - Tiny Notes</title>") == title


def test_the_part_of_the_title_that_the_description_repeats_is_the_title() -> None:
    head = f'<title>某某协会 - {TITLE} - 新闻 - 动态</title><meta name="description" content="{TITLE}">'
    assert title_of("", head) == TITLE


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
