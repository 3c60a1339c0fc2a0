"""Zhihu columns and authors through its API, or any feed of them.

Domain: www.zhihu.com/api/v4; any RSSHub instance for feeds.
Caveats: the API often answers with a verification page. It wants the cookie of a user (ZHIHU_COOKIE) and may refuse the
    cookie too; a feed is the way that lasts.
API documentation: none; the shapes are those of recorded answers. Feeds: docs.rsshub.app, zhihu.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crawler.items import Ask
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading
from crawler.spiders.route import ZHIHU_HEADERS, list_ask_for

_SITE: Final = "https://www.zhihu.com"
_INCLUDE: Final = "data[*].content,excerpt,created,updated,voteup_count,comment_count"


class ZhihuSpider(SourceSpider):
    """A feed is the way that lasts; the API wants the cookie of a user (ZHIHU_COOKIE), and may want more."""

    name = kind = "zhihu"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The feed, or the first slice of the column's or the author's articles."""
        source = reading.source
        api = f"{(source.base_url or _SITE).rstrip('/')}/api/v4"
        if source.column:
            return [Ask(f"{api}/columns/{source.column}/items?limit=20&offset=0", "zhihu.items", ZHIHU_HEADERS)]
        if source.author:
            query = f"include={_INCLUDE}&limit=20&offset=0&sort_by=created"
            return [Ask(f"{api}/members/{source.author}/articles?{query}", "zhihu.items", ZHIHU_HEADERS)]
        url = source.url or ""
        return [Ask(url, "zhihu.items", ZHIHU_HEADERS) if "/api/v4/" in url else list_ask_for(url)]
