"""Fetches of pages that a pick at the desk starts: in a process of its own, one at a time, never within a request."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from crawler.home import Home
from pipelines.newsroom.crawling.processes import begin_fetch
from pipelines.wording import Language


@dataclass
class PageFetches:
    """The stories whose pages are being fetched, or wait for it."""

    home: Home
    _waiting: dict[int, Language] = field(default_factory=dict)
    _running: frozenset[int] = frozenset()
    _child: subprocess.Popen[str] | None = None
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, story_ids: Iterable[int], language: Language) -> None:
        """Start to fetch the pages of stories, or let them wait for the fetch that runs.

        Args:
            story_ids: of picked stories.
            language: of the editor, for errors.
        """
        with self._lock:
            self._waiting |= dict.fromkeys((story for story in story_ids if story not in self._running), language)
            if self._child is None and self._waiting and not self._stopped:
                self._start()

    def list_running(self) -> frozenset[int]:
        """List the stories whose pages are not there yet."""
        with self._lock:
            return self._running | frozenset(self._waiting)

    def stop(self) -> None:
        """Terminate a running fetch; the desk calls it when it shuts down."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()

    def _start(self) -> None:
        language = next(iter(self._waiting.values()))
        self._running = frozenset(self._waiting)
        self._waiting.clear()
        self._child = begin_fetch(self.home, sorted(self._running), language)
        threading.Thread(target=self._wait, args=(self._child,), daemon=True).start()

    def _wait(self, child: subprocess.Popen[str]) -> None:
        child.communicate()
        with self._lock:
            self._child, self._running = None, frozenset()
            if self._waiting and not self._stopped:
                self._start()
