"""Raw items, as page functions read them: everything else can be derived from them again."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Self

from sqlalchemy import Connection, Row, func, or_, select, update
from sqlalchemy.sql import bindparam

from crawler.items import RawItem
from pipelines.deduplicate.entries import ListedEntry
from pipelines.deduplicate.identity import DatedMetrics, date_metrics, merge_metrics
from pipelines.store.bulk import chunks, insert_rows, select_in
from pipelines.store.packing import pack, unpack, unpack_metrics
from pipelines.store.tables import joined_articles, raw_items

_RECORD: Final = (raw_items.c.digest, raw_items.c.id, raw_items.c.article_id, raw_items.c.metrics)


@dataclass(frozen=True)  # without slots: it keeps its compressed body
class Packed:
    """A raw item on its way into the store.

    Args:
        item: as the page function read it.
        source: id of its source.
        body: JSON of the item, without the parts that change with each crawl: the time of the fetch, the metrics.
        digest: SHA-256 of source and body; it stays the same if the same item is crawled again.
    """

    item: RawItem
    source: str
    body: str
    digest: bytes

    @classmethod
    def of(cls, item: RawItem, source: str) -> Self:
        """Pack an item; nothing is compressed yet."""
        body = item.to_lasting_json()
        return cls(item, source, body, hashlib.sha256(f"{source}\n{body}".encode(errors="surrogatepass")).digest())

    @cached_property
    def compressed(self) -> bytes:
        """The body, compressed when it is first asked for: better before the writer's lock is taken."""
        return pack(self.body)


@dataclass(frozen=True, slots=True)
class NewRaw:
    """A raw item with the id of its article, or with the problem why it has no article."""

    packed: Packed
    article: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class RawOutcome:
    """What became of a raw item, as the store holds it.

    Args:
        id, article, metrics, problem: as `StoredRaw` has them.
    """

    id: int
    article: int | None
    metrics: DatedMetrics
    problem: str | None


@dataclass(frozen=True, slots=True)
class StoredRaw:
    """A raw item as the store holds it.

    Args:
        id: the store assigned it, ascending.
        source: id of its source.
        item: as the page function read it.
        article: the first id of its article, which may have joined another article since; None without an article.
        metrics: the newest numbers.
        problem: why the item has no article; None if it has one.
    """

    id: int
    source: str
    item: RawItem
    article: int | None
    metrics: DatedMetrics
    problem: str | None

    @property
    def outcome(self) -> RawOutcome:
        """What became of it."""
        return RawOutcome(self.id, self.article, self.metrics, self.problem)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The part of a stored raw item that decides whether a crawled item is new.

    Args:
        id: of the raw item.
        article: the first id of its article; None without an article.
        metrics: the newest numbers.
    """

    id: int
    article: int | None
    metrics: DatedMetrics


class RawItems:
    """The raw items of all sources."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_stored(self, digests: Collection[bytes]) -> dict[bytes, RawRecord]:
        """Find the stored raw items of digests; a digest that is not stored is left out."""
        return {
            digest: RawRecord(number, article_id, unpack_metrics(metrics or {}))
            for digest, number, article_id, metrics in select_in(self._connection, _RECORD, raw_items.c.digest, digests)
        }

    def add(self, items: Sequence[NewRaw]) -> None:
        """Store raw items that are not stored yet."""
        rows = [
            {
                "source": new.packed.source,
                "article_id": new.article,
                "digest": new.packed.digest,
                "fetched_at": new.packed.item.fetched_at,
                "metrics": date_metrics(new.packed.item.metrics, new.packed.item.fetched_at) or None,
                "problem": new.problem,
                "body": new.packed.compressed,
            }
            for new in items
        ]
        insert_rows(self._connection, raw_items, rows)

    def update_metrics(self, items: Iterable[tuple[RawRecord, RawItem]]) -> dict[int, DatedMetrics]:
        """Store the new metrics of items that are stored already.

        Returns:
            By article id, the metrics of which a number changed.
        """
        rows: list[dict[str, object]] = []
        by_article: dict[int, DatedMetrics] = {}
        for stored, item in items:
            now = merge_metrics(stored.metrics, date_metrics(item.metrics, item.fetched_at))
            if now != stored.metrics:
                rows.append({"of": stored.id, "metrics": now})
                if stored.article is not None:
                    by_article[stored.article] = merge_metrics(by_article.get(stored.article, {}), now)
        if rows:
            self._connection.execute(update(raw_items).where(raw_items.c.id == bindparam("of")), rows)
        return by_article

    def get_metrics(self, ids: Iterable[int]) -> dict[int, DatedMetrics]:
        """Get the newest numbers of raw items, by id."""
        query = select(raw_items.c.id, raw_items.c.metrics)
        return {
            row.id: unpack_metrics(row.metrics or {})
            for chunk in chunks(ids)
            for row in self._connection.execute(query.where(raw_items.c.id.in_(chunk)))
        }

    def list_html(self, article: int) -> list[str]:
        """List the HTML of every raw item of an article, oldest first."""
        joined = select(joined_articles.c.id).where(joined_articles.c.article_id == article)
        of_article = or_(raw_items.c.article_id == article, raw_items.c.article_id.in_(joined))
        rows = self._connection.execute(select(raw_items).where(of_article).order_by(raw_items.c.id))
        return [html for row in rows if (html := _stored(row).item.html)]

    def list_lost(self, since: datetime, source: str | None = None) -> list[StoredRaw]:
        """List the raw items of which no article could be made, newest first.

        Args:
            since: aware; when they were fetched at the earliest.
            source: the id of a source; None for all.
        """
        query = select(raw_items).where(raw_items.c.problem.is_not(None), raw_items.c.fetched_at >= since)
        if source is not None:
            query = query.where(raw_items.c.source == source)
        return [_stored(row) for row in self._connection.execute(query.order_by(raw_items.c.id.desc()))]

    def count(self) -> int:
        """Count the raw items."""
        return self._connection.execute(select(func.count()).select_from(raw_items)).scalar_one()

    def count_reduced(self) -> int:
        """Count the raw items that were reduced."""
        reduced = select(func.count()).select_from(raw_items).where(raw_items.c.reduced_at.is_not(None))
        return self._connection.execute(reduced).scalar_one()

    def list_whole(self, source: str, limit: datetime, newest: int, size: int) -> list[StoredRaw]:
        """List the oldest raw items of a source that were never reduced and have an article.

        Args:
            source: its id.
            limit: aware; later items are left out.
            newest: of the source's items so many are left out, the last ones.
            size: at most so many are listed.
        """
        whole = (raw_items.c.source == source) & raw_items.c.reduced_at.is_(None)
        ids = select(raw_items.c.id).where(whole).order_by(raw_items.c.id.desc()).offset(newest).limit(1)
        last_id = self._connection.execute(ids).scalar()
        if last_id is None:
            return []
        old = whole & (raw_items.c.id <= last_id) & (raw_items.c.fetched_at < limit) & raw_items.c.problem.is_(None)
        rows = self._connection.execute(select(raw_items).where(old).order_by(raw_items.c.id).limit(size))
        return [_stored(row) for row in rows]

    def list_later(self, raw: StoredRaw) -> list[StoredRaw]:
        """List the whole raw items that brought the same article from the same source later."""
        same = (raw_items.c.article_id == raw.article) & (raw_items.c.source == raw.source)
        later = same & (raw_items.c.id > raw.id) & raw_items.c.reduced_at.is_(None) & raw_items.c.problem.is_(None)
        return [_stored(row) for row in self._connection.execute(select(raw_items).where(later))]

    def save_reduced(self, items: Mapping[int, RawItem], now: datetime) -> tuple[int, int]:
        """Store raw items in a smaller form. Their digests stay: the page that comes back unchanged is known.

        Args:
            items: by id.
            now: aware.

        Returns:
            The bytes of their bodies before and after.
        """
        rows = self._connection.execute(
            select(raw_items.c.id, raw_items.c.body).where(raw_items.c.id.in_(list(items)))
        ).all()
        bodies = {row.id: pack(items[row.id].to_lasting_json()) for row in rows}
        smaller = {row.id: min(bodies[row.id], row.body, key=len) for row in rows}
        if smaller:
            self._connection.execute(
                update(raw_items).where(raw_items.c.id == bindparam("of")),
                [{"of": raw_id, "body": body, "reduced_at": now} for raw_id, body in smaller.items()],
            )
        return sum(len(row.body) for row in rows), sum(map(len, smaller.values()))

    def iterate(self, size: int = 500) -> Iterator[list[StoredRaw]]:
        """Iterate over lists of at most `size` raw items, all in the order in which they were stored."""
        last_id = 0
        while items := self.list_after(last_id, size):
            last_id = items[-1].id
            yield items

    def list_after(self, last_id: int, size: int) -> list[StoredRaw]:
        """List at most `size` raw items of higher ids, in the order in which they were stored."""
        query = select(raw_items).where(raw_items.c.id > last_id).order_by(raw_items.c.id).limit(size)
        return [_stored(row) for row in self._connection.execute(query)]

    def list_between(self, first_id: int, last_id: int) -> list[StoredRaw]:
        """List the raw items from id to id, in the order in which they were stored."""
        query = select(raw_items).where(raw_items.c.id.between(first_id, last_id)).order_by(raw_items.c.id)
        return [_stored(row) for row in self._connection.execute(query)]

    def list_entries(self, first_id: int, last_id: int) -> list[tuple[str, datetime, ListedEntry]]:
        """List what tells the entries of raw items apart, from id to id, each after source and time of fetch."""
        query = (
            select(raw_items.c.source, raw_items.c.fetched_at, raw_items.c.body)
            .where(raw_items.c.id.between(first_id, last_id))
            .order_by(raw_items.c.id)
        )
        return [
            (source, fetched_at, ListedEntry.of(RawItem.from_json(unpack(body))))
            for source, fetched_at, body in self._connection.execute(query)
        ]

    def find_last_id(self) -> int:
        """Find the id of the raw item that was stored last; 0 without one."""
        return self._connection.execute(select(func.max(raw_items.c.id))).scalar() or 0

    def set_outcomes(self, outcomes: Mapping[int, tuple[int | None, str | None]]) -> None:
        """Store new outcomes of raw items: article id and problem by raw item id."""
        if outcomes:
            self._connection.execute(
                update(raw_items).where(raw_items.c.id == bindparam("of")),
                [{"of": raw_id, "article_id": article, "problem": why} for raw_id, (article, why) in outcomes.items()],
            )


def _stored(row: Row[Any]) -> StoredRaw:
    return StoredRaw(
        id=row.id,
        source=row.source,
        item=replace(RawItem.from_json(unpack(row.body)), fetched_at=row.fetched_at),
        article=row.article_id,
        metrics=unpack_metrics(row.metrics or {}),
        problem=row.problem,
    )
