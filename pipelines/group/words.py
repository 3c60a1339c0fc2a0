"""Which of many words stand in a text: one compiled pattern for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

_LATIN: Final = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class WordList:
    """Words to look for, found longest first and whatever their case.

    A word that begins or ends with a Latin letter or a digit matches whole words only, so that `NAS` is not
    found in `NASA`; Chinese words match anywhere, since Chinese has no blanks.
    """

    _pattern: re.Pattern[str] | None = field(repr=False)
    _spelling: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """Compile the words.

        >>> sorted(WordList.of(["量化", "NAS", "int8"]).found_in("低比特量化：INT8，不是 NASA"))
        ['int8', '量化']
        """
        spelling = {word.casefold(): word for word in words}
        ordered = sorted(spelling, key=lambda word: (-len(word), word))
        pattern = re.compile("|".join(_bounded(word) for word in ordered)) if ordered else None
        return cls(pattern, spelling)

    def found_in(self, text: str) -> set[str]:
        """The words that stand in the text, as they were given; not those inside a longer one that was found."""
        if self._pattern is None:
            return set()
        return {self._spelling[match] for match in self._pattern.findall(text.casefold())}


def _bounded(word: str) -> str:
    left = r"(?<![a-z0-9])" if _LATIN.match(word[0]) else ""
    right = r"(?![a-z0-9])" if _LATIN.match(word[-1]) else ""
    return left + re.escape(word) + right
