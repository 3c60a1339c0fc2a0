"""Starts commands of jianbao in processes of their own, watches over them, and says whose crawl died."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from crawler.errors import CrawlError, Detail, Failure
from crawler.home import Home
from pipelines.errors import describe_error
from pipelines.logs import make_extra
from pipelines.newsletter import NewsletterMisconfigured
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.starter import STARTER_VARIABLE
from pipelines.newsroom.stages.run import end_run
from pipelines.store import Store
from pipelines.store.errors import StoreError
from pipelines.store.queue import Lease
from pipelines.store.runs import Run
from pipelines.wording import Language, say

logger = logging.getLogger(__name__)

LARGEST_CRAWL: Final = 3 * 1024**3
"""Bytes of memory for the process of a crawl; a crawl of 150 sources takes a tenth of it."""

LONGEST_CRAWL_OF_ONE: Final = 15 * 60.0
"""Seconds after which the crawl of a single source is stopped, where the crawl of many died."""

DIED: Final = Failure("CrawlDied", Detail.of("died-alone"))
"""The failure of a source whose crawl died although it crawled no other source."""


def make_command(home: Home, language: Language, *arguments: str) -> tuple[str, ...]:
    """Make the command line by which a process of its own does something for a newsletter.

    Args:
        home: of the newsletter.
        language: of errors.
        arguments: the command's name, and its own.
    """
    options = ("--home", str(home.path), *(("--newsletter", home.name) if home.name else ()), "--lang", language)
    return (sys.executable, "-m", "pipelines.cli", *options, *arguments)


def begin_crawl(
    home: Home, sources: Sequence[str], language: Language, *, starter: int | None = None
) -> subprocess.Popen[str]:
    """Start to crawl sources in a process of its own; the process writes its report to stdout, as JSON.

    Args:
        home: of the newsletter.
        sources: ids.
        language: of errors on its stderr.
        starter: the file descriptor by which the process ends with this one; without it, it goes on alone.
    """
    return _begin_command(home, language, "crawl", "--json", *sources, starter=starter)


def begin_fetch(home: Home, story_ids: Iterable[int], language: Language) -> subprocess.Popen[str]:
    """Start to fetch the pages of stories in a process of its own; the process writes its report to stdout, as JSON.

    Args:
        home: of the newsletter.
        story_ids: of picked stories.
        language: of errors on its stderr.
    """
    return _begin_command(home, language, "fetch", "--json", *map(str, story_ids))


def begin_learning(home: Home, language: Language) -> subprocess.Popen[str]:
    """Start to group what is new and to learn from it, in a process of its own.

    Args:
        home: of the newsletter.
        language: of errors on its stderr.
    """
    return _begin_command(home, language, "group")


def _begin_command(
    home: Home, language: Language, *arguments: str, starter: int | None = None
) -> subprocess.Popen[str]:
    child = subprocess.Popen(  # noqa: S603 (our own command)
        make_command(home, language, *arguments),
        env=os.environ if starter is None else {**os.environ, STARTER_VARIABLE: str(starter)},
        pass_fds=() if starter is None else (starter,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _limit_memory(child.pid, LARGEST_CRAWL)
    return child


def run_crawl(
    command: Sequence[str],
    environment: Mapping[str, str],
    longest: float,
    *,
    wait: Callable[[float], bool],
    language: Language,
) -> None:
    """Run a crawl in a process of its own until it ends, is late or should stop.

    Args:
        command: its command line.
        environment: of the process.
        longest: seconds after which it is stopped.
        wait: waits so many seconds, and tells whether the crawl should stop.
        language: of the log.
    """
    with subprocess.Popen(command, env=environment, start_new_session=True) as child:  # noqa: S603 (ours)
        supervise(child, longest, wait=wait, language=language)


class Child(Protocol):
    """A process, as far as its supervisor knows it; `subprocess.Popen` is one."""

    @property
    def pid(self) -> int:
        """Its id."""

    def poll(self) -> int | None:
        """The exit code; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most so long: then `subprocess.TimeoutExpired` is raised."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """End it at once."""


def supervise(
    child: Child, longest: float, *, wait: Callable[[float], bool], language: Language, job: str = "crawl"
) -> int:
    """Wait until a crawl, or another job, ends, is late or should stop; it may have so much memory.

    Args:
        child: just started.
        longest: seconds after which it is stopped.
        wait: waits so many seconds, and tells whether the process should stop.
        language: of the log.
        job: what it does: a code of section `job` of the wording.

    Returns:
        The exit code; negative for a signal.
    """
    _limit_memory(child.pid, LARGEST_CRAWL)
    deadline = time.monotonic() + longest
    name = say(f"job/{job}", {}, language)
    while child.poll() is None:
        is_late = time.monotonic() > deadline
        if is_late:
            minutes = round(longest / 60)
            too_long = say("schedule/crawl-too-long", {"job": name, "minutes": minutes}, language)
            logger.error("%s", too_long, extra=make_extra("crawl-too-long", minutes=minutes))
        if wait(0.2) or is_late:
            child.send_signal(signal.SIGINT)
            _wait_or_kill(child)
    code = child.wait()
    if code:
        ended = say("schedule/crawl-ended", {"job": name, "code": code}, language)
        logger.warning("%s", ended, extra=make_extra("crawl-ended", code=code))
    return code


def _limit_memory(process: int, size: int) -> None:
    """Limit the memory of a child process, where the system can: beyond the limit it gets a MemoryError.

    Args:
        process: its id; it has just started.
        size: in bytes.
    """
    if hasattr(resource, "prlimit"):  # Linux
        with suppress(OSError, ValueError):  # the child has ended, or has a lower limit already
            resource.prlimit(process, resource.RLIMIT_DATA, (size, size))


def _wait_or_kill(child: Child, patience: float = 90.0) -> None:
    """Wait until a crawl has ended its open requests, which have their own time limit; kill it if it does not end."""
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def list_runs(home: Home, since: datetime, language: Language) -> list[Run]:
    """List the runs that began at a time or later; none, and a line in the log, where they cannot be read.

    Args:
        home: of the newsletter.
        since: aware.
        language: of the log.
    """
    try:
        newsroom = Newsroom(home)
        with closing(newsroom.store), newsroom.store.reading() as tx:
            return tx.runs.list_since(since)
    except (CrawlError, NewsletterMisconfigured, StoreError) as error:
        logger.error("%s", describe_error(error, language), extra=make_extra("runs-unknown"))
        return []


def blame(home: Home, run: Run, language: Language, lease: Lease | None = None) -> None:
    """Store that a source's crawl died although it crawled no other source, and say so.

    Args:
        home: of the newsletter.
        run: of the source; without an end.
        language: of the log.
        lease: of the worker that crawled it; None without a queue.
    """
    died = say("schedule/died-alone", {"source": run.source}, language)
    logger.error("%s", died, extra=make_extra("crawl-died", source=run.source, run=run.id))
    try:
        with closing(Store.open(home.database_url, lease=lease)) as store:
            end_run(store, run, DIED, datetime.now(UTC))
    except StoreError as error:
        logger.error("%s", describe_error(error, language), extra=make_extra("run-not-ended"))
