"""What a further newsletter of a house costs for an article, beside the first one, which crawls.

    python tests/benchmarks/several.py [--stored 10000] [--new 2000] [--model] [--rounds 3] [POOL.jsonl ...]

The articles are those of `grouping.py`. The first newsletter, which is the house, reads them as raw items, twenty to a
transaction as a crawl brings them (normalise, references, identity, store), and groups them. No request is made: what
fetching costs comes on top of the first newsletter alone. The second one, with its own topics and categories, then
grades what the house made. Printed are CPU-microseconds for an article, and the ratio; with `--model` both grade with a
trained model. Without a pool, titles and texts are of characters at random.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from grouping import A_DAY, AT_ONCE, NEWEST_DAYS, WARM_UP, Bench, Stream, leave_traces
from growth import PAGES_OF_A_BATCH, make_up_rows

from crawler.home import Home, bundled
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.cli import COLLECT_AFTER
from pipelines.group.candidates import GroupRules
from pipelines.model import Article
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.stages.run import group, ingest
from pipelines.rules import load_rules
from pipelines.store import Store

SOURCE: Final = Source(id="feed", kind="feed", name="feed", url="https://feed.example/")


def main() -> None:
    """Fill, add, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", nargs="*", type=Path, metavar="POOL")
    parser.add_argument("--stored", type=int, default=10_000)
    parser.add_argument("--new", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", action="store_true")
    given = parser.parse_args()
    gc.set_threshold(*COLLECT_AFTER)  # as each command does
    rows = [json.loads(line) for pool in given.pools for line in pool.read_text(encoding="utf-8").splitlines()]
    rows = rows or list(make_up_rows())
    stream = Stream(rows, A_DAY)
    newsletter = load_newsletter(Home(bundled()).newsletter)
    tables = load_rules(Home(bundled()))
    rules = GroupRules.of(newsletter, {}, {}, promotion=tables.promotion, events=tables.events, papers=tables.papers)
    with (
        TemporaryDirectory() as folder,
        closing(Store.open(f"sqlite:///{folder}/jianbao.db")) as house,
        closing(Store.open_newsletter(house, "second", Path(folder) / "second.db")) as second,
    ):
        bench = Bench(rows, rules, Path(folder), Path(folder), with_model=given.model)
        older = given.stored - round(NEWEST_DAYS * A_DAY)
        for start in range(0, older, AT_ONCE):
            with house.transaction() as tx:
                ids = tx.articles.save([next(stream) for _ in range(min(AT_ONCE, older - start))]).ids
                leave_traces(tx, ids, rules)
        with house.transaction() as tx:
            tx.articles.save([next(stream) for _ in range(given.stored - older)])
        group(house, rules)
        group(second, rules)
        if given.model:
            bench.train(house)
            bench.train(second)
        for store in (house, second):
            _grade_all(store, rules)
        costs = []
        for _ in range(given.rounds):
            _measure(house, second, rules, [next(stream) for _ in range(WARM_UP)])  # loads what is loaded once
            costs.append(_measure(house, second, rules, [next(stream) for _ in range(given.new)]))
    stored, grouped, graded = (median(each) for each in zip(*costs, strict=True))
    lines = [
        f"{given.stored:,} articles stored, {given.rounds} times {given.new:,} new; CPU-microseconds an article",
        f"first newsletter: reading and storing  {stored:8,.0f}",
        f"first newsletter: grouping and grading {grouped:8,.0f}",
        f"second newsletter: grading             {graded:8,.0f}",
        f"ratio                                  {graded / (stored + grouped):8.3f}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _grade_all(store: Store, rules: GroupRules) -> None:
    """Go on as later calls do until the model has graded all: the calls that are measured then grade what is new."""
    waiting: int | None = 0
    while waiting is not None:
        group(store, rules)
        with store.reading() as tx:
            stored = tx.training.get_model()
        waiting = stored.graded_to if stored else None


def _measure(house: Store, second: Store, rules: GroupRules, articles: Sequence[Article]) -> tuple[float, float, float]:
    """CPU-microseconds an article: of storing and of grouping in the house, of grading in the other newsletter."""
    tables = load_rules(Home(bundled()))
    items = [_make_item(article) for article in articles]
    batches = [items[start : start + PAGES_OF_A_BATCH] for start in range(0, len(items), PAGES_OF_A_BATCH)]
    times = [process_time()]
    for batch in batches:
        ingest(house, Batch(SOURCE.id, tuple(batch)), SOURCE, tables, items[-1].fetched_at)
    times.append(process_time())
    group(house, rules)
    times.append(process_time())
    group(second, rules)
    times.append(process_time())
    stored, grouped, graded = ((end - start) / len(articles) * 1e6 for start, end in itertools.pairwise(times))
    return stored, grouped, graded


def _make_item(article: Article) -> RawItem:
    """The entry of a feed that tells of an article."""
    return RawItem(
        article.kind,
        article.url,
        article.title,
        article.fetched_at,
        published=article.published.at.isoformat(),
        author=article.author,
        publisher=article.publisher,
        summary=article.summary,
        text=article.text or None,
    )


if __name__ == "__main__":
    main()
