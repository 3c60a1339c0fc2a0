"""Event keys and bands by period: those of new articles lie together, in few pages, however many are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from pipelines.store.engine import is_of_newsletter

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_COPIED_AT_ONCE: Final = 5000
"""Articles whose rows are copied at once: they are sorted in memory."""


def upgrade() -> None:
    if is_of_newsletter(op.get_bind()):
        return
    _remake(
        "event_keys",
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        days=32,
        indexed=["article_id", "period", "key", "day"],
    )
    _remake(
        "bands",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("reach", sa.SmallInteger(), nullable=False),
        days=30,
        indexed=["article_id", "reach", "period", "key", "day", "account"],
    )


def _remake(table: str, *columns: sa.Column[int], days: int, indexed: Sequence[str]) -> None:
    """Make a table again, with the period of so many days before the key."""
    connection = op.get_bind()
    former = f"former_{table}"
    if connection.dialect.name == "postgresql":  # where an index of another table may not have its name
        op.drop_constraint(f"pk_{table}", table)
    op.rename_table(table, former)
    op.create_table(
        table,
        sa.Column("period", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=f"fk_{table}_article_id"),
        sa.PrimaryKeyConstraint("period", "key", "day", "article_id", name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{table}_{'_'.join(indexed[:2])}", table, indexed)
    names = ", ".join(["key", "day", *(column.name for column in columns)])
    copy = sa.text(f"""
        INSERT INTO {table} (period, {names})
        SELECT day / {days} AS period, {names} FROM {former} WHERE article_id BETWEEN :first AND :last
        ORDER BY period, key, day, article_id
    """)  # noqa: S608 - our constants
    highest = connection.execute(sa.text(f"SELECT max(article_id) FROM {former}")).scalar() or 0  # noqa: S608
    for first in range(0, highest + 1, _COPIED_AT_ONCE):
        connection.execute(copy, {"first": first, "last": first + _COPIED_AT_ONCE - 1})
    op.drop_table(former)
