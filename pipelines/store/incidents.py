"""Incidents of sources: raised once, acknowledged by a person, recovered once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pipelines.health.incidents import Changes, Incident
from pipelines.store.bulk import chunks
from pipelines.store.tables import incidents


class Incidents:
    """The incidents of all sources."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_open(self) -> list[Incident]:
        """List the incidents that have not recovered, oldest first."""
        query = select(incidents).where(incidents.c.recovered_at.is_(None)).order_by(incidents.c.id)
        return [_incident(row) for row in self._connection.execute(query)]

    def get(self, ids: Iterable[int | None]) -> list[Incident]:
        """Get incidents by their ids, oldest first; an id without an incident is left out."""
        numbers = sorted({number for number in ids if number is not None})
        listed: list[Incident] = []
        for chunk in chunks(numbers):
            query = select(incidents).where(incidents.c.id.in_(chunk)).order_by(incidents.c.id)
            listed += [_incident(row) for row in self._connection.execute(query)]
        return listed

    def list_since(self, since: datetime) -> list[Incident]:
        """List the incidents that are open, or that were raised or recovered at a time or later, oldest first."""
        is_late = (incidents.c.raised_at >= since) | (incidents.c.recovered_at >= since)
        query = select(incidents).where(incidents.c.recovered_at.is_(None) | is_late).order_by(incidents.c.id)
        return [_incident(row) for row in self._connection.execute(query)]

    def save(self, changes: Changes) -> list[Incident]:
        """Store what one look at the sources changed.

        Returns:
            The raised incidents, with their ids.
        """
        self._update((*changes.updated, *changes.recovered))
        raised = []
        for incident in changes.raised:
            row = insert(incidents).values(_values(incident)).returning(*incidents.c)
            raised.append(_incident(self._connection.execute(row).one()))
        return raised

    def acknowledge(self, incident_id: int, until: datetime) -> bool:
        """Store until when a person wants to hear no more of an open incident.

        Returns:
            Whether there is such an open incident.
        """
        is_open = (incidents.c.id == incident_id) & incidents.c.recovered_at.is_(None)
        return self._connection.execute(update(incidents).where(is_open).values(acknowledged_until=until)).rowcount > 0

    def _update(self, changed: Iterable[Incident]) -> None:
        for incident in changed:
            self._connection.execute(update(incidents).where(incidents.c.id == incident.id).values(_values(incident)))


def _values(incident: Incident) -> dict[str, Any]:
    return {
        "source": incident.source,
        "kind": incident.kind,
        "since": incident.since,
        "raised_at": incident.raised_at,
        "evidence": dict(incident.values),
        "acknowledged_until": incident.acknowledged_until,
        "recovered_at": incident.recovered_at,
    }


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        source=row.source,
        kind=row.kind,
        since=row.since,
        raised_at=row.raised_at,
        values=row.evidence,
        acknowledged_until=row.acknowledged_until,
        recovered_at=row.recovered_at,
    )
