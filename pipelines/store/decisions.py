"""Decisions: what somebody decided of a story. Rows are only ever added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from pipelines.model import Decision
from pipelines.store.articles import Articles
from pipelines.store.engine import chunks
from pipelines.store.errors import NoSuchStory
from pipelines.store.state import settle, stories_of
from pipelines.store.tables import articles, decisions, story_members


class Decisions:
    """Decisions, oldest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, decision: Decision) -> None:
        """Note a decision; the story's state follows at once.

        Raises:
            NoSuchStory: `decision.story` is no article's id.
        """
        one = Articles(self._connection).forward([decision.story]).get(decision.story, decision.story)
        if self._connection.execute(select(articles.c.id).where(articles.c.id == one)).first() is None:
            raise NoSuchStory(f"there is no story {decision.story}")
        self._connection.execute(
            insert(decisions),
            {
                "story": one,
                "action": decision.action,
                "who": decision.who,
                "at": decision.at,
                "category": decision.category,
                "issue": decision.issue,
                "shown": dict(decision.shown),
            },
        )
        settle(self._connection, stories_of(self._connection, [one]))

    def of(self, story_ids: Iterable[int]) -> dict[int, list[Decision]]:
        """The decisions on any member of stories, by story id; a story without any is left out."""
        found: dict[int, list[Decision]] = defaultdict(list)
        member = story_members.c
        for chunk in chunks(story_ids):
            query = (
                select(member.story_id, decisions)
                .join(decisions, decisions.c.story == member.article_id)
                .where(member.story_id.in_(chunk))
                .order_by(decisions.c.id)
            )
            for row in self._connection.execute(query):
                found[row.story_id].append(_decision(row))
        return dict(found)

    def newest(self, story_ids: Iterable[int]) -> dict[int, int]:
        """The id of the newest decision on any member of stories, by story id; a story without any is left out."""
        member = story_members.c
        return {
            one: number
            for chunk in chunks(story_ids)
            for one, number in self._connection.execute(
                select(member.story_id, func.max(decisions.c.id))
                .join(decisions, decisions.c.story == member.article_id)
                .where(member.story_id.in_(chunk))
                .group_by(member.story_id)
            )
        }

    def backwards(self, who: str) -> Iterator[Decision]:
        """A person's decisions, the newest first."""
        last, size = None, 100
        while True:
            query = select(decisions).where(decisions.c.who == who).order_by(decisions.c.id.desc()).limit(size)
            if last is not None:
                query = query.where(decisions.c.id < last)
            rows = self._connection.execute(query).all()
            for row in rows:
                yield _decision(row)
            if len(rows) < size:
                return
            last = rows[-1].id

    def all(self) -> list[Decision]:
        """Every decision."""
        return [_decision(row) for row in self._connection.execute(select(decisions).order_by(decisions.c.id))]


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        story=row.story,
        action=row.action,
        who=row.who,
        at=row.at,
        category=row.category,
        issue=row.issue,
        shown=row.shown,
        id=row.id,
    )
