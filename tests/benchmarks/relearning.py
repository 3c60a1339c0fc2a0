"""Measures what it costs to learn anew: the training, and the grading of open stories, against grading all of them.

    python tests/benchmarks/relearning.py [--stories 20000] FOLDER_OF_PAST_ISSUES POOL.jsonl

Stores the past issues and as many open stories, which have the titles of the pool and words of their own, has a first
model grade them all, and then learns anew from one issue more. Prints CPU-seconds of each, and the ratio: the second
learning grades the best and the newest stories alone, so its cost does not follow the number of open stories.
"""

from __future__ import annotations

import argparse
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
from pipelines.model import Article, Story
from pipelines.newsroom import Newsroom
from pipelines.newsroom.issues import save_issue
from pipelines.newsroom.relearning import retrain, with_model
from pipelines.normalise import normalise
from pipelines.store import Store

AT_ONCE = 500


def main() -> None:
    """Store, learn, learn anew, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--stories", type=int, default=20_000)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        for name in ("newsletter.toml", "sources.toml"):
            (home.path / name).write_bytes((bundled() / name).read_bytes())
        newsroom = Newsroom(home)
        paths = sorted(arguments.folder.glob("*.md"))
        issues = [read_issue(path.read_bytes(), name=path.name, newsletter=newsroom.newsletter) for path in paths]
        with newsroom.store.transaction() as tx:
            for issue in issues[:-1]:
                save_issue(tx, issue, newsroom.newsletter, newsroom.rules)
        _save_stories(newsroom, _make_articles(newsroom, arguments.pool, arguments.stories))
        first, all_stories = _measure(newsroom.store, newsroom)
        with newsroom.store.transaction() as tx:
            save_issue(tx, issues[-1], newsroom.newsletter, newsroom.rules)
        again, some_stories = _measure(newsroom.store, newsroom)
        newsroom.store.close()
    for label, seconds, graded in (("first model", first, all_stories), ("anew", again, some_stories)):
        sys.stdout.write(f"{label:12} {seconds:7.1f} CPU-s  {graded} gradings of {arguments.stories} open stories\n")
    sys.stdout.write(f"anew / first {again / first:7.2f}\n")


def _make_articles(newsroom: Newsroom, pool: Path, number: int) -> Iterator[Article]:
    """Articles with the titles of the pool; a repeated title has a word more, and each has an address of its own."""
    source = Source.model_construct(id="pool", kind="web", name="pool")
    raw_items = read_saved(pool).items
    for index in range(number):
        raw = raw_items[index % len(raw_items)]
        turn = index // len(raw_items)
        title = f"{raw.title} {turn}" if turn else raw.title
        url = f"https://pool.example/{index}" if turn else raw.url
        yield normalise(replace(raw, title=title, url=url, fetched_at=datetime.now(UTC)), source, newsroom.rules)


def _save_stories(newsroom: Newsroom, articles: Iterator[Article]) -> None:
    """Store each article as an open story of its own, which is quicker than to group them."""
    pending = list(articles)
    for start in range(0, len(pending), AT_ONCE):
        with newsroom.store.transaction() as tx:
            rules = with_model(tx, newsroom.group_rules)
            ids = dict.fromkeys(tx.articles.save(pending[start : start + AT_ONCE]).ids)
            grouped = tx.stories.find_by_articles(ids)
            stored = {each: article for each, article in tx.articles.get(ids).items() if each not in grouped}
            tx.stories.replace((), [grade(Story(each, (each,), each), [stored[each]], rules) for each in stored])
            tx.articles.mark_grouped(ids)


def _measure(store: Store, newsroom: Newsroom) -> tuple[float, int]:
    """CPU-seconds of learning, and the number of stories that were graded."""
    graded = [0]
    start = time.process_time()
    if not retrain(store, newsroom.group_rules, graded.append):
        sys.exit("nothing was learned")
    return time.process_time() - start, graded[-1]


if __name__ == "__main__":
    main()
