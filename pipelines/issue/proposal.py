"""Candidate -> the entry that jianbao proposes."""

from __future__ import annotations

import re
from typing import Final

from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.issue.escape import clean_line, escape_markdown, make_autolink, make_link, make_printable_url
from pipelines.issue.frame import shorten_title
from pipelines.issue.summary import summarise
from pipelines.model import Article, Candidate, Entry, Section
from pipelines.newsletter import Briefs, Newsletter


def propose_entry(candidate: Candidate, newsletter: Newsletter) -> Entry:
    """Propose an entry: the first line, label lines, and a summary of the article's own sentences.

    An entry always has a summary line, even an empty one: the editor fills it, and kramdown reads an item of a single
    line with a `|` in it as a table.
    """
    lead, labels = candidate.lead.article, newsletter.labels
    url = None if lead.temporary else make_printable_url(lead.url)
    lines = [_write_head(lead, url, labels.source_separator)]
    addresses = {url}
    for link in candidate.links:
        address = make_printable_url(link.url)
        if address and address not in addresses:
            addresses.add(address)
            lines.append(labels.begin_line(escape_markdown(link.label)) + make_autolink(address))
    summary = summarise(candidate, _read_head_text(lead))
    gap = "\n\n" if Section("", marker=newsletter.frame.marker).is_set_apart else "\n"
    return Entry(gap.join([*lines, labels.begin_line(labels.summary) + escape_markdown(summary)]), candidate.story.id)


def propose_brief(candidate: Candidate, briefs: Briefs) -> Entry:
    """Propose a one-liner: the title of the lead article, with its link.

    A long title is cut after a clause.
    """
    lead = candidate.lead.article
    url = None if lead.temporary else make_printable_url(lead.url)
    line = clean_line(lead.title) or lead.url
    if len(line) > briefs.longest:
        line = shorten_title(line, 2 * briefs.longest)
    text = escape_markdown(line)
    return Entry(make_link(text, url) if url else text, candidate.story.id)


def _write_head(article: Article, url: str | None, separator: str) -> str:
    prefix, title, source = "", clean_line(article.title) or article.url, article.publisher
    if article.kind in PAPERS:
        prefix, source = _find_venue(article) or _find_paper_id(article), None
    elif article.kind in REPOSITORIES:
        title, source = _name_project(article, url), None
    names_source = separator.strip() and source and clean_line(source)
    text = escape_markdown(title) + (separator + escape_markdown(source or "") if names_source else "")
    return (f"[{escape_markdown(prefix)}] " if prefix else "") + (make_link(text, url) if url else text)


def _find_paper_id(article: Article) -> str:
    """Find the arXiv id, without version."""
    return next((key.removeprefix("arxiv:") for key in article.keys if key.startswith("arxiv:")), "")


# "CVPR 2020", "NeurIPS'2019"
_VENUE: Final = re.compile(r"\b([A-Z][A-Za-z]{0,8}[A-Z][A-Za-z]{0,8})[ -]?'?(20[0-4]\d)\b")


# "Accepted at CVPR 2020", "to appear in the proceedings"
_ACCEPTED: Final = re.compile(r"accept|appear|publish|present|oral|poster|spotlight", re.IGNORECASE)

# "Submitted to CVPR 2020", "under review"
_SUBMITTED: Final = re.compile(r"submi|review|reject", re.IGNORECASE)


def _find_venue(article: Article) -> str:
    """Find in a paper's comment the conference that accepted the paper: `CVPR 2020`."""
    comment = article.facts.get("comment", "")
    if not _ACCEPTED.search(comment) or _SUBMITTED.search(comment):
        return ""
    venue = _VENUE.search(comment)
    return f"{venue[1]} {venue[2]}" if venue else ""


def _name_project(article: Article, url: str | None) -> str:
    """Write `owner/repo: title`; if the title is no more than the name, the name and the description."""
    name = "/".join((url or "").split("/")[3:5])
    title = article.title.removeprefix(name).lstrip(" :：")
    return f"{name}: {title}" if name and title else ": ".join(filter(None, (article.title, article.summary)))


def _read_head_text(lead: Article) -> str:
    """Read the first line of the entry as a reader sees it."""
    return _name_project(lead, lead.url) if lead.kind in REPOSITORIES else lead.title
