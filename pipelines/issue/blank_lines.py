"""Blank lines of a past issue where it has other numbers of them than the house style sets: an export prints the same.

Without them, the files of an archive would all change with the first export, though no word of them has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from pipelines.model import BlankLines


def find_blank_lines(original: str, rendered: str) -> tuple[BlankLines, ...]:
    """Find the lines before which an issue has another number of blank lines than its rendering.

    Args:
        original: the file.
        rendered: the issue that was read of it, in the house style.

    >>> for each in find_blank_lines("# 甲\\n\\n\\n## 乙\\n- 丙\\n", "# 甲\\n\\n## 乙\\n\\n- 丙\\n"):
    ...     print(each)
    BlankLines(line='## 乙', occurrence=1, number=2, above='')
    BlankLines(line='- 丙', occurrence=1, number=0, above='## 乙')
    """
    numbers = {(line.text, line.occurrence): line.blanks for line in _list_lines(rendered.split("\n"))}
    return tuple(
        BlankLines(line.text, line.occurrence, line.blanks, "" if line.blanks else line.above)
        for line in _list_lines(original.split("\n"))
        if numbers.get((line.text, line.occurrence), line.blanks) != line.blanks
    )


def set_blank_lines(rendered: str, blank_lines: Collection[BlankLines]) -> str:
    """Set the blank lines of an issue as its file had them.

    A line that was written since keeps those of the house style; and no line joins another one than it did in the file.

    Args:
        rendered: the issue in the house style.
        blank_lines: as `find_blank_lines` finds them.
    """
    if not blank_lines:
        return rendered
    former_lines = {(each.line, each.occurrence): each for each in blank_lines}
    lines = rendered.split("\n")
    written: list[str] = []
    position = 0
    for line in _list_lines(lines):
        former = former_lines.get((line.text, line.occurrence))
        number = line.blanks if former is None or (former.above not in ("", line.above)) else former.number
        position += line.blanks
        written += [*[""] * number, lines[position]]
        position += 1
    return "\n".join([*written, *lines[position:]])


class _Line(NamedTuple):
    """A line that is not blank: its text, its number among equal ones, the blank lines before it, the line above."""

    text: str
    occurrence: int
    blanks: int
    above: str


def _list_lines(lines: Sequence[str]) -> Iterator[_Line]:
    occurrences: Counter[str] = Counter()
    blanks, above = 0, ""
    for line in lines:
        text = line.rstrip()
        if not text:
            blanks += 1
            continue
        occurrences[text] += 1
        yield _Line(text, occurrences[text], blanks, above)
        blanks, above = 0, text
