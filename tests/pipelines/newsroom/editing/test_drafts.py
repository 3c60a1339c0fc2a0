"""What an editor changes of a draft, and what decisions on stories make of the drafts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from builders import NOON

from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue.changes import MOST_CHARACTERS, make_edition, make_order_edition
from pipelines.issue.entry import reword_entry
from pipelines.model import Decision, DecisionAction, Entry, Issue
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import Overtaken, Stale, decide, merge, split
from pipelines.newsroom.editing.drafts import move_entry, redate, reword_story, write_entry, write_part
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.editing.publishing import publish_issues
from pipelines.newsroom.editing.undo import undo_last
from pipelines.newsroom.editor import Editor

FIRST, SECOND, THIRD = date(2026, 11, 1), date(2026, 11, 15), date(2026, 11, 29)


def later(editor: Editor, minutes: int, name: str | None = None) -> Editor:
    return replace(editor, now=NOON + timedelta(minutes=minutes), name=name or editor.name)


def act(
    newsroom: Newsroom, story: int, action: DecisionAction, issue: date | None = None, category: str | None = None
) -> None:
    an_hour_ago = NOON - timedelta(hours=1)
    decide(newsroom, Decision(story, action, "编辑甲", an_hour_ago, category=category, issue=issue))


def pick(newsroom: Newsroom, *picked: int, issue: date = FIRST, category: str = "博文") -> None:
    for story in picked:
        act(newsroom, story, "pick", issue, category)


def publish(newsroom: Newsroom) -> None:
    publish_issues(Editor(newsroom, "编辑甲", NOON + timedelta(hours=1)), [draft(newsroom)])


def draft(newsroom: Newsroom, day: date = FIRST) -> Issue:
    with newsroom.store.reading() as tx:
        issue = tx.issues.get(day)
    assert issue is not None
    return issue


def entries(newsroom: Newsroom, day: date = FIRST) -> list[Entry]:
    return [entry for section in draft(newsroom, day).sections for entry in section.entries]


def stories(newsroom: Newsroom, day: date = FIRST) -> dict[str, list[int | None]]:
    return {
        section.name: [entry.story for entry in section.entries]
        for section in draft(newsroom, day).sections
        if section.entries
    }


def add_entry_of_no_story(newsroom: Newsroom, markdown: str = "[自己写的](https://own.example/)\n摘要：无。") -> None:
    """Put an entry that no story stands behind at the head of the first section."""
    issue = draft(newsroom)
    first, *others = issue.sections
    changed = replace(issue, sections=(replace(first, entries=(Entry(markdown), *first.entries)), *others))
    with newsroom.store.transaction() as tx:
        save_issue(tx, changed, newsroom.newsletter, newsroom.rules)


# ---- which draft a story's entry stands in


def test_a_story_picked_for_another_issue_leaves_the_first_one(newsroom: Newsroom) -> None:
    pick(newsroom, 1, 2)
    pick(newsroom, 1, issue=SECOND)
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({"博文": [2]}, {"博文": [1]})
    pick(newsroom, 1)
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({"博文": [2, 1]}, {})


@pytest.mark.parametrize("action", ["drop", "later"])
def test_a_story_that_is_picked_no_more_leaves_every_draft_and_comes_back_where_it_stood(
    newsroom: Newsroom, action: DecisionAction
) -> None:
    pick(newsroom, 1, 2, 3)
    act(newsroom, 2, action)
    assert stories(newsroom) == {"博文": [1, 3]}
    act(newsroom, 2, "undo")
    assert stories(newsroom) == {"博文": [1, 2, 3]}


def test_a_pick_that_is_taken_back_leaves_the_draft_and_an_earlier_pick_stands_again(newsroom: Newsroom) -> None:
    pick(newsroom, 1)
    pick(newsroom, 1, issue=SECOND, category="论文")
    act(newsroom, 1, "undo")
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({"博文": [1]}, {})
    act(newsroom, 1, "undo")
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({}, {})


def test_stories_that_are_merged_have_one_entry_in_the_draft_of_the_newest_pick(newsroom: Newsroom) -> None:
    pick(newsroom, 1)
    pick(newsroom, 2, issue=SECOND)
    merge(newsroom, 1, [2], who="编辑甲", decided_at=NOON)
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({}, {"博文": [2]})
    act(newsroom, 1, "undo")
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({"博文": [1]}, {"博文": [2]})


def test_stories_of_one_draft_that_are_merged_keep_the_first_entry(newsroom: Newsroom) -> None:
    pick(newsroom, 2, 1, 3)
    merge(newsroom, 1, [3], who="编辑甲", decided_at=NOON)
    assert stories(newsroom) == {"博文": [2, 1]}
    act(newsroom, 1, "undo")
    assert sorted(stories(newsroom)["博文"], key=str) == [1, 2, 3]


def test_a_dropped_story_that_is_merged_takes_the_picked_one_out_where_it_was_decided_last(newsroom: Newsroom) -> None:
    pick(newsroom, 1, 3)
    act(newsroom, 2, "drop")
    merge(newsroom, 1, [2], who="编辑甲", decided_at=NOON)
    assert stories(newsroom) == {"博文": [3]}


def test_a_split_leaves_the_entry_with_the_article_that_was_picked(newsroom: Newsroom) -> None:
    merge(newsroom, 1, [2], who="编辑甲", decided_at=NOON)
    pick(newsroom, 1)
    split(newsroom, 1, [2], who="编辑甲", decided_at=NOON + timedelta(minutes=1))
    assert stories(newsroom) == {"博文": [1]}


def test_a_story_stays_in_a_draft_that_comes_out_on_another_day_than_it_was_picked_for(
    newsroom: Newsroom, editor: Editor
) -> None:
    pick(newsroom, 1, 2)
    redate(editor, FIRST, THIRD)
    act(newsroom, 1, "categorise", category="论文")
    reword_story(editor, 2, title="新题", summary="新的摘要。")
    assert stories(newsroom, THIRD) == {"论文": [1], "博文": [2]}


def test_what_is_published_stays_as_it_was_printed(newsroom: Newsroom) -> None:
    pick(newsroom, 1)
    pick(newsroom, 2, issue=SECOND)
    publish(newsroom)
    merge(newsroom, 1, [2], who="编辑甲", decided_at=NOON)
    act(newsroom, 1, "drop")
    assert (stories(newsroom), stories(newsroom, SECOND)) == ({"博文": [1]}, {})


def test_a_pick_without_a_day_goes_to_the_newest_draft_and_else_to_a_new_one_of_the_day(newsroom: Newsroom) -> None:
    act(newsroom, 1, "pick", category="博文")
    assert stories(newsroom, FIRST) == {"博文": [1]}
    pick(newsroom, 2, issue=SECOND)
    act(newsroom, 3, "pick", category="博文")
    assert stories(newsroom, SECOND) == {"博文": [2, 3]}


def test_after_an_issue_is_out_a_pick_goes_to_the_next_one_by_itself(newsroom: Newsroom) -> None:
    pick(newsroom, 1)
    publish(newsroom)
    act(newsroom, 2, "pick", category="博文")
    assert stories(newsroom, FIRST + timedelta(days=1)) == {"博文": [2]}
    with pytest.raises(CannotDecide, match="已经刊出；用 --issue"):
        pick(newsroom, 3)


def test_the_next_issue_comes_out_as_long_after_the_last_one_as_usual(newsroom: Newsroom) -> None:
    with newsroom.store.transaction() as tx:
        for weeks in (6, 4, 2, 0):
            past = Issue(FIRST - timedelta(weeks=weeks), "嵌入式AI简报")
            save_issue(tx, past, newsroom.newsletter, newsroom.rules)
    act(newsroom, 2, "pick", category="博文")
    assert stories(newsroom, SECOND) == {"博文": [2]}


# ---- a part of a draft


def test_a_part_is_tidied_written_and_taken_back(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    assert write_part(editor, FIRST, "guide", "\r\n 一句。  \r\n\r第二句\t\n\n").guide == " 一句。\n\n第二句"
    assert draft(newsroom).guide == " 一句。\n\n第二句"
    assert write_part(later(editor, 1), FIRST, "guide", "另一句").guide == "另一句"
    assert undo_last(later(editor, 2)).issue == FIRST
    assert draft(newsroom).guide == " 一句。\n\n第二句"
    undo_last(later(editor, 3))
    assert draft(newsroom).guide is None


def test_a_part_written_blank_is_none_and_one_too_long_is_cut(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    assert write_part(editor, FIRST, "headline", "字" * (MOST_CHARACTERS + 1)).headline == "字" * MOST_CHARACTERS
    assert write_part(editor, FIRST, "headline", " \n").headline is None


def test_a_part_that_is_written_as_it_stands_is_no_step_to_take_back(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    write_part(editor, FIRST, "guide", "一句")
    write_part(later(editor, 1), FIRST, "guide", "一句  \n")
    undo_last(later(editor, 2))
    assert draft(newsroom).guide is None


def test_a_part_that_somebody_else_changed_is_not_overwritten(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    write_part(editor, FIRST, "guide", "甲的", seen_edition=make_edition(None))
    with pytest.raises(Stale):
        write_part(later(editor, 1, "编辑乙"), FIRST, "guide", "乙的", seen_edition=make_edition(None))
    assert draft(newsroom).guide == "甲的"


CHANGES: list[Callable[[Editor, date], object]] = [
    lambda editor, day: write_part(editor, day, "guide", "x"),
    lambda editor, day: write_entry(editor, day, 0, "x"),
    lambda editor, day: move_entry(editor, day, 0, 0, 0),
    lambda editor, day: redate(editor, day, THIRD),
]


@pytest.mark.parametrize("change", CHANGES)
def test_only_a_draft_is_changed(newsroom: Newsroom, editor: Editor, change: Callable[[Editor, date], object]) -> None:
    with pytest.raises(NoSuchIssue):
        change(editor, FIRST)
    pick(newsroom, 1)
    publish(newsroom)
    with pytest.raises(CannotDecide, match="已经刊出"):
        change(editor, FIRST)


# ---- an entry


def test_an_entry_is_written_in_its_place_and_taken_back(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1, 2)
    before = entries(newsroom)
    write_entry(editor, FIRST, 1, "[新题](https://example.org/2)\n摘要：新。  ")
    assert entries(newsroom) == [before[0], Entry("[新题](https://example.org/2)\n摘要：新。", 2)]
    assert undo_last(later(editor, 1)).action == "edit"
    assert entries(newsroom) == before


def test_a_storys_entry_cannot_be_blank_and_an_entry_of_no_story_goes(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    add_entry_of_no_story(newsroom)
    before = entries(newsroom)
    with pytest.raises(CannotDecide, match="条目不能是空的"):
        write_entry(editor, FIRST, 1, " ")
    write_entry(editor, FIRST, 0, "另一段", seen_edition=make_edition(before[0].markdown))
    assert undo_last(later(editor, 1)).issue == FIRST
    assert entries(newsroom) == before
    write_entry(later(editor, 2), FIRST, 0, " ")
    assert [entry.story for entry in entries(newsroom)] == [1]


def test_an_entry_that_somebody_else_changed_or_that_is_not_there_is_refused(
    newsroom: Newsroom, editor: Editor
) -> None:
    pick(newsroom, 1)
    seen = make_edition(entries(newsroom)[0].markdown)
    write_entry(editor, FIRST, 0, "甲的", seen_edition=seen)
    with pytest.raises(Stale):
        write_entry(editor, FIRST, 0, "乙的", seen_edition=seen)
    for position in (-1, 1):
        with pytest.raises(NoSuchIssue, match=f"没有第 {position + 1} 条"):
            write_entry(editor, FIRST, position, "x")


def test_a_story_reworded_before_its_pick_enters_the_draft_in_these_words(newsroom: Newsroom, editor: Editor) -> None:
    reword_story(editor, 1, title="新题", summary="新的摘要。")
    pick(newsroom, 1)
    (entry,) = entries(newsroom)
    assert "新题" in entry.markdown
    assert entry.markdown.endswith("摘要：新的摘要。")
    assert reword_entry(entry.markdown, newsroom.newsletter, title="新题", summary="新的摘要。") == entry.markdown


# ---- order and day


def find_section(newsroom: Newsroom, name: str) -> int:
    return [section.name for section in draft(newsroom).sections].index(name)


@pytest.mark.parametrize(
    ("position", "target", "order"),
    [
        (0, ("博文", 1), {"博文": [2, 1, 3]}),
        (0, ("博文", 9), {"博文": [2, 3, 1]}),
        (2, ("博文", 0), {"博文": [3, 1, 2]}),
        (2, ("博文", -1), {"博文": [3, 1, 2]}),
        (1, ("论文", 0), {"论文": [2], "博文": [1, 3]}),
    ],
)
def test_an_entry_moves_and_moves_back(
    newsroom: Newsroom, editor: Editor, position: int, target: tuple[str, int], order: dict[str, list[int]]
) -> None:
    pick(newsroom, 1, 2, 3)
    section, place = target
    number = find_section(newsroom, section)
    move_entry(editor, FIRST, position, number, place, seen_edition=make_order_edition(draft(newsroom)))
    assert stories(newsroom) == order
    undo_last(later(editor, 1))
    assert stories(newsroom) == {"博文": [1, 2, 3]}


def test_an_entry_moves_to_a_section_that_is_there_and_from_an_order_that_was_seen(
    newsroom: Newsroom, editor: Editor
) -> None:
    pick(newsroom, 1, 2)
    seen = make_order_edition(draft(newsroom))
    sections = len(draft(newsroom).sections)
    for number in (-1, sections):
        with pytest.raises(NoSuchIssue, match=f"没有第 {number + 1} 个栏目"):
            move_entry(editor, FIRST, 0, number, 0)
    move_entry(editor, FIRST, 0, sections - 1, 1, seen_edition=seen)
    with pytest.raises(Stale):
        move_entry(editor, FIRST, 0, sections - 1, 1, seen_edition=seen)


def test_an_order_comes_back_for_the_entries_that_are_still_there_and_new_ones_stand_last(
    newsroom: Newsroom, editor: Editor
) -> None:
    pick(newsroom, 1, 2, 3)
    blog = find_section(newsroom, "博文")
    move_entry(later(editor, 1), FIRST, 0, blog, 2)
    decide(newsroom, Decision(2, "drop", "编辑乙", NOON + timedelta(minutes=2)))
    decide(newsroom, Decision(4, "pick", "编辑乙", NOON + timedelta(minutes=3), category="博文", issue=FIRST))
    assert stories(newsroom) == {"博文": [3, 1, 4]}
    undo_last(later(editor, 4))
    assert stories(newsroom) == {"博文": [1, 3, 4]}


def test_a_draft_comes_out_on_another_day_and_on_the_first_again(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    pick(newsroom, 2, issue=SECOND)
    assert redate(editor, FIRST, FIRST) == draft(newsroom)
    with pytest.raises(CannotDecide, match="已有一期"):
        redate(editor, FIRST, SECOND)
    redate(editor, FIRST, THIRD)
    assert stories(newsroom, THIRD) == {"博文": [1]}
    with newsroom.store.reading() as tx:
        assert tx.issues.get(FIRST) is None
    assert undo_last(later(editor, 1)).issue == FIRST
    with newsroom.store.reading() as tx:
        assert sorted(tx.issues.list_dates()) == [FIRST, SECOND]


# ---- the last step


def test_steps_are_taken_back_one_by_one_newest_first_whatever_they_were(newsroom: Newsroom, editor: Editor) -> None:
    write = later(editor, 1)
    pick(newsroom, 1)
    write_part(write, FIRST, "guide", "一句")
    decide(newsroom, Decision(1, "drop", editor.name, NOON + timedelta(minutes=2)))
    assert undo_last(later(editor, 3)).action == "drop"
    assert undo_last(later(editor, 4)).action == "change"
    assert undo_last(later(editor, 5)).action == "pick"
    assert (stories(newsroom), draft(newsroom).guide) == ({}, None)
    with pytest.raises(CannotDecide, match="没有可以撤回的"):
        undo_last(later(editor, 6))


def test_a_step_that_was_taken_back_is_not_taken_back_again(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1, 2)
    move_entry(editor, FIRST, 0, find_section(newsroom, "博文"), 1)
    assert undo_last(later(editor, 1)).action == "change"
    assert undo_last(later(editor, 2)).action == "pick"


def test_a_change_of_an_issue_that_is_published_is_not_taken_back(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    write_part(later(editor, 1, "编辑丙"), FIRST, "guide", "一句")
    publish(newsroom)
    with pytest.raises(CannotDecide, match="没有可以撤回的"):
        undo_last(later(editor, 2, "编辑丙"))
    assert draft(newsroom).guide == "一句"


def test_nobody_takes_back_what_another_did(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    write_part(editor, FIRST, "guide", "甲的")
    with pytest.raises(CannotDecide):
        undo_last(later(editor, 1, "编辑乙"))


def test_a_part_that_another_wrote_since_is_passed_over(newsroom: Newsroom, editor: Editor) -> None:
    pick(newsroom, 1)
    write_part(later(editor, 1), FIRST, "headline", "甲的要目")
    write_part(later(editor, 2), FIRST, "guide", "甲的导读")
    write_part(later(editor, 3, "编辑乙"), FIRST, "guide", "乙的导读")
    undo_last(later(editor, 4))
    assert (draft(newsroom).headline, draft(newsroom).guide) == (None, "乙的导读")


def test_a_decision_that_another_overtook_is_named_and_passed_over_on_request(
    newsroom: Newsroom, editor: Editor
) -> None:
    pick(newsroom, 2)
    pick(newsroom, 1)
    decide(newsroom, Decision(1, "drop", "编辑乙", NOON + timedelta(minutes=1)))
    with pytest.raises(Overtaken) as caught:
        undo_last(later(editor, 2))
    assert undo_last(later(editor, 3), passing=[caught.value.decision]).action == "pick"
    assert stories(newsroom) == {}
