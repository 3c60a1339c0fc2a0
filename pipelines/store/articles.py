"""Articles: one row for each, however many items said it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    true,
    union_all,
    update,
)

from pipelines.deduplicate.identity import DatedMetrics, Join, Outcome, Record, Voice, merge_metrics, resolve_batch
from pipelines.model import Article, Instant, Reference, StoredArticle
from pipelines.store.engine import chunks, upsert
from pipelines.store.packing import pack, pack_article, unpack, unpack_article
from pipelines.store.search import Search
from pipelines.store.state import replace_member
from pipelines.store.tables import (
    article_keys,
    article_references,
    articles,
    bands,
    decisions,
    entries,
    joined_articles,
    raw_items,
    revisions,
    sightings,
)

Role = Literal["own", "primary", "mention"]
"""How an article has a key: it is that thing, it is about it, it names it."""


_T = TypeVar("_T")

_SAME_NAME: Final = (
    "kind",
    "source",
    "url",
    "seen_url",
    "temporary",
    "title",
    "title_lead",
    "title_tail",
    "publisher",
    "author",
    "language",
    "summary",
    "image",
    "fetched_at",
    "text",
)
"""What an article and its row call alike."""


# Select every key that an article of `ids` has or refers to, with the number of articles that refer to it, which are
# counted up to `limit`.
_REFERENCE_COUNTS: Final = text("""
    SELECT subject.key, (
        SELECT count(*) FROM (
            SELECT DISTINCT article_id FROM article_references AS reference
            WHERE reference.key = subject.key
            LIMIT :limit) AS referring)
    FROM (
        SELECT key FROM article_references WHERE article_id IN :ids
        UNION
        SELECT key FROM article_keys WHERE article_id IN :ids
    ) AS subject
""").bindparams(bindparam("ids", expanding=True, type_=Integer), bindparam("limit", type_=Integer))

_OWNERS: Final = select(article_keys).where(article_keys.c.key.in_(bindparam("keys", expanding=True)))


_GIVEN_IDS: Final = union_all(
    *(select(func.max(column)) for column in (articles.c.id, joined_articles.c.id, raw_items.c.article_id))
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of the items of one `save`.

    Args:
        ids: of the article that each item belongs to, in the order given.
        outcomes: likewise.
        gone: ids of stored articles that joined another.
    """

    ids: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    gone: frozenset[int]


@dataclass(frozen=True, slots=True)
class Revision:
    """A version of an article that an edit replaced."""

    number: int
    replaced_at: datetime
    title: str
    text: str


class Articles:
    """Articles by id and by key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, items: Sequence[Article], new_id: Callable[[int], int] | None = None) -> Saved:
        """Make articles of items: new ones, changed ones, and ones that turn out to be the same.

        Args:
            items: in the order in which they were read.
            new_id: gives the id for a new article made of the item at an index; the next free one when left out.
        """
        known = self._owners({key for item in items for key in item.keys})
        records = self._records(set(known.values()))
        plan = resolve_batch(items, known, records, new_id or self._free_ids())
        upsert(self._connection, articles, [_article_row(record) for record in plan.records])
        for join in plan.joins:
            self.join(join)
        keys = {key: one for item, one in zip(items, plan.ids, strict=True) for key in item.keys if key not in known}
        upsert(self._connection, article_keys, [{"key": key, "article_id": one} for key, one in keys.items()])
        upsert(self._connection, sightings, [row for record in plan.records for row in _sighting_rows(record)])
        upsert(self._connection, revisions, [row for record in plan.records for row in _revision_rows(record)])
        self._put_references(plan.records, stored=records)
        return Saved(plan.ids, plan.outcomes, frozenset(join.gone for join in plan.joins))

    def measure(self, numbers: Mapping[int, DatedMetrics]) -> None:
        """Note metrics read anew, by article id; an older number never replaces a newer one."""
        if not numbers:
            return
        now: dict[int, DatedMetrics] = {}
        forward = self.forward(numbers)
        for one, measured in numbers.items():
            kept = forward.get(one, one)
            now[kept] = merge_metrics(now.get(kept, {}), measured)
        rows = []
        for chunk in chunks(now):
            query = select(articles.c.id, articles.c.metrics).where(articles.c.id.in_(chunk))
            for one, stored in self._connection.execute(query):
                before = _measured(stored)
                if (after := merge_metrics(before, now[one])) != before:
                    rows.append({"of": one, "metrics": after})
        if rows:
            self._connection.execute(update(articles).where(articles.c.id == bindparam("of")), rows)

    def get(self, ids: Iterable[int]) -> dict[int, StoredArticle]:
        """Articles by id; an id that has none is left out."""
        found: dict[int, StoredArticle] = {}
        for chunk in chunks(sorted(set(ids))):
            keys, references, places = self._keys(chunk), self._references(chunk), self._places(chunk)
            for row in self._connection.execute(select(articles).where(articles.c.id.in_(chunk))):
                article = _article(row, tuple(keys[row.id]), tuple(references[row.id]))
                found[row.id] = StoredArticle(
                    id=row.id,
                    article=article,
                    urls=tuple(dict.fromkeys((article.url, *(url for _, *urls in places[row.id] for url in urls)))),
                    sources=tuple(dict.fromkeys((article.source, *(source for source, *_ in places[row.id])))),
                    first_seen=row.first_seen,
                    revision=row.revision,
                )
        return found

    def fresh(self, limit: int | None = None) -> list[int]:
        """Ids of the articles that were not grouped since they last changed, oldest first."""
        query = select(articles.c.id).where(articles.c.fresh == true()).order_by(articles.c.id).limit(limit)
        return list(self._connection.execute(query).scalars())

    def mark_fresh(self, ids: Iterable[int]) -> None:
        """They have to be grouped again."""
        for chunk in chunks(ids):
            self._connection.execute(update(articles).where(articles.c.id.in_(chunk)).values(fresh=True))

    def mark_grouped(self, ids: Iterable[int]) -> None:
        """They are grouped. To be called in the transaction that read them: a change in between would be missed."""
        for chunk in chunks(ids):
            self._connection.execute(update(articles).where(articles.c.id.in_(chunk)).values(fresh=False))

    def sharing(self, keys: Iterable[str]) -> dict[str, list[tuple[int, Role]]]:
        """Who has a key: (article id, role) by key, ids ascending. A key that nobody has is left out."""
        found: dict[str, list[tuple[int, Role]]] = defaultdict(list)
        refers = article_references.c
        for chunk in chunks(dict.fromkeys(keys)):
            for key, one in self._connection.execute(
                select(article_keys.c.key, article_keys.c.article_id).where(article_keys.c.key.in_(chunk))
            ):
                found[key].append((one, "own"))
            for key, one, primary in self._connection.execute(
                select(refers.key, refers.article_id, refers.is_primary).where(refers.key.in_(chunk))
            ):
                found[key].append((one, "primary" if primary else "mention"))
        return {key: sorted(holders) for key, holders in found.items()}

    def reference_counts(self, ids: Iterable[int], most: int) -> dict[str, int]:
        """How many articles refer, in whatever role, to what these articles are or refer to.

        Args:
            ids: of articles.
            most: where more refer to it, one more than that is said: to count on would cost much.
        """
        return {
            key: number
            for chunk in chunks(ids)
            for key, number in self._connection.execute(_REFERENCE_COUNTS, {"ids": chunk, "limit": most + 1})
        }

    def revisions(self, one: int) -> list[Revision]:
        """The versions of an article that edits replaced, oldest first."""
        query = select(revisions).where(revisions.c.article_id == one).order_by(revisions.c.number)
        return [
            Revision(row.number, row.replaced_at, row.title, unpack(row.text))
            for row in self._connection.execute(query)
        ]

    def forward(self, ids: Iterable[int]) -> dict[int, int]:
        """For ids of articles that joined another, the id of that one."""
        columns = joined_articles.c
        return {
            one: kept
            for chunk in chunks(ids)
            for one, kept in self._connection.execute(
                select(columns.id, columns.article_id).where(columns.id.in_(chunk))
            )
        }

    def join(self, join: Join) -> None:
        """Make one stored article of two: whatever names the one that goes, names the one that stays."""
        gone, kept = join.gone, join.kept
        run = self._connection.execute
        run(update(article_keys).where(article_keys.c.article_id == gone).values(article_id=kept))
        run(delete(sightings).where(sightings.c.article_id == gone))
        run(delete(article_references).where(article_references.c.article_id == gone))
        both = bands.alias()
        has = select(both.c.key).where(both.c.article_id == kept, both.c.key == bands.c.key, both.c.day == bands.c.day)
        run(delete(bands).where(bands.c.article_id == gone, has.exists()))
        run(update(bands).where(bands.c.article_id == gone).values(article_id=kept))  # until it is grouped again
        Search(self._connection).forget([gone])
        run(
            update(revisions)
            .where(revisions.c.article_id == gone)
            .values(article_id=kept, number=revisions.c.number + join.shift)
        )
        run(update(decisions).where(decisions.c.story == gone).values(story=kept))
        run(update(decisions).where(decisions.c.other == gone).values(other=kept))
        run(update(entries).where(entries.c.story == gone).values(story=kept))
        run(update(joined_articles).where(joined_articles.c.article_id == gone).values(article_id=kept))
        upsert(self._connection, joined_articles, [{"id": gone, "article_id": kept}])
        replace_member(self._connection, gone, kept)
        run(delete(articles).where(articles.c.id == gone))

    def next_id(self) -> int:
        """Above all ids ever given out."""
        return 1 + max(one or 0 for one in self._connection.execute(_GIVEN_IDS).scalars())

    def clear(self) -> dict[int, int]:
        """Forget what items said of the articles, so that it can be told again; the rows themselves stay for now.

        Returns:
            Every id that finds an article, and the id of that article.
        """
        columns = joined_articles.c
        found = {one: one for one in self._connection.execute(select(articles.c.id)).scalars()}
        found |= {row.id: row.article_id for row in self._connection.execute(select(columns.id, columns.article_id))}
        for table in (article_keys, article_references, bands, sightings, revisions, joined_articles):
            self._connection.execute(delete(table))
        return found

    def remove(self, one: int) -> None:
        """Remove an article that no item makes any more. Decisions on it stay."""
        replace_member(self._connection, one, None)
        Search(self._connection).forget([one])
        self._connection.execute(delete(articles).where(articles.c.id == one))

    def forget_joined(self, first: int) -> None:
        """Forget ids from `first` on that joined another before anyone saw them."""
        self._connection.execute(delete(joined_articles).where(joined_articles.c.id >= first))

    def _free_ids(self) -> Callable[[int], int]:
        free = count(self.next_id())
        return lambda _: next(free)

    def _owners(self, keys: Collection[str]) -> dict[str, int]:
        return {
            row.key: row.article_id
            for chunk in chunks(keys)
            for row in self._connection.execute(_OWNERS, {"keys": chunk})
        }

    def _records(self, ids: Collection[int]) -> dict[int, Record]:
        voices: dict[int, dict[tuple[str, str], Voice]] = defaultdict(dict)
        known: list[Row[Any]] = []
        for chunk in chunks(ids):
            rows = self._connection.execute(select(sightings).where(sightings.c.article_id.in_(chunk))).all()
            alone = self.get(row.article_id for row in rows if row.newest is None)
            for row in rows:
                newest = alone[row.article_id].article if row.newest is None else unpack_article(row.newest)
                longest = unpack_article(row.longest) if row.longest else newest
                voices[row.article_id][row.source, row.url] = Voice(newest, longest, row.first_seen)
            columns = (articles.c.id, articles.c.revision, articles.c.metrics)
            known.extend(self._connection.execute(select(*columns).where(articles.c.id.in_(chunk))))
        return {row.id: Record.of(row.id, voices[row.id], _measured(row.metrics), row.revision) for row in known}

    def _put_references(self, records: Iterable[Record], stored: Collection[int]) -> None:
        records = list(records)
        for chunk in chunks(record.id for record in records if record.id in stored):
            self._connection.execute(delete(article_references).where(article_references.c.article_id.in_(chunk)))
        rows = [
            {
                "article_id": record.id,
                "position": place,
                "key": one.key,
                "url": one.url,
                "label": one.label,
                "is_primary": one.primary,
            }
            for record in records
            for place, one in enumerate(record.article.references)
        ]
        if rows:
            self._connection.execute(insert(article_references), rows)

    def _keys(self, ids: Collection[int]) -> Mapping[int, list[str]]:
        columns = article_keys.c
        query = select(columns.article_id, columns.key).where(columns.article_id.in_(ids)).order_by(columns.key)
        return _by_first((one, key) for one, key in self._connection.execute(query))

    def _references(self, ids: Collection[int]) -> Mapping[int, list[Reference]]:
        columns = article_references.c
        query = (
            select(columns.article_id, columns.key, columns.url, columns.label, columns.is_primary, columns.position)
            .where(columns.article_id.in_(ids))
            .order_by(columns.article_id, columns.position)
        )
        return _by_first((one, Reference(*rest)) for one, *rest in self._connection.execute(query))

    def _places(self, ids: Collection[int]) -> Mapping[int, list[tuple[str, str, str]]]:
        """Source, canonical URL and URL as given of every sighting, the first seen first."""
        columns = sightings.c
        query = (
            select(columns.article_id, columns.source, columns.url, columns.seen_url)
            .where(columns.article_id.in_(ids))
            .order_by(columns.article_id, columns.first_seen, columns.source, columns.url)
        )
        return _by_first((one, (source, url, seen)) for one, source, url, seen in self._connection.execute(query))


def _by_first(rows: Iterable[tuple[int, _T]]) -> Mapping[int, list[_T]]:
    found: dict[int, list[_T]] = defaultdict(list)
    for one, rest in rows:
        found[one].append(rest)
    return found


def _measured(stored: Mapping[str, list[float]]) -> DatedMetrics:
    return {name: (int(value), at) for name, (value, at) in stored.items()}


def _article_row(record: Record) -> dict[str, Any]:
    article = record.article
    row = {name: getattr(article, name) for name in _SAME_NAME}
    updated = article.updated
    return row | {
        "id": record.id,
        "fresh": True,
        "first_seen": record.first_seen,
        "revision": record.revision,
        "published_at": article.published.at,
        "published_precision": article.published.precision,
        "published_source": article.published.source,
        "published_raw": article.published.raw,
        "updated_at": updated and updated.at,
        "updated_precision": updated and updated.precision,
        "updated_source": updated and updated.source,
        "updated_raw": updated and updated.raw,
        "tags": article.tags,
        "facts": dict(article.facts),
        "metrics": record.metrics,
    }


def _sighting_rows(record: Record) -> Iterator[dict[str, Any]]:
    for (source, url), voice in record.voices.items():
        longer = voice.longest.text != voice.newest.text
        yield {
            "article_id": record.id,
            "source": source,
            "url": url,
            "seen_url": voice.newest.seen_url,
            "first_seen": voice.first_seen,
            "newest": pack_article(voice.newest) if longer or len(record.voices) > 1 else None,
            "longest": pack_article(voice.longest) if longer else None,
        }


def _revision_rows(record: Record) -> Iterator[dict[str, Any]]:
    for one in record.replaced:
        yield {
            "article_id": record.id,
            "number": one.number,
            "replaced_at": one.at,
            "title": one.title,
            "text": pack(one.text),
        }


def _article(row: Row[Any], keys: tuple[str, ...], references: tuple[Reference, ...]) -> Article:
    values = {name: getattr(row, name) for name in _SAME_NAME}
    return Article(
        **values,
        keys=keys,
        published=Instant(row.published_at, row.published_precision, row.published_source, row.published_raw),
        updated=(
            Instant(row.updated_at, row.updated_precision, row.updated_source, row.updated_raw)
            if row.updated_at
            else None
        ),
        references=references,
        tags=tuple(row.tags),
        facts=row.facts,
        metrics={name: value for name, (value, _) in _measured(row.metrics).items()},
    )
