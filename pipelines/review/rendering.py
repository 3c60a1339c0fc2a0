"""Renders templates and Markdown, and serves styles and scripts; all of these files ship with jianbao."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from pipelines.issue.escape import make_printable_url
from pipelines.issue.formats.sanitizer import ON_THE_DESK, sanitize_html
from pipelines.issue.lines import remove_comments
from pipelines.issue.parser import make_parser
from pipelines.review.visit import NothingHere, Visit
from pipelines.wording import sentences

_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def load_templates() -> Environment:
    """Load the templates: they escape every value that is not `Markup`, and an undefined name raises an error.

    All are compiled at once, when a desk is built: that takes longer than to answer its first request.
    """
    environment = Environment(
        loader=PackageLoader("pipelines.review"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["web"] = lambda url: make_printable_url(url or "") or ""
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


def render_fragment(visit: Visit, template: str, **values: object) -> str:
    """Render a part of a page as HTML.

    Args:
        visit: the request; templates read its language and its editor.
        template: name of a file in `templates/`.
        values: the names that this template uses.
    """
    return load_templates().get_template(template).render(_collect_shared_values(visit) | values)


def render_page(visit: Visit, template: str, status: int = 200, **values: object) -> Response:
    """Render a whole page.

    Args:
        visit: the request; templates read its language and its editor.
        template: name of a file in `templates/`.
        status: of HTTP.
        values: the names that this template uses.
    """
    return HTMLResponse(render_fragment(visit, template, **values), status)


def _collect_shared_values(visit: Visit) -> dict[str, Any]:
    """The values that every template can use."""
    newsletter = visit.newsroom.newsletter
    return {
        "t": visit.translate,
        "visit": visit,
        "newsletter": newsletter,
        "path": visit.request.url.path,
        "here": visit.request.url.path + (f"?{visit.request.url.query}" if visit.request.url.query else ""),
        "learning": describe_learning(visit),
        "script_texts": json.dumps(
            {code: sentences(visit.language)[code] for code in SCRIPT_TEXTS}, ensure_ascii=False
        ),
    }


_LEARNING_TEXTS: Final[Mapping[str, str]] = {
    "running": "desk/learning-running",
    "done": "desk/learning-done",
    "failed": "desk/learning-failed",
}


def describe_learning(visit: Visit) -> dict[str, Any]:
    """Describe the learning of the desk, as the foot of each page and `GET /api/learning` tell it."""
    learning = visit.desk.learning.read_state()
    zone = visit.newsroom.newsletter.zone
    ended_at = f"{learning.ended_at.astimezone(zone):%H:%M}" if learning.ended_at else ""
    code = _LEARNING_TEXTS.get(learning.state)
    text = visit.translate(code, time=ended_at, reason=learning.reason) if code else ""
    return {"state": learning.state, "text": text}


SCRIPT_TEXTS: Final = (
    "desk/picked",
    "desk/dropped",
    "desk/put-off",
    "desk/moved-to",
    "desk/saved",
    "desk/entry-added",
    "desk/entry-divided",
    "desk/divide-where",
    "desk/page-fetching",
    "desk/undone",
    "desk/no-connection",
    "desk/new-candidates",
    "desk/marked",
    "desk/merged",
    "desk/split-done",
    "desk/told-apart",
    "desk/linked",
    "desk/exported-to",
    "desk/unchanged",
    "desk/crawling",
    "desk/show-pictures",
    "desk/unsaved",
    "desk/choose-first",
    "desk/failed",
)
"""The codes of the sentences of the scripts; a page hands each script the sentences, with their placeholders."""


@lru_cache(maxsize=64)
def render_markdown(markdown: str) -> Markup:
    """Render Markdown as safe HTML: no raw HTML, no pictures, and links that send no referrer.

    >>> render_markdown("[a](javascript:x) <b>c</b> **d**")
    Markup('<p>[a](javascript:x) &lt;b&gt;c&lt;/b&gt; <strong>d</strong></p>\\n')
    """
    rendered = make_parser(html=False, pictures=False).render(remove_comments(markdown))
    return Markup(sanitize_html(rendered, ON_THE_DESK))  # noqa: S704 - sanitized


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a page loads: a style, a script, an icon."""

    body: bytes
    content_type: str
    etag: str


@cache
def load_assets() -> Mapping[str, Asset]:
    """Load all assets by file name; the desk serves no other file."""
    assets = {}
    for file in files("pipelines.review").joinpath("static").iterdir():
        kind = file.name.rpartition(".")[2]
        if kind in _TYPES:
            body = file.read_bytes()
            assets[file.name] = Asset(body, _TYPES[kind], f'"{hashlib.sha256(body).hexdigest()[:20]}"')
    return assets


def serve_asset(visit: Visit) -> Response:
    """Serve an asset, or 304 where the browser's copy is current; browsers ask on every page."""
    asset = load_assets().get(visit.read_path("name"))
    if asset is None:
        raise NothingHere
    headers = {"ETag": asset.etag, "Cache-Control": "no-cache"}
    if visit.request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.content_type, headers=headers)
