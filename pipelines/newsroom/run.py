"""The table of contents: the article stages, then the story stages, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from crawler.items import Batch, Problem, RawItem
from crawler.sources import Source
from pipelines.deduplicate.identity import Outcome
from pipelines.group.candidates import GroupRules
from pipelines.model import Article
from pipelines.newsroom.regroup import _regroup
from pipelines.newsroom.relearning import learn_again, with_model
from pipelines.normalise import normalise
from pipelines.normalise.references import add_references
from pipelines.rules import Rules
from pipelines.store import LONGEST_KEY, Store, Transaction
from pipelines.store.raw import NewRaw, Packed
from pipelines.store.sources import SourceRecord

GROUPED_AT_ONCE: Final = 100
"""Articles that are grouped in one transaction: an editor who decides meanwhile waits a tenth of a second at most."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a batch gave.

    Args:
        run: the run that it belongs to, for the source's next batch.
        new, updated, seen: items; `updated` changed a title or a text, or showed that two articles are one.
        problems: the batch's own, and one for each item of which no article could be made.
        failure: why the source's run failed so far; None when it did not.
    """

    run: int
    new: int
    updated: int
    seen: int
    problems: tuple[Problem, ...]
    failure: str | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild made: of so many raw items so many articles, and the items of which it could make none."""

    items: int
    articles: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """What the final stage did: so many articles were new or changed, and they are in so many stories.

    Args:
        learned: whether it also learned anew from past issues and decisions.
    """

    articles: int
    stories: int
    learned: bool = False


def read(item: RawItem, source: Source, rules: Rules) -> Article:
    """What an item says, before it is compared with any other: normalise, then references.

    Raises:
        ValueError: no article can be made of it.
    """
    article = add_references(normalise(item, source, rules), rules)
    if max(map(_size, (article.url, *article.keys))) > LONGEST_KEY:
        raise ValueError(f"its address is longer than {LONGEST_KEY} bytes")
    if any(_size(one.key) > LONGEST_KEY for one in article.references):
        kept = tuple(one for one in article.references if _size(one.key) <= LONGEST_KEY)
        return replace(article, references=kept)
    return article


def ingest(
    store: Store, batch: Batch, source: Source, rules: Rules, now: datetime, *, run: int | None = None
) -> Ingested:
    """Take a batch in: normalise, references, identity, store.

    One transaction, which in a run's last batch also moves the source's state: what was not committed is asked for
    again, and what is ingested twice changes nothing. An item of which no article can be made is kept with the reason,
    and the others go on.

    Args:
        source: the batch's.
        now: aware; when the batch came.
        run: what the source's batch before this one returned; None begins a run.

    Raises:
        StoreError: nothing of the batch was written.
    """
    items = {one.digest: one for one in (Packed.of(item, source.id) for item in batch.items)}
    with store.reading() as tx:
        known = tx.raw.known(items)
    taken = {digest: _taken(one.item, source, rules) for digest, one in items.items() if digest not in known}
    problems = (*batch.problems, *(one for one in taken.values() if isinstance(one, Problem)))
    failing = next((one for one in problems if one.fails_source), None)
    with store.transaction() as tx:
        if run is None:
            tx.sources.started(source.id, source.kind, source.name, now)
            run = tx.runs.start(source.id, now)
        counts = _save(tx, items, taken)
        counts["seen"] += len(batch.items) - len(items)
        failure = tx.runs.add(
            run,
            new=counts["new"],
            updated=counts["updated"],
            seen=counts["seen"],
            lost=sum(not one.fails_source for one in problems),
            failure=f"{failing.error}: {failing.detail}" if failing else None,
        )
        if waits := [one.retry_at for one in problems if one.retry_at]:
            tx.sources.wait(source.id, max(waits))
        if batch.finished:
            tx.runs.finish(run, now)
            tx.sources.finished(source.id, now, failure, batch.state)
    return Ingested(run, counts["new"], counts["updated"], counts["seen"], problems, failure)


def rebuild(
    store: Store,
    sources: Mapping[str, Source],
    rules: Rules,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Rebuilt:
    """Make every article again from the raw items, in the order in which they came, in one transaction.

    Article ids stay: each raw item remembers its own. Decisions and issues are not touched. All articles have to be
    grouped afterwards.

    Args:
        sources: by id; one that the registry has dropped is taken as the store remembers it.
        progress: told how many raw items of how many are done.
    """
    with store.transaction() as tx:
        registry = {one.id: _remembered(one) for one in tx.sources.all().values()} | dict(sources)
        total = tx.raw.count()
        rebuilding = tx.rebuilding()
        problems: list[Problem] = []
        done = 0
        for chunk in tx.raw.each():
            taken = [_taken(raw.item, registry[raw.source], rules) for raw in chunk]
            rebuilding.take(list(zip(chunk, map(_made, taken), strict=True)))
            problems += (one for one in taken if isinstance(one, Problem))
            progress(done := done + len(chunk), total)
        return Rebuilt(total, rebuilding.finish(), tuple(problems))


def group(
    store: Store,
    rules: GroupRules,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Grouped:
    """The final stage on what is new: stories, categories, relevance, candidates.

    Its cost follows the new articles, not the store: only stories that a new article can touch are made again. When
    enough was printed or decided since, it learns from that, and all that is open is graded anew.

    Args:
        rules: of the newsletter and its sources.
        progress: told how many articles of how many are done.
    """
    with store.reading() as tx:
        rules = with_model(tx, rules)
        total = len(tx.articles.fresh())
    done = stories = 0
    while True:
        with store.transaction() as tx:
            fresh = tx.articles.fresh(GROUPED_AT_ONCE)
            if not fresh:
                break
            _regroup(tx, fresh, rules)
            tx.articles.mark_grouped(fresh)
            stories += len({story.id for story in tx.stories.of(fresh).values()})
        done += len(fresh)
        progress(done, max(done, total))
    return Grouped(done, stories, learn_again(store, rules))


def _taken(item: RawItem, source: Source, rules: Rules) -> Article | Problem:
    """The article that an item is, or the problem why it is none: one bad item must not stop the others."""
    try:
        return read(item, source, rules)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        return Problem(item.url, "NoArticle", f"no article could be made of it: {reason}", fails_source=False)


def _save(tx: Transaction, items: Mapping[bytes, Packed], taken: Mapping[bytes, Article | Problem]) -> Counter[Outcome]:
    """Store the items of a batch that are new, and the new numbers of those that are not.

    Returns:
        How many gave what; an item that gave no article counts nowhere.
    """
    known = tx.raw.known(items)  # once more: another process may have stored some of them meanwhile
    fresh = [digest for digest in taken if digest not in known]
    made = {digest: one for digest in fresh if isinstance(one := taken[digest], Article)}
    saved = tx.articles.save(list(made.values()))
    ids = dict(zip(made, saved.ids, strict=True))
    tx.raw.add([NewRaw(items[digest], ids.get(digest), _reason(taken[digest])) for digest in fresh])
    tx.articles.measure(tx.raw.measure((one, items[digest].item) for digest, one in known.items()))
    counts = Counter(saved.outcomes)
    counts["seen"] += len(known)
    return counts


def _made(taken: Article | Problem) -> Article | str:
    return taken.detail if isinstance(taken, Problem) else taken


def _reason(taken: Article | Problem) -> str | None:
    return taken.detail if isinstance(taken, Problem) else None


def _remembered(record: SourceRecord) -> Source:
    return Source.model_construct(id=record.id, kind=record.kind, name=record.name)


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
