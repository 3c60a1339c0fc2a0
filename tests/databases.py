"""New databases for tests. The migrations run once in a process; each further database is a copy of the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from postgresql_server import PostgresqlServer

from pipelines.store import Store


class Databases(Protocol):
    """Databases of one kind, each for one test."""

    dialect: str
    """`sqlite` or `postgresql`."""

    def make(self, *, migrated: bool = True) -> str:
        """Make a database; its URL. It has the tables, or is empty."""

    def drop(self, url: str) -> None:
        """Drop a database whose stores are closed."""


class SqliteDatabases:
    """SQLite files in a folder."""

    dialect = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def make(self, *, migrated: bool = True) -> str:
        path = self._folder / f"{next(self._numbers)}.db"
        if migrated:
            write_new_database(path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)


class PostgresqlDatabases:
    """Databases of a server."""

    dialect = "postgresql"

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server

    def make(self, *, migrated: bool = True) -> str:
        return self._server.make_database(template=self._migrated() if migrated else "template0")

    def drop(self, url: str) -> None:
        self._server.drop_database(url)

    @cache  # noqa: B019 - there is one for each server
    def _migrated(self) -> str:
        url = self._server.make_database()
        Store.open(url).close()
        return self._server.name_of(url)


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
    path.write_bytes(_migrated_database())


@cache
def _migrated_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "jianbao.db"
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()
