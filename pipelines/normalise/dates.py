"""Dates as pages write them: known forms first, dateparser for what they leave, and nothing impossible.

A form costs some µs, dateparser some thousand; feeds and APIs use a handful of forms, Chinese pages a dozen more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from pipelines.model import Instant, Precision

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""Nothing that a newsletter reads is older; what claims to be is an epoch of 0 or a misread number."""

LATEST: Final = timedelta(days=1)
"""How far after the fetch a date may lie: clocks and time zones differ, but nothing is published next week."""

_LONGEST: Final = 200
"""Characters; more is not a date."""

_LONGEST_GUESS: Final = 64
"""Characters that dateparser may see: its cost grows faster than its input: 40,000 digits take it 5.5 s."""


def read_date(raw: str, fetched_at: datetime, zone: tzinfo, *, source: str = "published") -> Instant | None:
    """What a page's date means.

    Args:
        raw: as written: `1762475508`, `Fri, 7 Nov 2025 08:31:48 +0800`, `11月20日`, `编辑于 昨天 14:03`.
        fetched_at: aware; what 3小时前 is relative to. A date without a year is the newest that is not after it.
        zone: of dates that name none.
        source: goes into the answer.

    Returns:
        None for what cannot be read, or cannot be: before 1990, more than a day after the fetch.
    """
    if len(raw) > _LONGEST:
        return None
    text = " ".join(raw.split())
    now = fetched_at.astimezone(zone)
    try:
        found = _read(text, now)
    except (ValueError, OverflowError):  # 2019-13-45
        return None
    if found is None or not EARLIEST <= found.at <= fetched_at + LATEST:
        return None
    return Instant(found.at, found.precision, source, raw)


@dataclass(frozen=True, slots=True)
class _Found:
    at: datetime
    precision: Precision


_Reader = Callable[[re.Match[str], datetime], _Found | None]


def _read(text: str, now: datetime) -> _Found | None:
    for pattern, reader in _PLAIN_FORMS:
        match = pattern.fullmatch(text)
        if match:
            return reader(match, now)
    text = _simplified(text)
    for pattern, reader in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            return reader(match, now)
    return _guess(text, now)


# ---- Writing out

_NOISE: Final = re.compile(
    r"^.{0,12}?(?:发布于|发表于|编辑于|更新于|修改于|创建于|收录于|(?:发布|发表|更新|修改|创建)?(?:时间|日期))\s*:?\s*"
    r"|^(?:published|posted|updated|modified|created|released|date)?\s*(?:on|at)?\s*:?\s+"
    r"|^(?:published|posted|updated|modified|created|released|date)\s*(?:on|at)?\s*:?\s*"
    r"|\s*[(\[]?(?:星期|礼拜|周)[一二三四五六日天][)\]]?(?=[\s,\d上下凌早中晚]|$)"
    r"|\s*(?:发布|发表|更新|编辑|修改)$"
    r"|\s*[(][A-Za-z /:+-]{2,40}[)]$",
    re.IGNORECASE,
)
_NUMERAL: Final = re.compile("[〇零一二两三四五六七八九十百廿]+")
_DIGITS: Final = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


def _simplified(text: str) -> str:
    """Full-width to ASCII, what stands around the date off, numerals to digits; a weekday alone stays.

    >>> _simplified("编辑于　２０１９年八月十五日 星期四 下午３：０５")
    '2019年8月15日 下午3:05'
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if not _WEEKDAY.fullmatch(text):
        text = _NOISE.sub("", text).strip()
    return _NUMERAL.sub(lambda match: _number(match[0]), text) if not _WEEKDAY.fullmatch(text) else text


def _number(numeral: str) -> str:
    """A Chinese numeral below 1000, or digits one by one.

    >>> [_number(numeral) for numeral in ("二〇一九", "十", "二十三", "一百", "廿一")]
    ['2019', '10', '23', '100', '21']
    """
    numeral = numeral.replace("廿", "二十")
    if not set(numeral) & set("十百"):
        return "".join(str(_DIGITS[character]) for character in numeral)
    value, digit = 0, 0
    for character in numeral:
        if character in "十百":
            value += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[character]
    return str(value + digit)


# ---- Parts that forms share

_HALF: Final = "上午|下午|凌晨|清晨|早上|早晨|中午|傍晚|晚上|晚间|夜间|晚"
_TIME: Final = (
    rf"(?P<half>{_HALF})?\s*(?P<hour>\d{{1,2}})\s*(?:(?::|时|点)\s*|(?=[AaPp]\.?[Mm]))(?P<minute>\d{{1,2}}|半)?"
    r"(?:\s*[:分]\s*(?P<second>\d{1,2})(?:[.,]\d{1,9})?)?\s*[分秒]?\s*(?P<meridiem>[AaPp]\.?[Mm]\.?)?"
)
_ZONE: Final = r"(?P<zone>[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2}|[+-]\d{2})"
_TIME_AND_ZONE: Final = rf"(?:[\sT,·]*{_TIME}(?:\s*{_ZONE})?)?"
_MORE: Final = r"(?:[^\w:+].{0,60})?"
"""What may follow a date with a year: 来源：…"""
_MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS: Final = {
    spelling: number for number, name in enumerate(_MONTH_NAMES, start=1) for spelling in (name, name[:3])
} | {"sept": 9}
_MONTH: Final = rf"(?P<month_name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_DAY_NAME: Final = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[\s,.]+)?"
_WEEKDAY: Final = re.compile(rf"(?:星期|礼拜|周)(?P<weekday>[一二三四五六日天])\s*(?:{_TIME})?")

_ZONE_NAMES: Final[Mapping[str, float]] = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7, "BJT": 8, "HKT": 8, "JST": 9, "KST": 9, "CET": 1, "CEST": 2, "BST": 1, "MSK": 3, "IST": 5.5,
}  # fmt: skip
"""Hours east of Greenwich; RFC 822, section 5, and what feeds write besides."""


def _zone(name: str | None, now: datetime) -> tzinfo | None:
    """The zone of a name; where the reader's own goes by that name, it is meant: CST is China's in China."""
    own = now.tzinfo
    if not name or name.upper() == (now.tzname() or "").upper():
        return own
    name = name.upper()
    if name in _ZONE_NAMES:
        return timezone(timedelta(hours=_ZONE_NAMES[name]))
    match = re.fullmatch(r"(?:GMT|UTC|UT)?([+-])(\d{1,2}):?(\d{2})?", name)
    if match is None:
        raise ValueError(f"no time zone is called {name}")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-offset if match[1] == "-" else offset)


def _clock(match: re.Match[str]) -> tuple[timedelta, Precision]:
    """The time of day that a form found, none is midnight and a day's precision."""
    groups = match.groupdict()
    if groups.get("hour") is None:
        return timedelta(), "day"
    hour, second = int(groups["hour"]), groups.get("second")
    minute = 30 if groups["minute"] == "半" else int(groups["minute"] or 0)
    half = groups.get("half") or (groups.get("meridiem") or "").replace(".", "").lower()
    if (half in ("下午", "傍晚", "晚上", "晚间", "夜间", "晚", "pm") and hour < 12) or (half == "中午" and hour < 11):
        hour += 12
    elif half in ("上午", "凌晨", "清晨", "早上", "早晨", "am") and hour == 12:
        hour = 0
    if hour > 24 or minute > 59 or int(second or 0) > 60 or (hour == 24 and (minute or int(second or 0))):
        raise ValueError("no such time of day")
    precision: Precision = "second" if second else "minute" if groups["minute"] else "hour"
    return timedelta(hours=hour, minutes=minute, seconds=min(int(second or 0), 59)), precision


def _at(match: re.Match[str], now: datetime, year: int, month: int, day: int) -> _Found:
    time, precision = _clock(match)
    midnight = datetime(year, month, day, tzinfo=_zone(match.groupdict().get("zone"), now))
    return _Found(midnight + time, precision)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


# ---- Forms


def _epoch(match: re.Match[str], now: datetime) -> _Found:
    digits = match[1]
    seconds = int(digits) / {10: 1, 13: 1e3, 16: 1e6, 19: 1e9}.get(len(digits), 1)
    return _Found(datetime.fromtimestamp(seconds, now.tzinfo), "second")


def _iso(match: re.Match[str], now: datetime) -> _Found:
    year, month, day, hour, minute, second, zone = match.groups()
    at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=_zone(zone, now))
    return _Found(at, "second" if second else "minute")


def _year_first(match: re.Match[str], now: datetime) -> _Found:
    if match["day"]:
        return _at(match, now, int(match["year"]), int(match["month"]), int(match["day"]))
    at = datetime(int(match["year"]), int(match["month"] or 1), 1, tzinfo=now.tzinfo)
    return _Found(at, "month" if match["month"] else "year")


def _month_name(match: re.Match[str], now: datetime) -> _Found | None:
    month = _MONTHS[match["month_name"].lower()]
    if not match["year"]:
        return _newest(match, now, month)
    year = int(match["year"])
    if len(match["year"]) == 2:  # RFC 2822, 4.3
        year += 2000 if year < 50 else 1900
    return _at(match, now, year, month, int(match["day"]))


def _compact(match: re.Match[str], now: datetime) -> _Found:
    return _at(match, now, int(match["year"]), int(match["month"]), int(match["day"]))


def _no_year(match: re.Match[str], now: datetime) -> _Found | None:
    return _newest(match, now, int(match["month"]))


def _newest(match: re.Match[str], now: datetime, month: int) -> _Found | None:
    """The newest such day that is not in the future; 29 February may lie eight years back."""
    for year in range(now.year, now.year - 9, -1):
        try:
            found = _at(match, now, year, month, int(match["day"]))
        except ValueError:
            if year == now.year - 8:
                raise
            continue
        if found.at <= now:
            return found
    return None


def _just_now(_: re.Match[str], now: datetime) -> _Found:
    return _Found(now, "minute")


_DAYS: Final = {"今": 0, "昨": 1, "前": 2, "大前": 3, "today": 0, "yesterday": 1}


def _day_ago(match: re.Match[str], now: datetime) -> _Found:
    time, precision = _clock(match)
    return _Found(_midnight(now - timedelta(days=_DAYS[match["which"].lower()])) + time, precision)


_UNITS: Final[Mapping[str, tuple[timedelta, Precision]]] = {
    **dict.fromkeys(("秒", "秒钟", "s", "sec", "second"), (timedelta(seconds=1), "minute")),
    **dict.fromkeys(("分", "分钟", "m", "min", "minute"), (timedelta(minutes=1), "minute")),
    **dict.fromkeys(("小时", "钟头", "h", "hr", "hour"), (timedelta(hours=1), "hour")),
    **dict.fromkeys(("天", "日", "d", "day"), (timedelta(days=1), "day")),
    **dict.fromkeys(("周", "星期", "礼拜", "w", "week"), (timedelta(weeks=1), "day")),
    **dict.fromkeys(("月", "mo", "month"), (timedelta(days=30), "month")),
    **dict.fromkeys(("年", "y", "year"), (timedelta(days=365), "year")),
}


def _ago(match: re.Match[str], now: datetime) -> _Found | None:
    groups = match.groupdict()
    count, half = groups["count"] or "", groups.get("half_unit")
    if not count and not half:
        return None
    number = float(count) if count.isdigit() else 1.0 if count else 0.0
    unit, precision = _UNITS[match["unit"].lower()]
    if unit >= timedelta(days=30) and not half:
        return _Found(_midnight(_months_ago(now, round(number) * (12 if precision == "year" else 1))), precision)
    at = now - (number + (0.5 if half else 0)) * unit
    return _Found(_midnight(at) if unit >= timedelta(days=1) else at, precision)


def _months_ago(now: datetime, months: int) -> datetime:
    """The same day of an earlier month, or the month's last.

    >>> _months_ago(datetime(2020, 3, 31), 1).date().isoformat()
    '2020-02-29'
    """
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    for day in range(now.day, now.day - 4, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(f"{months} months ago is no year")


def _time_today(match: re.Match[str], now: datetime) -> _Found:
    time, precision = _clock(match)
    at = _midnight(now) + time
    return _Found(at if at <= now else at - timedelta(days=1), precision)


def _last_weekday(match: re.Match[str], now: datetime) -> _Found:
    time, precision = _clock(match)
    wanted = "一二三四五六日".index(match["weekday"].replace("天", "日"))
    at = _midnight(now) - timedelta(days=(now.weekday() - wanted) % 7) + time
    return _Found(at if at <= now else at - timedelta(days=7), precision)


def _form(pattern: str, reader: _Reader) -> tuple[re.Pattern[str], _Reader]:
    return re.compile(pattern, re.IGNORECASE), reader


_RFC_822: Final = rf"{_DAY_NAME}(?P<day>\d{{1,2}})[\s-]+{_MONTH}[\s-]+(?P<year>\d{{4}}|\d{{2}}){_TIME_AND_ZONE}"

_PLAIN_FORMS: Final = (
    _form(r"(\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.\d{1,9})?", _epoch),
    _form(
        r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
        _iso,
    ),
    _form(_RFC_822, _month_name),
)
"""What feeds and APIs write."""

_FORMS: Final = (
    _form(
        r"(?P<year>(?:19|20)\d\d)(?:\s*[-/.年]\s*(?P<month>\d{1,2})(?:\s*[-/.月]\s*(?P<day>\d{1,2})\s*[日号]?|\s*月)?|\s*年)?"
        + _TIME_AND_ZONE
        + _MORE,
        _year_first,
    ),
    _form(
        r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?Z?",
        _compact,
    ),
    _form(_RFC_822 + _MORE, _month_name),
    _form(
        rf"{_DAY_NAME}{_MONTH}\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,?\s*(?P<year>\d{{4}})(?!:))?"
        + _TIME_AND_ZONE
        + _MORE,
        _month_name,
    ),
    _form(  # asctime, and what Weibo and Java write
        rf"{_DAY_NAME}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_TIME}(?:\s+{_ZONE})?\s+(?P<year>\d{{4}})",
        _month_name,
    ),
    _form(rf"(?P<month>\d{{1,2}})\s*(?:[-/.]|月)\s*(?P<day>\d{{1,2}})\s*[日号]?{_TIME_AND_ZONE}", _no_year),
    _form(r"刚刚|刚才|方才|just\s+now|now|moments?\s+ago", _just_now),
    _form(rf"(?P<which>今|昨|大?前)[天日]\s*{_TIME_AND_ZONE}", _day_ago),
    _form(rf"(?P<which>today|yesterday)(?:\s+at)?{_TIME_AND_ZONE}", _day_ago),
    _form(
        r"(?:大?约\s*)?(?P<count>\d{1,4})?\s*个?\s*(?P<half_unit>半)?\s*个?\s*"
        r"(?P<unit>秒钟|秒|分钟|分|小时|钟头|天|日|周|星期|礼拜|月|年)\s*多?\s*[之以]?前",
        _ago,
    ),
    _form(
        r"(?:about\s+|over\s+|almost\s+)?(?P<count>\d{1,4}|an?|one)\s*"
        r"(?P<unit>second|sec|s|minute|min|month|mo|m|hour|hr|h|day|d|week|w|year|y)s?\s+ago",
        _ago,
    ),
    _form(_WEEKDAY.pattern, _last_weekday),
    _form(rf"{_TIME}", _time_today),
)
"""What pages show to people, simplified."""


# ---- The rest


def _guess(text: str, now: datetime) -> _Found | None:
    if len(text) > _LONGEST_GUESS or not re.search(r"\d", text) or re.fullmatch(r"[\d\s.+-]+", text):
        return None
    import dateparser  # noqa: PLC0415 - few dates need it, and it takes a while to load

    at = dateparser.parse(
        text,
        languages=["zh", "en"],
        settings={
            "RELATIVE_BASE": now.replace(tzinfo=None),
            "PREFER_DATES_FROM": "past",
            "REQUIRE_PARTS": ["day", "month"],
            "PARSERS": ["custom-formats", "absolute-time"],
        },
    )
    if at is None:
        return None
    at = at.replace(tzinfo=now.tzinfo) if at.tzinfo is None else at.astimezone(now.tzinfo)
    return _Found(at, "day" if at == _midnight(at) else "minute")
