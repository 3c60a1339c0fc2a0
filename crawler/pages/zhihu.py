"""Zhihu: answers of its API, and the pages of articles, answers and videos, of 2016 as of now.

Whatever its source, one record is a mapping with the API's names (snake case there, camel case in a page's state,
others in the column API of 2016), so one function reads them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from itertools import chain
from typing import Any, Final
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from crawler.characters import clean
from crawler.errors import Blocked, CrawlError, Detail, Gone, NotUnderstood, PageChanged, RateLimited
from crawler.items import Ask, Page, RawItem, Reply
from crawler.markup.challenge import refuse_challenge
from crawler.markup.encoding import decode_reply
from crawler.markup.html import collapse, inner_html, parse, plain_text
from crawler.markup.records import read_each
from crawler.markup.text import absolute, plain, plain_title
from crawler.waiting import retry_after

Record = Mapping[str, Any]

_HOME: Final = "https://www.zhihu.com/"
_ADDRESSES: Final = {
    "article": "https://zhuanlan.zhihu.com/p/{id}",
    "answer": "https://www.zhihu.com/question/{question}/answer/{id}",
    "zvideo": "https://www.zhihu.com/zvideo/{id}",
    "pin": "https://www.zhihu.com/pin/{id}",
}
_KEYS: Final = {"article": "zhihu:p/{id}", "answer": "zhihu:answer/{id}", "zvideo": "zhihu:zvideo/{id}"}
_ENTITIES: Final = (("articles", "article"), ("answers", "answer"), ("zvideos", "zvideo"), ("pins", "pin"))
# Seen 2026-11: /question/20000001/answer/30000002
_IN_PATH: Final = re.compile(r"/(?P<type>p|articles?|answers?|zvideos?|pins?)/(?P<id>\d+)")
_TYPES: Final = {"p": "article", "post": "article", "column_article": "article"}

_CREATED: Final = ("created", "created_time", "createdTime", "created_at", "createdAt", "published_at", "publishedTime")
_UPDATED: Final = ("updated", "updated_time", "updatedTime", "updated_at", "updatedAt")
_SUMMARY: Final = ("excerpt", "summary", "description")
_IMAGE: Final = ("image_url", "imageUrl", "title_image", "titleImage", "thumbnail")
_METRICS: Final = {
    "votes": ("voteup_count", "voteupCount", "vote_count", "voteCount", "likesCount", "like_count", "likeCount"),
    "comments": ("comment_count", "commentCount", "commentsCount"),
}
_WRAPPERS: Final = ("target", "object", "content")
"""Where feeds, searches and collections put the record itself."""

# Seen 2026-11: <script id="js-initialData" type="text/json">
_STATE: Final = re.compile(r"<script[^<>]*\bid=[\"']?js-initialData[\"']?[^<>]*>")
# Seen 2026-11: <img src="https://pic1.zhimg.com/v2-a_b.jpg" data-original="https://pic1.zhimg.com/v2-a_r.jpg">
_IMG: Final = re.compile(r"<img\s[^<>]*>", re.IGNORECASE)
# Seen 2026-11: <img src="https://pic1.zhimg.com/v2-a_b.jpg" data-original="https://pic1.zhimg.com/v2-a_r.jpg">
_SOURCE: Final = re.compile(r"\b(data-original|data-actualsrc|src)\s*=\s*[\"']((?:https?:)?//[^\"'\s]+)")
_SOURCES: Final = ("data-original", "data-actualsrc", "src")
# Seen 2026-11: <noscript><img src="https://pic1.zhimg.com/v2-a_b.jpg"></noscript>
_NOSCRIPT: Final = re.compile(r"<noscript\b.*?</noscript>", re.DOTALL)
_TITLE_FROM_TEXT: Final = 60  # characters

_ERRORS: Final[tuple[tuple[frozenset[int], type[CrawlError]], ...]] = (
    (frozenset({40350, 40352, 40353, 40362}), Blocked),  # frostming/fxzhihu#43, #44: verification, refusal
    (frozenset({10001, 10002, 10003}), Blocked),  # DIYgod/RSSHub#18758: the request is not signed as it should be
    (frozenset({100, 101, 401, 403, 4011, 4031}), Blocked),  # no or no valid log-in
    (frozenset({429, 4290, 4291}), RateLimited),
    (frozenset({404, 410, 4040, 4041}), Gone),
)
_CHALLENGES: Final = ("zh-zse-ck", "static.zhihu.com/zse-ck/", "/account/unhuman", "<title>安全验证")
# Seen 2026-11: 你似乎来到了没有知识存在的荒原
_GONE: Final = re.compile(
    r"没有知识存在的荒原|(?:内容|回答|文章|视频|问题|想法)(?:已被|已|被)(?:作者)?(?:删除|屏蔽|关闭|下架)|被建议修改"
    r"|(?:内容|页面|文章|回答|资源|视频)不存在"
)


def items(reply: Reply) -> Page:
    """A list that the API gives: a column's or an author's articles, a question's answers; or a single record.

    Returns:
        Articles, answers, videos and pins as items of kind `zhihu`, and an Ask for the next slice unless the list ends.

    Raises:
        Blocked: a challenge, an unsigned request, a log-in that is wanted.
        RateLimited: it asks to come back later.
        Gone: the one record that was asked for is no more.
        PageChanged: neither a list nor an error that we know.
    """
    text = decode_reply(reply).strip()
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise _refusal(text, reply) from None
    records = _records(answer, reply)
    read, warnings = read_each(records, _item, reply)
    following, refused = _next(answer, reply) if records else ((), ())
    return Page(read, following, (*warnings, *refused))


def page(reply: Reply) -> Page:
    """The article, answer or video of a page; of a question's page each answer.

    Args:
        reply: fetched or saved; an API's JSON in its place is read as `items` does.

    Returns:
        The record that the address names, read from the page's state, else from its document; all records where the
        address names none. No asks.

    Raises:
        Gone: deleted, or not to be seen any more.
        Blocked, RateLimited, PageChanged: as `items`.
    """
    text = decode_reply(reply)
    if text.lstrip().startswith("{"):
        return items(reply)
    records = _named(_from_state(text), reply) or _named(_from_document(text), reply)
    if not records:
        raise _refusal(text, reply)
    if all(_is_emptied(record) for record in records):
        raise Gone("text-taken-down", url=reply.url)
    read, warnings = read_each(records, _item, reply)
    return Page(read, warnings=warnings)


# --- a record ------------------------------------------------------------------------------------------------------


def _item(record: Record, reply: Reply) -> RawItem:
    """The item that a record makes.

    Raises:
        ValueError: a record of another kind, or one without number or title.
    """
    kind, number = _type(record), _number(record)
    if kind not in _ADDRESSES or not number:
        raise NotUnderstood("other-zhihu-record", kind=kind or "?", number=number or "?")
    html = _without_copies(_html(record))
    summary = plain(_text(record, *_SUMMARY))
    title = _title(record, kind)
    if not title:
        raise NotUnderstood("record-without-title", kind=kind, number=number)
    created, updated = _text(record, *_CREATED), _text(record, *_UPDATED)
    question = _text(_part(record, "question"), "id")
    address = _ADDRESSES[kind] if question or kind != "answer" else "https://www.zhihu.com/answer/{id}"
    column = _part(record, "column")
    topics = record.get("topics") or _part(record, "question").get("topics")
    return RawItem(
        kind="zhihu",
        url=address.format(id=number, question=question),
        title=title,
        fetched_at=reply.fetched_at,
        published=created or None,
        updated=updated if updated != created and updated else None,
        author=plain_title(_text(_part(record, "author"), "name") or _text(record, "author")) or None,
        publisher=collapse(_text(column, "title", "name")) or None,
        html=html or None,
        summary=summary or None,
        image=_image(record, html),
        ids=(_KEYS[kind].format(id=number),) if kind in _KEYS else (),
        tags=tuple(_names(topics)),
        metrics={name: member for name, names in _METRICS.items() if (member := _count(record, names)) is not None},
    )


def _type(record: Record) -> str:
    """What a record is: as it says, else by what only such a record has."""
    kind = _text(record, "type")
    if kind:
        return _TYPES.get(kind, kind)
    if record.get("question"):
        return "answer"
    return "article" if {"title", "content"} <= record.keys() else ""


def _number(record: Record) -> str:
    """Its number: `id`, or `slug` in the column API of 2016."""
    return next((member for name in ("id", "slug") if (member := _text(record, name)).isdecimal()), "")


def _title(record: Record, kind: str) -> str:
    """Its title; an answer's is its question's; a pin's, which has none, is its first words, or its author."""
    if kind == "answer":
        return plain_title(_text(_part(record, "question"), "title", "name") or _text(record, "title"))
    title = plain_title(_text(record, "title"))
    if title or kind != "pin":
        return title
    content = record.get("content")
    pieces = content if isinstance(content, list) else []
    own_text = "".join(_piece(piece) for piece in pieces if isinstance(piece, dict) and not _is_card(piece))
    text = plain(own_text[:1000]) or plain(_html(record)[:1000])
    if not text and (author := plain_title(_text(_part(record, "author"), "name"))):
        return f"{author}的想法"
    return text if len(text) <= _TITLE_FROM_TEXT else f"{text[:_TITLE_FROM_TEXT]}…"


def _html(record: Record) -> str:
    """The content; that of a pin is a list of pieces, and what the pin passes on."""
    content = record.get("content")
    if not isinstance(content, list) and not _passed_on(record):
        return _text(record, "content")
    pieces = [piece for piece in content if isinstance(piece, dict)] if isinstance(content, list) else []
    written = _text(record, "content_html", "contentHtml") or ("" if pieces else _text(record, "content"))
    html = written or "".join(_piece(piece) for piece in pieces if not _is_card(piece))
    html += "".join(
        _piece(piece) for piece in pieces if _is_card(piece) and _text(piece, "url") not in unescape(written)
    )
    if passed_on := _passed_on(record):
        author = plain_title(_text(_part(passed_on, "author"), "name"))
        byline = f"<p>{escape(author)}：</p>" if author else ""
        html += f"<blockquote>{byline}{_html(passed_on)}</blockquote>"
    return html


def _passed_on(record: Record) -> Record:
    """The pin that a pin passes on."""
    return next((pin for name in ("origin_pin", "originPin", "repin") if (pin := _part(record, name))), {})


def _is_card(piece: Record) -> bool:
    """Whether a piece of a pin is no text: a link's card, a picture, a video."""
    return _text(piece, "type") not in {"", "text"}


def _piece(piece: Record) -> str:
    """A piece of a pin as HTML (lilydjwg/morerssplz#34): text, a link with its title, a picture, a video."""
    text, kind = _text(piece, "own_text", "content"), _text(piece, "type")
    if not _is_card(piece):
        return text
    url = absolute(_text(piece, "url", "original_url", "data_draft_url"), _HOME)
    if url and kind in {"image", "picture"}:
        return f'<p><img src="{escape(url)}"></p>'
    label = _text(piece, "title", "name") or plain_title(text)
    if url:
        return f'<p><a href="{escape(url)}">{escape(label or url, quote=False)}</a></p>'
    return f"<p>{escape(label, quote=False)}</p>" if label else ""


def _without_copies(html: str) -> str:
    """Content without the `<noscript>` copy that goes before each image.

    >>> _without_copies('<figure><noscript><img src="a"></noscript><img data-actualsrc="a"></figure>')
    '<figure><img data-actualsrc="a"></figure>'
    """
    head, close, tail = html.rpartition("</noscript>")  # no unclosed one is left to search to the end in vain
    return _NOSCRIPT.sub("", head + close) + tail


def _image(record: Record, html: str) -> str | None:
    """The title image, else the first picture in the text that is no formula, as large as it comes."""
    if titled := _text(record, *_IMAGE) or _text(_part(record, "video"), "thumbnail"):
        return absolute(titled, _HOME)
    for tag in _IMG.findall(html[:50_000]):
        sources = dict(_SOURCE.findall(tag))
        largest = next((sources[name] for name in _SOURCES if name in sources), "")
        if largest and "eeimg" not in tag and "/equation?" not in largest:
            return absolute(unescape(largest), _HOME)
    return None


def _names(topics: Any) -> Iterator[str]:
    if isinstance(topics, list):
        yield from filter(None, (collapse(_text(topic, "name")) for topic in topics if isinstance(topic, dict)))


def _count(record: Record, names: tuple[str, ...]) -> int | None:
    return next((member for name in names if type(member := record.get(name)) is int), None)


def _text(record: Record, *names: str) -> str:
    """The first of these that is a string with something in it, or a number."""
    for name in names:
        member = record.get(name)
        if isinstance(member, str) and member.strip():
            return clean(member)
        if type(member) is int and member:
            return str(member)
    return ""


def _part(record: Record, name: str) -> Record:
    member = record.get(name)
    return member if isinstance(member, dict) else {}


# --- the API -------------------------------------------------------------------------------------------------------


def _records(answer: Any, reply: Reply) -> list[Record]:
    """The records of an API's answer: a list, `data`, or the answer itself."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list):
        answer = answer["data"]
    elif isinstance(answer, dict):
        if "error" in answer or not _number(answer):
            raise _error(answer, reply)
        answer = [answer]
    if not isinstance(answer, list):
        raise PageChanged("answer-is", url=reply.url, type=type(answer).__name__)
    return [_unwrapped(record) if isinstance(record, dict) else {} for record in answer]


def _unwrapped(record: Record) -> Record:
    if record.get("type") in _ADDRESSES:
        return record
    return next((inner for name in _WRAPPERS if (inner := _part(record, name))), record)


def _next(answer: Any, reply: Reply) -> tuple[tuple[Ask, ...], tuple[Detail, ...]]:
    """The Ask for the next slice, or a warning where it lies elsewhere: an answer must not send us anywhere."""
    paging = _part(answer, "paging") if isinstance(answer, dict) else {}
    written = _text(paging, "next")
    if not written or paging.get("is_end") is not False:
        return (), ()
    here, there = urlsplit(reply.url), urlsplit(absolute(written, "") or "")
    if there.hostname == "www.zhihu.com" and there.path.startswith("/api/"):
        there = there._replace(scheme="https", netloc="www.zhihu.com")
    elif (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return (), (Detail.of("slice-elsewhere", address=written[:200]),)
    return ((Ask(there.geturl(), "zhihu.items"),) if there.geturl() != reply.url else ()), ()


def _error(answer: Record, reply: Reply) -> CrawlError:
    """The error that an API's answer stands for."""
    error = _part(answer, "error") or answer
    code = error["code"] if type(error.get("code")) is int else None
    text = collapse(_text(error, "message", "name", "msg"))[:200] or "?"
    detail = (
        Detail.of("zhihu-says/number", number=code, message=text) if code else Detail.of("zhihu-says", message=text)
    )
    kinds = (kind for codes, kind in _ERRORS if code in codes or (code is None and reply.status in codes))
    kind = next(kinds, PageChanged)
    if kind is PageChanged and (error.get("need_login") or "unhuman" in _text(error, "redirect")):
        kind = Blocked
    if kind is PageChanged and ("NotFound" in _text(error, "name") or _GONE.search(text)):
        kind = Gone
    return _made(kind, detail, reply)


def _made(kind: type[CrawlError], detail: Detail, reply: Reply) -> CrawlError:
    if kind is RateLimited:
        return RateLimited(detail, retry_at=retry_after(reply.headers, reply.fetched_at), url=reply.url)
    if kind is Gone and not _IN_PATH.search(urlsplit(reply.url).path):
        return PageChanged(detail, remedy="check-column", url=reply.url)
    return kind(detail, url=reply.url)


# --- pages ---------------------------------------------------------------------------------------------------------


def _from_state(text: str) -> list[Record]:
    """Records in the state that a page's scripts start from, `js-initialData`."""
    start = _STATE.search(text)
    if not start:
        return []
    try:
        state = json.loads(text[start.end() : text.find("</script>", start.end())])
    except (ValueError, RecursionError):
        return []
    entities = _part(_part(state, "initialState"), "entities") if isinstance(state, dict) else {}
    return list(
        chain.from_iterable(
            (_joined(record, kind, entities) for record in _part(entities, name).values() if isinstance(record, dict))
            for name, kind in _ENTITIES
        )
    )


def _joined(record: Record, kind: str, entities: Record) -> Record:
    """A record with the author and the question that stand elsewhere in the state."""
    author, question = record.get("author"), _part(record, "question")
    if isinstance(author, str):
        author = _part(_part(entities, "users"), author)
    if question and not _text(question, "title"):
        question = _part(_part(entities, "questions"), _text(question, "id")) or question
    return {**record, "type": kind, "author": author, "question": question}


def _named(records: list[Record], reply: Reply) -> list[Record]:
    """The record that the address names; all where it names none; none where it names one that is not there."""
    address = urlsplit(reply.url)
    in_path = _IN_PATH.search(address.path)
    if not in_path:
        return records
    kind = _TYPES.get(in_path["type"], in_path["type"].rstrip("s"))
    matching = [record for record in records if record["type"] == kind and _number(record) == in_path["id"]]
    ours = (address.hostname or "").endswith("zhihu.com")
    return matching or ([] if ours or len(records) > 1 else records)


def _is_emptied(record: Record) -> bool:
    """Whether Zhihu keeps the record, but not its text: taken down until its author changes it."""
    held = _part(record, "suggestEdit") or _part(record, "suggest_edit")
    return not _html(record).strip() and bool(held.get("status"))


def _from_document(text: str) -> list[Record]:
    """Records in a page without state: saved without its scripts, or of 2016."""
    document = parse(text)
    if posts := document.xpath("//h1[contains(@class, 'Post-Title')]"):
        return [_post(document, posts[0])]
    answers = document.xpath("//*[@data-zop][contains(@class, 'AnswerItem')]")
    if answers:
        return [record for answer in answers if (record := _answer(document, answer))]
    return list(_old_answers(document))


def _post(document: HtmlElement, title: HtmlElement) -> Record:
    zop = _zop(next(iter(document.xpath("//*[contains(@class, 'Post-content')][@data-zop]")), None))
    address = _content_of(document, "//meta[@itemprop='url'] | //meta[@property='og:url'] | //link[@rel='canonical']")
    in_path = next((match for url in address if (match := _IN_PATH.search(url))), None)
    body = document.xpath("//*[contains(@class, 'Post-RichTextContainer')]//*[contains(@class, 'RichText')]")
    body = body or document.xpath("//*[contains(@class, 'Post-RichText')]")
    return {
        "type": "article",
        "id": str(zop.get("itemId") or (in_path["id"] if in_path else "")),
        "title": plain_text(title),
        "author": {"name": zop.get("authorName") or next(iter(_author_names(document)), "")},
        "column": {
            "title": _words(document, "//*[contains(@class, 'ColumnLink')] | //*[contains(@class, 'ColumnTitle')]")
        },
        "content": inner_html(body[0]) if body else "",
        "created": next(iter(_content_of(document, "//meta[@itemprop='datePublished']")), "") or _time(document),
        "updated": next(iter(_content_of(document, "//meta[@itemprop='dateModified']")), ""),
    }


def _answer(document: HtmlElement, answer: HtmlElement) -> Record:
    zop = _zop(answer)
    question = next(iter(_content_of(document, "//link[@rel='canonical'] | //meta[@itemprop='url']")), "")
    question_path = re.search(r"/question/(\d+)", question)
    body = answer.xpath(".//*[contains(@class, 'RichContent-inner')]//*[contains(@class, 'RichText')]")
    return {
        "type": "answer",
        "id": str(zop.get("itemId") or ""),
        "question": {
            "id": question_path[1] if question_path else "",
            "title": zop.get("title") or _words(document, "//h1[contains(@class, 'QuestionHeader-title')]"),
        },
        "author": {"name": zop.get("authorName") or next(iter(_author_names(answer)), "")},
        "content": inner_html(body[0]) if body else "",
        "created": next(iter(_content_of(answer, ".//meta[@itemprop='dateCreated']")), "") or _time(answer),
        "updated": next(iter(_content_of(answer, ".//meta[@itemprop='dateModified']")), ""),
    }


def _old_answers(document: HtmlElement) -> Iterator[Record]:
    """Answers on a page of 2016: a question, an answer, a collection. The title last read is theirs."""
    question: Record = {}
    for node in document.iter("h2", "div"):
        marks = node.get("class", "").split()
        if "zm-item-title" in marks:
            link = next(node.iter("a"), None)
            question_path = re.search(r"/question/(\d+)", link.get("href", "") if link is not None else "")
            question = {"id": question_path[1] if question_path else "", "title": plain_text(node)}
        elif "zm-item-answer" in marks and node.get("data-atoken"):
            yield _old_answer(node, question)


def _old_answer(answer: HtmlElement, question: Record) -> Record:
    """An answer of 2016; in a collection its text is escaped in a textarea."""
    folded = answer.xpath(".//textarea[contains(@class, 'content')]")
    unfolded = answer.xpath(".//*[contains(@class, 'zm-editable-content')]")
    votes = next(iter(answer.xpath(".//@data-votecount")), "")
    return {
        "type": "answer",
        "id": answer.get("data-atoken"),
        "question": question,
        "author": {"name": _words(answer, ".//*[contains(@class, 'answer-author-wrap')]//a[not(.//img)]")},
        "content": folded[0].text_content().strip() if folded else inner_html(unfolded[0]) if unfolded else "",
        "created": answer.get("data-created", ""),
        **({"voteup_count": int(votes)} if votes.isdecimal() and len(votes) < 10 else {}),
    }


def _zop(node: HtmlElement | None) -> Record:
    """Fields that a page keeps for its statistics: `authorName`, `itemId`, `title`, `type`."""
    try:
        zop = json.loads(node.get("data-zop", "")) if node is not None else {}
    except (ValueError, RecursionError):
        zop = {}
    return zop if isinstance(zop, dict) else {}


def _content_of(node: HtmlElement, path: str) -> list[str]:
    return [element.get("content") or element.get("href") or "" for element in node.xpath(path)]


def _author_names(node: HtmlElement) -> list[str]:
    return _content_of(node, ".//*[@itemprop='author']//meta[@itemprop='name']")


def _time(node: HtmlElement) -> str:
    """When it was published, as the page writes it under the text: 「发布于 2021-06-29 10:14」."""
    return _words(node, ".//*[contains(@class, 'ContentItem-time')]")


def _words(node: HtmlElement, path: str) -> str:
    return collapse(" ".join(plain_text(element) for element in node.xpath(path)[:1]))


# --- where there is no record --------------------------------------------------------------------------------------


def _refusal(text: str, reply: Reply) -> CrawlError:
    """The error that a page stands for which has no record in it.

    Raises:
        Blocked: a challenge that is not Zhihu's own.
        PageChanged: an empty page.
    """
    path = urlsplit(reply.url).path
    if "/account/unhuman" in path or any(mark in text for mark in _CHALLENGES):
        return Blocked("challenge", url=reply.url, whose="Zhihu")
    if path.startswith("/signin"):
        return Blocked("zhihu-log-in", url=reply.url)
    refuse_challenge(text, reply)
    document = parse(text)
    notice = _GONE.search(plain_text(document)[:5000])
    title = collapse(document.findtext(".//title") or "")[:80]
    if notice or reply.status in {404, 410}:
        status = Detail.of("http-status", status=reply.status)
        return _made(Gone, Detail.of("notice", notice=notice[0]) if notice else status, reply)
    if reply.status in {401, 403}:
        return Blocked("http-status", url=reply.url, status=reply.status)
    return PageChanged("no-zhihu-record", url=reply.url, title=title)
