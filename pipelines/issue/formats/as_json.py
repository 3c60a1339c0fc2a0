"""Issue -> JSON: the editor's Markdown, and the parts of each entry."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pipelines.issue.entry import read_entry
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter


def render_json(issue: Issue, newsletter: Newsletter) -> str:
    """Write an issue as one JSON document; absent parts are null."""
    values = {
        name: field for name, field in asdict(issue).items() if name not in ("sections", "warnings", "blank_lines")
    }
    values["date"] = issue.date.isoformat()
    values["sections"] = [_describe_section(section, newsletter) for section in issue.sections]
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def _describe_section(section: Section, newsletter: Newsletter) -> dict[str, Any]:
    category = newsletter.category(section.name)
    return {
        "name": section.name,
        "category": category.name if category else None,
        "notes": section.notes,
        "closing": section.closing,
        "entries": [_describe_entry(entry, newsletter) for entry in section.entries],
    }


def _describe_entry(entry: Entry, newsletter: Newsletter) -> dict[str, Any]:
    return {"markdown": entry.markdown, "story": entry.story, **asdict(read_entry(entry.markdown, newsletter))}
