"""Dates in the forms of web pages, each with its year, as their text or metadata writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Literal, Self

from crawler.markup.html import collapse

DateSource = Literal["json-ld", "meta", "time", "byline", "label", "script", "address", "metadata"]


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date of a page.

    Args:
        written: as written, or as ISO 8601 where the page writes it in a form that only its language reads.
        day: of it, in the zone in which it is written.
        source: where on the page.
    """

    written: str
    day: date
    source: DateSource


_MONTH_NAMES: Final = (
    (
        "january jan januar jänner jän januari enero ene janvier "
        "janv gennaio gen janeiro января янв stycznia ianuarie ocak"
    ),
    (
        "february feb februar februari febrero février fevrier févr "
        "febbraio fevereiro fev февраля фев lutego februarie şubat"
    ),
    "march mar märz mrz mär maart mrt marzo mars março marts марта мар marca martie mart",
    "april apr abril abr avril avr aprile апреля апр kwietnia aprilie nisan",
    "may mai mei mayo maggio mag maio maj мая maja mayıs",
    "june jun juni junio juin giugno giu junho июня июн czerwca iunie haziran",
    "july jul juli julio juillet juil luglio lug julho июля июл lipca iulie temmuz",
    "august aug augustus agosto ago août aout augusti августа авг sierpnia ağustos",
    "september sep sept septiembre septembre settembre set setembro сентября сен września septembrie eylül",
    "october oct oktober okt octubre octobre ottobre ott outubro out октября окт października octombrie ekim",
    "november nov noviembre novembre novembro ноября ноя listopada noiembrie kasım",
    (
        "december dec dezember dez diciembre dic décembre decembre "
        "déc dicembre dezembro декабря дек grudnia decembrie aralık"
    ),
)
"""Of English, German, Dutch, Spanish, French, Italian, Portuguese, the Nordic languages, Russian, Polish, Romanian and
Turkish."""
_MONTHS: Final = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}
_MONTH_NAME: Final = rf"(?P<month_name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_CLOCK: Final = (
    r"(?P<clock>[ T,，·|]{0,3}(?:\d{1,2}:\d\d(?::\d\d)?|\d{1,2}[时点]\d{1,2}分?)(?:\.\d{1,9})?"
    r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"
)
_YEAR: Final = r"(?P<year>(?:19|20)\d\d)"

FORMS: Final = tuple(
    re.compile(pattern + _CLOCK, re.IGNORECASE)
    for pattern in (
        # Seen 2026-11: 2025年11月7日 08:31 / 2025-11-07T08:31:48+08:00 / 2025.11.7 / 2025.11.07. 오후 8:31
        (
            rf"(?<![\d.\-/]){_YEAR} ?(?P<mark>[-/.年]) ?(?P<month>\d{{1,2}}) ?(?:(?P=mark)|月) ?"
            r"(?P<day>\d{1,2})(?!\d|%|\.\d)[日号]?"
        ),
        # Seen 2026-11: Fri, 7 Nov 2025 08:31:48 +0800 / 26. Januar 2022 / 3 de mayo de 2022
        (
            rf"(?<!\d)(?P<day>\d{{1,2}})(?:(?:st|nd|rd|th|er)?\.?(?: de)?[ -]{{1,2}}|\.){_MONTH_NAME}"
            rf",?(?: de)?[ -]{{1,2}}{_YEAR}(?!\d)"
        ),
        # Seen 2026-11: November 7th, 2025 8:31
        rf"(?<!\w){_MONTH_NAME} {{1,2}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {{1,2}}{_YEAR}(?!\d)",
        # Seen 2026-11: 07.11.2025, 07 | 11 | 2025
        (rf"(?<![\d.])(?P<day>\d{{1,2}}) ?(?P<mark>[.|]) ?(?P<month>\d{{1,2}}) ?(?P=mark) ?{_YEAR}(?!\d)"),
        # Seen 2026-11: 17/03/2020, 03/17/2020, 17-03-2020
        rf"(?<![\d./-])(?P<first>\d{{1,2}})(?P<mark>[/-])(?P<second>\d{{1,2}})(?P=mark){_YEAR}(?![\d/-])",
    )
)
"""Forms of a date with its year; each is searched for in a text."""

# Seen 2026-11: 发布时间：18-03-08 23:16
_SHORT_YEAR: Final = re.compile(
    r"(?:发布|发表|更新|时间|日期)\S{0,4}[:：] ?(?P<year>\d\d)-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)"
)
# Seen 2026-11: Wochenbericht 14. - 20. Januar 2022 / 14–20 January 2022
_RANGE: Final = re.compile(r"(?<![\d:])\d{1,2}\.? ?(?:[-–—]|bis|to|al|au) ?$")
"""The beginning of a span of days: what an article is about, and no moment of its publication."""
# Seen 2026-11: 20251107083148
_COMPACT: Final = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:T?\d{4}(?:\d\d)?Z?)?")
# Seen 2026-11: 2025-11-07T08:31:48.12+08:00 / Fri, 7 Nov 2025 08:31:48 +0800
_COMPLETE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"
    r"|(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: (?:[A-Z]{1,5}|[+-]\d{4}))?"
)
# Seen 2026-11: 1762475508
_EPOCH: Final = re.compile(r"(\d{10})(?:\d{3})?")

_YEAR_FIRST: Final = frozenset({"zh", "ja", "ko", "hu", "lt", "mn", "fa"})
"""Languages that write the year first, so that the order of 07/11/2025 is a guess."""
_DAY_FIRST_REGIONS: Final = frozenset({"gb", "uk", "au", "nz", "ie", "in", "sg", "hk"})
_LONGEST_META: Final = 100


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads the dates of one page.

    Args:
        day_first: whether the page's language writes 07/11/2025 for 7 November; None where that is unknown, and such a
            date is none unless one of its numbers is greater than 12.
    """

    day_first: bool | None = None

    @classmethod
    def of_language(cls, language: str) -> Self:
        """The reader of a page in a language.

        Args:
            language: as HTML writes it: `en-GB`, `pt_BR`; empty where the page does not say.
        """
        name, _, region = language.strip().lower().replace("_", "-").partition("-")
        if name in _YEAR_FIRST or not name:
            return cls(None)
        if name == "en":
            return cls({"us": False}.get(region, region in _DAY_FIRST_REGIONS or None))
        return cls(day_first=True)

    def read_value(self, content: str, source: DateSource) -> Iterator[WrittenDate]:
        """The date that a value of metadata is; none where it is text around a date."""
        content = collapse(content)
        if not content or len(content) > _LONGEST_META:
            return
        if epoch := _EPOCH.fullmatch(content):
            yield WrittenDate(content, datetime.fromtimestamp(int(epoch[1]), UTC).date(), source)
        elif (compact := _COMPACT.fullmatch(content)) and (day := read_day(compact)):
            yield WrittenDate(content, day, source)
        elif written := next(self.search(content, source), None):
            yield WrittenDate(content, written.day, source) if _COMPLETE.fullmatch(content) else written

    def search(self, text: str, source: DateSource) -> Iterator[WrittenDate]:
        """The dates in a text, those of each form in order."""
        return (written for written, _, _ in self.locate(text, source))

    def locate(self, text: str, source: DateSource) -> Iterator[tuple[WrittenDate, int, int]]:
        """The dates in a text as in `search`, each with its begin and its end in the text."""
        for form in FORMS:
            for match in form.finditer(text):
                is_range = form is not FORMS[0] and _RANGE.search(text[max(0, match.start() - 8) : match.start()])
                if not is_range and (day := read_day(match, day_first=self.day_first)):
                    yield WrittenDate(write_date(match, day), day, source), match.start(), match.end()
        for match in _SHORT_YEAR.finditer(text):
            if day := read_day(match):
                yield WrittenDate(day.isoformat(), day, source), match.start(), match.end()


def read_day(match: re.Match[str], *, day_first: bool | None = None) -> date | None:
    """The day that one of the forms matched; None for a day that no calendar has, or whose order is unknown."""
    groups = match.groupdict()
    if groups.get("first"):
        first, second = int(groups["first"]), int(groups["second"])
        is_ambiguous = first <= 12 and second <= 12 and first != second
        if is_ambiguous and day_first is None:
            return None
        is_day_first = day_first if is_ambiguous else first > 12
        day, month = (first, second) if is_day_first else (second, first)
    else:
        month = _MONTHS[groups["month_name"].lower()] if groups.get("month_name") else int(groups["month"])
        day = int(groups["day"])
    year = int(groups["year"])
    try:
        return date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return None


def write_date(match: re.Match[str], day: date) -> str:
    """A date as written, or as ISO 8601 where another language's month or order would be misread."""
    if match.re is FORMS[0]:
        return match[0].strip()
    clock = re.search(r"\d{1,2}:\d\d(?::\d\d)?", match["clock"] or "")
    return f"{day.isoformat()} {clock[0]}" if clock else day.isoformat()


def find_written_date(text: str) -> str | None:
    """The first date with its year in a text, as written; None without one."""
    return next((date.written for date in DateReader().search(text, "byline")), None)
