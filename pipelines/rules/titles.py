"""titles.toml: which words in front of and behind a title are no part of it."""

from __future__ import annotations

import re
from functools import cached_property

from pipelines.rules.tables import NEVER, Patterns, join_patterns
from pipelines.text import fold_name
from pipelines.validation import Table, Words


class TitleRules(Table):
    """titles.toml.

    Args:
        leads: words in front of a title: `重磅`.
        tails: names of sites and accounts behind a title: `机器之心`.
        tail_patterns: patterns of further tails.
    """

    leads: Words = ()
    tails: Words = ()
    tail_patterns: Patterns = ()

    @cached_property
    def lead(self) -> re.Pattern[str]:
        """A lead with its brackets, its bar or its exclamation marks; one group holds the word."""
        if not self.leads:
            return NEVER
        leads = "|".join(re.escape(lead) for lead in sorted(self.leads, key=len, reverse=True))
        return re.compile(  # 【重磅】, 重磅 | , 重磅！
            rf"\s*(?:[【「\[〖(（]\s*({leads})\s*[!！]*\s*[】」\]〗)）]|({leads})[!！]*\s*(?:[|｜丨│:：]|[!！]+))\s*",
            re.IGNORECASE,
        )

    @cached_property
    def signatures(self) -> frozenset[str]:
        """`tails`, folded as names."""
        return frozenset(map(fold_name, self.tails))

    @cached_property
    def signature(self) -> re.Pattern[str]:
        """Matches where any of `tail_patterns` matches."""
        return join_patterns(self.tail_patterns, flags=re.IGNORECASE)
