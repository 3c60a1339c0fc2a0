"""Takes back the last act of an editor: a decision, an edit, a change of an issue, its publishing or its deletion."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from pipelines.errors import CannotDecide
from pipelines.issue.changes import list_entries, read_written_issue, revert_change
from pipelines.issue.sections import remove_story
from pipelines.model import Change, Decision, Issue
from pipelines.newsroom.editing.decisions import Decided, Overtaken, decide, decide_in, find_candidate
from pipelines.newsroom.editing.drafts import note_change, refit_entries
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.editor import Editor
from pipelines.store import Transaction


@dataclass(frozen=True, slots=True)
class Undone:
    """The outcome of an undo.

    Args:
        action: of the decision that was taken back; `change` for a change of an issue's texts or order, `state` for
            publishing or unpublishing, `issue` for the deletion of a draft.
        decided: the stories of that decision, as they are now; None for a change.
        issue: the date of the issue that changed; None where no issue changed.
        part: of the change that was taken back, as in `Change.part`; None for a decision.
    """

    action: str
    decided: Decided | None
    issue: date | None
    part: str | None = None


def undo_last(editor: Editor, *, passing: Collection[int] = ()) -> Undone:
    """Take back the editor's newest decision, edit or change of an issue that is not taken back yet.

    A change of a draft is passed over while its issue is published, and if somebody changed the same text again.

    Args:
        editor: who takes it back.
        passing: ids of decisions to pass over: the ones that `Overtaken` named.

    Raises:
        CannotDecide: there is nothing to take back.
        Overtaken: somebody else decided on the story since.
    """
    if (pair := _find_pair_of_house(editor, passing)) is not None:
        decided = decide(editor.newsroom, Decision(pair.story, "undo", editor.name, editor.now))
        return Undone(pair.action, decided, decided.issue)
    with editor.store.transaction() as tx:
        decision = tx.decisions.find_last_by(editor.name, passing)
        revertible = _find_revertible_change(tx, editor.name)
        if decision is not None and (revertible is None or revertible[0].at < decision.at):
            return _undo_decision(tx, editor, decision)
        if revertible is not None:
            change, reverted = revertible
            if reverted is None:
                return _undo_deletion(tx, editor, change)
            return _undo_change(tx, editor, change, reverted)
    raise CannotDecide("undo-nothing")


def _find_pair_of_house(editor: Editor, passing: Collection[int]) -> Decision | None:
    """Find a merge or split of a further newsletter's editor, newer than all that they did in its own store."""
    if editor.newsroom.house is editor.newsroom:
        return None
    with editor.newsroom.house.store.reading() as tx:
        pair = tx.decisions.find_last_by(editor.name, on_pairs=True)
    with editor.store.reading() as tx:
        if pair is None or tx.stories.find_by_article(pair.story) is None:
            return None
        decision = tx.decisions.find_last_by(editor.name, passing)
        revertible = _find_revertible_change(tx, editor.name)
    newest = max((each.at for each in (decision, revertible and revertible[0]) if each), default=None)
    return pair if newest is None or newest < pair.at else None


def _find_revertible_change(tx: Transaction, who: str) -> tuple[Change, Issue | None] | None:
    """Find a person's newest change that can be taken back, with the issue as it was before the change.

    Returns:
        None if there is no such change. A deleted draft is no issue any more, so None stands in its place.
    """
    undone_ids: set[int] = set()
    for change in tx.changes.iterate_newest_first(who):
        if change.undoes is not None:
            undone_ids.add(change.undoes)
        elif change.id not in undone_ids:
            issue = tx.issues.get(change.issue)
            if change.part == "issue" and issue is None:
                return change, None
            if issue is not None and change.part != "issue" and _stands_open(tx, issue, change):
                reverted = revert_change(issue, change)
                if reverted is not None:
                    return change, reverted
    return None


def _stands_open(tx: Transaction, issue: Issue, change: Change) -> bool:
    """Whether a change can still be taken back: the present state of its issue is the state that it was made in."""
    if change.part == "state":
        return issue.state == change.after
    if issue.state == "draft":
        return True
    published_at = tx.issues.get_times(issue.date).published_at
    return published_at is None or change.at >= published_at


def _undo_decision(tx: Transaction, editor: Editor, decision: Decision) -> Undone:
    candidate = find_candidate(tx, decision.story)
    if decision.id not in {last.id for last in tx.decisions.find_last_on(candidate.story.id)}:
        raise Overtaken(candidate, decision.id)
    decided = decide_in(tx, editor.newsroom, Decision(decision.story, "undo", editor.name, editor.now))
    return Undone(decision.action, decided, decided.issue)


def _undo_change(tx: Transaction, editor: Editor, change: Change, reverted: Issue) -> Undone:
    former = tx.issues.get(change.issue)
    if former is not None and change.part == "order":
        reverted = refit_entries(tx, former, reverted, editor.newsletter)
    save_issue(tx, reverted, editor.newsletter, editor.rules)
    if reverted.date != change.issue:
        tx.issues.remove(change.issue)
        tx.feed.redate(change.issue, reverted.date)
    if reverted.state == "published":
        tx.issues.note_corrected(reverted.date, editor.now)
    note_change(tx, editor, reverted.date, change.part, old_text=change.after, new_text=change.before, undoes=change.id)
    return Undone("state" if change.part == "state" else "change", None, reverted.date, change.part)


def _undo_deletion(tx: Transaction, editor: Editor, change: Change) -> Undone:
    """Bring a deleted draft back, with the stories that nobody decided on since."""
    draft = read_written_issue(change.before or "")
    save_issue(tx, draft, editor.newsletter, editor.rules)
    released = []
    for entry in list_entries(draft):
        candidate = tx.stories.find_by_article(entry.story) if entry.story is not None else None
        if candidate is None:
            continue
        last = next(iter(tx.decisions.find_last_on(candidate.story.id)), None)
        if last is not None and (last.action, last.who, last.at) == ("release", change.who, change.at):
            released.append(candidate.story.id)
        elif candidate.state != "published":
            draft = remove_story(draft, candidate)
    for story_id in released:
        decide_in(tx, editor.newsroom, Decision(story_id, "undo", editor.name, editor.now))
    save_issue(tx, draft, editor.newsletter, editor.rules)  # each decision has put its entry where it knew it
    note_change(tx, editor, draft.date, "issue", old_text=None, new_text=change.before, undoes=change.id)
    return Undone("issue", None, draft.date, "issue")
