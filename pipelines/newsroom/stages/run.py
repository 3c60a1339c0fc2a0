"""Runs the stages in order: first the stages of an article, then the stages of a story."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from time import monotonic, sleep
from typing import Final, NamedTuple

from crawler.errors import Failure
from crawler.items import Batch, Problem
from crawler.sources.schema import Source
from pipelines.deduplicate.entries import ListedEntry
from pipelines.deduplicate.events import EventLink
from pipelines.group.candidates import GroupRules
from pipelines.model import Article
from pipelines.newsroom.locks import take_turn
from pipelines.newsroom.stages.arrivals import Arrival, Delivery, Ingested, save_items
from pipelines.newsroom.stages.following import follow_house
from pipelines.newsroom.stages.regroup import (
    Features,
    find_links,
    find_version,
    index_articles,
    read_features,
    remake_stories,
    replace_links,
)
from pipelines.newsroom.stages.relearning import retrain, with_model
from pipelines.newsroom.stages.rereading import (
    ReadAgain,
    ReadingRules,
    SourceTable,
    list_entries,
    read_again,
    read_stored,
)
from pipelines.newsroom.stages.shards import Shards, StartShards, open_shards
from pipelines.rules import Rules
from pipelines.store import Store, Transaction
from pipelines.store.raw import RawOutcome
from pipelines.store.runs import Run, RunPart

GROUPED_AT_ONCE: Final = 200
"""Articles whose stories are made in one transaction, some tenths of a second; an editor who decides meanwhile waits
for its end."""

KEYED_AT_ONCE: Final = 500
"""Articles whose keys are stored in one transaction, some tenths of a second. Their keys lie on all pages of a month:
the more of them are written at once, the fewer pages are written twice."""

LINKED_AT_ONCE: Final = 500
"""Articles whose links are stored in one transaction."""

INDEXED_AT_ONCE: Final = 10_000
"""Articles that are indexed before their stories are made. A story with its neighbours is made once for all of them:
if each batch made it again, a day of many articles on one event would cost the square of their number."""

READ_AT_ONCE: Final = 500
"""Raw items of a shard of a rebuild."""

LONGEST_WRITING: Final = 0.25
PAUSE: Final = 0.02
"""Seconds of writing, and of the pause after them in which others write: a writer that waits asks every hundredth."""


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


def ingest(
    store: Store, batch: Batch, source: Source, rules: Rules, now: datetime, *, run: int | None = None
) -> Ingested:
    """Ingest one batch, as `ingest_together` does several.

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
    (ingested,) = ingest_together(store, [Delivery(batch, source, run)], rules, now)
    return ingested


def ingest_together(store: Store, deliveries: Sequence[Delivery], rules: Rules, now: datetime) -> list[Ingested]:
    """Ingest batches of several sources: normalise, references, identity, store.

    They are one transaction; the last batch of a run also moves the source's state in it. So an item that was not
    committed is requested again, and an item that is ingested twice changes nothing. An item without an article is
    stored with the reason, and the other items go on.

    Args:
        store: the newsroom's.
        deliveries: of different sources, in order.
        rules: the tables of data/rules.
        now: aware; when the batches came.

    Returns:
        The outcome of each delivery.

    Raises:
        StoreError: nothing of the batches was written.
    """
    arrivals = [Arrival.of(delivery) for delivery in deliveries]
    items = {digest: item for arrival in arrivals for digest, item in arrival.items.items()}
    with store.reading() as tx:
        stored = tx.raw.find_stored(items)
        policies = tx.sources.find_guid_policies(arrival.source.id for arrival in arrivals)
    for arrival in arrivals:
        arrival.read(stored, policies.get(arrival.source.id), rules)
    with store.transaction() as tx:
        runs = [
            _begin_run(tx, delivery.source, now) if delivery.run is None else delivery.run for delivery in deliveries
        ]
        saved = save_items(
            tx, items, {digest: result for arrival in arrivals for digest, result in arrival.results.items()}
        )
        parts = [arrival.make_part(run, saved) for run, arrival in zip(runs, arrivals, strict=True)]
        failures = tx.runs.add(parts)
        for arrival, part in zip(arrivals, parts, strict=True):
            arrival.record(tx, part.run, saved, failures[part.run], now)
    return [arrival.describe(part, failures[part.run]) for arrival, part in zip(arrivals, parts, strict=True)]


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
            run_ids[source.id] = _begin_run(tx, source, now)
        return run_ids


def _begin_run(tx: Transaction, source: Source, now: datetime) -> int:
    tx.sources.record_start(source.id, source.kind, source.name, now)
    return tx.runs.start(source.id, now)


def end_run(store: Store, run: Run, failure: Failure, now: datetime) -> None:
    """End a run whose process died, with a failure of its source.

    Args:
        store: the newsroom's.
        run: not finished.
        failure: why.
        now: aware.
    """
    with store.transaction() as tx:
        first_failure = tx.runs.add([RunPart(run.id, failure=failure)])[run.id]
        tx.runs.finish(run.id, now)
        tx.sources.record_end(run.source, now, first_failure, None)


def rebuild(
    store: Store,
    sources: Mapping[str, Source],
    rules: Rules,
    progress: Callable[[int, int], None] = lambda count, total: None,  # noqa: ARG005
    *,
    processes: int = 1,
    start: StartShards = Shards,
) -> Rebuilt:
    """Make every article again from the raw items, in the order in which they came.

    Article ids stay, because each raw item stores the id of its article. Decisions and issues stay as they are. All
    articles have to be grouped afterwards.

    The articles are made beside the store, and written in short transactions: others write meanwhile, and what they
    write is made again too. A rebuild that is cut off may be begun anew; until then some articles are as the present
    rules make them.

    Args:
        store: the newsroom's.
        sources: by id; for a source that left the registry, the store's record of it serves.
        rules: the tables of data/rules.
        progress: called with the number of raw items read and articles written so far, and their total.
        processes: so many read raw items; their number changes nothing of what is made.
        start: who reads raw items, if they are many: these processes, or other workers too.

    Raises:
        ShardDied: an item kills each process that reads it.
    """
    table = SourceTable(sources)
    count, problems = 0, list[Problem]()

    def note(read: Sequence[ReadAgain]) -> list[tuple[RawOutcome, Article | str]]:
        nonlocal count
        count += len(read)
        problems.extend(result for _, result in read if isinstance(result, Problem))
        return [(raw, str(result.detail) if isinstance(result, Problem) else result) for raw, result in read]

    with store.reading() as tx:
        last_id = tx.raw.find_last_id()
        table.read(tx)
    reading_rules = ReadingRules(rules, table.sources)
    with store.rebuilding() as rebuilding, open_shards(store, reading_rules, processes, last_id, start) as shards:
        ranges = [(first, min(first + READ_AT_ONCE - 1, last_id)) for first in range(1, last_id + 1, READ_AT_ONCE)]
        entries = list(shards.map(list_entries, ranges))
        with store.reading() as tx:
            table.learn(tx, chain.from_iterable(entries))
        total = sum(map(len, entries))
        facts = [table.find_facts({source for source, *_ in listed}) for listed in entries]
        del entries
        shard_arguments = ((*ids, of_sources) for ids, of_sources in zip(ranges, facts, strict=True))
        for read in shards.map(read_stored, shard_arguments):
            rebuilding.take(note(read))
            progress(count, max(count, total))

        def take_later(tx: Transaction) -> bool:
            """Take the next raw items that others have stored since."""
            raws = tx.raw.list_after(rebuilding.last_raw_id, READ_AT_ONCE)
            if not raws:
                return False
            table.learn(tx, ((raw.source, raw.item.fetched_at, ListedEntry.of(raw.item)) for raw in raws))
            facts = table.find_facts({raw.source for raw in raws})
            rebuilding.take(note(read_again(raws, facts, ReadingRules(rules, table.sources))))
            return True

        with store.reading() as tx:
            while take_later(tx):
                progress(count, max(count, total))
            rebuilding.find_former(tx)
        rested_at = monotonic()
        is_writing = True
        while is_writing:
            with store.transaction() as tx:
                while take_later(tx):
                    pass
                is_writing = rebuilding.write(tx)
            total = count + rebuilding.article_count
            progress(total - rebuilding.unwritten_count, total)
            rested_at = _let_others_write(rested_at)
        return Rebuilt(count, rebuilding.article_count, tuple(problems))


def group(
    store: Store,
    rules: GroupRules,
    progress: Callable[[int, int], None] = lambda count, total: None,  # noqa: ARG005
    *,
    lock: Path | None = None,
    processes: int = 1,
    start: StartShards = Shards,
) -> Grouped:
    """Run the final stage on new and changed articles: stories, categories, relevance, candidates.

    The cost follows the new articles, not the store: only stories that a new article can touch are made again. When
    enough was printed or decided since the last training, a model is trained anew, and every open story is graded anew.

    A further newsletter makes no stories: it grades those of its house; see `follow_house`.

    Args:
        store: the newsroom's.
        rules: of the newsletter and its sources.
        progress: called with the number of articles grouped so far, and their total.
        lock: a file that a process locks while it trains, so that no two processes train at once; None locks nothing.
        processes: so many read articles and compare them, if many are fresh; their number changes nothing of what is
            made.
        start: who reads and compares them: these processes, or other workers too.

    Raises:
        ShardDied: articles kill each process that reads them.
    """
    if store.is_of_newsletter:
        articles, stories = follow_house(store, rules, progress)
    else:
        articles, stories = _group_fresh(store, rules, progress, processes, start)
    with take_turn(lock) if lock else nullcontext():
        return Grouped(articles, stories, retrain(store, rules))


def _group_fresh(
    store: Store, rules: GroupRules, progress: Callable[[int, int], None], processes: int, start: StartShards
) -> tuple[int, int]:
    """Make the stories of new and changed articles; arguments as `group` has them.

    Returns:
        The numbers of articles and stories.
    """
    with store.reading() as tx:
        rules = with_model(tx, rules)
        total = len(tx.articles.list_fresh())
    articles = stories = 0
    rested_at = monotonic()
    with open_shards(store, rules, processes, total, start) as shards:
        while True:
            with store.reading() as tx:
                fresh_ids = tx.articles.list_fresh(INDEXED_AT_ONCE)
            if not fresh_ids:
                break
            new_ids, unlinked_ids = set(fresh_ids), set[int]()
            versions: dict[int, int] = {}
            for features in shards.map(read_fresh, ((batch,) for batch in _split(fresh_ids, KEYED_AT_ONCE))):
                rested_at = _let_others_write(rested_at)
                with store.transaction() as tx:
                    indexed = _index_batch(tx, features)
                versions = indexed.versions | versions
                unlinked_ids |= indexed.unlinked_ids
                progress(articles, max(articles, total))
            batches = _split(sorted(unlinked_ids), LINKED_AT_ONCE)
            link_shards = ((batch, unlinked_ids) for batch in batches)
            for batch, (version, links) in zip(batches, shards.map(find_links_of_fresh, link_shards), strict=True):
                rested_at = _let_others_write(rested_at)
                with store.transaction() as tx:
                    is_valid = tx.events.get_version() == version
                    valid_links = links if is_valid else find_links(tx, batch, unlinked_ids, rules)
                    partner_ids = replace_links(tx, batch, valid_links, unlinked_ids)
                    versions |= _mark_fresh(tx, partner_ids - versions.keys())
                progress(articles, max(articles, total))
            remade_ids: set[int] = set()
            waiting = iter(sorted(versions))
            while batch := list(islice((each for each in waiting if each not in remade_ids), GROUPED_AT_ONCE)):
                rested_at = _let_others_write(rested_at)
                with store.transaction() as tx:
                    remade = remake_stories(tx, batch, versions.keys(), rules)
                    same = [
                        article_id
                        for article_id, stored in remade.items()
                        if article_id in versions and find_version(stored) == versions[article_id]
                    ]
                    tx.articles.mark_grouped(same)
                    grouped = new_ids & remade.keys()
                    stories += len({story.id for story in tx.stories.find_by_articles(grouped).values()})
                remade_ids |= remade.keys()
                articles += len(grouped)
                progress(articles, max(articles, total))
    return articles, stories


def _split(article_ids: Sequence[int], size: int) -> list[Sequence[int]]:
    return [article_ids[start : start + size] for start in range(0, len(article_ids), size)]


class _IndexedBatch(NamedTuple):
    """Articles that were indexed, and those that depend on them.

    Args:
        versions: of all of them, by article id.
        unlinked_ids: of those whose links have to be found again.
    """

    versions: dict[int, int]
    unlinked_ids: set[int]


def read_fresh(store: Store, rules: GroupRules, article_ids: Sequence[int]) -> dict[int, Features]:
    """Read articles, and what the store finds them by. A shard of a grouping."""
    with store.reading() as tx:
        articles = tx.articles.get(article_ids)
    return read_features(articles, rules)


def find_links_of_fresh(
    store: Store, rules: GroupRules, article_ids: Sequence[int], unlinked_ids: set[int]
) -> tuple[int, tuple[EventLink, ...]]:
    """Find the links of articles, with the version of the index by which they were found. A shard of a grouping."""
    with store.reading() as tx:
        return tx.events.get_version(), find_links(tx, article_ids, unlinked_ids, rules)


def _index_batch(tx: Transaction, features: Mapping[int, Features]) -> _IndexedBatch:
    """Index new and changed articles, before their links are found and their stories are made.

    Articles whose stories depend on them become fresh too: if the process dies before their stories are made, the next
    call makes them. One that is fresh already changed by itself, and its own turn comes.

    Args:
        tx: open for writing.
        features: of the articles as they were a moment ago, by id. One that changed since has another version when its
            story is made, and is indexed again; one that joined another article is left out.
    """
    fresh_ids = tx.articles.find_fresh(features)
    fresh = {article_id: of_article for article_id, of_article in features.items() if article_id in fresh_ids}
    indexed = index_articles(tx, fresh)
    versions = {article_id: of_article.version for article_id, of_article in fresh.items()}
    return _IndexedBatch(versions | _mark_fresh(tx, indexed.changed_ids - fresh.keys()), indexed.unlinked_ids)


def _mark_fresh(tx: Transaction, article_ids: Set[int]) -> dict[int, int]:
    """Have the stories of articles made again; of those that were fresh already, the own turn comes.

    Returns:
        The versions of the others, by article id.
    """
    grouped_ids = article_ids - tx.articles.find_fresh(article_ids)
    tx.articles.mark_fresh(grouped_ids)
    return {article_id: find_version(stored) for article_id, stored in tx.articles.get(grouped_ids).items()}


def _let_others_write(rested_at: float) -> float:
    """Pause after a quarter of a second of writing, so that an editor's action does not wait for many transactions.

    A writer that waits for SQLite asks every hundredth of a second; the moment between two transactions is shorter.

    Args:
        rested_at: the last pause, in seconds of the monotonic clock.

    Returns:
        The last pause, which may be this one.
    """
    if monotonic() - rested_at < LONGEST_WRITING:
        return rested_at
    sleep(PAUSE)
    return monotonic()
