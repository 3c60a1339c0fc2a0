"""Counts names that say nothing about the thing they hold: `python tests/vague_names.py`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from places import ROOT

VAGUE: Final = frozenset(
    (
        *("one", "told", "said", "heard", "known", "found", "at", "place", "words", "rest", "some", "given", "taken"),
        *("made", "seen", "kept", "mine", "shown", "named", "asked", "brought", "wanted", "gone", "done", "others"),
        *("other", "value", "before"),
    )
)
"""Participles and pronouns without a noun; the noun that is missing is the name to give."""


def names_in(source: str) -> Iterator[str]:
    """Every use of a variable's name, and every parameter."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def count_vague_names() -> dict[Path, Counter[str]]:
    """How often each vague name is used, by file of the two packages."""
    paths = sorted(path for package in ("crawler", "pipelines") for path in (ROOT / package).rglob("*.py"))
    return {
        path.relative_to(ROOT): Counter(name for name in names_in(path.read_text(encoding="utf-8")) if name in VAGUE)
        for path in paths
    }


if __name__ == "__main__":
    counts = count_vague_names()
    for path, names in sorted(counts.items(), key=lambda row: row[1].total()):
        if names:
            print(f"{names.total():5} {path}  {dict(names.most_common(6))}")  # noqa: T201
    total: Counter[str] = sum(counts.values(), Counter())
    print(f"{total.total():5} in all: {dict(total.most_common())}")  # noqa: T201
