"""What grouping a new article costs, step by step: when few articles are stored, when many are, and on a busy day.

    python tests/benchmarks/grouping.py [--stored 10000 200000] [--new 2000] [--busy 1250 2500 5000]
                                        [--only denser | longer | busy] [--model] [--keep FOLDER] POOL.jsonl ...

Makes a stream of articles whose titles, digests and texts are made of small pieces of the pools' titles and digests:
three in ten report an event that several accounts report in words of their own, one in twenty is a reprint, six in ten
have a text. At each size the newest days of the store are grouped, and what is older has the traces that grouping
leaves behind, so that a large store is made in minutes. Then new articles come and are grouped.

*longer*: as much is published a day at every size. *denser*: all sizes are spread over the same two years, so that ever
more is published a day. *busy*: so many articles of one day, four in five on one event; they come in two batches.
Printed are CPU, an article, and the ratio of the last size to the first: 1 is a cost that does not grow. With
`--model`, a trained model grades the stories. `--keep` keeps the stores, so that the next run need not make them.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from types import MappingProxyType
from typing import Any, Final

from crawler.home import Home, bundled
from pipelines.cli import COLLECT_AFTER
from pipelines.group.candidates import GroupRules, grade
from pipelines.group.features import Description
from pipelines.group.training import Example, train
from pipelines.model import Article, Instant, Story
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.editing import suggestions
from pipelines.newsroom.stages import regroup, run
from pipelines.newsroom.stages.relearning import fingerprint
from pipelines.rules import load_rules
from pipelines.store import Store, Transaction
from pipelines.store.articles import Articles
from pipelines.store.bands import BandIndex
from pipelines.store.events import EventIndex
from pipelines.store.stories import Stories

START: Final = datetime(2024, 11, 1, tzinfo=UTC)
ACCOUNTS: Final = 300
A_DAY: Final = 250.0
DENSER_DAYS: Final = 730.0
NEWEST_DAYS: Final = 6.0
"""Days whose articles are grouped before the new ones come."""

AT_ONCE: Final = 1000

WARM_UP: Final = 100
"""New articles that are grouped before the clock starts."""

STEPS: Final[Mapping[str, Sequence[tuple[Any, str]]]] = MappingProxyType(
    {
        "read articles": ((Articles, "get"), (Articles, "list_fresh")),
        "keys of title and text": ((regroup, "make_bands"), (BandIndex, "find_changed"), (BandIndex, "save")),
        "near-duplicates": (
            (regroup, "_find_evidence"),
            (regroup, "_find_dependents"),
            (Articles, "count_references"),
            (Articles, "find_holders"),
        ),
        "event profiles": (
            (regroup, "read_event_profile"),
            (regroup, "read_round_up"),
            (regroup, "make_event_keys"),
            (EventIndex, "find_changed"),
            (EventIndex, "save"),
            (EventIndex, "save_round_ups"),
        ),
        "event candidates": (
            (EventIndex, "find_pairs"),
            (EventIndex, "find_tipping_holders"),
            (EventIndex, "get_profiles"),
        ),
        "links": (
            (regroup, "find_event_links"),
            (EventIndex, "find_linked_pairs"),
            (EventIndex, "replace_links"),
            (EventIndex, "find_links"),
        ),
        "groups": ((regroup, "make_stories"), (Stories, "find_by_articles")),
        "memory": ((regroup, "read_memory"),),
        "grade": ((regroup, "grade"),),
        "write": ((Stories, "replace"), (Articles, "mark_grouped")),
        "relearning": ((run, "retrain"),),
        "suggestions": ((suggestions, "add_suggestions"),),
    }
)
"""The functions of each step. The time of a function that another one calls counts for its own step alone."""

REST: Final = "other"


def main() -> None:
    """Fill, add, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", nargs="+", type=Path, metavar="POOL")
    parser.add_argument("--stored", nargs="+", type=int, default=[10_000, 200_000])
    parser.add_argument("--new", type=int, default=2000)
    parser.add_argument("--busy", nargs="+", type=int, default=[1250, 2500, 5000])
    parser.add_argument("--only", choices=("denser", "longer", "busy"))
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    gc.set_threshold(*COLLECT_AFTER)  # as each command does
    rows = [json.loads(line) for pool in arguments.pools for line in pool.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        home = Home(bundled())
        rules = load_rules(home)
        group_rules = GroupRules.of(
            load_newsletter(home.newsletter),
            {},
            {},
            promotion=rules.promotion,
            events=rules.events,
            papers=rules.papers,
        )
        bench = Bench(rows, group_rules, Path(folder), arguments.keep or Path(folder), with_model=arguments.model)
        if arguments.only in {None, "longer"}:
            bench.compare("longer span, as much a day", arguments.stored, arguments.new, lambda _: A_DAY)
        if arguments.only in {None, "denser"}:
            bench.compare("same span, denser", arguments.stored, arguments.new, lambda size: size / DENSER_DAYS)
        if arguments.only in {None, "busy"}:
            bench.compare_busy_days(arguments.stored[0], arguments.busy)
    sys.stdout.write(f"largest RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB\n")


class Stopwatch:
    """CPU time of each step, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._steps = [REST]
        self._since = process_time()
        for step, functions in STEPS.items():
            for owner, name in functions:
                setattr(owner, name, self._time(getattr(owner, name), step))

    def restart(self) -> None:
        """Begin again at zero."""
        self.seconds.clear()
        self._since = process_time()

    def stop(self) -> Mapping[str, float]:
        """The seconds of each step since the start."""
        self._count()
        return dict(self.seconds)

    def _count(self) -> None:
        now = process_time()
        self.seconds[self._steps[-1]] += now - self._since
        self._since = now

    def _time(self, function: Callable[..., Any], step: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self._count()
            self._steps.append(step)
            try:
                return function(*arguments, **named)
            finally:
                self._count()
                self._steps.pop()

        return timed


class Bench:
    """Stores of many sizes, and what grouping costs in them."""

    def __init__(
        self, rows: Sequence[Mapping[str, str]], rules: GroupRules, folder: Path, kept: Path, *, with_model: bool
    ) -> None:
        self._rows = rows
        self._rules = rules
        self._folder = folder
        self._kept = kept
        self._with_model = with_model
        self._watch = Stopwatch()

    def compare(self, heading: str, sizes: Sequence[int], new: int, density: Callable[[int], float]) -> None:
        """Print what a new article costs at each size, and the ratio of the last to the first.

        Args:
            heading: of the table.
            sizes: articles stored.
            new: number of new articles.
            density: articles a day, by size.
        """
        columns = []
        for size in sizes:
            stream = Stream(self._rows, density(size))
            store = self._open(stream, size)
            columns.append(self._measure(store, [next(stream) for _ in range(new)]))
            store.close()
        _print(heading, [f"{size:,} stored" for size in sizes], columns)

    def compare_busy_days(self, stored: int, sizes: Sequence[int]) -> None:
        """Print what an article of a day costs on which many come, most of them on one event.

        Args:
            stored: articles stored before.
            sizes: articles of the day.
        """
        columns = []
        for size in sizes:
            stream = Stream(self._rows, A_DAY)
            store = self._open(stream, stored)
            day = stream.busy_day(size)
            half = self._measure(store, day[: size // 2])
            second = self._measure(store, day[size // 2 :])
            columns.append({step: (half.get(step, 0) + second.get(step, 0)) / 2 for step in half | second})
            store.close()
        _print("a busy day", [f"{size:,} articles" for size in sizes], columns)

    def _measure(self, store: Store, articles: Sequence[Article]) -> Mapping[str, float]:
        """Microseconds of CPU of each step of the grouping of new articles, an article."""
        with store.transaction() as tx:
            tx.articles.save(articles[:WARM_UP])
        run.group(store, self._rules)  # loads what is loaded once
        articles = articles[WARM_UP:]
        with store.transaction() as tx:
            ids = tx.articles.save(articles).ids
        self._watch.restart()
        run.group(store, self._rules)
        with store.reading() as tx:
            candidates = tx.stories.get({story.id for story in tx.stories.find_by_articles(ids[:200]).values()})
            self._watch._count()
            before = dict(self._watch.seconds)
            suggestions.add_suggestions(tx, candidates)
        seconds = dict(self._watch.stop())
        asked = seconds.pop("suggestions", 0.0)
        for step in seconds:
            seconds[step] = before.get(step, 0.0)
        costs = {step: spent / len(articles) * 1e6 for step, spent in seconds.items()}
        return costs | {"suggestions": asked / len(candidates) * 1e6}

    def _open(self, stream: Stream, size: int) -> Store:
        """A store of so many articles, of which the newest are grouped."""
        kept = self._kept / f"{size}-{stream.density:.1f}-{self._with_model}.db"
        path = self._folder / "jianbao.db"
        for old in self._folder.glob("jianbao.db*"):
            old.unlink()
        articles = (next(stream) for _ in range(size))
        if kept.exists():
            for _ in articles:
                pass
        else:
            began = process_time()
            store = Store.open(f"sqlite:///{kept}")
            self._fill(store, articles, max(size - round(NEWEST_DAYS * stream.density), 0))
            store.close()
            sys.stderr.write(f"a store of {size:,} articles took {process_time() - began:,.0f} CPU-s to make\n")
        shutil.copyfile(kept, path)
        return Store.upgrade(f"sqlite:///{path}")

    def _fill(self, store: Store, articles: Iterator[Article], older: int) -> None:
        stored = 0
        while batch := [article for _, article in zip(range(AT_ONCE), articles, strict=False)]:
            with store.transaction() as tx:
                ids = tx.articles.save(batch).ids
                leave_traces(tx, ids[: max(older - stored, 0)], self._rules)
            stored += len(batch)
        if self._with_model:
            self.train(store)
        run.group(store, self._rules)

    def train(self, store: Store) -> None:
        """Store a model of made-up choices: one title in twenty was picked."""
        names = self._rules.newsletter.category_names
        chance = random.Random(11)
        examples = []
        for index, row in enumerate(chance.sample(self._rows, min(len(self._rows), 4000))):
            description = Description.of(row["title"], row["url"], summary=row.get("summary", ""), source=row["source"])
            category = chance.choice(names) if index % 20 == 0 else None
            day = START.date() - timedelta(days=14 * (index % 40 + 1))
            examples.append(Example(description, day.isoformat(), picked=index % 20 == 0, category=category))
        model = train(examples, self._rules.categories, self._rules.topics, self._rules.expected)
        with store.transaction() as tx:
            tx.training.save_model(model.to_json(), tx.training.get_basis(fingerprint(self._rules)))


def leave_traces(tx: Transaction, ids: Sequence[int], rules: GroupRules) -> None:
    """Leave what grouping leaves behind: keys, profiles, a story for each article, with a score at random.

    Args:
        tx: open for writing.
        ids: of the articles.
        rules: by which they would be grouped.
    """
    articles = tx.articles.get(ids)
    if not articles:
        return
    regroup.save_features(tx, regroup.read_features(articles, rules))
    first = next(iter(articles))
    like = grade(Story(first, (first,), first), [articles[first]], rules)
    chance = random.Random(first)
    names = rules.newsletter.category_names
    tx.stories.replace(
        (),
        [
            replace(
                like,
                story=Story(each, (each,), each, (), 1),
                articles=(stored,),
                category=chance.choice(names),
                score=round(chance.gauss(0, 2), 2),
            )
            for each, stored in articles.items()
        ],
    )
    tx.articles.mark_grouped(ids)


@dataclass
class Event:
    """What several accounts report.

    Args:
        name: of its subject.
        phrases: that reports have in common.
        left: reports to come.
    """

    name: str
    phrases: Sequence[str]
    left: int = 0


@dataclass
class Stream:
    """Articles without end, the same each time, by ascending time of publication.

    Args:
        rows: of the pools.
        density: articles a day.
    """

    rows: Sequence[Mapping[str, str]]
    density: float
    _chance: random.Random = field(default_factory=lambda: random.Random(7))
    _number: int = 0
    _events: list[Event] = field(default_factory=list)
    _newest: list[Article] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._titles = [row["title"] for row in self.rows]
        self._digests = [row["summary"] for row in self.rows if len(row.get("summary", "")) > 20]

    def __next__(self) -> Article:
        at = START + timedelta(days=self._number / self.density)
        chance = self._chance
        draw = chance.random()
        if draw < 0.05 and self._newest:
            article = self._reprint(chance.choice(self._newest), at)
        elif draw < 0.35:
            article = self._make(at, self._choose_event())
        else:
            article = self._make(at)
        self._newest = [*self._newest[-200:], article]
        return article

    def busy_day(self, size: int) -> list[Article]:
        """So many articles of one day: four in five on one event."""
        day = START + timedelta(days=int(self._number / self.density) + 1)
        event = self._begin_event(60)
        return [
            self._make(day + timedelta(days=index / size), event if self._chance.random() < 0.8 else None)
            for index in range(size)
        ]

    def _choose_event(self) -> Event:
        chance = self._chance
        self._events = [event for event in self._events if event.left]
        if not self._events or chance.random() < 0.25:
            event = self._begin_event(6)
            event.left = min(int(chance.expovariate(1 / 4)) + 2, 25)
            self._events.append(event)
        event = chance.choice(self._events)
        event.left -= 1
        return event

    def _begin_event(self, phrases: int) -> Event:
        chance = self._chance
        syllables = [chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(3)]
        name = "".join(syllables).title() + f" {chance.randrange(1, 9)}.{chance.randrange(9)}"
        return Event(name, [self._piece(self._titles, 4, 9) for _ in range(phrases)])

    def _make(self, at: datetime, event: Event | None = None) -> Article:
        chance = self._chance
        title = [self._piece(self._titles, 3, 6) for _ in range(7 if event is None else 4)]
        digest = [self._piece(self._digests, 3, 7) for _ in range(11 if event is None else 7)]
        text = [self._piece(self._digests, 12, 40) for _ in range(50)] if chance.random() < 0.6 else []
        if event:
            title += [event.name, *chance.sample(event.phrases, 2)]
            digest += [event.name, *chance.sample(event.phrases, 2)]
            text[:0] = [event.name, *chance.sample(event.phrases, 3)] if text else []
            chance.shuffle(title)
        return self._article(" ".join(title), "".join(digest), "".join(text), at)

    def _reprint(self, original: Article, at: datetime) -> Article:
        return self._article(original.title, original.summary, original.text, at)

    def _article(self, title: str, summary: str, text: str, at: datetime) -> Article:
        self._number += 1
        url = f"https://example.org/{self._number}"
        account = f"账号{self._chance.randrange(ACCOUNTS)}"
        return Article(
            kind="wechat",
            source=account,
            url=url,
            seen_url=url,
            keys=(url,),
            title=title,
            published=Instant(at, "second", "published"),
            fetched_at=at,
            publisher=account,
            summary=summary,
            text=text,
        )

    def _piece(self, texts: Sequence[str], shortest: int, longest: int) -> str:
        text = self._chance.choice(texts)
        length = self._chance.randint(shortest, longest)
        start = self._chance.randrange(max(len(text) - length, 0) + 1)
        return text[start : start + length].strip()


def _print(heading: str, columns: Sequence[str], costs: Sequence[Mapping[str, float]]) -> None:
    """Print a table: CPU of each step, a column a size."""
    write = sys.stdout.write
    write(f"{heading}: µs of CPU an article\n{'':26}" + "".join(f"{name:>18}" for name in columns) + f"{'ratio':>8}\n")
    apart = ("relearning", "suggestions")
    for step in (*(step for step in STEPS if step not in apart), REST):
        _print_row(step, [each.get(step, 0.0) for each in costs])
    _print_row("grouping", [sum(cost for step, cost in each.items() if step not in apart) for each in costs])
    _print_row("relearning, beside", [each.get("relearning", 0.0) for each in costs])
    _print_row("suggestions, a candidate", [each["suggestions"] for each in costs])
    sys.stdout.flush()


def _print_row(step: str, costs: Sequence[float]) -> None:
    ratio = f"{costs[-1] / costs[0]:8.2f}" if costs[0] else ""
    sys.stdout.write(f"{step:26}" + "".join(f"{cost:18,.0f}" for cost in costs) + f"{ratio}\n")


if __name__ == "__main__":
    main()
