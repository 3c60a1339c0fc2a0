"""What the page says: Chinese, and English for each of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from crawler.kinds import KINDS
from crawler.toml import read_toml
from pipelines.wording import Language

_CHINESE: Final[Mapping[str, str]] = {
    **{name: row.label.chinese for name, row in KINDS.items()},
    "by-hand": "手工合并",
    "reprint": "转载",
    "names": "互相提到",
    "shared-reference": "同一论文或仓库",
    "near-text": "正文几乎相同",
    "same-title": "标题相同",
    "similar-title": "标题相近",
    "new": "待选",
    "picked": "已选",
    "dropped": "不用",
    "later": "以后",
    "published": "已刊",
    "zh": "中文",
    "en": "英文",
    "ja": "日文",
    "ko": "韩文",
}
"""For what the code has a name of its own."""


@cache
def english() -> Mapping[str, str]:
    """English by Chinese."""
    labels = {name: row.label.english for name, row in KINDS.items()}
    articles = {row.article.chinese: row.article.english for row in KINDS.values()}
    return labels | articles | read_toml(files("pipelines.review").joinpath("english.toml"))


def translated(words: str, language: Language) -> str:
    """Words of the page in a language; what nobody translated, a category's name, stays as it is.

    >>> translated("候选", "en"), translated("wechat", "zh"), translated("某栏", "en")
    ('Candidates', '公众号', '某栏')
    """
    return (english() if language == "en" else _CHINESE).get(words, words)
