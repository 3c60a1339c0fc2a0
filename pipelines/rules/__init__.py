"""data/rules/*.toml -> `Rules`: the tables of the stages, read once and passed to them as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from crawler.home import Home
from crawler.toml import TomlUnreadable, read_toml
from pipelines.errors import EditorError
from pipelines.newsletter import load_newsletter
from pipelines.rules.events import EventRules
from pipelines.rules.holidays import HolidayRules
from pipelines.rules.languages import LanguageRules
from pipelines.rules.papers import PaperRules
from pipelines.rules.promotion import PromotionRules
from pipelines.rules.references import ReferenceRules
from pipelines.rules.text import TextRules
from pipelines.rules.titles import TitleRules
from pipelines.rules.urls import UrlRules
from pipelines.validation import Table, describe_mistakes


class RulesMisconfigured(EditorError):
    """A file of data/rules cannot be used; the message names the file, each wrong field and the reason."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Every table of data/rules, as a value.

    Args:
        zone: the newsletter's time zone, for dates without one.
    """

    zone: ZoneInfo
    urls: UrlRules = field(repr=False)
    titles: TitleRules = field(repr=False)
    text: TextRules = field(repr=False)
    languages: LanguageRules = field(repr=False)
    references: ReferenceRules = field(repr=False)
    promotion: PromotionRules = field(repr=False)
    events: EventRules = field(repr=False)
    papers: PaperRules = field(repr=False)
    holidays: HolidayRules = field(repr=False)


_T = TypeVar("_T", bound=Table)


def load_rules(home: Home) -> Rules:
    """Read each table from the newsletter's own `rules/`, else from the rules that jianbao installs.

    newsletter.toml gives the time zone and the labels.

    Raises:
        NewsletterMisconfigured: newsletter.toml cannot be used.
        RulesMisconfigured: a file is missing or is no TOML, or fields cannot be used; the message names all.
    """
    newsletter = load_newsletter(home.newsletter)
    return Rules(
        zone=newsletter.zone,
        urls=_read_table(home, "urls.toml", UrlRules),
        titles=_read_table(home, "titles.toml", TitleRules),
        text=_read_table(home, "text.toml", TextRules),
        languages=_read_table(home, "languages.toml", LanguageRules),
        references=_read_table(home, "references.toml", ReferenceRules, printed=newsletter.labels),
        promotion=_read_table(home, "promotion.toml", PromotionRules),
        events=_read_table(home, "events.toml", EventRules),
        papers=_read_table(home, "papers.toml", PaperRules),
        holidays=_read_table(home, "holidays.toml", HolidayRules),
    )


def _read_table(home: Home, name: str, table: type[_T], **more: object) -> _T:
    path = home.rules(name)
    try:
        values = read_toml(path)
    except FileNotFoundError as error:
        raise RulesMisconfigured("no-file", path=path) from error
    except TomlUnreadable as error:
        raise RulesMisconfigured("unusable-settings", path=path, reasons=(error.detail,)) from error
    try:
        return table.model_validate(values | more)
    except ValidationError as error:
        raise RulesMisconfigured("unusable-settings", path=path, reasons=describe_mistakes(error)) from error
