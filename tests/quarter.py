"""A simulated quarter of many sources: their postings and runs, with incidents by a script, and what health says.

No network, clock or store: the clock is a variable, and runs are values. A source posts in the rhythm of a pattern,
which is a list of pauses that a real feed made (or an invented one). It rests on holidays, and at weekends if its
pattern does. Beside the incidents there is the noise of every newsroom, of which nothing may be raised: requests that
fail now and then, a night without network, a machine that sleeps for days, items without text, an item without date.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from pipelines.health.history import FailureKind, History, RunOutcome, Trace
from pipelines.health.incidents import Incident, compare_incidents
from pipelines.health.judging import FAMILY_OF, Judgement, judge_source
from pipelines.health.rhythm import list_postings
from pipelines.health.workdays import Workdays, list_days

DAY: Final = timedelta(days=1)
START: Final = datetime(2026, 9, 1, tzinfo=UTC)
LENGTH: Final = 91
"""Days."""

INTERVAL: Final = timedelta(hours=6)
LIST_LENGTH: Final = 20
"""Items of a source's list."""

WORKDAYS: Final = Workdays(
    ZoneInfo("Asia/Shanghai"),
    list_days([(date(2026, 9, 25), date(2026, 9, 27)), (date(2026, 10, 1), date(2026, 10, 7))]),
)

Item = tuple[str, datetime | None, str]
"""Address, date and text. An item that a site changes is read again, as a feed's entry is."""

FAILURES: Final[dict[str, FailureKind]] = {
    "server error": "failed",
    "HTML in place of the feed": "changed",
    "verification": "blocked",
    "cookie expired": "login",
    "410": "gone",
}

INCIDENTS: Final = (
    *FAILURES,
    "304 for ever",
    "empty list",
    "old items only",
    "flood of new items",
    "dates gone",
    "text gone",
    "placeholder text",
    "redirect to another host",
)

EXPECTED_KINDS: Final = {
    "server error": {"failed"},
    "HTML in place of the feed": {"changed"},
    "verification": {"blocked"},
    "cookie expired": {"login"},
    "410": {"gone"},
    "304 for ever": {"silent"},
    "empty list": {"empty"},
    "old items only": {"old-items"},
    "flood of new items": {"many"},
    "dates gone": {"no-dates"},
    "text gone": {"no-text"},
    "placeholder text": {"same-text"},
    "redirect to another host": {"moved"},
}


@dataclass(frozen=True)
class Pattern:
    """How a source posts.

    Args:
        name: of the feed.
        pauses: in days of its own working time.
        sizes: numbers of articles of its postings.
        weekend: whether it posts at weekends.
    """

    name: str
    pauses: tuple[float, ...]
    sizes: tuple[int, ...] = (1,)
    weekend: bool = True

    @property
    def workdays(self) -> Workdays:
        """The days on which the source works."""
        return WORKDAYS.with_weekend(1.0 if self.weekend else 0.0)


@dataclass(frozen=True)
class Scripted:
    """An incident of the script: from a day of the quarter to another."""

    source: str
    incident: str
    start: datetime
    end: datetime
    usual: float
    """The longest pause that the source makes by itself, in its working days; at least one."""


@dataclass
class Seen:
    """What health said of a scripted incident."""

    raised: list[Incident] = field(default_factory=list)
    recovered: list[Incident] = field(default_factory=list)


@dataclass
class Quarter:
    """The outcome: what was said of each scripted incident, and what was raised beside them."""

    seen: dict[Scripted, Seen]
    false: list[Incident]


def read_patterns(folder: Path) -> list[Pattern]:
    """Read the patterns of the feeds of the corpus: those with five pauses or more."""
    paths = sorted([*folder.glob("feeds/hellodword-2021/tech/*.xml"), *folder.glob("feeds/wechat-scholar-2026/*.xml")])
    return [pattern for path in paths if (pattern := read_pattern(path))]


def read_pattern(path: Path) -> Pattern | None:
    """Read the pattern of one feed; None where it has too few postings."""
    document = etree.parse(path, etree.XMLParser(recover=True))
    dates = []
    for text in document.xpath("//item/pubDate/text()"):
        with_zone = datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S %z")
        dates.append(with_zone.astimezone(UTC))
    postings = list_postings(dates)
    if len(postings) < 6:
        return None
    at_weekend = sum(posting.astimezone(WORKDAYS.zone).weekday() >= 5 for posting in postings)
    weekend = at_weekend > 0.1 * len(postings) * 2 / 7 or len(postings) < 10
    own_days = replace(WORKDAYS, weekend=1.0 if weekend else 0.0)
    pauses = tuple(own_days.count(first, second) for first, second in pairwise(postings))
    sizes = tuple(max(sum(first < date <= second for date in dates), 1) for first, second in pairwise(postings))
    return Pattern(path.stem, tuple(pause for pause in pauses if pause > 0), sizes, weekend)


def advance(moment: datetime, days: float, workdays: Workdays) -> datetime:
    """The time after so many working days."""
    while days > 0:
        hour = min(days, 1 / 24)
        moment += timedelta(days=hour)
        days -= hour * workdays.weigh(moment.astimezone(workdays.zone).date())
    return moment


def make_postings(pattern: Pattern, chance: random.Random) -> list[tuple[datetime, int]]:
    """The postings of a source before and in the quarter: time and number of articles."""
    moment = START - timedelta(days=LIST_LENGTH * max(pattern.pauses))
    moment = max(moment, START - timedelta(days=380))
    postings = []
    while moment < START + DAY * LENGTH:
        moment = advance(moment, chance.choice(pattern.pauses) * chance.uniform(0.9, 1.1), pattern.workdays)
        postings.append((moment, chance.choice(pattern.sizes)))
    return postings


def longest_pause(pattern: Pattern, seed: int) -> float:
    """The longest pause that a source makes by itself, before and in the quarter, in its working days; at least one."""
    moments = [moment for moment, _ in make_postings(pattern, chance_of(pattern, seed))]
    return max(1.0, *(pattern.workdays.count(first, second) for first, second in pairwise(moments)))


def chance_of(pattern: Pattern, seed: int) -> random.Random:
    """The chance of one source."""
    return random.Random(f"{seed} {pattern.name}")


def write_script(patterns: Sequence[Pattern], count: int, seed: int) -> list[Scripted]:
    """Choose the sources of the incidents, whose rhythm leaves room for both ends of one within the quarter."""
    chance = random.Random(seed)
    able = [pattern for pattern in patterns if max(pattern.pauses) <= 9]
    chance.shuffle(able)
    script = []
    for number, pattern in enumerate(able[:count]):
        usual = longest_pause(pattern, seed)
        start = START + DAY * chance.uniform(30, 50)
        end = advance(start, max(2.5 * usual, 4.0), pattern.workdays)
        script.append(Scripted(pattern.name, INCIDENTS[number % len(INCIDENTS)], start, end, usual))
    return script


class Source:
    """One source and its site, as the runs of the quarter see them."""

    def __init__(self, pattern: Pattern, scripted: Scripted | None, chance: random.Random) -> None:
        self.pattern = pattern
        self.scripted = scripted
        self.chance = chance
        self.known: dict[str, Item] = {}
        self.items: list[Item] = []
        self.dateless: set[str] = set()
        for moment, size in make_postings(pattern, chance):
            for number in range(size):
                url = f"{pattern.name}/{moment.timestamp():.0f}/{number}"
                has_text = chance.random() > 0.02
                self.items.append((url, moment, f"{url} " * 40 if has_text else ""))
                if chance.random() < 0.004:
                    self.dateless.add(url)
        self.next_run = START + timedelta(minutes=chance.uniform(0, 360))
        self.failures = 0

    def run(self, now: datetime, *, network: bool) -> RunOutcome:
        """Ask the site."""
        trouble = self.scripted.incident if self.scripted and self.scripted.start <= now < self.scripted.end else ""
        failure = FAILURES.get(trouble) or (None if network and self.chance.random() > 0.015 else "failed")
        wait = timedelta(minutes=15) * 2 ** min(self.failures, 10)
        self.failures = self.failures + 1 if failure else 0
        self.next_run = now + (min(wait, INTERVAL) if failure else INTERVAL)
        if failure:
            return RunOutcome(now, failure)
        listed: list[Item] = [item for item in self.items if item[1] is not None and item[1] <= now][-LIST_LENGTH:]
        listed = [(url, None if url in self.dateless else at, text) for url, at, text in listed]
        listed = self.spoil(listed, trouble, now)
        changed = [item for item in listed if self.known.get(item[0]) != item]
        new = sum(item[0] not in self.known for item in changed)
        self.known.update((item[0], item) for item in changed)
        unchanged = not changed and trouble != "empty list" and self.chance.random() < 0.5
        traces = [Trace.of(url, at, text) for url, at, text in changed]
        host = "" if unchanged or trouble == "304 for ever" else "parked.example" if trouble.startswith("red") else "a"
        return RunOutcome(now, None, new, 0 if unchanged else len(listed), host, tuple(traces))

    def spoil(self, listed: list[Item], trouble: str, now: datetime) -> list[Item]:
        """The list as the site gives it under an incident."""
        lists: dict[str, Callable[[], list[Item]]] = {
            "304 for ever": lambda: [item for item in listed if item[0] in self.known],
            "empty list": list,
            "old items only": lambda: [
                (f"{url}/again", at and at - DAY * 200, f"again {text}") for url, at, text in self.items[:LIST_LENGTH]
            ],
            "flood of new items": lambda: [
                (f"{url}/{now:%d%H}", now - timedelta(hours=1), f"{now}{text}") for url, _, text in listed * 3
            ],
            "dates gone": lambda: [(url, None, text) for url, _, text in listed],
            "text gone": lambda: [(url, at, "") for url, at, _ in listed],
            "placeholder text": lambda: [(url, at, "请在客户端打开本文。" * 20) for url, at, _ in listed],
        }
        return lists[trouble]() if trouble in lists else listed


def simulate(patterns: Sequence[Pattern], script: Iterable[Scripted], seed: int, *, registry_expects: bool) -> Quarter:
    """Simulate the quarter.

    Args:
        patterns: one for each source.
        script: of the incidents, at most one a source.
        seed: of chance.
        registry_expects: whether each source has an `expect_per_week`; without it all rhythms are learned.
    """
    by_source = {scripted.source: scripted for scripted in script}
    sources = {
        pattern.name: Source(pattern, by_source.get(pattern.name), chance_of(pattern, seed)) for pattern in patterns
    }
    runs: dict[str, list[RunOutcome]] = {name: [] for name in sources}
    judgements: dict[str, Judgement] = {name: Judgement("never") for name in sources}
    open_incidents: list[Incident] = []
    quarter = Quarter({scripted: Seen() for scripted in by_source.values()}, [])
    now = START
    while now < START + DAY * LENGTH:
        now += timedelta(minutes=15)
        day = (now - START) / DAY
        if 60 <= day < 64:  # the machine sleeps
            continue
        due = [source for source in sources.values() if source.next_run <= now]
        for source in due:
            name = source.pattern.name
            runs[name].append(source.run(now, network=not 22 <= day < 22.3))
            expected = expected_per_week(source.pattern) if registry_expects else None
            history = History(name, True, "a", expected, tuple(runs[name]))
            judgements[name] = judge_source(history, WORKDAYS)
        changes = compare_incidents(open_incidents, judgements, now)
        open_incidents = follow(open_incidents, changes.updated, changes.recovered, changes.raised)
        record(quarter, by_source, changes.raised, changes.recovered)
    return quarter


def follow(
    open_incidents: Sequence[Incident],
    updated: Sequence[Incident],
    recovered: Sequence[Incident],
    raised: Sequence[Incident],
) -> list[Incident]:
    """The open incidents after a look at the sources, as a store would hold them."""
    newer = {(incident.source, FAMILY_OF[incident.kind]): incident for incident in (*recovered, *updated)}
    staying = [newer.get((incident.source, FAMILY_OF[incident.kind]), incident) for incident in open_incidents]
    return [incident for incident in staying if incident.recovered_at is None] + list(raised)


def expected_per_week(pattern: Pattern) -> tuple[int, int]:
    """What an editor would write into the registry: half of the usual week at least, three times as much at most."""
    per_posting = sum(pattern.sizes) / len(pattern.sizes)
    week = 7 * (1.0 if pattern.weekend else 5 / 7) / (sum(pattern.pauses) / len(pattern.pauses)) * per_posting
    longest = max(pattern.pauses)
    return (0 if longest > 4 else int(week / 2), int(week * 3) + LIST_LENGTH)


def record(
    quarter: Quarter, by_source: dict[str, Scripted], raised: Iterable[Incident], recovered: Iterable[Incident]
) -> None:
    """Note which scripted incident was raised or has recovered; all else is false."""
    for incident in raised:
        scripted = by_source.get(incident.source)
        if scripted and incident.kind in EXPECTED_KINDS[scripted.incident] and incident.raised_at >= scripted.start:
            quarter.seen[scripted].raised.append(incident)
        else:
            quarter.false.append(incident)
    for incident in recovered:
        scripted = by_source.get(incident.source)
        if scripted and incident.kind in EXPECTED_KINDS[scripted.incident] and incident.raised_at >= scripted.start:
            quarter.seen[scripted].recovered.append(incident)


def delay(scripted: Scripted, incident: Incident, pattern: Pattern) -> float:
    """How long after its start an incident was raised, in working days of the source."""
    return pattern.workdays.count(scripted.start, incident.raised_at)
