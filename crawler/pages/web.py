"""Any site's article page, by its own metadata (JSON-LD, OpenGraph, `<meta>`) and its main text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Final

from lxml.html import HtmlElement

from crawler.errors import Blocked, Gone, PageChanged
from crawler.items import Link, Page, RawItem, Reply
from crawler.markup.challenge import refuse_challenge
from crawler.markup.encoding import decode_reply
from crawler.markup.headline import Headline, find_headline
from crawler.markup.html import collapse, parse
from crawler.markup.main_text import SHORT_TEXT, find_main_html
from crawler.markup.metadata import PageMetadata, as_text, as_url, is_front, site_of
from crawler.markup.page_date import find_date, find_modified
from crawler.sites import ARXIV_NAME

_AUTHOR: Final = ("author", "article:author", "og:article:author", "parsely-author", "dc.creator", "citation_author")
# Seen 2026-11: https://doi.org/10.1145/3373376.3378534
_DOI: Final = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S{1,200})")
# Seen 2026-11: 2103.15348v2
_ARXIV: Final = re.compile(rf"({ARXIV_NAME})(?:v\d+)?")
_FEEDS: Final = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_LEAST_TEXT: Final = 40  # characters; less is a button, a cookie notice or "please enable JavaScript"
# Seen 2026-11: <?xml version="1.0"?><rss version="2.0">
_NO_PAGES: Final = (
    (
        re.compile(r"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:rss|feed|rdf:RDF)\b", re.S),
        "feed-for-article",
    ),
    (re.compile(r"%PDF-"), "pdf-for-article"),
    (re.compile(r"\s*[\[{]"), "json-for-article"),
)
# Seen 2026-11: 两比特量化 | 某博客
_TITLE_PART: Final = re.compile(r"\s[-–—]+\s|\s*[|｜_]\s*")
# Seen 2026-11: Just a moment...
_CHALLENGE_TITLE: Final = re.compile(
    r"just a moment\W*|attention required\W*|checking your browser.*|access (?:to this page has been )?denied\W*"
    r"|(?:human |security |browser )?(?:check|verification)(?: required)?|(?:please )?verify (?:that )?you.*|captcha"
    r"|40[13](?: forbidden| unauthorized)?|forbidden|(?:are you a )?robot(?: or human)?\W*"
    r"|\w{0,6}(?:安全|人机|访问|滑动|身份)验证\w{0,2}|验证码|请稍[候等]\W*|访问(?:被拒绝|受限)\W*",
    re.I,
)
# Seen 2026-11: 抱歉，您访问的页面不存在
_GONE_TITLE: Final = re.compile(
    r"(?:error\W*)?(?:404|410)(?:[\W\d]|error|page|not found|gone)*"
    r"|(?:(?:the |this )?(?:page|post|article|content|file) )?(?:is )?(?:not found|unavailable"
    r"|no longer available|does(?: not|n.t) exist)\W*"
    r"|.{0,12}(?:页面|网页|文章|内容|帖子|链接|信息).{0,6}(?:不存在|找不到|未找到|已删除|被删除|已失效|已下线).{0,2}"
    r"|.{0,8}(?:找不到|未找到).{0,4}(?:页面|网页|文章|内容).{0,2}",
    re.I,
)
# Seen 2026-11: You need to enable JavaScript to run this app.
_NEEDS_SCRIPT: Final = re.compile(
    r"(?:enable|requires?|need) javascript|javascript (?:is )?(?:disabled|required)|启用.{0,4}javascript", re.I
)


def web(reply: Reply) -> Page:
    """The article that a page of any site holds.

    Args:
        reply: an HTML page.

    Returns:
        A page with one item. `html` is the main text's own markup, so that its links stand; `text` only where nothing
        but JSON-LD has it.

    Raises:
        Gone: by its status, or by its title and its lack of text, the page is no more.
        Blocked: a challenge or a refusal.
        PageChanged: no HTML, no title, or no main text.
    """
    if reply.status in {404, 410}:
        raise Gone("http-status", url=reply.url, status=reply.status)
    text = decode_reply(reply)
    for pattern, code in _NO_PAGES:
        if pattern.match(text):
            raise PageChanged(code, url=reply.url)
    document = parse(text)
    source = PageMetadata.of(reply.url, document)
    headline = find_headline(source)
    title = headline.text
    html, body = find_main_html(source, title)
    if len(body) < SHORT_TEXT and not source.described:
        _refuse_notice(reply, text, title, document)
    if not title:
        raise PageChanged("no-title", url=reply.url)
    if len(body) >= _LEAST_TEXT and not _asks_for_scripts(body):
        return Page((replace(_item(reply, source, headline), html=html),))
    if len(body := source.says("articleBody")) >= _LEAST_TEXT:
        return Page((replace(_item(reply, source, headline), text=body),))
    raise PageChanged("no-main-text", url=reply.url)


def _item(reply: Reply, source: PageMetadata, headline: Headline) -> RawItem:
    """All but the main text."""
    summary = source.meta(("description", "og:description")) or source.says("description")
    image = source.meta(("og:image", "twitter:image")) or as_url(source.described.get("image"))
    date = find_date(source, headline.element, reply.fetched_at)
    language = (
        source.document.get("lang") or source.says("inLanguage") or source.meta(("content-language", "og:locale"))
    )
    return RawItem(
        kind="web",
        url=_canonical(source) or reply.url,
        title=headline.text,
        fetched_at=reply.fetched_at,
        published=date.written if date else None,
        updated=find_modified(source),
        author=_author(source),
        publisher=collapse(source.meta(("og:site_name",)) or source.says("publisher")) or None,
        summary=collapse(unescape(summary)) or None,
        image=source.http(image),
        links=tuple(_links(source)),
        ids=tuple(_ids(source)),
        tags=tuple(_tags(source)),
        language=language.strip() or None,
        facts=_facts(source) | ({"date_source": date.source} if date else {}),
    )


# --- metadata of the page -----------------------------------------------------------------------------------------


def _author(source: PageMetadata) -> str | None:
    printed = source.meta(_AUTHOR)
    return collapse(source.says("author") or ("" if "://" in printed else printed)) or None


def _canonical(source: PageMetadata) -> str:
    """The address that the page calls its own, if it is on the same site and not merely the site's front page."""
    for link in (*_link_targets(source, "canonical"), source.meta(("og:url",))):
        url = source.http(link)
        if url and site_of(url) == site_of(source.address) and (is_front(source.address) or not is_front(url)):
            return url
    return ""


def _links(source: PageMetadata) -> Iterator[Link]:
    """A canonical address on another site is the article that this one is a copy of."""
    for link in _link_targets(source, "canonical")[:1]:
        url = source.http(link)
        if url and site_of(url) != site_of(source.address) and not is_front(url):
            yield Link("reprint-of", url)
    if pdf := source.http(source.meta(("citation_pdf_url",))):
        yield Link("paper", pdf)


def _ids(source: PageMetadata) -> Iterator[str]:
    """Keys from the tags that Google Scholar asks publishers for."""
    if doi := _DOI.fullmatch(source.meta(("citation_doi",))):
        yield f"doi:{doi[1].lower()}"
    if arxiv := _ARXIV.fullmatch(source.meta(("citation_arxiv_id",))):
        yield f"arxiv:{arxiv[1]}"


def _tags(source: PageMetadata) -> list[str]:
    sections = source.document.xpath("//meta[@property='article:section' or @property='article:tag']/@content")
    described = (as_text(part) for part in source.described.get("articleSection", []))
    return list(dict.fromkeys(tag for tag in map(collapse, (*sections, *described)) if tag))[:20]


def _facts(source: PageMetadata) -> dict[str, str]:
    feeds = (
        source.http(node.get("href") or "")
        for node in source.document.iter("link")
        if (node.get("type") or "").lower() in _FEEDS and "alternate" in (node.get("rel") or "").lower()
    )
    feed = next(filter(None, feeds), None)
    return {"feed": feed} if feed else {}


def _link_targets(source: PageMetadata, relation: str) -> list[str]:
    return [
        node.get("href") or "" for node in source.document.iter("link") if (node.get("rel") or "").lower() == relation
    ]


# --- where there is no article -------------------------------------------------------------------------------------


def _refuse_notice(reply: Reply, text: str, title: str, document: HtmlElement) -> None:
    """Stop at a page that says little and calls itself a challenge or an error."""
    refuse_challenge(text, reply)
    written = collapse(document.findtext(".//title") or "")
    parts = [part.strip() for name in (title, written) for part in (name[:200], *_TITLE_PART.split(name[:200]))]
    if reply.status in {401, 403} or any(map(_CHALLENGE_TITLE.fullmatch, parts)):
        raise Blocked("refusal-titled", url=reply.url, title=(title or written)[:80])
    if any(map(_GONE_TITLE.fullmatch, parts)):
        raise Gone("notice", url=reply.url, notice=(title or written)[:80])


def _asks_for_scripts(text: str) -> bool:
    """Whether a page only says that its scripts would draw it."""
    return len(text) < SHORT_TEXT and bool(_NEEDS_SCRIPT.search(text))
