"""Shows the crawled text of an article: sanitized, in a response of its own that runs no script and loads nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from difflib import unified_diff
from itertools import pairwise
from typing import Final

from lxml import etree, html
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from pipelines.issue.escape import make_printable_url
from pipelines.issue.formats.sanitizer import CRAWLED, CRAWLED_WITH_PICTURES, sanitize_html
from pipelines.model import StoredArticle
from pipelines.review.rendering import load_templates
from pipelines.review.visit import NothingHere, Visit

MOST_CHARACTERS: Final = 2_000_000
"""Of an article's HTML."""

MOST_IMAGES: Final = 200
"""Of one preview."""

MOST_LINES: Final = 2000
"""Of a revision in a comparison."""

STYLE: Final = """
:root{color-scheme:light dark}
body{margin:0 auto;max-width:44rem;padding:1.2rem 1.4rem 3rem;font:400 1rem/1.85 system-ui,"PingFang SC",
"Microsoft YaHei","Noto Sans CJK SC",sans-serif;overflow-wrap:anywhere;line-break:strict}
h1{font-size:1.3rem;line-height:1.45}img{max-width:100%;height:auto}pre{overflow:auto}
table{border-collapse:collapse}td,th{border:1px solid #8886;padding:.2rem .5rem}
blockquote{margin:0;padding-left:1rem;border-left:3px solid #8886}
.meta{font-size:.85rem;opacity:.7}
h2{font-size:1rem}ins{text-decoration:none;background:#2e8b5733}del{background:#c0392b33}
"""

_STYLE_HASH: Final = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


def show_preview(visit: Visit) -> Response:
    """Show the text of an article; with `images=1` also its pictures, which the browser loads without a referrer."""
    number = visit.read_path_number("article")
    pictures = visit.request.query_params.get("images") == "1"
    with visit.newsroom.store.reading() as tx:
        article_id = tx.articles.find_joined([number]).get(number, number)
        stored = tx.articles.get([article_id]).get(article_id)
        if stored is None:
            raise NothingHere
        sources = tx.raw.list_html(article_id)
    page = (
        load_templates()
        .get_template("preview.html")
        .render(
            article=stored.article,
            body=make_body(stored, sources, pictures=pictures),
            style=Markup(STYLE),  # noqa: S704 - our own words
            language="zh-CN" if stored.article.language == "zh" else stored.article.language,
            published_at=stored.article.published.at.astimezone(visit.newsroom.zone),
        )
    )
    policy = _POLICY + ("; img-src http: https:" if pictures else "")
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, headers=headers)


def show_changes(visit: Visit) -> Response:
    """Show the changes between the revisions of an article, with the same protections as its text."""
    number = visit.read_path_number("article")
    with visit.newsroom.store.reading() as tx:
        article_id = tx.articles.find_joined([number]).get(number, number)
        stored = tx.articles.get([article_id]).get(article_id)
        if stored is None:
            raise NothingHere
        former = tx.articles.list_revisions(article_id)
    texts = [[row.title, *row.text.split("\n")] for row in former]
    texts.append([stored.article.title, *stored.article.text.split("\n")])
    changes = [
        (row.number, row.replaced_at.astimezone(visit.newsroom.zone), _compare_lines(earlier, later))
        for row, (earlier, later) in zip(former, pairwise(texts), strict=True)
    ]
    page = (
        load_templates()
        .get_template("changes.html")
        .render(
            article=stored.article,
            style=Markup(STYLE),  # noqa: S704 - our own words
            changes=changes,
        )
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "X-Frame-Options": "SAMEORIGIN"})


def _compare_lines(earlier: Sequence[str], later: Sequence[str]) -> list[tuple[str, str]]:
    """Compare two revisions: removed and added lines, each with its mark, and one line of context around them."""
    lines = list(unified_diff(earlier[:MOST_LINES], later[:MOST_LINES], n=1, lineterm=""))[2:]
    return [(line[0], line[1:]) for line in lines if not line.startswith("@@")]


def make_body(stored: StoredArticle, sources: Sequence[str], *, pictures: bool) -> Markup:
    """Make the body of a preview: the longest HTML, sanitized; else the plain text as paragraphs.

    Args:
        stored: the article.
        sources: the HTML of its crawled pages.
        pictures: whether the body keeps pictures.
    """
    longest = max(sources, key=len, default="")[:MOST_CHARACTERS]
    clean = clean_html(longest, pictures=pictures)
    if clean.strip():
        return clean
    paragraphs = (line for line in (stored.article.text or stored.article.summary).split("\n") if line.strip())
    return Markup("\n").join(Markup("<p>{}</p>").format(line) for line in paragraphs)


def clean_html(untrusted: str, *, pictures: bool) -> Markup:
    """Sanitize HTML: no scripts, links, styles or embedded files remain, and pictures only where wanted.

    >>> clean_html('<p onclick="x()">a<script>b</script><a href="javascript:c">d</a><img src="e"></p>', pictures=False)
    Markup('<p>ad</p>')
    >>> clean_html('<img data-src="https://e.example/f.png" src="data:,">', pictures=True)
    Markup('<img src="https://e.example/f.png" alt="">')
    """
    if pictures:
        untrusted = _move_lazy_pictures(untrusted)
    clean = sanitize_html(untrusted, CRAWLED_WITH_PICTURES if pictures else CRAWLED)
    return Markup(clean)  # noqa: S704 - sanitized


def _move_lazy_pictures(untrusted: str) -> str:
    """Move the address of lazily loaded pictures to `src`: WeChat's pages name it in `data-src`."""
    try:
        root = html.fragment_fromstring(untrusted, create_parent="div")
    except (etree.ParserError, ValueError):
        return untrusted
    for image in list(root.iter("img"))[:MOST_IMAGES]:
        address = make_printable_url(image.get("data-src") or image.get("src") or "")
        image.attrib.clear()
        image.set("src", address or "")
        image.set("alt", "")
    written: str = html.tostring(root, encoding="unicode")
    return written
