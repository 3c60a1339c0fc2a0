"""The table of an issue: what a spreadsheet reads, whatever the issue holds."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from crawler.home import bundled
from pipelines.issue.escape import escape_markdown
from pipelines.issue.formats.as_csv import COLUMNS, make_cell, render_csv
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
FORMULAS = (
    '=HYPERLINK("https://evil.example","点我")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r\n=1+1",
    "\u200b=1+1",
    "\u202e=1+1",
    "\ufeff=1+1",
    "\u3000=1+1",
    "\x00=1+1",
    "＝1＋1",
    "|calc",
    "%0A=1+1",
)


def read_table(*markdown: str) -> list[dict[str, str]]:
    issue = Issue(date(2021, 3, 5), "简报", (Section("论文", tuple(map(Entry, markdown))),))
    return list(csv.DictReader(io.StringIO(render_csv(issue, NEWSLETTER).removeprefix("\ufeff"), newline="")))


def test_a_row_has_the_parts_of_an_entry_and_entries_are_numbered() -> None:
    lines = (
        "[甲 | 机器之心](https://e.org/1)",
        "论文：https://arxiv.org/abs/2006.16669",
        "摘要：一, 二。",
        "",
        '三“四”"五"',
    )
    first, second = read_table("\n".join(lines), "[乙](https://e.org/2)")
    assert list(first) == list(COLUMNS)
    assert (first["date"], first["section"], first["number"], second["number"]) == ("2021-03-05", "论文", "1", "2")
    assert (first["title"], first["source"], first["url"]) == ("甲", "机器之心", "https://e.org/1")
    assert first["summary"] == '一, 二。\n三“四”"五"'
    assert first["labels"] == "论文：https://arxiv.org/abs/2006.16669"


def test_excel_is_told_that_the_file_is_utf_8() -> None:
    assert render_csv(Issue(date(2021, 3, 5), "简报"), NEWSLETTER).encode().startswith(b"\xef\xbb\xbf")


@pytest.mark.fault("X6")
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_any_part_of_an_entry_is_text(formula: str) -> None:
    text = escape_markdown(formula)
    (row,) = read_table(f"[{text} | {text}](https://e.org/1)\n摘要：{text}\n论文：{text}")
    assert all(not cell.startswith(("=", "+", "-", "@", "＝", "|", "%")) for cell in row.values())
    assert row["title"].startswith("'")


@pytest.mark.fault("X6")
@given(st.text(max_size=30) | st.sampled_from((*FORMULAS, *HOSTILE)))
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    cell = make_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", " "))
    assert make_cell(cell) == cell
    table = io.StringIO()
    csv.writer(table, quoting=csv.QUOTE_ALL).writerow([cell, "结尾"])
    assert next(csv.reader(io.StringIO(table.getvalue(), newline=""))) == [cell, "结尾"]
