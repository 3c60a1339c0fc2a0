"""The candidate list as the JSON document that scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from pipelines.group.origins import find_origins
from pipelines.model import Article, Candidate, StoredArticle
from pipelines.wording import Language


def write_candidates(
    lists: Iterable[tuple[str, Iterable[Candidate]]],
    generated_at: datetime,
    language: Language,
    zone: tzinfo,
    *,
    enough: Mapping[str, int] | None = None,
) -> Iterator[str]:
    """Write the JSON document of candidates part by part, so that a long list is never in memory as a whole.

    Args:
        lists: the name of each category, in print order, with its candidates, best first.
        generated_at: aware.
        language: of the reasons and of the evidence.
        zone: of the newsletter, in which dates are written: the day of an article without a time is the day before in
            another one.
        enough: by category, the number of its first candidates that are usually enough; None for a list of other than
            all open candidates, and then each category says null.

    Yields:
        The parts of the text; it is indented as `json.dumps` indents.
    """
    yield f'{{\n  "generated_at": {json.dumps(generated_at.isoformat())},\n  "categories": ['
    mark = ""
    for name, candidates in lists:
        number = None if enough is None else enough.get(name, 0)
        head: dict[str, Any] = {"name": name, "enough": number, "candidates": []}
        yield f"{mark}\n    " + _indent(head, 2).removesuffix("]\n    }")
        mark = end = ""
        for candidate in candidates:
            yield f"{mark}\n        " + _indent(candidate_json(candidate, language, zone), 4)
            mark, end = ",", "\n      "
        yield f"{end}]\n    }}"
        mark = ","
    yield "\n  ]\n}\n" if mark else "]\n}\n"


def _indent(document: Mapping[str, Any], depth: int) -> str:
    """A JSON document as it stands in another one, so many levels deep."""
    return json.dumps(document, ensure_ascii=False, indent=2).replace("\n", "\n" + "  " * depth)


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
