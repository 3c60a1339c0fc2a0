"""Learns newsletter.toml from past issues: how they are read, and how new ones are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import tomlkit
from tomlkit.items import AoT

from pipelines.issue.decoding import NotAnIssue
from pipelines.issue.house_style import LATE_ISSUES
from pipelines.issue.reading import read_issue
from pipelines.issue.reading_style import Example, learn_reading, needs_numbering
from pipelines.issue.writing_style import learn_writing
from pipelines.issue.writing_style.printed import PrintedIssue
from pipelines.issue.writing_style.titles import learn_title
from pipelines.model import Issue
from pipelines.newsletter import Category, Newsletter, Numbering, simplify_heading

_GUESSED: Final = Numbering(first=date(2018, 1, 1))
"""Of issues without a date; the editor writes the true one."""


@dataclass(frozen=True, slots=True)
class LearnedStyle:
    """What past issues show.

    Args:
        settings: of newsletter.toml that are others now.
        newsletter: with these settings.
        is_numbering_guessed: whether the issues have no date, so that somebody has to write when the first came out.
        removed_categories: names of the categories that no issue has.
    """

    settings: Mapping[str, Any]
    newsletter: Newsletter
    is_numbering_guessed: bool
    removed_categories: tuple[str, ...]


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
            issue = read_issue(example.text.encode(), name=example.name, newsletter=reader, is_ours=True)
        except NotAnIssue:
            continue
        if issue.main_sections:
            printed.append(PrintedIssue(example, issue))
    if not printed:
        return LearnedStyle({}, newsletter, is_numbering_guessed=False, removed_categories=())
    settings = learn_writing(printed, reader)
    settings["categories"] = _keep_fields(settings["categories"], newsletter, printed)
    if not settings["categories"]:
        del settings["categories"]
    settings = {name: setting for name, setting in settings.items() if not _still_prints(name, newsletter, printed)}
    if numbering is None and (learned := _learn_numbering(printed)):
        numbering = learned
    fixed_names = [simplify_heading(row["name"]) for row in settings.get("frame", {}).get("sections", ())]
    filled_names = [simplify_heading(row["name"]) for row in settings.get("categories", ())]
    frame = tuple(dict.fromkeys((*reading.frame, *(name for name in fixed_names if name not in filled_names))))
    settings["reading"] = reading.model_copy(update={"frame": frame}).model_dump()
    if numbering is not None:
        settings["numbering"] = numbering.model_dump(exclude_defaults=True) | {"days": numbering.days}
    merged = _merge(newsletter.model_dump(exclude_unset=True), settings)
    with_these = Newsletter.model_validate(merged)
    changed = _leave_out_equal(settings, newsletter.model_dump(), with_these.model_dump())
    removed = tuple(name for name in newsletter.category_names if with_these.category(name) is None)
    return LearnedStyle(changed, with_these, is_guessed, removed)


def _learn_numbering(printed: Sequence[PrintedIssue]) -> Numbering | None:
    """Learn the dates of numbered issues from the newest and the oldest that have both."""
    days = {each.issue.number: each.issue.date for each in printed if each.issue.number is not None}
    if len(days) < 2:
        return None
    oldest, newest = min(days), max(days)
    interval = max(round((days[newest] - days[oldest]).days / (newest - oldest)), 1)
    first = days[newest] - timedelta(days=interval * (newest - 1))
    return Numbering(first=first, days=interval)


def _still_prints(name: str, newsletter: Newsletter, printed: Sequence[PrintedIssue]) -> bool:
    """Whether a late issue has the text of this name as newsletter.toml says it: then the text holds as it is."""
    text = getattr(newsletter, name)
    return isinstance(text, str) and any(
        _is_text_of(text, each.issue, getattr(each.issue, name, None), newsletter) for each in _list_late(printed)
    )


def _still_prints_in(category: Category, name: str, newsletter: Newsletter, printed: Sequence[PrintedIssue]) -> bool:
    """Whether a section of a late issue has the notes, or the closing, that newsletter.toml gives its category."""
    return any(
        _is_text_of(getattr(category, name), each.issue, getattr(section, name), newsletter)
        for each in _list_late(printed)
        for section in each.issue.main_sections
        if newsletter.category(section.name) is category
    )


def _list_late(printed: Sequence[PrintedIssue]) -> list[PrintedIssue]:
    return sorted(printed, key=lambda each: each.issue.date)[-LATE_ISSUES:]


def _is_text_of(text: str, issue: Issue, printed: str | None, newsletter: Newsletter) -> bool:
    filled = newsletter.fill_text(text, issue.date, number=issue.number)
    return bool(printed) and _strip_lines(filled) == _strip_lines(printed or "")


def _strip_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _keep_fields(
    rows: Sequence[Mapping[str, Any]], newsletter: Newsletter, printed: Sequence[PrintedIssue]
) -> list[dict[str, Any]]:
    """Give the learned rows of categories what newsletter.toml says of the same categories already.

    A heading that is the alias of a category stays its alias where the issues have both.
    """
    names = {row["name"] for row in rows}
    owners = {alias: each.name for each in newsletter.categories if each.name in names for alias in each.aliases}
    filled = []
    taken_over: set[str] = set()
    for row in rows:
        if row["name"] in owners:
            continue
        category = newsletter.category(row["name"])
        fields: dict[str, Any] = {}
        texts: dict[str, str] = {}
        if category and category.name not in taken_over:
            taken_over.add(category.name)
            fields = category.model_dump(exclude_unset=True, exclude={"notes", "closing", "style"})
            aliases = [name for name in category.aliases if name not in names or owners.get(name) == row["name"]]
            if simplify_heading(category.name) != simplify_heading(row["name"]):
                aliases = [category.name, *aliases]
            fields = {name: field for name, field in fields.items() if name != "aliases"}
            fields |= {"aliases": aliases} if aliases else {}
            kept_names = [
                name for name in ("notes", "closing") if _still_prints_in(category, name, newsletter, printed)
            ]
            texts = {name: getattr(category, name) for name in kept_names}
        filled.append({**fields, **row, **texts})
    return filled


def _merge(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(settings)
    for name, change in changes.items():
        former = merged.get(name)
        merged[name] = _merge(former, change) if isinstance(change, Mapping) and isinstance(former, Mapping) else change
    return merged


def _leave_out_equal(
    settings: Mapping[str, Any], former: Mapping[str, Any], learned: Mapping[str, Any]
) -> dict[str, Any]:
    """Leave out the settings that say what the newsletter has already.

    Args:
        settings: as newsletter.toml writes them.
        former: all settings of the newsletter as it is.
        learned: all settings of the newsletter with these.
    """
    changed: dict[str, Any] = {}
    for name, setting in settings.items():
        if isinstance(setting, Mapping):
            if inner := _leave_out_equal(setting, former.get(name) or {}, learned[name]):
                changed[name] = inner
        elif former.get(name) != learned[name]:
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
            former = document.get(name)
            written = _write_rows(former, setting)
            if written is not former:
                document[name] = written
    return tomlkit.dumps(document)


def _write_rows(former: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Write rows; one whose name is in the file already keeps its comments, and the form of what is equal."""
    tables = {table.get("name"): table for table in former} if isinstance(former, AoT) else {}
    for row in rows:
        if table := tables.get(row.get("name")):
            for field in [field for field in table if field not in row]:
                table.remove(field)
            for field, part in row.items():
                if field not in table or table[field].unwrap() != _make_plain(part):
                    table[field] = _make_item(part)
    if list(tables) == [row.get("name") for row in rows]:
        return former
    written = tomlkit.aot()
    for row in rows:
        written.append(tables.get(row.get("name")) or _make_table(row))
    return written


def _make_plain(part: Any) -> Any:
    return list(part) if isinstance(part, tuple) else part


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
            rows.append(_make_table(row))
        return rows
    if isinstance(setting, Mapping):
        line = tomlkit.inline_table()
        for field, part in setting.items():
            line.add(field, part)
        return line
    return _make_plain(setting)


def _make_table(row: Mapping[str, Any]) -> Any:
    table = tomlkit.table()
    for field, part in row.items():
        table.add(field, _make_item(part))
    return table
