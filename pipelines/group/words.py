"""Finds many words in a text with one compiled pattern."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Final, Self

from pipelines.group.segmentation import find_cuts
from pipelines.text import UNSPACED

_LATIN: Final = re.compile(r"[A-Za-z0-9]")
_UNSPACED_PAIR: Final = re.compile(f"[{UNSPACED}]{{2}}")


@dataclass(frozen=True, slots=True)
class WordList:
    """Words to look for, found longest first and whatever their case.

    A word that begins or ends with a Latin letter or a digit matches whole words only, so that `NAS` is not
    found in `NASA`; Chinese words match anywhere, since Chinese has no blanks.
    """

    _find_all: Callable[[str], Sequence[str]] | None = field(repr=False)
    _spelling: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """Compile the words.

        >>> sorted(WordList.of(["量化", "NAS", "int8"]).found_in("低比特量化：INT8，不是 NASA"))
        ['int8', '量化']
        """
        spelling = {word.casefold(): word for word in words if word}
        if not spelling:
            return cls(None, spelling)
        pattern = re.compile(_branches(sorted(spelling)))
        # one title is searched for its section, for its relevance and for the reasons of both
        return cls(lru_cache(maxsize=64)(pattern.findall), spelling)

    def __reduce__(self) -> tuple[Callable[[Iterable[str]], WordList], tuple[tuple[str, ...]]]:
        """Compile the words again in the process that gets the list: no process can be handed a cache."""
        return WordList.of, (tuple(self._spelling.values()),)

    def found_in(self, text: str) -> set[str]:
        """Find the words that a text contains, as the list spells them, without words inside a longer match."""
        if self._find_all is None:
            return set()
        return {self._spelling[match] for match in self._find_all(text.casefold())}


def widen_to_words(term: str, text: str) -> str:
    """The whole words of a text among which a term stands; the term itself where the text lacks it.

    >>> widen_to_words("深入", "深入浅出浏览器"), widen_to_words("量化", "低比特量化")
    ('深入浅出', '量化')
    """
    folded = text.casefold()
    start = folded.find(term.casefold())
    if start < 0:
        return term
    end = start + len(term)
    cuts = [0, *find_cuts(folded)]
    if _UNSPACED_PAIR.match(folded, max(start - 1, 0)):
        start = cuts[bisect_right(cuts, start) - 1]
    if _UNSPACED_PAIR.match(folded, end - 1):
        end = cuts[bisect_left(cuts, end)]
    return (text if len(text) == len(folded) else folded)[start:end]


def _branches(terms: Sequence[str], depth: int = 0) -> str:
    """A pattern of words as a tree of their letters, longer words first: it reads each letter of a text once.

    An alternation of whole words tries each of them at each letter, which costs a hundred times as much.

    Args:
        terms: not empty, ascending, equal in their first letters.
        depth: number of letters that are equal and that the pattern leaves out.
    """
    branches = []
    for letter, group in groupby((term for term in terms if len(term) > depth), key=lambda term: term[depth]):
        literal = re.escape(letter)
        # behind the letter: where all branches begin with a letter, a search skips all other letters at once
        left = rf"(?<![a-z0-9]{literal})" if depth == 0 and _LATIN.match(letter) else ""
        branches.append(literal + left + _branches(list(group), depth + 1))
    if len(terms[0]) == depth:
        branches.append(r"(?![a-z0-9])" if _LATIN.match(terms[0][-1]) else "")
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
