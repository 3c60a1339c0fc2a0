"""Which section of the issue a story belongs to, with a probability for each and the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from pipelines.group.words import WordList
from pipelines.model import Article, Reason
from pipelines.names import KIND_NAMES
from pipelines.newsletter import Category, Newsletter

SOURCE_PRIOR: Final = 2.0
"""Log-odds that a source's own category adds."""

SUMMARY_SHARE: Final = 0.5
"""What a word in the summary weighs, against the same word in the title."""

SUMMARY_CHARACTERS: Final = 300
"""How much of the summary, or else of the text, is read."""


@dataclass(frozen=True, slots=True)
class Categorised:
    """A category, the probability of each (they sum to 1), and what moved it, heaviest first."""

    category: str
    scores: Mapping[str, float]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class CategoryRules:
    """A newsletter's rules for its categories, ready to use."""

    categories: tuple[Category, ...]
    words: WordList
    hints: Mapping[str, WordList]

    @classmethod
    def of(cls, newsletter: Newsletter) -> Self:
        """Compile the newsletter's `kinds`, `words` and `hints`."""
        return cls(
            newsletter.categories,
            WordList.of(word for one in newsletter.categories for word in one.words),
            {one.name: WordList.of(one.hints) for one in newsletter.categories if one.hints},
        )

    def hints_in(self, text: str) -> dict[str, list[str]]:
        """By category the hints that stand in a text; a category without any is left out."""
        found = ((name, sorted(words.found_in(text))) for name, words in self.hints.items())
        return {name: words for name, words in found if words}


def categorise(article: Article, rules: CategoryRules, *, source_category: str | None = None) -> Categorised:
    """Put an article in a category by its kind, its source and its words.

    Args:
        article: the story's lead.
        rules: of the newsletter.
        source_category: the category that the article's source is known for, if any.

    Returns:
        The most probable category; the earlier one in print order when two are equal.
    """
    in_title = rules.words.found_in(article.title)
    in_summary = rules.words.found_in(opening(article)) - in_title
    named = of_source(source_category, rules)
    weights: dict[str, float] = {}
    reasons: dict[str, list[Reason]] = {}
    for category in rules.categories:
        found = [
            *_of_kind(article, category),
            *(Reason("来源常供本栏", SOURCE_PRIOR) for name in named if name == category.name),
            *(Reason(word, category.words[word]) for word in in_title if word in category.words),
            *(Reason(word, category.words[word] * SUMMARY_SHARE) for word in in_summary if word in category.words),
        ]
        reasons[category.name] = found
        weights[category.name] = math.fsum(reason.weight for reason in found)
    scores = softmax(weights)
    best = max(scores, key=lambda name: scores[name])
    return Categorised(best, scores, tuple(sorted(reasons[best], key=lambda reason: (-reason.weight, reason.text))))


def opening(article: Article) -> str:
    """The part of an article that is read for words besides its title: the digest, else the first lines of the text."""
    return (article.summary or article.text)[:SUMMARY_CHARACTERS]


def softmax(weights: Mapping[str, float]) -> dict[str, float]:
    """Log-odds as probabilities that sum to 1.

    >>> softmax({"a": 0.0, "b": 0.0})
    {'a': 0.5, 'b': 0.5}
    """
    highest = max(weights.values())
    raised = {name: math.exp(weight - highest) for name, weight in weights.items()}
    total = math.fsum(raised.values())
    return {name: value / total for name, value in raised.items()}


def _of_kind(article: Article, category: Category) -> Iterable[Reason]:
    weight = category.kinds.get(article.kind)
    return (Reason(KIND_NAMES[article.kind], weight),) if weight else ()


def of_source(source_category: str | None, rules: CategoryRules) -> tuple[str, ...]:
    """The category that a source is known for by this name or alias."""
    return tuple(one.name for one in rules.categories if source_category in (one.name, *one.aliases))
