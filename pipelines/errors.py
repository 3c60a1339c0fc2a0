"""Errors for the editor: each is a code with values, of which `pipelines.wording` makes a sentence."""

from __future__ import annotations

from crawler import errors as crawl_errors
from pipelines.wording import Language, say, sentences


class EditorError(Exception):
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


class CannotDecide(EditorError):
    """A decision that cannot be carried out; the message says why and what would work."""


class NoSuchIssue(EditorError):
    """An issue was named by a date that has none."""


def describe_failure(reason: str, language: Language) -> str:
    """Put a failure of a crawl, as the store, the logs and the JSON have it, in the reader's language.

    The store has the name of the error's class, the detail and often the advice of the class, in English. Name and
    advice are translated; the detail (`HTTP 429`) stays as the site or the network gave it.

    >>> describe_failure("FetchFailed: HTTP 500. asked again at the next run; check the address if it lasts", "zh")
    '没取到：HTTP 500。下次抓取再试；老是这样，就查一查网址'
    """
    name, colon, detail = reason.partition(": ")
    if not colon or f"failure/{name}" not in sentences(language):
        return reason
    detail, advised = _without_advice(name, detail)
    failure = say(f"failure/{name}", {}, language)
    if detail:
        failure = say("failure/reason", {"name": failure, "detail": detail}, language)
    if not advised:
        return failure
    return say("failure/advice", {"failure": failure, "advice": say(f"remedy/{name}", {}, language)}, language)


def _without_advice(name: str, detail: str) -> tuple[str, bool]:
    """The detail alone, and whether the advice of the error's class followed it."""
    advice = getattr(getattr(crawl_errors, name, None), "remedy", "")
    left, separator, right = detail.rpartition(advice) if advice else (detail, "", "")
    if not separator:
        return detail, False
    return (left.rstrip(". ") + right).strip(), True
