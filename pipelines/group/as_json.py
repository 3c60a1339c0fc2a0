"""The candidate list as the JSON document that scripts rely on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pipelines.model import Candidate, StoredArticle


def candidates_json(
    candidates: Sequence[Candidate], categories: Iterable[str], generated_at: datetime
) -> dict[str, Any]:
    """Candidates by category, in print order, best first as given; a category without any is an empty list.

    Args:
        categories: the newsletter's, in print order; one that it has dropped since comes last.
        generated_at: aware.
    """
    names = dict.fromkeys((*categories, *(one.category for one in candidates)))
    return {
        "generated_at": generated_at.isoformat(),
        "categories": [
            {"name": name, "candidates": [candidate_json(one) for one in candidates if one.category == name]}
            for name in names
        ],
    }


def candidate_json(one: Candidate) -> dict[str, Any]:
    """One candidate."""
    lead = one.lead.article
    return {
        "id": one.story.id,
        "title": lead.title,
        "url": lead.url,
        "source": lead.publisher or lead.source,
        "published_at": lead.published.at.isoformat(),
        "language": lead.language,
        "category": one.category,
        "category_scores": {name: round(score, 4) for name, score in one.category_scores.items()},
        "score": one.score,
        "reasons": [{"text": reason.text, "weight": reason.weight} for reason in one.reasons],
        "summary": lead.summary,
        "links": [{"label": link.label, "url": link.url} for link in one.links],
        "articles": [_article(member) for member in one.articles],
        "evidence": [{"kind": edge.kind, "detail": edge.detail} for edge in one.story.evidence],
        "state": one.state,
        "published_in": one.published_in.isoformat() if one.published_in else None,
        "follows": one.follows.isoformat() if one.follows else None,
    }


def _article(member: StoredArticle) -> dict[str, Any]:
    article = member.article
    return {
        "id": member.id,
        "url": article.url,
        "urls": list(member.urls),
        "title": article.title,
        "source": article.publisher or article.source,
        "author": article.author,
        "published_at": article.published.at.isoformat(),
    }
