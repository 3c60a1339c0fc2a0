"""The date of a page, and the place on the page where it stands."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.markup.headline import find_headline
from crawler.markup.page_date import WrittenDate, find_date
from tests.crawler.markup.pages_of_sites import ADDRESS, FETCHED_AT, PARAGRAPH, page_of

TITLE = "<title>四比特推理</title>"
H1 = "<h1>四比特推理</h1>"
COLOPHON = (
    "Dieser Beitrag wurde am 16. Oktober 2026 um 09:20 Uhr gepostet und liegt unter Küche, Werkstatt, Funk, Licht, "
    "Wasser, Boote, Segel, Kessel, Kannen, Teller und Tassen. Kommentare gehen an die Redaktion, Antworten kommen bald."
)


def find(body: str, head: str = TITLE, address: str = ADDRESS) -> WrittenDate | None:
    page = page_of(body, head, address)
    return find_date(page, find_headline(page).element, FETCHED_AT)


def day(body: str, head: str = TITLE, address: str = ADDRESS) -> tuple[str, str] | None:
    written = find(body, head, address)
    return (written.day.isoformat(), written.source) if written else None


@pytest.mark.parametrize(
    "byline",
    [
        "<p>2026-10-16 09:20</p>",
        "<p>2026年10月16日 来源：某社 作者：陶瓦</p>",
        "<div class='source'>来源：某社　2026/10/16 09:20</div>",
        "<div class='sub'><span>陶瓦</span><span>2026-10-16 09:20:30</span></div>",
        "<div class='about'><p>陶瓦</p><p>2026.10.16 09:20 来源：某报</p></div>",
        "<div>发布时间：26-10-16 09:20</div>",
        "<p>Oct 16, 2026</p>",
        "<p>Von Tao Wa · 16. Oktober 2026, 09:20</p>",
        "<p>16.10.2026</p>",
        "<p>Posted on October 16th, 2026 by tao</p>",
        "<p>16 de octubre de 2026</p>",
        "<time datetime='2026-10-16T09:20:00+08:00'>昨天</time>",
    ],
)
@pytest.mark.parametrize("heading", [H1, "<h2>四比特推理</h2>", f"<div><aside>{H1}</aside></div>"])
def test_a_byline_by_the_title_dates_the_page(byline: str, heading: str) -> None:
    assert day(heading + byline + PARAGRAPH) == ("2026-10-16", "byline")


def test_a_byline_may_stand_before_the_title() -> None:
    assert day(f"<div>2026-10-16 09:20</div>{H1}{PARAGRAPH}") == ("2026-10-16", "byline")


@pytest.mark.parametrize(
    "name",
    [
        "article:published_time", "og:time ", "apub:time", "PubDate", "publishdate", "weibo: article:create_at",
        "firstpublishedtime", "citation_online_date", "_pubtime", "DC.date.issued",
    ],
)  # fmt: skip
def test_the_metas_of_many_systems_date_the_page(name: str) -> None:
    head = f'{TITLE}<meta name="{name}" content="2026-10-16 09:20:00">'
    assert day(H1 + PARAGRAPH, head) == ("2026-10-16", "meta")


@pytest.mark.parametrize(
    "script",
    [
        "var pubtime = '2026-10-16 09:20:30';",
        'window.state = {"title": "x", "publishTime":"2026-10-16T09:20:30"};',
        "BASE.info = { source: '某号', time: '2026-10-16 09:20:30' }",
        "var publishdate='2026-10-16';",
        'var all = {"newsTime":"2026-10-16 09:20:30"}',
    ],
)
def test_a_script_that_names_the_time_of_publication_dates_the_page(script: str) -> None:
    assert day(f"{H1}<script>{script}</script>{PARAGRAPH}") == ("2026-10-16", "script")


@pytest.mark.parametrize(
    "path",
    ["/2026/10/16/a.html", "/c/2026-10/16/c_1.htm", "/20261016/1.html", "/n/t20261016_88.html", "/2026/1016/c1.html"],
)
def test_the_address_dates_the_page(path: str) -> None:
    assert day(H1 + PARAGRAPH, address=f"https://news.example.org{path}") == ("2026-10-16", "address")


def test_the_address_of_a_snapshot_is_not_dated_by_the_snapshot() -> None:
    address = "https://archive.example/web/20260218101010/http://blog.example/2019/10/16/a"
    assert day(H1 + PARAGRAPH, address=address) == ("2019-10-16", "address")


def test_a_label_dates_the_page_from_below_its_text() -> None:
    assert day(f"{H1}{PARAGRAPH}<center>发布日期：2026-10-16　责任编辑：陶瓦</center>") == ("2026-10-16", "label")


@pytest.mark.parametrize(
    "element",
    [
        "<li class='content__meta__date'>16.10.2026</li>",
        "<p class='fecha-articulo'>viernes 16 octubre 2026</p>",
        "<div class='footerRow'><span class='documentPublished'><i>veröffentlicht</i> 16.10.2026 09:20</span></div>",
        "<div class='footer'><span class='news-list-date'><time datetime='2026-10-16'>gestern</time></span></div>",
        f"<div class='builder-widget'><p class='postmetadata'>{COLOPHON}</p></div>",
        "<span class='head_info_datestamp' data-date-time='2026-10-16 09:20:00'>어제</span>",
    ],
)
def test_an_element_that_is_named_for_the_date_dates_the_page(element: str) -> None:
    body = f"<div><article>{H1}{PARAGRAPH * 3}{element}</article></div>"
    assert day(body) == ("2026-10-16", "label")


def test_of_elements_that_are_named_for_a_date_the_one_nearest_to_the_title_counts() -> None:
    teasers = "".join(f"<div class='card'><p class='date'>0{number}.11.2026</p></div>" for number in (1, 2))
    own = "<p class='date'>16.10.2026</p>"
    assert day(f"<div><div>{H1}{PARAGRAPH * 3}{own}</div>{teasers}</div>") == ("2026-10-16", "label")
    assert day(f"<div><div>{H1}{PARAGRAPH * 3}</div>{teasers}</div>") is None, "they contradict one another"


def test_the_date_of_a_card_that_shows_another_article_is_not_the_page_s() -> None:
    card = "<div><h3><a href='/b'>别的文章</a></h3><p class='date'>16.10.2026</p></div>"
    assert day(f"<div>{H1}{PARAGRAPH * 3}{card}</div>") is None


@pytest.mark.parametrize(
    "lead",
    ["(16.10.2026) ", "16.10.2026 – ", "Kettlestadt, (16.10.2026). ", "某市，2026年10月16日——", "【2026年10月16日】"],
)
def test_a_dateline_at_the_beginning_of_the_text_dates_the_page(lead: str) -> None:
    assert day(H1 + PARAGRAPH.replace("<p>", f"<p>{lead}")) == ("2026-10-16", "byline")
    assert day(H1 + PARAGRAPH.replace("<p>", f"<p>他在这块板子上，{lead}")) is None


@pytest.mark.parametrize(
    ("written", "language", "expected"),
    [
        ("17/03/2026", "fr", "2026-03-17"),
        ("03/17/2026", "en-US", "2026-03-17"),
        ("07/03/2026", "es", "2026-03-07"),
        ("07/03/2026", "en-GB", "2026-03-07"),
        ("07/03/2026", "en-US", "2026-07-03"),
        ("07/03/2026", "en", None),
        ("07/03/2026", "zh-CN", None),
        ("26 | 01 | 2026", "de", "2026-01-26"),
        ("15 августа 2026, 13:43", "ru", "2026-08-15"),
        ("20 września 2026", "pl", "2026-09-20"),
        ("2 sept. 2026", "fr", "2026-09-02"),
        ("3.Dezember 2025", "de", "2025-12-03"),
        ("2026.10.16. 오후 8:07", "ko", "2026-10-16"),
    ],
)
def test_the_language_of_the_page_says_in_which_order_a_date_stands(
    written: str, language: str, expected: str | None
) -> None:
    page = page_of(f"{H1}<p>{written}</p>{PARAGRAPH}", TITLE)
    page.document.set("lang", language)
    found = find_date(page, find_headline(page).element, FETCHED_AT)
    assert (found.day.isoformat() if found else None) == expected


def test_the_month_of_the_address_decides_between_dates_of_the_text() -> None:
    body = f"<h4>Freitag, 16. Oktober 2026</h4>{H1}<p>Datum: 14.08.2026</p>{PARAGRAPH}"
    assert day(body, address="https://blog.example/2026/10/a.html") == ("2026-10-16", "byline")
    assert day(body, address="https://blog.example/a.html") == ("2026-08-14", "byline")


def test_a_meta_that_may_mean_any_date_yields_to_the_byline() -> None:
    head = f'{TITLE}<meta name="date" content="2026-11-02">'
    assert day(f"{H1}<p>2026-10-16</p>{PARAGRAPH}", head) == ("2026-10-16", "byline")
    assert day(H1 + PARAGRAPH, head) == ("2026-11-02", "meta")


@pytest.mark.parametrize("name", ["sw-pubdate", "ArticlePublishTime", "created", "date_of_publication"])
def test_a_meta_whose_name_says_publication_dates_the_page(name: str) -> None:
    assert day(H1 + PARAGRAPH, f'{TITLE}<meta name="{name}" content="2026-10-16">') == ("2026-10-16", "meta")
    assert day(H1 + PARAGRAPH, f'{TITLE}<meta name="unpublishdate" content="2026-10-16">') is None


def test_the_day_of_the_print_edition_yields_to_the_time_that_the_page_shows() -> None:
    body = f"<article>{H1}<time>29.04.2026, 12:01 Uhr</time>{PARAGRAPH}</article>"
    for stated, expected in (("2026-04-30", "2026-04-29"), ("2026-04-30T01:01:00+09:00", "2026-04-30")):
        head = f'{TITLE}<meta property="article:published_time" content="{stated}">'
        dated = day(body, head)
        assert dated is not None
        assert dated[0] == expected


def test_the_page_or_recipe_of_the_json_ld_is_dated_where_it_has_no_article() -> None:
    described = '<script type="application/ld+json">{"@type": "%s", "datePublished": "2026-10-16"}</script>'
    assert day(H1 + PARAGRAPH, TITLE + described % "WebPage") == ("2026-10-16", "json-ld")
    assert day(H1 + PARAGRAPH, TITLE + described % "Recipe") == ("2026-10-16", "json-ld")
    assert day(H1 + PARAGRAPH, TITLE + described % "Offer") is None


def test_a_date_that_only_the_address_of_a_picture_has_is_none() -> None:
    head = f'{TITLE}<meta property="og:image" content="https://news.example.org/2026/09/01/logo.png">'
    assert day(f'{H1}<img src="/upload/2026/09/01/logo.png">{PARAGRAPH}', head) is None


def test_a_time_outside_the_article_does_not_date_the_page() -> None:
    beside = [
        "<ul class='related'><li><time datetime='2026-11-01'>x</time> 别的文章</li></ul>",
        "<div id='comments'><time datetime='2026-11-02'>x</time> 沙发</div>",
        "<aside><p>2026-11-03</p></aside>",
        "<footer><p>发布时间：2026-11-04</p></footer>",
        "<article><h2>别的文章</h2><time datetime='2026-11-05'>x</time></article>",
    ]
    for other in beside:
        body = f"<article>{H1}{PARAGRAPH}</article>{other}"
        assert day(body) is None, other
        assert day(f"<article>{H1}<p>2026-10-16</p>{PARAGRAPH}</article>{other}") == ("2026-10-16", "byline"), other


@pytest.mark.parametrize(
    "sentence",
    [
        "<p>（2018年3月20日第十三届大会第一次会议通过）</p>",
        "<p>2018年3月20日，他第一次见到这块板子。</p>",
        "<p>最后更新：2026-11-01</p><p>2026-10-16 09:20</p>",
    ],
)
def test_a_date_in_a_sentence_or_of_a_change_is_not_the_byline(sentence: str) -> None:
    assert day(H1 + sentence + PARAGRAPH) in (None, ("2026-10-16", "byline"))


@pytest.mark.parametrize(
    "written", ["10月16日 09:20", "10-16", "昨天", "1970-01-01", "2026-12-24", "2026-13-16", "版本 2026.10.16.3"]
)
def test_no_date_is_better_than_a_wrong_one(written: str) -> None:
    assert day(f"{H1}<p>{written}</p>{PARAGRAPH}") is None


def test_a_source_that_two_others_contradict_with_one_voice_yields_to_them() -> None:
    head = f'{TITLE}<meta name="pubdate" content="2020-02-02">'
    body = f"{H1}<p>2026-10-16</p>{PARAGRAPH}"
    assert day(body, head, "https://news.example.org/2026/10/16/a") == ("2026-10-16", "byline")
    assert day(body, head) == ("2020-02-02", "meta")


def test_a_date_of_metadata_keeps_its_zone() -> None:
    for written in ("2026-10-16T23:30:00-04:00", "Fri, 16 Oct 2026 23:30:00 -0400"):
        found = find(H1 + PARAGRAPH, f'{TITLE}<meta property="article:published_time" content="{written}">')
        assert found is not None
        assert found.written == written


@given(
    st.dates(date(1995, 1, 1), date(2026, 11, 19)),
    st.sampled_from(
        ["%Y-%m-%d", "%Y年%m月%d日", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y", "%Y-%m-%d %H:%M"]
    ),
)
def test_each_form_reads_the_day_that_it_writes(written_day: date, form: str) -> None:
    found = find(f"{H1}<p>{written_day.strftime(form)}</p>{PARAGRAPH}")
    assert found is not None
    assert found.day == written_day


def test_a_day_after_the_fetch_is_none() -> None:
    late = (FETCHED_AT + timedelta(days=4)).date()
    assert day(f"{H1}<p>{late}</p>{PARAGRAPH}") is None


@pytest.mark.parametrize(
    "other",
    [
        "<span>注册时间：2019-03-02</span>",
        "<dd>Registriert: 02.03.2019, 05:56</dd>",
        "<dd>Joined: 2 March 2019</dd>",
        "<span>[引用日期 2019-03-02]</span>",
        "<span>报名截止日期：2019-03-02</span>",
    ],
)
def test_the_date_of_an_account_a_reference_or_an_occasion_is_not_the_pages(other: str) -> None:
    assert day(f"{H1}{other}<p>16.10.2026, 09:20</p>{PARAGRAPH}") == ("2026-10-16", "byline")
    assert day(f"{H1}{other}{PARAGRAPH}") is None


@pytest.mark.parametrize("span", ["14. - 20. Oktober 2026", "14–20 October 2026", "14.-20.10.2026"])
def test_the_end_of_a_span_of_days_is_not_the_pages_date(span: str) -> None:
    assert day(f"{H1}<p>{span}</p>{PARAGRAPH}") is None


def test_a_card_of_another_article_by_the_title_does_not_date_the_page() -> None:
    card = "<article><h3>Kessel</h3><footer class='teaser__footer'>2019-03-02</footer></article>"
    assert day(f"<div>{H1}{card}</div>{PARAGRAPH}") is None


def test_a_page_whose_json_ld_and_address_agree_is_dated_though_its_text_is_not_read() -> None:
    head = f'{TITLE}<script type="application/ld+json">{{"@type":"NewsArticle","datePublished":"2026-10-16"}}</script>'
    elsewhere = "<p>发布时间：2019-03-02</p><time datetime='2019-03-02'>2019-03-02</time>"
    assert day(f"{H1}{elsewhere}{PARAGRAPH}", head, "https://news.example.org/2026/10/16/a.html") == (
        "2026-10-16",
        "json-ld",
    )
