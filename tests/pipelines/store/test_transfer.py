"""A newsroom moves from one database into the other and back: every row is the same, and so is all that follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, article
from databases import Databases, PostgresqlDatabases, SqliteDatabases, read_tables
from desks import TITLES, fill_with_titles
from postgresql_server import PostgresqlServer
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Float, Integer, LargeBinary, SmallInteger, select, text

from pipelines.model import Decision
from pipelines.store import Store
from pipelines.store.counts import read_counts
from pipelines.store.engine import make_engine
from pipelines.store.errors import BackupRefused, StoreFailed
from pipelines.store.listing import CandidateQuery
from pipelines.store.migrations import migrate
from pipelines.store.packing import pack
from pipelines.store.tables import REVISIONS, Moment
from pipelines.store.transfer import list_plain_tables

pytestmark = pytest.mark.postgresql


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite"])
def ends(request: pytest.FixtureRequest, postgresql_server: PostgresqlServer, tmp_path: Path) -> list[Databases]:
    """The databases to copy from, and those to copy into."""
    both = [SqliteDatabases(tmp_path), PostgresqlDatabases(postgresql_server)]
    return both if request.param.startswith("sqlite") else both[::-1]


@contextmanager
def opened(databases: Databases, url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as store:
        yield store
    databases.drop(url)


def search(store: Store, words: str) -> list[int]:
    with store.reading() as tx:
        return [ranked.id for ranked in tx.stories.iterate_ranked(CandidateQuery(search=words))]


def test_every_row_and_every_search_is_the_same_after_a_copy(ends: list[Databases]) -> None:
    here, there = ends
    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        with source.transaction() as tx:
            tx.decisions.add(Decision(1, "pick", "编辑", NOON, "论文", None, {"题": "标题"}))
        told: list[tuple[int, int]] = []
        copied = source.copy_to(target, lambda done, total: told.append((done, total)))
        rows = read_tables(source)
        assert read_tables(target) == rows
        assert told[-1] == (copied, copied)
        assert copied == sum(map(len, rows.values()))
        assert [search(target, words) for words in (*TITLES.values(), "量化", "没有")] == [
            search(source, words) for words in (*TITLES.values(), "量化", "没有")
        ]


def test_rows_that_are_added_after_a_copy_get_numbers_that_are_free(ends: list[Databases]) -> None:
    here, there = ends
    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        with source.transaction() as tx:
            runs = [tx.runs.start("a", NOON) for _ in range(3)]
        source.copy_to(target)
        with target.transaction() as tx:
            assert tx.runs.start("a", NOON) == max(runs) + 1
            tx.decisions.add(Decision(1, "pick", "编辑", NOON))
            assert tx.articles.save([article(99)]).ids == (len(TITLES) + 1,)


def test_nothing_is_copied_into_a_database_that_has_rows(ends: list[Databases]) -> None:
    here, there = ends
    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        with target.transaction() as tx:
            tx.articles.save([article(1)])
        before = read_tables(target)
        with pytest.raises(BackupRefused, match="not empty"):
            source.copy_to(target)
        assert read_tables(target) == before


def test_a_copy_that_fails_leaves_the_target_empty(ends: list[Databases]) -> None:
    here, there = ends

    def fail(copied: int, total: int) -> None:
        if copied > total / 2:
            raise KeyboardInterrupt

    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        with pytest.raises(KeyboardInterrupt):
            source.copy_to(target, fail)
        assert not any(read_tables(target).values())
        assert source.copy_to(target)


def test_the_stories_of_a_copy_are_counted_and_go_on_being_counted(ends: list[Databases]) -> None:
    here, there = ends
    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        source.copy_to(target)
        with source.reading() as of_source, target.reading() as of_target:
            counts = read_counts(of_source.stories._connection)
            assert sum(counts.values()) > 0
            assert read_counts(of_target.stories._connection) == counts
        with target.transaction() as tx:
            tx.stories.replace(tx.stories.find_ids(range(1, len(TITLES) + 1)), [])
            assert read_counts(tx.stories._connection) == {}


def read_catalogue(store: Store) -> list[tuple[Any, ...]]:
    """Indexes, constraints and triggers as PostgreSQL describes them."""
    queries = (
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint ORDER BY 1, 2",
        "SELECT tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
    )
    with store._reading.begin() as connection:
        return [tuple(row) for query in queries for row in connection.execute(text(query))]


def test_a_copy_has_every_index_foreign_key_and_trigger_afterwards_and_statistics(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    here, there = SqliteDatabases(tmp_path), PostgresqlDatabases(postgresql_server)
    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        with target._writing.begin() as connection:
            connection.execute(text('CREATE INDEX "an index of the owner" ON articles (lower(title))'))
        before = read_catalogue(target)
        source.copy_to(target)
        assert len(before) > 100
        assert read_catalogue(target) == before
        with target._reading.begin() as connection:
            known = connection.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'articles'"))
            assert known.scalar() == len(TITLES), "the planner knows how many there are"


def test_a_row_that_postgresql_refuses_is_an_error_of_the_store(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    here, there = SqliteDatabases(tmp_path), PostgresqlDatabases(postgresql_server)
    with opened(here, here.make(fill_with_titles)) as source, opened(there, there.make()) as target:
        with source._writing.begin() as connection:
            connection.execute(
                text("INSERT INTO sources (id, kind, name, failures_in_row) VALUES ('a', 'b', 'c', 'x')")
            )
        with pytest.raises(StoreFailed, match="integer"):
            source.copy_to(target)
        assert not any(read_tables(target).values())


def make_value(column: Column[Any], number: int) -> Any:
    """A value of a column's type, of the first or the second row; NULL in the second row wherever it is allowed."""
    if column.nullable and number == 2:
        return None
    values: dict[type[Any], Any] = {
        BigInteger: number - 2**63,
        SmallInteger: number,
        Integer: number,
        Boolean: number == 1,
        Float: 0.1 + 0.2,
        Date: date(2026, 2, number),
        Moment: NOON.replace(microsecond=123456),
        LargeBinary: pack(f"端侧推理 {number}"),
        JSON: {"键": [1, 2.5, None, "\u2028\0"], "a": {}},
    }
    # a failure, too: an old version stored such a text
    return values.get(type(column.type), f"端侧 é 😀\n'%s {number}")


def fill_every_table(url: str) -> None:
    """Put two rows into each table."""
    with closing(Store.open(url)) as store, store._writing.begin() as connection:
        for table in list_plain_tables():
            rows = [{column.name: make_value(column, number) for column in table.columns} for number in (1, 2)]
            for row in rows:
                connection.execute(table.insert(), row)


def read_plain(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, as they are stored."""
    with store._reading.begin() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in list_plain_tables()
        }


def test_every_column_of_every_table_comes_back_from_the_other_database(ends: list[Databases]) -> None:
    here, there = ends
    with (
        opened(here, here.make(fill_every_table)) as source,
        opened(there, there.make()) as target,
        opened(here, here.make()) as back,
    ):
        assert source.copy_to(target) == target.copy_to(back) == 2 * len(list_plain_tables())
        assert read_plain(back) == read_plain(target) == read_plain(source)
        assert all(len(rows) == 2 for rows in read_plain(source).values())
        assert back.check() == target.check() == []


def test_a_backup_of_an_older_version_is_put_back_into_postgresql(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    copy = tmp_path / "old.db"
    with closing(Store.open(f"sqlite:///{copy}")) as store, store.transaction() as tx:
        tx.articles.save([article(1, title="旧库里的题目")])
    older = tmp_path / "older.db"
    engine = make_engine(f"sqlite:///{older}")
    migrate(engine, REVISIONS[-2])
    engine.dispose()
    before = older.read_bytes()
    databases = PostgresqlDatabases(postgresql_server)
    with opened(databases, databases.make(fill_with_titles)) as store:
        url = store._writing.url.render_as_string(hide_password=False)
        former = Store.restore(url, older, tmp_path / "var")
        assert not any(read_tables(store).values())
        assert older.read_bytes() == before
        Store.restore(url, former, tmp_path / "var")
        assert len(search(store, "量化")) > 0
        Store.restore(url, copy, tmp_path / "var")
        with store.reading() as tx:
            assert tx.articles.get([1])[1].article.title == "旧库里的题目"
    assert {path.name for path in (tmp_path / "var").iterdir()} == {
        "jianbao.db.replaced",
        "jianbao.db.replaced.1",
        "jianbao.db.replaced.2",
    }


def test_a_restore_that_fails_leaves_every_row_and_no_file(
    postgresql_server: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    databases = PostgresqlDatabases(postgresql_server)
    with opened(databases, databases.make(fill_with_titles)) as store:
        before = read_tables(store)
        store.backup(tmp_path / "copy.db")
        url = store._writing.url.render_as_string(hide_password=False)
        monkeypatch.setattr("pipelines.store.transfer._count_on", fail)
        with pytest.raises(KeyboardInterrupt):
            Store.restore(url, tmp_path / "copy.db", tmp_path / "var")
        assert read_tables(store) == before
    assert list((tmp_path / "var").iterdir()) == []
