"""Runs the stages in order: first the stages of an article, then the stages of a story."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from crawler.errors import Failure
from crawler.items import Batch, Problem, RawItem
from crawler.sources.schema import Source
from pipelines.deduplicate.entries import GuidPolicy, Repeats, choose_policy, find_repeats_by_source, merge_repeats
from pipelines.group.candidates import GroupRules
from pipelines.model import Article, StoredArticle
from pipelines.newsroom.arrivals import Arrival, Delivery, Ingested, read_or_explain, save_items
from pipelines.newsroom.following import follow_house
from pipelines.newsroom.locks import take_turn
from pipelines.newsroom.regroup import Features, index_articles, read_features, remake_stories
from pipelines.newsroom.relearning import retrain, with_model
from pipelines.rules import Rules
from pipelines.store import Store, Transaction
from pipelines.store.raw import StoredRaw
from pipelines.store.runs import Run, RunPart
from pipelines.store.sources import SourceRecord

GROUPED_AT_ONCE: Final = 100
"""Articles whose stories are made in one transaction, some tenths of a second; an editor who decides meanwhile waits
for its end."""

KEYED_AT_ONCE: Final = 200
"""Articles whose keys are stored in one transaction, some tenths of a second. Their keys lie all over the tables: the
more of them are written at once, the fewer pages are written twice."""

INDEXED_AT_ONCE: Final = 10_000
"""Articles that are indexed before their stories are made. A story with its neighbours is made once for all of them:
if each batch made it again, a day of many articles on one event would cost the square of their number."""

READ_AT_ONCE: Final = 500
"""Raw items that a rebuild reads at once."""

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
    """
    reader = _RawReader(sources, rules)
    with store.rebuilding() as rebuilding:
        with store.reading() as tx:
            total = tx.raw.count()
            reader.learn(tx, (raw for chunk in tx.raw.iterate() for raw in chunk))
        while True:
            with store.reading() as tx:
                raws = tx.raw.list_after(rebuilding.last_raw_id, READ_AT_ONCE)
                if not raws:
                    rebuilding.find_former(tx)
                    break
                reader.learn(tx, raws)
            rebuilding.take(reader.read(raws))
            progress(reader.count, max(reader.count, total))
        rested_at = monotonic()
        is_writing = True
        while is_writing:
            with store.transaction() as tx:
                while raws := tx.raw.list_after(rebuilding.last_raw_id, READ_AT_ONCE):
                    reader.learn(tx, raws)
                    rebuilding.take(reader.read(raws))
                is_writing = rebuilding.write(tx)
            total = reader.count + rebuilding.article_count
            progress(total - rebuilding.unwritten_count, total)
            rested_at = _let_others_write(rested_at)
        return Rebuilt(reader.count, rebuilding.article_count, tuple(reader.problems))


class _RawReader:
    """Reads raw items as the present rules say.

    Args:
        sources: by id; for a source that left the registry, the store's record of it serves.
        rules: the tables of data/rules.
    """

    def __init__(self, sources: Mapping[str, Source], rules: Rules) -> None:
        self.count = 0
        self.problems: list[Problem] = []
        self._learned_to = 0
        self._given = sources
        self._rules = rules
        self._sources: dict[str, Source] = {}
        self._policies: dict[str, GuidPolicy | None] = {}
        self._repeats: dict[str, Repeats] = {}

    def learn(self, tx: Transaction, raws: Iterable[StoredRaw]) -> None:
        """Learn the sources of raw items, and what the entries of their replies share, before they are read."""
        repeats = find_repeats_by_source(self._iterate_new(raws))
        self._repeats |= {
            source: merge_repeats([self._repeats.get(source, Repeats()), more]) for source, more in repeats.items()
        }
        if not self._sources.keys() >= repeats.keys():
            records = tx.sources.list_all().values()
            self._sources = {record.id: source_of_record(record) for record in records} | dict(self._given)
            self._policies = {
                record.id: choose_policy(self._sources[record.id].guids, record.guids) for record in records
            }

    def _iterate_new(self, raws: Iterable[StoredRaw]) -> Iterator[tuple[str, RawItem]]:
        for raw in raws:
            if raw.id > self._learned_to:
                self._learned_to = raw.id
                yield raw.source, raw.item

    def read(self, raws: Sequence[StoredRaw]) -> list[tuple[StoredRaw, Article | str]]:
        """Read raw items, each with its article, or with the reason why there is none."""
        results = [
            read_or_explain(
                raw.item,
                self._sources[raw.source],
                self._rules,
                self._repeats[raw.source],
                self._policies[raw.source],
            )
            for raw in raws
        ]
        self.count += len(raws)
        self.problems += (result for result in results if isinstance(result, Problem))
        return list(zip(raws, map(_article_or_reason, results), strict=True))


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

    A further newsletter makes no stories: it grades those of its house; see `follow_house`.

    Args:
        store: the newsroom's.
        rules: of the newsletter and its sources.
        progress: called with the number of articles grouped so far, and their total.
        lock: a file that a process locks while it trains, so that no two processes train at once; None locks nothing.
    """
    if store.is_of_newsletter:
        articles, stories = follow_house(store, rules, progress)
    else:
        articles, stories = _group_fresh(store, rules, progress)
    with take_turn(lock) if lock else nullcontext():
        return Grouped(articles, stories, retrain(store, rules))


def _group_fresh(store: Store, rules: GroupRules, progress: Callable[[int, int], None]) -> tuple[int, int]:
    """Make the stories of new and changed articles; arguments as `group` has them.

    Returns:
        The numbers of articles and stories.
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
            with store.reading() as tx:
                changed = tx.articles.get(tx.articles.list_fresh(KEYED_AT_ONCE, without=versions))
            if not changed:
                break
            features = read_features(changed, rules)
            with store.transaction() as tx:
                versions = _index_batch(tx, changed, features, rules) | versions
            rested_at = monotonic()  # others write while the next batch is read
            fresh_ids |= changed.keys()
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
    return articles, stories


def _index_batch(
    tx: Transaction, articles: Mapping[int, StoredArticle], features: Mapping[int, Features], rules: GroupRules
) -> dict[int, int]:
    """Index new and changed articles, before their stories are made.

    Articles whose stories depend on them become fresh too: if the process dies before their stories are made, the next
    call makes them. One that is fresh already changed by itself, and its own turn comes.

    Args:
        tx: open for writing.
        articles: as they were a moment ago, by id. One that changed since has another version when its story is made,
            and is indexed again; one that joined another article is left out.
        features: of each of them.
        rules: with the model of events.

    Returns:
        The versions of all indexed articles, by article id.
    """
    fresh_ids = tx.articles.find_fresh(articles)
    fresh = {article_id: stored for article_id, stored in articles.items() if article_id in fresh_ids}
    dependent_ids = index_articles(tx, fresh, {article_id: features[article_id] for article_id in fresh}, rules)
    dependent_ids -= fresh.keys()
    dependent_ids -= tx.articles.find_fresh(dependent_ids)
    tx.articles.mark_fresh(dependent_ids)
    return _find_versions(fresh | tx.articles.get(dependent_ids))


def _find_versions(articles: Mapping[int, StoredArticle]) -> dict[int, int]:
    """A number for each article that differs when any part of it has changed, by article id."""
    return {article_id: hash(repr(stored)) for article_id, stored in articles.items()}


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


def _article_or_reason(result: Article | Problem) -> Article | str:
    return str(result.detail) if isinstance(result, Problem) else result


def source_of_record(record: SourceRecord) -> Source:
    """A source that left the registry, as far as the store remembers it."""
    return Source.model_construct(id=record.id, kind=record.kind, name=record.name)
