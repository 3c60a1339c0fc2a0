"""The queue of jobs in the newsroom's PostgreSQL: procrastinate's tables, in a schema of their own.

The newsroom's own tables stand in the database's default schema. Copies, checks and migrations read that schema alone.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import URL, Connection, text

from pipelines.health.standstill import QueueState
from pipelines.store import errors
from pipelines.store.engine import parse_url

if TYPE_CHECKING:
    from procrastinate import App, PsycopgConnector

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


@dataclass(frozen=True, slots=True)
class Job:
    """A job that waits or is being done.

    Args:
        number: of the job; one that is given to another worker gets a new one.
        name: of its task.
        source: id of the source that it crawls; empty for another job.
        lock: of two jobs with one lock, one waits for the other.
        attempts: how often it was begun before, by whichever workers.
        worker: number of the worker that does it; None while it waits.
        begins_at: aware; the earliest time; None for at once.
    """

    number: int
    name: str
    source: str
    lock: str
    attempts: int
    worker: int | None
    begins_at: datetime | None


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that works, or died a moment ago.

    Args:
        number: of the worker; no other worker has had it.
        last_heartbeat: aware.
    """

    number: int
    last_heartbeat: datetime


class WaitingJobs:
    """The queue, as whoever looks at the newsroom's health sees it: procrastinate itself need not be installed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_state(self) -> QueueState | None:
        """Read how many jobs there are, since when, and when a worker was last heard; None without a job."""
        if self._connection.dialect.name != "postgresql":
            return None
        if self._connection.execute(text(f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs')")).scalar() is None:
            return None
        row = self._connection.execute(text(_QUEUE_STATE)).one()
        return QueueState(row.jobs, row.since, row.last_heartbeat) if row.jobs else None


_QUEUE_STATE: Final = f"""
SELECT count(DISTINCT jobs.id) AS jobs, min(events.at) AS since,
       (SELECT max(last_heartbeat) FROM {SCHEMA}.procrastinate_workers) AS last_heartbeat
FROM {SCHEMA}.procrastinate_jobs AS jobs
JOIN {SCHEMA}.procrastinate_events AS events ON events.job_id = jobs.id AND events.type = 'deferred'
WHERE jobs.status IN ('todo', 'doing')
"""  # noqa: S608 - of constants
"""An event of a job says when it was put into the queue; the job itself does not."""


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


def _make_address(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def list_jobs(app: App) -> list[Job]:
    """List the jobs that wait or are being done, oldest first.

    Args:
        app: opened.
    """
    rows = _read(
        app,
        "SELECT id, task_name, args, lock, attempts, worker_id, scheduled_at FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing') ORDER BY status DESC, id",
    )
    return [
        Job(
            number=row["id"],
            name=row["task_name"],
            source=row["args"].get("source_id", ""),
            lock=row["lock"] or "",
            attempts=row["attempts"] + row["args"].get("deaths", 0),
            worker=row["worker_id"],
            begins_at=row["scheduled_at"],
        )
        for row in rows
    ]


def list_workers(app: App) -> list[Worker]:
    """List the workers by number.

    Args:
        app: opened.
    """
    rows = _read(app, "SELECT id, last_heartbeat FROM procrastinate_workers ORDER BY id")
    return [Worker(row["id"], row["last_heartbeat"]) for row in rows]


def _read(app: App, query: str) -> list[dict[str, Any]]:
    return list(app.connector.get_sync_connector().execute_query_all(query))
