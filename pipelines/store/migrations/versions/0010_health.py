"""What health needs of a run, and the incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Moment, Words

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("answered_by", Words()))
    op.add_column("runs", sa.Column("traces", sa.JSON(none_as_null=True)))
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("acknowledged_until", Moment()),
        sa.Column("recovered_at", Moment()),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_recovered_at", "incidents", ["recovered_at"])
