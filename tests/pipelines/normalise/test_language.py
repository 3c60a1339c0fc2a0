"""Which language a text is in."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.normalise.language import read_language
from pipelines.rules import Rules


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("骁龙690移动平台发布", "zh"),
        ("iPhone 12 跑分曝光", "zh"),
        ("TNN: 腾讯优图的推理框架", "zh"),
        ("高通推出三款移动平台", "zh"),
        ("臺灣的邊緣運算", "zh"),
        ("スマートフォンの量子化とは", "ja"),
        ("骁龙の新作", "zh"),
        ("모바일 추론 프레임워크", "ko"),
        ("Learning Both Weights and Connections for Efficient Neural Networks", "en"),
        ("How to quantize a model for the edge", "en"),
        ("MNN 2.0 released", "en"),
        ("Wie man ein Modell für das Handy verkleinert", "de"),
        ("Comment réduire la taille d'un modèle pour les téléphones", "fr"),
        ("Сжатие нейронных сетей", "ru"),
        ("https://github.com/a/b", "und"),
        ("12345 !!! 😀", "und"),
        ("", "und"),
    ],
)
def test_titles(title: str, language: str, rules: Rules) -> None:
    assert read_language(title, "", None, rules) == language


@pytest.mark.parametrize(
    "title",
    [
        "TinyEngine 4.1.0",
        "MNN 3.2",
        "NPU SDK",
        "ONNX Runtime 2.1",
        "Qwen-VL2",
        "ggml.c b512",
        "OpenNPU 2031.2 LTS",
        "v1.2",
    ],
)
def test_a_title_of_names_and_numbers_has_the_language_of_its_text_or_its_source(title: str, rules: Rules) -> None:
    assert read_language(title, "", None, rules) == "en"
    assert read_language(title, "", "zh-CN", rules) == "zh"
    assert read_language(title, "", "de", rules) == "de"
    assert read_language(title, "Die neue Version ist schneller und braucht weniger Speicher.", "zh", rules) == "de"
    assert read_language(title, "新版本更快，内存更省。", "en", rules) == "zh"


def test_a_japanese_title_without_kana_is_japanese_in_a_japanese_source_alone(rules: Rules) -> None:
    title = "深層学習最新動向"
    assert read_language(title, "", "ja", rules) == "ja"
    assert read_language(title, "量子化と蒸留について説明します。", None, rules) == "ja"
    assert read_language(title, "", None, rules) == "zh"
    assert read_language(title, "本文介绍量化与蒸馏的最新进展，并给出手机上的实测结果。" * 5, "ja", rules) == "zh"
    assert read_language("推荐必访的店家「ヤマ」，在上野站对面", "", None, rules) == "zh"


def test_a_chinese_name_does_not_make_an_english_text_chinese(rules: Rules) -> None:
    text = "We thank our colleague 张三 for the idea. " + "The model is small and it runs on the phone. " * 20
    assert read_language("Small models on the phone", text, None, rules) == "en"


def test_an_english_title_over_a_chinese_text_is_chinese(rules: Rules) -> None:
    assert read_language("MobileNetV3", "这篇文章讲移动端的网络结构。" * 10, None, rules) == "zh"


def test_what_the_page_declares_counts_only_where_the_text_does_not_tell(rules: Rules) -> None:
    assert read_language("12345", "", "zh-CN", rules) == "zh"
    assert read_language("How to quantize a model for the edge", "", "zh-CN", rules) == "en"
    assert read_language("12345", "", "none of these", rules) == "und"


def test_the_same_text_is_always_in_the_same_language(rules: Rules) -> None:
    assert len({read_language("Ok Alexa: Model X", "", None, rules) for _ in range(20)}) == 1


@pytest.mark.fault("K5")
def test_eight_threads_may_ask_at_once_before_anything_is_loaded() -> None:
    """langdetect#65: profiles that load on the way make the other threads fail."""
    program = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from crawler.home import Home, bundled
from pipelines.normalise.language import read_language
from pipelines.rules import load_rules
rules = load_rules(Home(bundled()))
barrier = Barrier(8)
def ask(number):
    barrier.wait()
    return read_language("Wie man ein Modell verkleinert", "", None, rules)
with ThreadPoolExecutor(8) as pool:
    print(*pool.map(ask, range(8)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["de"] * 8, done.stderr


@pytest.mark.parametrize("text", ["Fast conv", "Net bug", "Fix build"])
def test_three_short_words_below_a_name_and_a_number_are_no_ground_for_statistics(text: str, rules: Rules) -> None:
    assert read_language("ncnn 20261116", text, None, rules) == "en"
