"""Snapshots of articles at the moment of a pick, and the last check of each address that an issue links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, func, insert, select

from pipelines.model import LinkCheck, Snapshot, StoredArticle
from pipelines.store.bulk import chunks, upsert
from pipelines.store.packing import pack, unpack
from pipelines.store.tables import addresses, snapshots


def text_hash(title: str, text: str) -> str:
    """Hash title and text of an article: SHA-256, as hexadecimal digits."""
    return hashlib.sha256(f"{title}\n{text}".encode(errors="surrogatepass")).hexdigest()


class Snapshots:
    """Snapshots by article id, of which rows are only added; link checks by address, of which the newest is kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, articles: Iterable[StoredArticle], taken_at: datetime) -> None:
        """Store a snapshot of each article whose title or text differs from its newest snapshot."""
        articles = list(articles)
        newest = self.get_newest(stored.id for stored in articles)
        hashes = {article_id: snapshot.hash for article_id, snapshot in newest.items()}
        rows = []
        for stored in articles:
            digest = text_hash(stored.article.title, stored.article.text)
            if hashes.get(stored.id) != digest:
                rows.append(
                    {
                        "article": stored.id,
                        "at": taken_at,
                        "url": stored.article.url,
                        "title": stored.article.title,
                        "text": pack(stored.article.text),
                        "hash": digest,
                    }
                )
        if rows:
            self._connection.execute(insert(snapshots), rows)

    def get_newest(self, ids: Iterable[int]) -> dict[int, Snapshot]:
        """Get the newest snapshot of each article that has one, by article id."""
        snapshots_by_article = {}
        for chunk in chunks(ids):
            last = select(func.max(snapshots.c.id)).where(snapshots.c.article.in_(chunk)).group_by(snapshots.c.article)
            for row in self._connection.execute(select(snapshots).where(snapshots.c.id.in_(last))):
                snapshots_by_article[row.article] = _snapshot(row)
        return snapshots_by_article

    def save_link_checks(self, link_checks: Iterable[LinkCheck]) -> None:
        """Store link checks; each replaces the former check of its address."""
        rows = [
            {"url": check.url, "at": check.at, "state": check.state, "detail": check.detail} for check in link_checks
        ]
        if rows:
            upsert(self._connection, addresses, rows)

    def get_link_checks(self, urls: Iterable[str]) -> dict[str, LinkCheck]:
        """Get the last check of each address that was checked, by address."""
        link_checks = {}
        for chunk in chunks(urls):
            for row in self._connection.execute(select(addresses).where(addresses.c.url.in_(chunk))):
                link_checks[row.url] = LinkCheck(row.url, row.at, row.state, row.detail)
        return link_checks


def _snapshot(row: Row[tuple[object, ...]]) -> Snapshot:
    return Snapshot(row.article, row.at, row.url, row.title, unpack(row.text), row.hash)
