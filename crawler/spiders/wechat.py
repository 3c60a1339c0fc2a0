"""WeChat accounts through the feed of a mirror and, where a source wants it, the pages of the articles.

Domain: any mirror (wewe-rss, we-mp-rss, wechat2rss, RSSHub); mp.weixin.qq.com for pages.
Caveats: WeChat has no list of an account's articles for programs, so a mirror is needed, and mirrors die. A client that
    asks mp.weixin.qq.com fast gets a verification page and reads nothing more on the same day.
API documentation: none of WeChat's; github.com/cooderl/wewe-rss, github.com/rachelos/we-mp-rss, docs.rsshub.app.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from scrapy.http import Response

from crawler.items import Ask, RawItem
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading
from crawler.spiders.route import ask_for, on_mirror


class WechatSpider(SourceSpider):
    """The feed gives what it has at once; pages follow one by one, and those that fail in a few more runs."""

    name = kind = "wechat"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The mirror's feed. Pages that earlier runs did not get are wanted again."""
        source = reading.source
        if source.full_text == "page":
            for article, tries in reading.state.cursor.get("pending", {}).items():
                reading.pages.tries[article] = tries
                reading.pages.want(_page(article, source.page_mirror))
        return [Ask(source.url or "", "wechat.feed")]

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


def _page(article: str, mirror: str | None) -> Ask:
    return Ask(on_mirror(article, mirror) if mirror else article, "wechat.article", expects=article)
