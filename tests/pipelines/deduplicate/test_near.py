"""Which texts are nearly the same."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from builders import stored
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deduplicate.bands import POPULAR
from pipelines.deduplicate.near import (
    find_near_evidence,
    make_shingles,
    make_text_keys,
    measure_resemblance,
    texts_differ,
)
from pipelines.model import StoredArticle

HAN = [chr(code) for code in range(0x4E00, 0x5A00)]


def prose(seed: int, length: int = 1_500) -> str:
    """Lines that nobody wrote."""
    chance = random.Random(seed)
    lines = ["".join(chance.choices(HAN, k=chance.randint(15, 60))) + "。" for _ in range(length // 15)]
    kept = next(count for count in range(len(lines) + 1) if sum(map(len, lines[:count])) >= length)
    return "\n".join(lines[:kept])


def edited(text: str, share: float) -> str:
    """The text with so many of its characters replaced."""
    chance = random.Random(0)
    return "".join(chance.choice(HAN) if chance.random() < share else character for character in text)


def pair(one: str, other: str, **values: object) -> list[StoredArticle]:
    return [stored(1, text=one, publisher="甲"), stored(2, **{"text": other, "publisher": "乙", **values})]


@pytest.mark.parametrize("share", [0.01, 0.03, 0.05])
def test_a_reprint_with_small_edits_under_another_title_is_the_same_text(share: float) -> None:
    joined = [find_near_evidence(pair(prose(n), edited(prose(n), share), title="换了说法")) for n in range(20)]
    assert all(joined)


def test_a_reprint_with_another_head_and_foot_and_without_a_paragraph_is_the_same_text() -> None:
    lines = prose(7).splitlines()
    reprint = "\n".join([prose(8, 150), *lines[:10], *lines[14:], prose(9, 150)])
    (found,) = find_near_evidence(pair(prose(7), reprint))
    assert found.kind == "near-text"
    assert found.articles == (1, 2)
    assert found.text("zh").startswith("正文相似 0.")


@pytest.mark.parametrize(("around", "body"), [(200, 500), (200, 190)])
def test_articles_that_share_head_and_foot_only_are_not_the_same(around: int, body: int) -> None:
    head, foot = prose(1_000, around), prose(1_001, around)
    articles = [stored(n, text=f"{head}\n{prose(n, body)}\n{foot}", publisher=f"号{n}") for n in range(1, 30)]
    assert find_near_evidence(articles) == ()


def test_articles_of_one_account_are_not_compared() -> None:
    assert find_near_evidence(pair(prose(1), prose(1), publisher="甲")) == ()


def test_what_comes_back_after_weeks_is_a_repeat() -> None:
    assert find_near_evidence(pair(prose(1), prose(1), days=29))
    assert not find_near_evidence(pair(prose(1), prose(1), days=31))


def test_the_same_form_filled_in_for_another_model_is_another_text() -> None:
    one, other = pair(prose(1), prose(1))
    articles = [stored(1, text=prose(1), publisher="甲", title="骁龙690 评测"), other]
    assert find_near_evidence([one, other])
    assert find_near_evidence(articles)
    articles[1] = stored(2, text=prose(1), publisher="乙", title="骁龙865 评测")
    assert not find_near_evidence(articles)


def test_a_short_text_has_to_be_nearly_equal_and_a_few_words_say_nothing() -> None:
    digest = prose(3, 130)
    assert find_near_evidence(pair(digest, digest + "（完）"))
    assert not find_near_evidence(pair(digest, digest[:100] + prose(4, 30)))
    assert not find_near_evidence(pair(digest[:40], digest[:40]))
    assert make_text_keys(digest[:40]) == ()


def test_a_key_that_too_many_share_joins_nothing() -> None:
    articles = [stored(n, text=prose(1, 300), publisher=f"号{n}") for n in range(1, POPULAR + 2)]
    assert find_near_evidence(articles[:POPULAR])
    assert find_near_evidence(articles) == ()


def test_width_case_script_and_punctuation_make_no_difference() -> None:
    assert (
        measure_resemblance(make_shingles("在端側部署 ＴＮＮ，延遲降低！"), make_shingles("在端侧部署tnn 延迟降低"))
        == 1.0
    )


def test_latin_texts_are_compared_by_words_since_their_letters_are_few() -> None:
    chance = random.Random(0)
    vocabulary = ["".join(chance.choices("aeiorstnl", k=chance.randint(2, 6))) for _ in range(600)]
    one, other = (" ".join(chance.choices(vocabulary, k=3_000)) for _ in range(2))
    assert measure_resemblance(make_shingles(one), make_shingles(other)) < 0.01


def test_only_two_long_texts_can_tell_that_an_equal_title_is_a_coincidence() -> None:
    assert texts_differ(prose(1), prose(2))
    assert not texts_differ(prose(1), prose(1) + prose(2))
    assert not texts_differ(prose(1), prose(2, 100))
    assert not texts_differ("", prose(2))


def test_another_process_makes_the_same_keys() -> None:
    code = "import sys; from pipelines.deduplicate.near import make_text_keys; print(make_text_keys(sys.stdin.read()))"
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=prose(1), capture_output=True, text=True, check=True, env=environment,
        encoding="utf-8",
    )  # fmt: skip
    assert done.stdout.strip() == str(make_text_keys(prose(1)))


def test_the_keys_are_those_that_are_stored() -> None:
    """If this fails, `VERSION` has to be raised: keys in a store no longer match."""
    keys = make_text_keys("端侧推理引擎把算子融合、内存复用与低比特量化合在一起，延迟降低一半。" * 3)
    assert len(keys) == 20
    assert keys[:3] == (-167_529_550_042_214_436, -6_309_036_978_098_566_114, -2_818_697_125_500_287_542)


@pytest.mark.parametrize("text", ["", "，。", "a", "😀" * 100_000, "\ud800" * 1_000, "a " * 100_000, "量" * 100_000])
def test_no_text_is_too_odd(text: str) -> None:
    assert len(make_text_keys(text)) in (0, 20)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_the_articles_makes_no_difference(rows: list[tuple[int, int]], order: random.Random) -> None:
    articles = [
        stored(n, text=prose(seed, 400), days=days, publisher=f"号{n}") for n, (seed, days) in enumerate(rows, 1)
    ]
    shuffled = list(articles)
    order.shuffle(shuffled)
    assert find_near_evidence(articles) == find_near_evidence(shuffled)
