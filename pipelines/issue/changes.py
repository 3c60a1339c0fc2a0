"""Changes of an issue by its editor, in values: texts, entries, order, and a change that is taken back.

This module stores nothing; `pipelines.newsroom.editing.drafts` and `pipelines.newsroom.editing.undo` do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any, Final, Literal

from pipelines.errors import NoSuchIssue
from pipelines.model import Change, Entry, Issue, Section

Part = Literal["headline", "guide", "preamble"]

PARTS: Final[tuple[Part, ...]] = ("headline", "guide", "preamble")
"""The texts of an issue that the editor writes anew for each issue."""

SectionText = Literal["notes", "closing"]

MOST_CHARACTERS: Final = 20_000
"""Of a part, or of an entry."""


def tidy_text(text: str) -> str:
    r"""Tidy a text for an issue: cut it to `MOST_CHARACTERS`, unify line ends, remove blanks at line ends.

    Blank lines around the text go too; a text of blanks becomes empty.

    >>> tidy_text("\r\n 一句。  \r\n\r第二句\t\n\n")
    ' 一句。\n\n第二句'
    """
    lines = text[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def make_edition(text: str | None) -> str:
    """Make the edition of a text: it differs as soon as the text differs. An absent text counts as empty."""
    return hashlib.sha256((text or "").encode(errors="replace")).hexdigest()[:12]


def make_order_edition(issue: Issue) -> str:
    """Make the edition of the order of an issue's entries."""
    return make_edition(write_order(issue))


def list_entries(issue: Issue) -> list[Entry]:
    """List the entries of all sections, in the order of print."""
    return [entry for section in issue.sections for entry in section.entries]


def get_entry(issue: Issue, position: int) -> Entry:
    """Get an entry by its position among all entries, from 0.

    Raises:
        NoSuchIssue: the issue has no entry at this position.
    """
    entries = list_entries(issue)
    if not 0 <= position < len(entries):
        raise NoSuchIssue("no-such-entry", day=issue.date, number=position + 1)
    return entries[position]


def replace_part(issue: Issue, part: str, text: str | None) -> Issue:
    """Replace the text of a part.

    Args:
        issue: the draft.
        part: a name of `PARTS`.
        text: Markdown; None removes the part.
    """
    values: dict[str, Any] = {part: text}
    return replace(issue, **values)


def replace_entries(issue: Issue, new_entries: Mapping[int, Entry]) -> Issue:
    """Replace entries; an entry without Markdown is removed.

    Args:
        issue: the draft.
        new_entries: by the position of the entry to replace among all entries, from 0.
    """
    entries_by_section, first_position = [], 0
    for section in issue.sections:
        entries = [new_entries.get(first_position + index, entry) for index, entry in enumerate(section.entries)]
        entries_by_section.append([entry for entry in entries if entry.markdown])
        first_position += len(section.entries)
    return arrange_entries(issue, entries_by_section)


def replace_text(issue: Issue, text: str, *, part: Part | None = None, position: int | None = None) -> Issue:
    """Replace the text of a part or of an entry by an untidied text; without either, change nothing.

    Args:
        issue: the draft.
        text: as the editor typed it.
        part: the part to replace; it goes before `position`.
        position: of the entry to replace, among all entries, from 0.

    Raises:
        NoSuchIssue: the issue has no entry at this position.
    """
    tidy = tidy_text(text)
    if part is not None:
        return replace_part(issue, part, tidy or None)
    if position is None:
        return issue
    return replace_entries(issue, {position: replace(get_entry(issue, position), markdown=tidy)})


def write_section(issue: Issue, name: str) -> str:
    """Write a section without its entries as JSON; `null` where the issue has none of this name."""
    section = _find_section(issue, name)
    texts = {"name": name, "notes": section.notes, "closing": section.closing} if section else None
    return json.dumps(texts, ensure_ascii=False)


def replace_section_text(issue: Issue, name: str, part: SectionText, text: str | None) -> Issue:
    """Replace a text of the section of this name.

    Args:
        issue: the draft, with the section.
        name: its heading.
        part: above its entries, or below them.
        text: Markdown; None removes the text.
    """
    values: dict[str, Any] = {part: text}
    sections = (replace(each, **values) if each.name == name else each for each in issue.sections)
    return replace(issue, sections=tuple(sections))


def insert_section(issue: Issue, section: Section, above: str = "") -> Issue:
    """Insert a section above another one, or at the end where the issue has no such section."""
    names = [each.name for each in issue.sections]
    index = names.index(above) if above in names else len(names)
    return replace(issue, sections=(*issue.sections[:index], section, *issue.sections[index:]))


def _find_section(issue: Issue, name: str) -> Section | None:
    return next((section for section in issue.sections if section.name == name), None)


def move_entry(issue: Issue, position: int, section_index: int, entry_index: int) -> Issue:
    """Move an entry within its section or to another section.

    Args:
        issue: the draft.
        position: of the entry among all entries, from 0.
        section_index: of the new section among all sections, from 0.
        entry_index: of the entry in its new section, from 0; the end of the section if the section is shorter.

    Raises:
        NoSuchIssue: the issue has no entry at this position, or no such section.
    """
    moving = get_entry(issue, position)
    entries_by_section, first_position = [], 0
    for section in issue.sections:
        old_index = position - first_position
        entries_by_section.append([entry for index, entry in enumerate(section.entries) if index != old_index])
        first_position += len(section.entries)
    return insert_entry(arrange_entries(issue, entries_by_section), moving, section_index, entry_index)


def insert_entry(issue: Issue, entry: Entry, section_index: int, entry_index: int) -> Issue:
    """Insert an entry into a section.

    Args:
        issue: the draft.
        entry: the entry to insert.
        section_index: of the section among all sections, from 0.
        entry_index: of the entry in its section, from 0; the end of the section if the section is shorter.

    Raises:
        NoSuchIssue: the issue has no such section.
    """
    if not 0 <= section_index < len(issue.sections):
        raise NoSuchIssue("no-such-section", day=issue.date, number=section_index + 1)
    entries_by_section = [list(section.entries) for section in issue.sections]
    entries_by_section[section_index].insert(max(entry_index, 0), entry)
    return arrange_entries(issue, entries_by_section)


def find_position(issue: Issue, section_index: int, entry_index: int) -> int:
    """Find the position among all entries of an entry in a section; both indices count from 0."""
    return sum(len(section.entries) for section in issue.sections[:section_index]) + entry_index


def find_indices(issue: Issue, position: int) -> tuple[int, int]:
    """Find the section of the entry at a position among all entries, and the entry's index there; both from 0.

    Raises:
        NoSuchIssue: the issue has no entry at this position.
    """
    get_entry(issue, position)
    section_index = 0
    while position >= len(issue.sections[section_index].entries):
        position -= len(issue.sections[section_index].entries)
        section_index += 1
    return section_index, position


def write_removal(issue: Issue, position: int) -> str:
    """Write an entry of no story with its section and its index as JSON, before it is removed.

    Args:
        issue: the draft that still has the entry.
        position: of the entry among all entries, from 0.
    """
    markdown = get_entry(issue, position).markdown
    section_index, entry_index = find_indices(issue, position)
    return json.dumps({"section": section_index, "index": entry_index, "markdown": markdown}, ensure_ascii=False)


def arrange_entries(issue: Issue, entries_by_section: Iterable[Iterable[Entry]]) -> Issue:
    """Give each section its entries.

    Args:
        issue: the draft.
        entries_by_section: as many rows as the issue has sections.
    """
    sections = zip(issue.sections, entries_by_section, strict=True)
    return replace(issue, sections=tuple(replace(section, entries=tuple(entries)) for section, entries in sections))


def write_order(issue: Issue) -> str:
    """Write the order of the entries as JSON: for each section, the names of its entries."""
    return json.dumps([[_name_entry(entry) for entry in section.entries] for section in issue.sections])


def restore_order(issue: Issue, order: str) -> Issue | None:
    """Restore an earlier order of the entries that the issue still has; newer entries go to their section's end.

    Args:
        issue: the draft.
        order: as `write_order` wrote it.

    Returns:
        The changed issue; None if the number of its sections has changed since.
    """
    names_by_section: list[list[str]] = json.loads(order)
    if len(names_by_section) != len(issue.sections):
        return None
    entries_by_name = {_name_entry(entry): entry for entry in list_entries(issue)}
    entries_by_section = [
        [entries_by_name[name] for name in names if name in entries_by_name] for names in names_by_section
    ]
    ordered_names = {name for names in names_by_section for name in names}
    for section, entries in zip(issue.sections, entries_by_section, strict=True):
        entries += [entry for entry in section.entries if _name_entry(entry) not in ordered_names]
    return arrange_entries(issue, entries_by_section)


def revert_change(issue: Issue, change: Change) -> Issue | None:
    """Take a change of an issue back.

    Args:
        issue: the draft that the change was made on.
        change: as the store keeps it.

    Returns:
        The issue as before the change; None if a newer change of the same text stands in the way.
    """
    return _REVERT.get(change.part, _revert_part)(issue, change)


def _revert_part(issue: Issue, change: Change) -> Issue | None:
    if change.part not in PARTS or getattr(issue, change.part) != change.after:
        return None
    return replace_part(issue, change.part, change.before)


def _revert_entry(issue: Issue, change: Change) -> Issue | None:
    for position, entry in enumerate(list_entries(issue)):
        if (entry.story is None or issue.state == "published") and entry.markdown == change.after:
            return replace_entries(issue, {position: replace(entry, markdown=change.before or "")})
    return None


def _revert_removal(issue: Issue, change: Change) -> Issue | None:
    removal: dict[str, Any] = json.loads(change.before or "{}")
    if not 0 <= removal.get("section", -1) < len(issue.sections):
        return None
    return insert_entry(issue, Entry(removal["markdown"]), removal["section"], removal["index"])


def _revert_section(issue: Issue, change: Change) -> Issue | None:
    former, latter = json.loads(change.before or "null"), json.loads(change.after or "null")
    name = (latter or former)["name"]
    section = _find_section(issue, name)
    if json.loads(write_section(issue, name)) != latter or section is None:
        return None
    if former is not None:
        notes_back = replace_section_text(issue, name, "notes", former["notes"])
        return replace_section_text(notes_back, name, "closing", former["closing"])
    if section.entries:
        return None
    return replace(issue, sections=tuple(each for each in issue.sections if each is not section))


def _revert_order(issue: Issue, change: Change) -> Issue | None:
    return restore_order(issue, change.before or "[]")


def _revert_date(issue: Issue, change: Change) -> Issue | None:
    return replace(issue, date=date.fromisoformat(change.before)) if change.before else None


def _revert_state(issue: Issue, change: Change) -> Issue | None:
    return replace(issue, state="draft" if change.before == "draft" else "published")


_REVERT: Final[Mapping[str, Callable[[Issue, Change], Issue | None]]] = {
    "entry": _revert_entry,
    "removal": _revert_removal,
    "section": _revert_section,
    "order": _revert_order,
    "date": _revert_date,
    "state": _revert_state,
}


def write_issue(issue: Issue) -> str:
    """Write an issue as JSON, of which `read_written_issue` makes an equal one; warnings of an import are left out."""
    values = asdict(replace(issue, warnings=())) | {"date": issue.date.isoformat()}
    return json.dumps(values, ensure_ascii=False)


def read_written_issue(text: str) -> Issue:
    """Read an issue that `write_issue` wrote."""
    values = json.loads(text)
    sections = tuple(
        Section(**section | {"entries": tuple(Entry(**entry) for entry in section["entries"])})
        for section in values["sections"]
    )
    return Issue(**values | {"date": date.fromisoformat(values["date"]), "sections": sections, "warnings": ()})


def _name_entry(entry: Entry) -> str:
    """Name an entry in an order: by its story, else by its text."""
    return str(entry.story) if entry.story is not None else make_edition(entry.markdown)
