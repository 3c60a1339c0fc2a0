"""Scrapy's downloader, which works under safe settings only, and without lines of its own."""

from __future__ import annotations

from scrapy.core.downloader import Downloader as ScrapyDownloader
from scrapy.crawler import Crawler
from scrapy.http import Request, Response

from crawler.settings import assert_safe


class Downloader(ScrapyDownloader):
    """Hands each request on at once: at the door, `crawler.network.gate` lets them wait in line, for all crawlers.

    A line for each host here too would cost a twentieth of a page, and requests that still wait in it when a crawl is
    stopped would be given up one a second.

    Raises:
        RuntimeError: a setting switches off a protection; the crawl does not begin.
    """

    def __init__(self, crawler: Crawler) -> None:
        assert_safe(crawler.settings)
        super().__init__(crawler)

    async def _enqueue_request(self, request: Request) -> Response:
        name, slot = self._get_slot(request)
        request.meta[self.DOWNLOAD_SLOT] = name
        slot.active.add(request)  # the scheduler prefers hosts with few of them
        try:
            return await self.handlers.download_request_async(request)
        finally:
            slot.active.remove(request)
