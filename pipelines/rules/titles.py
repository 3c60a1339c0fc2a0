"""titles.toml."""

from __future__ import annotations

import re
from functools import cached_property

from pipelines.rules.tables import NEVER, Patterns, RuleTable, Words, any_of


class TitleRules(RuleTable):
    """titles.toml.

    Args:
        leads: shouted in front.
        tails: signed behind.
        tail_patterns: the same, as regexes.
    """

    leads: Words = ()
    tails: Words = ()
    tail_patterns: Patterns = ()

    @cached_property
    def lead(self) -> re.Pattern[str]:
        """A lead with its brackets, its bar or its exclamation marks; one group holds the word."""
        if not self.leads:
            return NEVER
        words = "|".join(re.escape(word) for word in sorted(self.leads, key=len, reverse=True))
        return re.compile(
            rf"\s*(?:[【「\[〖(（]\s*({words})\s*[!！]*\s*[】」\]〗)）]|({words})[!！]*\s*(?:[|｜丨│:：]|[!！]+))\s*",
            re.IGNORECASE,
        )

    @cached_property
    def signatures(self) -> frozenset[str]:
        """`tails`, case and blanks folded."""
        return frozenset("".join(tail.casefold().split()) for tail in self.tails)

    @cached_property
    def signature(self) -> re.Pattern[str]:
        """All of `tail_patterns`."""
        return any_of(self.tail_patterns, flags=re.IGNORECASE)
