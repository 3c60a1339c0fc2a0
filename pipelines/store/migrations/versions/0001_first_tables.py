"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "articles",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("seen_url", sa.Text(), nullable=False),
        sa.Column("temporary", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_lead", sa.Text()),
        sa.Column("title_tail", sa.Text()),
        sa.Column("publisher", sa.Text()),
        sa.Column("author", sa.Text()),
        sa.Column("published_at", moment, nullable=False),
        sa.Column("published_precision", sa.Text(), nullable=False),
        sa.Column("published_source", sa.Text(), nullable=False),
        sa.Column("published_raw", sa.Text()),
        sa.Column("updated_at", moment),
        sa.Column("updated_precision", sa.Text()),
        sa.Column("updated_source", sa.Text()),
        sa.Column("updated_raw", sa.Text()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("image", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("fetched_at", moment, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
    )
    op.create_index(
        "ix_articles_fresh", "articles", ["id"], sqlite_where=sa.text("fresh = 1"), postgresql_where=sa.text("fresh")
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("story", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("issue", sa.Date()),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_story", "decisions", ["story"])
    op.create_table(
        "issues",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("frame", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("date", name="pk_issues"),
    )
    op.create_table(
        "raw_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Integer()),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("fetched_at", moment, nullable=False),
        sa.Column("metrics", sa.JSON()),
        sa.Column("problem", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_raw_items"),
        sa.UniqueConstraint("digest", name="uq_raw_items_digest"),
    )
    op.create_index("ix_raw_items_article_id", "raw_items", ["article_id"])
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_source_started_at", "runs", ["source", "started_at"])
    op.create_table(
        "sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        sa.Column("cursor", sa.JSON()),
        sa.Column("not_before", moment),
        sa.Column("last_started_at", moment),
        sa.Column("last_success_at", moment),
        sa.Column("last_failure_at", moment),
        sa.Column("failure", sa.Text()),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
    )
    op.create_table(
        "article_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_article_keys_article_id"),
        sa.PrimaryKeyConstraint("key", name="pk_article_keys"),
    )
    op.create_index("ix_article_keys_article_id", "article_keys", ["article_id"])
    op.create_table(
        "article_references",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.Text()),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_article_references_article_id"),
        sa.PrimaryKeyConstraint("article_id", "position", name="pk_article_references"),
    )
    op.create_index("ix_article_references_key", "article_references", ["key"])
    op.create_table(
        "entries",
        sa.Column("issue", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("section", sa.Integer(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("story", sa.Integer()),
        sa.ForeignKeyConstraint(["issue"], ["issues.date"], name="fk_entries_issue", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue", "position", name="pk_entries"),
    )
    op.create_index("ix_entries_story", "entries", ["story"])
    op.create_table(
        "joined_articles",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_joined_articles_article_id"),
        sa.PrimaryKeyConstraint("id", name="pk_joined_articles"),
    )
    op.create_index("ix_joined_articles_article_id", "joined_articles", ["article_id"])
    op.create_table(
        "revisions",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("replaced_at", moment, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_revisions_article_id"),
        sa.PrimaryKeyConstraint("article_id", "number", name="pk_revisions"),
    )
    op.create_table(
        "sightings",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("seen_url", sa.Text(), nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("newest", sa.LargeBinary()),
        sa.Column("longest", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_sightings_article_id"),
        sa.PrimaryKeyConstraint("article_id", "source", "url", name="pk_sightings"),
    )
    op.create_table(
        "stories",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lead", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("category_scores", sa.JSON(), nullable=False),
        sa.Column("category_reasons", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("newest_at", moment, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("published_in", sa.Date()),
        sa.ForeignKeyConstraint(["lead"], ["articles.id"], name="fk_stories_lead"),
        sa.PrimaryKeyConstraint("id", name="pk_stories"),
    )
    op.create_index("ix_stories_state_score", "stories", ["state", "score"])
    op.create_table(
        "entry_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("issue", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue", "position"], ["entries.issue", "entries.position"], name="fk_entry_keys_entry", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "issue", "position", name="pk_entry_keys"),
    )
    op.create_index("ix_entry_keys_issue", "entry_keys", ["issue", "position"])
    op.create_table(
        "evidence",
        sa.Column("story_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("other", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name="fk_evidence_story_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("story_id", "position", name="pk_evidence"),
    )
    op.create_table(
        "story_members",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("story_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_story_members_article_id"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name="fk_story_members_story_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("article_id", name="pk_story_members"),
    )
    op.create_index("ix_story_members_story_id", "story_members", ["story_id"])
