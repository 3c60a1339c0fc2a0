"""Hashes passwords with argon2, and limits how often somebody may guess one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipelines.errors import EditorError

SHORTEST: Final = 10
LONGEST: Final = 1000
"""Characters; the time of hashing grows with the length."""

GUESSES: Final = 5
WINDOW: Final = 300.0
"""Seconds in which `GUESSES` wrong passwords are allowed, for one name from any address and for one address."""

_MOST_REMEMBERED: Final = 10_000

_hasher: Final = PasswordHasher()
_NOBODY: Final = _hasher.hash("nobody has this password")
"""Verified for an unknown user, so that the time of the answer does not reveal which users exist."""


class TooShort(EditorError):
    """A password that is too short, or too long to hash."""


def hash_password(password: str) -> str:
    """Hash a password for the store.

    Raises:
        TooShort: the password has fewer than `SHORTEST` characters, or more than `LONGEST`.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise TooShort("password-length", shortest=SHORTEST, longest=LONGEST)
    return _hasher.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Whether a password fits a stored hash; None stands for a user that does not exist."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


class Guesses:
    """Counts failed logins, by user and by address, in this process.

    >>> guesses = Guesses(clock=lambda: 0.0)
    >>> [guesses.are_allowed("1.2.3.4") for _ in range(GUESSES) if guesses.note_failure("1.2.3.4") is None][-1]
    False
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def are_allowed(self, *keys: str) -> bool:
        """Whether each key has fewer than `GUESSES` failures in the last `WINDOW` seconds."""
        with self._lock:
            return all(len(self._find_recent(key)) < GUESSES for key in keys)

    def note_failure(self, *keys: str) -> None:
        """Count a failed login for each key."""
        with self._lock:
            if len(self._failed) > _MOST_REMEMBERED:
                self._failed = {key: times for key in list(self._failed) if (times := self._find_recent(key))}
            for key in keys:
                self._failed.setdefault(key, deque(maxlen=GUESSES)).append(self._clock())

    def _find_recent(self, key: str) -> deque[float]:
        times = self._failed.get(key, deque())
        while times and times[0] < self._clock() - WINDOW:
            times.popleft()
        return times
