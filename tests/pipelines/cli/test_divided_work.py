"""Workers that divide one rebuild and its grouping in PostgreSQL, by the commands that people use."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Final

import pytest
from builders import NOON
from databases import read_tables
from postgresql_server import PostgresqlServer
from rooms import AN_HOUR_OF_SILENCE, Room
from servers import newsroom, source
from waiting import wait_until

from crawler.home import Home, bundled
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.newsroom.stages.run import ingest
from pipelines.newsroom.stages.shards import FEWEST
from pipelines.rules import load_rules
from pipelines.store import Store

AT_ONCE: Final = 600
CHARACTERS: Final = tuple(map(chr, range(0x4E00, 0x5600)))
ROW: Final = source("one", "feed", url="https://one.example/feed")
DONE_FOR_ANOTHER: Final = re.compile(r"Shards done for another worker: (\d+)")


def make_item(number: int) -> RawItem:
    """Articles of which two and two report one event, three have one identifier, and one in ten has a bad address."""
    url = f"https://one.example/{number}" if number % 10 else f"mailto:{number}@one.example"
    event = number // 2
    chance = random.Random(event)
    name = "".join(chance.choices(ascii_lowercase, k=6)).title()
    words = "".join(chance.choices(CHARACTERS, k=9))
    title = f"{name} {event} 发布，{words}" if number % 2 else f"{words}：{name} {event} 来了"
    html = f"<p>{title}。{''.join(random.Random(number).choices(CHARACTERS, k=99))}。</p>"
    published = (NOON - timedelta(hours=3 * number)).isoformat()
    return RawItem(
        "feed",
        url,
        title,
        NOON,
        published=published,
        guid=f"g{number // 3}",
        html=html,
        metrics={"votes": number},
        publisher=f"账号 {number % 7}",
    )


@pytest.fixture
def urls(postgresql_server: PostgresqlServer) -> Iterator[list[str]]:
    """Two databases with the same raw items, as many as are divided among workers, none of them grouped."""
    first = postgresql_server.make_database()
    feed, rules = Source(id="one", kind="feed", name="one", url="https://one.example/feed"), load_rules(Home(bundled()))
    with closing(Store.open(first)) as store:
        for begin in range(0, FEWEST + AT_ONCE, AT_ONCE):
            items = tuple(map(make_item, range(begin, begin + AT_ONCE)))
            ingest(store, Batch(feed.id, items), feed, rules, NOON)
    made = [first, postgresql_server.make_database(postgresql_server.name_of(first))]
    yield made
    for url in made:
        postgresql_server.drop_database(url)


def read_contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    with closing(Store.open(url)) as store:
        return read_tables(store)


def start_workers(room: Room) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """Put a rebuild into the queue, and start a worker that leads it, and another one when it does."""
    room.run("rebuild", "--queue")
    leader = room.start("--lang", "en", "worker")
    wait_until(lambda: room.has_row("SELECT 1 FROM shards"))
    return leader, room.start("--lang", "en", "worker")


def stop(worker: subprocess.Popen[str]) -> str:
    """Stop a worker that may have ended; its log."""
    worker.terminate()
    log = worker.communicate(timeout=60)[1]
    assert "Traceback" not in log
    return log


def wait_for_end(room: Room) -> None:
    """Wait until the rebuild has come to the grouping, and then until that is done."""
    wait_until(lambda: room.has_row("SELECT 1 FROM shards WHERE work = 'read_fresh'"))
    wait_until(lambda: room.queue()["jobs"] == [])


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_workers_divide_a_rebuild_and_its_grouping_and_make_what_one_process_makes(
    urls: list[str], tmp_path: Path
) -> None:
    home = newsroom(tmp_path / "home", ROW)
    room, alone = (Room(home, url) for url in urls)
    alone.run("rebuild", "--processes", "1")
    leader, helper = start_workers(room)
    wait_for_end(room)
    numbers = [int(number) for number in DONE_FOR_ANOTHER.findall(stop(helper))]
    assert sum(numbers) > 1
    assert not DONE_FOR_ANOTHER.search(stop(leader))
    assert read_contents(room.url) == read_contents(alone.url)


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("is_leader", [True, False], ids=["the leader", "the helper"])
def test_a_rebuild_goes_on_and_makes_the_same_when_one_of_two_workers_is_killed(
    urls: list[str], tmp_path: Path, is_leader: bool
) -> None:
    home = newsroom(tmp_path / "home", ROW)
    room, alone = (Room(home, url) for url in urls)
    alone.run("rebuild", "--processes", "1")
    workers = start_workers(room)
    wait_until(lambda: room.has_row("SELECT 1 FROM shards WHERE taker_job <> leader_job AND result IS NULL"))
    killed, other = workers if is_leader else reversed(workers)
    killed.kill()
    killed.communicate(timeout=60)
    assert room.has_row("SELECT 1 FROM shards"), "killed in the middle"
    number = "min" if is_leader else "max"
    room.execute(f"{AN_HOUR_OF_SILENCE} WHERE id = (SELECT {number}(id) FROM procrastinate_workers)")
    wait_for_end(room)
    stop(other)
    assert read_contents(room.url) == read_contents(alone.url)
