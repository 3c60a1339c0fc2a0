"""What begins an entry: a bullet, a number, a heading, a bold paragraph, a linked paragraph, the row of a table.

A mark is the beginning of a line. Its kind tells which marks of a section begin entries: `- `, `{n}、`, `### `, `**`,
`[`, `|` and `> - ` are kinds, as `[reading] items` of newsletter.toml writes them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.issue import inline
from pipelines.issue.definitions import resolve_links
from pipelines.issue.lines import DELIMITER_ROW, THEMATIC_BREAK, MarkdownLines
from pipelines.text import read_numeral, write_numeral

HARD_KINDS: Final = ("- ", "* ", "+ ")
"""The bullets of Markdown: an unindented paragraph after a blank line ends the last item of such a list."""

BOLD: Final = "**"
LINKED: Final = "["
ROW: Final = "|"
UNMARKED: Final = (BOLD, LINKED)
"""Kinds whose mark is a part of the entry's text."""

QUOTED: Final = ">"
"""The beginning of the kinds of marks inside a quotation: `> - `, `> [`."""

_MOST_HEAD_LINES: Final = 6
_LEAST_LED_SHARE: Final = 1 / 3
"""Of the marks of a kind, the share whose text holds a link; with fewer they begin no entries."""
_LEAST_ITEM_HEADINGS: Final = 2
_MOST_LINKS_OF_ITEM: Final = 2
"""On average, of headings that are items; below the heading of a group of items there are more."""
_LEAST_RIVALS: Final = 3
"""A single first mark before so many marks of another kind is a note, not the section's only entry."""

# "### 标题", "##  标题"
_HEADING: Final = re.compile(r"(?P<heading>#{1,6})[ \t]+(?=\S)")
# "- 标题", " * 标题", "-[标题](…)", "*[标题](…)", "• 标题", "－标题", "— 标题"; not "——引文的作者", "*[斜体](…)*"
_BULLET: Final = re.compile(
    r"(?P<indent> {0,3})(?:(?P<hard>[-*+])[ \t]+|(?P<tight>[-+]|\*(?=[^*]*$))(?=\[)"
    r"|(?P<soft>[•●·・◆■▪◦‣－○◇□▲△▶►➤★☆→»]|[–—](?=[ \t\u3000]))[ \t\u3000]*)(?=\S)"
)
_ENCLOSED: Final = {
    "circled": ("①", "⑳"),
    "dark": ("❶", "❿"),
    "bracketed": ("⑴", "⒇"),
    "dotted": ("⒈", "⒛"),
}
"""The first and the last of the characters that are a number each, by the name of their kind."""

# "1、标题", "1. 标题", "1.[标题](…)", "1) 标题", "（1）标题", "1：标题", "一、标题", "（十二）标题", "①标题", "1️⃣ 标题",
# "1 [标题](…)"; not "1.5 倍", "1)。", "1:30"
_NUMBER: Final = re.compile(
    r"(?P<indent> {0,3})"
    r"(?:(?P<open>[(（【]?)(?:(?P<digits>\d{1,3})|(?P<han>[一二三四五六七八九十]{1,3}))"
    r"(?P<close>、|[.．](?=[ \t]|[^\d\s])|[)）】]|[:：](?=[ \t]*[^\d\s])|\ufe0f?\u20e3|(?=[ \t]+\[))"
    + "".join(f"|(?P<{name}>[{first}-{last}])" for name, (first, last) in _ENCLOSED.items())
    + r")(?P<gap>[ \t\u3000]*)"
)
_PAIRS: Final = {"(": ")", "（": "）", "【": "】"}
# "#1 标题", "No.1 标题", "No. 1：标题", "第1条 标题", "第一条：标题", "[1] 标题"; not "# 1", "#1号", "[1]: https://…"
_COUNTED: Final = re.compile(
    r"(?P<indent> {0,3})"
    r"(?:(?P<prefix>#|[Nn][Oo]\.[ \t]?)(?P<digits>\d{1,3})(?=[ \t\u3000:：、.．\[])"
    r"|(?P<ordinal>第[ \t]?)(?:(?P<item>\d{1,3})|(?P<han>[一二三四五六七八九十]{1,3}))(?P<unit>[ \t]?[条则篇项])"
    r"|\[(?P<bracketed>\d{1,3})\](?=[ \t\u3000]))"
    r"(?P<gap>[ \t\u3000]*[:：、.．]?[ \t\u3000]*)(?=\S)"
)
# "🔥 [标题](…)", "[标题](…)"; not "[^1]: 注", "![图](…)"
_LINK_FIRST: Final = re.compile(r"(?:[^\w\s\[\]!<`|#>-]{1,8}\s*)?\[(?!\^)")
# "🔥 标题", "📱**标题**", "✅ 标题"
EMOJI: Final = re.compile(
    r"(?:[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\u200d\ufe0f\U0001f3fb-\U0001f3ff]{0,3}){1,4}\s*(?=\S)"
)
# "https://e.org/1", "<https://e.org/1>"
_ADDRESS_ALONE: Final = re.compile(r"\s*<?https?://[^\s<>]+>?\s*")
# "> - 标题"
_QUOTE: Final = re.compile(r" {0,3}>[ \t]?(?=[^\s>])")


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark at the beginning of a line.

    Args:
        kind: equal for all marks of a list: `- `, `{n}、`, `### `; for a bullet and a number without the blanks around.
        written: the mark as an export writes it, with its blanks, `{n}` in place of the number; empty if the mark is a
            part of the entry's text.
        indent: blanks before it.
        end: characters of the line up to the entry's text.
        number: of the item, or None.
    """

    kind: str
    written: str
    indent: int
    end: int
    number: int | None = None

    @property
    def heading_level(self) -> int:
        """The level of a heading, from 1; 0 for any other mark."""
        return len(self.kind.rstrip()) if is_heading(self.kind) else 0


def is_heading(kind: str) -> bool:
    """Whether a kind of mark is a heading: `### `, not `#{n}`."""
    return kind.startswith("#") and "{" not in kind


def is_address_alone(line: str) -> bool:
    """Whether a line is nothing but an address; below a title it is the address of the item."""
    return bool(_ADDRESS_ALONE.fullmatch(line))


def is_quoted(kind: str) -> bool:
    """Whether a kind of mark stands in a quotation: `> - `."""
    return kind.startswith(QUOTED)


def read_mark(line: str, *, after_blank: bool) -> Mark | None:
    """Read the mark at the beginning of a line.

    Args:
        line: of Markdown, outside code and comments.
        after_blank: whether the line begins a paragraph, or follows a line that is an entry by itself.

    Returns:
        The mark; None for a line of text.

    >>> read_mark("12、[标题](u)", after_blank=True).kind, read_mark("1.5 倍", after_blank=True)
    ('{n}、', None)
    """
    if THEMATIC_BREAK.fullmatch(line) or not line.strip():
        return None
    for pattern, read_match in _READERS:
        if match := pattern.match(line):
            return read_match(match)
    if line.startswith("|") and line.count("|") > 1:
        return None if DELIMITER_ROW.fullmatch(line) else Mark(ROW, "|", 0, 1)
    return _read_paragraph(line) if after_blank else None


def _read_heading(match: re.Match[str]) -> Mark:
    kind = f"{match['heading']} "
    return Mark(kind, kind, 0, match.end())


def _read_bullet(match: re.Match[str]) -> Mark:
    """Read a bullet; a bullet of Markdown is written with one blank after it."""
    indent = len(match["indent"])
    if match["soft"]:
        return Mark(match["soft"], match[0], indent, match.end())
    kind = f"{match['hard'] or match['tight']} "
    return Mark(kind, (" " * indent if indent > 1 else "") + kind, indent, match.end())


def _read_paragraph(line: str) -> Mark | None:
    """Read the beginning of a paragraph that is bold, that begins with a link, or with an emoji before a link."""
    if line.startswith("**") and line.count("**") > 1:
        return Mark(BOLD, "", 0, 0)
    return Mark(LINKED, "", 0, 0) if _is_led_by_link(line) or _is_led_by_emoji(line) else None


def _is_led_by_link(line: str) -> bool:
    first = _LINK_FIRST.match(line)
    links = inline.find_links(line) if first else ()
    return first is not None and bool(links) and links[0].start == first.end() - 1


def _is_led_by_emoji(line: str) -> bool:
    return bool(EMOJI.match(line) and inline.find_urls(line))


def _read_quoted(quote: re.Match[str]) -> Mark | None:
    """Read the mark of a line in a quotation; the quotation's own mark is a part of it."""
    inner = read_mark(quote.string[quote.end() :], after_blank=True)
    if inner is None or is_heading(inner.kind) or inner.kind in (ROW, BOLD):
        return None
    return Mark(f"{QUOTED} {inner.kind}", quote[0] + inner.written, 0, quote.end() + inner.end, inner.number)


def _read_counted(match: re.Match[str]) -> Mark:
    """Read a number with a word or a bracket around it."""
    number = next(filter(None, (match["digits"], match["item"], match["han"], match["bracketed"])))
    field = "{han}" if match["han"] else "{n}"
    if match["bracketed"]:
        written = f"[{field}]"
    else:
        written = f"{match['prefix'] or match['ordinal']}{field}{match['unit'] or ''}"
    kind = written.replace(" ", "").replace("\t", "")
    return Mark(
        kind, f"{match['indent']}{written}{match['gap']}", len(match["indent"]), match.end(), read_numeral(number)
    )


def _read_number(match: re.Match[str]) -> Mark | None:
    gap, indent = match["gap"], len(match["indent"])
    for name, (first, _) in _ENCLOSED.items():
        if match[name]:
            kind = f"{{{name}}}"
            number = ord(match[name]) - ord(first) + 1
            return Mark(kind, f"{match['indent']}{kind}{gap}", indent, match.end(), number)
    opening, closing = match["open"], match["close"]
    if (opening and _PAIRS[opening] != closing) or (not opening and closing == "】"):
        return None
    if match.end() == len(match.string.rstrip()) and closing != "、":
        return None
    kind = f"{opening}{{{'han' if match['han'] else 'n'}}}{closing}"
    padded = re.fullmatch(r"0\d", match["digits"] or "")
    written = kind.replace("{n}", "{nn}") if padded else kind
    number = read_numeral(match["han"] or match["digits"])
    return Mark(kind, f"{match['indent']}{written}{gap}", indent, match.end(), number)


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Mark | None]], ...]] = (
    (_HEADING, _read_heading),
    (_BULLET, _read_bullet),
    (_NUMBER, _read_number),
    (_COUNTED, _read_counted),
    (_QUOTE, _read_quoted),
)


def write_mark(written: str, number: int) -> str:
    """Write the mark of an entry.

    Args:
        written: `Mark.written`.
        number: of the entry, from 1.

    >>> write_mark("{n}、", 3), write_mark("{nn}. ", 3), write_mark("{circled} ", 3), write_mark("{han}、", 12)
    ('3、', '03. ', '③ ', '十二、')
    """
    mark = written.replace("{n}", str(number)).replace("{nn}", f"{number:02}").replace("{han}", write_numeral(number))
    for name, (first, last) in _ENCLOSED.items():
        character = chr(ord(first) + number - 1)
        mark = mark.replace(f"{{{name}}}", character if character <= last else f"({number})")
    return mark


def find_marks(page: MarkdownLines, start: int, end: int, labels: Collection[str] = ()) -> dict[int, Mark]:
    """Find the marks of a section by line number. Marks that are indented deeper than its first are nested: no marks.

    Args:
        page: the lines of the issue.
        start: the first line after the section's heading.
        end: the line after its last.
        labels: words that begin label lines: 论文, 代码.
    """
    marks: dict[int, Mark] = {}
    deepest: int | None = None
    table_rows = set(_find_open_rows(page, start, end))
    items_apart = set(_find_items_without_blank(page, start, end, labels))
    for number in range(start, end):
        if number in page.opaque:
            continue
        line = resolve_links(page.lines[number], page.definitions)
        begins_paragraph = number == start or not page.lines[number - 1].strip()
        mark = read_mark(line, after_blank=begins_paragraph or number in items_apart)
        if number in table_rows and not line.startswith("|"):
            mark = Mark(ROW, "|", 0, 0)  # an export writes the `|` that the line leaves out
        if mark is None or (deepest is not None and mark.indent > deepest):
            continue
        if mark.kind == ROW and number + 1 < end and DELIMITER_ROW.fullmatch(page.lines[number + 1]):
            continue  # the head of the table
        if deepest is None and mark.kind not in (*UNMARKED, ROW) and not mark.kind.startswith(("# ", "##", QUOTED)):
            deepest = max(mark.indent, 1)
        marks[number] = mark
    return marks


def _find_items_without_blank(page: MarkdownLines, start: int, end: int, labels: Collection[str]) -> Iterator[int]:
    """Find the lines that are items though no blank line stands before them.

    An emoji leads such a line, or a link leads it and the line above. A link that begins with a label, or with words
    that come back in the section (源码, GitHub), is one more link of an entry.
    """
    leads = {number: lead for number in range(start, end) if (lead := _read_lead(page, number))}
    counts = Counter(leads.values())
    for number, lead in leads.items():
        follows_item = number - 1 in leads
        is_label = counts[lead] > 1 or lead.startswith(tuple(labels))
        if not is_label and (follows_item or EMOJI.match(page.lines[number])):
            yield number


def _read_lead(page: MarkdownLines, number: int) -> str:
    """Read the words of a line that is led by a link or an emoji; empty for any other line."""
    if number in page.opaque:
        return ""
    line = resolve_links(page.lines[number], page.definitions)
    if line.startswith("**"):
        led_text = line[2:] if _is_led_by_link(line[2:]) else ""
    else:
        led_text = line if _is_led_by_link(line) or _is_led_by_emoji(line) else ""
    return re.sub(r"^\W+", "", inline.strip_marks(led_text))


def _find_open_rows(page: MarkdownLines, start: int, end: int) -> Iterator[int]:
    """Find the rows of tables whose lines begin without a `|`: the lines with one below `---|---`."""
    for number in range(start + 1, end):
        delimiter = page.lines[number]
        if number in page.opaque or delimiter.startswith("|") or not re.fullmatch(r"[\s|:-]*-\|[\s|:-]*", delimiter):
            continue
        for row in range(number + 1, end):
            if row in page.opaque or "|" not in page.lines[row]:
                break
            yield row


def choose_kind(page: MarkdownLines, marks: Mapping[int, Mark], end: int, kinds: Sequence[str] = ()) -> str | None:
    """Choose the kind of mark that begins the entries of a section.

    It is the outermost kind whose items hold links: in their first lines, or else anywhere in their text.

    Args:
        page: the lines of the issue.
        marks: of the section, as `find_marks` gives them.
        end: the line after the section's last.
        kinds: the kinds that may begin entries; empty for every kind. Where none of them stands, another kind of the
            same family may, if links lead its items: `*` for `-`, `1.` for `1、`.

    Returns:
        The kind; None for a section of text.
    """
    lines_by_kind: dict[str, list[int]] = defaultdict(list)
    present = {mark.kind for mark in marks.values()}
    is_usual = not kinds or bool(present.intersection(kinds))
    if not is_usual:
        kinds = tuple(kind for kind in present if _find_family(kind) in map(_find_family, kinds))
        if not kinds:
            return None
    for number, mark in marks.items():
        if not kinds or mark.kind in kinds:
            lines_by_kind[mark.kind].append(number)
    for reaches_far in (False, True) if is_usual else (False,):
        led = {
            kind: sum(_holds_link(page, number, marks, end, reaches_far=reaches_far) for number in numbers)
            for kind, numbers in lines_by_kind.items()
        }
        candidates = {
            kind: lines_by_kind[kind]
            for kind, count in led.items()
            if count and count >= len(lines_by_kind[kind]) * _LEAST_LED_SHARE
        }
        if candidates:
            return _find_item_heading(page, marks, end, lines_by_kind, led) or _choose_outermost(candidates, led)
    return next(iter(lines_by_kind), None) if kinds and is_usual else None


def _find_item_heading(
    page: MarkdownLines,
    marks: Mapping[int, Mark],
    end: int,
    lines_by_kind: Mapping[str, Sequence[int]],
    led: Mapping[str, int],
) -> str | None:
    """Find a kind of heading below each of which the text holds a link, and hardly more links than headings.

    Each is then an item whose link is in its text; a heading above a list of items has several.

    Args:
        page: the lines of the issue.
        marks: of the section.
        end: the line after the section's last.
        lines_by_kind: the lines of the marks of each kind.
        led: how many marks of each kind have a link in their first lines.
    """
    most_led = max((count for kind, count in led.items() if not is_heading(kind)), default=0)
    for kind, numbers in lines_by_kind.items():
        if not is_heading(kind) or not _LEAST_ITEM_HEADINGS <= len(numbers) >= most_led:
            continue
        links = [_find_urls(page, number, marks, end, reaches_far=True) for number in numbers]
        if all(links) and sum(map(len, links)) <= len(numbers) * _MOST_LINKS_OF_ITEM:
            return kind
    return None


def _find_family(kind: str) -> str:
    """Find the family of a kind: bullets, numbers; any other kind is a family of its own."""
    if "{" in kind:
        return "number"
    return kind if is_heading(kind) or kind in (*UNMARKED, ROW) or is_quoted(kind) else "bullet"


def _choose_outermost(candidates: Mapping[str, Sequence[int]], led: Mapping[str, int]) -> str:
    """Choose the outermost kind.

    - A heading contains all else, if headings are not far fewer than the items below them.
    - Of other kinds, the first contains the later ones, unless it is a single mark before a list.
    - A paragraph that begins with a link, or a line of a quotation, is an entry only where nothing else is.
    """
    headings = [kind for kind in candidates if is_heading(kind)]
    flat_kinds = sorted((kind for kind in candidates if not is_heading(kind)), key=lambda kind: candidates[kind][0])
    strong_kinds = [kind for kind in flat_kinds if not _is_weak(kind)]
    most = max((led[kind] for kind in strong_kinds), default=0)
    for kind in sorted(headings, key=len):
        if led[kind] * _LEAST_RIVALS >= most:
            return kind
    listed = strong_kinds or flat_kinds or headings
    rivals = [kind for kind in listed if led[kind] >= _LEAST_RIVALS]
    return rivals[0] if rivals and led[listed[0]] == 1 else listed[0]


def _is_weak(kind: str) -> bool:
    """Whether a kind of mark begins entries only where no other kind does."""
    return kind == LINKED or is_quoted(kind)


def _holds_link(page: MarkdownLines, number: int, marks: Mapping[int, Mark], end: int, *, reaches_far: bool) -> bool:
    mark = marks[number]
    if mark.kind == LINKED and not reaches_far:
        return True
    return bool(_find_urls(page, number, marks, end, reaches_far=reaches_far))


def _find_urls(
    page: MarkdownLines, number: int, marks: Mapping[int, Mark], end: int, *, reaches_far: bool
) -> tuple[str, ...]:
    """Find the addresses in the text of an item, those of reference links too."""
    text = "\n".join(_read_item(page, number, marks, end, reaches_far=reaches_far))
    return inline.find_urls(resolve_links(text, page.definitions))


def _read_item(
    page: MarkdownLines, number: int, marks: Mapping[int, Mark], end: int, *, reaches_far: bool
) -> Iterator[str]:
    """Read the first lines of an item, up to a blank line or the next mark; or all lines up to the next of its kind.

    The first lines of a heading, or of a paragraph, are one, and an address alone below it.
    Blank lines below a mark that stands alone do not count.
    """
    mark = marks[number]
    yield page.lines[number][mark.end :]
    has_text = bool(page.lines[number][mark.end :].strip())
    if not reaches_far and (mark.kind in (ROW, *UNMARKED) or is_heading(mark.kind)):
        if mark.kind != ROW and number + 1 < end and is_address_alone(page.lines[number + 1]):
            yield page.lines[number + 1]
        return
    for following in range(number + 1, end if reaches_far else min(end, number + _MOST_HEAD_LINES)):
        next_mark = marks.get(following)
        if next_mark and (next_mark.kind == mark.kind or (not reaches_far and not _is_weak(next_mark.kind))):
            return
        is_blank = not page.lines[following].strip()
        if not reaches_far and is_blank and has_text:
            return
        has_text = has_text or not is_blank
        if following not in page.opaque:
            yield page.lines[following]


def normalise_kinds(kinds: Collection[str]) -> tuple[str, ...]:
    """Bring kinds as a person writes them, `-`, `1、`, `###`, into the form of `Mark.kind`.

    >>> normalise_kinds(["-", "1、", "### ", "①", "**"])
    ('- ', '{n}、', '### ', '{circled}', '**')
    """
    normal = []
    for kind in kinds:
        mark = _NUMBER.match(f"{kind.strip()}x")
        numbered = _read_number(mark) if mark else None
        stripped = numbered.kind if numbered else kind.strip()
        normal.append(f"{stripped} " if re.fullmatch(r"#{1,6}|[-*+]", stripped) else stripped)
    return tuple(normal)
