"""A PostgreSQL server of the tests' own: on a socket in a folder of its own, without any port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import psycopg
from waiting import wait_until

_OWNER: Final = "jianbao"

_SETTINGS: Final = (
    "listen_addresses=",
    "fsync=off",  # these three: nothing has to outlive the power
    "synchronous_commit=off",
    "full_page_writes=off",
    "TimeZone=Asia/Tokyo",  # another one than the newsroom's: nothing may lean on it
)


class PostgresqlServer:
    """A running server.

    Args:
        folder: of its socket.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    @property
    def socket(self) -> Path:
        """The file by which programs of this machine reach it."""
        return self._folder / ".s.PGSQL.5432"

    @property
    def process_id(self) -> int:
        """The id of its first process."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def make_database(self, template: str = "template0") -> str:
        """Make a database as a copy of another one, by default of an empty one; its URL."""
        name = f"test{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql://{_OWNER}@/{name}?host={self._folder}"

    def name_of(self, url: str) -> str:
        """The name of the database of a URL."""
        return url.partition("@/")[2].partition("?")[0]

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {self.name_of(url)} WITH (FORCE)")

    def end_connections(self, url: str) -> None:
        """End all connections to a database, as a server that is restarted does."""
        backends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name_of(url)}'"
        self._execute(backends)

    def is_ready(self) -> bool:
        """Whether the server answers."""
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: Any) -> None:
        with psycopg.connect(host=str(self._folder), user=_OWNER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian has it on nobody's PATH. None where no server is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = shutil.which("initdb")
    programs = [*installed, *([Path(initdb).resolve()] if initdb else [])]
    return programs[-1].parent if programs else None


@contextmanager
def run_server(programs: Path) -> Iterator[PostgresqlServer]:
    """Run a new server until the block ends. PostgreSQL refuses root: then it runs as `postgres`, or as `nobody`."""
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))
    options: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        options |= _become_another_user(folder)
    data = folder / "data"
    create = [programs / "initdb", "-D", data, "-U", _OWNER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    serve = [programs / "postgres", "-D", data, "-k", folder, *settings]
    try:
        subprocess.run(create, check=True, capture_output=True, **options)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(serve, stdout=log, stderr=log, **options)
        try:
            server = PostgresqlServer(folder)
            wait_until(lambda: process.poll() is not None or server.is_ready())
            assert process.poll() is None, (folder / "log").read_text()
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once
            process.wait()
    finally:
        shutil.rmtree(folder)


def _become_another_user(folder: Path) -> dict[str, Any]:
    """Give a folder to another user than root; the options that start a process as that user."""
    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
