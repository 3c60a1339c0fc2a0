"""Hosts that asked to be left alone until a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from pipelines.store.bulk import upsert
from pipelines.store.tables import hosts

LONGEST_WAIT: Final = timedelta(days=31)
"""No host is left alone for longer, whatever it asked for."""


class Hosts:
    """The hosts that asked to be left alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_waits(self, waits: Mapping[str, datetime], asked_at: datetime) -> None:
        """Store until when hosts want to be left alone.

        Args:
            waits: times by `host:port`, aware.
            asked_at: aware; when the hosts said so.
        """
        rows = [{"netloc": netloc, "asked_at": asked_at, "not_before": until} for netloc, until in waits.items()]
        upsert(self._connection, hosts, rows)

    def list_waits(self, now: datetime) -> dict[str, datetime]:
        """List the hosts that want to be left alone, with the time until when.

        A wait that was stored under a clock ahead of the present counts for nothing.
        """
        rows = self._connection.execute(select(hosts).where(hosts.c.asked_at <= now, hosts.c.not_before > now))
        return {row.netloc: row.not_before for row in rows if row.not_before <= row.asked_at + LONGEST_WAIT}

    def forget_waits(self, now: datetime) -> None:
        """Delete the waits that are over, and the waits of a clock that was wrong."""
        is_over = (hosts.c.not_before <= now) | (hosts.c.asked_at > now)
        self._connection.execute(delete(hosts).where(is_over))
