"""How many stories there are of each state and category; triggers count, so that no list has to.

The tables and triggers are `STORY_COUNTS` in `pipelines.store.tables`. SQLite changes a number in its place. On
PostgreSQL a row that one transaction changes thousands of times becomes slow to find, so rows are only added there, and
folded into one for each number from time to time.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, Table, delete, func, insert, select

from pipelines.model import CandidateState
from pipelines.store.tables import Words, stories

MOST_ROWS: Final = 5000
"""Rows that a reader may have to add up: some milliseconds."""

_counts: Final = Table(
    "story_counts",
    MetaData(),
    Column("state", Words),
    Column("category", Words),
    Column("promotion", Boolean),
    Column("number", Integer),
)


def read_counts(
    connection: Connection, states: Collection[CandidateState] = (), promotion: bool | None = None
) -> dict[str, int]:
    """Read the number of stories of each category that has any.

    Args:
        connection: open.
        states: of the stories; empty for every state.
        promotion: whether the stories are promotions; None for both.
    """
    number = func.sum(_counts.c.number)
    query = select(_counts.c.category, number).group_by(_counts.c.category).having(number != 0)
    if states:
        query = query.where(_counts.c.state.in_(states))
    if promotion is not None:
        query = query.where(_counts.c.promotion == promotion)
    return {category: int(count) for category, count in connection.execute(query)}


def fold_counts(connection: Connection, most: int | None = None) -> None:
    """Fold the rows of each number into one, on PostgreSQL, if there are more than so many.

    Args:
        connection: open for writing.
        most: rows that may stay; `MOST_ROWS` by default.
    """
    if connection.dialect.name == "sqlite":
        return
    most = MOST_ROWS if most is None else most
    first_rows = select(_counts.c.number).limit(most + 1).subquery()
    if connection.execute(select(func.count()).select_from(first_rows)).scalar_one() <= most:
        return
    names = ("state", "category", "promotion")
    removed = delete(_counts).returning(*_counts.c).cte("removed")
    number = func.sum(removed.c.number)
    sums = select(*(removed.c[name] for name in names), number).group_by(*(removed.c[name] for name in names))
    connection.execute(insert(_counts).from_select([*names, "number"], sums.having(number != 0)))


def count_anew(connection: Connection) -> None:
    """Count all stories, on PostgreSQL, where the triggers that count were off while stories were added.

    Args:
        connection: open for writing; nothing is counted yet.
    """
    numbers = (stories.c.state, stories.c.category, stories.c.promotion)
    query = select(*numbers, func.count()).group_by(*numbers)
    connection.execute(insert(_counts).from_select(["state", "category", "promotion", "number"], query))
