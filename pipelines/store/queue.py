"""The queue of jobs in the newsroom's PostgreSQL: procrastinate's tables, in a schema of their own.

The newsroom's own tables stand in the database's default schema. Copies, checks and migrations read that schema alone.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, Self

from sqlalchemy import URL, Connection, text

from pipelines.health.standstill import Backlog
from pipelines.store import errors
from pipelines.store.engine import parse_url

if TYPE_CHECKING:
    from procrastinate import PsycopgConnector

SCHEMA: Final = "procrastinate"

LEASE_VARIABLE: Final = "JIANBAO_LEASE"
"""Names the lease of a process that works for a worker. Workers set it; nobody else does."""

SILENCE: Final = 30.0
"""Seconds without a sign of life after which a worker counts as dead, and its transaction is rolled back."""

_LEASED_JOB: Final = (
    "SELECT id FROM procrastinate.procrastinate_jobs WHERE id = %(job)s AND worker_id = %(worker)s AND status = 'doing'"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of a worker to do a job, until somebody gives the job to another worker.

    Args:
        job: its number; a job that is given to another worker gets a new one.
        worker: its number.
    """

    job: int
    worker: int

    @classmethod
    def of_process(cls) -> Self | None:
        """The lease under which this process works; None where no worker started it."""
        job, _, worker = os.environ.get(LEASE_VARIABLE, "").partition(":")
        return cls(int(job), int(worker)) if worker else None

    def __str__(self) -> str:
        return f"{self.job}:{self.worker}"

    def hold(self, connection: Connection) -> None:
        """Keep the lease until the end of the transaction, which ends if this process falls silent in it.

        Args:
            connection: open for writing.

        Raises:
            LeaseLost: it is another worker's.
        """
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {int(SILENCE * 1000)}")
        # whoever gives the job to another worker waits for the end of this transaction
        if connection.exec_driver_sql(f"{_LEASED_JOB} FOR SHARE", asdict(self)).one_or_none() is None:
            raise errors.LeaseLost("job-is-gone", job=self.job, worker=self.worker)

    def is_held(self, database_url: str) -> bool:
        """Tell whether the lease holds at this moment.

        Args:
            database_url: a SQLAlchemy URL of a PostgreSQL.

        Raises:
            StoreUnreachable: the server does not answer.
        """
        import psycopg  # noqa: PLC0415 - an extra

        try:
            with psycopg.connect(_make_address(parse_url(database_url))) as connection:
                return connection.execute(_LEASED_JOB, asdict(self)).fetchone() is not None
        except psycopg.OperationalError as error:
            raise errors.StoreUnreachable("database-says", text=str(error).strip()) from error


JobState = Literal["waiting", "running", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job that waits, is being done or failed in the last days.

    Args:
        number: of the job; one that is given to another worker gets a new one.
        name: of its task: `crawl`, `group`, `rebuild` or `shards`.
        source: id of the source that it crawls; empty for another job.
        lock: of two jobs with one lock, one waits for the other.
        state: `running` also where its worker is silent, until it is given to another one.
        attempts: how often it was begun before, by whichever workers.
        worker: number of the worker that does it; None while it waits.
        begins_at: aware; the earliest time; None for at once.
        changed_at: aware; since when it waits or is being done, or when it failed.
    """

    number: int
    name: str
    source: str
    lock: str
    state: JobState
    attempts: int
    worker: int | None
    begins_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that works, or died a moment ago.

    Args:
        number: of the worker; no other worker has had it.
        last_heartbeat: aware.
    """

    number: int
    last_heartbeat: datetime

    def is_silent(self, now: datetime) -> bool:
        """Whether nothing was heard of it for so long that others get its job."""
        return (now - self.last_heartbeat).total_seconds() > SILENCE


@dataclass(frozen=True, slots=True)
class QueueState:
    """The queue at one moment.

    Args:
        jobs: that are being done, that wait, in the order in which they were put there, and that failed.
        workers: by number.
    """

    jobs: Sequence[Job]
    workers: Sequence[Worker]

    def count(self, state: JobState) -> int:
        """The number of jobs in a state."""
        return sum(job.state == state for job in self.jobs)

    def count_idle(self, now: datetime) -> int:
        """The number of workers that are alive and do nothing, less the jobs that wait for one."""
        busy = {job.worker for job in self.jobs}
        idle = sum(worker.number not in busy and not worker.is_silent(now) for worker in self.workers)
        return max(idle - self.count("waiting"), 0)

    def find_backlog(self) -> Backlog | None:
        """Find what is to be done, and who was heard last that could do it; None without a job."""
        times = [job.changed_at for job in self.jobs if job.state != "failed"]
        heartbeats = (worker.last_heartbeat for worker in self.workers)
        return Backlog(len(times), min(times), max(heartbeats, default=None)) if times else None


_STATES: Final[Mapping[str, JobState]] = {"doing": "running", "todo": "waiting", "failed": "failed"}

# The jobs that are not over, or failed, each with the time of its last event
_LIST_JOBS: Final = text("""
    SELECT id, task_name, args, lock, status::text AS status, attempts, worker_id, scheduled_at, (
        SELECT max(at) FROM procrastinate.procrastinate_events AS event
        WHERE event.job_id = job.id AND event.type <> 'scheduled'
    ) AS changed_at
    FROM procrastinate.procrastinate_jobs AS job
    WHERE status IN ('doing', 'todo', 'failed')
    ORDER BY status = 'failed', status = 'todo', id
""")
_LIST_WORKERS: Final = text("SELECT id, last_heartbeat FROM procrastinate.procrastinate_workers ORDER BY id")


class Jobs:
    """The queue, as far as people look at it; workers and the schedule use procrastinate."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> QueueState | None:
        """Read the queue; None where there is none: in SQLite, and where nobody ever asked for one."""
        if self._connection.dialect.name != "postgresql" or not self._is_made():
            return None
        return QueueState(
            jobs=[
                Job(
                    number=row.id,
                    name=row.task_name,
                    source=row.args.get("source_id", ""),
                    lock=row.lock or "",
                    state=_STATES[row.status],
                    attempts=row.attempts + row.args.get("deaths", 0),
                    worker=row.worker_id if row.status == "doing" else None,
                    begins_at=row.scheduled_at,
                    changed_at=row.changed_at,
                )
                for row in self._connection.execute(_LIST_JOBS)
            ],
            workers=[Worker(row.id, row.last_heartbeat) for row in self._connection.execute(_LIST_WORKERS)],
        )

    def _is_made(self) -> bool:
        table = text("SELECT to_regclass('procrastinate.procrastinate_jobs')")
        return self._connection.execute(table).scalar_one() is not None


def make_connector(database_url: str) -> PsycopgConnector:
    """Make procrastinate's way to its tables; they are made if they are missing.

    Args:
        database_url: a SQLAlchemy URL.

    Raises:
        NoQueue: the database is no PostgreSQL.
        StoreRefused: the extra `[postgresql]` is not installed.
        StoreUnreachable: the server does not answer.
    """
    url = parse_url(database_url)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise errors.NoQueue("queue-needs-postgresql")
    try:
        import psycopg  # noqa: PLC0415 - an extra
        from procrastinate import App, PsycopgConnector  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise errors.StoreRefused("no-postgresql-driver") from error
    address = _make_address(url)
    options = f"-c search_path={SCHEMA}"
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"SELECT pg_advisory_lock(hashtext('{SCHEMA}'))")  # ends with the connection
            is_made = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",)).fetchone()
            if is_made == (None,):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                maker = App(connector=PsycopgConnector(conninfo=address, kwargs={"options": options}))
                with maker.open():
                    maker.schema_manager.apply_schema()
    except psycopg.OperationalError as error:
        raise errors.StoreUnreachable("database-says", text=str(error).strip()) from error
    return PsycopgConnector(conninfo=address, kwargs={"options": options}, min_size=1, max_size=4)


@asynccontextmanager
async def rescuing(database_url: str) -> AsyncIterator[None]:
    """Be the only process that gives the jobs of silent workers to others: two would put a job into the queue twice.

    Args:
        database_url: a SQLAlchemy URL of a PostgreSQL.

    Raises:
        StoreUnreachable: the server does not answer.
    """
    import psycopg  # noqa: PLC0415 - an extra

    try:
        connection = await psycopg.AsyncConnection.connect(_make_address(parse_url(database_url)), autocommit=True)
        async with connection:
            # ends with the connection
            await connection.execute(f"SELECT pg_advisory_lock(hashtext('{SCHEMA} rescue'))")
            yield
    except psycopg.OperationalError as error:
        raise errors.StoreUnreachable("database-says", text=str(error).strip()) from error


def _make_address(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
