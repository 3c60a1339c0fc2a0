"""Reads what names an issue: its title, date, number and headline, from the heading, the front matter or the file name.

`# 嵌入式AI简报 (2020-11-30) 要目` has title, date and headline; `# 科技爱好者周刊（第 310 期）：要目` has title, number
and headline, and `[numbering]` gives the date; `title: 'Python潮流周刊#9：要目'` stands in front matter; and
`# 2020.11.30 - 要目` has no title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final, Literal

from crawler.errors import Detail
from pipelines.issue.decoding import NotAnIssue
from pipelines.newsletter import Newsletter

# "简报 (2020-11-30) 要目", "2020年11月30日"
_DATE: Final = re.compile(r"[（(]?\s{0,9}((?:19|20)\d\d)[-./年](\d{1,2})[-./月](\d{1,2})日?\s{0,9}[)）]?")

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# "March 16, 2026", "16 Mar 2026"
_MONTH: Final = rf"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_ENGLISH_DATE: Final = re.compile(
    rf"[(]?\b(?:(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?|"
    rf"(?P<first_day>\d{{1,2}})(?:st|nd|rd|th)? (?P<second_month>{_MONTH})),? (?P<year>(?:19|20)\d\d)\b[)]?",
    re.IGNORECASE,
)

# "title: 'Python潮流周刊#9'", "Date: 2015-09-28"
_FIELD: Final = re.compile(r"(?P<name>[A-Za-z][\w-]{0,40})[ \t]*:(?:[ \t]+(?P<text>.*))?")
# "date = 2015-09-28", in TOML
_TOML_FIELD: Final = re.compile(r"(?P<name>[A-Za-z][\w-]{0,40})[ \t]*=[ \t]*(?P<text>.*)")

_TITLE_FIELD: Final = re.compile(r"^(?P<name>title[ \t]*[:=][ \t]*)(?P<text>.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Name:
    """What names an issue: see `pipelines.model.Issue`."""

    date: date
    title: str
    dateline: str | None = None
    headline: str | None = None
    number: int | None = None
    slug: str | None = None
    title_in: Literal["heading", "front-matter"] = "heading"


@dataclass(frozen=True, slots=True)
class _Parts:
    """A title line: the texts before, of and after date and number."""

    title: str
    dateline: str
    headline: str
    date: date | None
    number: int | None


def find_field_date(fields: Mapping[str, str], newsletter: Newsletter) -> date | None:
    """Find the date in the fields of the front matter that `[reading] date_fields` names."""
    dates = (find_date(fields.get(name.casefold(), "")) for name in newsletter.reading.date_fields)
    return next((in_field[0] for in_field in dates if in_field), None)


def read_name(
    heading: str,
    fields: Mapping[str, str],
    section_names: Sequence[str],
    file_name: str,
    newsletter: Newsletter,
    *,
    belongs: bool = False,
    is_ours: bool = False,
) -> tuple[Name, list[Detail]]:
    """Read what names an issue.

    Args:
        heading: its text, without the mark; empty for an issue without a heading.
        fields: of the front matter.
        section_names: of the issue.
        file_name: the date and the number may stand there.
        newsletter: its title, its forms of numbers, its numbering.
        belongs: whether the words of an issue without any title name the newsletter.
        is_ours: whether it is known to be an issue of the newsletter, whatever its words are.

    Returns:
        The name, and the doubts about it.

    Raises:
        NotAnIssue: no date, or nothing that belongs to the newsletter.
    """
    title_in: Literal["heading", "front-matter"] = "heading"
    title_line = heading
    if not heading:
        title_in, title_line = "front-matter", fields.get("title", "")
    parts = _split_title(title_line, newsletter)
    field_number = _read_number_field(fields)
    number = next(filter(None, (parts.number, field_number, find_number(file_name, newsletter))), None)
    in_file_name = find_date(file_name)
    day, doubts = parts.date, []
    if day is not None and in_file_name and in_file_name[0] != day:
        doubts.append(Detail.of("archive/two-dates", heading=str(day), file=str(in_file_name[0])))
    belongs = (
        is_ours
        or (belongs and not title_line)
        or day is not None
        or (parts.number or field_number) is not None
        or _compile_numbers(newsletter.reading.number).fullmatch(file_name) is not None
        or newsletter.title.casefold() in title_line.casefold()
        or any(newsletter.category(name) for name in section_names)
    )
    if day is None:
        in_field = find_field_date(fields, newsletter)
        day = in_field or (in_file_name[0] if in_file_name else None)
        if day is not None and not in_field and title_in == "heading" and parts.number is None:
            doubts.append(Detail.of("archive/date-of-file", day=str(day)))
        if day is None and number is not None and newsletter.numbering:
            day = _find_numbered_date(number, newsletter)
    if day is None or not belongs:
        if number is not None and day is None:
            raise NotAnIssue("no-date", path=file_name, number=number)
        raise NotAnIssue("no-issue", path=file_name, title=newsletter.title, category=newsletter.category_names[0])
    dateline = parts.dateline if parts.dateline or (parts.title and title_in == "front-matter") else None
    usual = newsletter.fill_template(newsletter.frame.dateline, day, number=number)
    if dateline is not None and dateline.rstrip() == usual.rstrip():
        dateline = None
    if not parts.dateline and (own_headline := _find_headline(title_line, newsletter.title + usual)):
        parts, dateline = replace(parts, title=newsletter.title, headline=own_headline), None
    name = Name(
        date=day,
        title=parts.title or ("" if parts.dateline else newsletter.title),
        dateline=dateline,
        headline=parts.headline or None,
        number=number,
        slug=read_slug(file_name, newsletter),
        title_in=title_in,
    )
    return name, doubts


def _find_headline(title_line: str, beginning: str) -> str:
    """Find the headline behind the title and a dateline that only newsletter.toml tells, such as `2024-W43`."""
    headline = title_line.removeprefix(beginning) if title_line.startswith(beginning) else ""
    return headline if headline == headline.strip() else ""


def _split_title(line: str, newsletter: Newsletter) -> _Parts:
    """Split a title line at its date and its number.

    Only the first number before or beside the date counts; a line without both is all title.
    """
    line = line.strip()
    in_line = find_date(line)
    spans = [in_line[1:]] if in_line else []
    match = _compile_numbers(newsletter.reading.number).search(line)
    number = _read_digits(match) if match else None
    if match and (in_line is None or match.start() < in_line[1] or not line[in_line[2] : match.start()].strip(" ：:|")):
        spans.append(match.span())
    else:
        number = None
    start, end = min((span[0] for span in spans), default=0), max((span[1] for span in spans), default=0)
    if not spans or (start == 0 and in_line is None):  # "Issue 20"
        return _Parts(line, "", "", None, number)
    title = re.sub(r"(?:[：:|（(]+|\s[—–·-])?\s*\Z", "", line[:start].rstrip())
    separator = re.match(r"\s*(?:[:：|]|[—–-](?=\s))?\s*", line[end:])
    headline = line[end + (separator.end() if separator else 0) :].strip()
    dateline = line[len(title) : len(line) - len(headline)]
    return _Parts(title, dateline, headline, in_line[0] if in_line else None, number)


def find_date(text: str) -> tuple[date, int, int] | None:
    """Find the first date that the calendar has, with its start and end, parentheses included.

    >>> find_date("简报 (2020-11-30) 要目")
    (datetime.date(2020, 11, 30), 3, 15)
    >>> find_date("Digest — March 16, 2026")
    (datetime.date(2026, 3, 16), 9, 23)
    """
    for match in sorted((*_DATE.finditer(text), *_ENGLISH_DATE.finditer(text)), key=re.Match.start):
        try:
            return date(*_read_date(match)), match.start(), match.end()
        except ValueError:
            continue
    return None


def _read_date(match: re.Match[str]) -> tuple[int, int, int]:
    """Read year, month and day."""
    if match.re is _DATE:
        year, month, day = map(int, match.groups())
        return year, month, day
    name = match["month"] or match["second_month"]
    return int(match["year"]), _MONTHS.index(name[:3].casefold()) + 1, int(match["day"] or match["first_day"])


@lru_cache(maxsize=16)
def _compile_numbers(forms: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the forms of an issue's number: `第{n}期` also reads `（第 310 期）`."""
    patterns = []
    for form in forms:
        opening, _, closing = form.partition("{n}")
        patterns.append(r"\s{0,3}".join((_escape(opening), r"(\d{1,5})", _escape(closing))))
    return re.compile(rf"[（(]?(?:{'|'.join(patterns)})[)）]?", re.IGNORECASE)


def _escape(text: str) -> str:
    return r"\s{0,3}".join(map(re.escape, text.split())) if text.strip() else ""


def _read_digits(match: re.Match[str]) -> int:
    return int(next(filter(None, match.groups())))


def find_number(text: str, newsletter: Newsletter) -> int | None:
    """Find the number of an issue in its title or in the name of its file, in a form that `[reading] number` has."""
    match = _compile_numbers(newsletter.reading.number).search(text)
    return _read_digits(match) if match else None


def _read_number_field(fields: Mapping[str, str]) -> int | None:
    text = fields.get("number", "")
    return int(text) if re.fullmatch(r"\d{1,5}", text, re.ASCII) else None


def _find_numbered_date(number: int, newsletter: Newsletter) -> date | None:
    try:
        return newsletter.numbering.find_date(number) if newsletter.numbering else None
    except (ValueError, OverflowError):
        return None


def read_slug(file_name: str, newsletter: Newsletter) -> str | None:
    """Read the issue's name in addresses from the file name, where `[publish] file` has a `{slug}`."""
    pattern = newsletter.publish.file
    if "{slug}" not in pattern:
        return None
    expression = re.escape(pattern)
    for field, form in (("date", r"[\d.-]+"), ("number", r"\d+"), ("slug", r"(?P<slug>.+)")):
        expression = expression.replace(re.escape(f"{{{field}}}"), form)
    match = re.fullmatch(expression, file_name.rpartition(".")[0])
    return match["slug"] if match else None


# ---- Front matter


def read_fields(front_matter: str | None) -> dict[str, str]:
    """Read the fields of front matter that stand in a line each; their names in lower case, their texts unquoted.

    >>> read_fields("title: 'Python潮流周刊#9'\\npubDate: 2023-07-01"), read_fields('title = "周刊"')
    ({'title': 'Python潮流周刊#9', 'pubdate': '2023-07-01'}, {'title': '周刊'})
    """
    fields: dict[str, str] = {}
    for line in (front_matter or "").split("\n"):
        if match := _FIELD.fullmatch(line.rstrip()) or _TOML_FIELD.fullmatch(line.rstrip()):
            fields.setdefault(match["name"].casefold(), _unquote((match["text"] or "").strip()))
    return fields


def is_field(line: str) -> bool:
    """Whether a line is a field: `Title: This Week in Rust 98`."""
    return bool(_FIELD.fullmatch(line.rstrip()))


def set_title_field(front_matter: str, title_line: str) -> str:
    """Give the title's field another text, in its own quotation marks; an equal text stays as it is."""
    match = _TITLE_FIELD.search(front_matter)
    if match is None or _unquote(match["text"]) == title_line:
        return front_matter
    text = match["text"]
    quote = text[0] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else ""
    if "=" in match["name"] and quote == "'" and "'" in title_line:  # TOML has no way to write it there
        quote = '"'
    escaped = title_line.replace("'", "''") if quote == "'" else title_line.replace('"', '\\"') if quote else title_line
    return f"{front_matter[: match.start('text')]}{quote}{escaped}{quote}{front_matter[match.end('text') :]}"


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        inner = text[1:-1]
        return inner.replace("''", "'") if text[0] == "'" else inner.replace('\\"', '"')
    return text
