"""A newsroom that lives in PostgreSQL, by the doors that people use: the command line, and the HTTP of the desk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from databases import read_tables
from places import ROOT
from postgresql_server import PostgresqlServer

from crawler.home import DATABASE_VARIABLE
from pipelines.cli.sample import Sample, serving
from pipelines.store import Store
from pipelines.store.listing import CandidateQuery

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]

STATES = ("new", "picked", "dropped", "later", "published")
SEARCHES = ("量化", "端侧推理", "驍龍", "hexaquant", "来", "int8", "没有这样的话")


@dataclass(frozen=True)
class Room:
    """A newsletter's folder, and the URL of its database."""

    folder: Path
    url: str

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pipelines.cli", "--home", str(self.folder), *words]

    def environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("JIANBAO_")}
        return kept | {DATABASE_VARIABLE: self.url, "COLUMNS": "400"}

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command; what it printed."""
        done = subprocess.run(
            self.command(*words), cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def candidates(self) -> list[dict[str, Any]]:
        """Every candidate in the order of the lists."""
        documents = [json.loads(self.run("candidates", "--json", "--state", state)) for state in STATES]
        return [
            candidate
            for document in documents
            for section in document["categories"]
            for candidate in section["candidates"]
        ]


@pytest.fixture(scope="module")
def room(postgresql_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The bundled sample newsroom, with its back issues, after a crawl."""
    url = postgresql_server.make_database()
    room = Room(tmp_path_factory.mktemp("newsroom") / "sample", url)
    sample, now = Sample.load(), datetime.now(UTC)
    with serving(sample, now) as port:
        sample.copy_newsroom(room.folder, now, port)
        room.run("archive", "import", *(str(path) for path in sorted((room.folder / "archive").glob("*.md"))))
        room.run("crawl", code=1)  # some sources of the sample are broken on purpose
        yield room
    postgresql_server.drop_database(url)


def search_everywhere(url: str) -> dict[str, list[int]]:
    """The stories that each search finds, in order."""
    with closing(Store.open(url)) as store, store.reading() as tx:
        return {
            words: [ranked.id for ranked in tx.stories.iterate_ranked(CandidateQuery(search=words, states=()))]
            for words in SEARCHES
        }


def test_a_crawl_fills_the_server_and_leaves_no_file_of_sqlite(room: Room) -> None:
    candidates = room.candidates()
    assert len(candidates) > 20
    assert any(len(candidate["articles"]) > 1 for candidate in candidates)
    assert any(candidate["published_in"] for candidate in candidates)
    assert not list(room.folder.rglob("*.db"))
    assert "没有损坏" in room.run("db", "check")
    checks = json.loads(room.run("doctor", "--json"))["checks"]
    assert {check["verdict"] for check in checks if check["subject"] == "database"} == {"good"}


def test_an_issue_is_made_at_the_desk_and_published(room: Room) -> None:
    waiting = [candidate for candidate in room.candidates() if candidate["state"] == "new"]
    with subprocess.Popen(
        room.command("review", "--port", "0"), cwd=ROOT, env=room.environment(), stdout=subprocess.PIPE, text=True
    ) as desk:
        try:
            assert desk.stdout is not None
            address = re.search(r"http://\S+", desk.stdout.readline())
            assert address is not None
            with httpx2.Client(base_url=address[0], timeout=60, follow_redirects=True) as browser:
                assert browser.get("/candidates").status_code == 200
                token = browser.get("/api/session").json()["csrf"]
                picked, dropped = (
                    browser.post(
                        f"/api/candidates/{candidate['id']}/decisions",
                        json={"action": action},
                        headers={"X-CSRF-Token": token},
                    )
                    for candidate, action in zip(waiting, ("pick", "drop"), strict=False)
                )
                assert (picked.status_code, dropped.status_code) == (200, 200)
                query = f"{waiting[0]['title']} 状态:已选"
                found = browser.get("/api/candidates", params={"q": query}).json()["candidates"]
        finally:
            desk.terminate()
    assert [candidate["id"] for candidate in found] == [waiting[0]["id"]]
    states = {candidate["id"]: candidate["state"] for candidate in room.candidates()}
    assert [states[candidate["id"]] for candidate in waiting[:2]] == ["picked", "dropped"]
    room.run("export", "--publish")
    assert any(
        waiting[0]["title"] in path.read_text(encoding="utf-8") for path in (room.folder / "issues").glob("*.md")
    )
    assert {candidate["id"]: candidate["state"] for candidate in room.candidates()}[waiting[0]["id"]] == "published"


def test_a_rebuild_changes_no_candidate(room: Room) -> None:
    before = room.candidates()
    room.run("rebuild")
    assert [candidate["id"] for candidate in room.candidates()] == [candidate["id"] for candidate in before]


def test_a_newsroom_moves_to_sqlite_and_back_with_every_row_candidate_and_search(
    room: Room, postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    file, back = tmp_path / "jianbao.db", Room(room.folder, postgresql_server.make_database())
    in_sqlite = Room(room.folder, f"sqlite:///{file}")
    room.run("db", "copy", room.url, str(file))
    room.run("db", "copy", str(file), back.url)
    tables = []
    for each in (room, in_sqlite, back):
        with closing(Store.open(each.url)) as store:
            tables.append(read_tables(store))
    assert tables[0] == tables[1] == tables[2]
    assert sum(map(len, tables[0].values())) > 1000
    assert room.candidates() == in_sqlite.candidates() == back.candidates()
    assert search_everywhere(room.url) == search_everywhere(in_sqlite.url) == search_everywhere(back.url)
    assert any(search_everywhere(room.url).values())
    room.run("db", "copy", room.url, back.url, code=1)
    postgresql_server.drop_database(back.url)


def test_a_backup_is_put_back(room: Room, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    before = room.candidates()
    room.run("db", "backup", str(copy))
    room.run("decide", str(before[0]["id"]), "drop")
    room.run("db", "restore", str(copy))
    assert room.candidates() == before
    room.run("db", "backup", str(copy), code=1)
