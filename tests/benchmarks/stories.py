"""Which articles titles and texts join, measured on real ones.

    python tests/benchmarks/stories.py [--list N] [CORPUS]

CORPUS is where JIANBAO_CORPUS points, if it is not given. Prints how many of the pairs that a file of `dupes` calls one
story (or not) are in one story: each file alone, all files together, and all among the articles of `pool`; then the
pairs that were joined though no file calls them one; then what it costs. `--list` prints such pairs, and missed ones.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from crawler.home import Home, bundled
from crawler.items import RawItem
from crawler.saved import read_saved
from crawler.sources.schema import Source
from pipelines.deduplicate.clusters import Cluster, make_clusters
from pipelines.deduplicate.near import find_near_evidence, make_text_keys
from pipelines.deduplicate.titles import find_title_evidence, make_title_bands
from pipelines.model import Article, StoredArticle
from pipelines.normalise import normalise
from pipelines.rules import Rules, load_rules

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
SOURCE: Final = Source(id="benchmark", kind="wechat", name="Benchmark", url="https://feed.example/")

Row = Mapping[str, Any]
Groups = Sequence[frozenset[int]]
"""Ids that a line of a file names together."""


class Newsroom:
    """Articles as a store would give them: each address once."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._by_url: dict[str, StoredArticle] = {}

    @property
    def articles(self) -> list[StoredArticle]:
        """All of them, by ascending id."""
        return list(self._by_url.values())

    def add(self, item: RawItem) -> int:
        """The id of its article."""
        article = normalise(item, SOURCE, self.rules)
        one = StoredArticle(len(self._by_url) + 1, article, (article.url,), (article.source,), NOW)
        return self._by_url.setdefault(article.url, one).id

    def stories(self, ids: Iterable[int]) -> tuple[Cluster, ...]:
        """What is one story among these."""
        wanted = set(ids)
        articles = [one for one in self.articles if one.id in wanted]
        return make_clusters(articles, (*find_title_evidence(articles, self.rules.zone), *find_near_evidence(articles)))


def main() -> None:
    """Read the files, join, count, time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=os.environ.get("JIANBAO_CORPUS"), metavar="CORPUS")
    parser.add_argument("--list", type=int, default=0, metavar="N", help="print so many pairs of each sort")
    given = parser.parse_args()
    if given.corpus is None:
        parser.error("JIANBAO_CORPUS is unset: say where the corpus is")
    room = Newsroom(load_rules(Home(bundled())))
    files = {name: [read(room, row) for row in rows(given.corpus, name)] for name, read in FILES.items()}
    told = {one for groups in files.values() for group in groups for one in group}
    alone = {name: story_of(room.stories(frozenset().union(*groups))) for name, groups in files.items()}
    together = story_of(room.stories(told))
    for item in read_saved(given.corpus / "pool" / "2019-2020.jsonl").items:
        room.add(item)
    clusters = room.stories(one.id for one in room.articles)
    among = story_of(clusters)
    say(f"{'pairs in one story':34}{'alone':>18}{'together':>18}{'among the pool':>18}")
    for name, groups in files.items():
        say(f"{name:34}" + "".join(f"{_share(groups, found):>18}" for found in (alone[name], together, among)))
    one_story = {pair for name in ONE_STORY for pair in pairs_of(files[name])}
    beyond = [pair for cluster in clusters for pair in combinations(cluster.members, 2) if pair not in one_story]
    say(f"\n{len(room.articles)} articles in {len(clusters)} stories; pairs that no file calls one: {len(beyond)}")
    if given.list:
        missed = [pair for pair in sorted(one_story) if among[pair[0]] != among[pair[1]]]
        _list("missed", missed, room.articles, given.list)
        _list("joined beyond the files", beyond, room.articles, given.list)
    _time(room)


# ---- The files


def _items(room: Newsroom, row: Row) -> frozenset[int]:
    return frozenset(_add(room, row | item) for item in row["items"])


def _two_addresses(room: Newsroom, row: Row) -> frozenset[int]:
    return frozenset(_add(room, row | {name: row[f"{name}_{side}"] for name in _FIELDS}) for side in "ab")


def _near_pair(room: Newsroom, row: Row) -> frozenset[int]:
    return frozenset(_add(room, row[side]) for side in "ab")


_FIELDS: Final = ("title", "url", "date")

FILES: Final[Mapping[str, Callable[[Newsroom, Row], frozenset[int]]]] = {
    "same_title_groups": _items,
    "long_short_url_pairs": _two_addresses,
    "generic_title_traps": _items,
    "recurring_title_traps": _items,
    "near_title_candidates_unlabelled": _near_pair,
}
ONE_STORY: Final = ("same_title_groups", "long_short_url_pairs", "near_title_candidates_unlabelled")


def rows(corpus: Path, name: str) -> Iterator[Row]:
    with (corpus / "dupes" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _add(room: Newsroom, row: Row) -> int:
    return room.add(RawItem("wechat", row["url"], row["title"], NOW, published=row["date"], publisher=row["account"]))


# ---- Counting


def story_of(clusters: Iterable[Cluster]) -> dict[int, int]:
    return {member: cluster.members[0] for cluster in clusters for member in cluster.members}


def pairs_of(groups: Groups) -> Iterator[tuple[int, int]]:
    return (pair for group in groups for pair in combinations(sorted(group), 2))


def _share(groups: Groups, story: Mapping[int, int]) -> str:
    pairs = list(pairs_of(groups))
    joined = sum(story[one] == story[other] for one, other in pairs)
    return f"{joined}/{len(pairs)} {joined / len(pairs):6.2%}"


def _list(heading: str, pairs: Sequence[tuple[int, int]], articles: Sequence[StoredArticle], number: int) -> None:
    by_id = {one.id: one.article for one in articles}
    say(f"\n{heading}: {min(number, len(pairs))} of {len(pairs)}")
    for pair in sorted(random.Random(0).sample(pairs, min(number, len(pairs)))):
        say("\n    ".join(line(by_id[one]) for one in pair))


def line(article: Article) -> str:
    return f"{article.published.at:%Y-%m-%d} {article.publisher}: {article.title}"


# ---- Timing


def _time(room: Newsroom) -> None:
    """CPU microseconds: of the keys of an article, and of comparing a new one with what shares a key with it."""
    posts = [one for one in room.articles if one.article.kind == "wechat"]
    text = "".join(one.article.title for one in posts)
    say("\nmicroseconds")
    say(f"  {'title bands':34}{_microseconds(posts, lambda one: list(make_title_bands(one.article))):8.0f}")
    for size in (300, 3_000, 30_000):
        texts = [text[start : start + size] for start in range(0, 30_000, 600)]
        say(f"  {f'text keys, {size} characters':34}{_microseconds(texts, make_text_keys):8.0f}")


def _microseconds(things: Sequence[Any], work: Callable[[Any], object], repeat: int = 5) -> float:
    times = []
    for _ in range(repeat):
        started = process_time()
        for thing in things:
            work(thing)
        times.append(process_time() - started)
    return median(times) / len(things) * 1e6


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
