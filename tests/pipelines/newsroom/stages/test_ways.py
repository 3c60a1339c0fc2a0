"""WeChat by several ways: mirrors die and fall silent, and a post stays one article."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import Cli, start, start_crawl
from servers import Crawled, crawl, http, newsroom, serving, source

from crawler.home import Home
from crawler.sources.file import check
from pipelines.store import Store

ACCOUNT = "MP_WXS_3900000001"
BIZ = "MzkwMDAwMDAwMQ=="
NOW = datetime.now(UTC)
SAVED = """<html><head><title>第六篇：四比特的壶</title><link rel="canonical" href="https://blog.example/six">
<meta property="og:title" content="第六篇：四比特的壶"></head><body><article><h1>第六篇：四比特的壶</h1>
<p>%s</p></article></body></html>""" % ("壶里的水开了，四个比特刚好够用，再少一个就不行。" * 8)


def posted(number: int) -> datetime:
    """Two days apart, the sixth an hour ago."""
    return NOW - timedelta(days=2 * (6 - number), hours=1)


def short_links(*numbers: int) -> bytes:
    """A mirror whose feed has the short address of each post."""
    items = [
        {
            "id": f"token-of-post-{number}",
            "url": f"https://mp.weixin.qq.com/s/token-of-post-{number}",
            "title": f"第{number}篇：把模型放进壶里",
            "date_modified": posted(number).isoformat(),
        }
        for number in numbers
    ]
    return http(200, json.dumps({"version": "https://jsonfeed.org/version/1", "title": "端侧小站", "items": items}))


def long_links(*numbers: int) -> bytes:
    """A mirror whose feed has the long address, and the time when it saw the post."""
    items = "".join(
        f"<item><title>第{number}篇：把模型放进壶里</title>"
        f"<link>https://mp.weixin.qq.com/s?__biz={BIZ}&amp;mid=22474800{number:02}&amp;idx=1&amp;sn=ab{number}</link>"
        f"<pubDate>{posted(number) + timedelta(minutes=40):%a, %d %b %Y %H:%M:%S +0000}</pubDate></item>"
        for number in numbers
    )
    return http(200, f'<rss version="2.0"><channel><title>端侧小站</title>{items}</channel></rss>')


def account(folder: Path, *addresses: str, places: tuple[str, ...], ways: tuple[str, ...], **fields: object) -> Path:
    mirrors = "".join(f'mirror-{number} = "{address}"\n' for number, address in enumerate(addresses, 1))
    row = source("a", "wechat", name="端侧小站", account=ACCOUNT, ways=list(ways), **fields)
    return newsroom(folder, row, *places, more=f"[mirrors]\n{mirrors}")


def list_titles(home: Path) -> list[str]:
    store = Store.open(f"sqlite:///{home / 'var' / 'jianbao.db'}")
    with store.reading() as tx:
        stored = tx.articles.get(range(1, tx.articles.next_id()))
    store.close()
    return sorted(one.article.title for one in stored.values())


@pytest.mark.slow
def test_a_mirror_that_dies_in_the_middle_of_a_month_leaves_each_post_one_article(tmp_path: Path) -> None:
    first, second = {f"/feeds/{ACCOUNT}.json": short_links(1, 2, 3)}, {"/feed/3900000001.xml": long_links(2, 3, 4, 5)}
    with serving(first, "127.0.9.1") as one, serving(second, "127.0.9.2") as two:
        addresses = (f"{one.base}/feeds/{{account}}.json", f"{two.base}/feed/{{number}}.xml")
        ways = ("mirror-1", "mirror-2", "saved")
        home = account(tmp_path, *addresses, places=(one.place, two.place), ways=ways)
        table, log, code = start_crawl(home, "--no-group")
        assert code == 0, log
        assert "镜像" not in table
        assert len(list_titles(home)) == 3

        one.answers.clear()
        table, log, code = start_crawl(home, "--no-group")
        assert code == 0, log
        assert "这次经由镜像 mirror-2" in table
        assert "镜像 mirror-1：" in table
        assert len(list_titles(home)) == 5

        two.answers["/feed/3900000001.xml"] = http(500)
        (home / "saved" / "a").mkdir(parents=True)
        (home / "saved" / "a" / "six.html").write_text(SAVED, encoding="utf-8")
        table, log, code = start_crawl(home, "--no-group")
        assert code == 0, log
        assert "这次经由另存的网页" in table
        assert len(list_titles(home)) == 6

        table, log, code = start_crawl(home, "--no-group")
        assert code == 1, "where no way gives anything, the source fails"
        assert "mirror-2" in table
        assert "saved/a/ 里没有新的网页" in table


@pytest.mark.slow
def test_an_accounts_own_site_gives_the_same_post_as_its_mirror(tmp_path: Path) -> None:
    entry = (
        "<item><title>第5篇：把模型放进壶里 | 端侧小站</title><link>https://kettle.example/2026/5</link>"
        f"<guid>17</guid><pubDate>{posted(5):%a, %d %b %Y %H:%M:%S +0000}</pubDate></item>"
    )
    feed = http(200, f'<rss version="2.0"><channel><title>端侧小站官网</title>{entry}</channel></rss>')
    with serving({"/m": short_links(4, 5), "/site": feed}, "127.0.9.3") as site:
        home = account(
            tmp_path,
            f"{site.base}/m?{{account}}",
            places=(site.place,),
            ways=("mirror-1", "site"),
            url=f"{site.base}/site",
        )
        start_crawl(home, "--no-group")
        site.answers["/m"] = http(502)
        table, log, code = start_crawl(home, "--no-group")
        assert code == 0, log
        assert "这次经由自家网站 127.0.9.3" in table
        assert len(list_titles(home)) == 2


@pytest.mark.slow
def test_a_mirror_that_falls_silent_is_left_for_the_next_until_it_gives_something_new(tmp_path: Path) -> None:
    with serving({"/1": short_links(1, 2), "/2": long_links(2, 3)}, "127.0.9.4") as site:
        home = account(
            tmp_path,
            f"{site.base}/1?{{account}}",
            f"{site.base}/2?{{account}}",
            places=(site.place,),
            ways=("mirror-1", "mirror-2"),
            expect_per_week=[2, 9],
        )

        def run(days: int, state: object) -> Crawled:
            return crawl(home, {"a": state} if state else None, now=NOW + timedelta(days=days))

        fresh = run(0, None)
        quiet = run(5, fresh.state("a"))
        silent = run(10, quiet.state("a"))
        site.answers["/1"] = short_links(1, 2, 3, 4)
        lively = run(11, silent.state("a"))
    asked = [[path for path in site.paths() if path[:2] in ("/1", "/2")]]
    assert asked == [[f"/{way}?{ACCOUNT}" for way in (1, 1, 1, 2, 1)]]
    assert [crawled.errors("a") for crawled in (fresh, quiet, silent, lively)] == [[], [], ["Warning"], []]
    assert "way-silent: count 7" in silent.problems("a")[0]["detail"]


@pytest.mark.slow
def test_a_check_online_says_which_ways_answer_and_stores_nothing(tmp_path: Path) -> None:
    with serving({"/1": http(500), "/2": long_links(2, 3)}, "127.0.9.5") as site:
        home = account(
            tmp_path,
            f"{site.base}/1?{{account}}",
            f"{site.base}/2?{{account}}",
            places=(site.place,),
            ways=("mirror-1", "mirror-2", "saved"),
        )
        answer, log, code = start(home, "sources", "check", "--online", "--json")
    assert code == 0, log
    ways = json.loads(answer)["ways"]
    assert [(way["way"], way["items"], way["failed"] is None) for way in ways] == [
        ("mirror-1", 0, False),
        ("mirror-2", 2, True),
        ("saved", 0, False),
    ]
    assert list_titles(home) == []


def test_a_row_with_ways_that_cannot_work_is_named(tmp_path: Path) -> None:
    rows = source("a", "wechat", ways=["mirror-1", "nowhere", "site", "mirror-1"]) + source("b", "wechat", ways=[])
    rows += source("c", "wechat", ways=["saved"], url="https://a.example/feed")
    home = newsroom(tmp_path, rows, more='[mirrors]\nmirror-1 = "https://m.example/{biz}"\n')
    Cli(home)("sources", "check", code=1)
    mistakes = {(mistake.source, mistake.field, mistake.detail.code) for mistake in check(Home(home))}
    assert mistakes == {
        ("a", "account", "needed-by-way"),
        ("a", "ways", "no-such-mirror"),
        ("a", "ways", "used-twice"),
        ("a", "url", "needed-by-way"),
        ("b", "ways", "needed-by-way"),
        ("c", "url", "url-without-site-way"),
    }
