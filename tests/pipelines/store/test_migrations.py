"""Migrations: they lead to the tables that the code works with, in one step or none, and only forward."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from builders import article
from databases import Databases
from sqlalchemy import inspect, text

from pipelines.deduplicate.bands import Bands
from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.event_profiles import read_event_profile
from pipelines.deduplicate.round_ups import RoundUp
from pipelines.rules.events import EventRules
from pipelines.store import Store
from pipelines.store.articles import Articles
from pipelines.store.engine import make_engine
from pipelines.store.errors import StoreOutdated
from pipelines.store.migrations import make_config, migrate
from pipelines.store.tables import REVISIONS, metadata, newsletter_metadata

TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": """SELECT tgname, pg_get_triggerdef(pg_trigger.oid) || prosrc FROM pg_trigger
                     JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal""",
}


def shape(url: str) -> dict[str, Any]:
    """What the database knows of every table and index, however its statement was written."""
    engine = make_engine(url)
    seen = inspect(engine)
    found = {
        table: {
            "columns": [(one["name"], str(one["type"]), one["nullable"]) for one in seen.get_columns(table)],
            "primary key": seen.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (one["constrained_columns"], one["referred_table"], one["options"])
                for one in seen.get_foreign_keys(table)
            ),
            "unique": sorted(one["column_names"] for one in seen.get_unique_constraints(table)),
            "indexes": sorted((one["name"], one["column_names"]) for one in seen.get_indexes(table)),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }
    with engine.connect() as connection:
        found["triggers"] = {
            name: " ".join(statement.split()) for name, statement in connection.execute(text(TRIGGERS[engine.name]))
        }
    engine.dispose()
    return found


def is_a_table(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the tables that no table of SQLAlchemy describes; `shape` compares them."""
    return not (kind == "table" and (name or "").startswith(("search_words", "story_counts")))


def test_migrations_write_nothing_into_the_log_of_a_schedule(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Store.open(f"sqlite:///{tmp_path / 'jianbao.db'}").close()
    assert caplog.records == []


def test_a_migrated_database_has_the_tables_of_the_code(databases: Databases) -> None:
    migrated, created = databases.make(None), databases.make(None)
    engine = make_engine(migrated)
    migrate(engine)
    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": is_a_table}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    engine = make_engine(created)
    metadata.create_all(engine)
    engine.dispose()
    assert shape(migrated) == shape(created)
    for url in (migrated, created):
        databases.drop(url)


def test_the_code_knows_every_revision_in_order() -> None:
    scripts = ScriptDirectory.from_config(make_config())
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS
    assert scripts.get_heads() == [REVISIONS[-1]]


def test_no_way_down_is_offered() -> None:
    scripts = ScriptDirectory.from_config(make_config())
    assert [one.revision for one in scripts.walk_revisions() if hasattr(one.module, "downgrade")] == []
    assert "downgrade" not in (Path(scripts.dir) / "script.py.mako").read_text()


@pytest.fixture
def blank_url(databases: Databases) -> Iterator[str]:
    """The URL of a new database without tables."""
    url = databases.make(None)
    yield url
    databases.drop(url)


@pytest.mark.fault("S5")
def test_a_migration_that_is_stopped_half_way_leaves_nothing(blank_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    create_table = Operations.create_table

    def stop_at_the_fifth(self: Operations, name: str, *columns: Any, **options: Any) -> Any:
        made.append(name)
        if len(made) == 5:
            raise KeyboardInterrupt
        return create_table(self, name, *columns, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Operations, "create_table", stop_at_the_fifth)
        with pytest.raises(KeyboardInterrupt):
            Store.open(blank_url)
    engine = make_engine(blank_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    Store.open(blank_url).close()
    assert shape(blank_url)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
@pytest.mark.fault("S6")
def test_an_upgrade_keeps_every_row_and_a_copy_of_a_file(
    blank_url: str, databases: Databases, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    old = make_engine(blank_url)
    migrate(old, revision)
    old.dispose()
    monkeypatch.setattr("pipelines.store.REVISIONS", (revision,))
    monkeypatch.setattr(Articles, "next_id", lambda _: 1)  # it asks a table that came later
    with closing(Store.open(blank_url)) as store, store.transaction() as tx:
        tx.articles.save([article(1, text="正文")])
        before = tx.articles.get([1])
    monkeypatch.undo()
    with pytest.raises(StoreOutdated, match="db upgrade"):
        Store.open(blank_url)
    with closing(Store.upgrade(blank_url)) as store, store.reading() as tx:
        assert tx.articles.get([1]) == before
    if databases.dialect == "sqlite":
        with pytest.raises(StoreOutdated):
            Store.open(f"{blank_url}.{revision}")


def test_a_round_up_of_old_is_found_by_its_terms_after_the_upgrade(
    blank_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(blank_url)
    migrate(engine, "0022")
    monkeypatch.setattr("pipelines.store.REVISIONS", ("0022",))
    with closing(Store.open(blank_url)) as store, store.transaction() as tx:
        tx.articles.save([article(1)])
    monkeypatch.undo()
    news = article(2, title="云雀半导体发布星澜 N9 芯片，端侧推理提速 85%")
    profile = read_event_profile(news, EventRules())
    assert profile
    insert = text("INSERT INTO round_ups (article_id, day, parts) VALUES (1, 7, :parts)")
    with engine.begin() as connection:
        connection.execute(insert, {"parts": RoundUp((("云雀发布星澜 N9", profile),)).to_json()})
    engine.dispose()
    with closing(Store.upgrade(blank_url)) as store, store.reading() as tx:
        terms = tx.events.read_round_up_terms([7])
        assert terms.find_alike([profile], 7, 7, load_event_model().rarity) == [1]


def test_an_undo_of_old_says_after_the_upgrade_which_decision_it_took_back(blank_url: str) -> None:
    engine = make_engine(blank_url)
    migrate(engine, "0002")
    said = [("pick", 1), ("drop", 2), ("undo", 1), ("undo", 1), ("later", 2), ("pick", 2), ("undo", 2)]
    insert = text(
        "INSERT INTO decisions (story, action, who, at, shown) VALUES (:story, :action, 'e', '2026-01-01', '{}')"
    )
    with engine.begin() as connection:
        for action, story in said:
            connection.execute(insert, {"story": story, "action": action})
    migrate(engine)
    with engine.connect() as connection:
        undone = connection.exec_driver_sql("SELECT id, undoes FROM decisions WHERE undoes IS NOT NULL").all()
    engine.dispose()
    assert [tuple(row) for row in undone] == [(3, 1), (7, 6)]


def test_a_migration_leaves_the_pragmas_of_a_connection_as_they_were(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'jianbao.db'}")
    migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA temp_store").scalar() == 2
    engine.dispose()


def test_an_upgrade_keeps_the_keys_of_events_and_the_bands(blank_url: str) -> None:
    engine = make_engine(blank_url)
    migrate(engine, "0022")
    days = {1: 739_199, 4_999: 739_200, 5_000: 739_200, 12_000: 739_203, 12_001: 739_203}
    keys = {1: {-7, 9}, 4_999: {9}, 12_000: {9}, 12_001: {2**63 - 1}}
    rows = [
        {"key": key, "day": days[number], "article_id": number, "account": number, "reach": 10}
        for number in keys
        for key in keys[number]
    ]
    with closing(Store(engine)) as store, store.transaction() as tx:
        tx.articles.save([article(number) for number in days], list(days).__getitem__)
        for table, names in (
            ("event_keys", ("key", "day", "article_id")),
            ("bands", ("key", "day", "article_id", "account", "reach")),
        ):
            values = ", ".join(f":{name}" for name in names)
            tx.articles._connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), rows)
    bands = {number: Bands(days[number], number, frozenset((key, 10) for key in keys[number])) for number in keys}
    pairs = {(1, 4_999), (1, 12_000), (4_999, 12_000)}
    with closing(Store.upgrade(blank_url)) as store, store.reading() as tx:
        assert tx.events.get_keys(days) == keys
        assert tx.bands.find_changed(bands) == set()
        assert tx.events.find_pairs(days) == tx.bands.find_pairs(days, reach=10) == pairs


def test_the_migrations_of_a_newsletter_lead_to_its_tables(databases: Databases, tmp_path: Path) -> None:
    url = databases.make()
    with (
        closing(Store.open(url)) as house,
        closing(Store.open_newsletter(house, "n", tmp_path / "n.db")) as newsletter,
        newsletter._writing.connect() as connection,
    ):
        opts = {"compare_type": True, "compare_server_default": True, "include_name": is_a_table_of_a_newsletter}
        migrated = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(migrated, newsletter_metadata) == []
    databases.drop(url)


def is_a_table_of_a_newsletter(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the tables of the house, which PostgreSQL shows too."""
    return kind != "table" or name in newsletter_metadata.tables
