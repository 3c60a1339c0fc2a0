"""Entries of a draft by section: put in, moved, taken out, put back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from builders import stored

from pipelines.errors import CannotDecide
from pipelines.group.candidates import GroupRules, grade
from pipelines.issue.proposal import propose_entry
from pipelines.issue.sections import Slot, add_entry, find_slot, make_draft, remove_repeats, remove_story, restore_entry
from pipelines.model import Candidate, Entry, Issue, Story
from pipelines.newsletter import Category, Newsletter

DAY = date(2026, 11, 1)
NEWSLETTER = Newsletter(
    title="试刊",
    editor="e",
    tagline="一句话",
    front_matter="layout: default",
    footer="\n页脚\n",
    categories=(Category(name="新闻", aliases=("应用",)), Category(name="教程", notes="> 注：一条说明。")),
)


def candidate(*members: int) -> Candidate:
    """A story of articles with these ids; the first leads."""
    story = Story(members[0], members, members[0])
    return grade(story, [stored(number) for number in members], GroupRules.of(NEWSLETTER, {}, {}))


def entry(story_id: int | None, text: str = "") -> Entry:
    return Entry(text or f"条目 {story_id}", story_id)


def issue(news: tuple[Entry, ...] = (), tutorials: tuple[Entry, ...] = ()) -> Issue:
    empty = make_draft(DAY, NEWSLETTER)
    first, second = empty.sections
    return replace(empty, sections=(replace(first, entries=news), replace(second, entries=tutorials)))


def stories(draft: Issue) -> dict[str, list[int | None]]:
    return {section.name: [one.story for one in section.entries] for section in draft.sections}


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1989, 12, 31), date(9999, 12, 31)])
def test_no_draft_is_begun_on_a_day_that_nobody_means(day: date) -> None:
    with pytest.raises(CannotDecide, match="不像是出刊的日子"):
        make_draft(day, NEWSLETTER)


def test_a_new_issue_is_an_empty_draft_with_the_newsletters_sections_and_words() -> None:
    made = make_draft(DAY, NEWSLETTER)
    assert stories(made) == {"新闻": [], "教程": []}
    assert (made.state, made.date, made.title, made.tagline) == ("draft", DAY, "试刊", "一句话")
    assert (made.front_matter, made.footer, made.notice) == ("layout: default", "页脚", None)
    assert [section.notes for section in made.sections] == [None, "> 注：一条说明。"]


def test_a_place_is_the_first_entry_of_any_member_in_the_first_issue_that_has_one() -> None:
    other_day = replace(issue(), date=date(2026, 11, 15))
    draft = issue((entry(9), entry(None)), (entry(3), entry(8), entry(2)))
    assert find_slot(candidate(2, 3), [other_day, draft]) == Slot(DAY, "教程", 0)
    assert find_slot(candidate(2), [draft]) == Slot(DAY, "教程", 2)
    assert find_slot(candidate(7), [other_day, draft]) is None


def test_a_place_comes_back_from_what_a_decision_noted() -> None:
    place = Slot(DAY, "教程", 2)
    assert Slot.from_note(place.to_note()) == place
    assert Slot.from_note({**place.to_note(), "title": "题目"}) == place
    for missing in place.to_note():
        assert Slot.from_note({name: value for name, value in place.to_note().items() if name != missing}) is None


def test_an_entry_goes_to_the_end_of_its_section_as_proposed_or_as_given() -> None:
    draft = issue((entry(1),), (entry(2),))
    story = candidate(3)
    assert add_entry(draft, story, "新闻", NEWSLETTER).sections[0].entries == (
        entry(1),
        propose_entry(story, NEWSLETTER),
    )
    given = entry(3, "编辑写的")
    assert add_entry(draft, story, "教程", NEWSLETTER, given).sections[1].entries == (entry(2), given)


def test_an_entry_that_stands_moves_and_keeps_its_text() -> None:
    standing = entry(3, "编辑写的")
    moved = add_entry(issue((standing, entry(1)), (entry(2),)), candidate(3), "教程", NEWSLETTER, entry(3, "新的"))
    assert stories(moved) == {"新闻": [1], "教程": [2, 3]}
    assert moved.sections[1].entries[-1] is standing


def test_an_entry_of_another_member_of_the_story_stands_for_it() -> None:
    draft = issue((entry(4, "甲"), entry(3, "乙")))
    assert add_entry(draft, candidate(3, 4), "教程", NEWSLETTER).sections[1].entries == (entry(4, "甲"),)


def test_a_section_is_found_under_its_alias_and_made_where_the_draft_has_none() -> None:
    assert stories(add_entry(issue(), candidate(1), "应用", NEWSLETTER)) == {"新闻": [1], "教程": []}
    only_tutorials = replace(issue(), sections=issue().sections[1:])
    assert stories(add_entry(only_tutorials, candidate(1), "应用", NEWSLETTER)) == {"教程": [], "新闻": [1]}
    under_alias = replace(issue(), sections=(replace(issue().sections[0], name="应用"),))
    assert stories(add_entry(under_alias, candidate(1), "新闻", NEWSLETTER)) == {"应用": [1]}


def test_a_category_that_the_newsletter_has_not_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(CannotDecide, match="没有「体育」这个栏目；可用的有：新闻、教程"):
        add_entry(issue(), candidate(1), "体育", NEWSLETTER)


@pytest.mark.parametrize(("position", "order"), [(0, [3, 1, 2]), (1, [1, 3, 2]), (2, [1, 2, 3]), (9, [1, 2, 3])])
def test_an_entry_is_put_back_where_it_stood_or_last_in_a_shorter_section(position: int, order: list[int]) -> None:
    draft = issue((entry(1), entry(2)))
    put = restore_entry(draft, candidate(3), entry(3), Slot(DAY, "新闻", position))
    assert stories(put) == {"新闻": order, "教程": []}


def test_an_entry_is_put_back_once_and_its_section_made_again() -> None:
    draft = issue((entry(1), entry(3)))
    put = restore_entry(draft, candidate(3), entry(3, "从前的"), Slot(DAY, "论文", 0))
    assert stories(put) == {"新闻": [1], "教程": [], "论文": [3]}
    assert put.sections[-1].entries[0].markdown == "从前的"


def test_a_story_leaves_with_the_entries_of_all_its_members_and_nothing_else_does() -> None:
    draft = issue((entry(1), entry(2), entry(None)), (entry(3), entry(1, "再次")))
    assert stories(remove_story(draft, candidate(1, 3))) == {"新闻": [2, None], "教程": []}
    assert remove_story(draft, candidate(7)) == draft


def test_of_several_entries_of_a_story_the_first_stays() -> None:
    draft = issue((entry(2), entry(3, "甲")), (entry(1, "乙"), entry(3, "甲"), entry(9)))
    once = remove_repeats(draft, candidate(1, 3))
    assert stories(once) == {"新闻": [2, 3], "教程": [9]}
    assert remove_repeats(once, candidate(1, 3)) == once
    assert remove_repeats(once, candidate(7)) == once
