"""Gives an article a category by the newsletter's rules, with a probability of each category and the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from pipelines.group.features import split_host_and_path
from pipelines.group.words import WordList, widen_to_words
from pipelines.model import Article, Reason
from pipelines.newsletter import Category, Newsletter
from pipelines.rules.papers import PaperRules

SOURCE_PRIOR: Final = 2.0
"""Log-odds of the category that a source is known for."""

RULES_SHARPNESS: Final = 1.5
"""Factor of all weights of the rules: their words agree more often than words that are independent of each other."""

SUMMARY_SHARE: Final = 0.5
"""Weight of a word in the summary, where the same word in the title weighs 1."""

HINT_WEIGHT: Final = 0.5
"""Log-odds of a hint in the title, where nothing was learned yet."""

MOST_HINTS: Final = 3
"""Hints at one category that count in one title."""

SUMMARY_CHARACTERS: Final = 300
"""Characters that are read of the summary, or of the text where there is no summary."""


@dataclass(frozen=True, slots=True)
class Categorised:
    """The category of an article, the probability of each category (they sum to 1), and the reasons, heaviest first."""

    category: str
    scores: Mapping[str, float]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class CategoryRules:
    """A newsletter's rules for its categories, ready to use."""

    categories: tuple[Category, ...]
    words: WordList
    hints: Mapping[str, WordList]
    papers: PaperRules

    @classmethod
    def of(cls, newsletter: Newsletter, papers: PaperRules | None = None) -> Self:
        """Compile the newsletter's `kinds`, `words` and `hints`.

        Args:
            newsletter: with its categories.
            papers: patterns of pages that are papers; none by default.
        """
        return cls(
            newsletter.categories,
            WordList.of(word for category in newsletter.categories for word in category.words),
            {category.name: WordList.of(category.hints) for category in newsletter.categories if category.hints},
            papers or PaperRules(),
        )

    def weigh_paper(self, category: Category, host: str, path: str) -> Reason | None:
        """The reason for a category that a page of a conference or journal is: it weighs as much as a page of arXiv.

        Args:
            category: of the newsletter.
            host: without `www.`.
            path: from the first `/`.
        """
        weight = category.kinds.get("arxiv")
        if weight and self.papers.is_paper(host, path):
            return Reason("reason/paper-site", weight, {"host": host})
        return None

    def hints_in(self, text: str) -> dict[str, list[str]]:
        """The hints that a text contains, by category; a category without any is left out."""
        hints_of = {name: sorted(hints.found_in(text)) for name, hints in self.hints.items()}
        return {name: hints for name, hints in hints_of.items() if hints}


def categorise(article: Article, rules: CategoryRules, *, source_category: str | None = None) -> Categorised:
    """Give an article a category by its kind, its source and its words.

    Args:
        article: the lead of a story.
        rules: of the newsletter.
        source_category: name or alias of the category that the article's source is known for; None without one.

    Returns:
        The most probable category; the earlier one in print order when two are equal.
    """
    in_title = rules.words.found_in(article.title)
    in_summary = rules.words.found_in(opening(article)) - in_title
    hints = rules.hints_in(article.title)
    source_categories = categories_named(source_category, rules)
    host, path = split_host_and_path(article.url)
    weights: dict[str, float] = {}
    reasons: dict[str, list[Reason]] = {}
    for category in rules.categories:
        reasons_of_category = [
            *_of_kind(article, category),
            *(Reason("reason/usual-category", SOURCE_PRIOR) for name in source_categories if name == category.name),
            *_of_words(in_title, category, 1.0, article.title),
            *_of_words(in_summary, category, SUMMARY_SHARE, opening(article)),
            *_of_hints(hints.get(category.name, ()), article.title),
        ]
        if paper := rules.weigh_paper(category, host, path):
            reasons_of_category.append(paper)
        reasons[category.name] = [
            replace(reason, weight=reason.weight * RULES_SHARPNESS) for reason in reasons_of_category
        ]
        weights[category.name] = math.fsum(reason.weight for reason in reasons[category.name])
    scores = softmax(weights)
    best = max(scores, key=lambda name: scores[name])
    return Categorised(best, scores, tuple(sorted(reasons[best], key=lambda reason: (-reason.weight, reason.subject))))


def opening(article: Article) -> str:
    """The part of an article that is searched for words besides its title: the summary, or the start of the text."""
    return (article.summary or article.text)[:SUMMARY_CHARACTERS]


def softmax(weights: Mapping[str, float]) -> dict[str, float]:
    """Turn log-odds into probabilities that sum to 1.

    >>> softmax({"a": 0.0, "b": 0.0})
    {'a': 0.5, 'b': 0.5}
    """
    highest = max(weights.values())
    raised = {name: math.exp(weight - highest) for name, weight in weights.items()}
    total = math.fsum(raised.values())
    return {name: number / total for name, number in raised.items()}


def _of_kind(article: Article, category: Category) -> Iterable[Reason]:
    weight = category.kinds.get(article.kind)
    return (Reason(f"article/{article.kind}", weight),) if weight else ()


def _of_words(matches: Iterable[str], category: Category, share: float, text: str) -> Iterable[Reason]:
    weights = {word: category.words[word] for word in matches if word in category.words}
    return (
        Reason("reason/term", weight * share, {"term": widen_to_words(word, text)}) for word, weight in weights.items()
    )


def _of_hints(hints: Sequence[str], title: str) -> Iterable[Reason]:
    """The first hints of a title: each says little, and many say no more than a few."""
    return (Reason("reason/term", HINT_WEIGHT, {"term": widen_to_words(hint, title)}) for hint in hints[:MOST_HINTS])


def categories_named(name: str | None, rules: CategoryRules) -> tuple[str, ...]:
    """The names of the categories that have this name or alias: one, or none."""
    return tuple(category.name for category in rules.categories if name in (category.name, *category.aliases))
