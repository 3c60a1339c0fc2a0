"""A run says in its table, and remembers, which dates it could not read wholly."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Cli, start_crawl
from servers import http, newsroom, serving, source

DATES = ("Mon, 16 Nov 2026 10:00:00 +0800", "Mon, 16 Nov 2026 10:00:00 XYZT", "at the second full moon", "")


@pytest.mark.slow
def test_dates_that_are_read_in_part_or_not_at_all_are_named_in_the_table_and_in_the_run(tmp_path: Path) -> None:
    items = "".join(
        f"<item><title>第{number}只水壶的故事</title><link>https://kettle.example/{number}</link>"
        f"<pubDate>{date}</pubDate></item>"
        for number, date in enumerate(DATES)
    )
    feed = http(200, f'<rss version="2.0"><channel><title>水壶</title>{items}</channel></rss>')
    with serving({"/feed": feed}, "127.0.12.1") as site:
        home = newsroom(tmp_path, source("kettle", "feed", url=f"{site.base}/feed"), site.place)
        table, log, code = start_crawl(home, "--no-group")
    assert code == 0, log
    assert "1 个日期只读懂一部分" in table
    assert "10:00:00 XYZT" in table
    assert "1 个日期读不懂" in table
    assert "second full moon" in table
    (run,) = Cli(home).json("runs", "list")["runs"]
    shown = Cli(home).json("runs", "show", str(run["id"]))
    assert len(shown["warnings"]) == 2
    assert shown["lost"] == 0


@pytest.mark.slow
def test_the_ledger_says_how_often_a_run_asked_what_came_and_which_problems_it_had(tmp_path: Path) -> None:
    page = "<html><body><h1>水壶</h1></body></html>"
    items = "".join(
        f"<item><title>第{number}只水壶的故事</title><link>https://kettle.example/{number}</link></item>"
        for number in range(3)
    )
    feed = http(200, f'<rss version="2.0"><channel><title>水壶</title>{items}</channel></rss>')
    with serving({"/feed": feed, "/page": http(200, page)}, "127.0.12.2") as site:
        rows = source("kettle", "feed", url=f"{site.base}/feed") + source("page", "feed", url=f"{site.base}/page")
        home = newsroom(tmp_path, rows, site.place)
        start_crawl(home, "--no-group")
    runs = {run["source"]: run for run in Cli(home).json("runs", "list")["runs"]}
    well, failed = runs["kettle"], runs["page"]
    assert (well["requests"], well["replies"], well["problems"]) == (1, 1, {})
    assert well["bytes"] > len(items)
    assert failed["requests"] == failed["replies"] >= 1
    assert failed["problems"] == {"PageChanged": 1}
    assert "请求 1 次，应答 1 次" in Cli(home)("runs", "show", str(well["id"]))
