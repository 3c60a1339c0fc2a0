"""本期: an issue with its parts, its entries, its findings and a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from markupsafe import Markup
from starlette.responses import Response

from pipelines.issue.changes import PARTS, list_entries, make_edition, make_order_edition
from pipelines.issue.entry import EntryView, read_entry, read_summary, read_title
from pipelines.issue.frame import propose_guide, propose_headline
from pipelines.issue.lint import Finding, describe_finding
from pipelines.model import EARLIEST_ISSUE, LATEST_ISSUE, Issue, Story
from pipelines.newsletter import Newsletter
from pipelines.newsroom.editing.decisions import read_state_versions
from pipelines.newsroom.editing.exports import render_as_markdown
from pipelines.newsroom.editing.issues import read_issues_to_export
from pipelines.newsroom.editing.linting import lint_issue
from pipelines.newsroom.editing.publishing import list_publishing_acts
from pipelines.review.pages.cards import PageState, read_page_states
from pipelines.review.rendering import render_markdown, render_page
from pipelines.review.visit import NothingHere, Visit
from pipelines.store import Transaction
from pipelines.wording import Language


@dataclass(frozen=True, slots=True)
class EntryCard:
    """An entry, ready for a template.

    Args:
        position: among all entries of the issue, from 0.
        edition: of its Markdown; a script sends it back with each change of the entry.
        story: id of an article of its story; None where the editor wrote it without one.
        version: of its story; a script sends it back with each decision on the story. Empty without a story.
        findings: of this entry.
        page: of its story, whose page was fetched or is being fetched.
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
    page: PageState | None = None


@dataclass(frozen=True, slots=True)
class SectionCard:
    """A section with its entries, ready for a template.

    Args:
        position: among all sections of the issue, from 0.
        key: that moves an entry to the section: a digit, `b` for the one-liners; empty after the ninth.
        quota: number of entries that the newsletter aims at; 0 for none.
        findings: of the section itself.
    """

    position: int
    name: str
    key: str
    quota: int
    entries: Sequence[EntryCard]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue, ready for its page.

    Args:
        editions: of the three texts, by the name of the part.
        proposals: for headline and guide, by the name of the part.
        order: edition of the order of entries; a script sends it back with each move.
        findings: of the whole issue.
        markdown: the text that an export writes.
        newsletter: its labels name the entries.
    """

    issue: Issue
    sections: Sequence[SectionCard]
    editions: Mapping[str, str]
    proposals: Mapping[str, str]
    order: str
    findings: Sequence[Finding]
    markdown: str
    newsletter: Newsletter

    @property
    def html(self) -> Markup:
        """The issue as safe HTML."""
        return render_markdown(remove_front_matter(self.markdown))

    @property
    def items(self) -> int:
        """The number of entries."""
        return self.issue.item_count

    def read_part(self, part: str) -> str:
        """Read the text of a part; empty where nobody wrote it."""
        text: str | None = getattr(self.issue, part)
        return text or ""

    @property
    def errors(self) -> int:
        """The number of findings that readers would see as a broken page."""
        return sum(finding.is_error for finding in self.findings)

    def describe_findings(self, language: Language) -> list[str]:
        """Describe every finding in one line, with its position in the issue."""
        return [describe_finding(self.issue, finding, self.newsletter, language) for finding in self.findings]

    def list_findings(self, part: str) -> list[Finding]:
        """List the findings of a part."""
        return [finding for finding in self.findings if finding.part == part]


def view_issue(visit: Visit, day: date, changed: Issue | None = None) -> IssueView:
    """View the issue of a day.

    Args:
        visit: the request.
        day: the date of the issue.
        changed: the issue with a change that is not saved, to view in place of the saved one.

    Raises:
        NoSuchIssue: no issue has this date.
    """
    newsroom = visit.newsroom
    newsletter = newsroom.newsletter
    (issue,) = read_issues_to_export(newsroom.store, newsletter, [day])
    if changed is not None:
        issue = replace(changed, back_issues=issue.back_issues)
    with newsroom.store.reading() as tx:
        findings = lint_issue(tx, issue, newsroom)
        stories = tx.stories.find_by_articles(entry.story for entry in list_entries(issue) if entry.story)
        versions = _read_versions(tx, stories)
        pages = _read_page_states(tx, stories, visit) if issue.state == "draft" else {}
    sections, first_position = [], 0
    for section_position, section in enumerate(issue.sections):
        entries = [
            EntryCard(
                position=first_position + index,
                markdown=entry.markdown,
                edition=make_edition(entry.markdown),
                story=entry.story,
                version=versions.get(entry.story or 0, ""),
                title=read_title(entry.markdown, newsletter),
                summary=read_summary(entry.markdown, newsletter),
                view=read_entry(entry.markdown, newsletter),
                findings=_select_findings(findings, "entry", first_position + index),
                page=pages.get(entry.story or 0),
            )
            for index, entry in enumerate(section.entries)
        ]
        first_position += len(entries)
        category = newsletter.category(section.name)
        quota = category.quota if category else 0
        if section.is_briefs:
            key, quota = "b", newsletter.briefs.quota if newsletter.briefs else 0
        else:
            main_position = sum(not card.is_briefs for card in issue.sections[:section_position]) + 1
            key = str(main_position) if main_position < 10 else ""
        sections.append(
            SectionCard(
                position=section_position,
                name=section.name,
                key=key,
                quota=quota,
                entries=entries,
                findings=_select_findings(findings, "section", section_position),
            )
        )
    return IssueView(
        issue=issue,
        sections=sections,
        editions={part: make_edition(getattr(issue, part)) for part in PARTS},
        proposals={"headline": propose_headline(issue, newsletter), "guide": propose_guide(issue, newsletter)},
        order=make_order_edition(issue),
        findings=findings,
        markdown=render_as_markdown(issue, newsroom),
        newsletter=newsletter,
    )


def _select_findings(findings: Sequence[Finding], part: str, position: int) -> list[Finding]:
    return [finding for finding in findings if finding.part == part and finding.position == position]


def _read_versions(tx: Transaction, stories: Mapping[int, Story]) -> Mapping[int, str]:
    """Read the versions of the stories of an issue's entries, by the article id that the entry names."""
    versions = read_state_versions(tx, tx.stories.get_states({story.id for story in stories.values()}))
    return {article: versions[story.id] for article, story in stories.items()}


def _read_page_states(tx: Transaction, stories: Mapping[int, Story], visit: Visit) -> Mapping[int, PageState]:
    """Read where the fetches of pages stand, by the article id that the entry names."""
    articles = {stored.id: stored for stored in tx.articles.get(story.lead for story in stories.values()).values()}
    leads = {story.id: articles[story.lead] for story in stories.values() if story.lead in articles}
    states = read_page_states(tx, leads, visit.desk.page_fetches.list_running())
    return {article: states[story.id] for article, story in stories.items() if story.id in states}


def remove_front_matter(markdown: str) -> str:
    """Remove the front matter, which Jekyll does not show.

    >>> remove_front_matter("---\\nlayout: post\\n---\\n\\n# 一期\\n")
    '# 一期\\n'
    """
    if not markdown.startswith("---\n"):
        return markdown
    return markdown.partition("\n---\n")[2].lstrip("\n") or markdown


def read_day(text: str) -> date:
    """Read a date of an address, in the form 2020-01-27.

    Raises:
        NothingHere: the text is no such date.
    """
    if len(text) != len("2020-01-27"):  # date.fromisoformat also reads 20200127
        raise NothingHere
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NothingHere from None


def show_issue(visit: Visit) -> Response:
    """Show the issue that the query names, else the newest draft."""
    with visit.newsroom.store.reading() as tx:
        drafts = sorted(tx.issues.list_dates("draft"), reverse=True)
    date_in_query = visit.request.query_params.get("date")
    day: date | None = read_day(date_in_query) if date_in_query else next(iter(drafts), None)
    issue_view = view_issue(visit, day) if day else None
    newsroom = visit.newsroom
    return render_page(
        visit,
        "issue.html",
        title=visit.translate("desk/issue"),
        issue_view=issue_view,
        drafts=drafts,
        correcting=bool(visit.request.query_params.get("correcting")),
        acts=list_publishing_acts(newsroom.store, newsroom.newsletter, day) if day else (),
        earliest=EARLIEST_ISSUE,
        latest=LATEST_ISSUE,
    )
