"""Finds the language of an article: by script, then by small words, then by langdetect.

langdetect alone is wrong on half of our titles and costs milliseconds, so it reads only texts that the cheap tests do
not decide. It is random by design, so it gets a fixed seed. Its profiles are loaded once under a lock, because loading
them in one thread makes detection in another thread fail (langdetect#65).
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
from pipelines.text import HAN_RANGE

UNDETERMINED: Final = "und"
"""ISO 639-2 code of an undetermined language."""

_SAMPLE: Final = 1000
"""Characters of the text that are read."""

_FEW_HAN: Final = 60
"""Chinese characters; a Japanese text of more has kana."""

_HAN: Final = re.compile(f"[{HAN_RANGE}]+")
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]+")
_HANGUL: Final = re.compile("[\uac00-\ud7a3]+")
_OF_NEIGHBOURS: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc\uac00-\ud7a3]")
"""Any of kana and Hangul."""

_WORD: Final = re.compile(r"[A-Za-z]+")
# Words, no names: Modelle, für, deployed; not NeuSDK, MNN, DeepSeek-V4, llama.cpp, b4132
_PLAIN_WORD: Final = re.compile(
    r"(?<![\w.+#-])[A-Za-z\u00c0-\u024f\u1e00-\u1eff][a-z\u00df-\u024f\u1e00-\u1eff]+(?![\w+#-]|\.\w)"
)
_ADDRESS: Final = re.compile(r"https?://\S+")
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_OTHER_SCRIPTS: Final = {
    "ru": re.compile("[\u0400-\u04ff]+"),
    "ar": re.compile("[\u0600-\u06ff]+"),
    "el": re.compile("[\u0370-\u03ff]+"),
    "he": re.compile("[\u0590-\u05ff]+"),
    "hi": re.compile("[\u0900-\u097f]+"),
    "th": re.compile("[\u0e00-\u0e7f]+"),
}
"""By language, the script of most of its texts; near enough for an editor who reads none of them."""


def read_language(title: str, text: str, declared: str | None, rules: Rules) -> str:
    """The language of an article.

    Args:
        title, text: cleaned; the title alone decides if its script tells the language.
        declared: language tag of the page or its source (`zh-CN`); used where title and text do not tell the language:
            they are names and numbers, or a few Chinese characters of a Japanese source.
        rules: the tables of data/rules.

    Returns:
        `zh`, `en`, `ja`, `ko`, another ISO 639-1 code, or `und`.
    """
    sample = f"{title}\n{text[:_SAMPLE]}"
    tag = _read_tag(declared)
    title_language = read_script(title)
    may_differ = title_language is None or (title_language == "zh" and _KANA.search(sample) is not None)
    sample_language = read_script(sample) if may_differ else None
    if title_language == "zh" and (sample_language == "ja" or _is_brief_japanese(sample, tag)):
        return "ja"
    return (
        title_language
        or sample_language
        or _match_small_words(sample, rules.languages)
        or _guess_by_statistics(sample, rules.languages)
        or tag
        or _choose_likeliest(sample, rules.languages)
    )


def _count_characters(pattern: re.Pattern[str], text: str) -> int:
    return sum(map(len, pattern.findall(text)))


@lru_cache(maxsize=1024)
def read_script_of_name(name: str) -> str | None:
    """The language that the script of a source's name tells; all its articles ask for it."""
    return read_script(name)


def read_script(text: str) -> str | None:
    """The language that the script tells; a few Chinese characters do not make an English text Chinese.

    >>> [read_script(text) for text in ("iPhone 12 跑分", "骁龙690とは", "안녕하세요", "TNN: 腾讯优图", "MNN 2.0")]
    ['zh', 'ja', 'ko', 'zh', None]
    """
    if text.isascii():
        return None
    han = _count_characters(_HAN, text)
    kana, hangul = (
        (_count_characters(_KANA, text), _count_characters(_HANGUL, text)) if _OF_NEIGHBOURS.search(text) else (0, 0)
    )
    if kana >= 2 and kana >= 0.2 * (kana + han):
        return "ja"
    if hangul >= 2 and hangul >= han:
        return "ko"
    word_count = len(_WORD.findall(text))
    if han >= 2 and han >= 0.2 * word_count:
        return "zh"
    return next((name for name, script in _OTHER_SCRIPTS.items() if len(script.findall(text)) > word_count), None)


def _is_brief_japanese(sample: str, tag: str | None) -> bool:
    """Whether a few Chinese characters without kana are Japanese, by the source's word.

    >>> _is_brief_japanese("深層学習", "ja"), _is_brief_japanese("深層学習", "zh")
    (True, False)
    """
    return tag == "ja" and _count_characters(_HAN, sample) <= _FEW_HAN


def _choose_likeliest(sample: str, rules: LanguageRules) -> str:
    """The language with the highest prior for a text in Latin script of which nothing else tells the language."""
    return max(rules.prior, key=rules.prior.__getitem__) if _LATIN.search(_ADDRESS.sub("", sample)) else UNDETERMINED


def _match_small_words(sample: str, rules: LanguageRules) -> str | None:
    text_words = _WORD.findall(sample.lower())
    small_words = rules.small_words
    for language, small_words_of_language in small_words.of.items():
        matches = sum(word in small_words_of_language for word in text_words)
        if matches >= small_words.least and matches >= small_words.share * len(text_words):
            return language
    return None


def _guess_by_statistics(sample: str, rules: LanguageRules) -> str | None:
    if len(_PLAIN_WORD.findall(sample)) < rules.statistics.least:
        return None
    with _LOAD_LOCK:
        factory = _load_factory(tuple(sorted(rules.prior)))
    detector = factory.create()
    detector.seed = 0
    detector.set_prior_map(dict(rules.prior))
    detector.append(sample)
    try:
        guesses = detector.get_probabilities()
    except LangDetectException:  # the sample holds only addresses and numbers
        return None
    is_sure = guesses and guesses[0].prob >= rules.statistics.probability
    return _read_tag(guesses[0].lang) if is_sure else None


def _read_tag(tag: str | None) -> str | None:
    """The language code at the start of a language tag, or None.

    >>> [_read_tag(tag) for tag in ("zh-cn", "EN_us", "unknown", "und", None)]
    ['zh', 'en', None, None, None]
    """
    match = re.match(r"([A-Za-z]{2})(?:[-_].*)?$", tag or "")
    return match[1].lower() if match else None


_LOAD_LOCK: Final = Lock()


@lru_cache(maxsize=4)
def _load_factory(languages: tuple[str, ...]) -> Any:
    """A detector factory with the profiles of these languages only: all 55 make detection five times as slow."""
    profiles = [(Path(PROFILES_DIRECTORY) / language).read_text(encoding="utf-8") for language in languages]
    factory = DetectorFactory()
    factory.load_json_profile(profiles)
    return factory
