"""What the terms of a topic are worth, and when they count."""

from __future__ import annotations

import pytest

from pipelines.group.relevance import TopicTerms, measure_rarity
from pipelines.group.topics import measure_terms, propose_terms
from pipelines.newsletter import Category, Newsletter, Topic

TERMS = TopicTerms.of(
    Newsletter(
        title="试刊",
        editor="e",
        categories=(Category(name="新闻"),),
        topics=(
            Topic(name="量化", weight=1.0, terms=("量化", "int8"), ambiguous=("fast",), other_senses=("量化交易",)),
            Topic(name="端侧", weight=1.0, terms=("端侧",), ambiguous=("iOS", "Android")),
        ),
    )
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("iOS 与 Android 开发", set()),
        ("iOS 上的 int8 推理", {"iOS", "int8"}),
        ("fast 的 iOS 应用", {"fast", "iOS"}),
        ("量化交易系统", set()),
        ("量化交易与低比特量化", {"量化"}),
        ("iOS 开发", set()),
    ],
)
def test_an_ambiguous_word_counts_only_in_company_and_no_term_inside_a_word_of_another_sense(
    text: str, terms: set[str]
) -> None:
    assert TERMS.find_terms(text) == terms


def test_an_ambiguous_word_weighs_less_than_a_term() -> None:
    assert TERMS.weigh_topics("fast 的 iOS 应用", {}) == {"量化": 0.6, "端侧": 0.6}


def test_the_rarer_a_term_in_the_store_the_more_it_weighs() -> None:
    texts = ["量化"] * 500 + ["端侧"] * 3 + ["别的"] * 497
    rarity = measure_rarity(texts, TERMS)
    assert 0 < rarity["量化"] < 0.1
    assert 0.6 < rarity["端侧"] < 1


def test_a_term_that_the_store_is_full_of_and_no_issue_printed_is_to_be_dropped() -> None:
    rows = {
        row.term: row for row in measure_terms(["量化"] * 50 + ["别的"] * 50, ["端侧"] * 90 + ["别的"] * 900, TERMS)
    }
    assert (rows["量化"].advice, rows["端侧"].advice) == ("keep", "drop")
    assert (rows["量化"].picks, rows["量化"].hits, rows["端侧"].hits) == (50, 0, 90)


def test_what_chance_explains_is_no_reason_to_drop_a_term() -> None:
    rows = measure_terms(["别的"] * 99 + ["端侧"], ["端侧"] * 2 + ["别的"] * 900, TERMS)
    assert [row.advice for row in rows] == ["keep"]


def test_a_term_that_is_only_somewhat_commoner_among_the_picks_is_ambiguous() -> None:
    picked, store = ["端侧"] * 40 + ["别的"] * 60, ["端侧"] * 120 + ["别的"] * 880
    assert [row.advice for row in measure_terms(picked, store, TERMS)] == ["ambiguous"]


def test_a_word_of_many_picks_that_the_topics_lack_is_proposed() -> None:
    proposed = propose_terms(["芯片与量化"] * 20, ["家常菜"] * 500, TERMS)
    assert "芯片" in {row.term for row in proposed}
    assert not {"量化", "家常"} & {row.term for row in proposed}
