"""Judges a source by its history: its state, since when, the evidence, and whether a person is needed."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pipelines.health.history import SHORT_TEXT, FailureKind, History, RunOutcome, Trace
from pipelines.health.rhythm import (
    MEMORY,
    Rhythm,
    combine_rhythms,
    expect_rhythm,
    learn_rhythm,
    list_postings,
)
from pipelines.health.workdays import Workdays

State = Literal[
    "off",
    "never",
    "well",
    "late",
    "retrying",
    "silent",
    "volume",
    "fields",
    "moved",
    "failing",
    "blocked",
    "login",
    "retired",
    "stalled",
]

Family = Literal["failure", "quiet", "volume", "fields", "moved", "crawling"]
"""A source has at most one incident of a family at a time; its kind may change while it is open. Incidents of the
crawling belong to no source."""

Kind = Literal[
    "failed",
    "changed",
    "misconfigured",
    "blocked",
    "login",
    "gone",
    "forbidden",
    "silent",
    "old-items",
    "empty",
    "many",
    "few",
    "no-dates",
    "no-text",
    "same-text",
    "moved",
    "standstill",
    "no-worker",
    "clock-behind",
]

STATE_OF: Final[Mapping[Kind, State]] = {
    "failed": "failing",
    "changed": "failing",
    "misconfigured": "failing",
    "blocked": "blocked",
    "login": "login",
    "gone": "retired",
    "forbidden": "retired",
    "silent": "silent",
    "old-items": "silent",
    "empty": "silent",
    "many": "volume",
    "few": "volume",
    "no-dates": "fields",
    "no-text": "fields",
    "same-text": "fields",
    "moved": "moved",
    "standstill": "stalled",
    "no-worker": "stalled",
    "clock-behind": "stalled",
}

FAMILY_OF: Final[Mapping[Kind, Family]] = {
    **dict.fromkeys(("failed", "changed", "misconfigured", "blocked", "login", "gone", "forbidden"), "failure"),
    **dict.fromkeys(("silent", "old-items", "empty"), "quiet"),
    **dict.fromkeys(("many", "few"), "volume"),
    **dict.fromkeys(("no-dates", "no-text", "same-text"), "fields"),
    "moved": "moved",
    **dict.fromkeys(("standstill", "no-worker", "clock-behind"), "crawling"),
}

PATIENCE: Final = timedelta(hours=12)
"""A failure that a later run may end by itself needs nobody before; most ends within hours."""

_FEWEST_FAILURES: Final = 3
_CERTAIN: Final[frozenset[FailureKind]] = frozenset({"login", "gone", "misconfigured"})
"""Failures that no later run ends by itself; two runs in a row say the same."""

_LAST_FAILURES: Final = 4
"""The most frequent kind of so many failures is the kind of all."""

RETIRED_AFTER: Final = timedelta(days=21)
"""An address that answered 403 or 404 for so long is not coming back."""

_RARE: Final = 5e-5
"""A series of bad items that chance brings so seldom is no chance."""

_FEWEST_BAD: Final = 3
"""Two in a row are chance sooner or later, where sixty sources bring thousands of items in a quarter."""

_GOOD_AGAIN: Final = 2
"""Good items that end a series of bad ones."""

_FEWEST_TRACES: Final = 8
_STREAK: Final = 3
"""Runs in a row that are empty, or answered by another host."""

_OLD: Final = timedelta(days=30)
_WEEK: Final = timedelta(weeks=1)
_CLOCK_ERROR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a source that a person has to know.

    Args:
        kind: of the incident.
        since: aware.
        values: what the sentence of the kind names: texts and numbers.
    """

    kind: Kind
    since: datetime
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def family(self) -> Family:
        """The family of the kind."""
        return FAMILY_OF[self.kind]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of a source.

    Args:
        state: the most serious one.
        since: when the state began; None for a source without a past, and for a state without a beginning.
        findings: the most serious first; none for a source that is well, only late or only retried.
        rhythm: None while too little is known.
        last_posting: the date of the newest article; None without one.
        quiet: days of working time since the last posting, up to the last successful run.
        failures: failed runs since the last success.
    """

    state: State
    since: datetime | None = None
    findings: tuple[Finding, ...] = ()
    rhythm: Rhythm | None = None
    last_posting: datetime | None = None
    quiet: float = 0.0
    failures: int = 0


def judge_source(history: History, workdays: Workdays) -> Judgement:
    """Judge a source by its runs. Without a run after it, no time passes: a crawler that sleeps blames no source.

    Args:
        history: of the source.
        workdays: the holidays of all sources.
    """
    if not history.enabled:
        return Judgement("off")
    if not history.runs:
        return Judgement("never")
    successes = [run for run in history.runs if run.failure is None]
    postings = list_postings(_find_newer(successes))
    expected = expect_rhythm(history.expect_per_week[0]) if history.expect_per_week else None
    rhythm = combine_rhythms(learn_rhythm(postings, workdays), expected)
    quiet = 0.0
    if postings and successes:
        start = max(postings[-1], history.runs[0].at)  # a new source is not late in its first minutes
        quiet = workdays.with_weekend(rhythm.weekend if rhythm else 1.0).count(start, successes[-1].at)
    searches: tuple[Callable[[], Finding | None], ...] = (
        lambda: find_failure(history.runs),
        lambda: _find_silence(successes, postings, rhythm, quiet),
        lambda: _find_fields(successes),
        lambda: _find_volume(history, successes, workdays),
        lambda: _find_move(history.host, successes),
    )
    findings = tuple(finding for finding in (search() for search in searches) if finding is not None)
    if any(finding.family == "quiet" for finding in findings):  # a source that gives nothing gives too few, too
        findings = tuple(finding for finding in findings if finding.kind != "few")
    last_posting = postings[-1] if postings else None
    failures = _count_last(history.runs, lambda run: run.failure is not None)
    judgement = Judgement("well", None, findings, rhythm, last_posting, quiet, failures)
    if findings:
        return replace(judgement, state=STATE_OF[findings[0].kind], since=findings[0].since)
    if failures:  # nobody is called yet
        return replace(judgement, state="retrying", since=history.runs[-failures].at)
    is_late = rhythm is not None and quiet > rhythm.late_after
    return replace(judgement, state="late", since=last_posting) if is_late else judgement


def _moments(run: RunOutcome) -> list[datetime]:
    """The times of a run's new articles.

    A date in the future is a mistake, and counts as the time of the run. So do items without a date, if no item of the
    run has one; a single item without date says nothing of when it was published.
    """
    dates = [trace.published_at for trace in run.traces if trace.published_at is not None]
    if dates:
        return [run.at if date > run.at + _CLOCK_ERROR else date for date in dates]
    return [run.at] if run.traces or run.new else []


def _find_newer(runs: Sequence[RunOutcome]) -> list[datetime]:
    """The times of articles that were newer than all of the runs before; an archive that turns up is no posting."""
    moments: list[datetime] = []
    newest = datetime.min.replace(tzinfo=UTC)
    for run in runs:
        if run.traces or run.new:
            newer = [moment for moment in _moments(run) if moment > newest]
            moments += newer
            newest = max([newest, *newer])
    return moments


def find_failure(runs: Sequence[RunOutcome]) -> Finding | None:
    """Find the failure that the last runs share, if it has lasted too long to end by itself.

    Args:
        runs: oldest first.
    """
    failures: list[RunOutcome] = []
    for run in reversed(runs):
        if run.failure is None:
            break
        failures.append(run)
    if not failures:
        return None
    last, first = failures[0], failures[-1]
    kinds = Counter(run.failure or "failed" for run in failures[:_LAST_FAILURES])  # the last may be of chance
    kind, same = kinds.most_common(1)[0]
    lasted = last.at - first.at
    if kind in _CERTAIN:
        return Finding(kind, first.at, {"count": len(failures)}) if same >= 2 else None
    if len(failures) < _FEWEST_FAILURES or lasted < PATIENCE:
        return None
    if kind == "forbidden" and lasted < RETIRED_AFTER:
        return Finding("failed", first.at, {"count": len(failures)})
    return Finding(kind, first.at, {"count": len(failures)})


def _find_silence(
    successes: Sequence[RunOutcome], postings: Sequence[datetime], rhythm: Rhythm | None, quiet: float
) -> Finding | None:
    """Find a silence: empty lists where there were none before, or no new article for too long.

    Where a late source brings old items in the place of new ones, two signs agree, and no more patience is needed.
    """
    if empty := _find_emptiness(successes):
        return empty
    if rhythm is None or not postings or quiet <= rhythm.late_after:
        return None
    values = {
        "days": round((successes[-1].at - postings[-1]) / timedelta(days=1), 1),
        "usual": round(rhythm.usual, 1),
        "day": postings[-1].date().isoformat(),
    }
    old = _count_old_items(successes, postings[-1])
    if old >= 3:
        return Finding("old-items", postings[-1], values | {"count": old})
    return Finding("silent", postings[-1], values) if quiet > rhythm.silent_after else None


def _count_old_items(successes: Sequence[RunOutcome], last_posting: datetime) -> int:
    """Count the old items that runs after the last posting were the first to bring; an item that changed is not new."""
    count = 0
    former_hashes: set[int] = set()
    for number, run in enumerate(successes):
        if number > 0 and run.at > last_posting:
            dates = (trace.published_at for trace in run.traces if trace.item_hash not in former_hashes)
            count += sum(date is not None and run.at - date > _OLD for date in dates)
        former_hashes.update(trace.item_hash for trace in run.traces)
    return count


def _find_emptiness(successes: Sequence[RunOutcome]) -> Finding | None:
    """Find a series of lists without items at the end, of a source that never had an empty list before."""
    answered = [run for run in successes if run.answered_by]
    empty = _count_last(answered, lambda run: not run.items)
    earlier = answered[: len(answered) - empty]
    if empty < _STREAK or len(earlier) < _FEWEST_TRACES or not all(run.items for run in earlier[-50:]):
        return None
    if answered[-1].at - answered[-empty].at < PATIENCE:
        return None
    return Finding("empty", answered[-empty].at, {"count": empty})


def _find_fields(successes: Sequence[RunOutcome]) -> Finding | None:
    """Find a field that the newest items lack and earlier ones had: the date, the text, or a text of their own."""
    latest: dict[int, tuple[datetime, Trace]] = {}
    replaced: list[tuple[datetime, Trace]] = []
    for run in successes:
        for trace in run.traces:
            if former := latest.pop(trace.item_hash, None):
                replaced.append(former)
            latest[trace.item_hash] = (run.at, trace)
    rows = list(latest.values())
    times = [time for time, _ in rows]
    ages = [bisect_right(times, time) for time, _ in replaced]
    holders = Counter(trace.text_hash for _, trace in rows if trace.length >= SHORT_TEXT)
    checks: tuple[tuple[Literal["no-dates", "no-text", "same-text"], Callable[[Trace], bool]], ...] = (
        ("no-dates", lambda trace: trace.published_at is None),
        ("no-text", lambda trace: trace.length < SHORT_TEXT),
        ("same-text", lambda trace: holders[trace.text_hash] > 1),
    )
    for kind, is_bad in checks:
        replaced_bad = [(age, is_bad(trace)) for age, (_, trace) in zip(ages, replaced, strict=True)]
        series = find_bad_series([is_bad(trace) for _, trace in rows], replaced_bad)
        if series is not None:
            return Finding(kind, rows[series[0]][0], {"count": series[1] - series[0]})
    return None


def find_bad_series(bad: Sequence[bool], replaced: Sequence[tuple[int, bool]] = ()) -> tuple[int, int] | None:
    """Find the series of bad items that is too long for chance and that good items have not ended yet.

    The chance of a bad item is estimated from the items before the series (with one more bad and two more in all), so
    a source that often has an item without text needs a longer series. Where a site spoils its whole list at once,
    these are the former versions of the items.

    Args:
        bad: of each item, oldest first.
        replaced: of each former version of an item, the number of items that are as old or older, and whether it was
            bad.

    Returns:
        The first position of the series and the position after it; None without one.

    >>> find_bad_series([False] * 40 + [True] * 3), find_bad_series([False] * 40 + [True] * 3 + [False] * 2)
    ((40, 43), None)
    >>> find_bad_series([True] * 20), find_bad_series([True] * 20, [(0, False)] * 20)
    (None, (0, 20))
    """
    end = len(bad)
    while end and not bad[end - 1]:
        end -= 1
    if end == 0 or len(bad) - end >= _GOOD_AGAIN:
        return None
    start, good_before = end, 0
    position = end - 1
    while position >= 0 and good_before < _GOOD_AGAIN:  # a series goes on through a single good item
        if bad[position]:
            start, good_before = position, 0
        else:
            good_before += 1
        position -= 1
    earlier = [*bad[:start], *(was_bad for age, was_bad in replaced if age <= start)]
    if len(earlier) < _FEWEST_TRACES:
        return None
    chance, count = (sum(earlier) + 1) / (len(earlier) + 2), sum(bad[start:end])
    return (start, end) if count >= _FEWEST_BAD and chance**count < _RARE else None


def _find_volume(history: History, successes: Sequence[RunOutcome], workdays: Workdays) -> Finding | None:
    """Find a week with far more or far fewer new articles than the registry or the earlier weeks say."""
    later = successes[1:]  # the first run brings the whole list
    if not later:
        return None
    end = later[-1].at
    window = [run for run in later if run.at > end - _WEEK]
    before_window = [run for run in successes if run.at <= end - _WEEK]
    covered = (end - before_window[-1].at if before_window else end - successes[0].at) / _WEEK
    count = sum(run.new for run in window)
    weeks = _count_weeks(later, end - _WEEK)
    allowed = history.expect_per_week[1] if history.expect_per_week else None
    if allowed is None and len(weeks) >= 3:
        allowed = max(30, 4 * max(weeks))
    if allowed is not None and count > allowed * max(covered, 1.0):
        return Finding("many", window[0].at, {"count": count, "most": allowed})
    return _find_few(history, later, weeks, workdays)


def _find_few(
    history: History, later: Sequence[RunOutcome], weeks: Sequence[int], workdays: Workdays
) -> Finding | None:
    """Find two weeks with some articles, but far fewer than the registry or the earlier weeks say."""
    end = later[-1].at
    start = end - 2 * _WEEK
    if later[0].at > start or workdays.has_holiday(start, end):
        return None
    count = sum(run.new for run in later if run.at > start)
    fewest = history.expect_per_week[0] if history.expect_per_week else 0
    if fewest == 0 and len(weeks) >= 6 and min(weeks[1:]) >= 8:
        fewest = min(weeks[1:]) // 2
    if 0 < count < fewest:  # of two weeks: half of the expected; none at all is a silence
        return Finding("few", start, {"count": count, "fewest": 2 * fewest})
    return None


def _count_weeks(runs: Sequence[RunOutcome], end: datetime) -> list[int]:
    """Count the new articles of each whole week before a time, the latest week first."""
    first = runs[0].at
    counts = [0] * max(int((end - first) / _WEEK), 0)
    for run in runs:
        week = int((end - run.at) / _WEEK) if run.at <= end else -1
        if 0 <= week < len(counts):
            counts[week] += run.new
    return counts[: MEMORY // _WEEK]


def _find_move(host: str, successes: Sequence[RunOutcome]) -> Finding | None:
    """Find that another host answers than the registry names and than answered before."""
    answered = [run for run in successes if run.answered_by]
    if not answered:
        return None
    now_answers = answered[-1].answered_by
    streak = _count_last(answered, lambda run: run.answered_by == now_answers)
    earlier = answered[: len(answered) - streak]
    if now_answers == host or streak < _STREAK or not earlier:
        return None
    return Finding("moved", answered[-streak].at, {"host": now_answers, "former": earlier[-1].answered_by})


def _count_last(runs: Sequence[RunOutcome], is_such: Callable[[RunOutcome], bool]) -> int:
    """Count the runs at the end that are such."""
    count = 0
    for run in reversed(runs):
        if not is_such(run):
            break
        count += 1
    return count
