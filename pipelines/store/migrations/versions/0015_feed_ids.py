"""The identifiers of the feed and of its issues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Words

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_ids",
        sa.Column("id", Words(), nullable=False),
        sa.Column("issue", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_feed_ids"),
        sa.UniqueConstraint("issue", name="uq_feed_ids_issue"),
    )
