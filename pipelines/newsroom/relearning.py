"""Trains a new model when enough issues and decisions are new, and grades the open stories again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Final

from pipelines.group.candidates import GroupRules, grade
from pipelines.group.features import Description
from pipelines.group.trained import VERSION, NotAModel, TrainedModel, fold_of
from pipelines.group.training import LEAST_PASSED_OVER, LEAST_PICKED, Example, examples_of_issue, train
from pipelines.newsletter import Newsletter
from pipelines.newsroom.event_tuning import read_event_model, tune_events
from pipelines.store import Store, Transaction
from pipelines.store.training import Basis, StoredModel, TrainingArticle

ENOUGH: Final = 10
"""New printed entries and decisions after which training again is worth it: half an issue."""

GROWN: Final = 2
"""Train again when the store has this many times the articles of the last training."""

GRADED_AT_ONCE: Final = 100
"""Stories that are graded in one transaction."""

ON_SCREEN: Final = 600
"""Open stories of the highest scores that are graded before all others: an editor looks at these."""

FURTHER: Final = 1500
"""Further open stories that one call grades, newest first. A store may hold a hundred thousand that nobody reads any
longer; the next calls go on with them, and a story that ranks high is among the best whenever a model is new."""

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

    The first model of a kind grades all open stories, since its scores are not those of the rules. A later one grades
    `FURTHER` stories beside the best, and each further call so many again until all are graded.

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
    is_first = False
    if needed:
        model = train(examples, rules.categories, rules.topics, rules.expected)
        with store.transaction() as tx:
            tx.training.save_model(model.to_json(), basis)
        tune_events(store)
        is_first = former is None or bool(former.relevance) != bool(model.relevance)
    _grade_open(store, rules, progress, None if is_first else FURTHER)
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
    return (
        abs(now.printed - last.printed) + abs(now.decided - last.decided) >= ENOUGH
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


def _grade_open(store: Store, rules: GroupRules, progress: Progress, most: int | None) -> None:
    """Grade open stories in small transactions: with a new model the best, then the others where the last call ended.

    Args:
        store: gives the stories and the model.
        rules: without a model.
        progress: called after each transaction.
        most: number of stories beside the best; None for all.
    """
    graded = 0
    with store.reading() as tx:
        stored = tx.training.get_model()
        best_ids = tx.training.list_best_stories(ON_SCREEN) if stored and stored.graded_to == 0 else []
    for start in range(0, len(best_ids), GRADED_AT_ONCE):
        graded += _regrade(store, best_ids[start : start + GRADED_AT_ONCE], stored, rules)
        progress(graded)
    last = None if most is None else graded + most
    while last is None or graded < last:
        with store.reading() as tx:
            stored = tx.training.get_model()
            if stored is None or stored.graded_to is None:
                return
            ids = tx.training.list_open_stories(stored.graded_to, GRADED_AT_ONCE)
        graded += _regrade(store, ids, stored, rules, moves_on=True)
        progress(graded)


def _regrade(
    store: Store, story_ids: Sequence[int], stored: StoredModel | None, rules: GroupRules, *, moves_on: bool = False
) -> int:
    """Grade stories while others may write, then write the grades in a moment.

    Stories whose articles changed meanwhile keep the grade that they got with the change. Nothing is written if another
    process has trained a model meanwhile: it grades with its own.

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
        graded = [grade(each.story, each.articles, model_rules) for each in tx.stories.get(story_ids)]
    with store.transaction() as tx:
        if tx.training.get_model() == stored:
            present = tx.stories.find_by_articles(each.story.lead for each in graded)
            tx.stories.regrade(each for each in graded if present.get(each.story.lead) == each.story)
            if moves_on:
                tx.training.set_graded_to(story_ids[-1] if story_ids else None)
    return len(story_ids)


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
