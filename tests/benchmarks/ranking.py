"""What a change to learning does, tried on issues before a day alone: the others stay unseen until the end.

    python tests/benchmarks/ranking.py [--before 2020-07-01] [--seeds 2] FOLDER_OF_PAST_ISSUES POOL.jsonl

Parts the issues before that day into stretches; learns from what was before a stretch, asks about the stretch, and
prints the means over all of them: for ranking over issues, for sections over items. Only this was looked at when words,
features and their scales were chosen, so that `jianbao evaluate --split 2020-07-01` asks about what nobody had seen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
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
from pipelines.newsroom.evaluation import Evaluation, evaluate
from pipelines.rules import load_rules

STRETCHES: Final = 4
LEARNED_FIRST: Final = 0.4
"""Share of the issues that are only ever learned from."""


def main() -> None:
    """Read the issues before the day, part them, learn, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--before", type=date.fromisoformat, default=date(2020, 7, 1))
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    newsletter, rules = load_newsletter(Home(bundled()).newsletter), load_rules(Home(bundled()))
    read = (read_issue(path.read_bytes(), name=path.name, newsletter=newsletter) for path in given.folder.glob("*.md"))
    issues = sorted((issue for issue in read if issue.date < given.before), key=lambda issue: issue.date)
    pool = read_saved(given.pool).items
    found = []
    for seed in range(given.seeds):
        for first, after in _stretches(issues, given.before):
            known = [issue for issue in issues if issue.date < after]
            found.append(evaluate(known, pool, first, seed, newsletter=newsletter, rules=rules))
            _say(f"seed {seed}, {first} to {after}", [found[-1]])
    _say("all", found)


def _stretches(issues: list[Issue], end: date) -> Iterable[tuple[date, date]]:
    """First days of stretches that are asked about, each with the first day after it."""
    start = int(len(issues) * LEARNED_FIRST)
    step = (len(issues) - start) / STRETCHES
    return pairwise([*(issues[start + int(step * at)].date for at in range(STRETCHES)), end])


def _say(what: str, found: list[Evaluation]) -> None:
    issues = [issue for one in found if one.ranking for issue in one.ranking.issues]
    sections = [one.sections for one in found if one.sections]
    items = sum(one.items for one in sections)

    def mean(values: Iterable[float]) -> float:
        return sum(one.items * value for one, value in zip(sections, values, strict=True)) / items

    sys.stdout.write(
        f"{what:34} recall@60 {fmean(one.recall for one in issues):.3f}"
        f"  precision@20 {fmean(one.precision for one in issues):.3f}  AUC {fmean(one.auc for one in issues):.4f}"
        f" | accuracy {mean(one.accuracy for one in sections):.3f}  top-2 {mean(one.top2 for one in sections):.3f}"
        f"  log-loss {mean(one.log_loss for one in sections):.3f}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
