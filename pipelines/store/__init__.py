"""The only package with SQL. Others see plain dataclasses, and nouns: `tx.articles`, `tx.stories`, `tx.decisions`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import Final, Self, TypeVar

from sqlalchemy import Connection, Engine, inspect, text

from pipelines.files import find_free_path, remove_leftovers
from pipelines.store.alerts import Alerts
from pipelines.store.articles import Articles
from pipelines.store.bands import BandIndex
from pipelines.store.cache import StateCache
from pipelines.store.changes import Changes
from pipelines.store.checking import list_mistakes
from pipelines.store.clock import Clock
from pipelines.store.decisions import Decisions
from pipelines.store.engine import (
    WAIT,
    HousePlace,
    is_of_newsletter,
    is_ours,
    make_engine,
    metadata_of,
    open_temporary,
    parse_url,
    sqlite_path,
    typed_errors,
)
from pipelines.store.errors import BackupRefused, StoreDamaged, StoreOutdated, StoreReadOnly, StoreRefused
from pipelines.store.events import EventIndex
from pipelines.store.feed import Feed
from pipelines.store.following import Following
from pipelines.store.hosts import Hosts
from pipelines.store.incidents import Incidents
from pipelines.store.issues import Issues
from pipelines.store.queue import Jobs, Lease
from pipelines.store.raw import RawItems
from pipelines.store.rebuilding import Rebuilding
from pipelines.store.runs import Runs
from pipelines.store.shards import SharedShards
from pipelines.store.snapshots import Snapshots
from pipelines.store.sources import Sources
from pipelines.store.stories import Stories
from pipelines.store.tables import LONGEST_KEY, REVISIONS
from pipelines.store.training import TrainingData
from pipelines.store.transfer import Report, clear, copy_rows, is_empty
from pipelines.store.users import Users

__all__ = ["LONGEST_KEY", "Store", "Transaction"]


_S = TypeVar("_S", bound="Store")

_NEWSLETTER_SCHEMA: Final = "newsletter_"
"""What the schema of a further newsletter begins with on PostgreSQL; its name follows."""


class Transaction:
    """One transaction of the database. Each noun has its own file."""

    def __init__(self, connection: Connection) -> None:
        self.alerts = Alerts(connection)
        self.articles = Articles(connection)
        self.bands = BandIndex(connection)
        self.cache = StateCache(connection)
        self.events = EventIndex(connection)
        self.jobs = Jobs(connection)
        self.raw = RawItems(connection)
        self.stories = Stories(connection)
        self.decisions = Decisions(connection)
        self.issues = Issues(connection)
        self.feed = Feed(connection)
        self.following = Following(connection)
        self.training = TrainingData(connection)
        self.sources = Sources(connection)
        self.runs = Runs(connection)
        self.clock = Clock(connection)
        self.hosts = Hosts(connection)
        self.incidents = Incidents(connection)
        self.changes = Changes(connection)
        self.users = Users(connection)
        self.snapshots = Snapshots(connection)


class Store:
    """A newsroom's database.

    >>> store = Store.open("sqlite:///jianbao.db")  # doctest: +SKIP
    >>> with store.reading() as tx:  # doctest: +SKIP
    ...     tx.stories.find_by_article(1)
    """

    def __init__(self, engine: Engine, lease: Lease | None = None) -> None:
        self._lease = lease
        self._writing = engine
        self._reading = engine.execution_options(read_only=True)
        self._sharing = engine.execution_options(beside_writers=True)

    @classmethod
    def open(cls, url: str, *, wait: float = WAIT, lease: Lease | None = None) -> Self:
        """Open a database. An empty database gets its tables; a missing SQLite file is made.

        Args:
            url: a SQLAlchemy URL: `sqlite:////folder/jianbao.db`, `postgresql://host/name`.
            wait: seconds that a writer waits for another writer.
            lease: without which nothing is written; None for a process that does no job of a queue.

        Raises:
            StoreRefused: the database belongs to another program, or to a newer jianbao. It was not touched.
            StoreOutdated: the database belongs to an older jianbao. It was not touched.
            StoreError: any other error of the database.
        """
        with _closed_on_error(cls(make_engine(url, wait=wait), lease)) as store:
            version = store._version()
            if version is None:
                store._migrate()
            else:
                _require_current(version)
        return store

    @classmethod
    def open_newsletter(cls, house: Store, name: str, file: Path, *, wait: float = WAIT) -> Self:
        """Open the database of a further newsletter of a house: its own tables, and the house's to be read.

        A house on SQLite has a file for each further newsletter, one on PostgreSQL a schema. The tables are made, or
        brought up to date, when it is opened: only an upgrade of the house has to be asked for.

        Args:
            house: opened, so its schema is up to date.
            name: of the newsletter: small letters, digits and hyphens.
            file: of its own tables, where the house is on SQLite.
            wait: seconds that a writer waits for another writer.

        Raises:
            StoreError: as `open`.
        """
        schema = f"{_NEWSLETTER_SCHEMA}{name}"
        with house.reading() as tx:
            is_followed = tx.following.is_noted()
            house_place = HousePlace(house._path, *(() if house._path else (tx.following.read_schema(), schema)))
        if not is_followed:
            with house.transaction() as tx:
                tx.following.begin()
        if house._path is None:
            house._make_schema(schema)
        url = _file_url(file) if house._path else house.url
        with _closed_on_error(cls(make_engine(url, wait=wait, house=house_place))) as store:
            if store._version() != REVISIONS[-1]:
                store._migrate()
            store._reserve_ids(house)
        return store

    def _reserve_ids(self, house: Store) -> None:
        """Have a house give no article an id that this newsletter knows, if a backup took the place of the house."""
        with self.reading() as tx, house.reading() as of_house:
            last_id = tx.following.find_last_story()
            is_given = last_id < of_house.articles.next_id()
        if not is_given:
            with house.transaction() as tx:
                tx.following.reserve(last_id)

    def list_newsletters(self) -> list[str]:
        """The names of the further newsletters that have tables in this house; on SQLite each has a file of its own."""
        if self._path:
            return []
        with typed_errors(), self._reading.begin() as connection:
            schemas = inspect(connection).get_schema_names()
        return [name.removeprefix(_NEWSLETTER_SCHEMA) for name in schemas if name.startswith(_NEWSLETTER_SCHEMA)]

    def _make_schema(self, schema: str) -> None:
        """Make a schema of PostgreSQL, if it is missing."""
        with typed_errors(), self._writing.begin() as connection:
            if schema not in inspect(connection).get_schema_names():
                connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')

    @property
    def is_of_newsletter(self) -> bool:
        """Whether this is the database of a further newsletter, not of a house."""
        return bool(self._writing.get_execution_options().get("newsletter", False))

    @classmethod
    def upgrade(cls, url: str, *, wait: float = WAIT) -> Self:
        """Open a database, and bring the schema of an older jianbao up to date. SQLite keeps a copy beside the file.

        Raises:
            StoreError: as `open`. A migration that fails leaves the database as it was.
        """
        with _closed_on_error(cls(make_engine(url, wait=wait))) as store:
            version = store._version()
            if version is not None and version != REVISIONS[-1] and store._path is not None:
                store.backup(find_free_path(store._path.with_name(f"{store._path.name}.{version}")))
            if version != REVISIONS[-1]:
                store._migrate()
        return store

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Read and write, as the only writer; commit at the end, roll back on an error.

        Raises:
            LeaseLost: another worker has the job for which the store was opened.
        """
        with typed_errors(), self._writing.begin() as connection:
            if self._lease:
                self._lease.hold(connection)
            yield Transaction(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Read one state of the database, whatever other processes write meanwhile; a reader never waits."""
        with typed_errors(), self._reading.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def sharing(self) -> Iterator[SharedShards]:
        """Hand out, take or give back shards, beside whoever writes; commit at the end.

        Raises:
            RuntimeError: the process works for no worker.
            LeaseLost: another worker has the job for which the store was opened.
        """
        if self._lease is None:
            raise RuntimeError("workers share shards")
        with typed_errors(), self._sharing.begin() as connection:
            self._lease.hold(connection)
            yield SharedShards(connection, self._lease)

    @contextmanager
    def rebuilding(self) -> Iterator[Rebuilding]:
        """Begin a rebuild of all articles; this database is written only where the rebuild is told to write."""
        with typed_errors(), open_temporary() as connection:
            yield Rebuilding(connection)

    def backup(self, path: Path) -> None:
        """Copy the database into a SQLite file while it is in use; the file appears complete or not at all.

        The file is a newsroom's database itself, whichever database it is a copy of.

        Raises:
            BackupRefused: `path` exists: no file is ever overwritten.
            StoreReadOnly: `path` cannot be written.
        """
        if self._path is not None and path.resolve() == self._path.resolve():
            raise BackupRefused("database-itself", path=str(path))
        if path.exists():
            raise BackupRefused("backup-exists", path=str(path))
        remove_leftovers(path.parent)
        try:
            handle, part = mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            os.close(handle)
        except OSError as error:
            raise StoreReadOnly("unwritable", path=str(path.parent), reason=error.strerror) from error
        try:
            if self._path is None:
                house = HousePlace() if self.is_of_newsletter else None
                with closing(type(self)(make_engine(_file_url(Path(part)), house=house))) as newsroom:
                    newsroom._migrate()
                    self.copy_to(newsroom)
            else:
                with (
                    typed_errors(),
                    closing(self._writing.raw_connection()) as original,
                    closing(sqlite3.connect(part)) as copy,
                ):
                    source: sqlite3.Connection = original.driver_connection  # type: ignore[assignment]
                    source.backup(copy)
            _rename_to_new(Path(part), path)
        except BaseException:
            for ending in ("", "-wal", "-shm"):
                Path(part + ending).unlink(missing_ok=True)
            raise

    @classmethod
    def copy(cls, source_url: str, target_url: str, report: Report = lambda _copied, _total: None) -> tuple[str, int]:
        """Copy a newsroom's database into another one, which is made where it is missing.

        Args:
            source_url: a SQLAlchemy URL.
            target_url: another one, of the same or the other kind.
            report: is told, as rows are copied, how many of how many.

        Returns:
            The name of the target, and the number of rows.

        Raises:
            BackupRefused: the source is no newsroom, or the target has rows.
            StoreError: as `open`.
        """
        url = parse_url(source_url)
        if url.get_backend_name() == "sqlite":
            _require_ours(sqlite_path(url), BackupRefused("no-newsroom", database=str(sqlite_path(url))))
        with closing(cls(make_engine(source_url))) as source:
            version = source._version()
            if version is None:
                raise BackupRefused("no-newsroom", database=source.name)
            _require_current(version)
            with closing(cls.open(target_url)) as target:
                return target.name, source.copy_to(target, report)

    def copy_to(self, target: Self, report: Report = lambda _copied, _total: None) -> int:
        """Copy all rows into another database, in one transaction. This one may be in use: one state of it is copied.

        Args:
            target: a store without any row.
            report: is told, as rows are copied, how many of how many.

        Returns:
            The number of rows.

        Raises:
            BackupRefused: the target has rows.
        """
        with (
            typed_errors(),
            self._reading.begin() as source_connection,
            target._writing.begin() as target_connection,
        ):
            if not is_empty(target_connection):
                raise BackupRefused("copy-not-empty", database=target.name)
            return copy_rows(source_connection, target_connection, report)

    @property
    def name(self) -> str:
        """The path of a SQLite database, the URL of another one without its password."""
        return str(self._path) if self._path is not None else self._writing.url.render_as_string(hide_password=True)

    def check(self) -> list[str]:
        """Look for damage, and for references that lead nowhere.

        Returns:
            A line for each mistake; none for a sound database.
        """
        with typed_errors(), self._reading.begin() as connection:
            return list_mistakes(connection)

    def compact(self) -> int:
        """Give the free pages of a SQLite database back to the disk; PostgreSQL does so by itself.

        Returns:
            The size of the database after it, in bytes.

        Raises:
            StoreBusy: another process writes.
            StoreFull: the disk has no room for a copy of the database.
        """
        if self._path is None:
            return self.size()
        with typed_errors(), closing(self._writing.raw_connection()) as connection:
            driver: sqlite3.Connection = connection.driver_connection  # type: ignore[assignment]
            for statement in ("PRAGMA query_only=0", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                driver.execute(statement).fetchall()
        return self.size()

    def size(self) -> int:
        """The size of the database in bytes."""
        if self._path is not None:
            return self._path.stat().st_size
        with typed_errors(), self._reading.begin() as connection:
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    @classmethod
    def restore(cls, url: str, copy: Path, folder: Path) -> Path:
        """Put a copy in the place of a database; nobody may use the database meanwhile.

        Args:
            url: of the database.
            copy: that `backup` made, of a database of either kind.
            folder: for the former content of a PostgreSQL database.

        Returns:
            The SQLite file under which the former database is kept; it may be missing where there was none. No file of
            an earlier restoring is overwritten: it may be the only one with the latest decisions.

        Raises:
            BackupRefused: the copy is none, is damaged or lacks tables.
            StoreRefused: the copy is of another program or of a newer jianbao.
            StoreReadOnly: the folder cannot be written.
        """
        parsed = parse_url(url)
        path = sqlite_path(parsed) if parsed.get_backend_name() == "sqlite" else None
        if path is not None and copy.resolve() == path.resolve():
            raise BackupRefused("database-itself", path=str(path))
        _require_ours(copy, BackupRefused("no-backup", path=str(copy)))
        target_folder = path.parent if path is not None else folder
        try:
            target_folder.mkdir(parents=True, exist_ok=True)
            if path is not None:
                return _restore_file(path, copy)
            with closing(cls.open(url)) as store:
                return store._replace_rows(copy, folder)
        except OSError as error:
            raise StoreReadOnly("unwritable", path=str(target_folder), reason=error.strerror) from error

    @classmethod
    def restore_newsletter(cls, house: Store, name: str, file: Path, copy: Path) -> Path:
        """Put a copy in the place of a further newsletter's own tables; nobody may use them meanwhile.

        Args:
            house: opened.
            name: of the newsletter.
            file: of its own tables, where the house is on SQLite.
            copy: that `backup` made of a newsletter, of a database of either kind.

        Returns:
            The SQLite file under which the former tables are kept, as with `restore`.

        Raises:
            StoreError: as `restore`.
        """
        if copy.resolve() == file.resolve():
            raise BackupRefused("database-itself", path=str(copy))
        _require_ours(copy, BackupRefused("no-backup", path=str(copy)))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if house._path is not None:
                return _restore_file(file, copy, HousePlace())
            with closing(cls.open_newsletter(house, name, file)) as store:
                return store._replace_rows(copy, file.parent, HousePlace())
        except OSError as error:
            raise StoreReadOnly("unwritable", path=str(file.parent), reason=error.strerror) from error

    def _replace_rows(self, copy: Path, folder: Path, house_place: HousePlace | None = None) -> Path:
        """Put the rows of a copy, also of an older version, in the place of all rows; nothing changes if that fails.

        Args:
            copy: that `backup` made.
            folder: for the former rows.
            house_place: of a copy of a newsletter's tables; None for a house.
        """
        former = find_free_path(folder / "jianbao.db.replaced")
        with TemporaryDirectory(dir=folder, prefix=".restored.") as temporary:
            readable = Path(temporary) / "copy.db"
            _copy_file(copy, readable, house_place)
            with closing(type(self)(make_engine(_file_url(readable), house=house_place))) as source:
                source._migrate()
                with (
                    typed_errors(),
                    source._reading.begin() as source_connection,
                    self._writing.begin() as connection,
                ):
                    self.backup(former)
                    try:
                        clear(connection)
                        copy_rows(source_connection, connection)
                        if house_place is None:
                            Following(connection).stop()
                    except BaseException:
                        former.unlink()  # nothing was replaced
                        raise
        return former

    def lacks_tables(self) -> bool:
        """Tell whether a table is missing that this version of jianbao made.

        Raises:
            StoreRefused: the database has tables of another program, or a revision of a newer jianbao.
        """
        with typed_errors(), self._reading.begin() as connection:
            lacking = metadata_of(connection).tables.keys() - set(_list_tables(connection))
        return self._version() == REVISIONS[-1] and bool(lacking)

    @property
    def url(self) -> str:
        """The URL by which another process opens the database, with its password."""
        return self._writing.url.render_as_string(hide_password=False)

    def close(self) -> None:
        """Close all connections."""
        self._writing.dispose()

    @property
    def _path(self) -> Path | None:
        url = self._writing.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def _version(self) -> str | None:
        """Read the revision of the schema; None for a database without tables.

        Raises:
            StoreRefused: the database has tables of another program, or a revision of a newer jianbao.
        """
        with typed_errors(), self._reading.begin() as connection:
            names = _list_tables(connection)
            if "alembic_version" in names:
                version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            elif names:
                raise StoreRefused("foreign-tables")
            else:
                version = None
        if version is not None and version not in REVISIONS:
            raise StoreRefused("newer-schema", version=version)
        return version

    def _migrate(self) -> None:
        from pipelines.store.migrations import migrate  # noqa: PLC0415  Alembic takes longer to load than most commands run

        with typed_errors():
            migrate(self._writing)


def _list_tables(connection: Connection) -> list[str]:
    """List the names of the tables that a database has for itself; on PostgreSQL a newsletter sees the house's too."""
    inspector = inspect(connection)
    sees_more = is_of_newsletter(connection) and connection.dialect.name == "postgresql"
    return inspector.get_table_names(inspector.default_schema_name if sees_more else None)


def _require_current(version: str) -> None:
    if version != REVISIONS[-1]:
        raise StoreOutdated("old-schema", version=version, needed=REVISIONS[-1])


def _file_url(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"


def _copy_file(original_path: Path, copy_path: Path, house_place: HousePlace | None = None) -> None:
    """Copy a SQLite file that nobody writes, by reading alone: a house's; or, with a place, a newsletter's.

    `immutable` leaves no log beside it (https://www.sqlite.org/uri.html#uriimmutable), and reads none that is there.

    Raises:
        BackupRefused: the file is damaged, or lacks tables.
        StoreRefused: the file is of another program or of a newer jianbao.
    """
    has_log = original_path.with_name(original_path.name + "-wal").exists()
    options = "mode=ro" if has_log else "mode=ro&immutable=1"
    try:
        with (
            typed_errors(),
            closing(sqlite3.connect(f"{original_path.resolve().as_uri()}?{options}", uri=True)) as original,
            closing(sqlite3.connect(copy_path)) as copy,
        ):
            original.backup(copy)
            is_sound = copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    except StoreDamaged:
        is_sound = False
    if not is_sound:
        raise BackupRefused("damaged-backup", path=str(original_path))
    with closing(Store(make_engine(_file_url(copy_path), house=house_place))) as newsroom:
        if newsroom.lacks_tables():
            raise BackupRefused("foreign-backup", path=str(original_path))


def _require_ours(file: Path, refusal: BackupRefused) -> None:
    """Raise the refusal where a file that a command names is no database of jianbao.

    `is_ours` speaks of the newsroom's own database, and of JIANBAO_DB.
    """
    try:
        if is_ours(file):
            return
    except StoreRefused as error:
        raise refusal from error
    raise refusal


def _restore_file(path: Path, copy: Path, house_place: HousePlace | None = None) -> Path:
    """Put a copy in the place of a SQLite file: a house's; or, with the place of its house, a newsletter's."""
    former = find_free_path(path.with_name(f"{path.name}.replaced"))
    part = path.with_name(f".{path.name}.restored.part")
    part.unlink(missing_ok=True)
    try:
        _copy_file(copy, part, house_place)
        with closing(Store(make_engine(_file_url(part), house=house_place))) as restored:
            if house_place is None and restored._version() == REVISIONS[-1]:
                with restored.transaction() as tx:
                    tx.following.stop()
        _keep_former(path, former)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return former


def _keep_former(path: Path, former: Path) -> None:
    """Keep a database under another name, with its log; the file stays in its place until another replaces it."""
    if path.exists():
        former.hardlink_to(path)
    for ending in ("-wal", "-shm"):
        log = path.with_name(path.name + ending)
        if log.exists():
            log.replace(former.with_name(former.name + ending))


def _rename_to_new(part: Path, path: Path) -> None:
    """Rename a file, unless another program has made the target meanwhile."""
    try:
        path.hardlink_to(part)
    except FileExistsError as error:
        raise BackupRefused("backup-exists", path=str(path)) from error
    except OSError:  # a file system without hard links
        part.replace(path)
    else:
        part.unlink()


@contextmanager
def _closed_on_error(store: _S) -> Iterator[_S]:
    try:
        yield store
    except BaseException:
        store.close()
        raise
