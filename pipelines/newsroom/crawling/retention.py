"""Keeps the raw items of a newsroom from growing without end: old ones are reduced to what articles are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from crawler.items import RawItem
from crawler.limits import limit_processor_time
from crawler.sources.schema import Source
from pipelines.deduplicate.entries import Repeats, identify_entry, identify_post
from pipelines.model import Article
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.arrivals import LONGEST_READING, read
from pipelines.newsroom.stages.rereading import source_of_record
from pipelines.normalise.reducing import Reader, reduce_item
from pipelines.store.raw import StoredRaw

AT_ONCE: Final = 50
"""Raw items that one transaction reduces: an editor's action waits no longer than for them."""

LONGEST_UPKEEP: Final = 10.0
"""Seconds that a crawl spends on it; what is left over waits for the next crawl."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """What was reduced.

    Args:
        items: number of raw items.
        bytes_before, bytes_after: of their compressed bodies.
        finished: whether no old item is left whole.
    """

    items: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    finished: bool = True


def reduce_old_items(
    newsroom: Newsroom,
    now: datetime,
    longest: float = LONGEST_UPKEEP,
    progress: Callable[[int], None] = lambda count: None,  # noqa: ARG005
) -> Reduced:
    """Reduce the raw items that are older than `[retention] whole_days`, a few in each transaction.

    The newest items of each source stay whole (`[retention] whole_items`), and so does every item of which no article
    could be made: somebody has to find out why. No item is deleted: a page that comes back unchanged is known.

    Args:
        newsroom: with its newsletter, its rules and its store.
        now: aware.
        longest: seconds after which it stops.
        progress: called with the number of items reduced so far.
    """
    retention = newsroom.newsletter.retention
    if not retention.whole_days:
        return Reduced()
    limit = now - timedelta(days=retention.whole_days)
    items = bytes_before = bytes_after = 0
    with newsroom.store.reading() as tx:
        records = tx.sources.list_all()
    sources = {record.id: source_of_record(record) for record in records.values()} | dict(newsroom.sources)
    deadline = monotonic() + longest
    for source_id in records:
        newest_whole = retention.whole_items
        while True:
            with newsroom.store.reading() as tx:
                old_items = tx.raw.list_whole(source_id, limit, newest_whole, AT_ONCE)
                later = {raw.id: tx.raw.list_later(raw) for raw in old_items}
            if not old_items:
                break
            reader = _make_reader(newsroom, sources[source_id])
            bodies = {raw.id: _reduce(raw, [row.item for row in later[raw.id]], reader) for raw in old_items}
            with newsroom.store.transaction() as tx:
                old_size, new_size = tx.raw.save_reduced(bodies, now)
            items += len(bodies)
            bytes_before += old_size
            bytes_after += new_size
            progress(items)
            if monotonic() > deadline:
                return Reduced(items, bytes_before, bytes_after, finished=False)
    return Reduced(items, bytes_before, bytes_after)


def _make_reader(newsroom: Newsroom, source: Source) -> Reader:
    def read_again(item: RawItem) -> Article:
        article = identify_entry(read(item, source, newsroom.rules), item, Repeats(), None)
        return identify_post(article, source)

    return read_again


def _reduce(raw: StoredRaw, later_items: list[RawItem], reader: Reader) -> RawItem:
    try:
        with limit_processor_time(LONGEST_READING):
            return reduce_item(raw.item, later_items, reader)
    except Exception:  # rules changed since, and no article can be made of it any more: it stays whole
        return raw.item
