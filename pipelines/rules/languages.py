"""languages.toml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from langdetect.detector_factory import PROFILES_DIRECTORY
from pydantic import Field, field_validator

from pipelines.rules.tables import RuleTable


class SmallWordRules(RuleTable):
    """How many small words tell a language: at least `least` of them, and `share` of all words."""

    least: int = Field(default=3, ge=1)
    share: float = Field(default=0.12, gt=0, le=1)
    of: Mapping[str, frozenset[str]] = Field(default_factory=dict)


class LanguageRules(RuleTable):
    """languages.toml.

    Args:
        prior: how likely a language is before a word is read, by langdetect's names; no other is considered.
        small_words: by language.
    """

    prior: Mapping[str, Annotated[float, Field(gt=0, le=1)]] = Field(min_length=2)
    small_words: SmallWordRules = SmallWordRules()

    @field_validator("prior")
    @classmethod
    def _known(cls, prior: Mapping[str, float]) -> Mapping[str, float]:
        unknown = [language for language in prior if not (Path(PROFILES_DIRECTORY) / language).is_file()]
        if unknown:
            raise ValueError(f"langdetect has no {', '.join(unknown)}")
        return prior
