"""promotion.toml."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, Field

from pipelines.rules.tables import Patterns, RuleTable, any_of, as_tuple


class PromotionSort(RuleTable):
    """One sort of promotion.

    Args:
        name: as a reason calls it.
        patterns: any of them in a title tells it.
    """

    name: str = Field(min_length=1)
    patterns: Patterns = Field(min_length=1)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All of `patterns`."""
        return any_of(self.patterns, flags=re.IGNORECASE)


class PromotionRules(RuleTable):
    """promotion.toml.

    Args:
        weight: what a promotion adds to a score.
        sorts: the first that fits gives its name.
    """

    weight: float = Field(default=-3.0, le=0)
    sorts: Annotated[tuple[PromotionSort, ...], BeforeValidator(as_tuple)] = ()

    def sort_of(self, title: str) -> str | None:
        """What sort of promotion a title announces, if any."""
        return next((sort.name for sort in self.sorts if sort.pattern.search(title)), None)
