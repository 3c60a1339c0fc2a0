"""Publishes issues, takes that back, and deletes drafts. Each act is a change with its person and its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pipelines.errors import CannotDecide
from pipelines.issue.changes import list_entries, write_issue
from pipelines.issue.entry import read_title
from pipelines.model import Change, Decision, Issue
from pipelines.newsletter import Newsletter
from pipelines.newsroom.editing.decisions import Stale, decide_in
from pipelines.newsroom.editing.drafts import get_draft, note_change
from pipelines.newsroom.editing.issues import ensure_publishable, get_issue, save_issue
from pipelines.newsroom.editor import Editor
from pipelines.store import Store, Transaction


def publish_issues(editor: Editor, issues: Sequence[Issue]) -> None:
    """Publish issues: from now on the stories of their entries are published too. A published issue stays as it is.

    Args:
        editor: who publishes.
        issues: drafts, as they were exported.

    Raises:
        CannotDecide: an entry has a machine line.
        NoSuchIssue: a draft was deleted meanwhile.
        Stale: somebody changed a draft since it was exported.
    """
    ensure_publishable(editor.newsletter, issues)
    with editor.store.transaction() as tx:
        for issue in issues:
            stored = get_issue(tx, issue.date)
            if replace(issue, back_issues=stored.back_issues) != stored:
                raise Stale(issue.date)
            if stored.state == "draft":
                _set_state(tx, editor, replace(issue, state="published"))
                tx.issues.note_published(issue.date, editor.now)


def unpublish_issue(editor: Editor, day: date) -> Issue:
    """Make a published issue a draft again; its stories are picked, no longer published.

    Raises:
        NoSuchIssue: no issue has this date.
        CannotDecide: it is a draft already.
    """
    with editor.store.transaction() as tx:
        issue = get_issue(tx, day)
        if issue.state == "draft":
            raise CannotDecide("no-published-issue", day=day)
        draft = replace(issue, state="draft")
        _set_state(tx, editor, draft)
        return draft


def _set_state(tx: Transaction, editor: Editor, issue: Issue) -> None:
    save_issue(tx, issue, editor.newsletter, editor.rules)
    former = "draft" if issue.state == "published" else "published"
    note_change(tx, editor, issue.date, "state", old_text=former, new_text=issue.state)


def delete_draft(editor: Editor, day: date) -> Issue:
    """Delete a draft; nobody has decided on its picked stories then. An undo brings both back.

    Args:
        editor: who deletes it.
        day: the date of the draft.

    Returns:
        The draft as it was.

    Raises:
        NoSuchIssue: no issue has this date.
        CannotDecide: the issue is published.
    """
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day)
        for entry in list_entries(draft):
            candidate = tx.stories.find_by_article(entry.story) if entry.story is not None else None
            if candidate is not None and candidate.state == "picked":
                decide_in(tx, editor.newsroom, Decision(candidate.story.id, "release", editor.name, editor.now))
        tx.issues.remove(day)
        note_change(tx, editor, day, "issue", old_text=write_issue(draft), new_text=None)
        return draft


@dataclass(frozen=True, slots=True)
class PublishingAct:
    """Something that happened to an issue since it was first published.

    Args:
        part: as in `Change.part`; `state` for publishing and unpublishing.
        state: the state of the issue after it, where the part is `state`; empty otherwise.
        title: of the entry that was corrected; empty for the other parts.
    """

    part: str
    state: str
    title: str
    who: str
    happened_at: datetime


def list_publishing_acts(store: Store, newsletter: Newsletter, day: date) -> list[PublishingAct]:
    """List who published, unpublished and corrected the issue of a date, and when; oldest first.

    Args:
        store: of the newsroom.
        newsletter: its labels tell where the title of an entry begins.
        day: the date of the issue.
    """
    with store.reading() as tx:
        changes = tx.changes.list_of_issue(day)
        present_state = get_issue(tx, day).state
    acts: list[PublishingAct] = []
    published = next((change.before for change in changes if change.part == "state"), present_state) == "published"
    for change in changes:
        if change.part == "state":
            published = change.after == "published"
        if published or change.part == "state":
            acts.append(_describe_change(change, newsletter))
    return acts


def _describe_change(change: Change, newsletter: Newsletter) -> PublishingAct:
    state = change.after or "" if change.part == "state" else ""
    title = read_title(change.after or "", newsletter) if change.part == "entry" else ""
    return PublishingAct(change.part, state, title, change.who, change.at)
