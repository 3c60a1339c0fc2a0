"""Runs the process that crawls due sources, at the times that `due` computes. All state is in the store."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crawler.errors import CrawlError
from crawler.home import HOME_VARIABLE, NEWSLETTER_VARIABLE, SOURCES_VARIABLE, Home
from crawler.sources.file import Mistake, load_sources
from crawler.sources.schema import Source
from pipelines import files
from pipelines.errors import describe_error, describe_mistake
from pipelines.logs import is_json, log_event, make_extra
from pipelines.newsletter import NewsletterMisconfigured
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.processes import (
    DIED,
    LONGEST_CRAWL_OF_ONE,
    blame,
    list_runs,
    make_command,
    run_crawl,
)
from pipelines.newsroom.locks import only_one
from pipelines.newsroom.service import ServiceManager
from pipelines.newsroom.watching.alerts import deliver_alerts
from pipelines.newsroom.watching.due import due_at
from pipelines.store.errors import StoreError
from pipelines.store.runs import Run
from pipelines.store.sources import SourceRecord
from pipelines.wording import Language, say

if TYPE_CHECKING:
    from pipelines.newsroom.crawling.queue import Queue

logger = logging.getLogger(__name__)

LONGEST_CRAWL: Final = 3 * 3600.0
"""Seconds after which a crawl is stopped; what it has not read is due again soon."""


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


def _have_same_bytes(path: Path, copy: Path) -> bool:
    return copy.is_file() and copy.read_bytes() == path.read_bytes()


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
