"""The same actions as JSON: a table of operations, from which the routes and their description are made."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from pipelines.group.as_json import candidate_json
from pipelines.model import Candidate, Decision
from pipelines.newsroom import decisions, drafts
from pipelines.newsroom.candidates import page_candidates
from pipelines.newsroom.decisions import Decided, Overtaken, Stale
from pipelines.newsroom.undo import undo_last
from pipelines.review.answering import problem
from pipelines.review.api import issues as api_issues
from pipelines.review.api import sources as api_sources
from pipelines.review.api.operations import NUMBER, Operation
from pipelines.review.pages.candidates import Asked, tab_counts
from pipelines.review.pages.cards import card
from pipelines.review.rendering import fragment
from pipelines.review.visit import MOST_NUMBER, BadInput, Visit
from pipelines.store import Transaction

Number = Annotated[int, Field(ge=0, le=MOST_NUMBER)]
Endpoint = Callable[[Visit], Response]
Words = Field("", max_length=drafts.MOST_CHARACTERS)


class DecisionBody(BaseModel):
    """A decision on a story.

    Args:
        action: what is decided; `undo` takes back the newest decision on the story, whoever made it.
        category: where it goes; by default the story's own.
        seen: the version of the story that was looked at: another one by now is answered with 409.
    """

    model_config = ConfigDict(extra="forbid")

    action: Literal["pick", "drop", "later", "categorise", "undo"]
    category: str | None = Field(None, max_length=100)
    seen: str | None = Field(None, max_length=40)


class EntryBody(BaseModel):
    """The words of a story's entry, plain text."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=1000)
    summary: str = Words
    seen: str | None = Field(None, max_length=40)


class MergeBody(BaseModel):
    """The stories to join with this one, by their ids or by any of their articles'."""

    model_config = ConfigDict(extra="forbid")

    others: list[Number] = Field(min_length=1, max_length=50)
    seen: str | None = Field(None, max_length=40)


class SplitBody(BaseModel):
    """The articles to take out of a story; none for each to go its own way."""

    model_config = ConfigDict(extra="forbid")

    leaving: list[Number] = Field(default_factory=list, max_length=200)
    seen: str | None = Field(None, max_length=40)


class UndoBody(BaseModel):
    """What to pass over.

    Args:
        passed: as answers with 409 told it: decisions that somebody else overtook.
    """

    model_config = ConfigDict(extra="forbid")

    passed: list[Number] = Field(default_factory=list, max_length=200)


def session(visit: Visit) -> Response:
    """Who is here, and the token that a POST must carry as `X-CSRF-Token`."""
    newsletter = visit.newsroom.newsletter
    said = {"who": visit.who, "csrf": visit.csrf, "newsletter": newsletter.title}
    return JSONResponse(said | {"categories": list(newsletter.category_names)})


def candidates(visit: Visit) -> Response:
    """Candidates, best first, a page at a time, with how many each category has."""
    asked = visit.asked(Asked)
    with visit.newsroom.store.reading() as tx:
        mark = tx.articles.next_id() - 1
        found = page_candidates(tx, asked.wanted(visit.now), visit.now, offset=asked.first, limit=asked.limit)
        shown = [_told(tx, one) for one in found.candidates]
    return JSONResponse({"total": found.total, "counts": found.counts, "mark": mark, "candidates": shown})


def news(visit: Visit) -> Response:
    """How many candidates came since a list was made: of those wanted, the ones above `after`."""
    asked = visit.asked(Asked)
    if asked.after is None:
        raise BadInput("after: is missing")
    with visit.newsroom.store.reading() as tx:
        counts = tx.stories.count_by_category(asked.wanted(visit.now))
    return JSONResponse({"count": sum(counts.values()) if not asked.category else counts.get(asked.category, 0)})


def candidate(visit: Visit) -> Response:
    """One story, as a candidate."""
    with visit.newsroom.store.reading() as tx:
        return JSONResponse(_told(tx, decisions.find_candidate(tx, _number(visit))))


def _or_fresh(action: Endpoint) -> Endpoint:
    """The action; where somebody decided meanwhile, 409 and what it was about as it is now."""

    @wraps(action)
    def tried(visit: Visit) -> Response:
        try:
            return action(visit)
        except Stale as stale:
            return _stale(visit, stale)

    return tried


@_or_fresh
def decide(visit: Visit) -> Response:
    """Decide on a story."""
    brought = visit.brought(DecisionBody)
    decision = Decision(_number(visit), brought.action, visit.who, visit.now, category=brought.category)
    done = decisions.decide(visit.newsroom, decision, seen_version=brought.seen)
    return _done(visit, done)


@_or_fresh
def reword(visit: Visit) -> Response:
    """Give a story's entry another title and summary, whether it is picked already or not."""
    brought = visit.brought(EntryBody)
    done = drafts.reword_story(
        visit.editor, _number(visit), title=brought.title, summary=brought.summary, seen=brought.seen
    )
    return _done(visit, done)


@_or_fresh
def merge(visit: Visit) -> Response:
    """Join stories: from now on they are one."""
    brought = visit.brought(MergeBody)
    done = decisions.merge(
        visit.newsroom, _number(visit), brought.others, who=visit.who, decided_at=visit.now, seen_version=brought.seen
    )
    return _done(visit, done)


@_or_fresh
def split(visit: Visit) -> Response:
    """Take articles out of a story: from now on they are never one with the rest."""
    brought = visit.brought(SplitBody)
    done = decisions.split(
        visit.newsroom, _number(visit), brought.leaving, who=visit.who, decided_at=visit.now, seen_version=brought.seen
    )
    return _done(visit, done)


@_or_fresh
def undo(visit: Visit) -> Response:
    """Take back what you did last, as far back as you like."""
    undone = undo_last(visit.editor, passing=visit.brought(UndoBody).passed)
    if undone.decided is None:
        return JSONResponse({"action": undone.action, "issue": _day(undone.issue)})
    return _done(visit, undone.decided, action=undone.action)


def _number(visit: Visit) -> int:
    return visit.number("story")


def _day(day: object) -> str | None:
    return str(day) if day is not None else None


def _told(tx: Transaction, one: Candidate) -> dict[str, Any]:
    return candidate_json(one) | {"version": decisions.read_versions(tx, [one])[one.story.id]}


def _done(visit: Visit, done: Decided, **more: object) -> Response:
    others = [_fresh(visit, one) for one in done.others]
    return JSONResponse({"issue": _day(done.issue), **_fresh(visit, done.candidate), "others": others, **more})


def _stale(visit: Visit, stale: Stale) -> Response:
    if isinstance(stale.fresh, Candidate):
        more = {"passed": stale.decision} if isinstance(stale, Overtaken) else {}
        return problem(409, stale.text(visit.language), **_fresh(visit, stale.fresh), **more)
    return problem(409, stale.text(visit.language), issue=_day(stale.fresh))


def _fresh(visit: Visit, one: Candidate) -> dict[str, Any]:
    """A candidate as it is now; for our own page with its card, and what the tabs over the list say."""
    with visit.newsroom.store.reading() as tx:
        told: dict[str, Any] = {"candidate": _told(tx, one)}
        if visit.request.query_params.get("card"):
            made = card(tx, one, visit.newsroom.newsletter, visit.now)
            told["html"] = fragment(visit, "card.html", card=made)
    if visit.request.query_params.get("card"):
        told["tabs"] = tab_counts(visit, visit.asked(Asked))
    return told


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("GET", "/api/session", session),
    Operation("GET", "/api/candidates", candidates, query=Asked),
    Operation("GET", "/api/candidates/news", news, query=Asked),
    Operation("GET", "/api/candidates/{story:int}", candidate, places={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/decisions", decide, body=DecisionBody, places={"story": NUMBER}),
    Operation("PUT", "/api/candidates/{story:int}/entry", reword, body=EntryBody, places={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/merges", merge, body=MergeBody, places={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/splits", split, body=SplitBody, places={"story": NUMBER}),
    Operation("POST", "/api/undo", undo, body=UndoBody),
    *api_issues.OPERATIONS,
    *api_sources.OPERATIONS,
)
