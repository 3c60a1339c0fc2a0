"""The terms of round-ups as numbers, by which the few that a page compares are found."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from pipelines.deduplicate.round_ups import RoundUp
from pipelines.store.bulk import chunks
from pipelines.store.engine import is_of_newsletter

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if is_of_newsletter(connection):
        return
    op.add_column("round_ups", sa.Column("terms", sa.LargeBinary()))
    rows: Any = sa.table("round_ups", *(sa.column(name) for name in ("article_id", "parts", "terms")))
    fill = sa.update(rows).where(rows.c.article_id == sa.bindparam("id")).values(terms=sa.bindparam("packed"))
    for ids in chunks(connection.execute(sa.select(rows.c.article_id)).scalars().all()):
        written = connection.execute(sa.select(rows.c.article_id, rows.c.parts).where(rows.c.article_id.in_(ids)))
        packed = [{"id": article_id, "packed": RoundUp.from_json(parts).pack_terms()} for article_id, parts in written]
        connection.execute(fill, packed)
    with op.batch_alter_table("round_ups") as batch:
        batch.alter_column("terms", existing_type=sa.LargeBinary(), nullable=False)
