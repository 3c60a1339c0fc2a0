"""Splits text into sentences, joins sentences into a summary, and bounds its length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.text import HAN_RANGE


@dataclass(frozen=True, slots=True)
class Bounds:
    """The length of a summary, in characters.

    Args:
        wanted: a summary of this length gets no further sentence.
        most: the longest summary.
        sentence: the longest sentence that a summary takes.
    """

    wanted: int
    most: int
    sentence: int


HAN: Final = Bounds(wanted=130, most=300, sentence=180)
"""For a text written in Han characters; 133 is the median of the editor's own summaries."""

LATIN: Final = Bounds(wanted=300, most=600, sentence=400)
"""For any other text: one Han character carries as much as two and a half letters."""

LATIN_PER_HAN: Final = LATIN.most / HAN.most


def fit_bounds(bounds: Bounds, text: str) -> Bounds:
    """Give bounds that count Han characters the numbers for the script of a text."""
    if choose_bounds(text) is HAN:
        return bounds
    return Bounds(round(bounds.wanted * LATIN_PER_HAN), round(bounds.most * LATIN_PER_HAN), LATIN.sentence)


HAN_CHARACTER: Final = re.compile(f"[{HAN_RANGE}]")

# "它快了两倍。”" ends a sentence, "它快了两倍" does not
SENTENCE_END: Final = re.compile(r"[。！？!?…；;.][”’」』）)\]\"']*$")

# "快了两倍" or "快了两倍。": the text ends in Han characters or in their punctuation
_HAN_END: Final = re.compile(rf"[\u3000-\u303f{HAN_RANGE}\uff00-\uffef”’][\"')\]]*$")

# "快。", "真快！”", "5 ms. It": the end of a sentence inside a paragraph
_BOUNDARY: Final = re.compile(
    rf"(?:[。！？]|[!?](?=[!?\s{HAN_RANGE}”’」』）)\"']|$)|……)+[”’」』）)\]\"']*"  # before any text
    rf"|(?<=[^\s.])\.[”’\"')\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9{HAN_RANGE}])"  # of a Latin sentence, before a capital
)

# "See Fig.", "by H."
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|et al|vs|cf|Fig|Figs|Eq|Eqs|Sec|Tab|Ref|No|Dr|Mr|Ms|Mrs|Prof|St|Inc|Ltd|Co|approx|resp)"
    r"|\b[A-Z])\.$"
)
_PAIRS: Final = ("“”", "‘’", "「」", "『』", "（）", "()", "《》", "【】")

_CUTS: Final = (
    # "甲。乙" or "It is fast. And": after a sentence, else at the start
    r"[。！？!?；]|\.(?=\s)|\A",
    # "甲，乙" or "fast, small": after a clause, else at the start
    r"[，,、;\s]|\A",
)


def choose_bounds(text: str) -> Bounds:
    """Choose the bounds for a summary of this text, or for a summary that is this text.

    >>> choose_bounds("把 ResNet 量化到 INT8").most, choose_bounds("We quantise it.").most
    (300, 600)
    """
    return HAN if len(HAN_CHARACTER.findall(text)) * 5 >= len(text) else LATIN


def split_sentences(text: str) -> tuple[tuple[str, ...], ...]:
    """Split a text into paragraphs and each into sentences. Joined, they are the text except for blanks between them.

    >>> split_sentences("他说：“快。真快。”是的。\\nSee Fig. 2. It is 2.5 x faster.")
    (('他说：“快。真快。”', '是的。'), ('See Fig. 2.', 'It is 2.5 x faster.'))
    """
    return tuple(tuple(_split_paragraph(line)) for line in text.split("\n") if line.strip())


def _split_paragraph(line: str) -> Iterator[str]:
    start = 0
    for match in _BOUNDARY.finditer(line):
        piece = line[start : match.end()]
        if _ABBREVIATION.search(piece) or (_has_open_pair(piece) and len(piece) < LATIN.sentence):
            continue
        if piece.strip():
            yield piece.strip()
        start = match.end()
    if line[start:].strip():
        yield line[start:].strip()


def _has_open_pair(piece: str) -> bool:
    """Whether the piece opens a quotation or a parenthesis that it does not close."""
    return any(piece.count(pair[0]) > piece.count(pair[1]) for pair in _PAIRS)


def join_sentences(sentences: Iterable[str], most: int | None = None) -> str:
    """Join sentences to one line, up to `most` characters, by default the longest summary.

    A sentence without an end of its own gets a semicolon.

    >>> join_sentences(["快了两倍。", "精度不掉。"]), join_sentences(["It is fast.", "Int8", "Int4"])
    ('快了两倍。精度不掉。', 'It is fast. Int8; Int4')
    >>> join_sentences(["新增甲", "修了乙"])
    '新增甲；修了乙'
    """
    summary = ""
    for sentence in sentences:
        gap = _choose_gap(summary, sentence) if summary else ""
        if summary and len(summary) + len(gap) + len(sentence) > (most or choose_bounds(summary + sentence).most):
            break
        summary += gap + sentence
    return summary if most else cap_length(summary)


def _choose_gap(left: str, right: str) -> str:
    """Choose the characters between two sentences: a semicolon if the left one has no end, a blank in Latin script."""
    in_han = _HAN_END.search(left) or HAN_CHARACTER.match(right)
    if SENTENCE_END.search(left):
        return "" if in_han else " "
    return "；" if in_han else "; "


def cap_length(text: str) -> str:
    """Cut a text to the longest summary: at the last end of a sentence, else of a clause, in the second half of it.

    >>> cap_length("一句。" + "字" * 400)[-3:], cap_length(("句" * 99 + "。") * 4)[-3:]
    ('字字…', '句句。')
    >>> cap_length(("句" * 99 + "，") * 4)[-3:]
    '句句句'
    """
    most = choose_bounds(text).most
    if len(text) <= most:
        return text
    capped = text[:most]
    for cut in _CUTS:
        end = max(match.end() for match in re.finditer(cut, capped))
        if end > most // 2:
            return capped[:end].rstrip("，,、; ")
    return capped[:-1] + "…"
