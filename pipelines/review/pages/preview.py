"""What was crawled of an article, to read: cleaned, in a response of its own that can do nothing and load nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from difflib import unified_diff
from typing import Final

from lxml import etree, html
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from pipelines.issue.escape import make_printable_url
from pipelines.issue.formats.sanitizer import CRAWLED, CRAWLED_WITH_PICTURES, sanitize_html
from pipelines.model import StoredArticle
from pipelines.review.rendering import environment
from pipelines.review.visit import NothingHere, Visit

MOST_CHARACTERS: Final = 2_000_000
MOST_IMAGES: Final = 200
MOST_LINES: Final = 2000

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


def preview(visit: Visit) -> Response:
    """The article's page; its pictures only when asked for, and then without saying who asks."""
    number = visit.number("article")
    pictures = visit.request.query_params.get("images") == "1"
    with visit.newsroom.store.reading() as tx:
        kept = tx.articles.find_joined([number]).get(number, number)
        stored = tx.articles.get([kept]).get(kept)
        if stored is None:
            raise NothingHere
        sources = tx.raw.list_html(kept)
    template = environment().get_template("preview.html")
    page = template.render(
        article=stored.article,
        body=body_of(stored, sources, pictures=pictures),
        style=Markup(STYLE),  # noqa: S704 - our own words
        language="zh-CN" if stored.article.language == "zh" else stored.article.language,
        at=stored.article.published.at.astimezone(visit.newsroom.zone),
    )
    policy = _POLICY + ("; img-src http: https:" if pictures else "")
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, headers=headers)


def changes(visit: Visit) -> Response:
    """What edits changed of an article since it was first seen, in a response of the same sort."""
    number = visit.number("article")
    with visit.newsroom.store.reading() as tx:
        kept = tx.articles.find_joined([number]).get(number, number)
        stored = tx.articles.get([kept]).get(kept)
        if stored is None:
            raise NothingHere
        former = tx.articles.list_revisions(kept)
    versions = [(one.number, one.replaced_at, [one.title, *one.text.split("\n")]) for one in former]
    later = [lines for _, _, lines in versions[1:]] + [[stored.article.title, *stored.article.text.split("\n")]]
    shown = [
        (number, at.astimezone(visit.newsroom.zone), _changed(before, after))
        for (number, at, before), after in zip(versions, later, strict=True)
    ]
    page = (
        environment()
        .get_template("changes.html")
        .render(
            article=stored.article,
            style=Markup(STYLE),  # noqa: S704 - our own words
            changes=shown,
        )
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "X-Frame-Options": "SAMEORIGIN"})


def _changed(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """The lines that went and came, each with its mark, and a line around them."""
    lines = list(unified_diff(before[:MOST_LINES], after[:MOST_LINES], n=1, lineterm=""))[2:]
    return [(line[0], line[1:]) for line in lines if not line.startswith("@@")]


def body_of(stored: StoredArticle, sources: Sequence[str], *, pictures: bool) -> Markup:
    """The longest of an article's pages, cleaned; its text where no page has any HTML."""
    longest = max(sources, key=len, default="")[:MOST_CHARACTERS]
    clean = cleaned(longest, pictures=pictures)
    if clean.strip():
        return clean
    paragraphs = (line for line in (stored.article.text or stored.article.summary).split("\n") if line.strip())
    return Markup("\n").join(Markup("<p>{}</p>").format(line) for line in paragraphs)


def cleaned(untrusted: str, *, pictures: bool) -> Markup:
    """HTML with nothing left that runs, loads, links or styles; with pictures, those that the web serves.

    >>> cleaned('<p onclick="x()">a<script>b</script><a href="javascript:c">d</a><img src="e.png"></p>', pictures=False)
    Markup('<p>ad</p>')
    >>> cleaned('<img data-src="https://e.example/f.png" src="data:,">', pictures=True)
    Markup('<img src="https://e.example/f.png" alt="">')
    """
    if pictures:
        untrusted = _with_late_pictures(untrusted)
    clean = sanitize_html(untrusted, CRAWLED_WITH_PICTURES if pictures else CRAWLED)
    return Markup(clean)  # noqa: S704 - sanitized


def _with_late_pictures(untrusted: str) -> str:
    """The HTML with pictures where a script would have put them: WeChat's pages name them in `data-src`."""
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
