"""promotion.toml: which titles are promotion: recruitment, courses, raffles."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, Field

from pipelines.rules.tables import Patterns, join_patterns
from pipelines.validation import Table, as_tuple


class PromotionSort(Table):
    """One sort of promotion.

    Args:
        name: the sort's name in a reason.
        patterns: a title in which any of them matches is promotion of this sort.
    """

    name: str = Field(min_length=1)
    patterns: Patterns = Field(min_length=1)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches where any of `patterns` matches."""
        return join_patterns(self.patterns, flags=re.IGNORECASE)


class PromotionRules(Table):
    """promotion.toml.

    Args:
        weight: added to the score of a promotion.
        sorts: the first sort that matches names the promotion.
    """

    weight: float = Field(default=-3.0, le=0)
    sorts: Annotated[tuple[PromotionSort, ...], BeforeValidator(as_tuple)] = ()

    def find_sort(self, title: str) -> str | None:
        """The name of the sort of promotion that a title announces, or None."""
        return next((sort.name for sort in self.sorts if sort.pattern.search(title)), None)
