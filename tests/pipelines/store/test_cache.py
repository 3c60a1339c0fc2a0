"""A value that was computed from the store is computed again as soon as anybody has written."""

from __future__ import annotations

import subprocess
import sys

import pytest
from builders import NOON, article

from pipelines.newsroom.editing.enough import count_decided
from pipelines.store import Store, Transaction
from pipelines.store.cache import MOST_VALUES


def count_articles(tx: Transaction) -> int:
    """The number of stored articles, computed once for each state of the database."""
    return tx.cache.get("articles", lambda: tx.articles.next_id() - 1)


class Counting:
    """A computation that counts how often it runs."""

    runs = 0

    def __call__(self) -> int:
        self.runs += 1
        return self.runs


def test_a_value_is_computed_once_while_nobody_writes(store: Store) -> None:
    compute = Counting()
    for _ in range(3):
        with store.reading() as tx:
            assert [tx.cache.get("number", compute) for _ in range(2)] == [1, 1]
            assert tx.cache.get("other number", Counting()) == 1


def test_a_write_of_this_process_is_seen_at_once(store: Store) -> None:
    for number in range(1, 4):
        with store.transaction() as tx:
            tx.articles.save([article(number)])
        with store.reading() as tx:
            assert count_articles(tx) == number


def test_a_transaction_sees_what_it_wrote_itself_and_nobody_sees_what_it_took_back(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction() as tx:  # noqa: PT012 - the error ends the transaction
        assert count_articles(tx) == 0
        tx.articles.save([article(1)])
        assert count_articles(tx) == 1
        raise KeyError
    with store.reading() as tx:
        assert count_articles(tx) == 0


def test_a_write_of_another_connection_is_seen_by_the_next_transaction_and_not_by_an_open_one(store: Store) -> None:
    with store.reading() as early:
        assert count_articles(early) == 0
        with store.transaction() as tx:
            tx.articles.save([article(1)])
        assert count_articles(early) == 0
        with store.reading() as late:
            assert count_articles(late) == 1
    with store.reading() as tx:
        assert count_articles(tx) == 1


def test_a_write_of_another_process_is_seen(store: Store, database_url: str) -> None:
    with store.transaction() as tx:
        tx.articles.save([article(1)])
    with store.reading() as tx:
        assert tx.cache.get("decided", lambda: count_decided(tx, NOON)) == 0
    script = (
        "import sys\nfrom datetime import datetime\n"
        "from pipelines.model import Decision\nfrom pipelines.store import Store\n"
        "store = Store.open(sys.argv[1])\n"
        "with store.transaction() as tx:\n"
        "    tx.decisions.add(Decision(1, 'drop', '别的编辑', datetime.fromisoformat(sys.argv[2])))\n"
    )
    subprocess.run([sys.executable, "-c", script, database_url, NOON.isoformat()], check=True)
    with store.reading() as tx:
        assert tx.cache.get("decided", lambda: count_decided(tx, NOON)) == 1


def test_the_cache_does_not_grow_for_ever(store: Store) -> None:
    with store.reading() as tx:
        for number in range(3 * MOST_VALUES):
            assert tx.cache.get(number, lambda: number) == number  # noqa: B023 - it runs at once
        (kept,) = (each for each in tx.cache._connection.info.values() if hasattr(each, "values"))
        assert len(kept.values) <= MOST_VALUES
