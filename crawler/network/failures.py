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
    CannotResolveHostError: (FetchFailed, "the host's name has no address"),
    DownloadConnectionRefusedError: (FetchFailed, "the host refuses the connection"),
    DownloadTimeoutError: (FetchFailed, "no complete answer within the time limit"),
    ResponseDataLossError: (FetchFailed, "the answer was cut short"),
    DownloadFailedError: (FetchFailed, "no answer that can be read as HTTP"),
    DownloadCancelledError: (TooLarge, "the answer is larger than we read"),
    UnsupportedURLSchemeError: (Refused, "only http and https are asked for"),
    NotSupported: (Refused, "only http and https are asked for"),
    ConnectError: (FetchFailed, "no connection"),
    ConnectionClosed: (FetchFailed, "the connection was lost"),
    UnicodeError: (FetchFailed, "the host's name cannot be a name"),
    IgnoreRequest: (FetchFailed, "not read"),
}
"""By exception, the particular before the general."""

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
        return FetchFailed("the host's certificate cannot be trusted", url=url)
    for kind, (ours, detail) in _MEANING.items():
        if isinstance(error, kind):
            reason = " ".join(str(error).split())[:200] if kind is IgnoreRequest else ""
            return ours(f"{detail}: {reason}" if reason else detail, url=url)
    return None
