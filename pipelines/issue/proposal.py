"""Candidate -> the entry that jianbao proposes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.issue.entry_form import EntryParts, assemble_entry
from pipelines.issue.escape import (
    clean_line,
    escape_around_code,
    escape_markdown,
    make_autolink,
    make_link,
    make_printable_url,
)
from pipelines.issue.frame import shorten_title
from pipelines.issue.house_style import DEFAULT_STYLE, HouseStyle
from pipelines.issue.summary import summarise
from pipelines.model import Article, Candidate, Entry
from pipelines.newsletter import Briefs, Newsletter


def propose_entry(candidate: Candidate, newsletter: Newsletter, style: HouseStyle = DEFAULT_STYLE) -> Entry:
    """Propose an entry: the first line, label lines, and a summary of the article's own sentences.

    Args:
        candidate: the story.
        newsletter: its labels.
        style: as learned from its late issues.

    An entry always has a summary line, even an empty one: the editor fills it, and kramdown reads an item of a single
    line with a `|` in it as a table.
    """
    lead, labels = candidate.lead.article, newsletter.labels
    url = None if lead.temporary else make_printable_url(lead.url)
    addresses = {url}
    label_lines = []
    for link in candidate.links:
        address = make_printable_url(link.url)
        if address and link.label and address not in addresses:
            addresses.add(address)
            label_lines.append(labels.begin_line(escape_markdown(link.label)) + make_autolink(address))
    if newsletter.style_section(candidate.category).is_set_apart:
        style = replace(style, point_mark="")  # there a list after a paragraph would not be inside the entry
    summary = summarise(candidate, _read_head_text(candidate, newsletter, style), style)
    points = [
        style.point_mark.replace("{n}", str(number)) + escape_markdown(point)
        for number, point in enumerate(summary.points, 1)
    ]
    lines = [*map(escape_markdown, summary.paragraphs), *points]
    title, source = _write_title(candidate, url, newsletter, style)
    prefix = "".join(f"[{escape_markdown(prefix)}] " for prefix in _find_prefixes(candidate, style))
    parts = EntryParts(title, url, source, label_lines, lines, prefix)
    return Entry(assemble_entry(parts, candidate.category, newsletter), candidate.story.id)


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


def _write_title(candidate: Candidate, url: str | None, newsletter: Newsletter, style: HouseStyle) -> tuple[str, str]:
    """Write the title of an entry and its source, as Markdown; an empty source for a paper or a repository."""
    article = candidate.lead.article
    title, source = clean_line(article.title) or article.url, article.publisher
    if article.kind in PAPERS:
        source = None
    elif article.kind in REPOSITORIES and _prints_repository(candidate, newsletter, style):
        title, source = _name_project(article, url), None
    elif candidate.category in style.repository_sections and (name := _find_repository(candidate)):
        title = title if title.casefold().startswith(name.casefold()) else f"{name}：{title}"
    escape = escape_around_code if style.code_in_titles else escape_markdown
    return escape(title), escape_markdown(source or "")


def _prints_repository(candidate: Candidate, newsletter: Newsletter, style: HouseStyle) -> bool:
    """Whether the title of a repository begins with its name; in entries of an own form, as past issues print it."""
    has_form = bool(newsletter.style_section(candidate.category).entry)
    return not has_form or candidate.category in style.repository_sections


def _find_prefixes(candidate: Candidate, style: HouseStyle) -> list[str]:
    """Find what stands in brackets before the title of a paper, or of a post about one paper: venue, arXiv id."""
    article = candidate.lead.article
    papers = [stored.article for stored in candidate.articles if stored.article.kind in PAPERS]
    if article.kind in PAPERS:
        papers = [article]
    elif candidate.category not in style.paper_sections:
        return []
    keys = {key for paper in papers for key in paper.keys if key.startswith("arxiv:")}
    keys = keys or {key for link in candidate.links if (key := _find_arxiv_key(link.url))}
    identifiers = [key.removeprefix("arxiv:") for key in keys] if len(keys) == 1 else []
    venue = next(filter(None, map(_find_venue, papers)), "")
    return [prefix for prefix in (venue, *identifiers) if prefix]


# "https://arxiv.org/abs/2006.16669v2"
_ARXIV: Final = re.compile(r"https?://arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})")

# "https://github.com/Tencent/ncnn"
_REPOSITORY: Final = re.compile(r"https?://github\.com/([\w.-]+/[\w.-]+)/?")


def _find_arxiv_key(url: str) -> str:
    match = _ARXIV.match(url)
    return f"arxiv:{match[1]}" if match else ""


def _find_repository(candidate: Candidate) -> str:
    """Find the `owner/repo` that a story is about; empty if it is about none, or about several."""
    names = {match[1] for link in candidate.links if (match := _REPOSITORY.fullmatch(link.url))}
    return names.pop() if len(names) == 1 else ""


# "CVPR 2020", "NeurIPS'2019"
_VENUE: Final = re.compile(r"\b([A-Z][A-Za-z]{0,8}[A-Z][A-Za-z]{0,8})[ -]?'?(20[0-4]\d)\b")


# "Accepted at CVPR 2020", "to appear in the proceedings"
_ACCEPTED: Final = re.compile(r"accept|appear|publish|present|oral|poster|spotlight", re.IGNORECASE)

# "Submitted to CVPR 2020", "under review"
_SUBMITTED: Final = re.compile(r"submi|review|reject", re.IGNORECASE)


def _find_venue(article: Article) -> str:
    """Find in a paper's comment the conference that accepted the paper: `CVPR2020`."""
    comment = article.facts.get("comment", "")
    if not _ACCEPTED.search(comment) or _SUBMITTED.search(comment):
        return ""
    venue = _VENUE.search(comment)
    return f"{venue[1]}{venue[2]}" if venue else ""


def _name_project(article: Article, url: str | None) -> str:
    """Write `owner/repo: title`; if the title is no more than the name, the name and the description."""
    name = "/".join((url or "").split("/")[3:5])
    title = article.title.removeprefix(name).lstrip(" :：")
    return f"{name}: {title}" if name and title else ": ".join(filter(None, (article.title, article.summary)))


def _read_head_text(candidate: Candidate, newsletter: Newsletter, style: HouseStyle) -> str:
    """Read the first line of the entry as a reader sees it."""
    lead = candidate.lead.article
    names_project = lead.kind in REPOSITORIES and _prints_repository(candidate, newsletter, style)
    return _name_project(lead, lead.url) if names_project else lead.title
