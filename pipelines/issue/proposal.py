"""Drafts the entry of a candidate."""

from __future__ import annotations

import re
from typing import Final

from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.issue.escape import bare_url, cleaned, escape, link, printable_url
from pipelines.issue.summary import summarise
from pipelines.model import Article, Candidate, Entry
from pipelines.newsletter import Newsletter


def propose_entry(candidate: Candidate, newsletter: Newsletter) -> Entry:
    """The entry that an editor starts from: head line, label lines, and sentences of the article's own as summary.

    The summary line always stands, empty at worst: it is the editor's to fill, and kramdown takes an item of a single
    line with a `|` in it for a table.
    """
    lead, labels = candidate.lead.article, newsletter.labels
    url = None if lead.temporary else printable_url(lead.url)
    lines = [_head(lead, url, labels.source_separator)]
    addresses = {url}
    for one in candidate.links:
        address = printable_url(one.url)
        if address and address not in addresses:
            addresses.add(address)
            lines.append(f"{escape(one.label)}：{bare_url(address)}")
    return Entry(
        "\n".join([*lines, f"{labels.summary}：{escape(summarise(candidate, _said_in_head(lead)))}"]),
        candidate.story.id,
    )


def _head(article: Article, url: str | None, separator: str) -> str:
    prefix, title, source = "", cleaned(article.title) or article.url, article.publisher
    if article.kind in PAPERS:
        prefix, source = _venue(article) or _paper(article), None
    elif article.kind in REPOSITORIES:
        title, source = _project(article, url), None
    said = escape(title) + (separator + escape(source) if source and cleaned(source) else "")
    return (f"[{escape(prefix)}] " if prefix else "") + (link(said, url) if url else said)


def _paper(article: Article) -> str:
    """The arXiv id without version."""
    return next((key.removeprefix("arxiv:") for key in article.keys if key.startswith("arxiv:")), "")


_VENUE: Final = re.compile(r"\b([A-Z][A-Za-z]{0,8}[A-Z][A-Za-z]{0,8})[ -]?'?(20[0-4]\d)\b")


def _venue(article: Article) -> str:
    """The conference that a paper's comment says it was accepted at: `CVPR 2020`."""
    comment = article.facts.get("comment", "")
    accepted = re.search(r"accept|appear|publish|present|oral|poster|spotlight", comment, re.IGNORECASE)
    where = (
        _VENUE.search(comment) if accepted and not re.search(r"submi|review|reject", comment, re.IGNORECASE) else None
    )
    return f"{where[1]} {where[2]}" if where else ""


def _project(article: Article, url: str | None) -> str:
    """`owner/repo: what is new`, or what the repository is where the title says no more than its name."""
    name = "/".join((url or "").split("/")[3:5])
    said = article.title.removeprefix(name).lstrip(" :：")
    return f"{name}: {said}" if name and said else ": ".join(filter(None, (article.title, article.summary)))


def _said_in_head(lead: Article) -> str:
    """What the head line says, as a reader sees it."""
    return _project(lead, lead.url) if lead.kind in REPOSITORIES else lead.title
