"""Translates the texts of the desk: they are written in Chinese, and each has an English text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from crawler.kinds import KINDS
from crawler.toml import read_toml
from pipelines.names import STATE_NAMES
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
    "same-event": "同一件事",
    **STATE_NAMES,
    "zh": "中文",
    "en": "英文",
    "ja": "日文",
    "ko": "韩文",
}
"""Chinese texts of the names that the code uses: kinds, states, sorts of evidence, languages."""


@cache
def load_english() -> Mapping[str, str]:
    """Load the English texts by their Chinese texts, and by the names that the code uses."""
    labels = {name: row.label.english for name, row in KINDS.items()}
    articles = {row.article.chinese: row.article.english for row in KINDS.values()}
    return labels | articles | read_toml(files("pipelines.review").joinpath("english.toml"))


def translate_text(text: str, language: Language) -> str:
    """Translate a text or a name of the code; a text without translation, like a category's name, stays unchanged.

    >>> translate_text("候选", "en"), translate_text("wechat", "zh"), translate_text("某栏", "en")
    ('Candidates', '公众号', '某栏')
    """
    return (load_english() if language == "en" else _CHINESE).get(text, text)
