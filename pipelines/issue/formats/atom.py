"""Issues -> a feed of them: Atom (RFC 4287), an entry an issue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Final
from urllib.parse import urljoin
from uuid import NAMESPACE_URL, uuid5

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from pipelines.issue import inline
from pipelines.issue.escape import clean_line, make_printable_url
from pipelines.issue.formats.html import render_inner_html, render_tree
from pipelines.issue.markdown import render_issue
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

SUMMARY_CHARACTERS: Final = 500


def render_atom(issues: Sequence[Issue], newsletter: Newsletter, template: str) -> str:
    """Write the feed of the newest issues, newest first. The same issues give the same feed at any time.

    An issue's `updated` is the last moment of its day, because an issue does not record its later changes.

    Args:
        issues: published issues.
        newsletter: `[publish]` has the site's address, the licence and the length of the feed.
        template: Jinja source of an issue's Markdown.

    Returns:
        The XML document.
    """
    style = newsletter.publish
    newest = sorted(issues, key=lambda issue: issue.date, reverse=True)[: style.feed_entries]
    feed = FeedGenerator()
    site = make_printable_url(style.url)
    feed.id(site or _make_identifier(newsletter, "feed"))
    feed.title(_clean_xml(newsletter.title))
    feed.language("zh")
    feed.author({"name": _clean_xml(newsletter.editor)})
    feed.generator("jianbao")
    feed.updated(_find_end_of_day(newest[0].date if newest else date(1970, 1, 1), newsletter))
    if newsletter.tagline:
        feed.subtitle(_clean_xml(inline.strip_marks(newsletter.tagline)))
    if style.licence:
        feed.rights(_clean_xml(style.licence))
    if site:
        feed.link({"href": site, "rel": "alternate", "type": "text/html"})
        feed.link(
            {"href": urljoin(_end_with_slash(site), style.feed_address), "rel": "self", "type": "application/atom+xml"}
        )
    for issue in newest:
        feed.add_entry(_make_entry(issue, newsletter, template, site), order="append")
    document: bytes = feed.atom_str(pretty=True)
    return document.decode()


def _make_entry(issue: Issue, newsletter: Newsletter, template: str, site: str | None) -> FeedEntry:
    entry = FeedEntry()
    address = urljoin(_end_with_slash(site), newsletter.publish.issue.format(date=issue.date)) if site else None
    headline = f" {inline.strip_marks(issue.headline)}" if issue.headline else ""
    entry.id(address or _make_identifier(newsletter, str(issue.date)))
    entry.title(_clean_xml(f"{issue.title} ({issue.date}){headline}"))
    entry.updated(_find_end_of_day(issue.date, newsletter))
    entry.published(_find_end_of_day(issue.date, newsletter))
    if address:
        entry.link({"href": address, "rel": "alternate", "type": "text/html"})
    if issue.guide:
        entry.summary(_clean_xml(inline.strip_marks(issue.guide))[:SUMMARY_CHARACTERS])
    body = render_issue(replace(issue, front_matter=None, back_issues=None), newsletter, template)
    body = re.sub(r"\A\s*# .*\n", "", body)  # a feed reader shows the title itself
    entry.content(render_inner_html(render_tree(body, address)).strip(), type="html")
    for section in issue.sections:
        entry.category({"term": _clean_xml(section.name)})
    return entry


def _clean_xml(text: str) -> str:
    """Make one line of a text, without characters that XML cannot hold; `-` for an empty text, as Atom wants a text.

    >>> _clean_xml("a\\x00b\\x0b\\ufffe")
    'ab'
    """
    return clean_line(re.sub("[\ufffe\uffff]", "", text)) or "-"


def _end_with_slash(site: str) -> str:
    return site if site.endswith("/") else f"{site}/"


def _find_end_of_day(day: date, newsletter: Newsletter) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=newsletter.zone)


def _make_identifier(newsletter: Newsletter, part: str) -> str:
    """Make an identifier that never changes, for a newsletter without a site."""
    return uuid5(NAMESPACE_URL, f"jianbao:{newsletter.title}:{part}").urn
