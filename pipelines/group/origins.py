"""What the reports of a story bring: the pages that they point to, the first report, copies, a time line. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from crawler.kinds import PAPERS, POSTS, REPOSITORIES
from pipelines.deduplicate.accounts import COPIES, count_independent_accounts
from pipelines.model import Candidate, Reference, StoredArticle

MOST: Final = 4
"""Largest number of origins of a story."""

AGREEING: Final = 2
"""Accounts that have to point to a page, each in a text of its own; one may point anywhere."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A page that the reports of a story point to: an announcement, a paper, code.

    Args:
        url: canonical.
        accounts: number of accounts that point to it, each in a text of its own.
        article: id of the article of the story that the page is; None where no source brought it.
    """

    url: str
    accounts: int
    article: int | None = None


def find_origins(candidate: Candidate) -> tuple[Origin, ...]:
    """Find the pages that the reports of a story point to, the page that most accounts point to first.

    A page that is an article of the story needs one account, any other page needs `AGREEING`. The lead is left out: the
    entry links it anyway.
    """
    references: dict[str, Reference] = {}
    pointing: dict[str, dict[int, StoredArticle]] = defaultdict(dict)
    for stored in candidate.articles:
        for reference in stored.article.references:
            references.setdefault(reference.key, reference)
            pointing[reference.key][stored.id] = stored
    members = {key: stored for stored in candidate.articles for key in stored.article.keys}
    origins: dict[str, Origin] = {}
    for key, reference in references.items():
        member = members.get(key)
        if member is not None and (member.id == candidate.story.lead or member.article.temporary):
            continue
        accounts = count_independent_accounts(pointing[key].values(), candidate.story.evidence)
        url = member.article.url if member else reference.url
        if accounts >= (1 if member else AGREEING):
            former = origins.get(url)
            if former is None or former.accounts < accounts:
                origins[url] = Origin(url, accounts, member.id if member else None)
    ranked = sorted(origins.values(), key=lambda origin: (-origin.accounts, origin.article is None, origin.url))
    return tuple(ranked[:MOST])


def find_copies(candidate: Candidate) -> frozenset[int]:
    """Find the articles of a story that have the text or the title of an earlier one."""
    by_id = {stored.id: stored for stored in candidate.articles}
    pairs = (
        sorted((by_id[article_id] for article_id in edge.articles), key=_rank)
        for edge in candidate.story.evidence
        if edge.kind in COPIES and by_id.keys() >= set(edge.articles)
    )
    return frozenset(later.id for _, later in pairs)


def find_first_report(candidate: Candidate) -> int:
    """Find the post that was published first; of a story without posts, the first article."""
    posts = [stored for stored in candidate.articles if stored.article.kind in POSTS]
    return min(posts or candidate.articles, key=_rank).id


MilestoneKind = Literal["first", "official", "paper", "code", "newest"]


@dataclass(frozen=True, slots=True)
class Milestone:
    """An article with which a story went on.

    Args:
        kind: what it is to the story.
        article: the article.
    """

    kind: MilestoneKind
    article: StoredArticle


def list_milestones(candidate: Candidate, origins: Sequence[Origin]) -> tuple[Milestone, ...]:
    """List the first report, the official page, the paper, the code and the newest report of a story, the oldest first.

    Args:
        candidate: the story.
        origins: of the story.

    Returns:
        Each article once; a story of a single article has a single milestone.
    """
    by_id = {stored.id: stored for stored in candidate.articles}
    ordered = sorted(candidate.articles, key=_rank)
    posts = [stored for stored in ordered if stored.article.kind in POSTS]
    kinds: dict[int, MilestoneKind] = {find_first_report(candidate): "first"}
    for origin in origins:
        if origin.article is not None and by_id[origin.article].article.kind in POSTS:
            kinds[origin.article] = "official"
            break
    for stored in ordered:
        if stored.article.kind in PAPERS:
            kinds[stored.id] = "paper"
        elif stored.article.kind in REPOSITORIES:
            kinds[stored.id] = "code"
    if posts:
        kinds.setdefault(posts[-1].id, "newest")
    return tuple(Milestone(kinds[stored.id], stored) for stored in ordered if stored.id in kinds)


def _rank(stored: StoredArticle) -> tuple[datetime, str]:
    return stored.article.published.at, stored.article.url
