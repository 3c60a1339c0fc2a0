"""Finds the references of an article (papers, repositories, other articles) in its links and in its plain text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from crawler.items import LinkRelation
from pipelines.model import Article, ArticleLink, Reference
from pipelines.normalise.url import Canonical, NotAWebAddress, canonicalise
from pipelines.rules import Rules
from pipelines.rules.references import IdRow, ReferenceRules, Role
from pipelines.text import trim_address

_ROLE_OF_RELATION: Final[dict[LinkRelation, Role]] = {
    "original": "original",
    "paper": "paper",
    "code": "code",
    "doi": "paper",
}

_MOST_MENTIONS: Final = 1_000
"""Addresses of one article that are read."""


def add_references(article: Article, rules: Rules) -> Article:
    """The article with its references, and without the links."""
    references = find_references(article, rules)
    return replace(article, references=references, links=()) if references or article.links else article


def find_references(article: Article, rules: Rules) -> tuple[Reference, ...]:
    """Find the references in the title, the links and the text of an article, in this order.

    Each key appears once; the article's own keys never appear. A reference is primary in the title, on a label line
    (`项目地址：…`), in the first part of the text, and outside the text (阅读原文).

    Args:
        article: as `normalise` made it.
        rules: the tables of data/rules.
    """
    merged: dict[str, _Mention] = {}
    for mention in islice(_find_mentions(article, rules), _MOST_MENTIONS):
        first = merged.setdefault(mention.target.key, mention)
        first.role = first.role or mention.role
        first.primary = first.primary or mention.primary
    mentions = [mention for key, mention in merged.items() if key not in article.keys]
    return tuple(
        Reference(
            key=mention.target.key,
            url=mention.target.url,
            label=_choose_label(mention, rules.references),
            primary=mention.primary,
            position=position,
        )
        for position, mention in enumerate(mentions[: rules.references.max_references])
    )


def find_named_addresses(text: str, rules: Rules) -> tuple[Canonical, ...]:
    """The addresses that a text names, by URL or by identifier; behind each the repository of an issue or a release.

    >>> from crawler.home import Home, bundled
    >>> from pipelines.rules import load_rules
    >>> addresses = find_named_addresses("[2006.16669] 见 github.com/a/b/issues/7", load_rules(Home(bundled())))
    >>> [address.key for address in addresses]
    ['https://github.com/a/b/issues/7', 'github:a/b', 'arxiv:2006.16669']
    """
    targets = {mention.target.key: mention.target for mention in _find_in_plain_text(text, rules, primary=True)}
    return tuple(targets.values())


@dataclass(slots=True)
class _Mention:
    """A reference before the mentions of one key are merged."""

    target: Canonical
    role: Role | None
    primary: bool


def _find_mentions(article: Article, rules: Rules) -> Iterator[_Mention]:
    yield from _find_in_plain_text(article.title, rules, primary=True)
    in_text = [link for link in article.links if link.position is not None]
    for link in article.links:
        if link.position is None:
            role = _ROLE_OF_RELATION.get(link.relation or "related") or _find_role_of_label(
                link.label, rules.references
            )
            yield from _make_mentions(link.url, rules, role, primary=link.relation != "related")
    yield from _find_in_plain_text(article.facts.get("comment", ""), rules, primary=True)
    yield from _find_in_text(article.text or article.summary, in_text, rules)


def _choose_label(mention: _Mention, rules: ReferenceRules) -> str | None:
    """The newsletter's label for a mention; for 链接, which fits any address, the label that the target calls for."""
    role = mention.role
    if role == "link":
        scheme = mention.target.key.partition(":")[0]
        host = mention.target.url.split("/", 3)[2].removeprefix("www.")
        role = rules.roles.get(scheme) or rules.roles.get(host) or role
    return getattr(rules.printed, role) if role else None


# ---- One address


def _make_mentions(url: str, rules: Rules, role: Role | None, *, primary: bool) -> Iterator[_Mention]:
    try:
        target = canonicalise(url, rules)
    except NotAWebAddress:
        return
    if target.temporary or rules.references.skipped.fullmatch(target.url) or (role is None and _is_front_page(target)):
        return
    yield _Mention(target, role, primary)
    yield from _make_part_of(target, rules, primary=primary)


def _make_part_of(target: Canonical, rules: Rules, *, primary: bool) -> Iterator[_Mention]:
    if target.part_of:
        yield _Mention(canonicalise(target.part_of, rules), None, primary)


_FRONT_PAGE: Final = re.compile(r"https?://[^/?#]+/?")


def _is_front_page(target: Canonical) -> bool:
    """Whether the target is a site's front page, which no article is about."""
    return _FRONT_PAGE.fullmatch(target.url) is not None


# ---- In plain text

_IN_PATH: Final = r"[A-Za-z0-9\-._~/?#@!$&'*+,;=%]"
_LONGEST_ADDRESS: Final = 1_000
_LONGEST_DIGEST: Final = 500
"""Characters of a text that may be a digest: a mirror cuts its digests at any character."""

# A second address run into the first: https://a.cn/bhttps://c.cn/, but not a redirector's https://a.cn/?to=https://…
_SECOND_URL: Final = re.compile(r"(?<![=/?&])https?://", re.IGNORECASE)

# A line that holds the end of a broken address and nothing else
_CONTINUED: Final = re.compile(rf"\n({_IN_PATH}+)(?=\n|$)")


@dataclass(frozen=True, slots=True)
class _Address:
    """An address in a text, with the position of its first character."""

    url: str
    start: int


def _find_in_plain_text(text: str, rules: Rules, *, primary: bool) -> Iterator[_Mention]:
    for address in _find_addresses(text, rules.references, whole=True):
        yield from _make_mentions(address.url, rules, None, primary=primary)


def _find_in_text(text: str, links: Iterable[ArticleLink], rules: Rules) -> Iterator[_Mention]:
    """Mentions in a text by position: its links, and its addresses outside the labels of links."""
    links = list(links)
    label_positions = {label_position for link in links for label_position in _label_span(link)} if links else set()
    addresses = [_Address(link.url, link.position or 0) for link in links]
    labels = {(link.url, link.position or 0): link.label for link in links}
    in_plain_text = _find_addresses(text, rules.references, whole=False)
    addresses += [address for address in in_plain_text if address.start not in label_positions]
    for address in sorted(addresses, key=lambda address: address.start):
        label = labels.get((address.url, address.start), "")
        position = _find_note_number(text, address.start)
        role = _find_role_of_label(label, rules.references) or _find_role_before(text, position, rules.references)
        primary = role is not None or position < rules.references.first_part
        yield from _make_mentions(address.url, rules, role, primary=primary)


def _label_span(link: ArticleLink) -> range:
    start = link.position or 0
    return range(start, start + len(link.label))


def _find_addresses(text: str, rules: ReferenceRules, *, whole: bool) -> Iterator[_Address]:
    """The addresses in a text.

    Args:
        text: plain text.
        rules: references.toml.
        whole: whether the text is complete; if not, an address that may be cut off at its end is left out.
    """
    if not _may_hold_address(text, rules):
        return
    ids_by_start = {id_address.start: id_address for row in rules.ids for id_address in _find_ids(text, row)}
    starts = sorted(ids_by_start)
    for match in rules.address.finditer(text):
        index = bisect_left(starts, match.start())
        if index < len(starts) and starts[index] < match.end():  # arxiv.org/abs/2001.04246Code: the number ends it
            yield _Address(ids_by_start.pop(starts.pop(index)).url, match.start())
        elif whole or not _is_cut_off(text, match, rules):
            written = _trim_written(_join_broken_line(match[0], text, match.end())[:_LONGEST_ADDRESS])
            yield _Address(written if match["url"] else f"https://{written}", match.start())
    yield from ids_by_start.values()


def _find_ids(text: str, row: IdRow) -> Iterator[_Address]:
    for match in row.pattern.finditer(text):
        yield _Address(row.url.format_map(match.groupdict()), match.start())


def _is_cut_off(text: str, match: re.Match[str], rules: ReferenceRules) -> bool:
    """Whether an address at the end of a digest may lack its last characters.

    An address on a line of its own, or behind a label alone, is complete.
    """
    if len(text) > _LONGEST_DIGEST or match.end() < len(text.rstrip()):
        return False
    line_start = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    return any(character.isalnum() for character in line_start) and not rules.label_alone.fullmatch(line_start)


def _may_hold_address(text: str, rules: ReferenceRules) -> bool:
    written = text.encode("ascii", "ignore").lower()  # a hint is ASCII, and much of a Chinese text is not
    return any(map(written.__contains__, rules.hints))


def _join_broken_line(url: str, text: str, end: int) -> str:
    """Join an address that a line break cuts (after `/`, `-`, `=` ...) with the next line, if that is nothing else."""
    if url.endswith(("/", "-", "=", "?", "&", "_")):
        match = _CONTINUED.match(text, end)
        if match and not match[1].lower().startswith("http"):
            return url + match[1]
    return url


def _trim_written(url: str) -> str:
    """Leave out a second address run into the first, and the punctuation of the sentence.

    >>> [_trim_written(url) for url in ("https://a.cn/b.", "https://a.cn/b_(c)", "https://a.cn/bhttps://c.cn/")]
    ['https://a.cn/b', 'https://a.cn/b_(c)', 'https://a.cn/b']
    """
    second = _SECOND_URL.search(url, 8)
    return trim_address(url[: second.start()] if second else url)


# ---- Labels

_LABEL_REACH: Final = 40
"""Characters before a reference that may hold its label."""

# [3] MNN: (before https://…)
_FOOTNOTE: Final = re.compile(r"(\[\d{1,3}\])[^\[\]\n]{0,80}$")
"""The number and the title of a note, before its address."""


def _find_note_number(text: str, start: int) -> int:
    """The position that an address belongs to: for a note (`[3] MNN: https://…`), where the text refers to the note.

    >>> _find_note_number("基于 MNN[1] 的工具。\\n[1] MNN: https://github.com/alibaba/MNN", 25)
    6
    """
    note = _FOOTNOTE.search(text, max(0, start - 100), start)
    position = text.find(note[1]) if note else -1
    return position if 0 <= position < (note.start() if note else start) else start


def _find_role_before(text: str, start: int, rules: ReferenceRules) -> Role | None:
    """The role of the label on the line before a reference, or alone on the line above."""
    line_start = text.rfind("\n", 0, start) + 1
    text_before = text[max(line_start, start - _LABEL_REACH) : start]
    if any(character.isalnum() for character in text_before):
        labelled = rules.label_before.search(text_before)
        return _find_role_of_match(labelled, rules) or _find_role_of_label(text_before, rules)
    if not line_start:
        return None
    above_end = line_start - 1
    above_start = text.rfind("\n", 0, above_end) + 1
    line_above = text[max(above_start, above_end - _LABEL_REACH) : above_end]
    return _find_role_of_match(rules.label_before.search(line_above), rules) or _find_role_of_label(line_above, rules)


def _find_role_of_label(label: str, rules: ReferenceRules) -> Role | None:
    """The role of a text that is a label and nothing else: `[Code]`."""
    return _find_role_of_match(rules.label_alone.fullmatch(label), rules) if 0 < len(label) <= _LABEL_REACH else None


def _find_role_of_match(match: re.Match[str] | None, rules: ReferenceRules) -> Role | None:
    return rules.role_by_label[" ".join(match[1].casefold().split())] if match else None
