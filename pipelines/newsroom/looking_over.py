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
    printed = tx.issues.printed(key for mine in keys for key in mine)
    days = {key: [one.day for one in found] for key, found in printed.items()}
    known = Known(keys, days, changed_since(tx, issue), tx.snapshots.heard(addresses_of(issue)))
    return lint(issue, newsletter, rules, known)


def addresses_of(issue: Issue) -> list[str]:
    """Every web address that an issue's entries, and what stands around them, link; each once."""
    words = [issue.notice, issue.guide, issue.preamble, issue.footer]
    for section in issue.sections:
        words += [section.notes, *(entry.markdown for entry in section.entries), section.closing]
    return list(
        dict.fromkeys(url for one in words if one for line in one.split("\n") for url in inline.find_urls(line))
    )


def changed_since(tx: Transaction, issue: Issue) -> dict[int, list[str]]:
    """How what entries were picked for differs from its snapshot by now, in words, by the entry's position."""
    entries = [entry for section in issue.sections for entry in section.entries]
    told = tx.stories.of(one.story for one in entries if one.story is not None)
    members = {one for story in told.values() for one in story.members}
    kept = tx.snapshots.newest(members)
    now = tx.articles.get(kept)
    found = {}
    for position, entry in enumerate(entries):
        story = told.get(entry.story) if entry.story is not None else None
        words = [
            how for one in (story.members if story else ()) if one in kept for how in _how(kept[one], now.get(one))
        ]
        if words:
            found[position] = words
    return found


def _how(kept: Snapshot, now: StoredArticle | None) -> Iterator[str]:
    when = f"{kept.at.date()} 选用之后"
    if now is None:
        yield f"{when}，「{kept.title[:30]}」不在库里了"
        return
    if now.article.title != kept.title:
        yield f"{when}，标题由「{kept.title[:30]}」改成了「{now.article.title[:30]}」"
    if now.article.text != kept.text:
        more = len(now.article.text) - len(kept.text)
        size = f"，{'多' if more > 0 else '少'}了 {abs(more)} 字" if more else ""
        yield f"{when}，「{kept.title[:30]}」的正文改过{size}"


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
            candidate = tx.stories.find(was.story) if was.story is not None else None
            if candidate is None:
                _note(tx, editor, day, "entry", (was.markdown, became.markdown))
            else:
                _decide_edit(tx, editor, candidate, was.markdown, became.markdown)
        return draft_on(tx, day)
