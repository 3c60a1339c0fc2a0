"""Fetches the pages of picked stories that came without a text, and drafts their summaries from them.

A mirror that gives titles only leaves nothing to summarise. The page of a picked story is therefore fetched at once, in
a process of its own (`pipelines.review.page_fetches` starts it for the desk), never within a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from crawler.errors import Detail, Failure
from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.issue.changes import find_indices, list_entries, replace_entries
from pipelines.issue.entry import read_summary, reword_entry
from pipelines.issue.escape import make_printable_url
from pipelines.issue.house_style import HouseStyle
from pipelines.issue.proposal import propose_entry
from pipelines.model import Article, Candidate, Entry, LinkCheck
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.crawls import check_links
from pipelines.newsroom.editing.decisions import read_house_style
from pipelines.newsroom.editing.issues import save_issue
from pipelines.store import Transaction

LEAST_TEXT: Final = 200
"""Characters. A shorter text is a teaser: no summary can be drafted from it."""


@dataclass(frozen=True, slots=True)
class PageReport:
    """The outcome of the fetch of a story's page.

    Args:
        story: its id.
        title: of its lead.
        url: of the page.
        failure: the reason and the remedy; None where the text came.
    """

    story: int
    title: str
    url: str
    failure: Failure | None

    def as_json(self) -> dict[str, Any]:
        """The row of `fetch --json`."""
        failed = str(self.failure) if self.failure else None
        return {"story": self.story, "title": self.title, "url": self.url, "failed": failed}


def lacks_text(article: Article) -> bool:
    """Whether an article has a page whose text is not stored yet. Papers and repositories bring their own summary."""
    if article.kind in (*PAPERS, *REPOSITORIES) or article.temporary:
        return False
    return len(article.text) < LEAST_TEXT and make_printable_url(article.url) is not None


def list_stories_without_text(newsroom: Newsroom) -> list[int]:
    """List the stories of all drafts whose lead lacks its text."""
    with newsroom.store.reading() as tx:
        entries = [entry for draft in tx.issues.list_drafts() for entry in list_entries(draft)]
        candidates = _get_candidates(tx, [entry.story for entry in entries if entry.story is not None])
    return [story_id for story_id, candidate in candidates.items() if lacks_text(candidate.lead.article)]


def fetch_pages(newsroom: Newsroom, story_ids: Iterable[int], now: datetime) -> list[PageReport]:
    """Fetch the pages of stories, store their texts, and draft the summaries that nobody has written.

    Args:
        newsroom: whose store gets the texts.
        story_ids: of stories, or of any of their articles; a story that has its text is left out.
        now: aware.

    Returns:
        A report for each page, in the order of the stories.
    """
    with newsroom.store.reading() as tx:
        candidates = {
            story_id: candidate
            for story_id, candidate in _get_candidates(tx, story_ids).items()
            if lacks_text(candidate.lead.article)
        }
    link_checks = check_links(newsroom, [each.lead.article.url for each in candidates.values()], now=now)
    checks_by_url = {check.url: check for check in link_checks}
    with newsroom.store.transaction() as tx:
        current = _get_candidates(tx, candidates)
        for story_id, candidate in current.items():
            if story_id in candidates and candidate.lead.article.text != candidates[story_id].lead.article.text:
                tx.snapshots.save([candidate.lead], now)  # the text did not change since the pick: it came
                _draft_summary(tx, newsroom, candidates[story_id], candidate)
    return [
        PageReport(story_id, each.lead.article.title, each.lead.article.url, _find_failure(each, checks_by_url))
        for story_id, each in ((story_id, current.get(story_id, former)) for story_id, former in candidates.items())
    ]


def read_failure(article: Article, link_checks: Mapping[str, LinkCheck]) -> Failure | None:
    """Read why the page of an article that lacks its text could not be had; None if nobody tried, or if it came.

    Args:
        article: the lead of a story.
        link_checks: the last check of each address.
    """
    check = link_checks.get(article.url)
    if check is None or not lacks_text(article):
        return None
    if check.state in ("gone", "unknown") and check.detail:
        return Failure.from_json(check.detail)
    return Failure("NoArticle", Detail.of("nothing-to-take"))


def _find_failure(candidate: Candidate, link_checks: Mapping[str, LinkCheck]) -> Failure | None:
    article = candidate.lead.article
    if lacks_text(article) and article.url not in link_checks:
        return Failure("NoArticle", Detail.of("nothing-to-take"))
    return read_failure(article, link_checks)


def _get_candidates(tx: Transaction, story_ids: Iterable[int]) -> dict[int, Candidate]:
    candidates = (tx.stories.find_by_article(story_id) for story_id in dict.fromkeys(story_ids))
    return {candidate.story.id: candidate for candidate in candidates if candidate is not None}


def _draft_summary(tx: Transaction, newsroom: Newsroom, former: Candidate, candidate: Candidate) -> None:
    """Give the entry of a story in the drafts its summary, unless the editor wrote one.

    Args:
        tx: open for writing.
        newsroom: its newsletter and rules.
        former: the story before its text came.
        candidate: the story with its text.
    """
    newsletter, style = newsroom.newsletter, read_house_style(tx, newsroom.newsletter)
    for draft in tx.issues.list_drafts():
        new_entries = {
            position: replace(entry, markdown=_fill(entry, former, candidate, newsletter, style))
            for position, entry in enumerate(list_entries(draft))
            if entry.story in candidate.story.members and not draft.sections[find_indices(draft, position)[0]].is_briefs
        }
        changed = replace_entries(draft, new_entries)
        if changed != draft:
            save_issue(tx, changed, newsletter, newsroom.rules)


def _fill(entry: Entry, former: Candidate, candidate: Candidate, newsletter: Newsletter, style: HouseStyle) -> str:
    proposal = propose_entry(candidate, newsletter, style).markdown
    if entry.markdown == propose_entry(former, newsletter, style).markdown:
        return proposal
    if read_summary(entry.markdown, newsletter):
        return entry.markdown
    summary = read_summary(proposal, newsletter)
    return reword_entry(entry.markdown, newsletter, title="", summary=summary, section=candidate.category)
