"""Addresses: the host and the port that they lead to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from crawler.errors import NotUnderstood

LONGEST_URL: Final = 2083
"""Characters; the old limit of browsers. A longer address is a trap or a mistake."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def host_and_port(url: str) -> tuple[str, int]:
    """The host, in lower case, and the port that a URL leads to.

    Raises:
        ValueError: not http(s), no host, credentials in the address, or too long.

    >>> host_and_port("https://Example.com/a")
    ('example.com', 443)
    >>> host_and_port("http://[::1]:8000/")
    ('::1', 8000)
    """
    if len(url) > LONGEST_URL:
        raise NotUnderstood("long-address", count=len(url))
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise NotUnderstood("not-web")
    if not parts.hostname:
        raise NotUnderstood("no-host")
    if "@" in parts.netloc:
        raise NotUnderstood("secret-in-address")
    return parts.hostname, _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port


def host_of(url: str) -> str:
    """The host that a URL leads to; empty where it leads nowhere that we would go."""
    try:
        return host_and_port(url)[0]
    except ValueError:
        return ""


def netloc_of(url: str) -> str:
    """The host with its port, as a URL writes them; empty where the URL leads nowhere that we would go.

    >>> netloc_of("https://Example.com/a"), netloc_of("http://[::1]:8000/"), netloc_of("ftp://example.com/")
    ('example.com:443', '[::1]:8000', '')
    """
    try:
        host, port = host_and_port(url)
    except ValueError:
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
