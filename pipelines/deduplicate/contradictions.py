"""What keeps two articles apart: numbers, dates and names that contradict each other. Pure.

骁龙690 and 骁龙865 are one letter apart and two pieces of news. A number is compared with one in the same role only:
after the same stem (`iphone` 12), as a date, as the part of a series, or with the same unit (12 本).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.text import fold, read_numeral

Values = Mapping[str, frozenset[str]]
"""By role: the values that a title has in it."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a title says in numbers and names.

    Args:
        marks: numbers that say which one it is: models, versions, years, dates, parts of a series.
        amounts: numbers that say how many, by unit.
        names: Latin words, small words aside.
    """

    marks: Values
    amounts: Values
    names: frozenset[str]


def identifiers(title: str) -> Identifiers:
    """Read a title's numbers and names.

    >>> found = identifiers("高通发布骁龙690：最高 2.0GHz，支持 5G")
    >>> dict(found.marks), dict(found.amounts)
    ({'骁龙': frozenset({'690'})}, {'ghz': frozenset({'2'}), 'g': frozenset({'5'})})
    """
    marks: dict[str, set[str]] = defaultdict(set)
    amounts: dict[str, set[str]] = defaultdict(set)
    rest = _NUMBERED.sub(lambda match: _note_numbered(match, marks), fold(title))
    names: set[str] = set()
    for match in _NAME.finditer(rest):
        word, glued = match.groups()
        if len(word) > 1 and not _SMALL_WORD.fullmatch(word):
            names.add(word)
        elif len(word) == 1 and glued and (word != "v" or len(glued) > 2):
            names.add(word + glued)
    for match in _NUMBER.finditer(rest):
        _note_number(match, marks, amounts)
    return Identifiers(_frozen(marks), _frozen(amounts), frozenset(names))


def contradiction(one: Identifiers, other: Identifiers) -> str | None:
    """The role in which two titles say which one it is, and mean two: they are never one story.

    >>> contradiction(identifiers("tf 2.2 发布"), identifiers("tf 2.3 发布"))
    'tf'
    >>> contradiction(identifiers("iphone 12 发布"), identifiers("iphone 11 对比 iphone 12"))
    """
    return next(_conflicts(one.marks, other.marks), None)


def say_otherwise(one: Identifiers, other: Identifiers) -> bool:
    """Whether two titles that look alike differ in an amount, or each has a name of its own.

    >>> say_otherwise(identifiers("Kafka 面试题"), identifiers("Redis 面试题"))
    True
    """
    amount = next(_conflicts(one.amounts, other.amounts), None)
    return amount is not None or _named_otherwise(one.names - other.names, other.names - one.names)


def versions(text: str, names: Collection[str] = (), *, prose: bool = False) -> frozenset[str]:
    """The versions and the parts of a series that a text says.

    Args:
        text: a title, or what an entry says.
        names: folded; a number after one of them is a version, though it has neither a dot nor a `v`.
        prose: whether it is no title: then a number with a dot may be anything, if it has no `v`.

    >>> sorted(versions("MNN 2 与 TF 2.3：INT8 快 1.5 倍，v0.4.0 见（下）", ["mnn"]))
    ['0.4', '2', '2.3', '3']
    """
    marks = identifiers(text).marks
    told = {value for values in marks.values() for value in values}
    of_role = {value for role in marks if role in names or _IN_SERIES.match(role) for value in marks[role]}
    written = ((_plain(match["v"] or match["dotted"]), match["v"]) for match in _VERSION.finditer(fold(text)))
    return frozenset((*of_role, *(value for value, after_v in written if after_v or (value in told and not prose))))


_IN_SERIES: Final = re.compile("part$|第")
_VERSION: Final = re.compile(
    r"(?<![a-z0-9_-])v[.\s]?(?P<v>\d{1,6}(?:\.\d{1,6}){0,4})|(?<![\d.])(?P<dotted>\d{1,6}(?:\.\d{1,6}){1,4})"
)


# ---- Reading


_PARTS: Final = {"上": "1", "中": "2", "下": "3"}
_NUMERALS: Final = "零〇一二两三四五六七八九十百"
_MULTIPLES: Final = {"千": 10**3, "万": 10**4, "w": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_UNITS: Final = frozenset(
    "年月日号天周岁个本张问种条名人位篇款项步秒倍家届期章讲课卷季代题块页台辆枚颗句道套样件瓶杯碗只轮国省市所"
)
_UNITS_OR_WORDS: Final = frozenset("分点次集回层行字米元场部首星小大强")
"""Units that as often begin the next word: 骁龙690首发."""

_SMALL_WORD: Final = re.compile(
    "a|an|and|are|as|at|be|by|for|from|how|in|into|is|it|its|new"
    "|of|on|or|our|the|their|this|to|top|using|via|vs|we|what|why|with|you|your"
)

_NUMBERED: Final = re.compile(
    rf"""
    (?<!\d)(?P<year>(?:19|20)\d\d)\s?[-./年]\s?(?P<month>\d{{1,2}})\s?[-./月]\s?(?P<day>\d{{1,2}})(?![\d.])\s?[日号]?
    |(?<!\d)(?P<year2>20\d\d)(?P<month2>0[1-9]|1[0-2])(?P<day2>[0-3]\d)(?!\d)
    |(?<![\d.])(?P<month3>\d{{1,2}})\s?月\s?(?P<day3>\d{{1,2}})(?!\d|\s?[个款条种])\s?[日号]?
    |(?<![\d.a-z-])(?P<month4>0[1-9]|1[0-2])[-./](?P<day4>0[1-9]|[12]\d|3[01])(?![\d.-])
    |第\s?(?P<nth>\d{{1,4}}|[{_NUMERALS}]{{1,5}})\s?(?P<of>[期章篇讲课集卷回季弹波届次天日周部代话册辑场站课轮])
    |[(（\[【]\s?(?P<part>\d{{1,3}}|[{_NUMERALS}]{{1,4}}|[上中下])\s?[篇集部]?\s?[)）\]】]
    |(?P<part2>[上中下])[篇集](?=[^\w]|$)
    |(?<=[\u4e00-\u9fffa-z])(?<![{_NUMERALS}])(?P<part3>[{_NUMERALS}]{{1,4}})(?=\s*(?:[:：]|$))
    """,
    re.VERBOSE,
)
_NAME: Final = re.compile(r"(?<![a-z])([a-z]+)-?(\d+)?")
_NUMBER: Final = re.compile(
    r"(?:(?P<word>(?<![a-z])[a-z]+)(?P<between>[\s\-_.#]{0,2}(?:v(?=\d))?)|(?P<han>[\u4e00-\u9fff]{1,2})(?:[\s\-_]?v?))?"
    r"(?P<number>\d{1,12}(?:\.\d{1,6}){0,4})"
    r"(?P<more>(?:[/、~&](?=\d)\d{1,6}(?:\.\d{1,6}){0,3})*)"
    r"(?:(?P<suffix>[a-z]{1,4})(?![a-z])|\s?(?P<multiple>[百千]?万|[千亿])?\s?(?P<unit>%|[\u4e00-\u9fff])?)"
)


def _note_numbered(match: re.Match[str], marks: dict[str, set[str]]) -> str:
    """Take a date or a part of a series out of the title; leave something that no number sticks to."""
    found = {name.rstrip("234"): value for name, value in match.groupdict().items() if value is not None}
    if "day" in found:
        month, day = int(found["month"]), int(found["day"])
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return match[0]
        marks["date"].add(f"{month}-{day}")
        if "year" in found:
            marks["year"].add(found["year"])
    elif "nth" in found:
        marks[f"第{found['of']}"].add(_read_ordinal(found["nth"]))
    else:
        marks["part"].add(_read_ordinal(found["part"]))
    return " | "


def _note_number(match: re.Match[str], marks: dict[str, set[str]], amounts: dict[str, set[str]]) -> None:
    word, between, han, number = match["word"], match["between"], match["han"], match["number"]
    suffix, multiple, unit = match["suffix"], match["multiple"], match["unit"]
    values = [_plain(one) for one in re.split("[/、~&]", number + match["more"])]
    if suffix == "w":
        multiple, suffix = "w", None
    if multiple:
        values = [_plain(f"{float(one) * _MULTIPLES[multiple]:.0f}") for one in values if one.count(".") < 2]
        amounts[unit or multiple].update(values)
    elif word and unit != "%":
        stem = word[:-1] if word.endswith("v") and len(word) > 3 and not between else word
        marks[stem].update(one + (suffix or "") for one in values)
    elif re.fullmatch(r"(?:19|20)\d\d", number) and (unit == "年" or unit not in _UNITS):
        marks["year"].update(values)
    elif suffix or unit == "%" or unit in _UNITS:
        amounts[suffix or unit].update(values)
    else:
        named = han is not None and len(han) > 1
        if named:
            marks[han].update(values)
        if not named or unit in _UNITS_OR_WORDS:
            amounts[unit if unit in _UNITS_OR_WORDS else ""].update(values)


def _read_ordinal(ordinal: str) -> str:
    """The number of a part of a series, in digits.

    >>> [_read_ordinal(ordinal) for ordinal in ("07", "下", "二十三", "二〇")]
    ['7', '3', '23', '20']
    """
    return _PARTS.get(ordinal) or str(read_numeral(ordinal))


def _plain(number: str) -> str:
    """Without zeros that mean nothing.

    >>> [_plain(number) for number in ("01", "2.0", "1.10.0", "100")]
    ['1', '2', '1.10', '100']
    """
    parts = [str(int(part)) for part in number.split(".")]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _frozen(values: Mapping[str, set[str]]) -> Values:
    return {role: frozenset(found) for role, found in values.items()}


# ---- Comparing

_ENDINGS: Final = ("s", "es", "v")


def _conflicts(one: Values, other: Values) -> Iterator[str]:
    """Roles that both have, with no value in common."""
    for role in sorted(one.keys() & other.keys()):
        if not any(_agree(some, others) for some in one[role] for others in other[role]):
            yield role


def _agree(one: str, other: str) -> bool:
    """Equal, or the one is the other said shorter: 2 and 2.3, 21 and 2021."""
    short, long = sorted((one, other), key=len)
    return short == long or long.startswith(f"{short}.") or (len(short) == 2 and long == f"20{short}")


def _named_otherwise(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether each has a name that is no other spelling of one of the other's."""
    some, others = list(one), list(other)
    return any(not _spelt_in(name, others) for name in some) and any(not _spelt_in(name, some) for name in others)


def _spelt_in(name: str, others: Iterable[str]) -> bool:
    """Whether one of the others is the name in the plural, or before a version: YOLOv5. BERT is not ALBERT."""
    return any(
        long.removeprefix(short) in _ENDINGS for other in others for short, long in [sorted((name, other), key=len)]
    )
