"""Tells people of incidents: each once, its recovery once, and every day a digest.

`check_sources` stores what is to tell in the transaction that stores the incident, so that no process that dies in
between loses it. A process that dies between sending and storing that it was sent sends once more.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from pipelines.logs import make_extra
from pipelines.newsletter import AlertChannel, Alerts
from pipelines.newsroom import Newsroom
from pipelines.newsroom.locks import Busy, only_one
from pipelines.newsroom.watching.channels import Message, NotSent, send
from pipelines.newsroom.watching.health import incident_json, judge_sources, name_subject, summarise_incidents
from pipelines.store import Transaction
from pipelines.store.alerts import Alert
from pipelines.wording import Language, say

FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=6)
"""Waits between attempts: the first doubles until it is the longest. An alert is never given up."""

MOST_EVENTS: Final = 20
"""Events that one message names; the others are counted."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of one message.

    Args:
        channel: its name.
        count: number of alerts in the message.
        failure: why it was not sent; empty for a success.
    """

    channel: str
    count: int
    failure: str = ""


def deliver_alerts(newsroom: Newsroom, now: datetime, language: Language) -> list[Delivery]:
    """Send the alerts that are due, one message for each channel; in quiet hours, none.

    Args:
        newsroom: with its settings and its store.
        now: aware.
        language: of the messages.

    Returns:
        The outcome of each message; nothing while another process sends.
    """
    settings = newsroom.newsletter.alerts
    if not settings.channels:
        return []
    try:
        with only_one(newsroom.home.var / "alerts.lock", "alerting", now):
            _queue_digests(newsroom, now)
            with newsroom.store.reading() as tx:
                waiting = tx.alerts.list_waiting()
            if not waiting or is_quiet(settings, now.astimezone(newsroom.zone).time()):
                return []
            due: dict[str, list[Alert]] = {}
            for alert in waiting:
                if alert.due_at <= now or alert.due_at > now + LONGEST_RETRY:  # of a clock that was ahead
                    due.setdefault(alert.channel, []).append(alert)
            return [
                _deliver(newsroom, name, rows, now, language) for name, rows in due.items() if name in settings.channels
            ]
    except Busy:
        return []


def send_test(newsroom: Newsroom, names: Sequence[str], language: Language) -> list[Delivery]:
    """Send a message to channels, to see that they work; nothing is stored, and no hour is quiet.

    Args:
        newsroom: with its settings.
        names: of the channels; all of them where empty.
        language: of the message.
    """
    title = say("alert/test", {"newsletter": newsroom.newsletter.title}, language)
    message = Message(title, (), {"newsletter": newsroom.newsletter.title, "events": [], "test": True})
    channels = newsroom.newsletter.alerts.channels
    return [_try_to_send(name, channels[name], message, 1) for name in names or channels]


def is_quiet(settings: Alerts, moment: time) -> bool:
    """Whether a time of the newsletter's day lies in its quiet hours, which may reach over midnight."""
    if settings.quiet_hours is None:
        return False
    first, last = settings.quiet_hours
    return first <= moment < last if first <= last else moment >= first or moment < last


def _queue_digests(newsroom: Newsroom, now: datetime) -> None:
    """Store that a channel has to send its digest, where the hour of today's has come."""
    settings, local = newsroom.newsletter.alerts, now.astimezone(newsroom.zone)
    with newsroom.store.transaction() as tx:
        tx.alerts.drop_channels(settings.channels)
        if settings.digest is None:
            return
        latest = datetime.combine(local.date(), settings.digest, newsroom.zone)
        if latest > local:
            latest -= timedelta(days=1)
        for name in settings.channels:
            last = tx.alerts.find_last_digest(name)
            if last is None or last < latest or last > now:
                tx.alerts.add([name], [("digest", None)], now)


def _deliver(newsroom: Newsroom, name: str, rows: Sequence[Alert], now: datetime, language: Language) -> Delivery:
    with newsroom.store.reading() as tx:
        message = make_message(tx, newsroom, rows, now, language)
    delivery = _try_to_send(name, newsroom.newsletter.alerts.channels[name], message, len(rows))
    ids = [row.id for row in rows]
    with newsroom.store.transaction() as tx:
        if delivery.failure:
            tries = max(row.tries for row in rows)
            wait = min(FIRST_RETRY * 2 ** min(tries, 20), LONGEST_RETRY)
            tx.alerts.mark_failed(ids, now + wait, delivery.failure)
        else:
            tx.alerts.mark_sent(ids, now)
    return delivery


def _try_to_send(name: str, channel: AlertChannel, message: Message, count: int) -> Delivery:
    try:
        send(channel, message)
    except NotSent as error:
        _LOG.warning("alerts: %s: %s", name, error, extra=make_extra("alert-not-sent", channel=name))
        return Delivery(name, count, str(error))
    return Delivery(name, count)


def make_message(
    tx: Transaction, newsroom: Newsroom, rows: Sequence[Alert], now: datetime, language: Language
) -> Message:
    """Make one message of several alerts.

    Args:
        tx: open.
        newsroom: with its sources.
        rows: of one channel, oldest first.
        now: aware.
        language: of the message.
    """
    incidents = {incident.id: incident for incident in tx.incidents.get(row.incident_id for row in rows)}
    names = {source.id: source.name for source in newsroom.sources.values()}
    events: list[dict[str, Any]] = []
    lines: list[str] = []
    for row in rows:
        if row.incident_id is None or row.incident_id not in incidents:
            continue
        incident = incidents[row.incident_id]
        event_row = incident_json(incident, now, language)
        event_row |= {"event": row.event, "name": name_subject(incident, names, language)}
        events.append(event_row)
        values = {
            "name": event_row["name"],
            "state": say(f"health/{incident.state}", {}, language),
            "evidence": event_row["evidence"],
            "remedy": event_row["remedy"],
        }
        lines.append(say(f"alert/{row.event}", values, language))
    counts = {event: sum(row["event"] == event for row in events) for event in ("raised", "recovered")}
    if len(lines) > MOST_EVENTS:
        lines[MOST_EVENTS:] = [say("alert/more", {"count": len(lines) - MOST_EVENTS}, language)]
    digest = _make_digest(tx, newsroom, names, now, language) if any(row.event == "digest" for row in rows) else ()
    code = "alert/title" if events else "alert/digest-title"
    title = say(code, {"newsletter": newsroom.newsletter.title, **counts}, language)
    facts = {"newsletter": newsroom.newsletter.title, "events": events, "digest": list(digest)}
    return Message(title, (*lines, *digest), facts)


def _make_digest(
    tx: Transaction, newsroom: Newsroom, names: dict[str, str], now: datetime, language: Language
) -> tuple[str, ...]:
    """The lines of a digest: what is open, what is late, and what the runs of the last day gave."""
    runs = tx.runs.list_since(now - timedelta(days=1))
    failed = {run.source for run in runs if run.failure is not None}
    values = {
        "runs": len(runs),
        "new": sum(run.new for run in runs),
        "lost": sum(run.lost for run in runs),
        "failed": len(failed),
    }
    lines = [say("alert/runs", values, language)]
    if summary := summarise_incidents(tx.incidents.list_open(), names, language):
        lines.append(say("alert/open", {"summary": summary}, language))
    late = [names[source] for source, judged in judge_sources(tx, newsroom, now).items() if judged.state == "late"]
    if late:
        lines.append(say("alert/late", {"count": len(late), "names": late[:MOST_EVENTS]}, language))
    return tuple(lines)
