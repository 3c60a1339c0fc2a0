"""Articles: one row for each article, however many items report it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from operator import itemgetter
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    union_all,
    update,
)

from pipelines.deduplicate.entries import ENTRY
from pipelines.deduplicate.identity import DatedMetrics, Join, Outcome, Record, Voice, merge_metrics, resolve_batch
from pipelines.model import Article, Instant, Reference, StoredArticle
from pipelines.store.bulk import QueryWithIds, chunks, hand_over, insert_rows, select_in, upsert
from pipelines.store.engine import is_of_newsletter
from pipelines.store.events import EventIndex
from pipelines.store.packing import pack, pack_article, unpack, unpack_article, unpack_metrics
from pipelines.store.search import Search
from pipelines.store.state import replace_member
from pipelines.store.tables import (
    article_keys,
    article_references,
    articles,
    bands,
    decisions,
    entries,
    fresh_articles,
    joined_articles,
    raw_items,
    revisions,
    sightings,
    story_changes,
)

Role = Literal["own", "primary", "mention"]
"""How an article holds a key: `own`, it is the thing; `primary`, it is about the thing; `mention`, it names it."""


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
"""The fields of an article that its row has under the same name."""


# Select every key that an article of `ids` has or refers to, with the number of articles that refer to it, which are
# counted up to `limit`.
_REFERENCE_COUNTS: Final = QueryWithIds("""
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
""")

_FRESH: Final = select(articles.c.id).where(articles.c.fresh == true()).order_by(articles.c.id)
_FRESH_OF_NEWSLETTER: Final = select(fresh_articles.c.article_id).order_by(fresh_articles.c.article_id)

_LAST_IDS: Final = union_all(
    *(
        select(func.max(column))
        for column in (articles.c.id, joined_articles.c.id, raw_items.c.article_id, story_changes.c.story)
    )
)


@dataclass(frozen=True, slots=True)
class Saved:
    """The outcome of a `save`.

    Args:
        ids: for each item, the id of its article; in the order of the items.
        outcomes: for each item, whether its article is new, changed or the same; in the order of the items.
        joined: ids of stored articles that joined another article.
        recognised, renamed: as `Plan` has them.
    """

    ids: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    joined: frozenset[int]
    recognised: frozenset[int]
    renamed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier title and text of an article.

    Args:
        number: from 1, in the order of time.
        replaced_at: when a newer version was read, aware.
        title, text: of the earlier version.
    """

    number: int
    replaced_at: datetime
    title: str
    text: str


class Articles:
    """Articles by id and by key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, items: Sequence[Article], new_id: Callable[[int], int] | None = None) -> Saved:
        """Make articles of items: new articles, changed articles, and articles that items prove to be the same.

        Args:
            items: in the order in which they were read.
            new_id: gives the id of a new article from the index of its item; by default the next free id.
        """
        owners = self._owners({key for item in items for key in (*item.entry_keys, *item.keys)})
        records = self._records(set(owners.values()), with_entries=any(item.entry_keys for item in items))
        plan = resolve_batch(items, owners, records, new_id or self._free_ids())
        upsert(self._connection, articles, [_article_row(record) for record in plan.records])
        for join in plan.joins:
            self.join(join)
        rows = [{"key": key, "article_id": article_id} for key, article_id in plan.owners.items()]
        upsert(self._connection, article_keys, rows)
        upsert(self._connection, sightings, [row for record in plan.records for row in _sighting_rows(record)])
        upsert(self._connection, revisions, [row for record in plan.records for row in _revision_rows(record)])
        self._put_references(plan.records, stored=records)
        joined = frozenset(join.gone for join in plan.joins)
        return Saved(plan.ids, plan.outcomes, joined, plan.recognised, plan.renamed)

    def set_metrics(self, numbers: Mapping[int, DatedMetrics]) -> None:
        """Store new metrics, by article id; an older number never replaces a newer number."""
        if not numbers:
            return
        new_metrics: dict[int, DatedMetrics] = {}
        forward = self.find_joined(numbers)
        for former_id, metrics in numbers.items():
            article_id = forward.get(former_id, former_id)
            new_metrics[article_id] = merge_metrics(new_metrics.get(article_id, {}), metrics)
        rows = []
        for chunk in chunks(new_metrics):
            query = select(articles.c.id, articles.c.metrics).where(articles.c.id.in_(chunk))
            for article_id, stored in self._connection.execute(query):
                former = unpack_metrics(stored)
                merged = merge_metrics(former, new_metrics[article_id])
                if merged != former:
                    rows.append({"of": article_id, "metrics": merged})
        if rows:
            self._connection.execute(update(articles).where(articles.c.id == bindparam("of")), rows)

    def get(self, ids: Iterable[int]) -> dict[int, StoredArticle]:
        """Get articles by id, ascending; an id without an article is left out."""
        stored: dict[int, StoredArticle] = {}
        for chunk in chunks(sorted(set(ids))):
            keys, references, addresses = self._keys(chunk), self._references(chunk), self._addresses(chunk)
            for row in self._connection.execute(
                select(articles).where(articles.c.id.in_(chunk)).order_by(articles.c.id)
            ):
                article = _article(row, tuple(keys[row.id]), tuple(references[row.id]))
                stored[row.id] = StoredArticle(
                    id=row.id,
                    article=article,
                    urls=tuple(dict.fromkeys((article.url, *(url for _, *urls in addresses[row.id] for url in urls)))),
                    sources=tuple(dict.fromkeys((article.source, *(source for source, *_ in addresses[row.id])))),
                    first_seen=row.first_seen,
                    revision=row.revision,
                )
        return stored

    def list_fresh(self, limit: int | None = None, *, without: Collection[int] = ()) -> list[int]:
        """List the ids of the articles that changed since they were last grouped, oldest first.

        For a newsletter: the articles whose stories it has to grade again because of what its own issues printed.

        Args:
            limit: the largest number; None for all.
            without: ids that are left out.
        """
        fresh = _FRESH_OF_NEWSLETTER if is_of_newsletter(self._connection) else _FRESH
        query = fresh.limit(None if limit is None else limit + len(without))
        rows = self._connection.execute(query).scalars()
        return [article_id for article_id in rows if article_id not in without][:limit]

    def find_fresh(self, ids: Iterable[int]) -> set[int]:
        """Find which of these articles changed since they were last grouped."""
        query = select(articles.c.id).where(articles.c.fresh == true())
        return {
            article_id
            for chunk in chunks(ids)
            for article_id in self._connection.execute(query.where(articles.c.id.in_(chunk))).scalars()
        }

    def mark_fresh(self, ids: Iterable[int]) -> None:
        """Mark articles that have to be grouped again; or whose stories a newsletter has to grade again."""
        for chunk in chunks(ids):
            self.mark_fresh_where(articles.c.id.in_(chunk))

    def mark_fresh_where(self, condition: ColumnElement[bool]) -> None:
        """Mark the articles for which a condition holds, as `mark_fresh` does."""
        if is_of_newsletter(self._connection):
            marked = select(fresh_articles.c.article_id)
            chosen = select(articles.c.id).where(condition, articles.c.id.not_in(marked))
            self._connection.execute(insert(fresh_articles).from_select(["article_id"], chosen))
        else:
            self._connection.execute(update(articles).where(condition).values(fresh=True))

    def mark_grouped(self, ids: Iterable[int]) -> None:
        """Mark articles as grouped, in the transaction that read them: else a change in between would be missed."""
        of_newsletter = is_of_newsletter(self._connection)
        for chunk in chunks(ids):
            if of_newsletter:
                self._connection.execute(delete(fresh_articles).where(fresh_articles.c.article_id.in_(chunk)))
            else:
                self._connection.execute(update(articles).where(articles.c.id.in_(chunk)).values(fresh=False))

    def find_holders(self, keys: Iterable[str]) -> dict[str, list[tuple[int, Role]]]:
        """Find the articles that hold each key: (article id, role) by key, ids ascending.

        A key that no article holds is left out.
        """
        holders_by_key: dict[str, list[tuple[int, Role]]] = defaultdict(list)
        refers = article_references.c
        for chunk in chunks(dict.fromkeys(keys)):
            for key, article_id in self._connection.execute(
                select(article_keys.c.key, article_keys.c.article_id).where(article_keys.c.key.in_(chunk))
            ):
                holders_by_key[key].append((article_id, "own"))
            for key, article_id, primary in self._connection.execute(
                select(refers.key, refers.article_id, refers.is_primary).where(refers.key.in_(chunk))
            ):
                holders_by_key[key].append((article_id, "primary" if primary else "mention"))
        return {key: sorted(holders) for key, holders in holders_by_key.items()}

    def count_references(self, ids: Iterable[int], most: int) -> dict[str, int]:
        """Count, for each key that these articles hold in any role, the articles that refer to the key.

        Args:
            ids: of articles.
            most: the highest exact count; a higher count is given as `most + 1`, because counting on is slow.
        """
        return {
            key: number
            for chunk in chunks(ids)
            for key, number in _REFERENCE_COUNTS.read(self._connection, chunk, limit=most + 1)
        }

    def list_revisions(self, article_id: int) -> list[Revision]:
        """List the earlier versions of an article, oldest first."""
        query = select(revisions).where(revisions.c.article_id == article_id).order_by(revisions.c.number)
        return [
            Revision(row.number, row.replaced_at, row.title, unpack(row.text))
            for row in self._connection.execute(query)
        ]

    def find_joined(self, ids: Iterable[int]) -> dict[int, int]:
        """Find, for each id of an article that joined another article, the id of the other article."""
        columns = joined_articles.c
        return {
            former_id: article_id
            for chunk in chunks(ids)
            for former_id, article_id in self._connection.execute(
                select(columns.id, columns.article_id).where(columns.id.in_(chunk))
            )
        }

    def join(self, join: Join) -> None:
        """Join a stored article to another: every row that names the first names the second afterwards."""
        gone_id, kept_id = join.gone, join.kept
        run = self._connection.execute
        run(update(article_keys).where(article_keys.c.article_id == gone_id).values(article_id=kept_id))
        run(delete(sightings).where(sightings.c.article_id == gone_id))
        run(delete(article_references).where(article_references.c.article_id == gone_id))
        hand_over(self._connection, bands, gone_id, kept_id)  # until it is grouped again
        self.mark_fresh(EventIndex(self._connection).join(gone_id, kept_id))
        Search(self._connection).forget([gone_id])
        run(
            update(revisions)
            .where(revisions.c.article_id == gone_id)
            .values(article_id=kept_id, number=revisions.c.number + join.shift)
        )
        run(update(decisions).where(decisions.c.story == gone_id).values(story=kept_id))
        run(update(decisions).where(decisions.c.other == gone_id).values(other=kept_id))
        run(update(entries).where(entries.c.story == gone_id).values(story=kept_id))
        run(update(joined_articles).where(joined_articles.c.article_id == gone_id).values(article_id=kept_id))
        upsert(self._connection, joined_articles, [{"id": gone_id, "article_id": kept_id}])
        replace_member(self._connection, gone_id, kept_id)
        run(delete(articles).where(articles.c.id == gone_id))

    def next_id(self) -> int:
        """Compute the next free id: it is above all ids that an article ever had, also those that newsletters know."""
        return 1 + max(last_id or 0 for last_id in self._connection.execute(_LAST_IDS).scalars())

    def list_leading_ids(self) -> dict[int, int]:
        """List every id that leads to an article, with the id of that article."""
        columns = joined_articles.c
        article_ids = self._connection.execute(select(articles.c.id)).scalars()
        leading_ids = {article_id: article_id for article_id in article_ids}
        joined = self._connection.execute(select(columns.id, columns.article_id))
        return leading_ids | {row.id: row.article_id for row in joined}

    def replace(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Put articles, as a rebuild made them, in the place of what is stored of them.

        Args:
            rows: of the articles, their keys, references, sightings and revisions, by the name of the table.
        """
        ids = [row["id"] for row in rows[articles.name]]
        self.clear(ids)
        self._connection.execute(delete(joined_articles).where(joined_articles.c.id.in_(ids)))
        upsert(self._connection, articles, rows[articles.name])
        for table in (article_keys, article_references, sightings, revisions):  # a key may be another article's as yet
            upsert(self._connection, table, rows[table.name])

    def clear(self, ids: Collection[int]) -> None:
        """Delete what was derived from the items of articles; the articles' own rows, and what grouping made, stay."""
        for table in (article_keys, article_references, sightings, revisions):
            self._connection.execute(delete(table).where(table.c.article_id.in_(ids)))

    def remove(self, article_id: int) -> None:
        """Remove an article that no item belongs to any more, and the ids that led to it. Decisions on it stay."""
        run = self._connection.execute
        self.clear([article_id])
        run(delete(bands).where(bands.c.article_id == article_id))
        self.mark_fresh(EventIndex(self._connection).remove(article_id))
        led = or_(joined_articles.c.id == article_id, joined_articles.c.article_id == article_id)
        run(delete(joined_articles).where(led))
        replace_member(self._connection, article_id, None)
        Search(self._connection).forget([article_id])
        run(delete(articles).where(articles.c.id == article_id))

    def _free_ids(self) -> Callable[[int], int]:
        free = count(self.next_id())
        return lambda _: next(free)

    def _owners(self, keys: Collection[str]) -> dict[str, int]:
        columns = (article_keys.c.key, article_keys.c.article_id)
        return dict(select_in(self._connection, columns, article_keys.c.key, keys))

    def _records(self, ids: Collection[int], *, with_entries: bool) -> dict[int, Record]:
        voices: dict[int, dict[tuple[str, str], Voice]] = defaultdict(dict)
        stored_rows: list[Row[Any]] = []
        entry_keys: dict[int, list[str]] = {}
        for chunk in chunks(ids):
            rows = self._connection.execute(select(sightings).where(sightings.c.article_id.in_(chunk))).all()
            single_voices = self._single_voices([row.article_id for row in rows if row.newest is None])
            for row in rows:
                newest = single_voices[row.article_id] if row.newest is None else unpack_article(row.newest)
                longest = unpack_article(row.longest) if row.longest else newest
                voices[row.article_id][row.source, row.url] = Voice(newest, longest, row.first_seen)
            entry_keys |= self._keys(chunk, of_entries=True) if with_entries else {}
            columns = (articles.c.id, articles.c.revision, articles.c.metrics)
            stored_rows.extend(self._connection.execute(select(*columns).where(articles.c.id.in_(chunk))))
        return {
            row.id: Record.of(
                row.id, voices[row.id], unpack_metrics(row.metrics), row.revision, entry_keys.get(row.id, ())
            )
            for row in stored_rows
        }

    def _single_voices(self, ids: Collection[int]) -> dict[int, Article]:
        """Articles of one voice, which their own rows hold, by id; without keys, as a voice has them."""
        references = self._references(ids)
        rows = self._connection.execute(select(articles).where(articles.c.id.in_(ids))) if ids else ()
        return {row.id: _article(row, (), tuple(references[row.id])) for row in rows}

    def _put_references(self, records: Iterable[Record], stored: Collection[int]) -> None:
        records = list(records)
        for chunk in chunks(record.id for record in records if record.id in stored):
            self._connection.execute(delete(article_references).where(article_references.c.article_id.in_(chunk)))
        rows = [
            {
                "article_id": record.id,
                "position": position,
                "key": reference.key,
                "url": reference.url,
                "label": reference.label,
                "is_primary": reference.primary,
            }
            for record in records
            for position, reference in enumerate(record.article.references)
        ]
        insert_rows(self._connection, article_references, rows)

    def _keys(self, ids: Collection[int], *, of_entries: bool = False) -> Mapping[int, list[str]]:
        columns = (article_keys.c.article_id, article_keys.c.key)
        rows = select_in(self._connection, columns, article_keys.c.article_id, ids)
        return _by_first(sorted(row for row in rows if row[1].startswith(ENTRY) == of_entries))

    def _references(self, ids: Collection[int]) -> Mapping[int, list[Reference]]:
        table = article_references.c
        columns = (table.article_id, table.position, table.key, table.url, table.label, table.is_primary)
        rows = sorted(select_in(self._connection, columns, table.article_id, ids), key=itemgetter(0, 1))
        return _by_first(
            (article_id, Reference(key, url, label, is_primary, position))
            for article_id, position, key, url, label, is_primary in rows
        )

    def _addresses(self, ids: Collection[int]) -> Mapping[int, list[tuple[str, str, str]]]:
        """Read source, canonical URL and original URL of every sighting, oldest first, by article id."""
        table = sightings.c
        columns = (table.article_id, table.first_seen, table.source, table.url, table.seen_url)
        rows = sorted(select_in(self._connection, columns, table.article_id, ids))
        return _by_first((article_id, (source, url, seen_url)) for article_id, _, source, url, seen_url in rows)


def _by_first(rows: Iterable[tuple[int, _T]]) -> Mapping[int, list[_T]]:
    values_by_id: dict[int, list[_T]] = defaultdict(list)
    for article_id, values in rows:
        values_by_id[article_id].append(values)
    return values_by_id


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
    for replaced in record.replaced:
        yield {
            "article_id": record.id,
            "number": replaced.number,
            "replaced_at": replaced.at,
            "title": replaced.title,
            "text": pack(replaced.text),
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
        metrics={name: number for name, (number, _) in unpack_metrics(row.metrics).items()},
    )
