"""What an issue says of its entries before they come, proposed from their titles: headline (要目) and guide (导读).

A proposal is a start for the editor, who rewords it; nothing is written into an issue from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from pipelines.issue.entry import read_entry
from pipelines.issue.escape import cleaned, escape
from pipelines.model import Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.text import HAN_RANGE

_HEADLINE_CELLS: Final = 32
_GUIDE_CELLS: Final = 44
"""Of a title, at most; a Han character takes two cells, a Latin letter one."""

_LEAST_CELLS: Final = 6
"""A clause that is shorter says nothing by itself: 重磅, 刚刚."""

_CLAUSE: Final = re.compile(
    rf"""
    [，；。！？｜—…]+               # whichever way a Chinese title goes on
    | [：:](?=\s|[{HAN_RANGE}])   # not the colon of 9:16
    | [,;!?|](?=\s)
    | \s-+\s
    """,
    re.VERBOSE,
)
_PAIRS: Final = ("()", "（）", "「」", "『』", "“”", "《》", "【】", "[]")
_WIDE: Final = re.compile(r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")


def headline_of(issue: Issue, newsletter: Newsletter) -> str:
    """`甲/乙/丙`: what the first entries of the sections are about, by turns, in the order of print.

    Returns:
        Markdown in one line; empty for an issue without entries.
    """
    style = newsletter.frame
    placed = [
        (turn, place, one)
        for place, section in enumerate(issue.sections)
        for turn, one in enumerate(entry for entry in section.entries if entry.markdown.strip())
    ]
    first = sorted(placed, key=itemgetter(0, 1))[: style.headline_items]
    said = (_gist(one, newsletter, _HEADLINE_CELLS) for _, _, one in sorted(first, key=itemgetter(1, 0)))
    return style.headline_separator.join(escape(one) for one in dict.fromkeys(said) if one)


def guide_of(issue: Issue, newsletter: Newsletter) -> str:
    """How many entries there are, and section by section what they are about, in the words of `[frame]`.

    Returns:
        Markdown in one line; empty for an issue without entries.
    """
    style = newsletter.frame
    told = []
    count = 0
    for section in issue.sections:
        gists = [said for one in section.entries if (said := _gist(one, newsletter, _GUIDE_CELLS))]
        count += len(gists)
        if gists:
            titles = style.guide_separator.join(map(escape, gists))
            told.append(style.guide_section.format(section=escape(section.name), titles=titles))
    return (style.guide_opening.format(count=count) + "".join(told)).strip() if told else ""


def _gist(entry: Entry, newsletter: Newsletter, cells: int) -> str:
    """What an entry is about: of a repository its name, of anything else as much of its title as may stand."""
    view = read_entry(entry.markdown, newsletter)
    if view.repository:
        name = view.repository.partition("/")[2]
        said = "" if view.title in (view.repository, name) else shortened(view.title, cells - _width(name) - 2)
        if not said or said.endswith("…"):
            return name
        return said if said.casefold().startswith(name.casefold()) else f"{name}：{said}"
    return shortened(view.title, cells)


def shortened(title: str, cells: int) -> str:
    """A title's first clauses, as many as fit; where not even one does, its first words.

    Args:
        cells: a Han character takes two, a Latin letter one.

    >>> shortened("重磅！高通发布骁龙 690，首款支持 5G 的 6 系平台", 20)
    '高通发布骁龙 690'
    >>> shortened("MCUNet: Tiny Deep Learning on IoT Devices", 20), shortened("一个很长很长没有停顿的标题", 12)
    ('MCUNet', '一个很长很…')
    """
    line = cleaned(title)
    if _width(line) <= cells:
        return line
    start, end = next(((a, b) for a, b in _clauses(line) if _width(line[a:b]) >= _LEAST_CELLS), (0, len(line)))
    if _width(line[start:end]) > cells:
        return _first_words(line[start:end], cells)
    for _, further in _clauses(line):
        if further > end and _width(line[start:further]) <= cells:
            end = further
    return line[start:end].strip()


def _clauses(line: str) -> Iterator[tuple[int, int]]:
    """Where each clause begins and ends, without what parts it from the next."""
    start = 0
    for match in _CLAUSE.finditer(line):
        if any(line.count(one, 0, match.start()) > line.count(other, 0, match.start()) for one, other in _PAIRS):
            continue
        if line[start : match.start()].strip():
            yield start, match.start()
        start = match.end()
    if line[start:].strip():
        yield start, len(line)


def _first_words(clause: str, cells: int) -> str:
    cut = "".join(_within(clause, cells - 1))
    if re.match(r"\w", clause[len(cut) :]) and re.search(r"[A-Za-z0-9]$", cut):  # inside of a Latin word
        cut = re.sub(r"(?<=.)\b[\w.+-]+$", "", cut, flags=re.ASCII) or cut
    return cut.strip() + "…"


def _within(text: str, cells: int) -> Iterator[str]:
    for one in text:
        cells -= _width(one)
        if cells < 0:
            return
        yield one


def _width(text: str) -> int:
    return len(text) + len(_WIDE.findall(text))
