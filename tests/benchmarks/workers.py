"""How much faster two workers crawl than one, on sources that cost processor time and share no host.

    python tests/benchmarks/workers.py [--sources 16] [--entries 1500] [--rounds 3]

Each source is a feed of so many entries with texts, on an address of loopback of its own, without a delay; a run of one
takes seconds of processor time, and next to no waiting. A newsroom in a PostgreSQL server of its own gets all of them
into its queue when its workers have registered, and the time until no crawl is left is measured; the grouping
afterwards is one job, and not measured. One worker and two are measured in turn.

Printed are, for each round, the wall time, the processor time of workers, server and sites, and what all other
processes of the machine used meanwhile; and the median ratio of the wall times. Two cores have no more than two seconds
of processor time in a second: where others used much of them, the ratio says nothing, and the processor time of two
workers against one says what dividing the work costs.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from crawling import WORDS  # noqa: E402
from postgresql_server import PostgresqlServer, find_programs, run_server  # noqa: E402
from processes import TICK, list_family, read_process_time  # noqa: E402
from servers import http, newsroom, serving, source  # noqa: E402
from waiting import wait_until  # noqa: E402

from crawler.home import DATABASE_VARIABLE, Home  # noqa: E402
from pipelines.newsroom.crawling.queue import Queue  # noqa: E402
from pipelines.store import Store  # noqa: E402

LONGEST: Final = 1800.0
"""Seconds; a round that takes longer hangs."""

CRAWLS_LEFT: Final = (
    "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = 'crawl' AND status IN ('todo', 'doing')"
)


@dataclass(frozen=True)
class Cost:
    """What a round took, in seconds.

    Args:
        wall: from the filling of the queue to the end of the last crawl.
        ours: processor time of workers and their crawls, the server and the sites.
        others: processor time of all other processes of the machine.
    """

    wall: float
    ours: float
    others: float


def make_feed(number: int, entries: int) -> bytes:
    """Make a feed with titles, dates and texts."""
    chance = random.Random(number)
    items = "".join(
        f"<item><title>{''.join(chance.choices(WORDS, k=6))} {number}-{index}</title>"
        f"<link>https://blog{number}.example/{index}</link>"
        f"<pubDate>Thu, {index % 28 + 1:02} Oct 2026 08:00:00 GMT</pubDate>"
        f"<description>{''.join(chance.choices(WORDS, k=400))}。</description></item>"
        for index in range(entries)
    )
    document = f"<rss version='2.0'><channel><title>博客 {number}</title>{items}</channel></rss>"
    answer: bytes = http(200, document)
    return answer


@contextmanager
def serving_feeds(sources: int, entries: int) -> Iterator[tuple[str, list[str]]]:
    """Serve each feed on an address of its own; the rows of the sources, and the places of the hosts."""
    rows, places = "", []
    with ExitStack() as stack:
        for number in range(sources):
            site = stack.enter_context(serving({"/feed": make_feed(number, entries)}, f"127.0.11.{number + 1}"))
            rows += source(f"s{number}", "feed", url=f"{site.base}/feed")
            places.append(site.place)
        yield rows, places


def measure_crawls(server: PostgresqlServer, rows: str, places: list[str], count: int) -> Cost:
    """Measure so many workers on a new newsroom.

    Raises:
        RuntimeError: the sources were not all read.
    """
    url = server.make_database()
    Store.open(url).close()
    os.environ[DATABASE_VARIABLE] = url
    with TemporaryDirectory() as folder, psycopg.connect(url, autocommit=True) as connection:
        home = newsroom(Path(folder) / "home", rows, *places)
        queue = Queue(Home(home))
        command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "worker"]
        quiet = subprocess.DEVNULL
        workers = [subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet) for _ in range(count)]
        try:
            registered = "SELECT count(*) FROM procrastinate.procrastinate_workers"
            wait_until(lambda: connection.execute(registered).fetchone() == (count,))
            busy, ours = read_machine_time(), read_own_time(server, workers)
            began = time.monotonic()
            queue.fill([f"s{number}" for number in range(len(places))])
            while connection.execute(CRAWLS_LEFT).fetchone() != (0,):
                if time.monotonic() - began > LONGEST or any(worker.poll() is not None for worker in workers):
                    raise RuntimeError("a worker ended, or hangs")
                time.sleep(0.05)
            wall = time.monotonic() - began
            own = read_own_time(server, workers) - ours
            others = read_machine_time() - busy - own
            (read,) = connection.execute("SELECT count(*) FROM runs WHERE new > 0 AND failure IS NULL").fetchone() or (
                0,
            )
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()
    server.drop_database(url)
    if read != len(places):
        raise RuntimeError(f"{read} sources of {len(places)} were read")
    return Cost(wall, own, others)


def read_machine_time() -> float:
    """Seconds in which the machine's processors did anything, since it started."""
    user, nice, system, _idle, _waiting, *interrupts = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + sum(interrupts[:2])) / TICK


def read_own_time(server: PostgresqlServer, workers: list[subprocess.Popen[bytes]]) -> float:
    """Processor time of this process with its sites, of the server and of the workers, with all that they started."""
    starters = [server.process_id, *(worker.pid for worker in workers)]
    family = (process for starter in starters for process in list_family(starter))
    return time.process_time() + sum(map(read_process_time, family))


def main() -> int:
    """Measure in turn, and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sources", type=int, default=16)
    options.add_argument("--entries", type=int, default=1500)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    programs = find_programs()
    if programs is None:
        raise SystemExit("no PostgreSQL server is installed")
    costs: dict[int, list[Cost]] = {1: [], 2: []}
    sys.stdout.write(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    with run_server(programs) as server, serving_feeds(chosen.sources, chosen.entries) as (rows, places):
        for _ in range(chosen.rounds):
            for count, rounds in costs.items():
                rounds.append(cost := measure_crawls(server, rows, places, count))
                sys.stdout.write(
                    f"workers: {count}  wall {cost.wall:6.1f} s  ours {cost.ours:6.1f} CPU-s"
                    f"  others {cost.others:6.1f} CPU-s\n"
                )
    one, two = costs[1], costs[2]
    speed = statistics.median(a.wall / b.wall for a, b in zip(one, two, strict=True))
    price = statistics.median(b.ours / a.ours for a, b in zip(one, two, strict=True))
    sys.stdout.write(f"two workers are {speed:.2f} x as fast as one, for {price:.2f} x the processor time\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
