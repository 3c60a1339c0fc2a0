"""How well the learned model does on issues that it has not learned from.

It learns from the issues before a day, and is asked about those from that day on. What it is asked about is seen as a
crawler would have seen it: title, account, address, and the description of a repository. The editor's prefixes,
summaries and label lines are left out. The pool stands for what was there besides. It is halved by lot: one half is
learned from as passed over, the other is only ever drawn from, so that nothing is learned from that is asked about.
`tests/benchmarks/ranking.py` tries a change on issues before a day alone.
"""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any, Final

from crawler.items import RawItem
from crawler.sources import Source
from pipelines.deduplicate.stories import find_evidence, make_stories
from pipelines.group.categories import CategoryRules
from pipelines.group.features import Seen
from pipelines.group.relevance import TopicTerms
from pipelines.group.trained import Learned, categorise_learned, relevance_reasons, score
from pipelines.group.training import Example, issue_examples, learn, seen_entry
from pipelines.issue.entry import EntryView, read_entry
from pipelines.model import Article, Issue, Reason, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.normalise import normalise
from pipelines.normalise.url import NotAWebAddress, canonicalise
from pipelines.rules import Rules
from pipelines.text import fold

DRAWN: Final = 2000
"""Items of the pool that an issue's picks are hidden among."""

LOOKED_AT: Final = 60
"""How many candidates an editor wants to look at."""

AT_THE_TOP: Final = 20
SHOWN: Final = 30
"""How many of the best that were not picked are shown, for a person to judge."""

_PAPERS: Final = ("arxiv:", "doi:")
_POOL: Final = Source.model_construct(id="pool", kind="web", name="pool")


class CannotEvaluate(Exception):
    """There is nothing to learn from or to test on; the message says which."""


@dataclass(frozen=True, slots=True)
class Unpicked:
    """An item that ranked high and was not picked."""

    title: str
    url: str
    source: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class IssueRanking:
    """How an issue's picks ranked among what was drawn for it.

    Args:
        picks: stories of the issue that had not been printed before.
        recall: of the picks, the share among the first `LOOKED_AT`.
        precision: of the first `AT_THE_TOP`, the share that are picks.
        auc: how often a pick ranks before an item that was drawn.
    """

    issue: date
    picks: int
    drawn: int
    recall: float
    precision: float
    auc: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Means over the issues, each issue, and the best that were not picked."""

    recall: float
    precision: float
    auc: float
    issues: tuple[IssueRanking, ...]
    unpicked: tuple[Unpicked, ...]


@dataclass(frozen=True, slots=True)
class Sections:
    """How often an item was put in its section.

    Args:
        accuracy, top2: share of items whose section came first, or first or second.
        macro_f1: mean of the sections' F1.
        log_loss: of the probabilities, in nats; 1.39 is knowing nothing of four sections.
        confusion: by the section that printed it, how many were put where.
    """

    items: int
    accuracy: float
    top2: float
    macro_f1: float
    log_loss: float
    confusion: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model that learned from the issues before the split made of those after it.

    Args:
        learned_issues, learned_items, passed_over: what it learned from; `passed_over`: items of the pool.
        repeats: items of later issues that an earlier one had printed: left out, since the desk would have said so.
        sections: None where too little was known to learn them.
        ranking: None without a pool, or with too small a one.
    """

    split: date
    seed: int
    learned_issues: int
    learned_items: int
    passed_over: int
    tested_issues: int
    repeats: int
    sections: Sections | None
    ranking: Ranking | None

    def to_json(self) -> dict[str, Any]:
        """As one JSON document: dates in ISO 8601, shares of 1."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain


# Items of issues


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a later issue, or one of the pool. `works`: papers that it links, though it leads elsewhere."""

    title: str
    url: str
    seen: Seen
    article: StoredArticle
    category: str | None = None
    works: frozenset[str] = frozenset()


def evaluate(
    issues: Sequence[Issue],
    pool: Sequence[RawItem],
    split: date,
    seed: int,
    *,
    newsletter: Newsletter,
    rules: Rules,
    drawn: int = DRAWN,
    strict: bool = False,
) -> Evaluation:
    """Learn from what was before a day, and see what the model makes of what came from that day on.

    Args:
        issues: past issues, in any order.
        pool: what was there besides; what an issue printed is left out of it, other accounts' reports included.
        split: the first day that is not learned from.
        seed: of the halves, and of what is drawn.
        drawn: how many stories of the pool each issue's picks are hidden among; fewer where the pool has not as many.
        strict: learn of the one half only what is dated before the split.

    Raises:
        CannotEvaluate: no issue before the split, or none from it on.
    """
    ordered = sorted(issues, key=lambda issue: issue.date)
    earlier = [issue for issue in ordered if issue.date < split]
    later = [issue for issue in ordered if issue.date >= split]
    if not earlier or not later:
        raise CannotEvaluate(f"{split}: {len(earlier)} issues before it, {len(later)} from it on; both are needed")
    read = _Reader(newsletter, rules)
    printed = {issue.date: list(read.issue(issue)) for issue in ordered}
    there = [one for item in sorted(pool, key=lambda one: (one.url, one.title)) if (one := read.pool(item))]
    stories = _stories([one.article for items in (*printed.values(), there) for one in items], newsletter)
    out = {stories[one.article.id] for items in printed.values() for one in items}
    left = list(
        {stories[one.article.id]: one for one in reversed(there) if stories[one.article.id] not in out}.values()
    )
    random.Random(seed).shuffle(left)  # noqa: S311  nobody gains from guessing it
    passed_over, hidden = left[: len(left) // 2], left[len(left) // 2 :]
    if strict:
        passed_over = [one for one in passed_over if _before(one.article.article, split)]
    examples = [example for issue in earlier for example in issue_examples(issue, newsletter)]
    items = len(examples)
    examples += [Example(one.seen, picked=False) for one in passed_over]
    categories, topics = CategoryRules.of(newsletter), TopicTerms.of(newsletter)
    learned = learn(examples, categories, topics)
    asked, repeats = _new_items([issue.date for issue in later], printed, stories)
    return Evaluation(
        split=split,
        seed=seed,
        learned_issues=len(earlier),
        learned_items=items,
        passed_over=len(passed_over),
        tested_issues=len(later),
        repeats=repeats,
        sections=_sections([one for items in asked.values() for one in items], learned, categories, topics),
        ranking=_ranking(asked, stories, hidden, learned, topics, seed=seed, drawn=drawn),
    )


class _Reader:
    """Makes items of what issues printed and of what a pool holds; each gets an id of its own."""

    def __init__(self, newsletter: Newsletter, rules: Rules) -> None:
        self._newsletter = newsletter
        self._rules = rules
        self._ids = count(1)

    def pool(self, item: RawItem) -> _Item | None:
        """One of the pool; None where no article can be made of it."""
        try:
            article = normalise(item, _POOL, self._rules)
        except ValueError:
            return None
        return _Item(item.title, article.url, Seen.of_article(article), self._stored(article))

    def issue(self, issue: Issue) -> Iterator[_Item]:
        """All that an issue printed."""
        at = datetime.combine(issue.date, time(), UTC)
        for section in issue.sections:
            category = self._newsletter.category(section.name)
            for entry in section.entries:
                view = read_entry(entry.markdown, self._newsletter)
                yield self._entry(view, at, category.name if category else None)

    def _entry(self, view: EntryView, at: datetime, category: str | None) -> _Item:
        seen = seen_entry(view)
        url = view.url or f"https://nowhere.invalid/{next(self._ids)}"
        raw = RawItem(seen.kind, url, view.title, at, published=at.isoformat(), publisher=view.source)
        with suppress(ValueError):
            article = normalise(raw, _POOL, self._rules)
            works = frozenset(key for key in self._keys(*view.urls) if key.startswith(_PAPERS))
            return _Item(view.title, url, seen, self._stored(article), category, works)
        nowhere = replace(raw, url=f"https://nowhere.invalid/{next(self._ids)}")
        return _Item(view.title, url, seen, self._stored(normalise(nowhere, _POOL, self._rules)), category)

    def _keys(self, *urls: str) -> Iterator[str]:
        for url in urls:
            with suppress(NotAWebAddress):
                yield from canonicalise(url, self._rules).keys

    def _stored(self, article: Article) -> StoredArticle:
        return StoredArticle(next(self._ids), article, (article.url,), (article.source,), article.fetched_at)


def _stories(articles: Sequence[StoredArticle], newsletter: Newsletter) -> dict[int, int]:
    """The story that each article is in: those of one address or one title, and those that evidence joins."""
    story = {
        member: one.id
        for one in make_stories(articles, find_evidence(articles, {}, newsletter.zone), {})
        for member in one.members
    }
    merged: dict[int, int] = {}

    def root(one: int) -> int:
        while one in merged:
            one = merged[one]
        return one

    first: dict[str, int] = {}
    for one in articles:
        for key in (*one.article.keys, _title_key(one.article.title)):
            kept, other = root(first.setdefault(key, story[one.id])), root(story[one.id])
            if kept != other:
                merged[other] = kept
    return {one: root(told) for one, told in story.items()}


def _title_key(title: str) -> str:
    return "title:" + "".join(letter for letter in fold(title) if letter.isalnum())


def _before(article: Article, day: date) -> bool:
    """Whether it is surely older: 2019 is all of 2019."""
    published = article.published.at.date()
    match article.published.precision:
        case "year":
            return published.year < day.year
        case "month":
            return (published.year, published.month) < (day.year, day.month)
        case "first-seen":
            return False
        case _:
            return published < day


def _new_items(
    days: Sequence[date], printed: Mapping[date, Sequence[_Item]], stories: Mapping[int, int]
) -> tuple[dict[date, list[_Item]], int]:
    """By issue, the items that no issue before it had printed, and how many had been: the desk would have said so."""
    fresh: dict[date, list[_Item]] = {}
    repeats = 0
    told: set[int] = set()
    works: set[str] = set()
    for day, items in printed.items():
        if day in days:
            fresh[day] = [one for one in items if stories[one.article.id] not in told and works.isdisjoint(_works(one))]
            repeats += len(items) - len(fresh[day])
        told |= {stories[one.article.id] for one in items}
        works |= {work for one in items for work in _works(one)}
    return fresh, repeats


def _works(one: _Item) -> frozenset[str]:
    return one.works.union(key for key in one.article.article.keys if key.startswith(_PAPERS))


# Sections


def _sections(items: Sequence[_Item], learned: Learned, rules: CategoryRules, topics: TopicTerms) -> Sections | None:
    known = [one for one in items if one.category is not None]
    if not learned.categories or not known:
        return None
    truth = [one.category or "" for one in known]
    scores = [categorise_learned(one.seen, learned, rules, topics).scores for one in known]
    ranked = [sorted(each, key=lambda name, each=each: -each[name]) for each in scores]  # type: ignore[misc]
    names = [category.name for category in rules.categories]
    confusion = {name: dict.fromkeys(names, 0) for name in names}
    for name, order in zip(truth, ranked, strict=True):
        confusion[name][order[0]] += 1
    return Sections(
        items=len(known),
        accuracy=_mean(name == order[0] for name, order in zip(truth, ranked, strict=True)),
        top2=_mean(name in order[:2] for name, order in zip(truth, ranked, strict=True)),
        macro_f1=_mean(_f1(confusion, name) for name in names if name in truth),
        log_loss=_mean(-math.log(max(each.get(name, 0.0), 1e-9)) for name, each in zip(truth, scores, strict=True)),
        confusion=confusion,
    )


def _f1(confusion: Mapping[str, Mapping[str, int]], name: str) -> float:
    """Harmonic mean of precision and recall.

    >>> _f1({"a": {"a": 1, "b": 1}, "b": {"a": 0, "b": 2}}, "b")
    0.8
    """
    right = confusion[name][name]
    said = sum(row[name] for row in confusion.values())
    return 2 * right / (sum(confusion[name].values()) + said) if right else 0.0


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found) if found else 0.0


# Ranking


def _ranking(
    tested: Mapping[date, Sequence[_Item]],
    stories: Mapping[int, int],
    hidden: Sequence[_Item],
    learned: Learned,
    topics: TopicTerms,
    *,
    seed: int,
    drawn: int,
) -> Ranking | None:
    if not learned.relevance or not hidden:
        return None
    scored = [(score(one.seen, learned, topics), one) for one in hidden]
    shown: dict[str, tuple[float, _Item]] = {}
    issues = []
    for day, items in tested.items():
        picks: dict[int, float] = defaultdict(lambda: -math.inf)
        for one in items:
            told = stories[one.article.id]
            picks[told] = max(picks[told], score(one.seen, learned, topics))
        sample = random.Random(f"{seed} {day}").sample(scored, min(drawn, len(scored)))  # noqa: S311
        shown |= {one.url: (value, one) for value, one in sample}
        if picks:
            issues.append(_ranked(day, list(picks.values()), [value for value, _ in sample]))
    best = sorted(shown.values(), key=lambda pair: (-pair[0], pair[1].url))[:SHOWN]
    return Ranking(
        recall=_mean(one.recall for one in issues),
        precision=_mean(one.precision for one in issues),
        auc=_mean(one.auc for one in issues),
        issues=tuple(issues),
        unpicked=tuple(
            Unpicked(one.title, one.url, one.seen.source, round(value, 2), relevance_reasons(one.seen, learned, topics))
            for value, one in best
        ),
    )


def _ranked(day: date, picks: Sequence[float], others: Sequence[float]) -> IssueRanking:
    """Where picks rank; one that scores as an item that was drawn ranks after it."""
    above = [sum(other >= pick for other in others) + at for at, pick in enumerate(sorted(picks, reverse=True))]
    higher = sum(len(others) - (place - at) for at, place in enumerate(above))
    return IssueRanking(
        issue=day,
        picks=len(picks),
        drawn=len(others),
        recall=_mean(place < LOOKED_AT for place in above),
        precision=sum(place < AT_THE_TOP for place in above) / AT_THE_TOP,
        auc=higher / (len(picks) * len(others)),
    )
