"""Measures what it costs to learn anew: the whole command, whatever the number of open stories.

    python tests/benchmarks/relearning.py FOLDER_OF_PAST_ISSUES POOL.jsonl [--stories 6000 50000 100000]

Stores the past issues but the last, and open stories with the titles of the pool. Where the pool has fewer, stories are
copied with a number in the title, by SQL, which takes seconds. Then measures whole processes of `jianbao group`, with
their start, in CPU-seconds: the first model; learning anew from one issue more; the next call, with nothing new; the
call after eleven decisions; and the call after sixty. Beside each: how long the list of the desk takes meanwhile, in
milliseconds (median and 95th percentile).
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler.home import Home, bundled
from crawler.saved import read_saved
from crawler.sources.schema import Source
from pipelines.group.candidates import grade
from pipelines.issue.reading import read_issue
from pipelines.model import Article, Decision, Story
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.candidates import page_candidates
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.stages.regroup import read_features, save_features
from pipelines.newsroom.stages.relearning import with_model
from pipelines.normalise import normalise
from pipelines.store.listing import CandidateQuery

AT_ONCE = 500
MADE = 6000
"""Stories that are made of raw items; all others are copies of them."""

AGE = 800
"""Days by which each copy is older than the one before: the pool is of two years."""

SHIFT = "id + :shift"
OLDER = "strftime('%Y-%m-%d %H:%M:%S.000000', published_at, -:days || ' days')"

PAUSE = 0.2
"""Seconds between two questions for the list."""


def main() -> None:
    """Store, learn, learn anew, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--stories", type=int, nargs="+", default=[6_000])
    arguments = parser.parse_args()
    for number in arguments.stories:
        with TemporaryDirectory() as folder:
            _measure_all(Path(folder), arguments.folder, arguments.pool, number)


def _measure_all(home_folder: Path, issue_folder: Path, pool: Path, number: int) -> None:
    for name in ("newsletter.toml", "sources.toml"):
        (home_folder / name).write_bytes((bundled() / name).read_bytes())
    newsroom = Newsroom(Home(home_folder))
    paths = sorted(issue_folder.glob("*.md"))
    issues = [read_issue(path.read_bytes(), name=path.name, newsletter=newsroom.newsletter) for path in paths]
    _save_stories(newsroom, _make_articles(newsroom, pool, min(number, MADE)))
    _copy_stories(home_folder / "var" / "jianbao.db", number)
    with newsroom.store.transaction() as tx:
        for issue in issues[:-1]:
            save_issue(tx, issue, newsroom.newsletter, newsroom.rules)
    _print_costs(newsroom, f"{number}: first model")
    with newsroom.store.transaction() as tx:
        save_issue(tx, issues[-1], newsroom.newsletter, newsroom.rules)
    _print_costs(newsroom, f"{number}: an issue more")
    _print_costs(newsroom, f"{number}: nothing new")
    for decisions in (11, 60):
        _decide(newsroom, decisions)
        _print_costs(newsroom, f"{number}: after {decisions} decisions")
    newsroom.store.close()


def _make_articles(newsroom: Newsroom, pool: Path, number: int) -> Iterator[Article]:
    """Articles with the titles of the pool; a repeated title has a number more, and each has an address of its own."""
    source = Source.model_construct(id="pool", kind="web", name="pool")
    raw_items = read_saved(pool).items
    for index in range(number):
        raw = raw_items[index % len(raw_items)]
        turn = index // len(raw_items)
        title = f"{raw.title} {turn}" if turn else raw.title
        url = f"https://pool.example/{index}" if turn else raw.url
        yield normalise(replace(raw, title=title, url=url, fetched_at=datetime.now(UTC)), source, newsroom.rules)


def _save_stories(newsroom: Newsroom, articles: Iterator[Article]) -> None:
    """Store each article as an open story of its own, with its event, which is quicker than to group them."""
    pending = list(articles)
    for start in range(0, len(pending), AT_ONCE):
        with newsroom.store.transaction() as tx:
            rules = with_model(tx, newsroom.group_rules)
            ids = dict.fromkeys(tx.articles.save(pending[start : start + AT_ONCE]).ids)
            grouped = tx.stories.find_by_articles(ids)
            stored = {each: article for each, article in tx.articles.get(ids).items() if each not in grouped}
            tx.stories.replace((), [grade(Story(each, (each,), each), [stored[each]], rules) for each in stored])
            save_features(tx, read_features(stored, rules))
            tx.articles.mark_grouped(ids)


def _copy_stories(database: Path, number: int) -> None:
    """Copy the stories with their articles and events until there are so many; each copy is some years older."""
    with sqlite3.connect(database) as connection:
        made, step = connection.execute("SELECT count(*), max(id) FROM stories").fetchone()
        for turn in range(1, -(-number // made)):
            least = max(0, (turn + 1) * made - number)  # the last copy is of so many stories fewer
            chosen = "SELECT id FROM stories WHERE id <= :step ORDER BY id DESC LIMIT :limit"
            values = {"shift": turn * step, "turn": f" {turn}", "step": step, "limit": made - least, "days": turn * AGE}
            for table, key, changed in (
                ("articles", "id", {"id": SHIFT, "title": "title || :turn", "published_at": OLDER}),
                (
                    "stories",
                    "id",
                    {"id": SHIFT, "lead": "lead + :shift", "newest_at": OLDER.replace("published", "newest")},
                ),
                ("story_members", "story_id", {"article_id": "article_id + :shift", "story_id": "story_id + :shift"}),
                ("event_profiles", "article_id", {"article_id": "article_id + :shift", "day": "day - :days"}),
            ):
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                chosen_columns = ", ".join(changed.get(column, column) for column in columns)
                names = ", ".join(columns)
                connection.execute(
                    f"INSERT INTO {table} ({names}) SELECT {chosen_columns} FROM {table} WHERE {key} IN ({chosen})",
                    values,
                )


def _decide(newsroom: Newsroom, number: int) -> None:
    """Pick every third of the best stories, and drop the others."""
    now = datetime.now(UTC)
    with newsroom.store.transaction() as tx:
        page = page_candidates(tx, CandidateQuery(), now, limit=number)
        for index, candidate in enumerate(page.candidates):
            is_picked = index % 3 == 0
            category = candidate.category if is_picked else None
            tx.decisions.add(
                Decision(candidate.story.id, "pick" if is_picked else "drop", "benchmark", now, category=category)
            )


def _print_costs(newsroom: Newsroom, label: str) -> None:
    """Run `jianbao group`, ask for the list meanwhile, and print."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    model_before = _read_model(newsroom)
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(newsroom.home.path), "group"]
    start = time.monotonic()
    waits = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ) as process:
        while process.poll() is None:
            asked_at = time.monotonic()
            with newsroom.store.reading() as tx:
                page_candidates(tx, CandidateQuery(), datetime.now(UTC), limit=30)
            waits.append(1000 * (time.monotonic() - asked_at))
            time.sleep(PAUSE)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    passed = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    has_learned = _read_model(newsroom) != model_before
    p95 = statistics.quantiles([*waits, *waits], n=20)[-1]
    sys.stdout.write(
        f"{label:30} {seconds:6.1f} CPU-s {passed:6.1f} s  {'learned' if has_learned else 'not learned':12}"
        f" list {statistics.median(waits):5.0f} ms, p95 {p95:5.0f}\n"
    )
    sys.stdout.flush()


def _read_model(newsroom: Newsroom) -> str:
    """The model that is stored; empty for none."""
    with newsroom.store.reading() as tx:
        stored = tx.training.get_model()
    return stored.text if stored else ""


if __name__ == "__main__":
    main()
