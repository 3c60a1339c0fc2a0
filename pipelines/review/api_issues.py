"""Issues as JSON: read, write, order, export."""

from __future__ import annotations

from typing import Final

from pipelines.review.operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = ()
