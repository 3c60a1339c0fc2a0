"""Search for words and parts of words, Chinese or Latin, in title, account, author and summary; all taken literally.

A full-text index splits a text at blanks, and Chinese has none. So the index holds pairs of neighbouring characters,
and finds the articles that may contain the words; a comparison with the text itself decides. PostgreSQL has no such
index here and compares every text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    TextClause,
    delete,
    func,
    literal_column,
    select,
    text,
)

from pipelines.model import StoredArticle
from pipelines.store.engine import chunks, upsert
from pipelines.store.tables import search_texts
from pipelines.text import UNSPACED, fold

SUMMARY_CHARACTERS: Final = 200
"""Characters of a summary that are searched; a match further down is seldom what the story is about."""

MOST_TERMS: Final = 8
LONGEST_QUERY: Final = 200

_CJK: Final = UNSPACED + r"\uf900-\ufaff\U00020000-\U0003ffff"
_RUN: Final = re.compile(rf"[{_CJK}]+|(?:(?![{_CJK}])[^\W_])+")
_EXACT: Final = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]{1,2}")
"""A term that the index alone finds: a beginning of a Latin word, a Chinese character, a pair of them."""

_BLANK_BETWEEN_SCRIPTS: Final = re.compile(rf"(?<=[{_CJK}]) (?=[a-z0-9])|(?<=[a-z0-9]) (?=[{_CJK}])")

_WIDE: Final = "\u2e80"

_PUT: Final = text("INSERT INTO search_words(rowid, words) VALUES (:id, :words)")
_DROP: Final = text("INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', :id, :words)")


class Search:
    """The searched texts of articles, and the index of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._indexed = connection.dialect.name == "sqlite"

    def put(self, articles: Iterable[StoredArticle]) -> None:
        """Store the searched texts of articles; only changed texts are written."""
        texts = {stored.id: _text_of(stored) for stored in articles}
        stored_texts = self._texts(texts)
        changed = {
            article_id: content for article_id, content in texts.items() if stored_texts.get(article_id) != content
        }
        self._take_out({article_id: stored_texts[article_id] for article_id in changed if article_id in stored_texts})
        rows = [{"article_id": article_id, "text": content} for article_id, content in changed.items()]
        upsert(self._connection, search_texts, rows)
        if self._indexed:
            self._run_for_each(_PUT, changed)

    def forget(self, ids: Iterable[int]) -> None:
        """Remove the searched texts of articles."""
        texts = self._texts(ids)
        self._take_out(texts)
        for chunk in chunks(texts):
            self._connection.execute(delete(search_texts).where(search_texts.c.article_id.in_(chunk)))

    def _texts(self, ids: Iterable[int]) -> Mapping[int, str]:
        rows = search_texts.c
        return {
            article_id: content
            for chunk in chunks(ids)
            for article_id, content in self._connection.execute(
                select(rows.article_id, rows.text).where(rows.article_id.in_(chunk))
            )
        }

    def _take_out(self, texts: Mapping[int, str]) -> None:
        if self._indexed:
            self._run_for_each(_DROP, texts)

    def _run_for_each(self, statement: TextClause, texts: Mapping[int, str]) -> None:
        if texts:
            rows = [{"id": article_id, "words": split_words(content)} for article_id, content in texts.items()]
            self._connection.execute(statement, rows)


def make_condition(query: str, article: ColumnElement[int], dialect: str) -> ColumnElement[bool] | None:
    """Make the condition that the searched text of an article contains every word of a query.

    Args:
        query: as the editor typed it; no character has a special meaning.
        article: the column of the article's id.
        dialect: of the database: `sqlite` or `postgresql`.

    Returns:
        The condition; None for a query without words.
    """
    terms = split_terms(query[:LONGEST_QUERY])[:MOST_TERMS]
    if not terms:
        return None
    rows = search_texts.c
    if dialect != "sqlite":
        contains_terms = (func.strpos(rows.text, term) > 0 for term in terms)
        return article.in_(select(rows.article_id).where(*contains_terms))
    expression = " AND ".join(f'"{piece}"{"*" * prefix}' for term in terms for piece, prefix in _pieces(term))
    indexed: Select[int] = select(literal_column("rowid", Integer)).select_from(text("search_words"))
    indexed = indexed.where(text("search_words MATCH :asked").bindparams(asked=expression))
    doubtful = [term for term in terms if not _EXACT.fullmatch(term)]
    if not doubtful:
        return article.in_(indexed)
    holding = select(rows.article_id).where(*(func.instr(rows.text, term) > 0 for term in doubtful))
    return article.in_(holding.where(rows.article_id.in_(indexed)) if expression else holding)


def fold_text(content: str) -> str:
    """Fold a text for comparison: one form of each character, one case, one Chinese script, single blanks.

    Between a Chinese and a Latin character no blank is left: some set one there and some do not.

    >>> fold_text("ＭＮＮ　Kit\\n量化，臺積電 7 nm")
    'mnn kit量化,台积电7 nm'
    """
    return _BLANK_BETWEEN_SCRIPTS.sub("", " ".join(fold(content).split()))


def split_terms(query: str) -> list[str]:
    """Split a query into its terms, each as texts are compared.

    >>> split_terms("骁龙690 驍龍 690")
    ['骁龙690', '骁龙', '690']
    """
    return [term for part in query.split() for term in fold_text(part).split()]


def split_words(text: str) -> str:
    """Split a text into the terms of the index: Latin words, pairs of neighbouring Chinese characters, and the last
    character of each Chinese run.

    >>> split_words("高通骁龙690，MNN框架")
    '高通 通骁 骁龙 龙 690 mnn 框架 架'
    """
    return " ".join(piece for run in _RUN.findall(text.casefold()) for piece in _of_run(run))


def _of_run(run: str) -> Iterator[str]:
    if run[0] < _WIDE:
        yield run
        return
    yield from (run[index : index + 2] for index in range(len(run)))


def _pieces(term: str) -> Iterator[tuple[str, bool]]:
    """Split a term into the words that the index must contain, each with whether it may be the start of a word."""
    runs = _RUN.findall(term)
    for run in runs:
        if run[0] < _WIDE or len(run) == 1:
            yield run, True
        else:
            yield from ((run[index : index + 2], False) for index in range(len(run) - 1))


def _text_of(stored: StoredArticle) -> str:
    article = stored.article
    parts = (article.title, article.publisher or "", article.author or "", article.summary[:SUMMARY_CHARACTERS])
    return fold_text(" ".join(parts))
