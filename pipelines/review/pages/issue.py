"""An issue as the desk shows it: its parts with what tells them from later wordings, lint, and how it will look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from markupsafe import Markup
from starlette.responses import Response

from pipelines.issue.entry import EntryView, read_entry, read_summary, read_title
from pipelines.issue.frame import propose_guide, propose_headline
from pipelines.issue.lint import Finding
from pipelines.issue.markdown import render_issue
from pipelines.model import Issue
from pipelines.newsroom.decisions import read_state_versions
from pipelines.newsroom.drafts import PARTS, edition, order_edition
from pipelines.newsroom.issues import issues_to_export
from pipelines.newsroom.looking_over import look_over
from pipelines.review.rendering import page, rendered
from pipelines.review.visit import NothingHere, Visit
from pipelines.store import Transaction


@dataclass(frozen=True, slots=True)
class EntryCard:
    """An entry, ready to be put into a template.

    Args:
        position: among all of the issue's entries, from 0.
        edition: sent back with each change of it.
        version: of its story, likewise for a decision on that; empty where no story stands behind it.
        findings: what is worth a second look, by line.
    """

    position: int
    markdown: str
    edition: str
    story: int | None
    version: str
    title: str
    summary: str
    view: EntryView
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class SectionCard:
    """A section with its entries."""

    place: int
    name: str
    quota: int
    entries: Sequence[EntryCard]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue with all that its page shows.

    Args:
        editions: of the parts, by name.
        proposals: what a part may start from, by its name, for those that have something.
        order: sent back with each move.
        markdown: what an export would write.
    """

    issue: Issue
    sections: Sequence[SectionCard]
    editions: Mapping[str, str]
    proposals: Mapping[str, str]
    order: str
    findings: Sequence[Finding]
    markdown: str

    @property
    def html(self) -> Markup:
        """How it will look."""
        return rendered(without_front_matter(self.markdown))

    @property
    def items(self) -> int:
        """How many entries it has."""
        return sum(len(section.entries) for section in self.sections)

    def part(self, name: str) -> str:
        """What a part says."""
        said: str | None = getattr(self.issue, name)
        return said or ""

    def of(self, part: str) -> list[Finding]:
        """What is to be said of a part."""
        return [one for one in self.findings if one.part == part]


def view_issue(visit: Visit, day: date, changed: Issue | None = None) -> IssueView:
    """An issue by its date.

    Args:
        changed: as it would be with a change that is not written.

    Raises:
        NoSuchIssue: the day has none.
    """
    newsroom = visit.newsroom
    newsletter = newsroom.newsletter
    (issue,) = issues_to_export(newsroom.store, newsletter, [day])
    if changed is not None:
        issue = replace(changed, back_issues=issue.back_issues)
    with newsroom.store.reading() as tx:
        findings = look_over(tx, issue, newsletter, newsroom.rules)
        behind = _versions(tx, issue)
    sections, at = [], 0
    for place, section in enumerate(issue.sections):
        entries = [
            EntryCard(
                position=at + number,
                markdown=entry.markdown,
                edition=edition(entry.markdown),
                story=entry.story,
                version=behind.get(entry.story or 0, ""),
                title=read_title(entry.markdown, newsletter),
                summary=read_summary(entry.markdown, newsletter),
                view=read_entry(entry.markdown, newsletter),
                findings=[one for one in findings if (one.part, one.position) == ("entry", at + number)],
            )
            for number, entry in enumerate(section.entries)
        ]
        at += len(entries)
        category = newsletter.category(section.name)
        mine = [one for one in findings if (one.part, one.position) == ("section", place)]
        sections.append(SectionCard(place, section.name, category.quota if category else 0, entries, mine))
    return IssueView(
        issue=issue,
        sections=sections,
        editions={part: edition(getattr(issue, part)) for part in PARTS},
        proposals={"headline": propose_headline(issue, newsletter), "guide": propose_guide(issue, newsletter)},
        order=order_edition(issue),
        findings=findings,
        markdown=render_issue(issue, newsletter, newsroom.home.template("issue.md.j2").read_text(encoding="utf-8")),
    )


def _versions(tx: Transaction, issue: Issue) -> Mapping[int, str]:
    """The versions of the stories behind an issue's entries, by the article id that the entry names."""
    told = tx.stories.find_by_articles(
        entry.story for section in issue.sections for entry in section.entries if entry.story
    )
    known = read_state_versions(tx, tx.stories.get_states({one.id for one in told.values()}))
    return {article: known[story.id] for article, story in told.items()}


def without_front_matter(markdown: str) -> str:
    """What Jekyll shows of an issue.

    >>> without_front_matter("---\\nlayout: post\\n---\\n\\n# 一期\\n")
    '# 一期\\n'
    """
    if not markdown.startswith("---\n"):
        return markdown
    return markdown.partition("\n---\n")[2].lstrip("\n") or markdown


def day_of(text: str) -> date:
    """The date that an address names.

    Raises:
        NothingHere: it names none.
    """
    try:
        return date.fromisoformat(text) if len(text) == 10 else _no_day(text)
    except ValueError:
        return _no_day(text)


def _no_day(_: str) -> date:
    raise NothingHere


def issue_page(visit: Visit) -> Response:
    """The whole page: the issue named, else the newest draft."""
    with visit.newsroom.store.reading() as tx:
        drafts = sorted(tx.issues.list_dates("draft"), reverse=True)
    named = visit.request.query_params.get("date")
    day: date | None = day_of(named) if named else next(iter(drafts), None)
    shown = view_issue(visit, day) if day else None
    return page(visit, "issue.html", title="本期", shown=shown, drafts=drafts)
