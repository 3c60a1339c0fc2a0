"""How a newsletter writes its entries, learned from its late issues: lengths of summaries, prefixes of titles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Final

from pipelines.issue.entry import EntryView, read_entry
from pipelines.issue.sentences import HAN, Bounds
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

LATE_ISSUES: Final = 6
"""The style of a newsletter changes: its newest issues tell it."""

LEAST_SUMMARIES: Final = 10
"""With fewer printed summaries nothing is learned."""

_LONG: Final = 0.9
"""The share of printed summaries that are no longer than the longest draft."""

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
    """

    bounds: Bounds = HAN
    paragraph: int = 300
    repository_sections: frozenset[str] = frozenset()
    paper_sections: frozenset[str] = frozenset()


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
    if len(summaries) < LEAST_SUMMARIES:
        return DEFAULT_STYLE
    lengths = sorted(sum(map(len, summary)) for summary in summaries)
    most = max(lengths[int(len(lengths) * _LONG)], HAN.most)
    return HouseStyle(
        bounds=Bounds(round(median(lengths)), most, HAN.sentence),
        paragraph=round(median(len(paragraph) for summary in summaries for paragraph in summary)),
        repository_sections=_find_sections(views_by_section, [view for view in views if view.repository]),
        paper_sections=_find_sections(views_by_section, [view for view in views if view.prefixes]),
    )


def _find_sections(views_by_section: dict[str, list[EntryView]], prefixed_views: Sequence[EntryView]) -> frozenset[str]:
    identities = set(map(id, prefixed_views))
    return frozenset(
        name
        for name, views in views_by_section.items()
        if sum(id(view) in identities for view in views) >= _USUAL * len(views)
    )
