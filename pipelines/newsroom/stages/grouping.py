"""Groups what a crawl has stored while it goes on: no slow site holds the candidates up. And follows a house."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.following import is_behind
from pipelines.newsroom.stages.run import group

PAUSE: Final = 10.0
"""Seconds from the end of a source to the grouping: several sources end together, and are grouped together."""

_GAP: Final = 0.1
"""Seconds between two transactions of a grouping, in which the crawl stores its batches."""

_LOG: Final = logging.getLogger(__name__)


FOLLOWED_EVERY: Final = 5.0
"""Seconds after which the desk of a further newsletter looks for what its house has made."""


@contextmanager
def follow_beside(newsroom: Newsroom, pause: float = FOLLOWED_EVERY) -> Iterator[None]:
    """Grade in a thread what the house of a further newsletter makes, while the context lasts; a house needs none.

    Args:
        newsroom: whose stories are graded.
        pause: seconds between two looks.
    """
    if not newsroom.is_further:
        yield
        return
    stopping = threading.Event()

    def work() -> None:
        while not stopping.is_set():
            try:
                if is_behind(newsroom.store):
                    group(newsroom.store, newsroom.group_rules, lock=newsroom.home.var / "learning.lock")
            except Exception:  # the desk goes on with what is graded; the next look tries again
                _LOG.exception("the stories of the house were not graded")
            stopping.wait(pause)

    thread = threading.Thread(target=work, name="following", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def group_beside(newsroom: Newsroom, pause: float = PAUSE) -> Iterator[Callable[[], None]]:
    """Group new articles in a thread while the context lasts. What comes after its last grouping stays ungrouped.

    Args:
        newsroom: whose articles are grouped.
        pause: seconds from the end of a source to the grouping.

    Yields:
        A function to call at the end of each source.
    """
    ended, stopping = threading.Event(), threading.Event()

    def work() -> None:
        while ended.wait() and not stopping.wait(pause):
            ended.clear()
            try:
                group(newsroom.store, newsroom.group_rules, lambda _count, _total: time.sleep(_GAP))
            except Exception:  # the grouping after the crawl meets the same error, and reports it
                _LOG.exception("articles were not grouped beside the crawl")
                return

    thread = threading.Thread(target=work, name="grouping", daemon=True)
    thread.start()
    try:
        yield ended.set
    finally:
        stopping.set()
        ended.set()
        thread.join()
