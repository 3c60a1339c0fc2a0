"""Hosts that want to be left alone, and alerts that wait to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Moment, Words

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hosts",
        sa.Column("netloc", Words(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("not_before", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("netloc", name="pk_hosts"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", Words(), nullable=False),
        sa.Column("event", Words(), nullable=False),
        sa.Column("incident_id", sa.Integer()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment()),
        sa.Column("failure", Words()),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_sent_at", "alerts", ["sent_at"])
