"""Sources as JSON: how they fare, switched on and off, crawled now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from crawler.sources.file import switched
from pipelines import files
from pipelines.errors import CannotDecide
from pipelines.newsroom import Newsroom
from pipelines.review.answering import problem
from pipelines.review.api.operations import NAME, Operation
from pipelines.review.pages.sources import SourceView, view_sources
from pipelines.review.rendering import fragment
from pipelines.review.visit import NothingHere, Visit

MOST_SOURCES: Final = 2000


class EnabledBody(BaseModel):
    """Whether a source is crawled when it is due."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class CrawlBody(BaseModel):
    """The sources to crawl now, by id; none for all that are enabled."""

    model_config = ConfigDict(extra="forbid")

    sources: list[str] = Field(default_factory=list, max_length=MOST_SOURCES)


def sources(visit: Visit) -> Response:
    """Every source that can work, and what is wrong with the rows that cannot."""
    shown = view_sources(visit)
    mistakes = [str(mistake) for mistake in shown.mistakes]
    return JSONResponse({"sources": [_told(one) for one in shown.sources], "mistakes": mistakes})


def enable(visit: Visit) -> Response:
    """Switch a source on or off, in sources.toml itself."""
    brought = visit.brought(EnabledBody)
    identifier, home = visit.place("source"), visit.newsroom.home
    if identifier not in Newsroom(home).sources:
        raise NothingHere
    try:
        text = switched(home.sources.read_text(encoding="utf-8"), identifier, enabled=brought.enabled)
        files.write(home.sources, text)
    except OSError as error:
        raise CannotDecide("cannot-write", path=home.sources, reason=error.strerror) from error
    one = next(one for one in view_sources(visit).sources if one.source.id == identifier)
    return JSONResponse(_told(one) | {"html": fragment(visit, "source.html", one=one)})


def crawl(visit: Visit) -> Response:
    """Begin to crawl, in a process of its own; `GET` tells how far it is."""
    brought = visit.brought(CrawlBody)
    registry = Newsroom(visit.newsroom.home).sources
    wanted = list(dict.fromkeys(brought.sources)) or [one.id for one in registry.values() if one.enabled]
    if unknown := [one for one in wanted if one not in registry]:
        raise CannotDecide("no-working-source", names=unknown[:5])
    if not wanted:
        raise CannotDecide("no-enabled-source")
    if not visit.room.crawls.begin(wanted):
        return problem(409, visit.say("正在抓取：等这一次抓完"), **_progress(visit))
    return JSONResponse(_progress(visit))


def crawl_progress(visit: Visit) -> Response:
    """How far the crawl is that was begun last."""
    return JSONResponse(_progress(visit))


def _progress(visit: Visit) -> dict[str, Any]:
    return asdict(visit.room.crawls.progress(visit.newsroom.store))


def _told(one: SourceView) -> dict[str, Any]:
    return {
        "id": one.source.id,
        "name": one.source.name,
        "kind": one.source.kind,
        "enabled": one.source.enabled,
        "health": one.health,
        "expect_per_week": one.source.expect_per_week,
        "week": one.week,
        "weeks": [bar.count for bar in one.weeks],
        "failure": one.failure or None,
        "failures_in_row": one.failures,
        "last_success_at": one.last_success.isoformat() if one.last_success else None,
    }


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("GET", "/api/sources", sources),
    Operation("PUT", "/api/sources/{source}/enabled", enable, body=EnabledBody, places={"source": NAME}),
    Operation("GET", "/api/crawl", crawl_progress),
    Operation("POST", "/api/crawl", crawl, body=CrawlBody),
)
