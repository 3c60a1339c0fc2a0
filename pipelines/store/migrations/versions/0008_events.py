"""Events: what an article says of its event, keys by which articles on one event are found, and links between them.

All articles are grouped anew, so that stored ones get their profiles.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_profiles",
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("profile", Words(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_event_profiles_article_id"),
        sa.PrimaryKeyConstraint("article_id", name="pk_event_profiles"),
    )
    op.create_table(
        "event_keys",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_event_keys_article_id"),
        sa.PrimaryKeyConstraint("key", "day", "article_id", name="pk_event_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_keys_article_id", "event_keys", ["article_id", "key", "day"])
    op.create_table(
        "event_links",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("other", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("action", Words()),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["one"], ["articles.id"], name="fk_event_links_one"),
        sa.ForeignKeyConstraint(["other"], ["articles.id"], name="fk_event_links_other"),
        sa.PrimaryKeyConstraint("one", "other", name="pk_event_links"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_links_other", "event_links", ["other"])
    op.execute("UPDATE articles SET fresh = true")
