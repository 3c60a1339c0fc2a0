"""text.toml."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import Field

from pipelines.rules.tables import Patterns, RuleTable, any_of


class TextRules(RuleTable):
    """text.toml.

    Args:
        max_line: characters of the longest line that may be boilerplate.
        lines: whole lines that are.
        openings: in front of the first words.
        endings: lines from which on all is other articles.
        max_after_ending: characters that may follow such a line.
    """

    max_line: int = Field(default=90, ge=1)
    lines: Patterns = ()
    openings: Patterns = ()
    endings: Patterns = ()
    max_after_ending: int = Field(default=1500, ge=0)

    @cached_property
    def line(self) -> re.Pattern[str]:
        """All of `lines`."""
        return any_of(self.lines, flags=re.IGNORECASE)

    @cached_property
    def opening(self) -> re.Pattern[str]:
        """All of `openings`."""
        return any_of(self.openings, flags=re.IGNORECASE)

    @cached_property
    def ending(self) -> re.Pattern[str]:
        """All of `endings`."""
        return any_of(self.endings, flags=re.IGNORECASE)
