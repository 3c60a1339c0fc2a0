"""The candidate list as the JSON document that scripts rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from pipelines.group.origins import find_origins
from pipelines.model import Article, Candidate, StoredArticle
from pipelines.wording import Language


def candidates_json(
    candidates: Sequence[Candidate],
    categories: Iterable[str],
    generated_at: datetime,
    language: Language,
    zone: tzinfo,
    *,
    enough: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Make the JSON document of candidates, by category in print order.

    Args:
        candidates: best first; each category keeps their order.
        categories: of the newsletter, in print order; a candidate of a former category is listed after them.
        generated_at: aware.
        language: of the reasons and of the evidence.
        zone: of the newsletter, in which dates are written: the day of an article without a time is the day before in
            another one.
        enough: by category, the number of its first candidates that are usually enough; None for a list of other than
            all open candidates, and then each category says null.

    Returns:
        The document; a category without candidates has an empty list.
    """
    by_category: dict[str, list[dict[str, Any]]] = {name: [] for name in categories}
    for candidate in candidates:
        by_category.setdefault(candidate.category, []).append(candidate_json(candidate, language, zone))
    return {
        "generated_at": generated_at.isoformat(),
        "categories": [
            {"name": name, "enough": None if enough is None else enough.get(name, 0), "candidates": documents}
            for name, documents in by_category.items()
        ],
    }


def candidate_json(candidate: Candidate, language: Language, zone: tzinfo) -> dict[str, Any]:
    """Make the JSON document of a candidate.

    Args:
        candidate: with its story and its articles.
        language: of the reasons and of the evidence.
        zone: in which dates are written.
    """
    lead = candidate.lead.article
    return {
        "id": candidate.story.id,
        "title": lead.title,
        "url": lead.url,
        "source": lead.source_name,
        "published_at": _write_date(lead, zone),
        "language": lead.language,
        "category": candidate.category,
        "category_scores": {name: round(score, 4) for name, score in candidate.category_scores.items()},
        "score": candidate.score,
        "reasons": [{"text": reason.text(language), "weight": reason.weight} for reason in candidate.reasons],
        "summary": lead.summary,
        "links": [{"label": link.label, "url": link.url} for link in candidate.links],
        "articles": [_article(member, zone) for member in candidate.articles],
        "evidence": [{"kind": edge.kind, "detail": edge.text(language)} for edge in candidate.story.evidence],
        "state": candidate.state,
        "published_in": candidate.published_in.isoformat() if candidate.published_in else None,
        "follows": candidate.follows.isoformat() if candidate.follows else None,
        "accounts": candidate.story.accounts,
        "origins": [{"url": origin.url, "accounts": origin.accounts} for origin in find_origins(candidate)],
        "recalled": _recalled(candidate),
        "suggested": [
            {
                "id": suggestion.story,
                "title": suggestion.lead.article.title,
                "url": suggestion.lead.article.url,
                "source": suggestion.lead.article.publisher or suggestion.lead.article.source,
                "published_at": _write_date(suggestion.lead.article, zone),
                "state": suggestion.state,
                "probability": round(suggestion.probability, 2),
                "evidence": [{"kind": suggestion.evidence.kind, "detail": suggestion.evidence.text(language)}],
            }
            for suggestion in candidate.suggested
        ],
    }


def _recalled(candidate: Candidate) -> dict[str, Any] | None:
    entry = candidate.recalled
    return {"issue": entry.issue.isoformat(), "title": entry.title, "url": entry.url or None} if entry else None


def _article(member: StoredArticle, zone: tzinfo) -> dict[str, Any]:
    article = member.article
    return {
        "id": member.id,
        "url": article.url,
        "urls": list(member.urls),
        "title": article.title,
        "source": article.source_name,
        "author": article.author,
        "published_at": _write_date(article, zone),
    }


def _write_date(article: Article, zone: tzinfo) -> str:
    return article.published.at.astimezone(zone).isoformat()
