"""Which secret goes where. Secrets come from the environment, and stay out of requests, logs and stored states.

They are added by `crawler.network.door` to the copy of a request that leaves the process, so that no redirect, retry or
log line can carry them on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

META_KEY: Final = "jianbao_credential"
"""A request's meta names its credential and the origins that it is for."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret of the environment, and the header that carries it."""

    variable: str
    header: str
    prefix: str = ""


CREDENTIALS: Final[Mapping[str, Credential]] = {
    "github": Credential("GITHUB_TOKEN", "Authorization", "Bearer "),
    "zhihu": Credential("ZHIHU_COOKIE", "Cookie"),
}


def origin(url: str) -> str:
    """Scheme, host and port.

    >>> origin("https://API.github.com/repos/a/b"), origin("http://127.0.0.1:8000/x")
    ('https://api.github.com:443', 'http://127.0.0.1:8000')
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def credential_for(name: str, *bases: str) -> dict[str, Any]:
    """The entry of a request's meta for its credential: name, and the origins of these URLs, which may see it."""
    return {META_KEY: (name, tuple(origin(base) for base in bases))}


def withheld_secret(url: str, meta: Mapping[str, Any]) -> str:
    """The variable of a secret that a request for `url` does not get, because nobody named its origin; else empty."""
    name, origins = meta.get(META_KEY, ("", ()))
    credential = CREDENTIALS.get(name)
    if credential is None or origin(url) in origins or not os.environ.get(credential.variable, "").strip():
        return ""
    return credential.variable


def header_for(url: str, meta: Mapping[str, Any]) -> tuple[str, str] | None:
    """The header to add to a request for `url`, if its meta names a credential, the origin fits and we have one."""
    name, origins = meta.get(META_KEY, ("", ()))
    credential = CREDENTIALS.get(name)
    if credential is None or origin(url) not in origins:
        return None
    secret = os.environ.get(credential.variable, "").strip()
    return (credential.header, credential.prefix + secret) if secret.isprintable() and secret else None
