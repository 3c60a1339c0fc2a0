"""Crawls that an editor asked for: one at a time, in a process of its own, and how far it has come."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from crawler.home import Home
from pipelines.newsroom.schedule import begin_crawl
from pipelines.store import Store

_TAIL: Final = 2000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a crawl is.

    Args:
        running: whether it still runs.
        sources: those asked for.
        done: those whose run has ended.
        new: articles so far.
        failed: what it said when it ended otherwise than well.
    """

    running: bool
    sources: tuple[str, ...]
    done: tuple[str, ...]
    new: int
    failed: str | None


@dataclass
class Crawls:
    """The crawl that this desk began, if any."""

    home: Home
    _child: subprocess.Popen[str] | None = None
    _sources: tuple[str, ...] = ()
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _said: str | None = None

    def begin(self, sources: Sequence[str]) -> bool:
        """Start to crawl sources; False while another crawl of this desk runs."""
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                return False
            self._sources, self._began, self._said = tuple(sources), datetime.now(UTC), None
            self._child = begin_crawl(self.home, sources)
            threading.Thread(target=self._wait, args=(self._child,), daemon=True).start()
            return True

    def progress(self, store: Store) -> Progress:
        """How far it is."""
        with self._lock:
            child, sources, began, said = self._child, self._sources, self._began, self._said
        running = child is not None and child.poll() is None
        with store.reading() as tx:
            runs = [run for run in tx.runs.list_since(began) if run.source in sources] if child else []
        done = tuple(run.source for run in runs if run.finished_at)
        return Progress(running, sources, done, sum(run.new for run in runs), said)

    def _wait(self, child: subprocess.Popen[str]) -> None:
        report, words = child.communicate()
        with self._lock:
            if child is self._child and child.returncode and not report.strip():
                self._said = " ".join(words.split())[-_TAIL:]

    def wait(self, seconds: float) -> None:
        """Wait for it to end, at most so long."""
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)

    def stop(self) -> None:
        """End a crawl that runs, when the desk itself ends."""
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()
