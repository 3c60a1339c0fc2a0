"""Issue -> CSV: a row for each entry, for a spreadsheet. No cell of it is a formula, whatever a title says."""

from __future__ import annotations

import csv
import io
from typing import Final

from pipelines.issue.entry import read_entry
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

COLUMNS: Final = ("date", "section", "category", "number", "title", "source", "url", "summary", "labels", "story")

_BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel takes UTF-8 for the encoding of the machine, and Chinese is unreadable."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%")
"""Characters that begin a formula or a command in a spreadsheet (OWASP, CSV Injection; CWE-1236)."""


def render_csv(issue: Issue, newsletter: Newsletter) -> str:
    """Write an issue as CSV (RFC 4180): a head, then the entries in print order, numbered from 1.

    A label line is `label：text`; several label lines, and several paragraphs of a summary, are lines of one cell.

    Args:
        issue: whose entries are written.
        newsletter: its categories, its label words and its separator.
    """
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    number = 0
    for section in issue.sections:
        category = newsletter.category(section.name)
        for entry in section.entries:
            number += 1
            view = read_entry(entry.markdown, newsletter)
            labels = [newsletter.labels.begin_line(line.label) + line.text for line in view.labels]
            cells = (
                issue.date.isoformat(),
                section.name,
                category.name if category else "",
                str(number),
                view.full_title,
                view.source or "",
                view.url or "",
                "\n".join(view.summary),
                "\n".join(labels),
                "" if entry.story is None else str(entry.story),
            )
            writer.writerow(map(make_cell, cells))
    return _BYTE_ORDER_MARK + table.getvalue()


def make_cell(text: str) -> str:
    """Make a text a cell that no spreadsheet computes: an apostrophe goes before what could begin a formula.

    Blanks and characters that no sheet shows do not hide the beginning.

    >>> make_cell('=HYPERLINK("https://evil.example")'), make_cell("量化 = 压缩")
    ('\\'=HYPERLINK("https://evil.example")', '量化 = 压缩')
    """
    printable = "".join(character for character in text if character in "\n\u3000" or character.isprintable()).strip()
    return f"'{printable}" if printable.startswith(_FORMULA_STARTS) else printable
