"""The date of publication of an article's page, as the page writes it, and where on the page it stands.

Sources, surest first: JSON-LD, `<meta>`, a `<time>` of the article, the byline by the title, a date that is named for
what it is anywhere on the page, the page's scripts, its address, and last what trafilatura's metadata finds. A source
that two others contradict with one voice yields to them. A `<time>` of a comment or of a list beside the article is
never taken, nor is a date without a year: no date is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

import trafilatura
from lxml.html import HtmlElement

from crawler.markup.html import collapse
from crawler.markup.metadata import PageMetadata

DateSource = Literal["json-ld", "meta", "time", "byline", "label", "script", "address", "metadata"]


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date of a page.

    Args:
        written: as written, or as ISO 8601 where the page writes it in a form that only its language reads.
        day: of it, in the zone in which it is written.
        source: where on the page.
    """

    written: str
    day: date
    source: DateSource


_META_NAMES: Final = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published", "datepublished",
    "date_published", "article:create_time", "bytedance:published_time", "og:release_date", "og:time", "og:pubdate",
    "citation_publication_date", "citation_online_date", "citation_date", "parsely-pub-date", "sailthru.date",
    "publishdate", "publish-date", "publish_date", "publishtime", "publish-time", "publish_time", "published_time",
    "published_at", "published", "pubdate", "pub-date", "pub_date", "pubtime", "pub_time", "apub:time", "apub:date",
    "_pubtime", "bt:pubdate", "firstpublishedtime", "weibo:article:create_at", "publication_date", "publication-date",
    "releasedate", "release_date", "dateissued", "article_date_original", "article.created", "article.published",
    "originalpublicationdate", "displaydate", "dc.date.issued", "dc.date.created", "dcterms.issued", "dcterms.created",
    "dcterms.date", "dc.date", "datecreated", "createdate", "createtime", "rnews:datepublished", "date",
    "dateupdate",
)  # fmt: skip
"""Names of `<meta>` in lower case without spaces, surest first: OpenGraph's, Google Scholar's, Dublin Core's, Weibo's,
and those of Chinese content management systems (`PubDate` is the standard of government sites)."""

_MODIFIED_META_NAMES: Final = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "dcterms.modified",
    "lastmod",
)

_MONTH_NAMES: Final = (
    "january jan januar jänner januari enero janvier gennaio janeiro",
    "february feb februar februari febrero février febbraio fevereiro",
    "march mar märz mrz maart marzo mars março",
    "april apr abril avril aprile",
    "may mai mei mayo maggio maio",
    "june jun juni junio juin giugno junho",
    "july jul juli julio juillet luglio julho",
    "august aug augustus agosto août",
    "september sep sept septiembre septembre settembre setembro",
    "october oct oktober okt octubre octobre ottobre outubro",
    "november nov noviembre novembre novembro",
    "december dec dezember dez diciembre décembre dicembre dezembro",
)
"""Of English, German, Dutch, Spanish, French, Italian and Portuguese."""
_MONTHS: Final = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}
_MONTH_NAME: Final = rf"(?P<month_name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_CLOCK: Final = (
    r"(?P<clock>[ T,，·|]{0,3}(?:\d{1,2}:\d\d(?::\d\d)?|\d{1,2}[时点]\d{1,2}分?)(?:\.\d{1,9})?"
    r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"
)
_YEAR: Final = r"(?P<year>(?:19|20)\d\d)"

_FORMS: Final = tuple(
    re.compile(pattern + _CLOCK, re.IGNORECASE)
    for pattern in (
        # Seen 2026-11: 2025年11月7日 08:31 / 2025-11-07T08:31:48+08:00 / 2025.11.7
        (
            rf"(?<![\d.\-/]){_YEAR} ?(?P<mark>[-/.年]) ?(?P<month>\d{{1,2}}) ?(?:(?P=mark)|月) ?"
            r"(?P<day>\d{1,2})(?![\d.%])[日号]?"
        ),
        # Seen 2026-11: Fri, 7 Nov 2025 08:31:48 +0800 / 26. Januar 2022 / 3 de mayo de 2022
        (
            rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er)?\.?(?: de)?[ -]{{1,2}}{_MONTH_NAME},?(?: de)?[ -]{{1,2}}"
            rf"{_YEAR}(?!\d)"
        ),
        # Seen 2026-11: November 7th, 2025 8:31
        rf"(?<!\w){_MONTH_NAME} {{1,2}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {{1,2}}{_YEAR}(?!\d)",
        # Seen 2026-11: 07.11.2025
        rf"(?<![\d.])(?P<day>\d{{1,2}})\. ?(?P<month>\d{{1,2}})\. ?{_YEAR}(?!\d)",
    )
)
"""Forms of a date with its year; each is searched for in a text."""

# Seen 2026-11: 发布时间：18-03-08 23:16
_SHORT_YEAR: Final = re.compile(
    r"(?:发布|发表|更新|时间|日期)\S{0,4}[:：] ?(?P<year>\d\d)-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)"
)
# Seen 2026-11: 20251107083148
_COMPACT: Final = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:T?\d{4}(?:\d\d)?Z?)?")
# Seen 2026-11: 2025-11-07T08:31:48.12+08:00 / Fri, 7 Nov 2025 08:31:48 +0800
_COMPLETE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"
    r"|(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: (?:[A-Z]{1,5}|[+-]\d{4}))?"
)
# Seen 2026-11: 1762475508
_EPOCH: Final = re.compile(r"(\d{10})(?:\d{3})?")
# Seen 2026-11: /2025/11/07/a.html, /2025-11/07/a.html, /20251107/a.html, /t20251107_1.html
_ADDRESS: Final = (
    re.compile(r"[/\-_](?P<year>(?:19|20)\d\d)[/\-_](?P<month>\d{1,2})[/\-_](?P<day>\d{1,2})(?=[/\-_.]|$)"),
    re.compile(r"[/\-_](?P<year>(?:19|20)\d\d)[/\-_]?(?P<month>\d\d)[/\-_]?(?P<day>\d\d)(?=[/\-_.]|$)"),
    re.compile(
        r"[/_][a-z]{0,3}(?P<year>20[0-3]\d)(?P<month>[01]\d)(?P<day>[0-3]\d)(?=[/\-_.]|\d{2,8}\b|$)", re.IGNORECASE
    ),
)
# Seen 2026-11: /web/20160218000000/http://a.example/2010/05/b
_SNAPSHOT: Final = re.compile(r"/web/\d{14}\w{0,4}/")
"""The time at which an archive kept a page is not the page's."""
# Seen 2026-11: publish_time: '2025-11-07 08:31:48', "pubtime": "2025-11-07", var publishdate = '2025-11-07'
_SCRIPT: Final = re.compile(
    r"\b(?:(?:first_?)?(?:pub(?:lish)?(?:ed)?|news|create|creation|release|post|article)_?(?:time|date|at|on)?(?:_?(?:time|date))"
    r"|published_?at|(?<=[{,\s])(?:p?time|date))[\"']?\s*[:=]\s*[\"']((?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}[^\"'\n]{0,25})[\"']",
    re.IGNORECASE,
)
# Seen 2026-11: 发布日期： / Published on / Veröffentlicht am
_LABEL: Final = re.compile(
    r"发布|发表|刊发|日期|时间|发稿|(?<!last )(?<!\w)(?:published|posted|written|publié|pubblicato|publicado|date:)"
    r"|veröffentlicht|erstellt|datum|gepubliceerd",
    re.IGNORECASE,
)
_CHANGE_LABEL: Final = re.compile(
    r"updated|modified|更新|修改|aktualisiert|geändert|actualizado|mis à jour|stand:", re.IGNORECASE
)
# Seen 2026-11: （2018年3月20日第十三届大会第一次会议通过）
_SENTENCE: Final = re.compile(r"[。，；！？《（]|第.{1,4}届|[a-z]{3}\. [A-Z]|, (?:and|und|et|y|e) ")
"""A sign that the text around a date is a sentence and no byline."""
# Seen 2026-11: <time class="comment-date">, <div id="related-posts">
_BESIDE: Final = re.compile(
    r"comment|related|recommend|sidebar|widget|recent|latest|popular|teaser|promo|more-|hot-?news|reply|footer|tuijian|xiangguan"
    r"|disqus|breadcrumb|archive-list|other-?news|read-?more|next|prev",
    re.IGNORECASE,
)
_BESIDE_MARK: Final = "data-beside"
_SKIPPED: Final = frozenset(
    {"script", "style", "noscript", "template", "head", "svg", "select", "option", "button", "footer", "nav"}
)
_TIMES: Final = (
    "//time[@pubdate]",
    "//*[contains(concat(' ', @itemprop, ' '), ' datePublished ')]",
    "(//article | //main)//time",
)

_LONGEST_META: Final = 100
_LONGEST_BYLINE: Final = 160  # characters of an element that holds a date and little else
_FAR_LABEL: Final = 14  # characters before a date in which its label stands
_MOST_BESIDE_DATE: Final = 60  # characters of such an element without a label; a sentence has more
_LONG_PARAGRAPH: Final = 120  # characters; the byline stands before the first such paragraph
_MOST_BEFORE: Final = 25  # elements before the title, and after it, among which the byline is
_MOST_AFTER: Final = 70
_MOST_SCANNED: Final = 4_000
_LONGEST_SCRIPT: Final = 400_000
_EARLIEST: Final = date(1994, 1, 1)  # the web is no older; 1970 is an epoch of 0
_NEAR: Final = timedelta(days=1)  # two zones write one moment on two days


def find_date(page: PageMetadata, title: HtmlElement | None, fetched_at: datetime) -> WrittenDate | None:
    """Find the date of publication of an article's page.

    Args:
        page: the page.
        title: the element that shows the title, near which the byline stands.
        fetched_at: time of the fetch, aware; a later date is none.

    Returns:
        None where the page does not say, or says it without a year.
    """
    limit = (fetched_at + timedelta(days=2)).date()
    by_source: dict[DateSource, WrittenDate] = {}
    for written in _candidates(page, title):
        if _EARLIEST <= written.day <= limit:
            by_source.setdefault(written.source, written)
    dates = list(by_source.values())
    if not dates and not page.is_heavy:
        dates = list(_from_trafilatura(page, title, fetched_at, limit))
    return _agreed(dates)


def find_written_date(text: str) -> str | None:
    """The first date with its year in a text, as written; None without one."""
    return next((date.written for date in _search(text, "byline")), None)


def find_modified(page: PageMetadata) -> str | None:
    """The date of the last change, as the page's metadata writes it."""
    return page.says("dateModified") or page.meta(_MODIFIED_META_NAMES) or None


def _agreed(dates: list[WrittenDate]) -> WrittenDate | None:
    """The date of the surest source, unless two later ones contradict it and agree with one another."""
    if not dates:
        return None
    surest, later = dates[0], dates[1:]
    if any(abs(surest.day - written.day) <= _NEAR for written in later):
        return surest
    days = [written.day for written in later]
    return next((written for written in later if days.count(written.day) > 1), surest)


def _candidates(page: PageMetadata, title: HtmlElement | None) -> Iterator[WrittenDate]:
    """The dates of all sources but the last, surest first."""
    for name in ("datePublished", "dateCreated", "uploadDate"):
        yield from _read_value(page.says(name), "json-ld")
    metas = {name.replace(" ", ""): content for name, content in page.metas.items()}
    for name in _META_NAMES:
        yield from _read_value(metas.get(name, ""), "meta")
    yield from _from_times(page, title)
    yield from _from_bylines(title)
    if not page.is_heavy:
        yield from _from_labels(page, title)
    yield from _from_scripts(page)
    yield from _from_address(page)


# --- reading a date ------------------------------------------------------------------------------------------------


def read_day(match: re.Match[str]) -> date | None:
    """The day that one of the forms matched; None for a day that no calendar has."""
    groups = match.groupdict()
    month = _MONTHS[groups["month_name"].lower()] if groups.get("month_name") else int(groups["month"])
    year = int(groups["year"])
    try:
        return date(year if year > 99 else 2000 + year, month, int(groups["day"]))
    except ValueError:
        return None


def _read_value(content: str, source: DateSource) -> Iterator[WrittenDate]:
    """The date that a value of metadata is; none where it is text around a date."""
    content = collapse(content)
    if not content or len(content) > _LONGEST_META:
        return
    if epoch := _EPOCH.fullmatch(content):
        yield WrittenDate(content, datetime.fromtimestamp(int(epoch[1]), UTC).date(), source)
    elif (compact := _COMPACT.fullmatch(content)) and (day := read_day(compact)):
        yield WrittenDate(content, day, source)
    elif written := next(_search(content, source), None):
        yield WrittenDate(content, written.day, source) if _is_complete(content) else written


def _search(text: str, source: DateSource) -> Iterator[WrittenDate]:
    """The dates in a text, those of each form in order."""
    for form in _FORMS:
        for match in form.finditer(text):
            if day := read_day(match):
                yield WrittenDate(_written(match, day), day, source)
    for match in _SHORT_YEAR.finditer(text):
        if day := read_day(match):
            yield WrittenDate(day.isoformat(), day, source)


def _written(match: re.Match[str], day: date) -> str:
    """A date as written, or as ISO 8601 where another language's month or order would be misread."""
    if match.re is _FORMS[0]:
        return match[0].strip()
    clock = re.search(r"\d{1,2}:\d\d(?::\d\d)?", match["clock"] or "")
    return f"{day.isoformat()} {clock[0]}" if clock else day.isoformat()


def _is_complete(content: str) -> bool:
    """Whether a value of metadata is a date with its zone, by ISO 8601 or RFC 2822, and nothing else."""
    return _COMPLETE.fullmatch(content) is not None


# --- sources -------------------------------------------------------------------------------------------------------


def _is_beside(node: HtmlElement, title: HtmlElement | None) -> bool:
    """Whether an element stands beside the article: in its comments, a list, the frame of the page.

    Args:
        node: the element.
        title: of the article; an element around both says nothing about one of them.
    """
    shared = set(title.iterancestors()) if title is not None else set()
    for around in (node, *node.iterancestors()):
        if around in shared or around.tag in {"body", "html", "article", "main"}:
            return False
        if around.tag in {"nav", "aside", "footer"}:
            return True
        if _BESIDE.search(f"{around.get('class') or ''} {around.get('id') or ''}"):
            return True
    return False


def _from_times(page: PageMetadata, title: HtmlElement | None) -> Iterator[WrittenDate]:
    """Dates of `<time>` elements that belong to the article: in its `<article>`, and not inside a link to another."""
    articles = _articles_around(title)
    for path in _TIMES:
        for node in page.document.xpath(path)[:20]:
            if _is_beside(node, title) or _is_of_other_article(node, articles):
                continue
            content = node.get("datetime") or node.get("content") or ""
            later = _CHANGE_LABEL.search(f"{node.get('class') or ''} {node.get('itemprop') or ''}")
            if not later:
                yield from _read_value(content or node.text_content(), "time")


def _articles_around(title: HtmlElement | None) -> list[HtmlElement]:
    """The innermost `<article>` or `<main>` around the title, if there is one."""
    around = title.iterancestors() if title is not None else iter(())
    return [node for node in around if node.tag in {"article", "main"}][:1]


def _is_of_other_article(node: HtmlElement, articles: list[HtmlElement]) -> bool:
    """Whether an element stands in an `<article>` that is not the title's."""
    own = next((around for around in node.iterancestors() if around.tag == "article"), None)
    return own is not None and bool(articles) and own not in articles and own not in list(articles[0].iterancestors())


def _from_bylines(title: HtmlElement | None) -> Iterator[WrittenDate]:
    """Dates in short elements between the title and the first long paragraph; then those shortly before the title."""
    if title is None:
        return
    for elements in (_after(title), _before(title)):
        yield from _in_elements(elements, title)


def _in_elements(elements: list[HtmlElement], title: HtmlElement) -> Iterator[WrittenDate]:
    """Dates in short elements: first those with a label, then those with little beside them, last those of a change."""
    labelled: list[WrittenDate] = []
    plain: list[WrittenDate] = []
    changes: list[WrittenDate] = []
    for node in elements:
        text = collapse(node.text_content()) if len(node) < 30 else ""
        stamp = node.get("datetime") if node.tag == "time" else None
        has_length = stamp or 6 <= len(text) <= _LONGEST_BYLINE
        if not has_length or _is_beside(node, title) or _is_in_link(node):
            continue
        dates = [*(_read_value(stamp, "byline") if stamp else ()), *_search(text, "byline")][:1]
        if not dates:
            continue
        prefix, _, suffix = text.partition(dates[0].written)
        if _LABEL.search(prefix[-_FAR_LABEL:]):
            labelled += dates
        elif _CHANGE_LABEL.search(prefix[-_FAR_LABEL:]):
            changes += dates
        elif len(prefix + suffix) <= _MOST_BESIDE_DATE and not _SENTENCE.search(prefix + suffix):
            plain += dates
    yield from (*labelled, *plain, *changes)


def _is_in_link(node: HtmlElement) -> bool:
    return node.tag == "a" or any(around.tag == "a" for around in node.iterancestors())


def _after(title: HtmlElement) -> list[HtmlElement]:
    """The elements after the title, up to the first long paragraph."""
    elements: list[HtmlElement] = []
    for node in title.xpath("following::*")[: 3 * _MOST_AFTER]:
        if node.tag in _SKIPPED or not isinstance(node.tag, str):
            continue
        if node.tag in {"p", "div", "section"} and len(node.text or "") >= _LONG_PARAGRAPH:
            break
        elements.append(node)
        if len(elements) >= _MOST_AFTER:
            break
    return elements


def _before(title: HtmlElement) -> list[HtmlElement]:
    """The elements shortly before the title, nearest first."""
    nodes = [
        node
        for node in title.xpath("preceding::*")[-3 * _MOST_BEFORE :]
        if isinstance(node.tag, str) and node.tag not in _SKIPPED
    ]
    return nodes[-_MOST_BEFORE:][::-1]


def _from_labels(page: PageMetadata, title: HtmlElement | None) -> Iterator[WrittenDate]:
    """Dates that a label names for what they are (发布日期：2025-11-07), wherever on the page."""
    elements = page.document.iter("p", "span", "div", "td", "li", "em", "small", "font", "dd", "i", "center")
    for _, node in zip(range(_MOST_SCANNED), elements, strict=False):
        if len(node) > 12 or len(node.text or "") > _LONGEST_BYLINE:
            continue
        text = collapse(node.text_content())[:_LONGEST_BYLINE]
        label = _LABEL.search(text)
        if label is None or _is_beside(node, title):
            continue
        for form in _FORMS:
            match = form.search(text, label.end(), label.end() + 40)
            if match and match.start() - label.end() <= _FAR_LABEL and (day := read_day(match)):
                yield WrittenDate(_written(match, day), day, "label")


def _from_scripts(page: PageMetadata) -> Iterator[WrittenDate]:
    """Dates that a script of the page names for what they are."""
    for script in page.document.iter("script"):
        if "ld+json" not in (script.get("type") or ""):
            for match in _SCRIPT.finditer((script.text or "")[:_LONGEST_SCRIPT]):
                yield from _read_value(match[1], "script")


def _from_address(page: PageMetadata) -> Iterator[WrittenDate]:
    """The date in the page's address, of a day."""
    path = _SNAPSHOT.sub("/", unquote(urlsplit(page.address).path))
    for form in _ADDRESS:
        for match in form.finditer(path):
            if day := read_day(match):
                yield WrittenDate(day.isoformat(), day, "address")


def _from_trafilatura(
    page: PageMetadata, title: HtmlElement | None, fetched_at: datetime, limit: date
) -> Iterator[WrittenDate]:
    """The date that trafilatura's metadata gives, for pages that show none of the signs above."""
    settings = {"original_date": True, "extensive_search": False, "max_date": fetched_at.date().isoformat()}
    document = _article_alone(page.document, title)
    metadata = trafilatura.extract_metadata(document, default_url=page.address, date_config=settings)
    for written in _read_value((metadata.date if metadata else None) or "", "metadata"):
        if _EARLIEST <= written.day <= limit and (written.day.month, written.day.day) != (1, 1):  # a year alone
            yield written


def _article_alone(document: HtmlElement, title: HtmlElement | None) -> HtmlElement:
    """A copy of the page without comments, lists and frame, whose dates are not the article's."""
    articles = _articles_around(title)
    framed = document.iter("time", "aside", "footer", "ul", "div", "section")
    beside = [node for node in framed if _is_beside(node, title) or _is_of_other_article(node, articles)]
    for node in beside:
        node.set(_BESIDE_MARK, "")
    copy = deepcopy(document)
    for node in beside:
        del node.attrib[_BESIDE_MARK]
    for node in copy.xpath(f"//*[@{_BESIDE_MARK}]"):
        if node.getparent() is not None:
            node.drop_tree()
    return copy
