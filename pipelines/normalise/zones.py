"""Time zones as dates write them: offsets, abbreviations, IANA names, Chinese names, RFC 822's letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_HOURS: Final[Mapping[str, float]] = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "EGST": 0,
    "BST": 1, "CET": 1, "MET": 1, "MEZ": 1, "WAT": 1, "WEST": 1,
    "CAT": 2, "CEST": 2, "EET": 2, "MEST": 2, "MESZ": 2, "SAST": 2,
    "EAT": 3, "EEST": 3, "IDT": 3, "MSK": 3, "TRT": 3, "GST": 4, "MSD": 4, "IST": 5.5, "PKT": 5, "NPT": 5.75,
    "ICT": 7, "WIB": 7, "AWST": 8, "BJT": 8, "HKT": 8, "MYT": 8, "PHT": 8, "SGT": 8, "WITA": 8,
    "JST": 9, "KST": 9, "WIT": 9, "ACST": 9.5, "AEST": 10, "ACDT": 10.5, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "NDT": -2.5, "ADT": -3, "ART": -3, "BRT": -3, "CLST": -3, "NST": -3.5, "AST": -4, "CLT": -4, "EDT": -4,
    "CDT": -5, "COT": -5, "EST": -5, "PET": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7,
    "AKDT": -8, "PST": -8, "AKST": -9, "HDT": -9, "HST": -10, "AOE": -12,
}  # fmt: skip
"""Hours east of Greenwich by abbreviation: RFC 822, section 5, and the abbreviations of the tz database of which nearly
all writers mean one zone. The newsletter's own zone comes before the table: CST is China's in China."""

_REGIONS: Final[Mapping[str, str]] = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
    "北京时间": "Asia/Shanghai",
    "中国标准时间": "Asia/Shanghai",
    "台北时间": "Asia/Taipei",
    "香港时间": "Asia/Hong_Kong",
    "东京时间": "Asia/Tokyo",
    "日本时间": "Asia/Tokyo",
    "首尔时间": "Asia/Seoul",
    "韩国时间": "Asia/Seoul",
    "美国东部时间": "America/New_York",
    "美东时间": "America/New_York",
    "纽约时间": "America/New_York",
    "美国西部时间": "America/Los_Angeles",
    "美西时间": "America/Los_Angeles",
    "太平洋时间": "America/Los_Angeles",
    "伦敦时间": "Europe/London",
    "格林尼治时间": "UTC",
    "格林威治时间": "UTC",
    "世界协调时": "UTC",
    "协调世界时": "UTC",
}
"""Names of zones that have summer time or a Chinese name, and the tz database's name for them."""

_LETTERS: Final = "YXWVUTSRQPON" + "Z" + "ABCDEFGHIKLM"
"""RFC 822's letters from 12 hours east of Greenwich to 12 hours west: A is -1, N is +1, no zone is J."""

CHINESE_ZONE: Final = rf"(?:{'|'.join(name for name in _REGIONS if not name.isascii())})"
"""北京时间, which stands before its date."""

_NAMES: Final = sorted((*_HOURS, *(name for name in _REGIONS if name.isascii())), key=len, reverse=True)
_OFFSET: Final = r"[+-](?:\d{1,2}:(?:\d\d|0)|\d{3,4}|\d{1,2})(?![\d:])"
_TZ_NAME: Final = r"[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_+-]+\d{0,2}){1,2}"
_NAME: Final = rf"(?:GMT|UTC?)\s?{_OFFSET}|{_OFFSET}(?:\s[A-Z]{{2,5}}\b)?|{_TZ_NAME}|(?:{'|'.join(_NAMES)})(?![\w/+-])"

ZONE: Final = (
    rf"(?:(?P<zone>{_NAME})(?:\s*[(\[][^()\[\]\d]{{1,40}}[)\]])?|"
    rf"[(\[]\s*(?P<bracketed_zone>{_NAME}|{CHINESE_ZONE})\s*[)\]])"
)
"""+0800, −8:00, GMT+8, CST, Asia/Shanghai, (UTC+8), +08:00[Asia/Shanghai], GMT+0800 (中国标准时间)."""

LETTER: Final = "(?P<letter>[A-IK-Z])"


@lru_cache(maxsize=256)  # the dates of a feed have one or two
def find_zone(name: str, own: tzinfo, year: int) -> tzinfo:
    """The time zone of a name.

    Args:
        name: as `ZONE` matches it.
        own: the newsletter's zone; its own abbreviations come before the table.
        year: of the date, for the abbreviations that `own` has then.

    Raises:
        ValueError: no time zone has this name.
    """
    for month in (1, 7):
        day = datetime(year, month, 1, tzinfo=own)
        if name.upper() == (day.tzname() or "").upper():
            return timezone(day.utcoffset() or timedelta())
    if name.upper() in _HOURS:
        return timezone(timedelta(hours=_HOURS[name.upper()]))
    if region := _REGIONS.get(name.upper()) or ("/" in name and name):
        zone = _load_zone(region)
        if zone is None:
            raise ValueError(f"no time zone is called {name}")
        return zone
    return timezone(_read_offset(name))


@lru_cache(maxsize=256)
def _load_zone(name: str) -> ZoneInfo | None:
    """A zone of the tz database, or None; a name that it lacks costs milliseconds."""
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError):  # no such file; a folder; not in the database
        return None


def find_zone_of_letter(letter: str) -> tzinfo:
    """The time zone of a letter of RFC 822, section 5.

    >>> find_zone_of_letter("A").utcoffset(None).total_seconds() / 3600
    -1.0
    """
    return timezone(timedelta(hours=_LETTERS.index("Z") - _LETTERS.index(letter.upper())))


def _read_offset(written: str) -> timedelta:
    """The hours and minutes east of Greenwich.

    >>> [str(_read_offset(written)) for written in ("+8", "+0830", "UTC+8:30", "+830")]
    ['8:00:00', '8:30:00', '8:30:00', '8:30:00']

    Raises:
        ValueError: no place on Earth is so far from Greenwich.
    """
    sign, digits = re.sub(r"[^+-]", "", written), re.sub(r"\D", "", written)
    if ":" in written:
        hours, minutes = map(int, re.findall(r"\d+", written))
    else:
        hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 14 or minutes > 59:
        raise ValueError(f"{written} is no offset of a time zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if sign == "-" else offset
