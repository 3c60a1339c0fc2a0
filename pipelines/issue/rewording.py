"""Rewords Markdown by its plain text: a person edits the text of a summary, and all other Markdown stays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from pipelines.issue import inline
from pipelines.issue.escape import escape_markdown


def reword_lines(
    lines: Sequence[str],
    texts: Sequence[str],
    new_texts: Sequence[str],
    code: Collection[int],
    *,
    lead: str = "",
    apart: bool = False,
) -> list[str]:
    """Give lines of Markdown another plain text.

    A line whose text stays keeps its Markdown. A line that a person has changed keeps the Markdown before and after
    the change. A line without text, such as a blank line or a fence, stays while the line before it stays.

    Args:
        lines: the Markdown.
        texts: the plain text of each line; empty for a line that shows none.
        new_texts: the plain text after the change, a line each, none of them empty.
        code: numbers of the lines that are code: their text is not escaped.
        lead: what a new line begins with: an indent, the mark of a quotation.
        apart: whether a blank line stands before a new line.

    Returns:
        The new lines of Markdown.
    """
    text_lines = [number for number, text in enumerate(texts) if text]
    old_texts = [texts[number] for number in text_lines]
    new_lines: list[str] = list(lines[: text_lines[0]]) if text_lines else list(lines)
    matcher = SequenceMatcher(None, old_texts, new_texts, autojunk=False)
    for _, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        for index in range(max(old_end - old_start, new_end - new_start)):
            old, new = old_start + index, new_start + index
            if old >= old_end:
                new_lines += [lead.rstrip()] * (apart and bool(new_lines))
                new_lines.append(lead + escape_markdown(new_texts[new]))
                continue
            number = text_lines[old]
            following = text_lines[old + 1] if old + 1 < len(text_lines) else len(lines)
            if new < new_end:
                new_lines.append(reword_line(lines[number], old_texts[old], new_texts[new], code=number in code))
            new_lines += lines[number + 1 : following]
    return new_lines


def reword_line(markdown: str, text: str, new_text: str, *, code: bool = False) -> str:
    """Give one line of Markdown another plain text.

    Args:
        markdown: the line.
        text: its plain text.
        new_text: the plain text after the change.
        code: the line is code: nothing in it is escaped.

    Returns:
        The line with the change; the plain text alone, escaped, where the change crosses the marks of the line.

    >>> print(reword_line("提出**三点**，见[项目](https://e.org)。", "提出三点，见项目。", "提出三点，见项目页！"))
    提出**三点**，见[项目](https://e.org)页！
    """
    if text == new_text:
        return markdown
    indent = markdown[: len(markdown) - len(markdown.lstrip(" \t>"))]
    if code:
        return indent + new_text
    positions = _align(text, markdown)
    for changes in (list(_find_changes(text, new_text)), [_find_whole_change(text, new_text)]):
        reworded = _apply_changes(markdown, positions, changes)
        if _shows(reworded, markdown, text, new_text):
            return reworded
    return indent + escape_markdown(new_text)


def _apply_changes(markdown: str, positions: Sequence[int], changes: Sequence[tuple[int, int, str]]) -> str:
    """Replace spans of the plain text in its Markdown, the last span first."""
    for start, end, new_words in reversed(changes):
        if start < end:
            markdown_start, markdown_end = positions[start], positions[end - 1] + 1
        else:  # an insertion follows the character before it
            markdown_start = markdown_end = positions[start - 1] + 1 if start else positions[0]
        markdown = markdown[:markdown_start] + new_words + markdown[markdown_end:]
    return markdown


def _find_changes(text: str, new_text: str) -> Iterator[tuple[int, int, str]]:
    """Find the changed spans of a text, each with the words that replace it, escaped for Markdown."""
    for kind, start, end, new_start, new_end in SequenceMatcher(None, text, new_text, autojunk=False).get_opcodes():
        if kind != "equal":
            yield start, end, _escape_words(new_text[new_start:new_end])


def _find_whole_change(text: str, new_text: str) -> tuple[int, int, str]:
    """Find the one span between the equal beginning and the equal end of two texts."""
    start = _count_equal(text, new_text)
    end = _count_equal(text[start:][::-1], new_text[start:][::-1])
    return start, len(text) - end, _escape_words(new_text[start : len(new_text) - end])


def _count_equal(text: str, other_text: str) -> int:
    """Count the characters that two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other_text, strict=False)))


def _escape_words(new_words: str) -> str:
    """Escape words inside a line; the blanks around them stay."""
    stripped = new_words.strip()
    start = new_words.find(stripped)
    return new_words[:start] + escape_markdown(new_words) + new_words[start + len(stripped) :]


def _align(text: str, markdown: str) -> list[int]:
    """Find the position in the Markdown of each character of its plain text."""
    positions = [len(markdown)] * len(text)
    matcher = SequenceMatcher(None, text, _hide_addresses(markdown), autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            positions[block.a + offset] = block.b + offset
    return positions


def _hide_addresses(markdown: str) -> str:
    """Put line breaks in place of what a reader does not see of links, where the words of a text may come back."""
    pieces, position = [], 0
    for link in inline.find_links(markdown):
        text = "" if link.image else link.markdown
        up_to_text = markdown[position : link.start] + "\n" * (link.text_start - link.start)
        pieces.append((up_to_text + text).ljust(link.end - position, "\n"))
        position = link.end
    return "".join((*pieces, markdown[position:]))


def _shows(reworded: str, markdown: str, text: str, new_text: str) -> bool:
    """Whether a reworded line shows the new text, after the same bullet as before."""
    bullet = inline.strip_marks(markdown).removesuffix(text)
    return inline.strip_marks(reworded).removeprefix(bullet).strip() == new_text
