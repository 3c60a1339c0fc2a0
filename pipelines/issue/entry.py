"""What an entry of an issue says, read from the editor's Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipelines.issue import inline
from pipelines.issue.escape import bare_url, cleaned, escape, link
from pipelines.model import StoryLink
from pipelines.newsletter import Newsletter

LABEL_CHARACTERS: Final = 20
"""A longer run of text before a colon is a sentence, not a label."""

LABELLED_CHARACTERS: Final = 300
"""A longer text behind a label is a paragraph that happens to begin with the label's word."""

PREFIX_CHARACTERS: Final = 40

_REPOSITORY: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})\s*(?:[:：]\s*|$)")
_BULLET: Final = r"\s*(?:[-*+]\s+|\d{1,3}[.)]\s+)?\**"
_ADDRESS: Final = r"(?:<?https?://[^\s<>]+>?|\[[^\[\]]*\]\([^\s()]+\))"
_ADDRESS_LINE: Final = re.compile(
    rf"{_BULLET}(?P<label>[^\s:：，。；;][^:：，。；;]{{0,{LABEL_CHARACTERS - 1}}})[:：]"
    rf"\s*(?P<rest>{_ADDRESS})[\s，。；;]{{0,9}}"
)
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_BROKEN_LINK: Final = re.compile(r"\]\((?P<url>https?://[^\s)]+)")
_BARE_AT_END: Final = re.compile(r"(?P<title>.*[^\s:：])[\s:：]{1,9}<?(?P<url>https?://[^\s<>]+)>?\s*")
_LEAD: Final = re.compile(r"[\s*\[]*(?P<label>[^\s:：]{0,12}[:：])?\s*")
_LOOKALIKES: Final = {"|": r"|(?<!\\)｜|丨(?=\s)|(?<=\s)丨"}
"""What editors type for a separator: the full-width bar, or the character U+4E28 with a blank beside it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line such as `代码：https://github.com/…` or `标题：Pruning from Scratch`.

    Args:
        label: what stands before the colon.
        text: what follows, without marks.
        url: the first address in it.
    """

    label: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class EntryView:
    """What an entry says.

    Args:
        title: without prefixes, repository and source; no marks.
        prefixes: what stands in brackets before it: `CVPR2020`, `2006.16669`.
        repository: `owner/repo` that leads it.
        source: what follows the last separator: `机器之心`.
        url: where the title leads.
        links: further links of the first line.
        labels: label lines.
        summary: all other lines, without marks and without the summary word.
        urls: every address of the entry, the title's first.
    """

    title: str
    prefixes: tuple[str, ...] = ()
    repository: str | None = None
    source: str | None = None
    url: str | None = None
    links: tuple[StoryLink, ...] = ()
    labels: tuple[Labelled, ...] = ()
    summary: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


def read_entry(markdown: str, newsletter: Newsletter) -> EntryView:
    """Read an entry.

    Args:
        markdown: as `Entry.markdown` holds it.
        newsletter: its label words and its separator.
    """
    first, *others = without_machine_line(markdown, newsletter).split("\n")
    prefixes, rest = _prefixes(first)
    head = _head(rest)
    title, source = _title_and_source(head.title, newsletter.labels.source_separator.strip())
    repository = _REPOSITORY.match(title)
    labelled = {line: label_line(line, newsletter) for line in others}
    said = [_paragraph(line, newsletter.labels.summary) for line in others if labelled[line] is None]
    return EntryView(
        title=(title[repository.end() :] or repository["name"]) if repository else title,
        prefixes=(*prefixes, *head.prefixes),
        repository=repository["name"] if repository else None,
        source=source,
        url=head.url,
        links=head.links,
        labels=tuple(one for line in others if (one := labelled[line])),
        summary=tuple(filter(None, (head.remark, *said))),
        urls=tuple(dict.fromkeys(filter(None, (head.url, *inline.urls(markdown))))),
    )


# An entry in other words


def title_of(markdown: str, newsletter: Newsletter) -> str:
    """An entry's title as a reader sees it, with the repository that leads it, without prefixes and source."""
    view = read_entry(markdown, newsletter)
    return ": ".join(dict.fromkeys(filter(None, (view.repository, view.title))))


def summary_of(markdown: str, newsletter: Newsletter) -> str:
    """An entry's summary as a reader sees it, a paragraph a line."""
    return "\n".join(_said_in(_summary_lines(markdown.split("\n"), newsletter)[1], newsletter))


def reworded(markdown: str, newsletter: Newsletter, *, title: str, summary: str) -> str:
    """The entry with another title and another summary, both plain text; what says the same already stays as it is."""
    first, *others = markdown.split("\n")
    if cleaned(title) and cleaned(title) != cleaned(title_of(markdown, newsletter)):
        first = _retitled(first, title, newsletter)
    if [cleaned(line) for line in summary.split("\n")] != [
        cleaned(line) for line in summary_of(markdown, newsletter).split("\n")
    ]:
        before, _, after = _summary_lines(others, newsletter)
        said = [escape(line) for line in summary.split("\n") if cleaned(line)] or [""]
        others = [*before, f"{newsletter.labels.summary}：{said[0]}", *said[1:], *after]
    return "\n".join([first, *others])


def _retitled(line: str, title: str, newsletter: Newsletter) -> str:
    prefixes, rest = _prefixes(line)
    lead = line[: len(line.strip()) - len(rest)] if prefixes else ""
    head = _head(rest)
    separator = newsletter.labels.source_separator
    _, source = _title_and_source(head.title, separator.strip())
    said = escape(title) + (f"{separator}{escape(source)}" if source else "")
    main = next((one for one in inline.links(rest) if not one.image), None)
    if main is None:
        return lead + said + (f" {bare_url(head.url)}" if head.url else "")
    if head.title != main.markdown:  # the link is a part of the title: the title becomes the link
        return lead + link(said, main.url)
    return lead + rest[: main.start + 1] + said + rest[main.start + 1 + len(main.markdown) :]


def _summary_lines(lines: Sequence[str], newsletter: Newsletter) -> tuple[list[str], list[str], list[str]]:
    """What stands before the summary, the summary, what stands after it."""
    start = next((at for at, line in enumerate(lines) if _summary_start(newsletter.labels.summary).match(line)), None)
    if start is None:
        return list(lines), [], []
    end = next((at for at in range(start + 1, len(lines)) if label_line(lines[at], newsletter)), len(lines))
    return list(lines[:start]), list(lines[start:end]), list(lines[end:])


def _said_in(lines: Iterable[str], newsletter: Newsletter) -> list[str]:
    return [said for line in lines if (said := _paragraph(line, newsletter.labels.summary))]


# What a machine drafted


def machine_line(markdown: str, newsletter: Newsletter) -> str | None:
    """What a machine drafted for an entry and nobody has accepted yet, as Markdown; None where there is nothing."""
    start = _summary_start(newsletter.labels.machine)
    found = ((start.match(line), line) for line in markdown.split("\n"))
    return next((line[match.end() :].strip() for match, line in found if match), None)


def without_machine_line(markdown: str, newsletter: Newsletter) -> str:
    """The entry without what a machine drafted, however its line was set since."""
    start = _summary_start(newsletter.labels.machine)
    return "\n".join(line for line in markdown.split("\n") if not start.match(line))


def with_machine_line(markdown: str, said: str, newsletter: Newsletter) -> str:
    """The entry with a machine's draft before its summary, in place of an earlier one.

    Args:
        said: Markdown, one line.
    """
    lines = without_machine_line(markdown, newsletter).split("\n")
    summary = _summary_start(newsletter.labels.summary)
    at = next((at for at, line in enumerate(lines) if at and summary.match(line)), len(lines))
    return "\n".join([*lines[:at], f"{newsletter.labels.machine}：{said}", *lines[at:]])


def with_machine_line_accepted(markdown: str, newsletter: Newsletter) -> str:
    """The entry whose summary is what a machine drafted: from now on it is the editor's."""
    said = machine_line(markdown, newsletter)
    if said is None:
        return markdown
    before, _, after = _summary_lines(without_machine_line(markdown, newsletter).split("\n"), newsletter)
    return "\n".join([*before, f"{newsletter.labels.summary}：{said}", *after])


# The first line


@dataclass(frozen=True, slots=True)
class _Head:
    """The first line without its bracketed prefixes; `title` is Markdown still, `remark` is not."""

    title: str
    url: str | None = None
    links: tuple[StoryLink, ...] = ()
    prefixes: tuple[str, ...] = ()
    remark: str = ""


def _prefixes(line: str) -> tuple[tuple[str, ...], str]:
    """Labels in brackets at the start that lead nowhere, and the rest of the line.

    >>> _prefixes("[CVPR2020][2003.1] [标题](u)")
    (('CVPR2020', '2003.1'), '[标题](u)')
    """
    found: list[str] = []
    rest = line.strip()
    while len(found) < 4:
        close = dict(inline.brackets(rest[: PREFIX_CHARACTERS + 2])).get(0)
        lenticular = re.match(rf"【([^【】]{{1,{PREFIX_CHARACTERS}}})】\s*(?=\[)", rest)
        if lenticular:
            found.append(lenticular[1])
            rest = rest[lenticular.end() :]
        elif close and rest[close + 1 : close + 2] not in ("(", ""):
            found.append(inline.plain(rest[1:close]))
            rest = rest[close + 1 :].lstrip()
        else:
            break
    return tuple(found), rest


def _head(line: str) -> _Head:
    links = [link for link in inline.links(line) if not link.image]
    if not links:
        return _unlinked(line)
    main, *further = links
    others = tuple(StoryLink(inline.plain(link.markdown).strip("[]"), link.url) for link in further)
    lead = _LEAD.fullmatch(line[: main.start])
    if lead is None:  # the link is a part of the title
        return _Head(line, main.url, others)
    label = (lead["label"] or "").rstrip(":：")
    gaps = zip(links, (*(link.start for link in further), len(line)), strict=True)
    remark = inline.plain(" ".join(line[link.end : until].strip(" *，。；;,、") for link, until in gaps))
    return _Head(main.markdown, main.url, others, (label,) if label else (), remark)


def _unlinked(line: str) -> _Head:
    """A first line without a whole link: brackets that do not pair, a bare address, or only text."""
    broken = _BROKEN_LINK.search(line)
    if broken:
        return _Head(line[: broken.start()].lstrip("[* "), broken["url"])
    bare = _BARE_AT_END.fullmatch(line)
    return _Head(bare["title"], bare["url"]) if bare else _Head(line)


def _title_and_source(markdown: str, separator: str) -> tuple[str, str | None]:
    """Both without marks; the source is what follows the last separator.

    >>> _title_and_source("KDD 2019 | 特征组合 | 机器之心", "|"), _title_and_source(r"a \\| b", "|")
    (('KDD 2019 | 特征组合', '机器之心'), ('a | b', None))
    """
    *_, last = (None, *_separators(separator).finditer(markdown))
    title = inline.plain(markdown[: last.start()]) if last else ""
    source = inline.plain(markdown[last.end() :]) if last else ""
    return (title, source or None) if title else (inline.plain(markdown), None)


@lru_cache(maxsize=8)
def _separators(separator: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\\){re.escape(separator)}{_LOOKALIKES.get(separator, '')}")


# The other lines


def label_line(line: str, newsletter: Newsletter) -> Labelled | None:
    """The line as a label line: a label that the newsletter knows, or any short one before nothing but an address."""
    known = _known_labels(newsletter.labels.lines).fullmatch(line)
    match = known or _ADDRESS_LINE.fullmatch(line)
    if match is None or match["label"] == newsletter.labels.summary:
        return None
    text = inline.plain(match["rest"])
    if not text or len(text) > LABELLED_CHARACTERS:
        return None
    return Labelled(match["label"].strip(), text, next(iter(inline.urls(match["rest"])), None))


def is_labelled(line: str, newsletter: Newsletter) -> bool:
    """Whether a line is a label line or begins the summary: part of an entry, wherever it stands."""
    return bool(label_line(line, newsletter) or _summary_start(newsletter.labels.summary).match(line))


@lru_cache(maxsize=8)
def _summary_start(word: str) -> re.Pattern[str]:
    return re.compile(rf"{_BULLET}{re.escape(word)}\**\s{{0,9}}[:：]")


@lru_cache(maxsize=8)
def _known_labels(labels: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    return re.compile(rf"{_BULLET}(?P<label>{longest_first})\**\s{{0,9}}[:：](?P<rest>.*)", re.DOTALL)


def _paragraph(line: str, summary_word: str) -> str:
    """What a line says without marks, bullet and summary word; empty for a fence."""
    if _FENCE.match(line):
        return ""
    start = _summary_start(summary_word).match(line) or re.match(_BULLET, line)
    return inline.plain(line[start.end() if start else 0 :])
