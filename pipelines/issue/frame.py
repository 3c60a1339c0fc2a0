"""Proposes the texts before the entries of an issue from their titles: headline (要目) and guide (导读).

A proposal is a start for the editor, who rewords it; nothing is written into an issue from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from pipelines.issue.entry import read_entry
from pipelines.issue.escape import clean_line, escape_markdown
from pipelines.model import Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.text import HAN_RANGE

_HEADLINE_CELLS: Final = 32
_GUIDE_CELLS: Final = 44
"""The longest title of an entry in each; a Han character takes two cells, a Latin letter one."""

_LEAST_CELLS: Final = 6
"""A shorter clause carries no information: 重磅, 刚刚."""

# "重磅！高通发布骁龙 690，首款": the marks between the clauses of a title
_CLAUSE_MARK: Final = re.compile(
    rf"""
    [，；。！？｜—…]+               # before any text of a Chinese title
    | [：:](?=\s|[{HAN_RANGE}])   # not the colon of 9:16
    | [,;!?|](?=\s)
    | \s-+\s
    """,
    re.VERBOSE,
)
_PAIRS: Final = ("()", "（）", "「」", "『』", "“”", "《》", "【】", "[]")
# "量", "，", "Ａ": characters of two cells
_WIDE: Final = re.compile(r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")


def propose_headline(issue: Issue, newsletter: Newsletter) -> str:
    """Propose a headline `甲/乙/丙`: short titles of the first entries of each section, in the order of print.

    The first entry of every section comes before the second of any section, until the headline is full.

    Returns:
        Markdown in one line; empty for an issue without entries.
    """
    style = newsletter.frame
    ranked = [
        (rank, section_index, entry)
        for section_index, section in enumerate(issue.main_sections)
        for rank, entry in enumerate(entry for entry in section.entries if entry.markdown.strip())
    ]
    chosen = sorted(ranked, key=itemgetter(0, 1))[: style.headline_items]
    in_print_order = sorted(chosen, key=itemgetter(1, 0))
    short_titles = dict.fromkeys(
        _shorten_entry_title(entry, newsletter, _HEADLINE_CELLS) for _, _, entry in in_print_order
    )
    return style.headline_separator.join(escape_markdown(title) for title in short_titles if title)


def propose_guide(issue: Issue, newsletter: Newsletter) -> str:
    """Propose a guide in the words of `[frame]`: the number of entries, and their short titles section by section.

    Returns:
        Markdown in one line; empty for an issue without entries, and where the newsletter has no guide.
    """
    style = newsletter.frame
    if not style.guide:
        return ""
    section_guides = []
    count = 0
    for section in issue.main_sections:
        short_titles = [_shorten_entry_title(entry, newsletter, _GUIDE_CELLS) for entry in section.entries]
        short_titles = [title for title in short_titles if title]
        count += len(short_titles)
        if short_titles:
            titles = style.guide_separator.join(map(escape_markdown, short_titles))
            section_guides.append(style.guide_section.format(section=escape_markdown(section.name), titles=titles))
    return (style.guide_opening.format(count=count) + "".join(section_guides)).strip() if section_guides else ""


def _shorten_entry_title(entry: Entry, newsletter: Newsletter, cells: int) -> str:
    """Shorten an entry to the name of its repository with a short title, or else to its short title."""
    view = read_entry(entry.markdown, newsletter)
    if not view.repository:
        return shorten_title(view.title, cells)
    name = view.repository.partition("/")[2]
    if view.title in (view.repository, name):
        return name
    title = shorten_title(view.title, cells - _count_cells(name) - 2)
    if not title or title.endswith("…"):
        return name
    return title if title.casefold().startswith(name.casefold()) else f"{name}：{title}"


def shorten_title(title: str, cells: int) -> str:
    """Shorten a title to the first clauses that fit; if the first clause does not fit, to its first words.

    Args:
        title: plain text.
        cells: the longest result; a Han character takes two cells, a Latin letter one.

    >>> shorten_title("重磅！高通发布骁龙 690，首款支持 5G 的 6 系平台", 20)
    '高通发布骁龙 690'
    >>> shorten_title("MCUNet: Tiny Deep Learning on IoT Devices", 20), shorten_title("一个很长很长没有停顿的标题", 12)
    ('MCUNet', '一个很长很…')
    """
    line = clean_line(title)
    if _count_cells(line) <= cells:
        return line
    clauses = list(_find_clauses(line))
    long_clauses = ((start, end) for start, end in clauses if _count_cells(line[start:end]) >= _LEAST_CELLS)
    start, end = next(long_clauses, (0, len(line)))
    if _count_cells(line[start:end]) > cells:
        return _cut_words(line[start:end], cells)
    for _, clause_end in clauses:
        if clause_end > end and _count_cells(line[start:clause_end]) <= cells:
            end = clause_end
    return line[start:end].strip()


def _find_clauses(line: str) -> Iterator[tuple[int, int]]:
    """Find the start and the end of each clause, without the marks between clauses."""
    start = 0
    for match in _CLAUSE_MARK.finditer(line):
        mark_start = match.start()
        if any(line.count(left, 0, mark_start) > line.count(right, 0, mark_start) for left, right in _PAIRS):
            continue
        if line[start : match.start()].strip():
            yield start, match.start()
        start = match.end()
    if line[start:].strip():
        yield start, len(line)


def _cut_words(clause: str, cells: int) -> str:
    cut = _cut_cells(clause, cells - 1)
    if re.match(r"\w", clause[len(cut) :]) and re.search(r"[A-Za-z0-9]$", cut):  # inside of a Latin word
        cut = re.sub(r"(?<=.)\b[\w.+-]+$", "", cut, flags=re.ASCII) or cut
    return cut.strip() + "…"


def _cut_cells(text: str, cells: int) -> str:
    """Cut a text to the characters that fit."""
    for index, character in enumerate(text):
        cells -= _count_cells(character)
        if cells < 0:
            return text[:index]
    return text


def _count_cells(text: str) -> int:
    return len(text) + len(_WIDE.findall(text))
