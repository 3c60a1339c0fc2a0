"""The state of the newsroom in Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pipelines.newsroom import Newsroom
from pipelines.newsroom.watching.health import Checkup
from pipelines.store.queue import JobState, QueueState

PERIOD: Final = timedelta(days=1)
"""Runs are counted over so long a time."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A number of a metric.

    Args:
        number: times are seconds since 1970.
        labels: by name.
    """

    number: float
    labels: Mapping[str, str]


def render_metrics(newsroom: Newsroom, checkup: Checkup, now: datetime) -> str:
    """Render the states of sources, open incidents and the runs of the last day.

    Nothing listens for it: `jianbao health --metrics` writes it for a collector of text files, so that no port is open.

    Args:
        newsroom: with its store.
        checkup: of all sources, just made.
        now: aware.
    """
    with newsroom.store.reading() as tx:
        records = tx.sources.list_all()
        runs = tx.runs.list_since(now - PERIOD)
        last_start = tx.runs.find_last_start(is_ended=False)
        waiting = len(tx.articles.list_fresh(limit=_MOST_WAITING))
        queue = tx.jobs.read()
    judgements = checkup.judgements
    successes = {name: records[name].last_success_at for name in judgements if name in records}
    failures = {name: records[name].failures_in_row for name in judgements if name in records}
    outcomes = Counter("running" if run.finished_at is None else "failed" if run.failure else "ended" for run in runs)
    items = {name: sum(getattr(run, name) for run in runs) for name in ("new", "updated", "seen", "lost")}
    incidents = Counter((row.state, row.needs_person(now)) for row in checkup.open_incidents)
    metrics: tuple[tuple[str, str, Iterable[Sample]], ...] = (
        *(_measure_queue(queue, now) if queue else ()),
        (
            "source_state",
            "State of health of a source: 1 for the state in which it is.",
            [Sample(1, {"source": name, "state": row.state}) for name, row in judgements.items()],
        ),
        (
            "source_last_posting_timestamp_seconds",
            "Date of the newest article of a source.",
            _of_sources({name: row.last_posting for name, row in judgements.items()}),
        ),
        (
            "source_quiet_days",
            "Working days since the newest article of a source, up to its last successful run.",
            [Sample(round(row.quiet, 3), {"source": name}) for name, row in judgements.items()],
        ),
        (
            "source_last_success_timestamp_seconds",
            "Time of the last successful run of a source.",
            _of_sources(successes),
        ),
        (
            "source_failures_in_a_row",
            "Failed runs of a source since its last success.",
            [Sample(count, {"source": name}) for name, count in failures.items()],
        ),
        (
            "incidents_open",
            "Open incidents, by state and by whether one needs a person.",
            [
                Sample(count, {"state": state, "needs_person": str(needs_person).lower()})
                for (state, needs_person), count in sorted(incidents.items())
            ],
        ),
        (
            "runs_of_last_day",
            "Runs that began in the last day, by outcome.",
            [Sample(outcomes[name], {"outcome": name}) for name in ("ended", "failed", "running")],
        ),
        (
            "last_run_timestamp_seconds",
            "Time at which the last run of any source began.",
            [Sample(last_start.timestamp(), {})] if last_start else [],
        ),
        (
            "items_of_last_day",
            "Items of the runs of the last day, by outcome.",
            [Sample(count, {"outcome": name}) for name, count in items.items()],
        ),
        ("articles_not_grouped", f"Articles that wait for grouping, at most {_MOST_WAITING}.", [Sample(waiting, {})]),
        ("checked_timestamp_seconds", "Time of this look at the sources.", [Sample(now.timestamp(), {})]),
    )
    return "".join(line for metric in metrics for line in _render_metric(*metric))


_MOST_WAITING: Final = 10_000


def _measure_queue(queue: QueueState, now: datetime) -> Iterable[tuple[str, str, Iterable[Sample]]]:
    states: tuple[JobState, ...] = ("running", "waiting", "failed")
    workers = Counter("silent" if worker.is_silent(now) else "alive" for worker in queue.workers)
    waiting_since = min((job.changed_at for job in queue.jobs if job.state == "waiting"), default=now)
    yield "jobs", "Jobs of the queue, by state.", [Sample(queue.count(state), {"state": state}) for state in states]
    yield "workers", "Workers, by state.", [Sample(workers[state], {"state": state}) for state in ("alive", "silent")]
    yield (
        "job_longest_wait_seconds",
        "Time for which the oldest waiting job waits.",
        [Sample(round((now - waiting_since).total_seconds(), 3), {})],
    )


def _of_sources(times: Mapping[str, datetime | None]) -> list[Sample]:
    return [Sample(time.timestamp(), {"source": name}) for name, time in times.items() if time is not None]


def _render_metric(name: str, description: str, samples: Iterable[Sample]) -> Iterable[str]:
    """Render the lines of a gauge; nothing for one without samples.

    Args:
        name: without the prefix.
        description: one line.
        samples: of the metric.
    """
    for number, sample in enumerate(samples):
        if number == 0:
            yield f"# HELP jianbao_{name} {description}\n# TYPE jianbao_{name} gauge\n"
        labels = ",".join(f'{label}="{_escape(text)}"' for label, text in sample.labels.items())
        yield f"jianbao_{name}{{{labels}}} {sample.number!r}\n" if labels else f"jianbao_{name} {sample.number!r}\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
