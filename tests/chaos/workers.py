"""Kills, stops and cuts off workers of one queue at random: `python tests/chaos/workers.py --kills 100 --seed 1`.

The sources of a newsroom in PostgreSQL change from round to round, and two workers crawl each round. One of them at a
time is killed (SIGKILL) at a random point of its work, alone or with its crawl, and another one takes its place. In
every third round one is stopped (SIGSTOP), in every third one a proxy cuts its way to the server without a word; both
come back only after the next round, with what they had read in theirs. At the end the whole store, candidates and
search have to be those of one worker that nobody disturbed. The exit status is 1 where they differ.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "chaos")]

from kills import Room, list_candidates, search  # noqa: E402
from postgresql_server import PostgresqlServer, find_programs, run_server  # noqa: E402
from processes import list_family  # noqa: E402
from servers import Seen, http, newsroom, serving, source  # noqa: E402

from crawler.home import DATABASE_VARIABLE, Home  # noqa: E402
from pipelines.newsroom.crawling.queue import Queue  # noqa: E402
from pipelines.store import Store  # noqa: E402

HOSTS: Final = ("127.0.9.1", "127.0.9.2", "127.0.9.3", "127.0.9.4")
FEEDS_OF_A_HOST: Final = 2
ITEMS: Final = 12
NEW_ITEMS: Final = 3
"""Items of a feed, and how many of them are new in the next round; a few of the others get another title and text."""

REPRINTS: Final = 3
"""Items of the feed before, under an address of its own: their articles are one story, whichever came first."""

KILLS_OF_A_ROUND: Final = 15
LONGEST_LIFE: Final = 9.0
"""Seconds from the registration of a worker to its end by force; two jobs take about as long."""

LONGEST_ROUND: Final = 300.0

TOPICS: Final = ("低比特量化实战", "端侧推理引擎开源", "移动端部署入门", "结构化剪枝综述", "模型压缩竞赛结果")

CONTENTS: Final[dict[str, LiteralString]] = {
    "raw items": "SELECT digest, r.source, a.url, problem FROM raw_items r LEFT JOIN articles a ON a.id = r.article_id",
    "articles": "SELECT url, seen_url, title, source, kind, published_at, language, summary, text, revision, fresh"
    " FROM articles",
    "keys": "SELECT key, a.url FROM article_keys JOIN articles a ON a.id = article_id",
    "sightings": "SELECT s.source, s.url, s.seen_url, a.url FROM sightings s JOIN articles a ON a.id = article_id",
    "revisions": "SELECT a.url, number, r.title, r.text FROM revisions r JOIN articles a ON a.id = article_id",
    "sources": "SELECT id, etag, last_modified, cursor::text, failure FROM sources",
    "stories": "SELECT state, category, promotion, accounts, array_agg(a.url ORDER BY a.url) FROM stories s"
    " JOIN story_members m ON m.story_id = s.id JOIN articles a ON a.id = m.article_id GROUP BY s.id",
    "evidence": "SELECT e.kind, detail, least(a.url, b.url), greatest(a.url, b.url) FROM evidence e"
    " JOIN articles a ON a.id = one JOIN articles b ON b.id = other",
}

A_DAY_PASSES: Final = (
    "UPDATE sources SET last_started_at = last_started_at - interval '1 day', last_success_at = last_success_at"
    " - interval '1 day', last_failure_at = last_failure_at - interval '1 day'"
)


class Feeds:
    """The feeds of the hosts; each knows what a reader has by its ETag.

    Attributes:
        round: which edition they answer with.
    """

    def __init__(self, generator: random.Random) -> None:
        self.round = 0
        self._generator = generator

    def answer(self, seen: Seen) -> bytes:
        """Answer with the feed of a path, after a moment, or with 304."""
        time.sleep(self._generator.uniform(0, 0.6))
        number, edition = int(seen.path.removeprefix("/")), self.round
        tag = f'"{number}-{edition}"'
        if seen.headers.get("if-none-match") == tag:
            unchanged: bytes = http(304, etag=tag)
            return unchanged
        own, neighbours = (first_of(each, edition) for each in (number, number - 1))
        indices = [*range(own, own + ITEMS), *range(neighbours, neighbours + REPRINTS)]
        items = "".join(make_item(index, number, edition) for index in indices)
        answer: bytes = http(
            200, f"<rss version='2.0'><channel><title>T{number}</title>{items}</channel></rss>", etag=tag
        )
        return answer


def first_of(number: int, edition: int) -> int:
    """The number of a feed's first item in an edition."""
    return (number + 1) * 1000 + edition * NEW_ITEMS


def make_item(index: int, feed: int, edition: int) -> str:
    """Make an item of a feed; in some editions it has another title and text."""
    version = (edition + index % 3) // 3
    return (
        f"<item><title>{TOPICS[index % 5]} 第 {index} 回（{version}）</title><link>https://t{feed}.example/{index}</link>"
        f"<pubDate>Thu, {index % 28 + 1:02} Oct 2026 08:00:00 GMT</pubDate>"
        f"<description>{f'第 {index} 回讲清楚 {index * 37 + version} 件事。' * 10}</description></item>"
    )


class Proxy:
    """A way to a PostgreSQL server that can be cut: whatever is said then waits, and no end of a connection is told.

    Args:
        folder: of the proxy's socket.
        server: the server's socket.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self._server = server
        self._is_open = threading.Event()
        self._is_open.set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / server.name))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through."""
        self._is_open.clear()

    def mend(self) -> None:
        """Let through what waited, and whatever comes."""
        self._is_open.set()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            self._is_open.wait()
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, reader: socket.socket, writer: socket.socket) -> None:
        with suppress(OSError):
            while piece := reader.recv(65536):
                self._is_open.wait()
                writer.sendall(piece)
        self._is_open.wait()
        for end in (reader, writer):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Worker:
    """A worker in a process of its own.

    Args:
        process: of the worker.
        number: under which it registered.
    """

    def __init__(self, process: subprocess.Popen[bytes], number: int) -> None:
        self.process = process
        self.number = number

    def send(self, number: signal.Signals, processes: Iterable[int]) -> None:
        """Send a signal to some of its processes; one may have ended meanwhile."""
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)


class House:
    """A newsroom, its queue, and its workers.

    Args:
        home: the newsletter's folder.
        url: of its database.
        way: the URL by which cut-off workers reach the database.
    """

    def __init__(self, home: Path, url: str, way: str) -> None:
        self.home = home
        self._url = url
        self._way = way
        self._connection = psycopg.connect(url, autocommit=True, options="-c search_path=public,procrastinate")
        self._log = (home / "workers.log").open("ab")
        self._processes: list[subprocess.Popen[bytes]] = []
        os.environ[DATABASE_VARIABLE] = url

    def read(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(query).fetchall()

    def fill(self, ids: Iterable[str] = ()) -> None:
        """Do what the schedule does: put sources into the queue, and the jobs of silent workers."""
        due = list(ids)
        Queue(Home(self.home)).fill(due, is_grouping_due=bool(due))

    def is_empty(self) -> bool:
        """Whether no job waits or is being done."""
        return self.read("SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing')") == []

    def start_worker(self, *, by_proxy: bool = False) -> Worker:
        """Start a worker, and wait until it is registered."""
        before = set(self.read("SELECT id FROM procrastinate_workers"))
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "--home", str(self.home), "worker"],
            cwd=ROOT,
            env=os.environ | {DATABASE_VARIABLE: self._way if by_proxy else self._url},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._processes.append(process)
        while not (new := set(self.read("SELECT id FROM procrastinate_workers")) - before):
            if process.poll() is not None:
                raise SystemExit(f"a worker ended with {process.returncode}: {self.read_log()}")
            time.sleep(0.02)
        return Worker(process, new.pop()[0])

    def silence(self, worker: Worker) -> None:
        """Let a worker be silent for an hour, and give its jobs to others."""
        query: LiteralString = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
        self._connection.execute(f"{query} WHERE id = %s", [worker.number])
        self.fill()

    def stop_worker(self, worker: Worker) -> None:
        """Tell a worker to end."""
        worker.process.terminate()
        if worker.process.wait(LONGEST_ROUND) != 0:
            raise SystemExit(f"a worker ended with {worker.process.returncode}: {self.read_log()}")

    def let_a_day_pass(self) -> int:
        """Make all sources due; the number of the last run."""
        self._connection.execute(A_DAY_PASSES)
        ((number,),) = self.read("SELECT coalesce(max(id), 0) FROM runs")
        return int(number)

    def find_unread(self, since: int) -> list[str]:
        """The sources without a successful run after a run."""
        query: LiteralString = "SELECT source FROM runs WHERE finished_at IS NOT NULL AND failure IS NULL AND id > %s"
        read = {row[0] for row in self._connection.execute(query, [since]).fetchall()}
        return sorted(set(SOURCES) - read)

    def read_log(self) -> str:
        """The end of what the workers said."""
        return (self.home / "workers.log").read_text(encoding="utf-8")[-4000:]

    def list_contents(self) -> dict[str, Any]:
        """Everything that has to be the same, without numbers of rows and times of runs."""
        contents: dict[str, Any] = {name: sorted(map(repr, self.read(query))) for name, query in CONTENTS.items()}
        room = Room(self.home, self._url)
        return contents | {"candidates": list_candidates(room), "search": search(room)}

    def close(self) -> None:
        """Kill the workers that are left, and close its connection and its log."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._connection.close()
        self._log.close()


SOURCES: Final = tuple(f"s{number}" for number in range(len(HOSTS) * FEEDS_OF_A_HOST))


class Chaos:
    """Disturbs workers.

    Args:
        generator: of all that happens by chance.
        most_kills: after which nobody is killed any more.

    Attributes:
        kills, stops, cuts: how many there were.
    """

    def __init__(self, generator: random.Random, most_kills: int) -> None:
        self._most_kills = most_kills
        self.kills = self.stops = self.cuts = 0
        self._generator = generator

    def disturb(self, house: House) -> None:
        """Kill workers of a queue, one after another, as long as it has jobs; leave the rest to others.

        Args:
            house: with jobs in its queue.
        """
        workers = [house.start_worker() for _ in range(2)]
        for _ in range(min(KILLS_OF_A_ROUND, self._most_kills - self.kills)):
            killed = workers.pop(0)
            time.sleep(self._generator.uniform(0, LONGEST_LIFE / 2))  # two work: it has lived about twice as long
            if house.is_empty():
                workers.append(killed)
                break
            processes = list_family(killed.process.pid)
            killed.send(signal.SIGKILL, processes if self._generator.random() < 0.3 else processes[:1])
            killed.process.wait()
            self.kills += 1
            house.silence(killed)
            workers.append(house.start_worker())
        finish(house)
        for worker in workers:
            house.stop_worker(worker)

    @contextmanager
    def hold_back(self, house: House, proxy: Proxy | None) -> Iterator[None]:
        """Stop a worker in the middle of its work, or cut it off; it comes back at the end of the context.

        Args:
            house: with jobs in its queue.
            proxy: that is cut; None stops the worker's processes.
        """
        worker = house.start_worker(by_proxy=proxy is not None)
        time.sleep(self._generator.uniform(0.5, LONGEST_LIFE / 2))
        processes = list_family(worker.process.pid)
        if proxy:
            self.cuts += 1
            proxy.cut()
        else:
            self.stops += 1
            worker.send(signal.SIGSTOP, processes if self._generator.random() < 0.5 else processes[:1])
        house.silence(worker)
        yield
        if proxy:
            proxy.mend()
        else:
            worker.send(signal.SIGCONT, processes)
        time.sleep(self._generator.uniform(1, LONGEST_LIFE))
        house.stop_worker(worker)


def finish(house: House) -> None:
    """Wait until no job is left.

    Raises:
        SystemExit: jobs are left after `LONGEST_ROUND`.
    """
    give_up_at = time.monotonic() + LONGEST_ROUND
    while not house.is_empty():
        if time.monotonic() > give_up_at:
            jobs = house.read("SELECT id, status, worker_id, attempts, scheduled_at, args FROM procrastinate_jobs")
            raise SystemExit(f"jobs are left: {jobs}: {house.read_log()}")
        time.sleep(0.2)
        house.fill()


def work(house: House, feeds: Feeds, rounds: int, chaos: Chaos | None, proxy: Proxy) -> dict[str, Any]:
    """Read all rounds, and return what the store has at the end.

    Args:
        house: a new newsroom.
        feeds: of its sources.
        rounds: at most so many editions.
        chaos: disturbs all rounds but the last; None disturbs none.
        proxy: to the house's server.
    """
    for edition in range(rounds):
        feeds.round = edition
        since = house.let_a_day_pass()
        while unread := house.find_unread(since):
            house.fill(unread)
            if chaos is None:
                worker = house.start_worker()
                finish(house)
                house.stop_worker(worker)
            else:
                chaos.disturb(house)
            house.let_a_day_pass()
        if chaos is not None and edition % 3 < 2 and edition + 1 < rounds:
            house.let_a_day_pass()
            house.fill(SOURCES)
            feeds.round = edition  # what the one that is held back reads
            with chaos.hold_back(house, proxy if edition % 3 else None):
                feeds.round = edition + 1
                chaos.disturb(house)
    return house.list_contents()


def make_house(server: PostgresqlServer, folder: Path, rows: str, places: list[str], proxy_folder: Path) -> House:
    """Make a newsroom with an empty database."""
    url = server.make_database()
    Store.open(url).close()
    home = newsroom(folder, rows, *places, delay=0.1)
    return House(home, url, url.partition("?")[0] + f"?host={proxy_folder}")


@contextmanager
def serve_hosts(feeds: Feeds) -> Iterator[tuple[str, list[str]]]:
    """Serve the feeds; the rows of the sources, and the places of the hosts."""
    numbers = count()
    rows, places = "", []
    with ExitStack() as stack:
        for host in HOSTS:
            mine = [next(numbers) for _ in range(FEEDS_OF_A_HOST)]
            site = stack.enter_context(serving({f"/{number}": feeds.answer for number in mine}, host))
            rows += "".join(source(SOURCES[number], "feed", url=f"{site.base}/{number}") for number in mine)
            places.append(site.place)
        yield rows, places


def main() -> int:
    """Run, print the counts, and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--rounds", type=int, default=0, help="default: as many as the kills need")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    programs = find_programs()
    if programs is None:
        raise SystemExit("no PostgreSQL server is installed")
    generator = random.Random(chosen.seed)
    feeds, chaos = Feeds(generator), Chaos(generator, chosen.kills)
    rounds = chosen.rounds or chosen.kills // KILLS_OF_A_ROUND + 3
    began = time.monotonic()
    with run_server(programs) as server, tempfile.TemporaryDirectory() as folder, serve_hosts(feeds) as served:
        (proxy_folder := Path(folder) / "proxy").mkdir()
        proxy = Proxy(proxy_folder, server.socket)
        contents = []
        for name, disturber in (("undisturbed", None), ("disturbed", chaos)):
            house = make_house(server, Path(folder) / name, *served, proxy_folder)
            try:
                contents.append(work(house, feeds, rounds, disturber, proxy))
            finally:
                house.close()
    expected, outcome = contents
    different = [name for name in expected if expected[name] != outcome[name]]
    for name in different:
        missing = [row for row in expected[name] if row not in outcome[name]]
        added = [row for row in outcome[name] if row not in expected[name]]
        sys.stdout.write(f"{name}: missing {len(missing)} {missing[:3]}; added {len(added)} {added[:3]}\n")
    counts = f"{chaos.kills} kills, {chaos.stops} stops, {chaos.cuts} cuts, {rounds} rounds"
    compared = ", ".join(f"{len(rows)} {name}" for name, rows in expected.items())
    sys.stdout.write(f"{counts}, {len(different)} different of {compared}; {time.monotonic() - began:.0f} s\n")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
