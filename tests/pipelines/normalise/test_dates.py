"""What pages mean by their dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.model import Instant
from pipelines.normalise.dates import (
    ARRANGEMENTS,
    DAY_LAYOUTS,
    EARLIEST,
    LATEST,
    OTHER_LAYOUTS,
    TWO_DIGIT_LAYOUTS,
    YEARLESS_LAYOUTS,
    read_date,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
FETCHED = datetime(2019, 12, 3, 10, 20, 30, tzinfo=SHANGHAI)
"""A Tuesday."""


def read(raw: str, fetched_at: datetime = FETCHED) -> Instant | None:
    return read_date(raw, fetched_at, SHANGHAI)


def local(raw: str, fetched_at: datetime = FETCHED) -> tuple[str, str]:
    """The Shanghai time to the second and the precision of a date that must be readable."""
    instant = read(raw, fetched_at)
    assert instant is not None, raw
    return instant.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"), instant.precision


@pytest.mark.parametrize(
    ("raw", "expected", "precision"),
    [
        ("1565839845", "2019-08-15 11:30:45", "second"),
        ("1565839845123", "2019-08-15 11:30:45", "second"),
        ("1565839845.5", "2019-08-15 11:30:45", "second"),
        ("2019-08-15T12:30:00Z", "2019-08-15 20:30:00", "second"),
        ("2019-08-15T12:30:00.123+08:00", "2019-08-15 12:30:00", "second"),
        ("2019-08-15T12:30:00+0800", "2019-08-15 12:30:00", "second"),
        ("2019-08-15 12:30", "2019-08-15 12:30:00", "minute"),
        ("2019-08-15", "2019-08-15 00:00:00", "day"),
        ("2019-08", "2019-08-01 00:00:00", "month"),
        ("2019", "2019-01-01 00:00:00", "year"),
        ("20190815", "2019-08-15 00:00:00", "day"),
        ("20190815123000", "2019-08-15 12:30:00", "second"),
        ("2019/8/5 3:05:09", "2019-08-05 03:05:09", "second"),
        ("2019.08.15", "2019-08-15 00:00:00", "day"),
        ("Thu, 15 Aug 2019 12:30:00 +0800", "2019-08-15 12:30:00", "second"),
        ("Thu, 15 Aug 2019 12:30:00 GMT", "2019-08-15 20:30:00", "second"),
        ("Thu, 15 Aug 2019 12:30:00 EST", "2019-08-16 01:30:00", "second"),
        ("Thu, 15 Aug 2019 12:30:00 +0800 (CST)", "2019-08-15 12:30:00", "second"),
        ("Thu, 15 Aug 2019 12:30:00 GMT+8", "2019-08-15 12:30:00", "second"),
        ("15 August 19 12:30 UT", "2019-08-15 20:30:00", "minute"),
        ("Aug 15, 2019 3:05 PM", "2019-08-15 15:05:00", "minute"),
        ("August 15th, 2019", "2019-08-15 00:00:00", "day"),
        ("Published on August 15, 2019", "2019-08-15 00:00:00", "day"),
        ("Thu Aug 15 12:30:00 +0800 2019", "2019-08-15 12:30:00", "second"),
        ("Thu Aug 15 12:30:00 CST 2019", "2019-08-15 12:30:00", "second"),
        ("2019-8-15下午3:05", "2019-08-15 15:05:00", "minute"),
        ("2019年08月15日 星期四 下午3时05分", "2019-08-15 15:05:00", "minute"),
        ("2019年8月15日（星期四）12:30", "2019-08-15 12:30:00", "minute"),
        ("2019年8月", "2019-08-01 00:00:00", "month"),
        ("二〇一九年八月十五日", "2019-08-15 00:00:00", "day"),
        ("２０１９－０８－１５　１２：３０", "2019-08-15 12:30:00", "minute"),
        ("发布于 2019-08-15", "2019-08-15 00:00:00", "day"),
        ("发布于 2019-08-15 12:30・IP 属地北京", "2019-08-15 12:30:00", "minute"),
        ("发布时间：2019-08-15 12:30 来源：某某", "2019-08-15 12:30:00", "minute"),
        ("Thu, 15 Aug 2019 24:00:00 +0800", "2019-08-16 00:00:00", "second"),
    ],
)
def test_dates_with_a_year(raw: str, expected: str, precision: str) -> None:
    assert local(raw) == (expected, precision)


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        ("2019-08-15 下午12:30", "15 12:30:00"),
        ("2019-08-15 下午1:30", "15 13:30:00"),
        ("2019-08-15 中午11:30", "15 11:30:00"),
        ("2019-08-15 中午12:30", "15 12:30:00"),
        ("2019-08-15 中午1:30", "15 13:30:00"),
        ("2019-08-15 凌晨12:30", "15 00:30:00"),
        ("2019-08-15 12:30 AM", "15 00:30:00"),
        ("2019-08-15 12:30 p.m.", "15 12:30:00"),
        ("2019年8月15日 24:00", "16 00:00:00"),
        ("Thu, 15 Aug 2019 23:59:60 +0800", "15 23:59:59"),
        ("2019-08-15T12:30:00-0500", "16 01:30:00"),
        ("2019-08-15 12:30 GMT-5", "16 01:30:00"),
        ("1565839845123456", "15 11:30:45"),
        ("1565839845123456789", "15 11:30:45"),
        ("the 15th of August, 2019", "15 00:00:00"),
    ],
)
def test_the_halves_of_a_day_midnight_a_leap_second_and_zones(raw: str, time: str) -> None:
    assert local(raw)[0] == f"2019-08-{time}"


def test_a_leap_day_may_lie_eight_years_back() -> None:
    assert local("2-29", datetime(2104, 2, 28, tzinfo=SHANGHAI))[0] == "2096-02-29 00:00:00"


@pytest.mark.parametrize(
    ("raw", "year"),
    [("15 Aug 00", 2000), ("15 Aug 19", 2019), ("15 Aug 49", 2049), ("15 Aug 91", 1991), ("15 Aug 99", 1999)],
)
def test_a_year_of_two_digits_is_of_this_century_below_fifty_and_of_the_last_from_there(raw: str, year: int) -> None:
    """RFC 2822, 4.3."""
    in_2060 = datetime(2060, 1, 1, tzinfo=SHANGHAI)
    assert local(raw, in_2060)[0] == f"{year}-08-15 00:00:00"
    assert read("15 Aug 50", in_2060) is None, "1950 is before the earliest date"


@pytest.mark.parametrize(
    ("raw", "expected", "precision"),
    [
        ("刚刚", "2019-12-03 10:20:30", "minute"),
        ("十分钟前", "2019-12-03 10:10:30", "minute"),
        ("3小时前", "2019-12-03 07:20:30", "hour"),
        ("３小时前", "2019-12-03 07:20:30", "hour"),
        ("半小时前", "2019-12-03 09:50:30", "hour"),
        ("一个半小时前", "2019-12-03 08:50:30", "hour"),
        ("3天前", "2019-11-30 00:00:00", "day"),
        ("一周前", "2019-11-26 00:00:00", "day"),
        ("两个月前", "2019-10-03 00:00:00", "month"),
        ("1年前", "2018-12-03 00:00:00", "year"),
        ("昨天", "2019-12-02 00:00:00", "day"),
        ("昨天 12:30", "2019-12-02 12:30:00", "minute"),
        ("前天 08:00", "2019-12-01 08:00:00", "minute"),
        ("大前天", "2019-11-30 00:00:00", "day"),
        ("今天 09:01", "2019-12-03 09:01:00", "minute"),
        ("编辑于 昨天 14:03", "2019-12-02 14:03:00", "minute"),
        ("星期一", "2019-12-02 00:00:00", "day"),
        ("周二 11:00", "2019-11-26 11:00:00", "minute"),
        ("09:15", "2019-12-03 09:15:00", "minute"),
        ("23:15", "2019-12-02 23:15:00", "minute"),
        ("1小时20分钟前", "2019-12-03 09:00:30", "minute"),
        ("1 hour, 20 minutes ago", "2019-12-03 09:00:30", "minute"),
        ("昨晚 20:30", "2019-12-02 20:30:00", "minute"),
        ("上周五", "2019-11-29 00:00:00", "day"),
        ("2 hours ago", "2019-12-03 08:20:30", "hour"),
        ("an hour ago", "2019-12-03 09:20:30", "hour"),
        ("yesterday at 3pm", "2019-12-02 15:00:00", "hour"),
    ],
)
@pytest.mark.fault("T2")
def test_dates_relative_to_the_fetch(raw: str, expected: str, precision: str) -> None:
    assert local(raw) == (expected, precision)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("昨天 14:03 UTC", "2019-12-02 22:03:00"),
        ("编辑于 昨天 14:03 (UTC)", "2019-12-02 22:03:00"),
        ("昨天 14:03 +0800", "2019-12-02 14:03:00"),
        ("yesterday at 2:03 pm UTC", "2019-12-02 22:03:00"),
        ("今天 01:00 GMT", "2019-12-03 09:00:00"),
        ("23:15 UTC", "2019-12-03 07:15:00"),
        ("周二 01:00 UTC", "2019-12-03 09:00:00"),
    ],
)
@pytest.mark.fault("T2")
def test_a_day_that_is_relative_to_the_fetch_keeps_the_zone_of_its_time(raw: str, expected: str) -> None:
    assert local(raw) == (expected, "minute")


def test_yesterday_in_a_zone_is_the_day_before_the_day_that_it_has_now() -> None:
    """07:00 in Shanghai is 23:00 of the day before in Greenwich."""
    early = datetime(2019, 12, 3, 7, tzinfo=SHANGHAI)
    assert local("昨天 14:03 UTC", early)[0] == "2019-12-01 22:03:00"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("11月20日", "2019-11-20 00:00:00"),
        ("8月15日 12:30", "2019-08-15 12:30:00"),
        ("12-03 10:20", "2019-12-03 10:20:00"),
        ("12-03 10:21", "2018-12-03 10:21:00"),
        ("12-31 23:59", "2018-12-31 23:59:00"),
        ("Aug 15", "2019-08-15 00:00:00"),
        ("2-29", "2016-02-29 00:00:00"),
    ],
)
@pytest.mark.fault("T2")
def test_a_date_without_a_year_is_the_newest_that_is_not_in_the_future(raw: str, expected: str) -> None:
    assert local(raw)[0] == expected


def test_new_year_is_crossed_backwards() -> None:
    early = datetime(2020, 1, 1, 0, 5, tzinfo=SHANGHAI)
    assert local("12-31 23:59", early)[0] == "2019-12-31 23:59:00"
    assert local("十分钟前", early)[0] == "2019-12-31 23:55:00"
    assert local("昨天 23:00", early)[0] == "2019-12-31 23:00:00"


def test_the_fetch_counts_in_the_newsletters_zone() -> None:
    """18:00 in Greenwich is tomorrow in Shanghai."""
    assert local("今天", datetime(2019, 12, 2, 18, tzinfo=UTC))[0] == "2019-12-03 00:00:00"


def test_a_date_without_a_zone_is_in_the_newsletters() -> None:
    zone = timezone(timedelta(hours=-8))
    for raw in ("2019-08-15 12:30:00", "Thu, 15 Aug 2019 12:30:00", "2019年8月15日 12:30:00"):
        instant = read_date(raw, FETCHED, zone)
        assert instant is not None
        assert instant.at == datetime(2019, 8, 15, 12, 30, tzinfo=zone)


@pytest.mark.fault("T1")
def test_the_weekday_does_not_mislead() -> None:
    """feedparser makes 1 November of this."""
    assert local("2019年8月15日 星期四") == ("2019-08-15 00:00:00", "day")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "0",
        "-1",
        "1",
        "2100-01-01",
        "4102444800",
        "0007-01-01",
        "1970-01-01",
        "1970-01-01T00:00:00Z",
        "in 2 days",
        "2019-02-30",
        "2019-13-01",
        "2019-12-05",
        "25:00",
        "05/11/2018",
        "11/16/18",
        "2019-W47",
        "2019-08-1599",
        "2018-10-10-10",
        "令和元年11月16日",
        "2019.1 LTS",
        "Nov 16 (2018)",
        "11月16日 2018",
        "3.5",
        "GMT",
        "may",
        "星期",
        "不详",
        "3 stars",
        "量化 2 比特",
    ],
)
@pytest.mark.fault("T3")
def test_the_impossible_is_no_date(raw: str) -> None:
    assert read(raw) is None


@pytest.mark.parametrize(
    ("raw", "unread"),
    [
        ("2019-08-15 12:61", "12:61"),
        ("2019年8月15日 24:30", "24:30"),
        ("Thu, 15 Aug 2019 12:30:61 +0800", "12:30:61 +0800"),
        ("Thu, 15 Aug 2019 12:30:00 XYZT", "12:30:00 XYZT"),
        ("Thu, 15 Aug 2019 12:30:00 Nowhere/Land", "12:30:00 Nowhere/Land"),
        ("Thu, 15 Aug 2019 12:30:00 J", "12:30:00 J"),
        ("Thu Aug 15 12:30:00 XYZT 2019", "12:30:00 XYZT"),
        ("2019-08-15T12:30:00 08:00", "T12:30:00 08:00"),
        ("2019-08-15T12:30:00+25:00", "T12:30:00+25:00"),
        ("2019-08-15 15:20 AM", "15:20 AM"),
        ("2019年8月15日晚上3点", "晚上3点"),
        ("当地时间2019年8月15日上午10点", "当地时间 上午10点"),
        ("2019-08-15 - 2019-08-18", "- 2019-08-18"),
    ],
)
def test_a_date_whose_time_or_zone_cannot_be_read_keeps_its_day_and_says_so(raw: str, unread: str) -> None:
    instant = read(raw)
    assert instant is not None
    assert (local(raw), instant.unread) == (("2019-08-15 00:00:00", "day"), unread)


@pytest.mark.parametrize(
    ("raw", "expected", "precision"),
    [
        ("Thu Aug 15 12:30:00 2013", "2013-08-15 12:30:00", "second"),
        ("Thu Aug 15 12:30:00 CEST 2013", "2013-08-15 18:30:00", "second"),
        ("Thu Aug 15 2013 12:30:00 GMT-0500 (Eastern Standard Time)", "2013-08-16 01:30:00", "second"),
        ("2013-08-15 12:30:00 +0000 UTC", "2013-08-15 20:30:00", "second"),
        ("2013-08-15T12:30+01:00[Europe/Paris]", "2013-08-15 19:30:00", "minute"),
        ("2013-08-15 12:30 (GMT-5)", "2013-08-16 01:30:00", "minute"),
        ("2013-08-15 12:30 SGT", "2013-08-15 12:30:00", "minute"),
        ("Thu, 15 Aug 2013 12:30:00 America/New_York", "2013-08-16 00:30:00", "second"),
        ("Aug 15, 2013 12:30 pm ET", "2013-08-16 00:30:00", "minute"),
        ("美东时间2013年8月15日12:30", "2013-08-16 00:30:00", "minute"),
        ("北京时间2013年8月15日12:30", "2013-08-15 12:30:00", "minute"),
        ("Thu, 15 Aug 2013 12:30:00 N", "2013-08-15 19:30:00", "second"),
        ("2013-08-15T12:30:00+5:30", "2013-08-15 15:00:00", "second"),
        ("2013-08-15T12:30:00−05:00", "2013-08-16 01:30:00", "second"),
        ("20130815T123000Z", "2013-08-15 20:30:00", "second"),
        ("20130815T1230-0500", "2013-08-16 01:30:00", "minute"),
        ("2013-08-15T12Z", "2013-08-15 20:00:00", "hour"),
        ("2013-08-15T24:00:00Z", "2013-08-16 08:00:00", "second"),
        ("2013-08-15T23:59:60Z", "2013-08-16 07:59:59", "second"),
        ("2013-08-15+00:00", "2013-08-15 08:00:00", "day"),
        ("15/Aug/2013:12:30:00 +0800", "2013-08-15 12:30:00", "second"),
        ("15.08.2013 12:30", "2013-08-15 12:30:00", "minute"),
        ("8/15/2013", "2013-08-15 00:00:00", "day"),
        ("8/5/2013 12:30:00 PM", "2013-08-05 12:30:00", "second"),
        ("12:30 PM · Aug 15, 2013 · 1,234 Views", "2013-08-15 12:30:00", "minute"),
        ("12:30, 15 August 2013 (UTC)", "2013-08-15 20:30:00", "minute"),
        ("13/8/15 12:30", "2013-08-15 12:30:00", "minute"),
        ("13年8月15日", "2013-08-15 00:00:00", "day"),
        ("2013-W33-4", "2013-08-15 00:00:00", "day"),
        ("2013-227", "2013-08-15 00:00:00", "day"),
        ("August 2013", "2013-08-01 00:00:00", "month"),
        ("2013年8月15日晚上12点", "2013-08-16 00:00:00", "hour"),
        ("2013年8月15日深夜11点半", "2013-08-15 23:30:00", "minute"),
        ("2013年8月15日下午三点一刻", "2013-08-15 15:15:00", "minute"),
        ("發佈時間：2013年8月15日 下午 3時05分", "2013-08-15 15:05:00", "minute"),
        ("来源：某某网 2013-08-15 12:30", "2013-08-15 12:30:00", "minute"),
        ("2013-08-15 12:30 阅读 1234", "2013-08-15 12:30:00", "minute"),
        ("2013/08/15(木) 12:30", "2013-08-15 12:30:00", "minute"),
    ],
)
def test_a_date_loses_neither_year_nor_zone(raw: str, expected: str, precision: str) -> None:
    instant = read(raw)
    assert instant is not None
    assert (local(raw), instant.unread) == ((expected, precision), "")


def test_an_abbreviation_of_the_newsletters_own_zone_is_its_offset_in_summer_and_in_winter() -> None:
    for name, offset in (("EST", -5), ("EDT", -4)):
        instant = read_date(f"Thu, 15 Aug 2019 12:30:00 {name}", FETCHED, ZoneInfo("America/New_York"))
        assert instant is not None
        assert instant.at == datetime(2019, 8, 15, 12, 30, tzinfo=timezone(timedelta(hours=offset)))


def test_clocks_may_differ_by_a_day() -> None:
    assert read("2019-12-04T10:20:29+08:00") is not None
    assert read("2019-12-04T10:20:31+08:00") is None


def test_what_was_written_and_where_is_kept() -> None:
    instant = read_date(" 3小时前 ", FETCHED, SHANGHAI, source="updated")
    assert instant is not None
    assert (instant.raw, instant.source) == (" 3小时前 ", "updated")


@pytest.mark.parametrize("unit", ["1", "2019年", "十", " ", "1 ", "周", "(", "published ", "12:30:", "-"])
@pytest.mark.parametrize("length", [100, 10_000], ids=["as long as dates are read", "longer"])
@pytest.mark.parametrize(("head", "tail"), [("", ""), ("1", "x"), ("2019-1-1", "")])
@pytest.mark.fault("T4")
def test_twice_as_long_a_date_costs_at_most_three_times_as_much(head: str, unit: str, tail: str, length: int) -> None:
    half = unit * ((length - len(head + tail)) // len(unit))
    assert_twice_costs_at_most_three_times(read, f"{head}{half}{tail}", f"{head}{half * 2}{tail}")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789年月日 -:/.+TZ十天前周星期半小时昨下午上pmago", max_size=40))
def test_whatever_is_read_is_aware_and_possible(raw: str) -> None:
    instant = read(raw)
    if instant is not None:
        assert EARLIEST <= instant.at <= FETCHED + LATEST
        assert instant.at.tzinfo is not None


IN_2031 = datetime(2031, 1, 2, tzinfo=UTC)
PIECES = {
    "year": "%Y", "year_of_two_digits": "%y", "month": "%m", "day": "%d", "ordinal_day": "%d", "full_day": "%d",
    "first": "%m", "second_number": "%d", "month_name": "%b", "week": "W%V", "weekday": "%u", "day_of_year": "%j",
    "compact_date": "%Y%m%d", "day_name": "%a, ", "day_sign": "日", "comma": ", ", "dash_or_blank": "-", "joint": " ",
    "hyphen": "-", "dash": "-", "of": "", "separator": " ", "t": "T", "t_or_none": "T", "gap": " ",
    "more": " 来源：某某", "time": "%H:%M:%S", "compact_time": "%H%M%S", "lone_hour": "%H", "am_pm_time": "%I:%M:%S %p",
}  # fmt: skip
ZONES = {
    "Z": 0,
    "+08:00": 8,
    " +0800": 8,
    " -3:30": -3.5,
    " UTC+9": 9,
    " EST": -5,
    " AEST": 10,
    " (GMT+1)": 1,
    " CST": -6,
    "": 8,
}
FORMS = [
    *(form.replace("{layout}", layout) for layout in (*DAY_LAYOUTS, *TWO_DIGIT_LAYOUTS) for form in ARRANGEMENTS),
    *OTHER_LAYOUTS,
]


def write_date(form: str, at: datetime, zone: str) -> tuple[str, datetime]:
    """A date in a form of the table, and the time that it states: to the hour or the day where the form is coarser."""
    if "{lone_hour}" in form:
        at = at.replace(minute=0, second=0)
    elif "time}" not in form:
        at = at.replace(hour=0, minute=0, second=0)
    if "{zone_of_day}" in form and zone not in ("Z", "+08:00"):
        zone = ""
    elif "{letter}" in form:
        zone = "Z"
    elif "{needed_zone}" in form:
        zone = zone or " CST"
    elif "zone" not in form:
        zone = ""
    at = at.replace(tzinfo=timezone(timedelta(hours=ZONES[zone])))
    zones = dict.fromkeys(("zone", "zone_of_day", "needed_zone", "letter"), zone)
    spellings = {name: at.strftime(spelling) if "%" in spelling else spelling for name, spelling in PIECES.items()}
    if "{week}" in form:
        spellings["year"] = at.strftime("%G")
    return form.replace("~", " ").format_map(spellings | zones), at


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(
    st.sampled_from(FORMS),
    st.datetimes(datetime(1990, 2, 2), datetime(2030, 12, 30)),  # noqa: DTZ001
    st.sampled_from(list(ZONES)),
)
def test_every_form_is_read_back_as_it_was_written_in_any_year(form: str, at: datetime, zone: str) -> None:
    if "{dash}" in form:
        at = at.replace(day=at.month)  # with dashes the day is first
    elif "{first}" in form and "am_pm" not in form:
        at = at.replace(day=max(at.day, 13))
    written, expected = write_date(form, at.replace(microsecond=0), zone)
    instant = read_date(written, IN_2031, timezone(timedelta(hours=8)))  # Shanghai had summer time until 1991
    assert instant is not None, written
    assert (instant.at, instant.unread) == (expected, ""), written


@pytest.mark.parametrize("layout", YEARLESS_LAYOUTS)
@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(1990, 1, 2), datetime(2030, 12, 30)))  # noqa: DTZ001
def test_every_form_without_a_year_is_read_back_within_the_year(layout: str, at: datetime) -> None:
    at = at.replace(second=0, microsecond=0, tzinfo=SHANGHAI)
    written, _ = write_date(layout + " ", at, "")
    instant = read(f"{written}{at:%H:%M}", at + timedelta(hours=1))
    assert instant is not None, written
    assert (instant.at, instant.unread) == (at, ""), written
