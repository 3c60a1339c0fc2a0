"""Learns the texts around the sections, and the names of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from pipelines.issue.writing_style.printed import FIELD_OR_BRACE, MOST_ISSUES, PrintedIssue, escape_braces


def learn_texts(printed: Sequence[PrintedIssue], title: str) -> dict[str, str]:
    """Learn the texts around the sections: what the newest issue shares with most others."""
    texts = {}
    for name in ("front_matter", "above_heading", "tagline", "notice", "preamble", "footer"):
        separator = "\n" if name in ("front_matter", "above_heading") else "\n\n"
        texts[name] = learn_text([(each, getattr(each.issue, name)) for each in printed], separator, title)
    return texts


# "title: Digest #12", "title = \"Digest #12\""
_TITLE_FIELD: Final = re.compile(r"(?P<name>title[ \t]*[:=][ \t]*)(?P<quote>[\"']?)", re.IGNORECASE)


def learn_text(texts: Sequence[tuple[PrintedIssue, str | None]], separator: str = "\n\n", title: str = "") -> str:
    """Learn a text: the parts of the newest issue's that most issues have, with date and number taken out.

    Args:
        texts: of the issues, oldest first.
        separator: between the parts: lines, or paragraphs.
        title: of the newsletter; the field of an issue's title is kept with it, an export fills in the issue's own.
    """
    parts_by_issue = [
        [(part, issue.take_out(part)) for part in re.split(separator + "+" if "\n\n" in separator else separator, text)]
        for issue, text in texts
        if text
    ]
    if len(parts_by_issue) < len(texts) * MOST_ISSUES:
        return ""
    literal = Counter(part for parts in parts_by_issue for part in {part for part, _ in parts})
    dated = Counter(part for parts in parts_by_issue for part in {part for _, part in parts})
    least = max(len(texts) * MOST_ISSUES, min(len(texts), 2))
    written = []
    for part, without_date in parts_by_issue[-1]:
        if literal[part] >= least:
            written.append(part)
        elif dated[without_date] >= least:
            written.append(without_date)
        elif title and (field := _TITLE_FIELD.match(part)):
            written.append(f"{field['name']}{field['quote']}{title}{field['quote']}")
    return separator.join(written)


def learn_file_name(printed: Sequence[PrintedIssue]) -> str:
    """Learn the name of an issue's file without its ending, if most have it by date or number."""
    names = Counter(each.take_out(each.example.name.rpartition(".")[0]) for each in printed)
    name, count = names.most_common(1)[0]
    has_field = any(match[1] for match in FIELD_OR_BRACE.finditer(name))
    return escape_braces(name) if count >= len(printed) * MOST_ISSUES and has_field else ""
