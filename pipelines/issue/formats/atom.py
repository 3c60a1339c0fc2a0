"""Issues -> a feed of them: Atom (RFC 4287), an entry an issue.

A feed reader knows an issue by its `id` and learns of a correction by `updated`. So the feed that was exported before
is read first: each issue keeps its `id`, and keeps its `updated` while its text stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Final
from urllib.parse import urljoin
from uuid import NAMESPACE_URL, uuid5

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from pipelines.issue import inline
from pipelines.issue.escape import clean_line, make_printable_url
from pipelines.issue.formats.html import render_inner_html, render_tree
from pipelines.issue.markdown import render_issue
from pipelines.model import Issue
from pipelines.newsletter import Newsletter

SUMMARY_CHARACTERS: Final = 500

_ATOM: Final = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """An issue as a feed has it: its identifier, the time of its last change, its title, summary and content."""

    id: str
    updated: datetime
    title: str
    summary: str
    content: str


@dataclass(frozen=True, slots=True)
class ExportedFeed:
    """A feed that was exported before: its identifier, and its entries by the issue's date."""

    id: str | None = None
    entries: Mapping[date, ExportedEntry] = field(default_factory=dict)

    @classmethod
    def read(cls, document: str, newsletter: Newsletter) -> ExportedFeed:
        """Read a feed that `render_atom` wrote; a text that is no such feed gives an empty one.

        Args:
            document: the XML.
            newsletter: its time zone dates the issues.
        """
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        try:
            feed = etree.fromstring(document.encode(), parser)
        except etree.XMLSyntaxError:
            return cls()
        entries = {}
        for entry in feed.iter(f"{_ATOM}entry"):
            values = {name: entry.findtext(f"{_ATOM}{name}") or "" for name in ("id", "title", "summary", "content")}
            try:
                published = datetime.fromisoformat(entry.findtext(f"{_ATOM}published") or "")
                updated = datetime.fromisoformat(entry.findtext(f"{_ATOM}updated") or "")
            except ValueError:
                continue
            entries[published.astimezone(newsletter.zone).date()] = ExportedEntry(updated=updated, **values)
        return cls(feed.findtext(f"{_ATOM}id"), entries)


def render_atom(
    issues: Sequence[Issue],
    newsletter: Newsletter,
    template: str,
    *,
    now: datetime,
    exported: ExportedFeed | None = None,
) -> str:
    """Write the feed of the newest issues, newest first.

    An issue's `updated` is the last moment of its day, or now if its day is not over; after a correction it is now.

    Args:
        issues: published issues.
        newsletter: `[publish]` has the site's address, the licence and the length of the feed.
        template: Jinja source of an issue's Markdown.
        now: the current time, aware.
        exported: the feed as it was exported before; the same issues then give the same feed at any time.

    Returns:
        The XML document.
    """
    style = newsletter.publish
    exported = exported or ExportedFeed()
    newest = sorted(issues, key=lambda issue: issue.date, reverse=True)[: style.feed_entries]
    feed = FeedGenerator()
    site = make_printable_url(style.url)
    feed.id(exported.id or _make_identifier(newsletter, "feed") or site)
    feed.title(_clean_xml(newsletter.title))
    feed.language(newsletter.language)
    feed.author({"name": _clean_xml(newsletter.editor)})
    feed.generator("jianbao")
    if newsletter.tagline:
        feed.subtitle(_clean_xml(inline.strip_marks(newsletter.tagline)))
    if style.licence:
        feed.rights(_clean_xml(style.licence))
    if site:
        feed.link({"href": site, "rel": "alternate", "type": "text/html"})
        feed.link(
            {"href": urljoin(_end_with_slash(site), style.feed_address), "rel": "self", "type": "application/atom+xml"}
        )
    entries = [
        _make_entry(issue, newsletter, template, site, exported.entries.get(issue.date), now) for issue in newest
    ]
    for entry in entries:
        feed.add_entry(entry, order="append")
    feed.updated(max((entry.updated() for entry in entries), default=datetime(1970, 1, 1, tzinfo=newsletter.zone)))
    document: bytes = feed.atom_str(pretty=True)
    return document.decode()


def _make_entry(  # noqa: PLR0917 - an entry is made of six values
    issue: Issue,
    newsletter: Newsletter,
    template: str,
    site: str | None,
    exported: ExportedEntry | None,
    now: datetime,
) -> FeedEntry:
    entry = FeedEntry()
    page = newsletter.fill_template(newsletter.publish.issue, issue.date, number=issue.number, slug=issue.slug)
    address = urljoin(_end_with_slash(site), page) if site else None
    headline = f" {inline.strip_marks(issue.headline)}" if issue.headline else ""
    title = _clean_xml(f"{issue.title} ({issue.date}){headline}")
    end_of_day = _find_end_of_day(issue.date, newsletter)
    entry.id(exported.id if exported else _make_identifier(newsletter, str(issue.date)) or address)
    entry.title(title)
    entry.published(end_of_day)
    if address:
        entry.link({"href": address, "rel": "alternate", "type": "text/html"})
    summary = _clean_xml(inline.strip_marks(issue.guide))[:SUMMARY_CHARACTERS] if issue.guide else ""
    if summary:
        entry.summary(summary)
    body = render_issue(replace(issue, front_matter=None, back_issues=None), newsletter, template)
    if issue.title_in == "heading":
        body = re.sub(r"\A\s*# .*\n", "", body)  # a feed reader shows the title itself
    content = render_inner_html(render_tree(body, address)).strip()
    entry.content(content, type="html")
    if exported is None:
        entry.updated(min(end_of_day, now))
    else:
        same = (exported.title, exported.summary, exported.content) == (title, summary, content)
        entry.updated(exported.updated if same else now)
    for section in issue.main_sections:
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


def _make_identifier(newsletter: Newsletter, part: str) -> str | None:
    """Make an identifier that depends on no address: of `[publish] id`, or of the title where there is no site.

    Returns:
        A `urn:uuid:`; None for a newsletter that has a site and no `[publish] id`: its addresses are its identifiers.
    """
    name = newsletter.publish.id or ("" if make_printable_url(newsletter.publish.url) else newsletter.title)
    return uuid5(NAMESPACE_URL, f"jianbao:{name}:{part}").urn if name else None
