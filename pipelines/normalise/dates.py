"""Reads dates as pages write them: by a list of forms, else by dateparser; refuses impossible dates.

A form costs a few µs, dateparser a few thousand; feeds and APIs use a handful of forms, Chinese pages a dozen more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from pipelines.model import Instant, Precision
from pipelines.text import read_numeral

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""The earliest date; an earlier one is an epoch of 0 or a misread number."""

LATEST: Final = timedelta(days=1)
"""How far after the fetch a date may be, because clocks and time zones differ."""

_LONGEST: Final = 200
"""Characters; a longer text is no date."""

_LONGEST_GUESS: Final = 64
"""Characters that dateparser gets: its cost grows faster than its input, 40,000 digits take 5.5 s."""


def read_date(raw: str, fetched_at: datetime, zone: tzinfo, *, source: str = "published") -> Instant | None:
    """Read a date of a page.

    Args:
        raw: as written: `1762475508`, `Fri, 7 Nov 2025 08:31:48 +0800`, `11月20日`, `编辑于 昨天 14:03`.
        fetched_at: time of the fetch, aware; 3小时前 counts from it, and a date without a year is the newest such day
            before it.
        zone: of dates without a time zone.
        source: `source` of the instant.

    Returns:
        None for a text that is no date, and for a date before 1990 or more than a day after the fetch.
    """
    if len(raw) > _LONGEST:
        return None
    text = " ".join(raw.split())
    now = fetched_at.astimezone(zone)
    try:
        moment = _match_forms(text, now)
    except (ValueError, OverflowError):  # 2019-13-45
        return None
    if moment is None or not EARLIEST <= moment.time <= fetched_at + LATEST:
        return None
    return Instant(moment.time, moment.precision, source, raw)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A point in time, aware, and the precision of the date that gives it."""

    time: datetime
    precision: Precision


_Reader = Callable[[re.Match[str], datetime], _Moment | None]


def _match_forms(text: str, now: datetime) -> _Moment | None:
    for pattern, reader in _PLAIN_FORMS:
        match = pattern.fullmatch(text)
        if match:
            return reader(match, now)
    text = _simplify(text)
    for pattern, reader in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            return reader(match, now)
    return _guess_date(text, now)


# ---- Simplifying

# Text around a date: 编辑于 …, Posted on …, … 星期四, … 发布, … (GMT+8)
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


def _simplify(text: str) -> str:
    """Make full-width characters ASCII, remove text around the date, make numerals digits; a lone weekday stays.

    >>> _simplify("编辑于　２０１９年八月十五日 星期四 下午３：０５")
    '2019年8月15日 下午3:05'
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if not _WEEKDAY.fullmatch(text):
        text = _NOISE.sub("", text).strip()
    return _NUMERAL.sub(lambda match: str(read_numeral(match[0])), text) if not _WEEKDAY.fullmatch(text) else text


# ---- Parts of several forms

# 下午3:05, 15时05分, 8点半, 3:05:09 pm
_HALF: Final = "上午|下午|凌晨|清晨|早上|早晨|中午|傍晚|晚上|晚间|夜间|晚"
_TIME: Final = (
    rf"(?P<half>{_HALF})?\s*(?P<hour>\d{{1,2}})\s*(?:(?::|时|点)\s*|(?=[AaPp]\.?[Mm]))(?P<minute>\d{{1,2}}|半)?"
    r"(?:\s*[:分]\s*(?P<second>\d{1,2})(?:[.,]\d{1,9})?)?\s*[分秒]?\s*(?P<meridiem>[AaPp]\.?[Mm]\.?)?"
)
# +0800, GMT+8, CST
_ZONE: Final = r"(?P<zone>[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2}|[+-]\d{2})"
_TIME_AND_ZONE: Final = rf"(?:[\sT,·]*{_TIME}(?:\s*{_ZONE})?)?"
_MORE: Final = r"(?:[^\w:+].{0,60})?"
"""Text that may follow a date with a year: 来源：…"""
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
"""Hours east of Greenwich: the zones of RFC 822, section 5, and further ones that feeds write."""


def _find_zone(name: str | None, now: datetime) -> tzinfo | None:
    """The time zone of a name; the newsletter's own zone comes first, so CST is China's in China.

    Raises:
        ValueError: no time zone has this name.
    """
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


def _read_time_of_day(match: re.Match[str]) -> tuple[timedelta, Precision]:
    """The time of day that a form matched, after midnight; without one zero, with the precision of a day.

    Raises:
        ValueError: the clock shows no such time.
    """
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


def _make_moment(match: re.Match[str], now: datetime, year: int, month: int, day: int) -> _Moment:
    time, precision = _read_time_of_day(match)
    midnight = datetime(year, month, day, tzinfo=_find_zone(match.groupdict().get("zone"), now))
    return _Moment(midnight + time, precision)


def _start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


# ---- Forms


def _read_epoch(match: re.Match[str], now: datetime) -> _Moment:
    digits = match[1]
    seconds = int(digits) / {10: 1, 13: 1e3, 16: 1e6, 19: 1e9}.get(len(digits), 1)
    return _Moment(datetime.fromtimestamp(seconds, now.tzinfo), "second")


def _read_iso(match: re.Match[str], now: datetime) -> _Moment:
    year, month, day, hour, minute, second, zone = match.groups()
    moment = datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=_find_zone(zone, now)
    )
    return _Moment(moment, "second" if second else "minute")


def _read_year_first(match: re.Match[str], now: datetime) -> _Moment:
    if match["day"]:
        return _make_moment(match, now, int(match["year"]), int(match["month"]), int(match["day"]))
    moment = datetime(int(match["year"]), int(match["month"] or 1), 1, tzinfo=now.tzinfo)
    return _Moment(moment, "month" if match["month"] else "year")


def _read_month_name(match: re.Match[str], now: datetime) -> _Moment | None:
    month = _MONTHS[match["month_name"].lower()]
    if not match["year"]:
        return _find_newest(match, now, month)
    year = int(match["year"])
    if len(match["year"]) == 2:  # RFC 2822, 4.3
        year += 2000 if year < 50 else 1900
    return _make_moment(match, now, year, month, int(match["day"]))


def _read_compact(match: re.Match[str], now: datetime) -> _Moment:
    return _make_moment(match, now, int(match["year"]), int(match["month"]), int(match["day"]))


def _read_without_year(match: re.Match[str], now: datetime) -> _Moment | None:
    return _find_newest(match, now, int(match["month"]))


def _find_newest(match: re.Match[str], now: datetime, month: int) -> _Moment | None:
    """The newest day of this month and number that is not in the future; 29 February may be eight years ago."""
    for year in range(now.year, now.year - 9, -1):
        try:
            moment = _make_moment(match, now, year, month, int(match["day"]))
        except ValueError:
            if year == now.year - 8:
                raise
            continue
        if moment.time <= now:
            return moment
    return None


def _read_just_now(_: re.Match[str], now: datetime) -> _Moment:
    return _Moment(now, "minute")


_DAYS: Final = {"今": 0, "昨": 1, "前": 2, "大前": 3, "today": 0, "yesterday": 1}


def _read_day_name(match: re.Match[str], now: datetime) -> _Moment:
    time, precision = _read_time_of_day(match)
    return _Moment(_start_of_day(now - timedelta(days=_DAYS[match["which"].lower()])) + time, precision)


_UNITS: Final[Mapping[str, tuple[timedelta, Precision]]] = {
    **dict.fromkeys(("秒", "秒钟", "s", "sec", "second"), (timedelta(seconds=1), "minute")),
    **dict.fromkeys(("分", "分钟", "m", "min", "minute"), (timedelta(minutes=1), "minute")),
    **dict.fromkeys(("小时", "钟头", "h", "hr", "hour"), (timedelta(hours=1), "hour")),
    **dict.fromkeys(("天", "日", "d", "day"), (timedelta(days=1), "day")),
    **dict.fromkeys(("周", "星期", "礼拜", "w", "week"), (timedelta(weeks=1), "day")),
    **dict.fromkeys(("月", "mo", "month"), (timedelta(days=30), "month")),
    **dict.fromkeys(("年", "y", "year"), (timedelta(days=365), "year")),
}


def _read_ago(match: re.Match[str], now: datetime) -> _Moment | None:
    groups = match.groupdict()
    count, half = groups["count"] or "", groups.get("half_unit")
    if not count and not half:
        return None
    number = float(count) if count.isdigit() else 1.0 if count else 0.0
    unit, precision = _UNITS[match["unit"].lower()]
    if unit >= timedelta(days=30) and not half:
        return _Moment(
            _start_of_day(_subtract_months(now, round(number) * (12 if precision == "year" else 1))), precision
        )
    moment = now - (number + (0.5 if half else 0)) * unit
    return _Moment(_start_of_day(moment) if unit >= timedelta(days=1) else moment, precision)


def _subtract_months(now: datetime, months: int) -> datetime:
    """The same day of an earlier month, or the last day of that month.

    >>> _subtract_months(datetime(2020, 3, 31), 1).date().isoformat()
    '2020-02-29'
    """
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    for day in range(now.day, now.day - 4, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(f"{months} months ago is no year")


def _read_time_of_today(match: re.Match[str], now: datetime) -> _Moment:
    time, precision = _read_time_of_day(match)
    moment = _start_of_day(now) + time
    return _Moment(moment if moment <= now else moment - timedelta(days=1), precision)


def _read_weekday(match: re.Match[str], now: datetime) -> _Moment:
    time, precision = _read_time_of_day(match)
    weekday = "一二三四五六日".index(match["weekday"].replace("天", "日"))
    moment = _start_of_day(now) - timedelta(days=(now.weekday() - weekday) % 7) + time
    return _Moment(moment if moment <= now else moment - timedelta(days=7), precision)


def _make_form(pattern: str, reader: _Reader) -> tuple[re.Pattern[str], _Reader]:
    return re.compile(pattern, re.IGNORECASE), reader


_RFC_822: Final = rf"{_DAY_NAME}(?P<day>\d{{1,2}})[\s-]+{_MONTH}[\s-]+(?P<year>\d{{4}}|\d{{2}}){_TIME_AND_ZONE}"

_PLAIN_FORMS: Final = (
    # 1762475508, 1762475508000
    _make_form(r"(\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.\d{1,9})?", _read_epoch),
    _make_form(  # 2025-11-07T08:31:48+08:00
        r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
        _read_iso,
    ),
    _make_form(_RFC_822, _read_month_name),
)
"""Forms of feeds and APIs."""

_FORMS: Final = (
    _make_form(  # 2025年11月7日 8:31, 2025-11-07, 2025.11, 2025年
        r"(?P<year>(?:19|20)\d\d)(?:\s*[-/.年]\s*(?P<month>\d{1,2})(?:\s*[-/.月]\s*(?P<day>\d{1,2})\s*[日号]?|\s*月)?|\s*年)?"
        + _TIME_AND_ZONE
        + _MORE,
        _read_year_first,
    ),
    _make_form(  # 20251107, 20251107T083148Z
        r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?Z?",
        _read_compact,
    ),
    _make_form(_RFC_822 + _MORE, _read_month_name),
    _make_form(  # November 7th, 2025 8:31 am
        rf"{_DAY_NAME}{_MONTH}\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,?\s*(?P<year>\d{{4}})(?!:))?"
        + _TIME_AND_ZONE
        + _MORE,
        _read_month_name,
    ),
    _make_form(  # asctime, Weibo, Java: Fri Nov 07 08:31:48 +0800 2025
        rf"{_DAY_NAME}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_TIME}(?:\s+{_ZONE})?\s+(?P<year>\d{{4}})",
        _read_month_name,
    ),
    # 11月7日 8:31, 11-07
    _make_form(
        rf"(?P<month>\d{{1,2}})\s*(?:[-/.]|月)\s*(?P<day>\d{{1,2}})\s*[日号]?{_TIME_AND_ZONE}", _read_without_year
    ),
    _make_form(r"刚刚|刚才|方才|just\s+now|now|moments?\s+ago", _read_just_now),
    # 昨天 14:03, yesterday at 2:03 pm
    _make_form(rf"(?P<which>今|昨|大?前)[天日]\s*{_TIME_AND_ZONE}", _read_day_name),
    _make_form(rf"(?P<which>today|yesterday)(?:\s+at)?{_TIME_AND_ZONE}", _read_day_name),
    _make_form(  # 3小时前, 半年前, 一个半月前
        r"(?:大?约\s*)?(?P<count>\d{1,4})?\s*个?\s*(?P<half_unit>半)?\s*个?\s*"
        r"(?P<unit>秒钟|秒|分钟|分|小时|钟头|天|日|周|星期|礼拜|月|年)\s*多?\s*[之以]?前",
        _read_ago,
    ),
    _make_form(  # about 3 hours ago
        r"(?:about\s+|over\s+|almost\s+)?(?P<count>\d{1,4}|an?|one)\s*"
        r"(?P<unit>second|sec|s|minute|min|month|mo|m|hour|hr|h|day|d|week|w|year|y)s?\s+ago",
        _read_ago,
    ),
    # 周五 10:20; 10:20
    _make_form(_WEEKDAY.pattern, _read_weekday),
    _make_form(rf"{_TIME}", _read_time_of_today),
)
"""Forms of pages, after `_simplify`."""


# ---- Every other form


def _guess_date(text: str, now: datetime) -> _Moment | None:
    if len(text) > _LONGEST_GUESS or not re.search(r"\d", text) or re.fullmatch(r"[\d\s.+-]+", text):
        return None
    import dateparser  # noqa: PLC0415 - few dates need it, and it takes a while to load

    moment = dateparser.parse(
        text,
        languages=["zh", "en"],
        settings={
            "RELATIVE_BASE": now.replace(tzinfo=None),
            "PREFER_DATES_FROM": "past",
            "REQUIRE_PARTS": ["day", "month"],
            "PARSERS": ["custom-formats", "absolute-time"],
        },
    )
    if moment is None:
        return None
    moment = moment.replace(tzinfo=now.tzinfo) if moment.tzinfo is None else moment.astimezone(now.tzinfo)
    return _Moment(moment, "day" if moment == _start_of_day(moment) else "minute")
