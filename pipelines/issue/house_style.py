"""How a newsletter writes its entries, learned from its late issues: lengths of summaries, prefixes of titles."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median
from typing import Final

from pipelines.issue import inline
from pipelines.issue.entry import EntryView, read_entry, split_first_line
from pipelines.issue.lines import find_code_lines
from pipelines.issue.sentences import HAN, Bounds
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

LATE_ISSUES: Final = 6
"""The style of a newsletter changes: its newest issues tell it."""

LEAST_SUMMARIES: Final = 10
"""With fewer printed summaries nothing is learned."""

_LONG: Final = 0.9
"""The share of printed summaries that are no longer than the longest draft."""

_LISTED: Final = 0.03
"""The share of summaries with a list from which drafts have lists too."""

_LEAST_LISTS: Final = 2
_LEAST_CODE: Final = 2
"""Entries whose titles have words in backticks, from which drafts keep those of their titles."""

_LEAST_POINTS: Final = 2

_USUAL: Final = 0.4
"""The share of a section's entries with a prefix from which a draft of the section gets it."""


@dataclass(frozen=True, slots=True)
class HouseStyle:
    """The style of drafts.

    Args:
        bounds: the length of a summary in Han characters.
        paragraph: characters of a paragraph of a summary.
        repository_sections: the sections whose titles begin with `owner/repo：`.
        paper_sections: the sections whose titles begin with `[CVPR2020]` or `[2006.16669]`.
        point_mark: what begins a point of a list in a summary, with its indent and `{n}` for its number; empty for a
            newsletter that writes hardly any list.
        code_in_titles: whether titles have words in backticks.
    """

    bounds: Bounds = HAN
    paragraph: int = 300
    repository_sections: frozenset[str] = frozenset()
    paper_sections: frozenset[str] = frozenset()
    point_mark: str = ""
    code_in_titles: bool = False


DEFAULT_STYLE: Final = HouseStyle()
"""Of a newsletter without past issues."""


def learn_house_style(issues: Iterable[Issue], newsletter: Newsletter) -> HouseStyle:
    """Learn the style from printed issues; the one-liners are no entries of it.

    Args:
        issues: the late issues, in any order.
        newsletter: its labels and its sections.
    """
    printed = sorted(
        (section.name, entry.markdown)
        for issue in issues
        for section in issue.main_sections
        for entry in section.entries
    )
    return _learn(tuple(printed), _Vocabulary(newsletter))


class _Vocabulary:
    """A newsletter, equal to any other with the same labels and sections: its other settings tell nothing here."""

    def __init__(self, newsletter: Newsletter) -> None:
        self.newsletter = newsletter
        self._key = (newsletter.labels, newsletter.category_names)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, compared: object) -> bool:
        return isinstance(compared, _Vocabulary) and compared._key == self._key


@lru_cache(maxsize=32)
def _learn(printed: tuple[tuple[str, str], ...], vocabulary: _Vocabulary) -> HouseStyle:
    newsletter = vocabulary.newsletter
    views_by_section: dict[str, list[EntryView]] = defaultdict(list)
    for section_name, markdown in printed:
        category = newsletter.category(section_name)
        views_by_section[category.name if category else section_name].append(read_entry(markdown, newsletter))
    views = [view for section_views in views_by_section.values() for view in section_views]
    summaries = [view.summary for view in views if view.summary]
    code_in_titles = sum(map(_has_code_in_title, (markdown for _, markdown in printed))) >= _LEAST_CODE
    if len(summaries) < LEAST_SUMMARIES:
        return replace(DEFAULT_STYLE, code_in_titles=code_in_titles)
    lengths = sorted(sum(map(len, summary)) for summary in summaries)
    most = max(lengths[int(len(lengths) * _LONG)], HAN.most)
    point_marks = Counter(filter(None, (_find_point_mark(markdown) for _, markdown in printed)))
    writes_lists = point_marks.total() >= max(_LISTED * len(summaries), _LEAST_LISTS)
    return HouseStyle(
        bounds=Bounds(round(median(lengths)), most, HAN.sentence),
        paragraph=round(median(len(paragraph) for summary in summaries for paragraph in summary)),
        repository_sections=_find_sections(views_by_section, [view for view in views if view.repository]),
        paper_sections=_find_sections(views_by_section, [view for view in views if view.prefixes]),
        point_mark=point_marks.most_common(1)[0][0] if writes_lists else "",
        code_in_titles=code_in_titles,
    )


def _has_code_in_title(markdown: str) -> bool:
    first_line, _ = split_first_line(markdown)
    return any(re.search(r"(?<!\\)`[^`]+`", link.markdown) for link in inline.find_links(first_line)[:1])


# "    1. 训练方法", "  - 快"; an unindented one would be an item of the issue
_POINT: Final = re.compile(r"(?P<indent> {2,5})(?P<mark>\d{1,2}\.|-)[ \t]+\S")


def _find_point_mark(markdown: str) -> str:
    """Find what begins the points of the list in an entry's summary; empty without a list of two points.

    >>> _find_point_mark("甲\\n摘要：乙：\\n    1. 丙\\n    2. 丁"), _find_point_mark("甲\\n    1. 丙")
    ('    {n}. ', '')
    """
    _, *lines = markdown.split("\n")
    code = find_code_lines(lines)
    points = [match for number, line in enumerate(lines) if number not in code and (match := _POINT.match(line))]
    if len(points) < _LEAST_POINTS:
        return ""
    return f"{points[0]['indent']}{'-' if points[0]['mark'] == '-' else '{n}.'} "


def _find_sections(views_by_section: dict[str, list[EntryView]], prefixed_views: Sequence[EntryView]) -> frozenset[str]:
    identities = set(map(id, prefixed_views))
    return frozenset(
        name
        for name, views in views_by_section.items()
        if sum(id(view) in identities for view in views) >= _USUAL * len(views)
    )
