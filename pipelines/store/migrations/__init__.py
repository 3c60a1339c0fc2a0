"""Migrations, of which new ones are only appended. The way back to an older schema is a backup."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

from pipelines.store.engine import is_of_newsletter
from pipelines.store.errors import StoreDamaged

logging.getLogger("alembic").setLevel(logging.WARNING)  # its steps say nothing to whoever starts the schedule


BEFORE_NEWSLETTERS: Final = "0020"
"""The last revision of a house alone; the next one makes the tables of a newsletter.

A later migration runs on both, and changes the tables that each has (`OF_NEWSLETTER`): it asks `is_of_newsletter`.
"""


def make_config() -> Config:
    """Make the configuration of Alembic, wherever jianbao is installed."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return configuration


def migrate(engine: Engine, revision: str = "head") -> None:
    """Migrate a database to a revision, in one transaction.

    Raises:
        StoreDamaged: a row refers to a row that does not exist; nothing was changed.
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:  # a table may be dropped and remade: no foreign key may cascade then, nor memory hold the table
            _set_pragmas(connection, foreign_keys="OFF", temp_store="FILE")
        try:
            with connection.begin():
                configuration = make_config()
                configuration.attributes["connection"] = connection
                if is_of_newsletter(connection):
                    _begin_newsletter(connection)
                command.upgrade(configuration, revision)
                if sqlite and connection.execute(text("PRAGMA main.foreign_key_check")).first():
                    raise StoreDamaged("dangling-rows")
        finally:
            if sqlite:
                _set_pragmas(connection, foreign_keys="ON", temp_store="MEMORY")


def _begin_newsletter(connection: Connection) -> None:
    """Make the table of the revision, if it is missing: Alembic would see the house's, and take it for this one."""
    is_sqlite = connection.dialect.name == "sqlite"
    schema = "main" if is_sqlite else connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    if "alembic_version" not in inspect(connection).get_table_names(schema):
        run = connection.exec_driver_sql
        run(f'CREATE TABLE "{schema}".alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)')
        run(f"INSERT INTO \"{schema}\".alembic_version VALUES ('{BEFORE_NEWSLETTERS}')")  # noqa: S608 - our constants


def _set_pragmas(connection: Connection, **settings: str) -> None:
    """Set pragmas of SQLite by name, on the driver's level: SQLite ignores these inside a transaction."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    for name, setting in settings.items():
        driver.execute(f"PRAGMA {name}={setting}")
