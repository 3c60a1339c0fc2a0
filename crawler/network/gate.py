"""One line for each host, for the whole process: who asks next, and when.

Scrapy's delays belong to one crawler, and a process runs one crawler for each kind of source. The lines here are shared
by all of them, so a mirror that serves feeds of three kinds still sees one request at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from crawler.errors import FetchFailed, RateLimited

GIVES_UP_AFTER: Final = 3
"""Failures to connect, one after another, until a host counts as down for the rest of the process's life. As many as
one request has attempts: a dead mirror costs one source's time, not a hundred sources'."""

CLOSES_AFTER: Final = 2
"""Refusals, one after another, until a host is left alone: one may be about a single feed of an aggregator."""

_STEP: Final = 0.5
"""Seconds; how soon a waiting request notices that the crawl is being stopped."""


class NotAsked(FetchFailed):
    """This request was not made: its host is down, or the crawl is being stopped. Raised by `Gate`."""


@dataclass(slots=True)
class _Line:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


@dataclass(slots=True)
class _Host:
    refusals: int = 0
    closed: tuple[float, datetime] | None = None


class Gate:
    """Lines of requests, by name. All times are seconds of `clock`.

    Args:
        clock, sleep: other ones in tests.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._failures: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(
        self, lane: str, host: str, delay: float, stopping: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[None]:
        """Wait for one's turn and keep it: the next may start `delay` seconds after this one did, and when it is done.

        Args:
            lane: the line's name (`Policy.lane`).
            host: `host:port` that is asked; a line may have several.
            stopping: asked while waiting.

        Raises:
            RateLimited: the host has asked, meanwhile, to be left alone for long.
            NotAsked: the host is down, or the crawl is being stopped.
        """
        line = self._lines[lane]
        async with line.turn:
            while (seconds := line.free_at - self._clock()) > 0 and not stopping():
                self._refuse(host)
                await self._sleep(min(seconds, _STEP))
            if stopping():
                raise NotAsked("crawl-stopping")
            self._refuse(host)
            line.free_at = self._clock() + delay
            yield

    def _refuse(self, host: str) -> None:
        closed = self._hosts[host].closed
        if closed and self._clock() < closed[0]:
            raise RateLimited("left-alone", retry_at=closed[1])
        if self._failures[host] >= GIVES_UP_AFTER:
            raise NotAsked("host-down", host=host, count=GIVES_UP_AFTER)

    def hold(self, lane: str, seconds: float) -> None:
        """Let nobody in this line start within so many seconds."""
        line = self._lines[lane]
        line.free_at = max(line.free_at, self._clock() + seconds)

    def refused(self, host: str, seconds: float, until: datetime) -> None:
        """Note that a host asked to come back later; after two such answers in a row it is left alone.

        The other hosts of its line go on: arXiv's API may refuse while its feeds answer.

        Args:
            host: `host:port` that answered.
            seconds: from now, how long the host asks to wait.
            until: aware; the same as a time, for the message.
        """
        refusing = self._hosts[host]
        refusing.refusals += 1
        if refusing.refusals >= CLOSES_AFTER:
            refusing.closed = (self._clock() + seconds, until)

    def close(self, host: str, seconds: float, until: datetime) -> None:
        """Leave a host alone at once, because it asked an earlier process to come back later.

        Args:
            host: `host:port`.
            seconds: from now.
            until: aware; the same as a time, for the message.
        """
        self._hosts[host].closed = (self._clock() + seconds, until)

    def failed(self, host: str) -> None:
        """A connection to the host failed, or broke off."""
        self._failures[host] += 1

    def answered(self, host: str, status: int) -> None:
        """Note that the host answered.

        Args:
            host: `host:port` that answered.
            status: HTTP status; one below 400 ends a series of refusals.
        """
        del self._failures[host]
        if status < 400:
            self._hosts[host].refusals = 0


GATE: Final = Gate()
"""The process's own."""
