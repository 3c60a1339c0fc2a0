"""What has been decided of a story, and how a story survives when its articles turn out to be one.

A story's state is not stored by whoever decides: it follows from the decisions on any of its members and from the
issues that printed one, so that regrouping cannot lose it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from pipelines.model import CandidateState, DecisionAction
from pipelines.store.engine import chunks
from pipelines.store.tables import decisions, entries, evidence, issues, stories, story_members

_STATE_AFTER: Final[dict[DecisionAction, CandidateState]] = {"pick": "picked", "drop": "dropped", "later": "later"}

_undo = decisions.alias("undo")

STANDING: Final = (decisions.c.action != "undo") & ~exists().where(_undo.c.undoes == decisions.c.id)
"""Whether a row of `decisions` is a decision that nobody took back."""


def state_after(actions: Iterable[DecisionAction]) -> CandidateState:
    """The state that a story's decisions leave it in: that of the newest one which says what becomes of it.

    Args:
        actions: of the decisions that nobody took back, oldest first.

    >>> state_after(["later", "pick", "merge", "edit"])
    'picked'
    >>> state_after(["split"])
    'new'
    """
    said = [_STATE_AFTER[action] for action in actions if action in _STATE_AFTER]
    return said[-1] if said else "new"


def settle(connection: Connection, story_ids: Collection[int]) -> None:
    """Bring state and category of stories in line with decisions and issues. Published beats whatever was decided.

    A story is published in the first published issue that printed one of its members; where no entry says so, the
    issue that its grading found stands.
    """
    for chunk in chunks(story_ids):
        decided: dict[int, list[tuple[DecisionAction, str | None]]] = defaultdict(list)
        member = story_members.c
        for one, action, category in connection.execute(
            select(member.story_id, decisions.c.action, decisions.c.category)
            .join(decisions, decisions.c.story == member.article_id)
            .where(member.story_id.in_(chunk), STANDING)
            .order_by(decisions.c.id)
        ):
            decided[one].append((action, category))
        prints = (
            select(member.story_id, func.min(entries.c.issue).label("first"))
            .join(entries, entries.c.story == member.article_id)
            .join(issues, issues.c.date == entries.c.issue)
            .where(member.story_id.in_(chunk), issues.c.state == "published")
            .group_by(member.story_id)
        )
        printed = {row.story_id: row.first for row in connection.execute(prints)}
        graded = select(stories.c.id, stories.c.published_in, stories.c.graded).where(stories.c.id.in_(chunk))
        rows = [
            {
                "of": one,
                "published_in": (day := printed.get(one, found)),
                "state": "published" if day else state_after(action for action, _ in decided[one]),
                "category": next((name for _, name in reversed(decided[one]) if name), category),
            }
            for one, found, category in connection.execute(graded).all()
        ]
        if rows:
            connection.execute(update(stories).where(stories.c.id == bindparam("of")), rows)


def stories_of(connection: Connection, article_ids: Iterable[int]) -> set[int]:
    """The ids of the stories that have one of the articles."""
    member = story_members.c
    return {
        one
        for chunk in chunks(article_ids)
        for one in connection.execute(select(member.story_id).where(member.article_id.in_(chunk)).distinct()).scalars()
    }


def replace_member(connection: Connection, gone: int, kept: int | None) -> None:
    """Let one article stand for another in its story, or (None) take it out. Where both have a story, they become one.

    The grading stays until the story is grouped again.
    """
    mine = stories_of(connection, [gone])
    theirs = stories_of(connection, [] if kept is None else [kept])
    if not mine:
        settle(connection, theirs)  # what was decided of the one is decided of the other now
        return
    both = mine | theirs
    base = connection.execute(select(stories).where(stories.c.id.in_(theirs or mine))).mappings().one()
    members = set(
        connection.execute(select(story_members.c.article_id).where(story_members.c.story_id.in_(both))).scalars()
    )
    members = {kept if one == gone else one for one in members} - {None}
    shown = _shown(connection, both, gone, kept)
    connection.execute(delete(stories).where(stories.c.id.in_(both)))
    if not members:
        return
    lead = kept if base["lead"] == gone else base["lead"]
    number = min(members)
    connection.execute(insert(stories), dict(base) | {"id": number, "lead": number if lead is None else lead})
    connection.execute(insert(story_members), [{"article_id": one, "story_id": number} for one in members])
    if shown:
        connection.execute(insert(evidence), [row | {"story_id": number} for row in shown])
    settle(connection, [number])


def _shown(connection: Connection, story_ids: Collection[int], gone: int, kept: int | None) -> list[dict[str, Any]]:
    """The evidence that is left of these stories."""
    query = (
        select(evidence).where(evidence.c.story_id.in_(story_ids)).order_by(evidence.c.story_id, evidence.c.position)
    )
    left: dict[tuple[Any, ...], None] = {}
    for row in connection.execute(query):
        pair = {kept if one == gone else one for one in (row.one, row.other)}
        if len(pair) == 2 and None not in pair:
            left[(row.kind, row.detail, *sorted(filter(None, pair)))] = None
    return [
        {"position": place, "kind": kind, "detail": detail, "one": one, "other": other}
        for place, (kind, detail, one, other) in enumerate(left)
    ]
