"""A newsletter's folder with a database in PostgreSQL, and the commands that people run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
import pytest
from places import ROOT

from crawler.home import DATABASE_VARIABLE, Home
from pipelines.newsroom.crawling.queue import Queue

AN_HOUR_OF_SILENCE: Final = "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'"

A_WORKER_TAKES_THE_JOB: Final = (
    "WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
    " UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker"
)


@dataclass(frozen=True)
class Room:
    """A newsletter's folder, and the URL of its database."""

    folder: Path
    url: str

    def start(self, *words: str) -> subprocess.Popen[str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("JIANBAO_")}
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "--home", str(self.folder), *words],
            cwd=ROOT,
            env=kept | {DATABASE_VARIABLE: self.url, "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> str:
        process = self.start(*words)
        printed, log = process.communicate(timeout=110)
        assert process.returncode == code, printed + log
        assert "Traceback" not in log
        assert "Fatal Python error" not in log
        return printed

    def queue(self) -> dict[str, Any]:
        return dict(json.loads(self.run("queue", "--json")))

    def fill(self, monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
        """Put sources into the queue, as the schedule does with those that are due."""
        monkeypatch.setenv(DATABASE_VARIABLE, self.url)
        Queue(Home(self.folder)).fill(ids)

    def contents(self) -> tuple[list[Any], list[Any], list[Any]]:
        """What was crawled and what was made of it, without numbers and times of rows."""
        self.run("db", "check")
        with psycopg.connect(self.url) as connection:
            raw = connection.execute("SELECT digest, source FROM raw_items ORDER BY 1, 2").fetchall()
            made = connection.execute("SELECT url, title FROM articles ORDER BY 1, 2").fetchall()
            states = connection.execute("SELECT id, etag FROM sources ORDER BY 1").fetchall()
        return raw, made, states

    def has_row(self, query: LiteralString) -> bool:
        """Whether a query of the database has a row."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchone() is not None

    def execute(self, statement: LiteralString) -> None:
        """Change the tables of the queue."""
        with psycopg.connect(self.url, options="-c search_path=procrastinate") as connection:
            connection.execute(statement)
