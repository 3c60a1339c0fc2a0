"""Looks an issue over: what of it is worth a second look, and what can be put right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipelines.issue import inline
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.lint import Finding, Known, fixed, lint
from pipelines.model import Issue, Snapshot, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.newsroom.drafts import PARTS, Editor, _decide_edit, _note, draft_on
from pipelines.newsroom.issues import save_issue
from pipelines.rules import Rules
from pipelines.store import Transaction


def look_over(tx: Transaction, issue: Issue, newsletter: Newsletter, rules: Rules) -> list[Finding]:
    """What of an issue is worth a second look."""
    keys = [find_entry_keys(entry, newsletter, rules) for section in issue.sections for entry in section.entries]
    printed = tx.issues.find_printed(key for mine in keys for key in mine)
    days = {key: [one.day for one in found] for key, found in printed.items()}
    known = Known(keys, days, changed_since(tx, issue), tx.snapshots.get_answers(addresses_of(issue)))
    return lint(issue, newsletter, rules, known)


def addresses_of(issue: Issue) -> list[str]:
    """Every web address that an issue's entries, and what stands around them, link; each once."""
    words = [issue.notice, issue.guide, issue.preamble, issue.footer]
    for section in issue.sections:
        words += [section.notes, *(entry.markdown for entry in section.entries), section.closing]
    return list(
        dict.fromkeys(url for one in words if one for line in one.split("\n") for url in inline.find_urls(line))
    )


def changed_since(tx: Transaction, issue: Issue) -> dict[int, list[Finding]]:
    """How what entries were picked for differs from its snapshot by now, by the entry's position."""
    entries = [entry for section in issue.sections for entry in section.entries]
    told = tx.stories.find_by_articles(one.story for one in entries if one.story is not None)
    members = {one for story in told.values() for one in story.members}
    kept = tx.snapshots.get_newest(members)
    now = tx.articles.get(kept)
    found = {}
    for position, entry in enumerate(entries):
        story = told.get(entry.story) if entry.story is not None else None
        findings = [
            Finding("entry", position, 0, code, values)
            for member in (story.members if story else ())
            if member in kept
            for code, values in _compare(kept[member], now.get(member))
        ]
        if findings:
            found[position] = findings
    return found


def _compare(snapshot: Snapshot, article: StoredArticle | None) -> Iterator[tuple[str, dict[str, object]]]:
    """Codes and values of the findings about an article that differs from its snapshot."""
    values: dict[str, object] = {"day": snapshot.at.date(), "title": snapshot.title[:30]}
    if article is None:
        yield "changed/gone", values
        return
    if article.article.title != snapshot.title:
        yield "changed/title", {**values, "after": article.article.title[:30]}
    if article.article.text != snapshot.text:
        more = len(article.article.text) - len(snapshot.text)
        code = "changed/longer" if more > 0 else "changed/shorter" if more else "changed/text"
        yield code, {**values, **({"count": abs(more)} if more else {})}


def mend(editor: Editor, day: date) -> Issue:
    """Put right what is safe in a draft: see `pipelines.issue.lint.fixed`.

    Raises:
        NoSuchIssue: the day has none.
        CannotDecide: the issue is out.
    """
    with editor.store.transaction() as tx:
        issue = draft_on(tx, day)
        after = fixed(issue, editor.rules)
        if after == issue:
            return issue
        for part in PARTS:
            if getattr(issue, part) != getattr(after, part):
                _note(tx, editor, day, part, (getattr(issue, part), getattr(after, part)))
        old, new = ([entry for section in one.sections for entry in section.entries] for one in (issue, after))
        save_issue(tx, after, editor.newsletter, editor.rules)
        for was, became in zip(old, new, strict=True):
            if was == became:
                continue
            candidate = tx.stories.find_by_article(was.story) if was.story is not None else None
            if candidate is None:
                _note(tx, editor, day, "entry", (was.markdown, became.markdown))
            else:
                _decide_edit(tx, editor, candidate, was.markdown, became.markdown)
        return draft_on(tx, day)
