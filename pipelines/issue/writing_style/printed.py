"""A past issue to learn from, and its texts with the date and the number taken out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from pipelines.issue import inline
from pipelines.issue.entry import split_first_line
from pipelines.issue.reading_style import Example
from pipelines.issue.shapes import is_address_alone
from pipelines.model import Issue, Section

_Item = TypeVar("_Item", bound=Hashable)

MOST_ISSUES: Final = 2 / 3
"""Of the issues, the share that has a text, a section without entries, or a heading before it is the newsletter's."""

_DATE_FORMS: Final = (
    "%Y-%m-%d",
    *("%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%G-W%V", "%Y年%-m月%-d日", "%Y年%m月%d日", "%Y.%-m.%-d", "%Y/%-m/%-d"),
    *("%B %-d, %Y", "%B %d, %Y", "%b %-d, %Y", "%b %d, %Y", "%-d %B %Y", "%d %B %Y", "%-d %b %Y", "%d %b %Y"),
)
"""How issues print their dates; the first is the form of `{date}` itself. `%-d` is a day without a zero before it."""

# "{date}", "{date:%Y.%m.%d}", "{number}", or a brace that is a character of the text
FIELD_OR_BRACE: Final = re.compile(r"(\{(?:date(?::[^{}]*)?|number)\})|[{}]")


@dataclass(frozen=True, slots=True)
class PrintedIssue:
    """A past issue to learn from.

    Args:
        example: the file.
        issue: as it is read.
    """

    example: Example
    issue: Issue

    def take_out(self, text: str) -> str:
        """Put `{date}` and `{number}` in the place of the issue's date and number."""
        return take_out_date(text, self.issue.date, self.issue.number)


def take_out_date(text: str, day: date | None, number: int | None) -> str:
    for form in _DATE_FORMS if day else ():
        written = re.escape(f"{day:{form}}")
        field = "{date}" if form == _DATE_FORMS[0] else f"{{date:{form}}}"
        text = re.sub(rf"(?<!\d){written}(?!\d)", field, text)
    # not the 12 of 3.12, nor that of 12.5; but that of Vol.12
    return re.sub(rf"(?<!\d)(?<!\d\.){number}(?!\.?\d)", "{number}", text) if number is not None else text


def escape_braces(template: str) -> str:
    """Double the braces of a learned template that are characters of the text.

    >>> escape_braces("{周报} {date:%Y.%m.%d}")
    '{{周报}} {date:%Y.%m.%d}'
    """
    return FIELD_OR_BRACE.sub(lambda match: match[1] or match[0] * 2, template)


def double_braces(text: str) -> str:
    return re.sub(r"[{}]", lambda match: match[0] * 2, text)


def find_usual(items: Iterable[_Item]) -> _Item | None:
    """Find the most frequent item."""
    return next((item for item, _ in Counter(items).most_common(1)), None)


def list_filled(issues: Iterable[Issue]) -> list[Section]:
    """List the sections with entries; paragraphs without a link are text, though their first words are bold."""
    return [section for issue in issues for section in issue.main_sections if section.entries and not _is_text(section)]


def _is_text(section: Section) -> bool:
    return not section.marker and not any(_has_linked_title(entry.markdown) for entry in section.entries)


def _has_linked_title(markdown: str) -> bool:
    """Whether the title of an entry holds a link, or the line below it is an address."""
    title, lines = split_first_line(markdown)
    return bool(inline.find_urls(title) or (lines and is_address_alone(lines[0])))
