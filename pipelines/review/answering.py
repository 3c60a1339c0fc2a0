"""Runs a handler on a request, and turns errors into answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from crawler.errors import CrawlError
from pipelines.errors import CannotDecide, NoSuchIssue, describe_error
from pipelines.newsroom.editing.decisions import Stale
from pipelines.review.guard.access import (
    TOKEN_FIELD,
    TOKEN_HEADER,
    ForeignAddress,
    TooManyGuesses,
    make_browser_cookie,
    set_browser_cookie,
)
from pipelines.review.guard.defence import FORM, SAFE_METHODS
from pipelines.review.rendering import render_page
from pipelines.review.visit import (
    MOST_BYTES,
    MOST_FIELDS,
    BadInput,
    Desk,
    NothingHere,
    Refused,
    TooLarge,
    Visit,
    refuse_null_characters,
)
from pipelines.store.errors import NoSuchStory, StoreBusy, StoreError, StoreUnreachable

Handler = Callable[[Visit], Response]

logger = logging.getLogger(__name__)


def make_endpoint(desk: Desk, handle: Handler, *, login: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """Make a Starlette endpoint that reads the request, finds the editor, calls a handler and answers errors.

    Args:
        desk: the desk that answers.
        handle: makes the response; it runs in a worker thread.
        login: whether the handler needs an editor, on a desk where editors log in.
    """

    async def answer(request: Request) -> Response:
        browser = desk.access.read_cookie(request)
        without_cookie = browser is None
        visit = Visit(desk, request, "", browser or make_browser_cookie())
        try:
            content = await _read_content(request)
            response = await run_in_threadpool(_run_handler, replace(visit, **content), handle, login)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:
            response = _answer_error(visit, error)
        if without_cookie and response.status_code < 400 and request.method == "GET":
            set_browser_cookie(response, visit.browser, secure=request.url.scheme == "https")
        return response

    return answer


def _run_handler(visit: Visit, handle: Handler, login: bool) -> Response:
    access, request = visit.desk.access, visit.request
    browser = access.read_cookie(request)
    if request.method not in SAFE_METHODS:
        token = request.headers.get(TOKEN_HEADER) or visit.form.get(TOKEN_FIELD, "")
        if not access.verify_token(browser, token):
            raise Refused
    who = access.find_user(visit.newsroom.store, browser, visit.now)
    if who is None and login:
        if visit.asks_for_json:
            return make_error_json(401, visit.translate("desk/session-over"))
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here)}", 303)
    return handle(replace(visit, who=who or ""))


async def _read_content(request: Request) -> dict[str, Any]:
    """Read the body of a request into the `form` or the `body` of a visit."""
    if request.method in SAFE_METHODS:
        return {}
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise TooLarge
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
        refuse_null_characters(form)
        return {"form": form}
    if not body:
        return {}
    try:
        refuse_null_characters(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise BadInput("the body is not JSON") from error
    return {"body": body}


_STATUS: Final[Mapping[type[Exception], int]] = {
    BadInput: 400,
    ForeignAddress: 400,
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
    StoreUnreachable: 503,
    StoreError: 500,
}
"""The status of an error's answer; the first class that fits counts."""


ERROR_TEXTS: Final[Mapping[type[Exception], str]] = {
    ForeignAddress: "desk/foreign-address",
    Refused: "desk/page-too-old",
    NoSuchStory: "desk/no-such-story",
    NothingHere: "desk/nothing-here",
    TooLarge: "desk/too-large",
    TooManyGuesses: "desk/too-many-guesses",
    StoreBusy: "desk/store-busy",
}
"""The code of the sentence for the editor; an error that is not here carries its own text."""


def _answer_error(visit: Visit, error: Exception) -> Response:
    kind = next((kind for kind in _STATUS if isinstance(error, kind)), None)
    if kind is None:
        logger.error("%s %s", visit.request.method, visit.request.url.path, exc_info=error)
        message = visit.translate("desk/internal-error")
        return make_error_json(500, message) if visit.asks_for_json else make_error_page(visit, 500, message)
    message = visit.translate(ERROR_TEXTS[kind]) if kind in ERROR_TEXTS else describe_error(error, visit.language)
    if visit.asks_for_json:
        return make_error_json(_STATUS[kind], message)
    return make_error_page(visit, _STATUS[kind], message)


def make_error_json(status: int, message: str, **fields: object) -> Response:
    """Make the JSON answer to a script whose request failed.

    Args:
        status: of HTTP.
        message: for the editor.
        fields: further fields of the document: the present state, where somebody else was quicker.
    """
    return JSONResponse({"error": message, **fields}, status)


def make_error_page(visit: Visit, status: int, message: str) -> Response:
    """Make the page that answers an editor whose request failed.

    Args:
        visit: the request that failed.
        status: of HTTP.
        message: for the editor, in the language of the page.
    """
    return render_page(visit, "failure.html", status, message=message, title=str(status))
