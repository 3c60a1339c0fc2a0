"""Runs the stages in order: first the stages of an article, then the stages of a story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from crawler.errors import Detail, Failure, NotUnderstood, detail_of
from crawler.items import WARNING, Batch, Problem, RawItem
from crawler.limits import limit_processor_time
from crawler.sources.schema import Source
from crawler.urls import netloc_of
from pipelines.deduplicate.entries import (
    GuidPolicy,
    KnownEntries,
    Repeats,
    choose_policy,
    find_repeats,
    find_repeats_by_source,
    identify_entry,
    identify_post,
    observe_policy,
)
from pipelines.deduplicate.identity import Outcome
from pipelines.group.candidates import GroupRules
from pipelines.health.history import Trace
from pipelines.model import Article, StoredArticle
from pipelines.newsroom.locks import take_turn
from pipelines.newsroom.regroup import index_articles, remake_stories
from pipelines.newsroom.relearning import retrain, with_model
from pipelines.normalise import normalise
from pipelines.normalise.references import add_references
from pipelines.rules import Rules
from pipelines.store import LONGEST_KEY, Store, Transaction
from pipelines.store.raw import NewRaw, Packed
from pipelines.store.runs import Run
from pipelines.store.sources import SourceRecord

LEFT_ALONE: Final = "left-alone"
"""The fact of a request that was not made, because its host had refused others: the wait is the whole host's."""

LONGEST_READING: Final = 20.0
"""Seconds of processor time for one item; the longest article of real sources takes less than one."""

_DATE_EXAMPLES: Final = 3
"""Dates that a warning quotes."""

GROUPED_AT_ONCE: Final = 100
"""Articles indexed, or whose stories are made, in one transaction, some tenths of a second; an editor who decides
meanwhile waits for its end."""

INDEXED_AT_ONCE: Final = 10_000
"""Articles that are indexed before their stories are made. A story with its neighbours is made once for all of them:
if each batch made it again, a day of many articles on one event would cost the square of their number."""

LONGEST_WRITING: Final = 0.5
PAUSE: Final = 0.12
"""Seconds of writing, and of the pause after them in which others write."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """The outcome of a batch.

    Args:
        run: id of the run that the batch belongs to, for the source's next batch.
        new, updated, seen: numbers of items; an updated item changed a title or a text, or proved two articles one.
        problems: of the batch, and a problem for each item without an article.
        failure: why the run of the source failed so far; None without a failure.
    """

    run: int
    new: int
    updated: int
    seen: int
    problems: tuple[Problem, ...]
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The outcome of a rebuild: numbers of raw items and articles, and a problem for each item without an article."""

    items: int
    articles: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """The outcome of the final stage.

    Args:
        articles: number of articles that were new or changed.
        stories: number of stories that hold these articles.
        learned: whether a model was trained anew on past issues and decisions.
    """

    articles: int
    stories: int
    learned: bool = False


def read(item: RawItem, source: Source, rules: Rules) -> Article:
    """Read one item, before any comparison with others: normalise, then references.

    Args:
        item: as a page function read it.
        source: the item's.
        rules: the tables of data/rules.

    Raises:
        ValueError: no article can be made of the item.
    """
    article = add_references(normalise(item, source, rules), rules)
    if max(map(_size, (article.url, *article.keys))) > LONGEST_KEY:
        raise NotUnderstood("long-key", limit=LONGEST_KEY)
    references = tuple(reference for reference in article.references if _size(reference.key) <= LONGEST_KEY)
    return article if references == article.references else replace(article, references=references)


def ingest(
    store: Store, batch: Batch, source: Source, rules: Rules, now: datetime, *, run: int | None = None
) -> Ingested:
    """Ingest a batch: normalise, references, identity, store.

    The batch is one transaction; the last batch of a run also moves the source's state in it. So an item that was not
    committed is requested again, and an item that is ingested twice changes nothing. An item without an article is
    stored with the reason, and the other items go on.

    Args:
        store: the newsroom's.
        batch: raw items and problems of one source.
        source: the batch's.
        rules: the tables of data/rules.
        now: aware; when the batch came.
        run: id of the source's run, as `begin_runs` or its previous batch returned it; None begins a run.

    Raises:
        StoreError: nothing of the batch was written.
    """
    repeats = find_repeats(batch.items)
    packed = (Packed.of(item, source.id) for item in batch.items)
    items = {item.digest: item for item in packed}
    with store.reading() as tx:
        stored = tx.raw.find_stored(items)
        stored_policy = tx.sources.get_guid_policy(source.id)
    policy = choose_policy(source.guids, stored_policy, repeats)
    read_items = {
        digest: _read_or_explain(item.item, source, rules, repeats, policy)
        for digest, item in items.items()
        if digest not in stored
    }
    problems = (*batch.problems, *(result for result in read_items.values() if isinstance(result, Problem)))
    failing = next((problem for problem in problems if problem.fails_source), None)
    with store.transaction() as tx:
        if run is None:
            tx.sources.record_start(source.id, source.kind, source.name, now)
            run = tx.runs.start(source.id, now)
        counts, entries = _save(tx, items, read_items)
        observed = observe_policy(policy, entries)
        if observed and observed != stored_policy and not source.guids:
            tx.sources.set_guid_policy(source.id, observed)
        counts["seen"] += len(batch.items) - len(items)
        failure = tx.runs.add(
            run,
            new=counts["new"],
            updated=counts["updated"],
            seen=counts["seen"],
            lost=sum(not problem.fails_source for problem in problems),
            failure=failing.failure if failing else None,
        )
        problems = (*problems, *_warn_of_dates(read_items.values()))
        tx.runs.add_evidence(run, batch.answered_by, _list_traces(read_items.values()))
        tx.runs.add_traffic(run, batch.traffic, Counter(problem.error for problem in batch.problems))
        tx.runs.add_warnings(run, (describe_problem(problem) for problem in problems if not problem.fails_source))
        waits = [problem.retry_at for problem in problems if problem.retry_at]
        if waits:
            tx.sources.set_not_before(source.id, max(waits))
        of_hosts = {
            netloc_of(problem.url): problem.retry_at
            for problem in problems
            if problem.retry_at and problem.detail.code == LEFT_ALONE
        }
        tx.hosts.save_waits(of_hosts, now)
        if batch.finished:
            tx.runs.finish(run, now)
            tx.sources.record_end(source.id, now, failure, batch.state)
    return Ingested(run, counts["new"], counts["updated"], counts["seen"], problems, failure)


def describe_problem(problem: Problem) -> Failure:
    """The problem as a warning, with the address that it is about."""
    if not problem.url:
        return problem.failure
    detail = Detail.of("with-address", detail=problem.detail, address=problem.url)
    return replace(problem.failure, detail=detail)


def begin_runs(store: Store, sources: Iterable[Source], now: datetime) -> dict[str, int]:
    """Store the start of a run of each source before anything is requested.

    A run that dies before its first batch leaves this trace, and its source is not due again at once.

    Args:
        store: the newsroom's.
        sources: of the runs.
        now: aware; the start.

    Returns:
        The ids of the runs, by source id.
    """
    with store.transaction() as tx:
        tx.clock.mend(now)
        tx.hosts.forget_waits(now)
        run_ids = {}
        for source in sources:
            tx.sources.record_start(source.id, source.kind, source.name, now)
            run_ids[source.id] = tx.runs.start(source.id, now)
        return run_ids


def end_run(store: Store, run: Run, failure: Failure, now: datetime) -> None:
    """End a run whose process died, with a failure of its source.

    Args:
        store: the newsroom's.
        run: not finished.
        failure: why.
        now: aware.
    """
    with store.transaction() as tx:
        first_failure = tx.runs.add(run.id, new=0, updated=0, seen=0, lost=0, failure=failure)
        tx.runs.finish(run.id, now)
        tx.sources.record_end(run.source, now, first_failure, None)


def rebuild(
    store: Store,
    sources: Mapping[str, Source],
    rules: Rules,
    progress: Callable[[int, int], None] = lambda count, total: None,  # noqa: ARG005
) -> Rebuilt:
    """Make every article again from the raw items, in the order in which they came, in one transaction.

    Article ids stay, because each raw item stores the id of its article. Decisions and issues stay as they are. All
    articles have to be grouped afterwards.

    Args:
        store: the newsroom's.
        sources: by id; for a source that left the registry, the store's record of it serves.
        rules: the tables of data/rules.
        progress: called with the number of raw items read so far, and their total.
    """
    with store.transaction() as tx:
        registry = {record.id: source_of_record(record) for record in tx.sources.list_all().values()} | dict(sources)
        total = tx.raw.count()
        rebuilding = tx.rebuilding()
        problems: list[Problem] = []
        item_count = 0
        repeats = find_repeats_by_source((raw.source, raw.item) for chunk in tx.raw.iterate() for raw in chunk)
        policies = {
            record.id: choose_policy(registry[record.id].guids, record.guids)
            for record in tx.sources.list_all().values()
        }
        for chunk in tx.raw.iterate():
            results = [
                _read_or_explain(raw.item, registry[raw.source], rules, repeats[raw.source], policies[raw.source])
                for raw in chunk
            ]
            rebuilding.take(list(zip(chunk, map(_article_or_reason, results), strict=True)))
            problems += (result for result in results if isinstance(result, Problem))
            item_count += len(chunk)
            progress(item_count, total)
        return Rebuilt(total, rebuilding.finish(), tuple(problems))


def group(
    store: Store,
    rules: GroupRules,
    progress: Callable[[int, int], None] = lambda count, total: None,  # noqa: ARG005
    *,
    lock: Path | None = None,
) -> Grouped:
    """Run the final stage on new and changed articles: stories, categories, relevance, candidates.

    The cost follows the new articles, not the store: only stories that a new article can touch are made again. When
    enough was printed or decided since the last training, a model is trained anew, and every open story is graded anew.

    Args:
        store: the newsroom's.
        rules: of the newsletter and its sources.
        progress: called with the number of articles grouped so far, and their total.
        lock: a file that a process locks while it trains, so that no two processes train at once; None locks nothing.
    """
    with store.reading() as tx:
        rules = with_model(tx, rules)
        total = len(tx.articles.list_fresh())
    articles = stories = 0
    rested_at = monotonic()
    while True:
        fresh_ids: set[int] = set()
        versions: dict[int, int] = {}
        while len(fresh_ids) < INDEXED_AT_ONCE:
            rested_at = _let_others_write(rested_at)
            with store.transaction() as tx:
                batch = tx.articles.list_fresh(GROUPED_AT_ONCE, without=versions)
                versions = _index_batch(tx, batch, rules) | versions
            if not batch:
                break
            fresh_ids |= set(batch)
            progress(articles, max(articles, total))
        if not versions:
            break
        remade_ids: set[int] = set()
        waiting = iter(sorted(versions))
        while batch := list(islice((each for each in waiting if each not in remade_ids), GROUPED_AT_ONCE)):
            rested_at = _let_others_write(rested_at)
            with store.transaction() as tx:
                remade = remake_stories(tx, batch, versions.keys(), rules)
                same = [
                    article_id
                    for article_id, version in _find_versions(remade).items()
                    if version == versions.get(article_id)
                ]
                tx.articles.mark_grouped(same)
                grouped = fresh_ids & remade.keys()
                stories += len({story.id for story in tx.stories.find_by_articles(grouped).values()})
            remade_ids |= remade.keys()
            articles += len(grouped)
            progress(articles, max(articles, total))
    with take_turn(lock) if lock else nullcontext():
        return Grouped(articles, stories, retrain(store, rules))


def _index_batch(tx: Transaction, article_ids: Collection[int], rules: GroupRules) -> dict[int, int]:
    """Index new and changed articles, before their stories are made.

    Articles whose stories depend on them become fresh too: if the process dies before their stories are made, the next
    call makes them. One that is fresh already changed by itself, and its own turn comes.

    Args:
        tx: open for writing.
        article_ids: of the articles.
        rules: how titles and texts are read.

    Returns:
        The versions of all indexed articles, by article id.
    """
    articles = tx.articles.get(article_ids)
    dependent_ids = index_articles(tx, articles, rules) - articles.keys()
    dependent_ids -= tx.articles.find_fresh(dependent_ids)
    tx.articles.mark_fresh(dependent_ids)
    return _find_versions(articles | tx.articles.get(dependent_ids))


def _find_versions(articles: Mapping[int, StoredArticle]) -> dict[int, int]:
    """A number for each article that differs when any part of it has changed, by article id."""
    return {article_id: hash(repr(stored)) for article_id, stored in articles.items()}


def _let_others_write(rested_at: float) -> float:
    """Pause after half a second of writing, so that an editor's action does not wait for one transaction after another.

    A writer that waits for SQLite asks every tenth of a second; the moment between two transactions is shorter.

    Args:
        rested_at: the last pause, in seconds of the monotonic clock.

    Returns:
        The last pause, which may be this one.
    """
    if monotonic() - rested_at < LONGEST_WRITING:
        return rested_at
    sleep(PAUSE)
    return monotonic()


def _read_or_explain(
    item: RawItem, source: Source, rules: Rules, repeats: Repeats, policy: GuidPolicy | None
) -> Article | Problem:
    """Read the article of an item, or say why there is none: one bad item must not stop the others.

    Args:
        item: as a page function read it.
        source: the item's.
        rules: the tables of data/rules.
        repeats: among the entries of the item's reply.
        policy: for the identifiers of the source's feed.
    """
    try:
        with limit_processor_time(LONGEST_READING):
            article = identify_entry(read(item, source, rules), item, repeats, policy)
            return identify_post(article, source)
    except Exception as error:
        return Problem(item.url, "NoArticle", detail_of(error), fails_source=False)


def _save(
    tx: Transaction, items: Mapping[bytes, Packed], read_items: Mapping[bytes, Article | Problem]
) -> tuple[Counter[Outcome], KnownEntries]:
    """Store the new items of a batch, and the new metrics of the stored ones.

    Args:
        tx: open for writing.
        items: all items of the batch, by digest.
        read_items: the article, or the problem, of each item that was new when the batch was read; by digest.

    Returns:
        How many items had which outcome, an item without an article counts nowhere; and how many entries are known.
    """
    stored = tx.raw.find_stored(items)  # once more: another process may have stored some of them since
    new_digests = [digest for digest in read_items if digest not in stored]
    articles = {}
    for digest in new_digests:
        result = read_items[digest]
        if isinstance(result, Article):
            articles[digest] = result
    saved = tx.articles.save(list(articles.values()))
    article_ids = dict(zip(articles, saved.ids, strict=True))
    tx.raw.add(
        [NewRaw(items[digest], article_ids.get(digest), _reason_of(read_items[digest])) for digest in new_digests]
    )
    newer_metrics = tx.raw.update_metrics((raw_id, items[digest].item) for digest, raw_id in stored.items())
    tx.articles.set_metrics(newer_metrics)
    counts = Counter(saved.outcomes)
    counts["seen"] += len(stored)
    stored_entries = sum(bool(items[digest].item.guid) for digest in stored)
    return counts, KnownEntries(
        entries=sum(bool(item.item.guid) for item in items.values()),
        recognised=saved.recognised + stored_entries,
        renamed=saved.renamed,
    )


def _warn_of_dates(results: Iterable[Article | Problem]) -> Iterator[Problem]:
    """A warning for the dates that were read in part, and one for those that could not be read at all."""
    dates = [result.published for result in results if isinstance(result, Article)]
    in_part = [date.raw for date in dates if date.unread and date.raw]
    unreadable = [date.raw for date in dates if date.precision == "first-seen" and date.raw]
    for code, texts in (("dates-read-in-part", in_part), ("dates-unreadable", unreadable)):
        if texts:
            examples = tuple(dict.fromkeys(texts))[:_DATE_EXAMPLES]
            yield Problem("", WARNING, Detail.of(code, count=len(texts), examples=examples), fails_source=False)


def _list_traces(results: Iterable[Article | Problem]) -> list[Trace]:
    """The traces of articles that are new to their source; a date that the page does not give is none."""
    return [
        Trace.of(
            article.url,
            None if article.published.precision == "first-seen" else article.published.at,
            article.text or article.summary,
        )
        for article in results
        if isinstance(article, Article)
    ]


def _article_or_reason(result: Article | Problem) -> Article | str:
    return str(result.detail) if isinstance(result, Problem) else result


def _reason_of(result: Article | Problem) -> str | None:
    return str(result.detail) if isinstance(result, Problem) else None


def source_of_record(record: SourceRecord) -> Source:
    """A source that left the registry, as far as the store remembers it."""
    return Source.model_construct(id=record.id, kind=record.kind, name=record.name)


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
