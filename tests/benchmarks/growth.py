"""What an article costs, and how long the desk takes, while one newsroom grows.

    python tests/benchmarks/growth.py [--sizes 10000 100000 1000000] [--new 1000] [--rounds 40] [--folder FOLDER]
                                      [--database URL] [--json FILE] [POOL.jsonl ...]
    python tests/benchmarks/growth.py --desk --folder FOLDER [--database URL] [--rounds 40]

Grows one newsroom over years, 250 articles a day as `grouping.py` makes them, six in ten with a text; nothing is ever
decided on, so that every story stays open. It lives in SQLite, or in the database of a URL. At each size it measures,
each in a process of its own:

- *store* and *group* of new articles: CPU an article, without what is loaded once;
- *candidates*: CPU of `jianbao candidates --json` over all stories;
- *list*, *filter*, *search*, *action* of the desk: milliseconds that pass over loopback;
- the largest memory of each of these processes, and the size of the database.

With `--desk`, only the desk is asked, over what is stored.

*first list* is the first request of a new process, which loads modules, templates and pages of the database. p95 is the
95th percentile of so many requests of one editor, after one that does not count: of 40, the third longest. So it is not
that of a warm desk: of the lists, three are the first of their category; of the searches, one of eight distinct ones is
for a single character, which very many articles contain, and each is asked five times; each action is on a story at
random of the first 200, and every third one is a pick. *CPU* is the same percentile of the processor time of the desk
with its client (on PostgreSQL without the server's): where the machine does other work besides, time that passes says
more about that work. The stream of articles begins on a fixed day, so a large newsroom is dated into years to come: its
stories all count as of today, which is the worst case of *filter* and *action*.

The last column is the last size over the first: 1 is a cost that does not grow. Without a pool, titles and texts are of
characters at random.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

from desk import make_sorts, measure_spread, served
from grouping import A_DAY, AT_ONCE, NEWEST_DAYS, WARM_UP, Stream, leave_traces

from crawler.home import DATABASE_VARIABLE, Home, bundled
from pipelines.cli import COLLECT_AFTER, app
from pipelines.model import Article
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import group

PAGES_OF_A_BATCH: Final = 20
"""Articles of a transaction: about what a second of a crawl brings."""

SORTS: Final = ("list", "filter", "search", "action")
MADE_UP_TITLES: Final = 5000


def main() -> None:
    """Grow, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", nargs="*", type=Path, metavar="POOL")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--new", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where to keep the newsroom, to go on with it")
    parser.add_argument("--database", help="the URL of its database; SQLite in the folder by default")
    parser.add_argument("--desk", action="store_true", help="only ask the desk, over what is stored")
    parser.add_argument("--json", type=Path, help="where to write the figures, for the plots of performance.py")
    given = parser.parse_args()
    if given.database:
        os.environ[DATABASE_VARIABLE] = given.database  # also for the processes that measure
    if given.desk:
        costs, memory = _run_alone(_ask_desk, given.folder, given.rounds)
        _print([_count_stored(given.folder)], [costs | {"desk, MB of memory": memory}])
        return
    rows = [json.loads(line) for pool in given.pools for line in pool.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as temporary:
        growing = Growing(given.folder or Path(temporary), Stream(rows or list(make_up_rows()), A_DAY))
        figures = [growing.measure_at(size, given.new, given.rounds) for size in given.sizes]
    _print(given.sizes, figures)
    if given.json:
        given.json.write_text(json.dumps(dict(zip(map(str, given.sizes), figures, strict=True)), indent=1) + "\n")


class Growing:
    """A newsroom to which articles come in the order of their days."""

    def __init__(self, folder: Path, stream: Stream) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("newsletter.toml", "sources.toml"):
            (folder / name).write_bytes((bundled() / name).read_bytes())
        self._folder = folder
        self._stream = stream
        self._stored = _count_stored(folder)
        for _ in range(self._stored):
            next(stream)

    def measure_at(self, size: int, new: int, rounds: int) -> dict[str, float]:
        """Grow to a size, and measure.

        Args:
            size: articles stored, `new` included.
            new: articles of which the costs are taken, and so many again before them, which are only grouped.
            rounds: requests of each sort.

        Returns:
            The figures by name.
        """
        self._grow(size - new)
        articles = [next(self._stream) for _ in range(new)]
        self._stored += new
        figures: dict[str, float] = {}
        for name, function, arguments in (
            ("store and group", _store_and_group, (articles,)),
            ("candidates", _list_candidates, ()),
            ("desk", _ask_desk, (rounds,)),
        ):
            costs, memory = _run_alone(function, self._folder, *arguments)
            figures |= costs | {f"{name}, MB of memory": memory}
        with closing(Newsroom(Home(self._folder)).store) as store:
            figures["database, MB"] = store.size() / 2**20
        return figures

    def _grow(self, size: int) -> None:
        """Store articles up to a size; the newest are grouped, what is older has the traces of it."""
        newsroom = Newsroom(Home(self._folder))
        older = size - round(NEWEST_DAYS * A_DAY)
        began = process_time()
        while self._stored < size:
            with newsroom.store.transaction() as tx:
                articles = [next(self._stream) for _ in range(min(AT_ONCE, size - self._stored))]
                ids = tx.articles.save(articles).ids
                leave_traces(tx, ids[: max(older - self._stored, 0)], newsroom.group_rules)
            self._stored += len(ids)
            sys.stderr.write(f"\r{self._stored:,} articles, {process_time() - began:,.0f} CPU-s ")
        group(newsroom.store, newsroom.group_rules)
        newsroom.store.close()
        sys.stderr.write("\n")


def _count_stored(folder: Path) -> int:
    """Count the articles of a newsroom."""
    with closing(Newsroom(Home(folder)).store) as store, store.reading() as tx:
        return tx.articles.next_id() - 1


def _run_alone(function: Callable[..., dict[str, float]], *arguments: Any) -> tuple[dict[str, float], float]:
    """Run a function in a process of its own, and return its figures and the most memory of the process in MB."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        figures = pool.submit(function, *arguments).result()
        return figures, pool.submit(_read_most_memory).result()


def _read_most_memory() -> float:
    """Read the largest resident set of this process in MB; `getrusage` would count that of its parent."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _store_and_group(folder: Path, articles: Sequence[Article]) -> dict[str, float]:
    """Store and group articles, as a command does; the first ones load what is loaded once."""
    gc.set_threshold(*COLLECT_AFTER)
    newsroom = Newsroom(Home(folder))
    _save(newsroom, articles[:WARM_UP])
    group(newsroom.store, newsroom.group_rules)
    fresh = articles[WARM_UP:]
    began = process_time()
    _save(newsroom, fresh)
    stored = process_time()
    group(newsroom.store, newsroom.group_rules)
    grouped = process_time()
    newsroom.store.close()
    return {
        "store, ms": 1000 * (stored - began) / len(fresh),
        "group, ms": 1000 * (grouped - stored) / len(fresh),
    }


def _save(newsroom: Newsroom, articles: Sequence[Article]) -> None:
    for start in range(0, len(articles), PAGES_OF_A_BATCH):
        with newsroom.store.transaction() as tx:
            tx.articles.save(articles[start : start + PAGES_OF_A_BATCH])


def _list_candidates(folder: Path) -> dict[str, float]:
    """Write all candidates as JSON to nowhere."""
    began = process_time()
    output, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        app(["--home", str(folder), "candidates", "--json"], standalone_mode=False)
    finally:
        sys.stdout.flush()
        os.dup2(output, 1)
    return {"candidates, CPU-s": process_time() - began}


def _ask_desk(folder: Path, rounds: int) -> dict[str, float]:
    """Ask the desk, as `desk.py` does."""
    newsroom = Newsroom(Home(folder))
    with served(newsroom) as ask:
        sorts = make_sorts(ask, newsroom)
        figures: dict[str, float] = {}
        for name in SORTS:
            first = sorts[name](0)
            figures |= {"first list, ms": first} if name == "list" else {}
            pairs = [(sorts[name](at), ask.processor_milliseconds) for at in range(rounds)]
            times, processor_times = zip(*pairs, strict=True)
            figures[f"{name}, p95 ms"] = measure_spread(times)[1]
            figures[f"{name}, p95 ms of CPU"] = measure_spread(processor_times)[1]
    newsroom.store.close()
    return figures


def make_up_rows() -> Iterator[Mapping[str, str]]:
    """Make up titles and digests of Chinese characters at random, as long as those of accounts."""
    chance = random.Random(3)

    def make_up(length: int) -> str:
        return "".join(chr(chance.randrange(0x4E00, 0x5600)) for _ in range(length))

    for number in range(MADE_UP_TITLES):
        url = f"https://account.example/{number}"
        yield {"title": make_up(24), "summary": make_up(60), "url": url, "source": f"账号{number % 300}"}


def _print(sizes: Sequence[int], figures: Sequence[Mapping[str, float]]) -> None:
    sys.stdout.write(f"{'stored':30}" + "".join(f"{size:>14,}" for size in sizes) + f"{'ratio':>8}\n")
    for name in figures[0]:
        values = [each[name] for each in figures]
        cells = "".join(f"{value:14,.2f}" for value in values)
        sys.stdout.write(f"{name:30}{cells}{values[-1] / values[0]:8.2f}\n")


if __name__ == "__main__":
    main()
