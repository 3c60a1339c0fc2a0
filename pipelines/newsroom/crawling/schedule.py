"""Runs the process that crawls due sources, at the times that `due` computes. All state is in the store."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from crawler.errors import CrawlError, Detail, Failure
from crawler.home import HOME_VARIABLE, NEWSLETTER_VARIABLE, SOURCES_VARIABLE, Home
from crawler.sources.file import Mistake, load_sources
from crawler.sources.schema import Source
from pipelines import files
from pipelines.errors import describe_error, describe_mistake
from pipelines.logs import is_json, log_event, make_extra
from pipelines.newsletter import NewsletterMisconfigured
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.starter import STARTER_VARIABLE
from pipelines.newsroom.locks import only_one
from pipelines.newsroom.service import ServiceManager
from pipelines.newsroom.stages.run import end_run
from pipelines.newsroom.watching.alerts import deliver_alerts
from pipelines.newsroom.watching.due import due_at
from pipelines.store import Store
from pipelines.store.errors import StoreError
from pipelines.store.queue import Lease
from pipelines.store.runs import Run
from pipelines.store.sources import SourceRecord
from pipelines.wording import Language, say

if TYPE_CHECKING:
    from pipelines.newsroom.crawling.queue import Queue

logger = logging.getLogger(__name__)

LARGEST_CRAWL: Final = 3 * 1024**3
"""Bytes of memory for the process of a crawl; a crawl of 150 sources takes a tenth of it."""

LONGEST_CRAWL: Final = 3 * 3600.0
"""Seconds after which a crawl is stopped; what it has not read is due again soon."""

LONGEST_CRAWL_OF_ONE: Final = 15 * 60.0
"""Seconds after which the crawl of a single source is stopped, where the crawl of many died."""

DIED: Final = Failure("CrawlDied", Detail.of("died-alone"))
"""The failure of a source whose crawl died although it crawled no other source."""


def due_sources(newsroom: Newsroom, sources: Iterable[Source], now: datetime) -> list[Source]:
    """Select the sources that are due, in the given order.

    A source during whose runs the process died twice in a row waits until no other source is due, and is then selected
    alone: it may be what the process dies of. So is a source that is known to end its process.

    Args:
        newsroom: with the records of the last runs.
        sources: of the registry.
        now: aware.
    """
    with newsroom.store.reading() as tx:
        records = tx.sources.list_all()
    newsletter = str(newsroom.home.path.resolve())
    due = [
        source for source in sources if due_at(source, records.get(source.id), now, newsroom.zone, newsletter) <= now
    ]
    apart = _select_deadly(due, records)
    return [source for source in due if source not in apart] or apart[:1]


def find_deadly_sources(newsroom: Newsroom, sources: Iterable[Source]) -> list[Source]:
    """Find the sources of which a crawl may die: it died twice in a row before their end, or once while alone.

    Args:
        newsroom: with the records of the last runs.
        sources: of the registry.
    """
    with newsroom.store.reading() as tx:
        records = tx.sources.list_all()
    return _select_deadly(sources, records)


def _select_deadly(sources: Iterable[Source], records: Mapping[str, SourceRecord]) -> list[Source]:
    return [source for source in sources if source.id in records and _kills_its_process(records[source.id])]


def _kills_its_process(record: SourceRecord) -> bool:
    is_proven = record.failure is not None and record.failure.error == DIED.error
    return is_proven or (record.is_unfinished and record.failures_in_row > 0)


class Scheduler:
    """Runs `crawl --due` whenever a source is due or an article waits to be grouped.

    Each crawl has a process of its own, because Twisted's reactor cannot run twice in one process. One process crawls
    all due sources, since sources of one host wait for each other in it. Where it dies, each source that it had not
    finished is crawled at once in a process of its own, so that a document that ends its process costs no other source
    its articles, and the source of the document gets the failure.

    Args:
        home: the newsletter's folder; its files are read again at each check.
        interval: seconds between two checks.
        command: the crawl's command line; tests pass another.
        language: of the log.
        longest: seconds after which a crawl is stopped.
        queue: gets what is due, for workers; without one, it is crawled here.
    """

    def __init__(
        self,
        home: Home,
        interval: float = 60.0,
        command: Sequence[str] | None = None,
        language: Language = "zh",
        *,
        longest: float = LONGEST_CRAWL,
        queue: Queue | None = None,
    ) -> None:
        self._home = home
        self._queue = queue
        self._longest = longest
        self._interval = interval
        self._crawl_command = make_command(home, language, "crawl")
        self._command = command or (*self._crawl_command, "--due")
        self._language: Language = language
        self._mistakes: tuple[Mistake, ...] = ()
        self._stop = threading.Event()
        self._manager = ServiceManager()

    def run(self) -> None:
        """Check, crawl and wait, until SIGTERM or SIGINT; a running crawl is stopped cleanly before the end.

        Raises:
            Busy: another scheduler runs already.
        """
        with only_one(self._home.var / "schedule.lock", "scheduling", datetime.now(UTC)):
            former_handlers = {
                number: signal.signal(number, self._stopped) for number in (signal.SIGTERM, signal.SIGINT)
            }
            try:
                self._manager.tell("READY=1")
                log_event(logging.INFO, "schedule-began", process=os.getpid())
                while not self._stop.is_set():
                    self._manager.beat()
                    self._take_care()
                    self._send_alerts()
                    self._stop.wait(self._interval)
            finally:
                self._manager.tell("STOPPING=1")
                for number, handler in former_handlers.items():
                    signal.signal(number, handler)

    def _take_care(self) -> None:
        """Crawl what is due and group what is new, here or by way of the queue."""
        due, is_grouping_due = self._find_work()
        if self._queue is not None:
            try:
                self._queue.fill([source.id for source in due], is_grouping_due=is_grouping_due)
            except (CrawlError, StoreError) as error:
                logger.error("%s", describe_error(error, self._language), extra=make_extra("nothing-enqueued"))
        elif due or is_grouping_due:
            self._crawl()

    def _send_alerts(self) -> None:
        """Send the alerts that wait: a channel that was down is tried again though nothing is due."""
        try:
            newsroom = Newsroom(self._home)
            if newsroom.newsletter.alerts.channels:
                with closing(newsroom.store):
                    deliver_alerts(newsroom, datetime.now(UTC), self._language)
        except (NewsletterMisconfigured, StoreError) as error:
            logger.error("%s", describe_error(error, self._language), extra=make_extra("alerts-not-sent"))

    def _stopped(self, number: int, _frame: object) -> None:
        name = signal.Signals(number).name
        ending = say("schedule/ending", {"signal": name}, self._language)
        logger.info("%s", ending, extra=make_extra("schedule-ending", signal=name))
        self._stop.set()

    def _find_work(self) -> tuple[list[Source], bool]:
        """The sources that are due, and whether an interrupted command left articles that are not grouped."""
        try:
            newsroom = Newsroom(self._home)
            enabled = [source for source in self._read_sources(newsroom) if source.enabled]
            with closing(newsroom.store):
                with newsroom.store.reading() as tx:
                    ungrouped = tx.articles.list_fresh(limit=1)
                return due_sources(newsroom, enabled, datetime.now(UTC)), bool(ungrouped)
        except (CrawlError, NewsletterMisconfigured, StoreError) as error:
            logger.error("%s", describe_error(error, self._language), extra=make_extra("nothing-crawled"))
            return [], False

    def _read_sources(self, newsroom: Newsroom) -> Sequence[Source]:
        """Read the sources. While sources.toml is of no use, say so once, and read the copy of the last one that was.

        The copy lies in a file, so that the process of the crawl reads it too, and a scheduler that starts later.
        """
        registry = newsroom.registry
        if registry.sources or not registry.mistakes:
            if self._mistakes:
                again = say("schedule/registry-again", {}, self._language)
                logger.info("%s", again, extra=make_extra("registry-again"))
            self._mistakes = ()
            if registry.sources and not _have_same_bytes(self._home.sources, self._home.last_sources):
                files.write(self._home.last_sources, self._home.sources.read_text(encoding="utf-8"))
            return registry.sources
        if registry.mistakes != self._mistakes:
            self._mistakes = registry.mistakes
            code = "schedule/no-registry" if self._home.last_sources.is_file() else "schedule/no-registry-yet"
            mistakes = [describe_mistake(mistake, self._language) for mistake in registry.mistakes[:3]]
            unusable = say(code, {"mistakes": mistakes}, self._language)
            logger.error("%s", unusable, extra=make_extra("registry-unusable", mistakes=mistakes))
        return load_sources(self._home, path=self._home.last_sources).sources

    def _crawl(self) -> None:
        """Crawl what is due; crawl each source that was left unfinished alone, and note those that die alone."""
        began_at = datetime.now(UTC)
        self._run_crawl(self._command, self._longest)
        runs = self._list_runs(began_at)
        dead_runs = [run for run in runs if run.finished_at is None]
        if dead_runs and len(runs) == 1:
            blame(self._home, dead_runs[0], self._language)
            return
        for run in dead_runs:
            if self._stop.is_set():
                return
            alone_at = datetime.now(UTC)
            self._run_crawl((*self._crawl_command, run.source), min(self._longest, LONGEST_CRAWL_OF_ONE))
            for run_alone in self._list_runs(alone_at):
                if run_alone.finished_at is None:
                    blame(self._home, run_alone, self._language)

    def _list_runs(self, since: datetime) -> list[Run]:
        """List the runs that began at a time or later; none while the schedule stops, since their end is not theirs."""
        return [] if self._stop.is_set() else list_runs(self._home, since, self._language)

    def _run_crawl(self, command: Sequence[str], longest: float) -> None:
        """Run a crawl in a process of its own until it ends, is late or the schedule stops.

        Args:
            command: its command line.
            longest: seconds after which it is stopped.
        """
        environment = {**os.environ, HOME_VARIABLE: str(self._home.path), NEWSLETTER_VARIABLE: ""}
        if self._mistakes and self._home.last_sources.is_file():
            environment[SOURCES_VARIABLE] = str(self._home.last_sources)
        run_crawl(command, environment, longest, wait=self._wait_and_beat, language=self._language)

    def _wait_and_beat(self, seconds: float) -> bool:
        self._manager.beat()
        return self._stop.wait(seconds)


def make_command(home: Home, language: Language, *arguments: str) -> tuple[str, ...]:
    """Make the command line by which a process of its own does something for a newsletter.

    Args:
        home: of the newsletter.
        language: of errors.
        arguments: the command's name, and its own.
    """
    options = ("--home", str(home.path), *(("--newsletter", home.name) if home.name else ()), "--lang", language)
    return (sys.executable, "-m", "pipelines.cli", *options, *arguments)


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


def supervise(child: Child, longest: float, *, wait: Callable[[float], bool], language: Language) -> int:
    """Wait until a crawl ends, is late or should stop; it may have so much memory.

    Args:
        child: just started.
        longest: seconds after which it is stopped.
        wait: waits so many seconds, and tells whether the crawl should stop.
        language: of the log.

    Returns:
        The exit code; negative for a signal.
    """
    _limit_memory(child.pid, LARGEST_CRAWL)
    deadline = time.monotonic() + longest
    while child.poll() is None:
        is_late = time.monotonic() > deadline
        if is_late:
            minutes = round(longest / 60)
            too_long = say("schedule/crawl-too-long", {"minutes": minutes}, language)
            logger.error("%s", too_long, extra=make_extra("crawl-too-long", minutes=minutes))
        if wait(0.2) or is_late:
            child.send_signal(signal.SIGINT)
            _wait_or_kill(child)
    code = child.wait()
    if code:
        ended = say("schedule/crawl-ended", {"code": code}, language)
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


def _have_same_bytes(path: Path, copy: Path) -> bool:
    return copy.is_file() and copy.read_bytes() == path.read_bytes()


def _wait_or_kill(child: Child, patience: float = 90.0) -> None:
    """Wait until a crawl has ended its open requests, which have their own time limit; kill it if it does not end."""
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


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


def serve(newsroom: Newsroom, language: Language, *, queue: Queue | None = None) -> int:
    """Run `jianbao schedule` until a signal stops it.

    Args:
        newsroom: whose sources are crawled.
        language: of the log.
        queue: gets what is due, for workers.

    Returns:
        The exit code.

    Raises:
        Busy: another scheduler runs already.
    """
    if not is_json():
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    Scheduler(newsroom.home, language=language, queue=queue).run()
    return 0
