"""Making every article again from its raw items, so that whoever knew an article by its id finds it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from pipelines.deduplicate.identity import DatedMetrics, Join, merge_metrics
from pipelines.model import Article
from pipelines.store.articles import Articles
from pipelines.store.raw import RawItems, StoredRaw


class Rebuilding:
    """A rebuild in one transaction: `take` all raw items in the order in which they came, then `finish`.

    An article gets the id that its first raw item remembers. Where rules that changed make two articles of what was
    one, the second gets a new id; where they make one of what was two, the id that is left over finds the one.
    """

    def __init__(self, articles: Articles, raw: RawItems) -> None:
        self._articles = articles
        self._raw = raw
        self._first_new = articles.next_id()
        self._free = count(self._first_new)
        self._before = articles.clear()
        self._given: set[int] = set()
        self._living: set[int] = set()
        self._heirs: dict[int, int] = {}
        self._moved: dict[int, tuple[int | None, int]] = {}

    def take(self, items: Sequence[tuple[StoredRaw, Article | str]]) -> None:
        """Take raw items, each with the article made of it now, or the reason why there is none."""
        made = [(raw, one) for raw, one in items if isinstance(one, Article)]
        saved = self._articles.save([one for _, one in made], lambda index: self._id_for(made[index][0]))
        self._living |= set(saved.ids)
        self._living -= saved.gone
        numbers: dict[int, DatedMetrics] = {}
        for (raw, _), one in zip(made, saved.ids, strict=True):
            if raw.metrics:
                numbers[one] = merge_metrics(numbers.get(one, {}), raw.metrics)
            if raw.article is not None:
                self._heirs.setdefault(raw.article, one)
            if raw.article != one:
                self._moved[raw.id] = raw.article, one
        self._articles.measure(numbers)
        reasons = ((raw, None if isinstance(one, Article) else one) for raw, one in items)
        self._raw.settle({raw.id: (raw.article, reason) for raw, reason in reasons if reason != raw.problem})

    def finish(self) -> int:
        """Let the ids that are left over find what became of their items, and forget what nothing makes any more.

        Returns:
            How many articles there are.
        """
        heirs = self._before | self._heirs
        forward = self._articles.forward([*heirs, *self._given])
        for one, kept in heirs.items():
            if one in self._living or one in forward:
                continue
            heir = self._now(kept, forward)
            if heir in self._living:
                self._articles.join(Join(one, heir, shift=0))
                forward[one] = heir
            else:
                self._articles.remove(one)
        self._articles.forget_joined(self._first_new)
        self._raw.settle(
            {
                raw: (self._now(one, forward), None)
                for raw, (before, one) in self._moved.items()
                if before is None or self._now(before, forward) != self._now(one, forward)
            }
        )
        return len(self._living)

    def _id_for(self, raw: StoredRaw) -> int:
        number = next(self._free) if raw.article is None or raw.article in self._given else raw.article
        self._given.add(number)
        return number

    @staticmethod
    def _now(one: int, forward: Mapping[int, int]) -> int:
        return forward.get(one, one)
