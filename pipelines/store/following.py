"""What several newsletters of one house share: the house says which stories changed, a newsletter follows.

The house gives each story that it makes, and each that vanishes, the next number. A newsletter keeps the number up to
which it has graded, so one that was not opened for a month catches up later, and slows nobody. A house without a
further newsletter notes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import time_ns
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, union_all, update

from pipelines.store.bulk import upsert
from pipelines.store.tables import (
    decisions,
    entries,
    grading,
    house_stories,
    joined_articles,
    stories,
    story_changes,
)

_BEGINNING: Final = -1
"""Stands for a story where the house began to note changes: what a newsletter knows of others may be long gone."""


def note_changes(connection: Connection, story_ids: Iterable[int]) -> None:
    """Note that stories were made, or vanished; nothing is noted where no further newsletter asks.

    Args:
        connection: to the house, open for writing.
        story_ids: of the stories.
    """
    last = connection.execute(select(func.max(story_changes.c.number))).scalar()
    if last is not None:
        rows = [{"story": story, "number": number} for number, story in enumerate(sorted(set(story_ids)), last + 1)]
        upsert(connection, story_changes, rows)


@dataclass(frozen=True, slots=True)
class StoryChange:
    """A story that the house made, or that vanished. `number`: rises with each change."""

    number: int
    story: int


class Following:
    """The changes of the house's stories, and how far a newsletter has followed them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self) -> None:
        """Note from now on which stories change, and all present ones first. Asked of the house.

        The first number is taken from the clock: it is higher than all that the house gave before a backup took its
        place.
        """
        run = self._connection.execute
        if not self.is_noted():
            first = time_ns() // 1_000_000
            run(insert(story_changes).values(story=_BEGINNING, number=first))
            number = func.row_number().over(order_by=stories.c.id) + first
            run(insert(story_changes).from_select(["story", "number"], select(stories.c.id, number)))

    def stop(self) -> None:
        """Note no more which stories change, until a newsletter asks again. Asked of a house that a backup replaced."""
        self._connection.execute(delete(story_changes))

    def find_last_story(self) -> int:
        """Find the highest id of a story that a newsletter has graded, or decided on; 0 if it has none."""
        columns = (stories.c.id, decisions.c.story, decisions.c.other, entries.c.story)
        query = union_all(*(select(func.max(column)) for column in columns))
        return max(last_id or 0 for last_id in self._connection.execute(query).scalars())

    def reserve(self, story_id: int) -> None:
        """Give no article this id or a lower one. Asked of a house.

        A newsletter has decided on articles that came after the backup that replaced its house: another article with
        the id of one of them would take over what was decided on it.
        """
        note_changes(self._connection, [story_id])

    def is_noted(self) -> bool:
        """Whether the house notes which stories change. Asked of the house."""
        return self._connection.execute(select(story_changes.c.story).limit(1)).first() is not None

    def read_schema(self) -> str:
        """Read the name of the house's schema on PostgreSQL. Asked of the house."""
        return str(self._connection.exec_driver_sql("SELECT current_schema()").scalar_one())

    def list_changes(self, limit: int) -> list[StoryChange]:
        """List the next changes that a newsletter has not followed, oldest first.

        Args:
            limit: the largest number.
        """
        query = select(story_changes.c.number, story_changes.c.story).order_by(story_changes.c.number).limit(limit)
        rows = self._connection.execute(query.where(story_changes.c.number > self._read_number()))
        return [StoryChange(number, story) for number, story in rows]

    def count_changes(self) -> int:
        """Count the changes that a newsletter has not followed."""
        query = select(func.count()).select_from(story_changes).where(story_changes.c.number > self._read_number())
        return int(self._connection.execute(query).scalar_one())

    def note_followed(self, changes: Sequence[StoryChange]) -> None:
        """Note that a newsletter has followed changes; its decisions follow the articles that joined another.

        Args:
            changes: the next ones, at least one.
        """
        if any(change.story == _BEGINNING for change in changes):
            is_known = stories.c.id.in_(select(house_stories.c.id))
            self._connection.execute(delete(stories).where(~is_known))
        upsert(self._connection, grading, [{"id": 1, "number": changes[-1].number}])
        for column in (decisions.c.story, decisions.c.other, entries.c.story):
            joined = select(joined_articles.c.article_id).where(joined_articles.c.id == column).scalar_subquery()
            is_joined = column.in_(select(joined_articles.c.id))
            self._connection.execute(update(column.table).where(is_joined).values({column.name: joined}))

    def _read_number(self) -> int:
        """The number up to which a newsletter has followed."""
        return self._connection.execute(select(grading.c.number)).scalar() or 0
