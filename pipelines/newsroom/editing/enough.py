"""How many candidates are usually enough for an issue, and on how many the editor has decided for the issue in work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pipelines.group.enough import estimate_enough
from pipelines.store import Transaction

DEPTH: Final = "depth"
"""The name of a pick's depth among what a decision keeps of what the editor saw."""

_LONGEST_WORK: Final = timedelta(days=31)
"""A decision that is older belongs to no issue in work: many a newsroom exports its issues and publishes none."""


@dataclass(frozen=True, slots=True)
class Workload:
    """How many candidates are usually enough for an issue, and on how many stories the editor decided since the last
    issue.
    """

    number: int
    decided: int

    @property
    def remaining(self) -> int:
        """How many candidates are left to look at."""
        return max(self.number - self.decided, 0)


def read_workload(tx: Transaction, now: datetime) -> Workload:
    """Read the workload of the issue in work.

    Args:
        tx: open for reading.
        now: aware.
    """
    number = tx.cache.get("usual workload", lambda: _estimate_number(tx))
    return Workload(number, count_decided(tx, now))


def _estimate_number(tx: Transaction) -> int:
    """Estimate how many candidates are usually enough for an issue."""
    depths: dict[date | None, list[int]] = defaultdict(list)
    for pick in tx.decisions.list_printed_picks():
        if (depth := pick.shown.get(DEPTH, "")).isdecimal():
            depths[pick.issue].append(int(depth))
    return estimate_enough(list(depths.values()))


def count_decided(tx: Transaction, now: datetime) -> int:
    """Count the stories on which the editor decided for the issue in work."""
    earliest = now - _LONGEST_WORK
    return tx.decisions.count_stories(max(tx.issues.find_last_published() or earliest, earliest))
