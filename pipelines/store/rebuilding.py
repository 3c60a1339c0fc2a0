"""Makes every article again from its raw items, so that every former id still leads to an article.

The articles are made in a database of their own first, which takes long and locks nobody out. Then they are written
into the newsroom's database a few in a transaction, so that other writers come in between. What they store meanwhile is
taken as well. A rebuild that is cut off has written some articles as the present rules make them, and left the others
as they were; the next rebuild begins anew and comes to the same end.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from functools import reduce
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from pipelines.deduplicate.identity import DatedMetrics, Join, merge_metrics
from pipelines.model import Article
from pipelines.store.articles import Articles
from pipelines.store.raw import RawOutcome
from pipelines.store.tables import article_keys, article_references, articles, metadata, revisions, sightings

if TYPE_CHECKING:
    from pipelines.store import Transaction

WRITTEN_AT_ONCE: Final = 100
"""Articles that are written in one transaction, some hundredths of a second."""

_FIRST_NEW: Final = 1 << 40
"""Id of the first article that has none yet. It gets one when it is written, because others make articles meanwhile."""


class Rebuilding:
    """A rebuild: `take` all raw items in the order in which they came, `find_former`, then `write` to the end.

    An article gets the id that its first raw item remembers. Changed rules may split an article: the second part gets
    a new id. Changed rules may join two articles: the id that becomes free leads to the joint article.

    Args:
        connection: to an empty database, in which the articles are made.
    """

    def __init__(self, connection: Connection) -> None:
        metadata.create_all(connection)
        connection.commit()
        self.last_raw_id = 0
        self._connection = connection
        self._articles = Articles(connection)
        self._new_ids = count(_FIRST_NEW)
        self._used_ids: set[int] = set()
        self._living_ids: set[int] = set()
        self._new_parts: deque[int] = deque()
        self._waiting: deque[int] = deque()
        self._unwritten_ids: set[int] = set()
        self._stored_ids: dict[int, int] = {}
        self._made_ids: dict[int, int] = {}
        self._successors: dict[int, int] = {}
        self._heirs: dict[int, int] = {}
        self._former_ids: dict[int, int] = {}
        self._outcomes: dict[int, dict[int, int | None]] = defaultdict(dict)
        self._measured: dict[int, list[int]] = defaultdict(list)
        self._lost: dict[int, tuple[int | None, str | None]] = {}

    @property
    def article_count(self) -> int:
        """The number of articles that were made."""
        return len(self._living_ids)

    @property
    def unwritten_count(self) -> int:
        """The number of articles that are not written yet."""
        return len(self._unwritten_ids)

    def take(self, items: Sequence[tuple[RawOutcome, Article | str]]) -> None:
        """Take raw items, each with its new article, or with the reason why it has no article."""
        readable = [(raw, article) for raw, article in items if isinstance(article, Article)]
        saved = self._articles.save(
            [article for _, article in readable], lambda index: self._id_for(readable[index][0])
        )
        self._follow(saved.joined)
        numbers: dict[int, DatedMetrics] = {}
        for (raw, _), article_id in zip(readable, saved.ids, strict=True):
            if article_id not in self._unwritten_ids:
                (self._waiting if article_id < _FIRST_NEW else self._new_parts).append(article_id)
                self._unwritten_ids.add(article_id)
            self._living_ids.add(article_id)
            if raw.metrics:
                numbers[article_id] = merge_metrics(numbers.get(article_id, {}), raw.metrics)
                self._measured[article_id].append(raw.id)
            if raw.article is not None:
                self._heirs.setdefault(raw.article, article_id)
                if raw.article != article_id:
                    self._former_ids[raw.article] = raw.article
            if raw.article != article_id or raw.problem is not None:
                self._outcomes[article_id][raw.id] = raw.article
        self._articles.set_metrics(numbers)
        self._connection.commit()
        self._lost |= {
            raw.id: (raw.article, reason)
            for raw, reason in items
            if not isinstance(reason, Article) and reason != raw.problem
        }
        if items:
            self.last_raw_id = items[-1][0].id

    def find_former(self, tx: Transaction) -> None:
        """Find the ids that lead to an article of the newsroom, and that no article has any more.

        Args:
            tx: open for reading.
        """
        leading = tx.articles.list_leading_ids().items()
        self._former_ids |= {former_id: current_id for former_id, current_id in leading if not self._lives(former_id)}

    def write(self, tx: Transaction) -> bool:
        """Write some of what was made, in the caller's transaction.

        New parts of a former article come first, and an article is removed last: nothing is missing at any time.

        Args:
            tx: open for writing; nobody else has stored a raw item that was not taken.

        Returns:
            Whether anything was left to write.
        """
        article_ids = [*self._choose(self._new_parts, WRITTEN_AT_ONCE)]
        article_ids += self._choose(self._waiting, WRITTEN_AT_ONCE - len(article_ids))
        if article_ids:
            self._write_articles(tx, article_ids)
        elif self._lost:
            raw_ids = list(islice(self._lost, WRITTEN_AT_ONCE))
            tx.raw.set_outcomes({raw_id: self._lost.pop(raw_id) for raw_id in raw_ids})
        elif self._former_ids:
            for former_id in list(islice(self._former_ids, WRITTEN_AT_ONCE)):
                self._lead_on(tx, former_id, self._former_ids.pop(former_id))
        else:
            return False
        return True

    def _choose(self, waiting: deque[int], most: int) -> list[int]:
        """Take articles that are not written off a queue; one that joined another is no longer there to write."""
        chosen: list[int] = []
        while waiting and len(chosen) < most:
            article_id = waiting.popleft()
            if article_id in self._unwritten_ids:
                self._unwritten_ids.remove(article_id)
                chosen.append(article_id)
        return chosen

    def _write_articles(self, tx: Transaction, made_ids: Collection[int]) -> None:
        free_ids = count(tx.articles.next_id())
        for made_id in made_ids:
            if made_id >= _FIRST_NEW and made_id not in self._stored_ids:
                stored_id = self._stored_ids[made_id] = next(free_ids)
                self._made_ids[stored_id] = made_id
                self._used_ids.add(stored_id)
        self._update_metrics(tx, made_ids)
        tx.articles.replace(self._read_rows(made_ids))
        outcomes = {
            raw_id: (self._find_outcome(former_id, made_id), None)
            for made_id in made_ids
            for raw_id, former_id in self._outcomes.pop(made_id, {}).items()
        }
        tx.raw.set_outcomes(outcomes)

    def _update_metrics(self, tx: Transaction, made_ids: Collection[int]) -> None:
        """Read the metrics of raw items again: crawls may have read newer numbers since the items were taken."""
        raw_ids = {made_id: self._measured[made_id] for made_id in made_ids if self._measured.get(made_id)}
        metrics = tx.raw.get_metrics(raw_id for ids in raw_ids.values() for raw_id in ids)
        self._articles.set_metrics(
            {made_id: reduce(merge_metrics, map(metrics.__getitem__, ids)) for made_id, ids in raw_ids.items()}
        )

    def _read_rows(self, made_ids: Collection[int]) -> dict[str, list[dict[str, Any]]]:
        """Read the rows of articles by the name of their table, with the ids of the store."""
        rows = {}
        for table, column in (
            (articles, articles.c.id),
            *((part, part.c.article_id) for part in (article_keys, article_references, sightings, revisions)),
        ):
            read = self._connection.execute(select(table).where(column.in_(made_ids))).mappings()
            rows[table.name] = [dict(row) | {column.name: self._stored_id(row[column.name])} for row in read]
        return rows

    def _find_outcome(self, former_id: int | None, made_id: int) -> int | None:
        """The article id that a raw item remembers: its former one, where that leads to its article."""
        leads_there = former_id is not None and self._find_heir(former_id, former_id) == made_id
        return former_id if leads_there else self._stored_id(made_id)

    def _lead_on(self, tx: Transaction, former_id: int, current_id: int) -> None:
        """Lead an id to the present article of its items, or remove its article, which has no item any more."""
        if self._lives(former_id):
            return
        heir_id = self._find_heir(former_id, current_id)
        if heir_id is None:
            tx.articles.remove(former_id)
        elif former_id == current_id or self._stored_id(heir_id) != current_id:
            tx.articles.clear([former_id])
            tx.articles.join(Join(former_id, self._stored_id(heir_id), shift=0))

    def _find_heir(self, former_id: int, current_id: int) -> int | None:
        """Find the made article to which an id leads, by its first raw item, else by the article to which it led."""
        for candidate_id in (former_id, self._heirs.get(former_id), current_id, self._heirs.get(current_id)):
            if candidate_id is not None:
                made_id = self._current_id(self._made_ids.get(candidate_id, candidate_id))
                if made_id in self._living_ids:
                    return made_id
        return None

    def _follow(self, joined_ids: Collection[int]) -> None:
        """Follow made articles that joined another one."""
        for gone_id, kept_id in self._articles.find_joined(joined_ids).items():
            self._successors[gone_id] = kept_id
            self._living_ids.discard(gone_id)
            self._unwritten_ids.discard(gone_id)
            self._outcomes[kept_id] |= self._outcomes.pop(gone_id, {})
            self._measured[kept_id] += self._measured.pop(gone_id, ())
            stored_id = self._stored_id(gone_id)
            if stored_id < _FIRST_NEW:
                self._former_ids[stored_id] = stored_id

    def _lives(self, stored_id: int) -> bool:
        return self._made_ids.get(stored_id, stored_id) in self._living_ids

    def _stored_id(self, made_id: int) -> int:
        return self._stored_ids.get(made_id, made_id)

    def _current_id(self, made_id: int) -> int:
        while made_id in self._successors:
            made_id = self._successors[made_id]
        return made_id

    def _id_for(self, raw: RawOutcome) -> int:
        number = next(self._new_ids) if raw.article is None or raw.article in self._used_ids else raw.article
        self._used_ids.add(number)
        return number
