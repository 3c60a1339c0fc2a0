"""Queries in the syntax of arXiv's API, evaluated on papers that came another way.

Source: info.arxiv.org/help/api/user-manual.html, 5.1: fields, `AND OR ANDNOT`, parentheses, phrases in quotation marks,
and ranges of `submittedDate`. Words without an operator between them are alternatives, as in Lucene, which reads them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from crawler.errors import NotUnderstood
from crawler.items import RawItem

FIELDS: Final = ("ti", "au", "abs", "co", "jr", "cat", "rn", "id", "all")
_DATE_FIELDS: Final = ("submittedDate", "lastUpdatedDate")

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<parenthesis>[()])|(?P<field>[A-Za-z]+):|"(?P<phrase>[^"]*)"|\[(?P<range>[^\]]*)\]|(?P<word>[^\s()"\[\]]+))'
)
_RANGE: Final = re.compile(r"(\d{8}(?:\d{2}){0,3}) TO (\d{8}(?:\d{2}){0,3})")
_WORD: Final = re.compile(r"[^\W_]+")
_DEEPEST: Final = 100
"""Parentheses inside parentheses."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow one another in a field.

    Args:
        field: one of `FIELDS`.
        tokens: words in lower case, in their singular; a category or an identifier is one word.
        is_prefix: the last word is the beginning of a word: `quanti*`.
    """

    field: str
    tokens: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A range of `submittedDate`; both ends belong to it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """Two queries joined by an operator."""

    operator: Literal["AND", "OR", "ANDNOT"]
    left: Query
    right: Query


Query = Term | Period | Operation


def read_query(text: str) -> Query:
    """Read a query; `AND` and `ANDNOT` bind closer than `OR`.

    Raises:
        NotUnderstood: the text is no such query; the fact names the position.

    >>> read_query('cat:cs.LG ANDNOT ti:"graph networks"')
    Operation(operator='ANDNOT', left=Term(field='cat', tokens=('cs.lg',), is_prefix=False), \
right=Term(field='ti', tokens=('graph', 'network'), is_prefix=False))
    """
    return _Parser(text).read()


def matches(query: Query, paper: RawItem) -> bool:
    """Whether arXiv would give this paper for the query.

    A date that the paper does not have excludes it from no period, and a field that it does not have matches nothing.
    """
    if isinstance(query, Operation):
        left = matches(query.left, paper)
        if query.operator == "OR":
            return left or matches(query.right, paper)
        return left and matches(query.right, paper) != (query.operator == "ANDNOT")
    if isinstance(query, Period):
        published = _moment(paper.published)
        return published is None or query.start <= published <= query.end
    return _has(paper, query)


def _has(paper: RawItem, term: Term) -> bool:
    if term.field == "cat":
        return any(_fits(term, (tag.lower(),)) for tag in paper.tags)
    if term.field == "id":
        return f"arxiv:{term.tokens[0].partition('v')[0]}" in paper.ids
    if term.field == "au":
        return any(_names(term, read_words(name)) for name in (paper.author or "").split(", "))
    return any(_fits(term, read_words(text)) for text in _texts(term.field, paper))


def categories_of(query: Query) -> frozenset[str] | None:
    """Categories of which every paper of the query has at least one, as the query writes them; None for no such limit.

    >>> sorted(categories_of(read_query("all:pruning AND (cat:cs.LG OR cat:cs.CV)")))
    ['cs.cv', 'cs.lg']
    >>> categories_of(read_query("all:pruning OR cat:cs.LG"))
    """
    if isinstance(query, Term):
        return frozenset({query.tokens[0] + "*" * query.is_prefix}) if query.field == "cat" else None
    if isinstance(query, Period):
        return None
    left, right = categories_of(query.left), categories_of(query.right)
    if query.operator == "OR":
        return left | right if left is not None and right is not None else None
    if query.operator == "ANDNOT" or right is None:
        return left
    return right if left is None else min(left, right, key=len)


def read_words(text: str) -> tuple[str, ...]:
    """The words of a text: lower case, without accents, in their singular.

    >>> read_words("Post-training Quantizations: a naïve study")
    ('post', 'training', 'quantization', 'a', 'naive', 'study')
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
    return tuple(map(_singular, _WORD.findall(plain)))


def _singular(word: str) -> str:
    """The word without the ending of an English plural: arXiv finds both forms.

    >>> [_singular(word) for word in ("networks", "queries", "boxes", "loss", "bias")]
    ['network', 'query', 'box', 'loss', 'bias']
    """
    if len(word) < 4 or word.endswith(("ss", "us", "is", "as")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("xes", "ches", "shes", "sses")) else word.removesuffix("s")


def _texts(field: str, paper: RawItem) -> Sequence[str]:
    texts = {
        "ti": paper.title,
        "abs": paper.summary or "",
        "co": paper.facts.get("comment", ""),
        "jr": paper.facts.get("journal_ref", ""),
        "rn": "",
    }
    return (*texts.values(), paper.author or "", " ".join(paper.tags)) if field == "all" else (texts[field],)


def _fits(term: Term, tokens: Sequence[str]) -> bool:
    """Whether the words of the term follow one another among these words."""
    length = len(term.tokens)
    return any(
        _is_same(term, tuple(tokens[start : start + length])) for start in range(len(tokens) - length + 1) if length
    )


def _is_same(term: Term, tokens: tuple[str, ...]) -> bool:
    if not term.is_prefix:
        return tokens == term.tokens
    return tokens[:-1] == term.tokens[:-1] and tokens[-1].startswith(term.tokens[-1])


def _names(term: Term, name: Sequence[str]) -> bool:
    """Whether a person has these names, in any order; a single letter is an initial (`au:hinton_g`)."""
    return all(
        any(part == word or (len(word) == 1 and part.startswith(word)) for part in name) for word in term.tokens
    ) or (term.is_prefix and any(part.startswith(term.tokens[-1]) for part in name))


def _moment(date: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(date or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Parser:
    """Reads a query by recursive descent, from its left to its right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[re.Match[str]] = list(self._tokenise(text))
        self._next = 0
        self._depth = 0

    def read(self) -> Query:
        query = self._read_alternatives("all")
        if self._next < len(self._tokens):
            raise self._error()
        return query

    def _tokenise(self, text: str) -> Iterator[re.Match[str]]:
        position = 0
        while text[position:].strip():
            token = _TOKEN.match(text, position)
            if token is None:
                raise NotUnderstood("query-syntax", query=text, position=position)
            yield token
            position = token.end()

    def _error(self) -> NotUnderstood:
        position = self._tokens[self._next].start() if self._next < len(self._tokens) else len(self._text)
        return NotUnderstood("query-syntax", query=self._text, position=position)

    def _peek(self, group: str) -> str | None:
        return self._tokens[self._next][group] if self._next < len(self._tokens) else None

    def _take(self, group: str) -> str:
        text = self._peek(group)
        if text is None:
            raise self._error()
        self._next += 1
        return text

    def _read_alternatives(self, field: str) -> Query:
        query = self._read_conjunction(field)
        while self._next < len(self._tokens) and self._peek("parenthesis") != ")":
            if self._peek("word") == "OR":
                self._next += 1
            query = Operation("OR", query, self._read_conjunction(field))
        return query

    def _read_conjunction(self, field: str) -> Query:
        query = self._read_operand(field)
        while (operator := self._peek("word")) in ("AND", "ANDNOT"):
            self._next += 1
            if operator == "AND" and self._peek("word") == "NOT":
                self._next += 1
                operator = "ANDNOT"
            query = Operation("AND" if operator == "AND" else "ANDNOT", query, self._read_operand(field))
        return query

    def _read_operand(self, field: str) -> Query:
        name = self._peek("field")
        if name is not None:
            if name not in (*FIELDS, *_DATE_FIELDS):
                raise self._error()
            self._next += 1
            return self._read_period() if name in _DATE_FIELDS else self._read_operand(name)
        if self._peek("parenthesis") == "(":
            return self._read_group(field)
        if self._peek("phrase") is not None:
            return self._make_term(field, self._take("phrase"))
        if self._peek("word") in ("AND", "OR", "ANDNOT"):
            raise self._error()
        return self._make_term(field, self._take("word"))

    def _read_group(self, field: str) -> Query:
        self._next += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error()
        query = self._read_alternatives(field)
        if self._take("parenthesis") != ")":
            raise self._error()
        self._depth -= 1
        return query

    def _read_period(self) -> Period:
        period = _RANGE.fullmatch(self._peek("range") or "")
        if period is None:
            raise self._error()
        try:
            start, end = (_minute(text) for text in period.groups())
        except ValueError as error:
            raise self._error() from error
        self._next += 1
        return Period(start, end)

    def _make_term(self, field: str, text: str) -> Term:
        is_prefix = text.endswith("*")
        if field in ("cat", "id"):
            return Term(field, (text.rstrip("*").lower(),), is_prefix)
        tokens = read_words(text.replace("_", " "))
        if not tokens:
            self._next -= 1
            raise self._error()
        return Term(field, tokens, is_prefix)


def _minute(text: str) -> datetime:
    return datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
