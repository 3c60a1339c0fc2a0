"""Changes of an issue in values: texts, entries, order, and a change taken back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import NoSuchIssue
from pipelines.issue.changes import (
    MOST_CHARACTERS,
    get_entry,
    list_entries,
    make_edition,
    make_order_edition,
    move_entry,
    replace_entries,
    replace_part,
    replace_text,
    restore_order,
    revert_change,
    tidy_text,
    write_order,
)
from pipelines.model import Change, Entry, Issue, Section

DAY = date(2026, 11, 1)
FREE = Entry("[自己写的](https://own.example/)")
"""An entry without a story."""


def story_entry(story: int) -> Entry:
    return Entry(f"条目 {story}", story)


def make_issue(*entries_by_section: list[Entry]) -> Issue:
    sections = tuple(Section(f"栏目{index}", tuple(entries)) for index, entries in enumerate(entries_by_section))
    return Issue(DAY, "试刊", sections)


def names(issue: Issue | None) -> list[list[int | str]]:
    """The story, or the text, of each entry by section."""
    assert issue is not None
    return [[entry.story or entry.markdown for entry in section.entries] for section in issue.sections]


def change(part: str, before: str | None, after: str | None) -> Change:
    return Change(1, DAY, part, before, after, "编辑甲", NOON)


TWO_SECTIONS = make_issue([story_entry(1), FREE], [story_entry(2), story_entry(3)])


# ---- texts


@given(st.text(alphabet=" \t\r\n字a"))
def test_a_tidy_text_stays_as_it_is(text: str) -> None:
    tidy = tidy_text(text)
    assert tidy_text(tidy) == tidy
    assert "\r" not in tidy
    assert not any(line != line.rstrip() for line in tidy.split("\n"))


def test_tidying_keeps_the_indent_of_the_first_line_and_cuts_a_text_that_is_too_long() -> None:
    assert tidy_text("  缩进 \n") == "  缩进"
    assert tidy_text("字" * (MOST_CHARACTERS + 1)) == "字" * MOST_CHARACTERS


def test_an_edition_differs_as_soon_as_the_text_differs_and_an_absent_text_counts_as_empty() -> None:
    assert make_edition("甲") != make_edition("乙")
    assert make_edition(None) == make_edition("")
    assert make_edition("\ud800")  # a lone surrogate, as a broken browser may send it


def test_a_part_or_an_entry_gets_a_tidied_text_and_without_either_nothing_changes() -> None:
    assert replace_text(TWO_SECTIONS, "一句 \n", part="guide").guide == "一句"
    assert replace_text(replace(TWO_SECTIONS, guide="一句"), " \n", part="guide").guide is None
    assert names(replace_text(TWO_SECTIONS, "x ", position=1)) == [[1, "x"], [2, 3]]
    assert replace_text(TWO_SECTIONS, "x") == TWO_SECTIONS
    with pytest.raises(NoSuchIssue, match="没有第 5 条"):
        replace_text(TWO_SECTIONS, "x", position=4)


# ---- entries


def test_positions_count_the_entries_of_all_sections() -> None:
    assert [get_entry(TWO_SECTIONS, position).story for position in range(4)] == [1, None, 2, 3]
    for position in (-1, 4):
        with pytest.raises(NoSuchIssue, match=f"没有第 {position + 1} 条"):
            get_entry(TWO_SECTIONS, position)


def test_an_entry_is_replaced_in_its_section_and_one_without_markdown_is_removed() -> None:
    changed = replace_entries(TWO_SECTIONS, {0: Entry(""), 2: Entry("新", 2)})
    assert names(changed) == [[FREE.markdown], [2, 3]]
    assert get_entry(changed, 1).markdown == "新"


@given(st.data())
def test_a_move_keeps_every_entry_and_the_order_of_the_others(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4).filter(any))
    stories = iter(range(1, 100))
    issue = make_issue(*[[story_entry(next(stories)) for _ in range(size)] for size in sizes])
    position = data.draw(st.integers(0, sum(sizes) - 1))
    section_index, entry_index = data.draw(st.integers(0, len(sizes) - 1)), data.draw(st.integers(-1, 5))
    moving = get_entry(issue, position)
    moved = move_entry(issue, position, section_index, entry_index)
    assert Counter(list_entries(moved)) == Counter(list_entries(issue))
    assert moving in moved.sections[section_index].entries
    for old, new in zip(issue.sections, moved.sections, strict=True):
        assert [entry for entry in old.entries if entry != moving] == [
            entry for entry in new.entries if entry != moving
        ]
    assert restore_order(moved, write_order(issue)) == issue


@pytest.mark.parametrize(
    ("position", "target", "order"),
    [
        (0, (0, 1), [[FREE.markdown, 1], [2, 3]]),
        (0, (0, 9), [[FREE.markdown, 1], [2, 3]]),
        (0, (1, -1), [[FREE.markdown], [1, 2, 3]]),
        (2, (0, 1), [[1, 2, FREE.markdown], [3]]),
    ],
)
def test_an_entry_moves_to_an_index_of_its_new_section(
    position: int, target: tuple[int, int], order: list[list[int | str]]
) -> None:
    assert names(move_entry(TWO_SECTIONS, position, *target)) == order


def test_an_entry_moves_only_to_a_section_of_the_issue() -> None:
    for section_index in (-1, 2):
        with pytest.raises(NoSuchIssue, match=f"没有第 {section_index + 1} 个栏目"):
            move_entry(TWO_SECTIONS, 0, section_index, 0)


def test_of_two_equal_entries_only_the_entry_at_the_position_moves() -> None:
    twice = make_issue([FREE, FREE], [])
    assert names(move_entry(twice, 0, 1, 0)) == [[FREE.markdown], [FREE.markdown]]


def test_the_edition_of_an_order_changes_with_a_move_but_not_with_the_text_of_a_storys_entry() -> None:
    edition = make_order_edition(TWO_SECTIONS)
    assert make_order_edition(move_entry(TWO_SECTIONS, 3, 1, 0)) != edition
    assert make_order_edition(replace_entries(TWO_SECTIONS, {0: Entry("另一句", 1)})) == edition


# ---- a change taken back


def test_an_order_returns_for_the_entries_that_are_left_and_new_entries_go_to_their_sections_end() -> None:
    order = write_order(TWO_SECTIONS)
    later = make_issue([story_entry(4), FREE], [story_entry(3), story_entry(1)])
    assert names(restore_order(later, order)) == [[1, FREE.markdown, 4], [3]]
    assert restore_order(make_issue([FREE]), order) is None


def test_a_part_returns_to_its_former_text_unless_it_was_written_again() -> None:
    written = replace_part(TWO_SECTIONS, "guide", "新")
    reverted = revert_change(written, change("guide", "旧", "新"))
    assert reverted is not None
    assert reverted.guide == "旧"
    assert revert_change(replace_part(written, "guide", "更新"), change("guide", "旧", "新")) is None
    assert revert_change(written, change("footer", None, None)) is None


def test_an_entry_without_a_story_returns_to_its_former_text_unless_it_was_written_again() -> None:
    reverted = revert_change(TWO_SECTIONS, change("entry", "旧", FREE.markdown))
    assert names(reverted) == [[1, "旧"], [2, 3]]
    draft = replace(TWO_SECTIONS, state="draft")
    assert revert_change(draft, change("entry", "旧", "条目 1")) is None  # the entry of a story
    correction_reverted = revert_change(TWO_SECTIONS, change("entry", "旧", "条目 1"))
    assert correction_reverted is not None
    assert correction_reverted.sections[0].entries[0].markdown == "旧"
    assert revert_change(TWO_SECTIONS, change("entry", "旧", "不在")) is None


def test_a_date_and_an_order_return() -> None:
    assert revert_change(TWO_SECTIONS, change("date", "2026-11-15", "2026-11-01")) == replace(
        TWO_SECTIONS, date=date(2026, 11, 15)
    )
    moved = move_entry(TWO_SECTIONS, 0, 1, 0)
    assert revert_change(moved, change("order", write_order(TWO_SECTIONS), write_order(moved))) == TWO_SECTIONS
