"""Learns the title of a newsletter, and what stands between it and the headline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from pipelines.issue.heading import find_date, find_field_date, read_fields
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.markdown import render_heading
from pipelines.issue.reading import find_title
from pipelines.issue.reading_style import Example
from pipelines.issue.writing_style.printed import MOST_ISSUES, take_out_date
from pipelines.model import Issue
from pipelines.newsletter import Newsletter


def learn_title(examples: Sequence[Example], newsletter: Newsletter) -> str:
    """Learn the newsletter's title: what the titles of all issues begin with, up to date or number."""
    titles = []
    for example in examples:
        heading, front_matter = find_title(MarkdownLines.split(example.text), newsletter)
        fields = read_fields(front_matter)
        title = heading or fields.get("title", "")
        in_name = find_date(example.name)
        day = find_field_date(fields, newsletter) or (in_name[0] if in_name else None)
        titles.append(take_out_date(title, day, None))
    return split_heading(find_common_beginning(titles))[0] or newsletter.title


def find_common_beginning(titles: Sequence[str]) -> str:
    """Find what most titles begin with; a word or a number that goes on in one of them is no part of it.

    >>> find_common_beginning(["周报 #{number} 甲", "周报 #{number} 乙", "周报 #{number}"])
    '周报 #{number}'
    """
    newest = titles[-1]
    beginnings = sorted({_join_alike(newest, title) for title in titles}, key=len, reverse=True)
    beginning = next(
        each
        for each in beginnings
        if sum(title.startswith(each) for title in titles) >= len(titles) * MOST_ISSUES or not each
    )
    goes_on = any(title[len(beginning) :][:1].isalnum() for title in titles if title.startswith(beginning))
    if goes_on and beginning[-1:].isascii():
        beginning = re.sub(r"[A-Za-z0-9.]+\Z", "", beginning)
    return beginning[: beginning.rindex("{")] if beginning.count("{") > beginning.count("}") else beginning


def _join_alike(first: str, second: str) -> str:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return "".join(character for character, _ in pairs)


# "周报 #12", "周刊（第 12 期）", "周刊：第 12 期", "Digest — March 16, 2026"
_DATELINE: Final = re.compile(
    r"(?:\s*[：:|（(]|\s+[—–·-])?\s*(?:第\s*)?#?\s*"
    r"(?:\{(?:date|number)\b|(?<![A-Za-z])(?:Vol\.|No\.|Issue\b)|\Z)",
    re.IGNORECASE,
)


def split_heading(beginning: str) -> tuple[str, str]:
    """Split what all headings begin with into the title and the dateline; a heading may have no title.

    >>> split_heading("周报 #{number}："), split_heading("{date:%Y.%m.%d} - "), split_heading("No Title")
    (('周报', ' #{number}：'), ('', '{date:%Y.%m.%d} - '), ('No Title', ''))
    """
    match = _DATELINE.search(beginning)
    end = match.start() if match and (match.start() or beginning.startswith("{date")) else len(beginning)
    return beginning[:end].strip(), beginning[end:]


def read_heading(issue: Issue, newsletter: Newsletter) -> str:
    if issue.dateline is not None:
        return render_heading(issue)
    usual = newsletter.fill_template(newsletter.frame.dateline, issue.date, number=issue.number)
    has_title = issue.title_in == "heading" or "title" in read_fields(issue.front_matter or issue.above_heading)
    return f"{issue.title}{usual}{issue.headline or ''}" if has_title else issue.title
