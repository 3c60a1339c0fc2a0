"""Retries: a few soon after a failure; after a request to wait, at the time that the site names."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import brotli
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from crawler.errors import FetchFailed, RateLimited, TooLarge
from crawler.network.failures import BROKEN
from crawler.network.gate import GATE
from crawler.network.policy import Policy, policy_of
from crawler.urls import host_and_port
from crawler.waiting import retry_after, within_reason

LONGEST_WAIT: Final = 60.0
"""Seconds that we wait for a site within a run; GitHub's search quota is full again within a minute. Beyond that the
source is asked again at its next run."""

CUT_SHORT: Final = "jianbao-cut-short"
"""The flag of a response whose compressed body breaks off."""

UNNAMED_WAIT: Final = timedelta(minutes=15)
"""How long a host is left alone that wants patience, all tries long, and does not say until when."""

_LATER: Final = frozenset({429, 503})
_EMPTY_QUOTA: Final = frozenset({403, 429})


def asked_to_wait(status: int, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a site allows another try, by Retry-After or by GitHub's quota headers.

    Args:
        headers: lower-case names.
        now: aware.

    Returns:
        Never before `now`, at most 31 days later; None where the site asks for nothing, or for nothing usable.

    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> asked_to_wait(429, {"retry-after": "120"}, now).isoformat()
    '2026-01-01T00:02:00+00:00'
    >>> asked_to_wait(200, {"retry-after": "120"}, now)
    """
    quota_is_empty = status in _EMPTY_QUOTA and headers.get("x-ratelimit-remaining") == "0"
    if status not in _LATER and not quota_is_empty:
        return None
    if retry_at := retry_after(headers, now):
        return retry_at
    reset = headers.get("x-ratelimit-reset", "")
    if quota_is_empty and re.fullmatch(r"[0-9]{1,11}", reset):
        return within_reason(datetime.fromtimestamp(int(reset), UTC), now)
    return None


class Retry:
    """Decides whether a request is made again, and lets its host's line wait meanwhile."""

    def __init__(self, crawler: Crawler, policy: Policy) -> None:
        self._crawler = crawler
        self._policy = policy
        self._statuses = {int(status) for status in crawler.settings.getlist("RETRY_HTTP_CODES")}
        self._backoff = crawler.settings.getfloat("RETRY_BACKOFF")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its middlewares."""
        return cls(crawler, policy_of(crawler.settings))

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Answers that ask for patience, or that say that the server had a bad moment.

        Raises:
            RateLimited: for longer than we wait.
        """
        now = datetime.now(UTC)
        until = asked_to_wait(response.status, plain_headers(response), now)
        if until is not None:
            seconds = (until - now).total_seconds()
            if seconds > LONGEST_WAIT:
                GATE.refused(_server(request), seconds, until)
                time = f"{until:%Y-%m-%d %H:%M}"
                raise RateLimited("not-before", retry_at=until, url=request.url, status=response.status, time=time)
            retry = self.again(request, f"HTTP {response.status}", seconds)
            if retry is None:
                GATE.refused(_server(request), seconds, until)
            return retry or response
        if response.status in self._statuses:
            retry = self.again(request, f"HTTP {response.status}")
            if retry is None and response.status == 429:
                GATE.refused(_server(request), UNNAMED_WAIT.total_seconds(), now + UNNAMED_WAIT)
            return retry or response
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Connections that failed or broke off."""
        return self.again(request, type(exception).__name__) if isinstance(exception, BROKEN) else None

    def again(self, request: Request, reason: str, seconds: float = 0.0) -> Request | None:
        """The request to make once more, or None when it had all its tries.

        Args:
            request: that failed.
            reason: for the log.
            seconds: the shortest wait; the backoff may be longer.
        """
        spider = self._crawler.spider
        assert spider is not None  # noqa: S101 (Scrapy sets it before the first request)
        retry = get_retry_request(request, spider=spider, reason=reason, give_up_log_level="INFO")
        if retry is not None:
            backoff = self._backoff * 2 ** (retry.meta["retry_times"] - 1)
            GATE.hold(self._policy.lane(*host_and_port(request.url)), max(seconds, backoff))
        return retry


def _server(request: Request) -> str:
    """The host that the gate counts refusals of."""
    host, port = host_and_port(request.url)
    return f"{host}:{port}"


class Decompression(HttpCompressionMiddleware):
    """Scrapy's, with an end: a body that contradicts its header, or grows too large, is a `CrawlError`."""

    def __init__(self, *, crawler: Crawler) -> None:
        super().__init__(crawler=crawler)
        self._retry = Retry.from_crawler(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Decode the body, or ask again for one that can be decoded. A body that breaks off gets the flag `CUT_SHORT`.

        Raises:
            TooLarge: more than DOWNLOAD_MAXSIZE after decoding.
            FetchFailed: not what Content-Encoding says, again and again.
        """
        encodings = response.headers.getlist("Content-Encoding")  # Scrapy takes them out of the headers
        try:
            decoded = super().process_response(request, response)
            if isinstance(decoded, Response) and not _is_complete(response.body, encodings):
                return decoded.replace(flags=[*decoded.flags, CUT_SHORT])
            return decoded
        except IgnoreRequest as error:
            raise TooLarge("unpacked-too-large", url=request.url) from error
        except Exception as error:  # of zlib, brotli or zstandard: each has its own
            again = self._retry.again(request, type(error).__name__)
            if again is None:
                raise FetchFailed("bad-encoding", url=request.url) from error
            return again


def _is_complete(body: bytes, content_encodings: Iterable[bytes]) -> bool:
    """Whether a body that zlib or brotli reads has its end; Scrapy decodes what there is, and says nothing."""
    # zstandard needs no look: Scrapy's reader of it refuses a body without its end.
    encodings = b",".join(content_encodings).lower().replace(b" ", b"").split(b",")
    if encodings in ([b"gzip"], [b"x-gzip"]):
        decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    elif encodings == [b"deflate"]:
        decoder = zlib.decompressobj(zlib.MAX_WBITS if body[:1] == b"\x78" else -zlib.MAX_WBITS)
    elif encodings == [b"br"]:
        brotli_decoder = brotli.Decompressor()
        brotli_decoder.process(body)
        return bool(brotli_decoder.is_finished())
    else:
        return True
    with suppress(zlib.error):  # a wrong checksum: Scrapy keeps the text, and the end is there
        decoder.decompress(body)
        return decoder.eof
    return True


def plain_headers(response: Response) -> dict[str, str]:
    """Headers as `Reply` has them: lower-case names, a header sent twice joined by a comma."""
    return {
        name.decode("latin-1").lower(): ", ".join(line.decode("latin-1") for line in values)
        for name, values in response.headers.items()
    }
