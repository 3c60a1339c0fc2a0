"""Passwords, as argon2 hashes; and how often somebody may guess."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
LONGEST: Final = 1000
"""Characters: hashing takes time that grows with the length."""

GUESSES: Final = 5
WINDOW: Final = 300.0
"""Seconds in which somebody may guess so often: a name from anywhere, or an address whatever the name."""

_MOST_REMEMBERED: Final = 10_000

_hasher: Final = PasswordHasher()
_NOBODY: Final = _hasher.hash("nobody has this password")
"""What is verified where there is no such user, so that an answer's time does not tell."""


class TooShort(Exception):
    """A password that could be guessed."""


def hashed(password: str) -> str:
    """The hash to store.

    Raises:
        TooShort: fewer than `SHORTEST` characters, or more than `LONGEST`.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise TooShort(f"密码要有 {SHORTEST} 到 {LONGEST} 个字符")
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the one that was hashed; None stands for a user that does not exist."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


class Guesses:
    """Counts failed logins, by user and by address, in this process.

    >>> guesses = Guesses(clock=lambda: 0.0)
    >>> [guesses.allowed("1.2.3.4") for _ in range(GUESSES) if guesses.failed("1.2.3.4") is None][-1]
    False
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def allowed(self, *keys: str) -> bool:
        """Whether none of the keys has failed too often lately."""
        with self._lock:
            return all(len(self._recent(key)) < GUESSES for key in keys)

    def failed(self, *keys: str) -> None:
        """Note that a login failed."""
        with self._lock:
            if len(self._failed) > _MOST_REMEMBERED:
                self._failed = {key: times for key in list(self._failed) if (times := self._recent(key))}
            for key in keys:
                self._failed.setdefault(key, deque(maxlen=GUESSES)).append(self._clock())

    def _recent(self, key: str) -> deque[float]:
        times = self._failed.get(key, deque())
        while times and times[0] < self._clock() - WINDOW:
            times.popleft()
        return times
