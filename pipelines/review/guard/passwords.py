"""Hashes passwords with argon2, and limits how often somebody may guess one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipelines.errors import EditorError

SHORTEST: Final = 10
LONGEST: Final = 1000
"""Characters; the time of hashing grows with the length."""

GUESSES: Final = 5
WINDOW: Final = 300.0
"""Seconds in which `GUESSES` wrong passwords are allowed from one address."""

CHECKED_AT_ONCE: Final = 2
"""Passwords; argon2 takes 64 MB and a tenth of a second for one, so guesses from many addresses come to 20 a second."""

_MOST_REMEMBERED: Final = 10_000

_checking: Final = threading.BoundedSemaphore(CHECKED_AT_ONCE)
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
        with _checking:
            return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


class Guesses:
    """Counts failed logins by address, in this process.

    An attempt counts before its password is checked, and no longer once the password was right: so parallel attempts
    are counted too. A user's name has no limit, since anybody could lock the user out with it.

    >>> guesses = Guesses(clock=lambda: 0.0)
    >>> [guesses.begin("1.2.3.4") for _ in range(GUESSES + 1)]
    [True, True, True, True, True, False]
    >>> guesses.forgive("1.2.3.4")
    >>> guesses.begin("1.2.3.4")
    True
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._attempts: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def begin(self, address: str) -> bool:
        """Count an attempt, if the address has fewer than `GUESSES` in the last `WINDOW` seconds.

        Returns:
            Whether the password may be checked.
        """
        network = _network_of(address)
        with self._lock:
            if len(self._attempts) > _MOST_REMEMBERED:
                self._attempts = {key: times for key in list(self._attempts) if (times := self._find_recent(key))}
            attempts = self._find_recent(network)
            if len(attempts) >= GUESSES:
                return False
            attempts.append(self._clock())
            self._attempts[network] = attempts
            return True

    def forgive(self, address: str) -> None:
        """Take an attempt back, because its password was right."""
        with self._lock:
            if attempts := self._find_recent(_network_of(address)):
                attempts.pop()

    def _find_recent(self, network: str) -> deque[float]:
        times = self._attempts.get(network, deque())
        while times and times[0] < self._clock() - WINDOW:
            times.popleft()
        return times


def _network_of(address: str) -> str:
    """The address; of IPv6, the network of 64 bits that one customer has.

    >>> _network_of("10.1.2.3"), _network_of("2001:db8::7"), _network_of("::ffff:10.1.2.3"), _network_of("")
    ('10.1.2.3', '2001:db8::/64', '10.1.2.3', '')
    """
    try:
        parsed = ip_address(address.split("%", 1)[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)
