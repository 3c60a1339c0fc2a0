"""The tables. Every change is also a migration: `test_migrations.py` compares the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    column,
    event,
    true,
)

from crawler.errors import Failure

REVISIONS: Final = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
    "0020",
    "0021",
    "0022",
    "0023",
    "0024",
)
"""Alembic revisions, oldest first; here too, so that opening an up-to-date database does not load Alembic."""


LONGEST_KEY: Final = 2000
"""Bytes of a strong key. PostgreSQL cannot index more than some 2,700."""


class Words(TypeDecorator[str]):
    """Text that SQLite and PostgreSQL store alike: no NUL, no lone surrogate."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002
        """Of a dialect: all take the text as it is, so the one of the plain type is not asked."""
        return _make_storable


def _make_storable(text: str | None) -> str | None:
    """Remove each NUL, and replace each lone surrogate by a question mark."""
    if text is None:
        return None
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode(errors="replace").decode()
    return text


class Moment(TypeDecorator[datetime]):
    """A point in time, stored in UTC, returned aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone has no place in the store")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class FailureText(TypeDecorator[Failure]):
    """A failure as one line of JSON. Another text, of an old version, is read as a fact that quotes it."""

    impl = Words
    cache_ok = True

    def process_bind_param(self, value: Failure | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.to_json()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Failure | None:  # noqa: ARG002
        return None if value is None else Failure.from_json(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str = "id") -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _to_article(name: str = "article_id", **options: Any) -> Column[int]:
    return Column(name, Integer, ForeignKey("articles.id"), nullable=False, **options)


sources = Table(
    "sources",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),  # kind and name: a rebuild needs them when the registry has dropped the row
    Column("name", Words, nullable=False),
    Column("etag", Words),
    Column("last_modified", Words),
    Column("cursor", JSON(none_as_null=True)),
    Column("not_before", Moment),
    Column("last_started_at", Moment),
    Column("last_success_at", Moment),
    Column("last_failure_at", Moment),
    Column("failure", FailureText),
    Column("failures_in_row", Integer, nullable=False, default=0),
    Column("guids", Words),  # whether its feed's identifiers last; see pipelines.deduplicate.entries
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Words, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("new", Integer, nullable=False, default=0),
    Column("seen", Integer, nullable=False, default=0),
    Column("updated", Integer, nullable=False, default=0),
    Column("lost", Integer, nullable=False, default=0),  # items and pages without an article
    Column("failure", FailureText),
    Column("answered_by", Words),  # the host that answered with a list; NULL for 304, and for runs of old
    Column("traces", JSON(none_as_null=True)),  # of items that were new to the source; see pipelines.health.history
    Column("warnings", JSON(none_as_null=True)),  # failures that fail no run, as text; NULL without one
    Column("requests", Integer),  # these four are NULL for runs of old
    Column("replies", Integer),
    Column("bytes", BigInteger),  # of the replies
    Column("problems", JSON(none_as_null=True)),  # their number by the name of their error
    Index("ix_runs_source_started_at", "source", "started_at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("evidence", JSON, nullable=False),  # the values of its sentence
    Column("acknowledged_until", Moment),
    Column("recovered_at", Moment),
    Index("ix_incidents_recovered_at", "recovered_at"),
)

hosts = Table(
    "hosts",  # that asked to be left alone
    metadata,
    Column("netloc", Words, primary_key=True),
    Column("asked_at", Moment, nullable=False),
    Column("not_before", Moment, nullable=False),
)

alerts = Table(
    "alerts",  # to send, and sent: a row for each incident, event and channel
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", Words, nullable=False),
    Column("event", Words, nullable=False),
    Column("incident_id", Integer),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("failure", Words),
    Index("ix_alerts_sent_at", "sent_at"),
)

raw_items = Table(
    "raw_items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Words, nullable=False),
    Column("article_id", Integer, index=True),  # the first id, also when that article has joined another since
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("fetched_at", Moment, nullable=False),
    Column("metrics", JSON(none_as_null=True)),
    Column("problem", Words),  # why no article could be made of it
    Column("body", LargeBinary, nullable=False),
    Column("reduced_at", Moment),  # since when the body has no more than an article is made of
    Index("ix_raw_items_source", "source", "reduced_at", "id"),
)

articles = Table(
    "articles",
    metadata,
    _id(),
    Column("fresh", Boolean, nullable=False),  # not yet grouped since it last changed
    Column("first_seen", Moment, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("url", Words, nullable=False),
    Column("seen_url", Words, nullable=False),
    Column("temporary", Boolean, nullable=False),
    Column("title", Words, nullable=False),
    Column("title_lead", Words),
    Column("title_tail", Words),
    Column("publisher", Words),
    Column("author", Words),
    Column("published_at", Moment, nullable=False),
    Column("published_precision", Text, nullable=False),
    Column("published_source", Text, nullable=False),
    Column("published_raw", Words),
    Column("updated_at", Moment),
    Column("updated_precision", Text),
    Column("updated_source", Text),
    Column("updated_raw", Words),
    Column("language", Text, nullable=False),
    Column("summary", Words, nullable=False),
    Column("image", Words),
    Column("tags", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),  # {name: [value, seconds since 1970 when it was read]}
    Column("fetched_at", Moment, nullable=False),
    Column("text", Words, nullable=False),
    Index("ix_articles_given", "id", "kind", "source"),  # the source, without reading the text
    Index(
        "ix_articles_fresh", "id", sqlite_where=column("fresh") == true(), postgresql_where=column("fresh") == true()
    ),
)

joined_articles = Table(
    "joined_articles",  # a former id still leads to an article
    metadata,
    _id(),
    _to_article(index=True),
)

article_keys = Table(
    "article_keys",
    metadata,
    Column("key", Words, primary_key=True),
    _to_article(index=True),
)

sightings = Table(
    "sightings",
    metadata,
    _to_article(primary_key=True),
    Column("source", Words, primary_key=True),
    Column("url", Words, primary_key=True),
    Column("seen_url", Words, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("newest", LargeBinary),  # NULL for an only sighting: the article's own row has it
    Column("longest", LargeBinary),  # NULL if the newest has the longest text
)

revisions = Table(
    "revisions",
    metadata,
    _to_article(primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("replaced_at", Moment, nullable=False),
    Column("title", Words, nullable=False),
    Column("text", LargeBinary, nullable=False),
)

bands = Table(
    "bands",  # shared by articles of similar title or text; see pipelines.deduplicate.bands
    metadata,
    Column("period", SmallInteger, primary_key=True, autoincrement=False),  # of the day
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    _to_article(primary_key=True),
    Column("account", BigInteger, nullable=False),
    Column("reach", SmallInteger, nullable=False),
    Index(  # every column: the table is not read
        "ix_bands_article_id_reach", "article_id", "reach", "period", "key", "day", "account"
    ),
    sqlite_with_rowid=False,
)

event_profiles = Table(
    "event_profiles",  # what an article says of its event; see pipelines.deduplicate.event_profiles
    metadata,
    _to_article(primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
    Column("profile", Words, nullable=False),
)

round_ups = Table(
    "round_ups",  # articles that report several events, as their parts; see pipelines.deduplicate.round_ups
    metadata,
    _to_article(primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False, index=True),
    Column("parts", Words, nullable=False),
    Column("terms", LargeBinary, nullable=False),  # of the parts, as numbers: those of a page's days are compared
)

event_keys = Table(
    "event_keys",  # the rarest terms of an article, by which those on the same event are found
    metadata,
    Column("period", SmallInteger, primary_key=True, autoincrement=False),  # of the day; see pipelines.store.events
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    _to_article(primary_key=True, autoincrement=False),
    Index("ix_event_keys_article_id_period", "article_id", "period", "key", "day"),
    sqlite_with_rowid=False,
)

event_links = Table(
    "event_links",  # pairs of articles that may report one event
    metadata,
    _to_article("one", primary_key=True, autoincrement=False),  # the smaller id
    _to_article("other", primary_key=True, autoincrement=False, index=True),
    Column("probability", Float, nullable=False),
    Column("terms", JSON, nullable=False),
    Column("action", Words),
    Column("hours", Integer, nullable=False),
    sqlite_with_rowid=False,
)

event_tunings = Table(
    "event_tunings",  # one row: the last tuning; see pipelines.deduplicate.event_tuning
    metadata,
    _id(),
    Column("tuning", Words, nullable=False),
)

event_versions = Table(
    "event_versions",  # one row: a number that grows with each change of keys or profiles
    metadata,
    _id(),
    Column("version", BigInteger, nullable=False),
)

article_references = Table(
    "article_references",
    metadata,
    _to_article(primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key", Words, nullable=False, index=True),
    Column("url", Words, nullable=False),
    Column("label", Words),
    Column("is_primary", Boolean, nullable=False),
)

stories = Table(
    "stories",
    metadata,
    _id(),
    _to_article("lead", index=True),  # without it, deleting an article would read every story
    Column("category", Words, nullable=False),  # of the editor, else of the grading
    Column("score", Float, nullable=False),
    Column("category_scores", JSON, nullable=False),
    Column("category_reasons", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("links", JSON, nullable=False),
    Column("newest_at", Moment, nullable=False),
    Column("state", Words, nullable=False),
    Column("published_in", Date),
    Column("follows", Date),
    Column("graded", Words, nullable=False),  # the category of the grading
    Column("promotion", Boolean, nullable=False),
    Column("accounts", Integer, nullable=False, server_default="1"),  # that report the story independently
    # for lists: of a category, of all categories, of the newest stories; no list reads the table itself
    Index("ix_stories_ranking", "state", "category", "score", "newest_at", "promotion"),
    Index("ix_stories_state_score", "state", "score", "newest_at", "category", "promotion"),
    Index("ix_stories_state_newest_at", "state", "newest_at", "category", "score", "promotion"),
)

story_members = Table(
    "story_members",
    metadata,
    _to_article(primary_key=True),
    Column("story_id", Integer, ForeignKey("stories.id", ondelete="CASCADE"), nullable=False, index=True),
)

evidence = Table(
    "evidence",
    metadata,
    Column("story_id", Integer, ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("one", Integer, nullable=False),
    Column("other", Integer, nullable=False),
)

story_changes = Table(
    "story_changes",  # a rising number for each story made or gone; see pipelines.store.following
    metadata,
    Column("story", Integer, primary_key=True, autoincrement=False),  # no foreign key: a vanished story has a row too
    Column("number", BigInteger, nullable=False, unique=True),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("story", Integer, nullable=False, index=True),  # no foreign key: a decision outlives whatever is derived
    Column("action", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("category", Words),
    Column("issue", Date),
    Column("shown", JSON, nullable=False),
    Column("other", Integer, index=True),  # of a merge or a split
    Column("undoes", Integer, index=True),  # of an undo: the row that it takes back
)

changes = Table(
    "changes",  # of the parts of an issue that belong to no story: its texts, its order; rows are only added
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue", Date, nullable=False, index=True),  # no foreign key: as with decisions
    Column("part", Words, nullable=False),
    Column("before", Words),
    Column("after", Words),
    Column("who", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("undoes", Integer),  # the change that this change takes back
)

users = Table(
    "users",
    metadata,
    Column("name", Words, primary_key=True),
    Column("password", Words, nullable=False),  # its argon2 hash
    Column("since", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # of the token, which only the browser has
    Column("user", Words, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("until", Moment, nullable=False),
)

search_texts = Table(
    "search_texts",  # the document of each article, compressed; see pipelines.store.search
    metadata,
    _to_article(primary_key=True, autoincrement=False),
    Column("text", LargeBinary, nullable=False),
)

SEARCH_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "sqlite": (
        """CREATE VIRTUAL TABLE search_words
           USING fts5(words, content='', columnsize=0, tokenize='unicode61 remove_diacritics 0')""",
    ),
    "postgresql": (
        "CREATE TABLE search_words (article_id INTEGER PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX ix_search_words_words ON search_words USING gin (words)",
    ),
}
"""The full-text index of the documents, by the id of the article; SQLAlchemy has no word for it."""

STORY_COUNTS: Final[Mapping[str, Sequence[str]]] = {
    "sqlite": (
        """CREATE TABLE story_counts (state TEXT NOT NULL, category TEXT NOT NULL, promotion BOOLEAN NOT NULL,
           number INTEGER NOT NULL, PRIMARY KEY (state, category, promotion)) WITHOUT ROWID""",
        """CREATE TRIGGER count_added_story AFTER INSERT ON stories BEGIN
           INSERT INTO story_counts VALUES (new.state, new.category, new.promotion, 1)
           ON CONFLICT (state, category, promotion) DO UPDATE SET number = number + 1; END""",
        """CREATE TRIGGER count_removed_story AFTER DELETE ON stories BEGIN
           UPDATE story_counts SET number = number - 1
           WHERE state = old.state AND category = old.category AND promotion = old.promotion; END""",
        """CREATE TRIGGER count_changed_story AFTER UPDATE OF state, category, promotion ON stories
           WHEN (old.state, old.category, old.promotion) <> (new.state, new.category, new.promotion) BEGIN
           UPDATE story_counts SET number = number - 1
           WHERE state = old.state AND category = old.category AND promotion = old.promotion;
           INSERT INTO story_counts VALUES (new.state, new.category, new.promotion, 1)
           ON CONFLICT (state, category, promotion) DO UPDATE SET number = number + 1; END""",
    ),
    "postgresql": (
        """CREATE TABLE story_counts (state TEXT NOT NULL, category TEXT NOT NULL, promotion BOOLEAN NOT NULL,
           number INTEGER NOT NULL)""",
        """CREATE FUNCTION count_story() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF TG_OP <> 'INSERT' THEN
               INSERT INTO story_counts VALUES (old.state, old.category, old.promotion, -1);
           END IF;
           IF TG_OP <> 'DELETE' THEN
               INSERT INTO story_counts VALUES (new.state, new.category, new.promotion, 1);
           END IF;
           RETURN NULL; END $$""",
        """CREATE TRIGGER count_story AFTER INSERT OR DELETE ON stories
           FOR EACH ROW EXECUTE FUNCTION count_story()""",
        """CREATE TRIGGER count_changed_story AFTER UPDATE OF state, category, promotion ON stories FOR EACH ROW
           WHEN ((old.state, old.category, old.promotion) IS DISTINCT FROM (new.state, new.category, new.promotion))
           EXECUTE FUNCTION count_story()""",
    ),
}
"""The number of stories of each state and category, and what keeps it true; see pipelines.store.counts."""

for _table, _statements_by_dialect in ((search_texts, SEARCH_WORDS), (stories, STORY_COUNTS)):
    for _dialect, _statements in _statements_by_dialect.items():
        for _statement in _statements:
            event.listen(_table, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("article", Integer, nullable=False, index=True),  # no foreign key: a snapshot outlives whatever is derived
    Column("at", Moment, nullable=False),
    Column("url", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("hash", Words, nullable=False),
)

addresses = Table(
    "addresses",  # the last check of each address that an issue links
    metadata,
    Column("url", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("state", Words, nullable=False),
    Column("detail", Words, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("date", Date, primary_key=True),
    Column("state", Words, nullable=False),
    Column("frame", JSON, nullable=False),
    Column("published_at", Moment),  # NULL for an issue that never was published
    Column("corrected_at", Moment),  # of the last change of an issue that was published already
)

feed_ids = Table(
    "feed_ids",  # the identifiers under which readers of the feed know it and its issues, for ever
    metadata,
    Column("id", Words, primary_key=True),
    Column("issue", Date, unique=True),  # NULL for the feed itself; no foreign key: an issue may come back
)

entries = Table(
    "entries",
    metadata,
    Column("issue", Date, ForeignKey("issues.date", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("section", Integer, nullable=False),
    Column("markdown", Words, nullable=False),
    Column("story", Integer, index=True),
)

entry_keys = Table(
    "entry_keys",
    metadata,
    Column("key", Words, primary_key=True),
    Column("issue", Date, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    ForeignKeyConstraint(
        ["issue", "position"], ["entries.issue", "entries.position"], name="fk_entry_keys_entry", ondelete="CASCADE"
    ),
    Index("ix_entry_keys_issue", "issue", "position"),
)

shards = Table(
    "shards",  # of the rebuild or the grouping that workers do together; without one, no row
    metadata,
    Column("id", Integer, primary_key=True),
    Column("leader_job", BigInteger, nullable=False),
    Column("leader_worker", BigInteger, nullable=False),
    Column("work", Words, nullable=False),  # the function that does it
    Column("rules", Words, nullable=False),  # a hash: whoever has other rules does not do it
    Column("arguments", LargeBinary, nullable=False),
    Column("taker_job", BigInteger),
    Column("taker_worker", BigInteger),
    Column("result", LargeBinary),
)

models = Table(
    "models",  # one row: the last model
    metadata,
    _id(),
    Column("model", Words, nullable=False),
    Column("basis", JSON, nullable=False),
    Column("graded_to", Integer),  # NULL when all open stories have been graded with it
)

OF_NEWSLETTER: Final = frozenset(
    {
        "stories",  # their grades; which articles and evidence they have, the house knows
        "decisions",
        "changes",
        "issues",
        "entries",
        "entry_keys",
        "feed_ids",
        "models",
        "snapshots",
        "addresses",
    }
)
"""The tables that every newsletter has for itself. All others are the house's: it crawls, and makes the stories. A
database of its own is a house with its first newsletter; what a further newsletter has is in `newsletter_metadata`."""

newsletter_metadata = MetaData(naming_convention=metadata.naming_convention)

for _table in metadata.sorted_tables:
    if _table.name in OF_NEWSLETTER:
        _copy = _table.to_metadata(newsletter_metadata)
        for _constraint in _copy.foreign_key_constraints:
            if _constraint.elements[0].target_fullname.partition(".")[0] not in OF_NEWSLETTER:
                _copy.constraints.remove(_constraint)
                _copy.foreign_keys.difference_update(_constraint.elements)

fresh_articles = Table(
    "fresh_articles",  # whose stories a newsletter has to grade again, because of what its own issues printed
    newsletter_metadata,
    Column("article_id", Integer, primary_key=True, autoincrement=False),
)

grading = Table(
    "grading",  # one row: up to which change of the house's stories a newsletter has graded
    newsletter_metadata,
    _id(),
    Column("number", BigInteger, nullable=False),
)

house_decisions = decisions.to_metadata(MetaData(), schema="house")  # merges and splits are the house's, for all

house_stories = Table(
    "stories",  # as the house has them, for a newsletter that has its own
    MetaData(),
    *(Column(column.name, column.type) for column in (stories.c.id, stories.c.lead, stories.c.accounts)),
    schema="house",
)
