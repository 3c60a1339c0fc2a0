"""Groups what a crawl has stored while the crawl goes on, so that no slow site holds the candidates up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pipelines.newsroom import Newsroom
from pipelines.newsroom.run import group

PAUSE: Final = 10.0
"""Seconds from the end of a source to the grouping: several sources end together, and are grouped together."""

_GAP: Final = 0.1
"""Seconds between two transactions of a grouping, in which the crawl stores its batches."""

_LOG: Final = logging.getLogger(__name__)


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
