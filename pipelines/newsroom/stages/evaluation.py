"""Measures how well the product serves an editor, forward in time: nothing is asked about that it could know.

The issues from a day on are asked about, one after the other. For each, its stories that no earlier issue printed are
mixed with other stories that are dated from that day on, and all are ranked by what a store knows then. An entry is
described as a crawler would have seen its article: title, account, address, and the summary of a repository, without
the editor's prefixes, summaries and label lines.

Nothing that is ranked is told to the model that ranks it: all stories of the mixture lie open in the store, and each is
scored by a model that was not trained on it, as the product does.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any, Final, Literal, get_args

from crawler.items import RawItem
from crawler.sources.schema import Source
from pipelines.deduplicate.stories import find_evidence, make_stories
from pipelines.errors import EditorError
from pipelines.group.categories import CategoryRules, categorise
from pipelines.group.features import TEXT_CHARACTERS, Description, account_of
from pipelines.group.measures import (
    Interval,
    bootstrap,
    calibration_error,
    calibration_floor,
    f1,
    mean,
    probabilities_of,
    ranks_among,
)
from pipelines.group.relevance import TopicTerms, topic_reasons, total
from pipelines.group.trained import (
    TrainedModel,
    categorise_by_model,
    fold_of,
    relevance_reasons,
    score,
)
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

Start = Literal["cold", "archive", "first", "pool", "rolling"]
"""What the store knows when an issue is asked about, besides the stories that are ranked:

- cold: nothing but the newsletter's rules
- archive: the issues before the split: a new user's first fortnight
- first: also the first issue from the split on, and the stories that were mixed with it
- pool: the issues before the split, and all stories of the pool that are surely older
- rolling: the issues before the split; each issue is imported after it was asked about. The first two are not counted
"""

STARTS: Final[tuple[Start, ...]] = get_args(Start)

SectionBasis = Literal["rules", "title", "opening"]
"""How a section is chosen: by the rules alone; by the model from the title; by the model from title and opening."""

_NOT_COUNTED: Final[Mapping[Start, int]] = {"first": 1, "rolling": 2}
_PAPERS: Final = ("arxiv:", "doi:")
_POOL: Final = Source.model_construct(id="pool", kind="web", name="pool")


class CannotEvaluate(EditorError):
    """There is no issue to train on, or none to test on; the message says which."""


@dataclass(frozen=True, slots=True)
class Unpicked:
    """A story of the pool that ranked high and was not picked."""

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
class Slice:
    """Some of the picks of all issues: how many, and the share among the first `LOOKED_AT`."""

    picks: int
    recall: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Means over the issues, each issue, and the best stories that were not picked.

    Args:
        start: what the store knew.
        recall, precision, auc: means over the issues.
        recall_interval, precision_interval: of the means, by bootstrap over the issues.
        calibration: calibration error of the probabilities, each issue's summing to the entries of an issue.
        slices: by name: picks by section, and of accounts that no issue of the training printed (`new account`).
        issues: in the order of their dates.
        unpicked: best first.
    """

    start: Start
    recall: float
    precision: float
    auc: float
    recall_interval: Interval
    precision_interval: Interval
    calibration: float
    slices: Mapping[str, Slice]
    issues: tuple[IssueRanking, ...]
    unpicked: tuple[Unpicked, ...]


@dataclass(frozen=True, slots=True)
class Sections:
    """Quality of the choice of sections.

    Args:
        basis: what the choice reads.
        items: number of tested entries.
        accuracy, top2: share of entries whose section came first, or first or second.
        macro_f1: mean of the sections' F1.
        log_loss: of the probabilities, in nats; equal probabilities of four sections give 1.39.
        calibration: calibration error of the first section's probability.
        floor: the calibration error that right probabilities show by chance on so many entries.
        confusion: numbers of entries, by the section that printed them and the section that was chosen.
    """

    basis: SectionBasis
    items: int
    accuracy: float
    top2: float
    macro_f1: float
    log_loss: float
    calibration: float
    floor: float
    confusion: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well the issues from the split on were ranked and put in sections.

    Args:
        split: the first day of the tested issues.
        seed: of the draws.
        learned_issues, learned_items: numbers of issues and of entries before the split.
        tested_issues: number of issues from the split on.
        repeats: number of entries of tested issues that an earlier issue printed; they are left out, since the desk
            marks them.
        older, newer: numbers of the pool's stories that are surely older than the split, and of all others.
        sections: by the rules, and by the model where there were enough entries to train one.
        rankings: one a start; none without a pool.
    """

    split: date
    seed: int
    learned_issues: int
    learned_items: int
    tested_issues: int
    repeats: int
    older: int
    newer: int
    sections: tuple[Sections, ...]
    rankings: tuple[Ranking, ...]

    def to_json(self, language: Language) -> dict[str, Any]:
        """The evaluation as one JSON document: dates in ISO 8601, shares from 0 to 1, reasons in the given language."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        for document, ranking in zip(plain["rankings"], self.rankings, strict=True):
            for row, article in zip(document["unpicked"], ranking.unpicked, strict=True):
                row["reasons"] = [
                    {"text": reason.text(language), "weight": reason.weight} for reason in article.reasons
                ]
        return plain


# Entries of issues


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry of an issue, or an article of the pool. `works`: keys of papers that an entry links in label lines.

    `opening` is an entry's summary, mostly in the words of the article; only the choice of sections may read it.
    """

    title: str
    url: str
    description: Description
    article: StoredArticle
    category: str | None = None
    works: frozenset[str] = frozenset()
    opening: str = ""


def evaluate(
    issues: Sequence[Issue],
    pool: Sequence[RawItem],
    split: date,
    seed: int,
    *,
    newsletter: Newsletter,
    rules: Rules,
    starts: Sequence[Start] = STARTS,
    drawn: int = DRAWN,
) -> Evaluation:
    """Ask about the issues from a day on, one after the other.

    Args:
        issues: past issues, in any order.
        pool: other articles of the time; stories that an issue printed are left out, whichever account reported them.
        split: the first day of the tested issues.
        seed: of the draws.
        newsletter: gives categories, topics and labels.
        rules: for the articles of the pool.
        starts: what the store knows; a ranking for each.
        drawn: number of stories of the pool that are mixed with each issue's picks; fewer where the pool has fewer.

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
    unprinted = [item for story, item in sorted(by_story.items()) if story not in printed_stories]
    older = [item for item in unprinted if _is_before(item.article.article, split)]
    newer = [item for item in unprinted if not _is_before(item.article.article, split)]
    answered, repeats = _new_items([issue.date for issue in later], printed, stories)
    examples = {issue.date: examples_of_issue(issue, newsletter) for issue in ordered}
    newsroom = _Newsroom(CategoryRules.of(newsletter, rules.papers), TopicTerms.of(newsletter), newsletter.per_issue)
    earlier_examples = [example for issue in earlier for example in examples[issue.date]]
    mixtures = [
        _Mixture(
            day,
            tuple({stories[item.article.id]: item for item in reversed(items)}.values()),
            tuple(random.Random(f"{seed} {day}").sample(newer, min(drawn, len(newer)))),  # noqa: S311
        )
        for day, items in answered.items()
        if items
    ]
    return Evaluation(
        split=split,
        seed=seed,
        learned_issues=len(earlier),
        learned_items=len(earlier_examples),
        tested_issues=len(later),
        repeats=repeats,
        older=len(older),
        newer=len(newer),
        sections=newsroom.test_sections([item for items in answered.values() for item in items], earlier_examples),
        rankings=tuple(
            newsroom.test_ranking(start, mixtures, earlier_examples, examples, older, seed) for start in starts if newer
        ),
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
        return _Item(
            raw.title, article.url, replace(Description.of_article(article), opening=""), self._stored(article)
        )

    def read_issue(self, issue: Issue) -> Iterator[_Item]:
        """All entries of an issue."""
        published_at = datetime.combine(issue.date, time(), UTC)
        for section in issue.main_sections:
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
            opening = " ".join(view.summary)[:TEXT_CHARACTERS]
            return _Item(view.title, url, description, self._stored(article), category, works, opening)
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


# The newsroom that is asked


@dataclass(frozen=True, slots=True)
class _Mixture:
    """What an issue was chosen from: its own stories, and others."""

    day: date
    picks: tuple[_Item, ...]
    drawn: tuple[_Item, ...]

    @property
    def stories(self) -> tuple[_Item, ...]:
        return (*self.picks, *self.drawn)


@dataclass(frozen=True, slots=True)
class _Newsroom:
    """The rules of the newsletter, and the number of entries of an issue."""

    categories: CategoryRules
    topics: TopicTerms
    per_issue: int

    def test_ranking(  # noqa: PLR0917  the whole of what is asked
        self,
        start: Start,
        mixtures: Sequence[_Mixture],
        earlier_examples: Sequence[Example],
        examples: Mapping[date, Sequence[Example]],
        older: Sequence[_Item],
        seed: int,
    ) -> Ranking:
        """Rank each mixture by what the store knows then.

        Args:
            start: what the store knows at first.
            mixtures: in the order of their dates.
            earlier_examples: examples of the issues before the split.
            examples: of all issues, by date.
            older: stories of the pool that are surely older than the split.
            seed: of the bootstrap.
        """
        training = [] if start == "cold" else [replace(example, category=None) for example in earlier_examples]
        lying_open = [(item, item.article.article.published.at.date()) for item in older] if start == "pool" else []
        answered = []
        for index, mixture in enumerate(mixtures):
            model = self._train(training, [*lying_open, *((item, mixture.day) for item in mixture.stories)])
            if index >= min(_NOT_COUNTED.get(start, 0), len(mixtures) - 1):
                accounts = {account_of(example.description.source) for example in training}
                answered.append(self._ask(mixture, model, accounts))
            if start == "rolling" or (start == "first" and index == 0):
                training += [replace(example, category=None) for example in examples[mixture.day]]
                there = {item.article.id for item, _ in lying_open}
                lying_open += [(item, mixture.day) for item in mixture.drawn if item.article.id not in there]
        picks = [pick for answers in answered for pick in answers.picks]
        parts = {"new account": [pick for pick in picks if pick.is_new_account]}
        for category in self.categories.categories:
            parts[category.name] = [pick for pick in picks if pick.section == category.name]
        rankings = [answers.ranking for answers in answered]
        return Ranking(
            start=start,
            recall=_mean_recall(rankings),
            precision=_mean_precision(rankings),
            auc=mean(ranking.auc for ranking in rankings),
            recall_interval=bootstrap(rankings, _mean_recall, seed),
            precision_interval=bootstrap(rankings, _mean_precision, seed),
            calibration=calibration_error(
                [probability for answers in answered for probability in answers.probabilities],
                [outcome for answers in answered for outcome in answers.outcomes],
            ),
            slices={
                name: Slice(len(chosen), mean(pick.rank < LOOKED_AT for pick in chosen))
                for name, chosen in parts.items()
                if chosen
            },
            issues=tuple(rankings),
            unpicked=_best({item.url: item for answers in answered for item in answers.unpicked}.values()),
        )

    def _train(self, training: Sequence[Example], lying_open: Sequence[tuple[_Item, date]]) -> TrainedModel:
        examples = [
            Example(item.description, picked=False, fold=fold_of(item.article.id), day=day)
            for item, day in {item.article.id: (item, day) for item, day in lying_open}.values()
        ]
        return train([*training, *examples], self.categories, self.topics)

    def _ask(self, mixture: _Mixture, model: TrainedModel, accounts: set[str]) -> _Answers:
        picks = [self._score(item, model) for item in mixture.picks]
        drawn = [self._score(item, model) for item in mixture.drawn]
        ranks = ranks_among(picks, drawn)
        pairs_won = sum(len(drawn) - rank for rank in ranks) + len(picks) * (len(picks) - 1) // 2
        best = sorted(zip(drawn, mixture.drawn, strict=True), key=lambda pair: (-pair[0], pair[1].url))[:SHOWN]
        return _Answers(
            IssueRanking(
                issue=mixture.day,
                picks=len(picks),
                drawn=len(drawn),
                recall=mean(rank < LOOKED_AT for rank in ranks),
                precision=sum(rank < AT_THE_TOP for rank in ranks) / AT_THE_TOP,
                auc=pairs_won / (len(picks) * len(drawn)),
            ),
            tuple(
                _Pick(rank, item.category, bool(name) and name not in accounts)
                for rank, item in zip(ranks, mixture.picks, strict=True)
                for name in [account_of(item.description.source)]
            ),
            tuple(probabilities_of([*picks, *drawn], self.per_issue)),
            (*(True for _ in picks), *(False for _ in drawn)),
            tuple(
                Unpicked(
                    item.title, item.url, item.description.source, round(item_score, 2), self._reasons(item, model)
                )
                for item_score, item in best
            ),
        )

    def _score(self, item: _Item, model: TrainedModel) -> float:
        if model.relevance:
            return score(item.description, model, self.topics, fold_of(item.article.id))
        return total(self._reasons(item, model))

    def _reasons(self, item: _Item, model: TrainedModel) -> tuple[Reason, ...]:
        if model.relevance:
            return relevance_reasons(item.description, model, self.topics, fold_of(item.article.id))
        return topic_reasons(item.description, self.topics, model.rarity)

    def test_sections(self, items: Sequence[_Item], earlier_examples: Sequence[Example]) -> tuple[Sections, ...]:
        """Choose the section of each item, by the rules, by a model from the title, and with the opening.

        Args:
            items: of the tested issues.
            earlier_examples: examples of the issues before the split.
        """
        items = [item for item in items if item.category is not None]
        if not items:
            return ()
        model = train([replace(example, picked=None) for example in earlier_examples], self.categories, self.topics)

        def choose(item: _Item, basis: SectionBasis) -> Mapping[str, float]:
            if basis == "rules":
                return categorise(item.article.article, self.categories).scores
            works = item.description.works if basis == "opening" else frozenset()
            description = replace(item.description, opening=item.opening if basis == "opening" else "", works=works)
            return categorise_by_model(description, model, self.categories, self.topics).scores

        ways: tuple[SectionBasis, ...] = ("rules", "title", "opening") if model.categories else ("rules",)
        names = [category.name for category in self.categories.categories]
        truth = [item.category or "" for item in items]
        return tuple(_judge_sections(basis, names, truth, [choose(item, basis) for item in items]) for basis in ways)


@dataclass(frozen=True, slots=True)
class _Pick:
    rank: int
    section: str | None
    is_new_account: bool


@dataclass(frozen=True, slots=True)
class _Answers:
    """Of one mixture: the figures, its picks, and of each of its stories the probability and whether it was picked."""

    ranking: IssueRanking
    picks: tuple[_Pick, ...]
    probabilities: tuple[float, ...]
    outcomes: tuple[bool, ...]
    unpicked: tuple[Unpicked, ...]


def _mean_recall(rankings: Sequence[IssueRanking]) -> float:
    return mean(ranking.recall for ranking in rankings)


def _mean_precision(rankings: Sequence[IssueRanking]) -> float:
    return mean(ranking.precision for ranking in rankings)


def _best(unpicked: Iterable[Unpicked]) -> tuple[Unpicked, ...]:
    return tuple(sorted(unpicked, key=lambda item: (-item.score, item.url))[:SHOWN])


def _judge_sections(
    basis: SectionBasis, names: Sequence[str], truth: Sequence[str], scores: Sequence[Mapping[str, float]]
) -> Sections:
    """Compare the chosen sections with the printed ones.

    Args:
        basis: what the choice reads.
        names: of all sections.
        truth: the printed section of each item.
        scores: of each item: the probability of each section.
    """
    ranked = [sorted(each, key=lambda name, each=each: -each[name]) for each in scores]  # type: ignore[misc]
    confusion = {name: dict.fromkeys(names, 0) for name in names}
    for name, order in zip(truth, ranked, strict=True):
        confusion[name][order[0]] += 1
    right = [name == order[0] for name, order in zip(truth, ranked, strict=True)]
    chosen = [each[order[0]] for order, each in zip(ranked, scores, strict=True)]
    return Sections(
        basis=basis,
        items=len(truth),
        accuracy=mean(right),
        top2=mean(name in order[:2] for name, order in zip(truth, ranked, strict=True)),
        macro_f1=mean(f1(confusion, name) for name in names if name in truth),
        log_loss=mean(-math.log(max(each.get(name, 0.0), 1e-9)) for name, each in zip(truth, scores, strict=True)),
        calibration=calibration_error(chosen, right),
        floor=calibration_floor(chosen, seed=0),
        confusion=confusion,
    )
