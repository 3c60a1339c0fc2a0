"""Issues -> a feed of them: Atom (RFC 4287), an entry an issue.

A feed reader knows an issue by its `id` and learns of a correction by `updated`. The store remembers both; so does the
feed that was exported before, for a newsroom that is made anew from its files. Neither an `id` nor an `updated` changes
while an issue's text stays, whatever the newsletter is called and wherever it lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from itertools import count
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
    """An issue as a feed has it: its identifier, the times of its first and its last text, title, summary, content."""

    id: str
    published: datetime
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
            if published.tzinfo is None or updated.tzinfo is None or not values["id"]:
                continue
            entries[published.astimezone(newsletter.zone).date()] = ExportedEntry(
                published=published, updated=updated, **values
            )
        return cls(feed.findtext(f"{_ATOM}id") or None, entries)

    def get_ids(self) -> dict[date | None, str]:
        """Get the identifiers by the date of their issue; that of the feed itself has no date."""
        ids: dict[date | None, str] = {day: entry.id for day, entry in self.entries.items()}
        return ids | ({None: self.id} if self.id else {})


@dataclass(frozen=True, slots=True)
class FeedMemory:
    """What a newsroom remembers of its feed.

    Args:
        ids: identifiers by the date of their issue; that of the feed itself has no date.
        corrections: when each corrected issue was last changed after it was published, by date; aware.
    """

    ids: Mapping[date | None, str] = field(default_factory=dict)
    corrections: Mapping[date, datetime] = field(default_factory=dict)


def render_atom(
    issues: Sequence[Issue],
    newsletter: Newsletter,
    template: str,
    *,
    now: datetime,
    exported: ExportedFeed | None = None,
    memory: FeedMemory | None = None,
) -> str:
    """Write the feed of the newest issues, newest first.

    An issue's `updated` is the last moment of its day, or now if its day is not over. After a correction it is the
    moment of the correction; after another change of its text, by the template, it is now.

    Args:
        issues: published issues.
        newsletter: `[publish]` has the site's address, the licence and the length of the feed.
        template: Jinja source of an issue's Markdown.
        now: the current time, aware.
        exported: the feed as it was exported before; the same issues then give the same feed at any time.
        memory: what the newsroom remembers; its identifiers go before those of the exported feed.

    Returns:
        The XML document.
    """
    style = newsletter.publish
    exported, memory = exported or ExportedFeed(), memory or FeedMemory()
    newest = sorted(issues, key=lambda issue: issue.date, reverse=True)[: style.feed_entries]
    feed = FeedGenerator()
    site = make_printable_url(style.url)
    ids = _find_ids([issue.date for issue in newest], newsletter, exported, memory)
    feed.id(ids[None])
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
    entries = []
    for issue in newest:
        entry = _make_entry(issue, newsletter, template, site)
        entry.id(ids[issue.date])
        corrected_at = memory.corrections.get(issue.date)
        _date_entry(entry, issue.date, newsletter, exported.entries.get(issue.date), corrected_at, now)
        entries.append(entry)
        feed.add_entry(entry, order="append")
    feed.updated(max((entry.updated() for entry in entries), default=datetime(1970, 1, 1, tzinfo=newsletter.zone)))
    document: bytes = feed.atom_str(pretty=True)
    return document.decode()


def _make_entry(issue: Issue, newsletter: Newsletter, template: str, site: str | None) -> FeedEntry:
    """Make the entry of an issue, still without identifier and times."""
    entry = FeedEntry()
    page = newsletter.fill_template(newsletter.publish.issue, issue.date, number=issue.number, slug=issue.slug)
    address = urljoin(_end_with_slash(site), page) if site else None
    headline = f" {inline.strip_marks(issue.headline)}" if issue.headline else ""
    entry.title(_clean_xml(f"{issue.title or newsletter.title} ({issue.date}){headline}"))
    if address:
        entry.link({"href": address, "rel": "alternate", "type": "text/html"})
    summary = _clean_xml(inline.strip_marks(issue.guide))[:SUMMARY_CHARACTERS] if issue.guide else ""
    if summary:
        entry.summary(summary)
    body = render_issue(replace(issue, front_matter=None, back_issues=None), newsletter, template)
    if issue.title_in == "heading":
        body = re.sub(r"\A\s*# .*\n", "", body)  # a feed reader shows the title itself
    entry.content(render_inner_html(render_tree(body, address)).strip(), type="html")
    for section in issue.main_sections:
        entry.category({"term": _clean_xml(section.name)})
    return entry


def _date_entry(  # noqa: PLR0917 - the times of an entry follow from as many values
    entry: FeedEntry,
    day: date,
    newsletter: Newsletter,
    exported: ExportedEntry | None,
    corrected_at: datetime | None,
    now: datetime,
) -> None:
    """Set `published` and `updated` of an entry; neither stands in the future, except for an issue of a later day."""
    end_of_day = datetime.combine(day, time(23, 59, 59), tzinfo=newsletter.zone)
    is_today = now.astimezone(newsletter.zone).date() == day
    published = exported.published if exported is not None else end_of_day
    entry.published((min(published, now) if is_today else published).astimezone(newsletter.zone))
    if exported is None:
        updated = max(end_of_day, corrected_at or end_of_day)
    elif (exported.title, exported.summary, exported.content) == _find_texts(entry):
        updated = exported.updated
    else:
        updated = corrected_at if corrected_at is not None and corrected_at > exported.updated else now
    entry.updated(min(updated, now).astimezone(newsletter.zone))


def _find_texts(entry: FeedEntry) -> tuple[str, str, str]:
    """Find title, summary and content of an entry."""
    return entry.title(), (entry.summary() or {}).get("summary") or "", entry.content()["content"]


def _clean_xml(text: str) -> str:
    """Make one line of a text, without characters that XML cannot hold; `-` for an empty text, as Atom wants a text.

    >>> _clean_xml("a\\x00b\\x0b\\ufffe")
    'ab'
    """
    return clean_line(re.sub("[\ufffe\uffff]", "", text)) or "-"


def _end_with_slash(site: str) -> str:
    return site if site.endswith("/") else f"{site}/"


def _find_ids(
    days: Sequence[date], newsletter: Newsletter, exported: ExportedFeed, memory: FeedMemory
) -> dict[date | None, str]:
    """Find the identifiers of the feed and of its issues; a new one depends on no address of an issue.

    Args:
        days: the dates of the issues, in the feed's order.
        newsletter: names the new identifiers.
        exported, memory: what is known already; the memory goes first.

    Returns:
        Identifiers by date, no two of them equal; that of the feed itself has no date.
    """
    ids: dict[date | None, str] = {}
    used = set(memory.ids.values())
    for day in (None, *days):
        identifier = memory.ids.get(day)
        if identifier is None:
            identifier = exported.get_ids().get(day)
            if identifier is None or identifier in used:
                identifier = next(name for name in _make_identifiers(newsletter, day) if name not in used)
            used.add(identifier)
        ids[day] = identifier
    return ids


def _make_identifiers(newsletter: Newsletter, day: date | None) -> Iterator[str]:
    """Make identifiers for an issue, or for the feed: `urn:uuid:` of `[publish] id`, or else of the site or title."""
    publish = newsletter.publish
    name = publish.id or make_printable_url(publish.url) or newsletter.title
    part = "feed" if day is None else str(day)
    yield uuid5(NAMESPACE_URL, f"jianbao:{name}:{part}").urn
    for number in count(2):
        yield uuid5(NAMESPACE_URL, f"jianbao:{name}:{part}:{number}").urn
