"""Single pages of the web, lists without a feed, and whatever address an editor gives.

Domain: any.
Caveats: a page that needs scripts to show its text is read as far as its HTML goes. A list says title, link and date
    of its entries; an entry of a sitemap without a title is known when its page was read.
API documentation: none; https://schema.org/Article and https://ogp.me say what a page says of itself,
    https://www.sitemaps.org/protocol.html what a sitemap does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from crawler.errors import PageChanged
from crawler.items import Ask, Page
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading
from crawler.spiders.route import ask_for


class WebSpider(SourceSpider):
    """One page a source; a page of a site that we know better is asked for, and read, as that site wants it."""

    name = kind = "web"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The page, or the API's answer with the same content; or the list."""
        source = reading.source
        if not source.list:
            return [ask_for(source.url or "")]
        for article, tries in reading.state.cursor.get("pending", {}).items():
            reading.pages.tries[article] = tries
            reading.pages.want(ask_for(article))
        return [Ask(source.url or "", "web.list")]

    def choose_items(self, reading: Reading, ask: Ask, page: Page) -> Page:
        """Of a list, the entries that have a title; the pages of the others are asked for once.

        Raises:
            PageChanged: the entries of the list had dates, and what repeats on the page now has none.
        """
        if ask.page != "web.list":
            return page
        is_dated = any(item.published or item.updated for item in page.items)
        if reading.state.cursor.get("dated") and page.items and not is_dated:
            raise PageChanged("list-without-dates", url=ask.url)
        reading.notes["dated"] = is_dated
        untitled = [item for item in page.items if not item.title]
        for item in untitled:
            if reading.is_new(item):
                reading.pages.want(ask_for(item.url))
        reading.remember(untitled)
        return replace(page, items=tuple(item for item in page.items if item.title))
