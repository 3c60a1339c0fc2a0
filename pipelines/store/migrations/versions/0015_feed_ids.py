"""The identifiers of the feed and of its issues; the search finds the stored text, on PostgreSQL by an index too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from pipelines.store.search import Search, make_document
from pipelines.store.tables import Words

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_GROUPED: Final = sa.text(
    "SELECT articles.id, source, publisher, author, title, summary, text"
    " FROM articles JOIN story_members ON article_id = articles.id"
    " WHERE articles.id > :last ORDER BY articles.id LIMIT 1000"
)

_SEARCH_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "sqlite": (
        "DROP TABLE search_words",
        """CREATE VIRTUAL TABLE search_words
           USING fts5(words, content='', columnsize=0, tokenize='unicode61 remove_diacritics 0')""",
    ),
    "postgresql": (
        "CREATE TABLE search_words (article_id INTEGER PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX ix_search_words_words ON search_words USING gin (words)",
    ),
}


def upgrade() -> None:
    op.create_table(
        "feed_ids",
        sa.Column("id", Words(), nullable=False),
        sa.Column("issue", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_feed_ids"),
        sa.UniqueConstraint("issue", name="uq_feed_ids_issue"),
    )
    op.drop_table("search_texts")
    op.create_table(
        "search_texts",
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_search_texts_article_id"),
        sa.PrimaryKeyConstraint("article_id", name="pk_search_texts"),
    )
    for statement in _SEARCH_WORDS[op.get_bind().dialect.name]:
        op.execute(statement)
    _index_articles()


def _index_articles() -> None:
    connection = op.get_bind()
    last_id = -1
    while rows := connection.execute(_GROUPED, {"last": last_id}).all():
        last_id = rows[-1].id
        Search(connection).write(
            {
                row.id: make_document((row.publisher or row.source, row.author), (row.title, row.summary, row.text))
                for row in rows
            }
        )
