"""Derives the state of a story from decisions and issues, and keeps a story when two of its articles become one.

No decision stores a state. The state follows from the decisions on any member of the story and from the issues that
printed a member, so regrouping cannot lose it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from pipelines.model import CandidateState, DecisionAction
from pipelines.store.bulk import chunks, select_in
from pipelines.store.counts import fold_counts
from pipelines.store.following import note_changes
from pipelines.store.tables import decisions, entries, evidence, issues, stories, story_members

_STATE_AFTER: Final[dict[DecisionAction, CandidateState]] = {
    "pick": "picked",
    "drop": "dropped",
    "later": "later",
    "release": "new",
}

_undo = decisions.alias("undo")

STANDING: Final = (decisions.c.action != "undo") & ~exists().where(_undo.c.undoes == decisions.c.id)
"""The condition that a row of `decisions` stands: nobody took the decision back."""


def state_after(actions: Iterable[DecisionAction]) -> CandidateState:
    """Derive the state of a story from its decisions: the newest pick, drop, later or release counts.

    Args:
        actions: of the standing decisions, oldest first.

    >>> state_after(["later", "pick", "merge", "edit"])
    'picked'
    >>> state_after(["split"])
    'new'
    """
    states = [_STATE_AFTER[action] for action in actions if action in _STATE_AFTER]
    return states[-1] if states else "new"


def settle(connection: Connection, story_ids: Collection[int]) -> None:
    """Derive state and category of stories again from decisions and issues.

    A story is published, whatever was decided, in the first published issue that printed one of its members; if no
    entry has such a member, in the issue that its grading found.

    Args:
        connection: open for writing.
        story_ids: of the stories.
    """
    for chunk in chunks(story_ids):
        decided: dict[int, list[tuple[DecisionAction, str | None]]] = defaultdict(list)
        member = story_members.c
        for story_id, action, category in connection.execute(
            select(member.story_id, decisions.c.action, decisions.c.category)
            .join(decisions, decisions.c.story == member.article_id)
            .where(member.story_id.in_(chunk), STANDING)
            .order_by(decisions.c.id)
        ):
            decided[story_id].append((action, category))
        prints = (
            select(member.story_id, func.min(entries.c.issue).label("first"))
            .join(entries, entries.c.story == member.article_id)
            .join(issues, issues.c.date == entries.c.issue)
            .where(member.story_id.in_(chunk), issues.c.state == "published")
            .group_by(member.story_id)
        )
        printed = {row.story_id: row.first for row in connection.execute(prints)}
        columns = (stories.c.id, stories.c.published_in, stories.c.state, stories.c.category, stories.c.graded)
        rows = []
        for story_id, *former, graded_category in select_in(connection, columns, stories.c.id, chunk):
            published_in = printed.get(story_id, former[0])
            state = "published" if published_in else state_after(action for action, _ in decided[story_id])
            category = next((name for _, name in reversed(decided[story_id]) if name), graded_category)
            if former != [published_in, state, category]:
                rows.append({"of": story_id, "published_in": published_in, "state": state, "category": category})
        if rows:
            connection.execute(update(stories).where(stories.c.id == bindparam("of")), rows)
    fold_counts(connection)


def stories_of(connection: Connection, article_ids: Iterable[int]) -> set[int]:
    """Find the ids of the stories that have one of the articles."""
    member = story_members.c
    story_ids: set[int] = set()
    for chunk in chunks(article_ids):
        query = select(member.story_id).where(member.article_id.in_(chunk)).distinct()
        story_ids.update(connection.execute(query).scalars())
    return story_ids


def replace_member(connection: Connection, gone_id: int, kept_id: int | None) -> None:
    """Replace an article by another in its story; if both articles have a story, the two stories become one.

    The grading stays until the story is grouped again.

    Args:
        connection: open for writing.
        gone_id: of the article that leaves its story.
        kept_id: of the article that replaces it; None without one.
    """
    stories_of_gone = stories_of(connection, [gone_id])
    stories_of_kept = stories_of(connection, [] if kept_id is None else [kept_id])
    if not stories_of_gone:
        settle(connection, stories_of_kept)  # the decisions on the leaving article are on the other article now
        return
    both = stories_of_gone | stories_of_kept
    base_query = select(stories).where(stories.c.id.in_(stories_of_kept or stories_of_gone))
    base = connection.execute(base_query).mappings().one()
    member_query = select(story_members.c.article_id).where(story_members.c.story_id.in_(both))
    former_members = connection.execute(member_query).scalars().all()
    members = set(former_members) - {gone_id}
    if kept_id is not None and gone_id in former_members:
        members.add(kept_id)
    remaining_evidence = _remaining_evidence(connection, both, gone_id, kept_id)
    connection.execute(delete(stories).where(stories.c.id.in_(both)))
    note_changes(connection, both | ({min(members)} if members else set()))
    if not members:
        return
    lead = kept_id if base["lead"] == gone_id else base["lead"]
    story_id = min(members)
    connection.execute(insert(stories), dict(base) | {"id": story_id, "lead": story_id if lead is None else lead})
    connection.execute(insert(story_members), [{"article_id": member, "story_id": story_id} for member in members])
    if remaining_evidence:
        connection.execute(insert(evidence), [row | {"story_id": story_id} for row in remaining_evidence])
    settle(connection, [story_id])


def _remaining_evidence(
    connection: Connection, story_ids: Collection[int], gone_id: int, kept_id: int | None
) -> list[dict[str, Any]]:
    """Rewrite the evidence of stories for the article that stays; evidence of one article with itself is left out."""
    query = (
        select(evidence).where(evidence.c.story_id.in_(story_ids)).order_by(evidence.c.story_id, evidence.c.position)
    )
    remaining: dict[tuple[Any, ...], None] = {}
    for row in connection.execute(query):
        pair = {kept_id if article_id == gone_id else article_id for article_id in (row.one, row.other)}
        if len(pair) == 2 and None not in pair:
            remaining[(row.kind, row.detail, *sorted(filter(None, pair)))] = None
    return [
        {"position": position, "kind": kind, "detail": detail, "one": smaller_id, "other": larger_id}
        for position, (kind, detail, smaller_id, larger_id) in enumerate(remaining)
    ]
