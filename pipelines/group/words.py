"""Finds many words in a text with one compiled pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
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
        spelling = {word.casefold(): word for word in words if word}
        pattern = re.compile(_branches(sorted(spelling))) if spelling else None
        return cls(pattern, spelling)

    def found_in(self, text: str) -> set[str]:
        """Find the words that a text contains, as the list spells them, without words inside a longer match."""
        if self._pattern is None:
            return set()
        return {self._spelling[match] for match in self._pattern.findall(text.casefold())}


def _branches(terms: Sequence[str], depth: int = 0) -> str:
    """A pattern of words as a tree of their letters, longer words first: it reads each letter of a text once.

    An alternation of whole words tries each of them at each letter, which costs a hundred times as much.

    Args:
        terms: not empty, ascending, equal in their first letters.
        depth: number of letters that are equal and that the pattern leaves out.
    """
    branches = []
    for letter, group in groupby((term for term in terms if len(term) > depth), key=lambda term: term[depth]):
        left = r"(?<![a-z0-9])" if depth == 0 and _LATIN.match(letter) else ""
        branches.append(left + re.escape(letter) + _branches(list(group), depth + 1))
    if len(terms[0]) == depth:
        branches.append(r"(?![a-z0-9])" if _LATIN.match(terms[0][-1]) else "")
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
