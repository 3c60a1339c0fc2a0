"""Errors of the database, each named for the fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pipelines.wording import Language, say


class StoreError(Exception):
    """Base of all errors of the database: says what happened and what to do about it. Never raised itself.

    Args:
        detail: what happened, in one line; without credentials.
    """

    remedy: ClassVar[str] = ""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def values(self) -> Mapping[str, object]:
        """The values of the sentence's placeholders."""
        return {"detail": self.detail}

    def text(self, language: Language) -> str:
        """Say what happened and what to do, in the reader's language; `str` is English, for logs."""
        return say(f"store/{type(self).__name__}", self.values, language)

    def __str__(self) -> str:
        return ". ".join(part.rstrip(".") for part in (self.detail, self.remedy) if part)


class StoreBusy(StoreError):
    """Another process kept the database locked until the time-out. Nothing was written."""

    remedy = "nothing was written: try again, and look for a process that hangs with the database open"


class StoreFull(StoreError):
    """The disk is full. The transaction was rolled back."""

    remedy = "nothing was written: make room on the disk that holds the database, then run it again"


class StoreReadOnly(StoreError):
    """The database or its folder may not be written."""

    remedy = "nothing was written: give the user that runs jianbao the right to write the database and its folder"


class StoreRefused(StoreError):
    """The URL names no database that jianbao may use: it belongs to another program or a newer jianbao, or is none.

    Nothing was touched.
    """

    remedy = "nothing was touched: correct JIANBAO_DB, or move that file away"


class StoreOutdated(StoreError):
    """The database belongs to an older jianbao. It was not touched."""

    remedy = "nothing was touched: run `jianbao db upgrade`, which keeps a copy"


class StoreDamaged(StoreError):
    """The database is damaged: its own structures contradict each other."""

    remedy = "stop jianbao, keep the damaged file, and put back the last `jianbao db backup`"


class StoreFailed(StoreError):
    """Any other error of the database. The transaction was rolled back."""

    remedy = "nothing was written: the message above is the database's own"


class NoSuchStory(StoreError):
    """No article has or had the id by which a story was named."""

    remedy = "ids are in the first column of `jianbao candidates`"

    def __init__(self, story: int) -> None:
        super().__init__(f"no story has the id {story}")
        self.story = story

    @property
    def values(self) -> Mapping[str, object]:
        """The values of the sentence's placeholders."""
        return {"story": self.story}
