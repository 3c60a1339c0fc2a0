"""Which items are one article, and what it says when its sources disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from builders import NOON, about, article, instant
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deduplicate.identity import (
    Join,
    Plan,
    Record,
    Voice,
    choose_instant,
    compose_article,
    merge_voices,
    resolve_batch,
)
from pipelines.model import Article, Instant

FULL = "端侧推理的第一步是量化。" * 40
EDITED = FULL.replace("量化", "剪枝")


def said(text: str = "", *, hours: float = 0, source: str = "watch", **values: object) -> Article:
    """What a source said of article 1 so many hours after NOON."""
    return replace(article(1, source=source, text=text, **values), fetched_at=NOON + timedelta(hours=hours))


def together(*articles: Article) -> Article:
    """The article that these items make, whatever keys they have."""
    voices: Mapping[tuple[str, str], Voice] = {}
    for one in articles:
        voices = merge_voices(voices, {(one.source, one.url): Voice.of(one)})
    return compose_article(voices)


def take(batches: Iterable[Sequence[Article]]) -> tuple[dict[int, Record], dict[str, int]]:
    """What a store would hold after these batches: records by id, ids by key."""
    records: dict[int, Record] = {}
    owners: dict[str, int] = {}
    free = count(1)
    for batch in batches:
        keys = {key for one in batch for key in one.keys}
        known = {key: owner for key, owner in owners.items() if key in keys}
        plan = resolve_batch(batch, known, {one: records[one] for one in set(known.values())}, lambda _: next(free))
        for join in plan.joins:
            del records[join.gone]
            owners = {key: join.kept if owner == join.gone else owner for key, owner in owners.items()}
        records |= {one.id: one for one in plan.records}
        owners |= {key: one for item, one in zip(batch, plan.ids, strict=True) for key in item.keys}
    return records, owners


def resolved(*batch: Article) -> Plan:
    free = count(1)
    return resolve_batch(batch, {}, {}, lambda _: next(free))


def test_items_that_share_a_key_are_one_article() -> None:
    plan = resolved(article(1, keys=("wechat:A/1/1",)), article(2), article(3, keys=("wechat:A/1/1",)))
    assert plan.ids == (1, 2, 1)
    assert plan.outcomes == ("new", "new", "seen")


def test_a_late_item_joins_the_earlier_ones_of_its_batch() -> None:
    plan = resolved(article(1, keys=("a",)), article(2, keys=("b",)), article(3, keys=("a", "b")))
    assert plan.ids == (1, 1, 1)
    assert plan.joins == (), "none of them was stored: there is nothing to move"


def test_an_item_that_names_two_stored_articles_joins_them_under_the_lower_id() -> None:
    records, _ = take([[article(1, keys=("a",))], [article(2, keys=("b",))]])
    plan = resolve_batch([article(3, keys=("b", "a"))], {"a": 1, "b": 2}, records, lambda _: 9)
    assert plan.ids == (1,)
    assert plan.outcomes == ("updated",)
    assert plan.joins == (Join(2, 1, 0),)
    assert {url for _, url in plan.records[0].voices} == {f"https://example.org/{n}" for n in (1, 2, 3)}


def test_articles_that_join_one_after_another_all_lead_to_the_last() -> None:
    records, _ = take([[article(number, keys=(f"k{number}",))] for number in (1, 2, 3)])
    batch = [article(4, keys=("k2", "k3")), article(5, keys=("k1", "k2"))]
    plan = resolve_batch(batch, {"k1": 1, "k2": 2, "k3": 3}, records, lambda _: 9)
    assert plan.ids == (1, 1)
    assert plan.joins == (Join(3, 1, 0), Join(2, 1, 0))


def test_replaced_versions_of_both_are_kept_when_two_articles_join() -> None:
    records, _ = take(
        [
            [replace(said("甲一"), keys=("a",))],
            [replace(said("乙一", source="other", url="https://b.example/"), keys=("b",))],
            [replace(said("甲二", hours=1), keys=("a",))],
            [replace(said("乙二", hours=1, source="other", url="https://b.example/"), keys=("b",))],
            [replace(said("丙", hours=2, url="https://c.example/"), keys=("a", "b"))],
        ]
    )
    (record,) = records.values()
    assert record.revision == 3
    assert [(one.number, one.text) for one in record.replaced] == [(1, "甲一"), (2, "乙一")]


@pytest.mark.fault("C7")
def test_an_edit_is_a_revision_and_keeps_what_it_replaced() -> None:
    plan = resolved(said(FULL), said(EDITED, hours=1))
    (record,) = plan.records
    assert plan.outcomes == ("new", "updated")
    assert (record.revision, record.article.text) == (2, EDITED)
    assert [(one.number, one.text, one.at) for one in record.replaced] == [(1, FULL, NOON + timedelta(hours=1))]


@pytest.mark.parametrize(
    "second",
    [
        said(FULL, hours=1),
        said("", hours=1),
        said(FULL[:60], hours=1),
        said(FULL[:60], hours=1, source="other"),
        said(EDITED, hours=1, source="other"),
        said(FULL, hours=1, summary="摘要", metrics={"stars": 9}),
    ],
    ids=["same", "no text", "teaser", "another's teaser", "another's text", "summary and metrics"],
)
def test_what_is_no_edit_is_seen_and_leaves_the_text(second: Article) -> None:
    plan = resolved(said(FULL), second)
    (record,) = plan.records
    assert plan.outcomes == ("new", "seen")
    assert (record.revision, record.article.text) == (1, FULL)


def test_the_first_text_completes_an_article_and_is_no_revision() -> None:
    plan = resolved(said(""), said(FULL, hours=1))
    (record,) = plan.records
    assert plan.outcomes == ("new", "updated")
    assert (record.revision, record.article.text) == (1, FULL)


def test_an_edit_that_shortens_counts() -> None:
    assert together(said(FULL), said(FULL[:-20], hours=1)).text == FULL[:-20]


def test_a_full_text_ends_the_rule_of_a_teaser() -> None:
    assert together(said(FULL[:60], source="early"), said(FULL, hours=1, source="late")).text == FULL


def test_a_stale_copy_that_comes_late_does_not_undo_an_edit() -> None:
    assert together(said(FULL), said(EDITED, hours=1), said(FULL, hours=2, source="mirror")).text == EDITED


def test_a_lasting_address_leads_before_a_temporary_one() -> None:
    signed = said(FULL, url="https://mp.weixin.qq.com/s?signature=x", temporary=True)
    lasting = said("", hours=1, url="https://mp.weixin.qq.com/s/abc")
    assert together(signed, lasting).url == lasting.url
    assert not together(signed, lasting).temporary
    assert together(signed, lasting).text == FULL


def test_an_articles_own_site_leads_before_a_feed_that_names_it() -> None:
    feed = said(FULL, kind="feed", title="转：标题")
    own = said("", hours=1, source="own", title="标题")
    assert together(feed, own).title == "标题"


def test_what_the_leader_leaves_empty_comes_from_the_others() -> None:
    joined = together(
        said(FULL, author="甲"),
        said("", hours=1, source="other", author="乙", publisher="丙", image="https://i.example/"),
    )
    assert (joined.author, joined.publisher, joined.image) == ("甲", "丙", "https://i.example/")


def test_references_of_all_voices_count_once_each() -> None:
    one = said(FULL, references=about("arxiv:1", "github:a/b"))
    other = said(FULL, hours=1, source="other", references=about("github:a/b", "doi:2"))
    references = together(one, other).references
    assert [(reference.key, reference.position) for reference in references] == [
        ("arxiv:1", 0),
        ("github:a/b", 1),
        ("doi:2", 2),
    ]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Instant(NOON, "day", "published"), Instant(NOON, "first-seen", "first-seen")),
        (Instant(NOON, "minute", "published"), Instant(NOON - timedelta(days=1), "day", "published")),
        (Instant(NOON, "hour", "published"), Instant(NOON + timedelta(hours=1), "second", "published")),
        (Instant(NOON, "day", "published"), Instant(NOON, "second", "updated")),
        (Instant(NOON, "first-seen", "first-seen"), Instant(NOON + timedelta(days=1), "first-seen", "first-seen")),
    ],
)
def test_the_date_to_believe_is_the_earliest_of_the_finest(better: Instant, worse: Instant) -> None:
    assert choose_instant([worse, better]) == better == choose_instant([better, worse])


def test_a_date_lost_by_an_edit_is_not_lost() -> None:
    undated = replace(said(EDITED, hours=9), published=Instant(NOON + timedelta(hours=9), "first-seen", "first-seen"))
    assert together(said(FULL), undated).published == instant()


def test_of_a_metric_the_number_read_last_counts() -> None:
    late, early = said(FULL, hours=2, metrics={"stars": 5}), said(FULL, hours=1, metrics={"stars": 9, "forks": 1})
    for batch in ([late, early], [early, late]):
        (record,) = resolved(*batch).records
        assert {name: value for name, (value, _) in record.metrics.items()} == {"stars": 5, "forks": 1}


@st.composite
def items(draw: st.DrawFn) -> Article:
    number = draw(st.integers(1, 3))
    return Article(
        kind=draw(st.sampled_from(["wechat", "feed"])),
        source=draw(st.sampled_from(["a", "b"])),
        url=f"https://example.org/{number}",
        seen_url=f"https://example.org/{number}?from={draw(st.integers(0, 1))}",
        keys=(f"https://example.org/{number}", *draw(st.sets(st.sampled_from("uvwxy"), max_size=1))),
        title=draw(st.sampled_from(["标题", "改题"])),
        published=draw(st.sampled_from([instant(), instant(1), Instant(NOON, "day", "published")])),
        fetched_at=datetime(2026, 11, 1, draw(st.integers(0, 5)), tzinfo=UTC),
        text=draw(st.sampled_from(["", FULL, EDITED, FULL[:60], FULL[:-10]])),
        summary=draw(st.sampled_from(["", "摘要"])),
    )


def known_after(batches: Iterable[Sequence[Article]]) -> set[tuple[object, ...]]:
    records, owners = take(batches)
    return {
        (
            frozenset(record.voices),
            frozenset(key for key, owner in owners.items() if owner == record.id),
            *(one.url, one.title, one.text, one.published, one.summary),
        )
        for record in records.values()
        for one in [record.article]
    }


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(items(), max_size=9).flatmap(lambda them: st.tuples(st.just(them), st.permutations(them))), st.data())
def test_order_and_batches_make_no_difference(orders: tuple[list[Article], list[Article]], data: st.DataObject) -> None:
    straight, shuffled = orders
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(shuffled) - 1)), max_size=4)))
    batches = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
    assert known_after(batches) == known_after([straight])


@settings(max_examples=100, deadline=None)
@given(st.lists(items(), max_size=8))
def test_articles_partition_the_items_by_shared_keys(batch: list[Article]) -> None:
    plan = resolved(*batch)
    for one, mine in zip(batch, plan.ids, strict=True):
        for other, theirs in zip(batch, plan.ids, strict=True):
            if set(one.keys) & set(other.keys):
                assert mine == theirs
    linked = {
        one: {key for item, mine in zip(batch, plan.ids, strict=True) if mine == one for key in item.keys}
        for one in plan.ids
    }
    assert sum(map(len, linked.values())) == len({key for item in batch for key in item.keys}), "one article a key"


@settings(max_examples=100, deadline=None)
@given(st.lists(items(), max_size=8))
def test_items_seen_again_change_nothing(batch: list[Article]) -> None:
    assert known_after([batch, batch]) == known_after([batch])
