"""Learns from printed issues how a newsletter writes: what newsletter.toml says of its heading, sections and entries.

What most issues share is the newsletter's style: texts with the date and the number of the issue taken out, sections
in their order, the form of entries, blank lines. What each issue has anew is the editor's, and is left out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from statistics import median
from typing import Any, Final, TypeVar

from pipelines.issue import inline
from pipelines.issue.entry import read_entry, split_first_line
from pipelines.issue.heading import find_date, find_field_date, read_fields
from pipelines.issue.lines import MarkdownLines, find_code_lines
from pipelines.issue.markdown import HARD_BREAK, render_heading
from pipelines.issue.reading import (
    SectionSpan,
    find_entry_marks,
    find_opening_line,
    find_sections,
    find_title,
    read_section_heading,
)
from pipelines.issue.reading_style import Example
from pipelines.issue.shapes import ROW
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import USUAL_BLANK_LINES, Newsletter

_Item = TypeVar("_Item", bound=Hashable)

_MOST: Final = 2 / 3
"""Of the issues, the share that has a text, a section without entries, or a heading before it is the newsletter's."""
_LEAST_FILLED: Final = 2
"""Issues that have entries under a heading that is a section of the newsletter."""
_USUAL: Final = 0.5
"""Of the entries of a section, the share of a form that is the section's."""

_DATE_FORMS: Final = (
    "%Y-%m-%d",
    *("%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%G-W%V", "%Y年%-m月%-d日", "%Y年%m月%d日", "%Y.%-m.%-d", "%Y/%-m/%-d"),
    *("%B %-d, %Y", "%B %d, %Y", "%b %-d, %Y", "%b %d, %Y", "%-d %B %Y", "%d %B %Y", "%-d %b %Y", "%d %b %Y"),
)
"""How issues print their dates; the first is the form of `{date}` itself. `%-d` is a day without a zero before it."""

# "{date}", "{date:%Y.%m.%d}", "{number}", or a brace that is a character of the text
_FIELD_OR_BRACE: Final = re.compile(r"(\{(?:date(?::[^{}]*)?|number)\})|[{}]")


@dataclass(frozen=True, slots=True)
class PrintedIssue:
    """A past issue to learn from.

    Args:
        example: the file.
        issue: as it is read.
    """

    example: Example
    issue: Issue

    def take_out(self, text: str) -> str:
        """Put `{date}` and `{number}` in the place of the issue's date and number."""
        return _take_out(text, self.issue.date, self.issue.number)


def _take_out(text: str, day: date | None, number: int | None) -> str:
    for form in _DATE_FORMS if day else ():
        written = re.escape(f"{day:{form}}")
        field = "{date}" if form == _DATE_FORMS[0] else f"{{date:{form}}}"
        text = re.sub(rf"(?<!\d){written}(?!\d)", field, text)
    # not the 12 of 3.12, nor that of 12.5; but that of Vol.12
    return re.sub(rf"(?<!\d)(?<!\d\.){number}(?!\.?\d)", "{number}", text) if number is not None else text


def _escape_braces(template: str) -> str:
    """Double the braces of a learned template that are characters of the text.

    >>> _escape_braces("{周报} {date:%Y.%m.%d}")
    '{{周报}} {date:%Y.%m.%d}'
    """
    return _FIELD_OR_BRACE.sub(lambda match: match[1] or match[0] * 2, template)


# ---- Title: an issue is recognized by it, so that it is learned first


def learn_title(examples: Sequence[Example], newsletter: Newsletter) -> str:
    """Learn the newsletter's title: what the titles of all issues begin with, up to date or number."""
    titles = []
    for example in examples:
        heading, front_matter = find_title(MarkdownLines.split(example.text), newsletter)
        fields = read_fields(front_matter)
        title = heading or fields.get("title", "")
        in_name = find_date(example.name)
        day = find_field_date(fields, newsletter) or (in_name[0] if in_name else None)
        titles.append(_take_out(title, day, None))
    return _split_heading(_find_common_beginning(titles))[0] or newsletter.title


def _find_common_beginning(titles: Sequence[str]) -> str:
    """Find what most titles begin with; a word or a number that goes on in one of them is no part of it.

    >>> _find_common_beginning(["周报 #{number} 甲", "周报 #{number} 乙", "周报 #{number}"])
    '周报 #{number}'
    """
    newest = titles[-1]
    beginnings = sorted({_join_alike(newest, title) for title in titles}, key=len, reverse=True)
    beginning = next(
        each for each in beginnings if sum(title.startswith(each) for title in titles) > len(titles) * _MOST or not each
    )
    goes_on = any(title[len(beginning) :][:1].isalnum() for title in titles if title.startswith(beginning))
    if goes_on and beginning[-1:].isascii():
        beginning = re.sub(r"[A-Za-z0-9.]+\Z", "", beginning)
    return beginning[: beginning.rindex("{")] if beginning.count("{") > beginning.count("}") else beginning


def _join_alike(first: str, second: str) -> str:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return "".join(character for character, _ in pairs)


# "周报 #12", "周刊（第 12 期）", "周刊：第 12 期", "Digest — March 16, 2026"
_DATELINE: Final = re.compile(
    r"(?:\s*[：:|（(]|\s+[—–·-])?\s*(?:第\s*)?#?\s*"
    r"(?:\{(?:date|number)\b|(?<![A-Za-z])(?:Vol\.|No\.|Issue\b)|\Z)",
    re.IGNORECASE,
)


def _split_heading(beginning: str) -> tuple[str, str]:
    """Split what all headings begin with into the title and the dateline."""
    match = _DATELINE.search(beginning)
    end = match.start() if match and match.start() else len(beginning)
    return beginning[:end].strip(), beginning[end:]


# ---- All of it


def learn_writing(printed: Sequence[PrintedIssue], newsletter: Newsletter) -> dict[str, Any]:
    """Learn how a newsletter writes.

    Args:
        printed: past issues.
        newsletter: with their reading; its other settings hold where the issues tell nothing.

    Returns:
        The settings that the issues show, as newsletter.toml has them.
    """
    printed = sorted(printed, key=lambda each: each.issue.date)
    issues = [each.issue for each in printed]
    beginning = _find_common_beginning([each.take_out(_read_heading(each.issue, newsletter)) for each in printed])
    title, dateline = _split_heading(beginning)
    title = title or newsletter.title
    spacings = list(_measure_spacings(printed, newsletter))
    sections = _learn_sections(printed, spacings)
    entries = [entry for issue in issues for section in issue.main_sections for entry in section.entries]
    frame = {
        "dateline": _escape_braces(dateline),
        "marker": _find_usual(section.marker for section in _list_filled(issues)) or newsletter.frame.marker,
        "level": _find_usual(section.level for section in _list_filled(issues)) or newsletter.frame.level,
        **_learn_form(entries, newsletter),
        "numbers_run_on": _run_on(issues),
        "empty_sections": all(_names_all(issue, sections.filled) for issue in issues),
        "hard_breaks": _has_hard_breaks(printed),
        "blank_lines": _choose_spacing(spacings),
        "sections": sections.fixed,
        **_learn_overview(issues),
    }
    fields = _learn_texts(printed, title)
    categories = [_learn_category(name, issues, spacings, frame, newsletter) for name in sections.filled]
    settings: dict[str, Any] = {
        "title": title,
        "per_issue": max(round(median(issue.item_count for issue in issues)), 1),
        **fields,
        "categories": categories,
        "labels": _learn_labels(entries, newsletter),
        "frame": frame,
    }
    if not any(issue.back_issues for issue in issues):
        settings["back_issues"] = {"heading": ""}
    if file := _learn_file_name(printed):
        settings["publish"] = {"file": file}
    return settings


def _learn_overview(issues: Sequence[Issue]) -> dict[str, Any]:
    """Learn that issues have no headline, or no 导读; how long a headline is, they do not tell."""
    without_headline = {} if any(issue.headline for issue in issues) else {"headline_items": 0}
    return without_headline | {"guide": any(issue.guide for issue in issues)}


def _read_heading(issue: Issue, newsletter: Newsletter) -> str:
    if issue.dateline is not None:
        return render_heading(issue)
    usual = newsletter.fill_template(newsletter.frame.dateline, issue.date, number=issue.number)
    has_title = issue.title_in == "heading" or "title" in read_fields(issue.front_matter or issue.above_heading)
    return f"{issue.title}{usual}{issue.headline or ''}" if has_title else issue.title


def _find_usual(items: Iterable[_Item]) -> _Item | None:
    """Find the most frequent item."""
    return next((item for item, _ in Counter(items).most_common(1)), None)


def _list_filled(issues: Iterable[Issue]) -> list[Section]:
    """List the sections with entries; paragraphs without a link are text, though their first words are bold."""
    return [section for issue in issues for section in issue.main_sections if section.entries and not _is_text(section)]


def _is_text(section: Section) -> bool:
    first_lines = (split_first_line(entry.markdown)[0] for entry in section.entries)
    return not section.marker and not any(map(inline.find_urls, first_lines))


def _learn_file_name(printed: Sequence[PrintedIssue]) -> str:
    """Learn the name of an issue's file without its ending, if most have it by date or number."""
    names = Counter(each.take_out(each.example.name.rpartition(".")[0]) for each in printed)
    name, count = names.most_common(1)[0]
    has_field = any(match[1] for match in _FIELD_OR_BRACE.finditer(name))
    return _escape_braces(name) if count >= len(printed) * _MOST and has_field else ""


# ---- Texts


def _learn_texts(printed: Sequence[PrintedIssue], title: str) -> dict[str, str]:
    """Learn the texts around the sections: what the newest issue shares with most others."""
    texts = {}
    for name in ("front_matter", "above_heading", "tagline", "notice", "preamble", "footer"):
        separator = "\n" if name in ("front_matter", "above_heading") else "\n\n"
        texts[name] = _learn_text([(each, getattr(each.issue, name)) for each in printed], separator, title)
    return texts


# "title: Digest #12", "title = \"Digest #12\""
_TITLE_FIELD: Final = re.compile(r"(?P<name>title[ \t]*[:=][ \t]*)(?P<quote>[\"']?)", re.IGNORECASE)


def _learn_text(texts: Sequence[tuple[PrintedIssue, str | None]], separator: str = "\n\n", title: str = "") -> str:
    """Learn a text: the parts of the newest issue's that most issues have, with date and number taken out.

    Args:
        texts: of the issues, oldest first.
        separator: between the parts: lines, or paragraphs.
        title: of the newsletter; the field of an issue's title is kept with it, an export fills in the issue's own.
    """
    parts_by_issue = [
        [(part, issue.take_out(part)) for part in re.split(separator + "+" if "\n\n" in separator else separator, text)]
        for issue, text in texts
        if text
    ]
    if len(parts_by_issue) < len(texts) * _MOST:
        return ""
    literal = Counter(part for parts in parts_by_issue for part in {part for part, _ in parts})
    dated = Counter(part for parts in parts_by_issue for part in {part for _, part in parts})
    least = max(len(texts) * _MOST, min(len(texts), 2))
    written = []
    for part, without_date in parts_by_issue[-1]:
        if literal[part] >= least:
            written.append(part)
        elif dated[without_date] >= least:
            written.append(without_date)
        elif title and (field := _TITLE_FIELD.match(part)):
            written.append(f"{field['name']}{field['quote']}{title}{field['quote']}")
    return separator.join(written)


# ---- Sections


@dataclass(frozen=True, slots=True)
class _Sections:
    """The sections of a newsletter.

    Args:
        filled: the headings of those with entries, in the order of print.
        fixed: rows of `[[frame.sections]]`.
    """

    filled: list[str]
    fixed: list[dict[str, Any]]


def _learn_sections(printed: Sequence[PrintedIssue], spacings: Sequence[tuple[str, str, int]]) -> _Sections:
    filled_counts: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for each in printed:
        counts.update({section.name for section in each.issue.main_sections})
        filled_counts.update({section.name for section in _list_filled([each.issue])})
    all_filled = _list_filled([each.issue for each in printed])
    usual_form = _find_usual((section.level, section.marker) for section in all_filled)
    in_usual_form = {section.name for section in all_filled if (section.level, section.marker) == usual_form}
    filled = {name for name, count in filled_counts.items() if count >= _LEAST_FILLED or name in in_usual_form}
    fixed = {name for name, count in counts.items() if count >= len(printed) * _MOST and name not in filled}
    order = _merge_orders(
        [
            [name for section in each.issue.main_sections if (name := section.name) in filled | fixed]
            for each in reversed(printed)
        ]
    )
    rows = []
    usual = _choose_spacing(spacings)
    for index, name in enumerate(order):
        if name in fixed:
            rows.append(
                {
                    "name": name,
                    "text": _learn_text(_find_notes(name, printed)),
                    "above": next((later for later in order[index + 1 :] if later in filled), ""),
                    "level": _find_usual(section.level for section in _find_all(name, printed)) or 2,
                    "blank_lines": _choose_spacing(spacings, name, usual),
                }
            )
    return _Sections([name for name in order if name in filled], rows)


def _find_all(name: str, printed: Iterable[PrintedIssue]) -> Iterator[Section]:
    for each in printed:
        yield from (section for section in each.issue.main_sections if section.name == name)


def _find_notes(name: str, printed: Iterable[PrintedIssue]) -> list[tuple[PrintedIssue, str | None]]:
    return [(each, _join_text(section)) for each in printed for section in _find_all(name, [each])]


def _join_text(section: Section) -> str:
    texts = (section.notes, *(entry.markdown for entry in section.entries if not section.marker), section.closing)
    return "\n\n".join(filter(None, texts))


def _merge_orders(orders: Sequence[Sequence[str]]) -> list[str]:
    """Merge the orders of sections, the newest first: a section that only older issues have follows its predecessor.

    >>> _merge_orders([["甲", "丁"], ["甲", "乙", "丁"], ["丙", "甲"]])
    ['丙', '甲', '乙', '丁']
    """
    merged: list[str] = []
    for order in orders:
        position = 0
        for name in order:
            if name not in merged:
                merged.insert(position, name)
            position = merged.index(name) + 1
    return merged


def _names_all(issue: Issue, filled: Sequence[str]) -> bool:
    return set(filled) <= {section.name for section in issue.main_sections}


def _run_on(issues: Sequence[Issue]) -> bool:
    """Whether the numbers of most sections go on from the section before."""
    later_sections = [section for issue in issues for section in _list_filled([issue])[1:] if "{" in section.marker]
    return bool(later_sections) and sum(each.continues_numbers for each in later_sections) > len(later_sections) / 2


def _learn_category(
    name: str,
    issues: Sequence[Issue],
    spacings: Sequence[tuple[str, str, int]],
    frame: Mapping[str, Any],
    newsletter: Newsletter,
) -> dict[str, Any]:
    """Learn a row of `[[categories]]`: its style holds what differs from the frame."""
    sections = [section for section in _list_filled(issues) if section.name == name]
    dated = [
        (PrintedIssue(Example("", ""), issue), section)
        for issue in issues
        for section in _list_filled([issue])
        if section.name == name
    ]
    style: dict[str, Any] = {
        "level": _find_usual(section.level for section in sections),
        "marker": _find_usual(section.marker for section in sections),
        **_learn_form([entry for section in sections for entry in section.entries], newsletter),
    }
    style = {key: setting for key, setting in style.items() if setting is not None and setting != frame.get(key)}
    if blank_lines := _choose_spacing(spacings, name, frame["blank_lines"]):
        style["blank_lines"] = blank_lines
    row: dict[str, Any] = {"name": name, "quota": round(median(len(section.entries) for section in sections))}
    if notes := _learn_text([(each, section.notes) for each, section in dated]):
        row["notes"] = notes
    if closing := _learn_text([(each, section.closing) for each, section in dated]):
        row["closing"] = closing
    return row | ({"style": style} if style else {})


# ---- Entries

# "：", ": ", " - "
_BEFORE_SUMMARY: Final = re.compile(r"\s*[：:—–|-]+\s*(?=\S)")
# the indent of a list's next line, a quotation
_BEFORE_TEXT: Final = re.compile(r"\n*(?P<indent> {0,4}(?:> ?)?)(?![ \t]|[-*+] )")
# "[@lin](https://github.com/lin)："
_SIGNATURE: Final = re.compile(r"\[(?P<mark>@?)(?P<name>[^\]]+)\]\((?P<url>[^()\s]+)\)(?P<colon>\s*[:：]\s*)")


_LINKED: Final = "[{title}]({url})"


def _learn_form(entries: Sequence[Entry], newsletter: Newsletter) -> dict[str, Any]:
    """Learn `entry`, `source` and `summary`: the first line, what names the source, what leads the summary."""
    heads: Counter[str] = Counter()
    summaries: Counter[str] = Counter()
    signatures = []
    label = newsletter.labels.begin_line(newsletter.labels.summary).strip()
    labelled = 0
    split_heads = [_split_head(entry.markdown.lstrip("\n").partition("\n")[0]) for entry in entries]
    source = _learn_source([behind for _, behind in split_heads])
    for entry, (head, whole_behind) in zip(entries, split_heads, strict=True):
        stripped = entry.markdown.lstrip("\n")
        _, _, below = stripped.partition("\n")
        heads[entry.markdown[: -len(stripped)] + head if stripped else head] += 1
        lead = _BEFORE_TEXT.match(below)
        text = below[lead.end() :] if lead else below
        labelled += bool(label) and any(line.strip().startswith(label) for line in entry.markdown.split("\n"))
        signature = _SIGNATURE.match(text)
        if signature:
            signatures.append(signature)
        behind = _remove_source(whole_behind, source)
        separator = _BEFORE_SUMMARY.match(behind)
        has_text_below = any(
            paragraph.strip() and not paragraph.startswith(("![", "<")) for paragraph in text.split("\n\n")
        )
        if separator and not (has_text_below and _is_source(behind)):
            cell_end = " |" if "|" in separator[0] and behind.endswith("|") else ""
            summaries[f"{separator[0]}{{summary}}{cell_end}"] += 1
        elif has_text_below:
            indent = lead["indent"] if lead else ""
            gap = "\n\n" if below.startswith("\n") else "\n"
            summaries[f"{gap}{indent}{{summary}}"] += 1
        else:
            summaries[""] += 1
    form: dict[str, Any] = {"entry": _choose(heads), "source": source}
    if entries and labelled < len(entries) * _USUAL:
        form["summary"] = _write_summary_form(summaries, signatures, len(entries))
    return form


_LONGEST_SOURCE: Final = 40
"""Characters of the name of a source behind a title."""
_LEAST_NAMES: Final = 2
"""Titles that a name stands behind, if nothing but a dash says that it is a source and no summary."""

# "（英文）", " — The Times", " | 机器之心", "，作者：lin"
_SOURCE: Final = re.compile(
    r"(?P<lead>\s*[（(【\[]\s*|\s*[—–|｜·-]+\s*|\s+(?:by|via|from|@)\s+|\s*[，,]?\s*(?:来源|来自|作者|via|by)\s*[:：]?\s*)"
    rf"(?P<name>[^。！？!?|｜（）()【】\[\]]{{1,{_LONGEST_SOURCE}}}?)(?P<end>\s*[）)】\]])?"
)


def _learn_source(texts_behind: Sequence[str]) -> str:
    """Learn `source` from the texts behind the titles: brackets around a name, or a dash before one that comes back."""
    matches = [match for text in texts_behind if (match := _SOURCE.fullmatch(text)) and _is_source(text)]
    names = Counter(match["name"].strip() for match in matches)
    forms = Counter(
        f"{match['lead']}{{source}}{match['end'] or ''}"
        for match in matches
        if match["end"] or (match["lead"].strip() not in "（(【[" and names[match["name"].strip()] >= _LEAST_NAMES)
    )
    form, count = next(iter(forms.most_common(1)), ("", 0))
    return form if count >= max(len(texts_behind) * _USUAL, _LEAST_NAMES) else ""


def _remove_source(behind: str, form: str) -> str:
    """Remove the source in its form from the text behind a title."""
    lead, _, end = form.partition("{source}")
    match = _SOURCE.fullmatch(behind) if form else None
    return "" if match and (match["lead"], match["end"] or "") == (lead, end) else behind


def _is_source(behind: str) -> bool:
    """Whether what follows a title is a name, and no sentence: `— The Harbour Times`."""
    return len(behind) <= _LONGEST_SOURCE and not re.search(r"[。！？.!?|]\Z", behind)


def _split_head(line: str) -> tuple[str, str]:
    """Split the first line of an entry into the form of its title, and what follows the title."""
    links = [link for link in inline.find_links(line) if not link.image]
    if not links:
        return "{title}", ""
    start, end = links[0].start, links[0].end
    lead = line[:start]
    target = re.match(r"(https?://[^(){}]*)https?://", links[0].url)
    linked = f"[{{title}}]({target[1] if target else ''}{{url}})"
    stars = "**" if lead.startswith("**") and line[end:].startswith("**") else ""
    if re.search(r"\w", lead):  # "第一篇 [标题](u)", "**01. [标题](u)**"
        return f"{stars}{linked}{stars}", line[end + len(stars) :].rstrip()
    stars = "**" if lead.endswith("**") and line[end:].startswith("**") else ""
    return f"{_double_braces(lead)}{linked}{stars}", line[end + len(stars) :].rstrip()


def _double_braces(text: str) -> str:
    return re.sub(r"[{}]", lambda match: match[0] * 2, text)


def _choose(forms: Counter[str]) -> str:
    """Choose the form of the first line: with a link if any entry has one, with a mark (🐎) if most have some."""
    linked = Counter({form: count for form, count in forms.items() if "{url}" in form})
    chosen = linked or forms
    bare = Counter({form: count for form, count in chosen.items() if form.startswith("[")})
    marked = chosen - bare
    if not chosen:
        return _LINKED
    return (marked if marked.total() > bare.total() else bare).most_common(1)[0][0]


def _write_summary_form(summaries: Counter[str], signatures: Sequence[re.Match[str]], total: int) -> str:
    form = summaries.most_common(1)[0][0]
    if len(signatures) < total * _USUAL or "\n" not in form:
        return form
    hosts = Counter(
        match["url"][: -len(match["name"])] for match in signatures if match["url"].endswith("/" + match["name"])
    )
    address = _double_braces(_find_usual(hosts.elements()) or "")
    mark = _find_usual(match["mark"] for match in signatures)
    colon = _find_usual(match["colon"] for match in signatures)
    signature = f"[{mark}{{editor}}]({address}{{editor}}){colon}"
    return form.replace("{summary}", signature + "{summary}")


def _learn_labels(entries: Sequence[Entry], newsletter: Newsletter) -> dict[str, str]:
    """Find the labels that the entries do not print: they are empty. Rare ones stay where any label line is printed."""
    views = [read_entry(entry.markdown, newsletter) for entry in entries]
    labels: dict[str, str] = {}
    label = newsletter.labels.begin_line(newsletter.labels.summary).strip()
    if not any(label in entry.markdown for entry in entries):
        labels["summary"] = ""
    if sum(view.source is not None for view in views) < len(views) * _USUAL:
        labels["source_separator"] = ""
    printed = {line.label for view in views for line in view.labels}
    if not printed & set(newsletter.labels.lines):
        labels |= dict.fromkeys(("paper", "code", "project", "document", "original", "link"), "")
    return labels


# "1、标题", "### 标题", "**标题**"
_NUMBERED: Final = re.compile(r"#{3,6} |\d{1,3}[、.] ?\S|\*\*\S")


def _has_hard_breaks(printed: Sequence[PrintedIssue]) -> bool:
    """Whether most lines of lists that an export would break end with a hard break."""
    ends: Counter[bool] = Counter()
    for each in printed:
        lines = each.example.text.split("\n")
        code = find_code_lines(lines)
        for number, line in enumerate(lines):
            followed = bool("".join(lines[number + 1 : number + 2]).strip())
            if number not in code and (re.match(r"[-*+] ", line) or (followed and _NUMBERED.match(line))):
                ends[line.endswith(HARD_BREAK)] += 1
    return ends[True] >= ends[False]


# ---- Blank lines


def _measure_spacings(printed: Sequence[PrintedIssue], newsletter: Newsletter) -> Iterator[tuple[str, str, int]]:
    """Count the blank lines before each part of the issues: the section's name, the part, the number."""
    for each in printed:
        page = MarkdownLines.split(each.example.text)
        opening = find_opening_line(page, newsletter)
        if opening is not None:
            yield "", "opening", _count_blanks(page, opening)
        spans = find_sections(page, newsletter)
        for span, section in zip(spans, each.issue.main_sections, strict=True):
            name = read_section_heading(page, span)
            yield name, "heading", _count_blanks(page, span.start)
            yield from ((name, part, count) for part, count in _measure_section(page, span, newsletter))
            if section.closing:
                first_line = section.closing.split("\n", 1)[0].rstrip()
                lines = [line.rstrip() for line in page.lines[: span.end]]
                yield name, "closing", _count_blanks(page, len(lines) - 1 - lines[::-1].index(first_line))


def _measure_section(page: MarkdownLines, span: SectionSpan, newsletter: Newsletter) -> Iterator[tuple[str, int]]:
    filled = [number for number in range(span.start + 1, span.end) if page.lines[number].strip()]
    starts = list(find_entry_marks(page, span, newsletter).items())
    if filled and (not starts or filled[0] < starts[0][0]):
        yield "notes", _count_blanks(page, filled[0])
    for index, (number, mark) in enumerate(starts):
        if mark.kind != ROW:
            yield "between" if index else "entries", _count_blanks(page, number)


def _count_blanks(page: MarkdownLines, number: int) -> int:
    count = 0
    while number > count and not page.lines[number - count - 1].strip():
        count += 1
    return count


def _choose_spacing(
    spacings: Sequence[tuple[str, str, int]], name: str | None = None, wider: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Choose the number of blank lines that is the most frequent before each part.

    Args:
        spacings: as `_measure_spacings` counts them.
        name: of the section; None for all sections together.
        wider: what holds for all sections; equal numbers are left out.
    """
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for section, part, count in spacings:
        if name is None or section == name:
            counts[part][count] += 1
    usual = {part: numbers.most_common(1)[0][0] for part, numbers in counts.items()}
    unset = USUAL_BLANK_LINES.model_dump()
    return {part: count for part, count in usual.items() if wider is None or wider.get(part, unset[part]) != count}
