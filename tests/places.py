"""Folders that tests read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""

RECORDINGS: Final = ROOT / "tests/recordings"
"""A folder for each kind of source, in it one for each recorded reply."""

SCHEMAS: Final = ROOT / "tests/schemas"
