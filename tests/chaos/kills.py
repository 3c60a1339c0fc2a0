"""Kills a newsletter's work at random points and goes on: `python tests/chaos/kills.py --runs 20 --seed 1`.

A run is crawl, group, two decisions and an export, each a process of its own. Each is killed (SIGKILL) after a random
time and started again until it ends by itself. At the end, candidates, search and the exported file have to be those of
a run that nobody disturbed. The exit status is 1 where one run differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from servers import Site, http, newsroom, serving, source  # noqa: E402

from crawler.home import Home  # noqa: E402
from pipelines.newsroom import Newsroom  # noqa: E402
from pipelines.newsroom.candidates import page_candidates  # noqa: E402
from pipelines.store.listing import CandidateQuery  # noqa: E402

FEEDS: Final = 4
ITEMS: Final = 25
TOPICS: Final = ("低比特量化实战", "端侧推理引擎开源", "移动端部署入门", "结构化剪枝综述", "模型压缩竞赛结果")
PICKS: Final = ("低比特量化实战 第 5 回", "端侧推理引擎开源 第 11 回")
DAY: Final = "2099-01-01"


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


def work(home: Path, generator: random.Random | None) -> tuple[Any, ...]:
    """Do the whole work, disturbed by a generator or not, and return what a person sees at its end."""
    kills = run(home, generator, "crawl")
    kills += run(home, generator, "group")
    for title in PICKS:
        kills += run(home, generator, "decide", str(find_story(home, title)), "pick", "--issue", DAY)
    kills += run(home, generator, "export", DAY)
    exported = {path.name: path.read_text(encoding="utf-8") for path in sorted((home / "issues").rglob("*.md"))}
    return kills, (list_candidates(home), search(home), exported)


def run(home: Path, generator: random.Random | None, *words: str) -> int:
    """Run a command until it ends by itself, and return how often it was killed."""
    kills = 0
    while True:
        command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), *words]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, text=True
        )
        if generator is not None and kills < 3:
            until = time.monotonic() + generator.uniform(0.3, 6.0)
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                continue
        _, log = process.communicate()
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: {log}")
        return kills


def list_candidates(home: Path) -> list[tuple[Any, ...]]:
    """List each story as the editor sees it: title, state, category, number of reports."""
    with closing(Newsroom(Home(home)).store) as store, store.reading() as tx:
        shown = page_candidates(tx, CandidateQuery(states=()), datetime.now(UTC), limit=1000).candidates
    return sorted((each.lead.article.title, each.state, each.category, len(each.articles)) for each in shown)


def search(home: Path) -> dict[str, list[str]]:
    """List the titles that the desk's search finds."""
    found = {}
    with closing(Newsroom(Home(home)).store) as store, store.reading() as tx:
        for words in ("量化", "推理引擎", "第 7 回"):
            shown = page_candidates(tx, CandidateQuery((), search=words), datetime.now(UTC), limit=1000).candidates
            found[words] = sorted(each.lead.article.title for each in shown)
    return found


def find_story(home: Path, title: str) -> int:
    """Find the number of the story that has a title."""
    with closing(Newsroom(Home(home)).store) as store, store.reading() as tx:
        shown = page_candidates(tx, CandidateQuery(states=()), datetime.now(UTC), limit=1000).candidates
    return next(each.story.id for each in shown if each.lead.article.title == title)


def make_home(folder: Path, site: Site) -> Path:
    """Make a newsletter's folder whose sources are the feeds of the site."""
    rows = "".join(source(f"s{number}", "feed", url=f"{site.base}/{number}") for number in range(FEEDS))
    newsroom(folder, rows, site.place, delay=0.2)
    return folder


def main() -> int:
    """Run, print the counts, and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    generator = random.Random(chosen.seed)
    answers = {f"/{number}": make_feed(number) for number in range(FEEDS)}
    began, kills, different = time.monotonic(), 0, 0
    with serving(answers) as site, tempfile.TemporaryDirectory() as folder:
        _, expected = work(make_home(Path(folder) / "undisturbed", site), None)
        for number in range(chosen.runs):
            count, outcome = work(make_home(Path(folder) / str(number), site), generator)
            kills += count
            if outcome != expected:
                different += 1
                sys.stdout.write(f"run {number}: {json.dumps(outcome, ensure_ascii=False, default=str)[:2000]}\n")
    seconds = time.monotonic() - began
    sys.stdout.write(f"{chosen.runs} runs, {kills} kills, {different} different, {seconds:.0f} s\n")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
