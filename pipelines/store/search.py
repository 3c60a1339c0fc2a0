"""Search for words and parts of words, Chinese or Latin, in all that a card shows and in the stored text.

A full-text index splits a text at blanks, and Chinese has none. So jianbao splits a text into pieces itself: Latin
words, and at each Chinese character the pair that begins there. A term is a phrase of such pieces, so that both
databases find it literally and alike, without reading a text: SQLite by FTS5, PostgreSQL by a `tsvector`. Whatever is
no letter and no digit (`+`, `#`, `%`) is a piece too. It gets a character of Unicode's private use, because both
databases drop punctuation.

The name of a model is found however its number is joined to it: `MobileNetV4`, `MobileNet V4`, `MobileNet-V4`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain, pairwise
from typing import Final, NamedTuple

from opencc import OpenCC
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from pipelines.issue.inline import strip_marks
from pipelines.model import StoredArticle
from pipelines.store.bulk import chunks, copy_in, upsert
from pipelines.store.packing import pack, unpack
from pipelines.store.tables import entries, search_texts
from pipelines.text import UNSPACED

MOST_PIECES: Final = 16_000
"""Pieces of a document that are indexed; PostgreSQL counts no position beyond 16,383."""

LONGEST_PIECE: Final = 100
"""Characters of a Latin word that are indexed; PostgreSQL takes at most 2,046 bytes."""

MOST_TERMS: Final = 8
LONGEST_QUERY: Final = 200

_CJK: Final = UNSPACED + r"\uf900-\ufaff\U00020000-\U0003ffff"
# the blank stands first: a search skips to the next one
_BLANK_BETWEEN_SCRIPTS: Final = re.compile(rf" (?:(?<=[{_CJK}] )(?=[a-z0-9])|(?<=[a-z0-9] )(?=[{_CJK}]))")

# letters of FTS5's table, which is that of Unicode 6.1
_SPACED_LETTERS: Final = r"a-z0-9\u00df-\u00f6\u00f8-\u024f\u03b1-\u03c9\u0430-\u045f"
_UNSPACED_LETTERS: Final = r"\u3041-\u3096\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4db5\u4e00-\u9fcc\uac00-\ud7a3"
_OTHER: Final = re.compile(rf"[^{_SPACED_LETTERS}{_UNSPACED_LETTERS} \ue000\ue001]")
_UNSPACED_END: Final = re.compile(f"[{_UNSPACED_LETTERS}]{{2}}$")

# pieces overlap: what is ahead of a place is one, and the next place is behind its first character or its word
_PIECE: Final = re.compile(
    rf"(?=([{_UNSPACED_LETTERS}]{{1,2}}|[{_SPACED_LETTERS}]{{1,{LONGEST_PIECE}}}|[^ ]))(?:[{_SPACED_LETTERS}]+|[^ ])"
)
_PRIVATE: Final = 0xF0000
_MODEL: Final = re.compile(r"([a-z]*?[a-z])(?:-?)(v?\d[a-z0-9]*)")
_MODEL_JOINTS: Final = ("", " ", "-")

_GAP: Final = "\ue000"
"""Stands between two parts of a document: no term reaches from one into the next."""

_ACCOUNT: Final = "\ue001"
"""Stands before the name of an account."""


class Search:
    """The index of articles by what they say."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def put(self, articles: Iterable[StoredArticle]) -> None:
        """Index articles with the entries that were written for them; only changed documents are written."""
        articles_by_id = {stored.id: stored for stored in articles}
        entry_texts = self._read_entry_texts(articles_by_id)
        self.write(
            {
                article_id: make_document(
                    (article.source_name, article.author),
                    (article.title, article.summary, *entry_texts.get(article_id, ()), article.text),
                )
                for article_id, stored in articles_by_id.items()
                for article in [stored.article]
            }
        )

    def write(self, documents: Mapping[int, str]) -> None:
        """Index documents that `make_document` made, by the ids of their articles."""
        packed = {article_id: pack(document) for article_id, document in documents.items()}
        stored = self._read_packed(packed)
        changed = [article_id for article_id in packed if packed[article_id] != stored.get(article_id)]
        self._take_out({article_id: stored[article_id] for article_id in changed if article_id in stored})
        rows = [{"article_id": article_id, "text": packed[article_id]} for article_id in changed]
        upsert(self._connection, search_texts, rows)
        self._put_in({article_id: documents[article_id] for article_id in changed})

    def index(self, packed: Mapping[int, bytes]) -> None:
        """Index documents that are stored already, compressed, and that the index does not have."""
        documents = {article_id: unpack(document) for article_id, document in packed.items()}
        if self._is_sqlite:
            self._put_in(documents)
        else:
            rows = [{"article_id": key, "words": self._split(document)} for key, document in documents.items()]
            copy_in(self._connection, _search_words, rows)

    def _put_in(self, documents: Mapping[int, str]) -> None:
        """Put documents into the index, ids ascending: at each id below the last one, FTS5 writes out what it has."""
        rows = [{"id": article_id, "words": self._split(documents[article_id])} for article_id in sorted(documents)]
        if rows:
            self._connection.execute(text(_PUT_IN_SQLITE if self._is_sqlite else _PUT_IN_POSTGRESQL), rows)

    def forget(self, ids: Iterable[int]) -> None:
        """Take articles out of the index."""
        stored = self._read_packed(ids)
        self._take_out(stored)
        for chunk in chunks(stored):
            self._connection.execute(delete(search_texts).where(search_texts.c.article_id.in_(chunk)))

    def _read_packed(self, ids: Iterable[int]) -> dict[int, bytes]:
        rows = search_texts.c
        return {
            article_id: packed
            for chunk in chunks(ids)
            for article_id, packed in self._connection.execute(
                select(rows.article_id, rows.text).where(rows.article_id.in_(chunk))
            )
        }

    def _read_entry_texts(self, ids: Iterable[int]) -> dict[int, list[str]]:
        """Read the entries of issues that were written for articles, as plain text."""
        texts: dict[int, list[str]] = {}
        query = select(entries.c.story, entries.c.markdown).order_by(entries.c.issue, entries.c.position)
        for chunk in chunks(ids):
            for article_id, markdown in self._connection.execute(query.where(entries.c.story.in_(chunk))):
                texts.setdefault(article_id, []).append(strip_marks(markdown))
        return texts

    def _take_out(self, packed: Mapping[int, bytes]) -> None:
        """Take documents out of the index; FTS5 without content of its own wants the words once more."""
        if packed and self._is_sqlite:
            rows = [{"id": article_id, "words": self._split(unpack(each))} for article_id, each in packed.items()]
            self._connection.execute(text(_DROP_FROM_SQLITE), rows)
        elif packed:
            self._connection.execute(text(_DROP_FROM_POSTGRESQL), [{"id": article_id} for article_id in packed])

    def _split(self, document: str) -> str:
        pieces = split_words(document)[:MOST_PIECES]
        if self._is_sqlite:
            return " ".join(pieces)
        return " ".join(f"'{piece}':{position}" for position, piece in enumerate(pieces, 1))


_search_words: Final = Table(
    "search_words",  # of PostgreSQL
    MetaData(),
    Column("article_id", Integer, primary_key=True, autoincrement=False),
    Column("words", TSVECTOR, nullable=False),
)

_PUT_IN_SQLITE: Final = "INSERT INTO search_words(rowid, words) VALUES (:id, :words)"
_DROP_FROM_SQLITE: Final = "INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', :id, :words)"
_PUT_IN_POSTGRESQL: Final = "INSERT INTO search_words(article_id, words) VALUES (:id, CAST(:words AS tsvector))"
_PLAN_OF_POSTGRESQL: Final = "EXPLAIN (FORMAT JSON) SELECT FROM search_words WHERE words @@ CAST(:matches AS tsquery)"
_DROP_FROM_POSTGRESQL: Final = "DELETE FROM search_words WHERE article_id = :id"


def make_condition(
    query: str, article: ColumnElement[int], dialect: str, after: int | None = None
) -> ColumnElement[bool] | None:
    """Make the condition that the document of an article contains every term of a query.

    Args:
        query: as the editor typed it; no character has a special meaning.
        article: the column of the article's id.
        dialect: of the database: `sqlite` or `postgresql`.
        after: the ids of the articles are higher; None for any id.

    Returns:
        The condition; None for a query without terms.
    """
    terms = _read_terms(query)
    return article.in_(_select_matches(terms, dialect, after=after)) if terms else None


def list_newest_matches(
    connection: Connection, query: str, limit: int, *, after: int | None = None, upto: int | None = None
) -> list[int]:
    """List the articles whose documents contain every term of a query, the highest ids first.

    Args:
        connection: open for reading.
        query: as the editor typed it, with a term at least.
        limit: most articles.
        after: the ids of the articles are higher; None for any id.
        upto: the highest id of an article; None for any id.
    """
    terms = _read_terms(query)
    if connection.dialect.name == "sqlite":
        return _read_newest(connection, _select_matches(terms, "sqlite", after=after, upto=upto), limit)
    if _estimate_matches(connection, terms) <= 2 * limit:  # a bound would cost a look at all ids that it lets pass
        with _found_by_bitmaps(connection):
            return _read_newest(connection, _select_matches(terms, "postgresql", after=after, upto=upto), limit)
    newest = connection.execute(select(func.max(_search_words.c.article_id))).scalar() or 0
    with _found_by_bitmaps(connection):
        return _list_by_spans(connection, terms, limit, after or 0, newest if upto is None else min(upto, newest))


def _read_newest(connection: Connection, matches: Select[int], limit: int) -> list[int]:
    (article_id,) = matches.selected_columns
    return list(connection.execute(matches.order_by(article_id.desc()).limit(limit)).scalars())


_FIRST_SPAN: Final = 100_000
"""Ids, the highest ones, among which PostgreSQL looks for the newest matches of a frequent word first."""

_MARGIN: Final = 1.2
"""How many more ids than seem to be enough are looked at next."""


def _list_by_spans(
    connection: Connection, terms: Sequence[Sequence[_Phrase]], limit: int, lowest: int, upto: int
) -> list[int]:
    """List the newest matches span by span, as PostgreSQL reads a page of the table for nearly every match.

    Args:
        connection: to PostgreSQL, open for reading.
        terms: of a query.
        limit: most articles.
        lowest: the ids are higher.
        upto: the highest id.
    """
    article_ids: list[int] = []
    span = _FIRST_SPAN
    while upto > lowest and len(article_ids) < limit:
        after = upto - span if upto - lowest > 2 * span else lowest
        missing = limit - len(article_ids)
        of_span = _read_newest(connection, _select_matches(terms, "postgresql", after=after, upto=upto), missing)
        article_ids += of_span
        span = int(_MARGIN * (missing - len(of_span)) * (upto - after) / len(of_span)) if of_span else upto
        upto = after
    return article_ids


def _estimate_matches(connection: Connection, terms: Sequence[Sequence[_Phrase]]) -> int:
    """Ask PostgreSQL's planner how many matches it expects; it reads no document for that."""
    (plan,) = connection.execute(
        text(_PLAN_OF_POSTGRESQL), {"matches": _write_matches(terms, "postgresql")}
    ).scalar_one()
    return int(plan["Plan"]["Plan Rows"])


@contextmanager
def _found_by_bitmaps(connection: Connection) -> Iterator[None]:
    """Have PostgreSQL find documents by the index of words alone.

    It takes a document for as cheap to read as a number, so it would go through all ids, or through the whole table,
    and unpack each document there.
    """
    forbid, permit = (
        select(*(func.set_config(name, setting, true()) for name in _WAYS_BY_DOCUMENT)) for setting in ("off", "on")
    )
    connection.execute(forbid)
    yield
    connection.execute(permit)


_WAYS_BY_DOCUMENT: Final = ("enable_indexscan", "enable_seqscan")


def make_account_condition(
    names: Iterable[str], article: ColumnElement[int], dialect: str
) -> ColumnElement[bool] | None:
    """Make the condition that an article is of an account, or of an author, whose name begins with one of several.

    Args:
        names: as the editor typed them.
        article: the column of the article's id.
        dialect: of the database: `sqlite` or `postgresql`.

    Returns:
        The condition; None without a name.
    """
    folded_names = [name for name in (fold_text(name[:LONGEST_QUERY]) for name in names) if name]
    phrases = [_make_phrase(name, after=_ACCOUNT) for name in folded_names]
    return article.in_(_select_matches([phrases[:MOST_TERMS]], dialect)) if phrases else None


class _Phrase(NamedTuple):
    """Pieces that stand side by side; `is_open` where the last one may be the beginning of a longer piece."""

    pieces: Sequence[str]
    is_open: bool


def _make_phrase(term: str, after: str = "") -> _Phrase:
    """Make the phrase of a folded term.

    >>> _make_phrase("高通骁龙690"), _make_phrase("龙")
    (_Phrase(pieces=['高通', '通骁', '骁龙', '龙', '690'], is_open=True), _Phrase(pieces=['龙'], is_open=True))
    >>> _make_phrase("骁龙")
    _Phrase(pieces=['骁龙'], is_open=False)
    """
    pieces = [*([after] if after else ()), *split_words(term)]
    if _UNSPACED_END.search(term):
        return _Phrase(pieces[:-1], is_open=False)
    return _Phrase(pieces, is_open=pieces[-1] < chr(_PRIVATE))


def _read_terms(query: str) -> list[list[_Phrase]]:
    """Read the terms of a query, each as the phrases of which one is enough."""
    terms = split_terms(query[:LONGEST_QUERY])[:MOST_TERMS]
    joined = [(), *(_spell_model(f"{term}-{following}") for term, following in pairwise(terms)), ()]
    spellings = [
        (term, *_spell_model(term), *with_former, *with_following)
        for term, (with_former, with_following) in zip(terms, pairwise(joined), strict=False)
    ]
    return [[_make_phrase(spelling) for spelling in dict.fromkeys(each)] for each in spellings]


def _spell_model(term: str) -> Sequence[str]:
    """Spell the name of a model with its number in each way; any other term in none.

    >>> _spell_model("gpt4o"), _spell_model("mobilenet-v4"), _spell_model("mnn")
    (['gpt4o', 'gpt 4o', 'gpt-4o'], ['mobilenetv4', 'mobilenet v4', 'mobilenet-v4'], ())
    """
    model = _MODEL.fullmatch(term)
    return [joint.join(model.groups()) for joint in _MODEL_JOINTS] if model else ()


def _select_matches(
    terms: Sequence[Sequence[_Phrase]], dialect: str, *, after: int | None = None, upto: int | None = None
) -> Select[int]:
    """Select the ids of the articles whose documents contain one phrase at least of every term."""
    if dialect == "sqlite":
        matches, condition = select(literal_column("rowid", Integer)), text("search_words MATCH :matches")
    else:
        matches, condition = select(literal_column("article_id", Integer)), text("words @@ CAST(:matches AS tsquery)")
    parameter: BindParameter[str] = bindparam("matches", _write_matches(terms, dialect), unique=True)
    matches = matches.select_from(text("search_words")).where(condition.bindparams(parameter))
    (article_id,) = matches.selected_columns
    if after is not None:
        matches = matches.where(article_id > after)
    return matches if upto is None else matches.where(article_id <= upto)


def _write_matches(terms: Sequence[Sequence[_Phrase]], dialect: str) -> str:
    """Write the expression that a document contains one phrase at least of every term."""
    if dialect == "sqlite":
        join_both, join_either, write = " AND ", " OR ", _write_for_sqlite
    else:
        join_both, join_either, write = " & ", " | ", _write_for_postgresql
    return join_both.join(f"({join_either.join(map(write, phrases))})" for phrases in terms)


def _write_for_sqlite(phrase: _Phrase) -> str:
    return f'"{" ".join(phrase.pieces)}"{" *" * phrase.is_open}'


def _write_for_postgresql(phrase: _Phrase) -> str:
    return "(" + " <-> ".join(f"'{piece}'" for piece in phrase.pieces) + ":*" * phrase.is_open + ")"


def make_document(accounts: Iterable[str | None], texts: Iterable[str]) -> str:
    """Make the document of an article: the folded texts in which its words are found.

    Args:
        accounts: names of its account and its author.
        texts: what a card shows of it, then its stored text; only the beginning of a very long document is indexed.

    >>> make_document(["机器之心", None], ["骁龙 690", ""]).replace(_ACCOUNT, "@").replace(_GAP, "/")
    '@机器之心/骁龙690/'
    """
    names = (_ACCOUNT + fold_text(name) for name in accounts if name)
    parts = (fold_text(part) for part in texts if part)
    return "".join(f"{part}{_GAP}" for part in chain(names, parts))


def fold_text(content: str) -> str:
    """Fold a text for comparison: one form of each character, one case, one Chinese script, single blanks.

    Each traditional character becomes the simplified one, whatever stands beside it: a query and a text are folded
    alike. Between a Chinese and a Latin character no blank is left.

    >>> fold_text("ＭＮＮ　Kit\\n量化，臺積電 7 nm")
    'mnn kit量化,台积电7 nm'
    """
    folded = content if content.isascii() else unicodedata.normalize("NFKC", content)
    folded = folded.casefold()
    if not folded.isascii():
        folded = folded.encode(errors="ignore").decode()  # no lone surrogate
        traditional, simplified = _load_simplified()
        if traditional.search(folded):
            folded = folded.translate(simplified)
        folded = folded.replace(_GAP, "").replace(_ACCOUNT, "")
    return _BLANK_BETWEEN_SCRIPTS.sub("", " ".join(folded.split()))


@cache
def _load_simplified() -> tuple[re.Pattern[str], Mapping[int, str]]:
    """Load the traditional characters: a pattern of all of them, and the simplified character of each."""
    blocks = ((0x3400, 0xA000), (0xF900, 0xFB00))
    characters = [chr(code) for first, end in blocks for code in range(first, end)]
    converted = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    simplified = {ord(character): plain for character, plain in pairs if character != plain}
    return re.compile(f"[{''.join(map(chr, simplified))}]"), simplified


def split_terms(query: str) -> list[str]:
    """Split a query into its terms, each as texts are compared.

    >>> split_terms("骁龙690 驍龍 690")
    ['骁龙690', '骁龙', '690']
    """
    return [term for part in query.split() for term in fold_text(part).split()]


def split_words(folded: str) -> list[str]:
    """Split a folded text into the pieces of the index: Latin words, the pair that begins at each Chinese character
    (the last one of a run stands alone), and everything else but blanks.

    >>> split_words("高通骁龙690,mnn框架")
    ['高通', '通骁', '骁龙', '龙', '690', '\U000f002c', 'mnn', '框架', '架']
    """
    return _PIECE.findall(_OTHER.sub(_make_private, folded))


def _make_private(match: re.Match[str]) -> str:
    """Give a character that a database might drop a character of private use, one that no database drops."""
    return chr(_PRIVATE + (ord(match[0]) & 0xFFFF) % 0xFFFE)
