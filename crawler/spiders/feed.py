"""Feeds of all makes: RSS, Atom, RDF, JSON Feed."""

from __future__ import annotations

from collections.abc import Iterable

from crawler.items import Ask
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading


class FeedSpider(SourceSpider):
    """One request a feed."""

    name = kind = "feed"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The feed's own address."""
        return [Ask(reading.source.url or "", "feed")]
