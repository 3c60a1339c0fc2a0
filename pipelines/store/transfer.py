"""Copies a newsroom from one database into another, row for row, whichever of the two databases each of them is.

The full-text index is no table of rows: it is made anew from the stored documents. Stories are counted as they come. A
database that counts by itself (PostgreSQL's sequences) goes on counting after the highest id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, func, select, text
from sqlalchemy.types import Float, Integer

from pipelines.store.counts import fold_counts
from pipelines.store.engine import is_of_newsletter, metadata_of
from pipelines.store.search import Search
from pipelines.store.tables import FailureText, Words, metadata, shards

Report = Callable[[int, int], None]
"""Is told how many rows of how many have been copied."""

_MANY: Final = 5000
"""Rows that are read and written at once where they are numbers."""

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
    for table in list_plain_tables(metadata_of(source)):
        for rows in _read(source, table):
            target.execute(table.insert(), rows)
            if table.name == "search_texts":
                Search(target).index({row["article_id"]: row["text"] for row in rows})
            copied += len(rows)
            report(copied, total)
        _count_on(target, table)
    fold_counts(target, most=0)
    return copied


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
