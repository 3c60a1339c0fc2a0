"""Who uses the desk: a cookie for each browser, a token for its pages, a session for each user."""

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

from pipelines.review.guard.passwords import Guesses, verify_password
from pipelines.store import Store

COOKIE: Final = "jianbao_desk"
SESSION: Final = timedelta(days=14)
TOKEN_HEADER: Final = "x-csrf-token"  # noqa: S105 - a header's name
TOKEN_FIELD: Final = "csrf"  # noqa: S105 - a field's name

_TOKEN_LENGTHS: Final = range(40, 60)


class TooManyGuesses(Exception):
    """Too many wrong passwords from an address."""


class ForeignAddress(Exception):
    """An address to continue at that is not a page of the desk."""


@dataclass(frozen=True)
class Access:
    """The access rules of one desk.

    Args:
        key: signs the tokens; it outlives a restart, so that open pages go on working.
        login: whether users must log in.
        editor: the editor's name on a desk without login.
        guesses: counts the wrong passwords by address.
    """

    key: bytes
    login: bool
    editor: str
    guesses: Guesses = field(default_factory=Guesses)

    def read_cookie(self, request: Request) -> str | None:
        """Read the browser's cookie; None where it has none, or one that the desk cannot have made."""
        cookie = request.cookies.get(COOKIE, "")
        return cookie if len(cookie) in _TOKEN_LENGTHS and cookie.isascii() else None

    def make_token(self, browser: str) -> str:
        """Make the token that the pages of a browser send back."""
        return hmac.new(self.key, browser.encode(), hashlib.sha256).hexdigest()

    def verify_token(self, browser: str | None, token: str) -> bool:
        """Whether a token belongs to a browser."""
        return browser is not None and hmac.compare_digest(self.make_token(browser).encode(), token.encode())

    def find_user(self, store: Store, browser: str | None, now: datetime) -> str | None:
        """Find the user of a browser.

        Args:
            store: holds the sessions.
            browser: its cookie.
            now: sessions that ended earlier do not count.

        Returns:
            The user's name; None before the login.
        """
        if not self.login:
            return self.editor
        if browser is None:
            return None
        with store.reading() as tx:
            return tx.users.find_by_session(hash_cookie(browser), now)

    def log_in(self, store: Store, name: str, password: str, address: str, now: datetime) -> str | None:
        """Check a password and open a session.

        Args:
            store: holds users and sessions.
            name: the user's.
            password: as the user typed it.
            address: of the browser; wrong passwords count for it.
            now: the session lasts `SESSION` from now.

        Returns:
            The browser's new cookie; None where name or password are wrong.

        Raises:
            TooManyGuesses: too many wrong passwords lately; this password was not checked.
        """
        if not self.guesses.begin(address):
            raise TooManyGuesses
        with store.reading() as tx:
            stored = tx.users.get_password_hash(name)
        if not verify_password(password, stored):
            return None
        self.guesses.forgive(address)
        browser = make_browser_cookie()
        with store.transaction() as tx:
            tx.users.open_session(hash_cookie(browser), name, now, now + SESSION)
        return browser


def make_browser_cookie() -> str:
    """Make a random cookie for a browser that has none."""
    return secrets.token_urlsafe(32)


def hash_cookie(browser: str) -> bytes:
    """Hash a cookie for the store: the hash recognises the cookie, and nobody can use it as one."""
    return hashlib.sha256(browser.encode()).digest()


def set_browser_cookie(response: Response, browser: str, *, secure: bool) -> None:
    """Set the browser's cookie in a response.

    Args:
        response: to change.
        browser: the cookie's value.
        secure: whether the browser sends it by HTTPS alone.
    """
    response.set_cookie(
        COOKIE,
        browser,
        max_age=int(SESSION.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",  # a link from elsewhere opens the desk logged in; a form from elsewhere lacks the token
    )


def load_key(path: Path) -> bytes:
    """Load the key of a newsroom's desk; the first call makes it, in a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if len(key := path.read_bytes()) >= 32:
            return key
        path.unlink()
        return load_key(path)
    key = secrets.token_bytes(32)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    return key


def check_own_path(address: str) -> str:
    """Check that an address is a path on the desk, and return it.

    Raises:
        ForeignAddress: the address leads to another site, or a browser could read it so.

    >>> check_own_path("/issue?date=2026-01-01")
    '/issue?date=2026-01-01'
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ForeignAddress(address) from error
    printable = address.isprintable() and address.isascii() and "\\" not in address and " " not in address
    if not printable or parts.scheme or parts.netloc or not address.startswith("/") or address.startswith("//"):
        raise ForeignAddress(address)
    return address
