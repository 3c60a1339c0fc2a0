"""候选: the candidates, by category, best first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from crawler.kinds import KINDS, Kind
from pipelines.model import CandidateState
from pipelines.newsroom.candidates import page_candidates
from pipelines.review.pages.cards import Tab, cards, tabs
from pipelines.review.rendering import fragment, page
from pipelines.review.visit import Visit
from pipelines.store.listing import UNDECIDED, CandidateQuery

PAGE: Final = 40
"""Cards that are shown at once; the next ones come when the editor gets there."""

SPANS: Final[tuple[tuple[str, str], ...]] = (
    ("", "不限"),
    ("1d", "一天内"),
    ("3d", "三天内"),
    ("7d", "一周内"),
    ("14d", "两周内"),
    ("30d", "一个月内"),
)

STATES: Final[tuple[CandidateState, ...]] = ("new", "picked", "later", "dropped", "published")


class Asked(BaseModel):
    """What a list of candidates is asked for.

    Args:
        q: words that all stand in a title, an account or a digest; taken literally.
        first: how many to pass over.
        upto, after: ids of stories: what came later than the list was first looked at, and what came since.
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

    def wanted(self, now: datetime) -> CandidateQuery:
        """As the store is asked."""
        return CandidateQuery(
            states=() if self.state == "all" else (self.state,),
            category=self.category,
            since=now - timedelta(days=int(self.since[:-1])) if self.since else None,
            source=self.source,
            kind=self.kind,
            promotion=None if self.promotion is None else self.promotion == "only",
            words=self.q,
            upto=self.upto,
            after=self.after,
        )

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, as a query string has them."""
        values = {
            "since": self.since,
            "source": self.source or "",
            "kind": self.kind or "",
            "state": "" if self.state == "new" else self.state,
            "promotion": self.promotion or "",
            "q": self.q,
        }
        return {name: value for name, value in values.items() if value}

    def address(self, **others: str | int) -> str:
        """The page with other values."""
        values: dict[str, str | int] = {"category": self.category or "", **self.filters, **others}
        given = {name: value for name, value in values.items() if value or name == "category"}
        return f"/candidates?{urlencode(given)}"


def candidates_page(visit: Visit) -> Response:
    """The whole page."""
    asked = visit.asked(Asked)
    newsletter = visit.newsroom.newsletter
    if asked.category is None and "category" not in visit.request.query_params:
        asked = asked.model_copy(update={"category": newsletter.category_names[0]})
    with visit.newsroom.store.reading() as tx:
        mark = tx.articles.next_id() - 1
        found = page_candidates(tx, asked.wanted(visit.now), visit.now, offset=asked.first, limit=asked.limit)
        shown = cards(tx, found.candidates, newsletter, visit.now)
        over = tabs(tx, asked.wanted(visit.now), newsletter, dict(found.counts))
    return page(
        visit,
        "candidates.html",
        title="候选",
        asked=asked,
        cards=shown,
        tabs=over,
        tab_words=tab_words,
        total=found.total,
        rest=max(found.total - asked.first - len(shown), 0),
        mark=mark,
        spans=SPANS,
        states=STATES,
        kinds=KINDS,
        sources=sorted(visit.newsroom.sources.values(), key=lambda one: (one.kind, one.id)),
        undecided=asked.state in UNDECIDED,
    )


def more_cards(visit: Visit) -> Response:
    """The cards that follow, or those that came since, for a script to put into the list."""
    asked = visit.asked(Asked)
    newsletter = visit.newsroom.newsletter
    with visit.newsroom.store.reading() as tx:
        mark = tx.articles.next_id() - 1
        found = page_candidates(tx, asked.wanted(visit.now), visit.now, offset=asked.first, limit=asked.limit)
        shown = cards(tx, found.candidates, newsletter, visit.now)
    html = "".join(fragment(visit, "card.html", card=one) for one in shown)
    rest = max(found.total - asked.first - len(shown), 0)
    return HTMLResponse(html, headers={"X-Rest": str(rest), "X-Mark": str(mark)})


def tab_counts(visit: Visit, asked: Asked) -> list[dict[str, Any]]:
    """What the tabs over a list say now."""
    wanted = replace(asked.wanted(visit.now), upto=None, after=None)
    with visit.newsroom.store.reading() as tx:
        return [
            {"name": one.name, "count": one.count, "said": tab_words(visit, one), "full": one.full}
            for one in tabs(tx, wanted, visit.newsroom.newsletter)
        ]


def tab_words(visit: Visit, tab: Tab) -> str:
    """How far a category is: `目标 5 · 已选 3`."""
    return visit.say("目标 {quota} · 已选 {picked}", quota=tab.quota, picked=tab.picked) if tab.quota else ""
