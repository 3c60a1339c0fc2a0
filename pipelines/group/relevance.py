"""How much a story matters to the newsletter: a sum of reasons."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Self

from pipelines.group.categories import SUMMARY_CHARACTERS, SUMMARY_SHARE
from pipelines.group.features import Description
from pipelines.group.words import WordList
from pipelines.model import Reason, StoredArticle, StoryLink, Subject
from pipelines.newsletter import Newsletter, Topic

REPEATED_TOPIC_SHARE: Final = 0.5
"""Each further topic weighs this share of what it would alone, so that a list of catchwords does not win."""

SEVERAL_SOURCES: Final = 0.4
"""Weight of each doubling of the number of accounts that tell the story."""

LINK_WEIGHT: Final = 0.3
"""A story that brings its paper or its code is one that the reader can follow."""

AMBIGUOUS_SHARE: Final = 0.6
"""Weight of an ambiguous word in company, where a term of the topic weighs 1."""

UNCERTAIN: Final = 3
"""Texts that are added to each term's count: so few texts more or less make no difference."""

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
    ambiguous: frozenset[str] = frozenset()

    @classmethod
    def of(cls, newsletter: Newsletter) -> Self:
        """Compile the newsletter's topics; a term of two topics counts for the first."""
        topic_of = {term: topic for topic in reversed(newsletter.topics) for term in (*topic.ambiguous, *topic.terms)}
        terms = {term for topic in newsletter.topics for term in topic.terms}
        ambiguous = {term for topic in newsletter.topics for term in topic.ambiguous}
        other_senses = {word for topic in newsletter.topics for word in topic.other_senses}
        return cls(WordList.of({*topic_of, *other_senses}), topic_of, frozenset(ambiguous - terms))

    def find_terms(self, text: str) -> set[str]:
        """The terms of a text; ambiguous words only in company: beside a term, or beside one of another topic."""
        matches = self.words.found_in(text) & self.topic_of.keys()
        if matches <= self.ambiguous and len({self.topic_of[word].name for word in matches}) < 2:
            return set()
        return matches

    def weigh(self, term: str, rarity: Mapping[str, float]) -> float:
        """The weight of a term: its topic's, less where it is ambiguous, and less the commoner it is in the store.

        Args:
            term: of any topic.
            rarity: by term, from 0 for a term of every article to 1 for a term of none; a term left out has 1.
        """
        share = AMBIGUOUS_SHARE if term in self.ambiguous else 1.0
        return self.topic_of[term].weight * share * rarity.get(term, 1.0)

    def weigh_topics(self, text: str, rarity: Mapping[str, float]) -> dict[str, float]:
        """The topics of a text, each with the weight of its weightiest term."""
        weights: dict[str, float] = {}
        for term in self.find_terms(text):
            name = self.topic_of[term].name
            weights[name] = max(weights.get(name, 0.0), self.weigh(term, rarity))
        return weights


def measure_rarity(texts: Sequence[str], terms: TopicTerms) -> dict[str, float]:
    """How rare each term is among the articles of a store, from 0 to 1, for the terms that occur.

    A term that half of all articles contain tells nothing; the editor's own subjects are rare in any store. The
    rarity is the square of the logarithm of the number of texts for each text with the term, over its largest value.

    Args:
        texts: one an article; at least two.
        terms: of the newsletter.
    """
    counts = Counter(term for text in texts for term in terms.words.found_in(text) if term in terms.topic_of)
    most = math.log((len(texts) + 1) / UNCERTAIN)
    return {
        term: round(max(math.log((len(texts) + 1) / (number + UNCERTAIN)) / most, 0.0) ** 2, 4)
        for term, number in sorted(counts.items())
    }


def relevance(
    lead: StoredArticle,
    links: Sequence[StoryLink],
    terms: TopicTerms,
    *,
    accounts: int = 1,
    about: Sequence[Reason] | None = None,
    rarity: Mapping[str, float] | None = None,
    trust: float = 1.0,
    promotion: Promotion | None = None,
) -> tuple[Reason, ...]:
    """What speaks for a story, whatever the day.

    Args:
        lead: the article that would be linked.
        links: the lines that it brings.
        terms: the newsletter's topics.
        accounts: how many accounts report the story independently.
        about: what a learned model says of the lead; None lets the topics speak.
        rarity: of the terms in the store; None where nothing was counted.
        trust: of the lead's source; 1 is neutral.
        promotion: the promotion that the lead announces; the story sinks, and a reason names the sort.

    Returns:
        Reasons whose weights add up to the score without its freshness.
    """
    reasons = list(topic_reasons(Description.of_article(lead.article), terms, rarity or {}) if about is None else about)
    if trust != 1.0:
        reasons.append(Reason("reason/source", round(trust - 1.0, 2), {"source": lead.article.source_name}))
    if accounts > 1:
        weight = round(SEVERAL_SOURCES * math.log2(accounts), 2)
        reasons.append(Reason("reason/accounts", weight, {"count": accounts}))
    labels = tuple(dict.fromkeys(link.label for link in links))
    if labels:
        reasons.append(Reason("reason/links", LINK_WEIGHT, {"labels": labels}))
    if promotion:
        weight = round(promotion.weight - max(total(reasons), 0.0), 2)
        reasons.append(Reason("reason/promotion", weight, {"sort": promotion.sort}))
    if withdrawal := lead.article.facts.get("withdrawn"):
        weight = round(WITHDRAWN - max(total(reasons), 0.0), 2)
        reasons.append(Reason("reason/withdrawn", weight, {"text": withdrawal}))
    return tuple(Reason(each.code, round(each.weight, 2), each.values) for each in sum_by_subject(reasons))


def freshness(published: datetime, now: datetime) -> Reason:
    """What a story's age adds: `FRESH` now, half of it a half-life ago; never more for a date in the future."""
    days = max(now - published, timedelta()).days
    weight = weigh_freshness(published, now)
    return Reason("reason/days-ago", weight, {"days": days}) if days else Reason("reason/today", weight)


def weigh_freshness(published: datetime, now: datetime) -> float:
    """The weight of `freshness`: a list asks for that of a thousand stories.

    Args:
        published: aware.
        now: aware.
    """
    age: float = max(now - published, timedelta()) / HALF_LIFE
    return round(FRESH * math.pow(0.5, age), 2)


def total(reasons: Iterable[Reason]) -> float:
    """The score that reasons add up to.

    >>> total([Reason("reason/term", 1.2, {"term": "量化"}), Reason("reason/today", 1.5)])
    2.7
    """
    return round(math.fsum(reason.weight for reason in reasons), 2)


def sum_by_subject(reasons: Iterable[Reason]) -> list[Reason]:
    """Make one reason of all reasons of one code and values, with the sum of their weights; weights are not rounded."""
    first: dict[Subject, Reason] = {}
    weights: dict[Subject, float] = {}
    for reason in reasons:
        subject = reason.subject
        first.setdefault(subject, reason)
        weights[subject] = weights[subject] + reason.weight if subject in weights else reason.weight
    return [Reason(reason.code, weights[subject], reason.values) for subject, reason in first.items()]


def topic_reasons(
    description: Description, terms: TopicTerms, rarity: Mapping[str, float] = MappingProxyType({})
) -> tuple[Reason, ...]:
    """A reason for each topic of an article, heaviest first; the opening weighs less than the title.

    Args:
        description: of the article.
        terms: of the newsletter.
        rarity: of the terms in the store; a term that is left out has 1.
    """
    best = terms.weigh_topics(description.text, rarity)
    for name, weight in terms.weigh_topics(description.opening[:SUMMARY_CHARACTERS], rarity).items():
        best[name] = max(best.get(name, 0.0), weight * SUMMARY_SHARE)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Reason("reason/term", round(weight * REPEATED_TOPIC_SHARE**rank, 2), {"term": name})
        for rank, (name, weight) in enumerate(ranked)
    )
