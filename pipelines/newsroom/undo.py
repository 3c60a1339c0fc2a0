"""Takes back what a person did last: a decision, an edit, a change of a draft."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from pipelines.errors import CannotDecide
from pipelines.model import Change, Decision, Entry, Issue
from pipelines.newsroom.decisions import Decided, Overtaken, decide_in, find_candidate
from pipelines.newsroom.drafts import PARTS, Editor, _arranged, _name, _with_entries, _with_part
from pipelines.newsroom.issues import save_issue
from pipelines.store import Transaction


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo took back.

    Args:
        action: the decision's, or `change`.
        decided: the stories that it was about, as they are now; None for an issue's own words or order.
        issue: the draft that it touched.
    """

    action: str
    decided: Decided | None
    issue: date | None


def undo_last(editor: Editor, *, passing: Collection[int] = ()) -> Undone:
    """Take back what a person did last and nobody took back yet: a decision, an edit, a change of a draft.

    A change that somebody has changed again since, or that is out, is passed over.

    Args:
        passing: ids of decisions that cannot be taken back any more, to pass over them too.

    Raises:
        CannotDecide: there is nothing to take back.
        Overtaken: somebody else decided of the story since.
    """
    with editor.store.transaction() as tx:
        decision = tx.decisions.find_last_by(editor.name, passing)
        found = _last_change(tx, editor.name)
        if decision is not None and (found is None or found[0].at <= decision.at):
            return _undo_decision(tx, editor, decision)
        if found is not None:
            return _undo_change(tx, editor, *found)
    raise CannotDecide("undo-nothing")


def _last_change(tx: Transaction, who: str) -> tuple[Change, Issue] | None:
    """A person's newest change that can be taken back, and the draft as it was before; what is out stays as it is."""
    taken_back: set[int] = set()
    for change in tx.changes.iterate_newest_first(who):
        if change.undoes is not None:
            taken_back.add(change.undoes)
        elif change.id not in taken_back:
            issue = tx.issues.get(change.issue)
            restored = _RESTORE.get(change.part, _restore_part)(issue, change) if issue else None
            if issue and restored and issue.state == "draft":
                return change, restored
    return None


def _undo_decision(tx: Transaction, editor: Editor, decision: Decision) -> Undone:
    candidate = find_candidate(tx, decision.story)
    if decision.id not in {one.id for one in tx.decisions.find_last_on(candidate.story.id)}:
        raise Overtaken(candidate, decision.id)
    done = decide_in(tx, editor.newsroom, Decision(decision.story, "undo", editor.name, editor.now))
    return Undone(decision.action, done, done.issue)


def _undo_change(tx: Transaction, editor: Editor, change: Change, restored: Issue) -> Undone:
    save_issue(tx, restored, editor.newsletter, editor.rules)
    if restored.date != change.issue:
        tx.issues.remove(change.issue)
    undone = Change(
        0, restored.date, change.part, change.after, change.before, editor.name, editor.now, undoes=change.id
    )
    tx.changes.add(undone)
    return Undone("change", None, restored.date)


def _restore_part(issue: Issue, change: Change) -> Issue | None:
    if change.part not in PARTS or getattr(issue, change.part) != change.after:
        return None
    return _with_part(issue, change.part, change.before)


def _restore_entry(issue: Issue, change: Change) -> Issue | None:
    entries = [entry for section in issue.sections for entry in section.entries]
    at = next((at for at, one in enumerate(entries) if one.story is None and one.markdown == change.after), None)
    return None if at is None else _with_entries(issue, {at: Entry(change.before or "")})


def _restore_order(issue: Issue, change: Change) -> Issue | None:
    """The order before, of the entries that are there still; what came since stays at its section's end."""
    wanted: list[list[str]] = json.loads(change.before or "[]")
    if len(wanted) != len(issue.sections):
        return None
    left = [list(section.entries) for section in issue.sections]
    by_name = {_name(entry): entry for entries in left for entry in entries}
    placed = [[by_name[name] for name in names if name in by_name] for names in wanted]
    known = {name for names in wanted for name in names}
    for entries, order in zip(left, placed, strict=True):
        order += [entry for entry in entries if _name(entry) not in known]
    return _arranged(issue, placed)


def _restore_date(issue: Issue, change: Change) -> Issue | None:
    return replace(issue, date=date.fromisoformat(change.before)) if change.before else None


_RESTORE: Final[Mapping[str, Callable[[Issue, Change], Issue | None]]] = {
    "entry": _restore_entry,
    "order": _restore_order,
    "date": _restore_date,
}
