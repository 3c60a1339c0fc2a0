"""crawler/settings.py: what must stay closed is closed, and each line says why it is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings, default_settings
from servers import ROOT, crawl, newsroom, source

from crawler import settings as ours
from crawler.kinds import KINDS
from crawler.settings import assert_safe

OWN = {"JIANBAO_HOME", "RETRY_BACKOFF"}
NAMES = [name for name in vars(ours) if name.isupper() and not name.startswith("_")]


def project(**overrides: object) -> Settings:
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.setdict(overrides, priority="cmdline")
    return settings


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_comment_above_it(name: str) -> None:
    lines = Path(str(ours.__file__)).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines) if text.startswith((f"{name} = ", f"{name}: ")))
    block = next(number for number in range(line, -1, -1) if not lines[number].strip())
    assert name == "JIANBAO_HOME" or lines[block + 1].startswith("# ")


@pytest.mark.parametrize("name", sorted(set(NAMES) - OWN))
def test_every_setting_is_one_of_scrapys_and_differs_from_its_default(name: str) -> None:
    assert getattr(ours, name) != getattr(default_settings, name)


def test_the_shipped_values_hold() -> None:
    settings = project()
    expected: dict[str, Any] = {
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DOWNLOAD_MAXSIZE": 16 * 1024 * 1024,
        "DOWNLOAD_TIMEOUT": 30,
        "REDIRECT_MAX_TIMES": 5,
        "ROBOTSTXT_OBEY": True,
        "COOKIES_ENABLED": False,
        "REFERRER_POLICY": "no-referrer",
        "METAREFRESH_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_ITEMS": 1,
        "LOG_LEVEL": "INFO",
    }
    assert {name: settings.get(name) for name in expected} == expected
    assert settings.getfloat("DOWNLOAD_DELAY") >= 1
    assert {scheme for scheme, path in settings.getwithbase("DOWNLOAD_HANDLERS").items() if path} == {"http", "https"}
    assert settings["ITEM_PIPELINES"].keys() == {"pipelines.newsroom.crawling.bridge.Bridge"}


def test_the_projects_own_settings_are_safe() -> None:
    assert_safe(project())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELNETCONSOLE_ENABLED", True),
        ("TELNETCONSOLE_ENABLED", "1"),
        ("REMOTE_CONTROL_ENABLED", True),
        ("TWISTED_DNS_RESOLVER", "scrapy.resolver.CachingHostnameResolver"),
        ("TWISTED_REACTOR_ENABLED", False),
        ("DOWNLOAD_HANDLERS", {"file": "scrapy.core.downloader.handlers.file.FileDownloadHandler"}),
        ("DOWNLOAD_HANDLERS", {"https": "scrapy.core.downloader.handlers._httpx.HttpxDownloadHandler"}),
        ("DOWNLOADER_MIDDLEWARES", {}),
        ("DOWNLOAD_MAXSIZE", 0),
        ("DOWNLOAD_MAXSIZE", 2**30),
        ("DOWNLOAD_TIMEOUT", 0),
        ("HTTPPROXY_ENABLED", True),
        ("HTTPCACHE_ENABLED", True),
        ("COOKIES_ENABLED", True),
        ("METAREFRESH_ENABLED", True),
        ("ROBOTSTXT_OBEY", False),
        ("DOWNLOAD_VERIFY_CERTIFICATES", False),
        ("JOBDIR", "jobs"),
    ],
)
@pytest.mark.fault("R4", "R5", "R7")
def test_a_setting_that_opens_what_must_stay_closed_is_named(name: str, value: object) -> None:
    with pytest.raises(RuntimeError, match=re.escape(name)):
        assert_safe(project(**{name: value}))


@pytest.mark.fault("R4", "R5")
def test_a_crawl_under_unsafe_settings_does_not_begin(tmp_path: Path) -> None:
    home = newsroom(tmp_path, source("a", "feed", url="http://127.0.0.1:9/"), "127.0.0.1:9")
    crawled = crawl(home, settings={"TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingThreadedResolver"})
    assert crawled.batches == []
    assert "unsafe settings, nothing is fetched: TWISTED_DNS_RESOLVER" in crawled.log


def test_scrapy_lists_one_spider_for_each_kind() -> None:
    command = [sys.executable, "-m", "scrapy", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert sorted(listed) == sorted(KINDS)
