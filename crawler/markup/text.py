"""Words and addresses of hostile markup: cleaned, on one line, without tags, made absolute."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final
from urllib.parse import urljoin, urlsplit

from crawler.characters import mend_references
from crawler.markup.html import collapse, parse, plain_text

_LONGEST_DIGEST: Final = 4000  # characters of markup
_TAG: Final = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_INLINE_TAG: Final = re.compile(
    r"</?(?:a|abbr|b|br|code|del|em|font|i|img|ins|mark|p|small|span|strong|sub|sup|u)(?:\s+[a-z-]+\s*=[^<>]*|\s*/?)>",
    re.IGNORECASE,
)
_WHOLE_ELEMENT: Final = re.compile(
    r"<(a|article|blockquote|br|center|div|em|figure|h[1-6]|hr|img|ol|p|pre|section|span|strong|table|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_VOID: Final = frozenset({"br", "hr", "img"})
_ADDRESS_ATTRIBUTE: Final = re.compile(
    r"(?P<name>\s(?:href|src|poster)\s*=\s*(?P<quote>[\"']))(?P<url>(?!#|[a-z][a-z0-9+.-]*:)[^\"'<>]*)(?P=quote)",
    re.IGNORECASE,
)
_PLAIN_URL: Final = re.compile(r"(?:https?|HTTPS?)://[a-zA-Z0-9.:_-]+(?:[/?#]\S*)?")
_REFERENCE: Final = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});", re.IGNORECASE)


def undo_escaping(markup: str) -> str:
    """HTML that was escaped once too often, as HTML; a text that only speaks of a tag stays.

    >>> undo_escaping("&lt;p&gt;端侧 &lt;b&gt;模型&lt;/b&gt;&lt;/p&gt;"), undo_escaping("the &lt;p&gt; tag")
    ('<p>端侧 <b>模型</b></p>', 'the &lt;p&gt; tag')
    """
    if "&lt;" not in markup or has_markup(markup):
        return markup
    decoded = unescape(markup).strip()
    element = _WHOLE_ELEMENT.match(decoded)
    return decoded if element and (element[1].lower() in _VOID or f"</{element[1]}>" in decoded) else markup


def has_markup(text: str) -> bool:
    """Whether a feed's text is HTML rather than words."""
    return _TAG.search(text) is not None


def plain(markup: str) -> str:
    """The words of an HTML fragment on one line.

    >>> plain("<p>移动<b>端</b></p><p>R&amp;D</p><script>x()</script>")
    '移动端 R&D'
    """
    return collapse(plain_text(parse(f"<div>{markup}</div>")) if "<" in markup else _decoded(markup))


def digest(description: str, *, is_content: bool) -> str:
    """The words of a description; none where it is the whole content and too long to be a digest as well."""
    if is_content and len(description) > _LONGEST_DIGEST:
        return ""
    return plain(description[:_LONGEST_DIGEST])


def plain_title(markup: str) -> str:
    """The words of a title that is HTML by custom only: references and inline tags go, `vector<int>` stays.

    >>> plain_title("AT&amp;T: <em>new</em> vector<int>")
    'AT&T: new vector<int>'
    """
    return collapse(_decoded(_INLINE_TAG.sub("", markup)))


def absolute_links(html: str, base: str) -> str:
    """HTML whose links and pictures are absolute.

    >>> absolute_links('<a href="/a">x</a> <a href="#b">y</a>', "https://example.org/c/")
    '<a href="https://example.org/a">x</a> <a href="#b">y</a>'
    """

    def resolve(attribute: re.Match[str]) -> str:
        url = absolute(unescape(attribute["url"]), base)
        return f"{attribute['name']}{escape(url)}{attribute['quote']}" if url else attribute[0]

    return _ADDRESS_ATTRIBUTE.sub(resolve, html)


def absolute(url: str, base: str) -> str | None:
    """The address made absolute, or None where it is no http(s) address.

    >>> absolute("../b", "https://example.org/a/")
    'https://example.org/b'
    >>> absolute("javascript:alert(1)", "https://example.org/") is None
    True
    >>> absolute("https://a℀.example/", "https://example.org/") is None  # a/c in one character: no host has it
    True
    """
    url = url.strip()
    if _PLAIN_URL.fullmatch(url):
        return url
    try:
        joined = urljoin(base, url) if url else ""
        parts = urlsplit(joined)
    except ValueError:
        return None
    return joined if parts.scheme in {"http", "https"} and parts.netloc else None


def _decoded(text: str) -> str:
    """The text with each character reference decoded that ends in a semicolon: `?a=1&copy=2` is no ©."""
    return _REFERENCE.sub(lambda match: unescape(match[0]), mend_references(text)[0]) if "&" in text else text
