"""Bands by day: near-duplicates are looked for among what is near in time. Stories by lead: articles go quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_bands_article_id", "bands")
    op.drop_table("bands")
    op.create_table(
        "bands",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("reach", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_bands_article_id"),
        sa.PrimaryKeyConstraint("key", "day", "article_id", name="pk_bands"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bands_article_id", "bands", ["article_id", "reach", "key", "day", "account"])
    op.create_index("ix_stories_lead", "stories", ["lead"])
    op.execute(sa.text("UPDATE articles SET fresh = true"))
