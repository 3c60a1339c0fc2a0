"""data/rules/*.toml -> `Rules`: the tables that the stages work by, read once and handed to them as a value."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from crawler.home import Home
from pipelines.newsletter import load_newsletter
from pipelines.rules.languages import LanguageRules
from pipelines.rules.promotion import PromotionRules
from pipelines.rules.references import ReferenceRules
from pipelines.rules.tables import RuleTable
from pipelines.rules.text import TextRules
from pipelines.rules.titles import TitleRules
from pipelines.rules.urls import UrlRules


class RulesMisconfigured(Exception):
    """A file of data/rules cannot be used; the message names the file, each field and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Every table of data/rules, as a value.

    Args:
        zone: of dates that name none; the newsletter's.
    """

    zone: ZoneInfo
    urls: UrlRules = field(repr=False)
    titles: TitleRules = field(repr=False)
    text: TextRules = field(repr=False)
    languages: LanguageRules = field(repr=False)
    references: ReferenceRules = field(repr=False)
    promotion: PromotionRules = field(repr=False)


_T = TypeVar("_T", bound=RuleTable)


def load_rules(home: Home) -> Rules:
    """Read the tables: each from the newsletter's own `rules/`, else the one that comes with jianbao.

    The newsletter itself gives its time zone, and what it calls its label lines.

    Raises:
        NewsletterMisconfigured: newsletter.toml cannot be used.
        RulesMisconfigured: a file is missing, is no TOML, or has fields that cannot be used, all of them named.
    """
    newsletter = load_newsletter(home.newsletter)
    return Rules(
        zone=newsletter.zone,
        urls=_read(home, "urls.toml", UrlRules),
        titles=_read(home, "titles.toml", TitleRules),
        text=_read(home, "text.toml", TextRules),
        languages=_read(home, "languages.toml", LanguageRules),
        references=_read(home, "references.toml", ReferenceRules, printed=newsletter.labels),
        promotion=_read(home, "promotion.toml", PromotionRules),
    )


def _read(home: Home, name: str, table: type[_T], **more: object) -> _T:
    path = home.rules(name)
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesMisconfigured(f"{path}: {error}") from error
    try:
        return table.model_validate(values | more)
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}" for mistake in error.errors()
        )
        raise RulesMisconfigured(f"{path}: {mistakes}") from error
