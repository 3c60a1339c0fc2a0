"""Finds a list of points in an article's text: its contributions, its new features, its advantages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pipelines.issue.escape import clean_line
from pipelines.issue.sentences import split_sentences

_LEAST_POINTS: Final = 3
_MOST_POINTS: Final = 9
_SHORTEST_POINT: Final = 8
_LONGEST_POINT: Final = 200
_LONGEST_OPENING: Final = 120
"""Characters."""

# "1. 训练方法", "2、部署工具", "（3）数据", "④ 结果", "- 快"; not "1.5 倍"
_POINT: Final = re.compile(
    r"\s*(?:[(（]?(?P<digits>\d{1,2})\s?(?:[)）、]|[.．](?!\d))|(?P<circled>[①-⑳])|(?P<bullet>[•·●▪■◆*–-])(?=\s))"
    r"\s*(?P<text>\S.*)"
)

# "本文的贡献如下：", "新版本的主要特性有：", "Our contributions are:"
_OPENING: Final = re.compile(
    r"(?:贡献|特点|特性|特征|优势|优点|亮点|功能|更新|改进|升级|创新|工作|结论|发现|结果|原因|方法|步骤|流程|内容|方面|支持|包括|要点|问题|如下|以下|重点|分为|体现"
    r"|contribut|feature|highlight|improve|advantage|change|finding|result|include).*[：:]$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PointList:
    """A list of points in a text.

    Args:
        opening: the sentence before the first point; it ends with a colon.
        points: without their numbers.
        further_text: the text without the opening and the points.
    """

    opening: str
    points: tuple[str, ...]
    further_text: str

    @property
    def length(self) -> int:
        """Characters of the opening and the points."""
        return len(self.opening) + sum(map(len, self.points))


def find_points(text: str) -> PointList | None:
    """Find the first list of three to nine points below a sentence that says what they are.

    >>> points = ("1. 提出了新的量化方法；", "2. 提出了新的剪枝方法；", "3. 开源了全部的代码。")
    >>> found = find_points("\\n".join(("甲很快。本文的贡献如下：", *points, "完。")))
    >>> found.opening, found.points[1], found.further_text
    ('本文的贡献如下：', '提出了新的剪枝方法；', '甲很快。\\n完。')
    """
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines):
        opening = _read_opening(line)
        points = _read_points(lines[number + 1 : number + 2 + _MOST_POINTS]) if opening else ()
        if opening and _LEAST_POINTS <= len(points) <= _MOST_POINTS and all(map(_is_point, points)):
            text_before = line.rstrip().removesuffix(opening).strip()
            further_lines = [*lines[:number], *filter(None, [text_before]), *lines[number + 1 + len(points) :]]
            return PointList(clean_line(opening), points, "\n".join(further_lines))
    return None


def _read_opening(line: str) -> str:
    """Read the last sentence of a line if it says that a list follows; empty for any other line."""
    if not line.rstrip().endswith(("：", ":")) or _POINT.fullmatch(line):
        return ""
    last = split_sentences(line)[-1][-1]
    return last if _OPENING.search(last) and len(last) <= _LONGEST_OPENING else ""


def _read_points(lines: list[str]) -> tuple[str, ...]:
    """Read the points at the head of lines: numbered from 1 upwards, or all with one bullet."""
    points: list[str] = []
    bullet = ""
    for line in lines:
        match = _POINT.fullmatch(line)
        if match is None:
            break
        number = int(match["digits"]) if match["digits"] else None
        if match["circled"]:
            number = ord(match["circled"]) - ord("①") + 1
        bullet = bullet or match["bullet"] or "number"
        if (match["bullet"] or "number") != bullet or (number is not None and number != len(points) + 1):
            break
        points.append(clean_line(match["text"]))
    return tuple(points)


def _is_point(point: str) -> bool:
    """Whether a point is a sentence or a clause: no heading of further lines, no address, no code."""
    if not _SHORTEST_POINT <= len(point) <= _LONGEST_POINT or point.endswith(("：", ":")):
        return False
    return "://" not in point and sum(map(str.isalpha, point)) * 2 > len(point)
