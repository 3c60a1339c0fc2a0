"""Opens a database, SQLite or PostgreSQL: one writer at a time, readers never wait, every error is typed.

SQLite's defaults lose updates silently: a transaction begins deferred, so that two transactions that read before they
write overwrite each other, or fail at once whatever the time-out. WAL with BEGIN IMMEDIATE prevents both
(https://www.sqlite.org/lang_transaction.html). An advisory lock gives PostgreSQL the same rule, so that code which is
right on one database is right on the other.
"""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from zlib import crc32

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from pipelines.store import errors
from pipelines.store.tables import OF_NEWSLETTER, metadata, newsletter_metadata

_T = TypeVar("_T")

APPLICATION_ID: Final = 0x6A69616E
"""`jian` in ASCII: marks our SQLite files (https://www.sqlite.org/fileformat2.html#application_id)."""

WAIT: Final = 10.0
"""Seconds that a writer waits for another writer before it gives up with `StoreBusy`."""

ASKED_EVERY: Final = 0.01
"""Seconds after which a writer asks again for the lock that another one has."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode

_PRAGMAS: Final = (
    "PRAGMA synchronous=NORMAL",  # FULL: in WAL, NORMAL loses the last commits with the power, never with the process
    "PRAGMA foreign_keys=ON",  # OFF
    "PRAGMA cache_size=-32768",  # -2000 (2 MB): less than the keys of a month, whose pages would be read again
    "PRAGMA temp_store=MEMORY",  # FILE
)

_BY_SQLITE_CODE: Final[dict[int, type[errors.StoreError]]] = {
    sqlite3.SQLITE_BUSY: errors.StoreBusy,
    sqlite3.SQLITE_LOCKED: errors.StoreBusy,
    sqlite3.SQLITE_FULL: errors.StoreFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: errors.StoreFull,  # no room for the index of the log (https://www.sqlite.org/rescode.html)
    sqlite3.SQLITE_READONLY: errors.StoreReadOnly,
    sqlite3.SQLITE_PERM: errors.StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: errors.StoreReadOnly,
    sqlite3.SQLITE_CORRUPT: errors.StoreDamaged,
    sqlite3.SQLITE_NOTADB: errors.StoreRefused,
}

_BY_SQLSTATE: Final[dict[str, type[errors.StoreError]]] = {
    "55P03": errors.StoreBusy,  # lock_not_available
    "40001": errors.StoreBusy,  # serialization_failure
    "40P01": errors.StoreBusy,  # deadlock_detected
    "53100": errors.StoreFull,  # disk_full
    "53300": errors.StoreUnreachable,  # too_many_connections
    "57P01": errors.StoreUnreachable,  # admin_shutdown
    "57P02": errors.StoreUnreachable,  # crash_shutdown
    "57P03": errors.StoreUnreachable,  # cannot_connect_now
    "25P03": errors.StoreUnreachable,  # idle_in_transaction_session_timeout
    "25006": errors.StoreReadOnly,  # read_only_sql_transaction
    "42501": errors.StoreReadOnly,  # insufficient_privilege
    "XX001": errors.StoreDamaged,  # data_corrupted
    "28P01": errors.StoreRefused,  # invalid_password
    "3D000": errors.StoreRefused,  # invalid_catalog_name
}


@dataclass(frozen=True, slots=True)
class HousePlace:
    """Where a newsletter finds the tables of its house, which it only reads.

    Args:
        file: of a SQLite house; None on PostgreSQL, and for a copy of a newsletter's tables, which has no house.
        schema: of a house on PostgreSQL.
        newsletter: the schema of the newsletter's own tables on PostgreSQL.
    """

    file: Path | None = None
    schema: str = ""
    newsletter: str = ""


def is_of_newsletter(connection: Connection) -> bool:
    """Tell whether a connection is a further newsletter's: its own tables, and the house's to be read."""
    return bool(connection.get_execution_options().get("newsletter", False))


def metadata_of(connection: Connection) -> MetaData:
    """The tables that the database of a connection has for itself."""
    return newsletter_metadata if is_of_newsletter(connection) else metadata


def make_engine(text: str, *, wait: float = WAIT, house: HousePlace | None = None) -> Engine:
    """Make an engine for the database of a URL. A missing SQLite file is made, with its folder.

    Args:
        text: a SQLAlchemy URL.
        wait: seconds to wait for another writer.
        house: for the database of a further newsletter: where the other tables are; None for a house itself.

    Raises:
        StoreRefused: the URL cannot be used, or the SQLite file belongs to another program.
        StoreReadOnly: the file cannot be made or read.
    """
    url = parse_url(text)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, wait, house)
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "postgresql":
        return _postgresql(url, wait, house)
    raise errors.StoreRefused("other-database", name=url.drivername)


@contextmanager
def open_temporary() -> Iterator[Connection]:
    """Open an empty database that is gone with its connection, also when the process is killed.

    It is a file without a name, in the folder of temporary files: https://www.sqlite.org/inmemorydb.html#temp_db.
    """
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(""), poolclass=StaticPool, json_serializer=_to_json
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=OFF")  # nobody returns to a former state of it
            yield connection
    finally:
        engine.dispose()


def parse_url(text: str) -> URL:
    """Parse a SQLAlchemy URL.

    Raises:
        StoreRefused: it is none.
    """
    try:
        return make_url(text)
    except ArgumentError as error:
        raise errors.StoreRefused("unreadable-database-url") from error


def sqlite_path(url: URL) -> Path:
    """Read the path of the file from a SQLite URL.

    Raises:
        StoreRefused: the URL names no file (`sqlite://`), or has options.
    """
    if not url.database or url.database.startswith((":", "file:")) or url.query:
        raise errors.StoreRefused("sqlite-without-file")
    return Path(url.database).absolute()


def is_ours(path: Path) -> bool:
    """Tell whether a file is a database of jianbao; False for a missing or empty file. Nothing is written.

    SQLite itself is asked: whoever opens and closes the file beside it takes the locks of every connection of the
    process, and another process may then delete a log that is in use (https://www.sqlite.org/howtocorrupt.html, 2.2).

    Raises:
        StoreRefused: the file is something else.
        StoreReadOnly: the file cannot be read.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise errors.StoreReadOnly("unreadable", path=str(path), reason=error.strerror) from error
    if stat.S_ISDIR(mode):
        raise errors.StoreRefused("is-folder", path=str(path))
    if not stat.S_ISREG(mode):  # to open a pipe would wait for a writer
        raise errors.StoreRefused("no-sqlite", path=str(path))
    application = _ask(path, "PRAGMA application_id")
    if application == APPLICATION_ID:
        return True
    if application or path.with_name(path.name + "-wal").exists() or _ask(path, "SELECT count(*) FROM sqlite_master"):
        raise errors.StoreRefused("foreign-database", path=str(path))
    return False


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn the errors of the drivers into `pipelines.store.errors`."""
    try:
        yield
    except DBAPIError as error:
        raise _typed(error.orig or error) from error
    except sqlite3.Error as error:
        raise _typed(error) from error


def _typed(error: BaseException) -> errors.StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        kind = _BY_SQLITE_CODE.get(code) or _BY_SQLITE_CODE.get(code & 0xFF, errors.StoreFailed)
    else:
        state = getattr(error, "sqlstate", None)
        # psycopg has no state for a connection that could not be made, or that broke
        is_without_server = state is None and type(error).__name__ == "OperationalError"
        kind = errors.StoreUnreachable if is_without_server else _BY_SQLSTATE.get(state or "", errors.StoreFailed)
    return kind("database-says", text=str(error))


def _ask(path: Path, question: str) -> int:
    """Ask a SQLite file for a number; `immutable` takes no lock and leaves no side file (https://www.sqlite.org/uri.html).

    Raises:
        StoreRefused: the file is no database.
        StoreReadOnly: the file cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            return int(database.execute(question).fetchone()[0])
    except sqlite3.OperationalError as error:
        raise errors.StoreReadOnly("unreadable", path=str(path), reason=str(error)) from error
    except sqlite3.DatabaseError as error:
        raise errors.StoreRefused("no-sqlite", path=str(path)) from error


def _claim(path: Path, wait: float) -> None:
    """Mark the file as ours, before WAL begins: so the mark is in the file itself and not only in the log beside it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.StoreReadOnly("unwritable", path=str(path.parent), reason=error.strerror) from error
    with typed_errors(), closing(sqlite3.connect(path, timeout=wait)) as database:
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")


def _sqlite(url: URL, wait: float, house: HousePlace | None) -> Engine:
    """Make an engine for a SQLite file.

    A newsletter's file has the house's attached: a name without a schema means a table of the newsletter's file, or
    else one of the house's (https://www.sqlite.org/lang_naming.html). The house is attached to be read only: no
    statement can write it, and BEGIN IMMEDIATE does not wait for its writer.
    """
    path = sqlite_path(url)
    if not is_ours(path):
        _claim(path, wait)
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": wait, "uri": house is not None},
        execution_options={"newsletter": house is not None},
        json_serializer=_to_json,
        pool_use_lifo=True,  # False: turns to a connection whose cache of pages is the oldest
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver would begin by itself, deferred
        _write_ahead(connection, wait)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if house is not None and house.file is not None:
            connection.execute("ATTACH DATABASE ? AS house", (f"{house.file.absolute().as_uri()}?mode=ro",))
            connection.execute("PRAGMA house.cache_size=-32768")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql(f"PRAGMA query_only={int(reading)}")
        if reading:
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_writing(connection, wait)

    return engine


def _begin_writing(connection: Connection, wait: float) -> None:
    """Begin a transaction that writes, after the one that another writer has begun.

    SQLite itself asks for the lock every tenth of a second: between the short transactions of one that writes on and
    on, a writer that waits would seldom find it free.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA busy_timeout=0")
    try:
        _ask_while_busy(lambda: driver.execute("BEGIN IMMEDIATE"), wait)
    finally:
        driver.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")


def _write_ahead(connection: sqlite3.Connection, wait: float) -> None:
    """Turn the write-ahead log on: with SQLite's default journal, readers and the writer block each other.

    If two processes turn it on at once, one gets SQLITE_BUSY; SQLite's own time-out does not apply here.
    """
    _ask_while_busy(lambda: connection.execute("PRAGMA journal_mode=WAL"), wait)


def _ask_while_busy(ask: Callable[[], object], wait: float) -> None:
    """Ask SQLite for something again and again while another process has it.

    Args:
        ask: asks once.
        wait: seconds until the error of a busy database is raised.
    """
    until = time.monotonic() + wait
    while True:
        try:
            ask()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(ASKED_EVERY)
        else:
            return


def _postgresql(url: URL, wait: float, house: HousePlace | None) -> Engine:
    """Make an engine for a PostgreSQL database.

    A newsletter has a schema of its own before the house's: a name without a schema means a table of the newsletter, or
    else one of the house's (https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH). Its writers
    have a lock of their own: they do not wait for the house's.
    """
    options: dict[str, Any] = {}
    lock = f"{APPLICATION_ID}"
    if house is not None:
        options["connect_args"] = {"options": f'-csearch_path="{house.newsletter}","{house.schema}"'}
        options["execution_options"] = {"newsletter": True, "schema_translate_map": {"house": house.schema}}
        lock = f"{APPLICATION_ID}, {crc32(house.newsletter.encode()) - 2**31}"
    try:
        engine = create_engine(url, pool_pre_ping=True, json_serializer=_to_json, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise errors.StoreRefused("no-postgresql-driver") from error

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        else:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait * 1000)}")
            if not connection.get_execution_options().get("beside_writers", False):
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")

    if house is not None:
        event.listen(engine, "before_cursor_execute", _refuse_writing_house)
    return engine


_WRITES: Final = re.compile(r"\s*(?:(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)|TRUNCATE ([\w, ]+))")
_OF_HOUSE: Final = {"search_words", *metadata.tables} - OF_NEWSLETTER


def _refuse_writing_house(_connection: object, _cursor: object, statement: str, *_: object) -> None:
    """Refuse a statement of a newsletter that writes a table of the house: it would change what other newsletters see.

    Raises:
        StoreReadOnly: it does.
    """
    if writes := _WRITES.match(statement):
        written = (writes[1] or writes[2]).split(", ")
        if not _OF_HOUSE.isdisjoint(written):
            raise errors.StoreReadOnly("house-read-only", tables=written)


def _to_json(content: object) -> str:
    """Write JSON that both databases accept: Chinese stays as it is, a lone surrogate becomes a question mark."""
    if not content and type(content) in (dict, list, tuple):  # most of them are
        return "{}" if type(content) is dict else "[]"
    text = _ENCODE(content)
    return text if text.isascii() else text.encode(errors="replace").decode()
