"""arXiv: a query, by its API, else by OAI-PMH, else by the daily feed; or one of its daily feeds.

Domain: export.arxiv.org (API), oaipmh.arxiv.org, rss.arxiv.org (feeds).
Caveats: the answers change once a day, at midnight in New York. One request in three seconds, over all machines.
    A paper is dated by its submission and appears days later. The API answers 429 to single requests, for hours and
    without Retry-After (lukasschwab/arxiv.py#203); then the same query chooses here among the papers of another way.
API documentation: https://info.arxiv.org/help/api/user-manual.html, https://info.arxiv.org/help/oa,
    https://info.arxiv.org/help/rss.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from crawler.errors import Detail, NotUnderstood
from crawler.items import Ask, Page, Problem, RawItem
from crawler.markup.arxiv_query import Query, categories_of, matches, read_query
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading, Way

SLICE: Final = 200
"""Papers in one answer; the API allows 2,000 and asks for patience at more than a few hundred."""

FIRST_WINDOW: Final = timedelta(days=30)
OVERLAP: Final = timedelta(days=7)
"""A paper is dated by its submission and appears days later: after a week-end, after moderation."""

HARVEST_OVERLAP: Final = timedelta(days=1)
"""OAI-PMH dates a paper by its announcement, to the day."""

LONGEST_HARVEST: Final = timedelta(days=4)
"""A first run by OAI-PMH reaches back over a week-end: all papers of an archive come, some thousand a day."""

_HARVEST_SLICES: Final = 20

_SITE: Final = "https://export.arxiv.org"
_HARVEST: Final = "https://oaipmh.arxiv.org"
_FEEDS: Final = "https://rss.arxiv.org"
_SAFE_IN_QUERY: Final = ":()[]*"

# fmt: off
_PHYSICS: Final = (
    "astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nlin", "nucl-ex", "nucl-th",
    "physics", "quant-ph",
)
_ARCHIVES: Final = (*_PHYSICS, "cs", "econ", "eess", "math", "q-bio", "q-fin", "stat")
# fmt: on
"""Archives of arXiv (arxiv.org/category_taxonomy); in OAI-PMH those of physics are sets of `physics`."""


class ArxivSpider(SourceSpider):
    """Newest first, back to where the last run was, and a week further."""

    name = kind = "arxiv"
    reads_past_known = True

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The feed, or the first slice of the query's window."""
        source = reading.source
        if source.url:
            return [Ask(source.url, "arxiv.api" if "/api/query" in source.url else "arxiv.rss")]
        reading.notes["until"] = self.now.astimezone(UTC).isoformat(timespec="minutes")
        return [Ask(query_url(source.base_url or _SITE, self._dated_query(reading)), "arxiv.api")]

    def ways(self, reading: Reading) -> Iterable[Way]:
        """The API; for a query then OAI-PMH, then the daily feed, where a run of today finds the papers of today."""
        first = tuple(self.first_asks(reading))
        if reading.source.url:
            yield Way(first)
            return
        yield Way(first, Detail.of("way/arxiv-api"))
        try:
            query = read_query(self._dated_query(reading))
        except NotUnderstood as error:
            reading.warn("", [error.detail])
            return
        yield Way(tuple(self._harvest_asks(reading, query)), Detail.of("way/arxiv-oai"), slices=_HARVEST_SLICES)
        base = _own_site(reading) or _FEEDS
        feed = Ask(f"{base}/rss/{'+'.join(_feed_names(query))}", "arxiv.rss", shared=True)
        yield Way((feed,), Detail.of("way/arxiv-rss"), reaches_back=False)

    def leaves_way(self, problem: Problem) -> bool:
        """Whether another way may do better: a query that the API does not understand has no answer anywhere."""
        return problem.error != "SourceMisconfigured" or "/api/query" not in problem.url

    def choose_items(self, reading: Reading, ask: Ask, page: Page) -> Page:
        """Of a harvest and of a shared feed, the papers of the source's query that are new."""
        if not ask.shared:
            return page
        query = read_query(self._dated_query(reading))
        start = self._window(reading)[0]
        chosen = (item for item in page.items if _is_recent(item, start) and matches(query, item))
        return replace(page, items=tuple(chosen))

    def _window(self, reading: Reading) -> tuple[datetime, datetime]:
        since = reading.state.cursor.get("until")
        start = datetime.fromisoformat(since) - OVERLAP if since else self.now - FIRST_WINDOW
        return start, self.now

    def _dated_query(self, reading: Reading) -> str:
        return dated_query(reading.source.query or "", *self._window(reading))

    def _harvest_asks(self, reading: Reading, query: Query) -> Iterable[Ask]:
        since = reading.state.cursor.get("until")
        start = datetime.fromisoformat(since) - HARVEST_OVERLAP if since else self.now - LONGEST_HARVEST
        base = _own_site(reading) or _HARVEST
        for archive in _archives(query):
            fields = {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": f"{start.astimezone(UTC):%Y-%m-%d}"}
            limit = {"set": f"physics:{archive}" if archive in _PHYSICS else archive} if archive else {}
            yield Ask(f"{base}/oai?{urlencode(fields | limit, safe=':')}", "arxiv.oai", shared=True)


def _own_site(reading: Reading) -> str:
    """The host of a row's own, which stands for all three of arXiv's; empty without one."""
    base = (reading.source.base_url or "").rstrip("/")
    return base.removesuffix("/api/query")


def _archives(query: Query) -> list[str]:
    """The archives that hold all papers of a query; an empty name stands for all of them.

    >>> _archives(read_query("cat:cs.LG OR cat:eess.IV OR cat:cs.CV"))
    ['cs', 'eess']
    """
    categories = categories_of(query) or ()
    archives = sorted({category.partition(".")[0].rstrip("*") for category in categories})
    return archives if archives and set(archives) <= set(_ARCHIVES) else [""]


def _feed_names(query: Query) -> list[str]:
    """The categories whose daily feeds hold all new papers of a query, as the feeds are called.

    >>> _feed_names(read_query("(cat:cs.LG OR cat:eess.*) AND all:pruning"))
    ['cs.LG', 'eess']
    """
    if _archives(query) == [""]:
        return list(_ARCHIVES)
    names = (category.rstrip("*").rstrip(".").partition(".") for category in categories_of(query) or ())
    return sorted(
        f"{archive}{dot}{subject if archive in _LOWER else subject.upper()}" for archive, dot, subject in names
    )


_LOWER: Final = frozenset({"cond-mat", "physics"})
"""Archives that write their subjects in lower case: `cond-mat.str-el`."""


def _is_recent(item: RawItem, start: datetime) -> bool:
    """Whether a paper is new: no replacement of a daily feed, and by its name not of a month before the window.

    Source: arXiv names a paper by year and month of its submission (info.arxiv.org/help/arxiv_identifier.html).
    """
    if item.facts.get("announce_type", "").startswith("replace"):
        return False
    name = item.ids[0].removeprefix("arxiv:")
    return "/" not in name and name >= f"{start.astimezone(UTC):%y%m}"


def dated_query(query: str, start: datetime, end: datetime) -> str:
    """The query with the dates of its window; one that has dates of its own keeps them.

    The API takes no other date than `submittedDate`, in GMT (info.arxiv.org/help/api/user-manual.html, 5.1).

    Args:
        query: in arXiv's own syntax.
        start, end: aware; papers submitted from `start` to a day after `end`.
    """
    if "submittedDate:" in query:
        return query
    first, last = (f"{moment.astimezone(UTC):%Y%m%d%H%M}" for moment in (start, end + timedelta(days=1)))
    return f"({query}) AND submittedDate:[{first} TO {last}]"


def query_url(base: str, query: str) -> str:
    """The address of the first slice of a query.

    Args:
        base: of the API: scheme and host, or the whole address up to `/api/query`.
        query: in arXiv's own syntax, with its dates.

    >>> day = datetime(2025, 11, 7, tzinfo=UTC)
    >>> query_url("https://export.arxiv.org", dated_query("cat:cs.LG", day, day)).partition("&")[0]
    'https://export.arxiv.org/api/query?search_query=(cat:cs.LG)+AND+submittedDate:[202511070000+TO+202511080000]'
    """
    endpoint = base.rstrip("/") if base.rstrip("/").endswith("/api/query") else f"{base.rstrip('/')}/api/query"
    terms = quote(query, safe=_SAFE_IN_QUERY + " ").replace(" ", "+")
    return f"{endpoint}?search_query={terms}&sortBy=submittedDate&sortOrder=descending&start=0&max_results={SLICE}"
