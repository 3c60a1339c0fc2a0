"""The lines of an issue's Markdown: which are code, comments, headings, thematic breaks, definitions of links."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# "---", "* * *"
THEMATIC_BREAK: Final = re.compile(r" {0,3}([-*_])(?: *\1){2,} *")

# "|---|:--:|"
DELIMITER_ROW: Final = re.compile(r"[\s|:-]*-[\s|:-]*")

# "```sh", "~~~~"
_FENCE: Final = re.compile(r"\s*(?P<fence>`{3,}|~{3,})[^`]*")

# "<!--", "`<!-- 代码 -->`"
_COMMENT_OR_CODE: Final = re.compile(r"<!--|`[^`\n]*`")


# "====", below the text of a heading
_UNDERLINES: Final = {"#": re.compile(r" {0,3}=+\s*"), "##": re.compile(r" {0,3}-+\s*")}
# "- 标题", "> 引文", "1. 标题", "# 标题", "<b>", "| 甲 |", "```"
_NO_PARAGRAPH: Final = re.compile(r"\s*(?:[-*+]\s|[>#<|=]|\d{1,9}[.)]\s|```|~~~)|\s{4}")

# "[1]: https://e.org/1", "[标签]:<https://e.org/1> '标题'"; not the footnote "[^1]: 注"
_DEFINITION: Final = re.compile(
    r""" {0,3}\[(?P<label>(?!\^)[^\[\]\n]{1,300})\]:\s{0,9}<?(?P<url>[^\s<>]+)>?(?:\s{1,9}["'(].*["')])?\s*"""
)

# "**[🦄 文章](https://e.org)**"
_BOLD: Final = re.compile(r"\*\*(?!\s)[^*]+(?<!\s)\*\*\s*")


@dataclass(frozen=True, slots=True)
class MarkdownLines:
    """The lines of a Markdown text.

    Args:
        lines: without line ends; a heading underlined with `====` is written `# …`, with a blank line below it.
        opaque: numbers of the lines inside fenced code, fences included, and inside HTML comments: they are no
            headings and no items.
        definitions: of reference links: address by label, in the form of `fold_label`.
    """

    lines: Sequence[str]
    opaque: frozenset[int]
    definitions: Mapping[str, str]

    @classmethod
    def split(cls, text: str) -> MarkdownLines:
        """Split a text into its lines."""
        lines = text.split("\n")
        code = find_code_lines(lines)
        _mark_underlined_headings(lines, code)
        opaque = code | find_comment_lines(lines, code)
        return cls(lines, opaque, _find_definitions(lines, opaque))

    def find_headings(self, marks: str, start: int = 0) -> Iterator[int]:
        """Find the numbers of the headings of one level.

        Args:
            marks: of the level: `##`.
            start: number of the first line to look at.
        """
        for number in range(start, len(self.lines)):
            if number not in self.opaque and read_heading(self.lines[number], marks):
                yield number

    def find_bold_paragraphs(self, start: int = 0) -> Iterator[int]:
        """Find the paragraphs of one line that are bold as a whole, as they stand in the place of a heading."""
        for number in range(start, len(self.lines)):
            beside = (*self.lines[max(number - 1, 0) : number], *self.lines[number + 1 : number + 2])
            is_bold = _BOLD.fullmatch(self.lines[number]) and number not in self.opaque
            if is_bold and not any(line.strip() for line in beside):
                yield number

    def find_thematic_break(self, start: int) -> int:
        """Find the number of the first thematic break from `start` on; the count of lines where there is none."""
        for number in range(start, len(self.lines)):
            if number not in self.opaque and THEMATIC_BREAK.fullmatch(self.lines[number]):
                return number
        return len(self.lines)


def _mark_underlined_headings(lines: list[str], code: Collection[int]) -> None:
    """Write underlined headings with marks. A line of `-` is no underline in a text that has none of `=`."""
    for marks, underline in _UNDERLINES.items():
        underlined = [
            number
            for number in range(1, len(lines))
            if underline.fullmatch(lines[number])
            and not {number - 1, number}.intersection(code)
            and lines[number - 1].strip()
            and not _NO_PARAGRAPH.match(lines[number - 1])
            and (number == 1 or not lines[number - 2].strip())
        ]
        for number in underlined:
            lines[number - 1], lines[number] = f"{marks} {lines[number - 1].strip()}", ""
        if not underlined:
            return


def _find_definitions(lines: Sequence[str], opaque: Collection[int]) -> dict[str, str]:
    """Find the definitions of links. The first of a label counts."""
    definitions: dict[str, str] = {}
    for number, line in enumerate(lines):
        if "]:" in line and number not in opaque and (match := _DEFINITION.fullmatch(line)):
            definitions.setdefault(fold_label(match["label"]), match["url"])
    return definitions


def is_definition(line: str) -> bool:
    """Whether a line is the definition of a link, which no page shows.

    >>> is_definition("[1]: https://e.org/1"), is_definition("[1]：见 https://e.org/1")
    (True, False)
    """
    return "]:" in line and bool(_DEFINITION.fullmatch(line))


def fold_label(label: str) -> str:
    """Bring the label of a link into the form in which labels are equal: CommonMark 0.31 §4.7."""
    return " ".join(label.split()).casefold()


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


def find_comment_lines(lines: Sequence[str], code: Collection[int] = ()) -> frozenset[int]:
    """Find the numbers of the lines whose text begins inside an HTML comment.

    Args:
        lines: of a text.
        code: numbers of the lines of code: a comment neither begins nor ends there.

    >>> sorted(find_comment_lines(["a <!-- b --> c", "<!--", "- d", "-->", "<!-- e"]))
    [1, 2, 3]
    """
    spans = iter(_find_comments("\n".join(lines), lines, code))
    hidden: set[int] = set()
    line_start = 0
    span = next(spans, None)
    for number, line in enumerate(lines):
        text_start = line_start + len(line) - len(line.lstrip())
        while span and span[1] <= text_start:
            span = next(spans, None)
        if span and span[0] <= text_start and line.strip():
            hidden.add(number)
        line_start += len(line) + 1
    return frozenset(hidden)


def remove_comments(markdown: str) -> str:
    """Remove the HTML comments of a Markdown text, as a reader of the printed issue sees it. Code keeps its text.

    >>> remove_comments("a<!-- b --> `<!-- c -->`")
    'a `<!-- c -->`'
    """
    if "<!--" not in markdown:
        return markdown
    lines = markdown.split("\n")
    pieces, comment_end = [], 0
    for start, end in _find_comments(markdown, lines, find_code_lines(lines)):
        pieces.append(markdown[comment_end:start])
        comment_end = end
    pieces.append(markdown[comment_end:])
    return "".join(pieces)


def _find_comments(text: str, lines: Sequence[str], code: Collection[int]) -> Iterator[tuple[int, int]]:
    """Find the start and the end of each HTML comment outside code. A comment that is never closed hides nothing."""
    blanked = (
        "\n".join(" " * len(line) if number in code else line for number, line in enumerate(lines)) if code else text
    )
    position = 0
    while opening := _COMMENT_OR_CODE.search(blanked, position):
        position = opening.end()
        if opening[0] != "<!--":
            continue
        end = blanked.find("-->", position)
        if end < 0:
            return
        position = end + len("-->")
        yield opening.start(), position


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
