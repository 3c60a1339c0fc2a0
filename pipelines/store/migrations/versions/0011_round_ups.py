"""Round-ups as their parts, and how many accounts report a story independently.

All articles are grouped anew, so that stored ones get both.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Words

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "round_ups",
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("parts", Words(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_round_ups_article_id"),
        sa.PrimaryKeyConstraint("article_id", name="pk_round_ups"),
    )
    op.create_index("ix_round_ups_day", "round_ups", ["day"])
    op.add_column("stories", sa.Column("accounts", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE articles SET fresh = true")
