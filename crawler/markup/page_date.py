"""The date of publication of an article's page, as the page writes it, and where on the page it stands.

Sources, surest first: JSON-LD, `<meta>`, a `<time>` of the article, the byline by the title, a date that a label or its
element's class names for what it is, a `<meta>` that may mean any date, the page's scripts, its address, and last what
trafilatura's metadata finds. A source that two others contradict with one voice yields to them, and a date that is not
of the month in the page's address yields to one that is. A `<time>` of a comment or of a list beside the article is
never taken, nor is a date without a year: no date is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final
from urllib.parse import unquote, urlsplit

import trafilatura
from lxml.html import HtmlElement

from crawler.markup.date_forms import FORMS, DateReader, DateSource, WrittenDate, read_day, write_date
from crawler.markup.html import collapse, text_of
from crawler.markup.metadata import PageMetadata

_META_NAMES: Final = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published", "datepublished",
    "date_published", "article:create_time", "bytedance:published_time", "og:release_date", "og:time", "og:pubdate",
    "citation_publication_date", "citation_online_date", "citation_date", "parsely-pub-date", "sailthru.date",
    "publishdate", "publish-date", "publish_date", "publishtime", "publish-time", "publish_time", "published_time",
    "published_at", "published", "pubdate", "pub-date", "pub_date", "pubtime", "pub_time", "apub:time", "apub:date",
    "_pubtime", "bt:pubdate", "firstpublishedtime", "weibo:article:create_at", "publication_date", "publication-date",
    "releasedate", "release_date", "dateissued", "article_date_original", "article.created", "article.published",
    "originalpublicationdate", "displaydate", "dc.date.issued", "dc.date.created", "dcterms.issued", "dcterms.created",
    "datecreated", "createdate", "createtime", "created", "rnews:datepublished",
)  # fmt: skip
"""Names of `<meta>` in lower case without spaces, surest first: OpenGraph's, Google Scholar's, Dublin Core's, Weibo's,
and those of Chinese content management systems (`PubDate` is the standard of government sites)."""

_VAGUE_META_NAMES: Final = ("date", "dcterms.date", "dc.date", "dateupdate")
"""Names under which some systems write the publication, some the last change, some the day of the print edition."""
# Seen 2026-11: <meta name="sw-pubdate">, <meta name="ArticlePublishTime">
_META_NAME_OF_PUBLICATION: Final = re.compile(
    r"(?<!un)(?:pubdate|publi\w{0,5}(?:date|time|at)|date\w{0,5}publi|pubtime|createtime|createdate|releasedate)"
)

_MODIFIED_META_NAMES: Final = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "dcterms.modified",
    "lastmod",
)

# Seen 2026-11: /2025/11/07/a.html, /2025-11/07/a.html, /20251107/a.html, /t20251107_1.html
_ADDRESS: Final = (
    re.compile(r"[/\-_](?P<year>(?:19|20)\d\d)[/\-_](?P<month>\d{1,2})[/\-_](?P<day>\d{1,2})(?=[/\-_.]|$)"),
    re.compile(r"[/\-_](?P<year>(?:19|20)\d\d)[/\-_]?(?P<month>\d\d)[/\-_]?(?P<day>\d\d)(?=[/\-_.]|$)"),
    re.compile(
        r"[/_][a-z]{0,3}(?P<year>20[0-3]\d)(?P<month>[01]\d)(?P<day>[0-3]\d)(?=[/\-_.]|\d{2,8}\b|$)", re.IGNORECASE
    ),
)
# Seen 2026-11: /2025/11/a.html
_ADDRESS_MONTH: Final = re.compile(r"/(?P<year>(?:19|20)\d\d)/(?P<month>0?[1-9]|1[0-2])/")
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
    r"|veröffentlicht|erstellt|datum|gepubliceerd|gepostet|eingestellt|mise en ligne|publicación|publicação|fecha:"
    r"|опубликован|дата:|data:|data publ|publikacji|publicat|tarih",
    re.IGNORECASE,
)
# Seen 2026-11: [引用日期2014-05-19] / 出生日期：1975年1月28日 / Registriert: 18.09.2008 / Abgerufen am 3. Mai 2021
_OTHER_LABEL: Final = re.compile(
    r"(?:引用|访问|检索|查阅|出生|注册|加入|成立|截止|截至|报名|活动|开始|结束|到期|有效|实施|生效|签署|会议)\w{0,3}\W{0,3}$"
    r"|(?<!\w)(?:born|joined|registered|member since|retrieved|accessed|expires?|valid (?:until|from)|deadline"
    r"|effective|registriert|geboren|abgerufen|mitglied seit|beigetreten|anmeldeschluss|inscrit|née?|consulté"
    r"|registrado|nacido)[ \w]{0,12}\W{0,3}$",
    re.IGNORECASE,
)
"""A label before a date that is another one than the article's: of a reference, a person, an account, an occasion."""
_CHANGE_LABEL: Final = re.compile(
    r"updated|update:|modified|last change|更新|修改|aktualisi|geändert|änderung|actualizado|mis à jour|aggiornat"
    r"|atualizad|обновлен|stand:",
    re.IGNORECASE,
)
# Seen 2026-11: <li class="content__meta__date">, <span class="itemPostDate">, <p class="fecha-articulo">
_DATE_MARK: Final = re.compile(
    r"date(?!\w*picker)|datum|fecha|(?:^|[\s_-])(?:time(?:data|stamp)?|pub|publish(?:ed)?|posted|posted-on|meta|info)(?:$|[\s_-])"
    r"|published|pubtime|publi-?info|byline|by-line|subline|post-?meta|(?:entry|article|asset|post)-?(?:meta|info)"
    r"|authored|dateline",
    re.IGNORECASE,
)
_CHANGE_MARK: Final = re.compile(r"updated|modif|aktual|last-?up", re.IGNORECASE)
# Seen 2026-11: <time datetime>, <meta content>, <span data-date-time>
_STAMP: Final = re.compile(r"datetime|content|data-[\w-]*(?:date|time)[\w-]*", re.IGNORECASE)
_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
# Seen 2026-11: 某市，2025年11月7日 —— / (18.01.2018) Deutschlands … / 29.11.2022 – Mehrfach …
_PLACE: Final = re.compile(
    r"[\s(（\[【]*(?:(?:[A-Za-zÀ-ž][A-Za-zÀ-ž .-]{1,24}|[\u4e00-\u9fff]{2,6})[,，:：]?)?[\s(（\[【]*"
)
_DATELINE_END: Final = re.compile(r"[)）\]】]|\s*[-–—:：|•]|\s*$")
# Seen 2026-11: （2018年3月20日第十三届大会第一次会议通过）
_SENTENCE: Final = re.compile(r"[。，；！？《（]|第.{1,4}届|[a-z]{3}\. [A-Z]|, (?:and|und|et|y|e) ")
"""A sign that the text around a date is a sentence and no byline."""
# Seen 2026-11: <time class="comment-date">, <div id="related-posts">
_BESIDE: Final = re.compile(
    r"comment|related|recommend|sidebar|widget|recent|latest|popular|teaser|promo|more-|hot-?news|reply|footer|tuijian|xiangguan"
    r"|disqus|breadcrumb|archive-list|other-?news|read-?more|next|prev",
    re.IGNORECASE,
)
# The same, but for words that builders of pages write into the class of everything (elementor-widget, footer-row)
_LISTED: Final = re.compile(
    r"comment|related|recommend|sidebar|recent|latest|popular|hot-?news|reply|tuijian|xiangguan|disqus|breadcrumb"
    r"|archive-list|other-?news|read-?more|next|prev|calendar|event",
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

_LONGEST_BYLINE: Final = 160  # characters of an element that holds a date and little else
_LONGEST_COLOPHON: Final = 300  # characters of a closing line that says when the article was posted, and under what
_MOST_DATELINES: Final = 2  # paragraphs at whose beginning the date may stand: the lead and the text
_FAR_LABEL: Final = 14  # characters before a date in which its label stands
_MOST_BESIDE_DATE: Final = 60  # characters of such an element without a label; a sentence has more
_LONG_PARAGRAPH: Final = 120  # characters; the byline stands before the first such paragraph
_MOST_BEFORE: Final = 25  # elements before the title, and after it, among which the byline is
_MOST_AFTER: Final = 70
_MOST_COLLAPSED: Final = 4_000  # characters of an element that are looked at for its first line
_DIGIT: Final = re.compile(r"\d")
_YEAR_DIGITS: Final = re.compile(r"(?:19|20)\d\d")
_MARKED: Final = ("p", "span", "div", "td", "li", "em", "small", "font", "dd", "i", "h2", "h5", "h6", "footer", "abbr")
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
    reader = DateReader.of_language(_language_of(page))
    stated = [written for written in _stated(page, reader) if _EARLIEST <= written.day <= limit]
    further = [*_vaguely_stated(page, reader), *_from_address(page)]
    if surest := _confirmed(stated, [written for written in further if _EARLIEST <= written.day <= limit]):
        return surest
    candidates = [*stated, *(written for written in _shown(page, title, reader) if _EARLIEST <= written.day <= limit)]
    by_source: dict[DateSource, WrittenDate] = {}
    for written in _prefer_month_of_address(candidates, page):
        by_source.setdefault(written.source, written)
    dates = list(by_source.values())
    if not dates and not page.is_heavy and not _marked_dates(page, title, reader):
        dates = list(_from_trafilatura(page, title, fetched_at, limit))
    return _agreed(dates)


def _language_of(page: PageMetadata) -> str:
    return page.document.get("lang") or page.says("inLanguage") or page.meta(("content-language", "og:locale"))


def _prefer_month_of_address(candidates: list[WrittenDate], page: PageMetadata) -> list[WrittenDate]:
    """The dates without those of the page's text that are not of the month in its address, if others are."""
    month = _ADDRESS_MONTH.search(_SNAPSHOT.sub("/", urlsplit(page.address).path))
    if month is None:
        return candidates
    expected = (int(month["year"]), int(month["month"]))
    of_month = [written for written in candidates if (written.day.year, written.day.month) == expected]
    stated = [written for written in candidates if written.source in {"json-ld", "meta"}]
    return [written for written in candidates if written in of_month or written in stated] if of_month else candidates


def find_modified(page: PageMetadata) -> str | None:
    """The date of the last change, as the page's metadata writes it."""
    return page.says("dateModified") or page.meta(_MODIFIED_META_NAMES) or None


def _confirmed(stated: list[WrittenDate], further: list[WrittenDate]) -> WrittenDate | None:
    """The first date that the page states, if a second source agrees: then the page need not be searched for more.

    Args:
        stated: dates of JSON-LD and `<meta>`, surest first.
        further: dates of sources that are read as fast.
    """
    firsts: dict[DateSource, WrittenDate] = {}
    for written in (*stated, *further):
        firsts.setdefault(written.source, written)
    return stated[0] if stated and [written.day for written in firsts.values()].count(stated[0].day) > 1 else None


def _agreed(dates: list[WrittenDate]) -> WrittenDate | None:
    """The date of the surest source, unless two later ones contradict it and agree with one another.

    The day before and the day after are no contradiction, since a zone may stand between; except where the surest
    source writes a day without its time, which may be the day of a print edition.
    """
    if not dates:
        return None
    surest, later = dates[0], dates[1:]
    days = [written.day for written in later]
    repeated = next((written for written in later if days.count(written.day) > 1), surest)
    if surest.day in days or repeated is surest:
        return surest
    if abs(surest.day - repeated.day) <= _NEAR:
        return surest if ":" in surest.written else repeated
    return surest if any(abs(surest.day - day) <= _NEAR for day in days) else repeated


def _stated(page: PageMetadata, reader: DateReader) -> Iterator[WrittenDate]:
    """The dates that the page's metadata calls those of its publication, surest first."""
    for name in ("datePublished", "dateCreated", "uploadDate"):
        yield from reader.read_value(page.says(name), "json-ld")
    metas = _metas_of(page)
    for name in _META_NAMES:
        yield from reader.read_value(metas.get(name, ""), "meta")
    for name, content in metas.items():
        if _META_NAME_OF_PUBLICATION.search(re.sub("[^a-z]", "", name)) and not _CHANGE_MARK.search(name):
            yield from reader.read_value(content, "meta")
    yield from reader.read_value(page.published, "json-ld")


def _metas_of(page: PageMetadata) -> dict[str, str]:
    return {name.replace(" ", ""): content for name, content in page.metas.items()}


def _vaguely_stated(page: PageMetadata, reader: DateReader) -> Iterator[WrittenDate]:
    """The dates of `<meta>` that may mean any date of the page."""
    metas = _metas_of(page)
    for name in _VAGUE_META_NAMES:
        yield from reader.read_value(metas.get(name, ""), "meta")


def _shown(page: PageMetadata, title: HtmlElement | None, reader: DateReader) -> Iterator[WrittenDate]:
    """The dates of all other sources but the last, surest first."""
    yield from _from_times(page, title, reader)
    yield from _from_bylines(title, reader)
    if not page.is_heavy:
        yield from _from_labels(page, title, reader)
        yield from _from_marked(page, title, reader)
    yield from _vaguely_stated(page, reader)
    yield from _from_scripts(page, reader)
    yield from _from_address(page)


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


def _from_times(page: PageMetadata, title: HtmlElement | None, reader: DateReader) -> Iterator[WrittenDate]:
    """Dates of `<time>` elements that belong to the article: in its `<article>`, and not inside a link to another."""
    articles = _articles_around(title)
    for path in _TIMES:
        for node in page.document.xpath(path)[:20]:
            if _is_beside(node, title) or _is_of_other_article(node, articles):
                continue
            content = node.get("datetime") or node.get("content") or ""
            later = _CHANGE_LABEL.search(f"{node.get('class') or ''} {node.get('itemprop') or ''}")
            if not later:
                yield from reader.read_value(content or node.text_content(), "time")


def _articles_around(title: HtmlElement | None) -> list[HtmlElement]:
    """The innermost `<article>` or `<main>` around the title, if there is one."""
    around = title.iterancestors() if title is not None else iter(())
    return [node for node in around if node.tag in {"article", "main"}][:1]


def _is_of_other_article(node: HtmlElement, articles: list[HtmlElement]) -> bool:
    """Whether an element stands in an `<article>` that is not the title's."""
    own = next((around for around in node.iterancestors() if around.tag == "article"), None)
    return own is not None and bool(articles) and own not in articles and own not in list(articles[0].iterancestors())


def _from_bylines(title: HtmlElement | None, reader: DateReader) -> Iterator[WrittenDate]:
    """Dates in short elements between the title and the first long paragraph; then those shortly before the title."""
    if title is None:
        return
    for elements in (_after(title), _before(title)):
        yield from _in_elements(elements, title, reader)
    yield from _from_dateline(title, reader)


def _in_elements(elements: list[HtmlElement], title: HtmlElement, reader: DateReader) -> Iterator[WrittenDate]:
    """Dates in short elements: first those with a label, then those with little beside them, last those of a change."""
    labelled: list[WrittenDate] = []
    plain: list[WrittenDate] = []
    changes: list[WrittenDate] = []
    other_days: set[date] = set()
    for node in elements:
        content = text_of(node) if len(node) < 30 else ""
        stamp = node.get("datetime") if node.tag == "time" else None
        if not stamp and not _DIGIT.search(content):
            continue
        text = collapse(content)
        if node.tag == "article":  # a card of another article, short enough for a byline
            continue
        has_length = stamp or 6 <= len(text) <= _LONGEST_BYLINE
        if not has_length or _is_beside(node, title) or _is_in_link(node):
            continue
        dates = list(reader.read_value(stamp, "byline"))[:1] if stamp else []
        prefix, suffix = text, ""
        if not dates:
            written, start, end = next(reader.locate(text, "byline"), (None, 0, 0))
            if written is None:
                continue
            dates, prefix, suffix = [written], text[:start], text[end:]
        if _OTHER_LABEL.search(prefix[-_FAR_LABEL:]):
            other_days.add(dates[0].day)
        elif _LABEL.search(prefix[-_FAR_LABEL:]):
            labelled += dates
        elif _CHANGE_LABEL.search(prefix[-_FAR_LABEL:]):
            changes += dates
        elif len(prefix + suffix) <= _MOST_BESIDE_DATE and not _SENTENCE.search(prefix + suffix):
            plain += dates
    yield from (*labelled, *(written for written in (*plain, *changes) if written.day not in other_days))


def _from_dateline(title: HtmlElement, reader: DateReader) -> Iterator[WrittenDate]:
    """The date at the beginning of one of the first long paragraphs after the title, behind a place or nothing."""
    paragraphs = 0
    for node in _following(title):
        if node.tag not in {"p", "div", "section"}:
            continue
        if any(child.tag in {"p", "div", "section", "article", "ul", "table"} for child in node):
            continue
        text = collapse(text_of(node))
        if len(text) < _LONG_PARAGRAPH:
            continue
        paragraphs += 1
        for form in FORMS:
            match = form.search(text[:_LONGEST_BYLINE])
            is_dateline = match and _PLACE.fullmatch(text, 0, match.start()) and _DATELINE_END.match(text, match.end())
            if match and is_dateline and (day := read_day(match, day_first=reader.day_first)):
                yield WrittenDate(write_date(match, day), day, "byline")
        if paragraphs == _MOST_DATELINES:
            return


def _is_in_link(node: HtmlElement) -> bool:
    return node.tag == "a" or any(around.tag == "a" for around in node.iterancestors())


def _after(title: HtmlElement) -> list[HtmlElement]:
    """The elements after the title, up to the first long paragraph."""
    elements: list[HtmlElement] = []
    for node in _following(title):
        if node.tag in _SKIPPED or not isinstance(node.tag, str):
            continue
        if node.tag in {"p", "div", "section"} and len(node.text or "") >= _LONG_PARAGRAPH:
            break
        elements.append(node)
        if len(elements) >= _MOST_AFTER:
            break
    return elements


def _following(title: HtmlElement) -> list[HtmlElement]:
    """The elements that begin after the title, in the order of the page."""
    return list(title.xpath("following::*[position() <= $most]", most=3 * _MOST_AFTER))


def _before(title: HtmlElement) -> list[HtmlElement]:
    """The elements shortly before the title, nearest first."""
    nodes = [
        node
        for node in title.xpath("preceding::*[position() <= $most]", most=3 * _MOST_BEFORE)
        if isinstance(node.tag, str) and node.tag not in _SKIPPED
    ]
    return nodes[-_MOST_BEFORE:][::-1]


def _from_labels(page: PageMetadata, title: HtmlElement | None, reader: DateReader) -> Iterator[WrittenDate]:
    """Dates that a label names for what they are (发布日期：2025-11-07), wherever on the page."""
    elements = page.document.iter("p", "span", "div", "td", "li", "em", "small", "font", "dd", "i", "center")
    for _, node in zip(range(_MOST_SCANNED), elements, strict=False):
        if len(node) > 12 or len(node.text or "") > _LONGEST_BYLINE:
            continue
        content = text_of(node)
        if not _YEAR_DIGITS.search(content):
            continue
        text = collapse(content[:_MOST_COLLAPSED])[:_LONGEST_BYLINE]
        label = _LABEL.search(text)
        if label is None or _is_beside(node, title):
            continue
        for form in FORMS:
            match = form.search(text, label.end(), label.end() + 40)
            is_near = match and match.start() - label.end() <= _FAR_LABEL
            if match and _OTHER_LABEL.search(text[max(0, match.start() - _FAR_LABEL) : match.start()]):
                continue
            if match and is_near and (day := read_day(match, day_first=reader.day_first)):
                yield WrittenDate(write_date(match, day), day, "label")


def _from_marked(page: PageMetadata, title: HtmlElement | None, reader: DateReader) -> Iterator[WrittenDate]:
    """The date whose element says in its class that it is one; none where such elements disagree, as in a list."""
    dates = _marked_dates(page, title, reader)
    if len({written.day for written in dates}) == 1:
        yield max(dates, key=lambda written: len(written.written))


def _marked_dates(page: PageMetadata, title: HtmlElement | None, reader: DateReader) -> set[WrittenDate]:
    """The dates whose elements say in their class that they are dates, nearest to the title in the tree of the page.

    The nearest stand in the smallest element that holds the title and any such date. Dates of a change count only where
    no other date is as near.
    """
    levels = _levels_around(page, title)
    nearest, published, changes = len(levels), set[WrittenDate](), set[WrittenDate]()
    for _, node in zip(range(_MOST_SCANNED), page.document.iter("time", *_MARKED), strict=False):
        marks = f"{node.get('class') or ''} {node.get('id') or ''} {node.get('itemprop') or ''}"
        if node.tag != "time" and not _DATE_MARK.search(marks):
            continue
        text = collapse(text_of(node)) if len(node) < 30 else ""
        if len(text) > (_LONGEST_COLOPHON if _LABEL.search(text) else _LONGEST_BYLINE):
            continue
        stamp = next((stamp for name, stamp in node.items() if _STAMP.fullmatch(name)), "")
        if not stamp and not _DIGIT.search(text):
            continue
        written = next(chain(reader.read_value(stamp, "label"), reader.search(text, "label")), None)
        level = _level_beside(node, levels) if written else None
        if written is None or level is None or level > nearest:
            continue
        if level < nearest:
            nearest, published, changes = level, set(), set()
        is_change = _CHANGE_MARK.search(marks) or _CHANGE_LABEL.search(text)
        (changes if is_change else published).add(written)
    return published or changes


def _level_beside(node: HtmlElement, levels: dict[HtmlElement, int]) -> int | None:
    """How many elements around the title one has to leave to find an element; None for one of a list or a comment."""
    for around in (node, *node.iterancestors()):
        if around in levels:
            return levels[around]
        marks = f"{around.get('class') or ''} {around.get('id') or ''}"
        if around.tag == "a" or _LISTED.search(marks) or _is_card(around):
            return None
    return None


def _is_card(element: HtmlElement) -> bool:
    """Whether an element shows another article: a heading that is a link, or an article or list item with a heading."""
    return any(
        element.tag in {"article", "li"} or heading.find(".//a") is not None or heading.getparent().tag == "a"
        for heading in element.iter(*_HEADINGS)
    )


def _from_scripts(page: PageMetadata, reader: DateReader) -> Iterator[WrittenDate]:
    """Dates that a script of the page names for what they are."""
    for script in page.document.iter("script"):
        if "ld+json" not in (script.get("type") or ""):
            for match in _SCRIPT.finditer((script.text or "")[:_LONGEST_SCRIPT]):
                yield from reader.read_value(match[1], "script")


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
    """The date that trafilatura's metadata gives, for pages that show none of the signs above.

    Only one that the article shows, in any form: others come from addresses of pictures and from copyright lines.
    """
    shown_days = _shown_days(page, title)
    if not shown_days:  # looking for a date in vain is slow
        return
    settings = {"original_date": True, "extensive_search": False, "max_date": fetched_at.date().isoformat()}
    document = _article_alone(page.document, title)
    metadata = trafilatura.extract_metadata(document, default_url=page.address, date_config=settings)
    for written in DateReader().read_value((metadata.date if metadata else None) or "", "metadata"):
        is_year = (written.day.month, written.day.day) == (1, 1)  # a year alone
        if _EARLIEST <= written.day <= limit and not is_year and written.day in shown_days:
            yield written


def _shown_days(page: PageMetadata, title: HtmlElement | None) -> set[date]:
    """The days that short elements of the article write, in whatever order, or have in an attribute."""
    levels = _levels_around(page, title)
    days: set[date] = set()
    other_days: set[date] = set()
    elements = page.document.iter("time", "a", "strong", "b", *_MARKED)
    for _, node in zip(range(_MOST_SCANNED), elements, strict=False):
        text = text_of(node)[:_LONGEST_BYLINE] if len(node) < 30 else ""
        stamps = [stamp for name, stamp in node.items() if _STAMP.fullmatch(name) or name == "title"]
        for written in map(collapse, (text, *stamps)):
            if not _YEAR_DIGITS.search(written) or _level_beside(node, levels) is None:
                continue
            for order in (True, False):
                for shown_date, start, _ in DateReader(order).locate(written, "metadata"):
                    is_other = _OTHER_LABEL.search(written[max(0, start - _FAR_LABEL) : start])
                    (other_days if is_other else days).add(shown_date.day)
    return days - other_days


def _levels_around(page: PageMetadata, title: HtmlElement | None) -> dict[HtmlElement, int]:
    """The elements around the title, each with how many are inside it; the whole page where no element is the title."""
    around = title.iterancestors() if title is not None else iter([page.document])
    return {element: level for level, element in enumerate(around)}


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
