"""Feeds of WeChat mirrors: accounts, keys, and what a mirror gives in place of a text. Shapes are recordings."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.errors import Blocked, Detail, PageChanged
from crawler.items import Page, RawItem, Reply
from crawler.pages.wechat_feed import mirror_feed

LINK = "https://mp.weixin.qq.com/s/AbCdEfGhIjKlMnOpQrStUv"


def reply(body: str | bytes, status: int = 200) -> Reply:
    encoded = body if isinstance(body, bytes) else body.encode()
    return Reply("https://mirror.example.org/feeds/1.xml", status, {}, encoded, datetime(2026, 11, 1, tzinfo=UTC))


def one(
    *, title: str = "端侧小站", generator: str = "", content: str = "", link: str = LINK, author: str = ""
) -> RawItem:
    item = (
        f"<title>T</title><link>{link}</link><author>{author}</author><description><![CDATA[{content}]]></description>"
    )
    channel = f"<title>{title}</title><generator>{generator}</generator><item>{item}</item>"
    return mirror_feed(reply(f'<rss version="2.0"><channel>{channel}</channel></rss>')).items[0]


@pytest.mark.parametrize(
    ("title", "generator"),
    [
        ("端侧小站", "WeWe-RSS"),
        ("端侧小站 | wechat-feeds", ""),
        ("端侧小站 - WeWe RSS", "WeWe-RSS"),
        ("端侧小站 - Wechat2RSS", ""),
        ("微信公众号 - 端侧小站", "RSSHub"),
        ("端侧小站 的微信公众号", "RSSHub"),
        ("端侧小站|量化专辑", "RSSHub"),
    ],
)
def test_the_account_is_what_the_mirror_frames_in_its_title(title: str, generator: str) -> None:
    assert one(title=title, generator=generator, author="甲").publisher == "端侧小站"


def test_a_bar_in_an_accounts_own_name_stays() -> None:
    assert one(title="端侧|小站", generator="WeWe-RSS").publisher == "端侧|小站"


@pytest.mark.parametrize("title", ["WeWe-RSS", "WeWe-RSS All", "WeRSS订阅", "Wechat2RSS"])
def test_in_a_feed_of_several_accounts_the_author_is_the_account(title: str) -> None:
    item = one(title=title, author="端侧小站")
    assert (item.publisher, item.author) == ("端侧小站", None)


@pytest.mark.parametrize(
    "content",
    [
        "获取全文失败，请重试~",
        "<p>环境异常</p><p>当前环境异常，完成验证后即可继续访问。</p>",
        "<div>该内容已被发布者删除</div>",
        "DELETED",
        "<style> .rich_media_content {color: #222;}</style>",
    ],
)
def test_a_mirrors_excuse_is_no_text(content: str) -> None:
    item = one(content=content)
    assert (item.html, item.text, item.summary) == (None, None, None)


@pytest.mark.parametrize(
    "content", ["<p>海洋环境异常的监测与预报</p>", "<p>为什么说「获取全文失败」是最常见的错误？</p>", "<img src='a'>"]
)
def test_a_text_that_speaks_of_such_things_stays(content: str) -> None:
    assert one(content=content).html == content


def test_texts_that_the_mirror_lost_are_counted() -> None:
    item = {"id": "1", "url": LINK, "title": "T", "content_html": "<p>获取全文失败，请重试~</p>"}
    feed = {"version": "https://jsonfeed.org/version/1", "title": "端侧小站", "items": [item]}
    page = mirror_feed(reply(json.dumps(feed)))
    assert page.warnings == (Detail.of("mirror-without-text", lost=1, count=1),)


@pytest.mark.parametrize(
    ("link", "ids"),
    [
        (LINK, ("wechat:AbCdEfGhIjKlMnOpQrStUv",)),
        (f"{LINK}?scene=1#rd", ("wechat:AbCdEfGhIjKlMnOpQrStUv",)),
        (
            "http://mp.weixin.qq.com/s?__biz=MzU0MTIzNDU2Nw%3D%3D&amp;mid=2247480001&amp;idx=2&amp;sn=0a#wechat_redirect",
            ("wechat:MzU0MTIzNDU2Nw==/2247480001/2",),
        ),
        ("https://mp.weixin.qq.com/s?src=11&amp;timestamp=1&amp;ver=1&amp;signature=x", ()),
        (f"https://mirror.example.org/link-proxy/?k=0&amp;u={LINK}", ("wechat:AbCdEfGhIjKlMnOpQrStUv",)),
        ("https://mirror.example.org/rss/feed/3541234567-2247480001_2", ("wechat:MzU0MTIzNDU2Nw==/2247480001/2",)),
    ],
)
def test_keys_are_those_that_the_link_tells(link: str, ids: tuple[str, ...]) -> None:
    item = one(link=link)
    assert (item.kind, item.ids) == ("wechat", ids)


def test_a_link_elsewhere_is_no_wechat_article() -> None:
    assert one(link="https://site.example.org/s/AbCdEfGhIjKlMnOpQrStUv").kind == "feed"


@pytest.mark.parametrize(
    "answer",
    [[{"id": "MP_WXS_1", "name": "端侧小站"}], {"err": "", "data": [{"id": 1, "link": "https://m.example/1.xml"}]}],
)
def test_a_list_of_accounts_says_what_to_ask_instead(answer: object) -> None:
    with pytest.raises(PageChanged, match=r"account-address: address \S+"):
        mirror_feed(reply(json.dumps(answer)))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"statusCode": 401, "message": "Unauthorized"}, Blocked),
        ({"detail": {"code": 40101, "message": "未授权的RSS访问"}}, Blocked),
        ({"detail": {"code": 40401, "message": "公众号不存在"}}, PageChanged),
        ({"err": "feed not found", "data": None}, PageChanged),
        ("text", PageChanged),
        (7, PageChanged),
    ],
)
def test_an_error_of_the_mirror_is_given_in_its_words(answer: object, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        mirror_feed(reply(json.dumps(answer)))
    if isinstance(answer, dict):
        assert re.search("Unauthorized|未授权|不存在|feed not found", str(raised.value))


@pytest.mark.corpus
@pytest.mark.parametrize("pattern", ["hellodword-2021/tech", "wechat-scholar-2026"])
def test_real_mirror_feeds_give_every_article_with_its_account_and_key(corpus: Path, pattern: str) -> None:
    rows = (corpus / "feeds/hellodword-2021/accounts.tsv").read_text(encoding="utf-8").splitlines()
    accounts = dict(row.split("\t")[:2] for row in rows)
    for path in sorted((corpus / "feeds" / pattern).glob("*.xml")):
        text = path.read_text(encoding="utf-8")
        page: Page = mirror_feed(reply(path.read_bytes()))
        title = re.search(r"<title>(?:<!\[CDATA\[)?(.*?)(?: \| wechat-feeds)?(?:\]\]>)?</title>", text)
        assert title
        assert {item.publisher for item in page.items} == {accounts.get(path.name, title[1])}, path.name
        assert len(page.items) == text.count("<item>"), path.name
        assert not page.warnings, path.name
        for item in page.items:
            parts = re.search(r"/s/([\w-]+)|__biz=([\w=]+)&mid=(\d+)&idx=(\d+)", item.url)
            assert parts
            assert item.ids == ("wechat:" + (parts[1] or "/".join(parts.group(2, 3, 4))),), path.name
            assert item.kind == "wechat"
            assert item.published


def test_a_link_with_hundreds_of_fields_costs_no_list() -> None:
    fields = "&amp;".join(f"a{number}=http" for number in range(300))
    assert one(link=f"https://mirror.example.org/r?{fields}").title == "T"
    assert one(link=f"https://mp.weixin.qq.com/s?{fields}").title == "T"
