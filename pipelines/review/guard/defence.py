"""What stands before every request: who is addressed, where it comes from, how much it brings, what it shows.

A page that an editor has open beside the desk may not act for them, and a name that resolves to this machine may not
read it. Nothing of an article is trusted: no script, no style, no address but our own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 256 * 1024
"""Of a request's body: the longest entry, several times over."""

MOST_RANGES: Final = 4

MOST_OF_A_PATH: Final = 1000
"""Characters; a number of more digits than Python reads is none of ours."""

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
    "Referrer-Policy": "same-origin",  # other sites get no address; with no-referrer a form's Origin would be null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
"""What a response has unless it says otherwise itself."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the desk may be called in a request's Host.

    Args:
        hosts: in lower case, without port.
        any_address: also whatever is an IP address: a name that was rebound to this machine is none.
    """

    hosts: Collection[str]
    any_address: bool = False

    def has(self, header: str) -> bool:
        """Whether a Host header names the desk.

        >>> Names({"localhost"}).has("localhost:8000"), Names({"localhost"}).has("evil.example")
        (True, False)
        >>> Names(set(), any_address=True).has("[::1]:80"), Names(set(), any_address=True).has("a@localhost")
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
    """Refuses what no browser of an editor would send, and puts the same headers on whatever is answered.

    Args:
        app: what comes behind.
        names: what the desk is called.
    """

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope["method"], headers)
        if refused is None and len(scope["path"]) > MOST_OF_A_PATH:
            refused = 414, "Such a long address leads nowhere."
        if refused is not None:
            await PlainTextResponse(refused[1], refused[0])(scope, receive, _with_headers(send))
            return
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        if refused := self._misaddressed(headers):
            return refused
        return None if method in SAFE_METHODS else _unwelcome(headers)

    def _misaddressed(self, headers: Headers) -> tuple[int, str] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._names.has(hosts[0]):
            return 400, "This desk is not called that. Start it with --allow-host to give it another name."
        if headers.get("range", "").count(",") >= MOST_RANGES:
            return 416, "Too many ranges."
        return None


def _unwelcome(headers: Headers) -> tuple[int, str] | None:
    if not _same_origin(headers):
        return 403, "This did not come from the desk's own page."
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return 413, "Too much at once."
    if headers.get("content-type", JSON).split(";")[0].strip().lower() not in (FORM, JSON):
        return 403, "Only JSON and plain forms are read here."
    return None


def _same_origin(headers: Headers) -> bool:
    """Whether a request comes from a page of the desk, as far as the browser tells.

    Sec-Fetch-Site decides alone: no page can forge it, and a proxy that rewrites Host does not change it. Browsers send
    it only to HTTPS and loopback (Fetch Metadata, section 2), so Origin decides for plain HTTP and for older browsers.
    A client that is no browser sends neither: for it the token decides.
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


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return answer
