"""Issues as the store keeps them: saved, remembered by what they printed, published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue.entry import read_machine_line
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.markdown import render_back_issues
from pipelines.model import Issue
from pipelines.newsletter import Newsletter
from pipelines.rules import Rules
from pipelines.store import Store, Transaction


def save_issue(tx: Transaction, issue: Issue, newsletter: Newsletter, rules: Rules) -> None:
    """Store an issue, and by their strong keys all that its entries printed: it is remembered."""
    entries = [entry for section in issue.sections for entry in section.entries]
    tx.issues.save(issue, [find_entry_keys(entry, newsletter, rules) for entry in entries])


def remember_issues(store: Store, newsletter: Newsletter, rules: Rules) -> None:
    """Read again what each issue printed, by the rules as they are now; no word of an issue changes."""
    with store.transaction() as tx:
        for day in tx.issues.list_dates():
            save_issue(tx, _the_issue(tx, day), newsletter, rules)


def all_issues(store: Store) -> list[Issue]:
    """Every issue, newest first."""
    with store.reading() as tx:
        return [_the_issue(tx, day) for day in sorted(tx.issues.list_dates(), reverse=True)]


def issues_to_export(store: Store, newsletter: Newsletter, dates: Sequence[date] | None) -> list[Issue]:
    """Issues as they are written: a draft gets its list of back issues.

    Args:
        dates: of the issues wanted; none for the newest draft, None for every issue.

    Raises:
        NoSuchIssue: a date has none, or there is no draft.
    """
    with store.reading() as tx:
        past = tx.issues.list_dates("published")
        if dates is None:
            wanted = sorted(tx.issues.list_dates())
        elif dates:
            wanted = list(dates)
        else:
            wanted = sorted(tx.issues.list_dates("draft"))[-1:]
            if not wanted:
                raise NoSuchIssue("no-draft")
        issues = [_the_issue(tx, day) for day in wanted]
    return [_with_back_issues(issue, past, newsletter) if issue.state == "draft" else issue for issue in issues]


def published_with(store: Store, more: Sequence[Issue]) -> list[Issue]:
    """Every published issue, oldest first, and further ones as if they were out already."""
    with store.reading() as tx:
        past = {day: _the_issue(tx, day) for day in tx.issues.list_dates("published")}
    past |= {issue.date: replace(issue, state="published") for issue in more}
    return [past[day] for day in sorted(past)]


def publish_issues(store: Store, newsletter: Newsletter, rules: Rules, issues: Sequence[Issue]) -> None:
    """Remember issues as printed: from now on their stories are published.

    Raises:
        CannotDecide: see `ensure_accepted`.
    """
    ensure_accepted(newsletter, issues)
    with store.transaction() as tx:
        for issue in issues:
            save_issue(tx, replace(issue, state="published"), newsletter, rules)


def ensure_accepted(newsletter: Newsletter, issues: Sequence[Issue]) -> None:
    """Nothing, where issues may be published.

    Raises:
        CannotDecide: one holds what a machine drafted and nobody accepted.
    """
    waiting = [one for issue in issues for section in issue.sections for one in section.entries]
    if any(read_machine_line(one.markdown, newsletter) is not None for one in waiting):
        raise CannotDecide("machine-line-waits", machine=newsletter.labels.machine)


def _the_issue(tx: Transaction, day: date) -> Issue:
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue("no-such-issue", day=day)
    return issue


def _with_back_issues(issue: Issue, past: Sequence[date], newsletter: Newsletter) -> Issue:
    earlier = [day for day in past if day < issue.date]
    return replace(issue, back_issues=render_back_issues(earlier, newsletter)) if earlier else issue
