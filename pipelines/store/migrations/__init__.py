"""Migrations. They only append; there is no way down but a backup."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from pipelines.store.errors import StoreDamaged


def config() -> Config:
    """Alembic's configuration, wherever jianbao is installed."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring a database up to a revision, in one transaction.

    Raises:
        StoreDamaged: rows point at rows that are not there; nothing was changed.
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:  # a migration may have to make a table anew: what points at it must not cascade
            _foreign_keys(connection, on=False)
        try:
            with connection.begin():
                made = config()
                made.attributes["connection"] = connection
                command.upgrade(made, revision)
                if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first():
                    raise StoreDamaged("rows point at rows that are not there")
        finally:
            if sqlite:
                _foreign_keys(connection, on=True)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch the checks of a connection on the driver's level: SQLite ignores it inside a transaction."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute(f"PRAGMA foreign_keys={int(on)}")
