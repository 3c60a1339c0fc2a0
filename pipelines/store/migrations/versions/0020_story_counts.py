"""Lists of stories are read from indexes alone, and triggers count them: a list costs the same however long it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_STORY_COUNTS: Final[Mapping[str, Sequence[str]]] = {
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


def upgrade() -> None:
    op.drop_index("ix_stories_state_score", "stories")
    op.create_index("ix_stories_state_score", "stories", ["state", "score", "newest_at", "category", "promotion"])
    op.create_index("ix_stories_state_newest_at", "stories", ["state", "newest_at", "category", "score", "promotion"])
    for statement in _STORY_COUNTS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.execute(
        "INSERT INTO story_counts SELECT state, category, promotion, count(*) FROM stories"
        " GROUP BY state, category, promotion"
    )
