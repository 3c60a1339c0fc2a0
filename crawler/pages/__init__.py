"""Page functions: a `Reply` in, a `Page` out. Pure: no clock, no network, no database.

A page function is the only place that knows a site. It raises `PageChanged`, `Blocked`, `Gone`
or `RateLimited` when the reply is not the page, and never returns half an item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crawler.items import Page, Reply
from crawler.pages import arxiv as arxiv
from crawler.pages import feed as feed
from crawler.pages import github as github
from crawler.pages import web as web
from crawler.pages import wechat as wechat
from crawler.pages import wechat_feed as wechat_feed
from crawler.pages import zhihu as zhihu

PageFunction = Callable[[Reply], Page]

PAGES: Final[Mapping[str, PageFunction]] = {
    "wechat.feed": wechat_feed.mirror_feed,
    "wechat.article": wechat.article,
    "zhihu.items": zhihu.items,
    "zhihu.page": zhihu.page,
    "arxiv.api": arxiv.api,
    "arxiv.rss": arxiv.rss,
    "github.search": github.search,
    "github.releases": github.releases,
    "github.repository": github.repository,
    "github.trending": github.trending,
    "feed": feed.feed,
    "web": web.web,
}
"""What an `Ask` may name. A recording names its page function the same way."""
