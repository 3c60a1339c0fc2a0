"""The lines of an issue's Markdown: which are code, which are headings, items and thematic breaks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# "- [标题](https://arxiv.org/abs/2006.16669)", "-[标题](…)", "* 标题"
ITEM: Final = re.compile(r" ?(?:(?P<mark>[-*+])[ \t]+|-(?=\[))(?=\S)")

# "---", "* * *"
THEMATIC_BREAK: Final = re.compile(r" {0,3}([-*_])(?: *\1){2,} *")

# "```sh", "~~~~"
_FENCE: Final = re.compile(r"\s*(?P<fence>`{3,}|~{3,})[^`]*")


@dataclass(frozen=True, slots=True)
class MarkdownLines:
    """The lines of a Markdown text.

    Args:
        lines: without line ends.
        code: numbers of the lines inside fenced code, fences included.
    """

    lines: Sequence[str]
    code: frozenset[int]

    @classmethod
    def split(cls, text: str) -> MarkdownLines:
        """Split a text into its lines."""
        lines = text.split("\n")
        return cls(lines, find_code_lines(lines))

    def find_headings(self, marks: str, start: int = 0) -> Iterator[int]:
        """Find the numbers of the headings of one level.

        Args:
            marks: of the level: `##`.
            start: number of the first line to look at.
        """
        for number in range(start, len(self.lines)):
            if number not in self.code and read_heading(self.lines[number], marks):
                yield number

    def find_thematic_break(self, start: int) -> int:
        """Find the number of the first thematic break from `start` on; the count of lines where there is none."""
        for number in range(start, len(self.lines)):
            if number not in self.code and THEMATIC_BREAK.fullmatch(self.lines[number]):
                return number
        return len(self.lines)


def find_code_lines(lines: Sequence[str]) -> frozenset[int]:
    """Find the numbers of the lines inside fenced code, fences included. A fence that is never closed begins no code.

    >>> sorted(find_code_lines(["a", "```sh", "# b", "```", "~~~"]))
    [1, 2, 3]
    """
    closing_lines: dict[str, list[int]] = {"`": [], "~": []}
    for number, line in enumerate(lines):
        stripped = line.strip()
        if len(stripped) >= 3 and stripped[0] in closing_lines and not stripped.strip(stripped[0]):
            closing_lines[stripped[0]].append(number)
    code: set[int] = set()
    for number, line in enumerate(lines):
        opening = _FENCE.fullmatch(line) if number not in code else None
        candidates = closing_lines[opening["fence"][0]] if opening else []
        next_index = bisect_right(candidates, number)
        if next_index < len(candidates):
            code.update(range(number, candidates[next_index] + 1))
    return frozenset(code)


def read_heading(line: str, marks: str) -> str:
    """Read the text of a heading of one level; empty for any other line.

    >>> read_heading("## 论文  ", "##"), read_heading("### 小节", "##")
    ('论文', '')
    """
    text = line[len(marks) :] if line.startswith(marks) else "#"
    return "" if text.startswith("#") else text.strip()


def join_block(lines: Iterable[str]) -> str | None:
    """Join lines as they are, without the blank lines around them; None if all are blank."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join(lines)).rstrip() or None
