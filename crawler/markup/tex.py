"""TeX in titles, abstracts and names, as authors type it for arXiv: its accents, letters and fonts as characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ACCENTS: Final = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331", "t": "\u0361",
}  # fmt: skip
"""The accent commands of LaTeX (The TeXbook, chapter 9) as combining characters."""
_LETTERS: Final = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ",
    "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "dag": "†", "ddag": "‡", "textendash": "–", "textemdash": "—",
    "ldots": "…", "dots": "…", "LaTeX": "LaTeX", "TeX": "TeX", "textquoteright": "’", "textquoteleft": "‘",
    "textbackslash": "\\", "textasciitilde": "~", "slash": "/",
}  # fmt: skip

# \"o, \"{o}, {\"o}, \'{\i}, \v{c}, \H o
_ACCENT: Final = re.compile(
    r"""\{?\\(?:(['`^"~=.])\s*|([uvHckrdbt])(?:\s+|(?=\{)))(?:\{\\?([A-Za-z])\}|\\?([A-Za-z]))\}?"""
)
_LETTER: Final = re.compile(
    rf"\{{?\\({'|'.join(sorted(_LETTERS, key=len, reverse=True))})(?![A-Za-z])(?:\{{\}}|\s+(?=\w))?\}}?"
)
_FONT: Final = re.compile(
    r"\\(?:text(?:tt|bf|it|sc|sf|rm|sl|up|md|normal)?|emph|uppercase|mbox|underline|href\{[^{}]*\}|url|mathrm)"
    r"\s*\{([^{}]*)\}"
)
_SWITCH: Final = re.compile(r"\{\\(?:tt|bf|it|sc|sf|rm|sl|em|cal)\s+([^{}]*)\}")
_ESCAPED: Final = re.compile(r"\\([&%#_{}$])")
_BRACED: Final = re.compile(r"\{([^{}\\$]*)\}")
_MATH: Final = re.compile(r"(\$[^$]*\$)")


def read_tex(text: str) -> str:
    r"""The text with TeX's accents, letters, fonts and dashes as characters; formulas between dollars stay.

    >>> read_tex(r'Schr\"odinger and Erd\H{o}s for \texttt{INT4} at $O(n^2)$')
    'Schrödinger and Erdős for INT4 at $O(n^2)$'
    >>> read_tex(r"Czerwi\'nski \& {\O}rsted: the {BERT} case -- 50\%")
    'Czerwiński & Ørsted: the BERT case – 50%'
    """
    if not re.search(r"[\\{]|--|``|~", text):
        return text
    return "".join(part if part.startswith("$") else _read_words(part) for part in _MATH.split(text))


def _read_words(text: str) -> str:
    text = _ACCENT.sub(_accented, text)
    text = _LETTER.sub(lambda match: _LETTERS[match[1]], text)
    for _ in range(4):  # fonts inside fonts
        text = _SWITCH.sub(r"\1", _FONT.sub(r"\1", text))
    text = re.sub(r"\s*\\\\\s*", " ", text).replace("---", "—").replace("--", "–").replace("``", "“").replace("''", "”")
    text = _BRACED.sub(r"\1", _BRACED.sub(r"\1", text))
    return _ESCAPED.sub(r"\1", re.sub(r"(?<=\w)~(?=\w)", " ", text))


def _accented(match: re.Match[str]) -> str:
    mark = _ACCENTS[match[1] or match[2]]
    letter = match[3] or match[4]
    return unicodedata.normalize("NFC", letter + mark)
