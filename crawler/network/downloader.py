"""Scrapy's downloader, which works under safe settings only, and without a clock of its own."""

from __future__ import annotations

from scrapy.core.downloader import Downloader as ScrapyDownloader
from scrapy.crawler import Crawler

from crawler.settings import assert_safe


class Downloader(ScrapyDownloader):
    """Hands each host's requests on one by one, at once: `crawler.network.gate` lets them wait, for all crawlers.

    With a delay here too, requests that are still queued when a crawl is stopped would be given up one a second.

    Raises:
        RuntimeError: a setting switches off a protection; the crawl does not begin.
    """

    def __init__(self, crawler: Crawler) -> None:
        assert_safe(crawler.settings)
        super().__init__(crawler)
        self._delay = 0.0
