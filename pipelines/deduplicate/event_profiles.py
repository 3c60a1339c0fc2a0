"""Reads an article for its event: names, versions, numbers, words and actions of its title and first text. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NewType, Self

from crawler.characters import keep_letters
from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.model import DAY_PRECISIONS, WORK_PREFIXES, Article
from pipelines.rules.events import EventRules
from pipelines.text import HAN_RANGE, fold, make_account_key

VERSION: Final = 1
"""Version of the profiles; raise it with every change that changes a profile."""

FIRST_TEXT: Final = 400
"""Characters of summary and text that are read; the news is in the first paragraph."""

TermKind = Literal["name", "word", "pair", "version", "number", "characters"]


Term = NewType("Term", str)
"""A part of a title or a text that may identify an event: a letter for its kind, and its folded text.

The kinds are `name` (谷歌, or a common word), `word` (a foreign word, nearly always a name), `pair` (two foreign words
in a row), `version` (a word with its number), `number` (with its multiple: 390万), `characters` (two Chinese characters
in a row). One string holds both, since an article has hundreds of terms that are hashed, compared and stored all the
time.
"""

CHARACTERS, NAME, NUMBER, PAIR, VERSIONED, WORD = "c", "m", "n", "p", "v", "w"
"""The letters of the kinds; terms sort as their kinds do."""

LETTER_OF_KIND: Final[Mapping[TermKind, str]] = {
    "characters": CHARACTERS, "name": NAME, "number": NUMBER, "pair": PAIR, "version": VERSIONED, "word": WORD,
}  # fmt: skip
"""The letter of each kind."""

_KIND_OF_LETTER: Final = {letter: kind for kind, letter in LETTER_OF_KIND.items()}


def make_term(kind: TermKind, text: str) -> Term:
    """Make a term of a kind and a folded text."""
    return Term(LETTER_OF_KIND[kind] + text)


def split_term(term: Term) -> tuple[TermKind, str]:
    """Split a term into its kind and its text.

    >>> split_term(make_term("version", "gpt5.6"))
    ('version', 'gpt5.6')
    """
    return _KIND_OF_LETTER[term[0]], term[1:]


@dataclass(frozen=True, slots=True)
class EventProfile:
    """What an article says of its event.

    Args:
        account: key of the account.
        hours: time of publication, in hours since 1970.
        title: folded.
        in_head, in_title, in_all: terms of the head of the title, where its subject stands; of the title; of title and
            first text.
        runs: runs of Chinese characters of the title, each as its pairs in order.
        actions, actions_in_all: actions of the title; of title and first text.
        study: whether the title reports a paper.
    """

    account: str
    hours: float
    title: str
    in_head: frozenset[Term]
    in_title: frozenset[Term]
    in_all: frozenset[Term]
    runs: tuple[tuple[Term, ...], ...]
    actions: frozenset[str]
    actions_in_all: frozenset[str]
    study: bool

    @property
    def letters(self) -> str:
        """The letters of the title."""
        return keep_letters(self.title)

    def to_json(self) -> str:
        """Write the profile for the store."""
        values = {
            "account": self.account,
            "hours": self.hours,
            "title": self.title,
            "head": sorted(self.in_head),
            "more_of_title": sorted(self.in_title - self.in_head),
            "more": sorted(self.in_all - self.in_title),
            "runs": [run[0][1:] + "".join(term[-1] for term in run[1:]) for run in self.runs],
            "actions": sorted(self.actions),
            "more_actions": sorted(self.actions_in_all - self.actions),
            "study": self.study,
        }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a profile as `to_json` writes it, or as an older version did."""
        values = json.loads(text)
        if "terms" in values:
            values |= _read_former_terms(values)
        in_head = frozenset(values["head"])
        in_title = in_head.union(values["more_of_title"])
        actions = frozenset(values["actions"])
        return cls(
            account=values["account"],
            hours=values["hours"],
            title=values["title"],
            in_head=in_head,
            in_title=in_title,
            in_all=in_title.union(values["more"]),
            runs=tuple(tuple(_pair_characters(run)) for run in values["runs"]),
            actions=actions,
            actions_in_all=actions.union(values["more_actions"]),
            study=values["study"],
        )


def _read_former_terms(values: Mapping[str, Any]) -> Mapping[str, Collection[Term]]:
    """Read the terms of a profile of a store that has them by kind: those of the title, then those of the text."""
    head = {make_term(kind, text) for kind, text in values.get("head", ())}  # the first stores have none
    terms: Mapping[TermKind, tuple[list[str], list[str]]] = values["terms"]
    titled = {make_term(kind, text) for kind, (of_title, _) in terms.items() for text in of_title}
    more = {make_term(kind, text) for kind, (_, of_text) in terms.items() for text in of_text}
    return {"head": head, "more_of_title": titled, "more": more}


def read_event_profile(article: Article, rules: EventRules) -> EventProfile | None:
    """Read what an article says of its event.

    Args:
        article: of any kind.
        rules: events.toml.

    Returns:
        None if the article reports no single event: a paper or a repository, a round-up, a notice, an article without
        a day, a short title without any text.
    """
    title, text = _fold_title(article, rules), _fold_text(article, rules)
    letters = keep_letters(title)
    if (
        _is_work(article)
        or article.published.precision not in DAY_PRECISIONS
        or not letters
        or (len(letters) < _TELLING and not keep_letters(text))
        or is_round_up(article.title, rules)
        or rules.notice.search(title)
    ):
        return None
    in_title = frozenset(_read_terms(title, rules))
    actions = _read_actions(title, rules)
    return EventProfile(
        account=make_account_key(article),
        hours=article.published.at.timestamp() / 3600,
        title=title,
        in_head=in_title.intersection(_read_terms(_cut_head(title), rules)),
        in_title=in_title,
        in_all=in_title.union(_read_terms(text, rules)),
        runs=tuple(run for run in map(tuple, map(_pair_characters, _HAN_RUN.findall(title))) if len(run) > 1),
        actions=actions,
        actions_in_all=actions | _read_actions(text, rules),
        study=bool(rules.study.search(title)),
    )


def read_event_terms(article: Article, rules: EventRules) -> frozenset[Term]:
    """The terms of any article, for counting how rare they are."""
    return frozenset(
        (*_read_terms(_fold_title(article, rules), rules), *_read_terms(_fold_text(article, rules), rules))
    )


def is_round_up(title: str, rules: EventRules) -> bool:
    """Whether an article reports several events: its title says so, or names three or more pieces of news.

    >>> is_round_up("荣耀机器人打破人类纪录/五一航班大面积取消/钉钉创始人：公司严禁写文档", EventRules())
    True
    """
    folded = fold(title)
    parts = [part for part in _SEPARATOR.split(folded) if len(keep_letters(part)) >= _PART]
    return len(parts) >= _PARTS or bool(rules.round_up.search(folded))


_HEAD: Final = 8
"""Letters of the head of a title; a word that begins within them belongs to it."""

_TELLING: Final = 12
"""Letters of a title that tells an event by itself; two shorter ones that look alike may be one form filled in."""

_PART: Final = 6
"""Letters of a part of a title that is a piece of news."""

_PARTS: Final = 3
"""Pieces of news in the title of a round-up, at least."""

_SEPARATOR: Final = re.compile("[/;；]")
_HAN_RUN: Final = re.compile(f"[{HAN_RANGE}]{{2,}}")

# 阿, claude, 5.6
_UNIT: Final = re.compile(rf"[{HAN_RANGE}]|[a-z]+|\d+(?:\.\d+)*")

# gpt-5.6 sol, claude code's
_FOREIGN: Final = re.compile(r"[a-z\d][a-z\d.'’\- +]*")
_TOKEN: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)*")
_ZEROS: Final = re.compile(r"(?:\.0)+$")
_ACCENTS: Final = str.maketrans("áàâäãéèêëíìîïñóòôöõúùûüç‑–", "aaaaaeeeeiiiinooooouuuuc--")

# https://openai.com/index/introducing-gpt-5-6
_ADDRESS: Final = re.compile(r"https?://(?:www\.)?([^\s]+)")
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_SPLIT_VERSION: Final = re.compile(r"(?<=[a-z] )(\d) (\d)(?![\d.])")

# 390 万元, 20 亿美元, 85%
_NUMBER: Final = re.compile(
    r"(?<![a-z\d.])(\d{1,12}(?:\.\d{1,6})?)\s?"
    rf"(万亿|千亿|百亿|十亿|千万|百万|[万亿千百]|%|倍|k|m|b|t|gb|tb)?\s?([{HAN_RANGE}])?"
)
_MULTIPLES: Final = {
    "万亿": 1e12, "千亿": 1e11, "百亿": 1e10, "十亿": 1e9, "千万": 1e7, "百万": 1e6, "万": 1e4, "亿": 1e8, "千": 1e3,
    "百": 1e2, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12,
}  # fmt: skip
_TIME_UNITS: Final = frozenset("年月日点")
_SMALL_NUMBER: Final = 13
"""Plain numbers below this are too common: 3 款, 12 个月."""


def _fold_title(article: Article, rules: EventRules) -> str:
    return rules.repeated.sub(" ", fold(article.title)).strip()


def _fold_text(article: Article, rules: EventRules) -> str:
    """The first text of an article, with the words of each address in its place."""
    text = fold(f"{article.summary}\n{article.text[: 2 * FIRST_TEXT]}")
    return _read_addresses(rules.repeated.sub(" ", text))[:FIRST_TEXT]


def _cut_head(title: str) -> str:
    """The head of a title.

    >>> _cut_head("claude code 推出 agent view 功能")
    'claude code '
    """
    letters = 0
    for unit in _UNIT.finditer(title):
        if letters >= _HEAD:
            return title[: unit.start()]
        letters += len(unit[0])
    return title


def _is_work(article: Article) -> bool:
    return (
        article.kind in PAPERS
        or article.kind in REPOSITORIES
        or any(key.startswith(WORK_PREFIXES) for key in article.keys)
    )


def _read_addresses(text: str) -> str:
    """A text with the words of each address in its place, because they name the subject."""
    return _ADDRESS.sub(lambda match: _read_address(match[1]), text)


def _read_address(address: str) -> str:
    return _SPLIT_VERSION.sub(r"\1.\2", f" {_NO_WORD.sub(' ', address)} ")


def _read_terms(folded: str, rules: EventRules) -> Iterator[Term]:
    for spelling in rules.chinese_name.findall(folded):
        yield Term(NAME + rules.name_of[spelling])
    for run in _HAN_RUN.findall(folded):
        yield from _pair_characters(run)
    yield from _read_numbers(folded)
    for match in _FOREIGN.finditer(folded.translate(_ACCENTS)):
        yield from _read_foreign(_TOKEN.findall(match[0]), rules)


def _read_foreign(tokens: Iterable[str], rules: EventRules) -> Iterator[Term]:
    """The terms of foreign words and numbers in a row."""
    former, former_is_word = "", False
    for token in tokens:
        if token[0].isdigit():
            if former_is_word and former not in rules.small_words and _can_be_version(token):
                yield Term(VERSIONED + former + _ZEROS.sub("", token))
            former_is_word = False
            continue
        if token in {"s", "v"}:
            continue
        word = token[:-1] if len(token) > 4 and token.endswith("s") and not token.endswith("ss") else token
        if word in rules.name_of or token in rules.name_of:
            yield Term(NAME + (rules.name_of.get(word) or rules.name_of[token]))
        elif word in rules.common_words or token in rules.common_words:
            yield Term(NAME + word)
        elif len(word) > 1 and word not in rules.small_words:
            yield Term(WORD + word)
        if former_is_word and former not in rules.small_words and word not in rules.small_words:
            yield Term(f"{PAIR}{former} {word}")
        former, former_is_word = word, True


def _can_be_version(number: str) -> bool:
    number = _ZEROS.sub("", number)
    return len(number) <= 5 and not (len(number) == 4 and number.startswith("20"))


def _pair_characters(run: str) -> Iterator[Term]:
    return (Term(CHARACTERS + run[start : start + 2]) for start in range(len(run) - 1))


def _read_numbers(folded: str) -> Iterator[Term]:
    """Numbers that identify: with a multiple, as a share, or large.

    >>> list(_read_numbers("售价 390 万起，提速 85%，6 月 27 日，1200 人"))
    ['n3900000', 'n85%', 'n1200']
    """
    for match in _NUMBER.finditer(folded):
        digits, multiple, unit = match.groups()
        quantity = float(digits)
        if multiple in _MULTIPLES:
            yield Term(f"{NUMBER}{quantity * _MULTIPLES[multiple]:.12g}")
        elif multiple in {"%", "倍"}:
            yield Term(f"{NUMBER}{quantity:.12g}{multiple}")
        elif unit not in _TIME_UNITS and quantity >= _SMALL_NUMBER and not 2015 <= quantity <= 2035:
            yield Term(f"{NUMBER}{quantity:.12g}")


def _read_actions(folded: str, rules: EventRules) -> frozenset[str]:
    return frozenset(rules.action_of[word] for word in rules.action.findall(folded))
