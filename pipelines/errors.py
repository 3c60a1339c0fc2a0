"""Errors for the editor: each is a code with values, of which `pipelines.wording` makes a sentence."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Final

from crawler.errors import CrawlError, Detail, Failure
from pipelines.wording import Language, say, say_detail, sentences

if TYPE_CHECKING:
    from crawler.sources.file import Mistake


class ReadableError(Exception):
    """Base of the errors that say what happened, and what to do, in the reader's language. Never raised itself."""

    def text(self, language: Language) -> str:
        """The sentence, in the reader's language."""
        raise NotImplementedError


class EditorError(ReadableError):
    """An error that the editor can put right.

    Args:
        code: a code of section `error` of the tables of `pipelines.wording`.
        values: what the sentence names.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    def text(self, language: Language) -> str:
        """The sentence, in the reader's language."""
        return say(f"error/{self.code}", self.values, language)

    def __str__(self) -> str:
        return self.text("zh")


_UNKNOWN: Final = "failure/InternalError"


class CannotDecide(EditorError):
    """A decision that cannot be carried out; the message says why and what would work."""


class NoSuchIssue(EditorError):
    """An issue was named by a date that has none."""


def describe_error(error: Exception, language: Language) -> str:
    """Put an error that the editor can put right in the reader's language; any other error as it is.

    >>> from crawler.errors import Gone
    >>> describe_error(Gone("http-status", url="https://a.example/", status=404), "en")
    'The article is gone: https://a.example/: HTTP 404. Nothing to do: the article can no longer be had'
    """
    if isinstance(error, CrawlError):
        return describe_failure(error.failure, language, " ".join(filter(None, (error.source, error.url))))
    if isinstance(error, ReadableError):
        return error.text(language)
    return str(error)


_LONGEST_POSITION: Final = 300
"""Characters of an address that a sentence shows; one of a site may have as many as the site likes."""


def describe_failure(failure: Failure, language: Language, position: str = "") -> str:
    """Put a failure or a warning of a crawl in the reader's language: its name, the fact, and advice.

    Args:
        failure: as the crawler gave it, or as the store has it.
        language: the reader's.
        position: the address or the file that it is about; empty where the reader sees that already.

    >>> describe_failure(Failure("FetchFailed", Detail.of("http-status", status=500)), "zh")
    '没取到：HTTP 500。下次抓取再试；老是这样，就查一查网址'
    """
    text = describe_cause(failure, language, position)
    advice = failure.remedy or Detail.of(failure.error)
    if f"remedy/{advice.code}" not in sentences(language):
        return text
    return say(
        "failure/advice", {"failure": text, "advice": say(f"remedy/{advice.code}", advice.values, language)}, language
    )


def describe_cause(failure: Failure, language: Language, position: str = "") -> str:
    """Put a failure or a warning in the reader's language without advice; arguments as `describe_failure` has them."""
    text = say_detail(failure.detail, language)
    if position:
        excerpt = position if len(position) <= _LONGEST_POSITION else f"{position[:_LONGEST_POSITION]}…"
        text = say("failure/position", {"detail": text, "position": excerpt}, language)
    if not failure.error:
        return text
    return say("failure/reason", {"name": name_error(failure.error, language), "detail": text}, language)


def name_error(error: str, language: Language) -> str:
    """Name the class of an error in the reader's language.

    >>> name_error("Gone", "en")
    'The article is gone'
    """
    code = f"failure/{error}"
    return say(code if code in sentences(language) else _UNKNOWN, {}, language)


def describe_problem(text: str, language: Language) -> str:
    """Put the reason why a raw item has no article in the reader's language.

    Args:
        text: of the detail, as the store has it: `str` of it. A code without a sentence is shown as it is.
        language: the reader's.

    >>> describe_problem("no-web-address: address mailto:a@b.example", "en")
    '“mailto:a@b.example” is no web address'
    """
    code, _, values = text.partition(": ")
    template = sentences(language).get(f"detail/{code}", "")
    names = sorted({re.escape(name) for _, name, _, _ in Formatter().parse(template) if name})
    parts = re.split(rf"(?:^|, )({'|'.join(names)}) ", values, maxsplit=len(names)) if names else []
    return say_detail(Detail(code, tuple(zip(parts[1::2], parts[2::2], strict=True))), language) if template else text


def describe_mistake(mistake: Mistake, language: Language) -> str:
    """Put a mistake in a configuration file in the reader's language, with the file, the source and the field."""
    where = " ".join(part for part in (mistake.source, mistake.field) if part)
    values = {"file": mistake.file, "position": where, "detail": mistake.detail}
    return say("mistake/position" if where else "mistake/file", values, language)
