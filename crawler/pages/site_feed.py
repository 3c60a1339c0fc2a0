"""Any feed, read with the knowledge of its site: arXiv's own feeds, and releases of GitHub in any feed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from crawler.items import Page, RawItem, Reply
from crawler.pages import arxiv, github
from crawler.pages.feed import feed

# Seen 2026-11: https://rss.arxiv.org/rss/cs.LG
_ARXIV_FEED: Final = re.compile(
    r"https?://(?:rss\.arxiv\.org/|(?:www\.|export\.)?arxiv\.org/(?:rss|atom)/)", re.IGNORECASE
)
# Seen 2026-11: https://export.arxiv.org/api/query?search_query=cat:cs.LG
_ARXIV_API: Final = re.compile(r"https?://(?:www\.|export\.)?arxiv\.org/api/query", re.IGNORECASE)

_SITES: Final[tuple[tuple[re.Pattern[str], Callable[[Reply], Page]], ...]] = (
    (_ARXIV_FEED, arxiv.rss),
    (_ARXIV_API, arxiv.api),
)
"""Addresses of feeds that a site's own page function reads."""


def site_feed(reply: Reply) -> Page:
    """The entries of a feed; see `crawler.pages.feed.feed`, and for a feed of arXiv `crawler.pages.arxiv`.

    Returns:
        Items of kind `feed`, or of the site that has the entry.

    Raises:
        PageChanged, Blocked: as the page function that reads it.
    """
    read = next((page for address, page in _SITES if address.match(reply.url)), None)
    if read is not None:
        return read(reply)
    page = feed(reply)
    return replace(page, items=tuple(map(_at_its_site, page.items)))


def _at_its_site(item: RawItem) -> RawItem:
    """The item, or where it is a release of GitHub, that release: its own title names neither project nor version."""
    return github.release_of_entry(item) or item
