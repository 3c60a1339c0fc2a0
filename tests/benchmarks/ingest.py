"""What an item costs on its way from the page to the store, stage by stage.

    python tests/benchmarks/ingest.py [--page NAME] [--repeat N] FILE_OR_FOLDER ...

Reads saved replies with a page function, then times each stage over all their items: CPU time, median of the
repetitions. The calibration is a fixed loop timed in the same run: compare ratios to it, not microseconds, between
machines. `store` is ingest into an empty database less the stages before it; `again` is ingesting the same once more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from crawler.errors import CrawlError
from crawler.home import Home, bundled
from crawler.items import Batch, RawItem, Reply
from crawler.pages import PAGES
from crawler.sources.schema import Source
from pipelines.deduplicate.identity import resolve_batch
from pipelines.model import Article
from pipelines.newsroom.stages.run import ingest
from pipelines.normalise import normalise
from pipelines.normalise.dates import read_date
from pipelines.normalise.html import read_html
from pipelines.normalise.language import read_language
from pipelines.normalise.references import add_references
from pipelines.normalise.text import clean_title, read_text
from pipelines.normalise.titles import split_title
from pipelines.normalise.url import canonicalise
from pipelines.rules import Rules, load_rules
from pipelines.store import Store
from pipelines.store.raw import Packed

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SOURCE = Source(id="benchmark", kind="feed", name="Benchmark", url="https://feed.example/")


def main() -> None:
    """Read the files, time the stages, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--page", default="wechat.feed", choices=sorted(PAGES), help="default: wechat.feed")
    parser.add_argument("--repeat", default=5, type=int, help="default: 5")
    given = parser.parse_args()
    batches = [batch for path in given.paths for file in _files(path) if (batch := _batch(file, given.page))]
    if not batches:
        parser.error("no items in these files")
    _print(batches, list(_timed(batches, load_rules(Home(bundled())), given.repeat)))


def _files(path: Path) -> Iterable[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _batch(file: Path, page: str) -> Batch | None:
    try:
        items = PAGES[page](Reply(f"https://feed.example/{file.name}", 200, {}, file.read_bytes(), NOW)).items
    except CrawlError as error:
        sys.stderr.write(f"{file}: {error}\n")
        return None
    return Batch(SOURCE.id, items) if items else None


def _timed(batches: list[Batch], rules: Rules, repeat: int) -> Iterator[tuple[str, float]]:
    """Stage after stage, microseconds an item."""
    items = [item for batch in batches for item in batch.items]

    def each(work: Callable[[RawItem], object]) -> float:
        return _microseconds(lambda: [work(item) for item in items], repeat) / len(items)

    normalised = [normalise(item, SOURCE, rules) for item in items]  # also loads what is loaded once
    articles = [add_references(one, rules) for one in normalised]
    stages: dict[str, Callable[[RawItem], object]] = {
        "  url": lambda item: canonicalise(item.url, rules),
        "  dates": lambda item: item.published and read_date(item.published, item.fetched_at, rules.zone),
        "  title": lambda item: split_title(clean_title(item.title), (item.publisher, SOURCE.name), rules),
        "  text": lambda item: _text(item, rules),
    }
    yield "normalise", (whole := each(lambda item: normalise(item, SOURCE, rules)))
    for name, stage in stages.items():
        yield name, each(stage)
    yield (
        "  language",
        _over(articles, lambda one: read_language(one.title, one.text or one.summary, None, rules), repeat),
    )
    yield "references", (named := _over(normalised, lambda one: add_references(one, rules), repeat))
    yield "identity", (joined := _microseconds(lambda: _resolve(articles), repeat) / len(items))
    yield "pack raw", (packed := each(lambda item: Packed.of(item, SOURCE.id)))
    first, again = _stored(batches, rules, repeat)
    yield "store", first / len(items) - whole - named - joined - packed
    yield "all", first / len(items)
    yield "again", again / len(items)


def _text(item: RawItem, rules: Rules) -> object:
    return read_html(item.html, item.url, rules) if item.html else read_text(item.text or "", rules)


def _over(articles: list[Article], work: Callable[[Article], object], repeat: int) -> float:
    return _microseconds(lambda: [work(one) for one in articles], repeat) / len(articles)


def _resolve(articles: list[Article]) -> object:
    return resolve_batch(articles, {}, {}, lambda index: index + 1)


def _stored(batches: list[Batch], rules: Rules, repeat: int) -> tuple[float, float]:
    """All batches into an empty database, and the same again; microseconds."""
    first, again = [], []
    for _ in range(repeat):
        with TemporaryDirectory() as folder, closing(Store.open(f"sqlite:///{folder}/jianbao.db")) as store:
            for times in (first, again):
                times.append(_microseconds(lambda: [ingest(store, one, SOURCE, rules, NOW) for one in batches], 1))
    return median(first), median(again)


def _microseconds(work: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        started = process_time()
        work()
        times.append(process_time() - started)
    return median(times) * 1e6


def _calibration() -> float:
    """A million turns of a loop, in milliseconds."""

    def loop() -> None:
        total = 0
        for number in range(1_000_000):
            total += number & 7

    return _microseconds(loop, 5) / 1000


def _print(batches: list[Batch], rows: list[tuple[str, float]]) -> None:
    items = [item for batch in batches for item in batch.items]
    size = sum(len(item.html or item.text or item.summary or "") for item in items) / len(items)
    lines = [
        f"{len(items)} items in {len(batches)} replies, {size:,.0f} characters each",
        f"{'calibration':12} {_calibration():10,.1f} ms",
        *(f"{name:12} {microseconds:10,.1f} µs an item" for name, microseconds in rows),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
