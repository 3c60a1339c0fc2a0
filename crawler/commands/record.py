"""`scrapy record URL --page wechat.article --case name`: keep a reply as a test recording."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from scrapy import Spider
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.http import Request, Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from crawler.errors import Refused
from crawler.kinds import KIND_OF_PAGE
from crawler.network.failures import meaning
from crawler.network.retry import plain_headers
from crawler.pages import PAGES
from crawler.spiders.route import ask_for

RECORDINGS: Final = Path("tests/recordings")

_KEPT_HEADERS: Final = frozenset(
    {"content-type", "content-language", "etag", "last-modified", "link", "location", "retry-after"}
)
"""Headers that a page function may read; x-ratelimit-* besides. Cookies and names of machines stay out."""

_REMEDY_OF_REFUSED: Final = "; name the origin in [network] allow_hosts of newsletter.toml if it is yours"


class Command(ScrapyCommand):
    """Fetches one URL through the same guards as a crawl, and writes the reply."""

    requires_project = True

    def syntax(self) -> str:
        """Scrapy's usage line."""
        return "[options] <url>"

    def short_desc(self) -> str:
        """Scrapy's list of commands."""
        return "Keep a reply as a test recording; trim its body, in words of your own, before you commit it"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """The command's own options."""
        super().add_options(parser)
        parser.add_argument("--page", choices=sorted(PAGES), help="page function that reads it (default: by the URL)")
        parser.add_argument("--case", required=True, metavar="NAME", help="name of the case: a-z 0-9 -")
        parser.add_argument("--kind", metavar="KIND", help="folder of the case (default: the page's)")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Fetch and write."""
        if len(args) != 1 or not re.fullmatch(r"[a-z0-9-]+", opts.case):
            raise UsageError
        ask = ask_for(args[0])
        page = opts.page or ask.page
        folder = RECORDINGS / (opts.kind or KIND_OF_PAGE[page]) / opts.case
        assert self.crawler_process is not None  # noqa: S101 (set by Scrapy's command line)
        url = args[0] if opts.page else ask.url
        self.crawler_process.crawl(_Recorder, url=url, page=page, folder=folder, asked_headers=dict(ask.headers))
        self.crawler_process.start()
        if not (folder / "response.json").is_file():
            self.exitcode = 1


class _Recorder(Spider):
    name = "record"

    def __init__(self, url: str, page: str, folder: Path, asked_headers: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._url, self._page, self._folder, self._headers = url, page, folder, asked_headers

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        settings.setdict({"ITEM_PIPELINES": {}, "LOG_LEVEL": "WARNING"}, priority="spider")

    async def start(self) -> AsyncIterator[Request]:
        yield Request(self._url, callback=self._keep, errback=self._say, headers=self._headers)

    def _keep(self, response: Response) -> Iterator[None]:
        write_recording(self._folder, self._page, response, datetime.now(UTC))
        self.logger.warning("kept in %s: trim response.body, then run the tests twice", self._folder)
        yield from ()

    def _say(self, failure: Failure) -> None:
        error = meaning(failure.value or RuntimeError(), self._url) or repr(failure.value)
        remedy = _REMEDY_OF_REFUSED if isinstance(error, Refused) else ""
        self.logger.error("%s%s", error, remedy)


def write_recording(folder: Path, page: str, response: Response, fetched_at: datetime) -> None:
    """Write `response.body` and `response.json`; an `expected.json` that stands there is left to its test.

    Args:
        page: the page function's name.
        fetched_at: aware.
    """
    folder.mkdir(parents=True, exist_ok=True)
    headers = plain_headers(response)
    about = {
        "url": response.url,
        "status": response.status,
        "headers": {
            name: content
            for name, content in sorted(headers.items())
            if name in _KEPT_HEADERS or name.startswith("x-ratelimit-")
        },
        "fetched_at": fetched_at.isoformat(timespec="seconds"),
        "page": page,
    }
    (folder / "response.body").write_bytes(response.body)
    (folder / "response.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
