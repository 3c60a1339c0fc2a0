"""Measures how well a model predicts issues outside its training.

The model is trained on the issues before a day, and tested on the issues from that day on. An entry is described as a
crawler would have seen its article: title, account, address, and the summary of a repository, without the editor's
prefixes, summaries and label lines. The pool holds other articles of the time. It is halved by lot: one half is used in
training, as passed over; only the other half is drawn in tests, so no article is both trained on and tested.
`tests/benchmarks/ranking.py` tries a change on the issues before a day alone.
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
from crawler.sources.schema import Source
from pipelines.deduplicate.stories import find_evidence, make_stories
from pipelines.errors import EditorError
from pipelines.group.categories import CategoryRules
from pipelines.group.features import Description
from pipelines.group.relevance import TopicTerms
from pipelines.group.trained import TrainedModel, categorise_by_model, relevance_reasons, score
from pipelines.group.training import Example, describe_entry, examples_of_issue, train
from pipelines.issue.entry import EntryView, read_entry
from pipelines.model import Article, Issue, Reason, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.normalise import normalise
from pipelines.normalise.url import NotAWebAddress, canonicalise
from pipelines.rules import Rules
from pipelines.text import fold
from pipelines.wording import Language

DRAWN: Final = 2000
"""Stories of the pool that are mixed with an issue's picks."""

LOOKED_AT: Final = 60
"""Candidates that an editor looks at for one issue."""

AT_THE_TOP: Final = 20
SHOWN: Final = 30
"""Stories that are listed for a person to judge: the best that were not picked."""

_PAPERS: Final = ("arxiv:", "doi:")
_POOL: Final = Source.model_construct(id="pool", kind="web", name="pool")


class CannotEvaluate(EditorError):
    """There is no issue to train on, or none to test on; the message says which."""


@dataclass(frozen=True, slots=True)
class Unpicked:
    """An article of the pool that ranked high and was not picked."""

    title: str
    url: str
    source: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class IssueRanking:
    """Ranks of an issue's picks among the stories that were drawn for it.

    Args:
        issue: its date.
        picks: number of stories of the issue that no earlier issue printed.
        drawn: number of stories of the pool.
        recall: of the picks, the share among the first `LOOKED_AT`.
        precision: of the first `AT_THE_TOP`, the share that are picks.
        auc: of all pairs of a pick and a drawn story, the share in which the pick ranks first.
    """

    issue: date
    picks: int
    drawn: int
    recall: float
    precision: float
    auc: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Means over the issues, each issue, and the best stories that were not picked."""

    recall: float
    precision: float
    auc: float
    issues: tuple[IssueRanking, ...]
    unpicked: tuple[Unpicked, ...]


@dataclass(frozen=True, slots=True)
class Sections:
    """Quality of the model's choice of sections.

    Args:
        items: number of tested entries.
        accuracy, top2: share of entries whose section came first, or first or second.
        macro_f1: mean of the sections' F1.
        log_loss: of the probabilities, in nats; equal probabilities of four sections give 1.39.
        confusion: numbers of entries, by the section that printed them and the section that the model chose.
    """

    items: int
    accuracy: float
    top2: float
    macro_f1: float
    log_loss: float
    confusion: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Quality of a model that was trained on the issues before the split, on the issues after it.

    Args:
        split: the first day of the tested issues.
        seed: of the halves of the pool and of the draws.
        learned_issues, learned_items: numbers of issues and of entries in the training.
        passed_over: number of articles of the pool in the training.
        tested_issues: number of issues from the split on.
        repeats: number of entries of tested issues that an earlier issue printed; they are left out, since the desk
            marks them.
        sections: None where too few entries were there to train sections.
        ranking: None without a pool, or where the pool is too small.
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

    def to_json(self, language: Language) -> dict[str, Any]:
        """The evaluation as one JSON document: dates in ISO 8601, shares from 0 to 1, reasons in the given language."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        if self.ranking is not None:
            for row, article in zip(plain["ranking"]["unpicked"], self.ranking.unpicked, strict=True):
                row["reasons"] = [
                    {"text": reason.text(language), "weight": reason.weight} for reason in article.reasons
                ]
        return plain


# Entries of issues


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry of an issue, or an article of the pool. `works`: keys of papers that an entry links in label lines."""

    title: str
    url: str
    description: Description
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
    """Train on the issues before a day, and test the model on the issues from that day on.

    Args:
        issues: past issues, in any order.
        pool: other articles of the time; stories that an issue printed are left out, whichever account reported them.
        split: the first day of the tested issues.
        seed: of the halves of the pool and of the draws.
        newsletter: gives categories, topics and labels.
        rules: for the articles of the pool.
        drawn: number of stories of the pool that are mixed with each issue's picks; fewer where the pool has fewer.
        strict: train only on articles of the pool that are dated before the split.

    Raises:
        CannotEvaluate: no issue before the split, or none from it on.
    """
    ordered = sorted(issues, key=lambda issue: issue.date)
    earlier = [issue for issue in ordered if issue.date < split]
    later = [issue for issue in ordered if issue.date >= split]
    if not earlier or not later:
        raise CannotEvaluate("cannot-evaluate", day=split, earlier=len(earlier), later=len(later))
    reader = _Reader(newsletter, rules)
    printed = {issue.date: list(reader.read_issue(issue)) for issue in ordered}
    in_pool = [
        item for raw in sorted(pool, key=lambda raw: (raw.url, raw.title)) if (item := reader.read_pool_item(raw))
    ]
    stories = _stories([item.article for items in (*printed.values(), in_pool) for item in items], newsletter)
    printed_stories = {stories[item.article.id] for items in printed.values() for item in items}
    by_story = {stories[item.article.id]: item for item in reversed(in_pool)}
    unprinted = [item for story, item in by_story.items() if story not in printed_stories]
    random.Random(seed).shuffle(unprinted)  # noqa: S311  nobody gains from guessing it
    passed_over, hidden = unprinted[: len(unprinted) // 2], unprinted[len(unprinted) // 2 :]
    if strict:
        passed_over = [item for item in passed_over if _is_before(item.article.article, split)]
    examples = [example for issue in earlier for example in examples_of_issue(issue, newsletter)]
    entries = len(examples)
    examples += [Example(item.description, picked=False) for item in passed_over]
    categories, topics = CategoryRules.of(newsletter), TopicTerms.of(newsletter)
    model = train(examples, categories, topics)
    tested, repeats = _new_items([issue.date for issue in later], printed, stories)
    return Evaluation(
        split=split,
        seed=seed,
        learned_issues=len(earlier),
        learned_items=entries,
        passed_over=len(passed_over),
        tested_issues=len(later),
        repeats=repeats,
        sections=_test_sections([item for items in tested.values() for item in items], model, categories, topics),
        ranking=_test_ranking(tested, stories, hidden, model, topics, seed=seed, drawn=drawn),
    )


class _Reader:
    """Makes items of issues and of a pool; each gets an id of its own."""

    def __init__(self, newsletter: Newsletter, rules: Rules) -> None:
        self._newsletter = newsletter
        self._rules = rules
        self._ids = count(1)

    def read_pool_item(self, raw: RawItem) -> _Item | None:
        """An article of the pool; None where the raw item gives no article."""
        try:
            article = normalise(raw, _POOL, self._rules)
        except ValueError:
            return None
        return _Item(raw.title, article.url, Description.of_article(article), self._stored(article))

    def read_issue(self, issue: Issue) -> Iterator[_Item]:
        """All entries of an issue."""
        published_at = datetime.combine(issue.date, time(), UTC)
        for section in issue.sections:
            category = self._newsletter.category(section.name)
            for entry in section.entries:
                view = read_entry(entry.markdown, self._newsletter)
                yield self._entry(view, published_at, category.name if category else None)

    def _entry(self, view: EntryView, published_at: datetime, category: str | None) -> _Item:
        description = describe_entry(view)
        url = view.url or f"https://nowhere.invalid/{next(self._ids)}"
        raw = RawItem(
            description.kind,
            url,
            view.title,
            published_at,
            published=published_at.isoformat(),
            publisher=view.source,
        )
        with suppress(ValueError):
            article = normalise(raw, _POOL, self._rules)
            works = frozenset(key for key in self._keys(*view.urls) if key.startswith(_PAPERS))
            return _Item(view.title, url, description, self._stored(article), category, works)
        nowhere = replace(raw, url=f"https://nowhere.invalid/{next(self._ids)}")
        return _Item(view.title, url, description, self._stored(normalise(nowhere, _POOL, self._rules)), category)

    def _keys(self, *urls: str) -> Iterator[str]:
        for url in urls:
            with suppress(NotAWebAddress):
                yield from canonicalise(url, self._rules).keys

    def _stored(self, article: Article) -> StoredArticle:
        return StoredArticle(next(self._ids), article, (article.url,), (article.source,), article.fetched_at)


def _stories(articles: Sequence[StoredArticle], newsletter: Newsletter) -> dict[int, int]:
    """The story of each article, by id: evidence, an equal key or an equal title puts two articles in one story."""
    story_of = {
        member: story.id
        for story in make_stories(articles, find_evidence(articles, {}, newsletter.zone), {})
        for member in story.members
    }
    merged_into: dict[int, int] = {}

    def root(story: int) -> int:
        while story in merged_into:
            story = merged_into[story]
        return story

    first_story: dict[str, int] = {}
    for article in articles:
        for key in (*article.article.keys, _title_key(article.article.title)):
            first, second = root(first_story.setdefault(key, story_of[article.id])), root(story_of[article.id])
            if first != second:
                merged_into[second] = first
    return {article_id: root(story) for article_id, story in story_of.items()}


def _title_key(title: str) -> str:
    return "title:" + "".join(letter for letter in fold(title) if letter.isalnum())


def _is_before(article: Article, day: date) -> bool:
    """Whether the article is surely older than the day: a date of 2019 alone is any day of 2019."""
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
    """The items of each issue that no earlier issue printed, and the number of the others.

    Args:
        days: dates of the issues to test.
        printed: items of all issues by date, in the order of the dates.
        stories: the story of each article, by id.
    """
    fresh: dict[date, list[_Item]] = {}
    repeats = 0
    printed_stories: set[int] = set()
    printed_works: set[str] = set()
    for day, items in printed.items():
        if day in days:
            fresh[day] = [
                item
                for item in items
                if stories[item.article.id] not in printed_stories and printed_works.isdisjoint(_works(item))
            ]
            repeats += len(items) - len(fresh[day])
        printed_stories |= {stories[item.article.id] for item in items}
        printed_works |= {work for item in items for work in _works(item)}
    return fresh, repeats


def _works(item: _Item) -> frozenset[str]:
    return item.works.union(key for key in item.article.article.keys if key.startswith(_PAPERS))


# Sections


def _test_sections(
    items: Sequence[_Item], model: TrainedModel, rules: CategoryRules, topics: TopicTerms
) -> Sections | None:
    categorised = [item for item in items if item.category is not None]
    if not model.categories or not categorised:
        return None
    truth = [item.category or "" for item in categorised]
    scores = [categorise_by_model(item.description, model, rules, topics).scores for item in categorised]
    ranked = [sorted(each, key=lambda name, each=each: -each[name]) for each in scores]  # type: ignore[misc]
    names = [category.name for category in rules.categories]
    confusion = {name: dict.fromkeys(names, 0) for name in names}
    for name, order in zip(truth, ranked, strict=True):
        confusion[name][order[0]] += 1
    return Sections(
        items=len(categorised),
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
    predicted = sum(row[name] for row in confusion.values())
    return 2 * right / (sum(confusion[name].values()) + predicted) if right else 0.0


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return math.fsum(numbers) / len(numbers) if numbers else 0.0


# Ranking


def _test_ranking(
    tested: Mapping[date, Sequence[_Item]],
    stories: Mapping[int, int],
    hidden: Sequence[_Item],
    model: TrainedModel,
    topics: TopicTerms,
    *,
    seed: int,
    drawn: int,
) -> Ranking | None:
    if not model.relevance or not hidden:
        return None
    scored = [(score(item.description, model, topics), item) for item in hidden]
    drawn_once: dict[str, tuple[float, _Item]] = {}
    issues = []
    for day, items in tested.items():
        picks: dict[int, float] = defaultdict(lambda: -math.inf)
        for item in items:
            story = stories[item.article.id]
            picks[story] = max(picks[story], score(item.description, model, topics))
        sample = random.Random(f"{seed} {day}").sample(scored, min(drawn, len(scored)))  # noqa: S311
        drawn_once |= {item.url: (item_score, item) for item_score, item in sample}
        if picks:
            issues.append(_rank_issue(day, list(picks.values()), [item_score for item_score, _ in sample]))
    best = sorted(drawn_once.values(), key=lambda pair: (-pair[0], pair[1].url))[:SHOWN]
    return Ranking(
        recall=_mean(ranking.recall for ranking in issues),
        precision=_mean(ranking.precision for ranking in issues),
        auc=_mean(ranking.auc for ranking in issues),
        issues=tuple(issues),
        unpicked=tuple(
            Unpicked(
                item.title,
                item.url,
                item.description.source,
                round(item_score, 2),
                relevance_reasons(item.description, model, topics),
            )
            for item_score, item in best
        ),
    )


def _rank_issue(day: date, picks: Sequence[float], drawn: Sequence[float]) -> IssueRanking:
    """Rank an issue's picks among the drawn stories; of equal scores, the drawn story ranks first.

    Args:
        day: of the issue.
        picks: scores of its stories.
        drawn: scores of the stories of the pool.
    """
    ranks = [
        sum(drawn_score >= pick for drawn_score in drawn) + index
        for index, pick in enumerate(sorted(picks, reverse=True))
    ]
    pairs_won = sum(len(drawn) - (rank - index) for index, rank in enumerate(ranks))
    return IssueRanking(
        issue=day,
        picks=len(picks),
        drawn=len(drawn),
        recall=_mean(rank < LOOKED_AT for rank in ranks),
        precision=sum(rank < AT_THE_TOP for rank in ranks) / AT_THE_TOP,
        auc=pairs_won / (len(picks) * len(drawn)),
    )
