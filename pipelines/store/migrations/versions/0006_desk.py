"""The desk: search, the editor's category beside the grading's, changes of issues, users."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from pipelines.store.tables import Moment, Words

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue", sa.Date(), nullable=False),
        sa.Column("part", Words(), nullable=False),
        sa.Column("before", Words()),
        sa.Column("after", Words()),
        sa.Column("who", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("undoes", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index("ix_changes_issue", "changes", ["issue"])
    op.create_table(
        "users",
        sa.Column("name", Words(), nullable=False),
        sa.Column("password", Words(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user", Words(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name="fk_sessions_user", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
    )
    op.create_table(
        "search_texts",
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_search_texts_article_id"),
        sa.PrimaryKeyConstraint("article_id", name="pk_search_texts"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search_words USING fts5("
            "words, content='', detail=none, tokenize='unicode61 remove_diacritics 0')"
        )
    op.create_index("ix_articles_given", "articles", ["id", "kind", "source"])
    _stories()
    op.execute(sa.text("UPDATE articles SET fresh = true"))  # grouping them again fills the search


def _stories() -> None:
    with op.batch_alter_table("stories") as batch:
        batch.add_column(sa.Column("graded", Words()))
        batch.add_column(sa.Column("promotion", sa.Boolean()))
    stories: Any = sa.table("stories", sa.column("graded"), sa.column("promotion"), sa.column("category"))
    op.execute(sa.update(stories).values(graded=stories.c.category, promotion=sa.false()))
    with op.batch_alter_table("stories") as batch:
        batch.alter_column("graded", existing_type=Words(), nullable=False)
        batch.alter_column("promotion", existing_type=sa.Boolean(), nullable=False)
        batch.create_index("ix_stories_ranking", ["state", "category", "score", "newest_at", "promotion"])
