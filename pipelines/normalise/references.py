"""What an article points at: papers, repositories, other articles; from its links and from plain words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from crawler.items import LinkRelation
from pipelines.model import Article, ArticleLink, Reference
from pipelines.normalise.url import Canonical, NotAWebAddress, canonical
from pipelines.rules import Rules
from pipelines.rules.references import IdRow, ReferenceRules, Role

_ROLE_OF_RELATION: Final[dict[LinkRelation, Role]] = {
    "original": "original",
    "paper": "paper",
    "code": "code",
    "doi": "paper",
}

_MOST_MENTIONS: Final = 1_000
"""Addresses of one article that are looked at."""


def with_references(article: Article, rules: Rules) -> Article:
    """The article with its references filled in, and without the links that they were made of."""
    return replace(article, references=references(article, rules), links=())


def references(article: Article, rules: Rules) -> tuple[Reference, ...]:
    """What the title, the links and the words of an article point at, in this order; a thing once, itself never.

    Primary is what stands in the title, on a label line (`项目地址：…`), in the first part of the text, or apart
    from it (阅读原文). How rare it is in the store, which tells a subject from an account's footer, is not known here.

    Args:
        article: as `normalise` made it.
    """
    merged: dict[str, _Mention] = {}
    for mention in islice(_mentions(article, rules), _MOST_MENTIONS):
        known = merged.setdefault(mention.target.key, mention)
        known.role = known.role or mention.role
        known.primary = known.primary or mention.primary
    others = [mention for key, mention in merged.items() if key not in article.keys]
    return tuple(
        Reference(
            key=mention.target.key,
            url=mention.target.url,
            label=_printed(mention, rules.references),
            primary=mention.primary,
            position=position,
        )
        for position, mention in enumerate(others[: rules.references.max_references])
    )


def named_in(text: str, rules: Rules) -> tuple[Canonical, ...]:
    """What a text names, by an address or in plain words, each with what it belongs to: a release with its repository.

    >>> from crawler.home import Home, bundled
    >>> from pipelines.rules import load_rules
    >>> [one.key for one in named_in("[2006.16669] 见 github.com/a/b/issues/7", load_rules(Home(bundled())))]
    ['https://github.com/a/b/issues/7', 'github:a/b', 'arxiv:2006.16669']
    """
    found = {mention.target.key: mention.target for mention in _in_words(text, rules, primary=True)}
    return tuple(found.values())


@dataclass(slots=True)
class _Mention:
    target: Canonical
    role: Role | None
    primary: bool


def _mentions(article: Article, rules: Rules) -> Iterator[_Mention]:
    yield from _in_words(article.title, rules, primary=True)
    in_text = [link for link in article.links if link.position is not None]
    for link in article.links:
        if link.position is None:
            role = _ROLE_OF_RELATION.get(link.relation or "related") or _role_of_label(link.label, rules.references)
            yield from _at(link.url, rules, role, primary=link.relation != "related")
    yield from _in_words(article.facts.get("comment", ""), rules, primary=True)
    yield from _in_text(article.text or article.summary, in_text, rules)


def _printed(mention: _Mention, rules: ReferenceRules) -> str | None:
    """The newsletter's label; a word that says nothing of its own is replaced by what the target is."""
    role = mention.role
    if role == "link":
        scheme = mention.target.key.partition(":")[0]
        host = mention.target.url.split("/", 3)[2].removeprefix("www.")
        role = rules.roles.get(scheme) or rules.roles.get(host) or role
    return getattr(rules.printed, role) if role else None


# ---- One address


def _at(url: str, rules: Rules, role: Role | None, *, primary: bool) -> Iterator[_Mention]:
    try:
        target = canonical(url, rules)
    except NotAWebAddress:
        return
    if target.temporary or rules.references.skipped.fullmatch(target.url) or (role is None and _is_front_page(target)):
        return
    yield _Mention(target, role, primary)
    yield from _part_of(target, rules, primary=primary)


def _part_of(target: Canonical, rules: Rules, *, primary: bool) -> Iterator[_Mention]:
    if target.part_of:
        yield _Mention(canonical(target.part_of, rules), None, primary)


_FRONT_PAGE: Final = re.compile(r"https?://[^/?#]+/?")


def _is_front_page(target: Canonical) -> bool:
    """A site's front page is whose site it is, not what an article is about."""
    return _FRONT_PAGE.fullmatch(target.url) is not None


# ---- In words

_IN_PATH: Final = r"[A-Za-z0-9\-._~/?#@!$&'*+,;=%]"
_SHORT: Final = 300
"""Characters of a text in which it is cheaper to look than to ask whether to."""

_LONGEST_ADDRESS: Final = 1_000
_LONGEST_DIGEST: Final = 500
"""Characters of a text that may be a mirror's digest, cut off anywhere."""

_SECOND_URL: Final = re.compile(r"(?<![=/?&])https?://", re.IGNORECASE)
_CONTINUED: Final = re.compile(rf"\n({_IN_PATH}+)(?=\n|$)")


@dataclass(frozen=True, slots=True)
class _Found:
    """An address in a text, from its first character."""

    url: str
    start: int


def _in_words(text: str, rules: Rules, *, primary: bool) -> Iterator[_Mention]:
    for found in _addresses(text, rules.references, whole=True):
        yield from _at(found.url, rules, None, primary=primary)


def _in_text(text: str, links: Iterable[ArticleLink], rules: Rules) -> Iterator[_Mention]:
    """Links and addresses of a text in order; an address that is a link's words is that link."""
    links = list(links)
    words = {place for link in links for place in _words_of(link)} if links else set()
    found = [_Found(link.url, link.position or 0) for link in links]
    labels = {(link.url, link.position or 0): link.label for link in links}
    found += [one for one in _addresses(text, rules.references, whole=False) if one.start not in words]
    for one in sorted(found, key=lambda one: one.start):
        label = labels.get((one.url, one.start), "")
        at = _noted(text, one.start)
        role = _role_of_label(label, rules.references) or _role_before(text, at, rules.references)
        yield from _at(one.url, rules, role, primary=role is not None or at < rules.references.first_part)


def _words_of(link: ArticleLink) -> range:
    start = link.position or 0
    return range(start, start + len(link.label))


def _addresses(text: str, rules: ReferenceRules, *, whole: bool) -> Iterator[_Found]:
    """What a text names; unless it is known to be whole, not what may be cut off at its end."""
    if not _may_name(text, rules):
        return
    named = {one.start: one for row in rules.ids for one in _named(text, row)}
    starts = sorted(named)
    for match in rules.address.finditer(text):
        at = bisect_left(starts, match.start())
        if at < len(starts) and starts[at] < match.end():  # arxiv.org/abs/2001.04246Code: the number says where it ends
            yield _Found(named.pop(starts.pop(at)).url, match.start())
        elif whole or not _is_cut_off(text, match, rules):
            written = _trimmed(_continued(match[0], text, match.end())[:_LONGEST_ADDRESS])
            yield _Found(written if match["url"] else f"https://{written}", match.start())
    yield from named.values()


def _named(text: str, row: IdRow) -> Iterator[_Found]:
    for match in row.pattern.finditer(text):
        yield _Found(row.url.format_map(match.groupdict()), match.start())


def _is_cut_off(text: str, match: re.Match[str], rules: ReferenceRules) -> bool:
    """Whether an address may lack its end: a digest ends wherever its hundred characters are full.

    An address on a line of its own, or with a label only, is nobody's last hundredth character.
    """
    if len(text) > _LONGEST_DIGEST or match.end() < len(text.rstrip()):
        return False
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    return any(character.isalnum() for character in before) and not rules.label_alone.fullmatch(before)


def _may_name(text: str, rules: ReferenceRules) -> bool:
    if len(text) < _SHORT:
        return bool(text)
    lowered = text.lower()
    return any(hint in lowered for hint in rules.hints)


def _continued(url: str, text: str, end: int) -> str:
    """Take in the next line where an address was broken: after `/`, `-`, `=`, and nothing else on that line."""
    if url.endswith(("/", "-", "=", "?", "&", "_")):
        match = _CONTINUED.match(text, end)
        if match and not match[1].lower().startswith("http"):
            return url + match[1]
    return url


def _trimmed(url: str) -> str:
    """Leave out what is punctuation of the sentence, and a second address run into the first.

    >>> [_trimmed(url) for url in ("https://a.cn/b.", "https://a.cn/b_(c)", "https://a.cn/b)", "https://a.cn/bhttps://c.cn/")]
    ['https://a.cn/b', 'https://a.cn/b_(c)', 'https://a.cn/b', 'https://a.cn/b']
    """
    second = _SECOND_URL.search(url, 8)
    url = url[: second.start()] if second else url
    while url:
        shorter = url.rstrip(".,;:!?'*")
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == url:
            break
        url = shorter
    return url


# ---- Labels

_BEFORE: Final = 40
"""Characters before a reference that are looked at for a label."""

_FOOTNOTE: Final = re.compile(r"(\[\d{1,3}\])[^\[\]\n]{0,80}$")
"""The number of a note and the words that bore it, before its address."""


def _noted(text: str, start: int) -> int:
    """Where an address is meant to stand: that of a note (`[3] MNN: https://…`) where its number does.

    >>> _noted("基于 MNN[1] 的工具。\\n[1] MNN: https://github.com/alibaba/MNN", 25)
    6
    """
    note = _FOOTNOTE.search(text, max(0, start - 100), start)
    at = text.find(note[1]) if note else -1
    return at if 0 <= at < (note.start() if note else start) else start


def _role_before(text: str, start: int, rules: ReferenceRules) -> Role | None:
    """The role of the label on the line before a reference, or alone on the line above."""
    line = text.rfind("\n", 0, start) + 1
    before = text[max(line, start - _BEFORE) : start]
    if any(character.isalnum() for character in before):
        return _role_of(rules.label_before.search(before), rules) or _role_of_label(before, rules)
    above = text[max(text.rfind("\n", 0, line - 1) + 1 if line else 0, line - 1 - _BEFORE) : max(line - 1, 0)]
    return _role_of(rules.label_before.search(above), rules) or _role_of_label(above, rules)


def _role_of_label(words: str, rules: ReferenceRules) -> Role | None:
    """The role of words that are nothing but a label: `[Code]`."""
    return _role_of(rules.label_alone.fullmatch(words), rules) if 0 < len(words) <= _BEFORE else None


def _role_of(match: re.Match[str] | None, rules: ReferenceRules) -> Role | None:
    return rules.role_of_word[" ".join(match[1].casefold().split())] if match else None
