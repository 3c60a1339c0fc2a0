"""Waits in tests for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

MOST_SECONDS: Final = 100
"""Less than the limit of one test (`timeout` in pyproject.toml). No test depends on it: what happens by then is waited
for, however slow the machine is."""


class NeverHappened(Exception):
    """The condition never held: the test could not begin, or what it started hangs."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds.

    Raises:
        NeverHappened: after `MOST_SECONDS`.
    """
    give_up_at = time.monotonic() + MOST_SECONDS
    while not condition():
        if time.monotonic() > give_up_at:
            raise NeverHappened(f"waited {MOST_SECONDS} seconds for {condition}")
        time.sleep(0.01)
