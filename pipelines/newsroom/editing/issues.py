"""Stores, imports and lists issues; a stored issue is remembered by the keys that it printed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue.changes import arrange_entries, list_entries
from pipelines.issue.entry import read_machine_line
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.markdown import render_back_issues
from pipelines.issue.sections import make_draft
from pipelines.model import Issue, Section
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.memory import find_articles_on_news
from pipelines.rules import Rules
from pipelines.store import Store, Transaction


def save_issue(tx: Transaction, issue: Issue, newsletter: Newsletter, rules: Rules) -> None:
    """Store an issue with the strong keys of its entries, by which it is remembered.

    Articles that may report the same events as its entries, former or new, are marked for grading.

    Args:
        tx: open for writing.
        issue: replaces the stored issue of its date, if any.
        newsletter: its labels.
        rules: the tables of addresses, references and events.
    """
    concerned_ids = find_articles_on_news(tx, issue.date, newsletter, rules.events)
    tx.issues.save(issue, [find_entry_keys(entry, newsletter, rules) for entry in list_entries(issue)])
    if issue.state == "published":
        concerned_ids |= find_articles_on_news(tx, issue.date, newsletter, rules.events)
    tx.articles.mark_fresh(concerned_ids)


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of an import.

    Args:
        issues: that are stored.
        corrected: the days whose published issue had another text before.
        refused: files that are not stored, each with the reason.
    """

    issues: Sequence[Issue]
    corrected: Sequence[date]
    refused: Sequence[CannotDecide]


def import_issues(
    newsroom: Newsroom, issues_by_file: Mapping[str, Issue], *, replace_drafts: bool, now: datetime
) -> Imported:
    """Store past issues. No draft is replaced unasked, and of two files of one day neither is stored.

    Args:
        newsroom: of the newsletter.
        issues_by_file: the issues that were read, by the names of their files.
        replace_drafts: whether an issue replaces the draft of its day.
        now: aware; a published issue that changes is corrected at this time.
    """
    files_by_day: dict[date, list[str]] = defaultdict(list)
    for name, issue in issues_by_file.items():
        files_by_day[issue.date].append(name)
    stored: list[Issue] = []
    corrected: list[date] = []
    refused: list[CannotDecide] = []
    with newsroom.store.transaction() as tx:
        for day, names in files_by_day.items():
            issue, former = issues_by_file[names[0]], tx.issues.get(day)
            if len(names) > 1:
                refused.append(CannotDecide("two-files-of-a-day", day=day, files=tuple(names)))
            elif former is not None and former.state == "draft" and not replace_drafts:
                refused.append(CannotDecide("import-over-draft", day=day, file=names[0]))
            else:
                save_issue(tx, issue, newsroom.newsletter, newsroom.rules)
                stored.append(issue)
                if former is None or former.state == "draft":
                    tx.issues.note_published(day, now)
                if former is not None and former.state == "published" and former != _with_stories(issue, former):
                    tx.issues.note_corrected(day, now)
                    corrected.append(day)
    return Imported(stored, corrected, refused)


def _with_stories(issue: Issue, former: Issue) -> Issue:
    """Give the entries of an issue the stories that the same texts have in a former one."""
    stories = {entry.markdown: entry.story for entry in list_entries(former)}
    return arrange_entries(
        issue,
        (
            [replace(entry, story=stories.get(entry.markdown)) for entry in section.entries]
            for section in issue.sections
        ),
    )


def remember_issues(store: Store, newsletter: Newsletter, rules: Rules) -> None:
    """Find the keys of every stored issue again, by the present rules; no text of an issue changes.

    Args:
        store: of the newsroom.
        newsletter: its labels.
        rules: the tables of addresses and references.
    """
    with store.transaction() as tx:
        for day in tx.issues.list_dates():
            save_issue(tx, get_issue(tx, day), newsletter, rules)


def list_issues(store: Store) -> list[Issue]:
    """List every issue, newest first."""
    with store.reading() as tx:
        return [get_issue(tx, day) for day in sorted(tx.issues.list_dates(), reverse=True)]


def read_issues_to_export(store: Store, newsletter: Newsletter, dates: Sequence[date] | None) -> list[Issue]:
    """Read issues for an export: a draft gets its list of back issues.

    Args:
        store: of the newsroom.
        newsletter: its template of the list.
        dates: of the issues; empty for the newest draft, None for every issue.

    Raises:
        NoSuchIssue: no issue has one of the dates, or there is no draft.
    """
    with store.reading() as tx:
        published_days = tx.issues.list_dates("published")
        if dates is None:
            export_days = sorted(tx.issues.list_dates())
        elif dates:
            export_days = list(dates)
        else:
            export_days = sorted(tx.issues.list_dates("draft"))[-1:]
            if not export_days:
                raise NoSuchIssue("no-draft")
        issues = [get_issue(tx, day) for day in export_days]
    return [_finish_draft(issue, published_days, newsletter) if issue.state == "draft" else issue for issue in issues]


def list_published(store: Store, publishing: Sequence[Issue]) -> list[Issue]:
    """List every published issue, oldest first, together with issues that are about to be published.

    Args:
        store: of the newsroom.
        publishing: issues that count as published; each goes before the stored issue of its date.
    """
    with store.reading() as tx:
        issues_by_day = {day: get_issue(tx, day) for day in tx.issues.list_dates("published")}
    issues_by_day |= {issue.date: replace(issue, state="published") for issue in publishing}
    return [issues_by_day[day] for day in sorted(issues_by_day)]


def ensure_publishable(newsletter: Newsletter, issues: Sequence[Issue]) -> None:
    """Raise an error if issues must not be published.

    Raises:
        CannotDecide: an entry has a machine line: a model wrote its summary, and no editor accepted it yet.
    """
    entries = [entry for issue in issues for entry in list_entries(issue)]
    if any(read_machine_line(entry.markdown, newsletter) is not None for entry in entries):
        raise CannotDecide("machine-line-waits", machine=newsletter.labels.machine)


def get_issue(tx: Transaction, day: date) -> Issue:
    """Get the issue of a date.

    Raises:
        NoSuchIssue: no issue has this date.
    """
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue("no-such-issue", day=day)
    return issue


def _has_text(section: Section) -> bool:
    return bool(section.notes or section.closing)


def _finish_draft(issue: Issue, published_days: Sequence[date], newsletter: Newsletter) -> Issue:
    """Add the list of back issues to a draft, and leave out the sections that stay empty, as newsletter.toml says."""
    if not newsletter.frame.empty_sections:
        fixed_names = {section.name for section in newsletter.frame.sections}
        unwritten = set(make_draft(issue.date, newsletter).sections)
        sections = tuple(
            section
            for section in issue.sections
            if section.entries or section.name in fixed_names or (_has_text(section) and section not in unwritten)
        )
        issue = replace(issue, sections=sections)
    earlier_days = [day for day in published_days if day < issue.date]
    if not earlier_days or not newsletter.back_issues.heading:
        return issue
    return replace(issue, back_issues=render_back_issues(earlier_days, newsletter))
