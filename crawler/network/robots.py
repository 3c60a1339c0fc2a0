"""robots.txt as RFC 9309 has it: missing means allowed, unreachable means denied.

Asked for every host but those whose rule says `robots = false`: APIs made for programs, which have terms of their
own. An operator may say the same of a feed or a mirror in `[network.hosts]`.
"""

from __future__ import annotations

import asyncio
from copy import copy
from typing import Final
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser, RobotParser

from crawler.errors import CrawlError, FetchFailed, RateLimited, Refused, detail_of
from crawler.network.failures import meaning
from crawler.network.gate import NotAsked
from crawler.network.policy import policy_of
from crawler.urls import host_and_port

_LONGEST: Final = 512_000
"""Bytes of robots.txt that are read (RFC 9309, 2.5: at least 500 KiB)."""


class Robots(RobotsTxtMiddleware):
    """Scrapy's middleware with another view of failures: it allows where robots.txt cannot be had."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._policy = policy_of(crawler.settings)
        self._answers: dict[str, asyncio.Future[RobotParser | CrawlError]] = {}

    async def process_request(self, request: Request) -> None:  # type: ignore[override]
        """Let a request pass that robots.txt allows.

        Raises:
            Refused: it does not.
            CrawlError: it could not be read (RFC 9309, 2.3.1.4: assume that all is disallowed).
        """
        if request.meta.get("dont_obey_robotstxt") or not self._policy.rule(*host_and_port(request.url)).robots:
            return
        rules = await self._rules(request)
        if isinstance(rules, CrawlError):
            raise _kept_out(rules, request.url)
        if not rules.allowed(request.url, self._robotstxt_useragent or self._default_useragent):
            raise Refused("robots", url=request.url, remedy="robots")

    async def _rules(self, request: Request) -> RobotParser | CrawlError:
        """The rules of a URL's host, asked for once in a run."""
        parts = urlsplit(request.url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._answers:
            self._answers[site] = asyncio.get_running_loop().create_future()
            self._answers[site].set_result(await self._ask(f"{site}/robots.txt"))
        return await self._answers[site]

    async def _ask(self, url: str) -> RobotParser | CrawlError:
        request = Request(
            url, priority=self.DOWNLOAD_PRIORITY, meta={"dont_obey_robotstxt": True}, callback=NO_CALLBACK
        )
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            return meaning(error, url) or FetchFailed(detail_of(error), url=url)
        return self._read(response)

    def _read(self, response: Response) -> RobotParser | CrawlError:
        if response.status >= 500 or response.status == 429:
            return FetchFailed("http-status", url=response.url, status=response.status)
        body = response.body[:_LONGEST] if response.status < 400 else b""
        return ProtegoRobotParser.from_crawler(self.crawler, body)


def _kept_out(error: CrawlError, url: str) -> CrawlError:
    """The error of a page whose robots.txt could not be read: the same error, where the whole host is the reason."""
    if isinstance(error, NotAsked | RateLimited | Refused):
        same = copy(error)
        same.url = url
        return same
    return FetchFailed("no-robots", url=url, reason=error.detail)
