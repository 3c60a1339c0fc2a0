"""How many pages a CPU-second reads, beside the libraries that others read pages with, and how well all read texts.

    python tests/benchmarks/peers.py [--python PATH] [--pages 280] [--size 60] [--styled] [--rounds 3]
        [--extraction DIR]

Made-up WeChat pages, as `crawling.py` serves them: jianbao crawls them, from the request to the commit; the others read
the same bytes from files, without fetching or storing. The line *fetched alone* is `crawling.py`'s tuned Scrapy, which
reads a title and stores nothing: no crawl with Scrapy is quicker than that. PATH is an interpreter where news-please,
newspaper4k and trafilatura are installed, which they are not here; one that is missing is named. Start-up counts for
nothing, as in `crawling.py`. DIR is a checkout of scrapinghub/article-extraction-benchmark: with it, F1 of the text on
the half of its pages that `pages.py` calls seen.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.crawling import FEW, crawl_pages, make_page, run_program, serving_pages
from benchmarks.pages import Case, belongs_to, f1_of_shingles, read_case, read_extraction
from benchmarks.peer_texts import PEERS
from costs import measure_processor_time

SCRIPT: Final = str(Path(__file__).with_name("peer_texts.py"))


def main() -> None:
    """Measure in turn, print pages a CPU-second and F1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, metavar="PATH")
    parser.add_argument("--pages", type=int, default=280)
    parser.add_argument("--size", type=int, default=60, help="kilobytes of a page")
    parser.add_argument("--styled", action="store_true", help="half of the articles' words have a style of their own")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--extraction", type=Path, metavar="DIR")
    options = parser.parse_args()
    cases = [case for case in read_extraction(options.extraction) if is_seen(case)] if options.extraction else []
    costs: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder, serving_pages(options.size, is_styled=options.styled) as base:
        for number in range(options.pages):
            page = make_page(number, options.size, is_styled=options.styled)
            Path(folder, f"{number:06}.html").write_bytes(page)
        present = [name for name in PEERS if is_installed(options.python, name, folder)]
        for _ in range(options.rounds):
            for name, measure in (("jianbao", crawl_pages), ("fetched alone", run_program("tuned"))):
                seconds = measure(base, options.pages) - measure(base, FEW)
                costs.setdefault(name, []).append(seconds / (options.pages - FEW))
            for name in present:
                costs.setdefault(name, []).append(measure_peer(options.python, name, folder, options.pages))
    print_table(costs, score_texts(options.python, present, cases))
    for name in PEERS.keys() - set(present):
        sys.stdout.write(f"{name} is not installed for {options.python}\n")


def is_seen(case: Case) -> bool:
    """Whether the case is in the half that may be looked at."""
    return belongs_to("seen", case.name)


def is_installed(python: str, name: str, folder: str) -> bool:
    """Whether an interpreter has a library, and can read a page with it."""
    try:
        measure_processor_time([python, SCRIPT, name, folder, "1"])
    except RuntimeError:
        return False
    return True


def measure_peer(python: str, name: str, folder: str, pages: int) -> float:
    """The CPU-seconds of one page."""
    many, few = (measure_processor_time([python, SCRIPT, name, folder, str(count)]) for count in (pages, FEW))
    return (many - few) / (pages - FEW)


def score_texts(python: str, names: Sequence[str], cases: Sequence[Case]) -> Mapping[str, float]:
    """The mean F1 of the texts of cases, by reader."""
    if not cases:
        return {}
    ours = [read_case(case, beside=False).body_f1 or 0.0 for case in cases]
    scores = {"jianbao": statistics.mean(ours)}
    with TemporaryDirectory() as folder:
        for case in cases:
            Path(folder, f"{case.name}.html").write_bytes(gzip.decompress(case.path.read_bytes()))
        for name in names:
            file = Path(folder, "texts.json")
            measure_processor_time([python, SCRIPT, name, folder, "0", str(file)])
            texts = json.loads(file.read_text(encoding="utf-8"))
            scores[name] = statistics.mean(
                f1_of_shingles(case.body or "", texts[f"{case.name}.html"]) for case in cases
            )
    return scores


def print_table(costs: Mapping[str, Sequence[float]], scores: Mapping[str, float]) -> None:
    """A line for each reader: pages a CPU-second with their spread, how many times theirs ours are, F1."""
    sys.stdout.write(f"{'':14} pages a CPU-second{'':10} jianbao's are  F1\n")
    for name, rounds in costs.items():
        times = statistics.median(other / own for other, own in zip(rounds, costs["jianbao"], strict=True))
        spread = f"{1 / max(rounds):7.1f} to {1 / min(rounds):.1f}"
        score = f"{scores[name]:.3f}" if name in scores else "–"
        sys.stdout.write(f"{name:14} {1 / statistics.median(rounds):8.1f} {spread:18} {times:8.1f} x    {score}\n")


if __name__ == "__main__":
    main()
