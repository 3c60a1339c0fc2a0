"""Carries out an editor's decisions: pick, drop, categorise, edit, undo, merge, split; the drafts follow from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise, product
from statistics import median_low
from typing import Final

from pipelines.errors import CannotDecide, EditorError
from pipelines.issue.house_style import LATE_ISSUES, HouseStyle, learn_house_style
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
from pipelines.newsroom.editing.candidates import measure_depth
from pipelines.newsroom.editing.enough import DEPTH
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.stages.following import follow_house
from pipelines.newsroom.stages.regroup import regroup
from pipelines.store import Transaction
from pipelines.store.errors import NoSuchStory

_RECENT: Final = 10
"""Issues of which the usual time between two issues is taken."""


class Stale(EditorError):
    """Somebody changed the subject since the person saw it; nothing was written.

    Args:
        fresh: the subject as it is now: a candidate, or the issue's date.
        code: of the sentence that tells it.
    """

    def __init__(self, fresh: Candidate | date, code: str = "stale") -> None:
        super().__init__(code)
        self.fresh = fresh


class Overtaken(Stale):
    """Somebody else decided on a story after the decision that was to be taken back; nothing was written.

    Args:
        fresh: the candidate as it is now.
        decision: id of the decision, so that a further undo can pass over it.
    """

    def __init__(self, fresh: Candidate, decision: int) -> None:
        super().__init__(fresh, "overtaken")
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome of a decision.

    Args:
        candidate: the story as it is now.
        issue: the date of the issue that the story entered or left; None where no issue changed.
        other_candidates: further stories that the decision changed, such as the parts of a split; by ascending id.
    """

    candidate: Candidate
    issue: date | None
    other_candidates: tuple[Candidate, ...] = ()


def read_versions(tx: Transaction, candidates: Iterable[Candidate]) -> dict[int, str]:
    """Read the version of each candidate, by story id: it changes with every decision on the story."""
    return read_state_versions(tx, {candidate.story.id: candidate.state for candidate in candidates})


def read_state_versions(tx: Transaction, states: Mapping[int, CandidateState]) -> dict[int, str]:
    """Read the versions of stories whose states are at hand, by story id."""
    newest = tx.decisions.find_newest_ids(states)
    return {story_id: f"{newest.get(story_id, 0)}-{state}" for story_id, state in states.items()}


def decide(newsroom: Newsroom, decision: Decision, *, seen_version: str | None = None) -> Decided:
    """Write a decision down and carry it out in the issue that it concerns, in one transaction.

    A pick goes to the issue that it names, else to the newest draft, else to a new draft of the next issue. Any
    decision that ends a pick takes the story out of the drafts; a published issue stays as it was printed. An undo
    takes back the newest standing decision, a merge or a split too, and restores the state, category, text and slot
    before it.

    Args:
        newsroom: the newsletter with its store.
        decision: who does what to which story, and when.
        seen_version: of the story as the person saw it; None skips the check.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided on the story since the person saw it; nothing was written.
        CannotDecide: the newsletter has no such category, or the day's issue is published.
    """
    if newsroom.is_further and decision.action == "undo" and _is_pair_newest(newsroom, decision.story):
        return _decide_in_house(newsroom, decision.story, seen_version, lambda house: decide(house, decision))
    with newsroom.store.transaction() as tx:
        return decide_in(tx, newsroom, decision, seen_version=seen_version)


def decide_in(tx: Transaction, newsroom: Newsroom, decision: Decision, *, seen_version: str | None = None) -> Decided:
    """Do what `decide` does, in the caller's transaction; arguments and errors are the same."""
    newsletter = newsroom.newsletter
    candidate = find_candidate(tx, decision.story, seen_version)
    if decision.action == "undo":
        return _undo(tx, newsroom, decision, candidate)
    drafts = tx.issues.list_drafts()
    slot = find_slot(candidate, drafts)
    issue = None
    if decision.action == "pick":
        issue = _choose_issue(tx, decision, drafts, newsletter)
    elif decision.action in ("categorise", "edit") and slot:
        issue = next(draft for draft in drafts if draft.date == slot.issue)
    category = decision.category or candidate.category
    if newsletter.category(category) is None and not newsletter.is_briefs(category):
        if decision.category or issue:
            raise make_category_error(category, newsletter)
    elif decision.action in ("pick", "categorise"):
        decision = replace(decision, category=category)
    if issue is not None:
        decision = replace(decision, issue=issue.date)
    note = {**describe_candidate(candidate), **(slot.to_note() if slot else {}), **decision.shown}
    if decision.action == "pick":
        note[DEPTH] = str(measure_depth(tx, candidate.story.id, decision.at))
    changed_ids = tx.decisions.add(replace(decision, shown=note))
    if decision.action == "pick":
        tx.snapshots.save(candidate.articles, decision.at)
    if issue is not None:
        entry = current_entry(tx, replace(candidate, category=category), newsletter)
        if decision.action == "edit" and slot:
            filled = restore_entry(issue, candidate, entry, slot)
        else:
            filled = add_entry(
                issue,
                replace(candidate, category=category),
                category,
                newsletter,
                entry,
                read_house_style(tx, newsletter),
            )
        save_issue(tx, filled, newsletter, newsroom.rules)
    outcome = _carry_out(tx, newsroom, decision.story, {*candidate.story.members, *changed_ids}, changed_ids)
    return outcome if issue is None else replace(outcome, issue=issue.date)


def find_next_day(published_days: Sequence[date], today: date) -> date:
    """Find the date of the next issue: today, or a usual interval after an issue that came out today or later.

    Args:
        published_days: of all published issues, oldest first.
        today: in the newsletter's time zone.

    >>> find_next_day([date(2020, 1, 1), date(2020, 1, 15), date(2020, 1, 30)], date(2020, 1, 30))
    datetime.date(2020, 2, 13)
    >>> find_next_day([date(2020, 1, 30)], date(2020, 2, 1))
    datetime.date(2020, 2, 1)
    """
    if not published_days or published_days[-1] < today:
        return today
    intervals = [later - earlier for earlier, later in pairwise(published_days[-_RECENT:])]
    return published_days[-1] + (median_low(intervals) if intervals else timedelta(days=1))


def find_candidate(tx: Transaction, article_id: int, seen_version: str | None = None) -> Candidate:
    """Find the candidate that holds an article.

    Args:
        tx: open for reading.
        article_id: of any article of the story.
        seen_version: of the story as a person saw it; None skips the check.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided on the story since.
    """
    candidate = tx.stories.find_by_article(article_id)
    if candidate is None:
        raise NoSuchStory(article_id)
    if seen_version is not None and read_versions(tx, [candidate])[candidate.story.id] != seen_version:
        raise Stale(candidate)
    return candidate


def current_entry(tx: Transaction, candidate: Candidate, newsletter: Newsletter) -> Entry:
    """Read the entry that a candidate has or would have: the last edit of it, else the proposal.

    Args:
        tx: open for reading.
        candidate: a story.
        newsletter: the house style of a proposal.
    """
    return current_entries(tx, [candidate], newsletter)[candidate.story.id]


def current_entries(tx: Transaction, candidates: Sequence[Candidate], newsletter: Newsletter) -> dict[int, Entry]:
    """Read `current_entry` of each candidate, by story id.

    Args:
        tx: open for reading.
        candidates: stories.
        newsletter: the house style of a proposal.
    """
    style = read_house_style(tx, newsletter)
    histories = tx.decisions.find_by_stories((candidate.story.id for candidate in candidates), standing=True)
    entries = {}
    for candidate in candidates:
        history = reversed(histories.get(candidate.story.id, ()))
        edits = (decision.shown for decision in history if decision.action == "edit")
        markdown = next((note["after"] for note in edits if "after" in note), None)
        entries[candidate.story.id] = (
            propose_entry(candidate, newsletter, style) if markdown is None else Entry(markdown, candidate.story.id)
        )
    return entries


def read_house_style(tx: Transaction, newsletter: Newsletter) -> HouseStyle:
    """Read the style of the newsletter's late issues."""
    key = ("house style", newsletter.labels, newsletter.category_names)
    return tx.cache.get(key, lambda: _learn_house_style(tx, newsletter))


def _learn_house_style(tx: Transaction, newsletter: Newsletter) -> HouseStyle:
    days = tx.issues.list_dates("published")[-LATE_ISSUES:]
    return learn_house_style((issue for day in days if (issue := tx.issues.get(day))), newsletter)


def _undo(tx: Transaction, newsroom: Newsroom, decision: Decision, candidate: Candidate) -> Decided:
    """Take the newest standing decision back; a pick that stands again returns to its slot, and only there."""
    undone = next(iter(tx.decisions.find_last_on(candidate.story.id)), None)
    changed_ids = tx.decisions.add(replace(decision, shown={**describe_candidate(candidate), **decision.shown}))
    outcome = _carry_out(tx, newsroom, decision.story, {*candidate.story.members, *changed_ids}, changed_ids)
    drafts = tx.issues.list_drafts()
    slot = (Slot.from_note(undone.shown) if undone else None) or find_slot(outcome.candidate, drafts)
    if outcome.candidate.state != "picked" or slot is None:
        return outcome
    if any(draft.date == slot.issue for draft in drafts):
        entry = current_entry(tx, outcome.candidate, newsroom.newsletter)
        for draft in drafts:
            if draft.date == slot.issue:
                changed = restore_entry(draft, outcome.candidate, entry, slot)
            else:
                changed = remove_story(draft, outcome.candidate)
            if changed != draft:
                save_issue(tx, changed, newsroom.newsletter, newsroom.rules)
    return replace(outcome, issue=slot.issue)


def merge(
    newsroom: Newsroom,
    story: int,
    partners: Sequence[int],
    *,
    who: str,
    decided_at: datetime,
    seen_version: str | None = None,
) -> Decided:
    """Join stories by hand: from now on they are one story, whatever is grouped or rebuilt.

    The joint story takes the state of the newest decision on any of them, and the slot of the pick.

    Args:
        newsroom: the newsletter with its store.
        story, partners: ids of stories, or of any of their articles.
        who: the person's name.
        decided_at: aware.
        seen_version: of the first story as the person saw it; None skips the check.

    Raises:
        NoSuchStory: no article has or had one of these ids.
        Stale: somebody decided on the first story since.
        CannotDecide: there is nothing to join with.
    """
    if newsroom.is_further:
        return _decide_in_house(
            newsroom, story, seen_version, lambda house: merge(house, story, partners, who=who, decided_at=decided_at)
        )
    with newsroom.store.transaction() as tx:
        candidate = find_candidate(tx, story, seen_version)
        partner_candidates = [find_candidate(tx, partner) for partner in partners]
        given_ids = (story, *partners)
        current_ids = tx.articles.find_joined(given_ids)
        anchor, *partner_ids = dict.fromkeys(current_ids.get(article_id, article_id) for article_id in given_ids)
        if not partner_ids:
            raise CannotDecide("merge-needs-two", story=_name_story(candidate))
        members = {member for each in (candidate, *partner_candidates) for member in each.story.members}
        split_pairs = [
            pair
            for pair, decision in tx.decisions.find_pairs_by_hand(members).items()
            if decision.action == "split" and members.issuperset(pair)
        ]
        pairs = dict.fromkeys([*((anchor, partner_id) for partner_id in partner_ids), *split_pairs])
        merges: list[_PairAction] = [("merge", pair) for pair in pairs]
        changed_ids = _note_pairs(tx, candidate, merges, who, decided_at)
        return _carry_out(tx, newsroom, story, members, changed_ids)


def split(
    newsroom: Newsroom,
    story: int,
    leaving: Sequence[int] = (),
    *,
    who: str,
    decided_at: datetime,
    seen_version: str | None = None,
) -> Decided:
    """Take articles out of their story by hand: from now on no grouping joins them with the articles that stay.

    A decision on the story stays with the article that it was taken on.

    Args:
        newsroom: the newsletter with its store.
        story: id of the story, or of any of its articles.
        leaving: ids of articles of the story; where none is given, each article becomes a story of its own.
        who: the person's name.
        decided_at: aware.
        seen_version: of the story as the person saw it; None skips the check.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided on the story since.
        CannotDecide: an article is not the story's, no article would stay, or the story has one article only.
    """
    if newsroom.is_further:
        return _decide_in_house(
            newsroom, story, seen_version, lambda house: split(house, story, leaving, who=who, decided_at=decided_at)
        )
    with newsroom.store.transaction() as tx:
        candidate = find_candidate(tx, story, seen_version)
        members = candidate.story.members
        if len(members) == 1:
            raise CannotDecide("split-needs-two", story=_name_story(candidate))
        current_ids = tx.articles.find_joined(leaving)
        leaving_ids = dict.fromkeys(current_ids.get(article_id, article_id) for article_id in leaving)
        strangers = [article_id for article_id in leaving_ids if article_id not in members]
        if strangers:
            raise CannotDecide("split-strangers", story=_name_story(candidate), strangers=strangers, known=members)
        staying_ids = [article_id for article_id in members if article_id not in leaving_ids]
        if not staying_ids:
            raise CannotDecide("split-leaves-nothing", story=_name_story(candidate), known=members)
        pairs = list(product(leaving_ids, staying_ids)) if leaving_ids else list(combinations(members, 2))
        by_hand = tx.decisions.find_pairs_by_hand(members)
        ascending = [(min(pair), max(pair)) for pair in pairs]
        severs_merge = any(by_hand[pair].action == "merge" for pair in ascending if pair in by_hand)
        actions: list[_PairAction] = [("split", pair) for pair in pairs]
        if leaving_ids and severs_merge:  # a person joined the staying articles through a leaving one
            actions += [("merge", (staying_ids[0], article_id)) for article_id in staying_ids[1:]]
        changed_ids = _note_pairs(tx, candidate, actions, who, decided_at)
        return _carry_out(tx, newsroom, story, members, changed_ids)


def tell_apart(
    newsroom: Newsroom,
    story: int,
    partners: Sequence[int],
    *,
    who: str,
    decided_at: datetime,
    seen_version: str | None = None,
) -> Decided:
    """Say that stories report another event: from now on no grouping joins them with the story, and none is offered.

    The answer is stored as a split of every two of their articles, so it holds for whatever stories they are in later.

    Args:
        newsroom: the newsletter with its store.
        story, partners: ids of stories, or of any of their articles.
        who: the person's name.
        decided_at: aware.
        seen_version: of the first story as the person saw it; None skips the check.

    Raises:
        NoSuchStory: no article has or had one of these ids.
        Stale: somebody decided on the first story since.
        CannotDecide: there is no other story, or one of the others is the same story.
    """
    if newsroom.is_further:
        return _decide_in_house(
            newsroom,
            story,
            seen_version,
            lambda house: tell_apart(house, story, partners, who=who, decided_at=decided_at),
        )
    with newsroom.store.transaction() as tx:
        candidate = find_candidate(tx, story, seen_version)
        strangers: dict[int, None] = {}
        for partner in partners:
            other_story = find_candidate(tx, partner).story
            if other_story.id == candidate.story.id:
                raise CannotDecide("apart-is-one-story", story=_name_story(candidate))
            strangers |= dict.fromkeys(other_story.members)
        if not strangers:
            raise CannotDecide("apart-needs-two", story=_name_story(candidate))
        members = candidate.story.members
        splits: list[_PairAction] = [("split", pair) for pair in product(members, strangers)]
        changed_ids = _note_pairs(tx, candidate, splits, who, decided_at)
        return _carry_out(tx, newsroom, story, {*members, *strangers}, changed_ids)


def _decide_in_house(
    newsroom: Newsroom, story: int, seen_version: str | None, act: Callable[[Newsroom], Decided]
) -> Decided:
    """Carry out in its house what a further newsletter's editor says of articles: which of them are one story.

    It holds for all newsletters of the house; this one follows at once, the others when they look next.

    Args:
        newsroom: the newsletter.
        story: id of an article of the story that the person decided on.
        seen_version: of the story as the person saw it; None skips the check.
        act: carries it out.
    """
    with newsroom.store.reading() as tx:
        find_candidate(tx, story, seen_version)
    in_house = act(newsroom.house)
    follow_house(newsroom.store, newsroom.group_rules)
    with newsroom.store.transaction() as tx:
        changed = (in_house.candidate, *in_house.other_candidates)
        members = [member for candidate in changed for member in candidate.story.members]
        return _settle_drafts(tx, newsroom, story, members)


def _is_pair_newest(newsroom: Newsroom, story: int) -> bool:
    """Whether the newest decision on a further newsletter's story is a merge or a split, which its house has."""
    with newsroom.store.reading() as tx:
        own = next(iter(tx.decisions.find_last_on(find_candidate(tx, story).story.id)), None)
    with newsroom.house.store.reading() as tx:
        last = next(iter(tx.decisions.find_last_on(story)), None)
    return last is not None and last.other is not None and (own is None or own.at < last.at)


_PairAction = tuple[DecisionAction, tuple[int, int]]


def _name_story(candidate: Candidate) -> str:
    """Name the story as messages do: its id and its title."""
    return f"{candidate.story.id}「{candidate.lead.article.title}」"


def _note_pairs(
    tx: Transaction, candidate: Candidate, actions: Iterable[_PairAction], who: str, decided_at: datetime
) -> frozenset[int]:
    """Write down which pairs are joined and which are set apart, as one decision on a story.

    Returns:
        Ids of articles whose stories have to be made again.
    """
    note = describe_candidate(candidate)
    return tx.decisions.add(
        *(Decision(low, action, who, decided_at, shown=note, other=high) for action, (low, high) in actions)
    )


def _carry_out(
    tx: Transaction, newsroom: Newsroom, story: int, concerned_ids: Iterable[int], changed_ids: Collection[int]
) -> Decided:
    """Regroup changed articles, and rewrite the drafts so that they hold the stories that are picked now.

    Args:
        tx: open for writing.
        newsroom: the newsletter with its rules.
        story: id of an article of the story that the person decided on.
        concerned_ids: of articles whose stories may have been picked or unpicked.
        changed_ids: of articles whose stories have to be made again.
    """
    if changed_ids:
        regroup(tx, changed_ids, newsroom.group_rules)
    decided = _settle_drafts(tx, newsroom, story, concerned_ids)
    return decided if changed_ids else replace(decided, other_candidates=())


def _settle_drafts(tx: Transaction, newsroom: Newsroom, story: int, concerned_ids: Iterable[int]) -> Decided:
    """Rewrite the drafts so that they hold the stories that are picked now; arguments as `_carry_out` has them."""
    candidates = tx.stories.get(tx.stories.find_ids(concerned_ids))
    changed_days = _fill_drafts(tx, newsroom, candidates)
    unchanged = () if changed_days else candidates
    decided = next((each for each in unchanged if story in each.story.members), None) or find_candidate(tx, story)
    other_candidates = tuple(each for each in candidates if each.story.id != decided.story.id)
    return Decided(decided, min(changed_days, default=None), other_candidates)


def _fill_drafts(tx: Transaction, newsroom: Newsroom, candidates: Sequence[Candidate]) -> set[date]:
    """Rewrite the drafts so that every picked story appears exactly once, in the draft for its pick date.

    A story that is not picked appears in no draft.

    Args:
        tx: open for writing.
        newsroom: the newsletter with its rules.
        candidates: the stories to look for.

    Returns:
        The dates of the drafts that changed.
    """
    stored = {draft.date: draft for draft in tx.issues.list_drafts()}
    drafts = dict(stored)
    histories = tx.decisions.find_by_stories((candidate.story.id for candidate in candidates), standing=True)
    for candidate in candidates:
        history = reversed(histories.get(candidate.story.id, []))
        pick = next((decision for decision in history if decision.action == "pick"), None)
        home = pick.issue if pick and candidate.state == "picked" else None
        holding_days = [day for day, draft in drafts.items() if remove_story(draft, candidate) != draft]
        if candidate.state == "picked" and home not in holding_days and holding_days:
            home = holding_days[0]
        for day in holding_days:
            change = remove_repeats if day == home else remove_story
            drafts[day] = change(drafts[day], candidate)
        if pick and home in drafts and not holding_days:
            category = pick.category or candidate.category
            entry = current_entry(tx, candidate, newsroom.newsletter)
            style = read_house_style(tx, newsroom.newsletter)
            drafts[home] = add_entry(drafts[home], candidate, category, newsroom.newsletter, entry, style)
    changed_days = {day for day, draft in drafts.items() if draft != stored[day]}
    for day in sorted(changed_days):
        save_issue(tx, drafts[day], newsroom.newsletter, newsroom.rules)
    return changed_days


def describe_candidate(candidate: Candidate) -> Mapping[str, str]:
    """Describe a candidate as the editor saw it; a decision keeps this for later training."""
    return {
        "title": candidate.lead.article.title,
        "url": candidate.lead.article.url,
        "category": candidate.category,
        "score": f"{candidate.score:.2f}",
        "state": candidate.state,
    }


def _choose_issue(tx: Transaction, decision: Decision, drafts: Sequence[Issue], newsletter: Newsletter) -> Issue:
    """Choose the issue of a pick: the issue that it names, else the newest draft, else a new draft of the next day."""
    if decision.issue is None and drafts:
        return max(drafts, key=lambda draft: draft.date)
    today = decision.at.astimezone(newsletter.zone).date()
    day = decision.issue or find_next_day(tx.issues.list_dates("published"), today)
    issue = tx.issues.get(day)
    if issue is None:
        return make_draft(day, newsletter)
    if issue.state == "published":
        raise CannotDecide("pick-for-published-issue", day=day)
    return issue
