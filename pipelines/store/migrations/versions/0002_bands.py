"""Bands: what near-duplicates are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bands",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_bands_article_id"),
        sa.PrimaryKeyConstraint("key", "article_id", name="pk_bands"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bands_article_id", "bands", ["article_id"])
    op.execute(sa.text("UPDATE articles SET fresh = true"))
