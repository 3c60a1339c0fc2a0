"""Lints an issue with the records of the store, and fixes a draft."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipelines.issue.changes import PARTS, list_entries
from pipelines.issue.decoding import NotAnIssue
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.lint import Finding, Records, find_issue_urls, fix_issue, lint
from pipelines.issue.markdown import remove_unprinted_parts
from pipelines.issue.portability import find_article_limits, find_differences, find_limits, find_unreturned
from pipelines.issue.reading import read_issue
from pipelines.model import Issue, Snapshot, StoredArticle
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import read_house_style
from pipelines.newsroom.editing.drafts import decide_edit, get_draft, note_change
from pipelines.newsroom.editing.exports import make_wechat_article, name_file, render_as_markdown
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.editor import Editor
from pipelines.store import Transaction


def lint_issue(tx: Transaction, issue: Issue, newsroom: Newsroom) -> list[Finding]:
    """Find everything that an editor should look at before the issue is published.

    Args:
        tx: open for reading.
        issue: a draft, or a published issue.
        newsroom: its newsletter, rules and templates.

    Returns:
        Findings in print order; then the texts that the issue's pages would show in different ways.
    """
    newsletter, rules = newsroom.newsletter, newsroom.rules
    keys_by_entry = [find_entry_keys(entry, newsletter, rules) for entry in list_entries(issue)]
    printed = tx.issues.find_printed(key for keys in keys_by_entry for key in keys)
    records = Records(
        keys_by_entry,
        {key: [entry.day for entry in entries] for key, entries in printed.items()},
        find_source_changes(tx, issue),
        tx.snapshots.get_link_checks(find_issue_urls(issue)),
        read_house_style(tx, newsletter).bounds,
    )
    written = remove_unprinted_parts(issue, newsletter)
    return [
        *lint(issue, newsletter, rules, records),
        *find_differences(written),
        *find_unreturned(written, _export_and_read(written, newsroom)),
        *find_limits(written),
    ]


def lint_for_wechat(issue: Issue, newsroom: Newsroom) -> list[Finding]:
    """Find the limits of WeChat that the exported article exceeds; its export costs some 50 ms."""
    return find_article_limits(make_wechat_article(issue, newsroom))


def _export_and_read(issue: Issue, newsroom: Newsroom) -> Issue | None:
    text = render_as_markdown(issue, newsroom)
    name = name_file(issue, newsroom.newsletter, "md")
    try:
        return read_issue(text.encode(errors="replace"), name=name, newsletter=newsroom.newsletter)
    except NotAnIssue:
        return None


def find_source_changes(tx: Transaction, issue: Issue) -> dict[int, list[Finding]]:
    """Find the articles of an issue that changed, or vanished, since their pick.

    Args:
        tx: open for reading.
        issue: a draft, or a published issue.

    Returns:
        Findings by the position of the entry among all entries, from 0.
    """
    entries = list_entries(issue)
    stories = tx.stories.find_by_articles(entry.story for entry in entries if entry.story is not None)
    snapshots = tx.snapshots.get_newest({member for story in stories.values() for member in story.members})
    articles = tx.articles.get(snapshots)
    findings_by_position = {}
    for position, entry in enumerate(entries):
        story = stories.get(entry.story) if entry.story is not None else None
        findings = [
            Finding("entry", position, 0, code, values)
            for member in (story.members if story else ())
            if member in snapshots
            for code, values in _compare(snapshots[member], articles.get(member))
        ]
        if findings:
            findings_by_position[position] = findings
    return findings_by_position


def _compare(snapshot: Snapshot, article: StoredArticle | None) -> Iterator[tuple[str, dict[str, object]]]:
    """Compare an article with its snapshot; give the code and the values of each finding."""
    values: dict[str, object] = {"day": snapshot.at.date(), "title": snapshot.title[:30]}
    if article is None:
        yield "changed/gone", values
        return
    if article.article.title != snapshot.title:
        yield "changed/title", {**values, "after": article.article.title[:30]}
    if article.article.text != snapshot.text:
        growth = len(article.article.text) - len(snapshot.text)
        code = "changed/longer" if growth > 0 else "changed/shorter" if growth else "changed/text"
        yield code, {**values, **({"count": abs(growth)} if growth else {})}


def fix_draft(editor: Editor, day: date) -> Issue:
    """Fix the mistakes of a draft that need no editor: see `pipelines.issue.lint.fix_issue`.

    Args:
        editor: who is named as the author of the changes.
        day: the date of the draft.

    Returns:
        The fixed draft.

    Raises:
        NoSuchIssue: no issue has this date.
        CannotDecide: the issue is published.
    """
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day)
        fixed = fix_issue(draft, editor.rules)
        if fixed == draft:
            return draft
        for part in PARTS:
            old_text, new_text = getattr(draft, part), getattr(fixed, part)
            if old_text != new_text:
                note_change(tx, editor, day, part, old_text=old_text, new_text=new_text)
        save_issue(tx, fixed, editor.newsletter, editor.rules)
        for old_entry, new_entry in zip(list_entries(draft), list_entries(fixed), strict=True):
            if old_entry == new_entry:
                continue
            candidate = tx.stories.find_by_article(old_entry.story) if old_entry.story is not None else None
            if candidate is None:
                note_change(tx, editor, day, "entry", old_text=old_entry.markdown, new_text=new_entry.markdown)
            else:
                decide_edit(tx, editor, candidate, old_entry.markdown, new_entry.markdown)
        return get_draft(tx, day)
