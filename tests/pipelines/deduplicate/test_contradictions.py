"""What keeps two articles apart, and how far evidence joins them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from builders import stored
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deduplicate.clusters import DIAMETER, make_clusters
from pipelines.deduplicate.contradictions import differ_in_details, find_contradiction, read_identifiers
from pipelines.model import Evidence, StoredArticle

CONTRADICTING = [
    ("高通发布骁龙690，支持5G", "高通发布骁龙865，支持5G"),
    ("骁龙690首发评测", "骁龙865正式发布"),
    ("iPhone 11 首发评测", "iPhone 12 首发评测"),
    ("iPhone12 开箱", "ＩＰＨＯＮＥ １１ 开箱"),
    ("TF 2.2 正式发布", "TF 2.3 正式发布"),
    ("推理框架 v1.2.0 发布", "推理框架 v1.3.0 发布"),
    ("端侧框架 MNN 1.1 发布", "端侧框架 MNN-1.2 发布"),
    ("GPT-4 上手", "GPT-4o 上手"),
    ("RTX 3080 首测", "RTX 3080Ti 首测"),
    ("嵌入式AI简报 08-15", "嵌入式AI简报 08-30"),
    ("嵌入式AI简报 (2020-08-15)", "嵌入式AI简报 (2020-08-30)"),
    ("论文速递（6月10日更新）", "论文速递（6月11日更新）"),
    ("每日文章（04.27）", "每日文章（04.29）"),
    ("简报 20200815", "简报 20200830"),
    ("研讨会第③期", "研讨会第⑥期"),
    ("研讨会第二〇期", "研讨会第三〇期"),
    ("架构设计（上）", "架构设计（下）"),
    ("深入理解网络二：云化", "深入理解网络三：融合"),
    ("面试指南一", "面试指南四"),
    ("2019年终总结", "2020 年终总结"),
    ("Part 1：起步", "part-2 起步"),
]

AGREEING = [
    ("TensorFlow 2.2 正式发布", "TensorFlow 2.2.0 来了"),
    ("TensorFlow 2 改了什么", "TensorFlow 2.3 改了什么"),
    ("iPhone 12 发布", "iPhone 11 和 iPhone 12 怎么选"),
    ("iPhone 12 的 5 个看点", "iPhone 12：11 项升级"),
    ("iPhone 11/12 对比", "iPhone 12 评测"),
    ("骁龙865 手机支持 5G", "5G 手机用上骁龙865"),
    ("CVPR 2021 论文解读", "CVPR21 论文解读"),
    ("YOLOv5 来了", "YOLO v5 来了"),
    ("简报 2020-08-15", "简报 8月15日"),
    ("一周涨了 3 千星", "一周涨了 3000 星"),
    ("第3期", "第三期"),
    ("端侧推理", "骁龙865 端侧推理"),
]


@pytest.mark.parametrize(("one", "other"), CONTRADICTING)
@pytest.mark.fault("C8")
def test_another_model_version_date_or_part_is_another_story(one: str, other: str) -> None:
    assert find_contradiction(read_identifiers(one), read_identifiers(other)) is not None


@pytest.mark.parametrize(("one", "other"), AGREEING)
def test_numbers_that_may_mean_the_same_do_not_contradict(one: str, other: str) -> None:
    assert find_contradiction(read_identifiers(one), read_identifiers(other)) is None
    assert not differ_in_details(read_identifiers(one), read_identifiers(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("送 12 本《端侧推理》", "包邮送20本《端侧推理》"),
        ("融资 20 亿美元", "融资25亿美元"),
        ("涨了1.7%", "涨了2.6%"),
        ("Kafka 面试题", "Redis 面试题"),
        ("一文读懂 BERT", "一文读懂 ALBERT"),
        ("NVIDIA A100 测评", "NVIDIA V100 测评"),
    ],
)
def test_other_amounts_and_names_make_other_titles_but_no_contradiction(one: str, other: str) -> None:
    assert differ_in_details(read_identifiers(one), read_identifiers(other))
    assert find_contradiction(read_identifiers(one), read_identifiers(other)) is None


def test_the_singular_the_plural_and_a_name_that_only_one_has_are_no_other_names() -> None:
    assert not differ_in_details(
        read_identifiers("Transformer 综述"), read_identifiers("A Survey of Transformers：综述")
    )


@pytest.mark.parametrize("unit", ["1", "a1", "1万", "1.", "( 1", "一", "第", "【a", "2020-1-", "1月", "\ud800"])
def test_twice_as_long_a_title_costs_twice_as_much_to_read(unit: str) -> None:
    half = unit * (5_000 // len(unit))
    assert_twice_costs_at_most_three_times(read_identifiers, half, half * 2)


# ---- Joining


def edge(one: int, other: int, kind: str = "near-text") -> Evidence:
    return Evidence(kind, "evidence/key", (min(one, other), max(one, other)))


def members(articles: Sequence[StoredArticle], *edges: Evidence, **options: object) -> list[tuple[int, ...]]:
    return [cluster.members for cluster in make_clusters(articles, edges, **options)]  # type: ignore[arg-type]


def test_two_models_are_kept_apart_even_where_a_third_article_is_joined_to_both() -> None:
    articles = [stored(1, title="骁龙690 发布"), stored(2, title="高通新芯片"), stored(3, title="骁龙865 发布", days=1)]
    assert members(articles, edge(1, 2), edge(2, 3)) == [(1, 2), (3,)]


def test_stronger_evidence_is_taken_first() -> None:
    articles = [stored(1, title="骁龙690 发布"), stored(2, title="高通新芯片"), stored(3, title="骁龙865 发布", days=1)]
    assert members(articles, edge(1, 2, "similar-title"), edge(2, 3, "near-text")) == [(1,), (2, 3)]


def test_what_an_article_names_itself_need_not_have_its_version_in_the_title() -> None:
    articles = [stored(1, title="比 YOLOv3 快一倍的检测器"), stored(2, title="YOLOv4: optimal speed", kind="arxiv")]
    assert members(articles, edge(1, 2, "names")) == [(1, 2)]
    assert members(articles, edge(1, 2, "shared-reference")) == [(1,), (2,)]


def test_a_chain_of_evidence_is_cut_where_it_gets_too_long() -> None:
    articles = [stored(n, title="推理", days=n) for n in range(1, 9)]
    found = members(articles, *(edge(n, n + 1) for n in range(1, 8)))
    assert max(map(len, found)) == DIAMETER + 1
    assert sorted(one for cluster in found for one in cluster) == list(range(1, 9))


def test_a_crowd_around_one_article_is_no_chain() -> None:
    articles = [stored(n) for n in range(1, 31)]
    assert members(articles, *(edge(1, n) for n in range(2, 31))) == [tuple(range(1, 31))]
    assert members(articles, *(edge(n, m) for n in range(1, 31) for m in range(n + 1, 31))) == [tuple(range(1, 31))]


def test_a_person_joins_what_contradicts_and_sets_apart_what_is_joined() -> None:
    articles = [stored(1, title="骁龙690"), stored(2, title="骁龙865"), stored(3)]
    assert members(articles, edge(1, 2, "by-hand")) == [(1, 2), (3,)]
    assert members(articles, edge(1, 3), edge(2, 3), apart=[(1, 3)]) == [(1,), (2, 3)]


def test_a_person_sets_apart_even_what_a_person_joined() -> None:
    articles = [stored(n) for n in (1, 2, 3)]
    by_hand = (edge(1, 2, "by-hand"), edge(2, 3, "by-hand"))
    assert members(articles, *by_hand) == [(1, 2, 3)]
    assert len(members(articles, *by_hand, apart=[(1, 3)])) == 2
    assert members(articles, *by_hand, apart=[(1, 2)]) == [(1,), (2, 3)]


def test_what_a_person_joined_has_its_chain_measured_without() -> None:
    articles = [stored(n, title="推理", days=n) for n in range(1, 2 * DIAMETER + 3)]
    half = DIAMETER + 1
    chains = [edge(n, n + 1) for n in range(1, len(articles)) if n != half]
    assert members(articles, *chains, edge(1, len(articles), "by-hand")) == [tuple(range(1, 2 * half + 1))]


def test_a_cluster_shows_one_piece_of_evidence_for_each_join() -> None:
    articles = [stored(n) for n in (1, 2, 3)]
    (cluster,) = make_clusters(articles, [edge(1, 2), edge(2, 3), edge(1, 3, "same-title")])
    assert [one.articles for one in cluster.evidence] == [(1, 2), (2, 3)]


titles = st.sampled_from(["骁龙690", "骁龙865", "新芯片", "TF 2.2", "TF 2.3 与 TF 2.2", "简报 08-15", "简报 08-30"])
kinds = st.sampled_from(["reprint", "names", "shared-reference", "near-text", "same-title", "similar-title"])
rows = st.lists(st.tuples(titles, st.integers(0, 5)), min_size=1, max_size=12)
pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), kinds), max_size=30)


@settings(max_examples=120, deadline=None)
@given(rows, pairs, st.randoms(use_true_random=False))
def test_clusters_partition_the_articles_whatever_their_order_and_their_numbers(
    rows: list[tuple[str, int]], pairs: list[tuple[int, int, str]], order: random.Random
) -> None:
    count = len(rows)
    articles = [stored(n, title=title, days=days) for n, (title, days) in enumerate(rows, 1)]
    edges = [edge(a % count + 1, b % count + 1, kind) for a, b, kind in pairs if a % count != b % count]
    clusters = members(articles, *edges)
    assert sorted(one for cluster in clusters for one in cluster) == [one.id for one in articles]

    numbers = list(range(1, count + 1))
    order.shuffle(numbers)
    renumbered = [replace(one, id=numbers[one.id - 1]) for one in articles]
    edges = [replace(one, articles=edge(*(numbers[n - 1] for n in one.articles)).articles) for one in edges]
    order.shuffle(renumbered)
    order.shuffle(edges)
    expected = sorted(tuple(sorted(numbers[n - 1] for n in cluster)) for cluster in clusters)
    assert sorted(members(renumbered, *edges)) == expected
    for cluster in clusters:
        explicit = {one.articles for one in edges if one.kind in ("reprint", "names")}
        for one in cluster:
            for other in cluster:
                pair = edge(numbers[one - 1], numbers[other - 1]).articles
                said = [read_identifiers(articles[n - 1].article.title) for n in (one, other)]
                assert pair in explicit or find_contradiction(*said) is None


def numbered_pairs(count: int, said: Sequence[tuple[int, int, str]]) -> list[Evidence]:
    return [edge(a % count + 1, b % count + 1, kind) for a, b, kind in said if a % count != b % count]


@settings(max_examples=120, deadline=None)
@given(rows, pairs, st.integers(0, 11), st.integers(0, 11))
def test_a_person_joins_two_clusters_as_they_are_and_changes_no_other(
    rows: list[tuple[str, int]], said: list[tuple[int, int, str]], one: int, other: int
) -> None:
    articles = [stored(n, title=title, days=days) for n, (title, days) in enumerate(rows, 1)]
    edges = numbered_pairs(len(rows), said)
    before = members(articles, *edges)
    by_hand = numbered_pairs(len(rows), [(one, other, "by-hand")])
    ends = {end for one in by_hand for end in one.articles}
    joined = [cluster for cluster in before if not ends.isdisjoint(cluster)]
    rest = [cluster for cluster in before if cluster not in joined]
    expected = [*rest, *([tuple(sorted(one for cluster in joined for one in cluster))] if joined else [])]
    assert members(articles, *edges, *by_hand) == sorted(expected)


@settings(max_examples=120, deadline=None)
@given(rows, pairs, pairs, pairs)
def test_whom_a_person_set_apart_nothing_joins(
    rows: list[tuple[str, int]],
    said: list[tuple[int, int, str]],
    joined: list[tuple[int, int, str]],
    split: list[tuple[int, int, str]],
) -> None:
    articles = [stored(n, title=title, days=days) for n, (title, days) in enumerate(rows, 1)]
    by_hand = numbered_pairs(len(rows), [(one, other, "by-hand") for one, other, _ in joined])
    apart = {one.articles for one in numbered_pairs(len(rows), split[:6])}
    clusters = members(articles, *numbered_pairs(len(rows), said), *by_hand, apart=apart)
    assert sorted(one for cluster in clusters for one in cluster) == [one.id for one in articles]
    assert not any({one, other} <= set(cluster) for cluster in clusters for one, other in apart)
