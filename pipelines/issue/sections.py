"""What a draft is made of: its sections, its entries, where each stands. Nothing here is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from pipelines.errors import CannotDecide
from pipelines.issue.proposal import propose_entry
from pipelines.model import Candidate, Entry, Issue, Section
from pipelines.newsletter import Newsletter


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an issue an entry stands: section by name, position in it from 0."""

    issue: date
    section: str
    position: int

    def noted(self) -> dict[str, str]:
        """As a decision keeps it."""
        return {"issue": self.issue.isoformat(), "section": self.section, "position": str(self.position)}

    @classmethod
    def of(cls, noted: Mapping[str, str]) -> Place | None:
        """The place that a decision kept, if the story had one."""
        if not {"issue", "section", "position"} <= noted.keys():
            return None
        return cls(date.fromisoformat(noted["issue"]), noted["section"], int(noted["position"]))


def place_of(candidate: Candidate, issues: Iterable[Issue]) -> Place | None:
    """Where a story's entry stands in the first of the issues that has one."""
    for issue in issues:
        for section in issue.sections:
            for position, entry in enumerate(section.entries):
                if entry.story in candidate.story.members:
                    return Place(issue.date, section.name, position)
    return None


def new_issue(day: date, newsletter: Newsletter) -> Issue:
    """An empty draft with the newsletter's sections."""
    return Issue(
        date=day,
        title=newsletter.title,
        front_matter=newsletter.front_matter or None,
        tagline=newsletter.tagline or None,
        notice=newsletter.notice or None,
        footer=newsletter.footer.strip() or None,
        sections=tuple(Section(one.name, notes=one.notes or None) for one in newsletter.categories),
        state="draft",
    )


def with_entry(
    issue: Issue, candidate: Candidate, wanted: str, newsletter: Newsletter, entry: Entry | None = None
) -> Issue:
    """The issue with the story's entry at the end of a section. One that stands already moves, and keeps its text.

    Args:
        entry: what to enter where none stands; by default as it is drafted.

    Raises:
        CannotDecide: the newsletter has no such category.
    """
    category = newsletter.category(wanted)
    if category is None:
        raise no_such_category(wanted, newsletter)
    entries = [one for section in issue.sections for one in section.entries]
    standing_one = next((one for one in entries if one.story in candidate.story.members), None)
    entry = standing_one or entry or propose_entry(candidate, newsletter)
    sections = without_story(issue, candidate).sections
    if all(newsletter.category(section.name) is not category for section in sections):
        sections = (*sections, Section(category.name))
    return replace(
        issue,
        sections=tuple(
            replace(section, entries=(*section.entries, entry))
            if newsletter.category(section.name) is category
            else section
            for section in sections
        ),
    )


def put_back(issue: Issue, candidate: Candidate, entry: Entry, place: Place) -> Issue:
    """The issue with the story's entry at a place; at the section's end where it has become shorter."""
    sections = without_story(issue, candidate).sections
    if all(section.name != place.section for section in sections):
        sections = (*sections, Section(place.section))
    return replace(
        issue,
        sections=tuple(
            replace(section, entries=(*section.entries[: place.position], entry, *section.entries[place.position :]))
            if section.name == place.section
            else section
            for section in sections
        ),
    )


def without_story(issue: Issue, candidate: Candidate, *, kept: Entry | None = None) -> Issue:
    """The issue without the story's entries, but for one that is kept."""
    members = set(candidate.story.members)
    return replace(
        issue,
        sections=tuple(
            replace(
                section,
                entries=tuple(entry for entry in section.entries if entry is kept or entry.story not in members),
            )
            for section in issue.sections
        ),
    )


def only_once(issue: Issue, candidate: Candidate) -> Issue:
    """The issue with the first of the story's entries and no other."""
    entries = (entry for section in issue.sections for entry in section.entries)
    kept = next((entry for entry in entries if entry.story in candidate.story.members), None)
    return without_story(issue, candidate, kept=kept)


def no_such_category(name: str, newsletter: Newsletter) -> CannotDecide:
    """What to say of a category that the newsletter has not."""
    return CannotDecide("no-such-category", name=name, names=newsletter.category_names)
