"""Issues as JSON: read, write, order, export."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from pipelines import files
from pipelines.errors import CannotDecide
from pipelines.issue.formats.as_json import render_json
from pipelines.model import Issue
from pipelines.newsroom import drafts, run
from pipelines.newsroom.decisions import Stale
from pipelines.newsroom.drafts import MOST_CHARACTERS, Part, as_if
from pipelines.newsroom.issues import all_issues, publish_issues
from pipelines.review.answering import problem
from pipelines.review.api.operations import DAY, NUMBER, Operation
from pipelines.review.pages.issue import IssueView, day_of, view_issue
from pipelines.review.rendering import fragment
from pipelines.review.visit import NothingHere, Visit

Seen = Field(None, max_length=40)


class TextBody(BaseModel):
    """Markdown for a part or an entry of a draft.

    Args:
        seen: the edition of what it replaces: another one by now is answered with 409.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MOST_CHARACTERS)
    seen: str | None = Seen


class MoveBody(BaseModel):
    """Where an entry goes.

    Args:
        position: where it stands among all entries, from 0.
        section, to: the section, from 0, and the place in it.
        seen: the edition of the order that was looked at.
    """

    model_config = ConfigDict(extra="forbid")

    position: int = Field(ge=0, le=10_000)
    section: int = Field(ge=0, le=1000)
    to: int = Field(ge=0, le=10_000)
    seen: str | None = Seen


class ExportBody(BaseModel):
    """What an export does besides: `publish` remembers the issue as printed."""

    model_config = ConfigDict(extra="forbid")

    publish: bool = False


class DateBody(BaseModel):
    """The day that a draft shall come out on."""

    model_config = ConfigDict(extra="forbid")

    date: date


class PreviewBody(BaseModel):
    """A draft with one part or one entry in other words, to look at before it is written."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MOST_CHARACTERS)
    part: Part | None = None
    position: int | None = Field(None, ge=0, le=10_000)


def issues(visit: Visit) -> Response:
    """Every issue, newest first."""
    told = [
        {
            "date": one.date.isoformat(),
            "state": one.state,
            "headline": one.headline,
            "items": sum(len(section.entries) for section in one.sections),
        }
        for one in all_issues(visit.newsroom.store)
    ]
    return JSONResponse({"issues": told})


def issue(visit: Visit) -> Response:
    """One issue: its parts, its Markdown, what is worth a second look."""
    return JSONResponse(_told(visit, view_issue(visit, _day(visit))))


def write_part(visit: Visit) -> Response:
    """Write a draft's headline, guide or preamble."""
    part = visit.place("part")
    if part not in drafts.PARTS:
        raise NothingHere
    brought = visit.brought(TextBody)
    return _after(visit, lambda day: drafts.write_part(visit.editor, day, part, brought.text, seen=brought.seen))


def write_entry(visit: Visit) -> Response:
    """Write an entry of a draft, label lines and all."""
    brought = visit.brought(TextBody)
    position = visit.number("position")
    return _after(visit, lambda day: drafts.write_entry(visit.editor, day, position, brought.text, seen=brought.seen))


def move_entry(visit: Visit) -> Response:
    """Move an entry of a draft within its section or to another."""
    brought = visit.brought(MoveBody)

    def move(day: date) -> Issue:
        return drafts.move_entry(visit.editor, day, brought.position, brought.section, brought.to, seen=brought.seen)

    return _after(visit, move)


def redate(visit: Visit) -> Response:
    """Have a draft come out on another day."""
    brought = visit.brought(DateBody)
    return _after(visit, lambda day: drafts.redate(visit.editor, day, brought.date))


def preview(visit: Visit) -> Response:
    """How a draft would look with one part or one entry in other words; nothing is written."""
    brought = visit.brought(PreviewBody)
    day = _day(visit)
    with visit.newsroom.store.reading() as tx:
        changed = as_if(drafts.draft_on(tx, day), part=brought.part, position=brought.position, text=brought.text)
    shown = view_issue(visit, day, changed)
    return JSONResponse(
        {
            "html": shown.html,
            "markdown": shown.markdown,
            "lint": [one.as_json(visit.language) for one in shown.findings],
        }
    )


def export(visit: Visit) -> Response:
    """Write an issue to its file, and if asked, remember it as printed."""
    brought = visit.brought(ExportBody)
    day, newsroom = _day(visit), visit.newsroom
    shown = view_issue(visit, day)
    path = newsroom.home.path / "issues" / f"{day}.md"
    try:
        changed = files.write(path, shown.markdown)
    except OSError as error:
        raise CannotDecide("cannot-write", path=path, reason=error.strerror) from error
    if brought.publish and shown.issue.state == "draft":
        publish_issues(newsroom.store, newsroom.newsletter, newsroom.rules, [shown.issue])
        run.group(newsroom.store, newsroom.group_rules)
    told = {"path": str(path), "changed": changed, "published": brought.publish}
    return JSONResponse(told | _told(visit, view_issue(visit, day)))


def _day(visit: Visit) -> date:
    return day_of(visit.place("day"))


def _after(visit: Visit, change: Callable[[date], Issue]) -> Response:
    """The issue as a change left it; as somebody else's change left it, where that was quicker."""
    day = _day(visit)
    try:
        changed = change(day)
    except Stale as stale:
        return problem(409, stale.text(visit.language), **_told(visit, view_issue(visit, day)))
    return JSONResponse(_told(visit, view_issue(visit, changed.date)))


def _told(visit: Visit, shown: IssueView) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(render_json(shown.issue, visit.newsroom.newsletter)) | {
        "markdown": shown.markdown,
        "editions": dict(shown.editions),
        "proposals": dict(shown.proposals),
        "order": shown.order,
        "lint": [one.as_json(visit.language) for one in shown.findings],
    }
    if visit.request.query_params.get("card"):
        told |= {"html": fragment(visit, "issue_parts.html", shown=shown), "preview": shown.html}
    return told


_DAY: Final = {"day": DAY}
_PART: Final = {"type": "string", "enum": list(drafts.PARTS)}

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("GET", "/api/issues", issues),
    Operation("GET", "/api/issues/{day}", issue, places=_DAY),
    Operation("PUT", "/api/issues/{day}/parts/{part}", write_part, body=TextBody, places=_DAY | {"part": _PART}),
    Operation(
        "PUT",
        "/api/issues/{day}/entries/{position:int}",
        write_entry,
        body=TextBody,
        places=_DAY | {"position": NUMBER},
    ),
    Operation("POST", "/api/issues/{day}/moves", move_entry, body=MoveBody, places=_DAY),
    Operation("POST", "/api/issues/{day}/date", redate, body=DateBody, places=_DAY),
    Operation("POST", "/api/issues/{day}/preview", preview, body=PreviewBody, places=_DAY),
    Operation("POST", "/api/issues/{day}/export", export, body=ExportBody, places=_DAY),
)
