"""Makes every article again from its raw items, so that every former id still leads to an article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from pipelines.deduplicate.identity import DatedMetrics, Join, merge_metrics
from pipelines.model import Article
from pipelines.store.articles import Articles
from pipelines.store.raw import RawItems, StoredRaw


class Rebuilding:
    """A rebuild in one transaction: `take` all raw items in the order in which they came, then `finish`.

    An article gets the id that its first raw item remembers. Changed rules may split an article: the second part gets
    a new id. Changed rules may join two articles: the id that becomes free leads to the joint article.
    """

    def __init__(self, articles: Articles, raw: RawItems) -> None:
        self._articles = articles
        self._raw = raw
        self._first_new = articles.next_id()
        self._free = count(self._first_new)
        self._former_ids = articles.clear()
        self._used_ids: set[int] = set()
        self._living_ids: set[int] = set()
        self._heirs: dict[int, int] = {}
        self._moved: dict[int, tuple[int | None, int]] = {}

    def take(self, items: Sequence[tuple[StoredRaw, Article | str]]) -> None:
        """Take raw items, each with its new article, or with the reason why it has no article."""
        articles = [(raw, article) for raw, article in items if isinstance(article, Article)]
        saved = self._articles.save(
            [article for _, article in articles], lambda index: self._id_for(articles[index][0])
        )
        self._living_ids |= set(saved.ids)
        self._living_ids -= saved.joined
        numbers: dict[int, DatedMetrics] = {}
        for (raw, _), article_id in zip(articles, saved.ids, strict=True):
            if raw.metrics:
                numbers[article_id] = merge_metrics(numbers.get(article_id, {}), raw.metrics)
            if raw.article is not None:
                self._heirs.setdefault(raw.article, article_id)
            if raw.article != article_id:
                self._moved[raw.id] = raw.article, article_id
        self._articles.set_metrics(numbers)
        reasons = ((raw, None if isinstance(outcome, Article) else outcome) for raw, outcome in items)
        self._raw.set_outcomes({raw.id: (raw.article, reason) for raw, reason in reasons if reason != raw.problem})

    def finish(self) -> int:
        """Lead the free ids to the present articles of their items, and remove articles that have no item any more.

        Returns:
            The number of articles.
        """
        heirs = self._former_ids | self._heirs
        forward = self._articles.find_joined([*heirs, *self._used_ids])
        for former_id, heir_id in heirs.items():
            if former_id in self._living_ids or former_id in forward:
                continue
            heir = self._current_id(heir_id, forward)
            if heir in self._living_ids:
                self._articles.join(Join(former_id, heir, shift=0))
                forward[former_id] = heir
            else:
                self._articles.remove(former_id)
        self._articles.forget_joined(self._first_new)
        self._raw.set_outcomes(
            {
                raw_id: (self._current_id(article_id, forward), None)
                for raw_id, (former_id, article_id) in self._moved.items()
                if former_id is None or self._current_id(former_id, forward) != self._current_id(article_id, forward)
            }
        )
        return len(self._living_ids)

    def _id_for(self, raw: StoredRaw) -> int:
        number = next(self._free) if raw.article is None or raw.article in self._used_ids else raw.article
        self._used_ids.add(number)
        return number

    @staticmethod
    def _current_id(article_id: int, forward: Mapping[int, int]) -> int:
        return forward.get(article_id, article_id)
