"""Short ways to say an article, for tests that are about something else."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from pipelines.model import Article, Candidate, Decision, Instant, Reference, StoredArticle
from pipelines.store import Transaction
from pipelines.store.listing import CandidateQuery, FreshnessBounds
from pipelines.store.raw import StoredRaw
from pipelines.store.tables import decisions

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)

NO_FRESHNESS = FreshnessBounds(((NOON, 0.0),), 0.0)
"""The order of the stored scores."""


def instant(days: float = 0.0) -> Instant:
    """A second-precise instant so many days after NOON."""
    return Instant(NOON + timedelta(days=days), "second", "published")


def about(*keys: str) -> tuple[Reference, ...]:
    """Primary references to these keys."""
    return tuple(
        Reference(key, f"https://example.org/{key}", primary=True, position=place) for place, key in enumerate(keys)
    )


def article(number: int = 1, *, days: float = 0.0, keys: tuple[str, ...] = (), **values: Any) -> Article:
    """An article of its own URL, published so many days after NOON."""
    url = values.pop("url", f"https://example.org/{number}")
    return Article(
        kind=values.pop("kind", "wechat"),
        source=values.pop("source", "watch"),
        url=url,
        seen_url=url,
        keys=(*keys, url),
        title=values.pop("title", f"题目{chr(0x4E00 + 7 * number)}"),  # no number: 第 1 and 第 2 would contradict
        published=values.pop("published", instant(days)),
        fetched_at=NOON,
        **values,
    )


def stored(number: int = 1, **values: Any) -> StoredArticle:
    """The article as the store would give it back, under this id."""
    one = article(number, **values)
    return StoredArticle(number, one, (one.url,), (one.source,), NOON)


def all_decisions(tx: Transaction) -> list[Decision]:
    """Every row of decisions, undone ones and undos too, oldest first."""
    rows = tx.decisions._connection.execute(select(decisions).order_by(decisions.c.id))
    return [Decision(**{field.name: getattr(row, field.name) for field in fields(Decision)}) for row in rows]


def quarantined(tx: Transaction) -> list[StoredRaw]:
    """The raw items of which no article could be made, oldest first."""
    return [raw for batch in tx.raw.iterate() for raw in batch if raw.problem is not None]


def stored_candidates(tx: Transaction, **filters: Any) -> list[Candidate]:
    """The candidates that a query finds, the highest score without freshness first."""
    story_ids = [ranked.id for ranked in tx.stories.iterate_ranked(CandidateQuery(**filters))]
    candidates = {candidate.story.id: candidate for candidate in tx.stories.get(story_ids)}
    return [candidates[story_id] for story_id in story_ids]
