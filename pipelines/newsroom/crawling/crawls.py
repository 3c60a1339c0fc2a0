"""Starts crawls of sources, and of addresses, pages and lists that somebody adds by hand."""

from __future__ import annotations

import gc
import json
import logging
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler.errors import CrawlError, Detail, Failure, SourceMisconfigured, detail_of
from crawler.home import Home
from crawler.items import Batch, Problem, RawItem, SourceState
from crawler.kinds import KINDS
from crawler.saved import read_folder, read_saved
from crawler.settings import assert_safe
from crawler.sites import find_route
from crawler.sources.file import Registry
from crawler.sources.schema import Source
from pipelines.errors import describe_failure
from pipelines.files import remove_leftovers
from pipelines.logs import log_event
from pipelines.model import ADDED_BY_HAND, Article, LinkCheck
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.bridge import RUN_IDS, Bridge, SourceResult
from pipelines.newsroom.crawling.processes import DIED, LONGEST_CRAWL_OF_ONE, begin_crawl
from pipelines.newsroom.crawling.starter import ending_with_us
from pipelines.newsroom.locks import one_of_many, only_one
from pipelines.newsroom.stages.arrivals import describe_problem
from pipelines.newsroom.stages.run import begin_runs, end_run, ingest
from pipelines.newsroom.watching.upkeep import require_room
from pipelines.normalise import normalise
from pipelines.normalise.url import canonicalise
from pipelines.rules import Rules
from pipelines.store.sources import SourceRecord
from pipelines.wording import Language

Progress = Callable[[int, int], None]
"""Called with the number of finished sources and the number of all sources of the crawl."""

ADDED: Final = Source.model_construct(id=ADDED_BY_HAND, kind="web", name="")
"""The source of items that somebody adds by hand. It is in no registry, and its name is never printed."""

_BATCH: Final = 500
"""Items of a long list that are stored in one transaction."""

_NOT_BEGUN: Final = Failure("Interrupted", Detail.of("stopped-early"))

EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No crawl ran before. A clock that says so would date articles wrongly, and the next runs in the far future."""

_once: Final = threading.Lock()
"""Locked by the first crawl of the process and never released: Twisted's reactor runs once."""


class ClockBehind(CrawlError):
    """The machine's clock shows a time before jianbao was made, or before the last crawl. Raised by whatever starts a
    crawl."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The result of one source of a crawl, or of one target that somebody added.

    Args:
        id: of the source; of a target, its address or file.
        new, seen, updated: numbers of items.
        failed: the reason of the failure; None without one.
        seconds: from the start of the crawl to the end of the source.
        warnings: problems that fail no source: pages that are gone, records of an unknown shape.
    """

    id: str
    new: int = 0
    seen: int = 0
    updated: int = 0
    failed: Failure | None = None
    seconds: float = 0.0
    warnings: tuple[Failure, ...] = ()

    @property
    def has_useless_part(self) -> bool:
        """Whether a part of the row cannot work: a repository that does not exist, among others that were read."""
        return any(warning.error == "SourceMisconfigured" for warning in self.warnings)

    def as_json(self) -> dict[str, Any]:
        """The row of `crawl --json` and `add --json`; a failure is one line of English, whatever the language is."""
        return {
            "id": self.id,
            "new": self.new,
            "seen": self.seen,
            "updated": self.updated,
            "failed": _to_line(self.failed) if self.failed else None,
            "seconds": round(self.seconds, 3),
        }


def crawl(
    newsroom: Newsroom,
    sources: Sequence[Source],
    *,
    now: datetime | None = None,
    on_progress: Progress = lambda finished, total: None,  # noqa: ARG005
    for_worker: bool = False,
) -> list[SourceReport]:
    """Crawl sources in this process, each kind by its spider, and store their items. A process crawls once.

    A source whose site asked to be left alone until a later time is not asked.

    Args:
        newsroom: whose store gets the items.
        sources: to crawl.
        now: aware; the start of the crawl, by default the present.
        on_progress: called at the end of each source.
        for_worker: crawl beside the crawls of other workers, whose sources the queue keeps apart.

    Returns:
        A report for each source, in the order of `sources`.

    Raises:
        Busy: another process crawls for this newsletter.
        ClockBehind: the time is impossible; nothing was fetched.
        DiskAlmostFull: there is no room for what the crawl would store; nothing was fetched.
        StoreError: the database cannot be used; nothing was fetched.
    """
    now = now or datetime.now(UTC)
    _check_clock(newsroom, now)
    lock = one_of_many if for_worker else only_one
    with lock(newsroom.home.var / "crawl.lock", "crawling", now):
        remove_leftovers(newsroom.home.var)
        require_room(newsroom.home)
        with newsroom.store.reading() as tx:
            records = tx.sources.list_all()
            states = tx.sources.get_states(source.id for source in sources)
            waits = {netloc: until.isoformat() for netloc, until in tx.hosts.list_waits(now).items()}
        refused = {
            source.id: _wait_longer(records[source.id], newsroom.zone)
            for source in sources
            if source.id in records and records[source.id].is_waiting(now)
        }
        due = [source for source in sources if source.id not in refused]
        run_ids = begin_runs(newsroom.store, due, now)
        for source in due:
            log_event(logging.INFO, "run-began", source=source.id, run=run_ids[source.id], url=source.url or None)
        overrides = {RUN_IDS: json.dumps(run_ids), "JIANBAO_WAITS": json.dumps(waits)}
        on_batch = _counting(len(due), on_progress)
        crawlers = _run_spiders(newsroom.home, due, states, now, on_batch, overrides=overrides)
    results: dict[str, SourceResult] = {}
    for crawler in crawlers:
        if bridge := crawler.get_item_pipeline(Bridge):
            results |= bridge.results
    return [
        SourceReport(source.id, failed=refused[source.id])
        if source.id in refused
        else _report(source.id, results.get(source.id, SourceResult()))
        for source in sources
    ]


def crawl_alone(newsroom: Newsroom, source: Source, language: Language) -> SourceReport:
    """Crawl a source in a process of its own until it ends, and note its failure if it dies or takes too long.

    The process ends with this one.

    Args:
        newsroom: whose store gets the items.
        source: of the registry.
        language: of errors.
    """
    began_at, began = datetime.now(UTC), time.monotonic()
    with ending_with_us() as starter, begin_crawl(newsroom.home, [source.id], language, starter=starter) as child:
        try:
            _, errors = child.communicate(timeout=LONGEST_CRAWL_OF_ONE)
        except subprocess.TimeoutExpired:
            child.kill()
            _, errors = child.communicate()
        except BaseException:  # Ctrl-C, which the child does not get
            child.kill()
            raise
    with newsroom.store.reading() as tx:
        runs = tx.runs.list_since(began_at, source.id)
    seconds = time.monotonic() - began
    if not runs:
        reason = " ".join(errors.split())
        refused = Failure("Interrupted", Detail.of("not-begun", reason=reason)) if reason else _NOT_BEGUN
        return SourceReport(source.id, failed=refused, seconds=seconds)
    run = runs[-1]
    is_dead = run.finished_at is None
    if is_dead:
        end_run(newsroom.store, run, DIED, datetime.now(UTC))
    failure = DIED if is_dead else run.failure
    return SourceReport(source.id, run.new, run.seen, run.updated, failure, seconds, run.warnings)


def _check_clock(newsroom: Newsroom, now: datetime) -> None:
    if now < EARLIEST:
        raise ClockBehind("clock-behind", time=f"{now:%Y-%m-%d %H:%M}")
    with newsroom.store.reading() as tx:
        later = tx.clock.find_later_present(now)
    if later is not None:
        raise ClockBehind("clock-behind-crawls", time=f"{now:%Y-%m-%d %H:%M}", later=f"{later:%Y-%m-%d %H:%M}")


def _wait_longer(record: SourceRecord, zone: ZoneInfo) -> Failure:
    """The report on a source whose site asked an earlier run to come back later."""
    time = f"{record.not_before.astimezone(zone):%Y-%m-%d %H:%M}" if record.not_before else ""
    return Failure("RateLimited", Detail.of("not-yet", time=time))


def add(
    newsroom: Newsroom, targets: Sequence[str], *, url: str | None = None, now: datetime | None = None
) -> list[SourceReport]:
    """Store addresses, saved pages and lists of items (.jsonl). An address passes the same guards as a source.

    Args:
        newsroom: whose store gets the items.
        targets: addresses and paths.
        url: the address of a saved page.
        now: aware; by default the present.

    Returns:
        A report for each target, in the order of `targets`; the failure of one does not stop the others.

    Raises:
        ClockBehind: the time is impossible; nothing was stored.
    """
    now, newsroom = now or datetime.now(UTC), newsroom.house
    _check_clock(newsroom, now)
    addresses: dict[str, Source] = {}
    failed: dict[str, Failure] = {}
    for target in targets:
        try:
            if _is_address(target):
                addresses[target] = Source(id=f"added-{len(addresses) + 1}", kind="web", name="added", url=target)
        except ValidationError:
            failed[target] = Failure("", Detail.of("no-usable-address"))
    fetched = _fetch(newsroom.home, addresses, now)
    return [
        SourceReport(target, failed=failed[target])
        if target in failed
        else _store_target(newsroom, target, fetched.get(target), url or "", now)
        for target in dict.fromkeys(targets)
    ]


@dataclass(frozen=True, slots=True)
class Trial:
    """The entries that a list would give, and the row by which it would be read.

    Args:
        row: of sources.toml, without `id` and `name`.
        articles: of the entries.
        failed: why there are none; None without a failure.
    """

    row: dict[str, Any]
    articles: tuple[Article, ...]
    failed: Failure | None


def try_list(newsroom: Newsroom, url: str, *, now: datetime | None = None) -> Trial:
    """Read a list at an address as a row would, and store nothing.

    Args:
        newsroom: whose network rules and tables hold.
        url: of a page with a list, of a feed, of a sitemap, or of a list of a site that is known.
        now: aware; by default the present.

    Raises:
        ValidationError: this is no address of the web.
    """
    now = now or datetime.now(UTC)
    route = find_route(url)
    row = dict(route.row) if route and route.row else {"kind": "web", "url": url, "list": True}
    probe = Source.model_validate({"id": "tried", "name": "tried", **row})
    batches = _fetch(newsroom.home, {url: probe}, now)[url]
    items = [item for batch in batches for item in batch.items]
    failures = [problem.failure for batch in batches for problem in batch.problems if problem.fails_source]
    if items and row["kind"] == "web" and all(item.kind != "web" for item in items):
        row = {"kind": "feed", "url": url}
    articles = []
    for item in items:
        with suppress(ValueError):
            articles.append(normalise(item, probe, newsroom.rules))
    return Trial(row, tuple(articles), failures[0] if failures and not items else None)


@dataclass(frozen=True, slots=True)
class WayReport:
    """What one way of a source answers now.

    Args:
        source: its id.
        way: name of the way in the row; empty for a row with one way.
        items: number of entries.
        failed: why it gave none; None without a failure.
    """

    source: str
    way: str
    items: int
    failed: Failure | None

    def as_json(self) -> dict[str, Any]:
        """The row of `sources check --online --json`."""
        failed = _to_line(self.failed) if self.failed else None
        return {"source": self.source, "way": self.way, "items": self.items, "failed": failed}


def ask_ways(
    newsroom: Newsroom,
    sources: Sequence[Source],
    *,
    now: datetime | None = None,
    on_progress: Progress = lambda finished, total: None,  # noqa: ARG005
) -> list[WayReport]:
    """Ask each way of each source for its first list, and store nothing.

    Args:
        newsroom: whose mirrors and network rules hold.
        sources: to ask.
        now: aware; by default the present.
        on_progress: called at the end of each way.

    Returns:
        A report for each way, in the order of the rows.

    Raises:
        Busy: another process crawls for this newsletter.
    """
    now = now or datetime.now(UTC)
    probes: dict[str, tuple[Source, str]] = {}
    single_ways: list[Source] = []
    for source in sources:
        for way in source.ways or ("",):
            probe_id = f"way-{len(probes) + 1}"
            probes[probe_id] = (source, way)
            only = {"id": probe_id, "ways": (way,) if way else (), "max_pages": 1, "full_text": "mirror"}
            single_ways.append(source.model_copy(update=only))
    batches: dict[str, list[Batch]] = {probe_id: [] for probe_id in probes}
    count = _counting(len(probes), on_progress)

    def take(batch: Batch) -> None:
        batches[batch.source].append(batch)
        count(batch)

    with only_one(newsroom.home.var / "crawl.lock", "crawling", now):
        saved_ids = {probe_id: source.id for probe_id, (source, _) in probes.items()}
        _run_spiders(newsroom.home, single_ways, {}, now, take, overrides={"ITEM_PIPELINES": {}}, saved_ids=saved_ids)
    return [_way_report(source, way, batches[probe_id]) for probe_id, (source, way) in probes.items()]


def _way_report(source: Source, way: str, batches: Sequence[Batch]) -> WayReport:
    problems = [problem for batch in batches for problem in batch.problems if problem.fails_source]
    stopped = None if any(batch.finished for batch in batches) else _NOT_BEGUN
    failed = problems[0].failure if problems else stopped
    return WayReport(source.id, way, sum(len(batch.items) for batch in batches), failed)


def check_links(newsroom: Newsroom, urls: Sequence[str], *, now: datetime | None = None) -> list[LinkCheck]:
    """Open addresses that issues link, and store the state of each; an address passes the same guards as a source.

    An article that the store has is stored again, so that its new title and text are found; no other page is stored.

    Args:
        newsroom: whose store gets the states.
        urls: to open; an invalid one is left out.
        now: aware; by default the present.

    Returns:
        The state of each address that was opened.
    """
    now = now or datetime.now(UTC)
    links: dict[str, Source] = {}
    for url in dict.fromkeys(urls):
        with suppress(ValidationError):
            links[url] = Source(id=f"visited-{len(links) + 1}", kind="web", name="visited", url=url)
    states = []
    for url, batches in _fetch(newsroom.home, links, now).items():
        states.append(_link_state(url, batches, newsroom.rules, now))
        items = [item for batch in batches for item in batch.items]
        keys = {key for item in items for key in normalise(item, ADDED, newsroom.house.rules).keys}
        with newsroom.store.reading() as tx:
            is_stored = any(tx.articles.find_holders(keys).values()) if keys else False
        if is_stored:
            _store_target(newsroom.house, url, batches, "", now)
    with newsroom.store.transaction() as tx:
        tx.snapshots.save_link_checks(states)
    return states


def _link_state(url: str, batches: Sequence[Batch], rules: Rules, now: datetime) -> LinkCheck:
    """The state of an address: gone or moved only where the reply says so.

    Args:
        url: that an issue links.
        batches: of the address.
        rules: for canonical URLs.
        now: aware.
    """
    problems = [problem for batch in batches for problem in batch.problems]
    items = [item for batch in batches for item in batch.items]
    for problem in problems:
        if problem.error == "Gone" or (problem.error == "FetchFailed" and _is_dead(problem.detail)):
            return LinkCheck(url, now, "gone", problem.failure.to_json())
    if len(items) == 1:
        linked, fetched = canonicalise(url, rules), canonicalise(items[0].url, rules)
        if not set(linked.keys) & set(fetched.keys) and linked.part_of != fetched.url:
            return LinkCheck(url, now, "moved", fetched.url)
        return LinkCheck(url, now, "there")
    return LinkCheck(url, now, "unknown", problems[0].failure.to_json() if problems else "")


def _is_dead(detail: Detail) -> bool:
    """Whether a failed request means that the page is gone, or its host."""
    return detail.code == "no-address" or detail.values.get("status") in (404, 410)


def read_list(path: Path) -> tuple[tuple[RawItem, ...], tuple[Problem, ...]]:
    """Read a list of items (.jsonl), as `add` takes it, without storing it.

    Returns:
        The items, and a problem for each line that is no item.

    Raises:
        CrawlError: the file is no list of items.
    """
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise SourceMisconfigured("no-list", url=str(path), remedy="give-list")
    batch = read_saved(path)
    return batch.items, batch.problems


def misconfigured(registry: Registry) -> list[SourceReport]:
    """A report for each row of sources.toml that cannot work, with all its mistakes."""
    details_of: dict[str, list[Detail]] = {}
    for mistake in registry.mistakes:
        if mistake.source:
            detail = mistake.detail
            if mistake.field:
                detail = Detail.of("field", name=mistake.field, reason=detail)
            details_of.setdefault(mistake.source, []).append(detail)
    return [
        SourceReport(source, failed=Failure("SourceMisconfigured", Detail.of("mistakes", mistakes=details)))
        for source, details in details_of.items()
    ]


def _is_address(target: str) -> bool:
    return re.match(r"https?://", target, re.IGNORECASE) is not None


def _fetch(home: Home, targets: Mapping[str, Source], now: datetime) -> dict[str, list[Batch]]:
    """Fetch addresses; nothing is stored yet.

    Args:
        home: of the newsletter.
        targets: a source for each address.
        now: aware.

    Returns:
        The batches of each address.
    """
    if not targets:
        return {}
    batches: dict[str, list[Batch]] = {source.id: [] for source in targets.values()}
    _run_spiders(
        home,
        list(targets.values()),
        {},
        now,
        lambda batch: batches[batch.source].append(batch),
        overrides={"ITEM_PIPELINES": {}},
    )
    return {target: batches[source.id] for target, source in targets.items()}


def _store_target(
    newsroom: Newsroom, target: str, fetched: list[Batch] | None, url: str, now: datetime
) -> SourceReport:
    """Store the items of one target.

    Args:
        newsroom: whose store gets the items.
        target: an address, or the path of a file.
        fetched: the batches of an address; None for a file.
        url: the address of a saved page; may be empty.
        now: aware.
    """
    began = time.monotonic()
    try:
        batches = [read_saved(Path(target), url)] if fetched is None else fetched
    except Exception as error:  # an unreadable file must not stop the other targets
        return SourceReport(target, failed=_reason(error))
    result = SourceResult()
    for batch in _chunks(batches):
        ingested = ingest(newsroom.store, batch, ADDED, newsroom.rules, now, run=result.run)
        result = replace(
            result,
            run=ingested.run,
            new=result.new + ingested.new,
            seen=result.seen + ingested.seen,
            updated=result.updated + ingested.updated,
            problems=(*result.problems, *ingested.problems),
            failure=ingested.failure,
            finished=True,
        )
    report = _report(target, replace(result, seconds=time.monotonic() - began))
    bad = [problem.detail for problem in result.problems if problem.error in ("BadLine", "NoArticle")]
    if report.failed is None and bad:
        return replace(report, failed=Failure("", Detail.of("unreadable-items", count=len(bad), first=bad[:5])))
    if report.failed is None and report.new + report.seen + report.updated == 0:
        return replace(report, failed=Failure("", Detail.of("nothing-to-take")))
    return report


def _chunks(batches: Iterable[Batch]) -> Iterable[Batch]:
    """Divide the items into batches of `_BATCH`, each stored in one transaction; only the last is finished."""
    items = [item for batch in batches for item in batch.items]
    problems = tuple(problem for batch in batches for problem in batch.problems)
    starts = range(0, max(len(items), 1), _BATCH)
    for start in starts:
        last = start == starts[-1]
        yield Batch(ADDED.id, tuple(items[start : start + _BATCH]), problems if last else (), finished=last)


def _reason(error: Exception) -> Failure:
    if isinstance(error, FileNotFoundError):
        return Failure("", Detail.of("no-file-no-address"))
    if isinstance(error, CrawlError):
        return error.failure
    return Failure("NoArticle", detail_of(error))


def _report(identifier: str, result: SourceResult) -> SourceReport:
    stopped = None if result.finished else _NOT_BEGUN
    return SourceReport(
        identifier,
        new=result.new,
        seen=result.seen,
        updated=result.updated,
        failed=result.failure or stopped,
        seconds=result.seconds,
        warnings=tuple(describe_problem(problem) for problem in result.problems if not problem.fails_source),
    )


def _to_line(failure: Failure) -> str:
    """The failure in one line: the name of the error's class, the sentence in English."""
    sentence = describe_failure(replace(failure, error="", remedy=failure.remedy or Detail.of(failure.error)), "en")
    return f"{failure.error}: {sentence}" if failure.error else sentence


def _counting(total: int, on_progress: Progress) -> Callable[[Batch], None]:
    """A function that reports progress at the last batch of each source."""
    finished = 0

    def count(batch: Batch) -> None:
        nonlocal finished
        if batch.finished:
            finished += 1
            on_progress(finished, total)

    return count


def _run_spiders(
    home: Home,
    sources: Sequence[Source],
    states: Mapping[str, SourceState],
    now: datetime,
    on_batch: Callable[[Batch], None],
    *,
    overrides: Mapping[str, Any] | None = None,
    saved_ids: Mapping[str, str] | None = None,
) -> list[Crawler]:
    """Run one spider for each kind among the sources, all at once, to their end.

    Args:
        home: of the newsletter.
        sources: to crawl.
        states: of sources that were crawled before, by id.
        now: aware; the start of the crawl.
        on_batch: called with each batch.
        overrides: settings of Scrapy.
        saved_ids: by the id of a source, the id under which its pages are saved; by default the same.

    Returns:
        The crawlers, closed, with their pipelines.

    Raises:
        RuntimeError: this process has crawled before.
    """
    if not sources:
        return []
    if not _once.acquire(blocking=False):
        raise RuntimeError("a process crawls once: start another one")
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    ours = {"JIANBAO_HOME": str(home.path), "LOG_INSTALL_ROOT_HANDLER": False, **(overrides or {})}
    settings.setdict(ours, priority="cmdline")
    assert_safe(settings)
    process = AsyncCrawlerProcess(settings)
    logging.getLogger("scrapy").setLevel(settings["LOG_LEVEL"])
    crawlers, tasks = [], []

    def read_pages(source_id: str) -> Batch:
        return read_folder(home, (saved_ids or {}).get(source_id, source_id))

    for kind in KINDS:
        if of_kind := [source for source in sources if source.kind == kind]:
            crawler = process.create_crawler(kind)
            crawler.signals.connect(_only_batches(on_batch), signals.item_scraped, weak=False)
            tasks.append(process.crawl(crawler, sources=of_kind, states=states, now=now, read_saved=read_pages))
            crawlers.append(crawler)
    gc.freeze()  # what is loaded stays: no search for garbage has to go through it again
    process.start()
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
    return crawlers


def _only_batches(on_batch: Callable[[Batch], None]) -> Callable[[object], None]:
    def scraped(item: object) -> None:
        if isinstance(item, Batch):
            on_batch(item)

    return scraped
