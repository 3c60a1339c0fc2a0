"""When an issue was published and corrected."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Moment, Words

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("published_at", Moment()))
    op.add_column("issues", sa.Column("corrected_at", Moment()))
    issues = sa.table("issues", sa.column("state", Words()), sa.column("published_at", Moment()))
    is_published = issues.c.state == "published"
    op.execute(sa.update(issues).where(is_published).values(published_at=datetime.now(UTC)))  # at the latest
