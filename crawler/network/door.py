"""The only place where a request leaves the process."""

from __future__ import annotations

from datetime import UTC, datetime

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Request, Response

from crawler.errors import Refused, TooLarge
from crawler.network.connection import BoundedConnections, is_head_too_large
from crawler.network.credentials import header_for
from crawler.network.failures import BROKEN
from crawler.network.gate import GATE
from crawler.network.policy import is_public, policy_of
from crawler.network.resolver import PublicResolver, refusal
from crawler.urls import host_and_port


class Door(HTTP11DownloadHandler):
    """Scrapy's own HTTP handler behind our checks: pages, robots.txt, redirects and retries all pass here.

    It checks the URL, waits for the host's turn, adds the headers of every request, the time limit and the credential,
    and checks who answered. The setting
    `JIANBAO_WAITS` names the hosts that asked an earlier crawl to come back later, as `{"host:port": "2026-01-01T…"}`.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = BoundedConnections
        self._policy = policy_of(crawler.settings)
        self._headers = {**crawler.settings["DEFAULT_REQUEST_HEADERS"], "User-Agent": crawler.settings["USER_AGENT"]}
        self._time_limit = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        now = datetime.now(UTC)
        for netloc, written in crawler.settings.getdict("JIANBAO_WAITS").items():
            until = datetime.fromisoformat(written)
            host, port = host_and_port(f"http://{netloc}/")
            GATE.close(f"{host}:{port}", (until - now).total_seconds(), until)

    async def download_request(self, request: Request) -> Response:
        """Fetch one URL.

        Raises:
            Refused: we do not make this request.
            TooLarge: the reply's headers do not end.
            NotAsked, RateLimited: the gate lets nobody through to this host now.
            Exception: any of Scrapy's; `crawler.network.failures` translates it.
        """
        self._policy.check(request.url)
        _require_resolver()
        host, port = host_and_port(request.url)
        rule, lane, server = self._policy.rule(host, port), self._policy.lane(host, port), f"{host}:{port}"
        async with GATE.turn(lane, server, rule.delay, lambda: not self._crawler.engine.running):
            try:
                response = await super().download_request(self._with_own_headers(request))
            except BROKEN as error:
                if isinstance(error, CannotResolveHostError) and (address := refusal(host, port)):
                    raise Refused("not-public", url=request.url, address=address) from error
                if is_head_too_large(error):
                    raise TooLarge("head-too-large", url=request.url) from error
                GATE.failed(server)
                raise
            GATE.answered(server, response.status)
        peer = response.ip_address
        if peer is not None and not is_public(str(peer)) and not self._policy.is_exempt(host, port):
            raise Refused("not-public", url=request.url, address=str(peer))
        return response

    def _with_own_headers(self, request: Request) -> Request:
        """The request as it leaves: with the credential that is for its origin, and the operator's address."""
        for name, line in self._headers.items():
            request.headers.setdefault(name, line)
        request.meta.setdefault("download_timeout", self._time_limit)
        credential = header_for(request.url, request.meta)
        if credential is None and not self._policy.contact:
            return request
        copy = request.copy()
        if credential is not None:
            copy.headers[credential[0]] = credential[1]
        if self._policy.contact:
            agent = (copy.headers.get("User-Agent") or b"").decode("latin-1")
            copy.headers["User-Agent"] = f"{agent} +{self._policy.contact}".strip()
        return copy


def _require_resolver() -> None:
    """Let nothing out where Scrapy was started with another resolver.

    Raises:
        RuntimeError: `TWISTED_DNS_RESOLVER` was not set on the process.
    """
    from twisted.internet import reactor  # noqa: PLC0415 (importing it earlier would install the wrong one)

    if not isinstance(reactor.nameResolver, PublicResolver):
        raise RuntimeError("the process runs without crawler.network.resolver: start it with crawler.settings")
