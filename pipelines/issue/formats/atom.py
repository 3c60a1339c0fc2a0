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
from pipelines.issue.escape import cleaned, printable_url
from pipelines.issue.formats.html import inner_html, rendered
from pipelines.issue.markdown import render
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

SUMMARY_CHARACTERS: Final = 500


def to_atom(issues: Sequence[Issue], newsletter: Newsletter, template: str) -> str:
    """The feed of the newest issues, newest first; the same for the same issues, whatever the time.

    An issue's `updated` is the last moment of its day: nothing of it says when it was touched.

    Args:
        issues: published ones.
        template: Jinja source of an issue's Markdown.
    """
    style = newsletter.publish
    shown = sorted(issues, key=lambda one: one.date, reverse=True)[: style.feed_entries]
    feed = FeedGenerator()
    site = printable_url(style.url)
    feed.id(site or _name(newsletter, "feed"))
    feed.title(_text(newsletter.title))
    feed.language("zh")
    feed.author({"name": _text(newsletter.editor)})
    feed.generator("jianbao")
    feed.updated(_end_of(shown[0].date if shown else date(1970, 1, 1), newsletter))
    if newsletter.tagline:
        feed.subtitle(_text(inline.plain(newsletter.tagline)))
    if style.licence:
        feed.rights(_text(style.licence))
    if site:
        feed.link({"href": site, "rel": "alternate", "type": "text/html"})
        feed.link({"href": urljoin(_folder(site), style.feed_address), "rel": "self", "type": "application/atom+xml"})
    for issue in shown:
        feed.add_entry(_entry(issue, newsletter, template, site), order="append")
    written: bytes = feed.atom_str(pretty=True)
    return written.decode()


def _entry(issue: Issue, newsletter: Newsletter, template: str, site: str | None) -> FeedEntry:
    entry = FeedEntry()
    address = urljoin(_folder(site), newsletter.publish.issue.format(date=issue.date)) if site else None
    headline = f" {inline.plain(issue.headline)}" if issue.headline else ""
    entry.id(address or _name(newsletter, str(issue.date)))
    entry.title(_text(f"{issue.title} ({issue.date}){headline}"))
    entry.updated(_end_of(issue.date, newsletter))
    entry.published(_end_of(issue.date, newsletter))
    if address:
        entry.link({"href": address, "rel": "alternate", "type": "text/html"})
    if issue.guide:
        entry.summary(_text(inline.plain(issue.guide))[:SUMMARY_CHARACTERS])
    body = render(replace(issue, front_matter=None, back_issues=None), newsletter, template)
    body = re.sub(r"\A\s*# .*\n", "", body)  # a reader shows the title itself
    entry.content(inner_html(rendered(body, address)).strip(), type="html")
    for section in issue.sections:
        entry.category({"term": _text(section.name)})
    return entry


def _text(text: str) -> str:
    """In one line, without what XML cannot hold; never empty, since an element has to say something.

    >>> _text("a\\x00b\\x0b\\ufffe")
    'ab'
    """
    return cleaned(re.sub("[\ufffe\uffff]", "", text)) or "-"


def _folder(site: str) -> str:
    return site if site.endswith("/") else f"{site}/"


def _end_of(day: date, newsletter: Newsletter) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=newsletter.zone)


def _name(newsletter: Newsletter, what: str) -> str:
    """An identifier that stays, for a newsletter without a site."""
    return uuid5(NAMESPACE_URL, f"jianbao:{newsletter.title}:{what}").urn
