"""Candidates as cards: the title, the reports, the reasons and the state of a story, ready for a template."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crawler.errors import Failure
from pipelines.errors import describe_failure
from pipelines.group.candidates import as_of
from pipelines.group.origins import find_copies, find_first_report, find_origins, list_milestones
from pipelines.issue.entry import read_entry, read_summary
from pipelines.issue.escape import clean_line, make_printable_url
from pipelines.issue.sections import find_slot
from pipelines.model import Candidate, CandidateState, Evidence, Issue, Reason, RecalledEntry, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.newsroom.crawling.pages import read_failure
from pipelines.newsroom.editing.decisions import current_entries, read_versions
from pipelines.newsroom.stages.round_ups import RoundUpMention, find_round_ups
from pipelines.store import Transaction
from pipelines.store.listing import CandidateQuery
from pipelines.wording import Language, say

CLOSE: Final = 0.1
"""Largest difference of the scores of two categories between which a card leaves the choice to the editor."""


@dataclass(frozen=True, slots=True)
class Report:
    """An article of a story: the lead, or another report.

    Args:
        url: safe to link; empty for a temporary address.
        host: of the URL, in ASCII.
        source: the publisher, else the source.
        day: of publication, short.
        published_at: in the newsletter's zone.
        revision: 1 for an article that never changed."""

    id: int
    title: str
    url: str
    host: str
    source: str
    author: str
    day: str
    published_at: datetime
    kind: str
    language: str
    revision: int


_PAGE_TEXTS: Final = {"fetching": "desk/page-fetching", "came": "desk/page-came", "failed": "desk/page-failed"}


@dataclass(frozen=True, slots=True)
class PageState:
    """Where the fetch of a picked story's page stands.

    Args:
        code: `fetching`, `came`, `failed`.
        failure: the reason and the remedy of a failed fetch.
    """

    code: Literal["fetching", "came", "failed"]
    failure: Failure | None = None

    def text(self, language: Language) -> str:
        """The state in the reader's language, with the reason and the remedy of a failure."""
        reason = describe_failure(self.failure, language, "") if self.failure else ""
        return say(_PAGE_TEXTS[self.code], {"reason": reason}, language)


def read_page_states(
    tx: Transaction, leads: Mapping[int, StoredArticle], running: Container[int]
) -> dict[int, PageState]:
    """Read where the fetches of pages stand, by story id; a story whose page nobody fetched has none.

    Args:
        tx: reads the checks of addresses.
        leads: the lead article of each story.
        running: ids of stories whose pages are being fetched.
    """
    checks = tx.snapshots.get_link_checks(lead.article.url for lead in leads.values())
    states: dict[int, PageState] = {}
    for story_id, lead in leads.items():
        article = lead.article
        if story_id in running:
            states[story_id] = PageState("fetching")
        elif failure := read_failure(article, checks):
            states[story_id] = PageState("failed", failure)
        elif article.url in checks and checks[article.url].state == "there":
            states[story_id] = PageState("came")
    return states


@dataclass(frozen=True, slots=True)
class OriginLink:
    """A page that the reports of a story point to.

    Args:
        url: safe to link.
        short_url: for reading.
        accounts: number of accounts that point to it.
    """

    url: str
    short_url: str
    accounts: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A round-up that mentions the event of a story.

    Args:
        report: the round-up.
        part: its piece of news.
    """

    report: Report
    part: str


@dataclass(frozen=True, slots=True)
class OfferedStory:
    """Another story that may report the same event.

    Args:
        id: of the story.
        lead: the article that stands for it.
        evidence: what the two share.
    """

    id: int
    lead: Report
    state: CandidateState
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Card:
    """A candidate, ready for a template.

    Args:
        id: of the story.
        version: of the story; a script sends it back with each action.
        title, summary: of the story's entry, or of the proposed one; plain text.
        lead: the article that the entry links.
        reports: all articles of the story, the oldest first.
        first_report: id of the first of them.
        copies: ids of the reports that have the text or the title of an earlier one.
        accounts: number of accounts that report the story in a text of their own.
        milestones: kind and report of what the story went on with, the oldest first.
        origins: pages that the reports point to, that of most accounts first.
        entry_url: the page that the entry links; empty for none.
        mentions: round-ups that mention the event.
        links: label, URL and short form of each link.
        evidence: each kind and detail once.
        reasons: of at least 0.05.
        category_share: score of the category, in per cent.
        rival_category: the category whose score is nearly as high; empty without one.
        rival_share: its score, in per cent.
        promotion: the sort of promotion; empty for none.
        published_in: the issue that printed the story.
        issue: the draft that contains the story.
        follows: the issue that printed what this follow-up is news of.
        recalled: the printed entry that it repeats or follows up.
        offered: stories that may report the same event, the likeliest first.
        page: of a picked story whose page was fetched, or is being fetched.
    """

    id: int
    version: str
    title: str
    summary: str
    lead: Report
    reports: Sequence[Report]
    first_report: int
    copies: Collection[int]
    accounts: int
    milestones: Sequence[tuple[str, Report]]
    origins: Sequence[OriginLink]
    entry_url: str
    mentions: Sequence[Mention]
    links: Sequence[tuple[str, str, str]]
    evidence: Sequence[Evidence]
    reasons: Sequence[Reason]
    score: float
    category: str
    category_share: int
    rival_category: str
    rival_share: int
    promotion: str
    state: CandidateState
    published_in: date | None
    issue: date | None
    follows: date | None
    recalled: RecalledEntry | None
    offered: Sequence[OfferedStory]
    page: PageState | None


@dataclass(frozen=True, slots=True)
class Tab:
    """A category above the list.

    Args:
        count: number of its candidates.
        quota: number of entries that the newsletter aims at.
        picked: number of entries in the newest draft.
    """

    name: str
    count: int
    quota: int
    picked: int

    @property
    def full(self) -> bool:
        """Whether the draft has reached the quota."""
        return 0 < self.quota <= self.picked


def make_cards(
    tx: Transaction,
    candidates: Sequence[Candidate],
    newsletter: Newsletter,
    now: datetime,
    running: Container[int] = (),
) -> list[Card]:
    """Make the cards of candidates, in the given order.

    Args:
        tx: reads entries, drafts, versions and round-ups.
        candidates: the candidates.
        newsletter: gives labels and time zone.
        now: aware; a day of another year is written with its year.
        running: ids of stories whose pages are being fetched.
    """
    entries = current_entries(tx, candidates, newsletter)
    versions = read_versions(tx, candidates)
    mentions = find_round_ups(tx, candidates)
    drafts = _list_drafts(tx)
    picked_leads = {each.story.id: each.lead for each in candidates if each.state == "picked"}
    pages = read_page_states(tx, picked_leads, running)
    cards = (
        _make_card(
            candidate,
            entries[candidate.story.id].markdown,
            versions[candidate.story.id],
            mentions.get(candidate.story.id, ()),
            drafts,
            newsletter,
            now,
        )
        for candidate in candidates
    )
    return [replace(card, page=pages.get(card.id)) for card in cards]


def make_card(
    tx: Transaction, candidate: Candidate, newsletter: Newsletter, now: datetime, running: Container[int] = ()
) -> Card:
    """Make the card of one candidate.

    Args:
        tx: reads entries, drafts, versions and round-ups.
        candidate: as the store has it; the card shows the score of now.
        newsletter: gives labels and time zone.
        now: aware.
        running: ids of stories whose pages are being fetched.
    """
    return make_cards(tx, [as_of(candidate, now)], newsletter, now, running)[0]


def make_tabs(
    tx: Transaction, query: CandidateQuery, newsletter: Newsletter, counts: dict[str, int] | None = None
) -> list[Tab]:
    """Make the tabs: the newsletter's categories in their order, then other categories of candidates.

    Args:
        tx: reads counts and drafts.
        query: the list below the tabs.
        newsletter: gives categories and quotas.
        counts: of candidates by category, where the caller has counted already.
    """
    if counts is None:
        query, _ = tx.stories.look_up_search(query)
        counts = tx.stories.count_by_category(query)
    newest = max(_list_drafts(tx), key=lambda issue: issue.date, default=None)
    picked: dict[str, int] = {}
    for section in newest.sections if newest else ():
        category = newsletter.category(section.name)
        name = category.name if category else section.name
        picked[name] = picked.get(name, 0) + len(section.entries)
    quotas = {category.name: category.quota for category in newsletter.categories}
    names = dict.fromkeys((*quotas, *counts))
    return [Tab(name, counts.get(name, 0), quotas.get(name, 0), picked.get(name, 0)) for name in names]


def _list_drafts(tx: Transaction) -> Sequence[Issue]:
    """List the drafts, read once for all that one answer shows of them."""
    return tx.cache.get("drafts", tx.issues.list_drafts)


def _make_card(  # noqa: PLR0917 - a card shows values of seven sources
    candidate: Candidate,
    markdown: str,
    version: str,
    mentions: Sequence[RoundUpMention],
    drafts: Sequence[Issue],
    newsletter: Newsletter,
    now: datetime,
) -> Card:
    lead, entry = candidate.lead, read_entry(markdown, newsletter)
    slot = find_slot(candidate, drafts)
    shares = candidate.category_scores
    rival = find_rival(candidate)
    reports = {stored.id: _make_report(stored, now, newsletter.zone) for stored in candidate.articles}
    origins = find_origins(candidate)
    return Card(
        id=candidate.story.id,
        version=version,
        title=entry.full_title or lead.article.title,
        summary=read_summary(markdown, newsletter),
        lead=reports[lead.id],
        reports=sorted(reports.values(), key=lambda report: report.published_at),
        first_report=find_first_report(candidate),
        copies=find_copies(candidate),
        accounts=candidate.story.accounts,
        milestones=[
            (milestone.kind, reports[milestone.article.id]) for milestone in list_milestones(candidate, origins)
        ],
        origins=[
            OriginLink(url, _shorten_url(url), origin.accounts)
            for origin in origins
            if (url := make_printable_url(origin.url))
        ],
        entry_url=entry.url or "",
        mentions=[Mention(_make_report(mention.article, now, newsletter.zone), mention.part) for mention in mentions],
        links=[
            (link.label, url, _shorten_url(url)) for link in candidate.links if (url := make_printable_url(link.url))
        ],
        evidence=list({(edge.kind, edge.subject): edge for edge in candidate.story.evidence}.values()),
        reasons=[reason for reason in candidate.reasons if abs(reason.weight) >= 0.05],
        score=candidate.score,
        category=candidate.category,
        category_share=round(100 * shares.get(candidate.category, 0)),
        rival_category=rival,
        rival_share=round(100 * shares.get(rival, 0)),
        promotion=candidate.promotion,
        state=candidate.state,
        published_in=candidate.published_in,
        issue=slot.issue if slot else None,
        follows=candidate.follows,
        recalled=candidate.recalled,
        offered=[
            OfferedStory(
                suggestion.story,
                _make_report(suggestion.lead, now, newsletter.zone),
                suggestion.state,
                suggestion.evidence,
            )
            for suggestion in candidate.suggested
        ],
        page=None,
    )


def find_rival(candidate: Candidate) -> str:
    """Find the category that a candidate may as well belong to: its score is within `CLOSE` of the highest.

    A category that an editor chose has no rival.

    Returns:
        The category's name; empty without one.
    """
    shares = candidate.category_scores
    first, second, *_ = [*sorted(shares, key=lambda name: -shares[name]), "", ""]
    close = candidate.category == first and bool(second) and shares[first] - shares[second] <= CLOSE
    return second if close else ""


def _make_report(stored: StoredArticle, now: datetime, zone: ZoneInfo) -> Report:
    article = stored.article
    url = "" if article.temporary else make_printable_url(article.url) or ""
    return Report(
        id=stored.id,
        title=clean_line(article.title) or article.url,
        url=url,
        host=format_host(url),
        source=article.source_name,
        author=article.author or "",
        day=format_day(article.published.at, now, zone),
        published_at=article.published.at.astimezone(zone),
        kind=article.kind,
        language=article.language,
        revision=stored.revision,
    )


def format_day(time: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Format the day of a time as month and day, with the year where it is not the present one.

    Args:
        time: aware.
        now: aware.
        zone: of the editor; the day is in it.

    >>> night, noon = datetime.fromisoformat("2026-03-02T20:00Z"), datetime.fromisoformat("2026-03-05T12:00Z")
    >>> format_day(night, noon, ZoneInfo("Asia/Shanghai"))
    '03-03'
    """
    day, today = time.astimezone(zone), now.astimezone(zone)
    return f"{day:%m-%d}" if day.year == today.year else f"{day:%Y-%m-%d}"


def format_host(url: str) -> str:
    """Format the host of a URL in ASCII, as DNS has it, so that a look-alike letter is visible.

    >>> format_host("https://gíthub.com/x"), format_host("https://mp.weixin.qq.com/s/a")
    ('xn--gthub-zsa.com', 'mp.weixin.qq.com')
    """
    host = urlsplit(url).hostname or ""
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode()


def _shorten_url(url: str) -> str:
    parts = urlsplit(url)
    return f"{format_host(url)}{parts.path}".removeprefix("www.").rstrip("/")
