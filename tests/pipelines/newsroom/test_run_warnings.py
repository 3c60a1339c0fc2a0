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
