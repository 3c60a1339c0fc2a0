"""How a database is opened: one writer at a time, readers never wait, what is not ours is left alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory

import pytest
from builders import NOON, article
from databases import Databases
from places import ROOT
from postgresql_server import PostgresqlServer
from sqlalchemy import event, text

from pipelines.store import Store
from pipelines.store.engine import APPLICATION_ID, ASKED_EVERY, make_engine, typed_errors
from pipelines.store.errors import (
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreOutdated,
    StoreReadOnly,
    StoreRefused,
    StoreUnreachable,
)


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "jianbao.db"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[Store]:
    with closing(Store.open(url_of(path), wait=0.2)) as opened:
        yield opened


@pytest.mark.fault("K1")
def test_six_threads_that_read_then_write_lose_no_update(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def add() -> None:
        for _ in range(60):
            with engine.begin() as connection:
                n = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.begin() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 360
    engine.dispose()


def test_a_reader_sees_one_state_and_waits_for_no_writer(store: Store) -> None:
    with store.reading() as before:
        assert before.articles.list_fresh() == []
        with store.transaction() as writer:
            writer.articles.save([article(1)])
            with store.reading() as during:
                assert during.articles.list_fresh() == []
        assert before.articles.list_fresh() == []
    with store.reading() as after:
        assert after.articles.list_fresh() == [1]


def test_who_only_reads_cannot_write(store: Store) -> None:
    with pytest.raises(StoreReadOnly), store.reading() as tx:
        tx.articles.save([article(1)])
    with store.transaction() as tx:
        tx.articles.save([article(1)])


def test_an_error_rolls_everything_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:  # noqa: PT012
        tx.articles.save([article(1)])
        raise ZeroDivisionError
    with store.reading() as tx:
        assert tx.articles.list_fresh() == []


@contextmanager
def another_writer(url: str) -> Iterator[Callable[[], None]]:
    """A writer of another process, which writes until it is told to end."""
    script = (
        "import sys; from pipelines.store import Store\n"
        "with Store.open(sys.argv[1]).transaction(): print(flush=True); input()\n"
    )
    command = [sys.executable, "-c", script, url]
    with subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield lambda: process.communicate("\n")  # type: ignore[func-returns-value]


@pytest.mark.fault("S3")
def test_a_writer_waits_until_another_is_done(database_url: str) -> None:
    patient = Store.open(database_url, wait=60)
    events: list[str] = []

    def write() -> None:
        with patient.transaction() as tx:
            events.append("the writer begins")
            tx.articles.save([article(1)])

    with closing(patient), another_writer(database_url) as end:
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.3)  # time to be refused, if it did not wait
        events.append("the other ends")
        end()
        writer.join()
        with patient.reading() as tx:
            assert tx.articles.list_fresh() == [1]
    assert events == ["the other ends", "the writer begins"]


@pytest.mark.fault("S3")
def test_a_writer_that_waited_in_vain_says_that_the_store_is_busy(database_url: str) -> None:
    with closing(Store.open(database_url, wait=0.2)) as impatient:
        with another_writer(database_url) as end:
            with pytest.raises(StoreBusy, match=r"try again.*lock"), impatient.transaction():
                pass
            with impatient.reading() as tx:
                assert tx.articles.list_fresh() == [], "readers go on"
            end()
        with impatient.transaction() as tx:
            tx.articles.save([article(1)])


def test_a_writer_asks_often_for_the_lock_of_another_so_that_a_short_pause_lets_it_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr("pipelines.store.engine.time.sleep", lambda pause: pauses.append(pause) or sleep(pause))
    with closing(Store.open(f"sqlite:///{tmp_path}/jianbao.db")) as store, store.transaction():
        impatient = Store.open(f"sqlite:///{tmp_path}/jianbao.db", wait=0.2)
        with pytest.raises(StoreBusy), impatient.transaction():
            pass
        impatient.close()
    assert len(pauses) > 1
    assert set(pauses) == {ASKED_EVERY}
    with closing(Store.open(f"sqlite:///{tmp_path}/jianbao.db", wait=3)) as store, store.transaction() as tx:
        (patience,) = tx.articles._connection.exec_driver_sql("PRAGMA busy_timeout").one()
        assert patience == 3000, "what else may be locked is waited for as before"


@pytest.mark.postgresql
def test_a_server_that_does_not_answer_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="start it, or correct JIANBAO_DB"):
        Store.open(f"postgresql:///jianbao?host={tmp_path}")


@pytest.mark.postgresql
def test_a_connection_that_the_server_ended_is_said_and_the_next_transaction_gets_another(
    postgresql_server: PostgresqlServer,
) -> None:
    url = postgresql_server.make_database()
    with closing(Store.open(url)) as store:
        with pytest.raises(StoreUnreachable), store.transaction() as tx:  # noqa: PT012 - the second statement fails
            tx.articles.save([article(1)])
            postgresql_server.end_connections(url)
            tx.articles.save([article(2)])
        with store.transaction() as tx:
            assert tx.articles.list_fresh() == []
            tx.articles.save([article(1)])
        postgresql_server.end_connections(url)
        with store.reading() as tx:
            assert tx.articles.list_fresh() == [1]
    postgresql_server.drop_database(url)


@pytest.mark.fault("S2")
def test_a_disk_without_room_for_the_index_of_the_log_is_a_full_disk() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(StoreFull, match="make room"), typed_errors():
        raise error


@pytest.mark.fault("S2")
def test_a_full_disk_rolls_back_and_leaves_a_readable_database(sqlite_store: Store) -> None:
    with sqlite_store.transaction() as tx:
        tx.articles.save([article(1)])

    @event.listens_for(sqlite_store._writing, "begin", insert=True)
    def _small_disk(connection: object) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=60")  # type: ignore[attr-defined]

    with pytest.raises(StoreFull, match="make room"), sqlite_store.transaction() as tx:
        tx.articles.save([article(number, text="字" * 5000) for number in range(2, 60)])
    with sqlite_store.reading() as tx:
        assert tx.articles.list_fresh() == [1]


@contextmanager
def without_root_rights() -> Iterator[None]:
    """Root may write everywhere; another user may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_without_the_right_to_write_is_said() -> None:
    with TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        Path(folder).chmod(0o555)
        with without_root_rights(), pytest.raises(StoreReadOnly, match="let the user that runs jianbao write"):
            Store.open(url_of(Path(folder) / "sub" / "jianbao.db"))


def test_a_pipe_is_no_database_and_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "jianbao.db"
    os.mkfifo(pipe)
    with pytest.raises(StoreRefused) as refusal:
        Store.open(url_of(pipe))
    assert refusal.value.detail.code == "no-sqlite"


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(StoreReadOnly):
        Store.open(url_of(tmp_path / "var" / "jianbao.db"))


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (n)")
        other.execute("INSERT INTO theirs VALUES (1)")
        other.commit()


def foreign_application(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA application_id=1234")


def newer_schema(path: Path) -> None:
    Store.open(url_of(path)).close()
    with closing(sqlite3.connect(path)) as later:
        later.execute("UPDATE alembic_version SET version_num='9999'")
        later.commit()


def truncated(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(20))


@pytest.mark.parametrize(
    "make",
    [
        foreign_database,
        foreign_application,
        newer_schema,
        truncated,
        lambda path: path.write_text("# a Markdown file"),
        lambda path: path.write_bytes(os.urandom(5000)),
    ],
    ids=["foreign tables", "foreign application", "newer schema", "truncated", "text", "noise"],
)
@pytest.mark.fault("S4")
def test_what_is_not_ours_is_refused_and_not_touched(make: object, path: Path) -> None:
    path.parent.mkdir()
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match="was left alone"):
        Store.open(url_of(path))
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if one.stat().st_size] == [path.name]


def test_a_foreign_database_still_in_its_log_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE theirs (n)")
        other.commit()
        with pytest.raises(StoreRefused, match="another program"):
            Store.open(url_of(path))


def test_an_older_schema_is_not_touched_until_it_is_upgraded(path: Path) -> None:
    Store.open(url_of(path)).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num='0000'")
        database.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.store.REVISIONS", ("0000", "0001"))
        with pytest.raises(StoreOutdated, match="jianbao db upgrade"):
            Store.open(url_of(path))


def test_broken_pages_are_called_damage(path: Path) -> None:
    store = Store.open(url_of(path))
    with store.transaction() as tx:
        tx.articles.save([article(number, text="字" * 2000) for number in range(50)])
    store.close()
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 :] = os.urandom(len(whole) - 4096 * 3)
    path.write_bytes(whole)
    with pytest.raises(StoreDamaged, match="backup"), Store.open(url_of(path)).reading() as tx:
        tx.articles.get(range(50))


@pytest.mark.parametrize("empty", [True, False])
def test_an_empty_file_or_database_becomes_ours(path: Path, empty: bool) -> None:
    path.parent.mkdir()
    path.touch()
    if not empty:
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA user_version=0")
            database.execute("CREATE TABLE gone (n)")
            database.execute("DROP TABLE gone")
    Store.open(url_of(path)).close()
    assert int.from_bytes(path.read_bytes()[68:72]) == APPLICATION_ID


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "mysql://host/name"]
)
def test_a_url_that_cannot_be_used_is_said(url: str) -> None:
    with pytest.raises(StoreRefused):
        Store.open(url)


@pytest.mark.slow
def test_processes_that_open_a_new_database_at_once_all_succeed(databases: Databases) -> None:
    url = databases.make(None)
    script = (
        "from pipelines.store import Store; import sys; print(flush=True); input(); Store.open(sys.argv[1]).close()"
    )
    command = [sys.executable, "-c", script, url]
    started = [subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) for _ in range(3)]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in started] == [""] * 3
    Store.open(url).close()
    databases.drop(url)


def test_a_store_that_is_opened_twice_loses_nothing_when_another_process_closes_it(path: Path) -> None:
    def count_elsewhere() -> str:
        script = (
            "from pipelines.store import Store; import sys; store = Store.open(sys.argv[1])\n"
            "with store.reading() as tx: print(len(tx.articles.list_fresh()))\n"
            "store.close()"
        )
        command = [sys.executable, "-c", script, url_of(path)]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    first = Store.open(url_of(path))
    with first.transaction() as tx:
        tx.articles.save([article(1)])
    second = Store.open(url_of(path))  # as a crawl does: one for its steps, one for its spider
    assert count_elsewhere() == "1"
    with first.transaction() as tx:
        tx.articles.save([article(2)])
    assert count_elsewhere() == "2", "the log in use was not deleted"
    first.close()
    second.close()


def test_a_backup_of_a_database_in_use_is_whole(sqlite_store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with sqlite_store.transaction() as tx:
        tx.articles.save([article(1)])
    with sqlite_store.transaction() as tx:
        tx.articles.save([article(2)])
        sqlite_store.backup(copy)
    with Store.open(url_of(copy)).reading() as tx:
        assert tx.articles.list_fresh() == [1]
    assert {one.name for one in tmp_path.iterdir()} >= {"copy.db", "var"}
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")], "no part is left"


def test_a_backup_overwrites_no_file_whatever_it_is(sqlite_store: Store, path: Path, tmp_path: Path) -> None:
    notes, other_newsroom, blank = tmp_path / "notes.md", tmp_path / "other.db", tmp_path / "blank"
    notes.write_text("not to be lost")
    blank.touch()
    Store.open(url_of(other_newsroom)).close()
    contents = {target: target.read_bytes() for target in (notes, other_newsroom, blank)}
    for target in (path, *contents):
        with pytest.raises(StoreRefused):
            sqlite_store.backup(target)
    assert contents == {target: target.read_bytes() for target in contents}
    with pytest.raises(StoreReadOnly):
        sqlite_store.backup(tmp_path / "nowhere" / "copy.db")


def test_times_come_back_aware_and_naive_ones_are_refused(store: Store) -> None:
    with store.transaction() as tx:
        tx.runs.start("a", NOON)
        (run,) = tx.runs.list_since(NOON)
        assert run.started_at == NOON
        assert run.started_at.utcoffset() == timedelta(0)
    with pytest.raises(Exception, match="without a zone"), store.transaction() as tx:
        tx.runs.start("a", NOON.replace(tzinfo=None))


@pytest.mark.fault("E2")
def test_nul_and_lone_surrogates_are_not_stored(store: Store) -> None:
    with store.transaction() as tx:
        tx.articles.save([article(1, title="题\0目\ud83d", text="\0", facts={"a": "\ud83d"}, tags=("\ud83d",))])
        one = tx.articles.get([1])[1].article
    assert (one.title, one.text, one.facts, one.tags) == ("题目?", "", {"a": "?"}, ("?",))
