"""Alerts reach real servers of ours: once for an incident, once for its recovery, and never not at all."""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from commands import Cli
from servers import ROOT, Seen, Site, http, newsroom, serving, source

from crawler.errors import Detail, Failure
from crawler.home import Home
from pipelines.newsletter import AlertChannel, NewsletterMisconfigured, load_newsletter
from pipelines.newsroom import Newsroom
from pipelines.newsroom.watching import channels
from pipelines.newsroom.watching.alerts import LONGEST_RETRY, deliver_alerts
from pipelines.newsroom.watching.channels import Message, NotSent, send
from pipelines.newsroom.watching.health import check_sources
from pipelines.store.runs import RunPart

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
"""Noon in the newsletter's zone."""


def open_room(folder: Path, alerts: str) -> Newsroom:
    rows = source("a", "feed", url="https://a.example/feed") + source("b", "feed", url="https://b.example/feed")
    return Newsroom(Home(newsroom(folder, rows, more=alerts)))


def webhook(address: str, more: str = "") -> str:
    return f'[alerts]\n{more}\n[alerts.channels.hook]\nkind = "webhook"\nurl = "{address}/hook"\n'


def run_source(room: Newsroom, name: str, now: datetime, *, failing: bool) -> None:
    failure = Failure("Blocked", Detail.of("verification")) if failing else None
    with room.store.transaction() as tx:
        tx.sources.record_start(name, "feed", name, now)
        run_id = tx.runs.start(name, now)
        tx.runs.add([RunPart(run_id, failure=failure)])
        tx.runs.finish(run_id, now)
        tx.sources.record_end(name, now, failure, None)


def fail_for_a_day(room: Newsroom, now: datetime, *names: str) -> None:
    for hours in (24, 12, 1):
        for name in names or ("a",):
            run_source(room, name, now - timedelta(hours=hours), failing=True)


@contextmanager
def bodies(*answers: bytes) -> Iterator[tuple[Site, list[dict[str, Any]]]]:
    """A site that keeps the JSON of each request, and gives the answers in turn."""
    kept: list[dict[str, Any]] = []
    waiting = list(answers) or [http(200, "{}")]

    def answer(seen: Seen) -> bytes:
        kept.append(json.loads(seen.body))
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    with serving({"/hook": answer}) as site:
        yield site, kept


@pytest.mark.fault("N5")
def test_an_incident_and_its_recovery_are_told_once_each(tmp_path: Path) -> None:
    with bodies() as (site, kept):
        room = open_room(tmp_path, webhook(site.base))
        fail_for_a_day(room, NOW)
        for hours in range(3):
            check_sources(room, NOW + timedelta(hours=hours))
            deliver_alerts(room, NOW + timedelta(hours=hours), "zh")
        later = NOW + timedelta(hours=4)
        run_source(room, "a", later, failing=False)
        for hours in range(3):
            check_sources(room, later + timedelta(hours=hours))
            deliver_alerts(room, later + timedelta(hours=hours), "zh")
        room.store.close()
    events = [(event["event"], event["source"], event["state"]) for body in kept for event in body["events"]]
    assert events == [("raised", "a", "blocked"), ("recovered", "a", "blocked")]
    assert "被拦" in kept[0]["text"]


def test_a_standstill_of_the_crawling_is_told_of_all_sources(tmp_path: Path) -> None:
    with bodies() as (site, kept):
        room = open_room(tmp_path, webhook(site.base, 'digest = "09:00"'))
        for day in range(7):
            run_source(room, "a", NOW - timedelta(days=10 - day), failing=False)
        check_sources(room, NOW)
        deliver_alerts(room, NOW, "zh")
        room.store.close()
    (body,) = kept
    assert [(event["source"], event["name"], event["state"]) for event in body["events"]] == [
        (None, "全部来源", "stalled")
    ]
    assert "【停摆】全部来源：从 2026-11-21 12:00 起一个来源也没有抓过" in body["text"]
    assert "还没有恢复：从 2026-11-21 12:00 起" in body["text"]


def test_a_channel_that_is_down_is_tried_again_until_it_takes_the_alert(tmp_path: Path) -> None:
    with bodies(http(500), b"", http(302, location="https://evil.example/"), http(200, "{}")) as (site, kept):
        room = open_room(tmp_path, webhook(site.base))
        fail_for_a_day(room, NOW)
        check_sources(room, NOW)
        tries = {}
        for minutes in range(20):
            for delivery in deliver_alerts(room, NOW + timedelta(minutes=minutes), "zh"):
                tries[minutes] = bool(delivery.failure)
        room.store.close()
    assert tries == {0: True, 1: True, 3: True, 7: False}
    assert len(kept) == 4
    assert {json.dumps(body["events"]) for body in kept} == {json.dumps(kept[0]["events"])}


KILLED_WHILE_SENDING = """
import os, sys
from datetime import datetime
from pathlib import Path
from crawler.home import Home
from pipelines.newsroom import Newsroom
from pipelines.newsroom.watching import alerts, health
from pipelines.store.runs import RunPart
room, now = Newsroom(Home(Path(sys.argv[1]))), datetime.fromisoformat(sys.argv[2])
health.check_sources(room, now)
if sys.argv[3] == "sending":
    alerts.send = lambda *_: os.kill(os.getpid(), 9)
    alerts.deliver_alerts(room, now, "zh")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("moment", ["before", "sending"])
def test_a_kill_between_incident_and_delivery_loses_no_alert(tmp_path: Path, moment: str) -> None:
    with bodies() as (site, kept):
        room = open_room(tmp_path, webhook(site.base))
        fail_for_a_day(room, NOW)
        command = [sys.executable, "-c", KILLED_WHILE_SENDING, str(tmp_path), NOW.isoformat(), moment]
        assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9
        assert kept == []
        assert not check_sources(room, NOW).raised
        deliver_alerts(room, NOW + timedelta(minutes=1), "zh")
        room.store.close()
    assert [event["event"] for body in kept for event in body["events"]] == ["raised"]


def test_in_quiet_hours_alerts_wait_and_then_come_as_one_message(tmp_path: Path) -> None:
    night = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)  # 23:00 in the newsletter's zone
    with bodies() as (site, kept):
        room = open_room(tmp_path, webhook(site.base, 'quiet_hours = "22:00-08:00"'))
        fail_for_a_day(room, night, "a", "b")
        check_sources(room, night)
        for hours in range(9):
            deliver_alerts(room, night + timedelta(hours=hours), "zh")
        assert kept == []
        deliver_alerts(room, night + timedelta(hours=9), "zh")
        room.store.close()
    (body,) = kept
    assert {event["source"] for event in body["events"]} == {"a", "b"}


def test_a_digest_comes_once_a_day_and_names_what_is_open(tmp_path: Path) -> None:
    with bodies() as (site, kept):
        room = open_room(tmp_path, webhook(site.base, 'digest = "09:00"'))
        fail_for_a_day(room, NOW)
        check_sources(room, NOW)
        for hours in range(0, 49, 2):
            deliver_alerts(room, NOW + timedelta(hours=hours), "en")
        room.store.close()
    digests = [body["digest"] for body in kept if body["digest"]]
    assert len(digests) == 3
    assert all("blocked" in " ".join(digest).lower() for digest in digests)


def test_a_due_time_of_a_clock_that_was_ahead_does_not_hold_an_alert_back(tmp_path: Path) -> None:
    with bodies(http(500), http(200, "{}")) as (site, kept):
        room = open_room(tmp_path, webhook(site.base))
        fail_for_a_day(room, NOW)
        check_sources(room, NOW)
        deliver_alerts(room, NOW + timedelta(days=400), "zh")
        (delivery,) = deliver_alerts(room, NOW, "zh")
        assert not delivery.failure
        room.store.close()
    assert len(kept) == 2
    assert timedelta(days=400) > LONGEST_RETRY


HOSTILE = Message("简报：<https://evil.example|点我>", ("& <font color='info'>x</font>",), {"events": []})


@pytest.mark.parametrize(
    ("kind", "accepted", "refused", "read"),
    [
        ("webhook", http(200), http(403), lambda body: body["text"]),
        (
            "wecom",
            http(200, '{"errcode": 0}'),
            http(200, '{"errcode": 93000}'),
            lambda body: body["markdown"]["content"],
        ),
        ("feishu", http(200, '{"code": 0}'), http(200, '{"code": 19024}'), lambda body: body["content"]["text"]),
        ("feishu", http(200, '{"StatusCode": 0}'), http(200, "busy"), lambda body: body["content"]["text"]),
        ("slack", http(200, "ok"), http(404, "no_service"), lambda body: body["text"]),
    ],
)
def test_each_service_gets_its_own_form_and_its_refusal_is_noticed(
    kind: str, accepted: bytes, refused: bytes, read: Callable[[dict[str, Any]], str]
) -> None:
    with bodies(refused, accepted) as (site, kept):
        channel = AlertChannel(kind=kind, url=f"{site.base}/hook")
        with pytest.raises(NotSent):
            send(channel, HOSTILE)
        send(channel, HOSTILE)
    text = read(kept[1])
    assert "简报" in text
    if kind in ("wecom", "slack"):
        assert "<" not in text


def test_a_service_that_answers_a_byte_at_a_time_does_not_hold_up_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    def drip(_: Seen) -> Iterator[bytes]:
        while not is_over.wait(0.1):
            yield b"HTTP/1.1 200 OK\r\nx: "

    monkeypatch.setattr(channels, "LONGEST_ATTEMPT", 1.0)
    with serving({"/hook": drip}) as site:
        with pytest.raises(NotSent, match="no end"):
            send(AlertChannel(kind="webhook", url=f"{site.base}/hook"), HOSTILE)
        is_over.set()


def test_a_message_is_no_longer_than_its_service_takes() -> None:
    with bodies(http(200, '{"errcode": 0}')) as (site, kept):
        send(AlertChannel(kind="wecom", url=f"{site.base}/hook"), Message("题", ("长" * 5000,), {}))
    assert 4000 < len(kept[0]["markdown"]["content"].encode()) <= 4096


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as one mail takes."""

    timeout = 30

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                data = b""
                while (row := self.rfile.readline()) not in (b".\r\n", b""):
                    data += row
                self.server.mails.append(data)  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")


def test_mail_reaches_a_server_with_a_subject_of_one_line() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.mails = []  # type: ignore[attr-defined]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        channel = AlertChannel(
            kind="email",
            host="127.0.0.1",
            port=server.server_address[1],
            tls="none",
            sender="jianbao@example.org",
            to=("editor@example.org", "second@example.org"),
        )
        send(channel, Message("简报：\r\nBcc: all@example.org", ("第一行", "第二行"), {}))
        server.shutdown()
    mail = message_from_bytes(server.mails[0], policy=default)  # type: ignore[attr-defined]
    assert mail["Subject"] == "简报： Bcc: all@example.org"
    assert mail["Bcc"] is None
    assert mail["To"] == "editor@example.org, second@example.org"
    assert "第二行" in mail.get_content()


def test_a_command_gets_json_on_its_stdin_and_its_exit_status_counts(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    script = f"import sys, pathlib; pathlib.Path({str(path)!r}).write_text(sys.stdin.read())"
    send(AlertChannel(kind="command", command=(sys.executable, "-c", script)), HOSTILE)
    assert json.loads(path.read_text(encoding="utf-8"))["title"] == HOSTILE.title
    with pytest.raises(NotSent, match="exit status 3: no way"):
        send(
            AlertChannel(
                kind="command",
                command=(sys.executable, "-c", "import sys; print('no way', file=sys.stderr); sys.exit(3)"),
            ),
            HOSTILE,
        )


def test_a_secret_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = AlertChannel(kind="webhook", url_variable="DESK_WEBHOOK")
    monkeypatch.delenv("DESK_WEBHOOK", raising=False)
    with pytest.raises(NotSent, match="DESK_WEBHOOK"):
        send(channel, HOSTILE)
    with bodies() as (site, kept):
        monkeypatch.setenv("DESK_WEBHOOK", f"{site.base}/hook")
        send(channel, HOSTILE)
    assert len(kept) == 1


@pytest.mark.parametrize(
    "written",
    [
        '[alerts.channels.a]\nkind = "webhook"\n',
        '[alerts.channels.a]\nkind = "email"\nhost = "mail"\n',
        '[alerts.channels.a]\nkind = "command"\n',
        '[alerts.channels.a]\nkind = "pigeon"\n',
        '[alerts]\nquiet_hours = "22-8"\n',
        '[alerts]\ndigest = "25:00"\n',
    ],
)
def test_a_channel_that_cannot_work_is_named_when_the_newsletter_is_read(tmp_path: Path, written: str) -> None:
    home = Home(newsroom(tmp_path, "", more=written))
    with pytest.raises(NewsletterMisconfigured, match="alerts"):
        load_newsletter(home.newsletter)


def test_the_command_tries_every_channel_and_fails_where_one_does_not_answer(tmp_path: Path) -> None:
    with bodies() as (site, kept):
        alerts = webhook(site.base) + '[alerts.channels.dead]\nkind = "slack"\nurl = "http://127.0.0.1:9/"\n'
        cli = Cli(newsroom(tmp_path, "", more=alerts))
        assert "hook" in cli("alerts", "test", code=1)
        cli("alerts", "test", "hook")
        cli("alerts", "test", "nobody", code=2)
        assert len(kept) == 2
        assert all(body["test"] for body in kept)
