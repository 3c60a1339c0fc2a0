"""Operations on sources: read their health, switch them on and off, crawl them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from crawler.sources.file import switched
from pipelines import files
from pipelines.errors import CannotDecide
from pipelines.newsroom import Newsroom
from pipelines.review.answering import make_error_json
from pipelines.review.api.operations import NAME, Operation
from pipelines.review.pages.sources import SourceView, view_sources
from pipelines.review.rendering import render_fragment
from pipelines.review.visit import NothingHere, Visit

MOST_SOURCES: Final = 2000


class EnabledBody(BaseModel):
    """The switch of a source.

    Args:
        enabled: whether the source is crawled when it is due.
    """

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class CrawlBody(BaseModel):
    """The sources to crawl.

    Args:
        sources: their ids; if empty, all enabled sources.
    """

    model_config = ConfigDict(extra="forbid")

    sources: list[str] = Field(default_factory=list, max_length=MOST_SOURCES)


def sources(visit: Visit) -> Response:
    """List the sources with their health, and the mistakes of the rows of sources.toml that cannot work."""
    registry = view_sources(visit)
    return JSONResponse(
        {"sources": [_make_document(source_view) for source_view in registry.sources], "mistakes": registry.mistakes}
    )


def enable(visit: Visit) -> Response:
    """Switch a source on or off, in sources.toml."""
    body = visit.read_body(EnabledBody)
    identifier, home = visit.read_path("source"), visit.newsroom.home
    if identifier not in Newsroom(home).sources:
        raise NothingHere
    try:
        text = switched(home.sources.read_text(encoding="utf-8"), identifier, enabled=body.enabled)
        files.write(home.sources, text)
    except OSError as error:
        raise CannotDecide("cannot-write", path=home.sources, reason=error.strerror) from error
    (source_view,) = view_sources(visit, identifier).sources
    return JSONResponse(
        _make_document(source_view) | {"html": render_fragment(visit, "source.html", source_view=source_view)}
    )


def crawl(visit: Visit) -> Response:
    """Start a crawl in a process of its own; `GET /api/crawl` reads its progress."""
    body = visit.read_body(CrawlBody)
    registry = Newsroom(visit.newsroom.home).sources
    source_ids = list(dict.fromkeys(body.sources)) or [source.id for source in registry.values() if source.enabled]
    unknown = [source_id for source_id in source_ids if source_id not in registry]
    if unknown:
        raise CannotDecide("no-working-source", names=unknown[:5])
    if not source_ids:
        raise CannotDecide("no-enabled-source")
    if not visit.desk.crawls.begin(source_ids, visit.language):
        return make_error_json(409, visit.translate("desk/crawl-running"), **_read_progress(visit))
    return JSONResponse(_read_progress(visit))


def crawl_progress(visit: Visit) -> Response:
    """Read the progress of the crawl that was started last."""
    return JSONResponse(_read_progress(visit))


def _read_progress(visit: Visit) -> dict[str, Any]:
    return asdict(visit.desk.crawls.read_progress(visit.newsroom.store))


def _make_document(source_view: SourceView) -> dict[str, Any]:
    return {
        "id": source_view.source.id,
        "name": source_view.source.name,
        "kind": source_view.source.kind,
        "enabled": source_view.source.enabled,
        "health": source_view.health,
        "since": source_view.since.isoformat() if source_view.since else None,
        "evidence": list(source_view.evidence),
        "expect_per_week": source_view.source.expect_per_week,
        "week": source_view.week,
        "weeks": [bar.count for bar in source_view.weeks],
        "failure": source_view.failure or None,
        "failures_in_row": source_view.failures,
        "last_success_at": source_view.last_success.isoformat() if source_view.last_success else None,
    }


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("GET", "/api/sources", sources),
    Operation("PUT", "/api/sources/{source}/enabled", enable, body=EnabledBody, path_schemas={"source": NAME}),
    Operation("GET", "/api/crawl", crawl_progress),
    Operation("POST", "/api/crawl", crawl, body=CrawlBody),
)
