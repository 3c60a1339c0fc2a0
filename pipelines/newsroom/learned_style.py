"""Learns newsletter.toml from past issues: how they are read, and how new ones are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import tomlkit

from pipelines.issue.decoding import NotAnIssue
from pipelines.issue.reading import read_issue
from pipelines.issue.reading_style import Example, learn_reading, needs_numbering
from pipelines.issue.writing_style import PrintedIssue, learn_title, learn_writing
from pipelines.newsletter import Newsletter, Numbering, simplify_heading

_GUESSED: Final = Numbering(first=date(2018, 1, 1))
"""Of issues without a date; the editor writes the true one."""


@dataclass(frozen=True, slots=True)
class LearnedStyle:
    """What past issues show.

    Args:
        settings: of newsletter.toml that are others now.
        newsletter: with these settings.
        is_numbering_guessed: whether the issues have no date, so that somebody has to write when the first came out.
    """

    settings: Mapping[str, Any]
    newsletter: Newsletter
    is_numbering_guessed: bool


def learn_style(examples: Sequence[Example], newsletter: Newsletter) -> LearnedStyle:
    """Learn the style of a newsletter.

    Args:
        examples: of past issues; one that is no issue is left out.
        newsletter: to start from.
    """
    title = learn_title(examples, newsletter)
    start = newsletter.model_copy(update={"title": title})
    reading = learn_reading(examples, start)
    is_guessed = newsletter.numbering is None and needs_numbering(examples, start)
    numbering = _GUESSED if is_guessed else newsletter.numbering
    reader = start.model_copy(update={"reading": reading, "numbering": numbering})
    printed = []
    for example in examples:
        try:
            issue = read_issue(example.text.encode(), name=example.name, newsletter=reader)
        except NotAnIssue:
            continue
        printed.append(PrintedIssue(example, issue))
    current = newsletter.model_dump()
    settings: dict[str, Any] = {}
    if printed:
        settings |= learn_writing(printed, reader)
        settings["categories"] = _keep_fields(settings["categories"], newsletter)
        if numbering is None and (learned := _learn_numbering(printed)):
            numbering = learned
    fixed_names = [simplify_heading(row["name"]) for row in settings.get("frame", {}).get("sections", ())]
    filled_names = [simplify_heading(row["name"]) for row in settings.get("categories", ())]
    frame = tuple(dict.fromkeys((*reading.frame, *(name for name in fixed_names if name not in filled_names))))
    settings["reading"] = reading.model_copy(update={"frame": frame}).model_dump()
    if numbering is not None:
        settings["numbering"] = numbering.model_dump(exclude_defaults=True) | {"days": numbering.days}
    merged = _merge(newsletter.model_dump(exclude_unset=True), settings)
    changed = _leave_out_equal(settings, current)
    return LearnedStyle(changed, Newsletter.model_validate(merged), is_guessed)


def _learn_numbering(printed: Sequence[PrintedIssue]) -> Numbering | None:
    """Learn the dates of numbered issues from the newest and the oldest that have both."""
    days = {each.issue.number: each.issue.date for each in printed if each.issue.number is not None}
    if len(days) < 2:
        return None
    oldest, newest = min(days), max(days)
    interval = max(round((days[newest] - days[oldest]).days / (newest - oldest)), 1)
    first = days[newest] - timedelta(days=interval * (newest - 1))
    return Numbering(first=first, days=interval)


def _keep_fields(rows: Sequence[Mapping[str, Any]], newsletter: Newsletter) -> list[dict[str, Any]]:
    """Give the learned rows of categories what newsletter.toml says of the same categories already."""
    names = {row["name"] for row in rows}
    filled = []
    taken_over: set[str] = set()
    for row in rows:
        category = newsletter.category(row["name"])
        fields: dict[str, Any] = {}
        if category and category.name not in taken_over:
            taken_over.add(category.name)
            fields = category.model_dump(exclude_unset=True, exclude={"notes", "closing", "style"})
            fields["aliases"] = [alias for alias in category.aliases if alias not in names]
        filled.append({**fields, **row})
    return filled


def _merge(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(settings)
    for name, change in changes.items():
        former = merged.get(name)
        merged[name] = _merge(former, change) if isinstance(change, Mapping) and isinstance(former, Mapping) else change
    return merged


def _leave_out_equal(settings: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, setting in settings.items():
        former = current.get(name)
        if isinstance(setting, Mapping):
            if inner := _leave_out_equal(setting, former if isinstance(former, Mapping) else {}):
                changed[name] = inner
        elif setting != former and not (setting in ("", []) and former in ((), "")):
            changed[name] = setting
    return changed


def write_settings(text: str, settings: Mapping[str, Any]) -> str:
    """Write settings into the text of newsletter.toml; all other lines and comments of it stay.

    Args:
        text: of the file; empty for the settings alone.
        settings: that replace those of the same name.

    >>> print(write_settings('title = "甲"  # 名\\neditor = "lin"\\n', {"title": "乙", "frame": {"level": 3}}), end="")
    title = "乙"  # 名
    editor = "lin"
    <BLANKLINE>
    [frame]
    level = 3
    """
    document = tomlkit.parse(text)
    plain = {
        name: setting
        for name, setting in settings.items()
        if not isinstance(setting, Mapping) and not _is_rows(setting)
    }
    added = tomlkit.document()
    for name, setting in plain.items():
        target = document if name in document else added
        target[name] = _make_item(setting)
    document = tomlkit.parse(_insert_below_title(tomlkit.dumps(document), tomlkit.dumps(added)))
    for name, setting in settings.items():
        if isinstance(setting, Mapping):
            if name not in document:
                document.add(tomlkit.nl())
                document.add(name, tomlkit.table())
            for field, part in setting.items():
                document[name][field] = _make_item(part)
        elif _is_rows(setting):
            document.pop(name, None)
            document.add(name, _make_item(setting))
    return tomlkit.dumps(document)


def _insert_below_title(text: str, lines: str) -> str:
    title = re.search(r"^title\s*=.*\n", text, re.MULTILINE)
    end = title.end() if title else 0
    return text[:end] + lines + text[end:]


def _is_rows(setting: Any) -> bool:
    return isinstance(setting, list | tuple) and bool(setting) and all(isinstance(row, Mapping) for row in setting)


def _make_item(setting: Any) -> Any:
    """Make a setting an item of TOML: a text of several lines in as many, rows as tables, a small table in a line."""
    if isinstance(setting, str) and "\n" in setting.strip("\n"):
        return tomlkit.string(setting, multiline=True)
    if _is_rows(setting):
        rows = tomlkit.aot()
        for row in setting:
            table = tomlkit.table()
            for field, part in row.items():
                table.add(field, _make_item(part))
            rows.append(table)
        return rows
    if isinstance(setting, Mapping):
        line = tomlkit.inline_table()
        for field, part in setting.items():
            line.add(field, part)
        return line
    return list(setting) if isinstance(setting, tuple) else setting
