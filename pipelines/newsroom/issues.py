"""Issues as the store keeps them: saved, remembered by what they printed, published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pipelines.deduplicate.stories import ROUND_UP, WORK_PREFIXES
from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue.entry import machine_line, read_entry
from pipelines.issue.markdown import back_issues
from pipelines.model import Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.normalise.references import named_in
from pipelines.normalise.url import Canonical, NotAWebAddress, canonical
from pipelines.rules import Rules
from pipelines.store import Store, Transaction


def save_issue(tx: Transaction, issue: Issue, newsletter: Newsletter, rules: Rules) -> None:
    """Store an issue, and by their strong keys all that its entries printed: it is remembered."""
    entries = [entry for section in issue.sections for entry in section.entries]
    tx.issues.save(issue, [entry_keys(entry, newsletter, rules) for entry in entries])


def remember_issues(store: Store, newsletter: Newsletter, rules: Rules) -> None:
    """Read again what each issue printed, by the rules as they are now; no word of an issue changes."""
    with store.transaction() as tx:
        for day in tx.issues.dates():
            save_issue(tx, _the_issue(tx, day), newsletter, rules)


def entry_keys(entry: Entry, newsletter: Newsletter, rules: Rules) -> tuple[str, ...]:
    """The strong keys of what an entry printed, in order.

    - Where its title leads, and the paper or repository before the title: `[2006.16669] …`, `owner/repo：…`.
    - Every address in it; and every paper and repository, named in plain words too, unless it names too many of a sort
      to be about each. A link that dies within hours, or is none, has no key.
    """
    view = read_entry(entry.markdown, newsletter)
    head = [f"https://github.com/{view.repository}"] if view.repository else []
    head += [view.url] if view.url else []
    itself = [*(_named_at(url, rules) for url in head)]
    itself += [named_in(text, rules) for text in (*(f"[{prefix}]" for prefix in view.prefixes), view.title)]
    own = dict.fromkeys(key for found in itself for one in found for key in one.keys)
    words = "\n".join((*(label.text for label in view.labels), *view.summary))
    further = [*(one for url in view.urls for one in _named_at(url, rules)), *named_in(words, rules)]
    works: dict[str, set[str]] = defaultdict(set)
    for one in further:
        if one.key not in own and one.key.startswith(WORK_PREFIXES):
            works[one.key.partition(":")[0]].add(one.key.partition("@")[0])
    too_many = tuple(f"{sort}:" for sort, keys in works.items() if len(keys) > ROUND_UP)
    about = (key for one in further if not one.key.startswith(too_many) for key in one.keys)
    return tuple(dict.fromkeys((*own, *about)))


def _named_at(url: str, rules: Rules) -> tuple[Canonical, ...]:
    """What stands at an address, and what that belongs to."""
    try:
        found = canonical(url, rules)
    except NotAWebAddress:
        return ()
    if found.temporary:
        return ()
    return (found, canonical(found.part_of, rules)) if found.part_of else (found,)


def all_issues(store: Store) -> list[Issue]:
    """Every issue, newest first."""
    with store.reading() as tx:
        return [_the_issue(tx, day) for day in sorted(tx.issues.dates(), reverse=True)]


def issues_to_export(store: Store, newsletter: Newsletter, dates: Sequence[date] | None) -> list[Issue]:
    """Issues as they are written: a draft gets its list of back issues.

    Args:
        dates: of the issues wanted; none for the newest draft, None for every issue.

    Raises:
        NoSuchIssue: a date has none, or there is no draft.
    """
    with store.reading() as tx:
        past = tx.issues.dates("published")
        if dates is None:
            wanted = sorted(tx.issues.dates())
        elif dates:
            wanted = list(dates)
        else:
            wanted = sorted(tx.issues.dates("draft"))[-1:]
            if not wanted:
                raise NoSuchIssue("没有草稿；用 jianbao decide 编号 pick 选用候选，或写明要导出哪一期")
        issues = [_the_issue(tx, day) for day in wanted]
    return [_with_back_issues(issue, past, newsletter) if issue.state == "draft" else issue for issue in issues]


def published_with(store: Store, more: Sequence[Issue]) -> list[Issue]:
    """Every published issue, oldest first, and further ones as if they were out already."""
    with store.reading() as tx:
        past = {day: _the_issue(tx, day) for day in tx.issues.dates("published")}
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
    if any(machine_line(one.markdown, newsletter) is not None for one in waiting):
        raise CannotDecide(
            "还有没人认可的{machine}；用 jianbao assist 编号 --accept 或 --reject", machine=newsletter.labels.machine
        )


def _the_issue(tx: Transaction, day: date) -> Issue:
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue("没有 {day} 这一期；见 jianbao issue list", day=day)
    return issue


def _with_back_issues(issue: Issue, past: Sequence[date], newsletter: Newsletter) -> Issue:
    earlier = [day for day in past if day < issue.date]
    return replace(issue, back_issues=back_issues(earlier, newsletter)) if earlier else issue
