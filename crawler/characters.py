"""Characters that no document may hold, and the references that stand for them (XML 1.0, 2.2 and 4.1)."""

from __future__ import annotations

import re
from typing import Final

_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_BYTES: Final = bytes(code for code in range(32) if code not in b"\t\n\r")

_SUSPECT: Final = (
    r"&#(?:(?=\d)0*+(?:\d?|[12]\d|3[01]|5[5-7]\d{3}|6553[45]|\d{7,}+)"
    r"|x(?=[\da-f])0*+(?:1?[\da-f]?|d[89a-f][\da-f]{2}|fff[ef]|[\da-f]{6,}+));"
)
"""A numeric reference that may stand for a forbidden character: `&#55357;`, `&#x0;`. All others are passed over."""
_SUSPECTS: Final = re.compile(rf"(?:{_SUSPECT})++", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"&#(x?)0*+([\da-f]*+);", re.IGNORECASE)
_LAST: Final = 0x10FFFF


def clean(text: str) -> str:
    """The text without what XML does not allow: C0 controls, lone surrogates, non-characters."""
    return _FORBIDDEN.sub("", text)


def mend_references(text: str) -> tuple[str, int]:
    """Put right the numeric references that make a document unreadable.

    A pair of surrogates, as programs write that count in UTF-16, becomes a reference to the character that the pair
    stands for. A reference to a forbidden character goes.

    Returns:
        The text, and how many references were taken out of it.

    >>> mend_references("&#55357;&#56832; &#xD83D; &#0; &#20013;")
    ('&#128512;   &#20013;', 2)
    """
    removed = 0

    def mend(run: re.Match[str]) -> str:
        nonlocal removed
        codes = [_code(base, digits) for base, digits in _REFERENCE.findall(run[0])]
        units = "".join(map(chr, (code for code in codes if code <= _LAST)))
        joined = units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        kept = clean(joined)
        removed += len(joined) - len(kept) + sum(code > _LAST for code in codes)
        return "".join(f"&#{ord(character)};" for character in kept)

    return _SUSPECTS.sub(mend, text) if "&#" in text else text, removed


def mend_document(body: bytes) -> bytes:
    """The document of an encoding that extends ASCII, without control characters, its references put right."""
    if b"\0" in body[:4]:  # UTF-16 or UTF-32: its bytes are no characters
        return body
    return mend_references(body.translate(None, _FORBIDDEN_BYTES).decode("latin-1"))[0].encode("latin-1")


def _code(base: str, digits: str) -> int:
    """The code point that a reference names; one past the last where it names none."""
    return int(digits or "0", 16 if base else 10) if len(digits) <= 8 else _LAST + 1
