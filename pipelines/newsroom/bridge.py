"""The one Scrapy item pipeline: takes batches over from the crawler and hands them to `run.ingest`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector

from crawler.home import Home
from crawler.items import Batch, Problem
from crawler.kinds import Kind
from crawler.sources import Source
from pipelines.newsroom import Newsroom
from pipelines.newsroom.run import ingest
from pipelines.rules import Rules
from pipelines.store import Store

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What a source's run gave, as far as it got.

    Args:
        run: its row in the store; None when not even that could be written.
        new, updated, seen: items.
        problems: whatever went wrong, also what fails no run: pages that are gone, items that gave no article.
        failure: why the run failed; None when it did not.
        not_stored: what the database could not take, if so.
        finished: whether its last batch came.
        seconds: from the spider's start to the last batch so far.
    """

    run: int | None = None
    new: int = 0
    updated: int = 0
    seen: int = 0
    problems: tuple[Problem, ...] = ()
    failure: str | None = None
    not_stored: Problem | None = None
    finished: bool = False
    seconds: float = 0.0


class Bridge:
    """Stores the batches of one spider, in the order in which they come.

    What cannot be stored fails that source's run: its later batches are still stored, but its state stays, so that the
    next run asks for everything again. The other sources go on.

    Args:
        store, rules: of the newsletter.
        sources: the registry, by id.
        kind: of the spider, for a source that the registry does not have.
        stats: get the counts too: `jianbao/<source>/new` and so on.

    Attributes:
        results: by source id; `crawler.get_item_pipeline(Bridge).results` for whoever started the crawl.
    """

    def __init__(
        self, store: Store, sources: Mapping[str, Source], rules: Rules, *, kind: Kind, stats: StatsCollector
    ) -> None:
        self._store = store
        self._sources = sources
        self._rules = rules
        self._kind = kind
        self._stats = stats
        self._began = time.monotonic()
        self.results: dict[str, SourceResult] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy.

        Raises:
            StoreError: there is no database to write to; better said before anything is fetched.
        """
        newsroom = Newsroom(Home(Path(crawler.settings["JIANBAO_HOME"])))
        kind: Kind = getattr(crawler.spider, "kind", "web")
        if crawler.stats is None:
            raise RuntimeError("a crawler has stats before it has pipelines")
        return cls(newsroom.store, newsroom.sources, newsroom.rules, kind=kind, stats=crawler.stats)

    def process_item(self, item: Batch) -> Batch:
        """Store a batch. Called by Scrapy."""
        before = self.results.get(item.source, SourceResult())
        batch = item
        if before.not_stored:
            batch = replace(item, state=None, problems=(*item.problems, before.not_stored))
        try:
            after = self._ingest(batch, before)
        except Exception as error:  # whatever it is, the other sources must go on
            _LOG.exception("%s: a batch of %d items was not stored", item.source, len(item.items))
            problem = Problem("", type(error).__name__, f"not stored: {error}")
            after = replace(before, failure=f"{problem.error}: {problem.detail}", not_stored=problem)
        self.results[item.source] = replace(after, finished=item.finished, seconds=time.monotonic() - self._began)
        return item

    def close_spider(self) -> None:
        """End the runs in whose midst the spider was stopped. Called by Scrapy."""
        stopped = Problem("", "Interrupted", "the crawl was stopped before the source was read to its end")
        for source in [one for one, result in self.results.items() if not result.finished]:
            self.process_item(Batch(source, problems=(stopped,), finished=True))
        self._store.close()

    def _ingest(self, batch: Batch, before: SourceResult) -> SourceResult:
        source = self._sources.get(batch.source) or Source.model_construct(
            id=batch.source, kind=self._kind, name=batch.source
        )
        given = ingest(self._store, batch, source, self._rules, datetime.now(UTC), run=before.run)
        lost = [one for one in given.problems if not one.fails_source]
        for name, number in (("new", given.new), ("updated", given.updated), ("seen", given.seen), ("lost", len(lost))):
            self._stats.inc_value(f"jianbao/{batch.source}/{name}", number)
        return replace(
            before,
            run=given.run,
            new=before.new + given.new,
            updated=before.updated + given.updated,
            seen=before.seen + given.seen,
            problems=(*before.problems, *given.problems),
            failure=given.failure,
        )
