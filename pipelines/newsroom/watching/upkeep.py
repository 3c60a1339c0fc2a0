"""Keeps a newsroom running for months: copies of its database, room on its disk, and a look at all that it needs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from crawler.errors import CrawlError
from crawler.home import Home
from pipelines.errors import describe_error, describe_mistake
from pipelines.newsletter import NewsletterMisconfigured
from pipelines.newsroom import Newsroom
from pipelines.newsroom.locks import Busy, only_one
from pipelines.newsroom.watching.health import describe_incident, find_later_present, judge_crawling
from pipelines.rules import RulesMisconfigured
from pipelines.store import Store
from pipelines.store.clock import LATEST
from pipelines.store.errors import StoreError
from pipelines.store.queue import QueueState
from pipelines.store.sources import SourceRecord
from pipelines.store.transfer import Report
from pipelines.wording import Language, say

LEAST_ROOM: Final = 256 * 1024**2
"""Bytes that have to be free on the disk of the database before a crawl begins; a crawl stores some ten megabytes, and
SQLite's log may grow to as much again."""

_LONGEST_OPENING: Final = 10.0
"""Seconds in which the desk answers."""

# jianbao-20261128-093000.db
_COPY_NAME: Final = re.compile(r"jianbao-\d{8}-\d{6}\.db")


class DiskAlmostFull(CrawlError):
    """Less than `LEAST_ROOM` is free on the disk of the newsroom. Raised by `require_room`."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The outcome of one check of `diagnose`.

    Args:
        subject: `folder disk clock newsletter sources rules database mirrors queue schedule alerts desk`.
        verdict: `bad` keeps the newsroom from working.
        code: of the sentence in section `doctor`, with its values.
    """

    subject: str
    verdict: Literal["good", "doubtful", "bad"]
    code: str
    values: dict[str, Any]


def require_room(home: Home, least: int = LEAST_ROOM) -> None:
    """Check that there is room for what a crawl stores: a full disk stops the desk too.

    Args:
        home: of the newsletter.
        least: bytes.

    Raises:
        DiskAlmostFull: there is less.
    """
    free = _free_bytes(home.var)
    if free < least:
        raise DiskAlmostFull("disk-almost-full", path=str(home.var), free=free // 1024**2, least=least // 1024**2)


def keep_backups(newsroom: Newsroom, folder: Path, count: int, now: datetime) -> tuple[Path, list[Path]]:
    """Copy the database into a folder, and remove all but the newest copies there.

    Args:
        newsroom: whose database is copied.
        folder: for the copies; files of other names are left alone.
        count: of copies to keep, at least 1.
        now: aware; names the copy, in UTC.

    Returns:
        The copy, and the removed copies.

    Raises:
        StoreError: no copy was made, and none was removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"jianbao-{now:%Y%m%d-%H%M%S}.db"
    newsroom.store.backup(copy)
    copies = sorted(path for path in folder.iterdir() if _COPY_NAME.fullmatch(path.name))
    removed = copies[: max(len(copies) - count, 0)]
    for path in removed:
        path.unlink()
    return copy, removed


def restore_backup(home: Home, copy: Path, now: datetime) -> Path:
    """Put a copy in the place of the database, while nothing crawls or schedules; or of a newsletter's own tables.

    Args:
        home: of the newsletter.
        copy: that `db backup` made.
        now: aware.

    Returns:
        The file that keeps the former database.

    Raises:
        Busy: a crawl or the schedule runs.
        StoreError: the copy cannot be used; the database is as it was.
    """
    if home.name:
        with closing(Newsroom(home)) as newsroom:
            former = Store.restore_newsletter(newsroom.house.store, home.name, home.own_database, copy)
        open_newsletters(home.house)
        return former
    with only_one(home.var / "schedule.lock", "scheduling", now), only_one(home.var / "crawl.lock", "crawling", now):
        former = Store.restore(home.database_url, copy, home.var)
        open_newsletters(home)
        return former


def open_newsletters(home: Home) -> None:
    """Open the further newsletters, so that no article that comes later gets an id which one of them knows.

    One that cannot be opened is left out: `doctor` names it.

    Args:
        home: of a house whose database, or that of a newsletter, was replaced or upgraded.
    """
    for name in home.list_newsletters():
        with closing(Newsroom(Home(home.path, name))) as newsroom, suppress(StoreError):
            newsroom.store.close()


def find_newsletters_without_folder(house: Newsroom) -> list[str]:
    """The further newsletters of which the database has tables, and the folder of the house has no folder."""
    return sorted(set(house.store.list_newsletters()) - set(house.home.list_newsletters()))


def copy_database(home: Home, source: str, target: str, now: datetime, report: Report) -> tuple[str, int]:
    """Copy a newsroom's database into an empty one, while neither a crawl nor the schedule of this newsletter runs.

    Args:
        home: of the newsletter.
        source: a SQLAlchemy URL, or the path of a SQLite file.
        target: likewise.
        now: aware.
        report: is told, as rows are copied, how many of how many.

    Returns:
        The name of the target, and the number of rows.

    Raises:
        Busy: a crawl or the schedule runs.
        StoreError: the source is no newsroom, or the target is not empty; the target has no row of it.
    """
    source_url, target_url = (
        name if "://" in name else f"sqlite:///{Path(name).absolute()}" for name in (source, target)
    )
    with only_one(home.var / "schedule.lock", "scheduling", now), only_one(home.var / "crawl.lock", "crawling", now):
        return Store.copy(source_url, target_url, report)


def measure_store(store: Store) -> dict[str, int]:
    """Measure a database.

    Returns:
        `size` in megabytes; the number of raw `items`, and of `reduced` ones among them.
    """
    with store.reading() as tx:
        items, reduced = tx.raw.count(), tx.raw.count_reduced()
    return {"size": round(store.size() / 1024**2), "items": items, "reduced": reduced}


def diagnose(home: Home, now: datetime, language: Language, desk: str = "") -> Iterator[Diagnosis]:
    """Check all that a newsroom needs from its machine and its files, and its further newsletters. No site is asked but
    the desk.

    Args:
        home: of the newsletter.
        now: aware.
        language: of texts that come from elsewhere.
        desk: the address at which browsers open the desk; empty leaves this check out.
    """
    home = home.house
    newsroom = Newsroom(home)
    yield _check_folder(home)
    free = _free_bytes(home.var) // 1024**2
    verdict: Literal["good", "bad"] = "good" if free >= LEAST_ROOM // 1024**2 else "bad"
    yield Diagnosis("disk", verdict, "disk", {"free": free, "least": LEAST_ROOM // 1024**2})
    yield from _check_settings(newsroom, language)
    yield from _check_database(newsroom, now, language)
    for name in home.list_newsletters():
        yield _check_newsletter(Newsroom(Home(home.path, name)), language)
    yield _check_schedule(home, now)
    if desk:
        yield _check_desk(desk)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(_find_existing(folder)).free


def _find_existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.resolve().parents) if path.exists())


def _check_folder(home: Home) -> Diagnosis:
    existing = _find_existing(home.var)
    if os.access(existing, os.W_OK | os.X_OK):
        return Diagnosis("folder", "good", "folder", {"path": str(home.path)})
    return Diagnosis("folder", "bad", "folder-closed", {"path": str(existing)})


def _check_settings(newsroom: Newsroom, language: Language) -> Iterator[Diagnosis]:
    try:
        channels = newsroom.newsletter.alerts.channels
    except NewsletterMisconfigured as error:
        yield Diagnosis("newsletter", "bad", "reason", {"reason": describe_error(error, language)})
        return
    yield Diagnosis("newsletter", "good", "newsletter", {"title": newsroom.newsletter.title})
    try:
        _ = newsroom.rules
        yield Diagnosis("rules", "good", "rules", {})
    except RulesMisconfigured as error:
        yield Diagnosis("rules", "bad", "reason", {"reason": describe_error(error, language)})
    registry = newsroom.registry
    for mistake in registry.mistakes:
        verdict: Literal["doubtful", "bad"] = "doubtful" if mistake.source else "bad"
        yield Diagnosis("sources", verdict, "reason", {"reason": describe_mistake(mistake, language)})
    enabled = sum(source.enabled for source in registry.sources)
    yield Diagnosis("sources", "good" if enabled else "doubtful", "sources", {"count": enabled})
    if channels:
        yield Diagnosis("alerts", "good", "channels", {"names": list(channels)})
    else:
        yield Diagnosis("alerts", "doubtful", "no-channels", {})


def _check_database(newsroom: Newsroom, now: datetime, language: Language) -> Iterator[Diagnosis]:
    try:
        with closing(newsroom.store) as store:
            mistakes = store.check()
            measures = measure_store(store)
            with store.reading() as tx:
                records = tx.sources.list_all()
                starts = [record.last_started_at for record in records.values()]
                later = find_later_present(tx, now)
                standing = judge_crawling(tx, newsroom, now)
                queue = tx.jobs.read()
                failed = [alert for alert in tx.alerts.list_waiting() if alert.failure]
            without_folder = find_newsletters_without_folder(newsroom)
    except (StoreError, NewsletterMisconfigured) as error:
        reason = error.text(language)
        yield Diagnosis("database", "bad", "reason", {"reason": reason})
        return
    if mistakes:
        yield Diagnosis("database", "bad", "damaged", {"count": len(mistakes), "first": mistakes[:3]})
    else:
        yield Diagnosis("database", "good", "database", measures)
    ahead = [start for start in starts if start is not None and start > now + LATEST]
    present = {"time": f"{now:%Y-%m-%d %H:%M}"}
    if later:
        yield Diagnosis("clock", "bad", "clock-behind", present | {"later": f"{later:%Y-%m-%d %H:%M}"})
    elif ahead:
        yield Diagnosis("clock", "doubtful", "clock-ahead", {"time": f"{max(ahead):%Y-%m-%d %H:%M}"})
    else:
        yield Diagnosis("clock", "good", "clock", present)
    if standing:
        reason = describe_incident(standing.kind, standing.values, language)
        yield Diagnosis("schedule", "doubtful", "reason", {"reason": reason})
    yield from _check_mirrors(newsroom, records)
    if without_folder:
        yield Diagnosis("newsletter", "doubtful", "without-folder", {"names": without_folder})
    if queue:
        yield _judge_queue(queue, now)
    if failed:
        yield Diagnosis("alerts", "doubtful", "not-sent", {"count": len(failed), "reason": failed[0].failure})


def _check_newsletter(newsroom: Newsroom, language: Language) -> Diagnosis:
    """Check the settings, the rules and the tables of a further newsletter."""
    name = newsroom.home.name
    try:
        with closing(newsroom):
            mistakes = newsroom.store.check()
            unknown = sorted(set(newsroom.newsletter.sources) - newsroom.sources.keys())
            _ = newsroom.rules
    except (StoreError, NewsletterMisconfigured, RulesMisconfigured) as error:
        values = {"name": name, "reason": describe_error(error, language)}
        return Diagnosis("newsletter", "bad", "further-newsletter-wrong", values)
    if mistakes:
        reason = say("doctor/damaged", {"count": len(mistakes), "first": mistakes[:3]}, language)
        return Diagnosis("database", "bad", "further-newsletter-wrong", {"name": name, "reason": reason})
    if unknown:
        return Diagnosis("newsletter", "doubtful", "unknown-sources", {"name": name, "names": unknown})
    return Diagnosis("newsletter", "good", "further-newsletter", {"name": name, "title": newsroom.newsletter.title})


def _judge_queue(state: QueueState, now: datetime) -> Diagnosis:
    workers = sum(not worker.is_silent(now) for worker in state.workers)
    values = {"running": state.count("running"), "waiting": state.count("waiting"), "failed": state.count("failed")}
    if values["waiting"] and not workers:
        return Diagnosis("queue", "doubtful", "no-workers", values)
    verdict: Literal["good", "doubtful"] = "doubtful" if values["failed"] else "good"
    return Diagnosis("queue", verdict, "queue", values | {"workers": workers})


def _check_mirrors(newsroom: Newsroom, records: Mapping[str, SourceRecord]) -> Iterator[Diagnosis]:
    """Judge each mirror of newsletter.toml by the last runs of its sources: one that fails them all is dead."""
    for mirror in newsroom.newsletter.mirrors:
        sources = [
            source for source in newsroom.sources.values() if source.enabled and mirror in (source.mirror, *source.ways)
        ]
        runs = [records[source.id] for source in sources if source.id in records]
        failed = sum(record.failure is not None for record in runs)
        values = {"mirror": mirror, "count": len(sources), "failed": failed, "runs": len(runs)}
        is_dead = failed > 0 and failed == len(runs)
        yield Diagnosis("mirrors", "doubtful" if is_dead else "good", "dead-mirror" if is_dead else "mirror", values)


def _check_desk(address: str) -> Diagnosis:
    """Open the desk as a browser does: a proxy may give it a name that it does not know."""
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    host = parts.hostname or ""
    try:
        with closing(kind(host, parts.port, timeout=_LONGEST_OPENING)) as connection:
            connection.request("GET", parts.path or "/")
            reply = connection.getresponse()
            is_unknown = reply.status == 400 and b"--allow-host" in reply.read(10_000)
    except (OSError, HTTPException, ValueError) as error:
        return Diagnosis("desk", "bad", "desk-silent", {"address": address, "reason": str(error)})
    if is_unknown:
        return Diagnosis("desk", "bad", "desk-unknown-name", {"host": host})
    if reply.status >= 400:
        reason = f"HTTP {reply.status}"
        return Diagnosis("desk", "bad", "desk-silent", {"address": address, "reason": reason})
    return Diagnosis("desk", "good", "desk", {"address": address})


def _check_schedule(home: Home, now: datetime) -> Diagnosis:
    try:
        with only_one(home.var / "schedule.lock", "scheduling", now):
            return Diagnosis("schedule", "doubtful", "no-schedule", {})
    except Busy:
        return Diagnosis("schedule", "good", "schedule", {})
    except OSError:
        return Diagnosis("schedule", "doubtful", "no-schedule", {})
