"""Statements over many rows."""

from __future__ import annotations

import pytest
from builders import NOON
from sqlalchemy import select

from pipelines.store import Store
from pipelines.store.bulk import insert_rows, upsert
from pipelines.store.tables import hosts, story_changes


@pytest.mark.parametrize("count", [2, 3000])
def test_of_rows_with_one_key_the_last_is_stored(store: Store, count: int) -> None:
    rows = [{"story": number % (count - 1), "number": 2**15 * number - 1} for number in range(count)]
    with store._writing.begin() as connection:
        upsert(connection, story_changes, rows[:1])
        upsert(connection, story_changes, rows)
        stored = {row.story: row.number for row in connection.execute(select(story_changes))}
    assert stored == {row["story"]: row["number"] for row in rows}


def test_text_with_every_mark_of_sql_and_of_its_arrays_is_stored(store: Store) -> None:
    texts = ["{a,\"b\\'%s%%$1}", "NULL", "", "端侧\n😀"]
    rows = [{"netloc": text, "not_before": NOON, "asked_at": NOON} for text in texts]
    with store._writing.begin() as connection:
        insert_rows(connection, hosts, rows)
        assert set(connection.execute(select(hosts.c.netloc)).scalars()) == set(texts)
