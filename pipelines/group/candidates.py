"""A story as the editor is offered it: category, links, score, reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from pipelines.deduplicate.stories import WORK_PREFIXES, find_subjects
from pipelines.group.categories import Categorised, CategoryRules, categorise
from pipelines.group.features import Seen
from pipelines.group.relevance import TopicTerms, freshness, relevance, total
from pipelines.group.trained import Learned, categorise_learned, relevance_reasons
from pipelines.model import Candidate, StoredArticle, Story, StoryLink
from pipelines.newsletter import Labels, Newsletter
from pipelines.rules.promotion import PromotionRules

MOST_LINKS: Final = 6
"""Label lines that an entry can bear."""


@dataclass(frozen=True, slots=True)
class GroupRules:
    """All that the final stage knows of a newsletter and its sources.

    Args:
        trust, source_category: by source id, where a source has one.
        zone: in which days begin.
        promotion: what announces a promotion.
        learned: from past issues and decisions; None where there are none, and the rules do alone.
    """

    newsletter: Newsletter
    categories: CategoryRules
    topics: TopicTerms
    labels: Labels
    trust: Mapping[str, float]
    source_category: Mapping[str, str]
    zone: ZoneInfo
    promotion: PromotionRules
    learned: Learned | None = None

    @classmethod
    def of(
        cls,
        newsletter: Newsletter,
        trust: Mapping[str, float],
        source_category: Mapping[str, str],
        promotion: PromotionRules | None = None,
    ) -> Self:
        """Compile a newsletter's rules once for many stories."""
        return cls(
            newsletter,
            CategoryRules.of(newsletter),
            TopicTerms.of(newsletter),
            newsletter.labels,
            trust,
            source_category,
            newsletter.zone,
            promotion or PromotionRules(),
        )


def grade(story: Story, articles: Sequence[StoredArticle], rules: GroupRules) -> Candidate:
    """Give a story its category, its links and its score without freshness.

    Args:
        story: whose members the articles are.
        articles: in any order.
    """
    ordered = tuple(sorted(articles, key=lambda one: (one.id != story.lead, one.article.published.at, one.id)))
    lead = ordered[0]
    seen = Seen.of_article(lead.article)
    category = _category(lead, seen, rules)
    links = story_links(lead, ordered, rules.labels)
    trust = max(rules.trust.get(source, 1.0) for source in lead.sources or (lead.article.source,))
    learned = rules.learned if rules.learned and rules.learned.relevance else None
    about = relevance_reasons(seen, learned, rules.topics) if learned else None
    reasons = relevance(lead, ordered, links, rules.topics, about=about, trust=trust, promotion=rules.promotion)
    return Candidate(
        story=story,
        articles=ordered,
        category=category.category,
        category_scores=category.scores,
        category_reasons=category.reasons,
        score=total(reasons),
        reasons=reasons,
        links=links,
    )


def as_of(candidate: Candidate, now: datetime) -> Candidate:
    """The candidate with what its age adds today, reasons heaviest first."""
    newest = max(one.article.published.at for one in candidate.articles)
    reasons = (*candidate.reasons, freshness(newest, now))
    return replace(
        candidate,
        score=total(reasons),
        reasons=tuple(sorted(reasons, key=lambda reason: (-reason.weight, reason.text))),
    )


def story_links(lead: StoredArticle, articles: Sequence[StoredArticle], labels: Labels) -> tuple[StoryLink, ...]:
    """The label lines that a story brings: papers and repositories that its members are, or are about.

    The lead's own link is in the entry's title and is left out.
    """
    found: dict[str, StoryLink] = {}
    for one in articles:
        if one.id != lead.id and not one.article.temporary and (key := _work(one)):
            found.setdefault(key, StoryLink(_label(key, labels), one.article.url))
        for reference in find_subjects(one):
            if reference.key.startswith(WORK_PREFIXES) and reference.key not in lead.article.keys:
                found.setdefault(reference.key, StoryLink(_label(reference.key, labels), reference.url))
    return tuple(found.values())[:MOST_LINKS]


def _category(lead: StoredArticle, seen: Seen, rules: GroupRules) -> Categorised:
    """By what was learned; a category that too few issues had to be learned keeps the chance that the rules give it."""
    known_for = _known_for(lead, rules)
    ruled = categorise(lead.article, rules.categories, source_category=known_for)
    if rules.learned is None or not rules.learned.categories:
        return ruled
    found = categorise_learned(seen, rules.learned, rules.categories, rules.topics, source_category=known_for)
    kept = {name: chance for name, chance in ruled.scores.items() if name not in found.scores}
    if not kept:
        return found
    left = 1.0 - math.fsum(kept.values())
    scores = {name: kept.get(name, left * found.scores.get(name, 0.0)) for name in ruled.scores}
    best = max(scores, key=lambda name: scores[name])
    return Categorised(best, scores, (ruled if best in kept else found).reasons)


def _work(one: StoredArticle) -> str | None:
    """The key of the paper or repository that an article is, if it is one."""
    return next((key for key in one.article.keys if key.startswith(WORK_PREFIXES)), None)


def _label(key: str, labels: Labels) -> str:
    return labels.code if key.startswith("github:") else labels.paper


def _known_for(lead: StoredArticle, rules: GroupRules) -> str | None:
    return next(
        (rules.source_category[source] for source in lead.sources if source in rules.source_category),
        rules.source_category.get(lead.article.source),
    )
