"""Batches on their way into the store: what their items are, and what they leave in the ledger of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

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
    identify_entry,
    identify_post,
    observe_policy,
)
from pipelines.deduplicate.identity import Outcome
from pipelines.health.history import Trace
from pipelines.model import Article
from pipelines.normalise import normalise
from pipelines.normalise.references import add_references
from pipelines.rules import Rules
from pipelines.store import LONGEST_KEY, Transaction
from pipelines.store.raw import NewRaw, Packed
from pipelines.store.runs import RunPart

LEFT_ALONE: Final = "left-alone"
"""The fact of a request that was not made, because its host had refused others: the wait is the whole host's."""

LONGEST_READING: Final = 20.0
"""Seconds of processor time for one item; the longest article of real sources takes less than one."""

_DATE_EXAMPLES: Final = 3
"""Dates that a warning quotes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch that is to be ingested.

    Args:
        batch: raw items and problems of one source.
        source: the batch's.
        run: id of the source's run, as its previous batch returned it; None begins a run.
    """

    batch: Batch
    source: Source
    run: int | None = None


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
class SavedItems:
    """What became of items, by their digests.

    Args:
        outcomes: whether an item's article is new, changed or the same; an item without an article has none.
        recognised, renamed: entries that are known by their identifier; by another one, which no item has.
    """

    outcomes: Mapping[bytes, Outcome]
    recognised: Collection[bytes]
    renamed: Collection[bytes]


@dataclass(slots=True)
class Arrival:
    """A delivery while it is ingested.

    Args:
        batch, source: as the delivery has them.
        items: of the batch, by digest.
        results: the article, or the problem, of each item that was not stored before; by digest.
        problems: of the batch, and one for each item without an article.
        warnings: of dates that were not read wholly.
    """

    batch: Batch
    source: Source
    items: Mapping[bytes, Packed]
    results: Mapping[bytes, Article | Problem] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    _stored_policy: GuidPolicy | None = None
    _policy: GuidPolicy | None = None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Pack the items of a delivery; nothing is read yet."""
        batch, source = delivery.batch, delivery.source
        packed = (Packed.of(item, source.id) for item in batch.items)
        return cls(batch, source, {item.digest: item for item in packed}, problems=batch.problems)

    def read(self, stored: Collection[bytes], policy: GuidPolicy | None, rules: Rules) -> None:
        """Read the items that are new, and compress them: other processes may write meanwhile.

        Args:
            stored: digests of the items that are stored already.
            policy: for the identifiers of the source's feed, as it is stored.
            rules: the tables of data/rules.
        """
        repeats = find_repeats(self.batch.items)
        self._stored_policy = policy
        self._policy = choose_policy(self.source.guids, policy, repeats)
        self.results = {
            digest: read_or_explain(item.item, self.source, rules, repeats, self._policy)
            for digest, item in self.items.items()
            if digest not in stored
        }
        for digest in self.results:
            _ = self.items[digest].compressed
        unreadable = (result for result in self.results.values() if isinstance(result, Problem))
        self.problems = (*self.batch.problems, *unreadable)
        self.warnings = tuple(_warn_of_dates(self.results.values()))

    def make_part(self, run: int, saved: SavedItems) -> RunPart:
        """What the batch adds to its run.

        Args:
            run: id of the run, which has begun.
            saved: what became of the items.
        """
        counts = Counter(saved.outcomes[digest] for digest in self.items if digest in saved.outcomes)
        failing = next((problem for problem in self.problems if problem.fails_source), None)
        return RunPart(
            run,
            new=counts["new"],
            updated=counts["updated"],
            seen=counts["seen"] + len(self.batch.items) - len(self.items),
            lost=sum(not problem.fails_source for problem in self.problems),
            failure=failing.failure if failing else None,
            answered_by=self.batch.answered_by,
            traces=tuple(_list_traces(self.results.values())),
            warnings=tuple(
                describe_problem(problem) for problem in (*self.problems, *self.warnings) if not problem.fails_source
            ),
            traffic=self.batch.traffic,
            problems=Counter(problem.error for problem in self.batch.problems),
        )

    def describe(self, part: RunPart, failure: Failure | None) -> Ingested:
        """The outcome of the batch.

        Args:
            part: what it added to its run.
            failure: the first of the run; None without one.
        """
        return Ingested(part.run, part.new, part.updated, part.seen, (*self.problems, *self.warnings), failure)

    def record(self, tx: Transaction, run: int, saved: SavedItems, failure: Failure | None, now: datetime) -> None:
        """Store what the batch says of its source and its hosts, and the end of the run with its last batch.

        Args:
            tx: open for writing.
            run: id of the run.
            saved: what became of the items.
            failure: the first of the run; None without one.
            now: aware.
        """
        with_guid = [digest for digest, item in self.items.items() if item.item.guid]
        entries = KnownEntries(
            entries=len(with_guid),
            recognised=sum(digest in saved.recognised for digest in with_guid),
            renamed=sum(digest in saved.renamed for digest in with_guid),
        )
        observed = observe_policy(self._policy, entries)
        if observed and observed != self._stored_policy and not self.source.guids:
            tx.sources.set_guid_policy(self.source.id, observed)
        waits = [(problem, problem.retry_at) for problem in self.problems if problem.retry_at]
        if waits:
            tx.sources.set_not_before(self.source.id, max(until for _, until in waits))
        left_alone = {netloc_of(problem.url): until for problem, until in waits if problem.detail.code == LEFT_ALONE}
        tx.hosts.save_waits(left_alone, now)
        if self.batch.finished:
            tx.runs.finish(run, now)
            tx.sources.record_end(self.source.id, now, failure, self.batch.state)


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


def describe_problem(problem: Problem) -> Failure:
    """The problem as a warning, with the address that it is about."""
    if not problem.url:
        return problem.failure
    detail = Detail.of("with-address", detail=problem.detail, address=problem.url)
    return replace(problem.failure, detail=detail)


def read_or_explain(
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


def save_items(
    tx: Transaction, items: Mapping[bytes, Packed], results: Mapping[bytes, Article | Problem]
) -> SavedItems:
    """Store new items, and the new metrics of the stored ones.

    Args:
        tx: open for writing.
        items: by digest, in the order in which they came.
        results: the article, or the problem, of each item that was new when it was read; by digest.
    """
    stored = tx.raw.find_stored(items)  # once more: another process may have stored some of them since
    new_results = {digest: result for digest, result in results.items() if digest not in stored}
    articles = {digest: result for digest, result in new_results.items() if isinstance(result, Article)}
    saved = tx.articles.save(list(articles.values()))
    article_ids = dict(zip(articles, saved.ids, strict=True))
    tx.raw.add(
        [NewRaw(items[digest], article_ids.get(digest), _reason_of(result)) for digest, result in new_results.items()]
    )
    newer_metrics = tx.raw.update_metrics((raw, items[digest].item) for digest, raw in stored.items())
    tx.articles.set_metrics(newer_metrics)
    digests = list(articles)
    outcomes: dict[bytes, Outcome] = dict.fromkeys(stored, "seen")
    return SavedItems(
        outcomes=outcomes | dict(zip(digests, saved.outcomes, strict=True)),
        recognised={*stored, *(digests[index] for index in saved.recognised)},
        renamed={digests[index] for index in saved.renamed},
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


def _reason_of(result: Article | Problem) -> str | None:
    return str(result.detail) if isinstance(result, Problem) else None


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
