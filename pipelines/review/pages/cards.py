"""Candidates as cards: what an editor needs to see of a story, ready to be put into a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pipelines.group.candidates import as_of
from pipelines.group.relevance import PROMOTION
from pipelines.issue.entry import read_summary, read_title
from pipelines.issue.escape import clean_line, make_printable_url
from pipelines.issue.sections import find_slot
from pipelines.model import Candidate, CandidateState, Issue, Reason, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.newsroom.decisions import current_entries, read_versions
from pipelines.store import Transaction
from pipelines.store.listing import CandidateQuery


@dataclass(frozen=True, slots=True)
class Report:
    """An article of a story: the lead, or another report."""

    id: int
    title: str
    url: str
    host: str
    source: str
    author: str
    when: str
    at: datetime
    kind: str
    language: str
    revision: int


@dataclass(frozen=True, slots=True)
class Card:
    """A story as it is shown.

    Args:
        version: sent back with each action.
        title, summary: of the entry that it has or would have, plain text.
        lead, others: the article to link, and the other reports.
        links: label, address and what of it is shown.
        evidence: kind and detail, each pair once.
        promotion: of which sort it is; empty for none.
        category_share: how sure the category is, in per cent.
        issue: the draft that it stands in.
        follows: the issue that printed what this is the sequel of.
    """

    id: int
    version: str
    title: str
    summary: str
    lead: Report
    others: Sequence[Report]
    links: Sequence[tuple[str, str, str]]
    evidence: Sequence[tuple[str, str]]
    reasons: Sequence[Reason]
    score: float
    category: str
    category_share: int
    promotion: str
    state: CandidateState
    published_in: date | None
    issue: date | None
    follows: date | None


@dataclass(frozen=True, slots=True)
class Tab:
    """A category over the list.

    Args:
        count: candidates wanted.
        quota, picked: how many the issue wants and has.
    """

    name: str
    count: int
    quota: int
    picked: int

    @property
    def full(self) -> bool:
        """Whether the issue has as many as it wants."""
        return 0 < self.quota <= self.picked


def cards(tx: Transaction, candidates: Sequence[Candidate], newsletter: Newsletter, now: datetime) -> list[Card]:
    """Cards of candidates, in the order given.

    Args:
        candidates: with their score as of today, or without.
        now: what times are told from.
    """
    entries = current_entries(tx, candidates, newsletter)
    seen = read_versions(tx, candidates)
    drafts = tx.issues.list_drafts()
    return [
        _card(one, entries[one.story.id].markdown, seen[one.story.id], drafts, newsletter, now) for one in candidates
    ]


def card(tx: Transaction, candidate: Candidate, newsletter: Newsletter, now: datetime) -> Card:
    """The card of one candidate as the store has it."""
    return cards(tx, [as_of(candidate, now)], newsletter, now)[0]


def tabs(
    tx: Transaction, wanted: CandidateQuery, newsletter: Newsletter, counts: dict[str, int] | None = None
) -> list[Tab]:
    """The newsletter's categories, with what is wanted of each and what the newest draft has; what none claims last."""
    counts = tx.stories.count_by_category(wanted) if counts is None else counts
    newest = max(tx.issues.list_drafts(), key=lambda issue: issue.date, default=None)
    picked: dict[str, int] = {}
    for section in newest.sections if newest else ():
        category = newsletter.category(section.name)
        name = category.name if category else section.name
        picked[name] = picked.get(name, 0) + len(section.entries)
    quotas = {one.name: one.quota for one in newsletter.categories}
    names = dict.fromkeys((*quotas, *counts))
    return [Tab(name, counts.get(name, 0), quotas.get(name, 0), picked.get(name, 0)) for name in names]


def _card(  # noqa: PLR0917 - a card is made of so much
    one: Candidate, markdown: str, version: str, drafts: Sequence[Issue], newsletter: Newsletter, now: datetime
) -> Card:
    lead = one.lead
    place = find_slot(one, drafts)
    sort = next((reason.text for reason in one.reasons if reason.text.startswith(PROMOTION)), "")
    shares = one.category_scores
    return Card(
        id=one.story.id,
        version=version,
        title=read_title(markdown, newsletter) or lead.article.title,
        summary=read_summary(markdown, newsletter),
        lead=_report(lead, now, newsletter.zone),
        others=[_report(other, now, newsletter.zone) for other in one.articles if other is not lead],
        links=[(link.label, url, _short(url)) for link in one.links if (url := make_printable_url(link.url))],
        evidence=list(dict.fromkeys((edge.kind, edge.detail) for edge in one.story.evidence)),
        reasons=[reason for reason in one.reasons if abs(reason.weight) >= 0.05],
        score=one.score,
        category=one.category,
        category_share=round(100 * shares.get(one.category, 0)),
        promotion=sort.removeprefix(PROMOTION),
        state=one.state,
        published_in=one.published_in,
        issue=place.issue if place else None,
        follows=one.follows,
    )


def _report(stored: StoredArticle, now: datetime, zone: ZoneInfo) -> Report:
    article = stored.article
    url = "" if article.temporary else make_printable_url(article.url) or ""
    return Report(
        id=stored.id,
        title=clean_line(article.title) or article.url,
        url=url,
        host=shown_host(url),
        source=article.publisher or article.source,
        author=article.author or "",
        when=told(article.published.at, now, zone),
        at=article.published.at.astimezone(zone),
        kind=article.kind,
        language=article.language,
        revision=stored.revision,
    )


def told(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A day as an editor tells it: month and day, with the year where it is another one.

    >>> night, noon = datetime.fromisoformat("2026-03-02T20:00Z"), datetime.fromisoformat("2026-03-05T12:00Z")
    >>> told(night, noon, ZoneInfo("Asia/Shanghai"))
    '03-03'
    """
    day, today = at.astimezone(zone), now.astimezone(zone)
    return f"{day:%m-%d}" if day.year == today.year else f"{day:%Y-%m-%d}"


def shown_host(url: str) -> str:
    """The host of an address, in the letters that the network knows: what only looks like another name shows.

    >>> shown_host("https://gíthub.com/x"), shown_host("https://mp.weixin.qq.com/s/a")
    ('xn--gthub-zsa.com', 'mp.weixin.qq.com')
    """
    host = urlsplit(url).hostname or ""
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode()


def _short(url: str) -> str:
    parts = urlsplit(url)
    return f"{shown_host(url)}{parts.path}".removeprefix("www.").rstrip("/")
