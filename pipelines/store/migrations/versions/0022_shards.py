"""Shards that several workers do together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.engine import is_of_newsletter
from pipelines.store.tables import Words

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if is_of_newsletter(op.get_bind()):
        return
    op.create_table(
        "shards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("leader_job", sa.BigInteger(), nullable=False),
        sa.Column("leader_worker", sa.BigInteger(), nullable=False),
        sa.Column("work", Words(), nullable=False),
        sa.Column("rules", Words(), nullable=False),
        sa.Column("arguments", sa.LargeBinary(), nullable=False),
        sa.Column("taker_job", sa.BigInteger()),
        sa.Column("taker_worker", sa.BigInteger()),
        sa.Column("result", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_shards"),
    )
