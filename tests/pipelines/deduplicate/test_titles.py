"""Which titles tell the same news."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import stored
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deduplicate.bands import POPULAR
from pipelines.deduplicate.clusters import make_clusters
from pipelines.deduplicate.titles import WINDOW, find_title_evidence, make_title_bands
from pipelines.model import Article, Evidence, Instant, StoredArticle

ZONE = ZoneInfo("Asia/Shanghai")
TITLE = "端侧大模型推理引擎开源，延迟降低一半"


def evidence(*articles: StoredArticle) -> list[Evidence]:
    return list(find_title_evidence(articles, ZONE))


def posts(*titles: str, **values: Any) -> list[StoredArticle]:
    """Articles of as many accounts, a day apart."""
    return [stored(n, title=title, publisher=f"号{n}", days=n, **values) for n, title in enumerate(titles, 1)]


def joined(one: str, other: str) -> bool:
    return bool(evidence(*posts(one, other)))


def joining_keys(article: Article) -> tuple[int, ...]:
    """Keys of which two articles share one where their titles may join them."""
    return tuple(key for key, reach in make_title_bands(article) if reach == WINDOW)


def test_one_title_of_two_accounts_is_one_story() -> None:
    (found,) = evidence(*posts(TITLE, TITLE))
    assert found == Evidence("same-title", "evidence/same-title", (1, 2))


@pytest.mark.parametrize(
    "title",
    [
        "【开发者社区每周精选文章】端侧大模型推理引擎开源，延迟降低一半",
        "干货 | 端侧大模型推理引擎开源，延迟降低一半！！",
        "端侧大模型推理引擎开源，延迟降低一半 | 张三",
        "端側大模型推理引擎開源，延遲降低一半",
        "「端侧大模型」推理引擎  开源🎉，延迟降低一半…",
        "端侧大模型推理引擎正式开源，延迟降低一半",
        "延迟降低一半！端侧大模型推理引擎开源",
        "端侧大模型推理引擎开源，延迟降低一半：架构、算子与三个月的调优经历全记录",
    ],
)
def test_trimmings_and_small_changes_do_not_hide_a_title(title: str) -> None:
    assert joined(TITLE, title)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("高通发布骁龙690：首款支持5G的中端芯片", "高通发布骁龙865：首款支持5G的中端芯片"),
        ("iPhone 11 开箱体验：续航与影像实测", "iPhone 12 开箱体验：续航与影像实测"),
        ("TF 2.2 发布：性能与易用性全面改进", "TF 2.3 发布：性能与易用性全面改进"),
        ("端侧推理框架 v1.2.0 版本发布公告", "端侧推理框架 v1.3.0 版本发布公告"),
        ("端侧推理每两周一期的简报 08-15", "端侧推理每两周一期的简报 08-30"),
        ("上海有哪些做端侧推理的公司", "成都有哪些做端侧推理的公司"),
        ("一文读懂 Kafka 的存储与网络设计", "一文读懂 Redis 的存储与网络设计"),
        ("送 12 本《端侧推理从入门到精通》", "送 20 本《端侧推理从入门到精通》"),
        ("端侧推理引擎的设计与实现（上）", "端侧推理引擎的设计与实现（下）"),
        ("端侧大模型推理引擎开源", "云端大模型训练平台开放内测"),
    ],
)
def test_titles_that_look_alike_and_say_something_else_are_not_joined(one: str, other: str) -> None:
    assert not joined(one, other)


@pytest.mark.parametrize("title", ["分享图片", "端午安康", "早安", "通知公告", "招聘", "一周要闻", "新年快乐！"])
def test_a_title_that_says_little_joins_nothing(title: str) -> None:
    assert not joined(title, title)


def test_a_title_that_comes_back_after_more_than_ten_days_joins_nothing() -> None:
    three = [stored(n, title=TITLE, publisher=f"号{n}", days=days) for n, days in enumerate((0, 1, 10), 1)]
    assert len(evidence(*three)) == 3
    assert evidence(*three, stored(4, title=TITLE, publisher="号4", days=25)) == []


def test_a_title_used_again_after_a_long_pause_is_another_story() -> None:
    articles = [stored(n, title=TITLE, publisher=f"号{n}", days=days) for n, days in enumerate((0, 1, 90, 91), 1)]
    assert [one.articles for one in evidence(*articles)] == [(1, 2), (3, 4)]


def test_an_account_that_uses_a_title_on_another_day_has_a_column() -> None:
    column = [stored(n, title=TITLE, publisher="号", days=n) for n in range(1, 4)]
    assert evidence(*column[:2]) == []
    assert evidence(*column, stored(4, title=TITLE, publisher="别号", days=2)) == []


def test_a_repost_and_its_reprint_are_one_story() -> None:
    first, again = (stored(n, title=TITLE, publisher="号", days=n) for n in (1, 2))
    reprint = stored(3, title=TITLE, publisher="别号", days=1)
    assert [one.articles for one in evidence(first, again, reprint)] == [(1, 3), (2, 3)]


def wechat(number: int, key: str, title: str = "早安", **values: Any) -> StoredArticle:
    return stored(number, keys=(key,), title=title, **{"publisher": "号", **values})


def test_one_wechat_article_by_its_short_and_its_long_address_is_one_story_however_short_its_title() -> None:
    noon = datetime(2026, 6, 3, 12, tzinfo=ZONE)
    short = wechat(1, "wechat:AbC_123", published=Instant(noon.replace(hour=0), "day", "published"))
    long = wechat(2, "wechat:MzA4==/22/1", published=Instant(noon, "second", "published"))
    assert [one.articles for one in evidence(short, long)] == [(1, 2)]
    assert set(joining_keys(short.article)) & set(joining_keys(long.article))


def test_two_addresses_of_one_form_another_day_or_another_account_are_not_one_article() -> None:
    short = wechat(1, "wechat:AbC_123")
    assert not evidence(short, wechat(2, "wechat:DeF_456"))
    assert not evidence(short, wechat(2, "wechat:MzA4==/22/1", days=1))
    assert not evidence(short, wechat(2, "wechat:MzA4==/22/1", publisher="别号"))
    assert not evidence(short, wechat(2, "wechat:MzA4==/22/1", title="晚安"))


def test_the_day_is_the_newsletters() -> None:
    late = datetime(2026, 6, 3, 23, 30, tzinfo=ZONE)
    short = wechat(1, "wechat:AbC_123", published=Instant(late.replace(hour=0, minute=0), "day", "published"))
    long = wechat(2, "wechat:MzA4==/22/1", published=Instant(late.astimezone(ZoneInfo("UTC")), "second", "published"))
    assert evidence(short, long)


def test_equal_titles_over_different_long_texts_are_a_coincidence() -> None:
    chance = random.Random(0)
    texts = ["".join(chance.choices("端侧推理引擎开源量化剪枝蒸馏部署芯片精度训练", k=900)) for _ in range(2)]
    one, other = (stored(n, title=TITLE, publisher=f"号{n}", text=text) for n, text in enumerate(texts, 1))
    assert not evidence(one, other)
    assert evidence(one, stored(2, title=TITLE, publisher="号2", text=texts[0][:700]))
    assert evidence(one, stored(2, title=TITLE, publisher="号2"))


def test_repositories_and_dates_to_the_year_are_left_to_other_evidence() -> None:
    assert joining_keys(stored(1, kind="github", title="tiny/quantization-kit").article) == ()
    year = Instant(datetime(2020, 1, 1, tzinfo=ZONE), "year", "published")
    assert joining_keys(stored(1, title=TITLE, published=year).article) == ()


def test_papers_are_joined_by_their_whole_title_only() -> None:
    paper = "Integer Quantization of Tiny Transformers"
    kinds = [stored(1, kind="arxiv", title=paper, publisher="arXiv"), stored(2, kind="web", title=paper, publisher="B")]
    assert evidence(*kinds)
    assert not evidence(kinds[0], stored(2, kind="web", title=f"{paper} Revisited", publisher="B"))


def test_a_key_that_too_many_share_joins_nothing() -> None:
    articles = [stored(n, title=TITLE, publisher=f"号{n}") for n in range(1, POPULAR + 2)]
    assert evidence(*articles[:POPULAR])
    assert evidence(*articles) == []


def test_articles_that_are_joined_share_a_stored_key() -> None:
    variants = [TITLE, f"干货 | {TITLE}", "端侧大模型推理引擎正式开源，延迟降低一半"]
    keys = [set(joining_keys(one.article)) for one in posts(*variants)]
    assert all(one & other for one, other in combinations(keys, 2))
    assert all(len(one) == 11 for one in keys)


def test_the_keys_are_those_that_are_stored() -> None:
    """If this fails, `VERSION` has to be raised: keys in a store no longer match."""
    assert joining_keys(stored(1, title=TITLE, publisher="号").article)[:3] == (
        -6_905_552_623_022_682_967,
        -2_923_769_775_579_474_129,
        -6_246_954_823_211_650_448,
    )


@pytest.mark.parametrize(
    "title", ["", "！！", "😀😀", "あいう", "\ud800" * 20, "a1" * 50_000, "|" * 1_000, "【" * 1_000]
)
def test_no_title_is_too_odd(title: str) -> None:
    assert evidence(*posts(title, TITLE)) == []


variants = st.sampled_from(
    [TITLE, f"干货 | {TITLE}", f"{TITLE}！", "骁龙690 端侧推理评测与体验", "骁龙865 端侧推理评测与体验", "早安"]
)
some = st.lists(st.tuples(variants, st.integers(0, 3), st.integers(0, 20)), max_size=12)


@settings(max_examples=80, deadline=None)
@given(some, st.randoms(use_true_random=False))
def test_any_order_of_the_articles_gives_the_same_stories(
    rows: list[tuple[str, int, int]], order: random.Random
) -> None:
    articles = [
        stored(n, title=title, publisher=f"号{account}", days=day) for n, (title, account, day) in enumerate(rows, 1)
    ]
    shuffled = list(articles)
    order.shuffle(shuffled)
    found = evidence(*articles)
    assert found == evidence(*shuffled)
    assert make_clusters(articles, found) == make_clusters(shuffled, reversed(found))


# ---- Real titles


def groups(corpus: Path, name: str) -> Iterator[list[StoredArticle]]:
    """Each line of a file of the corpus as articles."""
    with (corpus / "dupes" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield [real(n, row | item) for n, item in enumerate(row["items"], 1)]


def real(number: int, row: dict[str, Any]) -> StoredArticle:
    at = datetime.fromisoformat(row["date"])
    published = Instant(at if at.tzinfo else at.replace(tzinfo=ZONE), "second" if at.tzinfo else "day", "published")
    return stored(number, title=row["title"], publisher=row["account"], published=published, url=row["url"])


def share(grouped: Iterable[Sequence[StoredArticle]]) -> float:
    """Of the pairs, those in one story."""
    together = total = 0
    for articles in grouped:
        total += len(articles) * (len(articles) - 1) // 2
        for cluster in make_clusters(articles, evidence(*articles)):
            together += len(cluster.members) * (len(cluster.members) - 1) // 2
    return together / total


@pytest.mark.corpus
def test_real_titles_of_one_story_are_joined(corpus: Path) -> None:
    assert share(groups(corpus, "same_title_groups")) >= 0.98


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["generic_title_traps", "recurring_title_traps"])
def test_real_titles_of_many_stories_are_not_joined_nor_is_that_owed_to_the_largest(corpus: Path, name: str) -> None:
    grouped = sorted(groups(corpus, name), key=len)
    assert share(grouped) <= 0.01
    assert share(grouped[:-1]) <= 0.01
