"""The person who acts on a newsroom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom
from pipelines.rules import Rules
from pipelines.store import Store


@dataclass(frozen=True, slots=True)
class Editor:
    """A person who acts on a newsroom at a moment.

    Args:
        newsroom: the newsletter with its store.
        name: of the person, as decisions and changes keep it.
        now: the moment, aware.
    """

    newsroom: Newsroom
    name: str
    now: datetime

    @property
    def store(self) -> Store:
        """The store of the newsroom."""
        return self.newsroom.store

    @property
    def newsletter(self) -> Newsletter:
        """The newsletter of the newsroom."""
        return self.newsroom.newsletter

    @property
    def rules(self) -> Rules:
        """The rules of the newsroom."""
        return self.newsroom.rules
