"""Operations on issues: read, write, order, export."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from pipelines import files
from pipelines.errors import CannotDecide
from pipelines.issue.changes import MOST_CHARACTERS, PARTS, Part, list_entries, replace_text
from pipelines.issue.formats.as_json import render_json
from pipelines.issue.handwritten import EntryDraft, compose_entry
from pipelines.model import EARLIEST_ISSUE, LATEST_ISSUE, Entry, Issue, StoryLink
from pipelines.newsletter import Newsletter
from pipelines.newsroom.editing import drafts
from pipelines.newsroom.editing.decisions import Stale
from pipelines.newsroom.editing.exports import name_file
from pipelines.newsroom.editing.issues import get_issue, list_issues
from pipelines.newsroom.editing.publishing import delete_draft, list_publishing_acts, publish_issues, unpublish_issue
from pipelines.review.answering import make_error_json
from pipelines.review.api.operations import DAY, NUMBER, Operation
from pipelines.review.pages.issue import IssueView, read_day, view_issue
from pipelines.review.rendering import describe_learning, render_fragment
from pipelines.review.visit import NothingHere, Visit

Edition = Field(None, max_length=40)


class TextBody(BaseModel):
    """Markdown for a part or an entry of an issue.

    Args:
        text: the new Markdown; blank removes the part, or an entry of a draft that has no story.
        seen: the edition of the replaced text as you saw it; if the text changed since, the answer is 409.
        correcting: whether a published issue may be changed: its feed tells the correction to the readers.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MOST_CHARACTERS)
    seen: str | None = Edition
    correcting: bool = False


class LinkBody(BaseModel):
    """A label line of an entry: its label, and its address."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field("", max_length=40)
    url: str = Field(max_length=4000)


class EntryBody(BaseModel):
    """An entry of your own words, behind which no article stands.

    Args:
        section: a section of the draft, or a category of the newsletter.
        text: the whole entry as Markdown; the other fields are then ignored.
        title, source: plain text; `source` may be empty.
        url: the address that the title links; may be empty.
        links: further addresses, a label line each.
        summary: Markdown; may be empty.
    """

    model_config = ConfigDict(extra="forbid")

    section: str = Field(min_length=1, max_length=100)
    text: str = Field("", max_length=MOST_CHARACTERS)
    title: str = Field("", max_length=1000)
    source: str = Field("", max_length=200)
    url: str = Field("", max_length=4000)
    links: list[LinkBody] = Field(default_factory=list, max_length=20)
    summary: str = Field("", max_length=MOST_CHARACTERS)

    def make_entry(self, newsletter: Newsletter) -> Entry:
        """Make the entry, in the house style unless `text` gives it."""
        if self.text.strip():
            return Entry(self.text)
        links = tuple(StoryLink(link.label, link.url) for link in self.links)
        draft = EntryDraft(self.title, self.source, self.url, links, self.summary)
        return compose_entry(draft, self.section, newsletter)


class DivisionBody(BaseModel):
    """The two entries that an entry becomes.

    Args:
        text: Markdown of the first entry; the story stays with it.
        second: Markdown of the second entry: its title, then its summary. Without a link of its own, its title links
            the page of the first.
        seen: the edition of the entry as you saw it; if the text changed since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    second: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    seen: str | None = Edition


class MoveBody(BaseModel):
    """The new slot of an entry.

    Args:
        position: of the entry among all entries of the draft, from 0.
        section: index of the new section, from 0.
        to: index of the entry in its new section, from 0; the end of the section if the section is shorter.
        seen: the edition of the order as you saw it; if the order changed since, the answer is 409.
    """

    model_config = ConfigDict(extra="forbid")

    position: int = Field(ge=0, le=10_000)
    section: int = Field(ge=0, le=1000)
    to: int = Field(ge=0, le=10_000)
    seen: str | None = Edition


class ExportBody(BaseModel):
    """The options of an export.

    Args:
        publish: whether the issue is published from now on.
    """

    model_config = ConfigDict(extra="forbid")

    publish: bool = False


class DateBody(BaseModel):
    """The new date of a draft."""

    model_config = ConfigDict(extra="forbid")

    date: Annotated[date, Field(ge=EARLIEST_ISSUE, le=LATEST_ISSUE)]


class NoBody(BaseModel):
    """An empty object."""

    model_config = ConfigDict(extra="forbid")


class PreviewBody(BaseModel):
    """A change of an issue to preview.

    Args:
        text: the new Markdown of the part or the entry.
        part: the part that gets the text.
        position: of the entry that gets the text, among all entries, from 0; ignored if there is a part.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MOST_CHARACTERS)
    part: Part | None = None
    position: int | None = Field(None, ge=0, le=10_000)


def issues(visit: Visit) -> Response:
    """List every issue, newest first."""
    documents = [
        {
            "date": issue.date.isoformat(),
            "state": issue.state,
            "headline": issue.headline,
            "items": issue.item_count,
        }
        for issue in list_issues(visit.newsroom.store)
    ]
    return JSONResponse({"issues": documents})


def issue(visit: Visit) -> Response:
    """Read an issue: its parts, its Markdown, its findings."""
    correcting = bool(visit.request.query_params.get("correcting"))
    return JSONResponse(_make_document(visit, view_issue(visit, _read_day(visit)), correcting=correcting))


def write_part(visit: Visit) -> Response:
    """Write the headline, the guide or the preamble of a draft, or correct it in a published issue."""
    part = visit.read_path("part")
    if part not in PARTS:
        raise NothingHere
    body = visit.read_body(TextBody)

    def write(day: date) -> Issue:
        return drafts.write_part(visit.editor, day, part, body.text, seen_edition=body.seen, correcting=body.correcting)

    return _make_answer(visit, write, correcting=body.correcting)


def write_entry(visit: Visit) -> Response:
    """Write an entry of a draft, with its label lines, or correct it in a published issue."""
    body = visit.read_body(TextBody)
    position = visit.read_path_number("position")

    def write(day: date) -> Issue:
        return drafts.write_entry(
            visit.editor, day, position, body.text, seen_edition=body.seen, correcting=body.correcting
        )

    return _make_answer(visit, write, correcting=body.correcting)


def add_entry(visit: Visit) -> Response:
    """Add an entry of your own words to a draft; without an issue of this date, a draft begins."""
    body = visit.read_body(EntryBody)
    entry = body.make_entry(visit.newsroom.newsletter)
    draft, position = drafts.add_entry(visit.editor, _read_day(visit), body.section, entry)
    return JSONResponse({"position": position} | _make_document(visit, view_issue(visit, draft.date)))


def split_entry(visit: Visit) -> Response:
    """Split an entry of a draft into two: one post may give two pieces of news."""
    body = visit.read_body(DivisionBody)
    position = visit.read_path_number("position")

    def split(day: date) -> Issue:
        return drafts.split_entry(visit.editor, day, position, body.text, body.second, seen_edition=body.seen)[0]

    return _make_answer(visit, split)


def move_entry(visit: Visit) -> Response:
    """Move an entry of a draft within its section or to another section."""
    body = visit.read_body(MoveBody)

    def move(day: date) -> Issue:
        return drafts.move_entry(visit.editor, day, body.position, body.section, body.to, seen_edition=body.seen)

    return _make_answer(visit, move)


def redate(visit: Visit) -> Response:
    """Give a draft another date."""
    body = visit.read_body(DateBody)
    return _make_answer(visit, lambda day: drafts.redate(visit.editor, day, body.date))


def preview(visit: Visit) -> Response:
    """Preview an issue with a changed part or a changed entry; nothing is written."""
    body = visit.read_body(PreviewBody)
    day = _read_day(visit)
    with visit.newsroom.store.reading() as tx:
        changed = replace_text(get_issue(tx, day), body.text, part=body.part, position=body.position)
    issue_view = view_issue(visit, day, changed)
    return JSONResponse(
        {
            "html": issue_view.html,
            "markdown": issue_view.markdown,
            "lint": [finding.as_json(visit.language) for finding in issue_view.findings],
        }
    )


def export(visit: Visit) -> Response:
    """Write an issue to its file, and publish it if `publish` is true."""
    body = visit.read_body(ExportBody)
    day, newsroom = _read_day(visit), visit.newsroom
    issue_view = view_issue(visit, day)
    path = newsroom.home.folder / "issues" / name_file(issue_view.issue, newsroom.newsletter, "md")
    try:
        changed = files.write(path, issue_view.markdown)
    except OSError as error:
        raise CannotDecide("cannot-write", path=path, reason=error.strerror) from error
    report = {"path": str(path), "changed": changed, "published": body.publish}
    if body.publish and issue_view.issue.state == "draft":
        publish_issues(visit.editor, [issue_view.issue])
        visit.desk.learning.begin(visit.language)
        issue_view = replace(issue_view, issue=replace(issue_view.issue, state="published"))
    return JSONResponse(report | _make_document(visit, issue_view))


def unpublish(visit: Visit) -> Response:
    """Make a published issue a draft again: its stories are picked, no longer published."""
    visit.read_body(NoBody)

    def act(day: date) -> Issue:
        draft = unpublish_issue(visit.editor, day)
        visit.desk.learning.begin(visit.language)
        return draft

    return _make_answer(visit, act)


def delete(visit: Visit) -> Response:
    """Delete a draft; nobody has decided on its stories then. An undo brings it back."""
    visit.read_body(NoBody)
    deleted = delete_draft(visit.editor, _read_day(visit))
    return JSONResponse({"date": deleted.date.isoformat(), "items": len(list_entries(deleted))})


def learning(visit: Visit) -> Response:
    """Read whether the newsroom learns from what was published at this desk, or why it could not."""
    return JSONResponse(describe_learning(visit))


def _read_day(visit: Visit) -> date:
    return read_day(visit.read_path("day"))


def _make_answer(visit: Visit, change: Callable[[date], Issue], *, correcting: bool = False) -> Response:
    """Change the issue and answer with it; with 409 and the present issue if somebody else changed it first."""
    day = _read_day(visit)
    try:
        changed = change(day)
    except Stale as stale:
        present = _make_document(visit, view_issue(visit, day), correcting=correcting)
        return make_error_json(409, stale.text(visit.language), **present)
    return JSONResponse(_make_document(visit, view_issue(visit, changed.date), correcting=correcting))


def _make_document(visit: Visit, issue_view: IssueView, *, correcting: bool = False) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render_json(issue_view.issue, visit.newsroom.newsletter)) | {
        "markdown": issue_view.markdown,
        "editions": dict(issue_view.editions),
        "proposals": dict(issue_view.proposals),
        "order": issue_view.order,
        "lint": [finding.as_json(visit.language) for finding in issue_view.findings],
    }
    if visit.request.query_params.get("card"):
        document |= {
            "html": render_fragment(visit, "issue_parts.html", issue_view=issue_view, correcting=correcting),
            "preview": issue_view.html,
        }
        if correcting:
            acts = list_publishing_acts(visit.newsroom.store, visit.newsroom.newsletter, issue_view.issue.date)
            document["acts"] = render_fragment(visit, "issue_acts.html", acts=acts)
    return document


_DAY: Final = {"day": DAY}
_PART: Final = {"type": "string", "enum": list(PARTS)}

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("GET", "/api/issues", issues),
    Operation("GET", "/api/issues/{day}", issue, path_schemas=_DAY),
    Operation("PUT", "/api/issues/{day}/parts/{part}", write_part, body=TextBody, path_schemas=_DAY | {"part": _PART}),
    Operation(
        "PUT",
        "/api/issues/{day}/entries/{position:int}",
        write_entry,
        body=TextBody,
        path_schemas=_DAY | {"position": NUMBER},
    ),
    Operation(
        "POST",
        "/api/issues/{day}/entries/{position:int}/splits",
        split_entry,
        body=DivisionBody,
        path_schemas=_DAY | {"position": NUMBER},
    ),
    Operation("POST", "/api/issues/{day}/entries", add_entry, body=EntryBody, path_schemas=_DAY),
    Operation("POST", "/api/issues/{day}/moves", move_entry, body=MoveBody, path_schemas=_DAY),
    Operation("POST", "/api/issues/{day}/date", redate, body=DateBody, path_schemas=_DAY),
    Operation("POST", "/api/issues/{day}/preview", preview, body=PreviewBody, path_schemas=_DAY),
    Operation("POST", "/api/issues/{day}/export", export, body=ExportBody, path_schemas=_DAY),
    Operation("POST", "/api/issues/{day}/unpublishing", unpublish, body=NoBody, path_schemas=_DAY),
    Operation("POST", "/api/issues/{day}/deletion", delete, body=NoBody, path_schemas=_DAY),
    Operation("GET", "/api/learning", learning),
)
