"""text.toml: which lines of a text are boilerplate."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import Field

from pipelines.rules.tables import Patterns, join_patterns
from pipelines.validation import Table


class TextRules(Table):
    """text.toml.

    Args:
        max_line: length in characters of the longest line that may be boilerplate.
        lines: patterns of whole lines of boilerplate.
        openings: patterns of boilerplate at the start of a line.
        endings: patterns of whole lines that announce a list of further articles: the text ends before them.
        max_after_ending: characters that may follow an ending.
    """

    max_line: int = Field(default=90, ge=1)
    lines: Patterns = ()
    openings: Patterns = ()
    endings: Patterns = ()
    max_after_ending: int = Field(default=1500, ge=0)

    @cached_property
    def line(self) -> re.Pattern[str]:
        """Matches where any of `lines` matches."""
        return join_patterns(self.lines, flags=re.IGNORECASE)

    @cached_property
    def opening(self) -> re.Pattern[str]:
        """Matches where any of `openings` matches."""
        return join_patterns(self.openings, flags=re.IGNORECASE)

    @cached_property
    def ending(self) -> re.Pattern[str]:
        """Matches where any of `endings` matches."""
        return join_patterns(self.endings, flags=re.IGNORECASE)
