"""papers.toml: which pages are a paper."""

from __future__ import annotations

import re
from functools import cached_property

from pipelines.rules.tables import Patterns, join_patterns
from pipelines.validation import Table


class PaperRules(Table):
    """papers.toml.

    Args:
        pages: a page is a paper where any of them matches the beginning of its host, without `www.`, and path.
    """

    pages: Patterns = ()

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return join_patterns(self.pages) if self.pages else None

    def is_paper(self, host: str, path: str) -> bool:
        """Whether the page is a paper.

        Args:
            host: without `www.`; empty for none.
            path: from the first `/`.
        """
        return bool(self._pattern and self._pattern.match(host + path))
