"""Starts commands in processes that begin as a copy of one that has all modules: a short crawl was mostly imports.

The process to copy is Python's own fork server (https://docs.python.org/3/library/multiprocessing.html). It has one
thread, runs nothing, and ends with the process that started it.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

MODULES: Final = (
    "pipelines.cli",
    "pipelines.cli.crawling",
    "pipelines.newsroom.crawling.crawls",
    "pipelines.newsroom.crawling.retention",
    "pipelines.newsroom.watching.health",
    "pipelines.newsroom.crawling.queue",
    "pipelines.newsroom.stages.division",
    "crawler.network.door",
    "crawler.spiders.feed",
    "crawler.pages.feed",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
)
"""What a crawl and a grouping load. None of them starts a thread, opens a file or chooses Twisted's reactor."""


class PreloadedCommand:
    """A command that runs; of `subprocess.Popen`, what a supervisor needs.

    Args:
        arguments: of `jianbao`.
        environment: of the process, complete.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(MODULES))
        self._process = context.Process(target=_run, args=(tuple(arguments), dict(environment)))
        self._process.start()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("jianbao", timeout or 0)
        return self.returncode

    def send_signal(self, number: int, /) -> None:
        """Send it a signal; nothing happens after its end."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def find_starter() -> int:
    """The file descriptor that becomes readable at the end of the process that started this one by `PreloadedCommand`.

    Raises:
        RuntimeError: none did.
    """
    starter = multiprocessing.parent_process()
    if starter is None:
        raise RuntimeError("only a worker's process has a lease")
    return starter.sentinel


def _run(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    from pipelines import cli

    os.setsid()  # Ctrl-C is the worker's
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["jianbao", *arguments]
    cli.main()
