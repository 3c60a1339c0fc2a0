"""Any site's article page, by its own metadata (JSON-LD, OpenGraph, `<meta>`) and its main text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import trafilatura
from lxml import etree
from lxml.html import HtmlElement

from crawler.errors import Blocked, Gone, PageChanged
from crawler.items import Link, Page, RawItem, Reply
from crawler.markup.challenge import refuse_challenge
from crawler.markup.encoding import decode_reply
from crawler.markup.html import collapse, inner_html, metas, parse, plain_text

_ARTICLE_TYPES: Final = frozenset({
    "AnalysisNewsArticle", "Article", "BackgroundNewsArticle", "BlogPosting", "DiscussionForumPosting",
    "LiveBlogPosting", "MedicalScholarlyArticle", "NewsArticle", "OpinionNewsArticle", "Report", "ReportageNewsArticle",
    "ReviewNewsArticle", "SatiricalArticle", "ScholarlyArticle", "SocialMediaPosting", "TechArticle",
})  # fmt: skip
"""schema.org's Article and the types derived from it."""

_PUBLISHED: Final = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished",
    "citation_publication_date", "citation_date", "parsely-pub-date", "sailthru.date", "publishdate", "publish-date",
    "pubdate", "pub_date", "publication_date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date",
    "weibo:article:create_at", "date",
)  # fmt: skip
_UPDATED: Final = ("article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "lastmod")
_AUTHOR: Final = ("author", "article:author", "og:article:author", "parsely-author", "dc.creator", "citation_author")
_DATED: Final = (
    "//time[@pubdate]/@datetime",
    "//*[@itemprop='datePublished']/@datetime",
    "//*[@itemprop='datePublished']/@content",
    "(//article | //main)//time/@datetime",
    "//time/@datetime",
)
_DATE_HINT: Final = (
    "*[contains(@class, 'time') or contains(@class, 'date') or contains(@class, 'pub') or contains(@class, 'info')"
    " or contains(@class, 'meta') or contains(@id, 'time') or contains(@id, 'date') or self::time]"
)
# Seen 2026-11: 发布时间：2026年11月7日 08:31
_WRITTEN_DATE: Final = re.compile(
    r"(?:19|20)\d\d ?[-/.年] ?\d{1,2} ?[-/.月] ?\d{1,2}(?!\d)日?(?:[ T]{1,2}\d{1,2}:\d\d(?::\d\d)?)?"
)
# Seen 2026-11: https://doi.org/10.1145/3373376.3378534
_DOI: Final = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S{1,200})")
# Seen 2026-11: 2103.15348v2
_ARXIV: Final = re.compile(r"([a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?")
_NO_TEXT: Final = ("button", "iframe", "nav", "noscript", "script", "style", "svg", "template")
_ITEMS: Final = frozenset({"dd", "dt", "li"})
_FEEDS: Final = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_MAIN: Final = (
    "//*[@itemprop='articleBody']",
    "//article",
    "//main | //*[@role='main']",
    "//*[@id='content' or @id='article' or @id='main' or contains(@class, 'article') or contains(@class, 'post')]",
    "//body",
)

_LEAST_TEXT: Final = 40  # characters; less is a button, a cookie notice or "please enable JavaScript"
_SHORT_TEXT: Final = 600  # characters; a challenge or an error page may say as much, an article says more
_LONG_LINE: Final = 12  # characters; shorter lines stand in menus, too
_LONGEST_LINE: Final = 50_000
_LONGEST_BYLINE: Final = 120
_MOST_ELEMENTS: Final = 20_000
_MOST_DEPTHS: Final = 400_000  # summed over the elements
_MOST_SIBLINGS: Final = 2_000  # a list of 2,000 takes trafilatura half a second, one of 50,000 three minutes
_MOST_JSON: Final = 500_000  # characters of one JSON-LD island

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


@dataclass(frozen=True, slots=True)
class _Source:
    """A parsed page, as the functions below read it.

    Args:
        address: of the reply, after redirects.
        metas: the page's `<meta>` contents.
        described: the article of the page's JSON-LD, each value in a list; empty where it describes none.
    """

    address: str
    document: HtmlElement
    metas: Mapping[str, str]
    described: Mapping[str, list[Any]]

    def meta(self, names: Iterable[str]) -> str:
        """The first of these that the page has; empty where it has none."""
        return next((self.metas[name] for name in names if name in self.metas), "")

    def says(self, name: str) -> str:
        """A value of the JSON-LD as text, names joined where it is a list; empty where it is missing."""
        return _as_text(self.described.get(name))

    def http(self, url: str) -> str | None:
        """An address on the page, made absolute; None where it is no web address."""
        try:
            absolute = urljoin(self.address, url.strip()) if url.strip() else ""
            return absolute if urlsplit(absolute).scheme in {"http", "https"} else None
        except ValueError:
            return None


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
    source = _Source(reply.url, document, metas(document), _described(document))
    title = _title(source)
    html = _main_html(document)
    body = plain_text(parse(f"<div>{html}</div>"))
    if len(body) < _SHORT_TEXT and not source.described:
        _refuse_notice(reply, text, title)
    if not title:
        raise PageChanged("no-title", url=reply.url)
    if len(body) >= _LEAST_TEXT and not _asks_for_scripts(body):
        return Page((replace(_item(reply, source, title), html=_without_title(html, title)),))
    if len(body := source.says("articleBody")) >= _LEAST_TEXT:
        return Page((replace(_item(reply, source, title), text=body),))
    raise PageChanged("no-main-text", url=reply.url)


def _item(reply: Reply, source: _Source, title: str) -> RawItem:
    """All but the main text."""
    summary = source.meta(("description", "og:description")) or source.says("description")
    image = source.meta(("og:image", "twitter:image")) or _as_url(source.described.get("image"))
    language = (
        source.document.get("lang") or source.says("inLanguage") or source.meta(("content-language", "og:locale"))
    )
    return RawItem(
        kind="web",
        url=_canonical(source) or reply.url,
        title=title,
        fetched_at=reply.fetched_at,
        published=source.says("datePublished") or source.meta(_PUBLISHED) or _written_date(source.document),
        updated=source.says("dateModified") or source.meta(_UPDATED) or None,
        author=_author(source),
        publisher=collapse(source.meta(("og:site_name",)) or source.says("publisher")) or None,
        summary=collapse(unescape(summary)) or None,
        image=source.http(image),
        links=tuple(_links(source)),
        ids=tuple(_ids(source)),
        tags=tuple(_tags(source)),
        language=language.strip() or None,
        facts=_facts(source),
    )


# --- metadata of the page -----------------------------------------------------------------------------------------


def _described(document: HtmlElement) -> dict[str, list[Any]]:
    """The first article that the page's JSON-LD describes, its references within the page resolved; else empty."""
    nodes = list(_json_ld(document))
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}
    article = next((node for node in nodes if not _ARTICLE_TYPES.isdisjoint(_types(node))), {})
    return {
        name: [by_id.get(part["@id"], part) if _is_reference(part) else part for part in _as_list(member)]
        for name, member in article.items()
    }


def _json_ld(document: HtmlElement) -> Iterator[dict[str, Any]]:
    """Every object of the page's JSON-LD that stands at the top, in a list, in a `@graph`, or as a `mainEntity`."""
    for script in document.iter("script"):
        source = script.text or ""
        if "ld+json" not in (script.get("type") or "").lower() or len(source) > _MOST_JSON:
            continue
        try:
            waiting = _as_list(json.loads(source.strip().rstrip(";"), strict=False))
        except (ValueError, RecursionError):
            continue
        for node in waiting:
            if isinstance(node, dict):
                yield node
                waiting += _as_list(node.get("@graph")) + _as_list(node.get("mainEntity"))


def _types(node: Mapping[str, Any]) -> Iterator[str]:
    return (kind.rpartition("/")[2] for kind in _as_list(node.get("@type")) if isinstance(kind, str))


def _is_reference(member: Any) -> bool:
    return isinstance(member, dict) and isinstance(member.get("@id"), str) and "name" not in member


def _as_list(member: Any) -> list[Any]:
    return list(member) if isinstance(member, list) else [] if member is None else [member]


def _as_text(member: Any) -> str:
    texts = (part.get("name") or part.get("@value") if isinstance(part, dict) else part for part in _as_list(member))
    return ", ".join(unescape(text).strip() for text in texts if isinstance(text, str) and text.strip())


def _as_url(member: Any) -> str:
    urls = (part.get("url") or part.get("@id") if isinstance(part, dict) else part for part in _as_list(member))
    return next((url for url in urls if isinstance(url, str)), "")


def _title(source: _Source) -> str:
    """The headline, else the `<h1>` that the page's title repeats, else that title."""
    written = source.document.findtext("head/title") or source.document.findtext(".//title") or ""
    titles = (source.meta(("og:title", "twitter:title")), written)
    named_titles = [collapse(unescape(title)) for title in titles if title.strip()]
    headings = [collapse(heading.text_content()) for heading in source.document.iter("h1")]
    repeated = (heading for heading in headings if heading and any(heading in title for title in named_titles))
    alone = headings if len(headings) == 1 else []
    return collapse(source.says("headline")) or next(filter(None, (*repeated, *named_titles, *alone)), "")


def _author(source: _Source) -> str | None:
    printed = source.meta(_AUTHOR)
    return collapse(source.says("author") or ("" if "://" in printed else printed)) or None


def _written_date(document: HtmlElement) -> str | None:
    """A date in a `<time>`, else in a short element named for it, after the heading: a site's head prints today's."""
    for path in _DATED:
        if date := next((content.strip() for content in document.xpath(path) if content.strip()), ""):
            return date
    for node in document.xpath(f"(//h1)[1]/following::{_DATE_HINT}")[:5]:
        byline = collapse(node.text_content())
        if len(byline) <= _LONGEST_BYLINE and (written := _WRITTEN_DATE.search(byline)):
            return written[0]
    return None


def _canonical(source: _Source) -> str:
    """The address that the page calls its own, if it is on the same site and not merely the site's front page."""
    for link in (*_link_targets(source, "canonical"), source.meta(("og:url",))):
        url = source.http(link)
        if url and _site(url) == _site(source.address) and (_is_front(source.address) or not _is_front(url)):
            return url
    return ""


def _links(source: _Source) -> Iterator[Link]:
    """A canonical address on another site is the article that this one is a copy of."""
    for link in _link_targets(source, "canonical")[:1]:
        url = source.http(link)
        if url and _site(url) != _site(source.address) and not _is_front(url):
            yield Link("reprint-of", url)
    if pdf := source.http(source.meta(("citation_pdf_url",))):
        yield Link("paper", pdf)


def _ids(source: _Source) -> Iterator[str]:
    """Keys from the tags that Google Scholar asks publishers for."""
    if doi := _DOI.fullmatch(source.meta(("citation_doi",))):
        yield f"doi:{doi[1].lower()}"
    if arxiv := _ARXIV.fullmatch(source.meta(("citation_arxiv_id",))):
        yield f"arxiv:{arxiv[1]}"


def _tags(source: _Source) -> list[str]:
    sections = source.document.xpath("//meta[@property='article:section' or @property='article:tag']/@content")
    described = (_as_text(part) for part in source.described.get("articleSection", []))
    return list(dict.fromkeys(tag for tag in map(collapse, (*sections, *described)) if tag))[:20]


def _facts(source: _Source) -> dict[str, str]:
    feeds = (
        source.http(node.get("href") or "")
        for node in source.document.iter("link")
        if (node.get("type") or "").lower() in _FEEDS and "alternate" in (node.get("rel") or "").lower()
    )
    feed = next(filter(None, feeds), None)
    return {"feed": feed} if feed else {}


def _link_targets(source: _Source, relation: str) -> list[str]:
    return [
        node.get("href") or "" for node in source.document.iter("link") if (node.get("rel") or "").lower() == relation
    ]


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query


def _site(url: str) -> str:
    """The registrable part of a host, near enough: two labels, three below a country's `com`, `co`, `org` ...

    >>> _site("https://m.news.example.com.cn/a"), _site("https://www.example.org/")
    ('example.com.cn', 'example.org')
    """
    labels = (urlsplit(url).hostname or "").split(".")
    generic = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in {"ac", "co", "com", "edu", "gov", "net", "org"}
    return ".".join(labels[-3 if generic else -2 :])


# --- the main text -------------------------------------------------------------------------------------------------


def _main_html(document: HtmlElement) -> str:
    """The main text's markup; empty where there is none."""
    if _is_heavy(document):
        return _main_element(document)
    extracted_html = (
        trafilatura.extract(document, output_format="html", include_links=True, include_comments=False) or ""
    )
    extracted_html = extracted_html[
        extracted_html.find("<body>") + len("<body>") : extracted_html.rfind("</body>")
    ].strip()
    whole = _element_around(document, plain_text(parse(f"<div>{extracted_html}</div>")))
    return extracted_html if whole is None else _markup(whole)


def _is_heavy(document: HtmlElement) -> bool:
    """Whether trafilatura would take seconds, or minutes: its time is quadratic in siblings, list items and depth."""
    depth = depths = elements = items = 0
    for event, element in etree.iterwalk(document, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        depths += depth
        elements += 1
        items += element.tag in _ITEMS
        if max(items, len(element)) > _MOST_SIBLINGS or elements > _MOST_ELEMENTS or depths > _MOST_DEPTHS:
            return True
    return False


def _element_around(document: HtmlElement, extracted: str) -> HtmlElement | None:
    """The element that holds the extracted text and little else: extraction drops the lines that are only links.

    These lines name an article's paper and code.
    """
    lines = {line for line in extracted.split("\n") if len(line) >= _LONG_LINE}
    in_one_line = len(lines) == 1 and len(extracted) <= _LONGEST_LINE  # so are short texts extracted
    around: list[HtmlElement] = []
    for node in document.iter("p", "li", "h2", "h3", "blockquote", "pre", "td") if lines else ():
        line = collapse(node.text_content())
        if line in lines or (in_one_line and len(line) >= _LONG_LINE and line in extracted):
            ancestors = dict.fromkeys(node.iterancestors())
            around = [ancestor for ancestor in around if ancestor in ancestors] if around else list(ancestors)
    if not around or around[0].tag in {"body", "html"}:
        return None
    length = len(plain_text(around[0]))
    return around[0] if 0.9 * len(extracted) <= length <= 1.3 * len(extracted) + 200 else None


def _main_element(document: HtmlElement) -> str:
    """The markup of the largest element that calls itself the main one."""
    for path in _MAIN:
        largest = max(document.xpath(path)[:10], key=lambda node: len(node.text_content()), default=None)
        if largest is not None and len(largest.text_content()) >= _SHORT_TEXT:
            return _markup(largest)
    return ""


def _markup(element: HtmlElement) -> str:
    copy = deepcopy(element)
    etree.strip_elements(copy, *_NO_TEXT, with_tail=False)
    return inner_html(copy)


def _without_title(html: str, title: str) -> str:
    heading = re.match(r"\s*<h1[^>]{0,500}>([^<]{0,500})</h1>\s*", html)
    return html[heading.end() :] if heading and collapse(unescape(heading[1])) == title else html


# --- where there is no article -------------------------------------------------------------------------------------


def _refuse_notice(reply: Reply, text: str, title: str) -> None:
    """Stop at a page that says little and calls itself a challenge or an error."""
    refuse_challenge(text, reply)
    parts = [part.strip() for part in _TITLE_PART.split(title[:200])]
    if reply.status in {401, 403} or any(map(_CHALLENGE_TITLE.fullmatch, parts)):
        raise Blocked("refusal-titled", url=reply.url, title=title[:80])
    if any(map(_GONE_TITLE.fullmatch, parts)):
        raise Gone("notice", url=reply.url, notice=title[:80])


def _asks_for_scripts(text: str) -> bool:
    """Whether a page only says that its scripts would draw it."""
    return len(text) < _SHORT_TEXT and bool(_NEEDS_SCRIPT.search(text))
