"""The sites that are known, by their addresses: the one routing table.

Whatever way an address comes (a row of kind `feed` or `web`, a list of another reader, `add`, an entry of a feed), its
route says which page function reads the answer, which address to ask for instead, and which row of sources.toml stands
for the list at that address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

GITHUB_API: Final = "https://api.github.com"
ARXIV_API: Final = "https://export.arxiv.org/api/query"
ZHIHU_API: Final = "https://www.zhihu.com/api/v4"
HN_API: Final = "https://hn.algolia.com/api/v1"

ARXIV_NAME: Final = r"\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7}"
"""A paper's name without its version (info.arxiv.org/help/arxiv_identifier.html)."""

_ARXIV: Final = r"(?:www\.|export\.)?arxiv\.org"
_REPOSITORY: Final = (
    r"/(?P<repository>(?!(?:topics|trending|search|orgs|features|sponsors|settings|marketplace)/)[\w.-]+/[\w.-]+?)"
)
_ZHIHU_AUTHOR: Final = "include=data[*].content,excerpt,created,updated,voteup_count,comment_count"

LISTS: Final = frozenset(
    {
        "feed",
        "arxiv.api",
        "arxiv.rss",
        "github.search",
        "github.releases",
        "github.trending",
        "hn.search",
        "zhihu.items",
    }
)
"""Page functions that read lists."""


@dataclass(frozen=True, slots=True)
class Route:
    """How an address is read.

    Args:
        page: its page function.
        target: the address to request instead; empty for the address itself.
        row: fields of the row that stands for the list at the address; empty for a page, and for an ordinary feed.
    """

    page: str
    target: str = ""
    row: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    page: str
    target: str = ""
    row: Mapping[str, str] = field(default_factory=dict)


_RULES: Final = (
    _Rule(r"mp\.weixin\.qq\.com/s(?:/|\?|$)", "wechat.article"),
    _Rule(r"zhuanlan\.zhihu\.com/p/\d+", "zhihu.page"),
    _Rule(r"www\.zhihu\.com/(?:question|answer|zvideo|collection)/\d+", "zhihu.page"),
    _Rule(r"www\.zhihu\.com/api/v\d/", "zhihu.items"),
    _Rule(
        r"(?:zhuanlan\.zhihu\.com|(?:www\.)?zhihu\.com/column)/(?P<column>(?!p/|write)[\w-]{1,100})/?(?:[?#]|$)",
        "zhihu.items",
        f"{ZHIHU_API}/columns/{{column}}/items?limit=20&offset=0",
        {"kind": "zhihu", "column": "{column}"},
    ),
    _Rule(
        r"(?:www\.)?zhihu\.com/(?:people|org)/(?P<author>[\w-]{1,100})(?:/posts)?/?(?:[?#]|$)",
        "zhihu.items",
        f"{ZHIHU_API}/members/{{author}}/articles?{_ZHIHU_AUTHOR}&limit=20&offset=0&sort_by=created",
        {"kind": "zhihu", "author": "{author}"},
    ),
    _Rule(rf"{_ARXIV}/api/query", "arxiv.api", row={"kind": "arxiv", "url": "{url}"}),
    _Rule(
        rf"{_ARXIV}/(?:abs|pdf|html|format)/(?P<name>{ARXIV_NAME})(?:v\d+)?(?:\.pdf)?(?:[/?#]|$)",
        "arxiv.api",
        f"{ARXIV_API}?id_list={{name}}",
    ),
    _Rule(rf"rss\.arxiv\.org/|{_ARXIV}/(?:rss|atom)/", "arxiv.rss", row={"kind": "arxiv", "url": "{url}"}),
    _Rule(r"api\.github\.com/search/repositories", "github.search"),
    _Rule(r"api\.github\.com/repos/[^/]+/[^/]+/releases", "github.releases"),
    _Rule(r"api\.github\.com/repos/[^/]+/[^/?#]+/?(?:[?#]|$)", "github.repository"),
    _Rule(
        r"github\.com/trending(?:[/?#]|$)",
        "github.trending",
        row={"kind": "github", "mode": "trending", "url": "{url}"},
    ),
    _Rule(
        r"github\.com/(?P<repository>[\w.-]+/[\w.-]+)/releases\.atom",
        "feed",
        row={"kind": "github", "mode": "releases", "repos": "{repository}"},
    ),
    _Rule(
        rf"github\.com{_REPOSITORY}/releases/tag/(?P<tag>[^?#]+)",
        "github.releases",
        f"{GITHUB_API}/repos/{{repository}}/releases/tags/{{tag}}",
    ),
    _Rule(
        rf"github\.com{_REPOSITORY}(?:\.git)?(?:/(?:tree|blob|releases|wiki)\b[^?#]*)?/?(?:[?#]|$)",
        "github.repository",
        f"{GITHUB_API}/repos/{{repository}}",
        {"kind": "github", "mode": "releases", "repos": "{repository}"},
    ),
    _Rule(
        r"hnrss\.org/\w+\?(?:[^#]*&)?q=(?P<query>[^&#]+)(?:[^#]*&points=(?P<points>\d{1,5}))?",
        "feed",
        row={"kind": "hn", "query": "{query}", "points": "{points}"},
    ),
    _Rule(
        r"news\.ycombinator\.com/item\?id=(?P<number>\d{1,12})(?:[&#]|$)",
        "hn.search",
        f"{HN_API}/search?tags=story,story_{{number}}",
    ),
)
_PATTERNS: Final = tuple((re.compile(rule.pattern, re.ASCII), rule) for rule in _RULES)


def find_route(url: str) -> Route | None:
    """The route of an address; None for a site that nothing is known of.

    >>> find_route("https://arxiv.org/pdf/2103.15348v2.pdf").target
    'https://export.arxiv.org/api/query?id_list=2103.15348'
    >>> find_route("https://hnrss.org/newest?q=tiny+model&points=50").row
    {'kind': 'hn', 'query': 'tiny model', 'points': 50}
    >>> find_route("https://github.com/Tencent/ncnn/releases.atom").row["repos"]
    ('Tencent/ncnn',)
    """
    address = re.sub(r"^https?://", "", url, flags=re.IGNORECASE)
    host, slash, path = address.partition("/")
    address = host.lower() + slash + path
    for pattern, rule in _PATTERNS:
        if match := pattern.match(address):
            groups = {name: text or "" for name, text in match.groupdict().items()}
            fields = {name: template.format(url=url, **groups) for name, template in rule.row.items()}
            row = {name: _field(name, text) for name, text in fields.items() if text}
            return Route(rule.page, rule.target.format(**groups), row)
    return None


def _field(name: str, text: str) -> object:
    """A field of a row, of the type that the row has."""
    if name == "repos":
        return (text,)
    return int(text) if name == "points" else unquote_plus(text) if name == "query" else text
