"""The model of events follows the newsroom at the moments when it learns, and holds still in between."""

from __future__ import annotations

from builders import NOON, article

from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.event_profiles import make_term
from pipelines.deduplicate.event_tuning import LEAST_ANSWERS
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import merge, tell_apart
from pipelines.newsroom.stages.event_tuning import read_event_model, tune_events
from pipelines.newsroom.stages.run import group

STREAM = 40
KESTREL = make_term("word", "kestrel")


def add_stream(newsroom: Newsroom) -> None:
    """Store and group reports that all name Kestrel, two a day."""
    with newsroom.store.transaction() as tx:
        tx.articles.save(
            [
                article(100 + number, title=f"Kestrel 的第 {number} 个用法", publisher=f"账号{number}", days=number / 2)
                for number in range(STREAM)
            ]
        )
    group(newsroom.store, newsroom.group_rules)


def test_a_newsroom_that_learned_nothing_uses_the_model_that_ships(newsroom: Newsroom) -> None:
    assert not tune_events(newsroom.store)
    with newsroom.store.reading() as tx:
        assert read_event_model(tx) is load_event_model()


def test_a_name_that_everybody_writes_about_becomes_common_when_the_newsroom_learns(newsroom: Newsroom) -> None:
    add_stream(newsroom)
    assert tune_events(newsroom.store, STREAM)
    with newsroom.store.reading() as tx:
        model = read_event_model(tx)
        fresh = set(tx.articles.list_fresh())
        newest = tx.events.list_since((tx.events.find_newest_day() or 0) - 3)
    assert model.rarity.of(KESTREL) < load_event_model().rarity.of(KESTREL) - 3
    assert fresh >= set(newest)
    assert len(fresh) < STREAM
    assert not tune_events(newsroom.store, STREAM)
    group(newsroom.store, newsroom.group_rules)
    with newsroom.store.reading() as tx:
        assert tx.articles.list_fresh() == []


def test_few_articles_are_not_counted(newsroom: Newsroom) -> None:
    add_stream(newsroom)
    assert not tune_events(newsroom.store, 2 * STREAM)


def test_answers_of_editors_make_the_model_more_careful_or_bolder(newsroom: Newsroom) -> None:
    add_stream(newsroom)
    with newsroom.store.reading() as tx:
        ids = sorted(tx.events.find_days(range(1, 1000)))[-STREAM:]
    pairs = list(zip(ids[::2], ids[1::2], strict=True)) + list(zip(ids[1:-1:2], ids[2::2], strict=True))
    for number, (story, partner) in enumerate(pairs[: LEAST_ANSWERS + 10]):
        answer = merge if number % 5 == 0 else tell_apart
        answer(newsroom, story, [partner], who="编辑", decided_at=NOON)
    assert tune_events(newsroom.store)
    with newsroom.store.reading() as tx:
        tuning = tx.events.get_tuning()
    assert tuning is not None
    assert tuning.answers >= LEAST_ANSWERS
    assert tuning.shift != 0.0
