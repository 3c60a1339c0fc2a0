"""Stories: their articles, the evidence that joins them, and their grade."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, delete, select, update

from pipelines.model import Candidate, CandidateState, Evidence, Reason, SentenceValue, Story, StoryLink
from pipelines.store import listing
from pipelines.store.articles import Articles
from pipelines.store.bulk import chunks, insert_numbers, insert_rows
from pipelines.store.engine import is_of_newsletter
from pipelines.store.following import note_changes
from pipelines.store.listing import CandidateQuery, FreshnessBounds, Lead, Ranked
from pipelines.store.search import Search
from pipelines.store.state import settle, stories_of
from pipelines.store.tables import evidence, house_stories, stories, story_members

_GRADE: Final = ("graded", "promotion", "category_scores", "category_reasons", "score", "reasons")


class Stories:
    """Stories by their members, and as candidates."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_by_articles(self, article_ids: Iterable[int]) -> dict[int, Story]:
        """Find the stories of articles, by article id. An article that is not grouped yet is left out."""
        ids = list(article_ids)
        stories_by_id = self._load(stories_of(self._connection, ids))
        by_member = {member: story for story in stories_by_id.values() for member in story.members}
        return {article_id: by_member[article_id] for article_id in ids if article_id in by_member}

    def replace(self, removed: Iterable[int], candidates: Sequence[Candidate]) -> None:
        """Replace stories by new stories, whose state is derived from decisions and issues.

        Args:
            removed: ids of the former stories; every story that shares a member with a new story must be among them.
            candidates: the new stories, graded. Their `published_in` is stored as the finding of the grading. A
                newsletter stores the grades alone: members and evidence are the house's.
        """
        removed_ids = list(removed)
        for chunk in chunks(removed_ids):
            self._connection.execute(delete(stories).where(stories.c.id.in_(chunk)))
        new_stories = [candidate.story for candidate in candidates]
        if candidates:
            insert_rows(self._connection, stories, [_story_row(candidate) for candidate in candidates])
        if not is_of_newsletter(self._connection):
            note_changes(self._connection, [*removed_ids, *(story.id for story in new_stories)])
            self._put_members(new_stories)
        settle(self._connection, [story.id for story in new_stories])
        if not is_of_newsletter(self._connection):
            Search(self._connection).put(article for candidate in candidates for article in candidate.articles)

    def _put_members(self, new_stories: Sequence[Story]) -> None:
        insert_numbers(
            self._connection, story_members, ((member, story.id) for story in new_stories for member in story.members)
        )
        rows = [
            {
                "story_id": story.id,
                "position": position,
                "kind": part.kind,
                "detail": _write_detail(part),
                "one": part.articles[0],
                "other": part.articles[1],
            }
            for story in new_stories
            for position, part in enumerate(story.evidence)
        ]
        insert_rows(self._connection, evidence, rows)

    def look_up_search(self, query: CandidateQuery) -> tuple[CandidateQuery, bool]:
        """Look up what a search among very many stories finds: the newest matches, and whether there are more."""
        return listing.look_up_search(self._connection, query)

    def list_best(
        self, query: CandidateQuery, bounds: FreshnessBounds, limit: int
    ) -> tuple[dict[str, int], Iterator[Ranked]]:
        """Count candidates by category, for the query without its category; list those that may be the best of today,
        by the highest score that they may have.
        """
        return listing.list_best(self._connection, query, bounds, limit)

    def iterate_best(self, query: CandidateQuery, bounds: FreshnessBounds, limit: int) -> Iterator[Ranked]:
        """List candidates that may be the best of today, by the highest score that they may have, and count none."""
        return listing.iterate_best(self._connection, query, bounds, limit)

    def iterate_ranked(self, query: CandidateQuery) -> Iterator[Ranked]:
        """List candidates, highest score without freshness first, and count none."""
        return listing.iterate_ranked(self._connection, query)

    def count_by_category(self, query: CandidateQuery) -> dict[str, int]:
        """Count candidates by category, for the query without its category."""
        return listing.count_by_category(self._connection, query)

    def list_leads(self, ids: Iterable[int]) -> dict[int, Lead]:
        """List title and source of the leads of stories, by the id of the story."""
        return listing.list_leads(self._connection, ids)

    def list_best_leads(self, limit: int) -> list[tuple[float, Lead]]:
        """List the leads of the open stories of the highest scores, best first, with the scores."""
        return listing.list_best_leads(self._connection, limit)

    def get(self, ids: Collection[int]) -> list[Candidate]:
        """Get candidates by the ids of their stories, ascending."""
        query = select(stories).order_by(stories.c.id)
        return [
            candidate
            for chunk in chunks(sorted(ids))
            for candidate in self._candidates(self._connection.execute(query.where(stories.c.id.in_(chunk))).all())
        ]

    def get_states(self, ids: Iterable[int]) -> dict[int, CandidateState]:
        """Get the states of stories, by their ids."""
        return {
            story_id: state
            for chunk in chunks(ids)
            for story_id, state in self._connection.execute(
                select(stories.c.id, stories.c.state).where(stories.c.id.in_(chunk))
            )
        }

    def regrade(self, candidates: Iterable[Candidate]) -> None:
        """Store another grade of stories; their members and the decisions on them stay."""
        rows = [{"of": row["id"], **{name: row[name] for name in _GRADE}} for row in map(_story_row, candidates)]
        if rows:
            self._connection.execute(update(stories).where(stories.c.id == bindparam("of")), rows)
            settle(self._connection, [row["of"] for row in rows])

    def find_by_article(self, article_id: int) -> Candidate | None:
        """Find the candidate of an article, also by an id that joined another article since; None without one."""
        member = Articles(self._connection).find_joined([article_id]).get(article_id, article_id)
        ids = stories_of(self._connection, [member])
        rows = self._connection.execute(select(stories).where(stories.c.id.in_(ids))).all()
        return next(iter(self._candidates(rows)), None)

    def _candidates(self, rows: Sequence[Row[Any]]) -> list[Candidate]:
        stories_by_id = self._assemble({row.id: row for row in rows})
        articles = Articles(self._connection).get(
            member for story in stories_by_id.values() for member in story.members
        )
        return [
            Candidate(
                story=stories_by_id[row.id],
                articles=tuple(articles[member] for member in stories_by_id[row.id].members),
                category=row.category,
                category_scores=row.category_scores,
                category_reasons=_reasons(row.category_reasons),
                score=row.score,
                reasons=reasons,
                links=tuple(StoryLink(*link) for link in row.links),
                promotion=_find_promotion(reasons),
                state=row.state,
                published_in=row.published_in,
                follows=row.follows,
            )
            for row in rows
            if stories_by_id[row.id].members  # a newsletter may not have followed yet that the house joined a story
            for reasons in [_reasons(row.reasons)]
        ]

    def find_ids(self, article_ids: Iterable[int]) -> set[int]:
        """Find the ids of the stories that have one of the articles."""
        return stories_of(self._connection, article_ids)

    def get_of_house(self, ids: Collection[int]) -> dict[int, Story]:
        """Get stories as the house has them, by id, for a newsletter that follows; one that vanished is left out."""
        return self._load(ids, house_stories)

    def _load(self, ids: Collection[int], table: Table = stories) -> dict[int, Story]:
        columns = select(table.c.id, table.c.lead, table.c.accounts)
        rows: dict[int, Row[Any]] = {}
        for chunk in chunks(ids):
            rows |= {row.id: row for row in self._connection.execute(columns.where(table.c.id.in_(chunk)))}
        return self._assemble(rows)

    def _assemble(self, rows: Mapping[int, Row[Any]]) -> dict[int, Story]:
        """Assemble stories of rows with their leads and accounts, by id."""
        members: dict[int, list[int]] = defaultdict(list)
        evidence_by_story: dict[int, list[Evidence]] = defaultdict(list)
        run = self._connection.execute
        for chunk in chunks(rows):
            belongs = select(story_members).where(story_members.c.story_id.in_(chunk))
            for row in run(belongs.order_by(story_members.c.article_id)):
                members[row.story_id].append(row.article_id)
            for row in run(select(evidence).where(evidence.c.story_id.in_(chunk)).order_by(evidence.c.position)):
                evidence_by_story[row.story_id].append(_evidence(row))
        return {
            story_id: Story(
                story_id, tuple(members[story_id]), row.lead, tuple(evidence_by_story[story_id]), row.accounts
            )
            for story_id, row in rows.items()
        }


def _story_row(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.story.id,
        "lead": candidate.story.lead,
        "accounts": candidate.story.accounts,
        "category": candidate.category,
        "graded": candidate.category,
        "promotion": bool(candidate.promotion),
        "score": candidate.score,
        "category_scores": dict(candidate.category_scores),
        "category_reasons": [_reason_row(reason) for reason in candidate.category_reasons],
        "reasons": [_reason_row(reason) for reason in candidate.reasons],
        "links": [astuple(link) for link in candidate.links],
        "newest_at": max(stored.article.published.at for stored in candidate.articles),
        "state": "new",
        "published_in": candidate.published_in,
        "follows": candidate.follows,
    }


def _reason_row(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "weight": reason.weight, "values": dict(reason.values)}


_PROMOTION: Final = "推广："
"""Begins the reason of a promotion in a store that has sentences in the place of codes."""


def _reasons(stored: Iterable[Mapping[str, Any] | Sequence[Any]]) -> tuple[Reason, ...]:
    """Read reasons; an older store has a sentence and a weight in the place of code and values."""
    reasons = []
    for row in stored:
        if isinstance(row, Mapping):
            reasons.append(Reason(row["code"], row["weight"], _values(row["values"])))
        elif (text := row[0]).startswith(_PROMOTION):
            reasons.append(Reason("reason/promotion", row[1], {"sort": text.removeprefix(_PROMOTION)}))
        else:
            reasons.append(Reason("reason/text", row[1], {"text": text}))
    return tuple(reasons)


def _find_promotion(reasons: Iterable[Reason]) -> str:
    return next((str(reason.values["sort"]) for reason in reasons if reason.code == "reason/promotion"), "")


def _write_detail(part: Evidence) -> str:
    """Write code and values as JSON with sorted keys, so that equal details are equal texts."""
    return json.dumps({"code": part.code, "values": dict(part.values)}, ensure_ascii=False, sort_keys=True)


def _evidence(row: Row[Any]) -> Evidence:
    """Read a piece of evidence; an older store has a sentence in the place of code and values."""
    pair = (row.one, row.other)
    try:
        detail = json.loads(row.detail)
        return Evidence(row.kind, detail["code"], pair, _values(detail["values"]))
    except (ValueError, TypeError, KeyError):
        return Evidence(row.kind, "evidence/text", pair, {"text": row.detail})


def _values(stored: Mapping[str, Any]) -> dict[str, SentenceValue]:
    return {name: tuple(text) if isinstance(text, list) else text for name, text in stored.items()}
