"""Looks at all sources: judges each by its runs, raises incidents and ends those that are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from crawler.errors import Failure
from crawler.urls import host_of
from pipelines.health import standstill
from pipelines.health.history import FailureKind, History, RunOutcome
from pipelines.health.incidents import NEWSROOM, Changes, Incident, compare_incidents
from pipelines.health.judging import FAMILY_OF, Finding, Judgement, Kind, judge_source
from pipelines.health.rhythm import MEMORY
from pipelines.health.workdays import Workdays, list_days
from pipelines.newsroom import Newsroom
from pipelines.newsroom.watching.due import due_at
from pipelines.store import Transaction
from pipelines.store.alerts import AlertEvent
from pipelines.store.runs import Run
from pipelines.wording import Language, say

if TYPE_CHECKING:
    from crawler.sources.schema import Source

RECENT: Final = timedelta(days=60)
"""Runs without news are read for so long before the last run of all sources; runs with news as long as a rhythm is
remembered."""

MOST_NAMES: Final = 5
"""Names of sources in a line."""

NOT_OF_THE_SOURCE: Final = frozenset({"Interrupted"})
"""Failures that say nothing about a source: its process was stopped."""

_LOGIN_CODES: Final = frozenset({"zhihu-log-in", "github-token", "mirror-refuses"})
_OF_STATUS: Final[Mapping[int, FailureKind]] = {403: "forbidden", 404: "forbidden", 410: "gone"}
_OF_ERROR: Final[Mapping[str, FailureKind]] = {
    "Blocked": "blocked",
    "Gone": "gone",
    "PageChanged": "changed",
    "SourceMisconfigured": "misconfigured",
    "Refused": "misconfigured",
}


@dataclass(frozen=True, slots=True)
class Checkup:
    """The outcome of a look at all sources.

    Args:
        judgements: by source id.
        open_incidents: incidents that have not recovered, oldest first.
        raised: the incidents among them that are new.
        recovered: incidents that have just ended.
    """

    judgements: Mapping[str, Judgement]
    open_incidents: Sequence[Incident]
    raised: Sequence[Incident] = ()
    recovered: Sequence[Incident] = ()


def check_sources(newsroom: Newsroom, now: datetime) -> Checkup:
    """Judge all sources, and store which incidents were raised and which have recovered, with the alerts to send.

    Of a source whose row in sources.toml is mistaken, and while the whole file cannot be read, incidents stay as they
    are.

    Args:
        newsroom: with its registry and its store.
        now: aware.
    """
    mistakes = newsroom.registry.mistakes
    mistaken = {mistake.source for mistake in mistakes}

    def find_changes(open_incidents: Iterable[Incident]) -> Changes:
        if any(not mistake.source for mistake in mistakes):
            return Changes()
        judged = (incident for incident in open_incidents if incident.source not in mistaken)
        return compare_incidents(judged, judgements, now, standing)

    with newsroom.store.reading() as tx:  # a year of runs takes seconds, in which nobody else could write
        judgements = judge_sources(tx, newsroom, now)
        standing = judge_crawling(tx, newsroom, now)
        open_incidents = tx.incidents.list_open()
    if find_changes(open_incidents) == Changes():  # as after most crawls: no wait for another one that stores articles
        return Checkup(judgements, open_incidents)
    with newsroom.store.transaction() as tx:
        changes = find_changes(tx.incidents.list_open())
        raised = tuple(tx.incidents.save(changes))
        events: list[tuple[AlertEvent, int | None]] = [("raised", incident.id) for incident in raised]
        events += [("recovered", incident.id) for incident in changes.recovered]
        tx.alerts.add(newsroom.newsletter.alerts.channels, events, now)
        return Checkup(judgements, tx.incidents.list_open(), raised, changes.recovered)


def judge_sources(tx: Transaction, newsroom: Newsroom, now: datetime, only: str | None = None) -> dict[str, Judgement]:
    """Judge every source of the registry that can work, or one of them.

    While nothing runs, nothing is forgotten: a schedule that stood still for months ends no incident.

    Args:
        tx: open.
        newsroom: with its registry and its rules.
        now: aware.
        only: the id of a source; None for all.

    Returns:
        The judgements, by source id.
    """
    runs: dict[str, list[Run]] = {}
    last_start = min(now, tx.runs.find_last_start(is_ended=True) or now)
    for run in tx.runs.list_evidence(last_start - MEMORY, last_start - RECENT, only):
        runs.setdefault(run.source, []).append(run)
    workdays = _list_workdays(newsroom)
    return {
        source.id: judge_source(make_history(source, runs.get(source.id, ())), workdays)
        for source in newsroom.sources.values()
        if only in {None, source.id}
    }


def judge_crawling(tx: Transaction, newsroom: Newsroom, now: datetime) -> Finding | None:
    """Find that nobody crawls the newsroom, although sources are due, or can do so; None while somebody does.

    Args:
        tx: open.
        newsroom: with its registry and its rules.
        now: aware.
    """
    if later := find_later_present(tx, now):
        times = {"time": now, "later": later}
        values = {name: f"{moment.astimezone(newsroom.zone):%Y-%m-%d %H:%M}" for name, moment in times.items()}
        return Finding("clock-behind", now, values)
    queue = tx.jobs.read()
    backlog = queue.find_backlog() if queue else None
    last_start = tx.runs.find_last_start(is_ended=False)
    if backlog is None and (last_start is None or now - last_start <= standstill.PATIENCE):
        return None
    records = tx.sources.list_all()
    newsletter = str(newsroom.home.path.resolve())
    due_times = [
        due_at(source, records[source.id], now, newsroom.zone, newsletter)
        for source in newsroom.sources.values()
        if source.enabled and source.id in records
    ]
    starts = tx.runs.list_starts(min(now, last_start or now) - standstill.MEMORY)
    return standstill.find_standstill(starts, due_times, _list_workdays(newsroom), now, backlog)


def find_later_present(tx: Transaction, now: datetime) -> datetime | None:
    """Find the time of a run that shows that the clock is behind; all who ask within a minute share the answer.

    Args:
        tx: open.
        now: aware.
    """
    minute = now.replace(second=0, microsecond=0)
    return tx.cache.get(("later present", minute), lambda: tx.clock.find_later_present(minute))


def list_for_editor(tx: Transaction, newsroom: Newsroom, now: datetime) -> list[Incident]:
    """List the open incidents that need a person, as of now: where nobody crawls, nobody looks at the health either.

    Args:
        tx: open.
        newsroom: with its registry and its rules.
        now: aware.
    """
    open_incidents = tx.incidents.list_open()
    standing = judge_crawling(tx, newsroom, now)
    if standing is None:
        open_incidents = [row for row in open_incidents if row.source != NEWSROOM]
    elif standing.family not in {FAMILY_OF[row.kind] for row in open_incidents}:
        open_incidents.append(Incident(0, NEWSROOM, standing.kind, standing.since, now, standing.values))
    return [row for row in open_incidents if row.needs_person(now)]


def _list_workdays(newsroom: Newsroom) -> Workdays:
    return Workdays(newsroom.zone, list_days(newsroom.rules.holidays.spans))


def make_history(source: Source, runs: Iterable[Run]) -> History:
    """Make the history of a source from its runs in the store.

    Args:
        source: of the registry.
        runs: that ended, oldest first.
    """
    outcomes = tuple(
        RunOutcome(
            run.started_at,
            classify_failure(run.failure) if run.failure else None,
            run.new,
            run.new + run.updated + run.seen,
            run.answered_by,
            run.traces,
        )
        for run in runs
        if run.failure is None or run.failure.error not in NOT_OF_THE_SOURCE
    )
    return History(source.id, source.enabled, host_of(source.url or ""), source.expect_per_week, outcomes)


def classify_failure(failure: Failure) -> FailureKind:
    """Classify the failure of a run by what a person can do about it.

    >>> from crawler.errors import Detail
    >>> classify_failure(Failure("FetchFailed", Detail.of("http-status", status=410)))
    'gone'
    """
    advice = failure.remedy.code if failure.remedy else ""
    status = failure.detail.values.get("status")
    if status == 401 or _LOGIN_CODES & {failure.detail.code, advice}:
        return "login"
    if failure.error == "FetchFailed" and isinstance(status, int) and status in _OF_STATUS:
        return _OF_STATUS[status]
    return _OF_ERROR.get(failure.error, "failed")


def summarise_incidents(incidents: Iterable[Incident], names: Mapping[str, str], language: Language) -> str:
    """Say in one line what is missing: that nobody crawls, the number of sources of each state, and their names.

    Empty without incidents.

    Args:
        incidents: that are open.
        names: of the sources, by id.
        language: the reader's.
    """
    sources_of: dict[str, list[str]] = {}
    lines: list[str] = []
    for incident in incidents:
        if incident.source == NEWSROOM:
            lines.append(describe_incident(incident.kind, incident.values, language))
            continue
        names_of_state = sources_of.setdefault(incident.state, [])
        if (name := names.get(incident.source, incident.source)) not in names_of_state:
            names_of_state.append(name)
    lines += [
        say(
            "desk/sources-in-state" if len(sources) <= MOST_NAMES else "desk/more-sources-in-state",
            {"count": len(sources), "state": say(f"health/{state}", {}, language), "names": sources[:MOST_NAMES]},
            language,
        )
        for state, sources in sources_of.items()
    ]
    return {"zh": "；", "en": "; "}[language].join(lines)


def name_subject(incident: Incident, names: Mapping[str, str], language: Language) -> str:
    """Name what an incident is of: a source by its name, or all of them.

    Args:
        incident: as stored.
        names: of the sources, by id.
        language: the reader's.
    """
    if incident.source == NEWSROOM:
        return say("table/all-sources", {}, language)
    return names.get(incident.source, incident.source)


def incident_json(incident: Incident, now: datetime, language: Language) -> dict[str, Any]:
    """The incident as a JSON object, with its sentences.

    Args:
        incident: as stored.
        now: aware.
        language: of the sentences.
    """
    times = {
        "since": incident.since,
        "raised_at": incident.raised_at,
        "acknowledged_until": incident.acknowledged_until,
        "recovered_at": incident.recovered_at,
    }
    return {
        "id": incident.id,
        "source": incident.source or None,
        "kind": incident.kind,
        "state": incident.state,
        "needs_person": incident.needs_person(now),
        **{name: moment.isoformat() if moment else None for name, moment in times.items()},
        "evidence": describe_incident(incident.kind, incident.values, language),
        "remedy": describe_remedy(incident.kind, incident.source, language),
    }


def describe_incident(kind: Kind, values: Mapping[str, Any], language: Language) -> str:
    """Say what an incident or a finding is, in the reader's language.

    Args:
        kind: of the incident.
        values: that its sentence names.
        language: the reader's.
    """
    return say(f"symptom/{kind}", values, language)


def describe_remedy(kind: Kind, source: str, language: Language) -> str:
    """Say what a person can do about an incident, in the reader's language.

    Args:
        kind: of the incident.
        source: id of the source, which commands name.
        language: the reader's.
    """
    return say(f"cure/{kind}", {"source": source}, language)


def describe_judgement(judgement: Judgement, language: Language) -> list[str]:
    """Say what speaks for the state of a source, in the reader's language: its findings, or the runs that failed.

    Args:
        judgement: of the source.
        language: the reader's.
    """
    if judgement.state == "retrying":
        return [describe_incident("failed", {"count": judgement.failures}, language)]
    return [describe_incident(finding.kind, finding.values, language) for finding in judgement.findings]


def judgement_json(source: Source, judgement: Judgement, language: Language) -> dict[str, Any]:
    """The state of a source as a JSON object.

    Args:
        source: of the registry.
        judgement: of the source.
        language: of the sentences.
    """
    rhythm = judgement.rhythm
    return {
        "id": source.id,
        "name": source.name,
        "state": judgement.state,
        "since": judgement.since.isoformat() if judgement.since else None,
        "last_posting": judgement.last_posting.isoformat() if judgement.last_posting else None,
        "quiet_days": round(judgement.quiet, 1),
        "usual_days": round(rhythm.usual, 1) if rhythm else None,
        "silent_after_days": round(rhythm.silent_after, 1) if rhythm else None,
        "evidence": describe_judgement(judgement, language),
    }


def acknowledge(newsroom: Newsroom, incident_id: int, until: datetime) -> bool:
    """Store that a person knows of an incident and wants to hear no more of it before a time.

    Args:
        newsroom: with the store.
        incident_id: of an open incident.
        until: aware.

    Returns:
        Whether there is such an open incident.
    """
    with newsroom.house.store.transaction() as tx:
        return tx.incidents.acknowledge(incident_id, until)
