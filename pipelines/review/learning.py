"""Learning that follows an act at the desk: in a process of its own, told in the foot of every page.

To publish an issue, or to take that back, changes what the newsroom learns from. Training takes minutes in a large
store; the editor who published does not wait for it.
"""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from crawler.home import Home
from pipelines.newsroom.crawling.processes import begin_learning
from pipelines.wording import Language

_TAIL: Final = 300
"""Characters of stderr that the foot of a page shows."""


@dataclass(frozen=True, slots=True)
class LearningState:
    """How far the learning of this desk is.

    Args:
        state: `idle` before the first learning of this desk; `failed` if its process ended with an error.
        ended_at: aware; None unless it ended.
        reason: the end of its stderr, or its exit code, if it failed.
    """

    state: Literal["idle", "running", "done", "failed"]
    ended_at: datetime | None = None
    reason: str = ""


@dataclass
class Learning:
    """The learning that this desk started last. Two processes never learn at once: they lock a file."""

    home: Home
    _child: subprocess.Popen[str] | None = None
    _again: Language | None = None
    _state: LearningState = LearningState("idle")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, language: Language) -> None:
        """Start to learn; if a process of this desk learns already, another follows it.

        Args:
            language: of the editor, for the errors of the process.
        """
        with self._lock:
            if self._child is None:
                self._start(language)
            else:
                self._again = language

    def read_state(self) -> LearningState:
        """Read the state of the learning that was started last."""
        with self._lock:
            return self._state

    def stop(self) -> None:
        """Terminate a running process; the desk calls it when it shuts down. The next grouping learns instead."""
        with self._lock:
            self._again = None
            if self._child is not None:
                self._child.terminate()

    def _start(self, language: Language) -> None:
        self._child = begin_learning(self.home, language)
        self._state = LearningState("running")
        threading.Thread(target=self._wait, args=(self._child,), daemon=True).start()

    def _wait(self, child: subprocess.Popen[str]) -> None:
        _, errors = child.communicate()
        with self._lock:
            self._child = None
            now = datetime.now(UTC)
            if child.returncode:
                reason = " ".join(errors.split())[-_TAIL:] or f"exit code {child.returncode}"
                self._state = LearningState("failed", now, reason)
            else:
                self._state = LearningState("done", now)
            if self._again:
                language, self._again = self._again, None
                self._start(language)
