"""The only Scrapy item pipeline: passes the batches of the crawler to `run.ingest`."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector
from twisted.internet.base import DelayedCall

from crawler.errors import Detail, Failure, detail_of
from crawler.home import Home
from crawler.items import Batch, Problem, join_batches
from crawler.kinds import Kind
from crawler.sources.schema import Source
from pipelines.errors import describe_failure
from pipelines.logs import log_event, make_extra
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.arrivals import Delivery, Ingested
from pipelines.newsroom.stages.run import ingest_together
from pipelines.rules import Rules
from pipelines.store import Store
from pipelines.store.errors import LeaseLost

MOST_WAITING: Final = 1_000
MOST_CHARACTERS: Final = 2_000_000
LONGEST_WAIT: Final = 1.0
"""Items and batches, characters of texts, and seconds, until the waiting batches of all sources are stored together.

A transaction costs more than reading a page, and an article whose entry in the feed and whose page are in the same one
is written once. Other writers wait for the end of it, a tenth of a second for so many items. A process that is killed
loses what waits; the sources' states stay behind too, so the next run asks for it again.
"""

RUN_IDS: Final = "JIANBAO_RUNS"
"""A setting of Scrapy: the ids of runs whose start is stored, by source id, as JSON."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceResult:
    """The result of a source's run so far.

    Args:
        run: id of its row in the store; None where not even the row could be written.
        new, updated, seen: numbers of items.
        problems: all problems, also those that fail no run: pages that are gone, items that gave no article.
        failure: the reason of the run's failure; None without one.
        not_stored: the problem of the batch that the database could not store; None without one.
        finished: whether its last batch came.
        seconds: from the spider's start to the last batch so far.
    """

    run: int | None = None
    new: int = 0
    updated: int = 0
    seen: int = 0
    problems: tuple[Problem, ...] = ()
    failure: Failure | None = None
    not_stored: Problem | None = None
    finished: bool = False
    seconds: float = 0.0


def log_run(source: str, result: SourceResult) -> None:
    """Log the end of a run, and each of its problems before it.

    Args:
        source: its id.
        result: finished.
    """
    for problem in result.problems:
        level = logging.ERROR if problem.fails_source else logging.WARNING
        reason = describe_failure(problem.failure, "en")
        log_event(level, "problem", reason, source=source, run=result.run, url=problem.url or None, error=problem.error)
    log_event(
        logging.ERROR if result.failure else logging.INFO,
        "run-ended",
        describe_failure(result.failure, "en") if result.failure else "",
        source=source,
        run=result.run,
        error=result.failure.error if result.failure else None,
        new=result.new,
        updated=result.updated,
        seen=result.seen,
        seconds=round(result.seconds, 3),
    )


class Bridge:
    """Stores the batches of one spider, in the order in which they come.

    A batch that cannot be stored fails its source's run: the later batches of the source are stored, but its state
    stays, so the next run requests everything again. The other sources go on.

    Args:
        store, rules: of the newsletter.
        sources: of the registry, by id.
        kind: of the spider, for a source that is not in the registry.
        stats: of the crawler; they get the counts too: `jianbao/<source>/new` and so on.
        run_ids: of runs whose start is stored, by source id; the runs of other sources begin with their first batch.
        call_later: calls a function after so many seconds; with it, batches wait for the next ones. None stores each
            batch at once.

    Attributes:
        results: by source id; the starter of the crawl reads `crawler.get_item_pipeline(Bridge).results`.
    """

    def __init__(
        self,
        store: Store,
        sources: Mapping[str, Source],
        rules: Rules,
        *,
        kind: Kind,
        stats: StatsCollector,
        run_ids: Mapping[str, int] | None = None,
        call_later: Callable[..., DelayedCall] | None = None,
    ) -> None:
        self._store = store
        self._sources = sources
        self._rules = rules
        self._kind = kind
        self._stats = stats
        self._call_later = call_later
        self._waiting: dict[str, list[Batch]] = {}
        self._waiting_count = self._waiting_characters = 0
        self._call: DelayedCall | None = None
        self._began = time.monotonic()
        self.results = {source_id: SourceResult(run=run_id) for source_id, run_id in (run_ids or {}).items()}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy, before anything is fetched.

        Raises:
            StoreError: there is no database to write to.
        """
        newsroom = Newsroom(Home(Path(crawler.settings["JIANBAO_HOME"])))
        kind: Kind = getattr(crawler.spider, "kind", "web")
        if crawler.stats is None:
            raise RuntimeError("a crawler has stats before it has pipelines")
        begun = json.loads(crawler.settings.get(RUN_IDS, "{}"))
        run_ids = {row.id: begun[row.id] for row in newsroom.sources.values() if row.kind == kind and row.id in begun}
        from twisted.internet import reactor  # noqa: PLC0415 (Scrapy has chosen the reactor by now)

        return cls(
            newsroom.store,
            newsroom.sources,
            newsroom.rules,
            kind=kind,
            stats=crawler.stats,
            run_ids=run_ids,
            call_later=reactor.callLater,
        )

    def process_item(self, item: Batch) -> Batch:
        """Store a batch, with those that wait; or let it wait for the next ones. Called by Scrapy."""
        self._waiting.setdefault(item.source, []).append(item)
        self._waiting_count += 1 + len(item.items)
        self._waiting_characters += sum(len(raw.html or "") for raw in item.items)
        is_full = self._waiting_count >= MOST_WAITING or self._waiting_characters >= MOST_CHARACTERS
        if is_full or self._call_later is None:
            self._store_waiting()
        elif self._call is None:
            self._call = self._call_later(LONGEST_WAIT, self._store_waiting)
        return item

    def _store_waiting(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        batches = [join_batches(waiting) for waiting in self._waiting.values()]
        self._waiting = {}
        self._waiting_count = self._waiting_characters = 0
        if not batches:
            return
        try:
            self._store_batches(batches)
        except Exception:  # of any kind: the sources whose batches can be stored must go on
            for batch in batches:
                self._store_alone(batch)

    def _store_alone(self, batch: Batch) -> None:
        try:
            self._store_batches([batch])
        except Exception as error:
            result = self.results.get(batch.source, SourceResult())
            facts = make_extra("not-stored", source=batch.source, run=result.run)
            if isinstance(error, LeaseLost):  # no fault: another worker has this source, and the process ends soon
                _LOG.warning("%s: %s", batch.source, error, extra=facts)
            else:
                _LOG.exception("%s: a batch of %d items was not stored", batch.source, len(batch.items), extra=facts)
            problem = Problem("", type(error).__name__, Detail.of("not-stored", reason=detail_of(error)))
            self._note(batch, replace(result, failure=problem.failure, not_stored=problem))

    def _store_batches(self, batches: Sequence[Batch]) -> None:
        """Store the batches of different sources in one transaction.

        Raises:
            Exception: of any kind; nothing is stored.
        """
        deliveries = [self._make_delivery(batch) for batch in batches]
        outcomes = ingest_together(self._store, deliveries, self._rules, datetime.now(UTC))
        for batch, ingested in zip(batches, outcomes, strict=True):
            self._note(batch, self._count(batch.source, ingested))

    def _make_delivery(self, batch: Batch) -> Delivery:
        result = self.results.get(batch.source, SourceResult())
        if result.not_stored:
            batch = replace(batch, state=None, problems=(*batch.problems, result.not_stored))
        source = self._sources.get(batch.source) or Source.model_construct(
            id=batch.source, kind=self._kind, name=batch.source
        )
        return Delivery(batch, source, result.run)

    def _note(self, batch: Batch, result: SourceResult) -> None:
        result = replace(result, finished=batch.finished, seconds=time.monotonic() - self._began)
        self.results[batch.source] = result
        if batch.finished:
            log_run(batch.source, result)

    def close_spider(self) -> None:
        """End the runs that are not finished, since the spider was stopped. Called by Scrapy."""
        self._store_waiting()
        stopped = Problem("", "Interrupted", Detail.of("stopped-early"))
        unfinished = [source_id for source_id, result in self.results.items() if not result.finished]
        self._waiting = {source: [Batch(source, problems=(stopped,), finished=True)] for source in unfinished}
        self._store_waiting()
        self._store.close()

    def _count(self, source_id: str, ingested: Ingested) -> SourceResult:
        """The result of a source's run with what was ingested; the counts go to Scrapy's stats too."""
        last_result = self.results.get(source_id, SourceResult())
        lost = [problem for problem in ingested.problems if not problem.fails_source]
        counts = {"new": ingested.new, "updated": ingested.updated, "seen": ingested.seen, "lost": len(lost)}
        for name, number in counts.items():
            self._stats.inc_value(f"jianbao/{source_id}/{name}", number)
        return replace(
            last_result,
            run=ingested.run,
            new=last_result.new + ingested.new,
            updated=last_result.updated + ingested.updated,
            seen=last_result.seen + ingested.seen,
            problems=(*last_result.problems, *ingested.problems),
            failure=ingested.failure,
        )
