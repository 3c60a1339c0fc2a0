"""The blank lines of past issues: an export writes as many as the file had."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.issue.blank_lines import find_blank_lines, set_blank_lines

LINES = ("# 甲", "## 乙", "- 丙", "- 丙", "丁", "> 戊")

spacings = st.lists(st.integers(1, 3), min_size=len(LINES), max_size=len(LINES))


def space(counts: list[int]) -> str:
    return "\n".join("\n" * count + line for count, line in zip(counts, LINES, strict=True)) + "\n"


@given(spacings, spacings)
def test_whatever_blank_lines_a_file_has_come_back(of_file: list[int], of_style: list[int]) -> None:
    original, rendered = space(of_file), space(of_style)
    assert set_blank_lines(rendered, find_blank_lines(original, rendered)) == original


def test_where_the_file_is_as_the_house_style_nothing_is_kept() -> None:
    assert find_blank_lines("# 甲\n\n- 乙  \n", "# 甲\n\n- 乙\n") == ()


def test_a_line_that_was_written_since_keeps_the_blank_lines_of_the_house_style() -> None:
    kept = find_blank_lines("## 甲\n\n\n- 乙\n", "## 甲\n\n- 乙\n")
    assert set_blank_lines("## 甲\n\n- 新\n- 乙\n", kept) == "## 甲\n\n- 新\n\n\n- 乙\n"
    assert set_blank_lines("## 甲\n\n- 新\n", kept) == "## 甲\n\n- 新\n"


def test_no_paragraph_joins_the_one_above_it_since_its_blank_line_is_taken() -> None:
    kept = find_blank_lines("## 甲\n乙\n", "## 甲\n\n乙\n")
    assert set_blank_lines("## 甲\n\n乙\n", kept) == "## 甲\n乙\n"
    assert set_blank_lines("## 甲\n\n新\n\n乙\n", kept) == "## 甲\n\n新\n\n乙\n"
