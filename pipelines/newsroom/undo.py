"""Takes back the last act of an editor: a decision, an edit, a change of a draft."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from pipelines.errors import CannotDecide
from pipelines.issue.changes import revert_change
from pipelines.model import Change, Decision, Issue
from pipelines.newsroom.decisions import Decided, Overtaken, decide_in, find_candidate
from pipelines.newsroom.drafts import note_change, refit_entries
from pipelines.newsroom.editor import Editor
from pipelines.newsroom.issues import save_issue
from pipelines.store import Transaction


@dataclass(frozen=True, slots=True)
class Undone:
    """The outcome of an undo.

    Args:
        action: of the decision that was taken back; `change` for a change of a draft.
        decided: the stories of that decision, as they are now; None for a change of a draft.
        issue: the date of the draft that changed; None where no draft changed.
    """

    action: str
    decided: Decided | None
    issue: date | None


def undo_last(editor: Editor, *, passing: Collection[int] = ()) -> Undone:
    """Take back the editor's newest decision, edit or change of a draft that is not taken back yet.

    A change is passed over if its issue is published, or if somebody changed the same text again.

    Args:
        editor: who takes it back.
        passing: ids of decisions to pass over: the ones that `Overtaken` named.

    Raises:
        CannotDecide: there is nothing to take back.
        Overtaken: somebody else decided on the story since.
    """
    with editor.store.transaction() as tx:
        decision = tx.decisions.find_last_by(editor.name, passing)
        revertible = _find_revertible_change(tx, editor.name)
        if decision is not None and (revertible is None or revertible[0].at <= decision.at):
            return _undo_decision(tx, editor, decision)
        if revertible is not None:
            return _undo_change(tx, editor, *revertible)
    raise CannotDecide("undo-nothing")


def _find_revertible_change(tx: Transaction, who: str) -> tuple[Change, Issue] | None:
    """Find a person's newest change that can be taken back, with the draft as it was before the change."""
    undone_ids: set[int] = set()
    for change in tx.changes.iterate_newest_first(who):
        if change.undoes is not None:
            undone_ids.add(change.undoes)
        elif change.id not in undone_ids:
            issue = tx.issues.get(change.issue)
            reverted = revert_change(issue, change) if issue else None
            if issue and reverted and issue.state == "draft":
                return change, reverted
    return None


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
    note_change(tx, editor, reverted.date, change.part, old_text=change.after, new_text=change.before, undoes=change.id)
    return Undone("change", None, reverted.date)
