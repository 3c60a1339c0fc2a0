"""Feeds of all makes: RSS, Atom, RDF, JSON Feed.

Domain: any.
Caveats: a feed holds the newest entries only; what leaves it between two runs is lost.
API documentation: https://www.rssboard.org/rss-specification, RFC 4287 (Atom), https://www.jsonfeed.org/version/1.1/.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.items import Ask
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading
from crawler.spiders.route import list_ask_for


class FeedSpider(SourceSpider):
    """One request a feed."""

    name = kind = "feed"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The feed's own address; a list of a site that we know better is asked for as that site wants it."""
        return [list_ask_for(reading.source.url or "")]
