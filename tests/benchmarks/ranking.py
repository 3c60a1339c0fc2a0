"""Tries a change of learning on the issues before a day alone: the others stay unseen until the end.

    python tests/benchmarks/ranking.py [--before 2020-07-01] [--from archive] FOLDER_OF_PAST_ISSUES POOL.jsonl

Parts the issues before that day into stretches, and asks about each stretch as `jianbao evaluate` does: trained on the
issues before the stretch, mixed with stories that are not older than it. Prints the means over issues and items. Only
these figures were looked at when features and their scales were chosen, so `jianbao evaluate --split 2020-07-01` asks
about issues that nobody had seen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Final

from crawler.home import Home, bundled
from crawler.saved import read_saved
from pipelines.issue.reading import read_issue
from pipelines.model import Issue
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.stages.evaluation import STARTS, Evaluation, evaluate
from pipelines.rules import load_rules

STRETCHES: Final = 3
TRAINED_FIRST: Final = 0.4
"""Share of the issues that are only trained on."""


def main() -> None:
    """Read the issues before the day, part them, train, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--before", type=date.fromisoformat, default=date(2020, 7, 1))
    parser.add_argument("--from", dest="starts", action="append", choices=STARTS)
    arguments = parser.parse_args()
    newsletter, rules = load_newsletter(Home(bundled()).newsletter), load_rules(Home(bundled()))
    paths = arguments.folder.glob("*.md")
    read = (read_issue(path.read_bytes(), name=path.name, newsletter=newsletter) for path in paths)
    issues = sorted((issue for issue in read if issue.date < arguments.before), key=lambda issue: issue.date)
    pool = read_saved(arguments.pool).items
    starts = arguments.starts or ["cold", "archive"]
    evaluations = []
    for first, after in _part(issues, arguments.before):
        asked = [issue for issue in issues if issue.date < after]
        evaluations.append(evaluate(asked, pool, first, 0, newsletter=newsletter, rules=rules, starts=starts))
        _print(f"{first} to {after}", evaluations[-1:])
    _print("all", evaluations)


def _part(issues: Sequence[Issue], end: date) -> Iterable[tuple[date, date]]:
    """First days of the stretches, each with the first day after it."""
    start = int(len(issues) * TRAINED_FIRST)
    step = (len(issues) - start) / STRETCHES
    return pairwise([*(issues[start + int(step * number)].date for number in range(STRETCHES)), end])


def _print(label: str, evaluations: Sequence[Evaluation]) -> None:
    for index, ranking in enumerate(evaluations[0].rankings):
        rows = [row for evaluation in evaluations for row in evaluation.rankings[index].issues]
        recall, precision = fmean(row.recall for row in rows), fmean(row.precision for row in rows)
        sys.stdout.write(f"{label:26} {ranking.start:8} recall@60 {recall:.3f}  precision@20 {precision:.3f}\n")
    for index, sections in enumerate(evaluations[0].sections):
        rows_of_ways = [evaluation.sections[index] for evaluation in evaluations]
        items = sum(row.items for row in rows_of_ways)
        accuracy = sum(row.items * row.accuracy for row in rows_of_ways) / items
        top2 = sum(row.items * row.top2 for row in rows_of_ways) / items
        sys.stdout.write(f"{label:26} {sections.basis:8} accuracy {accuracy:.3f}  top-2 {top2:.3f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
