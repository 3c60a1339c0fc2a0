"""Removes what a text may not have or does not need: characters that XML forbids (1.0, 2.2 and 4.1), punctuation."""

from __future__ import annotations

import re
from typing import Final

_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NO_LETTERS: Final = re.compile(r"[\W_]+")
_FORBIDDEN_BYTES: Final = bytes(code for code in range(32) if code not in b"\t\n\r")

# "&#55357;", "&#x0;", "&#1114112;"
_SUSPECT: Final = (
    r"&#(?:(?=\d)0*+(?:\d?|[12]\d|3[01]|5[5-7]\d{3}|6553[45]|\d{7,}+)"
    r"|x(?=[\da-f])0*+(?:1?[\da-f]?|d[89a-f][\da-f]{2}|fff[ef]|[\da-f]{6,}+));"
)
"""A numeric reference that may name a forbidden character; no other reference is read."""
_SUSPECTS: Final = re.compile(rf"(?:{_SUSPECT})++", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"&#(x?)0*+([\da-f]*+);", re.IGNORECASE)
_UNENDED: Final = re.compile(r"&#(?:x[\da-f]++|\d++)(?!;)", re.IGNORECASE)  # "&#55357", "&#x1f "
_LAST: Final = 0x10FFFF


def clean(text: str) -> str:
    """Remove the characters that XML forbids: C0 controls, lone surrogates, non-characters."""
    return _FORBIDDEN.sub("", text)


def keep_letters(text: str) -> str:
    """Take everything but letters and digits out of a text.

    >>> keep_letters("《端侧推理》: n9!")
    '端侧推理n9'
    """
    return _NO_LETTERS.sub("", text)


def mend_references(text: str) -> tuple[str, int]:
    """Mend the numeric references that make a document unreadable.

    Programs that count in UTF-16 write a character as a pair of surrogates; the pair becomes one reference to the
    character. A reference to a forbidden character is removed.

    Returns:
        The text, and the number of removed references.

    >>> mend_references("&#55357;&#56832; &#xD83D; &#0; &#20013;")
    ('&#128512;   &#20013;', 2)
    """
    removed = 0

    def mend(run: re.Match[str]) -> str:
        nonlocal removed
        codes = [_code(base, digits) for base, digits in _REFERENCE.findall(run[0])]
        units = "".join(map(chr, (code for code in codes if code <= _LAST)))
        joined = units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        allowed = clean(joined)
        removed += len(joined) - len(allowed) + sum(code > _LAST for code in codes)
        return "".join(f"&#{ord(character)};" for character in allowed)

    return _SUSPECTS.sub(mend, text) if "&#" in text else text, removed


def mend_html(text: str) -> str:
    """Remove the characters that XML forbids, and references to them; in HTML a reference may lack its semicolon.

    >>> mend_html("a&#1b&#x1f c&#0;&#20013")
    'ab c&#20013;'
    """
    return mend_references(_UNENDED.sub(r"\g<0>;", clean(text)))[0]


def mend_document(body: bytes) -> bytes:
    """Mend a document in an encoding that extends ASCII: remove control characters, mend references."""
    if b"\0" in body[:4]:  # UTF-16 or UTF-32, where a byte is no character
        return body
    return mend_references(body.translate(None, _FORBIDDEN_BYTES).decode("latin-1"))[0].encode("latin-1")


def _code(base: str, digits: str) -> int:
    """Read the code point of a reference; a number above `_LAST` if it names no character."""
    return int(digits or "0", 16 if base else 10) if len(digits) <= 8 else _LAST + 1
