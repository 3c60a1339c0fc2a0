"""Writes docs/performance.md: what each thing costs on this machine, and plots of how costs grow.

    python tests/benchmarks/performance.py [--only NAME ...] [--sizes 10000 100000 1000000]
                                           [--pool POOL.jsonl] [--archive FOLDER] [--replies FOLDER]
                                           [--peers PYTHON] [--extraction FOLDER]

Runs the benchmarks one after another, and puts what each prints beside its command. `--only` runs some of them, and
leaves the others' sections as they are. A benchmark whose input is not given is run without it or not at all. Medians
and spreads are those of the benchmarks; the load that the machine had before each stands beside it, since a busy
machine makes CPU time dearer, too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pygal
from pygal.style import CleanStyle

HERE: Final = Path(__file__).resolve().parent
DOCS: Final = HERE.parent.parent / "docs"
PAGE: Final = DOCS / "performance.md"
PLOTS: Final = DOCS / "performance"
PARTS: Final = ("scrapy", "lxml", "beautifulsoup4", "trafilatura", "sqlalchemy", "numpy", "scikit-learn", "starlette")

INPUTS: Final = ("POOL", "ARCHIVE", "REPLIES", "PEERS", "EXTRACTION")
"""Stand in a command for what the options name: paths of one machine tell a reader nothing."""

REQUIRED: Final = frozenset(INPUTS) - {"POOL"}
"""A benchmark that reads one of these is not run without it; for a pool, each makes titles up."""

HEADING: Final = """# What it costs

`python tests/benchmarks/performance.py` writes this page: each section is what one benchmark printed, under its
command. `POOL` is a list of articles (`.jsonl`), `ARCHIVE` a folder of past issues, `REPLIES` a folder of saved
replies, `PEERS` an interpreter with the libraries of others, `EXTRACTION` a checkout of
scrapinghub/article-extraction-benchmark. CPU seconds of different machines do not compare; ratios taken in one run do.
What the figures mean for larger newsrooms is in [scale.md](scale.md).
"""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of the page.

    Args:
        name: for `--only`.
        heading: of its section.
        meaning: what it shows, Markdown.
        words: of its command, behind `python`; a name of `INPUTS` stands for what an option gives.
    """

    name: str
    heading: str
    meaning: str
    words: Sequence[str]


BENCHMARKS: Final = (
    Benchmark(
        "startup",
        "Commands that do no work",
        "CPU of a whole process, as a multiple of an empty Python's.",
        ("startup.py",),
    ),
    Benchmark(
        "crawling",
        "A crawled page, and a crawled feed entry",
        "CPU from the request to the commit, as a multiple of bare Scrapy with its default settings, of bare Scrapy "
        "with the settings that cost least, and of a naive pipeline of the same libraries.",
        ("crawling.py", "--pages", "280", "--feeds", "30"),
    ),
    Benchmark(
        "large",
        "Large pages",
        "The same for WeChat pages of 2.5 MB, the most of which is script.",
        ("crawling.py", "--pages", "40", "--feeds", "4", "--size", "2500", "--styled", "--rounds", "3"),
    ),
    Benchmark(
        "peers",
        "Beside other libraries",
        "Pages a CPU-second: jianbao's with fetch and commit, the others' without; F1 of the texts of generic pages.",
        ("peers.py", "--python", "PEERS", "--extraction", "EXTRACTION"),
    ),
    Benchmark(
        "ingest",
        "The stages of an item",
        "CPU of each stage, beside a fixed loop of the same run.",
        ("ingest.py", "REPLIES"),
    ),
    Benchmark(
        "grouping",
        "Grouping a new article",
        "CPU of each step, with few and with many articles stored, and on a day on which most report one event.",
        ("grouping.py", "--stored", "10000", "100000", "--new", "1000", "POOL"),
    ),
    Benchmark(
        "relearning",
        "Learning anew",
        "CPU of `jianbao group` with 100,000 open stories, and how long the list of the desk takes meanwhile.",
        ("relearning.py", "ARCHIVE", "POOL", "--stories", "100000"),
    ),
    Benchmark(
        "rebuild",
        "Rebuilding everything",
        "Seconds by the clock and CPU of all processes, of 20,000 raw items with texts; and the longest that another "
        "writer waits.",
        ("rebuild.py", "--articles", "20000", "--processes", "2", "POOL"),
    ),
    Benchmark(
        "divided",
        "One rebuild on two workers",
        "Seconds by the clock until everything is rebuilt and grouped in PostgreSQL, by one worker and by two, each on "
        "a processor of its own, which the server shares.",
        ("rebuild.py", "--articles", "20000", "--workers", "1", "2", "--", "POOL"),
    ),
    Benchmark(
        "several",
        "A second newsletter over the same sources",
        "CPU of an article for the first newsletter, which stores and groups it, and for the second, which grades it.",
        ("several.py", "--stored", "10000", "--new", "1500", "--rounds", "2", "POOL"),
    ),
    Benchmark(
        "workers",
        "Two workers against one",
        "Time by the clock until a queue of feeds with many entries is empty, in PostgreSQL.",
        ("workers.py", "--sources", "40", "--entries", "1500", "--rounds", "1"),
    ),
    Benchmark(
        "growth",
        "A newsroom that grows",
        "One newsroom in SQLite, 250 articles a day, in which nobody ever decides on anything: the worst case of the "
        "desk.",
        ("growth.py", "POOL", "--sizes", "SIZES", "--json", "FIGURES"),
    ),
)

CHARTS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "article": ("CPU milliseconds of an article", ("store, ms", "group, ms")),
    "desk": (
        "Milliseconds of the desk, 95th percentile",
        ("list, p95 ms", "filter, p95 ms", "search, p95 ms", "action, p95 ms"),
    ),
    "memory": (
        "Memory in MB, at most",
        ("store and group, MB of memory", "candidates, MB of memory", "desk, MB of memory", "database, MB"),
    ),
}
"""Plots of the growth: by file name, the heading and the figures of `growth.py`."""


def main() -> None:
    """Run, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[each.name for each in BENCHMARKS])
    parser.add_argument("--sizes", nargs="+", default=["10000", "100000", "1000000"])
    for name in INPUTS:
        parser.add_argument(f"--{name.lower()}", type=Path)
    given = parser.parse_args()
    sections = _read_sections()
    with TemporaryDirectory() as folder:
        figures = Path(folder, "figures.json")
        values = {name: [str(path)] if (path := getattr(given, name.lower())) else [] for name in INPUTS}
        values |= {"SIZES": given.sizes, "FIGURES": [str(figures)]}
        for benchmark in BENCHMARKS:
            needed = [word for word in benchmark.words if word in REQUIRED]
            if (given.only and benchmark.name not in given.only) or not all(values[word] for word in needed):
                continue
            sections[benchmark.name] = _run(benchmark, values)
            if figures.exists():
                _draw(json.loads(figures.read_text()))
                figures.unlink()
            PAGE.write_text(_write_page(sections), encoding="utf-8")


def _run(benchmark: Benchmark, values: Mapping[str, Sequence[str]]) -> str:
    """Run a benchmark, and return its section without the heading."""
    load = os.getloadavg()[0]
    script, *words = benchmark.words
    command = [sys.executable, str(HERE / script)]
    for word in words:
        command += values.get(word, [word])
    sys.stderr.write(f"{benchmark.name} ...\n")
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip()
    shown = " ".join(" ".join(values[word]) if word == "SIZES" else word for word in benchmark.words)
    shown = shown.replace(" --json FIGURES", "")
    day = datetime.now(UTC).date()
    return (
        f"`python tests/benchmarks/{shown}`, {day}, at a load of {load:.1f}; {_describe_software()}\n\n"
        f"```text\n{printed}\n```\n"
    )


def _describe_software() -> str:
    parts = ", ".join(f"{name} {version(name)}" for name in PARTS)
    return f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {parts}; {_describe_machine()}."


def _describe_machine() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"^model name\s*: (.*)", text, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}, {memory:.0f} GB"


def _read_sections() -> dict[str, str]:
    """Read the sections of the page as it is, by the names of their benchmarks."""
    if not PAGE.exists():
        return {}
    text = PAGE.read_text(encoding="utf-8")
    sections = {}
    for benchmark in BENCHMARKS:
        _, found, rest = text.partition(_write_opening(benchmark))
        if found:
            sections[benchmark.name] = rest.partition("\n## ")[0].partition("\n![")[0].rstrip() + "\n"
    return sections


def _write_opening(benchmark: Benchmark) -> str:
    return f"\n## {benchmark.heading}\n\n{benchmark.meaning}\n\n"


def _write_page(sections: Mapping[str, str]) -> str:
    page = HEADING
    for benchmark in BENCHMARKS:
        if benchmark.name in sections:
            page += _write_opening(benchmark) + sections[benchmark.name]
            if benchmark.name == "growth":
                page += "".join(f"\n![{title}](performance/{name}.svg)\n" for name, (title, _) in CHARTS.items())
    return page


def _draw(figures: Mapping[str, Mapping[str, float]]) -> None:
    """Draw the plots of the growth; on logarithmic axes a cost that grows as the store does is a diagonal."""
    PLOTS.mkdir(exist_ok=True)
    for name, (title, keys) in CHARTS.items():
        chart = pygal.XY(
            title=title,
            x_title="articles stored",
            logarithmic=True,
            xrange=(min(map(int, figures)), max(map(int, figures))),
            width=720,
            height=420,
            legend_at_bottom=True,
            margin_right=40,
            style=CleanStyle(background="white", plot_background="white"),
            js=(),
            x_labels=[int(size) for size in figures],
            x_value_formatter=lambda value: f"{value:,.0f}",
        )
        for key in keys:
            chart.add(key, [(int(size), max(row[key], 0.01)) for size, row in figures.items()])
        (PLOTS / f"{name}.svg").write_bytes(chart.render() + b"\n")


if __name__ == "__main__":
    main()
