"""Kills a newsletter's work at random points and goes on: `python tests/chaos/kills.py --runs 20 --seed 1`.

A run is crawl, group, two decisions and an export, each a process of its own. Each is killed (SIGKILL) up to three
times, at a random point of the time that it takes undisturbed, and started again until it ends by itself. At the end,
candidates, search and the exported file have to be those of a run that nobody disturbed. The exit status is 1 where one
run differs. A process begins as a copy of one that has all modules, so that kills strike the work and not the imports.

With `--postgresql` each newsroom has a database of its own, on a server that is started for them and never killed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from postgresql_server import PostgresqlServer, find_programs, run_server  # noqa: E402
from servers import Site, http, serving, source  # noqa: E402
from servers import newsroom as make_newsroom  # noqa: E402

from crawler.home import DATABASE_VARIABLE, Home  # noqa: E402
from pipelines import cli  # noqa: E402
from pipelines.newsroom import Newsroom  # noqa: E402
from pipelines.newsroom.editing.candidates import page_candidates  # noqa: E402
from pipelines.store.listing import CandidateQuery  # noqa: E402

FEEDS: Final = 4
ITEMS: Final = 25
TOPICS: Final = ("低比特量化实战", "端侧推理引擎开源", "移动端部署入门", "结构化剪枝综述", "模型压缩竞赛结果")
PICKS: Final = ("低比特量化实战 第 5 回", "端侧推理引擎开源 第 11 回")
DAY: Final = "2099-01-01"
MOST_KILLS: Final = 3
LONGEST: Final = 120.0
"""Seconds; a command that takes longer hangs."""

PRELOADED: Final = (
    *("pipelines.cli", "pipelines.cli.crawling", "pipelines.cli.issues", "pipelines.newsroom.crawling.crawls"),
    *("pipelines.store.migrations", "pipelines.newsroom.editing.exports", "crawler.pages.feed", "crawler.network.door"),
    "sqlalchemy.dialects.postgresql.psycopg",
)


def make_feed(number: int) -> bytes:
    """Make a feed; each item's title is its own, and some lie in two feeds."""
    first = number * (ITEMS - 3)
    items = "".join(
        f"<item><title>{TOPICS[index % 5]} 第 {index} 回</title><link>https://t.example/{index}</link>"
        f"<pubDate>Thu, {index % 28 + 1:02} Oct 2026 08:00:00 GMT</pubDate>"
        f"<description>{f'第 {index} 回讲清楚 {index * 37} 件事。' * 10}</description></item>"
        for index in range(first, first + ITEMS)
    )
    document = f"<rss version='2.0'><channel><title>T{number}</title>{items}</channel></rss>"
    answer: bytes = http(200, document, etag=f'"{number}"')
    return answer


@dataclass(frozen=True)
class Room:
    """A newsroom.

    Args:
        folder: of the newsletter.
        url: of its database.
    """

    folder: Path
    url: str

    @contextmanager
    def open(self) -> Iterator[Newsroom]:
        """Open it in this process."""
        os.environ[DATABASE_VARIABLE] = self.url
        with closing(Newsroom(Home(self.folder))) as newsroom:
            yield newsroom


class Worker:
    """Runs commands on newsletters, and kills them or not.

    Args:
        generator: of the times of kills; None leaves all commands alone.
        durations: the longest time of each command that was left alone, in seconds; filled while it is None.
    """

    def __init__(self, generator: random.Random | None, durations: dict[str, float]) -> None:
        self.kills = 0
        self._generator = generator
        self._durations = durations
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(list(PRELOADED))

    def work(self, room: Room) -> tuple[Any, ...]:
        """Do the whole work on a newsletter, and return what a person sees at its end."""
        self.run(room, "crawl")
        self.run(room, "group")
        for title in PICKS:
            self.run(room, "decide", str(find_story(room, title)), "pick", "--issue", DAY)
        self.run(room, "export", DAY)
        exported = {
            path.name: path.read_text(encoding="utf-8") for path in sorted((room.folder / "issues").rglob("*.md"))
        }
        return list_candidates(room), search(room), exported

    def run(self, room: Room, command: str, *arguments: str) -> None:
        """Run a command until it ends by itself.

        Args:
            room: whose command it is.
            command: the subcommand.
            arguments: of the subcommand.
        """
        log = room.folder / "stderr"
        words = ("--home", str(room.folder), command, *arguments)
        for attempt in range(MOST_KILLS + 1):
            process = self._processes.Process(target=run_command, args=(log, room.url, *words))
            began = time.monotonic()
            process.start()
            if self._generator is not None and attempt < MOST_KILLS:
                process.join(self._generator.uniform(0, 1.2 * self._durations[command]))
                if process.is_alive():
                    process.kill()
                    process.join()
                    self.kills += 1
                    continue
            process.join(LONGEST)
            if process.exitcode:
                raise SystemExit(f"{command}: exit code {process.exitcode}: {log.read_text(encoding='utf-8')}")
            if process.is_alive():
                process.kill()
                raise SystemExit(f"{command}: not ended after {LONGEST} s: {log.read_text(encoding='utf-8')}")
            if self._generator is None:
                self._durations[command] = max(self._durations[command], time.monotonic() - began)
            return


def run_command(log: Path, url: str, *words: str) -> None:
    """Run a command line on a database in this process, with its messages in a file."""
    os.environ[DATABASE_VARIABLE] = url
    with log.open("w", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), sys.stderr.fileno())
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.argv = ["jianbao", *words]
    cli.main()


def list_candidates(room: Room) -> list[tuple[Any, ...]]:
    """List each story as the editor sees it: title, state, category, number of reports."""
    with room.open() as newsroom, newsroom.store.reading() as tx:
        shown = page_candidates(tx, CandidateQuery(states=()), datetime.now(UTC), limit=1000).candidates
    return sorted((each.lead.article.title, each.state, each.category, len(each.articles)) for each in shown)


def search(room: Room) -> dict[str, list[str]]:
    """List the titles that the desk's search finds."""
    found = {}
    with room.open() as newsroom, newsroom.store.reading() as tx:
        for words in ("量化", "推理引擎", "第 7 回"):
            shown = page_candidates(tx, CandidateQuery((), search=words), datetime.now(UTC), limit=1000).candidates
            found[words] = sorted(each.lead.article.title for each in shown)
    return found


def find_story(room: Room, title: str) -> int:
    """Find the number of the story that has a title."""
    with room.open() as newsroom, newsroom.store.reading() as tx:
        shown = page_candidates(tx, CandidateQuery(states=()), datetime.now(UTC), limit=1000).candidates
    return next(each.story.id for each in shown if each.lead.article.title == title)


def make_room(folder: Path, site: Site, server: PostgresqlServer | None) -> Room:
    """Make a newsroom whose sources are the feeds of the site.

    Args:
        folder: of the newsletter.
        site: with the feeds.
        server: of its database; None for a file in the folder.
    """
    rows = "".join(source(f"s{number}", "feed", url=f"{site.base}/{number}") for number in range(FEEDS))
    make_newsroom(folder, rows, site.place, delay=0.2)
    return Room(folder, server.make_database() if server else f"sqlite:///{folder / 'jianbao.db'}")


def main() -> int:
    """Run, print the counts, and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--seconds", type=float, default=3600, help="no run begins later")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--postgresql", action="store_true", help="on a server of its own")
    chosen = options.parse_args()
    answers = {f"/{number}": make_feed(number) for number in range(FEEDS)}
    durations: dict[str, float] = defaultdict(float)
    disturbed = Worker(random.Random(chosen.seed), durations)
    began, runs, different = time.monotonic(), 0, 0
    with serving(answers) as site, tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = None
        if chosen.postgresql:
            programs = find_programs()
            if programs is None:
                raise SystemExit("PostgreSQL is not installed")
            server = stack.enter_context(run_server(programs))
        undisturbed = Worker(None, durations)
        expected = undisturbed.work(make_room(Path(folder) / "undisturbed", site, server))
        while runs < chosen.runs and time.monotonic() - began < chosen.seconds:
            room = make_room(Path(folder) / str(runs), site, server)
            outcome = disturbed.work(room)
            runs += 1
            if server:
                server.drop_database(room.url)
            if outcome != expected:
                different += 1
                sys.stdout.write(f"run {runs}: {json.dumps(outcome, ensure_ascii=False, default=str)[:2000]}\n")
        seconds = time.monotonic() - began
    sys.stdout.write(f"{runs} runs, {disturbed.kills} kills, {different} different, {seconds:.0f} s\n")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
