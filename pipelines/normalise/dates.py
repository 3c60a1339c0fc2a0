"""Reads dates as pages write them: by a table of forms, each of which fits wholly or not at all.

A form is a template of pieces: `{year}-{month}-{day}`. A text that no form fits wholly, but that begins with a whole
day, keeps this day: the precision is `day`, and `Instant.unread` has the rest. Impossible dates are refused. A text in
another language than Chinese and English, which no form fits, goes to dateparser.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final

from pipelines.model import Instant, Precision
from pipelines.normalise.foreign_dates import read_foreign_date
from pipelines.normalise.time_of_day import COMPACT_TIME, HALF, LONE_HOUR, TIME, read_time_of_day
from pipelines.normalise.zones import CHINESE_ZONE, LETTER, ZONE, find_zone, find_zone_of_letter
from pipelines.text import HAN_RANGE, read_numeral

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""The earliest date; an earlier one is an epoch of 0 or a misread number."""

LATEST: Final = timedelta(days=1)
"""How far after the fetch a date may be, because clocks and time zones differ."""

_LONGEST: Final = 200
"""Characters; a longer text is no date."""


def read_date(raw: str, fetched_at: datetime, zone: tzinfo, *, source: str = "published") -> Instant | None:
    """Read a date of a page.

    Args:
        raw: as written: `1762475508`, `Fri, 7 Nov 2025 08:31:48 +0800`, `11月20日`, `编辑于 昨天 14:03`.
        fetched_at: time of the fetch, aware; 3小时前 counts from it, and a date without a year is the newest such day
            before it.
        zone: of dates without a time zone.
        source: `source` of the instant.

    Returns:
        None for a text that is no date or has two readings (05/11/2026), and for a date before 1990 or more than a day
        after the fetch.
    """
    if len(raw) > _LONGEST:
        return None
    text = " ".join(raw.split())
    now = fetched_at.astimezone(zone)
    try:
        moment = _match_forms(text, now) or _read_in_other_language(text, now)
    except (ValueError, OverflowError):  # 2019-02-30
        return None
    if moment is None or not EARLIEST <= moment.time <= fetched_at + LATEST:
        return None
    return Instant(moment.time, moment.precision, source, raw, moment.unread)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A point in time, aware, the precision of the date that gives it, and the part of the date that is not read."""

    time: datetime
    precision: Precision
    unread: str = ""


def _read_in_other_language(text: str, now: datetime) -> _Moment | None:
    reading = read_foreign_date(text, now)
    return _Moment(*reading) if reading else None


_Reader = Callable[[re.Match[str], datetime], _Moment | None]


@dataclass(frozen=True)
class _Form:
    """A regular expression that fits a whole date, and the reader of its groups.

    The expression is compiled when it is first tried: all of them take seconds, and most dates fit one of the first.
    """

    source: str
    reader: _Reader

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.source, re.IGNORECASE)

    def read(self, text: str, now: datetime) -> _Moment | None:
        """The moment of a text, or None where the form does not fit it.

        Raises:
            ValueError: the calendar has no such date.
        """
        match = self.pattern.fullmatch(text)
        return self.reader(match, now) if match else None


def _match_forms(text: str, now: datetime) -> _Moment | None:
    if moment := _read_with_first(_PLAIN_FORMS, text, now):
        return moment
    text, prefix_zone = _simplify(text)
    try:
        now = now.astimezone(find_zone(prefix_zone, now.tzinfo or UTC, now.year)) if prefix_zone else now
    except ValueError:  # 当地时间: the time of an unknown place
        return _read_day_alone(text, now, prefix_zone)
    return _read_with_first(_FORMS, text, now) or _read_day_alone(text, now)


def _read_with_first(forms: Iterable[_Form], text: str, now: datetime) -> _Moment | None:
    """The moment by the first form that fits the text and gives a possible date."""
    for form in forms:
        try:
            if moment := form.read(text, now):
                return moment
        except ValueError:
            continue
    return None


def _read_day_alone(text: str, now: datetime, unread: str = "") -> _Moment | None:
    """The day at the beginning of a text, or around it, where the time or the zone cannot be read."""
    for form in _DAYS_ALONE:
        if moment := form.read(text, now):
            return replace(moment, unread=f"{unread} {moment.unread}".strip())
    return None


# ---- Simplifying

_WIDTHS: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－", "-"))
_SIMPLIFIED: Final = str.maketrans(
    "時點週個發佈間鐘號剛編輯後於禮兩淩創修裡廿", "时点周个发布间钟号刚编辑后于礼两凌创修里廿"
)
# Text around a date: 编辑于 …, Posted on …, … 星期四, … 发布
_NOISE: Final = re.compile(
    r"^the\s+|^(?:来源|作者|稿源|出处|文|责编|编辑)\s*[:/][^\d]{0,30}?\s+(?=(?:19|20)\d\d)"
    r"|^[^\d]{0,12}?(?:(?:发布|发表|编辑|更新|修改|创建|收录|刊发|上传|提交)(?:于|时间|日期)?|时间|日期)\s*:?\s*(?=\S)"
    r"|^(?:(?:first|last)\s+)?(?:published|posted|updated|modified|created|released|written|date)?(?:\s+date)?"
    r"\s*(?:on|at)?\s*:?\s+"
    r"|^(?:published|posted|updated|modified|created|released|date)\s*(?:on|at)?\s*:?\s*"
    r"|\s*[(\[][月火水木金土日][)\]]|\s*[(\[]?(?:星期|礼拜|周)[一二三四五六日天][)\]]?(?=[\s,\d上下凌早中晚午夜傍清深]|$)"
    r"|\s*[(\[]?\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b[)\]]?[,.]?"
    r"|\s*(?:发布|发表|更新|编辑|修改)$",
    re.IGNORECASE,
)
# 北京时间11月16日: the zone before the date
_ZONE_BEFORE: Final = re.compile(rf"({CHINESE_ZONE}|当地时间)\s*:?\s*")
_NUMERAL: Final = re.compile("[〇零一二两三四五六七八九十百廿]+")
_SHORT_HALVES: Final = {
    "今晨": "今天早上",
    "今早": "今天早上",
    "今晚": "今天晚上",
    "昨晚": "昨天晚上",
    "昨夜": "昨天晚上",
}


def _simplify(text: str) -> tuple[str, str]:
    """Make full-width characters ASCII and numerals digits, remove text around the date; a lone weekday stays.

    Returns:
        The text, and the name of the zone that stood before the date.

    >>> _simplify("编辑于　２０１９年八月十五日 星期四 下午３：０５")
    ('2019年8月15日 下午3:05', '')
    """
    text = unicodedata.normalize("NFKC", text.translate(_WIDTHS)).translate(_SIMPLIFIED).strip()
    if _WEEKDAY.pattern.fullmatch(text):
        return text, ""
    zone = _ZONE_BEFORE.search(text)
    if zone and not text[: zone.start()].rstrip().endswith(("(", "[")):
        text = f"{text[: zone.start()]} {text[zone.end() :]}".strip()
    else:
        zone = None
    text = _NOISE.sub("", text).strip()
    for short, long in _SHORT_HALVES.items():
        text = text.replace(short, long)
    return _NUMERAL.sub(lambda match: str(read_numeral(match[0])), text), zone[1] if zone else ""


# ---- Pieces of the templates

_MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS: Final = {
    spelling: number for number, name in enumerate(_MONTH_NAMES, start=1) for spelling in (name, name[:3])
} | {"sept": 9}

_NO_TIME: Final = rf"(?!.{{0,60}}\d:\d|.{{0,60}}(?:19|20)\d\d|\s*{HALF})"
_PIECES: Final[Mapping[str, str]] = {
    "year": r"(?P<year>(?:19|20)\d\d)(?!\d)",
    "year_of_two_digits": r"(?P<year>\d\d)(?![\d:时点])",
    "month": r"(?P<month>1[0-2]|0?[1-9])(?!\d)",
    "day": r"(?P<day>3[01]|[12]\d|0?[1-9])(?!\d)",
    "full_day": r"(?P<day>3[01]|[12]\d|0[1-9])(?!\d)",
    "ordinal_day": r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?!\d)",
    "first": r"(?P<first>\d{1,2})",
    "second_number": r"(?P<second_number>\d{1,2})",
    "month_name": rf"(?P<month_name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})(?![A-Za-z])\.?",
    "week": r"W(?P<week>5[0-3]|[0-4]\d)",
    "weekday": "(?P<weekday>[1-7])",
    "day_of_year": r"(?P<day_of_year>[0-3]\d\d)(?!\d)",
    "compact_date": r"(?P<year>(?:19|20)\d\d)(?P<month>1[0-2]|0[1-9])(?P<day>3[01]|[12]\d|0[1-9])",
    "day_name": r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?[\s,.]+)?",
    "day_sign": r"(?:\s*[日号]|(?!\s*[日号]))",
    "joint": r"[\s/-]*",
    "hyphen": "-?",
    "dash": "(?P<dash>-)",
    "of": r"(?:of\s+)?",
    "separator": "[,·・|-]?",
    "t": "[T_]",
    "t_or_none": r"[T_\s-]?",
    "comma": r"(?:\s*[,.]\s*|\s+)",
    "dash_or_blank": r"[\s/-]+",
    "gap": r"(?:\s+[-|@]\s+|[\s,T_·・:]*)(?:at\s+)?",
    "time": TIME,
    "am_pm_time": (
        r"(?P<hour>1[0-2]|0?[1-9]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?\s*(?P<meridiem>[AaPp]\.?[Mm]\.?)"
    ),
    "compact_time": COMPACT_TIME,
    "lone_hour": LONE_HOUR,
    "zone": rf"(?:\s*{ZONE})?",
    "zone_of_day": r"(?P<zone>Z|[+-]\d\d:\d\d)?",
    "needed_zone": rf"\s*{ZONE}",
    "letter": LETTER,
    # Text that may follow a whole date: 来源：…, | 机器之心, · 5 min read, by …; nothing that could belong to the date
    "more": (
        rf"(?:[\s,·・|/()\[\]【】「《-]*(?=[{HAN_RANGE}]){_NO_TIME}.{{0,60}}"
        rf"|\s*[|·・]{_NO_TIME}.{{0,60}}|\s+by\b.{{0,60}}|[\s,.;|]*)"
    ),
    "no_digits": r"(?!.*\d)",
    "unread": r"(?P<unread>(?![./-]?\d(?!\d?[:T]))\D.{0,180})",
}  # fmt: skip


def _make_form(template: str, reader: _Reader) -> _Form:
    """The form of a template: a blank stands for blanks, `~` for blanks or nothing, `.` for itself."""
    source = re.sub(r"(?<=[~}])[.](?=[~{])", r"\\.", template).replace("~", r"\s*").replace(" ", r"\s+")
    return _Form(re.sub(r"{([a-z_]+)}", lambda name: _PIECES[name[1]], source), reader)


# ---- Days, times and zones


def _read_day(groups: Mapping[str, str | None]) -> date:
    """The day that a form matched.

    Raises:
        ValueError: the calendar has no such day, or the numbers have two readings.
    """
    year_text = groups["year"] or ""
    year = int(year_text)
    if len(year_text) == 2:  # RFC 2822, 4.3
        year += 2000 if year < 50 else 1900
    if week := groups.get("week"):
        return date.fromisocalendar(year, int(week), int(groups["weekday"] or 1))
    if day_of_year := groups.get("day_of_year"):
        day = date(year, 1, 1) + timedelta(days=int(day_of_year) - 1)
        if day.year != year:
            raise ValueError(f"{year} has no day {day_of_year}")
        return day
    if groups.get("first"):
        month, number = _order_month_and_day(int(groups["first"] or 0), int(groups["second_number"] or 0), groups)
        return date(year, month, number)
    name = groups.get("month_name")
    return date(year, _MONTHS[name.lower()] if name else int(groups["month"] or 0), int(groups["day"] or 0))


def _order_month_and_day(first: int, second: int, groups: Mapping[str, str | None]) -> tuple[int, int]:
    """Month and day of two numbers before a year: with dashes the day is first, with an American time the month is.

    Raises:
        ValueError: nothing tells which number is the month.
    """
    if first > 12 or first == second or groups.get("dash"):
        return second, first
    if second > 12 or groups.get("meridiem"):
        return first, second
    raise ValueError("either number may be the month")


def _read_calendar(match: re.Match[str], now: datetime) -> _Moment:
    groups = match.groupdict()
    time, precision = read_time_of_day(groups)
    day = _read_day(groups)
    own = now.tzinfo or UTC
    name = groups.get("zone") or groups.get("bracketed_zone")
    zone = find_zone(name, own, day.year) if name else own
    if letter := groups.get("letter"):
        zone = find_zone_of_letter(letter)
    return _Moment(datetime(day.year, day.month, day.day, tzinfo=zone) + time, precision)


def _read_month(match: re.Match[str], now: datetime) -> _Moment:
    groups = match.groupdict()
    name = groups.get("month_name")
    month = _MONTHS[name.lower()] if name else int(groups.get("month") or 0)
    start = datetime(int(match["year"]), month or 1, 1, tzinfo=now.tzinfo)
    return _Moment(start, "month" if month else "year")


def _read_without_year(match: re.Match[str], now: datetime) -> _Moment | None:
    """The newest day of this month and number that is not in the future; 29 February may be eight years ago."""
    groups = match.groupdict()
    time, precision = read_time_of_day(groups)
    name = groups.get("zone") or groups.get("bracketed_zone")
    for year in range(now.year, now.year - 9, -1):
        try:
            day = _read_day({**groups, "year": str(year)})
        except ValueError:
            continue
        zone = find_zone(name, now.tzinfo or UTC, year) if name else now.tzinfo
        moment = datetime(day.year, day.month, day.day, tzinfo=zone) + time
        if moment <= now:
            return _Moment(moment, precision)
    return None


def _start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


# ---- Dates relative to the fetch


def _read_epoch(match: re.Match[str], now: datetime) -> _Moment:
    digits = match[1]
    seconds = int(digits) / {10: 1, 13: 1e3, 16: 1e6, 19: 1e9}.get(len(digits), 1)
    return _Moment(datetime.fromtimestamp(seconds, now.tzinfo), "second")


def _read_just_now(_: re.Match[str], now: datetime) -> _Moment:
    return _Moment(now, "minute")


_DAYS: Final = {"今": 0, "昨": 1, "前": 2, "大前": 3, "today": 0, "yesterday": 1}


def _in_written_zone(match: re.Match[str], now: datetime) -> datetime:
    """The present in the zone that stands behind a time: 昨天 14:03 UTC is the day before that zone's present day."""
    groups = match.groupdict()
    name = groups.get("zone") or groups.get("bracketed_zone")
    return now.astimezone(find_zone(name, now.tzinfo or UTC, now.year)) if name else now


def _read_day_name(match: re.Match[str], now: datetime) -> _Moment:
    now = _in_written_zone(match, now)
    time, precision = read_time_of_day(match.groupdict())
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
    moment = now - (number + (0.5 if half else 0)) * unit - timedelta(minutes=int(groups.get("minutes") or 0))
    return _Moment(
        _start_of_day(moment) if unit >= timedelta(days=1) else moment,
        "minute" if groups.get("minutes") else precision,
    )


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
    now = _in_written_zone(match, now)
    time, precision = read_time_of_day(match.groupdict())
    moment = _start_of_day(now) + time
    return _Moment(moment if moment <= now else moment - timedelta(days=1), precision)


def _read_weekday(match: re.Match[str], now: datetime) -> _Moment:
    now = _in_written_zone(match, now)
    time, precision = read_time_of_day(match.groupdict())
    weekday = "一二三四五六日".index(match["weekday"].replace("天", "日"))
    monday = _start_of_day(now) - timedelta(days=now.weekday())
    if match["week"]:
        return _Moment(monday + timedelta(days=weekday - (7 if match["week"] == "上" else 0)) + time, precision)
    moment = monday + timedelta(days=weekday) + time
    return _Moment(moment if moment <= now else moment - timedelta(days=7), precision)


# ---- The table of forms

DAY_LAYOUTS: Final = (
    "{year}~-~{month}~-~{day}",
    "{year}~/~{month}~/~{day}",
    "{year}~.~{month}~.~{day}",
    "{year}~年~{month}~月~{day}{day_sign}",
    "{ordinal_day}{dash_or_blank}{of}{month_name}{comma}{year}",
    "{day}{joint}{month_name}{joint}{year}",
    "{month_name}~{ordinal_day}{comma}{year}",
    "{year}{dash_or_blank}{month_name}{dash_or_blank}{day}",
    "{year}{hyphen}{week}{hyphen}{weekday}",
    "{year}-{day_of_year}",
    "{day}~.~{month}~.~{year}",
    "{first}{dash}{second_number}-{year}",
    "{first}/{second_number}/{year}",
)
"""Days with a year of four digits."""

TWO_DIGIT_LAYOUTS: Final = (
    "{year_of_two_digits}-{month}-{day}",
    "{year_of_two_digits}/{month}/{day}",
    "{year_of_two_digits}.{month}.{day}",
    "{year_of_two_digits}年{month}月{day}{day_sign}",
    "{day}{dash_or_blank}{month_name}{dash_or_blank}{year_of_two_digits}",
)
"""Days with a year of two digits. Numbers alone are year, month, day, as Chinese pages write them."""

YEARLESS_LAYOUTS: Final = (
    "{month}~月~{day}{day_sign}",
    "{month}~-~{day}",
    "{month}~/~{day}",
    "{month}.{full_day}",
    "{month_name}~{ordinal_day}",
    "{ordinal_day} {of}{month_name}",
)
"""Days without a year."""

ARRANGEMENTS: Final = (
    "{layout}{gap}{time}{zone}{more}",
    "{layout}{zone_of_day}{more}",
    "{layout}{t}{compact_time}{zone}",
    "{layout}T{lone_hour}{zone}",
    "{time}{zone}~{separator}~{layout}{more}",
    "{time}~{separator}~{layout}{needed_zone}",
)
"""The ways in which a day stands with a time and a zone."""

_YEARLESS_ARRANGEMENTS: Final = (
    "{layout}{more}",
    "{layout}{gap}{time}{zone}{more}",
    "{time}{zone}~{separator}~{layout}",
)

OTHER_LAYOUTS: Final = (
    "{compact_date}{t_or_none}{compact_time}{zone}",  # 20251107T083148Z, 202511070831
    "{compact_date}{gap}{time}{zone}{more}",  # 20251107 08:31
    "{compact_date}{more}",
    "{day_name}{month_name} {day}{comma}{time}{zone}{comma}{year}{more}",  # asctime, Java, Weibo, Twitter
    "{day} {month_name}{comma}{time}{zone}{comma}{year}{more}",
    "{month}/{day} {time}{zone} {year}",
    "{month_name}/{day}/{year}{gap}{time}{zone}",
    "{day_name}{day} {month_name} {year} {time} {letter}",  # RFC 822's letters for zones
    "{first}/{second_number}/{year}{comma}{am_pm_time}{zone}",  # 11/5/2026 10:20:30 AM
)
"""Days, times and zones in an order of their own."""

_MONTH_FORMS: Final = (
    "{year}~[-/.]~{month}{no_digits}{more}",
    "{year}~年~{month}~月份?{no_digits}{more}",
    "{month_name}{comma}{year}{no_digits}{more}",
    "{year}~年?{no_digits}{more}",
)

_WEEKDAY: Final = _Form(
    rf"(?P<week>上|本|这)?个?(?:星期|礼拜|周)(?P<weekday>[一二三四五六日天])\s*(?:{TIME}{_PIECES['zone']})?",
    _read_weekday,
)

_RELATIVE_FORMS: Final = (
    _Form(r"刚刚|刚才|方才|just\s+now|now|moments?\s+ago", _read_just_now),
    # 昨天 14:03, yesterday at 2:03 pm
    _Form(
        rf"(?P<which>今|昨|大?前)[天日]\s*(?:{_PIECES['gap']}{TIME}{_PIECES['zone']})?{_PIECES['more']}", _read_day_name
    ),
    _Form(rf"(?P<which>today|yesterday)(?:{_PIECES['gap']}{TIME}{_PIECES['zone']})?", _read_day_name),
    _Form(  # 3小时前, 半年前, 一个半月前, 1小时20分钟前
        (
            r"(?:大?约\s*)?(?P<count>\d{1,4})?\s*个?\s*(?P<half_unit>半)?\s*个?\s*"
            r"(?P<unit>秒钟|秒|分钟|分|小时|钟头|天|日|周|星期|礼拜|月|年)\s*(?:(?P<minutes>\d{1,2})\s*分钟?)?\s*多?\s*[之以]?前"
        ),
        _read_ago,
    ),
    _Form(  # about 3 hours ago, 1 hour 5 minutes ago
        (
            r"(?:about\s+|over\s+|almost\s+|around\s+)?(?P<count>\d{1,4}|an?|one)\s*"
            r"(?P<unit>second|sec|s|minute|min|month|mo|m|hour|hr|h|day|d|week|w|year|y)s?\.?"
            r"(?:,?\s*(?:and\s+)?(?P<minutes>\d{1,2})\s*(?:minutes?|mins?|m))?\s+ago"
        ),
        _read_ago,
    ),
    _Form(rf"{TIME}{_PIECES['zone']}", _read_time_of_today),
    _WEEKDAY,
)


def _read_unread_day(match: re.Match[str], now: datetime) -> _Moment:
    day = _read_day(match.groupdict())
    return _Moment(datetime(day.year, day.month, day.day, tzinfo=now.tzinfo), "day", match["unread"].strip())


def _list_forms() -> Iterator[_Form]:
    """The forms of pages, after `_simplify`, in the order in which they are tried."""
    for layout in (*DAY_LAYOUTS, *TWO_DIGIT_LAYOUTS):
        for arrangement in ARRANGEMENTS:
            yield _make_form(arrangement.replace("{layout}", layout), _read_calendar)
    for template in OTHER_LAYOUTS:
        yield _make_form(template, _read_calendar)
    for template in _MONTH_FORMS:
        yield _make_form(template, _read_month)
    for layout in YEARLESS_LAYOUTS:
        for arrangement in _YEARLESS_ARRANGEMENTS:
            yield _make_form(arrangement.replace("{layout}", layout), _read_without_year)
    yield from _RELATIVE_FORMS


_PLAIN_FORMS: Final = (
    # 1762475508, 1762475508000
    _Form(r"(\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.\d{1,9})?", _read_epoch),
    _make_form(r"{year}-{month}-{day}[T\s]{time}{zone}", _read_calendar),  # 2025-11-07T08:31:48+08:00
    _make_form(r"{day_name}{day}[\s-]+{month_name}[\s-]+{year}{gap}{time}{zone}", _read_calendar),  # RFC 822
)
"""Forms of feeds and APIs."""

_FORMS: Final = tuple(_list_forms())

_DAYS_ALONE: Final = (
    *(_make_form(layout + "{unread}", _read_unread_day) for layout in DAY_LAYOUTS),
    _make_form("{month_name} {day} (?P<unread>.+?) {year}", _read_unread_day),
)
"""Days that are kept although the rest of the text cannot be read."""
