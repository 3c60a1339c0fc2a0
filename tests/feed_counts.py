"""Crawls a folder of saved feeds from loopback, and counts articles against the distinct entries of each feed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from commands import start_crawl
from servers import http, newsroom, serving, source

from crawler.errors import CrawlError
from crawler.items import Reply
from crawler.pages import PAGES
from pipelines.store import Store

SUFFIXES = frozenset({".xml", ".rss", ".atom", ".json"})


@dataclass(frozen=True)
class FeedCount:
    """A feed of the folder.

    Args:
        path: relative to the folder.
        entries: distinct by address, title and date, as its page function reads them.
        articles: that the store has of it after a crawl.
        failed: why the crawl of it failed; empty where it did not.
    """

    path: str
    entries: int
    articles: int
    failed: str


def count_articles(folder: Path, home: Path) -> list[FeedCount]:
    """Crawl all feeds of a folder with `jianbao crawl`, each a source of its own.

    Args:
        folder: of saved feeds; one under a folder with `wechat` or `hellodword` in its name is a mirror's.
        home: of the newsletter that is made for it.

    Returns:
        A count for each feed that its page function reads.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    kinds = {path: "wechat" if "wechat" in str(path) or "hellodword" in str(path) else "feed" for path in paths}
    answers = {f"/{number}{path.suffix}": http(200, path.read_bytes()) for number, path in enumerate(paths)}
    with serving(dict(answers)) as site:
        addresses = [f"{site.base}{address}" for address in answers]
        rows = (
            source(f"s{number}", kinds[path], url=addresses[number], max_pages=1) for number, path in enumerate(paths)
        )
        output, log, _ = start_crawl(newsroom(home, "".join(rows), site.place), "--json", "--no-group", timeout=1800)
    failures = {report["id"]: report["failed"] or "" for report in json.loads(output or log)["sources"]}
    articles = _count_by_source(home)
    counts = []
    for number, path in enumerate(paths):
        identifier, failed = f"s{number}", failures[f"s{number}"]
        entries = _count_entries(path, kinds[path], addresses[number])
        if entries is not None:
            counts.append(FeedCount(str(path.relative_to(folder)), entries, articles[identifier], failed))
    return counts


def _count_entries(path: Path, kind: str, address: str) -> int | None:
    page_function = PAGES["wechat.feed" if kind == "wechat" else "feed"]
    try:
        items = page_function(Reply(address, 200, {}, path.read_bytes(), datetime.now(UTC))).items
    except CrawlError:
        return None
    return len({(item.url, item.title, item.published) for item in items})


def _count_by_source(home: Path) -> Counter[str]:
    store = Store.open(f"sqlite:///{home / 'var' / 'jianbao.db'}")
    with store.reading() as tx:
        stored = tx.articles.get(range(1, tx.articles.next_id()))
    store.close()
    return Counter(identifier for article in stored.values() for identifier in article.sources)
