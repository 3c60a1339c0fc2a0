"""Feeds that are read with the knowledge of their site."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from crawler.items import Reply
from crawler.pages import PAGES

FETCHED_AT = datetime(2026, 11, 20, tzinfo=UTC)


def entries(body: str, url: str) -> list[tuple[str, str, str | None, str | None]]:
    page = PAGES["feed"](Reply(url, 200, {}, body.encode(), FETCHED_AT))
    return [(item.kind, item.title, item.published, item.updated) for item in page.items]


def test_a_release_names_project_and_version_in_whatever_feed_it_comes() -> None:
    rows = "".join(
        f"<entry><title>{title}</title><updated>2026-11-16T02:00:00Z</updated>"
        f"<link rel='alternate' href='https://github.com/example-lab/kit/releases/tag/{tag}'/></entry>"
        for tag, title in (("20261116", "20261116"), ("v0.2.0", "Alicanto :rocket:"), ("v0.1.0", ""))
    )
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Releases</title>{rows}</feed>"
    for url in ("https://github.com/example-lab/kit/releases.atom", "https://planet.example/feed.xml"):
        titles = [(kind, title) for kind, title, _, _ in entries(feed, url)]
        assert titles[:2] == [("github", "kit 20261116"), ("github", "kit v0.2.0: Alicanto 🚀")]


def test_a_replaced_paper_is_not_todays_though_its_feed_comes_as_any_other() -> None:
    described = escape("arXiv:2301.00001v5 Announce Type: replace-cross \nAbstract: We prune.")
    item = (
        "<item><title>Pruning</title><link>https://arxiv.org/abs/2301.00001</link>"
        f"<description>{described}</description><guid>oai:arXiv.org:2301.00001v5</guid>"
        "<pubDate>Mon, 16 Nov 2026 00:00:00 -0500</pubDate></item>"
    )
    feed = f"<rss version='2.0'><channel><title>cs.LG updates</title>{item}</channel></rss>"
    for url in ("https://rss.arxiv.org/rss/cs.LG", "https://export.arxiv.org/rss/cs.LG"):
        ((kind, title, published, updated),) = entries(feed, url)
        assert (kind, title, published, updated) == ("arxiv", "Pruning", None, "Mon, 16 Nov 2026 00:00:00 -0500")


def test_a_story_of_hacker_news_is_the_linked_page_with_its_discussion_in_whatever_feed_it_comes() -> None:
    own = (
        "<item><title>A kettle in four bits</title><link>https://kettle.example/4</link>"
        "<comments>https://news.ycombinator.com/item?id=45912345</comments><description>Comments</description></item>"
    )
    hnrss = (
        "<item><title>Ask HN: Which kettle?</title><link>https://news.ycombinator.com/item?id=45912346</link>"
        "<description>&lt;p&gt;I boil a lot of water on small machines.&lt;/p&gt;&lt;p&gt;Points: 57&lt;/p&gt;"
        "&lt;p&gt;# Comments: 12&lt;/p&gt;</description><guid>https://news.ycombinator.com/item?id=45912346</guid></item>"
    )
    blog = (
        "<item><title>Our kettle</title><link>https://kettle.example/5</link>"
        "<comments>https://kettle.example/5#comments</comments></item>"
    )
    feed = f"<rss version='2.0'><channel><title>A planet</title>{own}{hnrss}{blog}</channel></rss>"
    for url in ("https://news.ycombinator.com/rss", "https://planet.example/feed.xml"):
        linked, post, other = PAGES["feed"](Reply(url, 200, {}, feed.encode(), FETCHED_AT)).items
        assert (linked.kind, linked.url, linked.ids) == ("hn", "https://kettle.example/4", ("hn:45912345",))
        assert [link.url for link in linked.links] == ["https://news.ycombinator.com/item?id=45912345"]
        assert linked.summary is None
        assert (post.kind, post.ids, post.metrics) == ("hn", ("hn:45912346",), {"points": 57, "comments": 12})
        assert "small machines" in (post.html or "")
        assert (other.kind, dict(other.facts)) == ("feed", {})
