"""Several newsletters of one house: the house says which stories changed, a newsletter has tables of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pipelines.store.engine import is_of_newsletter
from pipelines.store.tables import STORY_COUNTS, Moment, Words

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if is_of_newsletter(op.get_bind()):
        _make_stories()
        _make_decisions()
        _make_issues()
        _make_rest()
    else:
        op.create_table(
            "story_changes",
            sa.Column("story", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("number", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("story", name="pk_story_changes"),
            sa.UniqueConstraint("number", name="uq_story_changes_number"),
        )


def _make_stories() -> None:
    op.create_table(
        "stories",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lead", sa.Integer(), nullable=False),
        sa.Column("category", Words(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("category_scores", sa.JSON(), nullable=False),
        sa.Column("category_reasons", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("newest_at", Moment(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("published_in", sa.Date()),
        sa.Column("follows", sa.Date()),
        sa.Column("graded", Words(), nullable=False),
        sa.Column("promotion", sa.Boolean(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False, server_default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_stories"),
    )
    op.create_index("ix_stories_lead", "stories", ["lead"])
    op.create_index("ix_stories_state_score", "stories", ["state", "score", "newest_at", "category", "promotion"])
    op.create_index("ix_stories_state_newest_at", "stories", ["state", "newest_at", "category", "score", "promotion"])
    for statement in STORY_COUNTS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_index("ix_stories_ranking", "stories", ["state", "category", "score", "newest_at", "promotion"])
    op.create_table(
        "fresh_articles",
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_fresh_articles"),
    )
    op.create_table(
        "grading",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grading"),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model", Words(), nullable=False),
        sa.Column("basis", sa.JSON(), nullable=False),
        sa.Column("graded_to", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
    )


def _make_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("story", sa.Integer(), nullable=False),
        sa.Column("action", Words(), nullable=False),
        sa.Column("who", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("category", Words()),
        sa.Column("issue", sa.Date()),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("other", sa.Integer()),
        sa.Column("undoes", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    for name in ("story", "other", "undoes"):
        op.create_index(f"ix_decisions_{name}", "decisions", [name])
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


def _make_issues() -> None:
    op.create_table(
        "issues",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("frame", sa.JSON(), nullable=False),
        sa.Column("published_at", Moment()),
        sa.Column("corrected_at", Moment()),
        sa.PrimaryKeyConstraint("date", name="pk_issues"),
    )
    op.create_table(
        "entries",
        sa.Column("issue", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("section", sa.Integer(), nullable=False),
        sa.Column("markdown", Words(), nullable=False),
        sa.Column("story", sa.Integer()),
        sa.ForeignKeyConstraint(["issue"], ["issues.date"], name="fk_entries_issue", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue", "position", name="pk_entries"),
    )
    op.create_index("ix_entries_story", "entries", ["story"])
    op.create_table(
        "entry_keys",
        sa.Column("key", Words(), nullable=False),
        sa.Column("issue", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue", "position"], ["entries.issue", "entries.position"], name="fk_entry_keys_entry", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "issue", "position", name="pk_entry_keys"),
    )
    op.create_index("ix_entry_keys_issue", "entry_keys", ["issue", "position"])
    op.create_table(
        "feed_ids",
        sa.Column("id", Words(), nullable=False),
        sa.Column("issue", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_feed_ids"),
        sa.UniqueConstraint("issue", name="uq_feed_ids_issue"),
    )


def _make_rest() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("title", Words(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("hash", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
    )
    op.create_index("ix_snapshots_article", "snapshots", ["article"])
    op.create_table(
        "addresses",
        sa.Column("url", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("detail", Words(), nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_addresses"),
    )
