"""arXiv: answers of its API and of its OAI-PMH interface, and its daily RSS and Atom feeds.

Sources: the API's user manual (info.arxiv.org/help/api/user-manual.html), the feeds' specification
(info.arxiv.org/help/rss_specifications.html), OAI-PMH (openarchives.org/OAI/openarchivesprotocol.html, with arXiv's
terms in info.arxiv.org/help/oa) and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlsplit

from lxml import etree

from crawler.characters import mend_document
from crawler.errors import (
    Blocked,
    Detail,
    FetchFailed,
    NotUnderstood,
    PageChanged,
    RateLimited,
    SourceMisconfigured,
    detail_of,
)
from crawler.items import Ask, Link, Page, RawItem, Reply
from crawler.markup.encoding import unpack
from crawler.markup.html import collapse
from crawler.markup.records import read_each
from crawler.markup.tex import read_tex
from crawler.waiting import retry_after

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_ARXIV: Final = "{http://arxiv.org/schemas/atom}"
_OPENSEARCH: Final = "{http://a9.com/-/spec/opensearch/1.1/}"
_DC: Final = "{http://purl.org/dc/elements/1.1/}"
_OAI: Final = "{http://www.openarchives.org/OAI/2.0/}"
_RAW: Final = "{http://arxiv.org/OAI/arXivRaw/}"

_DEEPEST_SLICE: Final = 30_000
"""The API refuses a `start` beyond this (user manual, 3.1.1.2)."""

_OLD_NAME: Final = r"(?P<archive>[a-z-]{2,20})(?:\.[A-Za-z-]{2,20})?/(?P<number>\d{7})"
_NAME: Final = rf"(?P<name>\d{{4}}\.\d{{4,5}}|{_OLD_NAME})(?:v(?P<version>\d{{1,4}}))?"
# Seen 2026-11: http://arxiv.org/abs/2103.15348v2
_ABSTRACT_PAGE: Final = re.compile(rf"https?://(?:[a-z]+\.)?arxiv\.org/abs/{_NAME}", re.ASCII)
# Seen 2026-11: oai:arXiv.org:2511.04321v1
_ANNOUNCED: Final = re.compile(rf"oai:arXiv\.org:{_NAME}", re.ASCII)
# Seen 2026-11: arXiv:2511.04321v1 Announce Type: replace-cross Abstract: We study
_ANNOUNCEMENT: Final = re.compile(r"arXiv:\S{1,40} Announce Type: (?P<type>\S{1,20}) Abstract: ?")
# Seen 2026-11: Rate exceeded.
_TOO_FAST: Final = re.compile(rb"rate (?:limit )?exceeded|too many requests|retry after|temporarily unavailable", re.I)

# Seen 2026-11: This paper has been withdrawn by the author due to a crucial error in equation 1
_WITHDRAWN: Final = re.compile(
    r"\b(?:(?:has|have|is|was|been|being|paper|article|submission) (?:been )?(?:withdrawn|retracted)"
    r"|^\W*(?:withdrawn|retracted)\b|(?:withdrawn|retracted) (?:by|due|because)"
    r"|(?:withdraw|retract) (?:this|the|our) )",
    re.IGNORECASE,
)
# Seen 2026-11: This paper has been withdrawn.
_WITHDRAWN_ABSTRACT: Final = re.compile(
    r"\W*(?:this|the|our) (?:paper|article|manuscript|submission|preprint|work) (?:has been|is|was)"
    r" (?:withdrawn|retracted)",
    re.IGNORECASE,
)
_LONGEST_WITHDRAWAL: Final = 300

# Seen 2026-11: A. Li (1), B. Wang (1 and 2)
_PARENTHESIS: Final = re.compile(r"\([^()]{0,1000}\)")

_RSS_TAGS: Final = {"id": "guid", "title": "title", "abstract": "description", "date": "pubDate"}
_ATOM_TAGS: Final = {
    "id": f"{_ATOM}id",
    "title": f"{_ATOM}title",
    "abstract": f"{_ATOM}summary",
    "date": f"{_ATOM}published",
}

_NOT_OURS: Final = {
    f"{_OAI}OAI-PMH": "arxiv/oai-pmh",
    "record": "arxiv/oai-pmh-record",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF": "arxiv/rss-1",
    "html": "arxiv/html",
    "{http://www.w3.org/1999/xhtml}html": "arxiv/html",
}
"""Codes of other answers of arXiv by their root element; they are refused by name."""


def api(reply: Reply) -> Page:
    """Read an answer of `export.arxiv.org/api/query`: one slice of a search, or the papers of an `id_list`.

    Returns:
        The papers, and an ask for the next slice while the totals promise more; whether to follow it is the
        spider's choice. A paper that arXiv does not know is a warning.

    Raises:
        SourceMisconfigured: arXiv refuses the query (a feed with one entry, `Error`); the detail has its words.
        FetchFailed: the totals promise papers and none came, as arXiv's API does when it is busy.
        RateLimited, Blocked, PageChanged: as everywhere.
    """
    feed = _xml(reply)
    if feed.tag != f"{_ATOM}feed":
        raise _unexpected(feed, "no-arxiv-answer", reply)
    entries = feed.findall(f"{_ATOM}entry")
    _refuse_error_entry(entries, reply)
    total, start = _count(feed, "totalResults"), _count(feed, "startIndex")
    if not entries and total > start:
        raise FetchFailed("arxiv-sent-none", url=reply.url, start=start, total=total)
    titled = [entry for entry in entries if _has_title(entry)]
    unknown = [
        Detail.of("unknown-paper", name=_text(entry, f"{_ATOM}id")) for entry in entries if not _has_title(entry)
    ]
    items, warnings = read_each(titled, _paper, reply)
    following = start + len(entries)
    more = entries and following < min(total, _DEEPEST_SLICE)
    asks = (Ask(_with_start(reply.url, following), "arxiv.api"),) if more else ()
    return Page(items, asks, (*unknown, *warnings))


def rss(reply: Reply) -> Page:
    """Read a daily feed of `rss.arxiv.org`, as RSS 2.0 or as Atom. At weekends it is empty.

    A feed says when a version was announced. For a `new` or `cross` paper that is `published`; for a `replace`
    it is `updated`, and when the paper first came out is not known.

    Raises:
        RateLimited, Blocked, PageChanged: as everywhere.
    """
    root = _xml(reply)
    if root.tag == "rss":
        items, warnings = read_each(root.iterfind("channel/item"), _announced_in_rss, reply)
    elif root.tag == f"{_ATOM}feed":
        items, warnings = read_each(root.iterfind(f"{_ATOM}entry"), _announced_in_atom, reply)
    else:
        raise _unexpected(root, "no-arxiv-feed", reply)
    return Page(items, warnings=warnings)


def oai(reply: Reply) -> Page:
    """Read one slice of `ListRecords` of arXiv's OAI-PMH interface, in the format `arXivRaw`.

    Returns:
        The papers as `api` gives them, new and changed ones alike, and an ask for the next slice. A record that arXiv
        deleted is left out.

    Raises:
        FetchFailed: the slice has expired; the list has to be read from its beginning.
        SourceMisconfigured: arXiv refuses the request; the detail has its words.
        RateLimited, Blocked, PageChanged: as everywhere.
    """
    root = _xml(reply)
    if root.tag != f"{_OAI}OAI-PMH":
        raise _unexpected(root, "no-arxiv-harvest", reply)
    for refusal in root.iterfind(f"{_OAI}error"):
        if (code := refusal.get("code", "")) == "noRecordsMatch":
            return Page()
        refused = FetchFailed if code == "badResumptionToken" else SourceMisconfigured
        raise refused("arxiv-refuses-query", url=reply.url, reason=collapse(refusal.text or "") or code or "?")
    records = root.find(f"{_OAI}ListRecords")
    if records is None:
        raise _unexpected(root, "no-arxiv-harvest", reply)
    papers = (record for record in records.iterfind(f"{_OAI}record") if record.find(f"{_OAI}metadata") is not None)
    items, warnings = read_each(papers, _harvested, reply)
    token = _text(records, f"{_OAI}resumptionToken")
    following = f"{reply.url.partition('?')[0]}?verb=ListRecords&resumptionToken={quote(token, safe='')}"
    return Page(items, (Ask(following, "arxiv.oai", shared=True),) if token else (), warnings)


def _xml(reply: Reply) -> etree._Element:
    """The reply's root element; entities stay unexpanded, and nothing is fetched."""
    _refuse_status(reply)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(mend_document(unpack(reply)).strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if _TOO_FAST.search(reply.body[:4096]):
            raise _rate_limited(reply) from error
        raise PageChanged("not-well-formed", url=reply.url, reason=detail_of(error)) from error
    if root.getroottree().docinfo.internalDTD is not None and root.tag not in _NOT_OURS:
        raise PageChanged("feed-with-document-type", url=reply.url)
    return root


def _refuse_status(reply: Reply) -> None:
    """Raise the error that the status means. A 400 has the API's own words in its feed, so it passes."""
    if reply.status in (429, 503):
        raise _rate_limited(reply)
    if reply.status in (401, 403):
        raise Blocked("arxiv-refuses", url=reply.url, status=reply.status)
    if reply.status >= 500:
        raise FetchFailed("arxiv-status", url=reply.url, status=reply.status)
    if reply.status not in (200, 400):
        raise PageChanged("arxiv-status", url=reply.url, status=reply.status)


def _rate_limited(reply: Reply) -> RateLimited:
    retry_at = retry_after(reply.headers, reply.fetched_at)
    return RateLimited("arxiv-slow-down", retry_at=retry_at, url=reply.url)


def _unexpected(root: etree._Element, code: str, reply: Reply) -> PageChanged | RateLimited:
    if _TOO_FAST.search(reply.body[:4096]):
        return _rate_limited(reply)
    root_name = Detail.of("xml", root=str(root.tag))
    document = Detail.of(_NOT_OURS[root.tag]) if root.tag in _NOT_OURS else root_name
    return PageChanged(code, url=reply.url, document=document)


def _refuse_error_entry(entries: list[etree._Element], reply: Reply) -> None:
    """The API says what is wrong with a query in a feed with one entry, whose id lies under `/api/errors`."""
    for entry in entries:
        if "/api/errors" in _text(entry, f"{_ATOM}id"):
            reason = _text(entry, f"{_ATOM}summary")
            raise SourceMisconfigured("arxiv-refuses-query", url=reply.url, reason=reason or "?")
    if reply.status != 200:
        raise PageChanged("arxiv-status", url=reply.url, status=reply.status)


def _has_title(entry: etree._Element) -> bool:
    """Whether arXiv knows the paper: for an id that it does not know, an `id_list` answer may hold a bare entry."""
    return bool(_text(entry, f"{_ATOM}title"))


def _paper(entry: etree._Element, reply: Reply) -> RawItem:
    """One entry of an API answer."""
    name, version = _identify(_ABSTRACT_PAGE, _text(entry, f"{_ATOM}id"))
    hrefs = {link.get("title"): link.get("href", "") for link in entry.iterfind(f"{_ATOM}link")}
    dois = _text(entry, f"{_ARXIV}doi").split()
    primary = entry.find(f"{_ARXIV}primary_category")
    return RawItem(
        kind="arxiv",
        url=f"https://arxiv.org/abs/{name}",
        title=read_tex(_text(entry, f"{_ATOM}title")),
        fetched_at=reply.fetched_at,
        published=_text(entry, f"{_ATOM}published") or None,
        updated=_text(entry, f"{_ATOM}updated") or None,
        author=read_tex(", ".join(_texts(entry, f"{_ATOM}author/{_ATOM}name"))) or None,
        publisher="arXiv",
        summary=read_tex(_text(entry, f"{_ATOM}summary")) or None,
        links=(*([Link("paper", hrefs["pdf"])] if hrefs.get("pdf") else []), *_doi_links(dois)),
        ids=(f"arxiv:{name}", *_doi_keys(dois)),
        tags=_terms(entry),
        facts=_facts(
            version=version,
            primary_category=primary.get("term", "") if primary is not None else "",
            comment=_text(entry, f"{_ARXIV}comment"),
            withdrawn=_withdrawal(_text(entry, f"{_ARXIV}comment"), _text(entry, f"{_ATOM}summary")),
            journal_ref=_text(entry, f"{_ARXIV}journal_ref"),
        ),
    )


def _announced_in_rss(item: etree._Element, reply: Reply) -> RawItem:
    return _announced(item, _RSS_TAGS, tuple(_texts(item, "category")), reply)


def _announced_in_atom(entry: etree._Element, reply: Reply) -> RawItem:
    return _announced(entry, _ATOM_TAGS, _terms(entry), reply)


def _announced(record: etree._Element, tags: Mapping[str, str], categories: tuple[str, ...], reply: Reply) -> RawItem:
    """One announcement of a daily feed; the two formats differ in their elements' names and in the categories."""
    name, version = _identify(_ANNOUNCED, _text(record, tags["id"]))
    if not (title := _text(record, tags["title"])):
        raise NotUnderstood("announcement-without-title", name=name)
    described = _text(record, tags["abstract"])
    heading = _ANNOUNCEMENT.match(described)
    announce_type = _text(record, f"{_ARXIV}announce_type") or (heading["type"] if heading else "")
    replaced = announce_type.startswith("replace")
    date = _text(record, tags["date"]) or None
    dois = _text(record, f"{_ARXIV}DOI").split()
    return RawItem(
        kind="arxiv",
        url=f"https://arxiv.org/abs/{name}",
        title=read_tex(title),
        fetched_at=reply.fetched_at,
        published=None if replaced else date,
        updated=date if replaced else None,
        author=read_tex(", ".join(_texts(record, f"{_DC}creator"))) or None,
        publisher="arXiv",
        summary=read_tex(described[heading.end() :] if heading else described) or None,
        links=_doi_links(dois),
        ids=(f"arxiv:{name}", *_doi_keys(dois)),
        tags=categories,
        facts=_facts(
            version=version,
            announce_type=announce_type,
            withdrawn=_withdrawal("", described[heading.end() :] if heading else described),
            journal_ref=_text(record, f"{_ARXIV}journal_reference"),
        ),
    )


def _harvested(record: etree._Element, reply: Reply) -> RawItem:
    """One record of an OAI-PMH answer, with the fields of an API answer."""
    name, _ = _identify(_ANNOUNCED, _text(record, f"{_OAI}header/{_OAI}identifier"))
    paper = record.find(f"{_OAI}metadata/{_RAW}arXivRaw")
    if paper is None:
        raise NotUnderstood("no-paper", name=name)
    title, abstract, comment = (_text(paper, _RAW + field) for field in ("title", "abstract", "comments"))
    if not title:
        raise NotUnderstood("announcement-without-title", name=name)
    versions = paper.findall(f"{_RAW}version")
    dates = [date for version in versions if (date := _iso_date(_text(version, f"{_RAW}date")))]
    number = versions[-1].get("version", "").removeprefix("v") if versions else ""
    categories = tuple(_text(paper, f"{_RAW}categories").split())
    dois = _text(paper, f"{_RAW}doi").split()
    return RawItem(
        kind="arxiv",
        url=f"https://arxiv.org/abs/{name}",
        title=read_tex(title),
        fetched_at=reply.fetched_at,
        published=dates[0] if dates else None,
        updated=dates[-1] if dates else None,
        author=read_tex(_list_authors(_text(paper, f"{_RAW}authors"))) or None,
        publisher="arXiv",
        summary=read_tex(abstract) or None,
        links=(Link("paper", f"https://arxiv.org/pdf/{name}{f'v{number}' if number else ''}"), *_doi_links(dois)),
        ids=(f"arxiv:{name}", *_doi_keys(dois)),
        tags=categories,
        facts=_facts(
            version=number,
            primary_category=categories[0] if categories else "",
            comment=comment,
            withdrawn=_withdrawal(comment, abstract),
            journal_ref=_text(paper, f"{_RAW}journal-ref"),
        ),
    )


def _iso_date(date: str) -> str:
    """A version's date as the API writes it; empty for another form.

    >>> _iso_date("Mon, 2 Nov 2026 19:18:42 GMT")
    '2026-11-02T19:18:42Z'
    """
    try:
        return f"{parsedate_to_datetime(date).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except ValueError:
        return ""


def _list_authors(names: str) -> str:
    """Authors without their affiliations, separated by commas.

    >>> _list_authors("A. Li (1 and 2), B. Wang and C. Zhao ((1) Uni X, (2) Uni Y)")
    'A. Li, B. Wang, C. Zhao'
    """
    shorter = _PARENTHESIS.sub("", names)
    while shorter != names:
        names, shorter = shorter, _PARENTHESIS.sub("", shorter)
    parts = re.split(r",|\band\b", names)
    return ", ".join(filter(None, map(collapse, parts)))


def _withdrawal(comment: str, abstract: str) -> str:
    """The words by which a paper's authors, or arXiv, withdraw it; empty for a paper that stands.

    >>> _withdrawal("This paper has been withdrawn due to an error in Lemma 3", "We prune.")
    'This paper has been withdrawn due to an error in Lemma 3'
    >>> _withdrawal("8 pages", "We study retracted papers.")
    ''
    """
    if _WITHDRAWN.search(comment):
        return comment[:_LONGEST_WITHDRAWAL]
    return abstract[:_LONGEST_WITHDRAWAL] if _WITHDRAWN_ABSTRACT.match(abstract) else ""


def _identify(pattern: re.Pattern[str], identifier: str) -> tuple[str, str]:
    """A paper's name without its version, and the version.

    An old name keeps its archive only: `math.GT/0309136` is `math/0309136` (info.arxiv.org/help/arxiv_identifier.html).

    Raises:
        ValueError: this names no paper.

    >>> _identify(_ABSTRACT_PAGE, "http://arxiv.org/abs/2103.15348v2")
    ('2103.15348', '2')
    >>> _identify(_ABSTRACT_PAGE, "https://arxiv.org/abs/math.GT/0309136v1")
    ('math/0309136', '1')
    """
    match = pattern.fullmatch(identifier)
    if not match:
        raise NotUnderstood("no-paper", name=identifier[:100])
    name = f"{match['archive']}/{match['number']}" if match["archive"] else match["name"]
    return name, match["version"] or ""


def _with_start(url: str, start: int) -> str:
    """The same query, from another place in its results; all other parameters stay byte for byte.

    >>> _with_start("https://export.arxiv.org/api/query?search_query=cat:cs.LG&start=0&max_results=50", 50)
    'https://export.arxiv.org/api/query?search_query=cat:cs.LG&max_results=50&start=50'
    """
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if pair and not pair.startswith("start=")]
    return parts._replace(query="&".join([*pairs, f"start={start}"]), fragment="").geturl()


def _text(element: etree._Element, path: str) -> str:
    """The text of the first element at `path`, white space collapsed; empty where there is none."""
    return collapse(element.findtext(path, ""))


def _texts(element: etree._Element, path: str) -> list[str]:
    return [text for node in element.iterfind(path) if (text := collapse(node.text or ""))]


def _terms(entry: etree._Element) -> tuple[str, ...]:
    return tuple(term for category in entry.iterfind(f"{_ATOM}category") if (term := category.get("term")))


def _count(feed: etree._Element, name: str) -> int:
    text = _text(feed, _OPENSEARCH + name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _doi_links(dois: list[str]) -> tuple[Link, ...]:
    return tuple(Link("doi", f"https://doi.org/{doi}") for doi in dois)


def _doi_keys(dois: list[str]) -> tuple[str, ...]:
    return tuple(f"doi:{doi.lower()}" for doi in dois)


def _facts(**facts: str) -> dict[str, str]:
    return {name: text for name, text in facts.items() if text}
