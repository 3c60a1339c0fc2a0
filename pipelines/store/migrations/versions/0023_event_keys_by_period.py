"""Event keys by period: the keys of new articles lie together, in few pages, however many articles are stored."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from pipelines.store.engine import is_of_newsletter

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_COPIED_AT_ONCE: Final = 5000
"""Articles whose keys are copied at once: they are sorted in memory."""


def upgrade() -> None:
    connection = op.get_bind()
    if is_of_newsletter(connection):
        return
    if connection.dialect.name == "postgresql":
        op.drop_constraint("pk_event_keys", "event_keys")
    op.rename_table("event_keys", "former_event_keys")
    op.create_table(
        "event_keys",
        sa.Column("period", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_event_keys_article_id"),
        sa.PrimaryKeyConstraint("period", "key", "day", "article_id", name="pk_event_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_keys_article_id_period", "event_keys", ["article_id", "period", "key", "day"])
    highest = connection.execute(sa.text("SELECT max(article_id) FROM former_event_keys")).scalar() or 0
    copy = sa.text("""
        INSERT INTO event_keys (period, key, day, article_id)
        SELECT day / 32, key, day, article_id FROM former_event_keys WHERE article_id BETWEEN :first AND :last
        ORDER BY 1, 2, 3, 4
    """)
    for first in range(0, highest + 1, _COPIED_AT_ONCE):
        connection.execute(copy, {"first": first, "last": first + _COPIED_AT_ONCE - 1})
    op.drop_table("former_event_keys")
