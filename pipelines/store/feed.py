"""What readers of the feed know: the identifiers of the feed and of its issues, and when an issue was corrected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection, delete, insert, select, update

from pipelines.store.tables import feed_ids, issues


class Feed:
    """Identifiers that were exported once and never change, whatever the newsletter is called and wherever it lies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_ids(self) -> dict[date | None, str]:
        """Get the identifiers by the date of their issue; that of the feed itself has no date."""
        return {row.issue: row.id for row in self._connection.execute(select(feed_ids))}

    def add_ids(self, ids: Mapping[date | None, str]) -> None:
        """Store identifiers; an issue that has one keeps it, and no identifier is given twice."""
        stored_ids = self.get_ids()
        used = set(stored_ids.values())
        for day, identifier in ids.items():
            if day not in stored_ids and identifier not in used:
                self._connection.execute(insert(feed_ids), {"id": identifier, "issue": day})
                used.add(identifier)

    def redate(self, day: date, new_day: date) -> None:
        """Let an issue keep its identifier when its date changes; the one of a former issue of that date is dropped."""
        if day != new_day and day in self.get_ids():
            self._connection.execute(delete(feed_ids).where(feed_ids.c.issue == new_day))
            self._connection.execute(update(feed_ids).where(feed_ids.c.issue == day).values(issue=new_day))

    def list_corrections(self) -> dict[date, datetime]:
        """List when each corrected issue was last changed after it was published; aware."""
        query = select(issues.c.date, issues.c.corrected_at).where(issues.c.corrected_at.is_not(None))
        return {row.date: row.corrected_at for row in self._connection.execute(query)}
