"""Trains a new model when enough issues and decisions are new, and grades the open stories again.

A new model scores all open stories by matrix, which takes a fraction of a grading, and finds so which of them an editor
will see first. These are graded at once, with reasons. The others keep their former grade for some calls: no list shows
them before the graded ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from pipelines.group.candidates import GroupRules, grade
from pipelines.group.features import Description, split_host_and_path
from pipelines.group.relevance import weigh_freshness
from pipelines.group.scoring import Report, Scorer, choose_first, weigh_company
from pipelines.group.trained import VERSION, NotAModel, TrainedModel, fold_of
from pipelines.group.training import LEAST_PASSED_OVER, LEAST_PICKED, Example, examples_of_issue, train
from pipelines.model import ADDED_BY_HAND, Candidate
from pipelines.newsletter import Newsletter
from pipelines.newsroom.stages.event_tuning import read_event_model, tune_events
from pipelines.newsroom.stages.nudges import MOST_VERDICTS
from pipelines.store import Store, Transaction
from pipelines.store.training import Basis, OpenReport, StoredModel, TrainingArticle

ENOUGH: Final = 10
"""New printed entries, and new decisions, after which training again is worth it: half an issue."""

DECIDED_SHARE: Final = 1 / 20
"""New decisions after which a newsroom that knows more trains again, as a share of what it was trained on. Until then
decisions move the list as nudges; see docs/decisions/order-at-once.md."""

GROWN: Final = 2
"""Train again when the store has this many times the articles of the last training."""

GRADED_AT_ONCE: Final = 100
"""Stories that are graded in one transaction."""

ON_SCREEN: Final = 600
"""Open stories that rank first under a new model and are graded before all others: an editor looks at these."""

SCORED_AT_ONCE: Final = 2000
"""Stories that are read and scored at once: a matrix of so many costs little memory."""

FURTHER: Final = 500
"""Further open stories that one call grades, newest first. A store may hold a hundred thousand that nobody reads any
longer; the next calls go on with them."""

Progress = Callable[[int], None]
"""Called with the number of stories graded so far."""


def with_model(tx: Transaction, rules: GroupRules) -> GroupRules:
    """The rules with the stored models: of events, and, if this version trained it with these rules, of relevance."""
    return replace(_with_stored(tx.training.get_model(), rules), event_model=read_event_model(tx))


def retrain(
    store: Store,
    rules: GroupRules,
    progress: Progress = lambda graded: None,  # noqa: ARG005
) -> bool:
    """Train a model when enough is new, and grade open stories with it: the best, then the newest.

    The model of events is fitted to the newsroom at the same time; see `tune_events`.

    A call grades `FURTHER` stories beside the best, and each later call so many again until all are graded.

    Args:
        store: gives the examples, and keeps the model.
        rules: categories, topics and labels.
        progress: called after each transaction of grading.

    Returns:
        Whether a model was trained.
    """
    with store.reading() as tx:
        basis = tx.training.get_basis(fingerprint(rules))
        stored = tx.training.get_model()
        former = _with_stored(stored, rules).model
        needed = _is_enough(stored.basis if stored else None, basis, former)
        examples = _examples(tx, rules) if needed else []
    if needed:
        model = train(examples, rules.categories, rules.topics, rules.expected)
        with store.transaction() as tx:
            tx.training.save_model(model.to_json(), basis)
        if not store.is_of_newsletter:  # which articles are one story, the house says
            tune_events(store)
    _grade_open(store, rules, progress)
    return needed


def fingerprint(rules: GroupRules) -> str:
    """A hash of the newsletter's rules and of the version of the features; a model of another one is not used."""
    newsletter = rules.newsletter.model_dump(mode="json", include={"categories", "topics", "labels"})
    return hashlib.sha256(json.dumps([VERSION, newsletter], sort_keys=True).encode()).hexdigest()[:16]


def _is_enough(last: Basis | None, now: Basis, model: TrainedModel | None) -> bool:
    if last is None:
        return now.printed + now.decided >= ENOUGH or now.articles >= LEAST_PASSED_OVER
    if last.rules != now.rules:
        return True
    more = now.articles - last.articles
    printed, decided = abs(now.printed - last.printed), abs(now.decided - last.decided)
    enough_decided = min(max(ENOUGH, DECIDED_SHARE * (last.printed + last.decided)), MOST_VERDICTS)
    return (
        printed >= ENOUGH
        or printed + decided >= enough_decided
        or now.articles >= GROWN * last.articles > 0
        or (more >= LEAST_PASSED_OVER and now.printed >= LEAST_PICKED and not (model and model.relevance))
    )


def _with_stored(stored: StoredModel | None, rules: GroupRules) -> GroupRules:
    fits = stored is not None and stored.basis.rules == fingerprint(rules)
    return replace(rules, model=_read_model(stored.text) if stored and fits else None)


@lru_cache(maxsize=1)
def _read_model(text: str) -> TrainedModel | None:
    """Read a stored model, once for all who use it; None for a model of another version."""
    with suppress(NotAModel):
        return TrainedModel.from_json(text)
    return None


def _grade_open(store: Store, rules: GroupRules, progress: Progress) -> None:
    """Grade open stories in small transactions: with a new model the best, then others where the last call ended.

    Args:
        store: gives the stories and the model.
        rules: without a model.
        progress: called after each transaction.
    """
    graded = 0
    with store.reading() as tx:
        stored = tx.training.get_model()
    if stored and stored.graded_to == 0:
        first_ids = _find_first(store, stored, rules)
        for start in range(0, len(first_ids), GRADED_AT_ONCE):
            graded += _regrade(store, first_ids[start : start + GRADED_AT_ONCE], stored, rules)
            progress(graded)
    last = graded + FURTHER
    while graded < last:
        with store.reading() as tx:
            stored = tx.training.get_model()
            if stored is None or stored.graded_to is None:
                return
            ids = tx.training.list_open_stories(stored.graded_to, GRADED_AT_ONCE)
        graded += _regrade(store, ids, stored, rules, moves_on=True)
        progress(graded)


def _find_first(store: Store, stored: StoredModel, rules: GroupRules) -> list[int]:
    """Find the open stories that a new model ranks first, and the stories whose former score puts them among these.

    Others may write meanwhile: a story that changes is graded with the change.

    Args:
        store: gives the stories.
        stored: the model.
        rules: without a model.

    Returns:
        Ids of stories, best first.
    """
    model = _with_stored(stored, rules).model
    if model is None or not model.relevance:
        with store.reading() as tx:
            return tx.training.list_best_stories(ON_SCREEN)
    scorer = Scorer(model, rules.topics)
    new_scores: dict[int, float] = {}
    former_scores: dict[int, float] = {}
    newest_at: dict[int, datetime] = {}
    below = 0
    while True:
        with store.reading() as tx:
            reports = tx.training.list_open_reports(below, SCORED_AT_ONCE)
        if not reports:
            break
        below = reports[-1].story
        scores = scorer.score([Report(_describe(report), fold_of(report.story)) for report in reports])
        best: dict[int, float] = {}
        for report, report_score in zip(reports, scores, strict=True):
            best[report.story] = max(best.get(report.story, report_score), report_score)
        for report in reports:
            if report.is_lead and not report.is_promotion:  # a promotion is listed last, whatever it is about
                trust = rules.trust.get(report.source, 1.0)
                company = weigh_company(report.accounts, has_links=report.has_links, trust=trust)
                new_scores[report.story] = best[report.story] + company
                former_scores[report.story] = report.score
                newest_at[report.story] = report.newest_at
    if not new_scores:
        return []
    latest = max(newest_at.values())
    freshness = {story_id: weigh_freshness(published_at, latest) for story_id, published_at in newest_at.items()}
    return choose_first(
        {story_id: number + freshness[story_id] for story_id, number in new_scores.items()},
        {story_id: number + freshness[story_id] for story_id, number in former_scores.items()},
        ON_SCREEN,
    )


def _describe(report: OpenReport) -> Description:
    site = split_host_and_path(report.url)[0] if report.source == ADDED_BY_HAND else report.source
    source = report.publisher or site
    return Description.of(report.title, report.url, summary=report.summary, source=source, kind=report.kind)


def _regrade(
    store: Store, story_ids: Sequence[int], stored: StoredModel | None, rules: GroupRules, *, moves_on: bool = False
) -> int:
    """Grade stories while others may write, then write the grades in a moment.

    Stories whose articles changed meanwhile keep the grade that they got with the change, and a story whose grade stays
    equal is not written. Nothing is written if another process has trained a model meanwhile: it grades with its own.

    Args:
        store: gives the stories.
        story_ids: at most `GRADED_AT_ONCE`, newest first.
        stored: the model.
        rules: without a model.
        moves_on: whether the next call goes on below the last of these stories.

    Returns:
        The number of stories.
    """
    model_rules = _with_stored(stored, rules)
    with store.reading() as tx:
        stories = tx.stories.get(story_ids)
    pairs = [(candidate, grade(candidate.story, candidate.articles, model_rules)) for candidate in stories]
    graded = [graded for stored_story, graded in pairs if not _is_same_grade(stored_story, graded)]
    with store.transaction() as tx:
        if tx.training.get_model() == stored:
            present = tx.stories.find_by_articles(each.story.lead for each in graded)
            tx.stories.regrade(each for each in graded if present.get(each.story.lead) == each.story)
            if moves_on:
                tx.training.set_graded_to(story_ids[-1] if story_ids else None)
    return len(story_ids)


def _is_same_grade(stored: Candidate, graded: Candidate) -> bool:
    """Whether a story is stored with the grade that it has now; its category may be the editor's."""
    return all(
        getattr(stored, name) == getattr(graded, name)
        for name in ("category_scores", "category_reasons", "score", "reasons", "links", "promotion")
    )


def list_printed_examples(tx: Transaction, newsletter: Newsletter) -> list[Example]:
    """List the examples of all published issues, oldest issue first."""
    issues = (issue for day in tx.issues.list_dates("published") if (issue := tx.issues.get(day)))
    return [example for issue in issues for example in examples_of_issue(issue, newsletter)]


def _examples(tx: Transaction, rules: GroupRules) -> list[Example]:
    examples = list_printed_examples(tx, rules.newsletter)
    decided = (_example(lesson, f"#{lesson.id}") for lesson in tx.training.list_decided())
    names = set(rules.newsletter.category_names)  # a pick among the one-liners is no example of a category
    examples += [example if example.category in names else replace(example, category=None) for example in decided]
    examples += [
        replace(
            _example(lesson, ""),
            fold=fold_of(lesson.story),
            day=lesson.published_at.astimezone(rules.zone).date(),
        )
        for lesson in tx.training.list_open()
    ]
    return examples


def _example(lesson: TrainingArticle, group: str) -> Example:
    description = Description.of(
        lesson.title, lesson.url, summary=lesson.summary, source=lesson.source, kind=lesson.kind
    )
    return Example(description, group, picked=lesson.picked, category=lesson.category)
