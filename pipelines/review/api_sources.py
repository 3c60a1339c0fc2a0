"""Sources as JSON: how they fare, switched on and off, crawled now."""

from __future__ import annotations

from typing import Final

from pipelines.review.operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = ()
