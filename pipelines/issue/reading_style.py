"""Learns from examples how a newsletter's past issues are to be read: `[reading]` of newsletter.toml.

The shape of a single section is ambiguous; many issues show which headings come back in every issue, and so are
sections, and which are new in each, and so are entries.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from pipelines.issue import inline
from pipelines.issue.definitions import resolve_links
from pipelines.issue.heading import find_date, find_field_date, find_number, read_fields
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.reading import find_title
from pipelines.issue.shapes import Mark, choose_kind, find_marks, read_mark
from pipelines.newsletter import BOLD_LEVEL, Newsletter, Reading, simplify_heading

_LEAST_ITEM_SHARE: Final = 0.05
"""Of all entries, the share of a kind of mark that is no accident."""
_LEAST_SECTION_SHARE: Final = 0.1
"""Of the headings of a level, the share with entries below them that makes the level one of sections."""
_LEAST_HEADING_SHARE: Final = 0.5
"""Of the headings of a level, the share with a link, and the share of different texts, that makes them entries."""
_LEAST_FRAME_SHARE: Final = 0.3
"""Of the issues, the share that has a heading of the frame."""
_MOST_FILLED_SHARE: Final = 0.1
"""Of the occurrences of a heading of the frame, the largest share with entries below them."""


# "weekly_12.md"
_ONE_NUMBER: Final = re.compile(r"(?P<before>[^\d{}]*)(?P<number>\d{1,4})(?P<behind>[^\d{}]*)")

_LEAST_NUMBERED: Final = 3
"""Numbered lines below a bold paragraph that are items, though they hold no link."""


@dataclass(frozen=True, slots=True)
class Example:
    """A past issue to learn from.

    Args:
        name: of the file.
        text: decoded.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines below one heading, up to the next heading of any level.

    Args:
        level: of the heading; 0 for the lines before the first.
        heading: its text as printed.
        kind: of the marks that begin entries there, or None.
        count: entries.
        contains: whether a deeper heading follows.
    """

    level: int
    heading: str
    kind: str | None
    count: int
    contains: bool


def learn_reading(examples: Sequence[Example], newsletter: Newsletter) -> Reading:
    """Learn how past issues are to be read.

    Args:
        examples: of past issues.
        newsletter: gives the forms of numbers and the fields of dates, and the reading to start from.

    Returns:
        The reading: the place of the title, the levels of sections, what begins an entry, the headings of the frame,
        and the form of the number where only the names of the files have one.
    """
    titles = [_find_title_place(example, newsletter) for example in examples]
    blocks_by_example = [list(_read_blocks(example, newsletter)) for example in examples]
    item_levels = _find_item_levels([block for blocks in blocks_by_example for block in blocks])
    outer_blocks = list(_leave_out_items(blocks_by_example, item_levels))
    counts: Counter[str] = Counter()
    for block in outer_blocks:
        if block.level in item_levels and inline.find_urls(block.heading):
            counts["#" * block.level + " "] += 1
        elif block.kind:
            counts[block.kind] += block.count
    total = counts.total()
    kinds = [kind for kind, count in counts.most_common() if count >= total * _LEAST_ITEM_SHARE]
    title_places = Counter(filter(None, titles)).most_common(1)
    values: dict[str, Any] = newsletter.reading.model_dump()
    values |= {
        "title": title_places[0][0] if title_places else "front-matter",
        "sections": _find_section_levels([block for block in outer_blocks if block.level], kinds, item_levels),
        "items": tuple(kinds),
        "frame": tuple(_find_frame(blocks_by_example, kinds, item_levels)),
        "number": (*newsletter.reading.number, *_find_number_of_files(examples, newsletter)),
    }
    return Reading.model_validate(values)


def _find_title_place(example: Example, newsletter: Newsletter) -> str:
    heading, front_matter = find_title(MarkdownLines.split(example.text), newsletter)
    if heading:
        return "heading"
    return "front-matter" if "title" in read_fields(front_matter) else ""


def _read_blocks(example: Example, newsletter: Newsletter) -> Iterator[_Block]:
    page = MarkdownLines.split(example.text)
    title, _ = find_title(page, newsletter)
    headings = []
    for number, line in enumerate(page.lines):
        mark = read_mark(line, after_blank=True) if line.startswith("#") and number not in page.opaque else None
        text = line[mark.end :].strip() if mark else ""
        if mark and text != title:
            headings.append((number, mark.heading_level, resolve_links(text, page.definitions)))
    if not headings:
        bold_lines = page.find_bold_paragraphs()
        headings = [(number, BOLD_LEVEL, page.lines[number].strip().strip("*")) for number in bold_lines]
    starts = [(-1, 0, ""), *headings, (len(page.lines), 0, "")]
    for (number, level, text), (next_number, next_level, _) in pairwise(starts):
        all_marks = find_marks(page, number + 1, next_number, newsletter.labels.lines)
        marks = {line: mark for line, mark in all_marks.items() if not mark.heading_level}
        numbered_kind = _find_numbered_kind(marks.values()) if level == BOLD_LEVEL else None
        kind = numbered_kind or (choose_kind(page, marks, next_number) if level else None)
        count = sum(mark.kind == kind for mark in marks.values())
        yield _Block(level, text, kind, count, contains=next_level > level > 0)


def _find_numbered_kind(marks: Iterable[Mark]) -> str | None:
    """Find a kind of number of which the marks have several: items, though none of them holds a link."""
    counts = Counter(mark.kind for mark in marks if mark.number is not None)
    return next((kind for kind, count in counts.most_common(1) if count >= _LEAST_NUMBERED), None)


def _find_item_levels(blocks: Sequence[_Block]) -> set[int]:
    """Find the levels whose headings are entries: most hold a link, and most texts are new in each issue."""
    texts: dict[int, list[str]] = defaultdict(list)
    for block in blocks:
        if block.level:
            texts[block.level].append(block.heading)
    levels = set()
    for level, headings in texts.items():
        linked = [heading for heading in headings if inline.find_urls(heading)]
        simple = set(map(simplify_heading, linked))
        if len(simple) >= len(headings) * _LEAST_HEADING_SHARE and len(linked) > 1:
            levels.add(level)
    return levels


def _leave_out_items(blocks_by_example: Sequence[Sequence[_Block]], item_levels: set[int]) -> Iterator[_Block]:
    """Leave out the blocks below headings that are entries: a list there is text of the entry."""
    for blocks in blocks_by_example:
        entry_level = 0
        for block in blocks:
            if entry_level and block.level > entry_level:
                continue
            is_entry = block.level in item_levels
            entry_level = block.level if is_entry else 0
            yield _Block(block.level, block.heading, None, 0, block.contains) if is_entry else block


def _find_section_levels(blocks: Sequence[_Block], kinds: Sequence[str], item_levels: set[int]) -> tuple[int, ...]:
    """Find the levels of sections: entries stand below some of their headings, or they contain such headings."""
    headings: Counter[int] = Counter(block.level for block in blocks if block.level not in item_levels)
    filled: Counter[int] = Counter()
    for index, block in enumerate(blocks):
        following_level = blocks[index + 1].level if index + 1 < len(blocks) else 0
        holds_entry = following_level in item_levels and following_level > block.level
        if block.level not in item_levels and (block.kind in kinds or holds_entry):
            filled[block.level] += 1
    deep = [level for level, count in filled.items() if count >= headings[level] * _LEAST_SECTION_SHARE]
    deepest = max((level for level in deep if level != BOLD_LEVEL), default=0)
    return tuple(level for level in sorted(headings) if level in deep or (level < deepest and headings[level] > 1))


def _find_frame(
    blocks_by_example: Sequence[Sequence[_Block]], kinds: Sequence[str], item_levels: set[int]
) -> Iterator[str]:
    """Find the headings that many issues have and that never, or hardly ever, stand above entries."""
    occurrences: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for blocks in blocks_by_example:
        for block in blocks:
            if block.level and block.level not in item_levels:
                name = simplify_heading(block.heading)
                occurrences[name] += 1
                filled[name] += block.contains or block.kind in kinds
    least = max(2, len(blocks_by_example) * _LEAST_FRAME_SHARE)
    for name, count in occurrences.most_common():
        if name and count >= least and filled[name] <= count * _MOST_FILLED_SHARE:
            yield name


def _find_number_of_files(examples: Sequence[Example], newsletter: Newsletter) -> Iterator[str]:
    """Find the form of the number in the names of the files, where nothing else has number or date: `weekly_{n}.md`."""
    forms: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        heading, front_matter = find_title(MarkdownLines.split(example.text), newsletter)
        title = heading or read_fields(front_matter).get("title", "")
        is_told = not _is_undated(example, newsletter) or any(
            find_number(text, newsletter) is not None for text in (title, example.name)
        )
        if not is_told and (parts := _ONE_NUMBER.fullmatch(example.name)):
            forms[f"{parts['before']}{{n}}{parts['behind']}"].add(parts["number"])
    form = max(forms, key=lambda form: len(forms[form]), default="")
    if len(forms.get(form, ())) * 2 > len(examples) > 1:
        yield form


def needs_numbering(examples: Sequence[Example], newsletter: Newsletter) -> bool:
    """Whether most of the issues have no date: `[numbering]` has to say when the first came out."""
    undated = sum(_is_undated(example, newsletter) for example in examples)
    return undated * 2 > len(examples)


def _is_undated(example: Example, newsletter: Newsletter) -> bool:
    heading, front_matter = find_title(MarkdownLines.split(example.text), newsletter)
    fields = read_fields(front_matter)
    return not (find_date(heading) or find_date(example.name) or find_field_date(fields, newsletter))
