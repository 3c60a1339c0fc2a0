"""How much a story matters to the newsletter: a sum of reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from pipelines.group.categories import SUMMARY_SHARE, opening
from pipelines.group.words import WordList
from pipelines.model import Reason, StoredArticle, StoryLink, Subject
from pipelines.newsletter import Newsletter, Topic

REPEATED_TOPIC_SHARE: Final = 0.5
"""Each further topic weighs this share of what it would alone, so that a list of catchwords does not win."""

SEVERAL_SOURCES: Final = 0.4
"""Weight of each doubling of the number of accounts that tell the story."""

LINK_WEIGHT: Final = 0.3
"""A story that brings its paper or its code is one that the reader can follow."""

FRESH: Final = 1.5
"""Weight of a story published this moment."""

HALF_LIFE: Final = timedelta(days=7)
"""Freshness halves in this time; an issue comes out every two weeks."""


WITHDRAWN: Final = -4.0
"""The score to which a withdrawn paper sinks, whatever else speaks for it."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a title announces: a sort of promotion, and the score to which it sinks the story."""

    sort: str
    weight: float


@dataclass(frozen=True, slots=True)
class TopicTerms:
    """A newsletter's topics, ready to use."""

    words: WordList
    topic_of: dict[str, Topic]

    @classmethod
    def of(cls, newsletter: Newsletter) -> Self:
        """Compile the newsletter's topics; a term of two topics counts for the first."""
        topic_of = {term: topic for topic in reversed(newsletter.topics) for term in topic.terms}
        return cls(WordList.of(topic_of), topic_of)


def relevance(
    lead: StoredArticle,
    articles: Sequence[StoredArticle],
    links: Sequence[StoryLink],
    terms: TopicTerms,
    *,
    about: Sequence[Reason] | None = None,
    trust: float = 1.0,
    promotion: Promotion | None = None,
) -> tuple[Reason, ...]:
    """What speaks for a story, whatever the day.

    Args:
        lead: the article that would be linked.
        articles: all of the story's.
        links: the lines that it brings.
        terms: the newsletter's topics.
        about: what a learned model says of the lead; None lets the topics speak.
        trust: of the lead's source; 1 is neutral.
        promotion: the promotion that the lead announces; the story sinks, and a reason names the sort.

    Returns:
        Reasons whose weights add up to the score without its freshness.
    """
    reasons = list(_topics(lead, terms) if about is None else about)
    if trust != 1.0:
        reasons.append(
            Reason("reason/source", round(trust - 1.0, 2), {"source": lead.article.publisher or lead.article.source})
        )
    accounts = {one.article.publisher or one.article.source for one in articles}
    if len(accounts) > 1:
        weight = round(SEVERAL_SOURCES * math.log2(len(accounts)), 2)
        reasons.append(Reason("reason/accounts", weight, {"count": len(accounts)}))
    labels = tuple(dict.fromkeys(link.label for link in links))
    if labels:
        reasons.append(Reason("reason/links", LINK_WEIGHT, {"labels": labels}))
    if promotion:
        weight = round(promotion.weight - max(total(reasons), 0.0), 2)
        reasons.append(Reason("reason/promotion", weight, {"sort": promotion.sort}))
    if withdrawal := lead.article.facts.get("withdrawn"):
        weight = round(WITHDRAWN - max(total(reasons), 0.0), 2)
        reasons.append(Reason("reason/withdrawn", weight, {"text": withdrawal}))
    return tuple(replace(reason, weight=round(reason.weight, 2)) for reason in sum_by_subject(reasons))


def freshness(published: datetime, now: datetime) -> Reason:
    """What a story's age adds: `FRESH` now, half of it a half-life ago; never more for a date in the future."""
    age = max(now - published, timedelta())
    days = age.days
    weight = round(FRESH * 0.5 ** (age / HALF_LIFE), 2)
    return Reason("reason/days-ago", weight, {"days": days}) if days else Reason("reason/today", weight)


def total(reasons: Iterable[Reason]) -> float:
    """The score that reasons add up to.

    >>> total([Reason("reason/term", 1.2, {"term": "量化"}), Reason("reason/today", 1.5)])
    2.7
    """
    return round(math.fsum(reason.weight for reason in reasons), 2)


def sum_by_subject(reasons: Iterable[Reason]) -> list[Reason]:
    """Make one reason of all reasons of one code and values, with the sum of their weights; weights are not rounded."""
    sums: dict[Subject, Reason] = {}
    for reason in reasons:
        former = sums.get(reason.subject)
        sums[reason.subject] = replace(former, weight=former.weight + reason.weight) if former else reason
    return list(sums.values())


def _topics(lead: StoredArticle, terms: TopicTerms) -> Iterable[Reason]:
    in_title = terms.words.found_in(lead.article.title)
    in_opening = terms.words.found_in(opening(lead.article))
    best: dict[str, float] = {}
    for found, share in ((in_title, 1.0), (in_opening, SUMMARY_SHARE)):
        for term in found:
            topic = terms.topic_of[term]
            best[topic.name] = max(best.get(topic.name, 0.0), topic.weight * share)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    for place, (name, weight) in enumerate(ranked):
        yield Reason("reason/term", round(weight * REPEATED_TOPIC_SHARE**place, 2), {"term": name})
