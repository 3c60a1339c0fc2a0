"""Finds where the summary of an entry stands: behind its label, behind the title on its line, or below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.issue import inline
from pipelines.issue.lines import find_code_lines
from pipelines.issue.rewording import reword_lines

# "：", " — ", " | ": between a title and a summary on its line
_SEPARATOR: Final = re.compile(r"(?:\s*\*\*)?\s*(?:[：:—–|，,-]+\s*)?")
# " |": the end of a row
_ROW_END: Final = re.compile(r"\s*\|\s*\Z")
# "[@lin](https://github.com/lin)："
_SIGNATURE: Final = re.compile(r"\[@?[^\[\]]+\]\([^()\s]+\)\s*[:：]\s*")
# " — " after a title, "\n> " after a title's line; not the end of "<https://e.org/1>"
_END_OF_OPENING: Final = re.compile(r"(?:[\s：:—–|-]|(?<![^\s>])>)+\Z")
# "   ", "> "
_LEAD: Final = re.compile(r"[ \t]*(?:>[ \t]?)*")


@dataclass(frozen=True, slots=True)
class CutEntry:
    """An entry, cut at its summary: the three parts, joined, are its Markdown.

    Args:
        opening: up to the first character of the summary: the title, label lines, 摘要：, a signature.
        lines: of the summary, as Markdown.
        ending: what follows it: label lines, the end of a row.
    """

    opening: str
    lines: Sequence[str]
    ending: str

    def reword(self, texts: Sequence[str], paragraphs: Sequence[str], *, apart: bool) -> str:
        """Give the summary another text; the Markdown of every word that stays is kept.

        Args:
            texts: the plain text of each line; empty for a line that shows none.
            paragraphs: the plain text after the change, a paragraph each, none of them empty.
            apart: whether a blank line parts the paragraphs of a summary that has no second one yet.

        Returns:
            The Markdown of the entry.
        """
        is_row = self.ending.lstrip().startswith("|")
        new_texts = [" ".join(paragraphs)] if is_row and paragraphs else paragraphs
        code = find_code_lines(self.lines)
        text_lines = [number for number, text in enumerate(texts) if text]
        if len(text_lines) > 1:
            apart = not self.lines[text_lines[-1] - 1].strip(" \t>")
        new_lines = reword_lines(self.lines, texts, new_texts, code, lead=self._find_lead(), apart=apart)
        if paragraphs or is_row:
            return self.opening + "\n".join(new_lines) + self.ending
        title, line_break, lead = self.opening.rpartition("\n")
        title_end = _END_OF_OPENING.sub("", title + line_break + _SIGNATURE.sub("", lead) if title else self.opening)
        return (title_end + "".join(f"\n{line}" for line in new_lines)).rstrip() + self.ending

    def _find_lead(self) -> str:
        """Find what stands before a further line: the indent and the quotation marks of the line above it."""
        below_title = [self.opening.rpartition("\n")[2]] if "\n" in self.opening else [""]
        *_, last = (*below_title, *(line for line in self.lines[1:] if line.strip()))
        match = _LEAD.match(last)
        return match[0] if match else ""


def find_beside_title(line: str, source_end: int) -> tuple[int, int] | None:
    """Find the start and the end of the text that follows the title of an entry on its line.

    Args:
        line: the first line of the entry.
        source_end: the position after the title and its source.

    Returns:
        None for a line without such text.
    """
    separator = _SEPARATOR.match(line, source_end)
    start = separator.end() if separator else source_end
    row_end = _ROW_END.search(line, start)
    end = row_end.start() if row_end else len(line.rstrip())
    text, link_end = "", start
    for link in inline.find_links(line):
        if link.start >= start:
            text += line[link_end : link.start]
            link_end = link.end
    return (start, end) if re.search(r"\w", text + line[link_end:end]) else None


def find_title_end(line: str) -> int | None:
    """Find the end of the link that is the title of an entry; None for a title without one."""
    links = (link for link in inline.find_links(line) if not link.image)
    return next((link.end for link in links), None)


def find_text_start(line: str, *, signed: bool) -> int:
    """Find where the text of a summary's first line begins: after its indent, its quotation mark and its signature."""
    lead = _LEAD.match(line)
    start = lead.end() if lead else 0
    signature = _SIGNATURE.match(line, start) if signed else None
    return signature.end() if signature else start
