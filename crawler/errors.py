"""Errors between a source and its items, each named for the fact, and the facts that they tell.

No sentence stands here. An error, a warning and a remedy are a code with values (`Detail`), of which
`pipelines/wording` makes a sentence in the reader's language (sections `detail` and `remedy`). A log has code and
values as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from crawler.characters import clean

_LONGEST: Final = 500
"""Characters of a text from outside; a sentence names it and does not retell it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A fact as a code with values.

    Args:
        code: of a sentence.
        pairs: name and member of each thing that the sentence names: a text, a number, another detail, or a tuple of
            these.
    """

    code: str
    pairs: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, code: str, **values: Any) -> Self:
        """The fact with these values; characters that no store takes are left out of its texts.

        >>> str(Detail.of("http-status", status=429))
        'http-status: status 429'
        """
        return cls(code, tuple((name, _clean(member)) for name, member in values.items()))

    @property
    def values(self) -> dict[str, Any]:
        """The values by their names."""
        return dict(self.pairs)

    def __str__(self) -> str:
        values = ", ".join(f"{name} {_line(member)}" for name, member in self.pairs)
        return f"{self.code}: {values}" if values else self.code

    def as_json(self) -> dict[str, Any]:
        """The fact as a JSON object; `from_json` reads it."""
        return {"code": self.code, "values": {name: _as_json(member) for name, member in self.pairs}}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read a fact that `as_json` made.

        Raises:
            KeyError, TypeError, AttributeError: the row is another thing.
        """
        return cls(row["code"], tuple((name, _from_json(member)) for name, member in row["values"].items()))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """How pydantic writes and reads it, wherever it is part of another value."""
        from pydantic_core.core_schema import (  # noqa: PLC0415 - a short command needs none of it
            any_schema,
            no_info_after_validator_function,
            plain_serializer_function_ser_schema,
        )

        return no_info_after_validator_function(
            cls.from_json, any_schema(), serialization=plain_serializer_function_ser_schema(cls.as_json)
        )


def _clean(member: Any) -> Any:
    if isinstance(member, str):
        return " ".join(clean(member).split())[:_LONGEST]
    return tuple(map(_clean, member)) if isinstance(member, tuple | list) else member


def _line(member: Any) -> str:
    if isinstance(member, tuple):
        return "; ".join(map(_line, member))
    return f"({member})" if isinstance(member, Detail) else str(member)


def _as_json(member: Any) -> Any:
    if isinstance(member, Detail):
        return member.as_json()
    return list(map(_as_json, member)) if isinstance(member, tuple) else member


def _from_json(member: Any) -> Any:
    if isinstance(member, Mapping):
        return Detail.from_json(member)
    return tuple(map(_from_json, member)) if isinstance(member, list) else member


def detail_of(error: BaseException) -> Detail:
    """The fact that an error tells; of an error of a library, its name and its text."""
    detail = getattr(error, "detail", None)
    return detail if isinstance(detail, Detail) else Detail.of("exception", name=type(error).__name__, text=str(error))


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure or a warning, ready to be stored.

    Args:
        error: name of the error's class: `Blocked`; empty where the detail says it all.
        detail: the fact.
        remedy: advice to the editor; None where the error's own serves, if it has one.
    """

    error: str
    detail: Detail
    remedy: Detail | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.error, str(self.detail)) if part)

    def to_json(self) -> str:
        """The failure as one line of JSON."""
        row = {"error": self.error, **self.detail.as_json()}
        if self.remedy is not None:
            row["remedy"] = self.remedy.as_json()
        return json.dumps(row, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a failure that `to_json` wrote. Any other text is the record of an old version, which has no code."""
        try:
            row = json.loads(text)
            remedy = row.get("remedy")
            return cls(row["error"], Detail.from_json(row), Detail.from_json(remedy) if remedy else None)
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls("", Detail.of("old-record", text=text))


class NotUnderstood(ValueError):
    """A record, an address or a setting that is not as it has to be.

    Args:
        code, values: the fact.
    """

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.detail = Detail.of(code, **values)

    def __str__(self) -> str:
        return str(self.detail)


class CrawlError(Exception):
    """The base of all errors: source, URL, fact and remedy. Never raised itself.

    Args:
        code: of the fact, or the fact itself.
        url: of the request; a caller may fill it in.
        source: the source's id; likewise.
        remedy: code of advice to the editor, or the advice with its values, where the class's own is too general.
        values: what the fact names.
    """

    fails_source: ClassVar[bool] = True

    def __init__(
        self, code: str | Detail, *, url: str = "", source: str = "", remedy: str | Detail = "", **values: Any
    ) -> None:
        super().__init__(code)
        self.detail = code if isinstance(code, Detail) else Detail.of(code, **values)
        self.url = url
        self.source = source
        self.remedy = Detail.of(remedy) if isinstance(remedy, str) and remedy else remedy or None

    def __str__(self) -> str:
        where = " ".join(part for part in (self.source, self.url) if part)
        text = f"{where}: {self.detail}" if where else str(self.detail)
        return f"{text} [remedy {self.remedy}]" if self.remedy else text

    @property
    def failure(self) -> Failure:
        """The error as it is stored."""
        return Failure(type(self).__name__, self.detail, self.remedy)


class PageChanged(CrawlError):
    """A reply whose shape no page function knows. Raised by `crawler.pages`."""


class Blocked(CrawlError):
    """A challenge, a verification or a refusal stands where the page should be. Raised by `crawler.pages`."""


class Gone(CrawlError):
    """The page says that its article is no more (deleted, violation, unavailable). Raised by `crawler.pages`."""

    fails_source = False


class RateLimited(CrawlError):
    """The site asks to come back later.

    Raised by `crawler.network` (429, 503) and `crawler.pages` (answers of GitHub and arXiv).
    """

    def __init__(self, code: str | Detail, *, retry_at: datetime | None = None, url: str = "", **values: Any) -> None:
        super().__init__(code, url=url, **values)
        self.retry_at = retry_at


class FetchFailed(CrawlError):
    """No complete answer: name resolution, connection, time-out, a body cut short, or a status that says so."""


class Refused(CrawlError):
    """We do not make this request: address not public, scheme or port not allowed, or robots.txt denies it."""


class TooLarge(CrawlError):
    """A reply over the limit of size, also after decompression, or of the time that reading it may take."""


class SourceMisconfigured(CrawlError):
    """A row of sources.toml that cannot work. Raised by `crawler.sources`, `crawler.spiders`, `crawler.pages`."""
