"""Who is at the desk: a cookie for each browser, a token for each page of it, a session for each user."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from pipelines.review.guard.passwords import Guesses, matches
from pipelines.store import Store

COOKIE: Final = "jianbao_desk"
SESSION: Final = timedelta(days=14)
TOKEN_HEADER: Final = "x-csrf-token"  # noqa: S105 - a header's name
TOKEN_FIELD: Final = "csrf"  # noqa: S105 - a field's name

_TOKEN_LENGTHS: Final = range(40, 60)


class TooManyGuesses(Exception):
    """Too many wrong passwords, of a user or from an address."""


class NotHere(Exception):
    """An address to go on to that is not the desk's own."""


@dataclass(frozen=True)
class Access:
    """The rules of one desk.

    Args:
        key: what tokens are made with; the same after a restart, so that an open page goes on working.
        login: whether a user must log in.
        editor: who works here where nobody logs in.
    """

    key: bytes
    login: bool
    editor: str
    guesses: Guesses = field(default_factory=Guesses)

    def browser(self, request: Request) -> str | None:
        """The cookie that a browser was given."""
        cookie = request.cookies.get(COOKIE, "")
        return cookie if len(cookie) in _TOKEN_LENGTHS and cookie.isascii() else None

    def token(self, browser: str) -> str:
        """The token that a browser's pages carry."""
        return hmac.new(self.key, browser.encode(), hashlib.sha256).hexdigest()

    def holds(self, browser: str | None, token: str) -> bool:
        """Whether a token is that browser's."""
        return browser is not None and hmac.compare_digest(self.token(browser).encode(), token.encode())

    def user(self, store: Store, browser: str | None, now: datetime) -> str | None:
        """Who sits at a browser; None for somebody who has to log in first."""
        if not self.login:
            return self.editor
        if browser is None:
            return None
        with store.reading() as tx:
            return tx.users.find_by_session(digest(browser), now)

    def log_in(self, store: Store, name: str, password: str, address: str, now: datetime) -> str | None:
        """Open a session.

        Returns:
            The browser's new cookie; None where name or password are wrong.

        Raises:
            TooManyGuesses: the password was not even looked at.
        """
        keys = (f"user {name}", f"address {address}")
        if not self.guesses.allowed(*keys):
            raise TooManyGuesses
        with store.reading() as tx:
            stored = tx.users.get_password_hash(name)
        if not matches(password, stored):
            self.guesses.failed(*keys)
            return None
        browser = new_browser()
        with store.transaction() as tx:
            tx.users.open_session(digest(browser), name, now, now + SESSION)
        return browser


def new_browser() -> str:
    """A cookie for a browser that has none."""
    return secrets.token_urlsafe(32)


def digest(browser: str) -> bytes:
    """What the store knows of a cookie: enough to recognise it, too little to use it."""
    return hashlib.sha256(browser.encode()).digest()


def give(response: Response, browser: str, *, secure: bool) -> None:
    """Have the browser keep its cookie."""
    response.set_cookie(
        COOKIE,
        browser,
        max_age=int(SESSION.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def key_at(path: Path) -> bytes:
    """The key of a newsroom's desk, made when it is first asked for; only its owner can read the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if len(key := path.read_bytes()) >= 32:
            return key
        path.unlink()
        return key_at(path)
    key = secrets.token_bytes(32)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    return key


def own_path(address: str) -> str:
    """A page of the desk to go on to.

    Raises:
        NotHere: another site, or what a browser could take for one.

    >>> own_path("/issue?date=2026-01-01")
    '/issue?date=2026-01-01'
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise NotHere(address) from error
    printable = address.isprintable() and address.isascii() and "\\" not in address and " " not in address
    if not printable or parts.scheme or parts.netloc or not address.startswith("/") or address.startswith("//"):
        raise NotHere(address)
    return address
