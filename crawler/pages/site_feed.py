"""Any feed, read with the knowledge of its site: arXiv's feeds; releases and Hacker News stories in any feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from crawler.items import Page, RawItem, Reply
from crawler.pages import arxiv, github, hn
from crawler.pages.feed import feed
from crawler.sites import find_route

_READERS: Final[Mapping[str, Callable[[Reply], Page]]] = {"arxiv.rss": arxiv.rss, "arxiv.api": arxiv.api}
"""Page functions of feeds that their site's own page function reads."""


def site_feed(reply: Reply) -> Page:
    """The entries of a feed; see `crawler.pages.feed.feed`, and for a feed of arXiv `crawler.pages.arxiv`.

    Returns:
        Items of kind `feed`, or of the site that has the entry.

    Raises:
        PageChanged, Blocked: as the page function that reads it.
    """
    route = find_route(reply.url)
    if route is not None and route.page in _READERS:
        return _READERS[route.page](reply)
    page = feed(reply)
    return replace(page, items=tuple(map(_at_its_site, page.items)))


def _at_its_site(item: RawItem) -> RawItem:
    """The item, or the release of GitHub or the story of Hacker News that it is: its site knows more of it."""
    return github.release_of_entry(item) or hn.story_of_entry(item) or item
