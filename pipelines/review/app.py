"""The desk as a web application: which address is answered by what."""

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
from pipelines.review.answering import Handler, endpoint, problem
from pipelines.review.api import candidates as api
from pipelines.review.api.operations import openapi
from pipelines.review.crawling import Crawls
from pipelines.review.guard.access import Access
from pipelines.review.guard.defence import Defence, Names
from pipelines.review.pages import login as entrance
from pipelines.review.pages.archive import archive_page, archived_issue
from pipelines.review.pages.candidates import candidates_page, more_cards
from pipelines.review.pages.issue import issue_page
from pipelines.review.pages.preview import changes, preview
from pipelines.review.pages.sources import sources_page
from pipelines.review.rendering import asset
from pipelines.review.visit import Room, Visit

_PAGES: Final[tuple[tuple[str, Handler], ...]] = (
    ("/candidates", candidates_page),
    ("/candidates/more", more_cards),
    ("/issue", issue_page),
    ("/sources", sources_page),
    ("/archive", archive_page),
    ("/archive/{day}", archived_issue),
    ("/articles/{article:int}/preview", preview),
    ("/articles/{article:int}/changes", changes),
)


def build(newsroom: Newsroom, access: Access, names: Names) -> Starlette:
    """The desk of one newsroom.

    Args:
        access: who may use it.
        names: what it may be called.
    """
    room = Room(newsroom, access, Crawls(newsroom.home))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        room.crawls.stop()

    routes = [
        Route("/", endpoint(room, _home)),
        *(Route(path, endpoint(room, handle)) for path, handle in _PAGES),
        Route("/login", endpoint(room, entrance.login_page, login=False)),
        Route("/login", endpoint(room, entrance.log_in, login=False), methods=["POST"]),
        Route("/logout", endpoint(room, entrance.log_out, login=False), methods=["POST"]),
        Route("/preferences", endpoint(room, entrance.prefer, login=False), methods=["POST"]),
        Route("/static/{name}", endpoint(room, asset, login=False)),
        Route("/api/openapi.json", endpoint(room, _description)),
        *(Route(one.path, endpoint(room, one.handle), methods=[one.method]) for one in api.OPERATIONS),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _unknown})
    app.add_middleware(Defence, names=names)
    return app


def _home(_: Visit) -> Response:
    return RedirectResponse("/candidates", 303)


def _description(_: Visit) -> Response:
    return JSONResponse(openapi(api.OPERATIONS))


async def _unknown(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = getattr(error, "headers", None)
    if request.url.path.startswith("/api/"):
        response = problem(status, "no such thing" if status == 404 else "not that way")
        response.headers.update(headers or {})
        return response
    return PlainTextResponse("这里什么也没有 / Nothing here" if status == 404 else str(status), status, headers=headers)
