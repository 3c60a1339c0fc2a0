"""What is asked for, where it stops, and what is left when something fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from places import RECORDINGS
from scrapy.http import Request, Response
from servers import Crawled, Seen, Site, crawl, http, newsroom, serving, source

from crawler.errors import Detail
from crawler.items import Ask, Batch, Page, Problem, RawItem, Reply, SourceState
from crawler.sources.schema import Source
from crawler.spiders.arxiv import OVERLAP, ArxivSpider
from crawler.spiders.base import SourceSpider
from crawler.spiders.feed import FeedSpider
from crawler.spiders.github import GithubSpider
from crawler.spiders.reading import (
    MOST_ITEMS,
    PAGES_AT_ONCE,
    REMEMBERED,
    TRIES,
    ArticlePages,
    Reading,
    conditional_headers,
    keep_newest,
)
from crawler.spiders.route import ask_for, kind_for, on_mirror, page_for
from crawler.spiders.web import WebSpider
from crawler.spiders.wechat import WechatSpider
from crawler.spiders.zhihu import ZhihuSpider

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def row(kind: str = "feed", **fields: Any) -> Source:
    return Source.model_validate({"id": "a", "kind": kind, "name": "A", **fields})


def item(number: int) -> RawItem:
    return RawItem("feed", f"https://a.example/{number}", f"title {number}", NOW)


def reply(url: str = "https://a.example/feed", body: bytes = b"", **headers: str) -> Reply:
    return Reply(url, 200, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def first(spider: type[SourceSpider], state: SourceState | None = None, **fields: Any) -> list[Ask]:
    reading = Reading(row(str(spider.kind), **fields), state or SourceState())
    return list(spider(now=NOW).first_asks(reading))


# ---- where a kind starts


def test_a_column_and_an_author_are_asked_of_zhihus_api_and_a_feed_of_its_own_address() -> None:
    assert first(ZhihuSpider, column="c_1")[0].url == "https://www.zhihu.com/api/v4/columns/c_1/items?limit=20&offset=0"
    (author,) = first(ZhihuSpider, author="some-body")
    assert urlsplit(author.url).path == "/api/v4/members/some-body/articles"
    assert author.page == "zhihu.items"
    assert first(ZhihuSpider, url="https://rsshub.example/zhihu/zhuanlan/x")[0].page == "feed"


def test_github_is_asked_one_list_for_each_repository() -> None:
    urls = [ask.url for ask in first(GithubSpider, mode="releases", repos=("a/b", "c/d"))]
    assert urls == [f"https://api.github.com/repos/{name}/releases?per_page=30" for name in ("a/b", "c/d")]


def test_a_search_carries_its_words_unharmed() -> None:
    (ask,) = first(GithubSpider, mode="search", query="tinyml stars:>50 c++", base_url="http://127.0.0.1:1/api/")
    assert ask.url.startswith("http://127.0.0.1:1/api/search/repositories?")
    assert parse_qs(urlsplit(ask.url).query)["q"] == ["tinyml stars:>50 c++"]


def test_trending_is_a_page_of_the_site_or_the_address_given() -> None:
    assert first(GithubSpider, mode="trending", query="c++")[0].url == "https://github.com/trending/c%2B%2B"
    assert first(GithubSpider, mode="trending", url="http://127.0.0.1:1/t?since=weekly")[0].url.endswith("since=weekly")


def arxiv_window(url: str) -> tuple[datetime, datetime]:
    query = parse_qs(urlsplit(url).query)["search_query"][0]
    start, end = query.partition("submittedDate:[")[2].rstrip("]").split(" TO ")
    return tuple(datetime.strptime(one, "%Y%m%d%H%M").replace(tzinfo=UTC) for one in (start, end))  # type: ignore[return-value]


def test_arxiv_is_asked_back_to_the_last_run_and_a_week_further() -> None:
    state = SourceState(cursor={"until": "2026-10-30T08:00+00:00"})
    (ask,) = first(ArxivSpider, state, query="cat:cs.LG OR all:quantization")
    start, end = arxiv_window(ask.url)
    assert start == datetime(2026, 10, 30, 8, 0, tzinfo=UTC) - OVERLAP
    assert end > NOW
    query = parse_qs(urlsplit(ask.url).query)
    assert query["search_query"][0].startswith("(cat:cs.LG OR all:quantization) AND ")
    assert (query["sortBy"], query["sortOrder"]) == (["submittedDate"], ["descending"])


def test_arxivs_first_run_reads_a_month_and_a_query_with_dates_keeps_them() -> None:
    start, _ = arxiv_window(first(ArxivSpider, query="cat:cs.LG")[0].url)
    assert NOW - start == timedelta(days=30)
    dated = "cat:cs.LG AND submittedDate:[202001010000 TO 202002010000]"
    assert parse_qs(urlsplit(first(ArxivSpider, query=dated)[0].url).query)["search_query"] == [dated]


def test_an_arxiv_address_is_read_by_what_it_is() -> None:
    assert first(ArxivSpider, url="https://rss.arxiv.org/rss/cs.LG")[0].page == "arxiv.rss"
    assert first(ArxivSpider, url="https://export.arxiv.org/api/query?id_list=1")[0].page == "arxiv.api"


def test_feeds_and_pages_are_asked_for_as_they_are() -> None:
    assert first(FeedSpider, url="https://a.example/feed") == [Ask("https://a.example/feed", "feed")]
    assert first(WechatSpider, url="https://m.example/1.json") == [Ask("https://m.example/1.json", "wechat.feed")]
    assert first(WebSpider, url="https://a.example/page")[0].page == "web"


@pytest.mark.parametrize(
    ("address", "page", "asked"),
    [
        ("https://zhuanlan.zhihu.com/tiny-kettles", "zhihu.items", "/columns/tiny-kettles/items?limit=20&offset=0"),
        ("https://www.zhihu.com/column/c_1", "zhihu.items", "/columns/c_1/items?limit=20&offset=0"),
        ("https://www.zhihu.com/people/a-b/posts", "zhihu.items", None),
        ("https://github.com/a/b", "github.releases", "/repos/a/b/releases?per_page=30"),
        ("https://github.com/a/b/releases", "github.releases", "/repos/a/b/releases?per_page=30"),
        ("https://github.com/a/b/releases.atom", "feed", "/a/b/releases.atom"),
        ("https://rss.arxiv.org/rss/cs.LG", "arxiv.rss", "/rss/cs.LG"),
        ("https://hnrss.org/newest?q=kettle", "feed", "/newest?q=kettle"),
        ("https://zhuanlan.zhihu.com/p/1", "feed", "/p/1"),
        ("https://blog.example/feed", "feed", "/feed"),
    ],
)
def test_a_list_of_a_known_site_is_asked_for_as_the_site_wants_it_though_its_row_is_a_feed(
    address: str, page: str, asked: str | None
) -> None:
    (ask,) = first(FeedSpider, url=address)
    assert ask.page == page
    assert asked is None or ask.url.endswith(asked)


# ---- which page function


@pytest.mark.parametrize(
    ("url", "page", "asked"),
    [
        ("https://mp.weixin.qq.com/s/abc_-1?scene=1", "wechat.article", None),
        ("http://mp.weixin.qq.com/s?__biz=Mz&mid=1&idx=1&sn=2", "wechat.article", None),
        ("https://zhuanlan.zhihu.com/p/123", "zhihu.page", None),
        ("https://www.zhihu.com/question/1/answer/2", "zhihu.page", None),
        ("https://arxiv.org/abs/2103.15348v2", "arxiv.api", "?id_list=2103.15348"),
        ("https://www.arxiv.org/pdf/2103.15348.pdf", "arxiv.api", "?id_list=2103.15348"),
        ("https://arxiv.org/html/2103.15348v1#S1", "arxiv.api", "?id_list=2103.15348"),
        ("https://arxiv.org/abs/math.GT/0309136", "arxiv.api", "?id_list=math.GT/0309136"),
        ("https://GitHub.com/Tencent/ncnn", "github.repository", "/repos/Tencent/ncnn"),
        ("https://github.com/Tencent/ncnn.git", "github.repository", "/repos/Tencent/ncnn"),
        ("https://github.com/Tencent/ncnn/tree/master/src?x=1#readme", "github.repository", "/repos/Tencent/ncnn"),
        ("https://github.com/a/b/releases/tag/v1.0", "github.releases", "/repos/a/b/releases/tags/v1.0"),
        ("https://github.com/a/b/releases.atom", "feed", None),
        ("https://github.com/trending/c++?since=daily", "github.trending", None),
        ("https://github.com/topics/tinyml", "web", None),
        ("https://www.zhihu.com/column/c_1", "zhihu.items", "/columns/c_1/items?limit=20&offset=0"),
        ("https://news.ycombinator.com/item?id=45912345", "hn.search", "/search?tags=story,story_45912345"),
        ("https://github.com/a/b/issues/1", "web", None),
        ("https://github.com.evil.example/a/b", "web", None),
        ("https://blog.example/arxiv.org/abs/2103.15348", "web", None),
        ("https://arxiv.org/list/cs.LG/recent", "web", None),
    ],
)
def test_an_address_is_read_by_the_page_function_of_its_site(url: str, page: str, asked: str | None) -> None:
    ask = ask_for(url)
    assert (ask.page, ask.expects) == (page, url)
    assert ask.url.endswith(asked) if asked else ask.url == url
    assert kind_for(url) == page.partition(".")[0]


def articles() -> Iterator[Any]:
    """Recorded pages that somebody might save: those of articles, which are read."""
    for folder in sorted(path.parent for path in RECORDINGS.glob("*/*/expected.json")):
        about = json.loads((folder / "response.json").read_text(encoding="utf-8"))
        items = json.loads((folder / "expected.json").read_text(encoding="utf-8")).get("items")
        if about["page"] in ("wechat.article", "zhihu.page") and items:
            yield pytest.param(about["url"], (folder / "response.body").read_bytes(), about["page"], id=folder.name)


@pytest.mark.parametrize(("url", "body", "page"), list(articles()))
def test_a_saved_page_is_read_by_the_page_function_of_its_site(url: str, body: bytes, page: str) -> None:
    assert page_for(reply(url, body)) == page


def test_a_document_without_a_known_address_is_read_by_its_beginning() -> None:
    article = (RECORDINGS / "wechat" / "article" / "response.body").read_bytes()
    answer = (RECORDINGS / "zhihu" / "article-page" / "response.body").read_bytes()
    here = "http://127.0.0.1:8000/x"
    assert page_for(reply(here, article)) == "wechat.article"
    assert page_for(reply(here, answer)) == "zhihu.page"
    assert page_for(reply(here, b'<?xml version="1.0"?>\n<rss version="2.0">')) == "feed"
    assert page_for(reply(here, b'{"version": "https://jsonfeed.org/version/1.1"}')) == "feed"
    assert page_for(reply(here, '<p>微信公众平台的 &lt;div id="js_content"> 怎么抓</p>'.encode())) == "web"


def test_a_mirror_gets_path_and_query() -> None:
    assert on_mirror("https://mp.weixin.qq.com/s?__biz=A==&mid=1#x", "https://m.example/w/{path}") == (
        "https://m.example/w/s?__biz=A==&mid=1"
    )


# ---- one source's run, without a network


def reading(cursor: dict[str, Any] | None = None, **fields: Any) -> Reading:
    state = SourceState("old-etag", None, cursor or {})
    one = Reading(row(url="https://a.example/feed", **fields), state)
    one.start([Ask("https://a.example/feed", "feed")])
    return one


def page(*numbers: int, following: str = "https://a.example/feed?2") -> Page:
    return Page(tuple(map(item, numbers)), (Ask(following, "feed"),))


ASK = Ask("https://a.example/feed", "feed")


def seen_after(*numbers: int) -> dict[str, Any]:
    one = reading()
    one.read(ASK, reply(), replace(page(*numbers), asks=()), 1)
    state = one.batch().state
    assert state is not None
    return dict(state.cursor)


def test_a_list_is_followed_while_its_last_item_is_new() -> None:
    assert reading(seen_after(1, 2)).read(ASK, reply(), page(4, 3), 1)
    assert not reading(seen_after(1, 2)).read(ASK, reply(), page(4, 3, 2), 1)
    assert reading(seen_after(1, 2)).read(ASK, reply(), page(2, 5, 4, 3), 1)  # one that is pinned to the top


def test_a_list_is_followed_for_max_pages_and_no_further() -> None:
    one = reading(max_pages=2)
    (ask,) = one.read(ASK, reply(), page(9, 8), 1)
    assert one.read(ask, reply(ask.url), page(7, 6), 2) == ()
    assert one.batch().finished


def test_news_beyond_max_pages_is_a_warning_but_not_on_a_first_run() -> None:
    for cursor, warnings in (({}, 0), (seen_after(1), 1)):
        one = reading(cursor, max_pages=1)
        one.read(ASK, reply(), page(9, 8), 1)
        batch = one.batch()
        assert len(batch.problems) == warnings
        assert batch.state is not None


def test_a_next_slice_on_another_host_is_not_followed() -> None:
    one = reading()
    assert one.read(ASK, reply(), page(1, following="http://127.0.0.1:6379/"), 1) == ()
    assert one.batch().problems[0].detail.code == "page-on-other-host"


def test_the_cursor_stays_small() -> None:
    one = reading(seen_after(*range(1000)))
    one.read(ASK, reply(), replace(page(*range(1000, 2000)), asks=()), 1)
    state = one.batch().state
    assert state is not None
    assert len(state.cursor["seen"]) == REMEMBERED
    assert len(json.dumps(dict(state.cursor))) < 10_000


def test_a_run_takes_the_newest_items_of_a_list_without_end_and_says_how_many_it_left() -> None:
    one = reading()
    days = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(MOST_ITEMS + 500)]
    dated = tuple(replace(item(number), published=format_datetime(day)) for number, day in enumerate(days))
    limited = one.limit(ASK, Page(dated, (Ask("https://a.example/feed?2", "feed"),)))
    assert limited.items == dated[500:]
    one.read(ASK, reply(), limited, 1)
    assert one.limit(ASK, page(1, 2)).items == ()
    details = [problem.detail for problem in one.batch().problems]
    assert details == [Detail.of("items-left-out", count=count, most=MOST_ITEMS) for count in (500, 2)]


def test_items_without_dates_are_kept_from_the_top_of_their_list() -> None:
    items = tuple(map(item, range(10)))
    assert keep_newest(items, 3) == items[:3]
    dates = ("3小时前", "2026-01-02", "2026-13-40", "Thu, 01 Jan 2026 00:00:00 GMT", "1767400000")
    dated = tuple(replace(items[number], published=text) for number, text in enumerate(dates))
    assert [one.published for one in keep_newest(dated, 2)] == ["3小时前", "1767400000"]


def test_state_is_left_only_by_a_run_that_read_all_it_wanted() -> None:
    one = reading()
    (ask,) = one.read(ASK, reply(etag='"new"'), page(1), 1)
    assert not one.batch([item(1)]).finished
    one.lose(Problem(ask.url, "FetchFailed", Detail.of("timed-out")))
    batch = one.batch()
    assert batch.finished
    assert batch.state is None
    assert batch.problems[0].fails_source


def test_validators_of_the_first_list_stand_apart_and_others_in_the_cursor() -> None:
    asks = [Ask("https://a.example/1", "feed"), Ask("https://a.example/2", "feed")]
    one = Reading(row(url="https://a.example/1"))
    one.start(asks)
    for number, ask in enumerate(asks):
        one.read(ask, reply(ask.url, etag=f'"{number}"', last_modified="Mon, 02 Nov 2026"), Page(), 1)
    state = one.batch().state
    assert state is not None
    assert (state.etag, state.last_modified) == ('"0"', "Mon, 02 Nov 2026")
    again = Reading(row(url="https://a.example/1"), state)
    again.start(asks)
    assert [conditional_headers(again.validators(ask.url))["If-None-Match"] for ask in asks] == ['"0"', '"1"']


def test_a_list_that_is_unchanged_leaves_the_state_as_it_was() -> None:
    cursor = seen_after(1, 2)
    one = reading(cursor)
    one.unchanged(ASK)
    assert one.batch().state == SourceState("old-etag", None, cursor)


def test_a_validator_that_would_break_a_header_is_not_kept() -> None:
    for etag in ('"a"\r\nX: 1', "x" * 5000):
        one = reading()
        one.read(ASK, reply(etag=etag), Page(), 1)
        state = one.batch().state
        assert state is not None
        assert state.etag is None


def test_articles_pages_are_asked_for_one_by_one_and_given_up_after_some_runs() -> None:
    pages = ArticlePages()
    for number in range(PAGES_AT_ONCE + 5):
        pages.want(Ask(f"https://m.example/{number}", "wechat.article", expects=f"https://a.example/{number}"))
    asked = []
    while ask := pages.next():
        asked.append(ask)
        pages.done(ask)
    assert len(asked) == PAGES_AT_ONCE
    assert len(pages.left()) == 5
    ask = Ask("u", "p", expects="a")
    failing = ArticlePages({"a": ask}, {"a": TRIES - 2})
    assert not failing.failed(ask)
    assert failing.left() == {"a": TRIES - 1}
    assert failing.failed(ask)
    assert failing.left() == {}


# ---- a spider, answered by hand


def answered(spider: SourceSpider, answers: dict[str, bytes]) -> tuple[list[Batch], list[str]]:
    """All batches of a spider's run, and what it asked for, where these are the answers."""

    async def listed(outputs: AsyncIterator[Batch | Request]) -> list[Batch | Request]:
        return [output async for output in outputs]

    outputs, batches, asked = asyncio.run(listed(spider.start())), [], []
    while outputs:
        output = outputs.pop(0)
        if isinstance(output, Batch):
            batches.append(output)
        else:
            asked.append(output.url)
            response = Response(output.url, body=answers[output.url], request=output)
            assert output.callback is not None
            outputs += asyncio.run(listed(output.callback(response, **output.cb_kwargs)))
    return batches, asked


def test_a_source_that_cannot_even_begin_ends_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    class Clumsy(FeedSpider):
        name = "clumsy"

        def first_asks(self, reading: Reading) -> list[Ask]:
            return [{"good": Ask("https://a.example/feed", "feed")}[reading.source.id]]

    sources = [row(url="https://a.example/feed", id=name) for name in ("bad", "good")]
    document = b'{"version": "https://jsonfeed.org/version/1", "items": []}'
    batches, _ = answered(Clumsy(sources=sources), {"https://a.example/feed": document})
    assert [(batch.source, batch.finished, batch.state is None) for batch in batches] == [
        ("bad", True, True),
        ("good", True, False),
    ]
    assert batches[0].problems[0].error == "InternalError"
    assert "KeyError" in caplog.text


def test_a_host_that_wants_to_verify_us_is_left_alone_for_the_rest_of_the_run() -> None:
    names = ("a", "b", "c", "d")
    mirror = "https://m.example/{path}"
    sources = [
        row("wechat", id=f"s{number}", url=f"https://m.example/{number}", full_text="page", page_mirror=mirror)
        for number in range(2)
    ]
    answers = {f"https://m.example/s/{name}": recorded("wechat", "verification") for name in names}
    answers |= {f"https://m.example/{number}": json_feed(*names).encode() for number in range(2)}
    batches, asked = answered(WechatSpider(sources=sources), answers)
    # The one that was on its way when the second challenge came is the last.
    assert [url.rpartition("/")[2] for url in asked if "/s/" in url] == ["a", "a", "b"]
    last = {batch.source: batch for batch in batches if batch.finished}
    for batch in last.values():
        assert batch.state is not None
        assert len(batch.state.cursor["pending"]) == 4
    assert Detail.of("pages-wait", count=4) in [problem.detail for problem in last["s1"].problems]


# ---- over the wire


def recorded(kind: str, case: str) -> bytes:
    return (RECORDINGS / kind / case / "response.body").read_bytes()


def json_feed(*names: str) -> str:
    items = [{"id": name, "url": f"https://mp.weixin.qq.com/s/{name}", "title": f"第 {name} 篇"} for name in names]
    return json.dumps({"version": "https://jsonfeed.org/version/1", "title": "某号", "items": items})


def found_repository(name: str) -> str:
    found = {"full_name": name, "html_url": f"https://github.com/{name}", "stargazers_count": 1}
    return json.dumps({"items": [found], "incomplete_results": False})


def unless_known(body: str, etag: str) -> Any:
    def answer(seen: Seen) -> bytes:
        return http(304) if seen.headers.get("if-none-match") == etag else http(200, body, etag=etag)

    return answer


NAMES = ("Tile-0001_abcdefghij22", "gone", "blocked", "broken")


@pytest.fixture(scope="module")
def wechat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawled, Crawled, Site, list[str]]]:
    """Two runs of an account whose articles' pages come through a mirror; between them one of them got well."""
    with serving({}, "127.0.5.1") as site:
        site.answers |= {
            "/feed": unless_known(json_feed(*NAMES), '"1"'),
            f"/w/s/{NAMES[0]}": http(200, recorded("wechat", "article"), content_type="text/html; charset=utf-8"),
            "/w/s/gone": http(200, recorded("wechat", "deleted"), content_type="text/html; charset=utf-8"),
            "/w/s/blocked": http(200, recorded("wechat", "verification"), content_type="text/html; charset=utf-8"),
            "/w/s/broken": http(500, "trouble"),
        }
        mirror = f"{site.base}/w/{{path}}"
        fields = {"url": f"{site.base}/feed", "full_text": "page", "page_mirror": mirror}
        home = newsroom(tmp_path_factory.mktemp("wechat"), source("a", "wechat", **fields), site.place)
        before = crawl(home)
        site.seen.clear()
        site.answers["/w/s/broken"] = site.answers[f"/w/s/{NAMES[0]}"]
        after = crawl(home, {"a": before.state("a")})
        yield before, after, site, site.paths()


def test_the_list_is_handed_on_at_once_and_pages_follow(wechat: tuple[Crawled, Crawled, Site, list[str]]) -> None:
    crawled, _, _, _ = wechat
    batches = crawled.of("a")
    assert len(batches[0]["items"]) == 4
    assert not batches[0]["finished"]
    (full,) = batches[1]["items"]
    assert full["url"] == f"https://mp.weixin.qq.com/s/{NAMES[0]}"
    assert "html" in full
    assert [batch["finished"] for batch in batches] == [False] * (len(batches) - 1) + [True]


def test_a_lost_article_fails_no_run_and_only_what_may_come_back_is_asked_again(
    wechat: tuple[Crawled, Crawled, Site, list[str]],
) -> None:
    crawled, after, _, paths = wechat
    assert crawled.errors("a") == ["Gone", "Blocked", "FetchFailed"]
    assert not any(problem["fails_source"] for problem in crawled.problems("a"))
    assert crawled.state("a")["cursor"]["pending"] == {  # type: ignore[index]
        "https://mp.weixin.qq.com/s/blocked": 1,
        "https://mp.weixin.qq.com/s/broken": 1,
    }
    assert [path for path in paths if "robots" not in path] == ["/feed", "/w/s/blocked", "/w/s/broken"]
    assert [batch["items"][0]["kind"] for batch in after.of("a") if batch["items"]] == ["wechat"]
    assert after.state("a")["cursor"]["pending"] == {"https://mp.weixin.qq.com/s/blocked": 2}  # type: ignore[index]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawled, Site]]:
    """A source of every sort that has something particular about it, and a page function that is broken."""
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>{}</feed>'
    promised = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        "<o:totalResults>3</o:totalResults><o:startIndex>0</o:startIndex><o:itemsPerPage>1</o:itemsPerPage></feed>"
    )
    with serving({}, "127.0.6.1") as site:
        first_slice = recorded("arxiv", "api-no-hits")
        site.answers |= {
            "/search/repositories": http(200, found_repository("a/b"), link=f'<{site.base}/more?page=2>; rel="next"'),
            "/more": http(200, found_repository("c/d")),
            "/feed": http(200, json_feed("x")),
            "/zhihu.xml": http(
                200, atom.format('<entry><title>知</title><id>1</id><link href="https://a.example/"/></entry>')
            ),
            "/api/query": [http(200, promised), http(200, first_slice)],
            "/page": http(200, recorded("wechat", "article"), content_type="text/html; charset=utf-8"),
            "/trending": http(200, "anything"),
        }
        rows = [
            source("paged", "github", mode="search", query="x", base_url=site.base),
            source("one", "feed", url=f"{site.base}/feed"),
            source("same", "feed", url=f"{site.base}/feed"),
            source("zhihu", "zhihu", url=f"{site.base}/zhihu.xml"),
            source("arxiv", "arxiv", query="all:x", base_url=site.base),
            source("web", "web", url=f"{site.base}/page"),
            source("broken", "github", mode="trending", url=f"{site.base}/trending"),
        ]
        home = newsroom(tmp_path_factory.mktemp("mixed"), "".join(rows), site.place)
        yield crawl(home, broken_pages=("github.trending",)), site


def test_the_slices_of_a_list_come_as_batches_of_their_own(mixed: tuple[Crawled, Site]) -> None:
    crawled, _ = mixed
    assert [len(batch["items"]) for batch in crawled.of("paged")] == [1, 1]
    assert crawled.state("paged") is not None


def test_two_sources_with_one_address_get_an_answer_each(mixed: tuple[Crawled, Site]) -> None:
    crawled, site = mixed
    assert len(crawled.items("one")) == len(crawled.items("same")) == 1
    assert site.paths().count("/feed") == 2


def test_what_a_generic_feed_gives_is_of_its_sources_kind(mixed: tuple[Crawled, Site]) -> None:
    crawled, _ = mixed
    assert [one["kind"] for one in crawled.items("zhihu")] == ["zhihu"]


def test_an_answer_that_promises_and_does_not_give_is_asked_for_again(mixed: tuple[Crawled, Site]) -> None:
    crawled, site = mixed
    assert sum(path.startswith("/api/query") for path in site.paths()) == 2
    assert crawled.problems("arxiv") == []
    assert crawled.state("arxiv")["cursor"].keys() == {"until"}  # type: ignore[index]


def test_a_page_of_a_site_that_we_know_is_read_as_such_wherever_it_lies(mixed: tuple[Crawled, Site]) -> None:
    crawled, _ = mixed
    assert [one["kind"] for one in crawled.items("web")] == ["wechat"]


def test_a_mistake_in_a_page_function_ends_its_own_source_and_is_logged(mixed: tuple[Crawled, Site]) -> None:
    crawled, _ = mixed
    (problem,) = crawled.problems("broken")
    assert problem["error"] == "PageChanged"
    assert "KeyError" in problem["detail"]
    assert crawled.state("broken") is None
    assert crawled.log.count("Traceback") == 1
    assert crawled.returncode == 0
