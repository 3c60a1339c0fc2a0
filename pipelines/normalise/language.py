"""The language of an article: by script, by small words, and only then by langdetect.

langdetect alone is wrong on half of our titles and costs milliseconds; it sees no text that the
cheap tests decide. It is random by design, so it is seeded, and its profiles are loaded once under a lock:
loading them on the way makes other threads fail (langdetect#65).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from langdetect import LangDetectException
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

from pipelines.rules import Rules
from pipelines.rules.languages import LanguageRules

UNDETERMINED: Final = "und"
"""ISO 639-2 for what cannot be told."""

_SAMPLE: Final = 1000
"""Characters of the text that are looked at."""

_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]+")
_HANGUL: Final = re.compile("[\uac00-\ud7a3]+")
_WORD: Final = re.compile(r"[A-Za-z]+")
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_OTHER_SCRIPTS: Final = {
    "ru": re.compile("[\u0400-\u04ff]+"),
    "ar": re.compile("[\u0600-\u06ff]+"),
    "el": re.compile("[\u0370-\u03ff]+"),
    "he": re.compile("[\u0590-\u05ff]+"),
    "hi": re.compile("[\u0900-\u097f]+"),
    "th": re.compile("[\u0e00-\u0e7f]+"),
}
"""Scripts and the language that most of their texts are in; near enough for an editor who reads none of them."""


def read_language(title: str, text: str, declared: str | None, rules: Rules) -> str:
    """The language of an article.

    Args:
        title, text: cleaned; the title alone decides where its script does.
        declared: what the page says of itself (`zh-CN`); believed only where the text does not tell.

    Returns:
        `zh`, `en`, `ja`, `ko`, another ISO 639-1 code, or `und`.
    """
    sample = f"{title}\n{text[:_SAMPLE]}"
    return (
        _by_script(title)
        or _by_script(sample)
        or _by_words(sample, rules.languages)
        or _by_statistics(sample, rules.languages)
        or _declared(declared)
        or UNDETERMINED
    )


def _characters(pattern: re.Pattern[str], text: str) -> int:
    return sum(map(len, pattern.findall(text)))


def _by_script(text: str) -> str | None:
    """By its script; a few Chinese characters do not make an English text Chinese.

    >>> [_by_script(text) for text in ("iPhone 12 跑分", "骁龙690とは", "안녕하세요", "TNN: 腾讯优图", "MNN 2.0")]
    ['zh', 'ja', 'ko', 'zh', None]
    """
    if text.isascii():
        return None
    han, kana, hangul = (_characters(pattern, text) for pattern in (_HAN, _KANA, _HANGUL))
    if kana >= 2 and kana >= 0.2 * (kana + han):
        return "ja"
    if hangul >= 2 and hangul >= han:
        return "ko"
    words = len(_WORD.findall(text))
    if han >= 2 and han >= 0.2 * words:
        return "zh"
    return next((name for name, script in _OTHER_SCRIPTS.items() if len(script.findall(text)) > words), None)


def _by_words(sample: str, rules: LanguageRules) -> str | None:
    words = _WORD.findall(sample.lower())
    small = rules.small_words
    for language, known in small.of.items():
        found = sum(word in known for word in words)
        if found >= small.least and found >= small.share * len(words):
            return language
    return None


def _by_statistics(sample: str, rules: LanguageRules) -> str | None:
    if not _LATIN.search(sample):
        return None
    with _LOADING:
        factory = _factory(tuple(sorted(rules.prior)))
    detector = factory.create()
    detector.seed = 0
    detector.set_prior_map(dict(rules.prior))
    detector.append(sample)
    try:
        found: str = detector.detect()
    except LangDetectException:  # nothing but addresses and numbers
        return None
    return _declared(found)


def _declared(tag: str | None) -> str | None:
    """The language of a tag.

    >>> [_declared(tag) for tag in ("zh-cn", "EN_us", "unknown", "und", None)]
    ['zh', 'en', None, None, None]
    """
    match = re.match(r"([A-Za-z]{2})(?:[-_].*)?$", tag or "")
    return match[1].lower() if match else None


_LOADING: Final = Lock()


@lru_cache(maxsize=4)
def _factory(languages: tuple[str, ...]) -> Any:
    """A detector factory with these languages' profiles only: all 55 cost five times as much for each text."""
    profiles = [(Path(PROFILES_DIRECTORY) / language).read_text(encoding="utf-8") for language in languages]
    factory = DetectorFactory()
    factory.load_json_profile(profiles)
    return factory
