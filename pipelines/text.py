"""Text helpers that every room shares: ranges of scripts, folding, numerals, the end of an address in a sentence."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import Final

from opencc import OpenCC

from pipelines.model import Article

HAN_RANGE: Final = "\u3400-\u9fff"
"""Chinese characters, as a range for a character class: CJK Unified Ideographs and their Extension A."""

UNSPACED: Final = f"\u3040-\u30ff{HAN_RANGE}\uac00-\ud7af"
"""Characters of scripts that set no blank between words: kana, Chinese characters, Hangul."""


@lru_cache(maxsize=64)  # several stages in a row fold one title
def fold(text: str) -> str:
    """Bring a text into one width, one case and one Chinese script, so that spellings of one text are equal.

    >>> fold("ＩＰＨＯＮＥ １２：①《端側推理》")
    'iphone 12:1《端侧推理》'
    """
    folded = unicodedata.normalize("NFKC", text).casefold().encode(errors="ignore").decode()  # no lone surrogate
    simplified: str = _load_simplifier().convert(folded)
    return simplified


def fold_name(name: str) -> str:
    """Bring the name of an account or a site into one case, without blanks.

    >>> fold_name("Open AI Lab")
    'openailab'
    """
    return "".join(name.casefold().split())


def make_account_key(article: Article) -> str:
    """The folded name of the article's publisher, else the id of its source; two mirrors of an account share it."""
    return fold_name(article.publisher or article.source)


@cache
def _load_simplifier() -> OpenCC:
    return OpenCC("tw2sp")  # with vocabulary: 軟體 becomes 软件; t2s makes 软体 of it


_DIGITS: Final = {numeral: digit for digit, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


def read_numeral(numeral: str) -> int:
    """The number that ASCII digits or a Chinese numeral below 1000 write.

    >>> [read_numeral(numeral) for numeral in ("07", "二〇一九", "十", "二十三", "一百", "廿一")]
    [7, 2019, 10, 23, 100, 21]
    """
    if numeral.isdigit():
        return int(numeral)
    numeral = numeral.replace("廿", "二十")
    if not set(numeral) & set("十百"):
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total, digit = 0, 0
    for character in numeral:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[character]
    return total + digit


def write_numeral(number: int) -> str:
    """Write a number from 1 to 99 as a Chinese numeral; a larger one in digits.

    >>> [write_numeral(number) for number in (3, 10, 12, 20, 34, 100)]
    ['三', '十', '十二', '二十', '三十四', '100']
    """
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    numerals = "零一二三四五六七八九"
    return (numerals[tens] if tens > 1 else "") + ("十" if tens else "") + (numerals[ones] if ones else "")


def trim_address(url: str, punctuation: str = ".,;:!?'*") -> str:
    """Take the punctuation of a sentence off the end of an address, and a `)` that the address does not open.

    >>> [trim_address(url) for url in ("https://a.cn/b.", "https://a.cn/b_(c)", "https://a.cn/b_(c)).")]
    ['https://a.cn/b', 'https://a.cn/b_(c)', 'https://a.cn/b_(c)']
    """
    end, unopened = len(url), url.count(")") - url.count("(")
    while end and (url[end - 1] in punctuation or (url[end - 1] == ")" and unopened > 0)):
        unopened -= url[end - 1] == ")"
        end -= 1
    return url[:end]
