"""Which page function reads what: by its address, or, for a saved page, by what it says of itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from crawler.items import Ask, Reply
from crawler.kinds import KIND_OF_PAGE, Kind
from crawler.markup.encoding import unpack
from crawler.sites import GITHUB_API, LISTS, ZHIHU_API, Route, find_route

GITHUB_HEADERS: Final[Mapping[str, str]] = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}

ZHIHU_HEADERS: Final[Mapping[str, str]] = {"x-api-version": "3.0.91", "Accept": "application/json"}

_SIGNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), page)
    for pattern, page in (
        (rb"<div\s[^>]{0,300}id=[\"']js_content[\"']", "wechat.article"),
        (
            rb"<script\s[^>]{0,300}h5only[^>]{0,300}>\s{0,99}window\.cgiDataNew\s?=|window\.cgiDataNew = \{",
            "wechat.article",
        ),
        (rb"//res\.wx\.qq\.com/mmbiz(?:appmsg|wap)/", "wechat.article"),
        (rb"<script\s[^>]{0,300}id=[\"']js-initialData[\"']", "zhihu.page"),
        (rb"<div\s[^>]{0,300}class=[\"'][^\"'>]{0,300}Post-RichTextContainer", "zhihu.page"),
        (rb"<(?:meta|script)\s[^>]{0,300}zh-zse-ck", "zhihu.page"),
        (rb"\A\s{0,99}(?:<\?xml[^>]{0,300}>\s{0,99})?<feed\b[^>]{0,999}>.{0,2000}?arxiv\.org/api", "arxiv.api"),
        (rb"\A\s{0,99}(?:<\?xml[^>]{0,300}>\s{0,99})?<(?:rss|feed|rdf:RDF)\b", "feed"),
        (rb"\A\s{0,99}\{[^{]{0,300}jsonfeed\.org/version", "feed"),
    )
)
"""Marks at the beginning of a document; the first row that fits names the page function, else it is `web`."""

_LOOKED_AT: Final = 300_000
"""Bytes from the beginning of a document that are looked at."""


def ask_for(url: str) -> Ask:
    """The best way to read one address.

    >>> ask_for("https://arxiv.org/pdf/2103.15348v2.pdf").url
    'https://export.arxiv.org/api/query?id_list=2103.15348'
    >>> ask_for("https://github.com/Tencent/ncnn/tree/master").url
    'https://api.github.com/repos/Tencent/ncnn'
    >>> ask_for("https://blog.example/1").page
    'web'
    """
    route = find_route(url)
    if route is None:
        return Ask(url, "web", expects=url)
    address = route.target or url
    return Ask(address, route.page, _headers(address), expects=url)


def list_ask_for(url: str) -> Ask:
    """The best way to read an address as a list: by the site's own interface, else as a feed.

    >>> list_ask_for("https://www.zhihu.com/column/tiny-kettles").page
    'zhihu.items'
    >>> list_ask_for("https://github.com/Tencent/ncnn").url
    'https://api.github.com/repos/Tencent/ncnn/releases?per_page=30'
    >>> list_ask_for("https://blog.example/feed.xml")
    Ask(url='https://blog.example/feed.xml', page='feed', headers={}, expects='', shared=False)
    """
    route = find_route(url)
    if route is not None and route.page == "github.repository":
        address = f"{GITHUB_API}/repos/{find_repository(route)}/releases?per_page=30"
        return Ask(address, "github.releases", GITHUB_HEADERS)
    if route is None or route.page not in LISTS or (route.target and not route.row):
        return Ask(url, "feed")
    address = route.target or url
    return Ask(address, route.page, _headers(address))


def find_repository(route: Route) -> str:
    """The repository of a route to a page of GitHub."""
    return route.target.removeprefix(f"{GITHUB_API}/repos/")


def _headers(address: str) -> Mapping[str, str]:
    if address.startswith(GITHUB_API):
        return GITHUB_HEADERS
    return ZHIHU_HEADERS if address.startswith(ZHIHU_API) else {}


def page_for(reply: Reply) -> str:
    """The page function for a document that was saved, or whose address says nothing.

    A saved page of a paper or a repository is HTML, so it is read as a page of the web and not as the API's answer.
    """
    ask = ask_for(reply.url)
    if ask.page != "web" and ask.url == reply.url:
        return ask.page
    head = unpack(reply)[:_LOOKED_AT]
    return next((page for pattern, page in _SIGNS if pattern.search(head)), "web")


def kind_for(url: str) -> Kind:
    """The kind of page that an address leads to.

    >>> kind_for("https://mp.weixin.qq.com/s/abc"), kind_for("https://blog.example/")
    ('wechat', 'web')
    """
    return KIND_OF_PAGE[ask_for(url).page]


def on_mirror(url: str, mirror: str) -> str:
    """Where a mirror keeps the page of this address.

    >>> on_mirror("https://mp.weixin.qq.com/s?__biz=A&mid=1", "http://127.0.0.1:8000/wechat/{path}")
    'http://127.0.0.1:8000/wechat/s?__biz=A&mid=1'
    """
    parts = urlsplit(url)
    path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return mirror.replace("{path}", path)
