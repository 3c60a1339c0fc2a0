"""When a raw item was reduced to what an article is made of; how often a run asked, and what it got."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("raw_items", sa.Column("reduced_at", Moment()))
    op.create_index("ix_raw_items_source", "raw_items", ["source", "reduced_at", "id"])
    for name in ("requests", "replies", "bytes"):
        op.add_column("runs", sa.Column(name, sa.Integer()))
    op.add_column("runs", sa.Column("problems", sa.JSON(none_as_null=True)))
