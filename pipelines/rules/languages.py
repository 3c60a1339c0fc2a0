"""languages.toml: how the language of a text is found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from langdetect.detector_factory import PROFILES_DIRECTORY
from pydantic import Field, field_validator

from crawler.errors import NotUnderstood
from pipelines.validation import Table


class SmallWordRules(Table):
    """Small words (articles, prepositions) that tell a language.

    Args:
        least: how many small words of a language a text must have.
        share: what share of the text's words they must be.
        of: small words in lower case, by language.
    """

    least: int = Field(default=3, ge=1)
    share: float = Field(default=0.12, gt=0, le=1)
    of: Mapping[str, frozenset[str]] = Field(default_factory=dict)


class StatisticsRules(Table):
    """When statistics (langdetect) decide.

    Args:
        least: how many words that are no names a text must have.
        probability: how sure they must be.
    """

    least: int = Field(default=3, ge=1)
    probability: float = Field(default=0.9, gt=0, le=1)


class LanguageRules(Table):
    """languages.toml.

    Args:
        prior: prior probability of each language, by langdetect's name; no other language is considered.
        small_words: tell a language before langdetect is asked.
        statistics: when langdetect decides.
    """

    prior: Mapping[str, Annotated[float, Field(gt=0, le=1)]] = Field(min_length=2)
    small_words: SmallWordRules = SmallWordRules()
    statistics: StatisticsRules = StatisticsRules()

    @field_validator("prior")
    @classmethod
    def _check_languages(cls, prior: Mapping[str, float]) -> Mapping[str, float]:
        unknown = [language for language in prior if not (Path(PROFILES_DIRECTORY) / language).is_file()]
        if unknown:
            raise NotUnderstood("unknown-languages", names=unknown)
        return prior
