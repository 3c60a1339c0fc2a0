"""Migrations, of which new ones are only appended. The way back to an older schema is a backup."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from pipelines.store.errors import StoreDamaged

logging.getLogger("alembic").setLevel(logging.WARNING)  # its steps say nothing to whoever starts the schedule


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
        if sqlite:  # a migration may drop and remake a table: no foreign key may cascade then
            _foreign_keys(connection, on=False)
        try:
            with connection.begin():
                configuration = make_config()
                configuration.attributes["connection"] = connection
                command.upgrade(configuration, revision)
                if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first():
                    raise StoreDamaged("dangling-rows")
        finally:
            if sqlite:
                _foreign_keys(connection, on=True)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch foreign keys on or off, on the driver's level: SQLite ignores the pragma inside a transaction."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute(f"PRAGMA foreign_keys={int(on)}")
