"""Incidents: what is raised, what goes on and what has recovered, from one look at the sources to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pipelines.health.judging import FAMILY_OF, STATE_OF, Finding, Judgement, Kind, State

NEWSROOM: Final = ""
"""Stands for the id of a source in an incident of no single source."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something about a source, or about the newsroom, that a person has to know, until it has recovered.

    Args:
        id: the store's; 0 before it is stored.
        source: id of the source; `NEWSROOM` where it is of no single source.
        kind: a forbidden address that failed before becomes retired: the kind may change while the incident is open.
        since: when it began, aware.
        raised_at: when it was found.
        values: what the sentence of the kind names.
        acknowledged_until: a person knows of it, and wants to hear of it again only then; None without that.
        recovered_at: when it was found to be over; None while it is open.
    """

    id: int
    source: str
    kind: Kind
    since: datetime
    raised_at: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    acknowledged_until: datetime | None = None
    recovered_at: datetime | None = None

    @property
    def state(self) -> State:
        """The state of a source with this incident."""
        return STATE_OF[self.kind]

    def needs_person(self, now: datetime) -> bool:
        """Tell whether the incident is open and nobody has acknowledged it, or no longer."""
        acknowledged = self.acknowledged_until is not None and now < self.acknowledged_until
        return self.recovered_at is None and not acknowledged


@dataclass(frozen=True, slots=True)
class Changes:
    """What one look at the sources changed.

    Args:
        raised: new incidents, without ids.
        updated: open incidents with another kind or other evidence.
        recovered: incidents that ended.
    """

    raised: tuple[Incident, ...] = ()
    updated: tuple[Incident, ...] = ()
    recovered: tuple[Incident, ...] = ()


def compare_incidents(
    open_incidents: Iterable[Incident],
    judgements: Mapping[str, Judgement],
    now: datetime,
    of_newsroom: Finding | None = None,
) -> Changes:
    """Compare open incidents with new judgements: every incident is raised once and recovers once.

    An incident of a source that was switched off, or that left the registry, is over. While the runs of a source fail,
    nothing is known of what it publishes: no other incident of it is raised or ends.

    Args:
        open_incidents: of all sources.
        judgements: by source id.
        now: aware.
        of_newsroom: a finding that is of no single source; None without one.
    """
    findings: dict[tuple[str, str], Finding] = {
        (source, finding.family): finding for source, judgement in judgements.items() for finding in judgement.findings
    }
    if of_newsroom is not None:
        findings[NEWSROOM, of_newsroom.family] = of_newsroom
    updated, recovered = [], []
    for incident in open_incidents:
        finding = findings.pop((incident.source, FAMILY_OF[incident.kind]), None)
        if finding is None:
            recovered.append(replace(incident, recovered_at=now))
        elif (finding.kind, finding.values) != (incident.kind, incident.values):
            updated.append(replace(incident, kind=finding.kind, values=finding.values))
    raised = [
        Incident(0, source, finding.kind, finding.since, now, finding.values)
        for (source, _), finding in findings.items()
    ]
    return Changes(tuple(raised), tuple(updated), tuple(recovered))
