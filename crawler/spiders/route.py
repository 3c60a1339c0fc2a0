"""Which page function reads what: by its address, or, for a saved page, by what it says of itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from crawler.items import Ask, Reply
from crawler.kinds import KIND_OF_PAGE, Kind
from crawler.markup.encoding import unpack

ARXIV_API: Final = "https://export.arxiv.org/api/query"
GITHUB_API: Final = "https://api.github.com"
GITHUB_HEADERS: Final[Mapping[str, str]] = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}

_ARXIV_NAME: Final = r"(?:\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7})"
_REPOSITORY: Final = (
    r"/(?P<repository>(?!(?:topics|trending|search|orgs|features|sponsors|settings|marketplace)/)[\w.-]+/[\w.-]+?)"
)

_ROUTES: Final = tuple(
    (re.compile(pattern, re.ASCII), page, target)
    for pattern, page, target in (
        (r"mp\.weixin\.qq\.com/s(?:/|\?|$)", "wechat.article", ""),
        (r"zhuanlan\.zhihu\.com/p/\d+", "zhihu.page", ""),
        (r"www\.zhihu\.com/(?:question|answer|zvideo|collection)/\d+", "zhihu.page", ""),
        (r"www\.zhihu\.com/api/v\d/", "zhihu.items", ""),
        (r"(?:www\.|export\.)?arxiv\.org/api/query", "arxiv.api", ""),
        (
            rf"(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html|format)/(?P<name>{_ARXIV_NAME})(?:v\d+)?(?:\.pdf)?(?:[/?#]|$)",
            "arxiv.api",
            f"{ARXIV_API}?id_list={{name}}",
        ),
        (r"rss\.arxiv\.org/|(?:www\.|export\.)?arxiv\.org/(?:rss|atom)/", "arxiv.rss", ""),
        (r"api\.github\.com/search/repositories", "github.search", ""),
        (r"api\.github\.com/repos/[^/]+/[^/]+/releases", "github.releases", ""),
        (r"api\.github\.com/repos/[^/]+/[^/?#]+/?(?:[?#]|$)", "github.repository", ""),
        (r"github\.com/trending(?:[/?#]|$)", "github.trending", ""),
        (r"github\.com/[\w.-]+/[\w.-]+/releases\.atom", "feed", ""),
        (
            rf"github\.com{_REPOSITORY}/releases/tag/(?P<tag>[^?#]+)",
            "github.releases",
            f"{GITHUB_API}/repos/{{repository}}/releases/tags/{{tag}}",
        ),
        (
            rf"github\.com{_REPOSITORY}(?:\.git)?(?:/(?:tree|blob|releases|wiki)\b[^?#]*)?/?(?:[?#]|$)",
            "github.repository",
            f"{GITHUB_API}/repos/{{repository}}",
        ),
    )
)
"""Pattern of an address without scheme, its page function, and the address to request instead, where that is better."""

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
    address = re.sub(r"^https?://", "", url, flags=re.IGNORECASE)
    host, slash, path = address.partition("/")
    address = host.lower() + slash + path
    for pattern, page, target in _ROUTES:
        if match := pattern.match(address):
            address_asked = target.format(**match.groupdict()) if target else url
            headers = GITHUB_HEADERS if address_asked.startswith(GITHUB_API) else {}
            return Ask(address_asked, page, headers, expects=url)
    return Ask(url, "web", expects=url)


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
