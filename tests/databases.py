"""New databases for tests. What fills one runs once in a process; each further database is a copy of the first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from postgresql_server import PostgresqlServer
from sqlalchemy import MetaData, select

from pipelines.store import Store
from pipelines.store.tables import metadata

Fill = Callable[[str], None]


def migrate(url: str) -> None:
    """Make the tables."""
    Store.open(url).close()


class Databases(Protocol):
    """Databases of one kind, each for one test."""

    dialect: str
    """`sqlite` or `postgresql`."""

    def make(self, fill: Fill | None = migrate) -> str:
        """Make a database; its URL.

        Args:
            fill: fills an empty database, by its URL, and closes it; None leaves it empty.
        """

    def drop(self, url: str) -> None:
        """Drop a database whose stores are closed."""


class SqliteDatabases:
    """SQLite files in a folder."""

    dialect = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def make(self, fill: Fill | None = migrate) -> str:
        path = self._folder / f"{next(self._numbers)}.db"
        if fill:
            path.write_bytes(read_filled_file(fill))
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)


class PostgresqlDatabases:
    """Databases of a server."""

    dialect = "postgresql"

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server
        self._templates: dict[Fill, str] = {}

    def make(self, fill: Fill | None = migrate) -> str:
        if fill is None:
            return self._server.make_database()
        if fill not in self._templates:
            url = self._server.make_database()
            fill(url)
            self._templates[fill] = self._server.name_of(url)
        return self._server.make_database(self._templates[fill])

    def drop(self, url: str) -> None:
        self._server.drop_database(url)


@contextmanager
def opened_store(databases: Databases) -> Iterator[Store]:
    """An empty store in a new database, which is gone afterwards."""
    url = databases.make()
    store = Store.open(url)
    try:
        yield store
    finally:
        store.close()
        databases.drop(url)


def open_new_store(path: Path) -> Store:
    """Open an empty store in a new SQLite file, for the caller to close.

    Tests of the migrations, and of how a database is opened, call `Store.open` themselves.
    """
    write_new_database(path)
    return Store.open(f"sqlite:///{path}")


def write_new_database(path: Path) -> None:
    """Write the file of an empty store."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(read_filled_file(migrate))


@cache
def read_filled_file(fill: Fill) -> bytes:
    """Read the SQLite file that a function fills."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "jianbao.db"
        fill(f"sqlite:///{path}")
        return path.read_bytes()


def read_tables(
    store: Store, without: Collection[str] = (), of: MetaData = metadata
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, in the order of their primary keys, without the columns of some names."""
    with store._reading.begin() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    select(*(column for column in table.columns if column.name not in without)).order_by(
                        *table.primary_key
                    )
                )
            ]
            for table in of.sorted_tables
        }
