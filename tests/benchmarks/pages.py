"""How well article pages of any site are read: title, date, main text, on public evaluation sets.

    python tests/benchmarks/pages.py --half seen --trafilatura DIR --extraction DIR --gne DIR --htmldate DIR

Each DIR is a checkout of the repository of that name, none of which is part of this one: adbar/trafilatura (`tests/`),
scrapinghub/article-extraction-benchmark, GeneralNewsExtractor (with a file `truth.tsv` of its pages beside `tests`:
path, title, date), adbar/htmldate (`tests/`). JIANBAO_CORPUS adds the WeChat and Zhihu pages of the corpus.

A page belongs to one half by the hash of its file's name, so that work on one half leaves the other unread. Prints for
each set: pages, pages that raised an error, titles that are right among those known; dates right, missing and wrong
among pages that state one, and dates of pages that state none; F1 of the main text beside trafilatura's own; processor
time of the page function for a page, in milliseconds, and how many times that of plain trafilatura on the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any, Final

import trafilatura

from crawler.errors import CrawlError
from crawler.home import Home, bundled
from crawler.items import Reply
from crawler.pages import PAGES
from crawler.sources.schema import Source
from crawler.spiders.route import page_for
from pipelines.model import Article
from pipelines.normalise import normalise
from pipelines.rules import Rules, load_rules

FETCHED_AT: Final = datetime(2026, 11, 28, 4, tzinfo=UTC)
SOURCE: Final = Source(id="benchmark", kind="web", name="Benchmark", url="https://benchmark.example/")


@dataclass(frozen=True, slots=True)
class Case:
    """A page and the facts that its evaluation set states about it; None where the set says nothing.

    Args:
        name: of the file, inside its set.
        date: `2026-11-07`; empty where the set says that the page has none.
        wanted, unwanted: passages that the main text has, and has not.
        body: the whole main text.
    """

    name: str
    url: str
    path: Path
    title: str | None = None
    date: str | None = None
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one page was read. Each count of passages is true positives, false positives, false negatives.

    Args:
        titles, dates: the page's and the article's.
        seconds, trafilatura_seconds: processor time of the page function, and of plain trafilatura.
    """

    name: str
    error: str = ""
    verdicts: tuple[str, ...] = ()
    titles: tuple[str, str] = ("", "")
    dates: tuple[str, str] = ("", "")
    passages: tuple[int, int, int] = (0, 0, 0)
    trafilatura_passages: tuple[int, int, int] = (0, 0, 0)
    body_f1: float | None = None
    trafilatura_body_f1: float | None = None
    seconds: float = 0.0
    trafilatura_seconds: float = 0.0


@dataclass(slots=True)
class Score:
    """The sums over a set."""

    counts: Counter[str] = field(default_factory=Counter)
    passages: list[tuple[int, int, int]] = field(default_factory=list)
    trafilatura_passages: list[tuple[int, int, int]] = field(default_factory=list)
    bodies: list[float] = field(default_factory=list)
    trafilatura_bodies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    trafilatura_seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one page in."""
        self.counts.update(["pages", *outcome.verdicts, *(["error"] if outcome.error else [])])
        self.seconds += outcome.seconds
        self.trafilatura_seconds += outcome.trafilatura_seconds
        self.passages.append(outcome.passages)
        self.trafilatura_passages.append(outcome.trafilatura_passages)
        if outcome.body_f1 is not None and outcome.trafilatura_body_f1 is not None:
            self.bodies.append(outcome.body_f1)
            self.trafilatura_bodies.append(outcome.trafilatura_body_f1)


# --- the sets -----------------------------------------------------------------------------------------------------


def read_trafilatura(folder: Path) -> Iterator[Case]:
    """The pages of `tests/evaldata.json`; 851 of 990 state title and date."""
    for url, row in json.loads((folder / "tests/evaldata.json").read_text("utf-8")).items():
        places = (folder / "tests" / name / row["file"] for name in ("cache", "eval"))
        path = next((place for place in places if place.is_file()), None)
        if path is not None:
            yield Case(
                row["file"], web_address(url, row["file"]), path,
                row.get("title") or None, stated_day(row.get("date", "?")), tuple(row["with"]), tuple(row["without"]),
            )  # fmt: skip


def read_extraction(folder: Path) -> Iterator[Case]:
    """The pages of `ground-truth.json`, which has their whole text."""
    for name, row in json.loads((folder / "ground-truth.json").read_text("utf-8")).items():
        url = row["url"] if "://" in row["url"] else f"https://{row['url']}"
        yield Case(name, url, folder / "html" / f"{name}.html.gz", body=row["articleBody"])


def read_gne(folder: Path) -> Iterator[Case]:
    """The pages that `truth.tsv` names."""
    with (folder / "truth.tsv").open(encoding="utf-8") as file:
        for name, url, title, date in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Case(name, url, folder / "tests" / name, title or None, date)


def read_htmldate(folder: Path) -> Iterator[Case]:
    """The pages of both lists of dates."""
    for name in ("eval_default.json", "eval_mediacloud_2020.json"):
        for url, row in json.loads((folder / "tests" / name).read_text("utf-8")).items():
            places = (folder / "tests" / place / row["file"] for place in ("cache", "eval", "test_set"))
            path = next((place for place in places if place.is_file()), None)
            if path is not None:
                yield Case(row["file"], web_address(url, row["file"]), path, date=stated_day(row.get("date")))


def read_corpus(folder: Path) -> Iterator[Case]:
    """The article pages of the corpus whose table states title and time."""
    for name, row in json.loads((folder / "wechat/expected.json").read_text("utf-8")).items():
        stated, epoch = row.get("gold_from_repo_table") or {}, row.get("derived_ct_epoch")
        if row["page_type"] in {"normal", "article-share"}:
            day = datetime.fromtimestamp(int(epoch), UTC).date().isoformat() if epoch else None
            yield Case(
                name, stated.get("url") or "https://mp.weixin.qq.com/s/", folder / name, stated.get("title"), day
            )
    for path in sorted((folder / "zhihu/zhuanlan-2026").glob("*.meta.json")):
        page = path.with_name(path.name.replace(".meta.json", ".html"))
        title = json.loads(path.read_text("utf-8")).get("title")
        yield Case(page.name, f"https://zhuanlan.zhihu.com/p/{page.stem}", page, title)


def stated_day(written: str | None) -> str | None:
    """The day that a set states; empty where it states that there is none, None where it is no day."""
    numbers = re.findall(r"\d+", str(written or ""))
    try:
        return date(*map(int, numbers)).isoformat() if numbers else None if written == "?" else ""
    except (TypeError, ValueError):
        return None


def web_address(url: str, name: str) -> str:
    """The address of a page; some pages of the sets have none."""
    return url if url.startswith("http") else f"https://page.example/{name}"


READERS: Final = {
    "trafilatura": read_trafilatura,
    "extraction": read_extraction,
    "gne": read_gne,
    "htmldate": read_htmldate,
    "corpus": read_corpus,
}


def belongs_to(half: str, name: str) -> bool:
    """Whether the file is in the half; each half has half of every set."""
    is_seen = sha256(name.encode()).digest()[0] % 2 == 0
    return half == "both" or is_seen == (half == "seen")


# --- one page -----------------------------------------------------------------------------------------------------


@cache
def rules() -> Rules:
    """The tables of the bundled newsletter."""
    return load_rules(Home(bundled()))


def read_case(case: Case, *, beside: bool = True) -> Outcome:
    """Read one page.

    Args:
        case: the page.
        beside: read it with trafilatura, too.
    """
    body = case.path.read_bytes()
    body = gzip.decompress(body) if case.path.suffix == ".gz" else body
    reply = Reply(case.url, 200, {"content-type": "text/html"}, body, FETCHED_AT)
    article, items, error = None, (), ""
    started = process_time()
    try:
        items = PAGES[page_for(reply)](reply).items
        read_at = process_time()
        article = normalise(items[0], SOURCE, rules())
    except (CrawlError, IndexError) as failure:
        error, read_at = f"{type(failure).__name__}: {failure}"[:200], process_time()
    text = article.text if article else ""
    other_started = process_time()
    other = (trafilatura.extract(body, include_comments=False, include_tables=True) or "") if beside else ""
    seconds, other_seconds = read_at - started, process_time() - other_started
    verdicts, titles, dates = [], ("", ""), ("", "")
    if case.title is not None:
        titles = (case.title, article.title if article else "")
        verdicts.append("title right" if article and is_same_title(case.title, article) else "title wrong")
    if case.date is not None:
        source = items[0].facts.get("date_source", "") if article else ""
        dates = (case.date, f"{day_of(article)} {source}".strip())
        verdicts.append(date_verdict(case.date, article))
    has_body = case.body is not None
    return Outcome(
        case.name, error, tuple(verdicts), titles, dates,
        count_passages(case, text), count_passages(case, other),
        f1_of_shingles(case.body or "", text) if has_body else None,
        f1_of_shingles(case.body or "", other) if has_body else None,
        seconds, other_seconds,
    )  # fmt: skip


def is_same_title(title: str, article: Article) -> bool:
    """Whether the article's title is this one, apart from case and punctuation: whole, or but for a part at an end.

    A part is a lead or a tail that the article's own fields have, or up to two fifths of the longer title: sets differ
    in whether a title has its kicker (Interview: …).
    """
    parts = (article.title_lead or "", article.title, article.title_tail or "")
    stated = fold(title)
    for read in map(fold, (article.title, "".join(parts), "".join(parts[1:]), "".join(parts[:2]))):
        shorter, longer = sorted((stated, read), key=len)
        is_end = longer.startswith(shorter) or longer.endswith(shorter)
        if shorter == longer or (shorter and is_end and 5 * len(shorter) >= 3 * len(longer)):
            return True
    return False


def fold(text: str) -> str:
    """Letters and digits alone."""
    return re.sub(r"[\W_]+", "", text).casefold()


def day_of(article: Article | None) -> str:
    """The day of publication as the page writes it; empty where it is not known to the day."""
    if article is None or article.published.precision in {"first-seen", "month", "year"}:
        return ""
    return article.published.at.date().isoformat()


def date_verdict(stated: str, article: Article | None) -> str:
    """Compare the stated day with the article's; a time with its zone may be the day before or after elsewhere."""
    day = day_of(article)
    if not stated:
        return "date invented" if day else "date rightly missing"
    if not day or article is None:
        return "date missing"
    has_zone = re.search(r":\d\d.*(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$", article.published.raw or "")
    apart = abs(date.fromisoformat(day) - date.fromisoformat(stated))
    return "date right" if apart <= timedelta(days=1 if has_zone else 0) else "date wrong"


def count_passages(case: Case, text: str) -> tuple[int, int, int]:
    """As trafilatura's own evaluation counts them: passages as substrings, white space made one."""
    line = " ".join(text.split())
    present = sum(" ".join(passage.split()) in line for passage in case.wanted)
    return present, sum(" ".join(passage.split()) in line for passage in case.unwanted), len(case.wanted) - present


def f1_of_shingles(body: str, text: str) -> float:
    """As article-extraction-benchmark counts it: runs of four words, each as often as it occurs."""
    stated, extracted = shingles(body), shingles(text)
    common = sum((stated & extracted).values())
    total = sum(stated.values()) + sum(extracted.values())
    return 2 * common / total if total else 1.0


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """The runs of four words of a text."""
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[start : start + 4]) for start in range(max(1, len(words) - 3))) if words else Counter()


# --- the table ----------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> str:
    """A share, or nothing of nothing."""
    return f"{part / whole:6.3f}" if whole else "     –"


def f1_of(passages: Iterable[tuple[int, int, int]]) -> float:
    """F1 of counted passages; 0 for none."""
    present, unwanted, missing = (sum(column) for column in zip(*passages, strict=True))
    return 2 * present / (2 * present + unwanted + missing) if present else 0.0


def write_line(line: str) -> None:
    """Print a line at once: a set takes a minute."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def print_score(name: str, score: Score) -> None:
    """One line of the table."""
    counts = score.counts
    stated = counts["date right"] + counts["date missing"] + counts["date wrong"]
    undated = counts["date invented"] + counts["date rightly missing"]
    bodies = (score.bodies, score.trafilatura_bodies)
    passages = (score.passages, score.trafilatura_passages)
    text = (
        [f"{sum(f1s) / len(f1s):.3f}" for f1s in bodies]
        if score.bodies
        else [f"{f1_of(all_):.3f}" for all_ in passages]
    )
    write_line(
        f"{name:12} {counts['pages']:5} {counts['error']:5}"
        f"  {share(counts['title right'], counts['title right'] + counts['title wrong'])}"
        f"   {stated:4} {share(counts['date right'], stated)} {share(counts['date missing'], stated)}"
        f" {share(counts['date wrong'], stated)} {counts['date invented']:5}/{undated:<4} {text[0]:>7} {text[1]:>7}"
        f"        {1000 * score.seconds / max(1, counts['pages']):6.1f} {share_of_time(score)}"
    )


def share_of_time(score: Score) -> str:
    """The processor time of all pages as a multiple of trafilatura's; nothing where it was left out."""
    is_beside = 10 * score.trafilatura_seconds > score.seconds
    return f"{score.seconds / score.trafilatura_seconds:6.2f}" if is_beside else "     –"


def print_examples(outcomes: Sequence[Outcome], verdict: str, limit: int) -> None:
    """Pages of one verdict, or those with an error."""
    chosen = [outcome for outcome in outcomes if verdict in outcome.verdicts or (verdict == "error" and outcome.error)]
    for outcome in chosen[:limit]:
        pair = outcome.titles if verdict.startswith("title") else outcome.dates
        write_line(f"    {outcome.name}: {' | '.join(pair)} {outcome.error}")


def main() -> None:
    """Read the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in READERS:
        default = os.environ.get("JIANBAO_CORPUS") if name == "corpus" else None
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", default=default)
    parser.add_argument("--half", choices=("seen", "unseen", "both"), default="seen")
    parser.add_argument("--list", metavar="VERDICT", help="print pages of one verdict: 'title wrong', 'error'")
    parser.add_argument("--most", type=int, default=50, metavar="N", help="print so many of them")
    parser.add_argument("--alone", action="store_true", help="leave trafilatura out, which halves the time")
    parser.add_argument("--dump", type=Path, metavar="FILE", help="write each page's outcome as JSON lines")
    options = parser.parse_args()
    heads = "set          pages error  titles  dated  right missing  wrong  invented    text  trafilatura's"
    write_line(f"{heads}      ms  times")
    dumped: list[dict[str, Any]] = []
    with ProcessPoolExecutor(2) as pool:
        for name, reader in READERS.items():
            folder: Path | None = getattr(options, name)
            if folder is None:
                continue
            cases = [case for case in reader(folder) if belongs_to(options.half, case.name)]
            outcomes = list(pool.map(partial(read_case, beside=not options.alone), cases, chunksize=8))
            score = Score()
            for outcome in outcomes:
                score.add(outcome)
            print_score(name, score)
            if options.list:
                print_examples(outcomes, options.list, options.most)
            dumped += [
                {"set": name, **{slot: getattr(outcome, slot) for slot in outcome.__slots__}} for outcome in outcomes
            ]
    if options.dump:
        options.dump.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dumped), "utf-8")


if __name__ == "__main__":
    main()
