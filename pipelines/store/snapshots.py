"""Snapshots: what an article said when it was picked; and what was last heard of an address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, func, insert, select

from pipelines.model import LinkCheck, Snapshot, StoredArticle
from pipelines.store.engine import chunks, upsert
from pipelines.store.packing import pack, unpack
from pipelines.store.tables import addresses, snapshots


def text_hash(title: str, text: str) -> str:
    """What tells one wording from another: SHA-256 of title and text."""
    return hashlib.sha256(f"{title}\n{text}".encode(errors="surrogatepass")).hexdigest()


class Snapshots:
    """By article id, rows only ever added; and by address, the newest word only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, articles: Iterable[StoredArticle], taken_at: datetime) -> None:
        """Keep what articles say now; one that says what its newest snapshot says already is not kept again."""
        articles = list(articles)
        newest = self.get_newest(stored.id for stored in articles)
        hashes = {article_id: snapshot.hash for article_id, snapshot in newest.items()}
        rows = []
        for stored in articles:
            wording = text_hash(stored.article.title, stored.article.text)
            if hashes.get(stored.id) != wording:
                rows.append(
                    {
                        "article": stored.id,
                        "at": taken_at,
                        "url": stored.article.url,
                        "title": stored.article.title,
                        "text": pack(stored.article.text),
                        "hash": wording,
                    }
                )
        if rows:
            self._connection.execute(insert(snapshots), rows)

    def get_newest(self, ids: Iterable[int]) -> dict[int, Snapshot]:
        """The newest snapshot of each article that has one."""
        snapshots_by_article = {}
        for chunk in chunks(ids):
            last = select(func.max(snapshots.c.id)).where(snapshots.c.article.in_(chunk)).group_by(snapshots.c.article)
            for row in self._connection.execute(select(snapshots).where(snapshots.c.id.in_(last))):
                snapshots_by_article[row.article] = _snapshot(row)
        return snapshots_by_article

    def save_link_checks(self, answers: Iterable[LinkCheck]) -> None:
        """Note what was heard of addresses."""
        rows = [
            {"url": answer.url, "at": answer.at, "state": answer.state, "detail": answer.detail} for answer in answers
        ]
        if rows:
            upsert(self._connection, addresses, rows)

    def get_link_checks(self, urls: Iterable[str]) -> dict[str, LinkCheck]:
        """What was last heard of addresses, as they were asked for."""
        answers = {}
        for chunk in chunks(urls):
            for row in self._connection.execute(select(addresses).where(addresses.c.url.in_(chunk))):
                answers[row.url] = LinkCheck(row.url, row.at, row.state, row.detail)
        return answers


def _snapshot(row: Row[tuple[object, ...]]) -> Snapshot:
    return Snapshot(row.article, row.at, row.url, row.title, unpack(row.text), row.hash)
