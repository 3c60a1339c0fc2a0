"""`scrapy record`: a reply becomes a recording, through the same guards as a crawl."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from servers import ROOT, http, newsroom, serving

FEED = '<rss version="2.0"><channel><title>T</title><link>https://t.example/</link></channel></rss>'


def record(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {"JIANBAO_HOME": str(folder), "SCRAPY_SETTINGS_MODULE": "crawler.settings", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "scrapy", "record", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def test_a_reply_is_kept_with_what_its_page_function_needs_and_no_more(tmp_path: Path) -> None:
    with serving({"/feed": http(200, FEED, etag='"1"', set_cookie="secret=1", server="box-7")}) as site:
        newsroom(tmp_path, "", site.place)
        done = record(tmp_path, f"{site.base}/feed", "--page", "feed", "--case", "first-one")
        folder = tmp_path / "tests" / "recordings" / "feed" / "first-one"
        assert done.returncode == 0, done.stderr
        assert (folder / "response.body").read_text(encoding="utf-8") == FEED
        about = json.loads((folder / "response.json").read_text(encoding="utf-8"))
        assert (about["url"], about["status"], about["page"]) == (f"{site.base}/feed", 200, "feed")
        assert about["headers"] == {"etag": '"1"'}
        assert not (tmp_path / "var").exists()


def test_what_a_crawl_may_not_fetch_is_not_recorded_either(tmp_path: Path) -> None:
    newsroom(tmp_path, "")
    done = record(tmp_path, "http://127.0.0.1:6379/", "--page", "web", "--case", "inside")
    assert done.returncode == 1
    assert "allow_hosts" in done.stderr
    assert not (tmp_path / "tests").exists()
