"""Looks for damage in a database, and for what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Boolean, Connection, Integer, Text, cast, func, literal_column, select, text

from pipelines.store.engine import is_of_newsletter, metadata_of, typed_errors
from pipelines.store.errors import StoreError
from pipelines.store.tables import search_texts


def list_mistakes(connection: Connection) -> list[str]:
    """List what is wrong with a database, a line each; none for a sound one."""
    return list(_check_sqlite(connection) if connection.dialect.name == "sqlite" else _check_postgresql(connection))


def _check_sqlite(connection: Connection) -> Iterator[str]:
    """Have SQLite check its pages and its references."""
    lines = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA main.integrity_check")]
    yield from (line for line in lines if line != "ok")
    for row in connection.exec_driver_sql("PRAGMA main.foreign_key_check"):
        yield f"{row[0]} {row[1]} -> {row[2]}"


def _check_postgresql(connection: Connection) -> Iterator[str]:
    """Read every value of every table; compare the index of the search, and the numbers that are given out next.

    PostgreSQL has no check of its own for one database, but what is damaged cannot be read
    (https://www.postgresql.org/docs/current/checksums.html), and its references are checked at each write.
    """
    for table in metadata_of(connection).sorted_tables:
        try:
            with typed_errors(), connection.begin_nested():
                connection.execute(select(func.sum(func.length(cast(table.table_valued(), Text)))))
        except StoreError as error:
            yield f"{table.name}: {error.detail.values['text']}"
    if not is_of_newsletter(connection):
        yield from _check_search(connection)
    for table in metadata_of(connection).sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            highest = connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
            sequence = connection.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar_one()
            state = (literal_column("last_value", Integer), literal_column("is_called", Boolean))
            last, is_used = connection.execute(select(*state).select_from(text(sequence))).one()
            if last + is_used <= highest:
                yield f"{table.name}.{column.name}: {highest} > {sequence} {last}"


def _check_search(connection: Connection) -> Iterator[str]:
    documents, indexed = (
        set(connection.execute(query).scalars())
        for query in (select(search_texts.c.article_id), text("SELECT article_id FROM search_words"))
    )
    yield from (f"search_words: {article_id}" for article_id in sorted(documents ^ indexed))
