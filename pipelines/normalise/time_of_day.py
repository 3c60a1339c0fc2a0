"""The time of day as dates write it: 12:30, 3:05:09 pm, 下午3点半, 24:00, 23:59:60."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pipelines.model import Precision

_MORNING: Final = ("上午", "凌晨", "清晨", "早上", "早晨", "午前", "am")
_NOON: Final = ("中午",)
_AFTERNOON: Final = ("下午", "午后", "傍晚", "pm")
_EVENING: Final = ("晚上", "晚间", "夜间", "夜里", "深夜", "半夜", "午夜", "夜晚", "晚")
HALF: Final = rf"(?:{'|'.join(sorted((*_MORNING[:-1], *_NOON, *_AFTERNOON[:-1], *_EVENING), key=len, reverse=True))})"
"""下午: the part of the day that Chinese writes before the hour."""

_MERIDIEM: Final = r"[AaPp]\.?[Mm]\b\.?"
_HOUR: Final = r"(?P<hour>2[0-4]|[01]?\d)"
TIME: Final = (
    rf"(?P<half>{HALF})?\s*{_HOUR}"
    rf"(?:\s*[:时点]\s*(?P<minute>半|[13]刻|[0-5]?\d(?!\d))?|(?=\s*{_MERIDIEM}))"
    r"(?:\s*[:分]\s*(?P<second>[0-5]?\d|60)(?!\d)(?:[.,]\d+)?)?\s*[分秒]?\s*"
    rf"(?P<meridiem>{_MERIDIEM}|上午|下午)?"
)
"""12:30, 3:05:09 pm, 15时05分, 下午3点半, 10点."""

COMPACT_TIME: Final = r"(?P<hour>2[0-4]|[01]\d)(?P<minute>[0-5]\d)(?:(?P<second>[0-5]\d|60)(?:[.,]?\d{1,9})?)?"
"""083148, 0831."""

LONE_HOUR: Final = r"(?P<hour>2[0-4]|[01]\d)"
"""The 10 of 2026-11-16T10Z."""

_QUARTERS: Final = {"半": 30, "1刻": 15, "3刻": 45}


def read_time_of_day(groups: Mapping[str, str | None]) -> tuple[timedelta, Precision]:
    """The time since midnight that a form matched.

    Args:
        groups: of `TIME`, `COMPACT_TIME` or `LONE_HOUR`; without an hour the time is midnight, with precision `day`.

    Raises:
        ValueError: the clock shows no such time (24:30), or the half of the day contradicts the hour (晚上3点).
    """
    hour_text, minute_text, second_text = (groups.get(name) for name in ("hour", "minute", "second"))
    if hour_text is None:
        return timedelta(), "day"
    minute = _QUARTERS.get(minute_text) or int(minute_text) if minute_text else 0
    second = int(second_text or 0)
    half = groups.get("half") or (groups.get("meridiem") or "").replace(".", "").lower()
    hour = _count_hours(int(hour_text), half)
    if hour >= 24 and (minute or second) and half not in _EVENING:
        raise ValueError("no clock shows a time after 24:00")
    precision: Precision = "second" if second_text else "minute" if minute_text else "hour"
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59)), precision


def _count_hours(hour: int, half: str) -> int:
    """The hour of 24 that a half of the day and an hour of 12 mean.

    晚上12点 is the end of the day. 晚上3点 may be a slip for the afternoon or mean the next day, so it is none.

    >>> [_count_hours(*time) for time in ((3, "下午"), (12, "am"), (12, "晚上"), (1, "中午"), (15, "pm"), (12, "pm"))]
    [15, 0, 24, 13, 15, 12]

    Raises:
        ValueError: the half contradicts the hour.
    """
    if half in _MORNING:
        if hour > 12:
            raise ValueError(f"{half}{hour} is no time")
        return hour % 12
    if half in _NOON:
        return hour + 12 if hour < 10 else hour
    if half in _AFTERNOON:
        return hour + 12 if hour < 12 else hour
    if half in _EVENING:
        if hour < 5:
            raise ValueError(f"{half}{hour} is the night before or after")
        return hour + 12 if hour <= 12 else hour
    return hour
