"""Shards that workers do together: how they are written, who does them, and what is left to their leader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest
from builders import NOON
from postgresql_server import PostgresqlServer
from pydantic import TypeAdapter
from rooms import A_WORKER_TAKES_THE_JOB, AN_HOUR_OF_SILENCE, Room
from servers import newsroom, source

from crawler.errors import Detail
from crawler.home import DATABASE_VARIABLE, Home, bundled
from crawler.items import Batch, Problem, RawItem
from pipelines.deduplicate.event_tuning import EventTuning
from pipelines.group.candidates import GroupRules
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.queue import Queue
from pipelines.newsroom.stages.division import DividedShards, ShardFormat, hash_files
from pipelines.newsroom.stages.helping import Helped, do_written, help_out
from pipelines.newsroom.stages.relearning import with_model
from pipelines.newsroom.stages.rereading import ReadingRules, SourceTable, list_entries, read_stored
from pipelines.newsroom.stages.run import find_links_of_fresh, group, ingest, read_fresh
from pipelines.rules import Rules, load_rules
from pipelines.store import Store, Transaction
from pipelines.store.queue import LEASE_VARIABLE, Lease

ROWS: Final = "".join(source(name, "feed", url=f"https://{name}.example/feed") for name in ("one", "two"))

ITEMS: Final = 12

TITLES: Final = {
    1: "云雀半导体发布星澜 N9 芯片，端侧推理提速 85%",
    2: "星澜 N9 来了！云雀半导体要和手机芯片掰手腕",
}
"""Of two articles on one event."""


def make_item(number: int) -> RawItem:
    url = f"https://one.example/{number}" if number % 5 else f"mailto:{number}@one.example"
    title = TITLES.get(number, f"题目{chr(0x4E00 + 7 * number)}")
    html = f"<p>{title}。代码：https://github.com/a/b{number} 。第 {number} 篇。</p>" * 3
    account, metrics = f"账号 {number}", {"votes": number}
    return RawItem("feed", url, title, NOON, guid=f"g{number // 3}", html=html, metrics=metrics, publisher=account)


def fill(store: Store, room: Newsroom) -> None:
    ingest(store, Batch("one", tuple(map(make_item, range(ITEMS)))), room.sources["one"], room.rules, NOON)


def test_arguments_and_results_of_shards_are_the_same_after_they_were_written(store: Store, tmp_path: Path) -> None:
    room = Newsroom(Home(newsroom(tmp_path / "home", ROWS)))
    fill(store, room)
    group(store, room.group_rules)
    table = SourceTable(room.sources)
    reading_rules = ReadingRules(room.rules, room.sources)
    with store.reading() as tx:
        table.learn(tx, list_entries(store, reading_rules, 1, ITEMS))
    with store.reading() as tx:
        ids = set(tx.articles.list_leading_ids().values())
    found: dict[str, Any] = {}
    for read, rules, shard in (
        (list_entries, reading_rules, (1, ITEMS)),
        (read_stored, reading_rules, (1, ITEMS, table.find_facts({"one"}))),
        (read_fresh, room.group_rules, (sorted(ids),)),
        (find_links_of_fresh, room.group_rules, (sorted(ids), ids)),
    ):
        shard_format: ShardFormat[Any] = ShardFormat(read)
        written = shard_format.write_arguments(shard)
        assert shard_format.read_arguments(written) == shard
        found[read.__name__] = read(store, rules, *shard)  # type: ignore[operator]
        assert shard_format.read_result(do_written(store, rules, read.__name__, written)) == found[read.__name__]
    assert any(isinstance(read.result, Problem) for read in found["read_stored"])
    assert table.find_facts({"one"})["one"].repeats.shared_guids
    assert found["find_links_of_fresh"][1]


def test_a_detail_is_the_same_after_it_was_written_with_details_and_texts_in_it() -> None:
    detail = Detail.of("a", one=1, text="端侧", parts=(Detail.of("b"), "c"), nothing=None)
    adapter = TypeAdapter(Problem)
    problem = Problem("https://one.example/", "NoArticle", detail, fails_source=False, retry_at=NOON)
    assert adapter.validate_json(adapter.dump_json(problem)) == problem


@dataclass(frozen=True)
class Two:
    """Two workers that each do a job."""

    room: Room
    leader: Store
    leader_lease: Lease
    helper: Store
    helper_lease: Lease

    def lead(self, invite: Callable[[int], None] = lambda _: None) -> DividedShards[str]:
        with closing(Newsroom(Home(self.room.folder))) as newsroom:
            files_hash = hash_files(newsroom)
        return DividedShards(self.leader, "规则", 1, lease=self.leader_lease, files_hash=files_hash, invite=invite)


@pytest.fixture
def two(postgresql_server: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    url = postgresql_server.make_database()
    Store.open(url).close()
    room = Room(newsroom(tmp_path / "home", ROWS), url)
    room.fill(monkeypatch, "one", "two")
    for name in ("one", "two"):
        room.execute(f"{A_WORKER_TAKES_THE_JOB} WHERE lock = 'host {name}.example'")
    leases = [Lease(job["number"], job["worker"]) for job in room.queue()["jobs"]]
    with closing(Store.open(url, lease=leases[0])) as leader, closing(Store.open(url, lease=leases[1])) as helper:
        yield Two(room, leader, leases[0], helper, leases[1])
    postgresql_server.drop_database(url)


def add(_store: Store, rules: str, number: int, text: str) -> str:
    return f"{rules} {number} {text}"


SHARDS: Final = [(number, "\ud800" if number == 3 else "文") for number in range(50)]
DONE: Final = [f"规则 {number} {text}" for number, text in SHARDS]


@pytest.mark.postgresql
def test_a_leader_without_helpers_does_all_shards_also_one_that_cannot_be_written(two: Two) -> None:
    with closing(two.lead()) as shards:
        assert list(shards.map(add, SHARDS)) == DONE
    with two.helper.sharing() as shared:
        assert shared.find_work(shards._rules_hash) is None


@pytest.mark.postgresql
def test_a_shard_that_fails_at_a_helper_is_done_by_its_leader_and_one_that_it_did_is_not_done_again(two: Two) -> None:
    with closing(two.lead()) as shards:
        results = shards.map(add, SHARDS)
        found = [next(results)]
        with two.helper.sharing() as shared:
            work = shared.find_work(shards._rules_hash)
            assert work
            for result in ("", '"of the helper"'):
                taken = shared.take(work)
                assert taken
                shared.give_back(taken.number, result)
        found += results
    assert found == [*DONE[:2], "of the helper", *DONE[3:]]


@pytest.mark.postgresql
def test_a_shard_of_a_helper_that_is_silent_is_done_by_the_leader_and_what_the_helper_says_later_is_not_heard(
    two: Two,
) -> None:
    with closing(two.lead()) as shards:
        results = shards.map(add, SHARDS)
        found = [next(results)]
        with two.helper.sharing() as shared:
            work = shared.find_work(shards._rules_hash)
            assert work
            taken = shared.take(work)
        two.room.execute(f"{AN_HOUR_OF_SILENCE} WHERE id = (SELECT max(id) FROM procrastinate_workers)")
        found += [next(results) for _ in range(3)]
        assert taken
        with two.helper.sharing() as shared:
            shared.give_back(taken.number, '"too late"')
        found += results
    assert found == DONE


def do_beside_a_living_helper_that_keeps_a_shard(two: Two) -> list[str]:
    """What a leader yields of `SHARDS` while a helper takes one, shows signs of life and never gives it back."""
    with closing(two.lead()) as shards:
        results = shards.map(add, SHARDS)
        found = [next(results)]
        with two.helper.sharing() as shared:
            work = shared.find_work(shards._rules_hash)
            assert work
            assert shared.take(work)
        two.room.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat + interval '1 hour'")
        found += results
    return found


@pytest.mark.postgresql
def test_a_shard_that_a_living_worker_never_gives_back_is_done_by_the_leader(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.division.LONGEST_WAIT", 0.3)
    assert do_beside_a_living_helper_that_keeps_a_shard(two) == DONE


@pytest.mark.postgresql
def test_a_leader_waits_for_a_helper_no_longer_than_shards_take_the_leader(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.division.LONGEST_WAIT", 10_000.0)
    assert do_beside_a_living_helper_that_keeps_a_shard(two) == DONE


@pytest.mark.postgresql
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_leader_waits_for_no_helper_that_is_silent_in_a_transaction(
    two: Two, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.division.LONGEST_WAIT", 0.3)
    with closing(two.lead()) as shards:
        results = shards.map(add, SHARDS)
        found = [next(results)]
        with suppress(InterruptedError), two.helper.sharing() as shared:
            work = shared.find_work(shards._rules_hash)
            assert work
            assert shared.take(work)
            found += [next(results) for _ in range(9)]
            if not is_committed:
                raise InterruptedError
        found += results
    assert found == DONE
    with closing(two.lead()), two.helper.sharing() as shared:
        assert shared.find_work(shards._rules_hash) is None


@pytest.mark.parametrize("name", ["newsletter.toml", "sources.toml"])
def test_rules_that_somebody_changes_while_they_are_loaded_are_those_of_no_other_worker(
    tmp_path: Path, name: str
) -> None:
    home = Home(newsroom(tmp_path / "home", ROWS))

    class ChangedWhileLoaded(Newsroom):
        @cached_property
        def rules(self) -> Rules:
            file = self.home.path / name
            file.write_text(file.read_text(encoding="utf-8") + "\n# another one\n", encoding="utf-8")
            return load_rules(self.home)

    before = hash_files(Newsroom(home))
    assert hash_files(Newsroom(home)) == before
    changed = hash_files(ChangedWhileLoaded(home))
    assert changed not in {before, hash_files(Newsroom(home))}


@pytest.mark.postgresql
def test_a_helper_that_learned_other_events_than_it_began_with_does_no_shard(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, two.room.url)
    monkeypatch.setenv(LEASE_VARIABLE, str(two.helper_lease))
    read_model = with_model

    def learn_and_read_model(tx: Transaction, rules: GroupRules) -> GroupRules:
        with two.leader.transaction() as writing:
            writing.events.save_tuning(EventTuning(articles=1))
        return read_model(tx, rules)

    monkeypatch.setattr("pipelines.newsroom.stages.helping.with_model", learn_and_read_model)
    with closing(two.lead()) as shards:
        results = shards.map(read_fresh, [([1],)] * 50)
        next(results)
        with closing(Newsroom(Home(two.room.folder))) as newsroom:
            assert help_out(newsroom, 1).shards == 0


@pytest.mark.postgresql
def test_shards_of_a_leader_that_is_gone_are_taken_by_nobody_and_dropped_by_the_next_leader(two: Two) -> None:
    gone = two.lead()
    next(gone.map(add, SHARDS))
    two.room.execute(f"{AN_HOUR_OF_SILENCE} WHERE id = (SELECT min(id) FROM procrastinate_workers)")
    with two.helper.sharing() as shared:
        assert shared.find_work(gone._rules_hash) is None
        shared.clear()
        assert shared.collect(1) is None
    with two.helper.reading() as tx:
        assert tx.articles._connection.exec_driver_sql("SELECT count(*) FROM shards").scalar_one() == 0


@pytest.mark.postgresql
def test_a_worker_with_other_rules_does_no_shard_and_says_so(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, two.room.url)
    monkeypatch.setenv(LEASE_VARIABLE, str(two.helper_lease))
    with closing(two.lead()) as shards:
        results = shards.map(list_entries, [(1, 1)] * 50)
        next(results)
        with closing(Newsroom(Home(two.room.folder))) as same:
            assert help_out(same, 1).shards > 1
        (two.room.folder / "rules").mkdir()
        texts = bundled() / "rules" / "text.toml"
        (two.room.folder / "rules" / "text.toml").write_text(texts.read_text(encoding="utf-8") + "\n# another one\n")
        with closing(Newsroom(Home(two.room.folder))) as other:
            next(results)
            assert help_out(other, 1) == Helped(0, has_other_rules=True)
        assert len(list(results)) == 48


@pytest.mark.postgresql
def test_a_leader_invites_as_many_workers_as_are_idle(two: Two) -> None:
    invited: list[int] = []
    two.room.execute("INSERT INTO procrastinate_workers SELECT FROM generate_series(1, 3)")
    with closing(two.lead(invited.append)) as shards:
        list(shards.map(add, SHARDS))
    assert invited == [3]


@pytest.mark.postgresql
def test_workers_that_are_asked_for_help_are_not_asked_again_and_the_queue_says_what_they_are_to_do(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, two.room.url)
    for _ in range(2):
        Queue(Home(two.room.folder)).invite_helpers(2)
    assert [(job["task"], job["lock"]) for job in two.room.queue()["jobs"] if job["state"] == "waiting"] == [
        ("shards", "")
    ] * 2
    assert two.room.run("queue").count("帮着做") == 2
    two.room.execute("INSERT INTO procrastinate_workers SELECT FROM generate_series(1, 3)")
    invited: list[int] = []
    with closing(two.lead(invited.append)) as shards:
        list(shards.map(add, SHARDS))
    assert invited == [1]
