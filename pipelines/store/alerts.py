"""Alerts that wait to be sent, and alerts that were sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, select, update

from pipelines.store.tables import alerts

AlertEvent = Literal["raised", "recovered", "digest"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that one channel has to tell.

    Args:
        id: the store's; 0 before it is stored.
        channel: name of the channel in newsletter.toml.
        event: of an incident, or the daily digest.
        incident_id: None for a digest.
        created_at: aware.
        due_at: the time of the next attempt, aware.
        tries: attempts that failed.
        sent_at: None while it waits.
        failure: of the last attempt; None without one.
    """

    id: int
    channel: str
    event: AlertEvent
    incident_id: int | None
    created_at: datetime
    due_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    failure: str | None = None


class Alerts:
    """The alerts of all channels."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, channels: Iterable[str], events: Iterable[tuple[AlertEvent, int | None]], now: datetime) -> None:
        """Store that channels have to tell events.

        Args:
            channels: names.
            events: each with the id of its incident; None for a digest.
            now: aware.
        """
        rows = [
            {"event": event, "incident_id": incident_id, "created_at": now, "due_at": now, "tries": 0}
            for event, incident_id in events
        ]
        channel_rows = [{"channel": channel, **row} for channel in channels for row in rows]
        if channel_rows:
            self._connection.execute(insert(alerts), channel_rows)

    def list_waiting(self) -> list[Alert]:
        """List the alerts that are not sent, oldest first."""
        query = select(alerts).where(alerts.c.sent_at.is_(None)).order_by(alerts.c.id)
        return [_alert(row) for row in self._connection.execute(query)]

    def mark_sent(self, ids: Sequence[int], now: datetime) -> None:
        """Store that alerts were sent."""
        self._connection.execute(update(alerts).where(alerts.c.id.in_(ids)).values(sent_at=now, failure=None))

    def mark_failed(self, ids: Sequence[int], due_at: datetime, failure: str) -> None:
        """Store that an attempt to send alerts failed.

        Args:
            ids: of the alerts.
            due_at: aware; the time of the next attempt.
            failure: why.
        """
        values = {"tries": alerts.c.tries + 1, "due_at": due_at, "failure": failure}
        self._connection.execute(update(alerts).where(alerts.c.id.in_(ids)).values(values))

    def find_last_digest(self, channel: str) -> datetime | None:
        """Find when the last digest of a channel was stored; None without one."""
        query = select(func.max(alerts.c.created_at)).where(alerts.c.event == "digest", alerts.c.channel == channel)
        moment: datetime | None = self._connection.execute(query).scalar()
        return moment

    def drop_channels(self, names: Iterable[str]) -> None:
        """Close the waiting alerts of channels that newsletter.toml names no longer."""
        is_closed = alerts.c.sent_at.is_(None) & alerts.c.channel.not_in(list(names))
        self._connection.execute(
            update(alerts).where(is_closed).values(sent_at=alerts.c.created_at, failure="no such channel")
        )


def _alert(row: Row[Any]) -> Alert:
    return Alert(**row._mapping)
