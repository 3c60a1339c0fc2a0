"""Decisions on stories. Rows are only added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, distinct, exists, func, insert, or_, select, union_all

from pipelines.model import Decision
from pipelines.store.articles import Articles
from pipelines.store.bulk import chunks
from pipelines.store.engine import is_of_newsletter
from pipelines.store.errors import NoSuchStory
from pipelines.store.state import STANDING, settle, stories_of
from pipelines.store.tables import articles, decisions, house_decisions, issues, story_members


class Decisions:
    """The decisions on all stories."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *new_decisions: Decision) -> frozenset[int]:
        """Store a decision. The story's state changes at once, its members when its articles are grouped again.

        Args:
            new_decisions: one decision; or, for a merge or a split, a decision for each pair of articles, all of one
                person and one time. An undo takes them back together.

        Returns:
            Ids of the articles of pairs, which are marked to be grouped again; empty for a decision without pairs.

        Raises:
            NoSuchStory: no article has or had the id `story` or `other`.
        """
        stories = {decision.story for decision in new_decisions}
        pair_partners = {decision.other for decision in new_decisions if decision.other is not None}
        current_ids = self._current_ids(stories | pair_partners)
        rows = [row for decision in new_decisions for row in self._rows(decision, current_ids)]
        if rows:
            self._connection.execute(insert(decisions), rows)
        paired_ids = {row[name] for row in rows if row["other"] is not None for name in ("story", "other")}
        Articles(self._connection).mark_fresh(paired_ids)
        settle(self._connection, stories_of(self._connection, {row["story"] for row in rows}))
        return frozenset(paired_ids)

    def find_by_stories(self, story_ids: Iterable[int], *, standing: bool = False) -> dict[int, list[Decision]]:
        """Find the decisions on any member of stories, oldest first, by story id.

        A story without a decision is left out.

        Args:
            story_ids: of the stories.
            standing: whether to leave out decisions that were taken back.
        """
        by_story: dict[int, list[Decision]] = defaultdict(list)
        member = story_members.c
        for chunk in chunks(story_ids):
            query = (
                select(member.story_id, decisions)
                .join(decisions, decisions.c.story == member.article_id)
                .where(member.story_id.in_(chunk))
                .order_by(decisions.c.id)
            )
            for row in self._connection.execute(query.where(STANDING) if standing else query):
                by_story[row.story_id].append(_decision(row))
        return dict(by_story)

    def find_newest_ids(self, story_ids: Iterable[int]) -> dict[int, int]:
        """Find the id of the newest decision on any member of stories, by story id.

        A story without a decision is left out.
        """
        member = story_members.c
        newest: dict[int, int] = {}
        for chunk in chunks(story_ids):
            queries = (
                select(member.story_id, func.max(decisions.c.id))
                .join(decisions, about == member.article_id)
                .where(member.story_id.in_(chunk))
                .group_by(member.story_id)
                for about in (decisions.c.story, decisions.c.other)
            )
            for story_id, decision_id in self._connection.execute(union_all(*queries)):
                newest[story_id] = max(decision_id, newest.get(story_id, 0))
        return newest

    def find_last_on(self, story: int) -> list[Decision]:
        """Find the newest standing decision on a story: one row, or a row for each pair of a merge or a split."""
        return [_decision(row) for row in self._newest(story)]

    def find_last_by(self, who: str, passing: Collection[int] = (), *, on_pairs: bool = False) -> Decision | None:
        """Find a person's newest standing decision.

        Args:
            passing: ids of decisions to pass over.
            on_pairs: whether only merges and splits count.
        """
        standing = decisions.c.who == who, STANDING, decisions.c.id.not_in(passing)
        query = select(decisions).where(*standing)
        if on_pairs:
            query = query.where(decisions.c.other.is_not(None))
        query = query.order_by(decisions.c.id.desc()).limit(1)
        row = self._connection.execute(query).first()
        return _decision(row) if row else None

    def count_stories(self, since: datetime) -> int:
        """Count the stories on which a pick, a drop or a putting off stands that is not older than a time, aware."""
        query = select(func.count(distinct(decisions.c.story))).where(
            decisions.c.id.in_(_LATE), decisions.c.at >= since, decisions.c.action.in_(("pick", "drop", "later"))
        )
        return int(self._connection.execute(query.where(STANDING)).scalar_one())

    def list_printed_picks(self) -> list[Decision]:
        """List the late picks that stand and that a published issue printed, newest first."""
        published = select(issues.c.date).where(issues.c.state == "published")
        query = select(decisions).where(
            decisions.c.id.in_(_LATE), decisions.c.action == "pick", decisions.c.issue.in_(published), STANDING
        )
        return [_decision(row) for row in self._connection.execute(query.order_by(decisions.c.id.desc()))]

    def find_pairs_by_hand(self, article_ids: Iterable[int]) -> dict[tuple[int, int], Decision]:
        """Find the newest standing `merge` or `split` of each pair that contains one of these articles.

        Returns:
            Decisions by pair, the smaller id first. A pair is left out if its articles became one, or if one of them
            was removed. A newsletter finds those of its house.
        """
        rows: dict[int, Row[Any]] = {}
        table = house_decisions if is_of_newsletter(self._connection) else decisions
        undo = table.alias("undo")
        for chunk in chunks(article_ids):
            query = select(table).where(
                _pair_of(chunk, table),
                table.c.action != "undo",
                ~exists().where(undo.c.undoes == table.c.id),
                *(exists().where(articles.c.id == column) for column in (table.c.story, table.c.other)),
            )
            rows |= {row.id: row for row in self._connection.execute(query)}
        newest_last = [row for _, row in sorted(rows.items())]
        return {(min(row.story, row.other), max(row.story, row.other)): _decision(row) for row in newest_last}

    def list_pairs_by_hand(self, limit: int) -> list[tuple[tuple[int, int], bool]]:
        """List the pairs of articles that editors joined (True) or set apart (False), the newest decisions.

        Args:
            limit: most pairs.
        """
        query = (
            select(decisions.c.story, decisions.c.other, decisions.c.action)
            .where(decisions.c.action.in_(("merge", "split")), decisions.c.other.is_not(None), STANDING)
            .order_by(decisions.c.id.desc())
            .limit(limit)
        )
        answers: dict[tuple[int, int], bool] = {}
        for article_id, other_id, action in self._connection.execute(query):
            answers.setdefault((min(article_id, other_id), max(article_id, other_id)), action == "merge")
        return list(answers.items())

    def _current_ids(self, ids: Collection[int]) -> Mapping[int, int]:
        """Find the id of the present article for each id."""
        current_ids = dict(zip(ids, ids, strict=True)) | Articles(self._connection).find_joined(ids)
        stored_ids = {
            article_id
            for chunk in chunks(set(current_ids.values()))
            for article_id in self._connection.execute(select(articles.c.id).where(articles.c.id.in_(chunk))).scalars()
        }
        for article_id, current_id in current_ids.items():
            if current_id not in stored_ids:
                raise NoSuchStory(article_id)
        return current_ids

    def _rows(self, decision: Decision, current_ids: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        story = current_ids[decision.story]
        row = {
            "story": story,
            "action": decision.action,
            "who": decision.who,
            "at": decision.at,
            "category": decision.category,
            "issue": decision.issue,
            "shown": dict(decision.shown),
            "other": None if decision.other is None else current_ids[decision.other],
            "undoes": None,
        }
        if decision.action != "undo":
            yield row
        else:
            for undone in self._newest(story):
                yield row | {"story": undone.story, "other": undone.other, "undoes": undone.id}

    def _newest(self, article_id: int) -> list[Row[Any]]:
        """Find the rows of the newest standing decision on an article's story, or on a pair with one of its members."""
        member = story_members.c
        member_ids = select(member.article_id).where(
            member.story_id.in_(select(member.story_id).where(member.article_id == article_id))
        )
        members = {article_id, *self._connection.execute(member_ids).scalars()}
        newest: Row[Any] | None = None
        for chunk in chunks(members):
            single = decisions.c.story.in_(chunk) & decisions.c.other.is_(None)
            query = select(decisions).where(or_(single, _pair_of(chunk)), STANDING)
            row = self._connection.execute(query.order_by(decisions.c.id.desc()).limit(1)).first()
            newest = max(filter(None, (newest, row)), key=lambda candidate: candidate.id, default=None)
        if newest is None or newest.other is None:
            return [newest] if newest else []
        same = decisions.c.who == newest.who, decisions.c.at == newest.at, decisions.c.other.is_not(None)
        return list(self._connection.execute(select(decisions).where(*same, STANDING).order_by(decisions.c.id)))


LATE: Final = 2000
"""The newest decisions, among which an editor's habits are looked for: those of some ten issues."""

_LATE: Final = select(decisions.c.id).order_by(decisions.c.id.desc()).limit(LATE)


def _pair_of(ids: Collection[int], table: Table = decisions) -> ColumnElement[bool]:
    """Make the condition that a row is about a pair of different articles, and one of them is given."""
    columns = table.c
    return or_(columns.story.in_(ids), columns.other.in_(ids)) & (columns.story != columns.other)


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
        other=row.other,
    )
