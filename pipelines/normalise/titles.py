"""Splits a title from the exclamation in front of it and the signature of the publisher behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipelines.rules import Rules
from pipelines.rules.titles import TitleRules
from pipelines.text import fold_name

# TNN 开源 | 腾讯优图, 端侧推理_机器之心, MNN 2.0 发布 - 知乎, 移动端推理——量子位
_SEPARATOR: Final = re.compile(r"\s*[|｜丨│_]\s*|\s+[-–—·•»«]\s+|\s*——\s*|-")
_LAST_SEPARATORS: Final = 4
"""How many of the last separators are tried: a signature may have separators (OSCHINA - 中文开源技术交流社区)."""


@dataclass(frozen=True, slots=True)
class Title:
    """A title in its parts.

    Args:
        title: without lead and tail.
        lead, tail: without their brackets and bars; None where the title has none.
    """

    title: str
    lead: str | None = None
    tail: str | None = None


def split_title(title: str, names: Iterable[str | None], rules: Rules) -> Title:
    """Take the leads and tails of the tables, and the publisher's own name, off a title; never the whole title.

    Args:
        title: cleaned, on one line.
        names: of the publisher and of the source.
        rules: the tables of data/rules.
    """
    table = rules.titles
    own_names = frozenset(fold_name(name) for name in names if name)
    leads: list[str] = []
    tails: list[str] = []
    while match := table.lead.match(title):
        if not _has_words(title[match.end() :]):
            break
        leads.append(next(filter(None, match.groups())))
        title = title[match.end() :]
    while span := _find_signature(title, own_names, table):
        tails.insert(0, title[span[1] :])
        title = title[: span[0]]
    return Title(title, " | ".join(leads) or None, " | ".join(tails) or None)


def _find_signature(title: str, own_names: frozenset[str], table: TitleRules) -> tuple[int, int] | None:
    """The span of the separator between a title and its signature, or None."""
    separators = list(_SEPARATOR.finditer(title))[-_LAST_SEPARATORS:]
    for separator in separators:
        signature = fold_name(title[separator.end() :])
        is_known = signature in own_names or signature in table.signatures
        if separator is separators[-1] and separator[0] != "-":  # `-by` of stand-by is no signature
            is_known = is_known or table.signature.fullmatch(title, separator.end()) is not None
        if is_known and signature and _has_words(title[: separator.start()]):
            return separator.span()
    return None


def _has_words(text: str) -> bool:
    return len(re.findall(r"\w", text[:20])) >= 2
