"""Chinese names of states and kinds, for the editor."""

from __future__ import annotations

from typing import Final

from crawler.kinds import KINDS

STATE_NAMES: Final = {"new": "待选", "picked": "已选", "dropped": "不用", "later": "以后", "published": "已刊"}
"""Name of each `CandidateState`."""

KIND_NAMES: Final = {name: row.article.chinese for name, row in KINDS.items()}
"""Name of an article of each kind."""
