"""What an editor changes of a draft: words, order, the day it comes out; and how the last step is taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue.entry import (
    accept_machine_line,
    read_machine_line,
    remove_machine_line,
    reword_entry,
    set_machine_line,
)
from pipelines.issue.escape import escape_markdown
from pipelines.issue.sections import find_slot
from pipelines.model import Candidate, Change, Decision, Entry, Issue, Section
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom
from pipelines.newsroom.assistant import propose
from pipelines.newsroom.decisions import Decided, Stale, current_entry, decide_in, find_candidate
from pipelines.newsroom.issues import save_issue
from pipelines.rules import Rules
from pipelines.store import Store, Transaction

Part = Literal["headline", "guide", "preamble"]

PARTS: Final[tuple[Part, ...]] = ("headline", "guide", "preamble")
"""The words of an issue that an editor writes anew each time."""

MOST_CHARACTERS: Final = 20_000
"""Of one part, or of one entry."""


@dataclass(frozen=True, slots=True)
class Editor:
    """A person who acts on a newsroom at a moment.

    Args:
        name: of the person, as decisions keep it.
        now: aware.
    """

    newsroom: Newsroom
    name: str
    now: datetime

    @property
    def store(self) -> Store:
        """The newsroom's."""
        return self.newsroom.store

    @property
    def newsletter(self) -> Newsletter:
        """The newsroom's."""
        return self.newsroom.newsletter

    @property
    def rules(self) -> Rules:
        """The newsroom's."""
        return self.newsroom.rules


def edition(text: str | None) -> str:
    """What tells a text's present wording from another one."""
    return hashlib.sha256((text or "").encode(errors="replace")).hexdigest()[:12]


def order_edition(issue: Issue) -> str:
    """What tells an issue's present order from another one."""
    return edition(_order(issue))


def as_if(issue: Issue, *, part: Part | None = None, position: int | None = None, text: str) -> Issue:
    """The issue as it would be if a part, or an entry, said this: nothing is written.

    Raises:
        NoSuchIssue: it has not so many entries.
    """
    said = _tidy(text)
    if part is not None:
        return _with_part(issue, part, said)
    if position is None:
        return issue
    return _with_entries(issue, {position: replace(_entry_at(issue, position), markdown=said or "")})


def write_part(editor: Editor, day: date, part: Part, text: str, *, seen: str | None = None) -> Issue:
    """Write an issue's headline, guide or preamble.

    Args:
        text: Markdown; blank for none.
        seen: the `edition` of the part that the person saw.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: the issue is out.
        Stale: the part is another one by now.
    """
    after = _tidy(text)
    with editor.store.transaction() as tx:
        issue = draft_on(tx, day)
        before: str | None = getattr(issue, part)
        if seen is not None and edition(before) != seen:
            raise Stale(day)
        if after == before:
            return issue
        changed = _with_part(issue, part, after)
        save_issue(tx, changed, editor.newsletter, editor.rules)
        _note(tx, editor, day, part, (before, after))
        return changed


def write_entry(editor: Editor, day: date, position: int, markdown: str, *, seen: str | None = None) -> Issue:
    """Write an entry, label lines and all.

    Args:
        position: among all of the issue's entries, from 0.
        markdown: as `Entry.markdown` holds it; blank takes out an entry that no story stands behind.
        seen: the `edition` of the entry that the person saw.

    Raises:
        NoSuchIssue: the day has none, or not so many entries.
        CannotDecide: the issue is out, or a story's entry was to be blank.
        Stale: the entry is another one by now.
    """
    after = _tidy(markdown) or ""
    with editor.store.transaction() as tx:
        issue = draft_on(tx, day)
        entry = _entry_at(issue, position)
        if seen is not None and edition(entry.markdown) != seen:
            raise Stale(day)
        if after == entry.markdown:
            return issue
        candidate = tx.stories.find_by_article(entry.story) if entry.story is not None else None
        if candidate is not None:
            if not after:
                raise CannotDecide("entry-empty")
            _decide_edit(tx, editor, candidate, entry.markdown, after)
        else:
            changed = _with_entries(issue, {position: replace(entry, markdown=after)})
            save_issue(tx, changed, editor.newsletter, editor.rules)
            _note(tx, editor, day, "entry", (entry.markdown, after))
        return draft_on(tx, day)


def reword_story(editor: Editor, story: int, *, title: str, summary: str, seen: str | None = None) -> Decided:
    """Give a story's entry another title and summary, whether it stands in a draft already or not.

    Args:
        title, summary: plain text.
        seen: the story's version that the person saw.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided of it since.
    """
    with editor.store.transaction() as tx:
        candidate = find_candidate(tx, story, seen)
        before = current_entry(tx, candidate, editor.newsletter).markdown
        after = reword_entry(
            before, editor.newsletter, title=title[:MOST_CHARACTERS], summary=summary[:MOST_CHARACTERS]
        )
        if after == before:
            return Decided(candidate, None)
        return _decide_edit(tx, editor, candidate, before, after)


def assist(editor: Editor, story: int, *, action: Literal["ask", "accept", "reject"]) -> str:
    """Have a machine draft a story's summary, or say what becomes of what it drafted.

    The draft stands in the entry in a line of its own that no export prints, until a person accepts it.

    Returns:
        What the machine drafted, as Markdown.

    Raises:
        NoSuchStory: no article has or had that id.
        CannotDecide: there is no assistant, the story is in no draft, or nothing of a machine's stands in its entry.
        NoProposal: the assistant has nothing to offer.
    """
    newsletter = editor.newsletter
    with editor.store.reading() as tx:
        candidate = find_candidate(tx, story)
        picked = find_slot(candidate, tx.issues.list_drafts()) is not None
    if not picked:
        raise CannotDecide("not-drafted")
    said = None
    if action == "ask":
        if newsletter.assistant is None:
            raise CannotDecide("assistant-off")
        # It takes its time: nothing is locked.
        said = escape_markdown(propose(candidate.lead.article, newsletter.assistant))
    with editor.store.transaction() as tx:
        candidate = find_candidate(tx, story)
        before = find_drafted_entry(tx, candidate)
        if before is None:
            raise CannotDecide("no-longer-drafted")
        standing = read_machine_line(before, newsletter)
        if said is not None:
            after = set_machine_line(before, said, newsletter)
        elif standing is None:
            raise CannotDecide("no-machine-line", machine=newsletter.labels.machine)
        elif action == "accept":
            after = accept_machine_line(before, newsletter)
        else:
            after = remove_machine_line(before, newsletter)
        _decide_edit(tx, editor, candidate, before, after)
    return said or standing or ""


def find_drafted_entry(tx: Transaction, candidate: Candidate) -> str | None:
    """A story's entry as it stands in a draft; None where it stands in none."""
    entries = (one for issue in tx.issues.list_drafts() for section in issue.sections for one in section.entries)
    return next((one.markdown for one in entries if one.story in candidate.story.members), None)


def move_entry(editor: Editor, day: date, position: int, section: int, to: int, *, seen: str | None = None) -> Issue:
    """Move an entry within an issue.

    Args:
        position: where it stands among all of the issue's entries, from 0.
        section, to: the section, from 0, and the place in it that it shall have.
        seen: the `order_edition` of the issue that the person saw.

    Raises:
        NoSuchIssue: the day has none, not so many entries, or not so many sections.
        CannotDecide: the issue is out.
        Stale: the order is another one by now.
    """
    with editor.store.transaction() as tx:
        issue = draft_on(tx, day)
        if seen is not None and order_edition(issue) != seen:
            raise Stale(day)
        entry = _entry_at(issue, position)
        if not 0 <= section < len(issue.sections):
            raise NoSuchIssue("no-such-section", day=day, number=section + 1)
        left = [[one for one in each.entries if one is not entry] for each in issue.sections]
        left[section].insert(max(to, 0), entry)
        changed = _arranged(issue, left)
        if changed != issue:
            save_issue(tx, changed, editor.newsletter, editor.rules)
            _note(tx, editor, day, "order", (_order(issue), _order(changed)))
        return changed


def redate(editor: Editor, day: date, to: date) -> Issue:
    """Have a draft come out on another day.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: it is out already, or the other day has an issue.
    """
    with editor.store.transaction() as tx:
        issue = draft_on(tx, day)
        if to == day:
            return issue
        if tx.issues.get(to) is not None:
            raise CannotDecide("day-taken", day=to)
        moved = replace(issue, date=to)
        save_issue(tx, moved, editor.newsletter, editor.rules)
        tx.issues.remove(day)
        _note(tx, editor, to, "date", (day.isoformat(), to.isoformat()))
        return moved


def draft_on(tx: Transaction, day: date) -> Issue:
    """The draft of a day.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: it is out.
    """
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue("no-such-issue", day=day)
    if issue.state == "published":
        raise CannotDecide("issue-published", day=day)
    return issue


# ---- small parts


def _with_part(issue: Issue, part: str, text: str | None) -> Issue:
    values: dict[str, Any] = {part: text}
    return replace(issue, **values)


def _decide_edit(tx: Transaction, editor: Editor, candidate: Candidate, before: str, after: str) -> Decided:
    noted = {"before": before, "after": after}
    decision = Decision(candidate.story.id, "edit", editor.name, editor.now, shown=noted)
    return decide_in(tx, editor.newsroom, decision)


def _note(tx: Transaction, editor: Editor, day: date, part: str, words: tuple[str | None, str | None]) -> None:
    before, after = words
    tx.changes.add(Change(0, day, part, before, after, editor.name, editor.now))


def _tidy(text: str) -> str | None:
    """Text as it is kept: plain line ends, no blanks at line ends, nothing blank around it."""
    lines = text[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") or None


def _entry_at(issue: Issue, position: int) -> Entry:
    entries = [entry for section in issue.sections for entry in section.entries]
    if not 0 <= position < len(entries):
        raise NoSuchIssue("no-such-entry", day=issue.date, number=position + 1)
    return entries[position]


def _with_entries(issue: Issue, others: Mapping[int, Entry]) -> Issue:
    """The issue with other entries at some positions; a blank one goes."""
    sections, at = [], 0
    for section in issue.sections:
        entries = [others.get(at + place, entry) for place, entry in enumerate(section.entries)]
        at += len(section.entries)
        sections.append(replace(section, entries=tuple(one for one in entries if one.markdown)))
    return replace(issue, sections=tuple(sections))


def _arranged(issue: Issue, entries: Iterable[Iterable[Entry]]) -> Issue:
    sections: tuple[Section, ...] = tuple(
        replace(section, entries=tuple(mine)) for section, mine in zip(issue.sections, entries, strict=True)
    )
    return replace(issue, sections=sections)


def _order(issue: Issue) -> str:
    return json.dumps([[_name(entry) for entry in section.entries] for section in issue.sections])


def _name(entry: Entry) -> str:
    return str(entry.story) if entry.story is not None else edition(entry.markdown)
