"""Measures two figures of a whole store: conference papers that stand with the papers, and reasons cut within a word.

    python tests/benchmarks/reasons.py [--before 2020-07-01] FOLDER_OF_PAST_ISSUES POOL.jsonl

Trains on the issues before that day and on a part of the pool that lies open, and grades another part. A paper is known
by its account, which is the name of a conference and a year (`cvpr2019`), and not by its address, by which the product
knows it. A reason is cut where it does not begin and end with a word of the title as it is printed, by the cuts of
jieba; the product cuts the folded title.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from crawler.home import Home, bundled
from crawler.saved import read_saved
from crawler.sources.schema import Source
from pipelines.group.categories import CategoryRules, categorise
from pipelines.group.features import Description
from pipelines.group.relevance import TopicTerms
from pipelines.group.segmentation import find_cuts
from pipelines.group.trained import FOLDS, categorise_by_model, relevance_reasons
from pipelines.group.training import Example, examples_of_issue, train
from pipelines.issue.reading import read_issue
from pipelines.model import Article, Reason
from pipelines.newsletter import load_newsletter
from pipelines.normalise import normalise
from pipelines.rules import load_rules

GRADED: Final = 1000
"""Articles of the pool whose reasons are looked at; twice as many more lie open in the training."""

_CONFERENCE: Final = re.compile(r"(?:cvpr|iccv|eccv|wacv|iclr|icml|nips|aistats|ijcai)20\d\d")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_POOL: Final = Source.model_construct(id="pool", kind="web", name="pool")


def main() -> None:
    """Read, train, grade, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--before", type=date.fromisoformat, default=date(2020, 7, 1))
    parser.add_argument("--papers", default="论文", help="the category of papers")
    arguments = parser.parse_args()
    newsletter, rules = load_newsletter(Home(bundled()).newsletter), load_rules(Home(bundled()))
    paths = arguments.folder.glob("*.md")
    issues = [read_issue(path.read_bytes(), name=path.name, newsletter=newsletter) for path in paths]
    printed = [
        example for issue in issues if issue.date < arguments.before for example in examples_of_issue(issue, newsletter)
    ]
    raw_items = read_saved(arguments.pool).items
    drawn = random.Random(0).sample(raw_items, min(3 * GRADED, len(raw_items)))
    conference = [raw for raw in raw_items if _CONFERENCE.match(raw.publisher or "")]
    graded, lying_open, papers = (
        [normalise(raw, _POOL, rules) for raw in part] for part in (drawn[:GRADED], drawn[GRADED:], conference)
    )
    categories, topics = CategoryRules.of(newsletter, rules.papers), TopicTerms.of(newsletter)
    model = train([*printed, *_open_examples(lying_open)], categories, topics)
    cold = [categorise(paper, categories).category for paper in papers]
    learned = [
        categorise_by_model(Description.of_article(paper), model, categories, topics).category for paper in papers
    ]
    for label, chosen in (("cold", cold), ("learned", learned)):
        share = chosen.count(arguments.papers) / max(len(chosen), 1)
        sys.stdout.write(f"conference papers in {arguments.papers}, {label:8} {share:.3f} of {len(chosen)}\n")
    names = {topic.name for topic in newsletter.topics}
    checked = []
    for article in graded:
        description = Description.of_article(article)
        reasons = [
            *relevance_reasons(description, model, topics),
            *categorise_by_model(description, model, categories, topics).reasons,
        ]
        checked += [_is_cut(term, article.title) for term in _list_words(reasons, article) if term not in names]
    share = sum(checked) / max(len(checked), 1)
    sys.stdout.write(f"Chinese reasons cut within a word   {share:.4f} of {len(checked)}\n")


def _open_examples(articles: Iterable[Article]) -> Iterable[Example]:
    for number, article in enumerate(articles):
        yield Example(Description.of_article(article), picked=False, fold=number % FOLDS)


def _list_words(reasons: Iterable[Reason], article: Article) -> Iterable[str]:
    """The Chinese words of the title that reasons name."""
    for reason in reasons:
        term = str(reason.values.get("term", ""))
        if reason.code == "reason/term" and _CHINESE.search(term) and term in article.title:
            yield term


def _is_cut(term: str, title: str) -> bool:
    ends = {0, *find_cuts(title)}
    return not any({match.start(), match.end()} <= ends for match in re.finditer(re.escape(term), title))


if __name__ == "__main__":
    main()
