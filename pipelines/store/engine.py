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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar
from zlib import crc32

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Insert,
    Integer,
    MetaData,
    Table,
    any_,
    create_engine,
    delete,
    event,
    func,
    insert,
    literal,
    make_url,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
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
    "PRAGMA cache_size=-32768",  # -2000 (2 MB): bands are written all over their table, and pages would be read again
    "PRAGMA temp_store=MEMORY",  # FILE
)

_BY_SQLITE_CODE: Final[dict[int, type[errors.StoreError]]] = {
    sqlite3.SQLITE_BUSY: errors.StoreBusy,
    sqlite3.SQLITE_LOCKED: errors.StoreBusy,
    sqlite3.SQLITE_FULL: errors.StoreFull,
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


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keep: frozenset[str] = frozenset()
) -> None:
    """Insert rows; a row whose primary key is stored already overwrites the stored row.

    Args:
        connection: open for writing.
        table: to insert into.
        rows: all with the same columns.
        keep: names of columns that are not overwritten.
    """
    if rows:
        _execute_for_each(connection, _upsert(connection.dialect.name, table, tuple(rows[0]), keep), table, rows)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are not stored yet.

    Args:
        connection: open for writing.
        table: to insert into; a column that the rows lack has no default of Python.
        rows: all with the same columns.
    """
    if rows:
        _execute_for_each(connection, _insert(table), table, rows)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...], keep: frozenset[str]) -> Insert:
    """Build the statement once, because building takes longer than running it."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in names if name not in keys and name not in keep}
    return (
        statement.on_conflict_do_update(index_elements=keys, set_=changes)
        if changes
        else statement.on_conflict_do_nothing(index_elements=keys)
    )


def _execute_for_each(
    connection: Connection, statement: Insert, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute an insert for each row, as SQLAlchemy does, which prepares each value of each row anew."""
    prepared = _prepare(connection.dialect, statement, table, tuple(rows[0]))
    columns = [
        [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]
        for name, process in prepared.processors
    ]
    tuples = list(zip(*columns, strict=True))
    if prepared.is_positional:
        connection.exec_driver_sql(prepared.text, tuples)
    else:
        names = [name for name, _ in prepared.processors]
        connection.exec_driver_sql(prepared.text, [dict(zip(names, values, strict=True)) for values in tuples])


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An insert as the driver takes it.

    Args:
        text: the SQL.
        processors: the parameters in their order, and what makes the driver's value of each; None where nothing does.
        is_positional: whether the driver takes a tuple, not a dict by name.
    """

    text: str
    processors: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    is_positional: bool


@lru_cache(maxsize=100)
def _prepare(dialect: Dialect, statement: Insert, table: Table, names: tuple[str, ...]) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    processors = [
        (name, table.columns[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in compiled.positiontup or names
    ]
    return _Prepared(str(compiled), tuple(processors), compiled.positional)


def select_in(
    connection: Connection, columns: Sequence[Column[Any]], key: Column[Any], values: Iterable[Any]
) -> Iterator[tuple[Any, ...]]:
    """Select columns of the rows whose key is one of many values.

    SQLAlchemy gives each value of an IN a name of its own; for 500 values this takes 15 times as long as the database.

    Args:
        connection: open.
        columns: of one table.
        key: a column of the same table.
        values: of the key.
    """
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    bind = key.type.dialect_impl(dialect).bind_processor(dialect)
    reads = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    selected = f"SELECT {', '.join(quote(column.name) for column in columns)} FROM {quote(key.table.name)}"  # noqa: S608
    for chunk in chunks(values):
        statement = f"{selected} WHERE {quote(key.name)} IN ({', '.join([mark] * len(chunk))})"
        rows = connection.exec_driver_sql(statement, tuple(map(bind, chunk) if bind else chunk))
        for row in rows:
            yield tuple(
                value if read is None or value is None else read(value) for read, value in zip(reads, row, strict=True)
            )


def is_one_of(column: Column[int], numbers: Sequence[int], dialect: str) -> ColumnElement[bool]:
    """Make the condition that a column has one of many numbers, which are one parameter.

    Args:
        column: of integers.
        numbers: as many as wanted.
        dialect: of the database: `sqlite` or `postgresql`.
    """
    if dialect == "sqlite":
        return column.in_(select(func.json_each(json.dumps(numbers)).table_valued("value").c.value))
    return column == any_(literal(numbers, postgresql.ARRAY(Integer)))


def insert_numbers(connection: Connection, table: Table, rows: Iterable[tuple[int, ...]]) -> None:
    """Insert rows of integers as they are: SQLAlchemy would take longer over each value than the database does.

    Args:
        connection: open for writing.
        table: of integer columns.
        rows: the values of all columns, in the order of the table.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names, marks = ", ".join(table.columns.keys()), ", ".join([mark] * len(table.columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 (names of our own schema)
    if values := list(rows):
        connection.exec_driver_sql(statement, values)


def chunks(values: Iterable[_T], size: int = 500) -> Iterator[list[_T]]:
    """Split values into lists that fit into one IN clause: SQLite takes 32,766 variables, PostgreSQL 65,535.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


class QueryWithIds:
    """A query in which `:ids` is a list of ids, for both databases.

    SQLAlchemy makes a parameter of each id and an object of each row, which takes longer than the database does. All
    parameters are numbers, and are written into the query.

    Args:
        sql: names its parameters `:name`.
        constants: parameters that never change.
    """

    def __init__(self, sql: str, **constants: int) -> None:
        self._sql = _name_numbers(sql, constants)

    def read(self, connection: Connection, ids: Iterable[int], **numbers: float) -> Sequence[Any]:
        """Read all rows.

        Args:
            connection: open.
            ids: few enough for one IN.
            numbers: the other parameters, by name.
        """
        sql = _name_numbers(self._sql, numbers)
        if connection.dialect.name != "sqlite":
            sql = sql.replace("%", "%%")
        listed = ", ".join(f"{each:d}" for each in ids)
        return connection.exec_driver_sql(sql.replace(":ids", f"({listed or 'NULL'})")).all()


def _name_numbers(sql: str, numbers: Mapping[str, float]) -> str:
    for name, number in numbers.items():
        sql = re.sub(rf":{name}\b", str(number), sql)
    return sql


def hand_over(connection: Connection, table: Table, gone_id: int, kept_id: int) -> None:
    """Give the rows of an article in an index of keys and days to another article, which may have some of them."""
    both = table.alias()
    same_key = (both.c.key == table.c.key) & (both.c.day == table.c.day)
    has_both = select(both.c.key).where(both.c.article_id == kept_id, same_key).exists()
    connection.execute(delete(table).where(table.c.article_id == gone_id, has_both))
    connection.execute(update(table).where(table.c.article_id == gone_id).values(article_id=kept_id))


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
        kind = _BY_SQLITE_CODE.get(code & 0xFF, errors.StoreFailed)
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
