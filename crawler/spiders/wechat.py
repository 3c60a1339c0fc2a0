"""WeChat accounts through the feeds of mirrors and, where a source wants it, the pages of the articles.

Domain: any mirror (we-mp-rss, wechat2rss, RSSHub); an account's own site; mp.weixin.qq.com for pages.
Caveats: WeChat has no list of an account's articles for programs, so a mirror is needed, and mirrors die: a row may
    name several ways, in order. A client that asks mp.weixin.qq.com fast gets a verification page and reads nothing
    more on the same day.
API documentation: none of WeChat's; github.com/rachelos/we-mp-rss, github.com/ttttmr/Wechat2RSS, docs.rsshub.app.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from scrapy.http import Response

from crawler.errors import Detail
from crawler.items import Ask, Problem, RawItem
from crawler.sources.schema import SAVED_WAY, SITE_WAY, Source
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading, Way
from crawler.spiders.route import ask_for, on_mirror
from crawler.urls import host_of

SHORTEST_PATIENCE: Final = timedelta(days=3)
"""A daily account has free weekends."""

LONGEST_PATIENCE: Final = timedelta(days=30)


class WechatSpider(SourceSpider):
    """The feed gives what it has at once; pages follow one by one, and those that fail in a few more runs."""

    name = kind = "wechat"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The mirror's feed. Pages that earlier runs did not get are wanted again."""
        self._want_pending_pages(reading)
        return [Ask(reading.source.url or "", "wechat.feed")]

    def ways(self, reading: Reading) -> Iterable[Way]:
        """The one address of the row, or the ways that it names: mirrors, the account's own site, saved pages."""
        source = reading.source
        if not source.ways:
            yield Way(tuple(self.first_asks(reading)))
            return
        self._want_pending_pages(reading)
        addresses = dict(source.way_addresses)
        for name in source.ways:
            if name == SAVED_WAY:
                yield self._read_saved_pages(reading)
            elif name == SITE_WAY:
                site = Detail.of("way/site", host=host_of(source.url or ""))
                yield Way((Ask(source.url or "", "feed"),), site, patience=patience_with(source))
            else:
                mirror = Detail.of("way/mirror", name=name)
                yield Way((Ask(addresses[name], "wechat.feed"),), mirror, patience=patience_with(source))

    def page_asks(self, reading: Reading, items: Sequence[RawItem]) -> Iterable[Ask]:
        """The pages of the articles that no earlier run has seen."""
        if reading.source.full_text != "page":
            return ()
        new = (item.url for item in items if reading.is_new(item) and ask_for(item.url).page == "wechat.article")
        return [_page(url, reading.source.page_mirror) for url in new]

    def address_of(self, ask: Ask, response: Response) -> str:
        """A page that came through a mirror stands for the article's own address."""
        mirrored = ask.expects and urlsplit(ask.url).netloc != urlsplit(ask.expects).netloc
        return ask.expects if mirrored else response.url

    def _want_pending_pages(self, reading: Reading) -> None:
        source = reading.source
        if source.full_text == "page":
            for article, tries in reading.state.cursor.get("pending", {}).items():
                reading.pages.tries[article] = tries
                reading.pages.want(_page(article, source.page_mirror))

    def _read_saved_pages(self, reading: Reading) -> Way:
        """Pages that somebody saved. Without a new one the way gave nothing, or dead mirrors would pass unnoticed."""
        batch = self.read_saved(reading.source.id)
        problems = batch.problems
        if not any(map(reading.is_new, batch.items)):
            problems = (*problems, Problem("", "FetchFailed", Detail.of("nothing-new-saved", name=reading.source.id)))
        return Way(name=Detail.of("way/saved"), items=batch.items, problems=problems)


def patience_with(source: Source) -> timedelta:
    """How long a mirror may give nothing new until the next way is tried: the time of two articles that are expected.

    >>> row = {"id": "a", "kind": "wechat", "name": "A", "expect_per_week": (2, 9)}
    >>> patience_with(Source.model_validate(row)).days
    7
    """
    fewest = source.expect_per_week[0] if source.expect_per_week else 1
    return min(max(timedelta(days=14) / fewest, SHORTEST_PATIENCE), LONGEST_PATIENCE) if fewest else LONGEST_PATIENCE


def _page(article: str, mirror: str | None) -> Ask:
    return Ask(on_mirror(article, mirror) if mirror else article, "wechat.article", expects=article)
