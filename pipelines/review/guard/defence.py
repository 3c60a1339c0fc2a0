"""Checks every request before the desk reads it: host name, origin, media type; and sets the security headers.

The checks keep a page of another site from acting in the editor's name (cross-site request forgery), and a foreign name
that resolves to this machine from reading the desk (DNS rebinding). The headers keep the text of an article from
running scripts, loading styles or reaching other addresses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_RANGES: Final = 4
"""Ranges in one request for a file."""

MOST_OF_A_PATH: Final = 1000
"""Characters. The limit also keeps numbers in a path short enough for `int` (4300 digits)."""

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

_HEADERS: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # other sites receive no address; with no-referrer a form's Origin would be null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
"""Headers of every response that does not set them itself."""


@dataclass(frozen=True, slots=True)
class HostNames:
    """The names that a request's Host header may use for the desk.

    Args:
        hosts: in lower case, without port.
        any_address: whether every IP address is accepted too; DNS rebinding needs a name, so an address is safe.
    """

    hosts: Collection[str]
    any_address: bool = False

    def include(self, header: str) -> bool:
        """Whether a Host header names the desk.

        >>> HostNames({"localhost"}).include("localhost:8000"), HostNames({"localhost"}).include("evil.example")
        (True, False)
        >>> any_address = HostNames(set(), any_address=True)
        >>> any_address.include("[::1]:80"), any_address.include("a@localhost")
        (True, False)
        """
        try:
            parts = urlsplit(f"//{header}")
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not host or parts.netloc != header or "@" in header or parts.path:
            return False
        return host in self.hosts or (self.any_address and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Defence:
    """Refuses requests that no browser of an editor sends, and sets the security headers of every response.

    Args:
        app: the application that answers the other requests.
        names: the host names that a request may use.
    """

    def __init__(self, app: ASGIApp, names: HostNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._find_refusal(scope["method"], headers)
        if refusal is None and len(scope["path"]) > MOST_OF_A_PATH:
            refusal = 414, "Such a long address leads nowhere."
        if refusal is not None:
            await _answer_refusal(scope["path"], *refusal)(scope, receive, _add_headers(send))
            return
        await self._app(scope, receive, _add_headers(send))

    def _find_refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        refusal = self._check_address(headers)
        if refusal is not None or method in SAFE_METHODS:
            return refusal
        return _check_change(headers)

    def _check_address(self, headers: Headers) -> tuple[int, str] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._names.include(hosts[0]):
            return 400, "This desk is not called that. Start it with --allow-host to give it another name."
        if headers.get("range", "").count(",") >= MOST_RANGES:
            return 416, "Too many ranges."
        return None


def _answer_refusal(path: str, status: int, message: str) -> Response:
    if is_path_of_api(path):
        return JSONResponse({"error": message}, status)
    return PlainTextResponse(message, status)


def is_path_of_api(path: str) -> bool:
    """Whether scripts ask at a path; they read errors as JSON."""
    return path.startswith("/api/")


def _check_change(headers: Headers) -> tuple[int, str] | None:
    """Check a request that may change something; return the status and the reason of a refusal."""
    if not _is_same_origin(headers):
        return 403, "This did not come from the desk's own page."
    if headers.get("content-type", JSON).split(";")[0].strip().lower() not in (FORM, JSON):
        return 403, "Only JSON and plain forms are read here."
    return None


def _is_same_origin(headers: Headers) -> bool:
    """Whether a request comes from a page of the desk, according to the headers that its browser sets.

    Sec-Fetch-Site decides alone: no page can forge it, and a proxy that rewrites Host does not change it. Browsers send
    it only to HTTPS and loopback (Fetch Metadata, section 2), so Origin decides for plain HTTP and for older browsers.
    Other clients send neither header; their requests are accepted here and need the token.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == headers["host"].lower()


def _add_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, text in _HEADERS.items():
                headers.setdefault(name, text)
        await send(message)

    return answer
