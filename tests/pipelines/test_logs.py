"""Logs in JSON: each line of stderr is one object, and says which source, run and address it is about."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import Cli, start
from places import ROOT
from servers import http, newsroom, serving, source

from pipelines.logs import LOG_FORMAT_VARIABLE, JsonLines, make_extra

RSS = (
    '<rss version="2.0"><channel><title>水壶</title><item><title>第一只水壶的故事</title>'
    "<link>https://kettle.example/1</link><pubDate>Mon, 16 Nov 2026 10:00:00 +0800</pubDate></item></channel></rss>"
)


def read_lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def test_a_record_is_one_line_with_its_facts_whatever_its_message_is() -> None:
    record = logging.LogRecord("a.b", logging.WARNING, "", 0, "第一行\n第二行\x1b[2J %s", ("甲",), None)
    record.__dict__.update(make_extra("problem", source="a", run=7, url=None, at=Path("/x")))
    line = JsonLines().format(record)
    row = json.loads(line)
    assert "\n" not in line
    assert "\x1b" not in line
    assert {name: row[name] for name in ("level", "event", "source", "run", "at")} == {
        "level": "warning",
        "event": "problem",
        "source": "a",
        "run": 7,
        "at": "/x",
    }
    assert row["message"].startswith("第一行\n第二行")
    assert "url" not in row
    assert row["time"].endswith("+00:00")


@pytest.mark.slow
def test_every_line_of_a_crawl_in_json_is_an_object_and_names_source_run_and_address(tmp_path: Path) -> None:
    with serving({"/feed": http(200, RSS)}, "127.0.12.7") as site:
        rows = (source("kettle", "feed", url=f"{site.base}/feed"), source("gone", "feed", url=f"{site.base}/gone"))
        home = newsroom(tmp_path, "".join(rows), site.place)
        table, log, code = start(home, "--log-format", "json", "crawl")
    assert (table, code) == ("", 1)
    lines = read_lines(log)
    began = {row["source"]: row for row in lines if row["event"] == "run-began"}
    ended = {row["source"]: row for row in lines if row["event"] == "run-ended"}
    assert (ended["kettle"]["new"], ended["kettle"]["level"]) == (1, "info")
    assert ended["kettle"]["run"] == began["kettle"]["run"]
    assert (ended["gone"]["level"], ended["gone"]["error"]) == ("error", "FetchFailed")
    (problem,) = (row for row in lines if row["event"] == "problem" and row["source"] == "gone")
    assert (problem["url"], problem["run"]) == (f"{site.base}/gone", began["gone"]["run"])
    assert "404" in problem["message"]
    runs = {row["source"]: row["id"] for row in Cli(home).json("runs", "list")["runs"]}
    assert {name: row["run"] for name, row in ended.items()} == runs


@pytest.mark.slow
def test_in_text_a_crawl_says_each_thing_once(tmp_path: Path) -> None:
    with serving({"/feed": http(200, RSS)}, "127.0.12.8") as site:
        home = newsroom(tmp_path, source("kettle", "feed", url=f"{site.base}/feed"), site.place)
        table, log, code = start(home, "crawl")
    assert code == 0
    assert "kettle" in table
    assert "run-ended" not in log
    assert "{" not in log


@pytest.mark.slow
def test_the_schedule_and_its_crawls_log_in_json_where_the_environment_says_so(tmp_path: Path) -> None:
    with serving({"/feed": http(200, RSS)}, "127.0.12.9") as site:
        home = newsroom(tmp_path, source("kettle", "feed", url=f"{site.base}/feed"), site.place)
        environment = {**os.environ, LOG_FORMAT_VARIABLE: "json"}
        command = (sys.executable, "-m", "pipelines.cli", "--home", str(home), "schedule")
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            lines = []
            for line in process.stderr:
                lines.append(json.loads(line))
                if lines[-1]["event"] == "run-ended":
                    process.send_signal(signal.SIGTERM)
            process.wait(60)
    events = [row["event"] for row in lines]
    assert events[0] == "schedule-began"
    assert {"run-began", "run-ended", "schedule-ending"} <= set(events)


def test_an_error_that_a_command_prints_is_a_line_of_the_log(tmp_path: Path) -> None:
    _, log, code = start(tmp_path, "--log-format", "json", "crawl")
    assert code == 2
    (line,) = read_lines(log)
    assert (line["level"], line["event"]) == ("error", "message")
    assert "newsletter.toml" in line["message"]
