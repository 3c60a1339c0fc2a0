"""Shows results in the terminal: tables that fit its width, colours with a meaning.

Green: done, or new. Yellow: worth a look. Red: failed. Dim: nothing to do. Text from the web stays text: markup
characters and control sequences in a title have no effect.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from pipelines import logs
from pipelines.errors import describe_cause, describe_failure, describe_problem, name_error
from pipelines.wording import Language, say

if TYPE_CHECKING:
    from crawler.sources.schema import Source
    from pipelines.group.topics import TermLift
    from pipelines.health.incidents import Incident
    from pipelines.health.judging import Judgement
    from pipelines.issue.lint import Finding
    from pipelines.model import Article, Candidate, Issue, Reason, Suggestion
    from pipelines.newsletter import Category, Newsletter
    from pipelines.newsroom.crawling.crawls import SourceReport, WayReport
    from pipelines.newsroom.editing.candidates import CategoryList
    from pipelines.newsroom.stages.evaluation import Evaluation, Ranking, Sections, Unpicked
    from pipelines.store.queue import Job, Worker
    from pipelines.store.raw import StoredRaw
    from pipelines.store.runs import Run
    from pipelines.store.sources import SourceRecord

SOME_FAILED: Final = 1
"""Exit code: a part of the work failed, and stderr names it."""

WRONG_USE: Final = 2
"""Exit code: the command line or a configuration file asks for something impossible."""

MOST_REASONS: Final = 4

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


out = Console()
"""Answers go to stdout."""

err = Console(stderr=True)
"""Progress, warnings and errors go to stderr, so that stdout can be piped."""


_reader: list[Language] = ["zh"]


def set_language(language: Language) -> None:
    """Set the language of the terminal's sentences for this process."""
    _reader[0] = language


def get_language() -> Language:
    """The language of the terminal's sentences: Chinese unless `set_language` was called."""
    return _reader[0]


def sentence(code: str, **values: object) -> str:
    """Make a sentence of `pipelines.wording` in the language of the terminal."""
    return say(code, values, get_language())


def fail(message: str) -> None:
    """Print an error in red on stderr, or log it."""
    if logs.is_json():
        logs.log_message(logging.ERROR, message)
        return
    err.print(Text(_harmless(message), style="red"), soft_wrap=True)


def warn(message: str) -> None:
    """Print a warning in yellow on stderr, or log it."""
    if logs.is_json():
        logs.log_message(logging.WARNING, message)
        return
    err.print(Text(_harmless(message), style="yellow"), soft_wrap=True)


def note(message: str) -> None:
    """Print a message on stderr that asks for nothing, or log it."""
    if logs.is_json():
        logs.log_message(logging.INFO, message)
        return
    err.print(Text(_harmless(message)), soft_wrap=True)


def _harmless(text: str) -> str:
    """Remove control characters: a terminal obeys them, and a server's reply may contain them.

    >>> _harmless("a\\x1b[2Jb\\tc\\u202ed")
    'a[2Jb\\tcd'
    """
    return _CONTROLS.sub("", text)


PROGRESS_EVERY: Final = 60.0
"""Seconds between two lines of progress where there is no terminal: a worker's log, a mail of cron."""


class _LoggedProgress(Progress):
    """A progress bar; where stderr is a file or a pipe, a line from time to time."""

    def __init__(self, *columns: ProgressColumn, **options: Any) -> None:
        super().__init__(*columns, **options)
        self._noted_at = monotonic()

    def update(self, task_id: TaskID, *arguments: Any, **changes: Any) -> None:
        """Note how far a task is."""
        super().update(task_id, *arguments, **changes)
        task = self._tasks[task_id]
        if self.disable and task.total and monotonic() - self._noted_at >= PROGRESS_EVERY:
            self._noted_at = monotonic()
            counts = {"count": round(task.completed), "total": round(task.total)}
            note(sentence("cli/progress", task=task.description, **counts))


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show a progress bar on stderr while the context lasts; a line a minute where stderr is a file or a pipe."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with _LoggedProgress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar


class WholeTextTable(Table):
    """A table that breaks a word longer than its column: rich cuts it off, and a Chinese sentence is one word."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for column in self.columns:
            column.overflow = "fold"
        return super().__rich_console__(console, options)


def _make_table(title: str | None, *headings: str, expand: bool = False) -> Table:
    return WholeTextTable(
        *headings, title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=expand
    )


def make_candidate_tables(
    lists: Iterable[CategoryList], categories: Sequence[Category], zone: ZoneInfo
) -> Iterator[Table]:
    """Make a table for each category that has candidates; a long list is continued in tables without a title.

    Args:
        lists: of candidates, by category.
        categories: of the newsletter; another one has no quota.
        zone: of the newsletter; dates are in it.
    """
    quotas = {category.name: category.quota for category in categories}
    for each in lists:
        code = "table/category-target" if each.category in quotas else "table/category"
        title: str | None = sentence(code, category=each.category, count=each.count, quota=quotas.get(each.category))
        candidates = iter(each.candidates)
        while rows := list(islice(candidates, _LONGEST_TABLE)):
            yield _make_candidate_table(title, rows, zone)
            title = None


_LONGEST_TABLE: Final = 500
"""Rows of a table; it is laid out as a whole, in memory."""


def _make_candidate_table(title: str | None, candidates: Sequence[Candidate], zone: ZoneInfo) -> Table:
    table = _make_table(title, expand=True)
    table.add_column(sentence("table/number"), justify="right", style="cyan", no_wrap=True)
    table.add_column(sentence("table/score"), justify="right", no_wrap=True)
    table.add_column(sentence("table/title-and-reasons"), ratio=4)
    table.add_column(sentence("table/source"), ratio=1)
    table.add_column(sentence("table/date"), no_wrap=True)
    for candidate in candidates:
        table.add_row(
            str(candidate.story.id),
            f"{candidate.score:.1f}",
            _render_headline(candidate).append(f"\n{_format_reasons(candidate.reasons)}", style="dim"),
            Text(candidate.lead.article.source_name),
            f"{candidate.lead.article.published.at.astimezone(zone):%Y-%m-%d}",
        )
    return table


def _render_headline(candidate: Candidate) -> Text:
    text = Text(candidate.lead.article.title, style=f"link {candidate.lead.article.url}" if out.is_terminal else "")
    if len(candidate.articles) > 1:
        text.append(f" {sentence('table/others', count=len(candidate.articles) - 1)}", style="green")
    if candidate.published_in is not None:
        text.append(f" {sentence('table/printed', day=candidate.published_in)}", style="yellow")
        return text
    if candidate.follows is not None:
        text.append(f" {sentence('table/follows', day=candidate.follows)}", style="yellow")
    if candidate.state != "new":
        text.append(f" {sentence(f'state/{candidate.state}')}", style="yellow")
    return text


def make_pair_table(pairs: Iterable[tuple[Candidate, Suggestion]]) -> Table:
    """Make a table of two stories each that may report one event, in the given order."""
    table = _make_table(sentence("table/pairs"), expand=True)
    table.add_column(sentence("table/number"), justify="right", style="cyan", no_wrap=True)
    table.add_column(sentence("table/title"), ratio=3)
    table.add_column(sentence("table/evidence"), ratio=2, style="dim")
    for candidate, suggestion in pairs:
        numbers = f"{candidate.story.id}\n{suggestion.story}"
        titles = f"{candidate.lead.article.title}\n{suggestion.lead.article.title}"
        evidence = sentence("table/likely", share=round(100 * suggestion.probability))
        table.add_row(numbers, Text(titles), Text(f"{suggestion.evidence.text(get_language())}\n{evidence}"))
        table.add_section()
    return table


def pair_json(candidate: Candidate, suggestion: Suggestion) -> dict[str, Any]:
    """Make the JSON document of two stories that may report one event."""
    return {
        "stories": [
            {"id": candidate.story.id, "title": candidate.lead.article.title},
            {"id": suggestion.story, "title": suggestion.lead.article.title},
        ],
        "probability": round(suggestion.probability, 2),
        "evidence": [{"kind": suggestion.evidence.kind, "detail": suggestion.evidence.text(get_language())}],
    }


def _format_reasons(reasons: Iterable[Reason]) -> str:
    """Put the heaviest reasons on one line: `量化 +1.2 · 3 家同题 +0.4`."""
    heaviest = [reason for reason in reasons if abs(reason.weight) >= 0.05][:MOST_REASONS]
    return " · ".join(f"{reason.text(get_language())} {reason.weight:+.1f}" for reason in heaviest)


def make_issue_table(issues: Iterable[Issue]) -> Table:
    """Make a table of issues in the given order, with the number of entries of each."""
    headings = ("table/issue", "table/state", "table/entries", "table/headline")
    table = _make_table(sentence("table/issues"), *map(sentence, headings))
    for issue in issues:
        style = "yellow" if issue.state == "draft" else "green"
        state = Text(sentence(f"table/{issue.state}"), style=style)
        table.add_row(issue.date.isoformat(), state, str(issue.item_count), Text(issue.headline or ""))
    return table


def render_findings(issue: Issue, findings: Iterable[Finding], newsletter: Newsletter) -> Iterator[Text]:
    """Render the findings of an issue, each as one line: its position, its sentence and its advice.

    Args:
        issue: the issue that the findings are about.
        findings: in the order of the lines.
        newsletter: its labels tell where the title of an entry begins.
    """
    from pipelines.issue.lint import describe_finding

    reader = get_language()
    for finding in findings:
        text = describe_finding(issue, finding, newsletter, reader)
        yield Text(sentence("place/advice", finding=text, advice=finding.advice(reader)))


def make_report_table(reports: Iterable[SourceReport]) -> Table:
    """Make a table of a crawl's reports, a row for each source; the failed sources come last, with the reason."""
    reader = get_language()
    table = _make_table(sentence("crawl/title"), expand=True)
    table.add_column(sentence("crawl/source"), max_width=24)
    for heading in ("crawl/new", "crawl/seen", "crawl/updated", "crawl/time"):
        table.add_column(sentence(heading), justify="right", no_wrap=True)
    table.add_column(sentence("crawl/remarks"), ratio=1)
    for report in sorted(reports, key=lambda report: report.failed is not None):
        numbers = (
            Text(str(report.new), style="green" if report.new else "dim"),
            Text(str(report.seen), style="dim"),
            Text(str(report.updated), style="" if report.updated else "dim"),
        )
        remarks = Text(style="red")
        if report.failed:
            reason = _harmless(describe_failure(report.failed, reader))
            remarks = Text(sentence("crawl/failed", reason=reason), style="red")
        for warning in report.warnings:
            described = _harmless(describe_failure(warning, reader))
            remarks.append(("\n" if remarks else "") + described, style="yellow")
        name = report.id if "://" in report.id else Path(report.id).name
        seconds = sentence("crawl/seconds", seconds=f"{report.seconds:.1f}")
        table.add_row(Text(name, style="red" if report.failed else ""), *numbers, seconds, remarks)
    return table


def make_trial_table(articles: Sequence[Article], zone: ZoneInfo) -> Table:
    """Make a table of the entries of a list that is tried, a row for each.

    Args:
        articles: of the entries.
        zone: of the newsletter; dates are in it.
    """
    table = _make_table(sentence("trial/title", count=len(articles)), expand=True)
    table.add_column(sentence("trial/date"), no_wrap=True)
    table.add_column(sentence("trial/entry"), ratio=1)
    for article in articles:
        is_dated = article.published.precision != "first-seen"
        date = f"{article.published.at.astimezone(zone):%Y-%m-%d}" if is_dated else "—"
        table.add_row(Text(date), Text(f"{_harmless(article.title)}\n{_harmless(article.url)}"))
    return table


def make_way_table(reports: Iterable[WayReport]) -> Table:
    """Make a table of what the ways of sources answer, a row for each way."""
    table = _make_table(sentence("ways/title"), expand=True)
    table.add_column(sentence("crawl/source"), max_width=24)
    table.add_column(sentence("ways/way"), no_wrap=True)
    table.add_column(sentence("ways/entries"), justify="right", no_wrap=True)
    table.add_column(sentence("crawl/remarks"), ratio=1)
    for report in reports:
        remarks = Text(sentence("ways/answers") if report.items else sentence("ways/empty"), style="green")
        if report.failed:
            remarks = Text(_harmless(describe_failure(report.failed, get_language())), style="red")
        table.add_row(Text(report.source), Text(report.way), Text(str(report.items)), remarks)
    return table


def make_source_table(sources: Iterable[Source], histories: Mapping[str, SourceRecord], zone: ZoneInfo) -> Table:
    """Make a table of sources, with the time of the last success and the failures since.

    Args:
        sources: a row for each, in this order.
        histories: by the id of the source; a source that was never crawled has none.
        zone: of the newsletter; times are in it.
    """
    headings = ("number", "kind", "name", "schedule", "last-success", "state")
    table = _make_table(sentence("table/sources"), *(sentence(f"table/{heading}") for heading in headings))
    for source in sources:
        history = histories.get(source.id)
        if not source.enabled:
            state = Text(sentence("table/off"), style="dim")
        elif history and history.failure:
            reason = _harmless(describe_failure(history.failure, get_language()))
            state = Text(sentence("table/failing", count=history.failures_in_row, reason=reason), style="red")
        else:
            state = Text(sentence("table/well" if history else "table/never"), style="green" if history else "dim")
        succeeded = format_time(history.last_success_at if history else None, zone)
        table.add_row(source.id, source.kind, Text(source.name), source.schedule, succeeded, state)
    return table


_STYLES: Final = {"well": "green", "off": "dim", "never": "dim", "late": "yellow", "retrying": "yellow"}
"""Colours of states of health; all others are red."""


def make_health_table(sources: Mapping[str, Source], judgements: Mapping[str, Judgement], zone: ZoneInfo) -> Table:
    """Make a table of the states of sources.

    Args:
        sources: by id.
        judgements: by source id; a row for each.
        zone: of the newsletter; times are in it.
    """
    from pipelines.newsroom.watching.health import describe_judgement

    headings = ("source", "name", "state", "since", "last-posting", "evidence")
    table = _make_table(sentence("cli/health-title"), *(sentence(f"table/{name}") for name in headings))
    for source_id, judgement in judgements.items():
        table.add_row(
            source_id,
            Text(sources[source_id].name),
            Text(sentence(f"health/{judgement.state}"), style=_STYLES.get(judgement.state, "red")),
            format_time(judgement.since, zone),
            format_time(judgement.last_posting, zone),
            Text("\n".join(describe_judgement(judgement, get_language()))),
        )
    return table


def make_incident_table(incidents: Iterable[Incident], zone: ZoneInfo, now: datetime) -> Table:
    """Make a table of incidents, with evidence and what to do.

    Args:
        incidents: a row for each, in this order.
        zone: of the newsletter; times are in it.
        now: aware.
    """
    from pipelines.newsroom.watching.health import describe_incident, describe_remedy, name_subject

    headings = ("number", "source", "state", "since", "evidence", "remedy")
    table = _make_table("", *(sentence(f"table/{name}") for name in headings))
    for incident in incidents:
        state = Text(sentence(f"health/{incident.state}"), style="red" if incident.needs_person(now) else "dim")
        if incident.recovered_at is None and incident.acknowledged_until and not incident.needs_person(now):
            day = incident.acknowledged_until.astimezone(zone).date()
            state.append(f" {sentence('table/acknowledged', day=day)}")
        evidence = describe_incident(incident.kind, incident.values, get_language())
        advice = describe_remedy(incident.kind, incident.source, get_language())
        since = format_time(incident.since, zone)
        table.add_row(
            str(incident.id), name_subject(incident, {}, get_language()), state, since, Text(evidence), Text(advice)
        )
    return table


def make_run_table(runs: Iterable[Run], zone: ZoneInfo) -> Table:
    """Make a table of runs, for a terminal of 80 columns too. What to do about a failure is in `make_run_details`.

    Args:
        runs: a row for each, in this order.
        zone: of the newsletter; times are in it.
    """
    table = _make_table(sentence("table/runs"), expand=True)
    table.collapse_padding = True
    table.add_column(sentence("table/number"), justify="right", style="cyan", no_wrap=True)
    table.add_column(sentence("table/started"), no_wrap=True)
    table.add_column(sentence("table/source-and-outcome"), ratio=1)
    for name in ("seconds", "new", "updated", "seen", "lost"):
        table.add_column(sentence(f"table/{name}"), justify="right", no_wrap=True)
    for run in runs:
        seconds = "" if run.finished_at is None else f"{(run.finished_at - run.started_at).total_seconds():.0f}"
        counts = [str(number) for number in (run.new, run.updated, run.seen, run.lost)]
        outcome = Text.assemble(run.source, "\n" if run.failure else " ", _outcome_of(run))
        table.add_row(str(run.id), format_time(run.started_at, zone), outcome, seconds, *counts)
    return table


def make_job_table(jobs: Iterable[Job], zone: ZoneInfo) -> Table:
    """Make a table of the jobs of the queue.

    Args:
        jobs: a row for each, in this order.
        zone: of the newsletter; times are in it.
    """
    headings = ("job", "source", "state", "lock", "attempts", "worker", "not-before")
    table = _make_table(sentence("table/jobs"), *(sentence(f"table/{name}") for name in headings))
    for job in jobs:
        begins_at = format_time(job.begins_at, zone) if job.begins_at else ""
        worker = "" if job.worker is None else str(job.worker)
        state = Text(sentence(f"job/{job.state}"), style="red" if job.state == "failed" else "")
        table.add_row(sentence(f"job/{job.name}"), job.source, state, job.lock, str(job.attempts), worker, begins_at)
    return table


def make_worker_table(workers: Iterable[Worker], now: datetime) -> Table:
    """Make a table of the workers.

    Args:
        workers: a row for each, in this order.
        now: aware.
    """
    table = _make_table(sentence("table/workers"), sentence("table/number"), sentence("table/last-heartbeat"))
    for worker in workers:
        seconds = max(round((now - worker.last_heartbeat).total_seconds()), 0)
        table.add_row(str(worker.number), sentence("table/seconds-ago", count=seconds))
    return table


def make_doctor_table(rows: Iterable[Mapping[str, str]]) -> Table:
    """Make a table of the checks of `jianbao doctor`: subject, verdict, text."""
    table = _make_table(sentence("table/checks"), sentence("table/check"), "", sentence("table/reason"))
    styles = {"good": "green", "doubtful": "yellow", "bad": "red"}
    for row in rows:
        verdict = Text(sentence(f"verdict/{row['verdict']}"), style=styles[row["verdict"]])
        table.add_row(sentence(f"check/{row['subject']}"), verdict, Text(row["text"]))
    return table


def make_lost_table(items: Iterable[StoredRaw], zone: ZoneInfo) -> Table:
    """Make a table of raw items without an article.

    Args:
        items: a row for each, in this order.
        zone: of the newsletter; times are in it.
    """
    headings = (sentence(f"table/{name}") for name in ("number", "source", "fetched", "article", "reason"))
    table = _make_table(sentence("table/lost-items"), *headings)
    for item in items:
        table.add_row(
            str(item.id),
            item.source,
            format_time(item.item.fetched_at, zone),
            Text(f"{item.item.title[:60]}\n{item.item.url[:200]}"),
            Text(describe_problem(item.problem or "", get_language())),
        )
    return table


def lost_item_json(item: StoredRaw) -> dict[str, Any]:
    """The raw item without an article as a JSON object."""
    return {
        "id": item.id,
        "source": item.source,
        "fetched_at": item.item.fetched_at.isoformat(),
        "title": item.item.title,
        "url": item.item.url,
        "reason": describe_problem(item.problem or "", get_language()),
    }


def make_run_details(run: Run, zone: ZoneInfo) -> Table:
    """Make a table of all that the ledger has of one run.

    Args:
        run: to show.
        zone: of the newsletter; times are in it.
    """
    table = make_run_table([run], zone)
    details = WholeTextTable(box=None, show_header=False)
    details.add_row(table)
    if run.failure is not None:
        details.add_row(Text(_harmless(describe_failure(run.failure, get_language())), style="red"))
    details.add_row(Text(f"{sentence('table/answered-by')}  {run.answered_by or '—'}"))
    if run.requests is not None:
        size = round((run.bytes or 0) / 1024)
        details.add_row(Text(sentence("table/traffic", requests=run.requests, replies=run.replies, size=size)))
    for error, count in run.problems.items():
        details.add_row(Text(f"{sentence('table/problem')}  {name_error(error, get_language())}  {count}"))
    for warning in run.warnings:
        details.add_row(Text(_harmless(describe_failure(warning, get_language())), style="yellow"))
    for trace in reversed(run.traces):
        details.add_row(Text(f"{sentence('table/brought')}  {format_time(trace.published_at, zone)}  {trace.length}"))
    return details


def _outcome_of(run: Run) -> Text:
    if run.failure is not None:
        return Text(_harmless(describe_cause(run.failure, get_language())), style="red")
    if run.finished_at is None:
        return Text(sentence("table/running"), style="yellow")
    return Text(sentence("table/done"), style="green")


def run_json(run: Run) -> dict[str, Any]:
    """The run as a JSON object."""
    return {
        "id": run.id,
        "source": run.source,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "new": run.new,
        "updated": run.updated,
        "seen": run.seen,
        "lost": run.lost,
        "failure": describe_failure(run.failure, get_language()) if run.failure else None,
        "answered_by": run.answered_by,
        "requests": run.requests,
        "replies": run.replies,
        "bytes": run.bytes,
        "problems": dict(run.problems),
        "warnings": [describe_failure(warning, get_language()) for warning in run.warnings],
        "published": [trace.published_at.isoformat() if trace.published_at else None for trace in run.traces],
    }


def render_evaluation(evaluation: Evaluation) -> Iterator[Table | Text]:
    """Render an evaluation: its size, then tables for rankings, an issue's ranks, sections, and the best not picked."""
    numbers = {
        "issues": evaluation.learned_issues,
        "items": evaluation.learned_items,
        "split": evaluation.split,
        "tested": evaluation.tested_issues,
        "repeats": evaluation.repeats,
        "older": evaluation.older,
        "newer": evaluation.newer,
    }
    yield Text(sentence("table/evaluation", **numbers))
    if evaluation.rankings:
        yield _make_rankings_table(evaluation.rankings)
        yield _make_ranks_table(evaluation.rankings[-1])
    else:
        yield Text(sentence("table/no-ranking"), style="yellow")
    yield _make_sections_table(evaluation.sections)
    if not any(sections.basis == "title" for sections in evaluation.sections):
        yield Text(sentence("table/no-sections"), style="yellow")
    for sections in evaluation.sections[-1:]:
        yield _make_confusion_table(sections)
    for ranking in evaluation.rankings[-1:]:
        yield _make_unpicked_table(ranking.unpicked)


def _make_rankings_table(rankings: Sequence[Ranking]) -> Table:
    names = list(dict.fromkeys(name for ranking in rankings for name in ranking.slices))
    slices = (sentence("table/new-account") if name == "new account" else name for name in names)
    headings = ("recall@60", "precision@20", "AUC", sentence("table/calibration"))
    table = _make_table(sentence("table/ranking"), sentence("table/start"), *headings, *slices)
    for ranking in rankings:
        recall, precision = ranking.recall_interval, ranking.precision_interval
        parts = (ranking.slices.get(name) for name in names)
        table.add_row(
            f"{ranking.start} {sentence(f'table/start-{ranking.start}')}",
            f"{ranking.recall:.3f} ({recall.low:.2f}–{recall.high:.2f})",
            f"{ranking.precision:.3f} ({precision.low:.2f}–{precision.high:.2f})",
            f"{ranking.auc:.4f}",
            f"{ranking.calibration:.3f}",
            *(f"{part.recall:.2f} / {part.picks}" if part else "—" for part in parts),
        )
    return table


def _make_ranks_table(ranking: Ranking) -> Table:
    title = sentence("table/ranks", start=sentence(f"table/start-{ranking.start}"))
    headings = map(sentence, ("table/issue", "table/picks", "table/drawn"))
    table = _make_table(title, *headings, "recall@60", "precision@20", "AUC")
    for row in ranking.issues:
        numbers = (str(row.picks), str(row.drawn), f"{row.recall:.2f}", f"{row.precision:.2f}", f"{row.auc:.4f}")
        table.add_row(row.issue.isoformat(), *numbers)
    return table


def _make_sections_table(ways: Sequence[Sections]) -> Table:
    headings = ("known", "entries", "accuracy", "top2", "macro", "loss", "calibration", "floor")
    table = _make_table(sentence("table/sections"), *(sentence(f"table/{heading}") for heading in headings))
    for sections in ways:
        figures = (
            sections.accuracy,
            sections.top2,
            sections.macro_f1,
            sections.log_loss,
            sections.calibration,
            sections.floor,
        )
        basis = sentence(f"table/known-{sections.basis}")
        table.add_row(basis, str(sections.items), *(f"{figure:.3f}" for figure in figures))
    return table


def _make_confusion_table(sections: Sections) -> Table:
    judged = (sentence("table/judged", category=name) for name in sections.confusion)
    table = _make_table(sentence(f"table/known-{sections.basis}"), sentence("table/belongs"), *judged)
    for name, row in sections.confusion.items():
        numbers = (Text(str(number), style="green" if category == name else "") for category, number in row.items())
        table.add_row(name, *numbers)
    return table


def make_topics_table(terms: Sequence[TermLift], proposed: Sequence[TermLift], picked: int, stored: int) -> Table:
    """Make a table of terms with their hits, picks and lift, and of words that could be added.

    Args:
        terms: of the newsletter, those to show.
        proposed: words that the topics lack.
        picked: number of entries of past issues.
        stored: number of stories that they were compared with.
    """
    headings = ("term", "topic", "in-issues", "in-store", "lift", "advice")
    title = sentence("table/topics", picked=picked, stored=stored)
    table = _make_table(title, *(sentence(f"table/{heading}") for heading in headings))
    for row in (*terms, *proposed):
        numbers = (str(row.picks), str(row.hits), f"{row.lift:.1f}")
        table.add_row(Text(row.term), Text(row.topic or "—"), *numbers, sentence(f"table/advice-{row.advice}"))
    return table


def _make_unpicked_table(articles: Sequence[Unpicked]) -> Table:
    table = _make_table(sentence("table/unpicked", count=len(articles)), expand=True)
    table.add_column(sentence("table/score"), justify="right", no_wrap=True)
    table.add_column(sentence("table/title-and-reasons"), ratio=4)
    table.add_column(sentence("table/source"), ratio=1)
    for article in articles:
        title = Text(_harmless(article.title)).append(f"\n{_format_reasons(article.reasons)}", style="dim")
        table.add_row(f"{article.score:.1f}", title, Text(_harmless(article.source)))
    return table


def format_time(time: datetime | None, zone: ZoneInfo) -> str:
    """Format a time in the newsletter's zone, to the minute; None becomes a dash."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M}" if time else "—"
