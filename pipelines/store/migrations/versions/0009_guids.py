"""Whether the identifiers that a source's feed gives its entries last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("guids", Words(), nullable=True))
