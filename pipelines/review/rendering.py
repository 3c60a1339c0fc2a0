"""Templates, styles and scripts: what the desk's pages are made of. All of it ships with jianbao."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from pipelines.issue.escape import make_printable_url
from pipelines.issue.formats.sanitizer import ON_THE_DESK, sanitize_html
from pipelines.review.visit import NothingHere, Visit

_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def environment() -> Environment:
    """The templates: escaped wherever nobody says otherwise, loud about a name that is not there."""
    made = Environment(
        loader=PackageLoader("pipelines.review"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["web"] = lambda url: make_printable_url(url or "") or ""
    return made


def fragment(visit: Visit, template: str, **values: object) -> str:
    """A part of a page, as HTML."""
    return environment().get_template(template).render(_shared(visit) | values)


def page(visit: Visit, template: str, status: int = 200, **values: object) -> Response:
    """A whole page."""
    return HTMLResponse(fragment(visit, template, **values), status)


def _shared(visit: Visit) -> dict[str, Any]:
    newsletter = visit.newsroom.newsletter
    return {
        "t": visit.say,
        "visit": visit,
        "newsletter": newsletter,
        "path": visit.request.url.path,
        "here": visit.request.url.path + (f"?{visit.request.url.query}" if visit.request.url.query else ""),
        "script_words": json.dumps({one: visit.say(one) for one in SCRIPT_WORDS}, ensure_ascii=False),
    }


SCRIPT_WORDS: Final = (
    "已选用",
    "不用了",
    "以后再说",
    "移到了{0}",
    "改好了",
    "撤回了：{0}",
    "没有连上：请再试一次",
    "没有可以撤回的操作了",
    "{0} 条新候选",
    "已标记：到另一条上按 m 合并",
    "已合并",
    "已拆开",
    "已导出到 {0}",
    "没有变化：{0}",
    "正在抓取：{0} / {1}",
    "显示图片",
    "先保存或取消正在写的",
)
"""What scripts say, in the visitor's language."""


@lru_cache(maxsize=64)
def rendered(markdown: str) -> Markup:
    """Markdown as it will look, harmless: no HTML of its own, no pictures, links that tell nobody where they were.

    >>> rendered("[a](javascript:x) <b>c</b> **d**")
    Markup('<p>[a](javascript:x) &lt;b&gt;c&lt;/b&gt; <strong>d</strong></p>\\n')
    """
    made = (
        MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image").render(markdown)
    )
    return Markup(sanitize_html(made, ON_THE_DESK))  # noqa: S704 - sanitized


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a page loads."""

    body: bytes
    content_type: str
    etag: str


@cache
def assets() -> Mapping[str, Asset]:
    """All of them by name: nothing else can be asked for."""
    found = {}
    for file in files("pipelines.review").joinpath("static").iterdir():
        kind = file.name.rpartition(".")[2]
        if kind in _TYPES:
            body = file.read_bytes()
            found[file.name] = Asset(body, _TYPES[kind], f'"{hashlib.sha256(body).hexdigest()[:20]}"')
    return found


def asset(visit: Visit) -> Response:
    """One of them; a browser asks each time whether it changed, and mostly it did not."""
    one = assets().get(visit.place("name"))
    if one is None:
        raise NothingHere
    headers = {"ETag": one.etag, "Cache-Control": "no-cache"}
    if visit.request.headers.get("if-none-match") == one.etag:
        return Response(status_code=304, headers=headers)
    return Response(one.body, media_type=one.content_type, headers=headers)
