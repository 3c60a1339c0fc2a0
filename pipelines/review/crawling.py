"""Crawls that an editor starts at the desk: one at a time, in a process of its own, with its progress."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from crawler.home import Home
from pipelines.newsroom.crawling.processes import begin_crawl
from pipelines.store import Store
from pipelines.wording import Language

_TAIL: Final = 2000
"""Characters of stderr that the desk keeps of a failed crawl."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a crawl; its fields are the answer of `GET /api/crawl`.

    Args:
        running: whether its process still runs.
        sources: ids of the sources to crawl.
        done: ids of the sources whose run has ended.
        new: number of new articles so far.
        failed: the end of its stderr, where the process failed without a report.
    """

    running: bool
    sources: tuple[str, ...]
    done: tuple[str, ...]
    new: int
    failed: str | None


@dataclass
class Crawls:
    """The newest crawl that this desk started, if any."""

    home: Home
    _child: subprocess.Popen[str] | None = None
    _sources: tuple[str, ...] = ()
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failure: str | None = None

    def begin(self, sources: Sequence[str], language: Language) -> bool:
        """Start to crawl sources; return False while another crawl of this desk runs.

        Args:
            sources: ids.
            language: of the editor, for the errors of the crawl.
        """
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                return False
            self._sources, self._began, self._failure = tuple(sources), datetime.now(UTC), None
            self._child = begin_crawl(self.home, sources, language)
            threading.Thread(target=self._wait, args=(self._child,), daemon=True).start()
            return True

    def read_progress(self, store: Store) -> Progress:
        """Read the progress of the newest crawl from the store."""
        with self._lock:
            child, sources, began, failure = self._child, self._sources, self._began, self._failure
        running = child is not None and child.poll() is None
        with store.reading() as tx:
            runs = [run for run in tx.runs.list_since(began) if run.source in sources] if child else []
        finished = tuple(run.source for run in runs if run.finished_at)
        return Progress(running, sources, finished, sum(run.new for run in runs), failure)

    def _wait(self, child: subprocess.Popen[str]) -> None:
        report, errors = child.communicate()
        with self._lock:
            if child is self._child and child.returncode and not report.strip():
                self._failure = " ".join(errors.split())[-_TAIL:]

    def stop(self) -> None:
        """Terminate a running crawl; the desk calls it when it shuts down."""
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()
