"""Grades a story: the candidate that the editor is offered, with category, links, score and reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from crawler.kinds import POSTS
from pipelines.deduplicate.event_model import EventModel, load_event_model
from pipelines.deduplicate.memory import Printed
from pipelines.deduplicate.printed_events import PrintedEvent
from pipelines.deduplicate.stories import find_subjects
from pipelines.group.categories import Categorised, CategoryRules, categorise
from pipelines.group.features import WORK_SORTS, Description
from pipelines.group.relevance import Promotion, TopicTerms, freshness, relevance, total
from pipelines.group.trained import TrainedModel, categorise_by_model, fold_of, relevance_reasons, score
from pipelines.model import WORK_PREFIXES, Candidate, Reason, StoredArticle, Story, StoryLink
from pipelines.newsletter import Labels, Newsletter
from pipelines.rules.events import EventRules
from pipelines.rules.papers import PaperRules
from pipelines.rules.promotion import PromotionRules

MOST_LINKS: Final = 6
"""The largest number of label lines of an entry."""


@dataclass(frozen=True, slots=True)
class GroupRules:
    """The rules by which stories are graded, of one newsletter and its sources.

    Args:
        newsletter: gives the rules.
        categories, topics: compiled from the newsletter.
        labels: of the lines that link a paper or code.
        trust: by source id, where a source has one.
        source_category: the category that a source is known for, by source id, where it has one.
        zone: of the editor's days.
        promotion: patterns of recruitment, courses and raffles.
        events: how an article is read for its event.
        event_model: judges whether two articles report one event.
        model: trained on past issues and decisions; without one the rules alone grade.
        expected: articles a week by account, as the registry expects them.
        sources: ids of the sources that the newsletter reads; empty for all.
        printed_events: what entries of past issues report, each read once; filled while stories are made.
    """

    newsletter: Newsletter
    categories: CategoryRules
    topics: TopicTerms
    labels: Labels
    trust: Mapping[str, float]
    source_category: Mapping[str, str]
    zone: ZoneInfo
    promotion: PromotionRules
    events: EventRules
    event_model: EventModel
    model: TrainedModel | None = None
    expected: Mapping[str, float] = field(default_factory=dict)
    sources: AbstractSet[str] = frozenset()
    printed_events: dict[Printed, PrintedEvent | None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        newsletter: Newsletter,
        trust: Mapping[str, float],
        source_category: Mapping[str, str],
        *,
        promotion: PromotionRules | None = None,
        events: EventRules | None = None,
        papers: PaperRules | None = None,
        expected: Mapping[str, float] | None = None,
    ) -> Self:
        """Compile a newsletter's rules once for many stories.

        Args:
            newsletter: with categories, topics, labels and zone.
            trust: by source id, where a source has one.
            source_category: by source id, where a source has one.
            promotion: patterns of promotions; none by default.
            events: how an article is read for its event; without names and actions by default.
            papers: patterns of pages that are papers; none by default.
            expected: articles a week by account; none by default.
        """
        return cls(
            newsletter,
            CategoryRules.of(newsletter, papers),
            TopicTerms.of(newsletter),
            newsletter.labels,
            trust,
            source_category,
            newsletter.zone,
            promotion or PromotionRules(),
            events or EventRules(),
            load_event_model(),
            expected=expected or {},
            sources=frozenset(newsletter.sources),
        )


def grade(story: Story, articles: Sequence[StoredArticle], rules: GroupRules) -> Candidate:
    """Give a story its category, its links and its score without freshness.

    Args:
        story: to grade.
        articles: all members of the story, in any order.
        rules: of the newsletter, with a model or without.
    """
    ordered = tuple(
        sorted(articles, key=lambda article: (article.id != story.lead, article.article.published.at, article.id))
    )
    lead = ordered[0]
    category = _categorise_reports(ordered, rules)
    links = story_links(lead, ordered, rules.labels)
    trust = max(rules.trust.get(source, 1.0) for source in lead.sources or (lead.article.source,))
    about = _about(ordered, rules.model, rules.topics) if rules.model and rules.model.relevance else None
    sort = rules.promotion.find_sort(lead.article.title) or ""
    reasons = relevance(
        lead,
        links,
        rules.topics,
        accounts=story.accounts,
        about=about,
        rarity=rules.model.rarity if rules.model else None,
        trust=trust,
        promotion=Promotion(sort, rules.promotion.weight) if sort else None,
    )
    return Candidate(
        story=story,
        articles=ordered,
        category=category.category,
        category_scores=category.scores,
        category_reasons=category.reasons,
        score=total(reasons),
        reasons=reasons,
        links=links,
        promotion=sort,
    )


def as_of(candidate: Candidate, now: datetime, nudge: float = 0.0) -> Candidate:
    """Add the freshness of today to a candidate; its reasons are sorted, heaviest first.

    Args:
        candidate: as the store has it.
        now: aware.
        nudge: what the decisions since the last training add to the score, with two decimals.
    """
    newest = max(article.article.published.at for article in candidate.articles)
    reasons = (*candidate.reasons, freshness(newest, now))
    if nudge:
        reasons = (*reasons, Reason("reason/like-picked" if nudge > 0 else "reason/like-dropped", nudge))
    return replace(
        candidate,
        score=total(reasons),
        reasons=tuple(sorted(reasons, key=lambda reason: (-reason.weight, reason.subject))),
    )


def story_links(lead: StoredArticle, articles: Sequence[StoredArticle], labels: Labels) -> tuple[StoryLink, ...]:
    """The label lines of a story: papers and repositories that are its members, or subjects of its members.

    The lead's own link is in the entry's title and is left out.

    Args:
        lead: of the story.
        articles: all members, the lead included.
        labels: of the newsletter.
    """
    links: dict[str, StoryLink] = {}
    for article in articles:
        if article.id != lead.id and not article.article.temporary and (key := _work(article)):
            links.setdefault(key, StoryLink(_label(key, labels), article.article.url))
        for reference in find_subjects(article):
            if reference.key.startswith(WORK_PREFIXES) and reference.key not in lead.article.keys:
                links.setdefault(reference.key, StoryLink(_label(reference.key, labels), reference.url))
    return tuple(links.values())[:MOST_LINKS]


def _about(articles: Sequence[StoredArticle], model: TrainedModel, topics: TopicTerms) -> tuple[Reason, ...]:
    """What the model says of a story's best report: a story that a reposter leads is as good as its best report."""
    fold = fold_of(min(article.id for article in articles))
    descriptions = [Description.of_article(article.article) for article in articles]
    best = descriptions[0]
    if len(descriptions) > 1:
        best = max(descriptions, key=lambda each: score(each, model, topics, fold))
    return relevance_reasons(best, model, topics, fold)


def _categorise_reports(articles: Sequence[StoredArticle], rules: GroupRules) -> Categorised:
    """The category of a story: the mean of the probabilities over its reports, with the reasons of the surest one.

    The lead and the other posts are reports. A paper or a repository among the members says what the reports are about.

    Args:
        articles: all members, first the lead.
        rules: of the newsletter.
    """
    lead, *companions = articles
    works = {WORK_SORTS[key.partition(":")[0]] for article in companions if (key := _work(article))}
    reports = [lead, *(article for article in companions if article.article.kind in POSTS)]
    judged = [_categorise_report(report, works, rules) for report in reports]
    if len(judged) == 1:
        return judged[0]
    scores = {name: math.fsum(each.scores[name] for each in judged) / len(judged) for name in judged[0].scores}
    best = max(scores, key=lambda name: scores[name])
    agreeing = [each for each in judged if each.category == best] or judged
    return Categorised(best, scores, max(agreeing, key=lambda each: each.scores[best]).reasons)


def _categorise_report(report: StoredArticle, works: AbstractSet[str], rules: GroupRules) -> Categorised:
    """The model's category; a category that the model was not trained for keeps its probability by the rules.

    Args:
        report: an article of a story.
        works: sorts of works among the other articles of the story.
        rules: of the newsletter.
    """
    description = Description.of_article(report.article)
    description = replace(description, works=description.works | works)
    source_category = _source_category(report, rules)
    if rules.model is None or not rules.model.categories:
        return categorise(report.article, rules.categories, source_category=source_category)
    by_model = categorise_by_model(
        description, rules.model, rules.categories, rules.topics, source_category=source_category
    )
    if all(category.name in by_model.scores for category in rules.categories.categories):
        return by_model
    by_rules = categorise(report.article, rules.categories, source_category=source_category)
    untrained = {name: chance for name, chance in by_rules.scores.items() if name not in by_model.scores}
    trained = 1.0 - math.fsum(untrained.values())
    scores = {name: untrained.get(name, trained * by_model.scores.get(name, 0.0)) for name in by_rules.scores}
    best = max(scores, key=lambda name: scores[name])
    return Categorised(best, scores, (by_rules if best in untrained else by_model).reasons)


def _work(article: StoredArticle) -> str | None:
    """The key of the paper or repository that an article is, if it is one."""
    return next((key for key in article.article.keys if key.startswith(WORK_PREFIXES)), None)


def _label(key: str, labels: Labels) -> str:
    return labels.code if key.startswith("github:") else labels.paper


def _source_category(report: StoredArticle, rules: GroupRules) -> str | None:
    return next(
        (rules.source_category[source] for source in report.sources if source in rules.source_category),
        rules.source_category.get(report.article.source),
    )
