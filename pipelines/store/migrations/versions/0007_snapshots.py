"""What articles said when they were picked, and what was last heard of addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Moment, Words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("title", Words(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("hash", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
    )
    op.create_index("ix_snapshots_article", "snapshots", ["article"])
    op.create_table(
        "addresses",
        sa.Column("url", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("detail", Words(), nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_addresses"),
    )
