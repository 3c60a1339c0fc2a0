"""Operations on candidates, and the table of all operations: routes and OpenAPI description are made from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from pipelines.group.as_json import candidate_json
from pipelines.issue.changes import MOST_CHARACTERS
from pipelines.model import Candidate, Decision
from pipelines.newsroom.crawling.pages import lacks_text
from pipelines.newsroom.editing import decisions, drafts
from pipelines.newsroom.editing.candidates import look_up_candidates, page_candidates
from pipelines.newsroom.editing.decisions import Decided, Overtaken, Stale
from pipelines.newsroom.editing.undo import undo_last
from pipelines.review.answering import make_error_json
from pipelines.review.api import issues as api_issues
from pipelines.review.api import sources as api_sources
from pipelines.review.api.operations import NUMBER, Operation
from pipelines.review.pages.candidates import CandidatesQuery, count_tabs, find_enough_of_list, list_order
from pipelines.review.pages.cards import make_card
from pipelines.review.rendering import render_fragment
from pipelines.review.visit import MOST_NUMBER, BadInput, Visit
from pipelines.store import Transaction

Number = Annotated[int, Field(ge=0, le=MOST_NUMBER)]
Endpoint = Callable[[Visit], Response]
Summary = Field("", max_length=MOST_CHARACTERS)


class DecisionBody(BaseModel):
    """A decision on a story.

    Args:
        action: the decision; `undo` takes back the newest decision on the story, by any editor.
        category: of the newsletter; by default the story's own.
        seen: the version of the story as you saw it; if somebody decided on it since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    action: Literal["pick", "drop", "later", "categorise", "undo"]
    category: str | None = Field(None, max_length=100)
    seen: str | None = Field(None, max_length=40)


class EntryBody(BaseModel):
    """The texts of a story's entry.

    Args:
        title, summary: plain text.
        seen: the version of the story as you saw it; if somebody decided on it since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=1000)
    summary: str = Summary
    seen: str | None = Field(None, max_length=40)


class LinkBody(BaseModel):
    """The page that a story's entry is to link.

    Args:
        url: of one of its reports, of one of its links, or of a page that its reports point to.
        seen: the version of the story as you saw it; if somebody decided on it since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=2000)
    seen: str | None = Field(None, max_length=40)


class MergeBody(BaseModel):
    """The stories to join with this story.

    Args:
        others: ids of the other stories, or of any of their articles.
        seen: the version of the story as you saw it; if somebody decided on it since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    others: list[Number] = Field(min_length=1, max_length=50)
    seen: str | None = Field(None, max_length=40)


class RefusalBody(MergeBody):
    """The stories that report another event than this story.

    Args:
        others: ids of the other stories, or of any of their articles.
        seen: the version of the story as you saw it; if somebody decided on it since, the answer is 409.
    """


class SplitBody(BaseModel):
    """The articles to take out of a story.

    Args:
        leaving: ids of the articles; if empty, each article becomes a story of its own.
        seen: the version of the story as you saw it; if somebody decided on it since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    leaving: list[Number] = Field(default_factory=list, max_length=200)
    seen: str | None = Field(None, max_length=40)


class UndoBody(BaseModel):
    """The decisions that an undo passes over.

    Args:
        passed: ids of decisions that an answer with 409 named: somebody else decided on their stories since.
    """

    model_config = ConfigDict(extra="forbid")

    passed: list[Number] = Field(default_factory=list, max_length=200)


def session(visit: Visit) -> Response:
    """Read your name, the categories, and the token that every POST and PUT must send as `X-CSRF-Token`."""
    newsletter = visit.newsroom.newsletter
    document = {"who": visit.who, "csrf": visit.csrf, "newsletter": newsletter.title}
    return JSONResponse(document | {"categories": list(newsletter.category_names)})


def candidates(visit: Visit) -> Response:
    """List a page of candidates, best first, with the number of candidates of each category.

    `bounded` is true for a search among more than 20,000 stories with more than 5,000 matches: only the newest of them
    are looked at.
    `enough` is the number of candidates at the top of the whole list that are usually enough for an issue; null for a
    list with filters.
    """
    query = visit.read_query(CandidatesQuery)
    with visit.newsroom.store.reading() as tx:
        mark = tx.articles.next_id() - 1
        listed = page_candidates(tx, query.to_store_query(visit), visit.now, offset=query.first, limit=query.limit)
        shown_candidates = list(look_up_candidates(tx, listed.candidates, visit.newsroom.group_rules))
        documents = _make_documents(visit, tx, shown_candidates)
        enough = find_enough_of_list(tx, visit, query)
    figures = {"total": listed.total, "counts": listed.counts, "mark": mark, "bounded": listed.is_bounded}
    above = enough.count_above(query.category or None) if enough else None
    return JSONResponse(figures | {"enough": above, "candidates": documents})


def news(visit: Visit) -> Response:
    """Count the candidates of a list that came after the list was made: their story ids are higher than `after`."""
    query = visit.read_query(CandidatesQuery)
    if query.after is None:
        raise BadInput("after: is missing")
    with visit.newsroom.store.reading() as tx:
        counts = tx.stories.count_by_category(query.to_store_query(visit))
    return JSONResponse({"count": sum(counts.values()) if not query.category else counts.get(query.category, 0)})


def candidate(visit: Visit) -> Response:
    """Read a story as a candidate."""
    with visit.newsroom.store.reading() as tx:
        candidate = decisions.find_candidate(tx, _read_story_id(visit))
        present_state = _make_present_state(tx, visit, candidate)
    document = present_state["candidate"]
    return JSONResponse(document | present_state if _is_for_page(visit) else document)


def _answer_stale(action: Endpoint) -> Endpoint:
    """Decorate an action: if somebody else decided first, it answers with 409 and the present state."""

    @wraps(action)
    def act(visit: Visit) -> Response:
        try:
            return action(visit)
        except Stale as stale:
            return _make_conflict(visit, stale)

    return act


@_answer_stale
def decide(visit: Visit) -> Response:
    """Decide on a story."""
    body = visit.read_body(DecisionBody)
    decision = Decision(_read_story_id(visit), body.action, visit.who, visit.now, category=body.category)
    decided = decisions.decide(visit.newsroom, decision, seen_version=body.seen)
    if body.action == "pick" and lacks_text(decided.candidate.lead.article):
        visit.desk.page_fetches.begin([decided.candidate.story.id], visit.language)
    return _make_answer(visit, decided)


def fetch_page(visit: Visit) -> Response:
    """Fetch the page of a story without a stored text, in a process of its own; read the story to see the outcome."""
    with visit.newsroom.store.reading() as tx:
        candidate = decisions.find_candidate(tx, _read_story_id(visit))
    if lacks_text(candidate.lead.article):
        visit.desk.page_fetches.begin([candidate.story.id], visit.language)
    with visit.newsroom.store.reading() as tx:
        return JSONResponse(_make_present_state(tx, visit, candidate))


@_answer_stale
def reword(visit: Visit) -> Response:
    """Give a story's entry another title and summary, whether the story is picked already or not."""
    body = visit.read_body(EntryBody)
    decided = drafts.reword_story(
        visit.editor, _read_story_id(visit), title=body.title, summary=body.summary, seen_version=body.seen
    )
    return _make_answer(visit, decided)


@_answer_stale
def relink(visit: Visit) -> Response:
    """Let a story's entry link another page, whether the story is picked already or not."""
    body = visit.read_body(LinkBody)
    return _make_answer(
        visit, drafts.relink_story(visit.editor, _read_story_id(visit), body.url, seen_version=body.seen)
    )


@_answer_stale
def merge(visit: Visit) -> Response:
    """Join stories: from now on they are one story."""
    body = visit.read_body(MergeBody)
    decided = decisions.merge(
        visit.newsroom, _read_story_id(visit), body.others, who=visit.who, decided_at=visit.now, seen_version=body.seen
    )
    return _make_answer(visit, decided)


@_answer_stale
def refuse(visit: Visit) -> Response:
    """Say that stories report another event: they are neither joined with the story nor offered with it again."""
    body = visit.read_body(RefusalBody)
    decided = decisions.tell_apart(
        visit.newsroom, _read_story_id(visit), body.others, who=visit.who, decided_at=visit.now, seen_version=body.seen
    )
    return _make_answer(visit, decided)


@_answer_stale
def split(visit: Visit) -> Response:
    """Take articles out of a story: from now on they are never joined with the staying articles."""
    body = visit.read_body(SplitBody)
    decided = decisions.split(
        visit.newsroom, _read_story_id(visit), body.leaving, who=visit.who, decided_at=visit.now, seen_version=body.seen
    )
    return _make_answer(visit, decided)


@_answer_stale
def undo(visit: Visit) -> Response:
    """Take back your newest decision, edit or change; call it again for the one before."""
    undone = undo_last(visit.editor, passing=visit.read_body(UndoBody).passed)
    if undone.action == "state":
        visit.desk.learning.begin(visit.language)
    if undone.decided is None:
        part = visit.translate(f"undone/{undone.part}", day=undone.issue)
        return JSONResponse({"action": undone.action, "issue": _format_day(undone.issue), "part": part})
    return _make_answer(visit, undone.decided, action=undone.action)


def _read_story_id(visit: Visit) -> int:
    return visit.read_path_number("story")


def _format_day(day: object) -> str | None:
    return str(day) if day is not None else None


def _make_documents(visit: Visit, tx: Transaction, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    versions = decisions.read_versions(tx, candidates)
    zone = visit.newsroom.zone
    return [
        candidate_json(candidate, visit.language, zone) | {"version": versions[candidate.story.id]}
        for candidate in candidates
    ]


def _make_answer(visit: Visit, decided: Decided, **fields: object) -> Response:
    with visit.newsroom.store.reading() as tx:
        changed = [_make_present_state(tx, visit, candidate) for candidate in decided.other_candidates]
        present_state = _make_present_state(tx, visit, decided.candidate)
        order = {"order": list_order(tx, visit, visit.read_query(CandidatesQuery))} if _is_for_page(visit) else {}
    return JSONResponse({"issue": _format_day(decided.issue), **present_state, "others": changed, **order, **fields})


def _make_conflict(visit: Visit, stale: Stale) -> Response:
    if isinstance(stale.fresh, Candidate):
        passed = {"passed": stale.decision} if isinstance(stale, Overtaken) else {}
        with visit.newsroom.store.reading() as tx:
            present_state = _make_present_state(tx, visit, stale.fresh)
        return make_error_json(409, stale.text(visit.language), **present_state, **passed)
    return make_error_json(409, stale.text(visit.language), issue=_format_day(stale.fresh))


def _is_for_page(visit: Visit) -> bool:
    return bool(visit.request.query_params.get("card"))


def _make_present_state(tx: Transaction, visit: Visit, candidate: Candidate) -> dict[str, Any]:
    """Make the document of a candidate as it is now; for the desk's page, with its card and the counts of the tabs."""
    (candidate,) = look_up_candidates(tx, [candidate], visit.newsroom.group_rules)
    document: dict[str, Any] = {"candidate": _make_documents(visit, tx, [candidate])[0]}
    if _is_for_page(visit):
        running = visit.desk.page_fetches.list_running()
        card = make_card(tx, candidate, visit.newsroom.newsletter, visit.now, running)
        document["html"] = render_fragment(visit, "card.html", card=card)
        document["tabs"] = count_tabs(tx, visit, visit.read_query(CandidatesQuery))
    return document


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("GET", "/api/session", session),
    Operation("GET", "/api/candidates", candidates, query=CandidatesQuery),
    Operation("GET", "/api/candidates/news", news, query=CandidatesQuery),
    Operation("GET", "/api/candidates/{story:int}", candidate, path_schemas={"story": NUMBER}),
    Operation(
        "POST", "/api/candidates/{story:int}/decisions", decide, body=DecisionBody, path_schemas={"story": NUMBER}
    ),
    Operation("PUT", "/api/candidates/{story:int}/entry", reword, body=EntryBody, path_schemas={"story": NUMBER}),
    Operation("PUT", "/api/candidates/{story:int}/link", relink, body=LinkBody, path_schemas={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/page", fetch_page, path_schemas={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/merges", merge, body=MergeBody, path_schemas={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/refusals", refuse, body=RefusalBody, path_schemas={"story": NUMBER}),
    Operation("POST", "/api/candidates/{story:int}/splits", split, body=SplitBody, path_schemas={"story": NUMBER}),
    Operation("POST", "/api/undo", undo, body=UndoBody),
    *api_issues.OPERATIONS,
    *api_sources.OPERATIONS,
)
