"""What grouping a new article costs, when few articles are stored and when many.

    python tests/benchmarks/grouping.py [--stored 10000 200000] [--new 2000] [--only denser | longer] POOL.jsonl

Fills a store with articles whose titles are made of small pieces of the pool's titles, of some hundred accounts, and
groups them. At each size it then adds new articles, one in five a reprint of a stored title, and times their grouping:
CPU, an article. Twice: *denser*, where all sizes are spread over the same two years, so that ever more is published a
day; and *longer*, where the first size is spread over two years and what is more comes after it, as much a day. What
counts is the ratio of the last size to the first: 1 is a cost that does not grow with the store.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from crawler.home import Home, bundled
from pipelines.group.candidates import GroupRules
from pipelines.model import Article, Instant
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.run import group
from pipelines.store import Store

START = datetime(2024, 11, 1, tzinfo=UTC)
ACCOUNTS = 300
SPAN = timedelta(days=730)
PIECES = 6
"""Of three characters each: new titles have next to nothing in common."""


def main() -> None:
    """Fill, add, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--stored", nargs="+", type=int, default=[10_000, 200_000])
    parser.add_argument("--new", type=int, default=2000)
    parser.add_argument("--only", choices=("denser", "longer"))
    given = parser.parse_args()
    titles = [json.loads(line)["title"] for line in given.pool.read_text(encoding="utf-8").splitlines()]
    if given.only != "longer":
        _compare("same span, denser", titles, given.stored, given.new, lambda _: 0)
    if given.only != "denser":
        _compare("longer span, same density", titles, given.stored, given.new, lambda number: number // given.stored[0])


def _compare(
    heading: str, titles: Sequence[str], sizes: Sequence[int], new: int, spans_before: Callable[[int], int]
) -> None:
    """Print what a new article costs at each size, and the ratio.

    Args:
        spans_before: how many spans after the first one the article of a number is published.
    """
    rules = GroupRules.of(load_newsletter(Home(bundled()).newsletter), {}, {})
    sys.stdout.write(f"{heading}\n")
    with TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/jianbao.db")
        made = _articles(titles, spans_before)
        costs = [_cost(store, rules, made, size, new) for size in sizes]
        store.close()
    sys.stdout.write(f"    last / first {costs[-1] / costs[0]:>22.2f}\n")


def _cost(store: Store, rules: GroupRules, made: Iterator[Article], size: int, new: int) -> float:
    """Microseconds of CPU that grouping a new article takes with so many stored."""
    with store.reading() as tx:
        stored = tx.articles.next_id() - 1
    while stored < size:
        batch = [next(made) for _ in range(min(1000, size - stored))]
        with store.transaction() as tx:
            tx.articles.save(batch)
        stored += len(batch)
        group(store, rules)
    with store.transaction() as tx:
        tx.articles.save([next(made) for _ in range(new)])
    began = process_time()
    group(store, rules)
    cost = (process_time() - began) / new * 1e6
    sys.stdout.write(f"{size:>13,} stored {cost:>12,.0f} µs a new article\n")
    sys.stdout.flush()
    return cost


def _articles(titles: Sequence[str], spans_before: Callable[[int], int]) -> Iterator[Article]:
    """Articles without end, the same each time."""
    chance = random.Random(7)
    told: list[tuple[str, datetime]] = []
    number = 0
    while True:
        number += 1
        if told and chance.random() < 0.2:
            title, at = chance.choice(told[-5000:])
            at += timedelta(hours=chance.randrange(48))
        else:
            title, at = (
                "".join(_piece(chance.choice(titles), chance) for _ in range(PIECES)),
                START + (spans_before(number) + chance.random()) * SPAN,
            )
            told.append((title, at))
        url = f"https://example.org/{number}"
        account = f"账号{chance.randrange(ACCOUNTS)}"
        yield Article(
            kind="wechat",
            source=account,
            url=url,
            seen_url=url,
            keys=(url,),
            title=title,
            published=Instant(at, "second", "published"),
            fetched_at=at,
            publisher=account,
        )


def _piece(title: str, chance: random.Random) -> str:
    start = chance.randrange(max(len(title) - 2, 1))
    return title[start : start + 3]


if __name__ == "__main__":
    main()
