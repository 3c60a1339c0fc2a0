"""Fits the model of events to the newsroom: to its stream, and to what its editors answered."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pipelines.deduplicate.event_groups import SPAN
from pipelines.deduplicate.event_model import EventModel, load_event_model
from pipelines.deduplicate.event_tuning import Answer, EventTuning, count_stream
from pipelines.deduplicate.events import WINDOW, find_features
from pipelines.store import Store, Transaction

LEAST: Final = 1000
"""Articles that a store must have before its own counts say more than noise."""

MOST: Final = 20_000
"""Newest articles that are counted: a busy half year."""

MOST_ANSWERS: Final = 1000
"""Newest answers that are learned from."""


def read_event_model(tx: Transaction) -> EventModel:
    """The model of events that this newsroom uses: the one that ships, fitted by the last tuning.

    A list of candidates asks for it several times, and a tuning may have a megabyte: it is read once for each state of
    the store.
    """
    return tx.cache.get("event model", lambda: _read_model(tx))


def _read_model(tx: Transaction) -> EventModel:
    tuning = tx.events.get_tuning()
    return _apply(tuning) if tuning else load_event_model()


def tune_events(store: Store, least: int = LEAST) -> bool:
    """Count the newsroom's own stream and learn from answers; the newest articles are grouped again by the next run.

    Between two tunings the model holds still, so that stories do not depend on the order in which articles come. Older
    articles keep their stories until `rebuild`.

    Args:
        store: the newsroom's.
        least: articles below which nothing is counted.

    Returns:
        Whether the model changed.
    """
    with store.reading() as tx:
        former = tx.events.get_tuning() or EventTuning()
        stream = count_stream((day, profile.in_all) for day, profile in tx.events.iterate_newest(MOST))
        counted = stream if stream.articles >= least else EventTuning()
        tuning = counted.follow(_list_answers(tx, counted.apply(load_event_model())))
        newest_day = tx.events.find_newest_day()
    if tuning == former or newest_day is None:
        return False
    with store.transaction() as tx:
        tx.events.save_tuning(tuning)
        tx.articles.mark_fresh(tx.events.list_since(newest_day - SPAN - WINDOW))
    return True


def _list_answers(tx: Transaction, model: EventModel) -> list[Answer]:
    """List what editors said of pairs that the model can judge."""
    pairs = tx.decisions.list_pairs_by_hand(MOST_ANSWERS)
    profiles = tx.events.get_profiles({article_id for pair, _ in pairs for article_id in pair})
    answers = []
    for (low, high), same in pairs:
        if low in profiles and high in profiles:
            features = find_features(profiles[low], profiles[high], model.rarity)
            if features is not None:
                answers.append(Answer(model.find_log_odds(features), same))
    return answers


@lru_cache(maxsize=2)
def _apply(tuning: EventTuning) -> EventModel:
    return tuning.apply(load_event_model())
