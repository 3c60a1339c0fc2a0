"""Adds, moves and removes the entries of an issue, in values: this module stores nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from pipelines.errors import CannotDecide
from pipelines.issue.changes import arrange_entries, insert_entry, list_entries
from pipelines.issue.house_style import DEFAULT_STYLE, HouseStyle
from pipelines.issue.proposal import propose_brief, propose_entry
from pipelines.model import EARLIEST_ISSUE, LATEST_ISSUE, Candidate, Entry, Issue, Section
from pipelines.newsletter import Briefs, Newsletter


@dataclass(frozen=True, slots=True)
class Slot:
    """The position of an entry: the date of its issue, the name of its section, its position in the section from 0."""

    issue: date
    section: str
    position: int

    def to_note(self) -> dict[str, str]:
        """Write the slot as a decision stores it."""
        return {"issue": self.issue.isoformat(), "section": self.section, "position": str(self.position)}

    @classmethod
    def from_note(cls, note: Mapping[str, str]) -> Slot | None:
        """Read the slot that a decision stores; None if the story had no slot."""
        if not {"issue", "section", "position"} <= note.keys():
            return None
        return cls(date.fromisoformat(note["issue"]), note["section"], int(note["position"]))


def find_slot(candidate: Candidate, issues: Iterable[Issue]) -> Slot | None:
    """Find the slot of a story's entry in the first issue that has such an entry."""
    for issue in issues:
        for section in issue.sections:
            for position, entry in enumerate(section.entries):
                if entry.story in candidate.story.members:
                    return Slot(issue.date, section.name, position)
    return None


def make_draft(day: date, newsletter: Newsletter) -> Issue:
    """Make an empty draft with the newsletter's sections.

    Raises:
        CannotDecide: no issue can come out on this day.
    """
    if not EARLIEST_ISSUE <= day <= LATEST_ISSUE:
        raise CannotDecide("issue-day-out-of-range", day=day, earliest=EARLIEST_ISSUE, latest=LATEST_ISSUE)
    number = newsletter.numbering.find_number(day) if newsletter.numbering else None

    def fill(text: str) -> str | None:
        return newsletter.fill_text(text.strip("\n"), day, number=number) or None

    briefs = [make_briefs_section(newsletter.briefs)] if newsletter.briefs else []
    return Issue(
        date=day,
        title=newsletter.title if newsletter.frame.title is None else newsletter.frame.title,
        front_matter=fill(newsletter.front_matter),
        above_heading=fill(newsletter.above_heading),
        tagline=fill(newsletter.tagline),
        notice=fill(newsletter.notice),
        preamble=fill(newsletter.preamble),
        footer=fill(newsletter.footer.strip()),
        sections=(*briefs, *_make_sections(newsletter, fill)),
        number=number,
        title_in="front-matter" if newsletter.reading.title == "front-matter" else "heading",
        state="draft",
    )


def _make_sections(newsletter: Newsletter, fill: Callable[[str], str | None]) -> Iterator[Section]:
    """Make the sections of a draft: those of the categories, and among them the fixed ones."""
    fixed_by_next = defaultdict(list)
    for fixed in newsletter.frame.sections:
        fixed_by_next[fixed.above].append(
            Section(fixed.name, notes=fill(fixed.text), level=fixed.level or newsletter.frame.level)
        )
    is_first = True
    for category in newsletter.categories:
        yield from fixed_by_next.get(category.name, ())
        section = make_section(category.name, newsletter, notes=fill(category.notes) or "")
        numbers_run_on = newsletter.frame.numbers_run_on and not is_first
        yield replace(section, closing=fill(category.closing), continues_numbers=numbers_run_on)
        is_first = False
    yield from fixed_by_next.get("", ())


def make_section(name: str, newsletter: Newsletter, *, notes: str = "") -> Section:
    """Make an empty section in the newsletter's style.

    Args:
        name: its heading.
        newsletter: gives the level of the heading, and what stands before an entry.
        notes: Markdown under the heading.
    """
    style = newsletter.style_section(name)
    return Section(name, notes=notes or None, level=style.level or 2, marker=style.marker or "")


def make_briefs_section(briefs: Briefs) -> Section:
    """Make an empty list of one-liners in the newsletter's style."""
    return Section(briefs.name, notes=briefs.opening or None, closing=briefs.closing or None, level=0)


def open_section(issue: Issue, name: str, newsletter: Newsletter) -> tuple[Issue, int]:
    """Find a section of an issue by its heading or by its category; add the section of a category at the end.

    Args:
        issue: the draft.
        name: a heading of the issue, a category of the newsletter, or the name of its one-liners.
        newsletter: its categories.

    Returns:
        The issue with the section, and the index of the section.

    Raises:
        CannotDecide: neither the issue nor the newsletter has it.
    """
    headings = [section.name for section in issue.sections]
    if newsletter.briefs and newsletter.is_briefs(name):
        index = next((index for index, section in enumerate(issue.sections) if section.is_briefs), None)
        if index is not None:
            return issue, index
        return replace(issue, sections=(make_briefs_section(newsletter.briefs), *issue.sections)), 0
    if name in headings:
        return issue, headings.index(name)
    category = newsletter.category(name)
    if category is None:
        raise make_category_error(name, newsletter)
    for index, heading in enumerate(headings):
        if newsletter.category(heading) is category:
            return issue, index
    return replace(issue, sections=(*issue.sections, make_section(category.name, newsletter))), len(issue.sections)


def add_entry(  # noqa: PLR0917 - the story, its section, and three values that shape its entry
    issue: Issue,
    candidate: Candidate,
    category_name: str,
    newsletter: Newsletter,
    entry: Entry | None = None,
    style: HouseStyle = DEFAULT_STYLE,
) -> Issue:
    """Add a story's entry at the end of a section. If the issue has the entry already, move it, with its text.

    Args:
        issue: the draft.
        candidate: the story.
        category_name: of the section, or the name of the one-liners.
        newsletter: its categories.
        entry: the entry to add if the issue has none of the story; by default the proposal.
        style: of a proposal.

    Returns:
        The changed issue.

    Raises:
        CannotDecide: the newsletter has no such category.
    """
    opened, section_index = open_section(issue, category_name, newsletter)
    entry = _find_entry(issue, candidate) or entry or propose_entry(candidate, newsletter, style)
    entry = fit_entry(entry, candidate, newsletter, style, as_brief=opened.sections[section_index].is_briefs)
    emptied = remove_story(opened, candidate)
    return insert_entry(emptied, entry, section_index, len(emptied.sections[section_index].entries))


def fit_entry(
    entry: Entry, candidate: Candidate, newsletter: Newsletter, style: HouseStyle, *, as_brief: bool
) -> Entry:
    """Give an entry that nobody has edited the form of its section: one line, or a title with a summary.

    Args:
        entry: of the story.
        candidate: the story.
        newsletter: its labels.
        style: of a proposal.
        as_brief: whether the entry is among the one-liners.
    """
    if newsletter.briefs is None:
        return entry
    whole, brief = propose_entry(candidate, newsletter, style), propose_brief(candidate, newsletter.briefs)
    if as_brief:
        return brief if entry.markdown == whole.markdown else entry
    return whole if entry.markdown == brief.markdown else entry


def restore_entry(issue: Issue, candidate: Candidate, entry: Entry, slot: Slot) -> Issue:
    """Put a story's entry back into its slot.

    Args:
        issue: the draft.
        candidate: the story.
        entry: the entry to put back.
        slot: its former slot; the end of the section if the section has become shorter.

    Returns:
        The changed issue.
    """
    sections = remove_story(issue, candidate).sections
    if all(section.name != slot.section for section in sections):
        sections = (*sections, Section(slot.section))
    return replace(
        issue,
        sections=tuple(
            replace(section, entries=(*section.entries[: slot.position], entry, *section.entries[slot.position :]))
            if section.name == slot.section
            else section
            for section in sections
        ),
    )


def remove_story(issue: Issue, candidate: Candidate, *, except_entry: Entry | None = None) -> Issue:
    """Remove the story's entries from an issue.

    Args:
        issue: the draft.
        candidate: the story.
        except_entry: an entry that stays.

    Returns:
        The changed issue.
    """
    members = set(candidate.story.members)
    return arrange_entries(
        issue,
        (
            [entry for entry in section.entries if entry is except_entry or entry.story not in members]
            for section in issue.sections
        ),
    )


def remove_repeats(issue: Issue, candidate: Candidate) -> Issue:
    """Remove all of the story's entries except the first."""
    return remove_story(issue, candidate, except_entry=_find_entry(issue, candidate))


def _find_entry(issue: Issue, candidate: Candidate) -> Entry | None:
    return next((entry for entry in list_entries(issue) if entry.story in candidate.story.members), None)


def make_category_error(name: str, newsletter: Newsletter) -> CannotDecide:
    """Make the error for a category that the newsletter does not have; it lists all categories."""
    briefs = (newsletter.briefs.name,) if newsletter.briefs else ()
    return CannotDecide("no-such-category", name=name, names=(*newsletter.category_names, *briefs))
