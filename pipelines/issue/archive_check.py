"""Tells what is read of a past issue: its sections and entries, links that are in no entry, and what is frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from pipelines.issue.decoding import decode_issue
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.loose_links import LooseLink, find_inner_items, find_loose_links
from pipelines.issue.reading import find_entry_marks, find_sections, read_issue
from pipelines.model import Issue
from pipelines.newsletter import Newsletter


@dataclass(frozen=True, slots=True)
class CheckedSection:
    """A section of a past issue.

    Args:
        line: of its heading, from 1.
        name: its heading.
        marker: what stands before its entries.
        count: of its entries.
    """

    line: int
    name: str
    marker: str
    count: int


@dataclass(frozen=True, slots=True)
class ArchiveCheck:
    """What is read of a past issue.

    Args:
        issue: as it is read.
        sections: with entries.
        frame: sections without entries.
        loose_links: in no entry, in the order of the file.
        inner_items: lines inside an entry that look like an entry of another shape.
    """

    issue: Issue
    sections: tuple[CheckedSection, ...]
    frame: tuple[CheckedSection, ...]
    loose_links: tuple[LooseLink, ...]
    inner_items: tuple[LooseLink, ...]

    @property
    def count(self) -> int:
        """How many entries were read."""
        return sum(section.count for section in self.sections)


def check_issue(data: bytes, name: str, newsletter: Newsletter) -> ArchiveCheck:
    """Read a past issue and tell what was read.

    Args:
        data: the file.
        name: of the file.
        newsletter: whose issue it is.

    Raises:
        NotAnIssue: see `pipelines.issue.reading.read_issue`.
    """
    issue = read_issue(data, name=name, newsletter=newsletter)
    page = MarkdownLines.split(decode_issue(data, name)[0])
    spans = find_sections(page, newsletter)
    sections = [
        CheckedSection(span.start + 1, section.name, section.marker, len(section.entries))
        for span, section in zip(spans, issue.main_sections, strict=True)
    ]
    inner_items = (
        find_inner_items(page, find_entry_marks(page, span, newsletter), span.end, newsletter) for span in spans
    )
    return ArchiveCheck(
        issue=issue,
        sections=tuple(section for section in sections if section.count),
        frame=tuple(section for section in sections if not section.count),
        loose_links=find_loose_links(page, issue.sections),
        inner_items=tuple(chain.from_iterable(inner_items)),
    )
