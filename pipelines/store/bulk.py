"""Statements over many rows, for both databases: SQLAlchemy takes longer over each row than the database does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Table,
    any_,
    delete,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

_T = TypeVar("_T")


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
        if connection.dialect.name == "postgresql":  # which refuses a statement that writes a row twice
            keys = [column.name for column in table.primary_key]
            rows = list({tuple(row[key] for key in keys): row for row in rows}.values())
        _execute(connection, _write_upsert(connection.dialect, table, tuple(rows[0]), keep), rows)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are not stored yet.

    Args:
        connection: open for writing.
        table: to insert into; a column that the rows lack has no default of Python.
        rows: all with the same columns.
    """
    if rows:
        _execute(connection, _write_insert(connection.dialect, table, tuple(rows[0])), rows)


def copy_in(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows that are not stored yet, on PostgreSQL by COPY.

    Args:
        connection: open for writing.
        table: to insert into.
        rows: all with every column of the table.

    Raises:
        DBAPIError: the database refuses a row.
    """
    if connection.dialect.name == "sqlite":
        insert_rows(connection, table, rows)
        return
    statement = _write_insert(connection.dialect, table, tuple(table.columns.keys()))
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name, _ in statement.processors)
    text = f"COPY {quote(table.name)} ({names}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(text) as copy:
            for values in zip(*statement.prepare(rows), strict=True):
                copy.write_row(values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(text, None, error) from error


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement that writes rows, as the driver takes it.

    Args:
        text: the SQL.
        processors: the columns in their order, and what makes the driver's value of each; None where nothing does.
    """

    text: str
    processors: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def prepare(self, rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Make the driver's values of rows, a list for each column."""
        return [
            [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]
            for name, process in self.processors
        ]


@lru_cache(maxsize=100)
def _write_insert(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Statement:
    """Write an INSERT: of one row for SQLite; for PostgreSQL of all rows, an array of each column.

    A statement for each row costs the driver three times as much, and PostgreSQL a third more.
    """
    quote = dialect.identifier_preparer.quote
    types = {name: table.columns[name].type for name in names}
    if dialect.name == "postgresql":
        arrays = (f"%b::{kind.compile(dialect)}[]" for kind in types.values())
        source = f"SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608
    else:
        source = f"VALUES ({', '.join('?' * len(names))})"
    text = f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) {source}"
    processors = [(name, kind.dialect_impl(dialect).bind_processor(dialect)) for name, kind in types.items()]
    return _Statement(text, tuple(processors))


@lru_cache(maxsize=100)
def _write_upsert(dialect: Dialect, table: Table, names: tuple[str, ...], keep: frozenset[str]) -> _Statement:
    quote = dialect.identifier_preparer.quote
    keys = [column.name for column in table.primary_key]
    changes = [f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in keys and name not in keep]
    action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
    statement = _write_insert(dialect, table, names)
    return replace(statement, text=f"{statement.text} ON CONFLICT ({', '.join(map(quote, keys))}) DO {action}")


def _execute(connection: Connection, statement: _Statement, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as SQLAlchemy does, which prepares each value of each row anew."""
    columns = statement.prepare(rows)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statement.text, tuple(columns))
    else:
        connection.exec_driver_sql(statement.text, list(zip(*columns, strict=True)))


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


def leave_index(column: Column[_T]) -> ColumnElement[_T]:
    """Keep SQLite from finding rows by an index of a column: https://www.sqlite.org/optoverview.html#uplus."""
    return literal_column(f"+{column.table.name}.{column.name}", column.type)


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
    statement = _write_insert(connection.dialect, table, tuple(table.columns.keys()))
    values = list(rows)
    if values and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statement.text, tuple(map(list, zip(*values, strict=True))))
    elif values:
        connection.exec_driver_sql(statement.text, values)


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

    SQLAlchemy would make a parameter of each id and an object of each row, which takes longer than the database does.
    All parameters are numbers, and are written into the query.

    Args:
        sql: names its parameters `:name`. `IN [...]` has expressions of columns in its list: PostgreSQL makes OR of IN
            with them, for which it uses no index, and ANY of an array is none of SQLite's words.
        constants: parameters that never change.
    """

    def __init__(self, sql: str, **constants: int) -> None:
        with_numbers = _name_numbers(sql, constants)
        self._sqlite = re.sub(r"IN \[(.+?)\]", r"IN (\1)", with_numbers)
        self._postgresql = re.sub(r"IN \[(.+?)\]", r"= ANY (ARRAY[\1])", with_numbers).replace("%", "%%")

    def read(self, connection: Connection, ids: Iterable[int], **numbers: float) -> Sequence[tuple[Any, ...]]:
        """Read all rows, as the driver makes them.

        Args:
            connection: open.
            ids: few enough for one IN.
            numbers: the other parameters, by name.
        """
        sql = _name_numbers(self._sqlite if connection.dialect.name == "sqlite" else self._postgresql, numbers)
        listed = ", ".join(f"{each:d}" for each in ids)
        result = connection.exec_driver_sql(sql.replace(":ids", f"({listed or 'NULL'})"))
        with closing(result):
            return result.cursor.fetchall()

    def read_pairs(self, connection: Connection, ids: Iterable[int], **numbers: float) -> set[tuple[int, int]]:
        """Read the pairs of a query that selects two ids, the smaller id first.

        Args:
            connection: open.
            ids: as many as wanted.
            numbers: the other parameters, by name.
        """
        return {
            (one_id, other_id) if one_id < other_id else (other_id, one_id)  # min and max take six times as long
            for chunk in chunks(ids)
            for one_id, other_id in self.read(connection, chunk, **numbers)
        }


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
