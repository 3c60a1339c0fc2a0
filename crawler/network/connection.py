"""Connections that stop reading where a server sends headers without end."""

from __future__ import annotations

from typing import Any, Final

from scrapy.core.downloader.handlers.http11 import _LenientHTTP11ClientProtocol
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTP11ClientProtocol
from twisted.web.client import _HTTP11ClientFactory

LARGEST_HEAD: Final = 256 * 1024
"""Bytes of a reply before its body. Twisted limits one line (16 KB) and not their number; browsers stop at 256 KB."""


class HeadTooLarge(Exception):
    """A reply whose head does not end. Raised by `BoundedConnection`, inside the failure that Twisted reports."""


class BoundedConnection(_LenientHTTP11ClientProtocol):
    """Scrapy's connection, which is given up when the head of a reply is larger than `LARGEST_HEAD`."""

    _head_size = 0

    def request(self, request: Any) -> Any:
        """Send a request, as Twisted does."""
        self._head_size = 0
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Read what the server sent; bytes count as the head's until the body begins."""
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._parser is not None and self._parser.state in (STATUS, HEADER):
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self._giveUp(Failure(HeadTooLarge()))  # type: ignore[no-untyped-call]


class BoundedConnections(_HTTP11ClientFactory):
    """Makes the connections of a pool."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:  # noqa: ARG002, N802 (Twisted's name)
        """Make a connection."""
        return BoundedConnection(self._quiescentCallback)  # type: ignore[no-untyped-call]


def is_head_too_large(error: BaseException) -> bool:
    """Tell whether a failed download was given up because of its head."""
    reasons = getattr(error.__cause__, "reasons", ())
    return any(reason.check(HeadTooLarge) for reason in reasons)
