"""Reads dates in other languages than Chinese and English with dateparser, and accepts only a whole reading.

dateparser knows 200 languages and guesses: it drops a year that it cannot place, and reads a number as a day or as a
year. So a reading counts only where it explains every number of the text.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final

from pipelines.model import Precision

_LONGEST: Final = 64
"""Characters that dateparser gets: its cost grows faster than its input, 40,000 digits take 5.5 s."""

_LANGUAGES: Final = ["fr", "de", "es", "it", "pt", "ru", "ja", "ko", "nl", "pl", "vi"]
"""The languages of the sources; with all 200, a text that is no date costs 0.2 s."""

# "20 novembre 2026", "20. November 2026", "2026年11月20日", "il y a 3 heures"
_WORD: Final = re.compile(r"[^\W\d_]{2,}|[^\W\d_a-zA-Z]")


# "Nov 16 (2018)", "11月16日 2018": no date of one language
_UNUSUAL: Final = re.compile(r"[()\[\]{}（）]|^[^年]*月[^年]*$")


def read_foreign_date(text: str, now: datetime) -> tuple[datetime, Precision] | None:
    """Read a date in another language.

    Args:
        text: one line.
        now: aware; `il y a 3 heures` counts from it, and its zone is that of a date without one.

    Returns:
        The time and its precision; None for a text that dateparser does not read, or reads in part.

    >>> from datetime import UTC
    >>> read_foreign_date("20 novembre 2026 à 14:03", datetime(2026, 11, 28, tzinfo=UTC))
    (datetime.datetime(2026, 11, 20, 14, 3, tzinfo=datetime.timezone.utc), 'minute')
    """
    if len(text) > _LONGEST or not re.search(r"\d", text) or not _WORD.search(text) or _UNUSUAL.search(text):
        return None
    return _parse_absolute(text, now) or _parse_relative(text, now)


def _parse_absolute(text: str, now: datetime) -> tuple[datetime, Precision] | None:
    moment = _parse(text, now, "absolute-time")
    if moment is None or not _explains_numbers(text, moment):
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)
    return aware, "minute" if ":" in text or (moment.hour, moment.minute) != (0, 0) else "day"


def _parse_relative(text: str, now: datetime) -> tuple[datetime, Precision] | None:
    if len(re.findall(r"\d+", text)) != 1:
        return None
    moment = _parse(text, now, "relative-time")
    if moment is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)
    if aware > now:
        return None
    if (now - aware).days < 1:
        return aware, "minute"
    return aware.replace(hour=0, minute=0, second=0, microsecond=0), "day"


def _parse(text: str, now: datetime, parser: str) -> datetime | None:
    import dateparser  # noqa: PLC0415 - few dates need it, and it takes a while to load

    zone: tzinfo | None = now.tzinfo
    parsed: datetime | None = dateparser.parse(
        text,
        languages=_LANGUAGES,
        settings={
            "RELATIVE_BASE": now.astimezone(zone).replace(tzinfo=None),
            "PREFER_DATES_FROM": "past",
            "STRICT_PARSING": parser == "absolute-time",
            "PARSERS": [parser],
        },
    )
    return parsed


def _explains_numbers(text: str, moment: datetime) -> bool:
    """Whether a date has its year in the text, and every other number of the text is a part of the date."""
    offset = moment.utcoffset()
    zone_parts = (
        [abs(int(offset.total_seconds())) // 3600, abs(int(offset.total_seconds())) // 60 % 60] if offset else []
    )
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.hour % 12, moment.minute, moment.second]
    allowed = {*parts, *zone_parts, 12 if moment.hour % 12 == 0 else moment.hour, 0}
    numbers = [int(digits) for digits in re.findall(r"\d+", text) if len(digits) <= 4]
    return moment.year in numbers and moment.day in numbers and set(numbers) <= allowed
