"""候选: the candidates, by category, best first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from crawler.kinds import KINDS, Kind
from pipelines.model import CandidateState
from pipelines.newsroom.editing.candidates import (
    CandidatePage,
    Enough,
    find_enough,
    look_up_candidates,
    page_candidates,
    rank_candidates,
)
from pipelines.newsroom.editing.searching import SearchText, add_search, read_search
from pipelines.newsroom.watching.health import list_for_editor, summarise_incidents
from pipelines.review.pages.cards import Card, Tab, make_cards, make_tabs
from pipelines.review.rendering import render_fragment, render_page
from pipelines.review.visit import Visit
from pipelines.store import Transaction
from pipelines.store.listing import MOST_MATCHES, CandidateQuery

PAGE: Final = 20
"""Cards that a page loads at once; a script loads the next ones when the editor reaches the end."""

SPANS: Final[tuple[tuple[str, str], ...]] = (
    ("", "desk/any"),
    ("1d", "desk/a-day"),
    ("3d", "desk/three-days"),
    ("7d", "desk/a-week"),
    ("14d", "desk/two-weeks"),
    ("30d", "desk/a-month"),
)

STATES: Final[tuple[CandidateState, ...]] = ("new", "picked", "later", "dropped", "published")


ORDERED: Final = 200
"""Candidates whose order the answer of a decision tells to the page."""


class CandidatesQuery(BaseModel):
    """The query string of a list of candidates.

    Args:
        category: of the candidates; None for all categories.
        since: only candidates of the last days, as `7d`; empty for any age.
        source: id of a source.
        kind: of the source.
        q: search terms, with filters among them; see `pipelines.newsroom.editing.searching`.
        first: number of candidates before the first of the list.
        limit: the highest number of candidates in the list.
        upto: the highest story id of the list, so that later stories do not shift its pages.
        after: only stories with a higher id, which came after the list was made.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    category: str | None = Field(None, max_length=100)
    since: str = Field("", pattern=r"^(\d{1,3}d)?$")
    source: str | None = Field(None, max_length=100)
    kind: Kind | None = None
    state: CandidateState | Literal["all"] = "new"
    promotion: Literal["no", "only"] | None = None
    q: str = Field("", max_length=200)
    first: int = Field(0, ge=0, le=1_000_000)
    limit: int = Field(PAGE, ge=1, le=200)
    upto: int | None = Field(None, ge=0, le=2**31 - 1)
    after: int | None = Field(None, ge=0, le=2**31 - 1)

    def to_store_query(self, visit: Visit) -> CandidateQuery:
        """Make the query that the store understands."""
        now = visit.now
        query = CandidateQuery(
            states=() if self.state == "all" else (self.state,),
            category=self.category,
            since=now - timedelta(days=int(self.since[:-1])) if self.since else None,
            source=self.source,
            kind=self.kind,
            promotion=None if self.promotion is None else self.promotion == "only",
            upto=self.upto,
            after=self.after,
        )
        return add_search(query, self.read_search(visit), visit.newsroom.sources.values())

    def read_search(self, visit: Visit) -> SearchText:
        """Read the search box."""
        return read_search(self.q, visit.now, visit.newsroom.newsletter.zone)

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, as fields of a query string."""
        fields = {
            "since": self.since,
            "source": self.source or "",
            "kind": self.kind or "",
            "state": "" if self.state == "new" else self.state,
            "promotion": self.promotion or "",
            "q": self.q,
        }
        return {name: text for name, text in fields.items() if text}

    @property
    def is_plain(self) -> bool:
        """Whether the list has all open candidates of its categories, so that an editor may read it for an issue."""
        return not self.filters and self.after is None

    def make_address(self, **changes: str | int) -> str:
        """Make the address of this list, with changed fields."""
        fields: dict[str, str | int] = {"category": self.category or "", **self.filters, **changes}
        filled = {name: field for name, field in fields.items() if field or name == "category"}
        return f"/candidates?{urlencode(filled)}"


def show_candidates(visit: Visit) -> Response:
    """Show the page of candidates."""
    query = visit.read_query(CandidatesQuery)
    newsletter = visit.newsroom.newsletter
    if query.category is None and "category" not in visit.request.query_params:
        query = query.model_copy(update={"category": newsletter.category_names[0]})
    with visit.newsroom.store.reading() as tx:
        mark = tx.articles.next_id() - 1
        listed, cards = _list_cards(tx, visit, query)
        enough = find_enough_of_list(tx, visit, query)
        tabs = make_tabs(tx, query.to_store_query(visit), newsletter, dict(listed.counts))
        incidents = list_for_editor(tx, visit.newsroom, visit.now)
    names = {source.id: source.name for source in visit.newsroom.sources.values()}
    return render_page(
        visit,
        "candidates.html",
        title=visit.translate("desk/candidates"),
        query=query,
        most_matches=MOST_MATCHES if listed.is_bounded else None,
        unread_filters=query.read_search(visit).unread,
        cards=cards,
        enough=enough.workload if enough else None,
        line_at=_place_line(enough, query, len(cards)),
        tabs=tabs,
        format_tab=format_tab,
        remaining=max(listed.total - query.first - len(cards), 0),
        mark=mark,
        missing=summarise_incidents(incidents, names, visit.language),
        spans=SPANS,
        states=STATES,
        kinds=KINDS,
        sources=sorted(visit.newsroom.sources.values(), key=lambda source: (source.kind, source.id)),
    )


def show_more_cards(visit: Visit) -> Response:
    """Show the next cards, or the cards of new candidates, as HTML that a script adds to the list."""
    query = visit.read_query(CandidatesQuery)
    with visit.newsroom.store.reading() as tx:
        mark = tx.articles.next_id() - 1
        listed, cards = _list_cards(tx, visit, query)
        enough = find_enough_of_list(tx, visit, query)
    parts = [render_fragment(visit, "card.html", card=card) for card in cards]
    line_at = _place_line(enough, query, len(cards), is_continued=True)
    if enough and line_at is not None:
        parts.insert(line_at, render_fragment(visit, "enough.html", enough=enough.workload))
    html = "".join(parts)
    remaining = max(listed.total - query.first - len(cards), 0)
    return HTMLResponse(html, headers={"X-Rest": str(remaining), "X-Mark": str(mark)})


def _list_cards(tx: Transaction, visit: Visit, query: CandidatesQuery) -> tuple[CandidatePage, list[Card]]:
    """List a page of candidates, and make their cards."""
    listed = page_candidates(tx, query.to_store_query(visit), visit.now, offset=query.first, limit=query.limit)
    shown_candidates = list(look_up_candidates(tx, listed.candidates, visit.newsroom.group_rules))
    running = visit.desk.page_fetches.list_running()
    return listed, make_cards(tx, shown_candidates, visit.newsroom.newsletter, visit.now, running)


def find_enough_of_list(tx: Transaction, visit: Visit, query: CandidatesQuery) -> Enough | None:
    """Find where a list may end for the editor; None for a list of other than all open candidates.

    Args:
        tx: open for reading.
        visit: the request.
        query: of the list.
    """
    if not query.is_plain:
        return None
    quotas = {category.name: category.quota for category in visit.newsroom.newsletter.categories}
    return find_enough(tx, visit.now, quotas)


def _place_line(
    enough: Enough | None, query: CandidatesQuery, card_count: int, *, is_continued: bool = False
) -> int | None:
    """Find the card before which the line 「到这里通常够了」 stands.

    Args:
        enough: where the list may end; None for a list without a line.
        query: of the list.
        card_count: number of cards on the page.
        is_continued: whether a script adds the cards to a list. It takes the line from the first page that has it, so
            a line further up, which moved there since, comes first here.

    Returns:
        An index of the page's cards, or their number for the end of the page; None where the line is elsewhere.
    """
    if enough is None or not card_count:
        return None
    line_at = enough.count_above(query.category or None) - query.first
    if line_at > card_count:
        return None
    if line_at <= 0 and not is_continued and query.first:
        return None
    return max(line_at, 0)


def count_tabs(tx: Transaction, visit: Visit, query: CandidatesQuery) -> list[dict[str, Any]]:
    """Count the candidates of each tab; the documents are part of the JSON of a decision."""
    store_query = replace(query.to_store_query(visit), upto=None, after=None)
    return [
        {"name": tab.name, "count": tab.count, "said": format_tab(visit, tab), "full": tab.full}
        for tab in make_tabs(tx, store_query, visit.newsroom.newsletter)
    ]


def list_order(tx: Transaction, visit: Visit, query: CandidatesQuery) -> list[tuple[int, float]]:
    """List ids and scores of the first candidates as a decision leaves them; part of the JSON of a decision."""
    store_query = replace(query.to_store_query(visit), after=None)
    return rank_candidates(tx, store_query, visit.now, ORDERED)


def format_tab(visit: Visit, tab: Tab) -> str:
    """Format the quota and the picks of a category: `目标 5 · 已选 3`."""
    return visit.translate("desk/quota", quota=tab.quota, picked=tab.picked) if tab.quota else ""
