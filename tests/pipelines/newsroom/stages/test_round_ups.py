"""A card names the round-ups that mention its event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON, article, stored_candidates

from crawler.home import Home, bundled
from pipelines.deduplicate.round_ups import RoundUp, RoundUpTerms
from pipelines.group.candidates import GroupRules
from pipelines.newsletter import Category, Newsletter
from pipelines.newsroom.stages.round_ups import AFTER, find_round_ups
from pipelines.newsroom.stages.run import group
from pipelines.rules import load_rules
from pipelines.store import Store
from pipelines.store.events import EventIndex

NEWSLETTER = Newsletter(title="t", editor="e", categories=(Category(name="新闻"),))
RULES = GroupRules.of(NEWSLETTER, {}, {}, events=load_rules(Home(bundled())).events)
NEWS = (
    article(1, title="云雀半导体发布星澜 N9 芯片，端侧推理提速 85%", publisher="甲"),
    article(2, title="面包车涨价，雨季推迟到七月", publisher="乙", summary="邮局换了新招牌。"),
)
ROUND_UP = article(3, title="早报 | 邮局放假；云雀半导体发布星澜 N9，提速 85%", publisher="丙", days=0.5)
LATE = article(4, title="周报 | 邮局放假；云雀半导体发布星澜 N9，提速 85%", publisher="丁", days=AFTER + 2)


@pytest.fixture
def store(store: Store) -> Store:
    with store.transaction() as tx:
        tx.articles.save([*NEWS, ROUND_UP, LATE])
    group(store, RULES)
    return store


def test_a_card_names_the_round_ups_of_its_days_that_mention_its_event(store: Store) -> None:
    with store.reading() as tx:
        found = find_round_ups(tx, stored_candidates(tx))
    (mention,) = found.pop(1)
    assert found == {}
    assert mention.article.article.url == ROUND_UP.url
    assert mention.part == "云雀半导体发布星澜 N9，提速 85%"


def test_round_ups_between_stories_that_lie_far_apart_are_not_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = article(5, title="云雀半导体三年前发布星澜 N6 芯片，端侧推理提速 30%", publisher="戊", days=-1000)
    between = article(6, title="早报 | 邮局放假；云雀半导体发布星澜 N7，提速 40%", publisher="己", days=-500)
    with store.transaction() as tx:
        tx.articles.save([early, between])
    group(store, RULES)
    read_days: set[int] = set()
    read = EventIndex.read_round_up_terms

    def note(index: EventIndex, days: Collection[int]) -> RoundUpTerms:
        read_days.update(days)
        return read(index, days)

    monkeypatch.setattr(EventIndex, "read_round_up_terms", note)
    with store.reading() as tx:
        candidates = [each for each in stored_candidates(tx) if each.story.id in {1, 5}]
        assert set(find_round_ups(tx, candidates)) == {1}
        days = {each.story.id: each.lead.article.published.at.date().toordinal() for each in stored_candidates(tx)}
        assert {days[1], days[5]} < read_days
        assert between.published.at.date().toordinal() not in read_days


def test_only_round_ups_that_share_enough_with_an_event_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = article(5, title="早报 | 苹果园丰收；蓝鲸软件裁员三成", publisher="戊", days=0.5)
    with store.transaction() as tx:
        tx.articles.save([strange])
    group(store, RULES)
    read_ids: list[int] = []
    get = EventIndex.get_round_ups

    def note(index: EventIndex, article_ids: Iterable[int]) -> dict[int, RoundUp]:
        found = get(index, article_ids)
        read_ids.extend(found)
        return found

    monkeypatch.setattr(EventIndex, "get_round_ups", note)
    with store.reading() as tx:
        assert set(find_round_ups(tx, stored_candidates(tx))) == {1}
        assert set(tx.events.get_round_ups(range(1, 10))) == {3, 4, 5}
    assert 3 in read_ids[:-3]
    assert 5 not in read_ids[:-3]


def test_an_edited_round_up_no_longer_mentions_the_event(store: Store) -> None:
    edited = replace(ROUND_UP, title="早报 | 邮局放假；雨季推迟", fetched_at=NOON + timedelta(days=1))
    with store.transaction() as tx:
        tx.articles.save([edited])
    group(store, RULES)
    with store.reading() as tx:
        assert find_round_ups(tx, stored_candidates(tx)) == {}
