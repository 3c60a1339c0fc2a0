"""A run may read more bytes than PostgreSQL's `integer` holds, which ends at 2 GB."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as batch:
        batch.alter_column("bytes", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=True)
