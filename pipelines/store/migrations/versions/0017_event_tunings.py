"""What the model of events learned from the newsroom: one row, the last tuning."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Words

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_tunings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tuning", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_tunings"),
    )
