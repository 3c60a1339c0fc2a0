"""Chromium, and a desk in a process of its own, for tests that press its keys in a browser.

Chromium is Debian's, or the one that JIANBAO_CHROMIUM names.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from databases import Databases, SqliteDatabases
from playwright.sync_api import Browser, Page, expect, sync_playwright

from crawler.home import Home

expect.set_options(timeout=30_000)  # ms: keys wait their turn, and each may wait for a busy machine

CHROMIUM = os.environ.get("JIANBAO_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """SQLite alone, for modules that import it: what the desk answers on both is tested without a browser."""
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))


@contextmanager
def start_chromium(*arguments: str) -> Iterator[Browser]:
    """Start Chromium with command line arguments; a test where it is missing fails."""
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is not there: apt-get install chromium, or set JIANBAO_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        yield browser
        browser.close()


@contextmanager
def serve_desk(home: Home, *options: str) -> Iterator[int]:
    """Run `jianbao review` with options; its port."""
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(home.path), "review", "--port", "0", *options]
    environment = {name: text for name, text in os.environ.items() if name != "JIANBAO_DB"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            port = re.search(r"http://[\d.]+:(\d+)", line)
            assert port, line
            yield int(port[1])
        finally:
            server.terminate()
            server.wait(10)


def pick_three(page: Page) -> None:
    """Pick what the list offers, so that a draft holds entries; the page of the issue is then open."""
    page.goto("/candidates?category=")
    page.wait_for_selector(".card[aria-current=true]")
    for _ in range(3):
        page.keyboard.press("a")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_selector(".entry")
