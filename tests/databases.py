"""New databases for tests. The migrations run once in a process; each further database is a copy of the first."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.store import Store


def open_new_store(path: Path) -> Store:
    """Open an empty store in a new file, for the caller to close.

    Tests of the migrations, and of how a database is opened, call `Store.open` themselves.
    """
    write_new_database(path)
    return Store.open(f"sqlite:///{path}")


def write_new_database(path: Path) -> None:
    """Write the file of an empty store."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated_database())


@cache
def _migrated_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "jianbao.db"
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()
