"""A request to the desk as a value: its editor, its language, its query, body and path, each checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from pipelines.newsroom import Newsroom
from pipelines.newsroom.editor import Editor
from pipelines.review.crawling import Crawls
from pipelines.review.guard.access import Access
from pipelines.review.guard.defence import is_path_of_api
from pipelines.review.learning import Learning
from pipelines.review.page_fetches import PageFetches
from pipelines.wording import LANGUAGES, Language, say, sentences

MOST_BYTES: Final = 256 * 1024
"""Of a request's body; several times the longest entry."""

MOST_FIELDS: Final = 50
"""Fields of a form."""

MOST_NUMBER: Final = 2**31 - 1
"""The highest id of an article or a story: PostgreSQL's `integer`."""

THEMES: Final = ("auto", "light", "dark")

Theme = Literal["auto", "light", "dark"]

_M = TypeVar("_M", bound=BaseModel)


class BadInput(Exception):
    """A query, form or body that cannot be read; the message names the part."""


class Refused(Exception):
    """A request that changes something and lacks the token of its page."""


class TooLarge(Exception):
    """A request with a longer body, or with more fields, than any action needs."""


class NothingHere(Exception):
    """The address of a page, an article or a source that does not exist."""


@dataclass(frozen=True)
class Desk:
    """The desk as all visits share it: its newsroom, its access rules, and the work it began in other processes."""

    newsroom: Newsroom
    access: Access
    crawls: Crawls
    page_fetches: PageFetches
    learning: Learning


@dataclass(frozen=True)
class Visit:
    """One request.

    Args:
        desk: the desk that answers.
        request: as Starlette read it.
        who: the editor's name; empty before the login.
        browser: the cookie of the editor's browser.
        form: the fields of an HTML form; empty where the body is JSON.
        body: JSON, unparsed; an empty object where the request has no body.
        now: the moment of the request, aware.
    """

    desk: Desk
    request: Request
    who: str
    browser: str
    form: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def newsroom(self) -> Newsroom:
        """The newsroom of the desk: newsletter, sources, rules, store."""
        return self.desk.newsroom

    @property
    def editor(self) -> Editor:
        """The editor who acts, with the time of the request."""
        return Editor(self.newsroom, self.who, self.now)

    @property
    def csrf(self) -> str:
        """The token that the pages of this browser send back."""
        return self.desk.access.make_token(self.browser)

    @cached_property
    def language(self) -> Language:
        """The language of the page: the cookie's, else Chinese."""
        cookie = self.request.cookies.get("lang", "zh")
        return next((language for language in LANGUAGES if language == cookie), "zh")

    @cached_property
    def theme(self) -> Theme:
        """The colours of the page: the cookie's, else the system's."""
        cookie = self.request.cookies.get("theme", "auto")
        return "light" if cookie == "light" else "dark" if cookie == "dark" else "auto"

    def translate(self, code: str, **values: object) -> str:
        """Make the sentence of a code in the language of the page, with the values of its placeholders."""
        return say(code, values, self.language)

    def name_language(self, language: str) -> str:
        """Name an article's language in the language of the page; a language without a name keeps its code."""
        return sentences(self.language).get(f"language/{language}", language)

    @property
    def asks_for_json(self) -> bool:
        """Whether a script sent the request, which reads errors as JSON."""
        return is_path_of_api(self.request.url.path)

    def read_query(self, model: type[_M]) -> _M:
        """Read the query string into a model; a blank field counts as absent.

        Raises:
            BadInput: a field does not fit the model.
        """
        fields = {name: text for name, text in self.request.query_params.items() if text != ""}
        refuse_null_characters(fields)
        return _validate(lambda: model.model_validate(fields))

    def read_body(self, model: type[_M]) -> _M:
        """Read the JSON body into a model, strictly: a number is not accepted as a string, a boolean or a date.

        Raises:
            BadInput: the body is not JSON, or does not fit the model.
        """
        return _validate(lambda: model.model_validate_json(self.body, strict=True))

    def read_path(self, name: str) -> str:
        """Read a parameter of the path."""
        return str(self.request.path_params[name])

    def read_path_number(self, name: str) -> int:
        """Read a parameter of the path as a number.

        Raises:
            NothingHere: the number is higher than any id.
        """
        number = int(self.read_path(name))
        if number > MOST_NUMBER:
            raise NothingHere
        return number


def refuse_null_characters(document: object) -> None:
    """Refuse U+0000 in the strings of a form or a JSON document: neither PostgreSQL nor an issue can hold it.

    Raises:
        BadInput: a string of the document contains the character.
    """
    unchecked = [document]
    while unchecked:
        part = unchecked.pop()
        if isinstance(part, str) and "\0" in part:
            raise BadInput("a character that is none: U+0000")
        if isinstance(part, dict):
            unchecked += [*part, *part.values()]
        if isinstance(part, list):
            unchecked += part


def _validate(validate: Callable[[], _M]) -> _M:
    try:
        return validate()
    except ValidationError as error:
        mistakes = error.errors()
        message = "; ".join(f"{'.'.join(map(str, row['loc'])) or 'body'}: {row['msg']}" for row in mistakes)
        raise BadInput(message[:1000]) from error
