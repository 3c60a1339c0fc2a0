"""Cleans text for storage, display and comparison: no control characters, no mojibake, no boilerplate."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

from pipelines.rules import Rules
from pipelines.rules.text import TextRules

MAX_TEXT: Final = 200_000
"""Characters of an article's text that are stored; longer texts are logs, dumps or attacks."""

MAX_TITLE: Final = 300
"""Characters of a title; the title of a WeChat text share is its whole text."""

_UNWANTED: Final = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1, but not the white space among them
    "\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u3164\uffa0"  # invisible
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # bidirectional controls, joiners, byte order mark
    "\ud800-\udfff\ufdd3-\ufdef\ufffe\uffff"  # no characters at all
    "\U000e0000-\U000e0fff"  # tags and selectors: text that nobody sees
    "]+"
)
_LONE_JOINER: Final = re.compile(
    "(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d+|\u200d+(?![\u2190-\u2bff\U0001f000-\U0001faff])"
)
"""A zero-width joiner outside an emoji: editors leave them anywhere, and only in an emoji do they join characters."""

_MARKS: Final = re.compile("[\ufdd0-\ufdd2]+")
"""Non-characters that mark links and indents while `html.py` lays out a text."""

_NEWLINES: Final = ("\r\n", "\r", "\x85", "\u2028", "\u2029")
_MOJIBAKE: Final = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
"""A lead byte and a continuation byte of UTF-8 read as Latin-1 or Windows-1252: `Ã©` for `é`. Only lines that match
go to ftfy, because ftfy's own test costs more than all other cleaning together."""

_BLANKS: Final = re.compile("[\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")

# AT&amp;T, &#8211;, &#x27;
_CHARACTER_REFERENCE: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[0-9A-Fa-f]{2,5});")

_DECORATION: Final = " \t\u00a0\u3000\ufe0f👇👆☝⬇⬆↓↑▼▲●★☆■◆"


def clean_text(text: str, *, marked: bool = False) -> str:
    r"""Remove control and invisible characters, repair double encoding line by line, normalise to NFC.

    Args:
        marked: leave the marks of `html.py` in the text.

    >>> clean_text("低比特\u200b量化\u202e\x00 cafÃ©")
    '低比特量化 café'
    """
    if text.isascii() and text.isprintable():
        return text
    if _MOJIBAKE.search(text):  # first: the bytes of mojibake look like control characters
        text = "\n".join(_repair_encoding(line) for line in text.split("\n"))
    for newline in _NEWLINES:
        text = text.replace(newline, "\n")
    text = _UNWANTED.sub("", text)
    if "\u200d" in text:
        text = _LONE_JOINER.sub("", text)
    if not marked:
        text = _MARKS.sub("", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clean_title(text: str) -> str:
    """Clean a title to one line, and decode character references that a page escaped twice (`AT&amp;T`)."""
    return clean_line(_CHARACTER_REFERENCE.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text)


def clean_line(text: str) -> str:
    """Clean a text and make each run of white space one blank: for titles, names, tags."""
    return " ".join(clean_text(text).split())


def read_text(text: str, rules: Rules) -> str:
    """Make the main text of an article from plain text: clean, one paragraph a line, without boilerplate."""
    return "\n".join(strip_boilerplate(split_lines(clean_text(text[: 2 * MAX_TEXT])), rules))[:MAX_TEXT]


def split_lines(text: str) -> list[str]:
    """Split a text into its lines that are not blank, each run of blanks made one."""
    return [line for line in (_BLANKS.sub(" ", line).strip() for line in text.split("\n")) if line]


def strip_boilerplate(lines: list[str], rules: Rules) -> list[str]:
    """Leave out boilerplate of `data/rules/text.toml`; a text that would lose more than half stays whole.

    Args:
        lines: of the text, possibly with the link marks of `html.py`, which are ignored.
    """
    table = rules.text
    text_lines = [line for line in _cut_at_ending(lines, table) if not _is_boilerplate(line, table)]
    if 2 * sum(map(len, text_lines)) < sum(map(len, lines)):
        text_lines = lines
    return [strip_opening(text_lines[0], rules), *text_lines[1:]] if text_lines else []


_LINK_MARK: Final = re.compile("\ufdd0\\d+\ufdd1")


def _strip_decoration(line: str) -> str:
    return (_LINK_MARK.sub("", line) if "\ufdd0" in line else line).strip(_DECORATION)


def _is_boilerplate(line: str, table: TextRules) -> bool:
    if len(line) > 2 * table.max_line:
        return False
    bare = _strip_decoration(line)
    return len(bare) <= table.max_line and table.line.fullmatch(bare) is not None


def _cut_at_ending(lines: list[str], table: TextRules) -> list[str]:
    """Cut the lines at the first one that announces other articles, if it is near enough to the end."""
    characters_left = min(table.max_after_ending, sum(map(len, lines)) // 3)
    end = len(lines)
    for index in range(len(lines) - 1, 0, -1):
        characters_left -= len(lines[index])
        if characters_left < 0:
            break
        if len(lines[index]) <= table.max_line and table.ending.fullmatch(_strip_decoration(lines[index])):
            end = index
    return lines[:end]


def strip_opening(line: str, rules: Rules) -> str:
    """Take boilerplate off the start of a line (点击上方蓝字关注), unless nothing else would remain."""
    while (match := rules.text.opening.match(line)) and match.end():
        remainder = line[match.end() :].lstrip(_DECORATION)
        if not remainder:
            break
        line = remainder
    return line


def _repair_encoding(line: str) -> str:
    if not _MOJIBAKE.search(line):
        return line
    import ftfy  # noqa: PLC0415 - few lines are broken, and commands that normalise nothing start sooner
    from ftfy.badness import badness  # noqa: PLC0415

    repaired = ftfy.fix_encoding(line)
    return repaired if repaired != line and badness(repaired) < badness(line) else line
