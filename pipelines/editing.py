"""What an editor does: decide on a story, and with it fill or empty a place in an issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from pipelines.export.markdown import draft
from pipelines.model import Candidate, Decision, Entry, Issue, Section
from pipelines.newsletter import Newsletter


class CannotDecide(Exception):
    """A decision that cannot be carried out; the message says why and what would work."""


def shown(candidate: Candidate) -> Mapping[str, str]:
    """What of a candidate was before the editor's eyes, kept with the decision for later training."""
    return {
        "title": candidate.lead.article.title,
        "url": candidate.lead.article.url,
        "category": candidate.category,
        "score": f"{candidate.score:.2f}",
    }


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


def with_decision(issue: Issue, candidate: Candidate, decision: Decision, newsletter: Newsletter) -> Issue:
    """The issue after a decision: the story's entry added, moved to its section, or taken out.

    An entry that stands already keeps its text: the editor may have worked on it.

    Raises:
        CannotDecide: the newsletter has no such category.
    """
    members = set(candidate.story.members)
    standing = next((entry for section in issue.sections for entry in section.entries if entry.story in members), None)
    emptied = replace(issue, sections=tuple(_without(section, members) for section in issue.sections))
    if decision.action != "pick":
        return emptied
    wanted = decision.category or candidate.category
    category = newsletter.category(wanted)
    if category is None:
        raise CannotDecide(f"没有「{wanted}」这个栏目；可用的有：{'、'.join(newsletter.category_names)}")
    entry = standing or draft(candidate, newsletter)
    return replace(emptied, sections=_added(emptied.sections, category.name, entry))


def _without(section: Section, members: set[int]) -> Section:
    return replace(section, entries=tuple(entry for entry in section.entries if entry.story not in members))


def _added(sections: tuple[Section, ...], name: str, entry: Entry) -> tuple[Section, ...]:
    if all(section.name != name for section in sections):
        sections = (*sections, Section(name))
    return tuple(
        replace(section, entries=(*section.entries, entry)) if section.name == name else section for section in sections
    )
