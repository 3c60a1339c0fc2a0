"""Tells what is read of a past issue: its sections and entries, links that are in no entry, and what is frame."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.issue import inline
from pipelines.issue.decoding import decode_issue
from pipelines.issue.definitions import find_definitions, resolve_links
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.reading import find_sections, read_issue
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
class LooseLink:
    """An address that stands in no entry, and its first line, from 1."""

    line: int
    url: str


@dataclass(frozen=True, slots=True)
class ArchiveCheck:
    """What is read of a past issue.

    Args:
        issue: as it is read.
        sections: with entries.
        frame: sections without entries.
        loose_links: in the order of the file.
    """

    issue: Issue
    sections: tuple[CheckedSection, ...]
    frame: tuple[CheckedSection, ...]
    loose_links: tuple[LooseLink, ...]

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
    sections = [
        CheckedSection(span.start + 1, section.name, section.marker, len(section.entries))
        for span, section in zip(find_sections(page, newsletter), issue.main_sections, strict=True)
    ]
    return ArchiveCheck(
        issue=issue,
        sections=tuple(section for section in sections if section.count),
        frame=tuple(section for section in sections if not section.count),
        loose_links=_find_loose_links(page, issue),
    )


def _find_loose_links(page: MarkdownLines, issue: Issue) -> tuple[LooseLink, ...]:
    definitions = find_definitions(page)
    in_entries = {
        url for section in issue.sections for entry in section.entries for url in inline.find_urls(entry.markdown)
    }
    first_lines: dict[str, int] = {}
    for number, line in enumerate(page.lines):
        if number not in page.opaque:
            for url in inline.find_urls(resolve_links(line, definitions)):
                first_lines.setdefault(url, number + 1)
    return tuple(LooseLink(line, url) for url, line in first_lines.items() if url not in in_entries)
