"""Reads stored raw items again, as the present rules say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from crawler.items import Problem
from crawler.sources.schema import Source
from pipelines.deduplicate.entries import (
    GuidPolicy,
    ListedEntry,
    Repeats,
    choose_policy,
    find_repeats_by_source,
    merge_repeats,
)
from pipelines.model import Article
from pipelines.newsroom.stages.arrivals import read_or_explain
from pipelines.rules import Rules
from pipelines.store import Store, Transaction
from pipelines.store.raw import RawOutcome, StoredRaw
from pipelines.store.sources import SourceRecord


class ReadingRules(NamedTuple):
    """What all items are read by.

    Args:
        rules: the tables of data/rules.
        sources: by id; of the registry, or as the store remembers them.
    """

    rules: Rules
    sources: Mapping[str, Source]


class SourceFacts(NamedTuple):
    """What the items of a source are read by.

    Args:
        repeats: among the entries of its replies.
        policy: for the identifiers of its feed.
    """

    repeats: Repeats
    policy: GuidPolicy | None


class ReadAgain(NamedTuple):
    """A raw item that was read again.

    Args:
        raw: what became of it before.
        result: its article, or the problem why there is none.
    """

    raw: RawOutcome
    result: Article | Problem


class SourceTable:
    """What is known of the sources of a store's raw items.

    Args:
        sources: by id; for a source that left the registry, the store's record of it serves.

    Attributes:
        sources: that were read from the store, by id, with the given ones.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources: dict[str, Source] = {}
        self._given = sources
        self._policies: dict[str, GuidPolicy | None] = {}
        self._repeats: dict[str, Repeats] = {}

    def learn(self, tx: Transaction, entries: Iterable[tuple[str, datetime, ListedEntry]]) -> None:
        """Learn the sources of raw items, and what the entries of their replies share, before the items are read.

        Args:
            tx: open for reading.
            entries: as `RawItems.list_entries` lists them.
        """
        repeats = find_repeats_by_source(entries)
        self._repeats |= {
            source: merge_repeats([self._repeats.get(source, Repeats()), more]) for source, more in repeats.items()
        }
        if not self._policies.keys() >= repeats.keys():
            self.read(tx)

    def read(self, tx: Transaction) -> None:
        """Read the sources that the store knows by now."""
        records = tx.sources.list_all().values()
        self.sources = {record.id: source_of_record(record) for record in records} | dict(self._given)
        self._policies = {record.id: choose_policy(self.sources[record.id].guids, record.guids) for record in records}

    def find_facts(self, source_ids: Collection[str]) -> dict[str, SourceFacts]:
        """The facts of sources whose items were learned, by id."""
        return {source_id: SourceFacts(self._repeats[source_id], self._policies[source_id]) for source_id in source_ids}


def list_entries(
    store: Store, _rules: ReadingRules, first_id: int, last_id: int
) -> list[tuple[str, datetime, ListedEntry]]:
    """List the entries of the raw items from id to id. A shard of a rebuild."""
    with store.reading() as tx:
        return tx.raw.list_entries(first_id, last_id)


def read_stored(
    store: Store, rules: ReadingRules, first_id: int, last_id: int, facts: Mapping[str, SourceFacts]
) -> list[ReadAgain]:
    """Read the raw items from id to id again. A shard of a rebuild.

    Args:
        store: the newsroom's.
        rules: what all items are read by.
        first_id, last_id: of raw items.
        facts: of their sources, by id.
    """
    with store.reading() as tx:
        raws = tx.raw.list_between(first_id, last_id)
    return read_again(raws, facts, rules)


def read_again(raws: Sequence[StoredRaw], facts: Mapping[str, SourceFacts], rules: ReadingRules) -> list[ReadAgain]:
    """Read raw items, each with its article, or with the reason why there is none.

    Args:
        raws: in the order in which they came.
        facts: of their sources, by id.
        rules: what all items are read by.
    """
    read = []
    for raw in raws:
        source, (repeats, policy) = rules.sources[raw.source], facts[raw.source]
        read.append(ReadAgain(raw.outcome, read_or_explain(raw.item, source, rules.rules, repeats, policy)))
    return read


def source_of_record(record: SourceRecord) -> Source:
    """A source that left the registry, as far as the store remembers it."""
    return Source.model_construct(id=record.id, kind=record.kind, name=record.name)
