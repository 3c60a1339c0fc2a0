"""Divides crawls among workers on several machines: procrastinate's jobs in the newsroom's PostgreSQL.

A job is one run of one source. Jobs of sources that share a host share a lock, so one of them runs at a time, whichever
worker does it. A worker that dies leaves its job to the others; what its crawl had stored is stored once, since an item
that is ingested twice changes nothing. A worker that was only silent comes back too late: its process stores nothing
without its lease (`pipelines.store.queue.Lease`), and what others did stays.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

from crawler.home import HOME_VARIABLE, NEWSLETTER_VARIABLE, Home
from crawler.network.policy import Policy, load_policy
from crawler.settings import DOWNLOAD_DELAY
from crawler.sources.schema import Source
from crawler.urls import host_and_port
from pipelines.logs import make_extra
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.processes import LONGEST_CRAWL_OF_ONE, Child, blame, list_runs, supervise
from pipelines.store.errors import StoreUnreachable
from pipelines.store.queue import (
    LEASE_VARIABLE,
    SILENCE,
    Lease,
    make_connector,
    rescuing,
)
from pipelines.wording import Language, say

if TYPE_CHECKING:
    from procrastinate import App, JobContext
    from procrastinate.jobs import Job as ProcrastinateJob

logger = logging.getLogger(__name__)

HEARTBEAT: Final = 10.0
"""Seconds between two signs of life of a worker."""

CONFIRMATION: Final = 5.0
"""Seconds between two looks of a crawl, or of a grouping, at its lease."""

PAUSE: Final = 5.0
"""Seconds until a worker that the database does not know any more, or that cannot reach it, begins anew."""

FAILURES_KEPT: Final = 72
"""Hours in which a failed job is shown."""

ATTEMPTS: Final = 3
"""Runs of a source whose process dies, one after another, until the source is blamed; and rebuilds that fail."""

BACK_OFF: Final = 8
"""Seconds before the second run; the third waits its square."""

LONGEST_REBUILD: Final = 48 * 3600.0
"""Seconds after which a rebuild is stopped; a newsroom of ten million articles takes half of it on two processors."""

REASON_EVERY: Final = 3600.0
"""Seconds in which a worker says once why it cannot help."""

LONGEST_HELP: Final = 300.0
"""Seconds after which the process that does shards is stopped; it takes none after its first minute."""


_REBUILD: Final = ("rebuild", "rebuild", "group")
"""The job of a rebuild: its task, its queueing lock, and the lock that it shares with groupings."""

StartCommand = Callable[[Sequence[str], Mapping[str, str]], Child]
"""Starts a command of jianbao from its arguments and its whole environment, in a process that ends with this one."""


class CrawlDied(Exception):
    """The process of a crawl ended without the end of its run. Raised by a job, so that it is retried."""


class GroupingFailed(Exception):
    """The process of a grouping died or reported an error, which is in the worker's log. Raised by a job."""


class RebuildFailed(Exception):
    """The process of a rebuild died or reported an error, which is in the worker's log. Raised by a job, so that it is
    retried."""


class HelpFailed(Exception):
    """The process that did shards died or reported an error, which is in the worker's log. Raised by a job."""


_JOB_FAILURES: Final = (CrawlDied, GroupingFailed, RebuildFailed, HelpFailed, StoreUnreachable)


def _leave_out_traceback(record: logging.LogRecord) -> bool:
    """Leave the traceback of a job that failed, or of a server out of reach, out of the log: its text says enough."""
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - an extra

    if record.exc_info and isinstance(record.exc_info[1], (*_JOB_FAILURES, ConnectorException)):
        record.exc_info = record.exc_text = None
    return True


def name_locks(sources: Iterable[Source], policy: Policy) -> dict[str, str]:
    """Name the lock of each source: sources that share a host, or hosts of one line, directly or by others, share it.

    Args:
        sources: of the registry, also those that are not due.
        policy: the line of each host; arXiv's hosts are one line.

    Returns:
        The name by the source's id.
    """
    groups: list[tuple[set[str], list[str]]] = []
    for source in sources:
        lines, ids = _list_lines(source, policy), [source.id]
        apart = []
        for other_lines, other_ids in groups:
            if lines & other_lines:
                lines |= other_lines
                ids += other_ids
            else:
                apart.append((other_lines, other_ids))
        groups = [*apart, (lines, ids)]
    return {source_id: min(lines) for lines, ids in groups for source_id in ids}


def _list_addresses(source: Source) -> list[str]:
    addresses = (source.url, source.base_url, source.mirror, source.page_mirror, *dict(source.way_addresses).values())
    return [address for address in addresses if address and "://" in address]


def _list_lines(source: Source, policy: Policy) -> set[str]:
    """The lines in which a source waits: of its addresses; of its kind, where the kind knows the address."""
    return {policy.lane(*host_and_port(address)) for address in _list_addresses(source)} or {source.kind}


def longest_delay(source: Source, policy: Policy) -> float:
    """Seconds that must pass after the last request of a source before another source with its lock is asked."""
    rules = [policy.rule(*host_and_port(address)) for address in _list_addresses(source)]
    of_kind = [rule for rule in policy.rules.values() if rule.group == source.kind]
    return max((rule.delay for rule in [*rules, *of_kind]), default=policy.default.delay)


class Queue:
    """The jobs of a newsroom, and its workers.

    Args:
        home: the newsletter's folder on this machine.
        language: of the log.

    Raises:
        NoQueue: the newsroom's database is no PostgreSQL.
        StoreUnreachable: the server does not answer.
    """

    def __init__(self, home: Home, language: Language = "zh") -> None:
        connector = make_connector(home.database_url)
        from procrastinate import App, RetryStrategy  # noqa: PLC0415 - an extra

        self._home = home
        self._language: Language = language
        self._start: StartCommand | None = None
        self._quiet_until = 0.0
        self._app: App = App(connector=connector)
        # StoreUnreachable where the server was gone when the process ended
        failures = {CrawlDied, RebuildFailed, StoreUnreachable}
        retry = RetryStrategy(max_attempts=ATTEMPTS - 1, exponential_wait=BACK_OFF, retry_exceptions=failures)
        self._app.task(name="crawl", pass_context=True, retry=retry)(self._crawl)
        self._app.task(name="group", pass_context=True, queueing_lock="group", lock="group")(self._group)
        self._app.task(name="rebuild", pass_context=True, retry=retry)(self._rebuild)
        self._app.task(name="shards", pass_context=True)(self._do_shards)

    def fill(self, due: Sequence[str], *, is_grouping_due: bool = False) -> None:
        """Give the jobs of dead workers to others, and add a job for each source that is due and has none.

        Args:
            due: ids of sources.
            is_grouping_due: whether articles wait to be grouped.

        Raises:
            StoreUnreachable: the server does not answer.
        """
        newsroom = Newsroom(self._home)
        locks = name_locks(newsroom.registry.sources, self._load_policy())
        asyncio.run(self._fill({source_id: locks.get(source_id, source_id) for source_id in due}, is_grouping_due))

    def add_rebuild(self) -> None:
        """Add the job of making everything again, unless it is in the queue; nothing is grouped meanwhile.

        Raises:
            StoreUnreachable: the server does not answer.
        """
        asyncio.run(self._add([_REBUILD]))

    def invite_helpers(self, count: int) -> None:
        """Add jobs of doing shards of what another worker leads, as far as they are not in the queue.

        Args:
            count: of workers that have nothing else to do.

        Raises:
            StoreUnreachable: the server does not answer.
        """
        asyncio.run(self._add([("shards", f"shards {number}", None) for number in range(count)]))

    async def _add(self, jobs: Iterable[tuple[str, str, str | None]]) -> None:
        """Add jobs, each with its task, its queueing lock and its lock."""
        async with self._app.open_async():
            for job in jobs:
                await self._defer(*job)

    async def _fill(self, locks: dict[str, str], is_grouping_due: bool) -> None:
        async with self._app.open_async():
            await self._rescue()
            await self._app.job_manager.delete_old_jobs(FAILURES_KEPT, include_failed=True, include_aborted=True)
            for source_id, lock in locks.items():
                await self._defer("crawl", f"crawl {source_id}", f"host {lock}", source_id=source_id)
            if is_grouping_due:
                await self._defer("group", "group", "group")

    async def _rescue(self) -> None:
        """Put the jobs of silent workers into the queue anew: by its new number, a job is not theirs any more.

        Where its source is in the queue again already, that run serves for both.

        Raises:
            StoreUnreachable: the server does not answer.
        """
        if await self._list_stalled():
            async with rescuing(self._home.database_url):
                await self._rescue_alone()

    async def _list_stalled(self) -> list[ProcrastinateJob]:
        return list(await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE))

    async def _rescue_alone(self) -> None:
        """Put the jobs of silent workers into the queue anew while no other process does."""
        from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - an extra
        from procrastinate.jobs import Status  # noqa: PLC0415 - an extra

        manager = self._app.job_manager
        for job in await self._list_stalled():
            arguments: dict[str, Any] = dict(job.task_kwargs)
            if job.task_name == "crawl":
                arguments["deaths"] = arguments.get("deaths", 0) + job.attempts + 1
            await self._defer(job.task_name, job.queueing_lock or "", job.lock, **arguments)
            with suppress(ConnectorException):  # its worker was not dead, and has ended it this moment
                await manager.finish_job(job, Status.FAILED, delete_job=True)

    async def _defer(self, task: str, queueing_lock: str, lock: str | None, **arguments: Any) -> None:
        from procrastinate.exceptions import AlreadyEnqueued  # noqa: PLC0415 - an extra

        try:
            await self._app.configure_task(task, queueing_lock=queueing_lock, lock=lock).defer_async(**arguments)
        except AlreadyEnqueued:
            logger.debug("%s is in the queue", queueing_lock)

    def work(self, start: StartCommand, *, is_ending: bool = False) -> None:
        """Do jobs, one at a time, until SIGTERM or SIGINT; the running crawl is stopped cleanly then.

        Args:
            start: starts a command of jianbao.
            is_ending: end as soon as no job is left that could be done now.
        """
        self._start = start
        for name in ("procrastinate.worker", "procrastinate.utils"):
            logging.getLogger(name).addFilter(_leave_out_traceback)
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it tells of each attempt to reach a server again
        asyncio.run(self._work(is_ending))

    async def _work(self, is_ending: bool) -> None:
        """Work, and begin anew under another number whenever the database forgot this worker or was out of reach."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._log_lost_end)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        stop = asyncio.ensure_future(stopping.wait())
        while True:
            working = asyncio.ensure_future(self._work_registered(is_ending))
            await asyncio.wait({working, stop}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                working.cancel()
            try:
                with suppress(asyncio.CancelledError):
                    await working
            except StoreUnreachable as error:
                if is_ending:
                    raise
                reason = say("schedule/worker-again", {"reason": str(error.detail)}, self._language)
                logger.warning("%s", reason, extra=make_extra("worker-again"))
            if stopping.is_set() or is_ending:
                stop.cancel()
                return
            await asyncio.wait({stop}, timeout=PAUSE)

    async def _work_registered(self, is_ending: bool) -> None:
        """Work under one number.

        Raises:
            StoreUnreachable: the server does not answer, or does not know the number any more.
        """
        import psycopg  # noqa: PLC0415 - an extra
        from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - an extra

        try:
            async with self._app.open_async(), self._rescuing_from_time_to_time():
                await self._app.run_worker_async(
                    wait=not is_ending,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=0,
                    stalled_worker_timeout=SILENCE,
                    update_heartbeat_interval=HEARTBEAT,
                    install_signal_handlers=False,
                )
        except (ConnectorException, psycopg.Error) as error:
            raise StoreUnreachable("database-says", text=str(error.__cause__ or error).strip()) from error

    @asynccontextmanager
    async def _rescuing_from_time_to_time(self) -> AsyncIterator[None]:
        """Give the jobs of silent workers to others while the context lasts.

        Workers that were cut off together are given the time of a sign of life first.
        """
        from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - an extra

        async def rescue_again_and_again() -> NoReturn:
            while True:
                await asyncio.sleep(HEARTBEAT)
                with suppress(ConnectorException, StoreUnreachable):  # the worker itself says so
                    await self._rescue()

        rescue = asyncio.ensure_future(rescue_again_and_again())
        try:
            yield
        finally:
            rescue.cancel()

    def _log_lost_end(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log that the end of a job was not noted, since the job is another worker's, or the server out of reach."""
        from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - an extra

        error = context.get("exception")
        if not isinstance(error, ConnectorException):
            loop.default_exception_handler(context)
            return
        text = say("schedule/job-not-ended", {"reason": str(error.__cause__ or error).strip()}, self._language)
        logger.warning("%s", text, extra=make_extra("job-not-ended"))

    async def _crawl(self, context: JobContext, source_id: str, deaths: int = 0) -> None:
        """Crawl a source in a process of its own, rest as its hosts ask, and ask for its articles to be grouped.

        Args:
            context: of the job.
            source_id: of the source.
            deaths: how often a worker began to crawl it for this job and fell silent.
        """
        await self._forget_failures(context)
        newsroom = Newsroom(self._home)
        source = newsroom.sources.get(source_id)
        if source is None:
            return
        attempts = context.job.attempts + deaths
        lease = _lease_of(context)
        began_at = datetime.now(UTC)
        # a source that ran after it was put into the queue is not due; one whose run died is run again at once
        when = () if attempts else ("--due",)
        pause = longest_delay(source, self._load_policy())
        await self._run(lease, "crawl", "--no-group", *when, source_id, pause=pause)
        if not await asyncio.to_thread(lease.is_held, self._home.database_url):
            return  # the runs of this source are another worker's
        runs = list_runs(self._home, began_at, self._language)
        dead = [run for run in runs if run.source == source_id and run.finished_at is None]
        if dead and attempts < ATTEMPTS - 1:
            raise CrawlDied(source_id)
        for run in dead:
            blame(self._home, run, self._language, lease)
        await self._defer("group", "group", "group")

    async def _group(self, context: JobContext) -> None:
        await self._run_whole(context, ("group",), GroupingFailed)

    async def _rebuild(self, context: JobContext) -> None:
        try:
            await self._run_whole(context, ("rebuild",), RebuildFailed, LONGEST_REBUILD)
        except asyncio.CancelledError:  # the worker stops; the schedule would not ask for it again
            await self._defer(*_REBUILD)
            raise

    async def _do_shards(self, context: JobContext) -> None:
        """Do shards. A leader invites whoever is idle every few seconds: why this worker cannot help is said seldom."""
        is_quiet = time.monotonic() < self._quiet_until
        if not is_quiet:
            self._quiet_until = time.monotonic() + REASON_EVERY
        command = ("shards", "--quiet") if is_quiet else ("shards",)
        await self._run_whole(context, command, HelpFailed, LONGEST_HELP)

    async def _run_whole(
        self,
        context: JobContext,
        command: Sequence[str],
        failure: type[Exception],
        longest: float = LONGEST_CRAWL_OF_ONE,
    ) -> None:
        """Run the command that is the whole of a job, and raise the failure if it fails while the job is still ours."""
        await self._forget_failures(context)
        lease = _lease_of(context)
        code = await self._run(lease, *command, longest=longest)
        if code and await asyncio.to_thread(lease.is_held, self._home.database_url):
            raise failure

    async def _forget_failures(self, context: JobContext) -> None:
        """Forget earlier failures of what a job does: it shows itself whether that works."""
        await self._app.connector.execute_query_async(
            "DELETE FROM procrastinate_jobs WHERE status = 'failed' AND queueing_lock = %(queueing_lock)s",
            queueing_lock=context.job.queueing_lock,
        )

    async def _run(self, lease: Lease, *command: str, pause: float = 0.0, longest: float = LONGEST_CRAWL_OF_ONE) -> int:
        """Run a command of jianbao in a process of its own; a worker that is told to stop stops it.

        Args:
            lease: under which it stores.
            command: its name and arguments.
            pause: seconds to wait after its end.
            longest: seconds after which it is stopped.

        Returns:
            The exit code.
        """
        start = self._start
        if start is None:
            raise RuntimeError("a job is done by a worker")
        stopping = threading.Event()
        folder = {HOME_VARIABLE: str(self._home.path), NEWSLETTER_VARIABLE: ""}
        environment = {**os.environ, **folder, LEASE_VARIABLE: str(lease)}

        def run() -> int:
            child = start(("--home", str(self._home.path), "--lang", self._language, *command), environment)
            code = supervise(child, longest, wait=stopping.wait, language=self._language, job=command[0])
            stopping.wait(pause)
            return code

        running = asyncio.ensure_future(asyncio.to_thread(run))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stopping.set()
            await running
            raise

    def _load_policy(self) -> Policy:
        return load_policy(self._home, DOWNLOAD_DELAY)


def _lease_of(context: JobContext) -> Lease:
    job = context.job
    if job.id is None or job.worker_id is None:
        raise RuntimeError("a worker took the job")
    return Lease(job.id, job.worker_id)


def end_with_lease(lease: Lease, database_url: str, worker: int) -> None:
    """End this process as soon as another worker may do its job.

    That is when its worker has ended, however it ended; when the lease is lost; and when nobody could say for so long
    whether it holds that it may be lost. A process that was stopped meanwhile asks no host before it knows.

    Args:
        lease: of this process.
        database_url: of the newsroom.
        worker: the file descriptor that becomes readable at the end of the worker.
    """
    confirmed_at = time.monotonic()

    def confirm() -> NoReturn:
        nonlocal confirmed_at
        while True:
            asked_at = time.monotonic()
            with suppress(StoreUnreachable):
                if not lease.is_held(database_url):
                    os._exit(1)
                confirmed_at = asked_at
            time.sleep(CONFIRMATION)

    def watch() -> NoReturn:
        while time.monotonic() - confirmed_at < SILENCE:
            if select.select([worker], [], [], 1.0)[0]:
                break
        os._exit(1)

    for watcher in (confirm, watch):
        threading.Thread(target=watcher, daemon=True).start()
