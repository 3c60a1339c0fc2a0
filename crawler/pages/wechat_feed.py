"""Feeds of WeChat accounts, as mirrors make them.

Mirrors die, so nothing here asks which mirror it was told of: what a feed answers tells wewe-rss, we-mp-rss,
wechat2rss, RSSHub, wechat-feeds and Wechat-Scholar apart as far as it matters.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from crawler.characters import clean
from crawler.errors import Blocked, CrawlError, Detail, PageChanged
from crawler.items import Page, RawItem, Reply
from crawler.markup.encoding import decode_reply
from crawler.markup.entry import Channel, Entry
from crawler.markup.feed_json import describe_answer
from crawler.markup.notices import is_notice
from crawler.markup.text import absolute, digest, plain, plain_title
from crawler.pages.feed import Feed, feed_of, read_feed

# Seen 2026-11: 机器之心 - WeWe RSS
_ACCOUNT_IN_TITLE: Final = tuple(
    (generator, re.compile(title))
    for generator, title in (
        ("", r"(?P<account>.+?)\s*\|\s*wechat-feeds"),  # hellodword/wechat-feeds
        ("", r"微信公众号\s*[-:：]\s*(?P<account>.+)"),  # RSSHub: ershicimi, ce
        ("", r"(?P<account>.+?)\s*的?微信公众号"),  # RSSHub: sogou
        ("", r"(?P<account>.+?)\s*[-|–—·]\s*(?:We ?We[- ]?RSS|WeMPRSS|WeRSS|Wechat2RSS|RSSHub|微阅读)"),
        ("rsshub", r"(?P<account>[^|]+)\|[^|]+"),  # RSSHub: an account's album or home page, `account|album`
    )
)
"""Start of the generator in lower case, and the whole title: how a mirror frames the account's name in it."""

# Seen 2026-11: WeWe-RSS All
_NO_ACCOUNT: Final = re.compile(
    r"(?:We ?We|We|Mp-We)-?RSS(?:\s*All|订阅)?|Wechat2RSS(?:\s*All)?|RSSHub|", re.IGNORECASE
)
"""Titles of feeds of several accounts: there an entry's author is its account."""

_LONGEST_FAILURE: Final = 2000  # characters of HTML; an article that quotes such a notice is longer

# Seen 2026-11: <style>p { margin: 0 }</style>
_STYLE: Final = re.compile(r"<style\b[^<]*</style>", re.IGNORECASE)
# Seen 2026-11: <img data-ratio="0.5" src="https://mmbiz.qpic.cn/mmbiz_jpg/x/0?wx_fmt=jpeg">
_IMAGE: Final = re.compile(r"<img\s[^<>]*?\bsrc\s*=\s*[\"']?(https?://[^\s\"'<>]{1,2000})", re.IGNORECASE)
_LONGEST_DIGEST: Final = 2000  # characters of HTML; its first image is the cover

_MOST_FIELDS: Final = 100  # of the query of a link that are read

_HOST: Final = "mp.weixin.qq.com"
# Seen 2026-11: /s/Zk3q_Rw-8yT0aB1cD2eF3g
_TOKEN: Final = re.compile(r"/s/([\w-]{10,64})/?", re.ASCII)
# Seen 2026-11: MzA3MzI4MjgzMw==
_BIZ: Final = re.compile(r"[A-Za-z0-9+/]{8,40}={0,2}")
# Seen 2026-11: /rss/feed/3073282833-2247488000_1
_KEPT: Final = re.compile(r"/(?:rss/feed|views/article)/(\d{6,12})-(\d{6,20})_(\d{1,2})")
"""Where we-mp-rss keeps an article: account number, message, place (rachelos/we-mp-rss, core/db.py `add_article`)."""
# Seen 2026-11: /feeds/MP_WXS_3073282833.json
_ACCOUNT: Final = re.compile(r"/(?:rss|feeds?)/MP_WXS_\d+(?:\.\w+)?")

_PROXY_PARAMETERS: Final = ("u", "src", "url")
# Seen 2026-11: https://mp.weixin.qq.com/s/Zk3q_Rw-8yT0aB1cD2eF3g
_PROXIED: Final = re.compile(r"https?://(?:mp\.weixin\.qq\.com|[a-z\d.]+\.q(?:pic|logo)\.cn)/\S+")
"""Addresses that wechat2rss (`/img-proxy?u=`, `/link-proxy?u=`) and other mirrors wrap in an address of their own."""


def mirror_feed(reply: Reply) -> Page:
    """The entries of a feed of WeChat articles, as a mirror gives them: RSS, Atom, JSON Feed, we-mp-rss's own JSON.

    Returns:
        Items of kind `wechat`, or `feed` where a link leads elsewhere. Their publisher is the account. A mirror's
        `updated` is when the article was published.

    Raises:
        PageChanged: not a feed, or one that lists accounts.
        Blocked: a challenge, or the mirror wants a password.
    """
    read = _read(reply)
    if read.items and all(_ACCOUNT.fullmatch(urlsplit(item.url).path) for item in read.items):
        raise _account_list(reply, read.items[0].url)
    account = _account(read.title, read.generator)
    items = tuple(_item(item, account) for item in read.items)
    lost = sum(bool(old.html) and not after.html for old, after in zip(read.items, items, strict=True))
    notes = (Detail.of("mirror-without-text", lost=lost, count=len(items)),) if lost else ()
    return Page(items, warnings=(*read.warnings, *notes), is_cut_short=read.is_cut_short)


def _read(reply: Reply) -> Feed:
    try:
        return read_feed(reply)
    except PageChanged:
        try:
            answer = json.loads(decode_reply(reply))
        except (ValueError, RecursionError):
            answer = None
        if answer is None:
            raise
    if isinstance(answer, dict) and isinstance(answer.get("items"), list):
        return feed_of(Channel(entries=tuple(_entry(item, reply.url) for item in answer["items"])), reply)
    raise _refusal(answer, reply)


def _entry(item: Any, url: str) -> Entry:
    """An entry of the JSON that we-mp-rss gives for `.json`, which is no JSON Feed (core/rss.py `generate_json`)."""
    members = item.items() if isinstance(item, dict) else ()
    fields = {name: clean(text) for name, text in members if isinstance(text, str)}
    return Entry(
        links=(fields.get("link", ""),),
        base=url,
        guid=fields.get("id", ""),
        title=plain_title(fields.get("title", "")),
        published=fields.get("updated", ""),
        html=fields.get("content", ""),
        summary=digest(fields.get("description", ""), is_content=False),
    )


def _item(item: RawItem, account: str) -> RawItem:
    url = _direct(item.url)
    ids = tuple(_ids(url))
    publisher = account or item.author
    html = _unless_failure(item.html)
    cover = _IMAGE.search(html) if html and len(html) < _LONGEST_DIGEST else None
    image = item.image or (absolute(unescape(cover[1]), url) if cover else None)
    return replace(
        item,
        kind="wechat" if ids or urlsplit(url).hostname == _HOST else "feed",
        url=url,
        published=item.published or item.updated,
        updated=item.updated if item.published else None,
        author=item.author if item.author != publisher else None,
        publisher=publisher,
        html=html,
        text=_unless_failure(item.text),
        summary=_unless_failure(item.summary),
        image=_direct(image) if image else None,
        ids=ids,
    )


def _account(title: str, generator: str) -> str:
    """The account of a feed, without the mirror's frame around it; empty for a feed of several.

    >>> [_account(title, "") for title in ("端侧小站 | wechat-feeds", "微信公众号 - 端侧小站", "WeWe-RSS All")]
    ['端侧小站', '端侧小站', '']
    """
    if _NO_ACCOUNT.fullmatch(title):
        return ""
    for made_by, frame in _ACCOUNT_IN_TITLE:
        if generator.lower().startswith(made_by) and (match := frame.fullmatch(title)):
            return match["account"]
    return title


def _unless_failure(content: str | None) -> str | None:
    """The content, unless the mirror could not fetch it: a notice instead, or nothing but its own style sheet."""
    if content is None or len(content) > _LONGEST_FAILURE:
        return content
    return content if _STYLE.sub("", content).strip() and not is_notice(plain(content)) else None


def _direct(url: str) -> str:
    """The address behind a mirror's proxy; the address itself where it is none."""
    query = urlsplit(url).query
    if "http" not in query:
        return url
    parameters = dict(parse_qsl(query)[:_MOST_FIELDS])
    targets = (parameters.get(name, "") for name in _PROXY_PARAMETERS)
    return next((target for target in targets if _PROXIED.fullmatch(target)), url)


def _ids(url: str) -> Iterator[str]:
    """Strong keys that an article's address tells, also where it is we-mp-rss's own.

    >>> list(_ids("http://mp.weixin.qq.com/s?__biz=MzU0MTIzNDU2Nw==&mid=2247480001&idx=2&sn=0a&scene=0#rd"))
    ['wechat:MzU0MTIzNDU2Nw==/2247480001/2']
    >>> list(_ids("http://127.0.0.1:8001/rss/feed/3541234567-2247480001_2"))
    ['wechat:MzU0MTIzNDU2Nw==/2247480001/2']
    """
    parts = urlsplit(url)
    if path_match := _KEPT.fullmatch(parts.path):
        yield f"wechat:{base64.b64encode(path_match[1].encode()).decode()}/{path_match[2]}/{path_match[3]}"
    elif parts.hostname == _HOST and (token := _TOKEN.fullmatch(parts.path)):
        yield f"wechat:{token[1]}"
    elif parts.hostname == _HOST:
        query = dict(parse_qsl(parts.query)[:_MOST_FIELDS])
        biz = query.get("__biz", "")
        mid, idx = query.get("mid") or query.get("appmsgid", ""), query.get("idx") or query.get("itemidx", "")
        if _BIZ.fullmatch(biz) and mid.isdecimal() and idx.isdecimal():
            yield f"wechat:{biz}/{mid}/{idx}"


def _refusal(answer: Any, reply: Reply) -> CrawlError:
    """The error that a mirror's JSON stands for."""
    listed = answer.get("data") if isinstance(answer, dict) else answer
    if isinstance(listed, list) and listed and isinstance(listed[0], dict) and "id" in listed[0]:
        return _account_list(reply, str(listed[0].get("link") or f"/feeds/{listed[0]['id']}.json"))
    numbers = [reply.status, *_numbers(answer)]
    if any(str(number).startswith(("401", "403")) for number in numbers):
        return Blocked("mirror-refuses", url=reply.url, remedy="mirror-key", answer=describe_answer(answer))
    return PageChanged("mirror-error", url=reply.url, remedy="check-account", answer=describe_answer(answer))


def _numbers(answer: Any) -> Iterator[int]:
    """Status and error numbers of an API's JSON."""
    if isinstance(answer, dict):
        yield from (answer[name] for name in ("statusCode", "status", "code") if isinstance(answer.get(name), int))
        yield from _numbers(answer.get("detail"))


def _account_list(reply: Reply, first: str) -> PageChanged:
    return PageChanged("mirror-lists-accounts", url=reply.url, remedy=Detail.of("account-address", address=first))
