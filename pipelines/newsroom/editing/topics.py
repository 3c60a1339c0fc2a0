"""Measures the terms of the newsletter's topics on past issues and on the stories that lie open."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.group.features import Description
from pipelines.group.relevance import TopicTerms
from pipelines.group.topics import TermLift, measure_terms, propose_terms
from pipelines.newsletter import Newsletter
from pipelines.newsroom.stages.relearning import list_printed_examples
from pipelines.store import Transaction


@dataclass(frozen=True, slots=True)
class TopicsReport:
    """What the terms are worth.

    Args:
        picked: number of entries of published issues.
        stored: number of open stories that were compared with them.
        terms: of the newsletter, the commonest in the store first.
        proposed: words that the topics lack.
    """

    picked: int
    stored: int
    terms: tuple[TermLift, ...]
    proposed: tuple[TermLift, ...]


def check_topics(tx: Transaction, newsletter: Newsletter) -> TopicsReport:
    """Measure each term of the topics, and propose words that the topics lack.

    Args:
        tx: open for reading.
        newsletter: with the topics.
    """
    picked = [example.description.text for example in list_printed_examples(tx, newsletter)]
    stored = [
        Description.of(article.title, article.url, summary=article.summary, kind=article.kind).text
        for article in tx.training.list_open()
    ]
    terms = TopicTerms.of(newsletter)
    return TopicsReport(
        len(picked), len(stored), measure_terms(picked, stored, terms), propose_terms(picked, stored, terms)
    )
