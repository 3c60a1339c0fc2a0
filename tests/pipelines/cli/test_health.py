"""`jianbao health` and `jianbao runs`: exit codes, JSON, acknowledgement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import Cli
from databases import write_new_database

from crawler.errors import Detail, Failure
from crawler.home import Home
from pipelines.newsroom import Newsroom

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
            tx.runs.add(run_id, new=0, updated=0, seen=0, lost=0, failure=failure)
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
    cli("runs", "show", "9", code=2)
