"""Hacker News: stories that match a search, from a number of points on.

Domain: hn.algolia.com; the stories link to any site, the discussions to news.ycombinator.com.
Caveats: a story gathers its points over days, so each run looks back over a week. All words of a query must match:
    there is no OR. A search gives its first 1,000 stories. 10,000 requests an hour from one address.
API documentation: https://hn.algolia.com/api.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from crawler.items import Ask
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading

SLICE: Final = 100
"""Stories in one answer; the API allows 1,000."""

FIRST_WINDOW: Final = timedelta(days=30)
OVERLAP: Final = timedelta(days=7)
"""A story reaches its points within days of its submission."""

DEFAULT_POINTS: Final = 20
_SITE: Final = "https://hn.algolia.com"


class HnSpider(SourceSpider):
    """Newest first, back to where the last run was, and a week further."""

    name = kind = "hn"
    reads_past_known = True

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The first slice of the search."""
        source = reading.source
        since = reading.state.cursor.get("until")
        start = datetime.fromisoformat(since) - OVERLAP if since else self.now - FIRST_WINDOW
        reading.notes["until"] = self.now.astimezone(UTC).isoformat(timespec="minutes")
        points = DEFAULT_POINTS if source.points is None else source.points
        return [Ask(search_url(source.base_url or _SITE, source.query or "", points, start), "hn.search")]


def search_url(base: str, query: str, points: int, start: datetime) -> str:
    """The address of the first slice of a search.

    It begins with a whole day, so that runs of one day ask for the same address and the last ETag still fits.

    Args:
        base: scheme and host of the API.
        query: words that a story must have; all stories where it is empty.
        points: the fewest that a story may have.
        start: aware; stories from the beginning of this day in UTC.

    Returns:
        An absolute address.

    >>> search_url("https://hn.algolia.com", "tiny model", 20, datetime(2026, 11, 7, 9, tzinfo=UTC)).partition("?")[2]
    'query=tiny+model&tags=story&numericFilters=points%3E%3D20%2Ccreated_at_i%3E%3D1794009600&hitsPerPage=100&page=0'
    """
    day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    filters = f"points>={points},created_at_i>={int(day.timestamp())}"
    parameters = {"query": query, "tags": "story", "numericFilters": filters, "hitsPerPage": SLICE, "page": 0}
    return f"{base.rstrip('/')}/api/v1/search_by_date?{urlencode(parameters)}"
