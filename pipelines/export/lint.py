"""What an editor should look at again before an issue goes out, and on which line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipelines.export import inline
from pipelines.export.entry import EntryView, read_entry
from pipelines.export.escape import printable_url
from pipelines.model import Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.normalise.url import NotAWebAddress, canonical
from pipelines.rules import Rules

LONG_SUMMARY: Final = 300
"""Characters: what a draft is cut to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    Args:
        part: `headline`, `guide`, `section` or `entry`.
        position: of the section or of the entry, among all of the issue's, from 0; 0 for the other parts.
        line: of the entry's Markdown, from 0.
        text: what is the matter, in the editor's words.
    """

    part: str
    position: int
    line: int
    text: str


def lint(
    issue: Issue,
    newsletter: Newsletter,
    rules: Rules,
    keys: Sequence[Sequence[str]],
    printed: Mapping[str, Sequence[date]],
) -> list[Finding]:
    """Everything that a second look is worth, in print order.

    Args:
        rules: what tells an address that soon dies.
        keys: the strong keys that each entry links to, for the entries of all sections in print order.
        printed: the published issues that linked to each key.
    """
    found = []
    if not issue.headline:
        found.append(Finding("headline", 0, 0, "还没有要目"))
    if not issue.guide:
        found.append(Finding("guide", 0, 0, f"还没有{newsletter.labels.guide}"))
    at = 0
    seen: dict[str, int] = {}
    for place, section in enumerate(issue.sections):
        category = newsletter.category(section.name)
        if category is None:
            found.append(Finding("section", place, 0, "不是这份简报的栏目"))
        elif len(section.entries) != category.quota:
            found.append(Finding("section", place, 0, f"目标 {category.quota} 条，现有 {len(section.entries)} 条"))
        for entry in section.entries:
            found += (Finding("entry", at, line, text) for line, text in _of_entry(entry, newsletter, rules))
            found += (Finding("entry", at, 0, text) for text in _repeats(issue, at, keys[at], seen, printed))
            at += 1
    return found


def _of_entry(entry: Entry, newsletter: Newsletter, rules: Rules) -> Iterator[tuple[int, str]]:
    view = read_entry(entry.markdown, newsletter)
    lines = entry.markdown.split("\n")
    if view.url is None:
        yield 0, "没有链接"
    if not view.title:
        yield 0, "没有标题"
    for at, line in enumerate(lines):
        for link in inline.links(line):
            if printable_url(link.url) is None:
                yield at, f"这个链接不能用：{link.url[:80]}"
        for url in inline.urls(line):
            if _dies(url, rules):
                yield at, "这是临时链接，几小时后就打不开了"
    yield from _of_summary(view, lines, newsletter)


def _of_summary(view: EntryView, lines: Sequence[str], newsletter: Newsletter) -> Iterator[tuple[int, str]]:
    word = newsletter.labels.summary
    said = "".join(view.summary)
    at = next((at for at, line in enumerate(lines) if line.lstrip("*- ").startswith(word)), len(lines) - 1)
    if not said:
        yield at, f"{word}是空的"
    elif len(said) > LONG_SUMMARY:
        yield at, f"{word}有 {len(said)} 个字，偏长"
    elif said.endswith(("…", "...")):
        yield at, f"{word}像是没有写完"


def _repeats(
    issue: Issue, at: int, keys: Sequence[str], seen: dict[str, int], printed: Mapping[str, Sequence[date]]
) -> Iterator[str]:
    twin = next((seen[key] for key in keys if key in seen), None)
    if twin is not None:
        yield f"和第 {twin + 1} 条的链接相同"
    for key in keys:
        seen.setdefault(key, at)
    days = sorted({day for key in keys for day in printed.get(key, ()) if day != issue.date})
    if days:
        yield f"链接已在 {'、'.join(map(str, days[-3:]))} 收录"


def _dies(url: str, rules: Rules) -> bool:
    try:
        return canonical(url, rules).temporary
    except NotAWebAddress:
        return False
