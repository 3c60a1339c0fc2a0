"""What an editor does: look at candidates, decide what becomes of a story and what is one, and so fill an issue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations, product
from zoneinfo import ZoneInfo

from pipelines.errors import CannotDecide, EditorError
from pipelines.issue.proposal import propose_entry
from pipelines.issue.sections import (
    Slot,
    add_entry,
    find_slot,
    make_category_error,
    make_draft,
    remove_repeats,
    remove_story,
    restore_entry,
)
from pipelines.model import Candidate, CandidateState, Decision, DecisionAction, Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom
from pipelines.newsroom.issues import save_issue
from pipelines.newsroom.regroup import regroup
from pipelines.store import Transaction
from pipelines.store.errors import NoSuchStory


class Stale(EditorError):
    """Somebody changed it since the person saw it; nothing was written.

    Args:
        fresh: what it was about, as it is now: a candidate, or the issue's date.
    """

    def __init__(self, fresh: Candidate | date, code: str = "stale") -> None:
        super().__init__(code)
        self.fresh = fresh


class Overtaken(Stale):
    """Somebody else decided of a story since the decision that was to be taken back; nothing was written.

    Args:
        decision: its id, to pass over it.
    """

    def __init__(self, fresh: Candidate, decision: int) -> None:
        super().__init__(fresh, "overtaken")
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision led to.

    Args:
        candidate: as it is now.
        issue: the date of the issue that it was put in or taken out of, if any.
        others: further stories that came of it, by ascending id: what was split off.
    """

    candidate: Candidate
    issue: date | None
    others: tuple[Candidate, ...] = ()


def versions(tx: Transaction, candidates: Iterable[Candidate]) -> dict[int, str]:
    """What tells a story's present standing from a former or a later one, by story id."""
    return versions_of(tx, {one.story.id: one.state for one in candidates})


def versions_of(tx: Transaction, states: Mapping[int, CandidateState]) -> dict[int, str]:
    """`versions` of stories whose states are known, by story id."""
    newest = tx.decisions.find_newest_ids(states)
    return {one: f"{newest.get(one, 0)}-{state}" for one, state in states.items()}


def decide(newsroom: Newsroom, decision: Decision, *, seen: str | None = None) -> Decided:
    """Write down what becomes of a story, and carry it out in the issue that it concerns, in one transaction.

    A pick goes to the issue named, else to the newest draft, else to a new draft of the day. What drops a story takes
    it out of the drafts; a published issue stays as it was printed. An undo takes back the newest decision that stands,
    be it a merge or a split, and puts back what that found: state, category, words, and the place in the draft.

    Args:
        seen: the version of the story that the person saw; None does not look.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided of the story since it was seen; nothing was written.
        CannotDecide: the category is not the newsletter's, or the day's issue is out already.
    """
    with newsroom.store.transaction() as tx:
        return decide_in(tx, newsroom, decision, seen=seen)


def decide_in(tx: Transaction, newsroom: Newsroom, decision: Decision, *, seen: str | None = None) -> Decided:
    """`decide`, as a part of more."""
    newsletter = newsroom.newsletter
    candidate = find(tx, decision.story, seen)
    if decision.action == "undo":
        return _undo(tx, newsroom, decision, candidate)
    drafts = tx.issues.list_drafts()
    place = find_slot(candidate, drafts)
    issue = None
    if decision.action == "pick":
        issue = _issue_for(tx, decision, drafts, newsletter)
    elif decision.action in ("categorise", "edit") and place:
        issue = next(one for one in drafts if one.date == place.issue)
    category = decision.category or candidate.category
    if newsletter.category(category) is None:
        if decision.category or issue:
            raise make_category_error(category, newsletter)
    elif decision.action in ("pick", "categorise"):
        decision = replace(decision, category=category)
    if issue is not None:
        decision = replace(decision, issue=issue.date)
    noted = {**shown(candidate), **(place.to_note() if place else {}), **decision.shown}
    changed = tx.decisions.add(replace(decision, shown=noted))
    if decision.action == "pick":
        tx.snapshots.save(candidate.articles, decision.at)
    if issue is not None:
        entry = current_entry(tx, candidate, newsletter)
        filled = (
            restore_entry(issue, candidate, entry, place)
            if decision.action == "edit" and place
            else add_entry(issue, candidate, category, newsletter, entry)
        )
        save_issue(tx, filled, newsletter, newsroom.rules)
    done = _carried_out(tx, newsroom, decision.story, {*candidate.story.members, *changed}, changed)
    return done if issue is None else replace(done, issue=issue.date)


def find(tx: Transaction, story: int, seen: str | None = None) -> Candidate:
    """The candidate that has this article.

    Args:
        seen: the version of it that somebody saw; None does not look.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided of it since.
    """
    candidate = tx.stories.find_by_article(story)
    if candidate is None:
        raise NoSuchStory(story)
    if seen is not None and versions(tx, [candidate])[candidate.story.id] != seen:
        raise Stale(candidate)
    return candidate


def current_entry(tx: Transaction, candidate: Candidate, newsletter: Newsletter) -> Entry:
    """The entry that a story has or would have: as somebody edited it last, else as it is drafted."""
    return current_entries(tx, [candidate], newsletter)[candidate.story.id]


def current_entries(tx: Transaction, candidates: Sequence[Candidate], newsletter: Newsletter) -> dict[int, Entry]:
    """`current_entry` of each candidate, by story id."""
    histories = tx.decisions.find_by_stories((one.story.id for one in candidates), standing=True)
    found = {}
    for one in candidates:
        edits = (each.shown for each in reversed(histories.get(one.story.id, ())) if each.action == "edit")
        said = next((noted["after"] for noted in edits if "after" in noted), None)
        found[one.story.id] = propose_entry(one, newsletter) if said is None else Entry(said, one.story.id)
    return found


def _undo(tx: Transaction, newsroom: Newsroom, decision: Decision, candidate: Candidate) -> Decided:
    taken = next(iter(tx.decisions.find_last_on(candidate.story.id)), None)
    changed = tx.decisions.add(replace(decision, shown={**shown(candidate), **decision.shown}))
    done = _carried_out(tx, newsroom, decision.story, {*candidate.story.members, *changed}, changed)
    drafts = tx.issues.list_drafts()
    place = (Slot.from_note(taken.shown) if taken else None) or find_slot(done.candidate, drafts)
    if done.candidate.state != "picked" or place is None:
        return done
    if any(one.date == place.issue for one in drafts):
        entry = current_entry(tx, done.candidate, newsroom.newsletter)
        for one in drafts:
            at_home = one.date == place.issue
            after = restore_entry(one, done.candidate, entry, place) if at_home else remove_story(one, done.candidate)
            if after != one:
                save_issue(tx, after, newsroom.newsletter, newsroom.rules)
    return replace(done, issue=place.issue)


def merge(
    newsroom: Newsroom, story: int, others: Sequence[int], *, who: str, at: datetime, seen: str | None = None
) -> Decided:
    """Join stories by hand: from now on they are one, whatever is grouped or rebuilt.

    Its state is what was decided last of any of them, and its place in a draft is that of the pick.

    Args:
        story, others: ids of stories, or of any of their articles.
        who, at: the person and when; aware.
        seen: the version of the first that the person saw; None does not look.

    Raises:
        NoSuchStory: no article has or had one of these ids.
        CannotDecide: there is nothing to join with.
    """
    with newsroom.store.transaction() as tx:
        candidate = find(tx, story, seen)
        joined = [find(tx, one) for one in others]
        named = tx.articles.find_joined([story, *others])
        anchor, *partners = dict.fromkeys(named.get(one, one) for one in (story, *others))
        if not partners:
            raise CannotDecide("merge-needs-two", story=_named(candidate))
        members = {one for told in (candidate, *joined) for one in told.story.members}
        kept_apart = [
            pair
            for pair, word in tx.decisions.find_pairs_by_hand(members).items()
            if word.action == "split" and members.issuperset(pair)
        ]
        pairs = dict.fromkeys([*((anchor, one) for one in partners), *kept_apart])
        changed = _note(tx, candidate, [("merge", pair) for pair in pairs], who, at)
        return _carried_out(tx, newsroom, story, members, changed)


def split(
    newsroom: Newsroom, story: int, leaving: Sequence[int] = (), *, who: str, at: datetime, seen: str | None = None
) -> Decided:
    """Take articles out of their story by hand: from now on they are never one with the rest.

    What was decided of the story stays with the article that it was decided of.

    Args:
        story: id of the story, or of any of its articles.
        leaving: ids of articles of the story; where none is named, each article goes its own way.
        who, at: the person and when; aware.
        seen: the version of it that the person saw; None does not look.

    Raises:
        NoSuchStory: no article has or had that id.
        CannotDecide: an article is not the story's, or nobody would stay, or there is but one.
    """
    with newsroom.store.transaction() as tx:
        candidate = find(tx, story, seen)
        members = candidate.story.members
        known = members
        if len(members) == 1:
            raise CannotDecide("split-needs-two", story=_named(candidate))
        named = tx.articles.find_joined(leaving)
        gone = dict.fromkeys(named.get(one, one) for one in leaving)
        if strangers := [one for one in gone if one not in members]:
            raise CannotDecide(
                "split-strangers",
                story=_named(candidate),
                strangers=strangers,
                known=known,
            )
        rest = [one for one in members if one not in gone]
        if not rest:
            raise CannotDecide(
                "split-leaves-nothing",
                story=_named(candidate),
                known=known,
            )
        pairs = list(product(gone, rest)) if gone else list(combinations(members, 2))
        by_hand = tx.decisions.find_pairs_by_hand(members)
        severed = any(by_hand[pair].action == "merge" for pair in map(_ascending, pairs) if pair in by_hand)
        words: list[tuple[DecisionAction, tuple[int, int]]] = [("split", pair) for pair in pairs]
        if gone and severed:  # the rest was joined by hand to what leaves, and is to stay one
            words += [("merge", (rest[0], one)) for one in rest[1:]]
        changed = _note(tx, candidate, words, who, at)
        return _carried_out(tx, newsroom, story, members, changed)


def _ascending(pair: tuple[int, int]) -> tuple[int, int]:
    return min(pair), max(pair)


def _named(candidate: Candidate) -> str:
    """The story as messages call it."""
    return f"{candidate.story.id}「{candidate.lead.article.title}」"


def _note(
    tx: Transaction,
    candidate: Candidate,
    words: Iterable[tuple[DecisionAction, tuple[int, int]]],
    who: str,
    at: datetime,
) -> frozenset[int]:
    """Write down which pairs are joined and which are set apart, as one decision on a story."""
    before = shown(candidate)
    return tx.decisions.add(
        *(Decision(one, action, who, at, shown=before, other=other) for action, (one, other) in words)
    )


def _carried_out(
    tx: Transaction, newsroom: Newsroom, story: int, concerned: Iterable[int], changed: Collection[int]
) -> Decided:
    """Group again what changed, and let the drafts follow from what stories are picked now.

    Args:
        story: an article of the story that was spoken of.
        concerned: articles whose stories may be picked no more, or again.
        changed: those whose stories have to be made again.
    """
    if changed:
        regroup(tx, changed, newsroom.group_rules)
    told = {one.id for one in tx.stories.find_by_articles(concerned).values()}
    candidates = {one: find(tx, one) for one in sorted(told)}
    touched = _fill_drafts(tx, newsroom, list(candidates.values()))
    mine = find(tx, story)
    others = tuple(one for number, one in candidates.items() if number != mine.story.id)
    return Decided(mine, min(touched, default=None), others if changed else ())


def _fill_drafts(tx: Transaction, newsroom: Newsroom, told: Sequence[Candidate]) -> set[date]:
    """Have each picked story stand once in the drafts, in that of its pick, and no other story at all.

    Returns:
        The dates of the drafts that changed.
    """
    before = {draft.date: draft for draft in tx.issues.list_drafts()}
    drafts = dict(before)
    decided = tx.decisions.find_by_stories((one.story.id for one in told), standing=True)
    for one in told:
        pick = next((said for said in reversed(decided.get(one.story.id, [])) if said.action == "pick"), None)
        home = pick.issue if pick and one.state == "picked" else None
        holding = [day for day, draft in drafts.items() if remove_story(draft, one) != draft]
        if one.state == "picked" and home not in holding:
            home = holding[0] if holding else home
        for day in holding:
            drafts[day] = remove_repeats(drafts[day], one) if day == home else remove_story(drafts[day], one)
        if pick and home in drafts and not holding:
            drafts[home] = add_entry(
                drafts[home],
                one,
                pick.category or one.category,
                newsroom.newsletter,
                current_entry(tx, one, newsroom.newsletter),
            )
    changed = {day for day, draft in drafts.items() if draft != before[day]}
    for day in sorted(changed):
        save_issue(tx, drafts[day], newsroom.newsletter, newsroom.rules)
    return changed


def shown(candidate: Candidate) -> Mapping[str, str]:
    """What of a candidate was before the editor's eyes, kept with the decision for later training."""
    return {
        "title": candidate.lead.article.title,
        "url": candidate.lead.article.url,
        "category": candidate.category,
        "score": f"{candidate.score:.2f}",
        "state": candidate.state,
    }


def _issue_for(tx: Transaction, decision: Decision, drafts: Sequence[Issue], newsletter: Newsletter) -> Issue:
    if decision.issue is None and drafts:
        return max(drafts, key=lambda one: one.date)
    day = decision.issue or _day(decision.at, newsletter.zone)
    issue = tx.issues.get(day)
    if issue is None:
        return make_draft(day, newsletter)
    if issue.state == "published" and decision.issue is None:
        raise CannotDecide("pick-for-published-issue", day=day)
    return issue


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
