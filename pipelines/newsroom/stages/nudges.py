"""Reads what the decisions since the last training add to the scores of open stories."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pipelines.group.nudges import Nudges, Verdict
from pipelines.store import Transaction

MOST_VERDICTS: Final = 60
"""Decisions since the last training that count: so many is an issue."""

LIKELY: Final = 20
"""Open stories, best first, that an editor more probably picks than drops: about an issue; a quarter of few stories."""

COMPARED: Final = 300
"""Open stories, best first, whose titles tell which words are common."""


def read_nudges(tx: Transaction) -> Nudges:
    """Read the picks and drops since the last training, and learn from them.

    Args:
        tx: open for reading.
    """
    return tx.cache.get("nudges", lambda: _read_nudges(tx))


def _read_nudges(tx: Transaction) -> Nudges:
    recent = tx.training.list_recent_verdicts(tx.training.get_last_decision(), MOST_VERDICTS)
    if not recent:
        return Nudges()
    best = tx.stories.list_best_leads(COMPARED)
    threshold = best[min(LIKELY, len(best) // 4)][0] if best else 0.0
    verdicts = tuple(Verdict(each.title, each.source, each.score, each.picked) for each in recent)
    return _learn(verdicts, tuple(lead.title for _, lead in best), threshold)


@lru_cache(maxsize=4)
def _learn(verdicts: tuple[Verdict, ...], titles: tuple[str, ...], threshold: float) -> Nudges:
    """Learn once for all lists between two decisions."""
    return Nudges.learn(verdicts, titles, threshold)
