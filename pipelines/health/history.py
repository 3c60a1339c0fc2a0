"""The history of a source as values: its runs, and what each new item of a run was like."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Self
from zlib import crc32

FailureKind = Literal["failed", "changed", "blocked", "login", "gone", "forbidden", "misconfigured"]
"""`changed`: a reply that no page function can read, such as HTML in the place of a feed. `forbidden`: 403 or 404."""

TraceRow = list[int | None]
"""A trace as the store has it: hash of the item, seconds since 1970, length and hash of the text."""

MOST_TRACES: Final = 100
"""Traces that a run keeps: the newest; the first run of a long list tells its rhythm with no more."""

SHORT_TEXT: Final = 60
"""Characters; a shorter text is a digest or a caption, and counts as none."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What health keeps of an item that a run was the first to bring.

    Args:
        item_hash: CRC-32 of its address: an item that changed leaves a further trace.
        published_at: aware; None where the page gives no date.
        length: of the text, in characters.
        text_hash: CRC-32 of the text.
    """

    item_hash: int
    published_at: datetime | None
    length: int
    text_hash: int

    @classmethod
    def of(cls, url: str, published_at: datetime | None, text: str) -> Self:
        """Make the trace of an item.

        Args:
            url: canonical.
            published_at: aware; None where the page gives no date.
            text: plain.
        """
        return cls(_hash(url), published_at, len(text), _hash(text))

    def as_json(self) -> TraceRow:
        """The trace as a row of numbers; `from_json` reads it."""
        seconds = None if self.published_at is None else round(self.published_at.timestamp())
        return [self.item_hash, seconds, self.length, self.text_hash]

    @classmethod
    def from_json(cls, row: TraceRow) -> Self:
        """Read a trace that `as_json` made."""
        item_hash, seconds, length, text_hash = row
        published_at = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        return cls(item_hash or 0, published_at, length or 0, text_hash or 0)


def _hash(text: str) -> int:
    return crc32(text.encode(errors="replace"))


def keep_newest(rows: Iterable[TraceRow]) -> list[TraceRow]:
    """Keep the newest traces of a run, as rows, oldest first; traces without a date count as the newest."""
    return sorted(rows, key=lambda row: math.inf if row[1] is None else row[1])[-MOST_TRACES:]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run that ended.

    Args:
        at: when it began, aware.
        failure: why it failed; None for a success.
        new: number of articles that were new.
        items: number of items of its replies.
        answered_by: the host that answered with a list, after redirects; empty for 304 and for a failure.
        traces: of items that were new to the source, oldest first.
    """

    at: datetime
    failure: FailureKind | None = None
    new: int = 0
    items: int = 0
    answered_by: str = ""
    traces: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a source.

    Args:
        source: its id.
        enabled: whether it is crawled at all.
        host: of the address in the registry.
        expect_per_week: the fewest and the most new articles of a week; None where the registry does not say.
        runs: that ended, oldest first.
    """

    source: str
    enabled: bool = True
    host: str = ""
    expect_per_week: tuple[int, int] | None = None
    runs: tuple[RunOutcome, ...] = ()
