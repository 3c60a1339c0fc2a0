"""The desk as a web application: the table of its addresses and their handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.event_tuning import read_event_model
from pipelines.review.answering import Handler, make_endpoint, make_error_json
from pipelines.review.api import candidates as api
from pipelines.review.api.operations import describe_api
from pipelines.review.crawling import Crawls
from pipelines.review.guard.access import Access
from pipelines.review.guard.defence import Defence, HostNames
from pipelines.review.learning import Learning
from pipelines.review.page_fetches import PageFetches
from pipelines.review.pages import login
from pipelines.review.pages.archive import show_archive, show_archived_issue
from pipelines.review.pages.candidates import show_candidates, show_more_cards
from pipelines.review.pages.issue import show_issue
from pipelines.review.pages.preview import show_changes, show_preview
from pipelines.review.pages.sources import show_sources
from pipelines.review.rendering import load_templates, serve_asset
from pipelines.review.visit import Desk, Visit

_PAGES: Final[tuple[tuple[str, Handler], ...]] = (
    ("/candidates", show_candidates),
    ("/candidates/more", show_more_cards),
    ("/issue", show_issue),
    ("/sources", show_sources),
    ("/archive", show_archive),
    ("/archive/{day}", show_archived_issue),
    ("/articles/{article:int}/preview", show_preview),
    ("/articles/{article:int}/changes", show_changes),
)


def build_desk(newsroom: Newsroom, access: Access, names: HostNames) -> Starlette:
    """Build the web application of a newsroom's desk.

    Args:
        newsroom: the newsroom to edit.
        access: the access rules.
        names: the host names that a request may use for the desk.
    """
    load_templates()
    with newsroom.store.reading() as tx:
        read_event_model(tx)  # which takes as long as the first list
    home = newsroom.home
    desk = Desk(newsroom, access, Crawls(home), PageFetches(home), Learning(home))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.crawls.stop()
        desk.page_fetches.stop()
        desk.learning.stop()

    routes = [
        Route("/", make_endpoint(desk, _redirect_home)),
        *(Route(path, make_endpoint(desk, handle)) for path, handle in _PAGES),
        Route("/login", make_endpoint(desk, login.show_login, login=False)),
        Route("/login", make_endpoint(desk, login.log_in, login=False), methods=["POST"]),
        Route("/logout", make_endpoint(desk, login.log_out, login=False), methods=["POST"]),
        Route("/preferences", make_endpoint(desk, login.save_preferences, login=False), methods=["POST"]),
        Route("/static/{name}", make_endpoint(desk, serve_asset, login=False)),
        Route("/api/openapi.json", make_endpoint(desk, _show_description)),
        *(Route(row.path, make_endpoint(desk, row.handle), methods=[row.method]) for row in api.OPERATIONS),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _answer_unknown})
    app.add_middleware(Defence, names=names)
    return app


def _redirect_home(_: Visit) -> Response:
    return RedirectResponse("/candidates", 303)


def _show_description(_: Visit) -> Response:
    return JSONResponse(describe_api(api.OPERATIONS))


async def _answer_unknown(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = getattr(error, "headers", None)
    if request.url.path.startswith("/api/"):
        response = make_error_json(status, "no such thing" if status == 404 else "not that way")
        response.headers.update(headers or {})
        return response
    return PlainTextResponse("这里什么也没有 / Nothing here" if status == 404 else str(status), status, headers=headers)
