"""Copies of the database are kept and put back, a full disk is noticed in time, and the doctor names what lacks."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import article
from commands import Cli
from databases import Databases
from places import ROOT
from servers import newsroom, source

from crawler.errors import Detail, Failure
from crawler.home import DATABASE_VARIABLE, Home
from crawler.items import SourceState
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling import crawls
from pipelines.newsroom.locks import Busy, only_one
from pipelines.newsroom.watching.upkeep import DiskAlmostFull, diagnose, keep_backups, require_room, restore_backup
from pipelines.store import Store
from pipelines.store.clock import Clock
from pipelines.store.errors import BackupRefused, StoreRefused

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, databases: Databases) -> Iterator[Home]:
    """A folder whose database, of either kind, is empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(DATABASE_VARIABLE, raising=False)
        url = databases.make()
        if databases.dialect == "postgresql":
            patch.setenv(DATABASE_VARIABLE, url)
        yield Home(newsroom(tmp_path / "home", source("a", "feed", url="https://a.example/feed")))
        databases.drop(url)


def save(home: Home, number: int) -> None:
    with closing(Store.open(home.database_url)) as store, store.transaction() as tx:
        tx.articles.save([article(number)])


def articles(home: Home) -> list[int]:
    with closing(Store.open(home.database_url)) as store, store.reading() as tx:
        return tx.articles.list_fresh()


def test_the_newest_copies_are_kept_and_files_of_others_are_left_alone(home: Home, tmp_path: Path) -> None:
    room, folder = Newsroom(home), tmp_path / "copies"
    folder.mkdir()
    (folder / "notes.db").write_text("mine", encoding="utf-8")
    for hours in range(5):
        keep_backups(room, folder, 3, NOW + timedelta(hours=hours))
    room.store.close()
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*(f"jianbao-20261128-{hour}3000.db" for hour in (11, 12, 13)), "notes.db"]


def test_a_file_that_is_no_copy_is_named_and_jianbao_db_is_not_blamed(home: Home, tmp_path: Path) -> None:
    save(home, 1)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BackupRefused, match=r"notes\.txt is no backup"):
        restore_backup(home, tmp_path / "notes.txt", NOW)
    with pytest.raises(BackupRefused, match=r"notes\.txt is no database"):
        Store.copy(f"sqlite:///{tmp_path / 'notes.txt'}", f"sqlite:///{tmp_path / 'new.db'}")
    assert articles(home) == [1]


def test_a_copy_is_put_back_and_the_former_database_is_kept(home: Home, tmp_path: Path) -> None:
    save(home, 1)
    with closing(Store.open(home.database_url)) as store:
        store.backup(tmp_path / "copy.db")
    save(home, 2)
    former = restore_backup(home, tmp_path / "copy.db", NOW)
    assert articles(home) == [1]
    assert restore_backup(home, tmp_path / "copy.db", NOW) != former
    with closing(Store.open(f"sqlite:///{former}")) as store, store.reading() as tx:
        assert tx.articles.list_fresh() == [1, 2]


def test_what_is_no_sound_copy_is_refused_and_the_database_stays(home: Home, tmp_path: Path) -> None:
    save(home, 1)
    damaged, foreign, empty = tmp_path / "damaged.db", tmp_path / "notes.md", tmp_path / "empty.db"
    with closing(Store.open(home.database_url)) as store:
        store.backup(damaged)
    content = bytearray(damaged.read_bytes())
    content[4096 * 3 : 4096 * 8] = b"\xff" * 4096 * 5
    damaged.write_bytes(content)
    foreign.write_text("words", encoding="utf-8")
    empty.write_bytes(b"")
    newer, partial = (tmp_path / f"{name}.db" for name in ("newer", "partial"))
    for copy, change in ((newer, "UPDATE alembic_version SET version_num = '9999'"), (partial, "DROP TABLE decisions")):
        with closing(Store.open(home.database_url)) as store:
            store.backup(copy)
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute(change)
    refused = {
        damaged: BackupRefused,
        partial: BackupRefused,
        newer: StoreRefused,
        foreign: StoreRefused,
        empty: StoreRefused,
    }
    for copy, error in refused.items():
        with pytest.raises(error):
            restore_backup(home, copy, NOW)
    assert articles(home) == [1]
    assert not list(home.var.glob(".*.part"))


def test_nothing_is_put_back_while_the_schedule_runs(home: Home, tmp_path: Path) -> None:
    save(home, 1)
    with closing(Store.open(home.database_url)) as store:
        store.backup(tmp_path / "copy.db")
    with only_one(home.var / "schedule.lock", "scheduling", NOW), pytest.raises(Busy):
        restore_backup(home, tmp_path / "copy.db", NOW)


def test_a_crawl_does_not_begin_on_a_disk_that_is_almost_full(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    require_room(home)
    with pytest.raises(DiskAlmostFull):
        require_room(home, least=10**18)
    monkeypatch.setattr(
        "pipelines.newsroom.crawling.crawls.require_room", lambda home: require_room(home, least=10**18)
    )
    with closing(Newsroom(home)) as room, pytest.raises(DiskAlmostFull, match="disk-almost-full"):
        crawls.crawl(room, list(room.sources.values()), now=NOW)


def test_the_doctor_finds_a_sound_newsroom_good_and_names_what_lacks(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(home, 1)
    found = {row.subject: row.verdict for row in diagnose(home, NOW, "zh")}
    doubtful = {subject for subject, verdict in found.items() if verdict != "good"}
    assert doubtful == {"alerts", "schedule"}
    home.sources.write_text('[[source]]\nid = "a"\n', encoding="utf-8")
    if home.database_url.startswith("sqlite"):
        (home.var / "jianbao.db").write_bytes(b"not a database, and longer than a head of a hundred bytes" * 3)
    else:
        monkeypatch.setenv(DATABASE_VARIABLE, home.database_url.replace("/test", "/nowhere"))
    broken = {(row.subject, row.verdict) for row in diagnose(home, NOW, "zh")}
    assert {("sources", "doubtful"), ("database", "bad")} <= broken


def test_the_commands_say_what_they_did(home: Home) -> None:
    save(home, 1)
    cli = Cli(home.path)
    cli("db", "backup", code=2)
    cli("db", "backup", "--keep", "2")
    (copy,) = (home.var / "backups").iterdir()
    assert "没有损坏" in cli("db", "check")
    cli("db", "restore", str(copy))
    checks = cli.json("doctor")["checks"]
    assert {check["subject"] for check in checks} >= {"folder", "disk", "clock", "database", "sources", "schedule"}
    assert "磁盘" in cli("doctor")


def test_the_doctor_looks_once_whether_the_clock_is_behind(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[datetime] = []
    monkeypatch.setattr(Clock, "find_later_present", lambda _clock, now: looks.append(now))
    save(home, 1)
    assert any(row.subject == "clock" for row in diagnose(home, NOW, "zh"))
    assert len(looks) == 1


def test_the_doctor_names_a_mirror_on_which_every_source_failed(tmp_path: Path) -> None:
    rows = "".join(
        source(name, "wechat", mirror="dead", account=f"MP_WXS_{number}") for number, name in enumerate("ab")
    )
    mirrors = (
        '[mirrors]\ndead = "http://127.0.0.1:4000/{account}.json"\nspare = "http://127.0.0.1:4001/{account}.json"\n'
    )
    home = Home(newsroom(tmp_path / "home", rows, more=mirrors))
    with closing(Store.open(home.database_url)) as store, store.transaction() as tx:
        for name in "ab":
            tx.sources.record_start(name, "wechat", name, NOW)
            tx.sources.record_end(name, NOW, Failure("FetchFailed", Detail.of("timed-out")), None)
    found = {
        row.values["mirror"]: (row.verdict, row.code) for row in diagnose(home, NOW, "zh") if row.subject == "mirrors"
    }
    assert found == {"dead": ("doubtful", "dead-mirror"), "spare": ("good", "mirror")}
    with closing(Store.open(home.database_url)) as store, store.transaction() as tx:
        tx.sources.record_end("a", NOW, None, SourceState())
    assert [row.code for row in diagnose(home, NOW, "zh") if row.subject == "mirrors"] == ["mirror", "mirror"]


@pytest.mark.slow
def test_the_doctor_says_whether_the_desk_knows_the_name_under_which_browsers_open_it(home: Home) -> None:
    command = (sys.executable, "-m", "pipelines.cli", "--home", str(home.path), "review", "--port", "0")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert address is not None
        try:
            other_name = address[0].replace("127.0.0.1", "127.1")
            codes = [[*diagnose(home, NOW, "zh", url)][-1].code for url in (address[0], other_name)]
        finally:
            process.terminate()
    assert codes == ["desk", "desk-unknown-name"]
    assert [*diagnose(home, NOW, "zh", address[0])][-1].code == "desk-silent"
