"""mp.weixin.qq.com: an article's page in each of its shapes, and the notices that stand where an article was.

What an article is stands up to three times in its page: in the object `window.cgiDataNew` (since about 2023), in
variables of its scripts, and in the document. They are read in this order, each for what those before it lack, so that
pages of 2018 and pages saved without their scripts are read too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import escape, unescape
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from lxml.html import HtmlElement

from crawler.errors import Blocked, CrawlError, Detail, Gone, PageChanged
from crawler.items import Link, Page, RawItem, Reply
from crawler.markup.encoding import decode_reply
from crawler.markup.html import collapse, inner_html, metas, parse, plain_text
from crawler.markup.javascript import STRING, JsValue, read_literal, strings, unquote
from crawler.markup.notices import error_of_notice

HOST: Final = "mp.weixin.qq.com"

Fields: TypeAlias = dict[str, str]
"""Fields of a page by our names, as written; empty fields are left out."""

ARTICLE, PICTURES, TEXT = "0", "8", "10"
_UNTITLED: Final = {"5": "分享视频", "6": "分享音乐", "7": "分享音频", PICTURES: "分享图片"}
"""`item_show_type` -> the title in WeChat's own lists of a post without title and text."""

_FACTS: Final = ("alias", "copyright_stat", "item_show_type", "user_name")
_SHARE_TYPES: Final = {"video": "5", "audio": "7", "img": PICTURES, "text": TEXT}
# Seen 2026-11: <body id="activity-detail" class="zh_CN page_share_img wx_wap_page">
_SHARE_CLASS: Final = re.compile(r"\bpage_share_(video|audio|img|text)\b")
"""The class of `<body>` names the type, also in a page saved without its scripts."""

_CGI: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title",),
    "content": ("content_noencode",),
    "account": ("nick_name",),
    "author": ("author",),
    "created": ("create_timestamp", "ori_create_time", "ori_send_time", "create_time"),
    "modified": ("modify_time",),
    "summary": ("desc",),
    "image": ("cdn_url", "cdn_url_235_1", "cdn_url_1_1"),
    "link": ("link",),
    "original": ("source_url",),
    "biz": ("bizuin",),
    "mid": ("mid",),
    "idx": ("idx",),
    "sn": ("sn",),
    "item_show_type": ("item_show_type", "real_item_show_type"),
    "user_name": ("user_name",),
    "alias": ("alias",),
}
_CGI_COPYRIGHT: Final[Mapping[str, tuple[str, ...]]] = {
    "copyright_stat": ("copyright_stat",),
    "reprint": ("reprint_url",),
    "reprint_account": ("platform",),
    "reprint_biz": ("source_encode_biz",),
    "reprint_uin": ("source_biz",),
    "reprint_mid": ("source_mid",),
    "reprint_idx": ("source_idx",),
}
_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("msg_title",),
    "account": ("nickname", "nick_name"),
    "created": ("ct", "create_time", "oriCreateTime", "createTime", "publish_time"),
    "summary": ("msg_desc", "desc"),
    "image": ("msg_cdn_url",),
    "link": ("msg_link",),
    "original": ("msg_source_url",),
    "biz": ("biz", "appuin"),
    "mid": ("mid", "appmsgid"),
    "idx": ("idx",),
    "sn": ("sn",),
    "item_show_type": ("item_show_type", "real_item_show_type"),
    "user_name": ("user_name",),
    "copyright_stat": ("_copyright_stat", "copyright_stat"),
    "reprint_biz": ("source_encode_biz",),
    "reprint_uin": ("source_biz",),
    "reprint_mid": ("source_mid",),
    "reprint_idx": ("source_idx",),
    "temporary": ("is_temp_url",),
}
_ELEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("//*[@id='activity-name']", "//*[@id='js_text_title']", "//h1[contains(@class, 'rich_media_title')]"),
    "account": (
        "//*[@id='js_name']",
        "//*[@id='post-user']",
        "//*[contains(@class, 'profile_nickname')]",
        "//*[contains(@class, 'wx_follow_nickname')]",
        "//*[contains(@class, 'account_nickname_inner')]",
    ),
    "author": ("//*[@id='js_author_name']", "//*[@id='js_author_name_text']"),
    "created": ("//*[@id='publish_time']", "//*[@id='post-date']"),
    "reprint": ("//*[@id='js_share_source']/@data-url", "//*[@id='js_share_source']/@href"),
}
_METAS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("og:title", "twitter:title"),
    "author": ("author", "og:article:author"),
    "summary": ("description", "og:description"),
    "image": ("og:image", "twitter:image"),
    "link": ("og:url",),
}
# Seen 2026-11: created 1762475508, biz MzA3MzI4MjgzMw==, mid 2247488000, idx 1, user_name gh_0123456789ab
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "created": re.compile(r"[1-9]\d{8,9}|(?!\d+$).{1,60}"),
    "modified": re.compile(r"[1-9]\d{8,9}"),
    "link": re.compile(rf"https?://{re.escape(HOST)}/.+"),
    "original": re.compile(r"https?://.+"),
    "reprint": re.compile(r"https?://.+"),
    "image": re.compile(r"(?:https?:)?//.+"),
    "biz": re.compile(r"[A-Za-z0-9+/]{8,40}={0,2}"),
    "mid": re.compile(r"[1-9]\d{0,19}"),
    "idx": re.compile(r"[1-9]\d?"),
    "sn": re.compile(r"[0-9a-f]{8,64}"),
    "item_show_type": re.compile(r"\d{1,3}"),
    "user_name": re.compile(r"gh_\w{1,40}"),
    "copyright_stat": re.compile(r"\d{1,3}"),
    "reprint_biz": re.compile(r"[A-Za-z0-9+/]{8,40}={0,2}"),
    "reprint_uin": re.compile(r"[1-9]\d{0,19}"),
    "reprint_mid": re.compile(r"[1-9]\d{0,19}"),
    "reprint_idx": re.compile(r"[1-9]\d?"),
    "temporary": re.compile(r"1"),
}
"""The shape of a believable field: the scripts of a page also use these names for other things."""

_CGI_NAME: Final = b"window.cgiDataNew"
# Seen 2026-11:  = {
_CGI_START: Final = re.compile(rb"\s*=\s*\{")
_NAMES: Final = "|".join(sorted({name for names in _VARIABLES.values() for name in names} - {"desc", "nick_name"}))
# Seen 2026-11: var msg_title = "两比特量化".html(false);
_ASSIGNMENTS: Final = tuple(
    re.compile(rf"{left}\s*=(?!=)([^\n]*)")  # each begins with a literal: a page has 3 MB of scripts
    for left in (rf"var ({_NAMES})", rf"window\.({_NAMES}|desc)", r"d\.(nick_name)")
)
# Seen 2026-11: text_page_info: { content_noencode: JsDecode('今天只有一句话')
_TEXT_SHARE: Final = re.compile(
    rf"text_page_info\s*:\s*\{{\s*content(?:_noencode)?\s*:\s*(?:JsDecode\()?({STRING})", re.S
)
# Seen 2026-11: 第一段\x0a第二段
_META_NEWLINE: Final = re.compile(r"\\x0a|\\n(?![A-Za-z])")

# Seen 2026-11: /s/Zk3q_Rw-8yT0aB1cD2eF3g
_TOKEN_PATH: Final = re.compile(r"/s/([\w-]{10,64})/?", re.ASCII)
_QUERY: Final = {"biz": ("__biz",), "mid": ("mid", "appmsgid"), "idx": ("idx", "itemidx"), "sn": ("sn", "sign")}
# Seen 2026-11: https://mp.weixin.qq.com/s?src=11&timestamp=1604800000&ver=1&signature=a*b
_TEMPORARY: Final = re.compile(r"[?&](?:signature|tempkey)=")
# Seen 2026-11: <p style="margin: 0">&nbsp;
_NO_LETTERS: Final = re.compile(r"<[^<>]*>|&#?\w{1,10};?|\s+")
# Seen 2026-11: <style>p { margin: 0 }</style>
_UNREAD: Final = re.compile(
    r"<(?:!--|style|script|svg|iframe|noscript|object|template|textarea|head)|=\s*['\"][^'\"<>]*[<>]"
)
_LONGEST_TITLE: Final = 64  # characters: the limit that WeChat's editor sets
# Seen 2026-11: 模型变小了一半。
_SENTENCE_END: Final = re.compile(r".*[。！？!?；;…]", re.DOTALL)

_SHARED_WORDS: Final = "//*[@id='js_text_desc' or @id='js_image_desc']"
_ARTICLE_ELEMENTS: Final = "//*[@id='js_content' or @id='js_article' or contains(@class, 'rich_media_content')]"
_NOTICES: Final = (
    "//*[contains(@class, 'weui-msg__title')]",
    "//*[contains(@class, 'global_error_msg')]",
    "//*[contains(@class, 'mesg-block')]",
    "//*[contains(@class, 'page_msg')]//*[contains(@class, 'title')]",
    "//*[contains(@class, 'weui-msg') or contains(@class, 'page_msg') or contains(@class, 'page_rumor')]",
)
_NOTICE_DETAIL: Final = "//*[contains(@class, 'weui-msg__desc')]"
# Seen 2026-11: window.transferTargetLink = 'https://mp.weixin.qq.com/s/Zk3q_Rw-8yT0aB1cD2eF3g'
_TRANSFER: Final = re.compile(r"transfer_?target_?link\s*=\s*['\"](https?://[^'\"\s]{1,2000})", re.I)

_OTHER_PAGES: Final = (
    ("profile-for-article", "//*[contains(@class, 'about-page')] | //*[contains(@class, 'profile_info_area')]"),
    ("search-for-article", "//ul[contains(@class, 'news-list')] | //*[starts-with(@id, 'sogou_vr_')]"),
)
_SOGOU_CHALLENGE: Final = "//*[@id='seccodeForm' or @id='seccodeImage' or @name='authform']"


def article(reply: Reply) -> Page:
    """One article, picture share, text share, video or audio post; its publish time is the page's own.

    Args:
        reply: a page of mp.weixin.qq.com, fetched there or through a page mirror, or saved.

    Returns:
        A page with one item. Its URL is the short one where the page or the reply tells it.

    Raises:
        Gone: the page says that the article is no more, in the words of the error's detail.
        Blocked: a verification stands in its place.
        RateLimited: it asks to come back later.
        PageChanged: no article and no notice that we know.
    """
    cgi = _cgi_data(reply)
    fields = _from_cgi(cgi)
    links = [fields.get("link", "")]
    pictures = _pictures(cgi.get("picture_page_info_list"))
    if not _is_whole(fields):
        document = parse(decode_reply(reply))
        scripts = "\n".join(node.text or "" for node in document.iter("script"))
        beside = _from_document(document) | _from_variables(scripts)
        links.append(beside.get("link", ""))
        fields = beside | fields
        pictures = pictures or _pictures(_assigned_list(scripts, "picture_page_info_list"))
        if not _is_article(fields, document):
            raise _refusal(reply, document, scripts)
    item = _item(reply, fields, (*links, reply.url), pictures)
    fields_by_code = {"page-without-account": item.publisher, "page-without-time": item.published}
    missing = [code for code, text in fields_by_code.items() if not text]
    return Page((item,), warnings=tuple(Detail.of(code, address=item.url) for code in missing))


def _is_whole(fields: Fields) -> bool:
    """Whether the first source has all fields, so that the document, some 3 MB, need not be parsed."""
    has_text = "content" in fields or ("title" in fields and fields.get("item_show_type", ARTICLE) != ARTICLE)
    return has_text and fields.keys() >= {"account", "created", "biz", "mid", "idx"}


def _is_article(fields: Fields, document: HtmlElement) -> bool:
    """Decided by structure: an article may quote every word of a notice."""
    says_something = fields.keys() & {"title", "content"} or fields.get("item_show_type") in _UNTITLED
    in_place = document.xpath(_ARTICLE_ELEMENTS) or ("mid" in fields and not _first_words(document, _NOTICES))
    return bool(says_something and in_place)


def _item(reply: Reply, fields: Fields, links: Iterable[str], pictures: tuple[str, ...]) -> RawItem:
    addresses = [_decoded(link) for link in links if link]
    for address in addresses:
        fields = _identity(address) | fields
    token = next(filter(None, map(_token, addresses)), "")
    url = _url(fields, token, reply.url)
    title, html = _title_and_html(fields, pictures)
    summary = collapse(_decoded(fields.get("summary", "")))
    created, modified = fields.get("created"), fields.get("modified")
    facts: dict[str, str] = {name: _decoded(fields[name]) for name in _FACTS if name in fields}
    if _TEMPORARY.search(url) or ("temporary" in fields and not token):
        facts["temporary"] = "yes"
    return RawItem(
        kind="wechat",
        url=url,
        title=title,
        fetched_at=reply.fetched_at,
        published=created,
        updated=modified if modified != created else None,
        author=collapse(_decoded(fields.get("author", ""))) or None,
        publisher=collapse(_decoded(fields.get("account", ""))) or None,
        html=html or None,
        summary=summary if summary and not _says(html, summary) else None,
        image=_absolute(_decoded(fields.get("image", ""))) or next(iter(pictures), None),
        links=tuple(_links(fields)),
        ids=tuple(_ids(fields, token)),
        facts=facts,
    )


# --- the three sources ---------------------------------------------------------------------------------------------


def _cgi_data(reply: Reply) -> dict[str, JsValue]:
    """The object that a script assigns to `window.cgiDataNew`; empty where there is none."""
    body, searched_to, in_script = reply.body, 0, False
    while (position := body.find(_CGI_NAME, searched_to)) >= 0:
        opened, closed = body.rfind(b"<script", searched_to, position), body.rfind(b"</script", searched_to, position)
        in_script = in_script if opened == closed else opened > closed  # an article may quote the name
        searched_to = position + len(_CGI_NAME)
        start = _CGI_START.match(body, searched_to)
        if in_script and start:
            end = body.find(b"</script", searched_to)
            script = replace(reply, body=body[start.end() - 1 : end if end > 0 else len(body)])
            assigned = read_literal(decode_reply(script))
            return assigned if isinstance(assigned, dict) else {}
    return {}


def _from_cgi(cgi: Mapping[str, JsValue]) -> Fields:
    copyright_info = cgi.get("copyright_info")
    beside = _believed(_CGI_COPYRIGHT, _strings(copyright_info)) if isinstance(copyright_info, dict) else {}
    return _believed(_CGI, _strings(cgi)) | beside


def _from_variables(scripts: str) -> Fields:
    """Fields from `var ct = "…"`, `window.msg_title = '…' || ''` and `d.nick_name = xml ? … : '…'`."""
    values: dict[str, list[str]] = {}
    for pattern in _ASSIGNMENTS:
        for name, expression in pattern.findall(scripts):
            values.setdefault(name, []).extend(strings(expression))
    fields = _believed(_VARIABLES, values)
    if text_share := _TEXT_SHARE.search(scripts):
        fields["content"] = unquote(text_share[1])
    return fields


def _from_document(document: HtmlElement) -> Fields:
    by_name = {name: [_META_NEWLINE.sub("\n", content)] for name, content in metas(document).items()}
    by_path = {path: list(map(_words, document.xpath(path))) for paths in _ELEMENTS.values() for path in paths}
    fields = _believed(_METAS, by_name) | _believed(_ELEMENTS, by_path)
    share = _SHARE_CLASS.search(document.xpath("string(//body/@class)"))
    if share:
        fields["item_show_type"] = _SHARE_TYPES[share[1]]
    content = _SHARED_WORDS if share else "//*[@id='js_content']"
    fields["content"] = "".join(map(inner_html, document.xpath(content)))
    if not fields["content"]:
        fields["content"] = document.xpath("string(//script[@id='content_tpl'])").strip()  # of a shared article
    if "title" not in fields and not share and document.xpath(_ARTICLE_ELEMENTS):
        fields["title"] = collapse(document.findtext(".//title") or "")
    return {field: text for field, text in fields.items() if text}


def _believed(table: Mapping[str, tuple[str, ...]], values: Mapping[str, Iterable[str]]) -> Fields:
    """For each field of a table the first value, by its names there, that has the field's shape."""
    fields: Fields = {}
    for field, names in table.items():
        shape = _SHAPES.get(field)
        for candidate in (text for name in names if name in values for text in values[name]):
            text = candidate.strip()
            if text and (shape is None or shape.fullmatch(text)):
                fields[field] = text
                break
    return fields


def _strings(values: Mapping[str, JsValue]) -> dict[str, tuple[str, ...]]:
    return {name: (text,) for name, text in values.items() if isinstance(text, str)}


def _words(node: HtmlElement | str) -> str:
    return node.strip() if isinstance(node, str) else collapse(node.text_content())


def _assigned_list(scripts: str, name: str) -> JsValue:
    match = re.search(rf"{name}\s*=\s*(?=\[)", scripts)
    return read_literal(scripts[match.end() :]) if match else []


def _decoded(text: str) -> str:
    """Character references decoded; these pages write some of them twice."""
    return unescape(unescape(text)) if "&" in text else text


# --- from fields to the item ---------------------------------------------------------------------------------------


def _title_and_html(fields: Fields, pictures: tuple[str, ...]) -> tuple[str, str]:
    """A post's title and content. A text share's title may be empty or the whole text, which then is its content."""
    title = _decoded(fields.get("title", "")).strip()
    content = fields.get("content", "")
    show_type = fields.get("item_show_type", ARTICLE)
    if show_type == ARTICLE:
        html = content
    else:
        instead = title if show_type == TEXT else _decoded(fields.get("summary", ""))
        content = content or escape(instead, quote=False)
        html = _paragraphs(content)
        if "<img" not in html:
            html += "".join(f'<p><img src="{escape(picture)}"></p>' for picture in pictures)
    text = _text(html) if not title or show_type == TEXT else ""
    if not title or "\n" in title or collapse(title) == collapse(text):
        lines = (title or text).split("\n")
        account = _decoded(fields.get("account", ""))
        title = _headline(lines[0]) or "：".join(filter(None, (account, _UNTITLED.get(show_type, "分享"))))
    return collapse(title), html


def _paragraphs(content: str) -> str:
    """Text with line breaks, which may hold inline markup, as HTML; HTML as it is."""
    if re.search(r"<(?:p|br|div|section)\b", content):
        return content
    return "".join(f"<p>{line.strip()}</p>" for line in content.split("\n") if line.strip())


def _headline(line: str) -> str:
    """A title out of a first line: as much of it as a title may have, to the end of a sentence if one ends there.

    >>> _headline("先说结论。" + "后" * 80)
    '先说结论。'
    """
    line = collapse(line)
    if len(line) <= _LONGEST_TITLE:
        return line
    sentences = _SENTENCE_END.match(line[:_LONGEST_TITLE])
    return sentences[0] if sentences else line[: _LONGEST_TITLE - 1] + "…"


def _says(html: str, summary: str) -> bool:
    """Whether a digest is only the text again, as in picture shares."""
    if len(html) > 20_000 or (not _UNREAD.search(html) and len(_NO_LETTERS.sub("", html)) > len(summary)):
        return False  # too long, which is found out in a tenth of the time
    return collapse(_text(html)) == summary


def _text(html: str) -> str:
    return plain_text(parse(f"<div>{html}</div>"))


def _pictures(listed: JsValue | None) -> tuple[str, ...]:
    """Addresses of `picture_page_info_list`."""
    if not isinstance(listed, list):
        return ()
    addresses = (picture.get("cdn_url") for picture in listed if isinstance(picture, dict))
    return tuple(filter(None, (_absolute(_decoded(url)) for url in addresses if isinstance(url, str))))


def _links(fields: Fields) -> Iterator[Link]:
    if original := fields.get("original"):
        yield Link("original", _decoded(original), "阅读原文")
    reprint = fields.get("reprint") or _source(fields)
    if reprint:
        yield Link("reprint-of", _decoded(reprint), _decoded(fields.get("reprint_account", "")))


def _source(fields: Fields) -> str:
    """The address of the reprinted article by its account, message and place; empty where the page does not say."""
    biz = fields.get("reprint_biz") or base64.b64encode(fields.get("reprint_uin", "").encode()).decode()
    if not biz or "reprint_mid" not in fields:
        return ""
    return _long_url(biz, fields["reprint_mid"], fields.get("reprint_idx", "1"))


def _ids(fields: Fields, token: str) -> Iterator[str]:
    if fields.keys() >= {"biz", "mid", "idx"}:
        yield f"wechat:{fields['biz']}/{fields['mid']}/{fields['idx']}"
    if token:
        yield f"wechat:{token}"


def _url(fields: Fields, token: str, address: str) -> str:
    if token:
        return f"https://{HOST}/s/{token}"
    identity = [fields.get(name, "") for name in ("biz", "mid", "idx", "sn")]
    if all(identity) or (all(identity[:3]) and not _TEMPORARY.search(address)):
        return _long_url(*identity)
    return address


def _long_url(biz: str, mid: str, idx: str, sn: str = "") -> str:
    return f"https://{HOST}/s?__biz={biz}&mid={mid}&idx={idx}" + (f"&sn={sn}" if sn else "")


def _token(address: str) -> str:
    """The token of a short address.

    >>> _token("http://mp.weixin.qq.com/s/AbCdEf-0123456789_xyzw?scene=1")
    'AbCdEf-0123456789_xyzw'
    """
    parts = urlsplit(address)
    match = _TOKEN_PATH.fullmatch(parts.path) if parts.hostname == HOST else None
    return match[1] if match else ""


def _identity(address: str) -> Fields:
    """Fields in the query of a long address."""
    parts = urlsplit(address)
    if parts.hostname != HOST:
        return {}
    query = parse_qsl(parts.query)[:100]
    return _believed(_QUERY, {name: (text,) for name, text in reversed(query)})


def _absolute(url: str) -> str:
    return f"https:{url}" if url.startswith("//") else url


# --- where there is no article -------------------------------------------------------------------------------------


def _refusal(reply: Reply, document: HtmlElement, scripts: str) -> CrawlError:
    """The error that a page without an article stands for."""
    address = urlsplit(reply.url)
    notice = _first_words(document, _NOTICES)
    if notice:
        return _notice_error(reply, notice, _first_words(document, (_NOTICE_DETAIL,)), scripts)
    if "captcha" in address.path or "antispider" in address.path or document.xpath(_SOGOU_CHALLENGE):
        return Blocked("captcha", url=reply.url)
    if reply.status in {404, 410}:
        return Gone("http-status", url=reply.url, status=reply.status)
    for code, path in _OTHER_PAGES:
        if document.xpath(path):
            return PageChanged(code, url=reply.url)
    says = (collapse(document.findtext(".//title") or "") or collapse(plain_text(document)))[:80]
    return PageChanged("no-article-no-notice", url=reply.url, text=says)


def _notice_error(reply: Reply, notice: str, detail: str, scripts: str) -> CrawlError:
    message = f"{notice}：{detail}" if detail and detail != notice else notice
    error = error_of_notice(notice) or error_of_notice(message)
    if error is None:
        return PageChanged("unknown-notice", url=reply.url, notice=message)
    if error is Gone and (moved := _TRANSFER.search(scripts)):
        remedy = Detail.of("account-moved", address=unescape(moved[1]))
        return Gone("notice", url=reply.url, remedy=remedy, notice=message)
    return error("notice", url=reply.url, notice=message)


def _first_words(document: HtmlElement, paths: Iterable[str]) -> str:
    texts = (plain_text(node) for path in paths for node in document.xpath(path))
    return collapse(next(filter(None, texts), ""))[:200]
