"""arXiv: a query of its API, day by day, or one of its daily feeds.

Domain: export.arxiv.org (API), rss.arxiv.org (feeds).
Caveats: the answers change once a day, at midnight in New York. One request in three seconds, over all machines.
    A paper is dated by its submission and appears days later.
API documentation: https://info.arxiv.org/help/api/user-manual.html, https://info.arxiv.org/help/rss.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from crawler.items import Ask
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading

SLICE: Final = 200
"""Papers in one answer; the API allows 2,000 and asks for patience at more than a few hundred."""

FIRST_WINDOW: Final = timedelta(days=30)
OVERLAP: Final = timedelta(days=7)
"""A paper is dated by its submission and appears days later: after a week-end, after moderation."""

_SITE: Final = "https://export.arxiv.org"
_SAFE_IN_QUERY: Final = ":()[]*"


class ArxivSpider(SourceSpider):
    """Newest first, back to where the last run was, and a week further."""

    name = kind = "arxiv"
    reads_past_known = True

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The feed, or the first slice of the query's window."""
        source = reading.source
        if source.url:
            return [Ask(source.url, "arxiv.api" if "/api/query" in source.url else "arxiv.rss")]
        since = reading.state.cursor.get("until")
        start = datetime.fromisoformat(since) - OVERLAP if since else self.now - FIRST_WINDOW
        reading.notes["until"] = self.now.astimezone(UTC).isoformat(timespec="minutes")
        return [Ask(query_url(source.base_url or _SITE, source.query or "", start, self.now), "arxiv.api")]


def query_url(base: str, query: str, start: datetime, end: datetime) -> str:
    """The address of the first slice of a query.

    A query that has dates of its own keeps them; the API takes no other date than `submittedDate`, in GMT
    (info.arxiv.org/help/api/user-manual.html, 5.1).

    Args:
        base: of the API: scheme and host, or the whole address up to `/api/query`.
        query: in arXiv's own syntax.
        start, end: aware; papers submitted from `start` to a day after `end`.

    >>> day = datetime(2025, 11, 7, tzinfo=UTC)
    >>> query_url("https://export.arxiv.org", "cat:cs.LG", day, day).partition("&")[0]
    'https://export.arxiv.org/api/query?search_query=(cat:cs.LG)+AND+submittedDate:[202511070000+TO+202511080000]'
    """
    if "submittedDate:" not in query:
        first, last = (f"{moment.astimezone(UTC):%Y%m%d%H%M}" for moment in (start, end + timedelta(days=1)))
        query = f"({query}) AND submittedDate:[{first} TO {last}]"
    endpoint = base.rstrip("/") if base.rstrip("/").endswith("/api/query") else f"{base.rstrip('/')}/api/query"
    terms = quote(query, safe=_SAFE_IN_QUERY + " ").replace(" ", "+")
    return f"{endpoint}?search_query={terms}&sortBy=submittedDate&sortOrder=descending&start=0&max_results={SLICE}"
