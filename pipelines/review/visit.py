"""One request, read: who sends it, what it asks and brings; and how an answer or an error is put."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qsl, quote

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from crawler.errors import CrawlError
from pipelines.errors import CannotDecide, NoSuchIssue, Told
from pipelines.newsroom import Newsroom
from pipelines.newsroom.decisions import Stale
from pipelines.newsroom.drafts import Desk
from pipelines.review.access import TOKEN_FIELD, TOKEN_HEADER, Access, NotHere, TooManyGuesses, give, new_browser
from pipelines.review.crawling import Crawls
from pipelines.review.defence import FORM, MOST_BYTES, SAFE_METHODS
from pipelines.review.words import LANGUAGES, Language, translated
from pipelines.store.errors import NoSuchStory, StoreBusy, StoreError

logger = logging.getLogger(__name__)

MOST_FIELDS: Final = 50
MOST_NUMBER: Final = 2**31 - 1
THEMES: Final = ("auto", "light", "dark")

Theme = Literal["auto", "light", "dark"]

_M = TypeVar("_M", bound=BaseModel)
_V = TypeVar("_V")


class BadInput(Exception):
    """What was sent cannot be read; the message says which part."""


class Refused(Exception):
    """A request without its page's token."""


class TooLarge(Exception):
    """A request with more in it than any action needs."""


class NothingHere(Exception):
    """No such page, article or source."""


@dataclass(frozen=True)
class Room:
    """What all visits share."""

    newsroom: Newsroom
    access: Access
    crawls: Crawls


@dataclass(frozen=True)
class Visit:
    """One request.

    Args:
        who: the editor; empty for somebody who has to log in first.
        browser: the cookie of their browser.
        form: the fields of a plain form.
        body: JSON, as it came; an empty object for none.
        now: aware.
    """

    room: Room
    request: Request
    who: str
    browser: str
    form: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def newsroom(self) -> Newsroom:
        """The newsletter, its sources, its store."""
        return self.room.newsroom

    @property
    def desk(self) -> Desk:
        """Who changes what, for the actions."""
        return Desk(self.newsroom, self.who, self.now)

    @property
    def csrf(self) -> str:
        """The token that this browser's pages carry."""
        return self.room.access.token(self.browser)

    @cached_property
    def language(self) -> Language:
        """In which the page speaks."""
        chosen = self.request.cookies.get("lang", "zh")
        return next((one for one in LANGUAGES if one == chosen), "zh")

    @cached_property
    def theme(self) -> Theme:
        """Light, dark, or as the system has it."""
        chosen = self.request.cookies.get("theme", "auto")
        return "light" if chosen == "light" else "dark" if chosen == "dark" else "auto"

    def say(self, words: str, **values: object) -> str:
        """Words of the page, in the visitor's language."""
        said = translated(words, self.language)
        return said.format(**values) if values else said

    def tell(self, error: Told) -> str:
        """What an error tells, likewise."""
        return self.say(error.words, **error.values)

    @property
    def asks_for_json(self) -> bool:
        """Whether a script asks, and not a person."""
        return self.request.url.path.startswith("/api/")

    def asked(self, model: type[_M]) -> _M:
        """The query string, read as a model has it; blank fields count as left out.

        Raises:
            BadInput: a field that the model has not, or that says nothing it can use.
        """
        given = {name: value for name, value in self.request.query_params.items() if value != ""}
        return _read(lambda: model.model_validate(_clean(given)))

    def brought(self, model: type[_M]) -> _M:
        """The JSON body, read as a model has it: a number is no string and no truth, a day is no number.

        Raises:
            BadInput: it is none, or not such a one.
        """
        return _read(lambda: model.model_validate_json(self.body, strict=True))

    def place(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """A part of the path that is a number.

        Raises:
            NothingHere: one that no article and no entry can have.
        """
        number = int(self.place(name))
        if number > MOST_NUMBER:
            raise NothingHere
        return number


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


def _clean(values: _V) -> _V:
    """What was sent, without the one character that neither PostgreSQL nor an issue can hold.

    Raises:
        BadInput: it is there.
    """
    waiting: list[object] = [values]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and "\0" in one:
            raise BadInput("a character that is none: U+0000")
        waiting += [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, list) else ()
    return values


def _read(read: Callable[[], _M]) -> _M:
    try:
        return read()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
        raise BadInput(wrong[:1000]) from error


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
    own = visit.tell(error) if isinstance(error, Told) else str(error)
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
