"""Runs spiders without a store; a process of its own, started by `servers.crawl`. Batches go to stdout, a line each."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from crawler.home import Home
from crawler.items import Batch, Page, Reply, SourceState
from crawler.kinds import KINDS
from crawler.pages import PAGES
from crawler.saved import read_folder
from crawler.sources.file import load_sources
from crawler.spiders import read_page


class Printer:
    """The pipeline of a probe."""

    def process_item(self, batch: Batch) -> Batch:
        row = asdict(batch) | {
            "items": [json.loads(item.to_json()) for item in batch.items],
            "problems": [asdict(problem) | {"detail": str(problem.detail)} for problem in batch.problems],
        }
        sys.stdout.write(json.dumps(row, default=str) + "\n")
        sys.stdout.flush()
        return batch


def broken(reply: Reply) -> Page:
    """A page function with a mistake in it."""
    return Page((reply.headers["no such header"],))  # type: ignore[arg-type]


def main() -> None:
    asked = json.load(sys.stdin)
    if asked["broken_pages"]:
        read_page.PAGES = {  # type: ignore[attr-defined]
            **PAGES,
            **dict.fromkeys(asked["broken_pages"], broken),
        }
    home = Home(Path(asked["home"]))
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    ours = {"JIANBAO_HOME": str(home.path), "ITEM_PIPELINES": {Printer: 1}, "RETRY_BACKOFF": 0.05}
    settings.setdict({**ours, **asked["settings"]}, priority="cmdline")
    states = {name: SourceState(**state) for name, state in asked["states"].items()}
    registry = load_sources(home)
    for mistake in registry.mistakes:
        sys.stderr.write(f"{mistake}\n")
    process = AsyncCrawlerProcess(settings)
    now = datetime.fromisoformat(asked["now"]) if asked["now"] else datetime.now(UTC)
    for kind in KINDS:
        if sources := [one for one in registry.sources if one.kind == kind]:
            process.crawl(kind, sources=sources, states=states, now=now, read_saved=partial(read_folder, home))
    process.start()


if __name__ == "__main__":
    main()
