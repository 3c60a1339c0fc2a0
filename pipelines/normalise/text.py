"""Text that can be stored, shown and compared: no controls, no mojibake that can be undone, no boilerplate."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

from pipelines.rules import Rules
from pipelines.rules.text import TextRules

MAX_TEXT: Final = 200_000
"""Characters of an article's text that are kept; longer ones are logs, dumps or attacks."""

MAX_TITLE: Final = 300
"""Characters of a title; a WeChat text share has no other title than its whole text."""

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
"""Editors leave joiners everywhere; they join something in an emoji only."""

_MARKS: Final = re.compile("[\ufdd0-\ufdd2]+")
"""Non-characters that `html.py` writes into a text for a while."""

_NEWLINES: Final = ("\r\n", "\r", "\x85", "\u2028", "\u2029")
_MOJIBAKE: Final = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
"""A lead byte and a continuation byte of UTF-8 read as Latin-1 or Windows-1252. ftfy sees only such lines: its own
test costs more than all else together."""

_BLANKS: Final = re.compile("[\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_ESCAPED: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[0-9A-Fa-f]{2,5});")
_DECORATION: Final = " \t\u00a0\u3000\ufe0f👇👆☝⬇⬆↓↑▼▲●★☆■◆"


def clean(text: str, *, marked: bool = False) -> str:
    r"""Strip what is no text and undo double encoding, line by line, where that makes it less bad; NFC.

    Args:
        marked: leave the marks of `html.py` in it.

    >>> clean("低比特\u200b量化\u202e\x00 cafÃ©")
    '低比特量化 café'
    """
    if text.isascii() and text.isprintable():
        return text
    if _MOJIBAKE.search(text):  # first: its bytes look like controls
        text = "\n".join(_repaired(line) for line in text.split("\n"))
    for newline in _NEWLINES:
        text = text.replace(newline, "\n")
    text = _UNWANTED.sub("", text)
    if "\u200d" in text:
        text = _LONE_JOINER.sub("", text)
    if not marked:
        text = _MARKS.sub("", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def title_line(text: str) -> str:
    """A title on one line; references that were escaped twice (`AT&amp;T`) are decoded: no title speaks of HTML so."""
    return one_line(_ESCAPED.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text)


def one_line(text: str) -> str:
    """Clean, with every run of white space one blank: titles, names, tags."""
    return " ".join(clean(text).split())


def read_text(text: str, rules: Rules) -> str:
    """Main text from plain text: clean, a paragraph a line, without boilerplate."""
    return "\n".join(without_boilerplate(lines_of(clean(text[: 2 * MAX_TEXT])), rules))[:MAX_TEXT]


def lines_of(text: str) -> list[str]:
    """The lines that say something, blanks collapsed."""
    return [line for line in (_BLANKS.sub(" ", line).strip() for line in text.split("\n")) if line]


def without_boilerplate(lines: list[str], rules: Rules) -> list[str]:
    """Leave out what `data/rules/text.toml` knows; a text that would lose more than half keeps all.

    Args:
        lines: may carry the link marks of `html.py`, which are not looked at.
    """
    table = rules.text
    kept = [line for line in _before_ending(lines, table) if not _is_boilerplate(line, table)]
    if 2 * sum(map(len, kept)) < sum(map(len, lines)):
        kept = lines
    return [without_opening(kept[0], rules), *kept[1:]] if kept else []


_LINK_MARK: Final = re.compile("\ufdd0\\d+\ufdd1")


def _bare(line: str) -> str:
    return (_LINK_MARK.sub("", line) if "\ufdd0" in line else line).strip(_DECORATION)


def _is_boilerplate(line: str, table: TextRules) -> bool:
    if len(line) > 2 * table.max_line:
        return False
    bare = _bare(line)
    return len(bare) <= table.max_line and table.line.fullmatch(bare) is not None


def _before_ending(lines: list[str], table: TextRules) -> list[str]:
    """The lines before the first that announces other articles, if it stands near enough to the end."""
    left = min(table.max_after_ending, sum(map(len, lines)) // 3)
    end = len(lines)
    for at in range(len(lines) - 1, 0, -1):
        left -= len(lines[at])
        if left < 0:
            break
        if len(lines[at]) <= table.max_line and table.ending.fullmatch(_bare(lines[at])):
            end = at
    return lines[:end]


def without_opening(line: str, rules: Rules) -> str:
    """Take off what asks to follow in front of the first words, but never all of them."""
    while (match := rules.text.opening.match(line)) and match.end():
        rest = line[match.end() :].lstrip(_DECORATION)
        if not rest:
            break
        line = rest
    return line


def _repaired(line: str) -> str:
    if not _MOJIBAKE.search(line):
        return line
    import ftfy  # noqa: PLC0415 - few lines are broken, and commands that normalise nothing start sooner
    from ftfy.badness import badness  # noqa: PLC0415

    repaired = ftfy.fix_encoding(line)
    return repaired if repaired != line and badness(repaired) < badness(line) else line
