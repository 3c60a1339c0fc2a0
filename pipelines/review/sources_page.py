"""来源: what each source gives, and how it fares."""

from __future__ import annotations

from starlette.responses import Response

from pipelines.review.rendering import page
from pipelines.review.sources_view import view_sources
from pipelines.review.visit import Visit


def sources_page(visit: Visit) -> Response:
    """The whole page."""
    progress = visit.room.crawls.progress(visit.newsroom.store)
    return page(visit, "sources.html", title="来源", shown=view_sources(visit), progress=progress)
