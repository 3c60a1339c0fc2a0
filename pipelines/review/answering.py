"""Runs a handler on a request, and turns errors into answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from crawler.errors import CrawlError
from pipelines.errors import CannotDecide, EditorError, NoSuchIssue
from pipelines.newsroom.decisions import Stale
from pipelines.review.guard.access import TOKEN_FIELD, TOKEN_HEADER, NotHere, TooManyGuesses, give, new_browser
from pipelines.review.guard.defence import FORM, MOST_BYTES, SAFE_METHODS
from pipelines.review.visit import MOST_FIELDS, BadInput, NothingHere, Refused, Room, TooLarge, Visit, _clean, logger
from pipelines.store.errors import NoSuchStory, StoreBusy, StoreError

Handler = Callable[[Visit], Response]


def endpoint(room: Room, handle: Handler, *, login: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """A handler as Starlette wants it: reads the request, looks whose it is, runs, turns errors into answers.

    Args:
        login: whether somebody must be logged in, where the desk wants that.
    """

    async def answer(request: Request) -> Response:
        browser = room.access.browser(request)
        fresh = browser is None
        visit = Visit(room, request, "", browser or new_browser())
        try:
            brought = await _brought(request)
            response = await run_in_threadpool(_answered, replace(visit, **brought), handle, login)
        except Exception as error:
            response = _failed(visit, error)
        if fresh and response.status_code < 400 and request.method == "GET":
            give(response, visit.browser, secure=request.url.scheme == "https")
        return response

    return answer


def _answered(visit: Visit, handle: Handler, login: bool) -> Response:
    access, request = visit.room.access, visit.request
    if request.method not in SAFE_METHODS:
        token = request.headers.get(TOKEN_HEADER) or visit.form.get(TOKEN_FIELD, "")
        if not access.holds(access.browser(request), token):
            raise Refused
    who = access.user(visit.newsroom.store, access.browser(request), visit.now)
    if who is None and login:
        if visit.asks_for_json:
            return problem(401, visit.say("登录过期了：请重新登录，再试一次"))
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here)}", 303)
    return handle(replace(visit, who=who or ""))


async def _brought(request: Request) -> dict[str, Any]:
    if request.method in SAFE_METHODS:
        return {}
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == FORM:
        try:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except UnicodeDecodeError as error:
            raise BadInput("the form is not UTF-8") from error
        except ValueError as error:
            raise TooLarge from error
        return {"form": _clean(form)}
    if not body:
        return {}
    try:
        _clean(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise BadInput("the body is not JSON") from error
    return {"body": body}


_STATUS: Final[Mapping[type[Exception], int]] = {
    BadInput: 400,
    NotHere: 400,
    Refused: 403,
    NoSuchStory: 404,
    NoSuchIssue: 404,
    NothingHere: 404,
    Stale: 409,
    TooLarge: 413,
    CannotDecide: 422,
    CrawlError: 422,
    TooManyGuesses: 429,
    StoreBusy: 503,
    StoreError: 500,
}


SAID: Final[Mapping[type[Exception], str]] = {
    NotHere: "只能去本站的页面",
    Refused: "这个页面开得太久了：请刷新再试",
    NoSuchStory: "没有这一条",
    NothingHere: "这里什么也没有",
    TooLarge: "一次送来的太多了",
    TooManyGuesses: "错了太多次：五分钟后再试",
    StoreBusy: "数据库正忙，什么也没有写：请再试一次",
}


def _failed(visit: Visit, error: Exception) -> Response:
    kind = next((kind for kind in _STATUS if isinstance(error, kind)), None)
    if kind is None:
        logger.error("%s %s", visit.request.method, visit.request.url.path, exc_info=error)
        said = visit.say("出错了：详情在日志里")
        return problem(500, said) if visit.asks_for_json else failure_page(visit, 500, said)
    own = error.text(visit.language) if isinstance(error, EditorError | StoreError) else str(error)
    said = visit.say(SAID[kind]) if kind in SAID else own
    if visit.asks_for_json:
        return problem(_STATUS[kind], said)
    return failure_page(visit, _STATUS[kind], said)


def problem(status: int, said: str, **more: object) -> Response:
    """An answer for a script that something cannot be done."""
    return JSONResponse({"error": said, **more}, status)


def failure_page(visit: Visit, status: int, said: str) -> Response:
    """An answer for a person that something cannot be done."""
    from pipelines.review.rendering import page  # noqa: PLC0415 - rendering knows visits

    return page(visit, "failure.html", status, said=said, title=str(status))
