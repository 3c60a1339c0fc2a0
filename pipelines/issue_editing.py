"""What an editor changes of a draft: words, order, the day it comes out; and how the last step is taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from pipelines.assistant import propose
from pipelines.editing import Decided, Overtaken, Stale, decide_in, drafted, entry_keys, find, save_issue
from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue import inline
from pipelines.issue.entry import (
    machine_line,
    reworded,
    with_machine_line,
    with_machine_line_accepted,
    without_machine_line,
)
from pipelines.issue.escape import escape
from pipelines.issue.lint import Finding, Known, fixed, lint
from pipelines.issue.sections import place_of
from pipelines.model import Candidate, Change, Decision, Entry, Issue, Section, Snapshot, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom
from pipelines.rules import Rules
from pipelines.store import Store, Transaction

Part = Literal["headline", "guide", "preamble"]

PARTS: Final[tuple[Part, ...]] = ("headline", "guide", "preamble")
"""The words of an issue that an editor writes anew each time."""

MOST_CHARACTERS: Final = 20_000
"""Of one part, or of one entry."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who changes what in which newsroom, and when.

    Args:
        at: aware.
    """

    newsroom: Newsroom
    who: str
    at: datetime

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


def edition(text: str | None) -> str:
    """What tells a text's present wording from another one."""
    return hashlib.sha256((text or "").encode(errors="replace")).hexdigest()[:12]


def order_edition(issue: Issue) -> str:
    """What tells an issue's present order from another one."""
    return edition(_order(issue))


def look_over(tx: Transaction, issue: Issue, newsletter: Newsletter, rules: Rules) -> list[Finding]:
    """What of an issue is worth a second look."""
    keys = [entry_keys(entry, newsletter, rules) for section in issue.sections for entry in section.entries]
    printed = tx.issues.printed(key for mine in keys for key in mine)
    days = {key: [one.day for one in found] for key, found in printed.items()}
    known = Known(keys, days, changed_since(tx, issue), tx.snapshots.heard(addresses_of(issue)))
    return lint(issue, newsletter, rules, known)


def addresses_of(issue: Issue) -> list[str]:
    """Every web address that an issue's entries, and what stands around them, link; each once."""
    words = [issue.notice, issue.guide, issue.preamble, issue.footer]
    for section in issue.sections:
        words += [section.notes, *(entry.markdown for entry in section.entries), section.closing]
    return list(dict.fromkeys(url for one in words if one for line in one.split("\n") for url in inline.urls(line)))


def changed_since(tx: Transaction, issue: Issue) -> dict[int, list[str]]:
    """How what entries were picked for differs from its snapshot by now, in words, by the entry's position."""
    entries = [entry for section in issue.sections for entry in section.entries]
    told = tx.stories.of(one.story for one in entries if one.story is not None)
    members = {one for story in told.values() for one in story.members}
    kept = tx.snapshots.newest(members)
    now = tx.articles.get(kept)
    found = {}
    for position, entry in enumerate(entries):
        story = told.get(entry.story) if entry.story is not None else None
        words = [
            how for one in (story.members if story else ()) if one in kept for how in _how(kept[one], now.get(one))
        ]
        if words:
            found[position] = words
    return found


def _how(kept: Snapshot, now: StoredArticle | None) -> Iterator[str]:
    when = f"{kept.at.date()} 选用之后"
    if now is None:
        yield f"{when}，「{kept.title[:30]}」不在库里了"
        return
    if now.article.title != kept.title:
        yield f"{when}，标题由「{kept.title[:30]}」改成了「{now.article.title[:30]}」"
    if now.article.text != kept.text:
        more = len(now.article.text) - len(kept.text)
        size = f"，{'多' if more > 0 else '少'}了 {abs(more)} 字" if more else ""
        yield f"{when}，「{kept.title[:30]}」的正文改过{size}"


def mend(desk: Desk, day: date) -> Issue:
    """Put right what is safe in a draft: see `pipelines.issue.lint.fixed`.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: the issue is out.
    """
    with desk.store.transaction() as tx:
        issue = draft_of(tx, day)
        after = fixed(issue, desk.rules)
        if after == issue:
            return issue
        for part in PARTS:
            if getattr(issue, part) != getattr(after, part):
                _note(tx, desk, day, part, (getattr(issue, part), getattr(after, part)))
        old, new = ([entry for section in one.sections for entry in section.entries] for one in (issue, after))
        save_issue(tx, after, desk.newsletter, desk.rules)
        for was, became in zip(old, new, strict=True):
            if was == became:
                continue
            candidate = tx.stories.find(was.story) if was.story is not None else None
            if candidate is None:
                _note(tx, desk, day, "entry", (was.markdown, became.markdown))
            else:
                _decide_edit(tx, desk, candidate, was.markdown, became.markdown)
        return draft_of(tx, day)


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


def write_part(desk: Desk, day: date, part: Part, text: str, *, seen: str | None = None) -> Issue:
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
    with desk.store.transaction() as tx:
        issue = draft_of(tx, day)
        before: str | None = getattr(issue, part)
        if seen is not None and edition(before) != seen:
            raise Stale(day)
        if after == before:
            return issue
        changed = _with_part(issue, part, after)
        save_issue(tx, changed, desk.newsletter, desk.rules)
        _note(tx, desk, day, part, (before, after))
        return changed


def write_entry(desk: Desk, day: date, position: int, markdown: str, *, seen: str | None = None) -> Issue:
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
    with desk.store.transaction() as tx:
        issue = draft_of(tx, day)
        entry = _entry_at(issue, position)
        if seen is not None and edition(entry.markdown) != seen:
            raise Stale(day)
        if after == entry.markdown:
            return issue
        candidate = tx.stories.find(entry.story) if entry.story is not None else None
        if candidate is not None:
            if not after:
                raise CannotDecide("条目不能是空的；不要它，就在候选里按 x")
            _decide_edit(tx, desk, candidate, entry.markdown, after)
        else:
            changed = _with_entries(issue, {position: replace(entry, markdown=after)})
            save_issue(tx, changed, desk.newsletter, desk.rules)
            _note(tx, desk, day, "entry", (entry.markdown, after))
        return draft_of(tx, day)


def reword_story(desk: Desk, story: int, *, title: str, summary: str, seen: str | None = None) -> Decided:
    """Give a story's entry another title and summary, whether it stands in a draft already or not.

    Args:
        title, summary: plain text.
        seen: the story's version that the person saw.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided of it since.
    """
    with desk.store.transaction() as tx:
        candidate = find(tx, story, seen)
        before = drafted(tx, candidate, desk.newsletter).markdown
        after = reworded(before, desk.newsletter, title=title[:MOST_CHARACTERS], summary=summary[:MOST_CHARACTERS])
        if after == before:
            return Decided(candidate, None)
        return _decide_edit(tx, desk, candidate, before, after)


def assist(desk: Desk, story: int, *, action: Literal["ask", "accept", "reject"]) -> str:
    """Have a machine draft a story's summary, or say what becomes of what it drafted.

    The draft stands in the entry in a line of its own that no export prints, until a person accepts it.

    Returns:
        What the machine drafted, as Markdown.

    Raises:
        NoSuchStory: no article has or had that id.
        CannotDecide: there is no assistant, the story is in no draft, or nothing of a machine's stands in its entry.
        NoProposal: the assistant has nothing to offer.
    """
    newsletter = desk.newsletter
    with desk.store.reading() as tx:
        candidate = find(tx, story)
        picked = place_of(candidate, tx.issues.drafts()) is not None
    if not picked:
        raise CannotDecide("它不在草稿里；先用 jianbao decide 编号 pick 选用")
    said = None
    if action == "ask":
        if newsletter.assistant is None:
            raise CannotDecide("newsletter.toml 里没有 [assistant]，助手没有开")
        said = escape(propose(candidate.lead.article, newsletter.assistant))  # it takes its time: nothing is locked
    with desk.store.transaction() as tx:
        candidate = find(tx, story)
        before = drafted_in(tx, candidate)
        if before is None:
            raise CannotDecide("它已经不在草稿里了")
        standing = machine_line(before, newsletter)
        if said is not None:
            after = with_machine_line(before, said, newsletter)
        elif standing is None:
            raise CannotDecide("它的条目里没有{machine}；先用 jianbao assist 编号", machine=newsletter.labels.machine)
        elif action == "accept":
            after = with_machine_line_accepted(before, newsletter)
        else:
            after = without_machine_line(before, newsletter)
        _decide_edit(tx, desk, candidate, before, after)
    return said or standing or ""


def drafted_in(tx: Transaction, candidate: Candidate) -> str | None:
    """A story's entry as it stands in a draft; None where it stands in none."""
    entries = (one for issue in tx.issues.drafts() for section in issue.sections for one in section.entries)
    return next((one.markdown for one in entries if one.story in candidate.story.members), None)


def move_entry(desk: Desk, day: date, position: int, section: int, to: int, *, seen: str | None = None) -> Issue:
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
    with desk.store.transaction() as tx:
        issue = draft_of(tx, day)
        if seen is not None and order_edition(issue) != seen:
            raise Stale(day)
        entry = _entry_at(issue, position)
        if not 0 <= section < len(issue.sections):
            raise NoSuchIssue("{day} 一期没有第 {number} 个栏目", day=day, number=section + 1)
        left = [[one for one in each.entries if one is not entry] for each in issue.sections]
        left[section].insert(max(to, 0), entry)
        changed = _arranged(issue, left)
        if changed != issue:
            save_issue(tx, changed, desk.newsletter, desk.rules)
            _note(tx, desk, day, "order", (_order(issue), _order(changed)))
        return changed


def redate(desk: Desk, day: date, to: date) -> Issue:
    """Have a draft come out on another day.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: it is out already, or the other day has an issue.
    """
    with desk.store.transaction() as tx:
        issue = draft_of(tx, day)
        if to == day:
            return issue
        if tx.issues.get(to) is not None:
            raise CannotDecide("{day} 已有一期", day=to)
        moved = replace(issue, date=to)
        save_issue(tx, moved, desk.newsletter, desk.rules)
        tx.issues.remove(day)
        _note(tx, desk, to, "date", (day.isoformat(), to.isoformat()))
        return moved


def undo_last(desk: Desk, *, passing: Collection[int] = ()) -> Undone:
    """Take back what a person did last and nobody took back yet: a decision, an edit, a change of a draft.

    A change that somebody has changed again since, or that is out, is passed over.

    Args:
        passing: ids of decisions that cannot be taken back any more, to pass over them too.

    Raises:
        CannotDecide: there is nothing to take back.
        Overtaken: somebody else decided of the story since.
    """
    with desk.store.transaction() as tx:
        decision = tx.decisions.last_of(desk.who, passing)
        found = _last_change(tx, desk.who)
        if decision is not None and (found is None or found[0].at <= decision.at):
            return _undo_decision(tx, desk, decision)
        if found is not None:
            return _undo_change(tx, desk, *found)
    raise CannotDecide("没有可以撤回的操作了")


def draft_of(tx: Transaction, day: date) -> Issue:
    """The draft of a day.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: it is out.
    """
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue("没有 {day} 这一期；见 jianbao issue list", day=day)
    if issue.state == "published":
        raise CannotDecide("{day} 一期已经刊出，不再改动", day=day)
    return issue


# ---- the log, backwards


def _last_change(tx: Transaction, who: str) -> tuple[Change, Issue] | None:
    """A person's newest change that can be taken back, and the draft as it was before; what is out stays as it is."""
    taken_back: set[int] = set()
    for change in tx.changes.backwards(who):
        if change.undoes is not None:
            taken_back.add(change.undoes)
        elif change.id not in taken_back:
            issue = tx.issues.get(change.issue)
            restored = _RESTORE.get(change.part, _restore_part)(issue, change) if issue else None
            if issue and restored and issue.state == "draft":
                return change, restored
    return None


def _undo_decision(tx: Transaction, desk: Desk, decision: Decision) -> Undone:
    candidate = find(tx, decision.story)
    if decision.id not in {one.id for one in tx.decisions.last(candidate.story.id)}:
        raise Overtaken(candidate, decision.id)
    done = decide_in(tx, desk.newsroom, Decision(decision.story, "undo", desk.who, desk.at))
    return Undone(decision.action, done, done.issue)


def _undo_change(tx: Transaction, desk: Desk, change: Change, restored: Issue) -> Undone:
    save_issue(tx, restored, desk.newsletter, desk.rules)
    if restored.date != change.issue:
        tx.issues.remove(change.issue)
    undone = Change(0, restored.date, change.part, change.after, change.before, desk.who, desk.at, undoes=change.id)
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


# ---- small parts


def _with_part(issue: Issue, part: str, text: str | None) -> Issue:
    values: dict[str, Any] = {part: text}
    return replace(issue, **values)


def _decide_edit(tx: Transaction, desk: Desk, candidate: Candidate, before: str, after: str) -> Decided:
    noted = {"before": before, "after": after}
    decision = Decision(candidate.story.id, "edit", desk.who, desk.at, shown=noted)
    return decide_in(tx, desk.newsroom, decision)


def _note(tx: Transaction, desk: Desk, day: date, part: str, words: tuple[str | None, str | None]) -> None:
    before, after = words
    tx.changes.add(Change(0, day, part, before, after, desk.who, desk.at))


def _tidy(text: str) -> str | None:
    """Text as it is kept: plain line ends, no blanks at line ends, nothing blank around it."""
    lines = text[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") or None


def _entry_at(issue: Issue, position: int) -> Entry:
    entries = [entry for section in issue.sections for entry in section.entries]
    if not 0 <= position < len(entries):
        raise NoSuchIssue("{day} 一期没有第 {number} 条", day=issue.date, number=position + 1)
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
