"""Learns from past issues and decisions when enough of them is new, and grades anew what is open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pipelines.group.candidates import GroupRules, grade
from pipelines.group.features import Seen
from pipelines.group.trained import VERSION, Learned, NotAModel
from pipelines.group.training import LEAST_PASSED_OVER, Example, issue_examples, learn
from pipelines.store import Store, Transaction
from pipelines.store.training import Basis, StoredModel, TrainingArticle

ENOUGH: Final = 10
"""Items printed and decisions taken after which learning again is worth it: half an issue."""

GROWN: Final = 2
"""So many times as many articles teach something new of what was passed over."""

WATCHED: Final = timedelta(days=31)
"""An issue is made of what came since the one before it, and of no more than a month."""

GRADED_AT_ONCE: Final = 100
"""Stories that are graded in one transaction."""

Progress = Callable[[int], None]
"""Told how many stories were graded anew."""


def with_model(tx: Transaction, rules: GroupRules) -> GroupRules:
    """The rules with what was learned last, if it was learned by this version from these rules."""
    return _with(tx.training.get_model(), rules)


def learn_again(
    store: Store,
    rules: GroupRules,
    progress: Progress = lambda done: None,  # noqa: ARG005
) -> bool:
    """Learn when enough is new, and grade all open stories with what was learned. Cut short, it is taken up again.

    Returns:
        Whether something was learned.
    """
    with store.reading() as tx:
        basis = tx.training.get_basis(fingerprint(rules))
        stored = tx.training.get_model()
        wanted = _is_enough(stored.basis if stored else None, basis, _with(stored, rules).learned)
        examples = _examples(tx, rules) if wanted else []
    if wanted:
        learned = learn(examples, rules.categories, rules.topics)
        with store.transaction() as tx:
            tx.training.save_model(learned.to_json(), basis)
    _grade_open(store, rules, progress)
    return wanted


def fingerprint(rules: GroupRules) -> str:
    """What tells the newsletter's words, and the features that they are seen with, from others."""
    words = rules.newsletter.model_dump(mode="json", include={"categories", "topics", "labels"})
    return hashlib.sha256(json.dumps([VERSION, words], sort_keys=True).encode()).hexdigest()[:16]


def _is_enough(before: Basis | None, now: Basis, learned: Learned | None) -> bool:
    if before is None:
        return now.printed + now.decided >= ENOUGH
    if before.rules != now.rules:
        return True
    more = now.articles - before.articles
    return (
        abs(now.printed - before.printed) + abs(now.decided - before.decided) >= ENOUGH
        or now.articles >= GROWN * before.articles > 0
        or (more >= LEAST_PASSED_OVER and not (learned and learned.relevance))
    )


def _with(stored: StoredModel | None, rules: GroupRules) -> GroupRules:
    learned = None
    if stored is not None and stored.basis.rules == fingerprint(rules):
        with suppress(NotAModel):
            learned = Learned.from_json(stored.text)
    return replace(rules, learned=learned)


def _grade_open(store: Store, rules: GroupRules, progress: Progress) -> None:
    """Grade open stories in small transactions, from where the last one ended."""
    done = 0
    read = None
    while True:
        with store.transaction() as tx:
            stored = tx.training.get_model()
            if stored is None or stored.graded_to is None:
                return
            if stored.text != read:  # once, unless another process has learned meanwhile
                learned, read = _with(stored, rules), stored.text
            told = tx.training.list_open_stories(stored.graded_to, GRADED_AT_ONCE)
            tx.stories.regrade(grade(one.story, one.articles, learned) for one in tx.stories.get(told))
            tx.training.set_graded_to(told[-1] if told else None)
        done += len(told)
        progress(done)


def _examples(tx: Transaction, rules: GroupRules) -> list[Example]:
    days = tx.issues.list_dates("published")
    found = [
        example for day in days if (issue := tx.issues.get(day)) for example in issue_examples(issue, rules.newsletter)
    ]
    found += [_example(one, f"#{one.id}") for one in tx.training.list_decided()]
    found += [_example(one, "") for one in tx.training.list_passed_over(list(_spans(days, rules.zone)))]
    return found


def _spans(days: Sequence[date], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """When each issue was made: since the one before it, and its own day too."""
    before = None
    for day in days:
        end = datetime.combine(day, time(), zone) + timedelta(days=1)
        start = end - WATCHED if before is None else max(before, end - WATCHED)
        yield start, end
        before = end


def _example(lesson: TrainingArticle, group: str) -> Example:
    seen = Seen.of(lesson.title, lesson.url, summary=lesson.summary, source=lesson.source, kind=lesson.kind)
    return Example(seen, group, picked=lesson.picked, category=lesson.category)
