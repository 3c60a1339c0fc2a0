"""What starts crawls: of sources, and of whatever somebody adds by hand."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler.errors import SourceMisconfigured
from crawler.home import Home
from crawler.items import Batch, Problem, RawItem, SourceState
from crawler.kinds import KINDS
from crawler.saved import read_saved
from crawler.settings import assert_safe
from crawler.sources import Registry, Source
from pipelines.model import Heard
from pipelines.newsroom import Newsroom
from pipelines.newsroom.bridge import Bridge, SourceResult
from pipelines.newsroom.locks import only_one
from pipelines.newsroom.run import ingest
from pipelines.normalise import normalise
from pipelines.normalise.url import canonicalise
from pipelines.rules import Rules

Progress = Callable[[int, int], None]
"""Told how many of how many sources are done."""

ADDED: Final = Source.model_construct(id="added", kind="web", name="")
"""The source of what somebody adds by hand. The registry does not have it, and nobody would print its name."""

_BATCH: Final = 500
"""Items of a long list that are stored in one transaction."""

_NOT_BEGUN: Final = "没有抓完就停下了"

_once: Final = threading.Lock()
"""Taken by the first crawl of the process and never given back: Twisted's reactor runs once."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a source, or something added by hand, gave.

    Args:
        id: the source's; for something added, the address or the file.
        new, seen, updated: items.
        failed: why it failed; None when it did not.
        seconds: from the start of the crawl to the source's end.
        warnings: what is worth a look all the same: pages that are gone, records that were not understood.
    """

    id: str
    new: int = 0
    seen: int = 0
    updated: int = 0
    failed: str | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The row of `crawl --json` and `add --json`."""
        return {
            "id": self.id,
            "new": self.new,
            "seen": self.seen,
            "updated": self.updated,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
        }


def crawl(
    newsroom: Newsroom,
    sources: Sequence[Source],
    *,
    now: datetime | None = None,
    on_progress: Progress = lambda done, total: None,  # noqa: ARG005
) -> list[SourceReport]:
    """Crawl sources in this process, each kind by its spider, and store what they give. A process crawls once.

    Args:
        now: aware; when the crawl begins.

    Returns:
        A report for each source, in the order given.

    Raises:
        Busy: another process crawls for this newsletter.
        StoreError: the database cannot be used; nothing was fetched.
    """
    now = now or datetime.now(UTC)
    with only_one(newsroom.home.var / "crawl.lock", "抓取", now):
        with newsroom.store.reading() as tx:
            states = tx.sources.get_states(source.id for source in sources)
        crawlers = _run_spiders(newsroom.home, sources, states, now, _counting(len(sources), on_progress))
    results: dict[str, SourceResult] = {}
    for crawler in crawlers:
        if bridge := crawler.get_item_pipeline(Bridge):
            results |= bridge.results
    return [_report(source.id, results.get(source.id, SourceResult())) for source in sources]


def add(
    newsroom: Newsroom, targets: Sequence[str], *, url: str | None = None, now: datetime | None = None
) -> list[SourceReport]:
    """Take in addresses, saved pages and lists of items (.jsonl). An address passes the same guards as a source.

    Args:
        url: where a saved page came from.
        now: aware.

    Returns:
        A report for each target, in the order given; what one of them lacks does not stop the others.
    """
    now = now or datetime.now(UTC)
    wanted: dict[str, Source] = {}
    failed: dict[str, str] = {}
    for target in targets:
        try:
            if _is_address(target):
                wanted[target] = Source(id=f"added-{len(wanted) + 1}", kind="web", name="added", url=target)
        except ValidationError:
            failed[target] = "不是可用的网址"
    fetched = _fetch(newsroom.home, wanted, now)
    return [
        SourceReport(target, failed=failed[target])
        if target in failed
        else _take(newsroom, target, fetched.get(target), url or "", now)
        for target in dict.fromkeys(targets)
    ]


def visit(newsroom: Newsroom, urls: Sequence[str], *, now: datetime | None = None) -> list[Heard]:
    """Open addresses that issues link, and note what was heard of each; an address passes the same guards as a source.

    An article that the store has is taken in again, so that a new wording shows; nothing else is stored of a page.

    Args:
        now: aware.
    """
    now = now or datetime.now(UTC)
    wanted: dict[str, Source] = {}
    for url in dict.fromkeys(urls):
        with suppress(ValidationError):
            wanted[url] = Source(id=f"visited-{len(wanted) + 1}", kind="web", name="visited", url=url)
    heard = []
    for url, batches in _fetch(newsroom.home, wanted, now).items():
        heard.append(_heard(url, batches, newsroom.rules, now))
        items = [item for batch in batches for item in batch.items]
        keys = {key for item in items for key in normalise(item, ADDED, newsroom.rules).keys}
        with newsroom.store.reading() as tx:
            known = any(tx.articles.find_holders(keys).values()) if keys else False
        if known:
            _take(newsroom, url, batches, "", now)
    with newsroom.store.transaction() as tx:
        tx.snapshots.save_answers(heard)
    return heard


def _heard(url: str, batches: Sequence[Batch], rules: Rules, now: datetime) -> Heard:
    """What a visit tells of an address: only what says that it is no more, or elsewhere, counts against it."""
    problems = [problem for batch in batches for problem in batch.problems]
    items = [item for batch in batches for item in batch.items]
    for problem in problems:
        if problem.error == "Gone" or (problem.error == "FetchFailed" and _DEAD.search(problem.detail)):
            return Heard(url, now, "gone", problem.detail)
    if len(items) == 1:
        asked, found = canonicalise(url, rules), canonicalise(items[0].url, rules)
        if not set(asked.keys) & set(found.keys) and asked.part_of != found.url:
            return Heard(url, now, "moved", found.url)
        return Heard(url, now, "there")
    return Heard(url, now, "unknown", problems[0].detail if problems else "")


_DEAD: Final = re.compile(r"HTTP (?:404|410)\b|DNS|no address|not found", re.IGNORECASE)


def read_list(path: Path) -> tuple[tuple[RawItem, ...], tuple[str, ...]]:
    """Read a list of items (.jsonl), as `add` takes it, without storing it.

    Returns:
        The items, and for each line that is none why.

    Raises:
        CrawlError: the file is no list of items.
    """
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise SourceMisconfigured("not a list of items", url=str(path), remedy="give a .jsonl file, an item a line")
    batch = read_saved(path)
    return batch.items, tuple(f"{path.name}: {problem.detail}" for problem in batch.problems)


def misconfigured(registry: Registry) -> list[SourceReport]:
    """A report for each row of sources.toml that cannot work, with all that is wrong with it."""
    wrong: dict[str, list[str]] = {}
    for mistake in registry.mistakes:
        if mistake.source:
            wrong.setdefault(mistake.source, []).append(f"{mistake.field}: {mistake.detail}".removeprefix(": "))
    return [SourceReport(source, failed="; ".join(details)) for source, details in wrong.items()]


def _is_address(target: str) -> bool:
    return re.match(r"https?://", target, re.IGNORECASE) is not None


def _fetch(home: Home, wanted: Mapping[str, Source], now: datetime) -> dict[str, list[Batch]]:
    """The batches that each address gives; nothing is stored yet."""
    if not wanted:
        return {}
    batches: dict[str, list[Batch]] = {source.id: [] for source in wanted.values()}
    _run_spiders(
        home,
        list(wanted.values()),
        {},
        now,
        lambda batch: batches[batch.source].append(batch),
        overrides={"ITEM_PIPELINES": {}},
    )
    return {target: batches[source.id] for target, source in wanted.items()}


def _take(newsroom: Newsroom, target: str, fetched: list[Batch] | None, url: str, now: datetime) -> SourceReport:
    """Store what one target gave."""
    began = time.monotonic()
    try:
        batches = [read_saved(Path(target), url)] if fetched is None else fetched
    except Exception as error:  # whatever is wrong with one file, the other targets go on
        return SourceReport(target, failed=_reason(error))
    result = SourceResult()
    for batch in _chunks(batches):
        given = ingest(newsroom.store, batch, ADDED, newsroom.rules, now, run=result.run)
        result = replace(
            result,
            run=given.run,
            new=result.new + given.new,
            seen=result.seen + given.seen,
            updated=result.updated + given.updated,
            problems=(*result.problems, *given.problems),
            failure=given.failure,
            finished=True,
        )
    report = _report(target, replace(result, seconds=time.monotonic() - began))
    bad = [problem.detail for problem in result.problems if problem.error in ("BadLine", "NoArticle")]
    if report.failed is None and bad:
        return replace(report, failed=f"{len(bad)} 条读不了：{'；'.join(bad[:5])}")
    if report.failed is None and report.new + report.seen + report.updated == 0:
        return replace(report, failed="那里没有可收的内容")
    return report


def _chunks(batches: Iterable[Batch]) -> Iterable[Batch]:
    """The same items in batches of a size to be stored at once; only the very last one is finished."""
    items = [item for batch in batches for item in batch.items]
    problems = tuple(problem for batch in batches for problem in batch.problems)
    starts = range(0, max(len(items), 1), _BATCH)
    for start in starts:
        last = start == starts[-1]
        yield Batch(ADDED.id, tuple(items[start : start + _BATCH]), problems if last else (), finished=last)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "没有这个文件；网址要以 http:// 或 https:// 开头"
    return f"{type(error).__name__}: {error}"


def _report(identifier: str, result: SourceResult) -> SourceReport:
    stopped = None if result.finished else _NOT_BEGUN
    return SourceReport(
        identifier,
        new=result.new,
        seen=result.seen,
        updated=result.updated,
        failed=result.failure or stopped,
        seconds=result.seconds,
        warnings=tuple(_words(problem) for problem in result.problems if not problem.fails_source),
    )


def _words(problem: Problem) -> str:
    name = "" if problem.error == "Warning" else f"{problem.error}: "
    return f"{name}{problem.detail} {problem.url}".strip()


def _counting(total: int, on_progress: Progress) -> Callable[[Batch], None]:
    """Tells how many sources are done, as their last batches come."""
    done = 0

    def count(batch: Batch) -> None:
        nonlocal done
        if batch.finished:
            done += 1
            on_progress(done, total)

    return count


def _run_spiders(
    home: Home,
    sources: Sequence[Source],
    states: Mapping[str, SourceState],
    now: datetime,
    on_batch: Callable[[Batch], None],
    *,
    overrides: Mapping[str, Any] | None = None,
) -> list[Crawler]:
    """Run one spider for each kind among the sources, all at once, to their end.

    Returns:
        The crawlers, closed, with what their pipelines know.

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
    for kind in KINDS:
        if mine := [source for source in sources if source.kind == kind]:
            crawler = process.create_crawler(kind)
            crawler.signals.connect(_only_batches(on_batch), signals.item_scraped, weak=False)
            tasks.append(process.crawl(crawler, sources=mine, states=states, now=now))
            crawlers.append(crawler)
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
