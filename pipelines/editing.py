"""What an editor does: look at candidates, decide on a story, and with it fill or empty a place in an issue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipelines.export.entry import read_entry
from pipelines.export.markdown import back_issues, draft
from pipelines.group.candidates import as_of
from pipelines.model import Candidate, CandidateState, Decision, Entry, Issue, Section
from pipelines.newsletter import Newsletter
from pipelines.normalise.url import NotAWebAddress, canonical
from pipelines.rules import Rules
from pipelines.store import Store, Transaction
from pipelines.store.errors import NoSuchStory
from pipelines.store.state import standing, state_after


class CannotDecide(Exception):
    """A decision that cannot be carried out; the message says why and what would work."""


class Stale(Exception):
    """Somebody changed it since the person saw it; nothing was written.

    Args:
        fresh: what it was about, as it is now: a candidate, or the issue's date.
    """

    def __init__(self, fresh: Candidate | date) -> None:
        super().__init__("别处刚改过这一条：下面是最新的样子，请再看一眼")
        self.fresh = fresh


class NoSuchIssue(Exception):
    """An issue was named by a date that has none."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision led to.

    Args:
        candidate: as it is now.
        issue: the date of the issue that it was put in or taken out of, if any.
    """

    candidate: Candidate
    issue: date | None


def list_candidates(
    store: Store,
    now: datetime,
    *,
    category: str | None = None,
    since: datetime | None = None,
    state: CandidateState = "new",
    limit: int | None = None,
) -> list[Candidate]:
    """Candidates as they stand today, best first.

    Args:
        now: what freshness is measured against; aware.
        category, since, state: which ones.
        limit: at most so many of each category.
    """
    with store.reading() as tx:
        found = tx.stories.candidates(category=category, since=since, states=(state,))
    ranked = sorted((as_of(one, now) for one in found), key=lambda one: (-one.score, one.story.id))
    if limit is None:
        return ranked
    kept: dict[str, int] = {}
    chosen = []
    for one in ranked:
        kept[one.category] = kept.get(one.category, 0) + 1
        if kept[one.category] <= limit:
            chosen.append(one)
    return chosen


def versions(tx: Transaction, candidates: Iterable[Candidate]) -> dict[int, str]:
    """What tells a story's present standing from a former or a later one, by story id."""
    asked = {one.story.id: one.state for one in candidates}
    newest = tx.decisions.newest(asked)
    return {one: f"{newest.get(one, 0)}-{state}" for one, state in asked.items()}


def decide(
    store: Store, newsletter: Newsletter, rules: Rules, decision: Decision, *, seen: str | None = None
) -> Decided:
    """Write a decision down, and carry it out in the issue that it concerns, in one transaction.

    A pick goes to the issue named, else to the newest draft, else to a new draft of the day. What drops a story takes
    it out of the drafts; a published issue stays as it was printed. An `undo` puts back what the decision before it
    found: state, category, words, and the place in the draft.

    Args:
        seen: the version of the story that the person saw; None does not look.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided of the story since it was seen; nothing was written.
        CannotDecide: the category is not the newsletter's, or the day's issue is out already.
    """
    with store.transaction() as tx:
        return decide_in(tx, newsletter, rules, decision, seen=seen)


def decide_in(
    tx: Transaction, newsletter: Newsletter, rules: Rules, decision: Decision, *, seen: str | None = None
) -> Decided:
    """`decide`, as a part of more."""
    candidate = find(tx, decision.story, seen)
    drafts = tx.issues.drafts()
    if decision.action == "undo":
        return _undo(tx, newsletter, rules, decision, candidate)
    place = place_of(candidate, drafts)
    issue = None
    if decision.action == "pick":
        issue = _issue_for(tx, decision, drafts, newsletter)
    elif decision.action in ("categorise", "edit") and place:
        issue = next(one for one in drafts if one.date == place.issue)
    category = decision.category or candidate.category
    if newsletter.category(category) is None:
        if decision.category or issue:
            raise no_such_category(category, newsletter)
    elif decision.action in ("pick", "categorise"):
        decision = replace(decision, category=category)
    if issue is not None:
        decision = replace(decision, issue=issue.date)
    noted = {**shown(candidate), **(place.noted() if place else {}), **decision.shown}
    tx.decisions.add(replace(decision, shown=noted))
    settled = tx.stories.find(decision.story) or candidate
    touched = None
    if issue is not None:
        entry = drafted(tx, settled, newsletter)
        filled = (
            put_back(issue, candidate, entry, place)
            if decision.action == "edit" and place
            else with_entry(issue, candidate, category, newsletter, entry)
        )
        save_issue(tx, filled, newsletter, rules)
        touched = issue.date
        drafts = [one for one in drafts if one.date != issue.date]
    if decision.action in ("pick", "drop", "later"):
        touched = _empty(tx, newsletter, rules, candidate, drafts) or touched
    return Decided(tx.stories.find(decision.story) or settled, touched)


def find(tx: Transaction, story: int, seen: str | None = None) -> Candidate:
    """The candidate that has this article.

    Args:
        seen: the version of it that somebody saw; None does not look.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided of it since.
    """
    candidate = tx.stories.find(story)
    if candidate is None:
        raise NoSuchStory(f"no story has the id {story}")
    if seen is not None and versions(tx, [candidate])[candidate.story.id] != seen:
        raise Stale(candidate)
    return candidate


def drafted(tx: Transaction, candidate: Candidate, newsletter: Newsletter) -> Entry:
    """The entry that a story has or would have: as somebody edited it last, else as it is drafted."""
    return drafts_of(tx, [candidate], newsletter)[candidate.story.id]


def drafts_of(tx: Transaction, candidates: Sequence[Candidate], newsletter: Newsletter) -> dict[int, Entry]:
    """`drafted` of each candidate, by story id."""
    histories = tx.decisions.of(one.story.id for one in candidates)
    found = {}
    for one in candidates:
        left = standing((each.action, each.shown) for each in histories.get(one.story.id, ()))
        said = next((noted["after"] for action, noted in reversed(left) if action == "edit" and "after" in noted), None)
        found[one.story.id] = draft(one, newsletter) if said is None else Entry(said, one.story.id)
    return found


def _undo(tx: Transaction, newsletter: Newsletter, rules: Rules, decision: Decision, candidate: Candidate) -> Decided:
    drafts = tx.issues.drafts()
    history = tx.decisions.of([candidate.story.id]).get(candidate.story.id, [])
    left = standing((one.action, one) for one in history)
    tx.decisions.add(replace(decision, shown={**shown(candidate), **decision.shown}))
    settled = tx.stories.find(decision.story) or candidate
    taken = left[-1][1] if left else None
    place = Place.of(taken.shown) if taken else None
    now = place_of(candidate, drafts)
    touched = None
    if state_after(action for action, _ in left[:-1]) != "picked":
        touched = _empty(tx, newsletter, rules, candidate, drafts)
    elif where := place or now:
        touched = where.issue
        for one in drafts:
            changed = without_story(one, candidate)
            if one.date == where.issue:
                changed = put_back(changed, candidate, drafted(tx, settled, newsletter), where)
            if changed != one:
                save_issue(tx, changed, newsletter, rules)
    return Decided(tx.stories.find(decision.story) or settled, touched)


def _empty(
    tx: Transaction, newsletter: Newsletter, rules: Rules, candidate: Candidate, drafts: Iterable[Issue]
) -> date | None:
    """Take a story out of drafts; the date of the first that had it."""
    touched = None
    for one in drafts:
        emptied = without_story(one, candidate)
        if emptied != one:
            save_issue(tx, emptied, newsletter, rules)
            touched = touched or one.date
    return touched


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


def save_issue(tx: Transaction, issue: Issue, newsletter: Newsletter, rules: Rules) -> None:
    """Store an issue, and by their strong keys all that its entries link to: what it printed is remembered."""
    entries = [entry for section in issue.sections for entry in section.entries]
    tx.issues.save(issue, [entry_keys(entry, newsletter, rules) for entry in entries])


def entry_keys(entry: Entry, newsletter: Newsletter, rules: Rules) -> tuple[str, ...]:
    """The strong keys of an entry's links, in order; a link that dies within hours, or is none, has none."""
    keys: dict[str, None] = {}
    for url in read_entry(entry.markdown, newsletter).urls:
        with suppress(NotAWebAddress):
            found = canonical(url, rules)
            if not found.temporary:
                keys |= dict.fromkeys(found.keys)
    return tuple(keys)


def shown(candidate: Candidate) -> Mapping[str, str]:
    """What of a candidate was before the editor's eyes, kept with the decision for later training."""
    return {
        "title": candidate.lead.article.title,
        "url": candidate.lead.article.url,
        "category": candidate.category,
        "score": f"{candidate.score:.2f}",
        "state": candidate.state,
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
    entry = standing_one or entry or draft(candidate, newsletter)
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


def without_story(issue: Issue, candidate: Candidate) -> Issue:
    """The issue without the story's entry."""
    members = set(candidate.story.members)
    return replace(
        issue,
        sections=tuple(
            replace(section, entries=tuple(entry for entry in section.entries if entry.story not in members))
            for section in issue.sections
        ),
    )


def no_such_category(name: str, newsletter: Newsletter) -> CannotDecide:
    """What to say of a category that the newsletter has not."""
    return CannotDecide(f"没有「{name}」这个栏目；可用的有：{'、'.join(newsletter.category_names)}")


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


def publish(store: Store, newsletter: Newsletter, rules: Rules, issues: Sequence[Issue]) -> None:
    """Remember issues as printed: from now on their stories are published."""
    with store.transaction() as tx:
        for issue in issues:
            save_issue(tx, replace(issue, state="published"), newsletter, rules)


def _the_issue(tx: Transaction, day: date) -> Issue:
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue(f"没有 {day} 这一期；见 jianbao issue list")
    return issue


def _with_back_issues(issue: Issue, past: Sequence[date], newsletter: Newsletter) -> Issue:
    earlier = [day for day in past if day < issue.date]
    return replace(issue, back_issues=back_issues(earlier, newsletter)) if earlier else issue


def _issue_for(tx: Transaction, decision: Decision, drafts: Sequence[Issue], newsletter: Newsletter) -> Issue:
    if decision.issue is None and drafts:
        return max(drafts, key=lambda one: one.date)
    day = decision.issue or _day(decision.at, newsletter.zone)
    issue = tx.issues.get(day)
    if issue is None:
        return new_issue(day, newsletter)
    if issue.state == "published" and decision.issue is None:
        raise CannotDecide(f"{day} 一期已经刊出；用 --issue 指定下一期的日期")
    return issue


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
