"""Finds contradictions between titles: numbers, dates and names that keep two articles apart. Pure.

The titles 骁龙690 and 骁龙865 are similar and are two pieces of news. Two numbers are compared only in the same role:
behind the same stem (`iphone` 12), as a date, as the part of a series, or with the same unit (12 本).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.text import HAN_RANGE, fold, read_numeral

Values = Mapping[str, frozenset[str]]
"""The values of a title in each role."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The numbers and names of a title.

    Args:
        marks: numbers that identify, by role: models, versions, years, dates, parts of a series.
        amounts: numbers that count, by unit.
        names: Latin words without small words.
        editions: words behind a number that name an edition: pro, max; `+` for 9300+.
    """

    marks: Values
    amounts: Values
    names: frozenset[str]
    editions: frozenset[str] = frozenset()


def read_identifiers(title: str) -> Identifiers:
    """Read a title's numbers and names.

    >>> title = read_identifiers("高通发布骁龙690：最高 2.0GHz，支持 5G")
    >>> dict(title.marks), dict(title.amounts)
    ({'骁龙': frozenset({'690'})}, {'ghz': frozenset({'2'}), 'g': frozenset({'5'})})
    """
    marks: dict[str, set[str]] = defaultdict(set)
    amounts: dict[str, set[str]] = defaultdict(set)
    remainder = _NUMBERED.sub(lambda match: _read_numbered(match, marks), fold(title))
    names: set[str] = set()
    for match in _NAME.finditer(remainder):
        word, glued = match.groups()
        if len(word) > 1 and not _SMALL_WORD.fullmatch(word):
            names.add(word)
        elif len(word) == 1 and glued and (word != "v" or len(glued) > 2):
            names.add(word + glued)
    for match in _NUMBER.finditer(remainder):
        _read_number(match, marks, amounts)
    editions = frozenset(word for match in _EDITIONS.finditer(remainder) for word in _EDITION.findall(match[1]))
    return Identifiers(_freeze(marks), _freeze(amounts), frozenset(names), editions)


def find_contradiction(first: Identifiers, second: Identifiers) -> str | None:
    """The first role in which the marks of two titles have no value in common, or None.

    Two articles with a contradiction are never one story.

    >>> find_contradiction(read_identifiers("tf 2.2 发布"), read_identifiers("tf 2.3 发布"))
    'tf'
    >>> find_contradiction(read_identifiers("iphone 12 发布"), read_identifiers("iphone 11 对比 iphone 12"))
    """
    return next(_find_conflicts(first.marks, second.marks), None)


def differ_in_details(first: Identifiers, second: Identifiers) -> bool:
    """Whether two similar titles differ in an amount or an edition, or each has a name that the other lacks.

    >>> differ_in_details(read_identifiers("iPhone 15 Pro 拆解"), read_identifiers("iPhone 15 Pro Max 拆解"))
    True
    >>> differ_in_details(read_identifiers("Kafka 面试题"), read_identifiers("Redis 面试题"))
    True
    """
    amount = next(_find_conflicts(first.amounts, second.amounts), None)
    return (
        amount is not None
        or first.editions != second.editions
        or _names_differ(first.names - second.names, second.names - first.names)
    )


# ---- Reading


_PARTS: Final = {"上": "1", "中": "2", "下": "3"}
_NUMERALS: Final = "零〇一二两三四五六七八九十百"
_MULTIPLES: Final = {"千": 10**3, "万": 10**4, "w": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_UNITS: Final = frozenset(
    "年月日号天周岁个本张问种条名人位篇款项步秒倍家届期章讲课卷季代题块页台辆枚颗句道套样件瓶杯碗只轮国省市所"
)
_UNITS_OR_WORDS: Final = frozenset("分点次集回层行字米元场部首星小大强")
"""Characters that are units, and as often begin the next word: 骁龙690首发."""

_SMALL_WORD: Final = re.compile(
    "a|an|and|are|as|at|be|by|for|from|how|in|into|is|it|its|new"
    "|of|on|or|our|the|their|this|to|top|using|via|vs|we|what|why|with|you|your"
)

_NUMBERED: Final = re.compile(  # 2020-04-29 | 20200429 | 4月29日 | 04-29 | 第12期 | （下） | 下篇 | …实战二：
    rf"""
    (?<!\d)(?P<year>(?:19|20)\d\d)\s?[-./年]\s?(?P<month>\d{{1,2}})\s?[-./月]\s?(?P<day>\d{{1,2}})(?![\d.])\s?[日号]?
    |(?<!\d)(?P<year2>20\d\d)(?P<month2>0[1-9]|1[0-2])(?P<day2>[0-3]\d)(?!\d)
    |(?<![\d.])(?P<month3>\d{{1,2}})\s?月\s?(?P<day3>\d{{1,2}})(?!\d|\s?[个款条种])\s?[日号]?
    |(?<![\d.a-z-])(?P<month4>0[1-9]|1[0-2])[-./](?P<day4>0[1-9]|[12]\d|3[01])(?![\d.-])
    |第\s?(?P<nth>\d{{1,4}}|[{_NUMERALS}]{{1,5}})\s?(?P<of>[期章篇讲课集卷回季弹波届次天日周部代话册辑场站课轮])
    |[(（\[【]\s?(?P<part>\d{{1,3}}|[{_NUMERALS}]{{1,4}}|[上中下])\s?[篇集部]?\s?[)）\]】]
    |(?P<part2>[上中下])[篇集](?=[^\w]|$)
    |(?<=[{HAN_RANGE}a-z])(?<![{_NUMERALS}])(?P<part3>[{_NUMERALS}]{{1,4}})(?=\s*(?:[:：]|$))
    """,
    re.VERBOSE,
)
_FIELDS: Final = {
    "year2": "year", "month2": "month", "day2": "day", "month3": "month", "day3": "day", "month4": "month",
    "day4": "day", "part2": "part", "part3": "part",
}  # fmt: skip
"""The field of each group of `_NUMBERED` whose name has a number, because a regular expression names a group once."""

# redmi, k-30 (the name k30)
_NAME: Final = re.compile(r"(?<![a-z])([a-z]+)-?(\d+)?")

# iphone 12, tf v2.3, 骁龙690, 2.0ghz, 12/16 本, 300万 人
_NUMBER: Final = re.compile(
    rf"(?:(?P<word>(?<![a-z])[a-z]+)(?P<between>[\s\-_.#]{{0,2}}(?:v(?=\d))?)|(?P<han>[{HAN_RANGE}]{{1,2}})(?:[\s\-_]?v?))?"
    r"(?P<number>\d{1,12}(?:\.\d{1,6}){0,4})"
    r"(?P<more>(?:[/、~&](?=\d)\d{1,6}(?:\.\d{1,6}){0,3})*)"
    rf"(?:(?P<suffix>[a-z]{{1,4}})(?![a-z])|\s?(?P<multiple>[百千]?万|[千亿])?\s?(?P<unit>%|[{HAN_RANGE}])?)"
)


# a17 pro, iphone 15 pro max, gpt-4o mini, 天玑 9300+
_EDITION: Final = re.compile(r"pro|max|ultra|mini|plus|lite|turbo|nano|air|se|\+")
_EDITIONS: Final = re.compile(rf"(?<=[\d])[a-z]?((?:\s?(?:{_EDITION.pattern})(?![a-z]))+)")

_MODEL_SUFFIXES: Final = frozenset("secuindrx")
"""Letters behind a number that make another model of it, 骁龙 8s; letters that are units are left out."""


def _read_numbered(match: re.Match[str], marks: dict[str, set[str]]) -> str:
    """Add a date or a part of a series to the marks; return the text that replaces it in the title.

    The replacement separates the numbers on both sides of it.
    """
    fields = {_FIELDS.get(group, group): text for group, text in match.groupdict().items() if text is not None}
    if "day" in fields:
        month, day = int(fields["month"]), int(fields["day"])
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return match[0]
        marks["date"].add(f"{month}-{day}")
        if "year" in fields:
            marks["year"].add(fields["year"])
    elif "nth" in fields:
        marks[f"第{fields['of']}"].add(_read_ordinal(fields["nth"]))
    else:
        marks["part"].add(_read_ordinal(fields["part"]))
    return " | "


def _read_number(match: re.Match[str], marks: dict[str, set[str]], amounts: dict[str, set[str]]) -> None:
    word, between, han, number = match["word"], match["between"], match["han"], match["number"]
    suffix, multiple, unit = match["suffix"], match["multiple"], match["unit"]
    values = [_normalise_number(number_text) for number_text in re.split("[/、~&]", number + match["more"])]
    if suffix == "w":
        multiple, suffix = "w", None
    if multiple:
        plain_numbers = (float(number_text) for number_text in values if number_text.count(".") < 2)
        values = [_normalise_number(f"{plain_number * _MULTIPLES[multiple]:.0f}") for plain_number in plain_numbers]
        amounts[unit or multiple].update(values)
    elif word and unit != "%":
        stem = word[:-1] if word.endswith("v") and len(word) > 3 and not between else word
        marks[stem].update(number_text + (suffix or "") for number_text in values)
    elif re.fullmatch(r"(?:19|20)\d\d", number) and (unit == "年" or unit not in _UNITS):
        marks["year"].update(values)
    elif han is not None and len(han) > 1 and suffix in _MODEL_SUFFIXES:
        marks[han].update(number_text + suffix for number_text in values)
    elif suffix or unit == "%" or unit in _UNITS:
        amounts[suffix or unit].update(values)
    else:
        has_stem = han is not None and len(han) > 1
        if has_stem:
            marks[han].update(values)
        if not has_stem or unit in _UNITS_OR_WORDS:
            amounts[unit if unit in _UNITS_OR_WORDS else ""].update(values)


def _read_ordinal(ordinal: str) -> str:
    """The number of a part of a series, in digits.

    >>> [_read_ordinal(ordinal) for ordinal in ("07", "下", "二十三", "二〇")]
    ['7', '3', '23', '20']
    """
    return _PARTS.get(ordinal) or str(read_numeral(ordinal))


def _normalise_number(number: str) -> str:
    """A number without leading zeros, and without final parts that are zero.

    >>> [_normalise_number(number) for number in ("01", "2.0", "1.10.0", "100")]
    ['1', '2', '1.10', '100']
    """
    parts = [str(int(part)) for part in number.split(".")]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _freeze(values: Mapping[str, set[str]]) -> Values:
    return {role: frozenset(values_of_role) for role, values_of_role in values.items()}


# ---- Comparing

_ENDINGS: Final = ("s", "es", "v")


def _find_conflicts(first: Values, second: Values) -> Iterator[str]:
    """The roles that both titles have, with no value in common."""
    for role in sorted(first.keys() & second.keys()):
        if not any(
            _values_agree(first_value, second_value) for first_value in first[role] for second_value in second[role]
        ):
            yield role


def _values_agree(first: str, second: str) -> bool:
    """Whether two values are equal, or one is a short form of the other: 2 and 2.3, 21 and 2021; not 2.1 and 2.1.1."""
    short, long = sorted((first, second), key=len)
    return (
        short == long
        or ("." not in short and long.startswith(f"{short}."))
        or (len(short) == 2 and long == f"20{short}")
    )


def _names_differ(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether each of two sets has a name that is no spelling of a name in the other set."""
    first_names, second_names = list(first), list(second)
    return any(not _is_spelt_in(name, second_names) for name in first_names) and any(
        not _is_spelt_in(name, first_names) for name in second_names
    )


def _is_spelt_in(name: str, candidates: Iterable[str]) -> bool:
    """Whether a candidate is the name itself, its plural, or the name before a version: YOLOv5. BERT is not ALBERT."""
    return any(
        long.removeprefix(short) in _ENDINGS
        for candidate in candidates
        for short, long in [sorted((name, candidate), key=len)]
    )
