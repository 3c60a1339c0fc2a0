"""Folds and reads text the same way everywhere."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from opencc import OpenCC

from pipelines.model import Article


def fold(title: str) -> str:
    """In one width, case and script, so that what reads the same is the same.

    >>> fold("ＩＰＨＯＮＥ １２：①《端側推理》")
    'iphone 12:1《端侧推理》'
    """
    folded = unicodedata.normalize("NFKC", title).casefold().encode(errors="ignore").decode()  # no lone surrogate
    simplified: str = _simplifier().convert(folded)
    return simplified


def account_of(article: Article) -> str:
    """Who published it: the account's name, which two mirrors of it share; else the source."""
    return "".join((article.publisher or article.source).casefold().split())


@cache
def _simplifier() -> OpenCC:
    return OpenCC("tw2sp")  # with its words: 軟體 is 软件, which t2s makes 软体


_DIGITS: Final = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


_PARTS: Final = {"上": "1", "中": "2", "下": "3"}


def _numeral(text: str) -> str:
    """A small number in digits, however it is written.

    >>> [_numeral(text) for text in ("07", "下", "二十三", "十", "百")]
    ['7', '3', '23', '10', '100']
    """
    if text.isdigit():
        return str(int(text))
    if text in _PARTS:
        return _PARTS[text]
    value, digit = 0, 0
    for character in text:
        if character in "十百":
            value += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[character]
    return str(value + digit)
