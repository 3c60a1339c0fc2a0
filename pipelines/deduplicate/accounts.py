"""Counts the accounts that report a story independently: reprints count once. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crawler.kinds import POSTS
from pipelines.model import Evidence, StoredArticle
from pipelines.text import make_account_key

COPIES: Final = frozenset({"reprint", "near-text", "same-title", "similar-title"})
"""Kinds of evidence that two articles are one text: who reprints a text does not report the event once more."""


def count_independent_accounts(articles: Iterable[StoredArticle], evidence: Iterable[Evidence]) -> int:
    """Count the accounts that report a story in a text of their own: of each text, the account of its first article.

    Args:
        articles: of the story, in any order.
        evidence: that joins them.

    Returns:
        0 for a story without any post: papers and repositories are no reports.
    """
    posts = sorted(
        (article for article in articles if article.article.kind in POSTS),
        key=lambda article: (article.article.published.at, article.article.url),
    )
    rank = {article.id: position for position, article in enumerate(posts)}
    first = {article.id: article.id for article in posts}

    def find_first(article_id: int) -> int:
        while (earlier := first[article_id]) != article_id:
            article_id = earlier
        return article_id

    for edge in evidence:
        if edge.kind in COPIES and rank.keys() >= set(edge.articles):
            earlier, later = sorted(map(find_first, edge.articles), key=rank.__getitem__)
            first[later] = earlier
    return len({make_account_key(article.article) for article in posts if find_first(article.id) == article.id})
