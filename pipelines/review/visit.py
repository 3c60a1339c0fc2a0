"""One request, read: who sends it, what it asks and brings; and how an answer or an error is put."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from pipelines.newsroom import Newsroom
from pipelines.newsroom.drafts import Editor
from pipelines.review.crawling import Crawls
from pipelines.review.guard.access import Access
from pipelines.review.words import translated
from pipelines.wording import LANGUAGES, Language

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
    def editor(self) -> Editor:
        """The person who acts, at this moment."""
        return Editor(self.newsroom, self.who, self.now)

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
