"""Finds the links of a past issue that came into no entry, and the lines inside an entry that look like another one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.issue import inline
from pipelines.issue.definitions import resolve_links
from pipelines.issue.entry import is_label_or_summary_line
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.shapes import UNMARKED, Mark, is_address_alone, is_quoted, read_mark
from pipelines.model import Section
from pipelines.newsletter import Newsletter

_MOST_CHARACTERS_BESIDE_LINK: Final = 8
"""A line with more beside its links is prose."""

# "<img src='https://…'>", "<iframe …>"
_MEDIA: Final = re.compile(r"<(?:img|iframe|video|audio|source|embed)\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LooseLink:
    """An address that leads no entry, and its first line, from 1."""

    line: int
    url: str


def find_loose_links(page: MarkdownLines, sections: Iterable[Section]) -> tuple[LooseLink, ...]:
    """Find the addresses that stand in no entry, each at its first line.

    Args:
        page: the lines of the issue.
        sections: as they are read.
    """
    in_entries = {url for section in sections for entry in section.entries for url in inline.find_urls(entry.markdown)}
    first_lines: dict[str, int] = {}
    for number, line in enumerate(page.lines):
        if number not in page.opaque:
            for url in inline.find_urls(resolve_links(line, page.definitions)):
                first_lines.setdefault(url, number + 1)
    return tuple(LooseLink(line, url) for url, line in first_lines.items() if url not in in_entries)


def find_inner_items(
    page: MarkdownLines, marks: Mapping[int, Mark], end: int, newsletter: Newsletter
) -> Iterator[LooseLink]:
    """Find the lines inside the entries of a section that look like an entry of another shape.

    Such a line is not indented. It begins with a mark and holds a link, or is a link and hardly more. A label line
    (`代码：…`), the author of a quotation (`-- 某人`) and the addresses right below the title are parts of their entry.

    Args:
        page: the lines of the issue.
        marks: of the section's entries, by line number.
        end: the line after the section's last.
        newsletter: its label words.
    """
    title_end = 0
    for number in range(min(marks, default=end) + 1, end):
        if (number - 1 in marks or number == title_end) and is_address_alone(page.lines[number]):
            title_end = number + 1
            continue
        line = _MEDIA.sub("", resolve_links(page.lines[number], page.definitions))
        urls = inline.find_urls(line)
        if number in marks or number in page.opaque or not urls or line[0].isspace() or line.startswith("--"):
            continue
        mark = read_mark(line, after_blank=True)
        is_marked = mark is not None and mark.kind not in UNMARKED and not is_quoted(mark.kind)
        if (is_marked or _is_link_alone(line)) and not is_label_or_summary_line(line, newsletter):
            yield LooseLink(number + 1, urls[0])


def _is_link_alone(line: str) -> bool:
    beside = line
    for link in reversed(inline.find_links(line)):
        beside = beside[: link.start] + beside[link.end :]
    for url in inline.find_urls(beside):
        beside = beside.replace(url, "")
    return len(inline.strip_marks(beside)) <= _MOST_CHARACTERS_BESIDE_LINK


def join_lines(numbers: Collection[int]) -> Sequence[str]:
    """Join line numbers that follow each other to ranges.

    >>> join_lines([4, 5, 6, 9])
    ['4-6', '9']
    """
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
