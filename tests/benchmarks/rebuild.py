"""What a rebuild costs, and how long another writer waits for it.

    python tests/benchmarks/rebuild.py [--articles 10000] [--processes 2] [--keep FOLDER] POOL.jsonl ...
    python tests/benchmarks/rebuild.py [--articles 10000] --workers 1 2 [--keep FOLDER] -- POOL.jsonl ...

Stores raw items made of small pieces of the pools' titles and digests, six in ten with a text (as in `grouping.py`),
groups them, and rebuilds and groups everything again while another writer begins a transaction every tenth of a second.
Printed are the seconds by the clock, the CPU of all processes, the writer's longest wait, and the most memory of any
process. `--keep` keeps the store, so that the next run need not make it.

With `--workers`, one worker and then two divide both in a PostgreSQL server of their own, each on one processor, as if
it were a machine: printed are the seconds by the clock up to the grouping, and until the queue is empty, and the CPU of
the server and of each worker: where other programs use the processors, that of the busier worker tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import psycopg  # noqa: E402
from grouping import A_DAY, Stream  # noqa: E402
from postgresql_server import find_programs, run_server  # noqa: E402
from processes import list_family, read_most_memory, read_process_time  # noqa: E402
from servers import newsroom, source  # noqa: E402
from waiting import wait_until  # noqa: E402

from crawler.home import DATABASE_VARIABLE, Home, bundled  # noqa: E402
from crawler.items import Batch, RawItem  # noqa: E402
from crawler.sources.schema import Source  # noqa: E402
from pipelines.group.candidates import GroupRules  # noqa: E402
from pipelines.model import Article  # noqa: E402
from pipelines.newsletter import load_newsletter  # noqa: E402
from pipelines.newsroom.crawling.queue import Queue  # noqa: E402
from pipelines.newsroom.stages import run  # noqa: E402
from pipelines.newsroom.stages.shards import count_processes  # noqa: E402
from pipelines.rules import Rules, load_rules  # noqa: E402
from pipelines.store import Store  # noqa: E402

SOURCE = Source(id="mirror", kind="feed", name="镜像", url="https://mirror.example/feed")
AT_ONCE = 100
GAP = 0.1


def main() -> None:
    """Fill, rebuild, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", nargs="+", type=Path, metavar="POOL")
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=count_processes())
    parser.add_argument("--workers", type=int, nargs="+", default=())
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    rows = [json.loads(line) for pool in arguments.pools for line in pool.read_text(encoding="utf-8").splitlines()]
    home = Home(bundled())
    rules = load_rules(home)
    group_rules = GroupRules.of(
        load_newsletter(home.newsletter), {}, {}, promotion=rules.promotion, events=rules.events, papers=rules.papers
    )
    with TemporaryDirectory() as folder:
        kept = (arguments.keep or Path(folder)) / f"raw-{arguments.articles}.db"
        if not kept.exists():
            store = Store.open(f"sqlite:///{kept}")
            stream = Stream(rows, A_DAY)
            fill(store, (next(stream) for _ in range(arguments.articles)), rules)
            run.group(store, group_rules)
            store.close()
        path = Path(folder) / "jianbao.db"
        shutil.copyfile(kept, path)
        store = Store.upgrade(f"sqlite:///{path}")
        if arguments.workers:
            store.close()
            for count in arguments.workers:
                measure_workers(store.url, Path(folder) / f"home-{count}", count)
            return
        with write_beside(store) as (waits, memory):
            _time(
                "rebuild",
                arguments.articles,
                lambda: run.rebuild(store, {SOURCE.id: SOURCE}, rules, processes=arguments.processes),
            )
            _time("group", arguments.articles, lambda: run.group(store, group_rules, processes=arguments.processes))
        sys.stdout.write(f"another writer waited {max(waits):.2f} s at most, {len(waits)} times\n")
        sys.stdout.write(f"largest RSS of a process {max(memory):,.0f} MB\n")
        store.close()


def measure_workers(kept_url: str, folder: Path, count: int) -> None:
    """Have so many workers divide a rebuild of a copy of a store, and print what it took.

    Raises:
        RuntimeError: a worker ended.
    """
    home = newsroom(folder, source(SOURCE.id, "feed", url=SOURCE.url))
    programs = find_programs()
    if programs is None:
        raise RuntimeError("no PostgreSQL")
    processors = sorted(os.sched_getaffinity(0))
    with run_server(programs) as server:
        url = server.make_database()
        Store.copy(kept_url, url)
        os.environ[DATABASE_VARIABLE] = url
        queue = Queue(Home(home))
        command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "worker"]
        workers = []
        for number in range(count):
            processor = processors[number % len(processors)]
            worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.sched_setaffinity(worker.pid, {processor})  # before it starts anything
            workers.append(worker)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                wait_until(lambda: connection.execute(_WORKERS).fetchone() == (count,))
                began, grouping_at = time.monotonic(), 0.0
                queue.add_rebuild()
                while connection.execute(_JOBS_LEFT).fetchone() != (0,):
                    if not grouping_at and connection.execute(_IS_GROUPING).fetchone():
                        grouping_at = time.monotonic()
                    if any(worker.poll() is not None for worker in workers):
                        raise RuntimeError("a worker ended")
                    time.sleep(0.05)
                ended = time.monotonic()
                (failed,) = connection.execute(_JOBS_FAILED).fetchone() or (0,)
            starters = [server.process_id, *(worker.pid for worker in workers)]
            server_cpu, *worker_cpu = (sum(map(read_process_time, list_family(starter))) for starter in starters)
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()
    sys.stdout.write(
        f"workers: {count}  rebuild {grouping_at - began:6.1f} s, group {ended - grouping_at:6.1f} s, together"
        f" {ended - began:6.1f} s by the clock; CPU-s of server {server_cpu:.1f}, of each worker"
        f" {' '.join(f'{seconds:.1f}' for seconds in sorted(worker_cpu, reverse=True))}; failed jobs: {failed}\n"
    )


_WORKERS = "SELECT count(*) FROM procrastinate.procrastinate_workers"
_JOBS_LEFT = "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')"
_JOBS_FAILED = "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status = 'failed'"
_IS_GROUPING = "SELECT 1 FROM shards WHERE work = 'read_fresh'"


def fill(store: Store, articles: Iterator[Article], rules: Rules) -> None:
    """Ingest articles as the items of a feed."""
    while batch := list(islice(articles, AT_ONCE)):
        run.ingest(store, Batch(SOURCE.id, tuple(map(make_item, batch))), SOURCE, rules, batch[-1].fetched_at)


def make_item(article: Article) -> RawItem:
    """The item of which an article is made."""
    return RawItem(
        "feed",
        article.url,
        article.title,
        article.fetched_at,
        published=article.published.at.isoformat(),
        publisher=article.publisher,
        summary=article.summary,
        html="".join(f"<p>{article.text[start : start + 120]}</p>" for start in range(0, len(article.text), 120)),
        guid=article.url,
    )


@contextmanager
def write_beside(store: Store) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
    """Begin a transaction every tenth of a second while the context lasts.

    Yields:
        How long each waited, in seconds; and the most memory of any process at that moment, in MB.
    """
    ended = threading.Event()
    waits: list[float] = []
    memory: list[float] = []

    def write() -> None:
        while not ended.wait(GAP):
            began = time.monotonic()
            with store.transaction():
                waits.append(time.monotonic() - began)
            memory.append(max(map(read_most_memory, list_family(os.getpid()))))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits, memory
    finally:
        ended.set()
        thread.join()


def _time(name: str, articles: int, work: Callable[[], object]) -> None:
    began, cpu_began = time.monotonic(), _measure_cpu()
    work()
    seconds, cpu = time.monotonic() - began, _measure_cpu() - cpu_began
    each = cpu / articles * 1e3
    sys.stdout.write(f"{name:8} {seconds:8.1f} s by the clock, {cpu:8.1f} CPU-s, {each:.2f} CPU-ms an article\n")
    sys.stdout.flush()


def _measure_cpu() -> float:
    """The seconds of this process and of all that it started, also of those that have ended."""
    return sum(map(read_process_time, list_family(os.getpid())))


if __name__ == "__main__":
    main()
