"""Errors of the database, each named for the fact."""

from __future__ import annotations

from collections.abc import Mapping

from crawler.errors import Detail
from pipelines.errors import ReadableError
from pipelines.wording import Language, say


class StoreError(ReadableError):
    """Base of all errors of the database: says what happened and what to do about it. Never raised itself.

    Args:
        code: of the fact, in section `detail` of the tables of `pipelines.wording`.
        values: what the fact names; without credentials.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.detail = Detail.of(code, **values)

    @property
    def values(self) -> Mapping[str, object]:
        """The values of the sentence's placeholders."""
        return {"detail": self.detail}

    def text(self, language: Language) -> str:
        """Say what happened and what to do, in the reader's language; `str` is English, for logs."""
        return say(f"store/{type(self).__name__}", self.values, language)

    def __str__(self) -> str:
        return self.text("en")


class StoreBusy(StoreError):
    """Another process kept the database locked until the time-out. Nothing was written."""


class StoreUnreachable(StoreError):
    """The database's server does not answer, refuses the connection, or has ended it. Nothing was written."""


class StoreFull(StoreError):
    """The disk is full. The transaction was rolled back."""


class StoreReadOnly(StoreError):
    """The database or its folder may not be written."""


class StoreRefused(StoreError):
    """The URL names no database that jianbao may use: it belongs to another program or a newer jianbao, or is none.

    Nothing was touched.
    """


class BackupRefused(StoreRefused):
    """A backup, its restoring or a copy would replace something, or there is nothing to copy. Nothing was touched."""


class LeaseLost(StoreError):
    """Another worker has the job of this process. Nothing was written."""


class NoQueue(StoreRefused):
    """The database can have no queue of jobs. Nothing is wrong with it."""


class StoreOutdated(StoreError):
    """The database belongs to an older jianbao. It was not touched."""


class StoreDamaged(StoreError):
    """The database is damaged: its own structures contradict each other."""


class StoreFailed(StoreError):
    """Any other error of the database. The transaction was rolled back."""


class NoSuchStory(StoreError):
    """No article has or had the id by which a story was named."""

    def __init__(self, story: int) -> None:
        super().__init__("no-such-story", story=story)
        self.story = story

    @property
    def values(self) -> Mapping[str, object]:
        """The values of the sentence's placeholders."""
        return {"story": self.story}
