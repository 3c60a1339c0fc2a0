"""One event, one story: what an article says of its event, which pairs report one, and how groups grow."""

from __future__ import annotations

import math
from dataclasses import replace
from difflib import SequenceMatcher
from random import Random

import pytest
from builders import stored
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.deduplicate.event_groups import OFFERING, EventMember, combine_probabilities, join_events
from pipelines.deduplicate.event_model import EventModel, Rarity, load_event_model
from pipelines.deduplicate.event_profiles import EventProfile, make_term, read_event_profile
from pipelines.deduplicate.events import (
    CROWD,
    WINDOW,
    EventKey,
    EventLink,
    _find_common_run,
    _QuickWeights,
    _Vector,
    find_event_links,
    find_event_pairs,
    find_features,
    find_highest_log_odds,
    make_link_evidence,
)
from pipelines.deduplicate.stories import find_event_links_among, make_stories
from pipelines.model import StoredArticle
from pipelines.newsletter import load_newsletter
from pipelines.rules import load_rules

RULES = load_rules(Home(bundled())).events
ZONE = load_newsletter(Home(bundled()).newsletter).zone
MODEL = load_event_model()


def read_profile(title: str, **values: object) -> EventProfile:
    profile = read_event_profile(stored(1, title=title, **values).article, RULES)
    assert profile is not None
    return profile


def join(*articles: StoredArticle) -> list[tuple[int, ...]]:
    links = find_event_links_among(articles, RULES, MODEL, ZONE)
    return [story.members for story in make_stories(articles, (), {}, (), links) if len(story.members) > 1]


def test_a_title_is_read_for_names_versions_numbers_and_actions() -> None:
    profile = read_profile("OpenAI 发布 GPT-5.6 Sol，提速 85%，售价 390 万元")
    assert {make_term("name", "OpenAI"), make_term("version", "gpt5.6"), make_term("word", "sol")} <= profile.in_title
    assert {make_term("number", "85%"), make_term("number", "3900000")} <= profile.in_title
    assert profile.actions == {"发布"}


def test_spellings_of_one_subject_are_one_name() -> None:
    assert make_term("name", "英伟达") in (
        read_profile("老黄又来了", summary="他说。").in_title & read_profile("NVIDIA 又来了", summary="他说。").in_title
    )


def test_a_short_title_without_any_text_tells_no_event() -> None:
    assert read_event_profile(stored(1, title="猫咪日常甲").article, RULES) is None
    assert read_event_profile(stored(1, title="猫咪日常甲", summary="今天晒太阳。").article, RULES) is not None


def test_an_address_in_the_digest_is_read_for_its_words() -> None:
    profile = read_profile("预览下一代模型", summary="https://openai.com/index/previewing-gpt-5-6-sol/")
    assert {make_term("version", "gpt5.6"), make_term("word", "sol")} <= profile.in_all


def test_recruitment_papers_and_repositories_report_no_event() -> None:
    assert read_event_profile(stored(1, title="量子位编辑作者招聘").article, RULES) is None
    assert read_event_profile(stored(1, kind="arxiv", keys=("arxiv:2511.00001",)).article, RULES) is None
    assert read_event_profile(stored(1, kind="github", keys=("github:a/b",)).article, RULES) is None


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200))
def test_a_profile_survives_the_store(title: str, summary: str) -> None:
    profile = read_event_profile(stored(1, title=f"星澜{title}", summary=summary).article, RULES)
    assert profile is None or EventProfile.from_json(profile.to_json()) == profile


def test_a_profile_that_has_its_terms_by_kind_is_still_read() -> None:
    text = """{"account": "甲", "hours": 1.0, "title": "星澜 n9", "runs": ["星澜"], "actions": ["发布"],
        "more_actions": [], "study": false, "head": [["version", "n9"]],
        "terms": {"version": [["n9"], ["kp7"]], "characters": [["星澜"], ["云雀"]]}}"""
    profile = EventProfile.from_json(text)
    assert profile.in_head == {make_term("version", "n9")}
    assert profile.in_title == {make_term("version", "n9"), make_term("characters", "星澜")}
    assert profile.in_all == profile.in_title | {make_term("version", "kp7"), make_term("characters", "云雀")}
    assert profile.runs == ((make_term("characters", "星澜"),),)
    assert EventProfile.from_json(profile.to_json()) == profile


REPORTS = (
    stored(1, title="云雀半导体发布星澜 N9 芯片，端侧推理提速 85%", publisher="甲"),
    stored(
        2,
        title="星澜 N9 来了！云雀半导体要和手机芯片掰手腕",
        publisher="乙",
        days=0.2,
        summary="云雀半导体发布星澜 N9，提速 85%。",
    ),
    stored(
        3, title="实测云雀星澜 N9：提速 85% 是真的吗", publisher="丙", days=0.9, summary="云雀半导体的星澜 N9 芯片。"
    ),
)


def test_reports_in_words_of_their_own_are_one_story() -> None:
    assert join(*REPORTS) == [(1, 2, 3)]


def test_an_account_s_second_report_joins() -> None:
    second = stored(4, title="云雀半导体星澜 N9 芯片拆解：提速 85% 从哪来", publisher="甲", days=0.5)
    assert join(*REPORTS, second) == [(1, 2, 3, 4)]


def test_the_same_product_weeks_later_is_another_event() -> None:
    late = stored(4, title="星澜 N9 来了！云雀半导体提速 85%", publisher="丁", days=WINDOW + 10)
    assert join(*REPORTS, late) == [(1, 2, 3)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("天玑 9300 发布，安兔兔跑分破 200 万", "天玑 9300+ 发布，安兔兔跑分破 200 万"),
        ("小米 14 首发评测：影像与性能", "小米 14 Ultra 首发评测：影像与性能"),
        ("PyTorch 2.1 正式版发布说明", "PyTorch 2.1.1 正式版发布说明"),
        ("云雀半导体发布星澜 690 芯片", "云雀半导体今天发布星澜 865 芯片"),
    ],
)
def test_look_alikes_are_no_event(one: str, other: str) -> None:
    assert join(stored(1, title=one, publisher="甲"), stored(2, title=other, publisher="乙", days=0.3)) == []


def test_look_alikes_are_not_joined_through_a_third_report_either() -> None:
    reports = (
        stored(1, title="骁龙 8 Gen 3 移动平台正式发布，AI 性能大涨", publisher="甲"),
        stored(2, title="骁龙 8s Gen 3 移动平台正式发布，AI 性能大涨", publisher="乙", days=0.1),
        stored(3, title="高通发布骁龙 690，首款支持 5G 的 6 系平台", publisher="丙", days=0.2),
    )
    assert join(*reports) == []


def test_two_titles_that_begin_with_one_rare_subject_are_likelier_one_event() -> None:
    model = replace(MODEL, suggest=0.0)

    def judge(title: str) -> float:
        first = read_profile("零跑提档 D99，杀入绞肉机市场", publisher="甲", summary="抢地盘要快。")
        second = replace(read_profile(title, publisher="乙", summary="消费者不为标买单了。"), hours=first.hours + 3)
        return find_event_links({1: first, 2: second}, [(1, 2)], model)[0].probability

    assert judge("零跑朱江明：想做一台电动埃尔法") > judge("朱江明：想做一台电动埃尔法的零跑")


def test_a_key_of_a_crowd_links_nothing_on_its_day() -> None:
    keys = [EventKey(7, 100, number) for number in range(CROWD + 1)]
    assert find_event_pairs(keys) == set()
    assert len(find_event_pairs(keys[1:])) == CROWD * (CROWD - 1) // 2


def test_pairs_are_within_the_window() -> None:
    keys = [EventKey(7, 100, 1), EventKey(7, 100 + WINDOW, 2), EventKey(7, 101 + WINDOW, 3)]
    assert find_event_pairs(keys) == {(1, 2), (2, 3)}


def test_a_feature_that_no_pair_has_leaves_the_intercept() -> None:
    model = EventModel(0.0, {"cosine": 2.0}, Rarity(10, {}), 0.5, 0.1)
    assert model.find_probability({"cosine": 0.0}) == 0.5
    assert model.find_probability({"cosine": 9.0}) > 0.99


def test_the_model_survives_its_file() -> None:
    again = EventModel.from_json(MODEL.to_json())
    assert again.weights == MODEL.weights
    assert again.rarity.counts == MODEL.rarity.counts
    assert again.rarity.articles == MODEL.rarity.articles


subjects = st.lists(
    st.sampled_from(
        [
            "云雀半导体",
            "星澜 N9",
            "星澜 N8",
            "发布",
            "裁员",
            "提速 85%",
            "open source",
            "claude code",
            "390 万元",
            "谷歌",
            "端侧推理",
            "研究",
            "的",
            "掰手腕",
            "，",
        ]
    ),
    min_size=2,
    max_size=9,
).map("".join)


@given(
    st.tuples(subjects, subjects, st.sampled_from("甲乙"), st.floats(0, 4)),
    st.tuples(subjects, subjects, st.sampled_from("甲乙"), st.floats(0, 4)),
    st.randoms(use_true_random=False),
)
def test_the_highest_log_odds_of_a_pair_are_no_lower_than_its_features_give(
    one: tuple[str, str, str, float], other: tuple[str, str, str, float], chance: Random
) -> None:
    articles = [
        stored(number, title=f"星澜{title}模型", summary=summary, publisher=publisher, days=days)
        for number, (title, summary, publisher, days) in enumerate((one, other), 1)
    ]
    profiles = [read_event_profile(each.article, RULES) for each in articles]
    assume(all(profiles))
    first, second = (_Vector.of(profile, MODEL.rarity) for profile in profiles if profile)
    features = find_features(first.profile, second.profile, MODEL.rarity)
    scattered = {name: chance.uniform(-2, 2) for name in MODEL.weights}
    for weights in (MODEL.weights, {name: abs(weight) for name, weight in MODEL.weights.items()}, scattered):
        model = replace(MODEL, weights=weights)
        highest = find_highest_log_odds(first, second, _QuickWeights.from_model(model))
        if features is None:
            assert highest == -math.inf or first.letters != second.letters
        else:
            log_odds = model.intercept + sum(weights[name] * amount for name, amount in features.items())
            assert highest >= log_odds - 1e-6


@given(st.text(alphabet="云雀n9", max_size=9), st.text(alphabet="云雀n9", max_size=9))
def test_the_common_run_of_two_titles_is_the_one_that_difflib_finds(first: str, second: str) -> None:
    match = SequenceMatcher(None, first, second, autojunk=False).find_longest_match()
    assert _find_common_run(first, second) == first[match.a : match.a + match.size]


def test_no_weight_of_the_model_is_missing_from_the_highest_log_odds() -> None:
    profiles = [read_event_profile(report.article, RULES) for report in REPORTS]
    first, second = (_Vector.of(profile, MODEL.rarity) for profile in profiles[:2] if profile)
    features = find_features(first.profile, second.profile, MODEL.rarity)
    assert features is not None
    for name, amount in features.items():
        alone = replace(MODEL, intercept=0.0, weights={each: float(each == name) for each in features})
        assert find_highest_log_odds(first, second, _QuickWeights.from_model(alone)) >= amount - 1e-6, name


def test_links_do_not_depend_on_which_article_came_first() -> None:
    profiles = {report.id: read_event_profile(report.article, RULES) for report in REPORTS}
    found = {number: profile for number, profile in profiles.items() if profile is not None}
    turned = {4 - number: profile for number, profile in found.items()}
    pairs = [(1, 2), (1, 3), (2, 3)]
    forth = sorted((link.probability, link.hours) for link in find_event_links(found, pairs, MODEL))
    back = sorted((link.probability, link.hours) for link in find_event_links(turned, pairs, MODEL))
    assert forth == back != []


def link(one: int, other: int, probability: float) -> EventLink:
    return EventLink((min(one, other), max(one, other)), probability, ("星澜",), None, 1)


MEMBERS = {
    number: EventMember(100, (float(number), f"https://example.org/{number}"), f"账号{number}")
    for number in range(1, 7)
}


def test_a_chain_of_links_is_no_event() -> None:
    chain = [link(1, 2, 0.9), link(2, 3, 0.5), link(3, 4, 0.9)]
    joined = join_events([(1,), (2,), (3,), (4,)], MEMBERS, chain, 0.4)
    assert [event.clusters for event in joined] == [(0, 1), (2, 3)]


def test_titles_that_contradict_each_other_keep_their_groups_apart() -> None:
    links = [link(1, 2, 0.9), link(2, 3, 0.9), link(1, 3, 0.0)]
    (event,) = join_events([(1,), (2,), (3,)], MEMBERS, links, 0.4)
    assert event.clusters == (0, 1)


def test_one_strong_link_counts_more_when_groups_are_offered_than_when_they_join() -> None:
    assert combine_probabilities([0.9], 16) < 0.3 < combine_probabilities([0.9], 16, OFFERING)


def test_what_an_editor_set_apart_stays_apart() -> None:
    assert join_events([(1,), (2,)], MEMBERS, [link(1, 2, 0.9)], 0.4, [(1, 2)]) == ()


def test_what_one_account_alone_writes_is_no_event_until_another_account_reports_it() -> None:
    members = MEMBERS | {2: replace(MEMBERS[2], account=MEMBERS[1].account)}
    alone = [link(1, 2, 0.9)]
    assert join_events([(1,), (2,)], members, alone, 0.4) == ()
    (event,) = join_events([(1,), (2,), (3,)], members, [*alone, link(1, 3, 0.6), link(2, 3, 0.6)], 0.4)
    assert event.clusters == (0, 1, 2)


def test_an_event_does_not_span_weeks() -> None:
    members = {1: MEMBERS[1], 2: replace(MEMBERS[2], day=120)}
    assert join_events([(1,), (2,)], members, [link(1, 2, 0.9)], 0.4) == ()


pairs_of_members = st.tuples(st.integers(1, 6), st.integers(1, 6)).filter(lambda pair: pair[0] < pair[1])


@settings(deadline=None)
@given(
    st.dictionaries(pairs_of_members, st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.5, 0.7, 0.9])),
    st.permutations(range(1, 7)),
)
def test_groups_do_not_depend_on_order_and_every_cluster_is_in_one(
    probabilities: dict[tuple[int, int], float], order: list[int]
) -> None:
    links = [link(*pair, probability) for pair, probability in probabilities.items()]

    def groups(numbers: list[int], given_links: list[EventLink]) -> set[frozenset[int]]:
        joined = join_events([(number,) for number in numbers], MEMBERS, given_links, 0.4)
        return {frozenset(numbers[index] for index in event.clusters) for event in joined}

    found = groups([1, 2, 3, 4, 5, 6], links)
    assert groups(order, links[::-1]) == found
    assert sum(map(len, found)) == len(frozenset().union(*found))


def test_the_evidence_names_what_is_shared() -> None:
    evidence = make_link_evidence(EventLink((1, 2), 0.9, ("gpt5.6", "sol"), "发布", 3))
    assert evidence.text("zh") == "gpt5.6、sol · 发布 · 相隔 3 小时"
