"""Failures of Scrapy and Twisted as the crawler's own errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

from crawler.errors import CrawlError, FetchFailed, Refused, TooLarge

BROKEN: Final = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    ConnectError,
    ConnectionClosed,
)
"""Failures after which a second try may succeed."""

_MEANING: Final[Mapping[type[Exception], tuple[type[CrawlError], str]]] = {
    CannotResolveHostError: (FetchFailed, "no-address"),
    DownloadConnectionRefusedError: (FetchFailed, "connection-refused"),
    DownloadTimeoutError: (FetchFailed, "timed-out"),
    ResponseDataLossError: (FetchFailed, "cut-short"),
    DownloadFailedError: (FetchFailed, "not-http"),
    DownloadCancelledError: (TooLarge, "answer-too-large"),
    UnsupportedURLSchemeError: (Refused, "not-web"),
    NotSupported: (Refused, "not-web"),
    ConnectError: (FetchFailed, "no-connection"),
    ConnectionClosed: (FetchFailed, "connection-lost"),
    UnicodeError: (FetchFailed, "no-host-name"),
    IgnoreRequest: (FetchFailed, "not-read"),
}
"""By exception, the particular before the general: our error, and the code of its fact."""

_CERTIFICATE: Final = "certificate verify failed"


def meaning(error: BaseException, url: str) -> CrawlError | None:
    """The crawler's own error for a failed request; None for an unknown exception.

    Args:
        url: of the request; filled in where the error has none.
    """
    if isinstance(error, CrawlError):
        error.url = error.url or url
        return error
    if _CERTIFICATE in str(error):
        return FetchFailed("certificate", url=url)
    for kind, (ours, code) in _MEANING.items():
        if isinstance(error, kind):
            reason = " ".join(str(error).split())[:200] if kind is IgnoreRequest else ""
            return ours(f"{code}-because", url=url, reason=reason) if reason else ours(code, url=url)
    return None
