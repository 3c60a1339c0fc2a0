"""The kinds of source, a row each: the one place that names them. Importing it loads no spider and no page function.

A new kind is a row here, a page function, a spider, a recording and a line in data/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple


class Label(NamedTuple):
    """A name in both languages of the desk."""

    chinese: str
    english: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a row of sources.toml, besides the fields that all rows share.

    Args:
        ways: each way to say where the source is read, as the fields that it takes; a row uses exactly one of them.
            An empty way lets the row say nothing.
        further: fields that the row may have besides.
        beside: by the first field of a way, fields of other ways that it may have beside it.
    """

    ways: tuple[tuple[str, ...], ...]
    further: frozenset[str] = frozenset()
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """All fields of all ways."""
        return frozenset(name for way in self.ways for name in way)


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of source.

    Args:
        label: name of the kind on the desk.
        article: name of an article of the kind in a reason.
        shapes: of its rows, by `mode`; a kind without modes has one shape, under the empty mode.
        pages: its page functions as `module:function`, by the name that an `Ask` gives: the kind, or `kind.page`.
        spider: the module of its spider; the spider's name is the kind's.
        work: a post reports something; a paper or a repository is the reported work itself.
        is_platform: the account adds nothing to the host, so a model does not learn from it.
        is_generic: its page functions know less of an article than the article's own site does.
        is_named_by_row: an issue prints the row's `name` after the title, not the publisher that the page names.
        hosts: articles of these hosts are of this kind, whatever source gave them; without `www.`.
    """

    label: Label
    article: Label
    shapes: Mapping[str, Shape]
    pages: Mapping[str, str]
    spider: str
    work: Literal["post", "paper", "repository"] = "post"
    is_platform: bool = False
    is_generic: bool = False
    is_named_by_row: bool = False
    hosts: tuple[str, ...] = ()


KINDS: Final[Mapping[str, KindRow]] = {
    "wechat": KindRow(
        label=Label("公众号", "WeChat"),
        article=Label("公众号文章", "WeChat article"),
        shapes={
            "": Shape(
                (("url",), ("mirror", "account"), ("ways",)),
                frozenset({"full_text", "page_mirror"}),
                beside={"ways": frozenset({"account", "url"})},
            )
        },
        pages={
            "wechat.feed": "crawler.pages.wechat_feed:mirror_feed",
            "wechat.article": "crawler.pages.wechat:article",
        },
        spider="crawler.spiders.wechat",
        hosts=("mp.weixin.qq.com",),
    ),
    "zhihu": KindRow(
        label=Label("知乎", "Zhihu"),
        article=Label("知乎文章", "Zhihu post"),
        shapes={"": Shape((("url",), ("column",), ("author",)), frozenset({"base_url"}))},
        pages={"zhihu.items": "crawler.pages.zhihu:items", "zhihu.page": "crawler.pages.zhihu:page"},
        spider="crawler.spiders.zhihu",
        is_platform=True,
        hosts=("zhihu.com", "zhuanlan.zhihu.com"),
    ),
    "arxiv": KindRow(
        label=Label("arXiv", "arXiv"),
        article=Label("arXiv 论文", "arXiv paper"),
        shapes={"": Shape((("query",), ("url",)), frozenset({"base_url"}))},
        pages={
            "arxiv.api": "crawler.pages.arxiv:api",
            "arxiv.oai": "crawler.pages.arxiv:oai",
            "arxiv.rss": "crawler.pages.arxiv:rss",
        },
        spider="crawler.spiders.arxiv",
        work="paper",
        is_platform=True,
        hosts=("arxiv.org",),
    ),
    "github": KindRow(
        label=Label("GitHub", "GitHub"),
        article=Label("GitHub 仓库", "GitHub repository"),
        shapes={
            "search": Shape((("query",),), frozenset({"base_url"})),
            "releases": Shape((("repos",),), frozenset({"base_url"})),
            "trending": Shape(((), ("url",), ("query",)), frozenset({"base_url"})),
        },
        pages={
            "github.search": "crawler.pages.github:search",
            "github.releases": "crawler.pages.github:releases",
            "github.repository": "crawler.pages.github:repository",
            "github.trending": "crawler.pages.github:trending",
        },
        spider="crawler.spiders.github",
        work="repository",
        is_platform=True,
        hosts=("github.com",),
    ),
    "hn": KindRow(
        label=Label("Hacker News", "Hacker News"),
        article=Label("Hacker News 帖子", "Hacker News story"),
        shapes={"": Shape(((), ("query",)), frozenset({"points", "base_url"}))},
        pages={"hn.search": "crawler.pages.hn:search"},
        spider="crawler.spiders.hn",
        is_generic=True,
        is_named_by_row=True,
        hosts=("news.ycombinator.com",),
    ),
    "feed": KindRow(
        label=Label("订阅", "Feed"),
        article=Label("订阅源文章", "Feed entry"),
        shapes={"": Shape((("url",),))},
        pages={"feed": "crawler.pages.site_feed:site_feed"},
        spider="crawler.spiders.feed",
        is_generic=True,
        is_named_by_row=True,
    ),
    "web": KindRow(
        label=Label("网页", "Web"),
        article=Label("网页", "Web page"),
        shapes={"": Shape((("url",),), frozenset({"list"}))},
        pages={"web": "crawler.pages.web:web", "web.list": "crawler.pages.web_list:entries"},
        spider="crawler.spiders.web",
        is_generic=True,
    ),
}
"""By name. WeChat stands first: where two kinds share a host, the rarer one need not wait for a hundred feeds."""

MODES: Final = tuple(mode for row in KINDS.values() for mode in row.shapes if mode)

KIND_OF_PAGE: Final[Mapping[str, str]] = {page: name for name, row in KINDS.items() for page in row.pages}

POSTS: Final = frozenset(name for name, row in KINDS.items() if row.work == "post")
PAPERS: Final = frozenset(name for name, row in KINDS.items() if row.work == "paper")
REPOSITORIES: Final = frozenset(name for name, row in KINDS.items() if row.work == "repository")
PLATFORMS: Final = frozenset(name for name, row in KINDS.items() if row.is_platform)
GENERIC: Final = frozenset(name for name, row in KINDS.items() if row.is_generic)

if TYPE_CHECKING:
    Kind = str
    Mode = str
else:
    Kind = Literal[tuple(KINDS)]
    Mode = Literal[MODES]
"""A name of the table. At run time pydantic checks values against it; mypy, which reads no table, sees text."""
