"""A title without what is shouted in front of it and signed behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipelines.rules import Rules
from pipelines.rules.titles import TitleRules

_SEPARATOR: Final = re.compile(r"\s*[|｜丨│_]\s*|\s+[-–—·•»«]\s+|\s*——\s*|-")
_LAST_SEPARATORS: Final = 4
"""How many separators from the end may stand inside a signature: OSCHINA - 中文开源技术交流社区."""


@dataclass(frozen=True, slots=True)
class Title:
    """A title in its parts: `lead` and `tail` as words, without their brackets and bars; None where there were none."""

    title: str
    lead: str | None = None
    tail: str | None = None


def split_title(title: str, names: Iterable[str | None], rules: Rules) -> Title:
    """Take off what the tables know, and the publisher's own name; never the whole title.

    Args:
        title: cleaned, on one line.
        names: what the publisher and the source are called.
    """
    table = rules.titles
    own = frozenset(_folded(name) for name in names if name)
    leads: list[str] = []
    tails: list[str] = []
    while match := table.lead.match(title):
        if not _is_title(title[match.end() :]):
            break
        leads.append(next(filter(None, match.groups())))
        title = title[match.end() :]
    while at := _signature(title, own, table):
        tails.insert(0, title[at[1] :])
        title = title[: at[0]]
    return Title(title, " | ".join(leads) or None, " | ".join(tails) or None)


def _signature(title: str, own: frozenset[str], table: TitleRules) -> tuple[int, int] | None:
    """Where the title ends and its signature begins."""
    separators = list(_SEPARATOR.finditer(title))[-_LAST_SEPARATORS:]
    for separator in separators:
        signature = _folded(title[separator.end() :])
        known = signature in own or signature in table.signatures
        if separator is separators[-1] and separator[0] != "-":  # stand-by is no signature
            known = known or table.signature.fullmatch(title, separator.end()) is not None
        if known and signature and _is_title(title[: separator.start()]):
            return separator.span()
    return None


def _folded(name: str) -> str:
    return "".join(name.casefold().split())


def _is_title(text: str) -> bool:
    return len(re.findall(r"\w", text[:20])) >= 2
