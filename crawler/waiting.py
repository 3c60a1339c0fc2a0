"""When a site that asks us to come back later may be asked again. Pure; shared by page functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = timedelta(days=31)
"""A site that names a later time has made a mistake; without a limit its source would never run again."""


def retry_after(headers: Mapping[str, str], fetched_at: datetime) -> datetime | None:
    """The moment a Retry-After header names: seconds, or an HTTP date (RFC 9110, 10.2.3).

    Args:
        headers: lower-case names.
        fetched_at: aware; seconds count from it.

    Returns:
        None where the header is missing or unusable. The past becomes `fetched_at`, the far future
        `LONGEST_WAIT` from it.

    >>> retry_after({"retry-after": "90"}, datetime(2026, 1, 1, tzinfo=UTC)).isoformat()
    '2026-01-01T00:01:30+00:00'
    """
    header = headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return within_reason(fetched_at + timedelta(seconds=min(int(header[:12]), 10**9)), fetched_at)
    try:
        moment = parsedate_to_datetime(header[:64])
    except (ValueError, OverflowError):
        return None
    return within_reason(moment if moment.tzinfo else moment.replace(tzinfo=UTC), fetched_at)


def within_reason(moment: datetime, fetched_at: datetime) -> datetime:
    """`moment`, but neither before `fetched_at` nor later than `LONGEST_WAIT` after it."""
    return min(max(moment, fetched_at), fetched_at + LONGEST_WAIT)
