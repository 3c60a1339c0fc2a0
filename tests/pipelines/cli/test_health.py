"""`jianbao health` and `jianbao runs`: exit codes, JSON, acknowledgement."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commands import Cli
from databases import write_new_database
from places import ROOT

from crawler.errors import Detail, Failure
from crawler.home import Home
from crawler.items import Batch, RawItem
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.arrivals import LONGEST_KEY
from pipelines.newsroom.stages.run import ingest
from pipelines.store.runs import RunPart

ROW = '[[source]]\nid = "a"\nkind = "feed"\nname = "甲"\nurl = "https://a.example/feed"\n'


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    cli = Cli(tmp_path / "newsletter")
    cli("init", str(cli.home))
    (cli.home / "sources.toml").write_text(ROW, encoding="utf-8")
    write_new_database(cli.home / "var" / "jianbao.db")
    return cli


def fail_for_a_day(cli: Cli) -> None:
    newsroom = Newsroom(Home(cli.home))
    for hours in (24, 12, 1):
        at = datetime.now(UTC) - timedelta(hours=hours)
        with newsroom.store.transaction() as tx:
            tx.sources.record_start("a", "feed", "甲", at)
            run_id = tx.runs.start("a", at)
            failure = Failure("Blocked", Detail.of("verification"))
            tx.runs.add([RunPart(run_id, failure=failure)])
            tx.runs.finish(run_id, at)
    newsroom.store.close()


def test_health_exits_with_1_only_while_something_needs_a_person(cli: Cli) -> None:
    assert "未抓过" in cli("health")
    fail_for_a_day(cli)
    assert "被拦" in cli("health", code=1)
    cli("health", "--json", code=1)
    assert "知道了" in cli("health", "ack", "1", "--until", "2999-01-01")
    document = cli.json("health")
    assert document["needs_person"] is False
    assert [(row["id"], row["state"]) for row in document["sources"]] == [("a", "blocked")]
    (incident,) = document["incidents"]
    assert (incident["kind"], incident["evidence"]) == ("blocked", "连续 3 次被拦")
    assert incident["remedy"]
    cli("health", "ack", "2", "--until", "2999-01-01", code=2)


def test_a_source_that_failed_twice_is_not_well(cli: Cli) -> None:
    newsroom = Newsroom(Home(cli.home))
    for minutes in (20, 5):
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        with newsroom.store.transaction() as tx:
            tx.sources.record_start("a", "feed", "甲", at)
            run_id = tx.runs.start("a", at)
            tx.runs.add([RunPart(run_id, failure=Failure("FetchFailed", Detail.of("timed-out")))])
            tx.runs.finish(run_id, at)
    newsroom.store.close()
    (row,) = cli.json("health")["sources"]
    assert (row["state"], row["evidence"]) == ("retrying", ["连续 2 次没抓到"])


def crawl_every_day_until(cli: Cli, days_ago: int) -> None:
    newsroom = Newsroom(Home(cli.home))
    for ago in range(days_ago + 10, days_ago - 1, -1):
        at = datetime.now(UTC) - timedelta(days=ago)
        with newsroom.store.transaction() as tx:
            tx.sources.record_start("a", "feed", "甲", at)
            run_id = tx.runs.start("a", at)
            tx.runs.finish(run_id, at)
            tx.sources.record_end("a", at, None, None)
    newsroom.store.close()


def test_a_standstill_of_the_crawling_needs_a_person_until_it_is_acknowledged(cli: Cli) -> None:
    crawl_every_day_until(cli, 3)
    shown = cli("health", code=1)
    assert "停摆" in shown
    assert "全部来源" in shown
    (incident,) = json.loads(cli("health", "--json", code=1))["incidents"]
    assert (incident["source"], incident["kind"], incident["needs_person"]) == (None, "standstill", True)
    assert 'jianbao_incidents_open{state="stalled",needs_person="true"} 1' in cli("health", "--metrics")
    checks = cli.json("doctor")["checks"]
    assert any("一个来源也没有抓过" in str(check) for check in checks if check["subject"] == "schedule")
    cli("health", "ack", "1", "--until", "2999-01-01")
    cli("health")


def test_a_mistaken_row_needs_a_person(cli: Cli) -> None:
    (cli.home / "sources.toml").write_text(ROW.replace("https", "ftp"), encoding="utf-8")
    cli("health", code=1)


def test_the_ledger_lists_and_shows_runs(cli: Cli) -> None:
    assert cli.json("runs", "list") == {"runs": []}
    fail_for_a_day(cli)
    runs = cli.json("runs", "list", "--source", "a", "--since", "2d")["runs"]
    assert [run["id"] for run in runs] == [3, 2, 1]
    assert cli.json("runs", "show", "2")["failure"]
    assert "被拦" in cli("runs", "show", "2")
    assert "订阅源" in cli("runs", "show", "2"), "what to do"
    assert "订阅源" not in cli("runs", "list"), "each failure takes one line more, not ten"
    cli("runs", "show", "9", code=2)


def test_items_that_became_no_article_are_listed_with_the_reason(cli: Cli) -> None:
    newsroom = Newsroom(Home(cli.home))
    now = datetime.now(UTC)
    endless = RawItem("feed", f"https://a.example/{'x' * 2100}", "地址太长", now)
    good = RawItem("feed", "https://a.example/1", "好", now)
    ingest(newsroom.store, Batch("a", (endless, good), finished=True), newsroom.sources["a"], newsroom.rules, now)
    newsroom.store.close()
    (row,) = cli.json("runs", "lost")["lost"]
    assert (row["source"], row["title"], row["url"]) == ("a", "地址太长", endless.url)
    assert row["reason"] == f"网址超过 {LONGEST_KEY} 字节"
    assert "地址太长" in cli("runs", "lost", "--source", "a")
    (row,) = cli.json("--lang", "en", "runs", "lost")["lost"]
    assert row["reason"] == f"its address is longer than {LONGEST_KEY} bytes"
    assert cli.json("runs", "lost", "--source", "b") == {"lost": []}


AS_NOBODY = """
import os, sys
from typer.testing import CliRunner
from pipelines.cli import main
from pipelines.store.runs import RunPart
import pipelines.newsroom.crawling.crawls, pipelines.newsroom.crawling.schedule
import pipelines.newsroom.editing.exports, pipelines.newsroom.watching.health
import pipelines.newsroom.editing.assistant  # whoever runs this may be the only one who may read Python's own library
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
sys.argv = ["jianbao", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("words", [("crawl",), ("schedule",), ("user", "list")])
@pytest.mark.fault("S2")
def test_a_folder_that_may_not_be_written_is_one_line_and_no_traceback(cli: Cli, words: tuple[str, ...]) -> None:
    with TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        home = Path(folder) / "newsletter"
        shutil.copytree(cli.home, home)
        for path in (*home.rglob("*"), home, home.parent):
            path.chmod(0o444 if path.is_file() else 0o555)
        command = [sys.executable, "-c", AS_NOBODY, "--home", str(home), *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
        for path in (home.parent, home, *home.rglob("*")):
            path.chmod(0o700)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert str(home) in done.stderr.replace("\n", "") or "数据库" in done.stderr


def test_metrics_are_in_prometheus_text_format_and_end_with_0_though_something_needs_a_person(cli: Cli) -> None:
    fail_for_a_day(cli)
    lines = cli("health", "--metrics").splitlines()
    sample = re.compile(r'jianbao_[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? -?[0-9.e+]+')
    assert [line for line in lines if not line.startswith("# ") and not sample.fullmatch(line)] == []
    assert 'jianbao_source_state{source="a",state="blocked"} 1' in lines
    assert 'jianbao_incidents_open{state="blocked",needs_person="true"} 1' in lines
    assert 'jianbao_runs_of_last_day{outcome="failed"} 2' in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) >= 6
