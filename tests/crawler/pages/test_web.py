"""Pages of any site, and the HTML helpers: what the recordings do not say already."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import Blocked, CrawlError, Gone, PageChanged
from crawler.items import RawItem, Reply
from crawler.markup.html import inner_html, metas, parse, plain_text
from crawler.pages import web

NOW = datetime(2026, 11, 2, tzinfo=UTC)
URL = "https://blog.example.org/2026/10/int8"
TEXT = (
    "<p>把 float32 的权重换成 int8，手机上的时间从 80 毫秒降到 31 毫秒；下面说怎么做，以及哪里会错。</p>"
    "<p>校准集不必大：两百张图就够了，再多也只改变小数点后第三位。要紧的是它和真实输入像不像。</p>"
)


def read(head: str = "", body: str = f"<h1>int8 实战</h1>{TEXT}", url: str = URL, status: int = 200) -> RawItem:
    page = f"<!DOCTYPE html><html><head><title>int8 实战 - 端侧小站</title>{head}</head><body>{body}</body></html>"
    (item,) = web.web(Reply(url, status, {"content-type": "text/html; charset=utf-8"}, page.encode(), NOW)).items
    return item


def described(*nodes: Any) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(node)}</script>' for node in nodes)


def test_the_heading_that_the_title_repeats_is_the_title() -> None:
    assert read().title == "int8 实战"
    assert read(body=f"<h1>端侧部署论坛</h1>{TEXT}").title == "int8 实战 - 端侧小站"


@pytest.mark.parametrize("kind", ["Article", "https://schema.org/NewsArticle", ["WebPage", "BlogPosting"]])
def test_an_article_is_found_wherever_json_ld_puts_it(kind: Any) -> None:
    article = {"@type": kind, "datePublished": "2026-10-20"}
    for island in (article, [article], {"@graph": [{"@type": "WebSite"}, article]}, {"mainEntity": article}):
        assert read(described(island)).published == "2026-10-20"


def test_what_json_ld_describes_besides_the_article_is_not_its() -> None:
    others = [{"@type": "Organization", "name": "x"}, {"@type": "JobPosting", "datePublished": "2001-01-01"}]
    assert read(described(*others)).published is None


@pytest.mark.parametrize(
    "broken", ["{", "[" * 100_000, '{"@type": "Article", "datePublished": "2026-10-20"', "null", "3"]
)
def test_broken_json_ld_is_passed_over(broken: str) -> None:
    head = f'<script type="application/ld+json">{broken}</script>'
    assert read(head + described({"@type": "Article", "author": "陶瓦"})).author == "陶瓦"


def test_a_date_is_taken_from_what_is_surest() -> None:
    meta = '<meta property="article:published_time" content="2026-10-19">'
    stamp = '<time datetime="2026-10-18">昨天</time>'
    byline = '<p class="info">2026年10月17日 09:30　来源：本站</p>'
    said = described({"@type": "Article", "datePublished": "2026-10-20"})
    body = f"<article><h1>int8 实战</h1>{byline}{stamp}{TEXT}</article>"
    assert read(said + meta, body).published == "2026-10-20"
    assert read(meta, body).published == "2026-10-19"
    assert read("", body).published == "2026-10-18"
    assert read("", body.replace(stamp, "")).published == "2026年10月17日 09:30"
    assert read("", body.replace(stamp + TEXT, TEXT).replace(byline, "")).published is None


@pytest.mark.parametrize(
    ("canonical", "expected"),
    [
        ("/2026/10/int8/", "https://blog.example.org/2026/10/int8/"),
        ("https://www.example.org/int8", "https://www.example.org/int8"),
        ("//example.org/int8", "https://example.org/int8"),
        ("https://blog.example.org/", URL),
        ("https://elsewhere.example/int8", URL),
        ("javascript:alert(1)", URL),
        ("http://[::1", URL),
        ("", URL),
    ],
)
def test_a_canonical_address_counts_on_its_own_site_only(canonical: str, expected: str) -> None:
    assert read(f'<link rel="canonical" href="{canonical}">').url == expected


def test_a_canonical_address_elsewhere_is_what_the_page_copies() -> None:
    (link,) = read('<link rel="canonical" href="https://elsewhere.example/int8">').links
    assert (link.relation, link.url) == ("reprint-of", "https://elsewhere.example/int8")
    assert read('<link rel="canonical" href="https://elsewhere.example/">').links == ()


def test_lines_that_are_only_links_stay_in_the_text() -> None:
    links = "".join(f'<p>代码：<a href="https://github.com/lab/{n}">https://github.com/lab/{n}</a></p>' for n in "abc")
    menu = '<ul><li><a href="/1">首页</a></li><li><a href="/2">关于</a></li></ul>'
    html = (
        read(body=f"{menu}<article><h1>int8 实战</h1>{TEXT}{links}{TEXT}</article><footer>版权所有</footer>").html or ""
    )
    assert html.count("github.com/lab/") == 6
    assert "版权所有" not in html
    assert "首页" not in html


def test_scripts_and_styles_are_no_part_of_the_text() -> None:
    html = read(body=f"<article><h1>int8 实战</h1>{TEXT}<script>x()</script><style>p{{}}</style>{TEXT}</article>").html
    assert "x()" not in str(html)
    assert "p{}" not in str(html)


@pytest.mark.parametrize(
    ("title", "error"),
    [
        ("Just a moment...", Blocked),
        ("Attention Required! | Cloudflare", Blocked),
        ("Access Denied", Blocked),
        ("百度安全验证", Blocked),
        ("请稍候…", Blocked),
        ("404 Not Found", Gone),
        ("Page not found - My Blog", Gone),
        ("Error 404 (Not Found)!!1", Gone),
        ("抱歉，您访问的页面不存在 | 端侧小站", Gone),
        ("文章已被删除", Gone),
    ],
)
def test_a_page_that_says_little_is_what_its_title_calls_it(title: str, error: type[CrawlError]) -> None:
    body = "<p>The reference of this answer is 18.2f5c1db8.1792459800.7d0a, please quote it.</p>"
    page = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    with pytest.raises(error):
        web.web(Reply(URL, 200, {}, page.encode(), NOW))


@pytest.mark.parametrize("title", ["验证码识别小记", "Robot arms and verification", "404 的由来", "Access Denied 之后"])
def test_an_article_is_not_refused_for_its_subject(title: str) -> None:
    page = f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{TEXT}</article></body></html>"
    assert web.web(Reply(URL, 200, {}, page.encode(), NOW)).items[0].title == title


@pytest.mark.parametrize(("status", "error"), [(404, Gone), (410, Gone), (403, Blocked), (401, Blocked)])
def test_a_status_that_refuses_is_believed(status: int, error: type[CrawlError]) -> None:
    with pytest.raises(error):
        read(body="<p>Sorry.</p>", status=status)


ARTICLE = f"<html><head><title>标题</title></head><body><article><h1>标题</h1>{TEXT * 9}%s</article></body></html>"
HOSTILE = {
    "one row of 60,000 cells": ARTICLE % ("<table><tr>" + "<td>x</td>" * 60_000 + "</tr></table>"),
    "20,000 list items": ARTICLE % (("<ul>" + "<li>一些文字</li>" * 1_900 + "</ul>") * 10),
    "50,000 nested tags": ARTICLE % ("<div>" * 50_000),
    "19,000 paragraphs, deep": ARTICLE % ("<div>" * 200 + "<p>一些文字，不多也不少。</p>" * 19_000),
    "nested tables": ARTICLE % ("<table><tr><td>" * 80 + TEXT * 900),
    "2 MB in one word": ARTICLE % ("<p>" + "x" * 2_000_000),
    "entities": "<!DOCTYPE x [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]>" + ARTICLE % "&b;" * 9,
}


@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_is_read(page: str) -> None:
    item = web.web(Reply(URL, 200, {}, page.encode(), NOW)).items[0]
    assert "两百张图" in (item.html or "")


@pytest.mark.parametrize("page", ["x" * 8_000_001, "<p " + " ".join(f"a{n}" for n in range(200_000)) + ">"])
def test_what_no_person_reads_is_not_parsed(page: str) -> None:
    with pytest.raises(PageChanged):
        parse(page)


@given(st.text(alphabet="<>/ab&;'\"= \n标题!-", max_size=200))
@settings(max_examples=150)
def test_any_markup_is_read_or_refused(markup: str) -> None:
    try:
        item = read(body=markup)
    except CrawlError:
        return
    assert item.title


@given(st.lists(st.text(alphabet="ab 标题", min_size=1).filter(str.strip), min_size=1, max_size=6))
@settings(max_examples=50)
def test_plain_text_has_a_line_for_each_paragraph(paragraphs: list[str]) -> None:
    html = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    assert plain_text(parse(f"<div>{html}</div>")).split("\n") == [" ".join(text.split()) for text in paragraphs]


def test_inner_html_is_the_content_alone() -> None:
    (node,) = parse('<section id="x">a &lt; b <b>c</b>d</section>e').xpath("//section")
    assert inner_html(node) == "a &lt; b <b>c</b>d"


def test_a_document_is_parsed_whatever_encoding_it_declares() -> None:
    page = '<?xml version="1.0" encoding="gbk"?><html><meta charset="big5"><meta name="a" content="模型"></html>'
    assert metas(parse(page)) == {"a": "模型"}
