"""Copies a newsroom from one database into another, row for row, whichever of the two databases each of them is.

The full-text index is no table of rows: it is made anew from the stored documents. Stories are counted at the end. A
database that counts by itself (PostgreSQL's sequences) goes on counting after the highest id. PostgreSQL is filled as
its manual advises: by COPY, with indexes and foreign keys made after the rows, and statistics at the end
(https://www.postgresql.org/docs/current/populate.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, func, select, text
from sqlalchemy.types import Float, Integer

from pipelines.store.bulk import copy_in
from pipelines.store.counts import count_anew
from pipelines.store.engine import is_of_newsletter, metadata_of
from pipelines.store.search import Search
from pipelines.store.tables import FailureText, Words, metadata, shards

Report = Callable[[int, int], None]
"""Is told how many rows of how many have been copied; indexes may have to be made after the last one."""

_MANY: Final = 5000
"""Rows that are read and written at once where they are numbers."""

_MEMORY_FOR_INDEXES: Final = "256MB"
"""What PostgreSQL may use to make an index; its default is 64 MB."""

_FEW: Final = 50
"""Rows that are read and written at once where they are texts: a raw item may have megabytes."""


def count_rows(connection: Connection) -> dict[str, int]:
    """Count the rows of each table that is copied, by its name."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in list_plain_tables(metadata_of(connection))
    }


def is_empty(connection: Connection) -> bool:
    """Tell whether no table has a row."""
    tables = metadata_of(connection).sorted_tables
    return not any(connection.execute(select(table).limit(1)).first() for table in tables)


def copy_rows(source: Connection, target: Connection, report: Report = lambda _copied, _total: None) -> int:
    """Copy all rows into a database whose tables are empty.

    Args:
        source: open for reading one state.
        target: open for writing; nothing is committed.
        report: is called after each batch of rows.

    Returns:
        The number of rows.
    """
    total = sum(count_rows(source).values())
    copied = 0
    with _indexed_afterwards(target):
        for table in list_plain_tables(metadata_of(source)):
            for rows in _read(source, table):
                copy_in(target, table, rows)
                if table.name == "search_texts":
                    Search(target).index({row["article_id"]: row["text"] for row in rows})
                copied += len(rows)
                report(copied, total)
            _count_on(target, table)
    return copied


@contextmanager
def _indexed_afterwards(connection: Connection) -> Iterator[None]:
    """Fill empty tables: what PostgreSQL would do for each row, it does at the end for all rows.

    Indexes and foreign keys are dropped and made again as the catalogue describes them, so also those that somebody
    added. Primary keys and unique columns stay.

    Args:
        connection: open for writing.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    names = [table.name for table in metadata_of(connection).sorted_tables]
    if not is_of_newsletter(connection):
        names.append("search_words")
    foreign_keys = connection.execute(text(_FOREIGN_KEYS), {"names": names}).all()
    indexes = connection.execute(text(_INDEXES), {"names": names}).all()
    run = connection.exec_driver_sql
    for table, name, _ in foreign_keys:
        run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        run(f"DROP INDEX {name}")
    run("ALTER TABLE stories DISABLE TRIGGER USER")
    yield
    run("ALTER TABLE stories ENABLE TRIGGER USER")
    count_anew(connection)
    run(f"SET LOCAL maintenance_work_mem = '{_MEMORY_FOR_INDEXES}'")
    for _, definition in indexes:
        run(definition)
    for table, name, definition in foreign_keys:
        run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    run("ANALYZE")  # until it is done, the planner takes the tables for empty


_FOREIGN_KEYS: Final = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = ANY (CAST(:names AS regclass[])) ORDER BY 1, 2"""
_INDEXES: Final = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (CAST(:names AS regclass[]))
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1"""


def clear(connection: Connection) -> None:
    """Delete all rows of a PostgreSQL database; who reads it meanwhile waits until the transaction ends."""
    names = ["story_counts", *(table.name for table in metadata_of(connection).sorted_tables)]
    if not is_of_newsletter(connection):
        names.append("search_words")
    connection.execute(text(f"TRUNCATE {', '.join(names)}"))


def list_plain_tables(of: MetaData = metadata) -> list[Table]:
    """List the tables to copy, with columns that give what is stored: nothing is read into a text of an older version.

    Shards are left out, as the queue is: they belong to jobs that go on.
    """
    plain = MetaData()
    for table in of.sorted_tables:
        for column in table.to_metadata(plain).columns:
            if isinstance(column.type, FailureText):
                column.type = Words()
    return [table for table in plain.sorted_tables if table.name != shards.name]


def _read(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """Read all rows of a table, some at a time."""
    is_of_numbers = all(isinstance(column.type, Integer | Float) for column in table.columns)
    query = select(table).order_by(*table.primary_key)
    options = {"yield_per": _MANY if is_of_numbers else _FEW}
    with connection.execute(query, execution_options=options) as result:
        for rows in result.mappings().partitions():
            yield [dict(row) for row in rows]


def _count_on(connection: Connection, table: Table) -> None:
    """Have the database number the next row after the highest id; SQLite does so by itself."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name == "sqlite":
        return
    highest = connection.execute(select(func.max(column))).scalar()
    if highest is not None:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), highest)))
